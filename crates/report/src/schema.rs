//! The published JSON Schemas. They are generated from the types, so that they cannot say anything else.

use schemars::schema_for;
use serde_json::Value;

use crate::{Manifest, Record};

/// The JSON Schema (draft 2020-12) of one line of `records.jsonl`; published as `schema/record.json`.
pub fn record_schema() -> Value {
    schema_for!(Record).to_value()
}

/// The JSON Schema (draft 2020-12) of `manifest.json`; published as `schema/manifest.json`.
pub fn manifest_schema() -> Value {
    schema_for!(Manifest).to_value()
}
