//! What a run was: target, selection, reference and result.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Counts;

/// The description of a run: the single JSON object in `manifest.json`. It is written when the run
/// starts and again when it ends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Manifest {
    /// Version of the meaning of this manifest and of its records.
    pub schema: u32,
    /// Name and version of the program that wrote it, such as `kconform 0.1.0`.
    pub tool: String,
    /// Identity of the run; part of every name that the run created on the target.
    pub run_id: String,
    /// When the run started, as RFC 3339.
    pub started: String,
    /// How long the run took, in milliseconds; 0 until it ended.
    #[serde(default)]
    pub took_ms: u64,
    /// Whether a live target was judged or a recording.
    pub mode: Mode,
    /// The endpoint that was judged and what probing found there.
    pub target: Target,
    /// The Apache Kafka release line that the target was held to, such as `4.1`.
    pub reference: String,
    /// The flags that selected and shaped the run, as given; never a secret.
    #[serde(default)]
    pub selection: Vec<String>,
    /// The seed of everything random, where one was set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// How many cases the plan holds. Fewer records than this mean an incomplete run.
    pub planned: usize,
    /// Cases by verdict.
    #[serde(default)]
    pub counts: Counts,
    /// Exit code of the process: 0 conforms, 1 a requirement failed or could not be checked, 2 usage,
    /// 3 target unreachable or lost, 4 nothing executed, 5 error of the suite. Absent until the run ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i32>,
    /// One row per API that the target or the reference knows, ordered by key.
    #[serde(default)]
    pub apis: Vec<ApiRow>,
    /// What the run created on the target and could not remove.
    #[serde(default)]
    pub leftovers: Vec<String>,
}

/// Where the answers of a run came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Mode {
    /// From the target, over the network, during the run.
    Live,
    /// From a recording; nothing was contacted, and the results speak about the recorded release alone.
    Replayed {
        /// The Apache Kafka release that was recorded, such as `4.1.0`.
        release: String,
        /// The date of the recording, as RFC 3339.
        recorded: String,
    },
}

/// The endpoint under test, as its operator named it and as probing found it. In a replayed run: as the
/// recording holds it, for nothing was contacted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Target {
    /// The bootstrap address, as given.
    pub bootstrap: String,
    /// The cluster id that the target reported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster_id: Option<String>,
    /// The brokers that the target reported, ordered by id.
    #[serde(default)]
    pub brokers: Vec<Broker>,
    /// The Apache Kafka release whose advertised API versions come nearest, such as `Apache Kafka 4.1`.
    pub nearest: String,
    /// What that comparison rests on, in one sentence.
    pub why: String,
    /// Feature levels and other facts that probing found, by name.
    #[serde(default)]
    pub features: BTreeMap<String, String>,
    /// Whether the target authorizes requests; absent when probing could not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorizer: Option<bool>,
}

/// One broker as the target's metadata names it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Broker {
    /// Node id.
    pub id: i32,
    /// Advertised host.
    pub host: String,
    /// Advertised port.
    pub port: i32,
    /// Rack, where one is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rack: Option<String>,
}

/// How one API stands: the versions on both sides and the cases that judged it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ApiRow {
    /// Key of the API, as in the request header.
    pub key: i16,
    /// Name of the API.
    pub name: String,
    /// Lowest and highest version that the target advertises; absent when it does not advertise the API.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<(i16, i16)>,
    /// Lowest and highest version that the reference advertises; absent when it does not advertise the API.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub apache: Option<(i16, i16)>,
    /// The cases that judged the API, by verdict.
    #[serde(default)]
    pub cases: Counts,
}
