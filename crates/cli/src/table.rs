//! Tables for people, for Markdown and as comma-separated values.

use std::fmt::Write as _;

/// A heading and rows of the same width.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Table {
    /// The heading.
    pub(crate) heading: Vec<String>,
    /// The rows.
    pub(crate) rows: Vec<Vec<String>>,
}

impl Table {
    /// Columns padded to the widest cell. No control character of a cell reaches the terminal.
    pub(crate) fn text(&self) -> String {
        let cells = |row: &Vec<String>| -> Vec<String> {
            row.iter()
                .map(|cell| cell.chars().filter(|char| !char.is_control()).collect())
                .collect()
        };
        let lines: Vec<Vec<String>> =
            std::iter::once(&self.heading).chain(&self.rows).map(cells).collect();
        let widths: Vec<usize> = (0..self.heading.len())
            .map(|at| lines.iter().map(|line| width(line, at)).max().unwrap_or(0))
            .collect();
        let mut out = String::new();
        for line in &lines {
            let mut text = String::new();
            for (cell, width) in line.iter().zip(&widths) {
                let _ = write!(text, "{cell:<width$}  ");
            }
            out.push_str(text.trim_end());
            out.push('\n');
        }
        out
    }

    /// A Markdown table.
    pub(crate) fn markdown(&self) -> String {
        let row = |cells: &[String]| {
            let cells: Vec<String> = cells
                .iter()
                .map(|cell| cell.replace('|', "\\|").replace(['\n', '\r'], " "))
                .collect();
            format!("| {} |\n", cells.join(" | "))
        };
        let mut out = row(&self.heading);
        let _ = writeln!(out, "|{}", "---|".repeat(self.heading.len()));
        self.rows.iter().for_each(|cells| out.push_str(&row(cells)));
        out
    }

    /// Comma-separated values as RFC 4180 has them.
    pub(crate) fn csv(&self) -> String {
        let cell = |text: &String| {
            if text.contains([',', '"', '\n', '\r']) {
                format!("\"{}\"", text.replace('"', "\"\""))
            } else {
                text.clone()
            }
        };
        let line =
            |cells: &Vec<String>| cells.iter().map(cell).collect::<Vec<_>>().join(",") + "\r\n";
        std::iter::once(&self.heading).chain(&self.rows).map(line).collect()
    }
}

fn width(line: &[String], at: usize) -> usize {
    line.get(at).map_or(0, |cell| cell.chars().count())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let texts = |row: [&str; 2]| row.map(str::to_owned).to_vec();
        Table {
            heading: texts(["api", "note"]),
            rows: vec![texts(["Fetch", "a, \"b\""]), texts(["A|B\u{1b}", ""])],
        }
    }

    #[test]
    fn every_form_of_a_table() {
        assert_eq!(table().text(), "api    note\nFetch  a, \"b\"\nA|B\n");
        assert_eq!(
            table().markdown(),
            "| api | note |\n|---|---|\n| Fetch | a, \"b\" |\n| A\\|B\u{1b} |  |\n"
        );
        assert_eq!(table().csv(), "api,note\r\nFetch,\"a, \"\"b\"\"\"\r\nA|B\u{1b},\r\n");
    }
}
