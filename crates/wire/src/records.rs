//! Record batches and message sets, built and read by hand.
//!
//! A conformance suite has to send what no well-behaved client would (a wrong CRC, a lying count, a
//! forged control batch) and to see what a lenient decoder hides (duplicate headers, empty compacted
//! batches, junk after the last record). So this module owns both directions:
//!
//! - [`Batch`] is a magic-2 record batch: [`Batch::encode`] writes it right, [`Batch::encode_broken`] breaks
//!   one rule at a time ([`Breakage`]) and leaves all others intact.
//! - [`Message`] and [`MessageSet`] are the magic-0 and magic-1 formats of old topics and old clients.
//! - [`read`] takes the `records` bytes of a Fetch or Produce and either explains every byte ([`Contents`]) or
//!   names the first one that breaks a rule ([`RecordsBreach`]).
//!
//! Nothing here trusts a length, a count or a claimed size: memory is bounded by [`Limits`].
//!
//! Sources: `DefaultRecordBatch`, `DefaultRecord`, `LegacyRecord`, `AbstractLegacyRecordBatch` and
//! `ByteBufferLogInputStream` of Apache Kafka; KIP-98 (the magic-2 format), KIP-32 and KIP-31 (timestamps and
//! relative offsets of magic 1), KIP-57 (the LZ4 checksum of magic 0).

mod batch;
mod breach;
mod breakage;
mod codec;
mod contents;
mod cursor;
mod lz4;
mod marker;
mod message;
mod read;
mod read_message;
mod snappy;
mod varint;

pub use batch::{Batch, Header, Record};
pub use breach::{RecordsBreach, Rule};
pub use breakage::Breakage;
pub use codec::{Codec, CodecError};
pub use contents::{Contents, Entry, Placed};
pub use marker::{EndMarker, Marker};
pub use message::{Message, MessageSet, Wrapper};
pub use read::{Limits, read, read_within};
