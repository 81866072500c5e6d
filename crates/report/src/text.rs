//! Text from outside, made safe to show. A broker under test may put anything into its strings.

use std::fmt::Write as _;

/// How much of one value the views show, in characters. The record keeps the whole value.
const SHOWN_CHARACTERS: usize = 2_000;
/// How much of a frame the views show, in bytes. The record keeps the whole frame.
const SHOWN_BYTES: usize = 256;

/// The text on one line: nothing in it can move the cursor, colour the terminal, reorder or hide
/// characters, or end the line. What could is written as `\u{1b}`.
pub(crate) fn line(text: &str) -> String {
    shown(text, false)
}

/// The same, but line breaks stay.
pub(crate) fn lines(text: &str) -> String {
    shown(text, true)
}

/// The beginning of a frame in spaced hex, and how long it is when that is not all of it.
pub(crate) fn frame(hex: &str) -> String {
    // Two digits and a space per byte.
    let bytes = hex.len().div_ceil(3);
    match hex.get(..SHOWN_BYTES * 3) {
        Some(head) if bytes > SHOWN_BYTES => format!("{}… ({bytes} bytes in all)", line(head)),
        _ => line(hex),
    }
}

/// `1 case`, `2 cases`.
pub(crate) fn cases(count: usize) -> String {
    plural(count, "case", "cases")
}

/// The count with the word in its right number.
pub(crate) fn plural(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

fn shown(text: &str, keep_line_breaks: bool) -> String {
    let mut out = String::with_capacity(text.len().min(SHOWN_CHARACTERS));
    for (index, c) in text.chars().enumerate() {
        if index == SHOWN_CHARACTERS {
            let left = text.chars().count() - SHOWN_CHARACTERS;
            let _ = write!(out, "… ({left} more characters)");
            break;
        }
        match c {
            '\n' if keep_line_breaks => out.push('\n'),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if deceives(c) => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
    }
    out
}

/// Whether a character acts on its surroundings rather than showing itself, or may not stand in XML 1.0.
fn deceives(c: char) -> bool {
    c.is_control()
        || matches!(c,
            // Invisible, and marks of direction.
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
            // Line and paragraph separator; embedding, override and isolate of direction.
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            // Byte order mark, annotation, and the two that are no characters.
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}'
            // Tags, which carry invisible text.
            | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_acts_on_a_terminal_is_spelled_out() {
        assert_eq!(line("a\x1b[2Jb\x07\u{9b}c\r\n\td"), "a\\u{1b}[2Jb\\u{7}\\u{9b}c\\r\\n\\td");
        assert_eq!(line("\u{202e}txt\u{200b}\u{2028}"), "\\u{202e}txt\\u{200b}\\u{2028}");
        assert_eq!(line("\0\u{fffe}\u{7f}"), "\\u{0}\\u{fffe}\\u{7f}");
    }

    #[test]
    fn what_shows_itself_stays() {
        let text = "topic-é-日本-→ 🦀 \\ \"q\"";
        assert_eq!(line(text), text);
        assert_eq!(lines("a\nb"), "a\nb");
    }

    #[test]
    fn a_long_value_is_cut_and_says_so() {
        let cut = line(&"é".repeat(SHOWN_CHARACTERS + 5));
        assert!(cut.ends_with("é… (5 more characters)"), "{cut}");
        assert_eq!(line(&"x".repeat(SHOWN_CHARACTERS)).len(), SHOWN_CHARACTERS);
    }

    #[test]
    fn a_long_frame_is_cut_between_bytes() {
        let hex = vec!["0a"; SHOWN_BYTES + 44].join(" ");
        let cut = frame(&hex);
        assert!(cut.ends_with("0a 0a … (300 bytes in all)"), "{cut}");
        let whole = vec!["0a"; SHOWN_BYTES].join(" ");
        assert_eq!(frame(&whole), whole);
        assert_eq!(frame(""), "");
    }

    #[test]
    fn hex_that_is_none_is_shown_without_harm() {
        let odd = "é\x1b".repeat(SHOWN_BYTES * 2);
        assert!(!frame(&odd).contains('\x1b'));
    }
}
