//! Changed forms of a decoded answer, one place changed in each.

use kconform_scenario::wire::schema::Value;

/// How telling a change is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A number, a code, a flag, a record: what only a check of the case's own notices.
    Telling,
    /// A name changed or a list emptied, which the rule of one result per item may notice instead of the case.
    Coarse,
    /// A close in place of a frame, or a frame with a byte too many: all that turns those cases red whose requirement is
    /// that a well-formed answer comes.
    Wire,
}

/// Places of one answer that are changed, at most: lists of hundreds tell nothing that their first items do not.
const PLACES: usize = 400;

/// Every changed form of this kind, described. `item` makes an item of the list at a path such as `topics.partitions`.
pub(super) fn changed(
    value: &Value,
    kind: Kind,
    item: &dyn Fn(&str) -> Option<Value>,
) -> Vec<(String, Value)> {
    let mut leaves = Vec::new();
    walk(value, &mut Vec::new(), String::new(), &mut leaves);
    let mut forms = Vec::new();
    for (path, name, leaf) in leaves.into_iter().take(PLACES) {
        let added = match (leaf, kind) {
            (Value::Array(items), Kind::Coarse) => {
                item(&plain(&name)).map_or_else(Vec::new, |item| {
                    [item.clone(), refused(item)]
                        .map(|item| Value::Array([items.as_slice(), &[item]].concat()))
                        .to_vec()
                })
            }
            _ => Vec::new(),
        };
        for other in others(leaf, &name, kind).into_iter().chain(added) {
            let what = format!("{name} {leaf} -> {other}");
            let mut form = value.clone();
            if replace(&mut form, &path, other) {
                forms.push((what, form));
            }
        }
    }
    forms
}

/// The path without its indices.
fn plain(name: &str) -> String {
    let mut outside = true;
    name.chars()
        .filter(|c| {
            let kept = outside && *c != '[';
            outside = if *c == '[' { false } else { outside || *c == ']' };
            kept
        })
        .collect()
}

/// The item with TOPIC_AUTHORIZATION_FAILED as its error code, where it has one.
fn refused(mut item: Value) -> Value {
    if let Value::Struct(fields) = &mut item
        && let Some(code) = fields.field_mut("error_code")
    {
        *code = Value::Int(29);
    }
    item
}

/// One step into a value.
#[derive(Clone, Copy)]
enum Step {
    Field(&'static str),
    Item(usize),
}

/// All places where something stands that can be changed: scalars, and lists as a whole.
fn walk<'v>(
    value: &'v Value,
    path: &mut Vec<Step>,
    name: String,
    leaves: &mut Vec<(Vec<Step>, String, &'v Value)>,
) {
    match value {
        Value::Struct(fields) => {
            for (field, inner) in fields.fields() {
                path.push(Step::Field(field));
                let name =
                    if name.is_empty() { field.to_owned() } else { format!("{name}.{field}") };
                walk(inner, path, name, leaves);
                path.pop();
            }
        }
        Value::Array(items) => {
            leaves.push((path.clone(), name.clone(), value));
            for (at, item) in items.iter().enumerate() {
                path.push(Step::Item(at));
                walk(item, path, format!("{name}[{at}]"), leaves);
                path.pop();
            }
        }
        _ => leaves.push((path.clone(), name, value)),
    }
}

/// What else might stand there.
fn others(leaf: &Value, name: &str, kind: Kind) -> Vec<Value> {
    let code = name.ends_with("error_code");
    match (leaf, kind) {
        // Never -1, which is a finding by itself.
        (Value::Int(0), Kind::Telling) if code => vec![Value::Int(42), Value::Int(3)],
        (Value::Int(_), Kind::Telling) if code => vec![Value::Int(0), Value::Int(42)],
        (Value::Int(old), Kind::Telling) => {
            [1, -1, 1000].map(|by| Value::Int(old.wrapping_add(by))).to_vec()
        }
        (Value::Bool(old), Kind::Telling) => vec![Value::Bool(!old)],
        (Value::Float(old), Kind::Telling) => vec![Value::Float(old + 1.0)],
        (Value::Bytes(old), Kind::Telling) => match old.split_last() {
            Some((last, rest)) => {
                let flipped = [rest, &[last ^ 1]].concat();
                vec![Value::Bytes(flipped.into()), Value::Bytes(bytes::Bytes::new())]
            }
            None => Vec::new(),
        },
        (Value::Uuid(old), Kind::Coarse) => vec![Value::Uuid(old.map(|byte| byte ^ 0x10))],
        (Value::Str(old), Kind::Coarse) => vec![Value::Str(format!("{old}x")), Value::Null],
        (Value::Null, Kind::Coarse) => vec![Value::Str("x".to_owned()), Value::Array(Vec::new())],
        (Value::Array(old), Kind::Coarse) if !old.is_empty() => {
            let twice = [old.as_slice(), &old[..1]].concat();
            vec![Value::Array(Vec::new()), Value::Array(twice)]
        }
        _ => Vec::new(),
    }
}

/// Puts another value at this place.
fn replace(value: &mut Value, path: &[Step], other: Value) -> bool {
    let Some((step, rest)) = path.split_first() else {
        *value = other;
        return true;
    };
    let inner = match (step, value) {
        (Step::Field(name), Value::Struct(fields)) => fields.field_mut(name),
        (Step::Item(at), Value::Array(items)) => items.get_mut(*at),
        _ => None,
    };
    inner.is_some_and(|inner| replace(inner, rest, other))
}

#[cfg(test)]
mod tests {
    use kconform_scenario::wire::schema::Struct;

    use super::*;

    fn answer() -> Value {
        let topic = Value::Struct(
            Struct::new()
                .with("name", Value::Str("a".to_owned()))
                .with("error_code", Value::Int(3)),
        );
        Value::Struct(
            Struct::new()
                .with("offset", Value::Int(i64::MAX))
                .with("topics", Value::Array(vec![topic])),
        )
    }

    #[test]
    fn each_form_differs_in_one_place() {
        let forms = changed(&answer(), Kind::Telling, &|_| None);
        let told: Vec<&str> = forms.iter().map(|(what, _)| what.as_str()).collect();
        assert!(told.contains(&"topics[0].error_code 3 -> 0"), "{told:?}");
        assert_eq!(forms.len(), 5, "{told:?}");
        assert!(forms.iter().all(|(_, form)| *form != answer()));
    }

    #[test]
    fn lists_grow_and_shrink() {
        let item = |path: &str| {
            (path == "topics")
                .then(|| Value::Struct(Struct::new().with("error_code", Value::Int(0))))
        };
        let forms = changed(&answer(), Kind::Coarse, &item);
        let counts: Vec<usize> = forms
            .iter()
            .filter_map(|(_, form)| match form {
                Value::Struct(fields) => match fields.field("topics") {
                    Some(Value::Array(items)) => Some(items.len()),
                    _ => None,
                },
                _ => None,
            })
            .collect();
        assert!(counts.contains(&0) && counts.contains(&2), "{counts:?}");
    }

    #[test]
    fn indices_are_no_part_of_a_plain_path() {
        assert_eq!(plain("topics[0].partitions[12]"), "topics.partitions");
    }
}
