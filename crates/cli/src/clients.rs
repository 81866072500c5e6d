//! What clients can speak, as data under `fixtures/clients`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use kconform_scenario::wire::schema;
use serde::Deserialize;

use crate::versions::Range;

/// A client, and the versions of each API that it can ask in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Client {
    /// Family and release: `Java client 4.4`.
    pub(crate) name: String,
    /// Where the ranges were read.
    pub(crate) source: String,
    /// How it chooses among them.
    pub(crate) note: String,
    /// Ranges by API key.
    pub(crate) apis: BTreeMap<i16, Range>,
}

/// The clients that are known, by family, the newest release first.
pub(crate) fn clients() -> &'static [Client] {
    static CLIENTS: LazyLock<Vec<Client>> = LazyLock::new(|| {
        let read =
            |text: &&str| parse(text).expect("every file is read by the tests of this module");
        FILES.iter().map(read).collect()
    });
    &CLIENTS
}

const FILES: &[&str] = &[
    include_str!("../../../fixtures/clients/java-4.4.toml"),
    include_str!("../../../fixtures/clients/java-3.9.toml"),
    include_str!("../../../fixtures/clients/java-2.8.toml"),
    include_str!("../../../fixtures/clients/librdkafka-2.15.toml"),
    include_str!("../../../fixtures/clients/franz-go-1.21.toml"),
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: String,
    source: String,
    note: String,
    apis: BTreeMap<String, Range>,
}

fn parse(text: &str) -> Result<Client, String> {
    let File { name, source, note, apis } =
        toml::from_str(text).map_err(|error| error.to_string())?;
    let mut ranges = BTreeMap::new();
    for (api, range) in apis {
        let key = schema::api_named(&api).ok_or_else(|| format!("{name}: no API {api}"))?.key();
        if range.0 < 0 || range.0 > range.1 {
            return Err(format!("{name}: {api} has no versions"));
        }
        ranges.insert(key, range);
    }
    Ok(Client { name, source, note, apis: ranges })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use kconform_scenario::wire::schema::Direction;

    use super::*;

    #[test]
    fn every_file_names_its_source_and_apis_that_exist() {
        for text in FILES {
            let client = parse(text).unwrap();
            assert!(!client.source.is_empty() && client.note.ends_with('.'), "{}", client.name);
            assert!(client.apis.len() > 30, "{}", client.name);
        }
    }

    /// The Java client speaks what the schemas in its jar define, and those are our own tables.
    #[test]
    fn the_java_client_speaks_the_stable_versions_of_its_release() {
        for (line, release) in [("4.4", "4.4.0"), ("3.9", "3.9.2"), ("2.8", "2.8.2")] {
            let name = format!("Java client {line}");
            let client = clients().iter().find(|client| client.name == name).unwrap();
            for (key, range) in &client.apis {
                let api = schema::api(*key).unwrap();
                let has = |version: &i16| {
                    api.releases(*version).any(|known| known == release) && api.stable(*version)
                };
                let versions: Vec<i16> = api.versions(Direction::Request).filter(has).collect();
                let ends = versions.first().copied().zip(versions.last().copied());
                assert_eq!(Some(*range), ends, "{name}: {}", api.name());
            }
        }
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let file = |apis| format!("name = \"x\"\nsource = \"y\"\nnote = \"z.\"\n[apis]\n{apis}");
        assert!(parse(&file("Fetch = [0, 3]")).is_ok());
        for wrong in ["Fetsch = [0, 3]", "Fetch = [3, 0]", "Fetch = [-1, 0]", "Fetch = 3"] {
            assert!(parse(&file(wrong)).is_err(), "{wrong}");
        }
    }
}
