//! Record batches and message sets: written, broken, read.
#![allow(clippy::unwrap_used)]

mod breakage;
mod codecs;
mod golden;
mod hostile;
mod round_trip;
mod strict;
mod witness;
