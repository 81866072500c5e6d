//! Plain sentences as Markdown.

/// A sentence with everything escaped that Markdown would take for markup, code spans left alone.
pub(super) fn text(sentence: &str) -> String {
    let spans = sentence.matches('`').count();
    let mut in_code = false;
    let mut out = String::with_capacity(sentence.len() + 8);
    for c in sentence.chars() {
        match c {
            // A lone backtick opens no span.
            '`' if spans.is_multiple_of(2) => in_code = !in_code,
            '\\' | '*' | '_' | '<' | '[' | '`' | '~' if !in_code => out.push('\\'),
            _ => {}
        }
        out.push(c);
    }
    out
}

/// The same in a cell of a table.
pub(super) fn cell(sentence: &str) -> String {
    text(sentence).replace('|', "\\|")
}

/// The anchor of a requirement within its page.
pub(super) fn anchor(id: &str) -> String {
    id.to_lowercase()
}
