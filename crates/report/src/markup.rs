//! Markdown that says what the text says and nothing else.

use crate::text::line;

/// Prose in which no character is markup. Expects text without control characters.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (at, c) in text.char_indices() {
        let markup = match c {
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '~' | '#' | '&' | '@' | '$' => {
                true
            }
            // Bare addresses become links by themselves.
            ':' => text[at..].starts_with("://"),
            '.' => text[..at].to_ascii_lowercase().ends_with("www"),
            _ => false,
        };
        // An underscore inside a word emphasises nothing; error_code stays readable in the source.
        let inside = c == '_'
            && is_word(text[..at].chars().next_back())
            && is_word(text[at + 1..].chars().next());
        if markup && !inside {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// The text as code on one line, outside a table.
pub(crate) fn code(text: &str) -> String {
    let text = line(text);
    if text.trim().is_empty() {
        return "(empty)".to_owned();
    }
    let ticks = "`".repeat(longest_run(&text) + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{ticks}{pad}{text}{pad}{ticks}")
}

/// The text as code inside a cell of a table, where a pipe would end the cell even within code.
pub(crate) fn cell_code(text: &str) -> String {
    code(text).replace('|', "\\|")
}

/// A block of plain text that ends only where it should. Expects text without control characters.
pub(crate) fn fenced(text: &str) -> String {
    let fence = "`".repeat(longest_run(text).max(2) + 1);
    format!("{fence}text\n{}\n{fence}\n", text.trim_end())
}

/// One row of a table. The cells are Markdown already.
pub(crate) fn row(cells: impl IntoIterator<Item = String>) -> String {
    format!("| {} |", cells.into_iter().collect::<Vec<_>>().join(" | "))
}

fn longest_run(text: &str) -> usize {
    let mut longest = 0;
    let mut current = 0;
    for c in text.chars() {
        current = if c == '`' { current + 1 } else { 0 };
        longest = longest.max(current);
    }
    longest
}

fn is_word(c: Option<char>) -> bool {
    c.is_some_and(char::is_alphanumeric)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_is_taken_literally() {
        assert_eq!(
            escape("a|b *c* <img> [x](y) error_code _e_"),
            "a\\|b \\*c\\* \\<img\\> \\[x\\](y) error_code \\_e\\_"
        );
        assert_eq!(escape("http://h www.h @who"), "http\\://h www\\.h \\@who");
    }

    #[test]
    fn code_holds_its_own_delimiters() {
        assert_eq!(code("a`b"), "``a`b``");
        assert_eq!(code("`"), "`` ` ``");
        assert_eq!(code(" "), "(empty)");
        assert_eq!(cell_code("a|b\nc"), "`a\\|b\\nc`");
        assert_eq!(fenced("a\n```\nb\n"), "````text\na\n```\nb\n````\n");
    }
}
