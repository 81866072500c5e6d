//! Starts and stops real Apache Kafka brokers of any release, as processes of this machine: no
//! container, no root.
//!
//! One node has every listener (PLAINTEXT, SASL, TLS, mutual TLS, forced re-authentication, limited
//! connections); three nodes have PLAINTEXT alone and can be killed, paused and restarted. Needed
//! are Java 17 and, once per release, Maven and the network ([`prerequisites`]).
//!
//! ```no_run
//! use kconform_brokers::{Cluster, Release, Shape};
//!
//! let shape = Shape::one(Release::parse("4.4")?);
//! let cluster = Cluster::start(&shape, &mut |step| eprintln!("{step}"))?;
//! println!("bootstrap: {}", cluster.bootstrap());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod certificates;
mod cluster;
mod config;
mod detached;
mod detached_nodes;
mod error;
mod guard;
mod jars;
mod java;
mod listeners;
mod logging;
mod node;
mod places;
mod ports;
mod processes;
mod ready;
mod release;
mod shape;
mod start;
mod storage;

pub use certificates::Certificates;
pub use cluster::Cluster;
pub use detached::{DetachError, Running, check_name, list, stop};
pub use detached_nodes::{end_node, restart_node};
pub use error::{NodeError, StartCause, StartError};
pub use java::{Missing, prerequisites, prerequisites_for};
pub use listeners::Listeners;
pub use processes::StopHandle;
pub use release::{Release, UnknownRelease};
pub use shape::{Coordinator, Shape};

/// A principal that can log in on the SASL listeners of a one-node cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct User {
    /// The name; the principal is `User:` and this.
    pub name: &'static str,
    /// The password.
    pub password: &'static str,
    /// Whether the authorizer lets it do everything.
    pub super_user: bool,
    /// Whether it has SCRAM credentials too; every user can log in with PLAIN.
    pub scram: bool,
}

/// Everybody who can log in. With the authorizer, alice and bob have no right until an ACL gives
/// them one.
pub const USERS: &[User] = &[
    User { name: "alice", password: "alice-secret", super_user: false, scram: true },
    User { name: "bob", password: "bob-secret", super_user: false, scram: true },
    User { name: "admin", password: "admin-secret", super_user: true, scram: false },
];
