//! The published JSON Schemas: they say what the types say, and what is written is valid under them.

use std::path::{Path, PathBuf};
use std::{env, fs};

use kconform_report::*;
use serde_json::{Value, json};

use crate::samples::{failed, manifest, mixed, record, recording, unstable};

/// Set to write the schemas anew instead of comparing them.
const WRITE: &str = "KCONFORM_WRITE_SCHEMA";

fn published(name: &str, schema: &Value) {
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "schema", name].iter().collect();
    let text = serde_json::to_string_pretty(schema).unwrap() + "\n";
    if env::var_os(WRITE).is_some() {
        fs::write(&path, &text).unwrap();
    }
    let found = fs::read_to_string(Path::new(&path)).unwrap_or_default();
    assert_eq!(
        found, text,
        "schema/{name} is not what the types say; run the tests once with {WRITE}=1"
    );
}

#[test]
fn the_published_schemas_are_those_of_the_types() {
    published("record.json", &record_schema());
    published("manifest.json", &manifest_schema());
}

#[test]
fn every_record_is_valid() {
    let schema = jsonschema::validator_for(&record_schema()).unwrap();
    let mut records: Vec<Record> = Verdict::ALL.into_iter().map(record).collect();
    records.extend([failed(Level::Should), failed(Level::Quirk), unstable()]);
    records.extend(mixed(Mode::Live).records);
    for record in records {
        let value: Value = serde_json::from_str(&to_line(&record)).unwrap();
        let errors: Vec<_> = schema.iter_errors(&value).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{}: {errors:?}", record.name);
    }
}

#[test]
fn every_manifest_is_valid() {
    let schema = jsonschema::validator_for(&manifest_schema()).unwrap();
    for manifest in [manifest(), mixed(Mode::Live).manifest, mixed(recording()).manifest] {
        let value = serde_json::to_value(manifest).unwrap();
        let errors: Vec<_> = schema.iter_errors(&value).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{errors:?}");
    }
}

#[test]
fn what_is_no_record_is_refused() {
    let schema = jsonschema::validator_for(&record_schema()).unwrap();
    let good = serde_json::to_value(record(Verdict::Failed)).unwrap();
    assert!(schema.is_valid(&good));
    for (field, value) in [
        ("verdict", json!("not run")),
        ("verdict", json!("splendid")),
        ("level", json!("MUST")),
        ("api_key", json!(40_000)),
        ("version", json!("4")),
        ("took_us", json!(-1)),
        ("replay", json!({"same": "yes"})),
        ("finding", json!({"expected": "something"})),
        ("evidence", json!([{"lane": 0}])),
        ("name", Value::Null),
    ] {
        let mut bad = good.clone();
        bad[field] = value;
        assert!(!schema.is_valid(&bad), "{field} = {} is accepted", bad[field]);
    }
    for field in good.as_object().unwrap().keys() {
        let mut bad = good.clone();
        bad.as_object_mut().unwrap().remove(field);
        assert_eq!(
            schema.is_valid(&bad),
            serde_json::from_value::<Record>(bad.clone()).is_ok(),
            "schema and reader disagree on a record without {field}"
        );
    }
}

#[test]
fn every_field_is_explained() {
    fn check(schema: &Value, at: &str) {
        if let Some(properties) = schema["properties"].as_object() {
            for (name, property) in properties {
                // What only names the variant is explained by the variant.
                let names_variant = property["const"].is_string() || properties.len() == 1;
                assert!(
                    property["description"].is_string() || names_variant,
                    "{at}.{name} has no description"
                );
            }
        }
        for key in ["$defs", "oneOf"] {
            let children: Vec<(String, &Value)> = match &schema[key] {
                Value::Object(children) => children.iter().map(|(k, v)| (k.clone(), v)).collect(),
                Value::Array(children) => {
                    children.iter().enumerate().map(|(i, v)| (i.to_string(), v)).collect()
                }
                _ => vec![],
            };
            for (name, child) in children {
                assert!(child["description"].is_string(), "{at}/{name} has no description");
                check(child, &format!("{at}/{name}"));
            }
        }
    }
    check(&record_schema(), "record");
    check(&manifest_schema(), "manifest");
}
