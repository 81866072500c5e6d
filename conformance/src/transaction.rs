//! A transaction on one partition, for what consumers see of it.
//!
//! It speaks the versions of before transaction.version 2, which every release takes: partitions
//! are added explicitly, and the end does not change the epoch.

use kconform_scenario::prelude::*;
use kconform_scenario::wire::records::Marker;

use crate::producer::{FIRST_IMPLICIT_ADD, MARKERS_WITHIN, Producer, last_stable_at};

/// An open transaction on one partition.
pub(crate) struct Transaction {
    pub(crate) producer: Producer,
    pub(crate) to: Partition,
    sequence: i32,
}

impl Transaction {
    /// Opens a transaction of a fresh producer and adds the partition to it.
    pub(crate) async fn open(cx: &Cx, to: &Partition) -> Result<Self, Failure> {
        let producer = Producer::new(cx).await?;
        let mut opened = Self { producer, to: to.clone(), sequence: 0 };
        opened.begin(cx).await?;
        Ok(opened)
    }

    /// Adds the partition to the producer's next transaction, which begins with it.
    pub(crate) async fn begin(&mut self, cx: &Cx) -> Outcome {
        self.producer.add(cx, &[&self.to]).await
    }

    /// Writes one record.
    pub(crate) async fn write(&mut self, cx: &Cx, value: &'static str) -> Outcome {
        let batch = self.producer.batch(cx, &[value], self.sequence);
        let version = cx.newest(keys::Produce)?.min(FIRST_IMPLICIT_ADD - 1);
        self.producer.append(cx, &self.to, &batch, version).await?;
        self.sequence += 1;
        Ok(())
    }

    /// Ends the transaction, and waits for its marker: the last stable offset comes to be `stable`.
    pub(crate) async fn end(&mut self, cx: &Cx, commit: bool, stable: i64) -> Outcome {
        let decision = if commit { Marker::Commit } else { Marker::Abort };
        self.producer.end(cx, decision).await?;
        let mut leader = cx.leader(&self.to).await?;
        let mut tries = cx.tries("the marker of the transaction", MARKERS_WITHIN);
        loop {
            let got = last_stable_at(&mut leader, &self.to).await?;
            if got == stable {
                return Ok(());
            }
            tries.again(format!("last stable offset {got}")).await?;
        }
    }
}
