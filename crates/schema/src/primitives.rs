//! The primitive types of the protocol, for frames made and read by hand.

mod reader;
mod writer;

pub use reader::Reader;
pub use writer::Writer;
