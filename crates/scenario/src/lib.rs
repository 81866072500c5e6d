//! The vocabulary in which conformance scenarios are written.
//!
//! A scenario sets up with `cx.…` helpers and `.ok()?`, whose failures mean *blocked*; it acts once; it judges the
//! reply with `expect…`, whose failures mean *failed*. No scenario lives here.

mod code;
mod conn;
mod connections;
mod coordinators;
mod cx;
mod expectations;
mod facts;
mod failure;
pub mod keys;
mod leaders;
mod log;
mod nodes;
pub mod principals;
mod reply;
pub mod requests;
mod scenario;
mod strict;
mod topics;
mod tries;

pub use code::Code;
pub use conn::{Conn, PATIENCE, Sent};
pub use coordinators::{COORDINATOR_ON_ITS_WAY, LEADER_ON_ITS_WAY, TRANSACTION_ON_ITS_WAY};
pub use cx::{Access, Cx, Handed, Inputs, Pool, Undo};
pub use facts::{Broker, Facts, Listener, Reference, Role, User};
pub use failure::{Exchange, Failure, Finding, Outcome, require};
pub use kconform_scenario_macros::scenario;
pub use kconform_wire as wire;
pub use leaders::Leadership;
pub use log::Ends;
pub use nodes::{Acting, NodeAct, Nodes};
pub use reply::{Body, Ending, Reply};
pub use requests::text;
pub use scenario::{EACH, Need, Run, SEED, Scenario};
pub use topics::{Partition, Topic, TopicSpec};
pub use tries::Tries;

/// What a scenario file needs: `use kconform_scenario::prelude::*;`.
pub mod prelude {
    pub use kafka_protocol::error::ResponseError::{self, *};
    pub use kconform_wire::records::{self, Batch, Codec};
    pub use kconform_wire::{Mechanism, Received};
    pub use std::time::Duration;

    pub use crate::requests::{self, text};
    pub use crate::{
        Code, Conn, Cx, Failure, Listener, Outcome, Partition, Reply, Role, Topic, TopicSpec, keys,
        require, scenario, scenarios,
    };
}
