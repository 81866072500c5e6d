//! What the target says of itself, asked once before the run: versions, features, brokers, settings, authorizer.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use kafka_protocol::messages::{
    ApiVersionsRequest, DescribeAclsRequest, DescribeAclsResponse, DescribeConfigsRequest,
    MetadataRequest,
};
use kafka_protocol::protocol::StrBytes;
use kconform_scenario::wire::answer::Breach;
use kconform_scenario::wire::{Dial, Session};
use kconform_scenario::{
    Access, Broker, Conn, Cx, Ending, Facts, Failure, Inputs, Reference, Reply, keys,
};

use crate::Target;
use crate::fingerprint::{self, Nearest};
use crate::nodes::Hook;

/// Why a target could not be probed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreachable {
    /// One sentence a bootstrap address: what was tried and what came of it.
    pub tried: Vec<String>,
}

impl std::fmt::Display for Unreachable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "no Kafka broker answers: {}", self.tried.join("; "))
    }
}

impl std::error::Error for Unreachable {}

/// A target that answered.
#[derive(Clone, Debug)]
pub struct Probed {
    /// What is known of it.
    pub facts: Arc<Facts>,
    /// The ways in.
    pub access: Arc<Access>,
    /// The way to its nodes, where the target has one.
    pub nodes: Option<Hook>,
    /// The nearest release of Apache Kafka, and why.
    pub nearest: Nearest,
}

impl Probed {
    /// A case at the target that belongs to no plan and that nobody records: for what is done around a run. It has no
    /// pooled partitions.
    pub fn case(&self) -> Cx {
        case(self.facts.clone(), &self.access)
    }
}

/// Probes the first bootstrap address that answers.
pub async fn probe(target: &Target) -> Result<Probed, Unreachable> {
    let mut tried = Vec::new();
    for dial in &target.bootstrap {
        match probe_at(target, dial).await {
            Ok(probed) => return Ok(probed),
            Err(why) => tried.push(format!("{}: {why}", dial.peer())),
        }
    }
    Err(Unreachable { tried })
}

async fn probe_at(target: &Target, dial: &Dial) -> Result<Probed, String> {
    let access = Arc::new(target.access(dial.clone()));
    let mut facts = Facts {
        host: dial.host.clone(),
        port: dial.port,
        cluster_id: None,
        brokers: Vec::new(),
        apis: BTreeMap::new(),
        supported: BTreeMap::new(),
        finalized: BTreeMap::new(),
        reference: Reference(0, 0),
        authorizer: None,
        configs: BTreeMap::new(),
        listeners: target
            .listeners
            .iter()
            .map(|(listener, dial)| (*listener, (dial.host.clone(), dial.port)))
            .collect(),
        users: target.users.clone(),
        shapes: target.shapes.clone(),
        disruptive: target.disruptive,
        restarts: target.nodes.is_some(),
        loopback: dial.host == "localhost" || dial.host.starts_with("127.") || dial.host == "::1",
    };
    versions(&mut facts, &access).await?;
    let nearest = fingerprint::nearest(&facts.apis, &facts.supported);
    facts.reference = target.reference.unwrap_or(nearest.reference);
    // Everything else goes at the highest common version, which is known from here on.
    let cx = case(Arc::new(facts.clone()), &access);
    let mut conn = cx.connect().await.map_err(|e| sentence(&e))?;
    cluster(&mut facts, &mut conn).await.map_err(|e| {
        let why = sentence(&e);
        let login = if why.contains("closed") {
            "; a SASL listener closes so before a login (--security-protocol SASL_PLAINTEXT or SASL_SSL, and a user)"
        } else {
            ""
        };
        format!("{why}{login}")
    })?;
    // What a principal without these rights is refused is simply not known.
    if let Err(failure) = settings(&mut facts, &mut conn).await {
        tracing::info!("broker settings are not known: {}", sentence(&failure));
    }
    if let Err(failure) = authorizer(&mut facts, &mut conn).await {
        tracing::info!("whether there is an authorizer is not known: {}", sentence(&failure));
    }
    Ok(Probed { facts: Arc::new(facts), access, nodes: target.nodes.clone(), nearest })
}

/// How long a target may take for its first answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// What a length prefix that is none looks like: the first bytes of another protocol.
pub(crate) fn looks_like(breach: &Breach) -> &'static str {
    let claimed = breach.rule.split_whitespace().find_map(|word| word.parse::<i32>().ok());
    match claimed.map(i32::to_be_bytes) {
        Some([0x15 | 0x16, 3, ..]) => {
            "; it looks like a TLS listener: --security-protocol SSL or SASL_SSL"
        }
        Some([b'H', b'T', b'T', b'P']) => "; it looks like an HTTP server",
        _ => "",
    }
}

/// ApiVersions, which every broker answers in some version: the newest first, then what it offers (KIP-511), then 0.
async fn versions(facts: &mut Facts, access: &Arc<Access>) -> Result<(), String> {
    // Version 3 carries the features and is known to all releases since 2.4; 4 shows features that start at 0.
    for version in [4, 3, 0] {
        facts.apis.insert(keys::ApiVersions, (0, version));
        let cx = case(Arc::new(facts.clone()), access);
        let mut conn = cx.connect().await.map_err(|e| sentence(&e))?;
        let name = |text: &'static str| StrBytes::from_static_str(text);
        let request = if version >= 3 {
            ApiVersionsRequest::default()
                .with_client_software_name(name("kconform"))
                .with_client_software_version(name(env!("CARGO_PKG_VERSION")))
        } else {
            ApiVersionsRequest::default()
        };
        conn.patience(ANSWER_WITHIN);
        let reply = conn.ask_at(version, request, &[]).await.map_err(|e| sentence(&e))?;
        if let Some(breach) = &reply.exchange().breach {
            let looks = looks_like(breach);
            return Err(format!(
                "the answer to ApiVersions v{version} is not Kafka's ({breach}){looks}"
            ));
        }
        if matches!(reply.ending(), Ending::Hung) {
            let within = ANSWER_WITHIN.as_secs();
            return Err(format!(
                "it accepts connections and does not answer ApiVersions within {within} s; is it a Kafka listener, and of \
                 the security protocol that was asked for?"
            ));
        }
        let described = reply.describe();
        let layout = reply.layout();
        let body = match reply.answered() {
            Ok(body) if body.error_code == 0 && layout == version => body,
            Ok(_) => continue,
            // Brokers before 2.4 close on a version that they do not know.
            Err(_) if version > 0 => continue,
            Err(_) => {
                return Err(format!(
                    "ApiVersions v0: {described}; a SASL or TLS listener closes so when it is spoken to in plaintext \
                     (--security-protocol)"
                ));
            }
        };
        facts.apis = body
            .api_keys
            .iter()
            .map(|api| (api.api_key, (api.min_version, api.max_version)))
            .collect();
        for feature in &body.supported_features {
            facts
                .supported
                .insert(feature.name.to_string(), (feature.min_version, feature.max_version));
        }
        for feature in &body.finalized_features {
            facts.finalized.insert(feature.name.to_string(), feature.max_version_level);
        }
        return Ok(());
    }
    Err("it answers no version of ApiVersions with success".to_owned())
}

async fn cluster(facts: &mut Facts, conn: &mut Conn) -> Result<(), Failure> {
    let request = MetadataRequest::default()
        .with_topics(Some(Vec::new()))
        .with_allow_auto_topic_creation(false);
    let version = facts.apis.get(&keys::Metadata).map_or(0, |(_, max)| (*max).min(13));
    // Version 0 reads an empty list as "all topics"; it has no other way to ask.
    let body = conn.ask_at(version, request, &["allow_auto_topic_creation"]).await?.answered()?;
    facts.cluster_id = body.cluster_id.as_ref().map(ToString::to_string);
    facts.brokers = body
        .brokers
        .iter()
        .map(|broker| Broker {
            id: broker.node_id.0,
            host: broker.host.to_string(),
            port: u16::try_from(broker.port).unwrap_or(0),
            rack: broker.rack.as_ref().map(ToString::to_string),
        })
        .collect();
    facts.brokers.sort_by_key(|broker| broker.id);
    Ok(())
}

const BROKER_RESOURCE: i8 = 4;

async fn settings(facts: &mut Facts, conn: &mut Conn) -> Result<(), Failure> {
    if let Some(broker) = facts.brokers.first() {
        facts.configs = settings_of(conn, broker.id).await?;
    }
    Ok(())
}

/// The settings of this broker that it tells: sensitive ones have no value.
pub(crate) async fn settings_of(
    conn: &mut Conn,
    broker: i32,
) -> Result<BTreeMap<String, String>, Failure> {
    let resource = DescribeConfigsResource::default()
        .with_resource_type(BROKER_RESOURCE)
        .with_resource_name(StrBytes::from_string(broker.to_string()))
        .with_configuration_keys(None);
    let request = DescribeConfigsRequest::default().with_resources(vec![resource]);
    let body = conn.ask_newest(request).await?.ok()?;
    let configs = body.results.iter().flat_map(|result| &result.configs);
    let told = configs.filter_map(|config| {
        config.value.as_ref().map(|value| (config.name.to_string(), value.to_string()))
    });
    Ok(told.collect())
}

async fn authorizer(facts: &mut Facts, conn: &mut Conn) -> Result<(), Failure> {
    facts.authorizer = match acls(conn).await? {
        Some(reply) => reply.answered().map(|_| Some(true))?,
        None => Some(false),
    };
    Ok(())
}

/// What the target answers to a question for every ACL; `None` where it has no authorizer.
pub(crate) async fn acls(conn: &mut Conn) -> Result<Option<Reply<DescribeAclsResponse>>, Failure> {
    /// Matches every resource type, pattern type, operation and permission.
    const ANY: i8 = 1;
    const SECURITY_DISABLED: i16 = 54;
    let request = DescribeAclsRequest::default()
        .with_resource_type_filter(ANY)
        .with_resource_name_filter(None)
        .with_pattern_type_filter(ANY)
        .with_principal_filter(None)
        .with_host_filter(None)
        .with_operation(ANY)
        .with_permission_type(ANY);
    let reply = conn.ask_newest(request).await?;
    let none = matches!(
        reply.ending(),
        Ending::Answered(body) if body.error_code == SECURITY_DISABLED
    );
    Ok((!none).then_some(reply))
}

/// What is asked around a run is asked through a case of its own, which nobody records.
pub(crate) fn case(facts: Arc<Facts>, access: &Arc<Access>) -> Cx {
    case_of("kc", "probe", facts, access)
}

/// Such a case, of this name in this run: names that it makes up are unique by both.
pub(crate) fn case_of(run: &str, case: &str, facts: Arc<Facts>, access: &Arc<Access>) -> Cx {
    let inputs = Inputs {
        run: run.to_owned(),
        case: case.to_owned(),
        key: i16::MIN,
        version: 0,
        variant: None,
        started_ms: 0,
        single_replica: false,
    };
    Cx::live(Session::live(), facts, inputs, access.clone(), Rc::new(crate::pool::NoPool))
}

/// A failure in one line.
pub(crate) fn sentence(failure: &Failure) -> String {
    match failure {
        Failure::Failed(finding) | Failure::Blocked(finding) => {
            let asked = finding.exchange.as_ref().map(|exchange| format!("{}: ", exchange.asked()));
            let (asked, expected, got) =
                (asked.unwrap_or_default(), &finding.expected, &finding.got);
            format!("{asked}expected {expected}, got {got}")
        }
        Failure::NotRun(reason) | Failure::Error(reason) => reason.clone(),
    }
}
