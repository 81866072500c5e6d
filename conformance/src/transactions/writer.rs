//! An idempotent producer outside of transactions, driven by hand.

use kafka_protocol::messages::ProduceResponse;
use kconform_scenario::prelude::*;

use crate::producer::PRODUCED;

/// An idempotent producer, a partition for it, and a connection to the leader.
#[derive(Debug)]
pub(super) struct Writer {
    /// The partition.
    pub(super) to: Partition,
    /// Its producer id.
    pub(super) id: i64,
    /// Its epoch.
    pub(super) epoch: i16,
    /// A connection to the leader of the partition.
    pub(super) leader: Conn,
}

impl Writer {
    /// A fresh producer and a partition that nobody wrote to.
    pub(super) async fn new(cx: &Cx) -> Result<Self, Failure> {
        Self::to(cx, cx.partition().await?).await
    }

    /// A fresh producer for this partition.
    pub(super) async fn to(cx: &Cx, to: Partition) -> Result<Self, Failure> {
        let mut leader = cx.leader(&to).await?;
        let (id, epoch) = cx.producer_id(&mut leader, None).await?;
        Ok(Self { to, id, epoch, leader })
    }

    /// A batch of these values, from this sequence number on.
    pub(super) fn batch(&self, cx: &Cx, values: &[&'static str], sequence: i32) -> Batch {
        cx.batch(values).idempotent(self.id, self.epoch, sequence)
    }

    /// Sends this batch in the version at which Produce goes in this case.
    pub(super) async fn send(
        &mut self,
        cx: &Cx,
        batch: &Batch,
    ) -> Result<Reply<ProduceResponse>, Failure> {
        self.leader.ask(cx.produce(&self.to, batch.encode())?).await
    }

    /// Set-up: this many batches of one record, with sequence numbers from 0 on.
    pub(super) async fn singles(&mut self, cx: &Cx, count: i32) -> Outcome {
        for sequence in 0..count {
            self.send(cx, &self.batch(cx, &["single"], sequence)).await?.ok()?;
        }
        Ok(())
    }

    /// The act: refused with this code, and the log ends where it did.
    pub(super) async fn expect_refused(
        &self,
        cx: &Cx,
        reply: &Reply<ProduceResponse>,
        code: ResponseError,
        end: i64,
    ) -> Outcome {
        reply.expect_error_at(PRODUCED, code)?;
        cx.expect_next_offset(&self.to, end).await
    }
}
