//! No broker product but Apache Kafka is named in the code or in a scenario: what a target can do is
//! probed or configured, never guessed from a name. Products have their place in `profiles`.

use std::path::Path;

use super::super::complaint::Complaint;
use super::tree::TextFile;

/// Products and services that speak the protocol, in lower case. This file is the only one that
/// may name them.
const PRODUCTS: &[&str] = &[
    "redpanda",
    "warpstream",
    "automq",
    "tansu",
    "nisshi",
    "bufstream",
    "confluent",
    "msk",
    "event hubs",
    "eventhubs",
    "aiven",
    "inkless",
    "pulsar",
    "streamnative",
    "instaclustr",
];

const THIS_FILE: &str = "crates/cli/src/dev/tidy/products.rs";

/// Every line under `crates`, in the scenarios and in the requirements that names a product.
pub(super) fn check(files: &[TextFile]) -> Vec<Complaint> {
    let mut found = Vec::new();
    for file in files.iter().filter(|file| is_ours(&file.path)) {
        for (line, text) in file.numbered() {
            let text = text.to_lowercase();
            if let Some(product) = PRODUCTS.iter().find(|product| has_word(&text, product)) {
                found.push(Complaint::new(
                    &file.path,
                    line,
                    format!("the product {product} is named"),
                    "say which behaviour or need is meant; products belong into conformance/profiles",
                ));
            }
        }
    }
    found
}

fn is_ours(path: &Path) -> bool {
    let places = ["crates", "conformance/src", "conformance/requirements"];
    path != Path::new(THIS_FILE) && places.iter().any(|place| path.starts_with(place))
}

/// Whether the word stands in the text, not as a part of a longer one.
pub(super) fn has_word(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(start, _)| {
        let before = text[..start].chars().next_back();
        let after = text[start + word.len()..].chars().next();
        !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(char::is_alphanumeric)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> TextFile {
        TextFile { path: path.into(), text: text.to_owned() }
    }

    #[test]
    fn a_product_is_found_in_code_scenarios_and_requirements() {
        let text = "//! Good.\n// As Redpanda does it.\n";
        for path in ["crates/wire/src/lib.rs", "conformance/src/fetch/fetch.rs"] {
            let found = check(&[file(path, text)]);
            assert_eq!(found.len(), 1, "{path}");
            assert_eq!(
                (found[0].line, found[0].rule.as_str()),
                (2, "the product redpanda is named")
            );
        }
        let row = file("conformance/requirements/fetch.toml", "text = \"as on MSK\"\n");
        assert_eq!(check(&[row]).len(), 1);
    }

    #[test]
    fn profiles_this_file_and_parts_of_words_are_left_alone() {
        let files = [
            file("conformance/profiles/example.toml", "product = \"redpanda\"\n"),
            file(THIS_FILE, "redpanda\n"),
            file("crates/wire/src/lib.rs", "let mskeleton = pulsaring;\n"),
        ];
        assert_eq!(check(&files), []);
    }
}
