//! A scenario as data: what the `#[scenario]` attribute makes of a function.

use std::future::Future;
use std::pin::Pin;

use crate::facts::{Facts, Listener, Role};
use crate::{Cx, Outcome};

/// A scenario in motion.
pub type Run<'a> = Pin<Box<dyn Future<Output = Outcome> + 'a>>;

/// The API key of a scenario that is multiplied over every API that the target advertises.
pub const EACH: i16 = -1;

/// What the variants of a property begin with; a hexadecimal number follows, from which its values are drawn.
pub const SEED: &str = "seed_";

/// One scenario. Built by the attribute, listed by [`scenarios!`](crate::scenarios).
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    /// Id of the requirement that it checks.
    pub id: &'static str,
    /// Further requirements that the same act proves.
    pub also: &'static [&'static str],
    /// Name of the function: what the broker does.
    pub name: &'static str,
    /// Module path, crate and all.
    pub module: &'static str,
    /// Source file.
    pub file: &'static str,
    /// Line of the attribute.
    pub line: u32,
    /// The doc sentence.
    pub doc: &'static str,
    /// API key that `versions` belongs to; [`EACH`] for all.
    pub api: i16,
    /// First and last API version, both included; `i16::MAX` is open.
    pub versions: (i16, i16),
    /// Variants; empty for none.
    pub vary: &'static [&'static str],
    /// What the target or its operator must provide.
    pub needs: &'static [Need],
    /// Waits on a timer of the broker's: started first.
    pub slow: bool,
    /// Changes something that all cases share: runs alone.
    pub exclusive: bool,
    /// The body.
    pub run: for<'a> fn(&'a mut Cx) -> Run<'a>,
}

impl Scenario {
    /// `family::api::name`, without version and variant.
    pub fn path(&self) -> String {
        let module = self.module.split_once("::").map_or("", |(_, rest)| rest);
        format!("{module}::{}", self.name)
    }

    /// Whether this is a property: its variants are seeds, and any other seed is a variant of it too.
    pub fn is_property(&self) -> bool {
        self.vary.first().is_some_and(|variant| variant.starts_with(SEED))
    }

    /// The family: the first part of the path.
    pub fn family(&self) -> &'static str {
        self.module.split("::").nth(1).unwrap_or("")
    }
}

/// A capability that a scenario requires; probed or configured, never a product's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// An authorizer decides what principals may do.
    Authorizer,
    /// A user of this role with this mechanism.
    User(Role, &'static str),
    /// A listener of this kind.
    Listener(Listener),
    /// At least three brokers.
    ThreeBrokers,
    /// Leave to disturb others: kill brokers, change broker-wide settings.
    Disruption,
    /// Brokers that can be killed, stopped and started, and leave to do so. Its cases run alone (`exclusive`).
    Restart,
    /// 127.0.0.x source addresses reach the target.
    Loopback,
    /// A finalized feature of at least this level.
    Feature(&'static str, i16),
    /// A release line of at least this one.
    Since(u16, u16),
    /// A release line before this one.
    Before(u16, u16),
    /// A broker of a special shape, by name.
    Shape(&'static str),
    /// The API with this key in this version.
    Api(i16, i16),
    /// A broker setting that DescribeConfigs shows.
    Config(&'static str),
}

impl Need {
    /// Whether the target meets it.
    ///
    /// # Errors
    /// One sentence that says what to provide.
    pub fn met(&self, facts: &Facts) -> Result<(), String> {
        let (met, provide) = match *self {
            Need::Authorizer => (
                facts.authorizer == Some(true),
                "a target with an authorizer (this one seems to have none)".to_owned(),
            ),
            Need::User(role, mechanism) => (
                facts
                    .users
                    .get(&role)
                    .is_some_and(|user| user.mechanisms.iter().any(|m| m == mechanism)),
                format!(
                    "a user `{}` known to {mechanism}, in the target file under [users.{0}]",
                    role.name()
                ),
            ),
            Need::Listener(listener) => (
                facts.listeners.contains_key(&listener),
                format!("a listener `{}`, in the target file under [listeners]", listener.name()),
            ),
            Need::ThreeBrokers => (
                facts.brokers.len() >= 3,
                format!("three brokers (there are {})", facts.brokers.len()),
            ),
            Need::Disruption => (
                facts.disruptive,
                "leave to disturb other users of the target: --allow-disruptive".to_owned(),
            ),
            Need::Restart => (
                facts.restarts && facts.disruptive,
                "brokers that can be killed and started: commands for it in the target file under [hooks], and \
                 --allow-disruptive"
                    .to_owned(),
            ),
            Need::Loopback => (
                facts.loopback,
                "a target on this machine's loopback, so that clients can come from 127.0.0.x"
                    .to_owned(),
            ),
            Need::Feature(name, level) => (
                facts.feature(name) >= level,
                format!(
                    "feature {name} finalized at {level} or above (it is at {})",
                    facts.feature(name)
                ),
            ),
            Need::Since(major, minor) => (
                (facts.reference.0, facts.reference.1) >= (major, minor),
                format!(
                    "a target held to Apache Kafka {major}.{minor} or newer (this one: {})",
                    facts.reference
                ),
            ),
            Need::Before(major, minor) => (
                (facts.reference.0, facts.reference.1) < (major, minor),
                format!(
                    "a target held to a release before Apache Kafka {major}.{minor} (this one: {})",
                    facts.reference
                ),
            ),
            Need::Shape(name) => (
                facts.shapes.iter().any(|shape| shape == name),
                format!(
                    "a broker of the shape `{name}`, named in the target file under [capabilities] shapes"
                ),
            ),
            Need::Api(key, version) => (
                facts.offers(key, version),
                format!(
                    "{} v{version}, which the target does not advertise",
                    kconform_wire::schema::api(key).map_or("an API", |api| api.name())
                ),
            ),
            Need::Config(name) => (
                facts.configs.contains_key(name),
                format!("leave to read the broker setting {name} (DescribeConfigs)"),
            ),
        };
        if met { Ok(()) } else { Err(provide) }
    }
}

/// Lists the scenarios of a file, in the order of the catalogue. A scenario that is missing here is dead code, which
/// the compiler reports.
#[macro_export]
macro_rules! scenarios {
    ($($name:ident),* $(,)?) => {
        /// The scenarios of this file.
        pub(crate) const SCENARIOS: &[&$crate::Scenario] = &[$(&$name),*];
    };
}
