//! The compact text form of the tables: one indented line a field. The format stands in `fixtures/schemas/README.md`.

use std::fmt;

use crate::tree::{Default, Field, Kind, Message};
use crate::versions::Versions;

/// The first line of every file of this form.
pub(crate) const HEAD: &str = "kconform-schemas 1";

/// What one file says.
#[derive(Debug)]
pub(crate) struct Tables {
    pub(crate) releases: Vec<&'static str>,
    pub(crate) apis: Vec<Entry>,
}

/// One API of the file.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) key: i16,
    /// The newest name first, then older ones.
    pub(crate) names: Vec<&'static str>,
    pub(crate) listeners: Vec<&'static str>,
    /// Per release, in the order of [`Tables::releases`]: the versions that it has, and those of them that it calls unstable.
    pub(crate) known: Vec<(Versions, Versions)>,
    pub(crate) request: Message,
    pub(crate) response: Message,
}

/// A line that does not belong in the file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TextError {
    line: usize,
    what: &'static str,
}

impl fmt::Display for TextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.what)
    }
}

/// Reads a whole file.
pub(crate) fn parse(text: &'static str) -> Result<Tables, TextError> {
    let mut lines = Lines { lines: text.lines().collect(), next: 0 };
    let head = lines.take(0).ok_or(lines.error("the head is missing"))?;
    let releases = head.strip_prefix(HEAD).ok_or(lines.error("not a file of this form"))?;
    let releases: Vec<_> = releases.split_whitespace().collect();
    let mut apis = Vec::new();
    while lines.next < lines.lines.len() {
        apis.push(entry(&mut lines, &releases)?);
    }
    Ok(Tables { releases, apis })
}

struct Lines {
    lines: Vec<&'static str>,
    next: usize,
}

impl Lines {
    /// The next line, without its indent, if it is indented by exactly `depth` spaces.
    fn take(&mut self, depth: usize) -> Option<&'static str> {
        let line = self.lines.get(self.next)?;
        let body = line.trim_start_matches(' ');
        (line.len() - body.len() == depth).then(|| {
            self.next += 1;
            body
        })
    }

    fn error(&self, what: &'static str) -> TextError {
        TextError { line: self.next, what }
    }
}

fn entry(lines: &mut Lines, releases: &[&'static str]) -> Result<Entry, TextError> {
    let line = lines.take(0).ok_or(lines.error("an api line must stand here"))?;
    let mut words = line.split(' ');
    let key = words.next().and_then(|word| word.parse().ok()).ok_or(lines.error("bad API key"))?;
    let names = words.next().ok_or(lines.error("the name is missing"))?.split('/').collect();
    let listeners =
        words.next().ok_or(lines.error("the listeners are missing"))?.split(',').collect();
    let mut known = vec![(Versions::NONE, Versions::NONE); releases.len()];
    for word in words {
        let at = |release| releases.iter().position(|&known| known == release);
        let (release, versions) =
            word.split_once('=').ok_or(lines.error("a release must stand here"))?;
        let at = at(release).ok_or(lines.error("a release that the head lacks"))?;
        let (stable, unstable) = match versions.split_once('!') {
            Some(("", unstable)) => ("none", unstable),
            Some((stable, unstable)) => (stable, unstable),
            None => (versions, "none"),
        };
        let read =
            |text| Versions::parse(text, Versions::range(0, 63)).ok_or(lines.error("bad versions"));
        let unstable = read(unstable)?;
        known[at] = (read(stable)?.union(unstable), unstable);
    }
    let versions = known.iter().fold(Versions::NONE, |all, (versions, _)| all.union(*versions));
    let request = message(lines, "request", versions)?;
    let response = message(lines, "response", versions)?;
    Ok(Entry { key, names, listeners, known, request, response })
}

fn message(lines: &mut Lines, what: &str, versions: Versions) -> Result<Message, TextError> {
    let line = lines.take(1).ok_or(lines.error("a message must stand here"))?;
    let flexible =
        line.strip_prefix(what).and_then(|rest| Versions::parse(rest.trim_start(), versions));
    let flexible = flexible.ok_or(lines.error("bad message line"))?;
    Ok(Message { versions, flexible, fields: fields(lines, 2, versions, versions)? })
}

fn fields(
    lines: &mut Lines,
    depth: usize,
    parent: Versions,
    all: Versions,
) -> Result<Vec<Field>, TextError> {
    let mut fields = Vec::new();
    while let Some(line) = lines.take(depth) {
        fields.push(field(lines, line, depth, parent, all)?);
    }
    Ok(fields)
}

/// `NAME KIND[?[VERSIONS]] [VERSIONS] [#TAG] [=DEFAULT]`
fn field(
    lines: &mut Lines,
    line: &'static str,
    depth: usize,
    parent: Versions,
    all: Versions,
) -> Result<Field, TextError> {
    let mut words = line.split(' ');
    let name = words.next().ok_or(lines.error("the name is missing"))?;
    let kind = words.next().ok_or(lines.error("the type is missing"))?;
    let (mut versions, mut tag, mut default) = (parent, None, Default::Zero);
    for word in words {
        if let Some(number) = word.strip_prefix('#') {
            tag = Some(number.parse().map_err(|_| lines.error("bad tag"))?);
        } else if let Some(value) = word.strip_prefix('=') {
            default = match value {
                "null" => Default::Null,
                "true" => Default::True,
                number => Default::Int(number.parse().map_err(|_| lines.error("bad default"))?),
            };
        } else {
            versions = Versions::parse(word, all).ok_or(lines.error("bad versions"))?;
        }
    }
    let (kind, nullable) = match kind.split_once('?') {
        None => (kind, Versions::NONE),
        Some((kind, "")) => (kind, versions),
        Some((kind, text)) => {
            (kind, Versions::parse(text, all).ok_or(lines.error("bad versions"))?)
        }
    };
    let kind = match kind.strip_prefix("[]") {
        Some("") => Kind::Array(Box::new(Kind::Struct(fields(lines, depth + 1, versions, all)?))),
        Some(element) => Kind::Array(Box::new(scalar(element).ok_or(lines.error("unknown type"))?)),
        None if kind == "{}" => Kind::Struct(fields(lines, depth + 1, versions, all)?),
        None => scalar(kind).ok_or(lines.error("unknown type"))?,
    };
    Ok(Field { name, kind, versions, nullable, tag, default })
}

fn scalar(text: &str) -> Option<Kind> {
    Some(match text {
        "bool" => Kind::Bool,
        "i8" => Kind::Int8,
        "i16" => Kind::Int16,
        "u16" => Kind::Uint16,
        "i32" => Kind::Int32,
        "i64" => Kind::Int64,
        "f64" => Kind::Float64,
        "uuid" => Kind::Uuid,
        "string" => Kind::String,
        "bytes" => Kind::Bytes,
        "records" => Kind::Records,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_does_not_belong_is_named() {
        let start = "kconform-schemas 1 1.0\n0 Ask broker 1.0=0-1\n request 1+\n";
        for (rest, what) in [
            ("  id i33\n", "line 4: unknown type"),
            ("  id i32 x\n", "line 4: bad versions"),
            ("  id i32?x\n", "line 4: bad versions"),
            ("  id i32 #x\n", "line 4: bad tag"),
            ("  id i32 =x\n", "line 4: bad default"),
            ("  id\n", "line 4: the type is missing"),
            ("  id i32\n    deep i32\n", "line 4: a message must stand here"),
            (" response 1+\n1 Other broker 2.0=0\n", "line 5: a release that the head lacks"),
            (" response 1+\nx Other broker\n", "line 5: bad API key"),
            (" answer 1+\n", "line 4: bad message line"),
        ] {
            let text = format!("{start}{rest}").leak();
            assert_eq!(
                parse(text).map(drop).map_err(|error| error.to_string()),
                Err(what.to_owned()),
                "{rest}"
            );
        }
        assert!(parse("something else\n").is_err() && parse("").is_err());
    }

    #[test]
    fn versions_are_those_of_what_a_field_stands_in() {
        let text = "kconform-schemas 1 1.0\n0 Ask broker 1.0=0-2!3\n request 2+\n  list []?1-2 1+ =null\n   id i8 3\n response none\n";
        let tables = parse(text).unwrap_or_else(|error| panic!("{error}"));
        let api = &tables.apis[0];
        assert_eq!(api.known, [(Versions::range(0, 3), Versions::range(3, 3))]);
        assert_eq!(
            (api.request.flexible, api.response.flexible),
            (Versions::range(2, 3), Versions::NONE)
        );
        let list = &api.request.fields[0];
        assert_eq!(
            (list.versions, list.nullable, list.default),
            (Versions::range(1, 3), Versions::range(1, 2), Default::Null)
        );
        let Kind::Array(element) = &list.kind else { panic!("{list:?}") };
        assert!(
            matches!(&**element, Kind::Struct(fields) if fields[0].versions == Versions::range(3, 3))
        );
    }
}
