//! Tests of the views and of the format on disk, from hand-written records.
#![allow(clippy::unwrap_used)]

mod exit_code;
mod hostile;
mod junit_structure;
mod published_schema;
mod reading;
mod samples;
mod views;
