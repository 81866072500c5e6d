//! JSON with `//` comments, as Kafka writes its definitions.

use serde_json::Value;
use serde_json::error::Error;

/// The first JSON value of the text. What follows it is ignored: one definition of 2.8 ends in a surplus brace.
pub(super) fn first_value(text: &str) -> Result<Value, Error> {
    let bare = without_comments(text);
    match serde_json::Deserializer::from_str(&bare).into_iter().next() {
        Some(value) => value,
        None => serde_json::from_str(&bare),
    }
}

fn without_comments(text: &str) -> String {
    text.lines().map(|line| &line[..comment_start(line)]).collect::<Vec<_>>().join("\n")
}

/// Where the comment of a line starts, or its length. Strings do not span lines in JSON.
fn comment_start(line: &str) -> usize {
    let (mut quoted, mut escaped, mut slash) = (false, false, None);
    for (at, byte) in line.bytes().enumerate() {
        match byte {
            b'/' if !quoted => {
                if slash == Some(at.wrapping_sub(1)) {
                    return at - 1;
                }
                slash = Some(at);
            }
            b'"' if !escaped => quoted = !quoted,
            _ => {}
        }
        escaped = quoted && byte == b'\\' && !escaped;
    }
    line.len()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    #[test]
    fn comments_go_and_strings_stay() {
        let text = "// head\n{ \"a\": \"http://x\", // tail\n  \"b\": \"q\\\" // in\" } // end\n}";
        assert_eq!(first_value(text).unwrap(), json!({"a": "http://x", "b": "q\" // in"}));
    }

    #[test]
    fn a_broken_or_empty_text_is_an_error() {
        assert!(first_value("{ \"a\": ").is_err());
        assert!(first_value("// nothing").is_err());
    }
}
