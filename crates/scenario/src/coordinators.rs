//! The way to leaders and coordinators, with the waiting that each of them needs on a fresh cluster.

use std::time::Duration;

use kafka_protocol::messages::InitProducerIdRequest;
use kafka_protocol::protocol::{Decodable, Request};

use crate::reply::Reply;
use crate::requests::{self, Coordinator, init_producer_id};
use crate::topics::Partition;
use crate::{Code, Conn, Cx, Failure, keys};

/// COORDINATOR_LOAD_IN_PROGRESS, COORDINATOR_NOT_AVAILABLE, NOT_COORDINATOR: a coordinator that is on its way.
pub const COORDINATOR_ON_ITS_WAY: &[Code] = &[Code(14), Code(15), Code(16)];

/// UNKNOWN_TOPIC_OR_PARTITION, LEADER_NOT_AVAILABLE, NOT_LEADER_OR_FOLLOWER: a leader that is on its way.
pub const LEADER_ON_ITS_WAY: &[Code] = &[Code(3), Code(5), Code(6)];

/// CONCURRENT_TRANSACTIONS besides those of a coordinator: the end of the last transaction is still being written.
pub const TRANSACTION_ON_ITS_WAY: &[Code] = &[Code(14), Code(15), Code(16), Code(51)];

const WITHIN: Duration = Duration::from_secs(30);

impl Cx {
    /// A connection to the leader of this partition.
    ///
    /// # Errors
    /// [`Failure::Blocked`] when it cannot be reached.
    pub async fn leader(&self, of: &Partition) -> Result<Conn, Failure> {
        if self.facts().brokers.len() < 2 {
            self.connect().await
        } else {
            self.connect_broker(of.leader).await
        }
    }

    /// A connection to the coordinator of this group.
    ///
    /// # Errors
    /// [`Failure::Blocked`] when there is none in time.
    pub async fn group_coordinator(&self, group: &str) -> Result<Conn, Failure> {
        self.coordinator(Coordinator::Group, group).await
    }

    /// A connection to the coordinator of this transactional id, which has loaded its part of the transaction log.
    ///
    /// # Errors
    /// [`Failure::Blocked`] when there is none in time.
    pub async fn txn_coordinator(&self, txn_id: &str) -> Result<Conn, Failure> {
        self.coordinator(Coordinator::Transaction, txn_id).await
    }

    async fn coordinator(&self, kind: Coordinator, key: &str) -> Result<Conn, Failure> {
        let version = self.newest(keys::FindCoordinator)?;
        let mut conn = self.setup().await?;
        let mut tries = self.tries(format!("the coordinator of {key}"), WITHIN);
        // FindCoordinator is what creates the internal topic; 15 until it stands.
        let node = loop {
            let request = requests::find_coordinator(version, kind, key);
            let reply = conn.ask_newest(request).await?;
            let errors = reply.errors()?;
            match errors.iter().find(|(_, code)| COORDINATOR_ON_ITS_WAY.contains(code)) {
                Some((_, code)) => tries.again(code).await?,
                None => {
                    let body = reply.ok()?;
                    let found = body.coordinators.first();
                    let node = found.map_or(body.node_id, |found| found.node_id).0;
                    if !self.shared.is_down(node) {
                        break node;
                    }
                    tries.again(format!("broker {node}, which the case took down")).await?;
                }
            }
        };
        self.setup_done(conn);
        if self.facts().brokers.len() < 2 {
            self.connect().await
        } else {
            self.connect_broker(node).await
        }
    }

    /// A producer id and epoch from this coordinator (or any broker, without a transactional id).
    ///
    /// # Errors
    /// [`Failure::Blocked`] when none is given in time.
    pub async fn producer_id(
        &self,
        conn: &mut Conn,
        txn_id: Option<&str>,
    ) -> Result<(i64, i16), Failure> {
        let request: InitProducerIdRequest = init_producer_id(txn_id);
        let version = self.newest(keys::InitProducerId)?;
        let body = self.settle_at(conn, version, &request, TRANSACTION_ON_ITS_WAY).await?.ok()?;
        Ok((body.producer_id.0, body.producer_epoch))
    }

    /// Set-up: asks until no error of the reply is one of the transient ones, at most 30 s. Every try is in the transcript.
    ///
    /// # Errors
    /// [`Failure::Blocked`] when the time is up.
    pub async fn settle<R>(
        &self,
        conn: &mut Conn,
        request: &R,
        transient: &[Code],
    ) -> Result<Reply<R::Response>, Failure>
    where
        R: Request + Decodable + PartialEq + Clone,
    {
        let version = self.version_of(R::KEY)?;
        self.settle_at(conn, version, request, transient).await
    }

    /// Like [`Cx::settle`] at a version of the caller's choice.
    ///
    /// # Errors
    /// [`Failure::Blocked`] when the time is up.
    pub async fn settle_at<R>(
        &self,
        conn: &mut Conn,
        version: i16,
        request: &R,
        transient: &[Code],
    ) -> Result<Reply<R::Response>, Failure>
    where
        R: Request + Decodable + PartialEq + Clone,
    {
        let mut tries = self.tries("a transient error to pass", WITHIN);
        loop {
            let reply = conn.ask_at(version, request.clone(), &[]).await?;
            let errors = reply.errors().unwrap_or_default();
            match errors.iter().find(|(_, code)| transient.contains(code)) {
                Some((path, code)) => tries.again(format!("{path} = {code}")).await?,
                None => return Ok(reply),
            }
        }
    }

    /// Set-up: writes these values to the partition and gives the offset of the first.
    ///
    /// # Errors
    /// [`Failure::Blocked`] when the target refuses.
    pub async fn write(&self, to: &Partition, values: &[&str]) -> Result<i64, Failure> {
        let version = self.newest(keys::Produce)?;
        self.append(to, requests::records(version, values, self.wall_ms())).await
    }
}
