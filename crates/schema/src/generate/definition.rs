//! One definition file, read into a draft of a message.

use serde_json::Value;

use crate::tree::Direction;
use crate::versions::Versions;

/// A request or response as one release describes it.
#[derive(Clone, Debug)]
pub(super) struct Definition {
    /// Index into the list of releases, oldest first.
    pub(super) release: usize,
    pub(super) key: i16,
    pub(super) direction: Direction,
    /// Without `Request` or `Response` at the end.
    pub(super) name: String,
    pub(super) versions: Versions,
    pub(super) unstable: Versions,
    pub(super) flexible: Versions,
    pub(super) listeners: Vec<String>,
    pub(super) fields: Vec<Draft>,
}

/// A field on its way into the tables.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub(super) name: String,
    pub(super) kind: DraftKind,
    pub(super) versions: Versions,
    pub(super) nullable: Versions,
    pub(super) tag: Option<u32>,
    /// As the text form has it, without the `=`.
    pub(super) default: Option<String>,
}

/// The type of a [`Draft`].
#[derive(Clone, Debug)]
pub(super) enum DraftKind {
    /// The word of the text form.
    Scalar(&'static str),
    /// An array of scalars, by the word of the text form.
    Scalars(&'static str),
    Struct(Vec<Draft>),
    Structs(Vec<Draft>),
}

impl DraftKind {
    pub(super) fn fields(&self) -> Option<&Vec<Draft>> {
        match self {
            Self::Struct(fields) | Self::Structs(fields) => Some(fields),
            Self::Scalar(_) | Self::Scalars(_) => None,
        }
    }

    pub(super) fn fields_mut(&mut self) -> Option<&mut Vec<Draft>> {
        match self {
            Self::Struct(fields) | Self::Structs(fields) => Some(fields),
            Self::Scalar(_) | Self::Scalars(_) => None,
        }
    }

    /// The type in the words of the text form.
    pub(super) fn word(&self) -> String {
        match self {
            Self::Scalar(word) => (*word).to_owned(),
            Self::Scalars(word) => format!("[]{word}"),
            Self::Struct(_) => "{}".to_owned(),
            Self::Structs(_) => "[]".to_owned(),
        }
    }
}

/// Reads one definition; `None` for what is no request or response, or has no version left.
pub(super) fn read(json: &Value, release: usize) -> Result<Option<Definition>, String> {
    let (direction, ending) = match json["type"].as_str() {
        Some("request") => (Direction::Request, "Request"),
        Some("response") => (Direction::Response, "Response"),
        _ => return Ok(None),
    };
    let key = json["apiKey"].as_i64().and_then(|key| i16::try_from(key).ok()).ok_or("no apiKey")?;
    let name = json["name"].as_str().and_then(|name| name.strip_suffix(ending)).ok_or("no name")?;
    let versions = versions(&json["validVersions"], Versions::range(0, 63), "validVersions")?;
    if versions.is_empty() {
        return Ok(None);
    }
    let flexible = match &json["flexibleVersions"] {
        Value::Null => Versions::NONE,
        text => self::versions(text, versions, "flexibleVersions")?,
    };
    let unstable = match truth(&json["latestVersionUnstable"]) {
        true => Versions::range(*versions.span().end(), *versions.span().end()),
        false => Versions::NONE,
    };
    let listeners = json["listeners"].as_array().into_iter().flatten();
    let listeners = listeners.filter_map(|listener| listener.as_str().map(str::to_owned)).collect();
    let structs = json["commonStructs"].as_array().map_or(&[][..], Vec::as_slice);
    let fields = fields(&json["fields"], versions, versions, structs, 0)?;
    let name = name.to_owned();
    Ok(Some(Definition {
        release,
        key,
        direction,
        name,
        versions,
        unstable,
        flexible,
        listeners,
        fields,
    }))
}

fn fields(
    list: &Value,
    parent: Versions,
    all: Versions,
    structs: &[Value],
    depth: usize,
) -> Result<Vec<Draft>, String> {
    if depth > 16 {
        return Err("a struct contains itself".to_owned());
    }
    let mut fields = Vec::new();
    for json in list.as_array().into_iter().flatten() {
        let name = json["name"].as_str().ok_or("a field without a name")?;
        let field = field(name, json, parent, all, structs, depth)
            .map_err(|what| format!("{name}: {what}"))?;
        // A field whose versions have all gone leaves nothing to describe.
        fields.extend((!field.versions.is_empty()).then_some(field));
    }
    Ok(fields)
}

fn field(
    name: &str,
    json: &Value,
    parent: Versions,
    all: Versions,
    structs: &[Value],
    depth: usize,
) -> Result<Draft, String> {
    let versions = versions(&json["versions"], all, "versions")?.common(parent);
    let nullable = match &json["nullableVersions"] {
        Value::Null => Versions::NONE,
        text => self::versions(text, all, "nullableVersions")?.common(versions),
    };
    if !json["flexibleVersions"].is_null() {
        return Err("a field with flexibleVersions of its own".to_owned());
    }
    let tag = match &json["tag"] {
        Value::Null => None,
        tag => Some(number(tag).and_then(|tag| u32::try_from(tag).ok()).ok_or("bad tag")?),
    };
    if tag.is_some()
        && self::versions(&json["taggedVersions"], all, "taggedVersions")?.common(parent)
            != versions
    {
        return Err("tagged in some of its versions only".to_owned());
    }
    let inside = |struct_name: &str| {
        let common = structs.iter().find(|common| common["name"].as_str() == Some(struct_name));
        let list = common.map_or(&json["fields"], |common| &common["fields"]);
        if !list.is_array() {
            return Err(format!("unknown type {struct_name}"));
        }
        fields(list, versions, all, structs, depth + 1)
    };
    let kind = json["type"].as_str().ok_or("no type")?;
    let kind = match (kind, kind.strip_prefix("[]")) {
        (_, Some(element)) => match scalar(element) {
            Some(word) => DraftKind::Scalars(word),
            None => DraftKind::Structs(inside(element)?),
        },
        (kind, None) => match scalar(kind) {
            Some(word) => DraftKind::Scalar(word),
            None => DraftKind::Struct(inside(kind)?),
        },
    };
    let default = default(&json["default"])?;
    Ok(Draft { name: snake_case(name), kind, versions, nullable, tag, default })
}

fn versions(json: &Value, all: Versions, what: &str) -> Result<Versions, String> {
    json.as_str().and_then(|text| Versions::parse(text, all)).ok_or_else(|| format!("bad {what}"))
}

/// Some definitions write numbers and truth values as strings.
fn number(json: &Value) -> Option<i64> {
    let text = match json {
        Value::String(text) => text.as_str(),
        other => return other.as_i64(),
    };
    match text.strip_prefix("0x") {
        Some(hex) => i64::from_str_radix(hex, 16).ok(),
        None => text.parse().ok(),
    }
}

fn truth(json: &Value) -> bool {
    json.as_bool()
        .or_else(|| json.as_str().map(|text| text.eq_ignore_ascii_case("true")))
        .unwrap_or(false)
}

fn default(json: &Value) -> Result<Option<String>, String> {
    match json {
        Value::Null => Ok(None),
        Value::String(text) if text == "null" => Ok(Some("null".to_owned())),
        Value::String(text) if text.is_empty() || text.eq_ignore_ascii_case("false") => Ok(None),
        Value::Bool(_) | Value::String(_) if truth(json) => Ok(Some("true".to_owned())),
        Value::Bool(_) => Ok(None),
        json => match number(json) {
            Some(0) => Ok(None),
            Some(number) => Ok(Some(number.to_string())),
            None => Err(format!("default {json}")),
        },
    }
}

fn scalar(word: &str) -> Option<&'static str> {
    Some(match word {
        "bool" => "bool",
        "int8" => "i8",
        "int16" => "i16",
        "uint16" => "u16",
        "int32" => "i32",
        "int64" => "i64",
        "float64" => "f64",
        "uuid" => "uuid",
        "string" => "string",
        "bytes" => "bytes",
        "records" => "records",
        _ => return None,
    })
}

/// As `MessageGenerator.toSnakeCase` does it: a run of capitals is one word with what follows (`KRaftVersion`: `kraft_version`).
fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    let mut after_capital = true;
    for letter in name.chars() {
        if letter.is_ascii_uppercase() {
            if !after_capital {
                snake.push('_');
            }
            snake.push(letter.to_ascii_lowercase());
        } else {
            snake.push(letter);
        }
        after_capital = letter.is_ascii_uppercase();
    }
    snake
}

#[cfg(test)]
mod tests {
    #[test]
    fn names_become_snake_case_as_in_kafka() {
        for (name, snake) in [
            ("ErrorCode", "error_code"),
            ("KRaftVersionFeature", "kraft_version_feature"),
            ("V3AndBelowTransactionalId", "v3_and_below_transactional_id"),
            ("Id", "id"),
        ] {
            assert_eq!(super::snake_case(name), snake);
        }
    }
}
