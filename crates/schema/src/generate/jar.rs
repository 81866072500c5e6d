//! The definitions inside a clients jar: the entries `common/message/*.json`.

use std::borrow::Cow;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use zip::ZipArchive;
use zip::result::ZipError;

use super::GenerateError;

/// A definition is a few kilobytes; the limit keeps a wrong file from filling memory.
const LARGEST: u64 = 1 << 20;

/// Every definition of a jar: its file name and its text, in the order of the names.
pub(super) fn definitions(path: &Path) -> Result<Vec<(String, String)>, GenerateError> {
    read(path).map_err(|source| GenerateError::Jar { path: path.to_owned(), source })
}

fn read(path: &Path) -> Result<Vec<(String, String)>, ZipError> {
    let mut jar = ZipArchive::new(BufReader::new(File::open(path)?))?;
    let mut names =
        jar.file_names().map(|name| name.map(Cow::into_owned)).collect::<Result<Vec<_>, _>>()?;
    names.retain(|name| definition_name(name).is_some());
    names.sort();
    names
        .into_iter()
        .map(|name| {
            let mut text = String::new();
            jar.by_name(&name)?.take(LARGEST).read_to_string(&mut text)?;
            Ok((definition_name(&name).unwrap_or(&name).to_owned(), text))
        })
        .collect()
}

fn definition_name(entry: &str) -> Option<&str> {
    let name = entry.strip_prefix("common/message/")?;
    (name.ends_with(".json") && !name.contains('/')).then_some(name)
}
