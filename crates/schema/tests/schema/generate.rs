//! The generator, on small jars made here.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use kconform_schema::generate::{GenerateError, from_jars};
use zip::write::SimpleFileOptions;

fn jar(path: &Path, files: &[(&str, &str)]) {
    let mut jar = zip::ZipWriter::new(File::create(path).unwrap());
    for (name, text) in files {
        jar.start_file(*name, SimpleFileOptions::default()).unwrap();
        jar.write_all(text.as_bytes()).unwrap();
    }
    jar.finish().unwrap();
}

/// Runs the generator over two releases, each a list of definitions.
fn generate(old: &[&str], new: &[&str]) -> Result<String, GenerateError> {
    let folder = tempfile::tempdir().unwrap();
    let paths = [folder.path().join("old.jar"), folder.path().join("new.jar")];
    for (path, definitions) in paths.iter().zip([old, new]) {
        let names: Vec<String> =
            (0..definitions.len()).map(|index| format!("common/message/M{index}.json")).collect();
        let mut files: Vec<_> =
            names.iter().map(String::as_str).zip(definitions.iter().copied()).collect();
        files.push(("META-INF/MANIFEST.MF", "Manifest-Version: 1.0"));
        jar(path, &files);
    }
    from_jars(&[("1.0", &paths[0]), ("2.0", &paths[1])])
}

fn definition(kind: &str, valid: &str, more: &str, fields: &str) -> String {
    let ending = if kind == "request" { "Request" } else { "Response" };
    format!(
        r#"// licence
        {{ "apiKey": 1, "type": "{kind}", "listeners": ["broker", "controller"], "name": "Ask{ending}", // why
          "validVersions": "{valid}", "flexibleVersions": "2+", {more} "fields": [ {fields} ] }}"#
    )
}

fn response(valid: &str) -> String {
    definition(
        "response",
        valid,
        "",
        r#"{ "name": "ErrorCode", "type": "int16", "versions": "0+" }"#,
    )
}

#[test]
fn two_releases_become_one_table() {
    let old = definition(
        "request",
        "0-1",
        "",
        r#"{ "name": "KRaftId", "type": "int32", "versions": "0+", "default": "0x7fffffff" },
           { "name": "Gone", "type": "[]string", "versions": "0", "nullableVersions": "0+" },
           { "name": "Items", "type": "[]Item", "versions": "0+", "fields": [
             { "name": "Name", "type": "string", "versions": "0+" } ] }"#,
    );
    let new = definition(
        "request",
        "1-3",
        r#""latestVersionUnstable": "true", "commonStructs": [ { "name": "Where", "versions": "2+", "fields": [
            { "name": "Port", "type": "uint16", "versions": "3+" },
            { "name": "Host", "type": "string", "versions": "2+", "default": "null", "nullableVersions": "2+" } ] } ],"#,
        r#"{ "name": "KRaftId", "type": "int32", "versions": "0+", "default": "0x7fffffff" },
           { "name": "Items", "type": "[]Item", "versions": "0+", "fields": [
             { "name": "Name", "type": "string", "versions": "0+" },
             { "name": "Flag", "type": "bool", "versions": "2+", "default": "true" } ] },
           { "name": "Place", "type": "Where", "versions": "2+", "tag": "0", "taggedVersions": "2+" }"#,
    );
    let text = generate(&[&old, &response("0-1")], &[&new, &response("1-3")]).unwrap();
    let expected = "\
kconform-schemas 1 1.0 2.0
1 Ask broker,controller 1.0=0-1 2.0=1-2!3
 request 2+
  kraft_id i32 =2147483647
  gone []string? 0
  items []
   name string
   flag bool 2+ =true
  place {} 2+ #0
   port u16 3
   host string? =null
 response 2+
  error_code i16
";
    assert_eq!(text, expected);
}

#[test]
fn two_releases_that_disagree_are_an_error_unless_one_calls_it_unstable() {
    let old =
        definition("request", "0-1", "", r#"{ "name": "A", "type": "int32", "versions": "0+" }"#);
    let new =
        definition("request", "0-1", "", r#"{ "name": "A", "type": "int64", "versions": "0+" }"#);
    let error = generate(&[&old, &response("0-1")], &[&new, &response("0-1")]).unwrap_err();
    assert_eq!(error.to_string(), "API key 1: two releases describe version 0 differently");

    let field = r#"{ "name": "A", "type": "int32", "versions": "0" }, { "name": "A", "type": "int64", "versions": "1+" }"#;
    let old = definition("request", "0-1", r#""latestVersionUnstable": true,"#, field);
    let new =
        definition("request", "0-1", "", r#"{ "name": "A", "type": "int32", "versions": "0+" }"#);
    let text = generate(&[&old, &response("0-1")], &[&new, &response("0-1")]).unwrap();
    assert!(text.contains("1 Ask broker,controller 1.0=0 2.0=0-1\n"), "{text}");
}

#[test]
fn a_tag_that_a_later_release_adds_to_a_version_is_no_conflict() {
    let field = r#"{ "name": "A", "type": "int32", "versions": "0+" }"#;
    let tag =
        r#", { "name": "B", "type": "bool", "versions": "2+", "tag": 3, "taggedVersions": "2+" }"#;
    let old = definition("request", "0-2", "", field);
    let new = definition("request", "0-2", "", &format!("{field}{tag}"));
    let text = generate(&[&old, &response("0-2")], &[&new, &response("0-2")]).unwrap();
    assert!(text.contains("  b bool 2 #3\n"), "{text}");
    assert!(
        generate(&[&new, &response("0-2")], &[&old, &response("0-2")]).is_err(),
        "a tag that went is one"
    );
}

#[test]
fn what_cannot_be_understood_is_refused_by_name() {
    for (field, what) in [
        (
            r#"{ "name": "A", "type": "decimal", "versions": "0+" }"#,
            "M0.json of 2.0: A: unknown type decimal",
        ),
        (r#"{ "name": "A", "type": "int8" }"#, "M0.json of 2.0: A: bad versions"),
        (
            r#"{ "name": "A", "type": "int8", "versions": "0+", "default": "x" }"#,
            "M0.json of 2.0: A: default \"x\"",
        ),
        (
            r#"{ "name": "A", "type": "int8", "versions": "0+", "tag": 0, "taggedVersions": "1+" }"#,
            "M0.json of 2.0: A: tagged in some of its versions only",
        ),
        (
            r#"{ "name": "A", "type": "string", "versions": "0+", "flexibleVersions": "none" }"#,
            "M0.json of 2.0: A: a field with flexibleVersions of its own",
        ),
        (r#"{ "type": "int8", "versions": "0+" }"#, "M0.json of 2.0: a field without a name"),
    ] {
        let error = generate(&[], &[&definition("request", "0-2", "", field), &response("0-2")])
            .unwrap_err();
        assert_eq!(error.to_string(), what);
    }
    let lonely = generate(&[], &[&response("0")]).unwrap_err();
    assert_eq!(lonely.to_string(), "API key 1: a response without a request");
    let endless = r#""commonStructs": [ { "name": "S", "versions": "0+", "fields": [
        { "name": "Inner", "type": "[]S", "versions": "0+" } ] } ],"#;
    let field = r#"{ "name": "Outer", "type": "S", "versions": "0+" }"#;
    let error =
        generate(&[], &[&definition("request", "0", endless, field), &response("0")]).unwrap_err();
    assert!(error.to_string().ends_with("a struct contains itself"), "{error}");
}

#[test]
fn what_is_no_jar_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("none.jar");
    assert!(matches!(from_jars(&[("1.0", &path)]), Err(GenerateError::Jar { .. })));
    std::fs::write(&path, "not a zip").unwrap();
    let error = from_jars(&[("1.0", &path)]).unwrap_err();
    assert!(error.to_string().contains("none.jar"), "{error}");
}
