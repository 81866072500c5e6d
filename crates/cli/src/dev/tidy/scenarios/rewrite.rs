//! Puts a requirement's text into the doc comment above its scenario.

use std::fs;
use std::path::Path;

use super::same_words;

/// The widest line of a doc comment, counted in characters.
const WIDTH: usize = 100;

/// Which lines of a file were exchanged.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Change {
    /// The first exchanged line, from 1.
    pub(super) line: usize,
    /// How many lines were taken out.
    pub(super) removed: usize,
    /// How many took their place.
    pub(super) added: usize,
}

/// Makes `text` the first paragraph of the doc comment above the `nth` (from 0) `#[scenario("id"` in
/// the file. Nothing is written where it says so already.
pub(super) fn rewrite(
    path: &Path,
    id: &str,
    nth: usize,
    text: &str,
) -> Result<Option<Change>, String> {
    let source = fs::read_to_string(path).map_err(|error| error.to_string())?;
    let mut lines: Vec<&str> = source.lines().collect();
    let attribute = attribute_line(&source, id, nth)
        .ok_or_else(|| format!("no `#[scenario(\"{id}\"` in the file"))?;
    // A remark for ourselves may stand between the doc comment and the attribute.
    let below = (0..attribute).rev().find(|&index| !is_remark(lines[index]));
    let below = below.map_or(0, |index| index + 1);
    let start = (0..below).rev().take_while(|&index| is_doc(lines[index])).last().unwrap_or(below);
    let end = (start..below).find(|&index| lines[index].trim() == "///").unwrap_or(below);
    let said: Vec<&str> =
        lines[start..end].iter().map(|line| line.trim().trim_start_matches("///")).collect();
    if same_words(&said.join(" "), text) {
        return Ok(None);
    }
    let indent: String = lines[attribute].chars().take_while(|c| c.is_whitespace()).collect();
    let doc = wrap(text, &format!("{indent}/// "));
    let change = Change { line: start + 1, removed: end - start, added: doc.len() };
    lines.splice(start..end, doc.iter().map(String::as_str));
    fs::write(path, lines.join("\n") + "\n").map_err(|error| error.to_string())?;
    Ok(Some(change))
}

/// The line, from 0, of the nth attribute that names the id; the id may stand on the next line.
fn attribute_line(source: &str, id: &str, nth: usize) -> Option<usize> {
    let opening = "#[scenario(";
    let literal = format!("\"{id}\"");
    source
        .match_indices(opening)
        .filter(|(at, _)| source[at + opening.len()..].trim_start().starts_with(&literal))
        .nth(nth)
        .map(|(at, _)| source[..at].matches('\n').count())
}

fn is_doc(line: &str) -> bool {
    line.trim_start().starts_with("///")
}

fn is_remark(line: &str) -> bool {
    line.trim_start().starts_with("//") && !is_doc(line)
}

/// Breaks a text into lines of a doc comment. No line but the first starts with what Markdown
/// would take for a list, a quote or a heading.
fn wrap(text: &str, lead: &str) -> Vec<String> {
    let width = WIDTH.saturating_sub(lead.chars().count());
    let mut lines: Vec<Vec<&str>> = vec![Vec::new()];
    let mut used = 0;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        let line = lines.last_mut().expect("there is always a last line");
        if line.is_empty() || used + 1 + length <= width {
            used += length + usize::from(!line.is_empty());
            line.push(word);
            continue;
        }
        let mut next = vec![word];
        while is_markup(next[0]) && line.len() > 1 {
            let moved = line.pop().expect("the line has more than one word");
            next.insert(0, moved);
        }
        used = next.iter().map(|word| word.chars().count() + 1).sum::<usize>() - 1;
        lines.push(next);
    }
    lines.iter().map(|words| format!("{lead}{}", words.join(" "))).collect()
}

fn is_markup(word: &str) -> bool {
    let numbered = word.trim_end_matches(['.', ')']);
    matches!(word, "-" | "+" | "*" | "=" | "|")
        || word.starts_with(['#', '>'])
        || (numbered.len() < word.len() && numbered.chars().all(|c| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_broken_at_a_hundred_columns() {
        let text = "word ".repeat(60);
        let lines = wrap(&text, "    /// ");
        assert!(lines.iter().all(|line| line.chars().count() <= WIDTH && !line.ends_with(' ')));
        assert_eq!(lines[0].chars().count(), 8 + 18 * 5 - 1);
        assert!(same_words(&lines.join(" ").replace("///", ""), &text));
    }

    #[test]
    fn no_line_starts_like_a_list() {
        for sign in ["-", "+", "1.", "35)", "#tag", ">"] {
            let text = format!("{} tail {sign} 42 and more", "x".repeat(90));
            let lines = wrap(&text, "/// ");
            assert_eq!(lines[1], format!("/// tail {sign} 42 and more"), "{sign}");
        }
    }
}
