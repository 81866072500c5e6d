//! The APIs and what is known of their versions.

use std::ops::RangeInclusive;
use std::sync::LazyLock;

use crate::flat::Program;
use crate::text;
use crate::tree::{Direction, Message};
use crate::versions::Versions;

/// One API: a request and its response, in every version that any source release has.
#[derive(Debug)]
pub struct Api {
    key: i16,
    names: Vec<&'static str>,
    listeners: Vec<&'static str>,
    releases: Vec<Known>,
    request: Half,
    response: Half,
}

/// What one source release knows of an API.
#[derive(Debug)]
struct Known {
    release: &'static str,
    versions: Versions,
    unstable: Versions,
}

#[derive(Debug)]
struct Half {
    message: Message,
    /// By version.
    programs: Vec<Option<Program>>,
}

/// The tables, read once from the text that is part of the program.
static APIS: LazyLock<Vec<Api>> = LazyLock::new(|| {
    let tables = text::parse(include_str!("../../../fixtures/schemas/messages.txt"));
    let tables = tables
        .unwrap_or_else(|error| panic!("the embedded tables are read by every test: {error}"));
    let mut apis: Vec<Api> =
        tables.apis.into_iter().map(|entry| Api::new(entry, &tables.releases)).collect();
    apis.sort_by_key(|api| api.key);
    apis
});

/// Every API, by ascending key.
pub fn apis() -> impl Iterator<Item = &'static Api> {
    APIS.iter()
}

/// The API of a key.
pub fn api(key: i16) -> Option<&'static Api> {
    let apis: &'static [Api] = &APIS;
    apis.binary_search_by_key(&key, |api| api.key).ok().map(|at| &apis[at])
}

/// The API of a name, in any case: `Produce`, `produce`; older names (`AlterIsr`) too.
pub fn api_named(name: &str) -> Option<&'static Api> {
    apis().find(|api| api.names.iter().any(|known| known.eq_ignore_ascii_case(name)))
}

impl Api {
    /// The API key.
    pub fn key(&self) -> i16 {
        self.key
    }

    /// The name as Kafka's newest release has it, in camel case: `Produce`.
    pub fn name(&self) -> &'static str {
        self.names[0]
    }

    /// The lowest to the highest version in the tables.
    pub fn versions(&self, direction: Direction) -> RangeInclusive<i16> {
        self.message(direction).versions.span()
    }

    /// Whether the newest source release that has `version` calls it stable. An unstable version may differ in other releases:
    /// its table holds for [`Api::releases`] alone.
    pub fn stable(&self, version: i16) -> bool {
        let newest = self.releases.iter().rfind(|known| known.versions.contains(version));
        newest.is_some_and(|known| !known.unstable.contains(version))
    }

    /// Whether `version` has compact lengths and tagged fields (KIP-482).
    pub fn is_flexible(&self, version: i16) -> bool {
        self.request.message.flexible.contains(version)
    }

    /// The version of the request header: 2 when flexible, 0 for ControlledShutdown 0 alone, else 1.
    /// A version that is not in the tables counts as flexible when the highest one is.
    pub fn request_header_version(&self, version: i16) -> i16 {
        match self.counts_as_flexible(version) {
            true => 2,
            false if self.key == CONTROLLED_SHUTDOWN && version == 0 => 0,
            false => 1,
        }
    }

    /// The version of the response header: 1 when flexible, else 0. Always 0 for ApiVersions, whose client cannot know yet what
    /// the broker speaks (KIP-511).
    pub fn response_header_version(&self, version: i16) -> i16 {
        i16::from(self.key != API_VERSIONS && self.counts_as_flexible(version))
    }

    /// The source releases that describe `version` as the tables do, oldest first.
    pub fn releases(&self, version: i16) -> impl Iterator<Item = &'static str> {
        self.releases
            .iter()
            .filter(move |known| known.versions.contains(version))
            .map(|known| known.release)
    }

    /// Whether clients and other brokers may ask this on a broker's listener, in the newest release that has the API.
    pub fn on_broker(&self) -> bool {
        self.listeners.iter().any(|listener| ["broker", "zkBroker"].contains(listener))
    }

    /// Whether it is answered on a controller's listener.
    pub fn on_controller(&self) -> bool {
        self.listeners.contains(&"controller")
    }

    /// The shape of the request or of the response, in all versions.
    pub fn message(&self, direction: Direction) -> &Message {
        &self.half(direction).message
    }

    pub(crate) fn program(&self, version: i16, direction: Direction) -> Option<&Program> {
        self.half(direction).programs.get(usize::try_from(version).ok()?)?.as_ref()
    }

    fn half(&self, direction: Direction) -> &Half {
        match direction {
            Direction::Request => &self.request,
            Direction::Response => &self.response,
        }
    }

    fn counts_as_flexible(&self, version: i16) -> bool {
        let versions = self.request.message.versions.span();
        self.is_flexible(if version > *versions.end() { *versions.end() } else { version })
    }

    fn new(entry: text::Entry, releases: &[&'static str]) -> Self {
        let known = releases.iter().zip(entry.known);
        let known =
            known.map(|(&release, (versions, unstable))| Known { release, versions, unstable });
        Self {
            key: entry.key,
            names: entry.names,
            listeners: entry.listeners,
            releases: known.collect(),
            request: Half::new(entry.request),
            response: Half::new(entry.response),
        }
    }
}

impl Half {
    fn new(message: Message) -> Self {
        let versions = 0..=*message.versions.span().end();
        let compile = |version| {
            message.versions.contains(version).then(|| Program::compile(&message, version))
        };
        Self { programs: versions.map(compile).collect(), message }
    }
}

const CONTROLLED_SHUTDOWN: i16 = 7;
const API_VERSIONS: i16 = 18;
