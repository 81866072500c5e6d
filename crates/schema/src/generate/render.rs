//! Writes the text form that `text.rs` reads.

use std::fmt::Write;

use super::definition::Draft;
use super::merge::{Api, Merged};
use crate::text::HEAD;
use crate::versions::Versions;

/// The whole file.
pub(super) fn render(releases: &[&str], apis: &[Api]) -> String {
    let mut text = format!("{HEAD} {}\n", releases.join(" "));
    for api in apis {
        let _ = write!(text, "{} {} {}", api.key, api.names.join("/"), api.listeners.join(","));
        for (release, (versions, unstable)) in releases.iter().zip(&api.known) {
            if versions.is_empty() {
                continue;
            }
            let _ = write!(text, " {release}=");
            let stable = versions.without(*unstable);
            if !stable.is_empty() {
                let _ = write!(text, "{stable}");
            }
            if !unstable.is_empty() {
                let _ = write!(text, "!{unstable}");
            }
        }
        text.push('\n');
        message(&mut text, "request", &api.request);
        message(&mut text, "response", &api.response);
    }
    text
}

fn message(text: &mut String, what: &str, message: &Merged) {
    let _ = writeln!(text, " {what} {}", message.flexible.text(message.versions));
    fields(text, &message.fields, 2, message.versions, message.versions);
}

fn fields(text: &mut String, fields: &[Draft], depth: usize, parent: Versions, all: Versions) {
    for field in fields {
        let _ = write!(text, "{:depth$}{} {}", "", field.name, field.kind.word());
        if field.nullable == field.versions {
            text.push('?');
        } else if !field.nullable.is_empty() {
            let _ = write!(text, "?{}", field.nullable.text(all));
        }
        if field.versions != parent {
            let _ = write!(text, " {}", field.versions.text(all));
        }
        if let Some(tag) = field.tag {
            let _ = write!(text, " #{tag}");
        }
        if let Some(default) = &field.default {
            let _ = write!(text, " ={default}");
        }
        text.push('\n');
        if let Some(inner) = field.kind.fields() {
            self::fields(text, inner, depth + 1, field.versions, all);
        }
    }
}
