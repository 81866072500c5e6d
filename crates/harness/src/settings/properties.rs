//! Java's `.properties` format, as `java.util.Properties.load` reads it.

/// One property.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Property {
    /// The line on which it begins, from 1.
    pub(crate) line: usize,
    /// Key, unescaped.
    pub(crate) key: String,
    /// Value, unescaped.
    pub(crate) value: String,
}

/// The properties of a text, in its order. Every text is one: there are no errors in this format but bad `\u` escapes, which give
/// the line.
pub(crate) fn parse(text: &str) -> Result<Vec<Property>, usize> {
    let mut properties = Vec::new();
    let mut lines =
        text.lines().enumerate().map(|(at, line)| (at + 1, line.trim_start_matches(BLANK)));
    while let Some((line, start)) = lines.next() {
        if start.is_empty() || start.starts_with(['#', '!']) {
            continue;
        }
        let mut logical = start.to_owned();
        while continues(&logical) {
            logical.pop();
            match lines.next() {
                Some((_, more)) => logical.push_str(more),
                None => break,
            }
        }
        let (key, value) = split(&logical);
        let unescaped = |text| unescape(text).ok_or(line);
        properties.push(Property { line, key: unescaped(key)?, value: unescaped(value)? });
    }
    Ok(properties)
}

const BLANK: [char; 3] = [' ', '\t', '\u{c}'];

/// An odd number of backslashes at the end takes the next line in.
fn continues(line: &str) -> bool {
    line.chars().rev().take_while(|char| *char == '\\').count() % 2 == 1
}

/// The key ends at the first `=`, `:` or blank that no backslash stands before; blanks around one `=` or `:` belong to nobody.
fn split(line: &str) -> (&str, &str) {
    let mut escaped = false;
    let end = line.char_indices().find(|(_, char)| {
        if escaped {
            escaped = false;
            return false;
        }
        escaped = *char == '\\';
        ['=', ':'].contains(char) || BLANK.contains(char)
    });
    let Some((end, _)) = end else { return (line, "") };
    let (key, rest) = line.split_at(end);
    let rest = rest.trim_start_matches(BLANK);
    let rest = rest.strip_prefix(['=', ':']).unwrap_or(rest);
    (key, rest.trim_start_matches(BLANK))
}

fn unescape(text: &str) -> Option<String> {
    let mut units: Vec<u16> = Vec::with_capacity(text.len());
    let mut chars = text.chars();
    let mut buffer = [0; 2];
    while let Some(char) = chars.next() {
        if char != '\\' {
            units.extend_from_slice(char.encode_utf16(&mut buffer));
            continue;
        }
        let char = match chars.next() {
            Some('t') => '\t',
            Some('n') => '\n',
            Some('r') => '\r',
            Some('f') => '\u{c}',
            Some('u') => {
                let digits: String = chars.by_ref().take(4).collect();
                let whole =
                    digits.len() == 4 && digits.chars().all(|char| char.is_ascii_hexdigit());
                units.push(u16::from_str_radix(&digits, 16).ok().filter(|_| whole)?);
                continue;
            }
            Some(other) => other,
            // A lone backslash at the very end of the text.
            None => break,
        };
        units.extend_from_slice(char.encode_utf16(&mut buffer));
    }
    String::from_utf16(&units).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn pairs(text: &str) -> Vec<(usize, String, String)> {
        let all = parse(text).unwrap();
        all.into_iter().map(|Property { line, key, value }| (line, key, value)).collect()
    }

    fn one(text: &str) -> (String, String) {
        let mut all = pairs(text);
        assert_eq!(all.len(), 1, "{text}");
        let (_, key, value) = all.remove(0);
        (key, value)
    }

    #[test]
    fn the_separators_of_java_are_understood() {
        for text in ["a=b", "a:b", "a b", "  a = b", "a\t:\tb", "a =b"] {
            assert_eq!(one(text), ("a".to_owned(), "b".to_owned()), "{text}");
        }
        assert_eq!(one("a"), ("a".to_owned(), String::new()));
        assert_eq!(one("a="), ("a".to_owned(), String::new()));
        assert_eq!(one("a==b = c "), ("a".to_owned(), "=b = c ".to_owned()));
        assert_eq!(one(r"a\=b\ c=d"), ("a=b c".to_owned(), "d".to_owned()));
    }

    #[test]
    fn comments_continuations_and_escapes_are_understood() {
        let text = "# no\n! no\n\na = one \\\n    two\\\\\nb=\\u00e4\\t\\z\n";
        assert_eq!(
            pairs(text),
            [(4, "a".to_owned(), "one two\\".to_owned()), (6, "b".to_owned(), "ä\tz".to_owned())]
        );
        assert_eq!(one("a=b\\"), ("a".to_owned(), "b".to_owned()));
    }

    #[test]
    fn a_broken_escape_gives_its_line() {
        for text in ["x=1\na=\\u12", "x=1\na=\\u12g4", "x=1\na=\\u+123", "x=1\na=\\ud800"] {
            assert_eq!(parse(text).err(), Some(2), "{text}");
        }
    }
}
