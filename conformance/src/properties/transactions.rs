//! Transactions in any order: up to three producers, two partitions, and consumers at both isolation levels, against
//! the model in `txn_model.rs`.
//!
//! A history goes by the first protocol of transactions (AddPartitionsToTxn v3, EndTxn v4) or, where the target has it
//! finalized, by the second (Produce v12, EndTxn v5; KIP-890). Not covered: fencing, time-outs, offsets in
//! transactions.

use bytes::Bytes;
use kafka_protocol::messages::{FetchResponse, ProduceRequest};
use kconform_scenario::prelude::*;
use kconform_scenario::wire::records::Marker;
use kconform_scenario::{Body, TRANSACTION_ON_ITS_WAY};
use proptest::collection::vec;
use proptest::prelude::*;

use super::for_all::for_all;
use super::txn_model::{Entry, Kind, Model, Shown};
use crate::producer::{
    FIRST_IMPLICIT_ADD, LAST_ADD_OF_CLIENTS, LAST_END_WITHOUT_BUMP, MARKERS_WITHIN, Producer,
    WRITE_ON_ITS_WAY,
};

scenarios![any_history_of_transactions_shows_what_was_committed];

/// Producers of a history.
const PRODUCERS: usize = 3;

#[derive(Clone, Debug)]
enum Step {
    /// A producer writes so many records, in a transaction that this begins where none is open.
    Write { producer: usize, log: usize, count: usize },
    /// It sends its last batch again, if that is of the open transaction.
    Again { producer: usize },
    /// It ends its transaction, if one is open.
    End { producer: usize, commit: bool },
    /// Somebody writes so many records of no transaction.
    Plain { log: usize, count: usize },
    /// A consumer reads from a place on, in parts of 255 of the log.
    Read { log: usize, from: u8, committed: bool },
}

/// A history: the protocol, and the steps.
fn history() -> impl Strategy<Value = (bool, Vec<Step>)> {
    let producer = || 0..PRODUCERS;
    let log = || 0..2_usize;
    let write = (producer(), log(), 1..4_usize).prop_map(|(producer, log, count)| Step::Write {
        producer,
        log,
        count,
    });
    let end =
        (producer(), any::<bool>()).prop_map(|(producer, commit)| Step::End { producer, commit });
    let plain = (log(), 1..3_usize).prop_map(|(log, count)| Step::Plain { log, count });
    let read = (log(), any::<u8>(), any::<bool>()).prop_map(|(log, from, committed)| Step::Read {
        log,
        from,
        committed,
    });
    let step = prop_oneof![
        7 => write,
        1 => producer().prop_map(|producer| Step::Again { producer }),
        5 => end,
        2 => plain,
        4 => read,
    ];
    (any::<bool>(), vec(step, 1..18))
}

/// In whatever order up to three transactional producers write to two partitions, send a batch
/// again, commit and abort, among writes of no transaction, a Fetch from any offset shows each
/// record once and in the order of the log with a marker where a transaction ended:
/// read_uncommitted up to high_watermark, read_committed up to last_stable_offset, the first offset
/// of the first open transaction, with aborted_transactions that name every aborted transaction
/// whose records are in the answer, and no transaction that was not aborted.
#[scenario("PROP-007", api = Fetch, versions = 4.., vary = ["seed_b", "seed_6"])]
async fn any_history_of_transactions_shows_what_was_committed(cx: &mut Cx) -> Outcome {
    let cx = &*cx;
    for_all(cx, history(), async |(second, steps)| live_through(cx, *second, steps).await).await
}

async fn live_through(cx: &Cx, second: bool, steps: &[Step]) -> Outcome {
    // Apache Kafka refuses the second protocol below this level of the feature.
    let second = second && cx.facts().feature("transaction.version") >= 2;
    let logs: [Partition; 2] = cx.partitions().await?;
    let mut world = World {
        leader: cx.leader(&logs[0]).await?,
        logs,
        second,
        model: Model::default(),
        writers: [None, None, None],
        written: 0,
    };
    for step in steps {
        match *step {
            Step::Write { producer, log, count } => world.write(cx, producer, log, count).await?,
            Step::Again { producer } => world.again(cx, producer).await?,
            Step::End { producer, commit } => world.end(cx, producer, commit).await?,
            Step::Plain { log, count } => {
                let values = world.values(count);
                let batch = batch(cx, &values).encode();
                let request = cx.produce(&world.logs[log], batch)?;
                let body = world.leader.ask(request).await?.expect_ok()?;
                let base = world.model.plain(log, values);
                body.expect_number(BASE_OFFSET, base)?;
            }
            Step::Read { log, from, committed } => {
                let from = world.model.end(log) * i64::from(from) / 255;
                world.read(cx, log, from, committed).await?;
            }
        }
    }
    for log in [0, 1] {
        for committed in [false, true] {
            world.read(cx, log, 0, committed).await?;
        }
    }
    Ok(())
}

/// Where an answer to one partition's Produce names the offset of the first record.
const BASE_OFFSET: &str = "responses[0].partition_responses[0].base_offset";

/// The partitions, who writes to them, and what they must look like.
struct World {
    logs: [Partition; 2],
    leader: Conn,
    second: bool,
    model: Model,
    writers: [Option<Writer>; PRODUCERS],
    /// Values so far: no two are alike.
    written: usize,
}

/// A producer, and where it is in the history.
struct Writer {
    producer: Producer,
    /// The next sequence number of each partition.
    sequences: [i32; 2],
    /// The partitions of the open transaction.
    added: [bool; 2],
    /// The last batch of the open transaction: its partition, bytes and offset.
    last: Option<(usize, Bytes, i64)>,
}

impl World {
    fn values(&mut self, count: usize) -> Vec<String> {
        let first = self.written;
        self.written += count;
        (first..self.written).map(|number| format!("value {number}")).collect()
    }

    async fn write(&mut self, cx: &Cx, producer: usize, log: usize, count: usize) -> Outcome {
        let values = self.values(count);
        let slot = &mut self.writers[producer];
        let writer = match slot {
            Some(writer) => writer,
            None => slot.insert(Writer::new(cx).await?),
        };
        if !self.second && !writer.added[log] {
            writer.add(cx, &self.logs[log]).await?;
        }
        writer.added[log] = true;
        let Producer { id, epoch, .. } = writer.producer;
        let batch = batch(cx, &values).idempotent(id, epoch, writer.sequences[log]);
        let batch = batch.transactional().encode();
        writer.sequences[log] += i32::try_from(count).unwrap_or(i32::MAX);
        let base = self.model.data(log, id, values);
        writer.last = Some((log, batch.clone(), base));
        let request = writer.produce(cx, self.second, &self.logs[log], batch)?;
        self.send(cx, request, base).await
    }

    async fn again(&mut self, cx: &Cx, producer: usize) -> Outcome {
        let Some(writer) = &self.writers[producer] else { return Ok(()) };
        let Some((log, batch, base)) = writer.last.clone() else { return Ok(()) };
        let request = writer.produce(cx, self.second, &self.logs[log], batch)?;
        self.send(cx, request, base).await
    }

    async fn send(
        &mut self,
        cx: &Cx,
        (version, request): (i16, ProduceRequest),
        base: i64,
    ) -> Outcome {
        let reply = cx.settle_at(&mut self.leader, version, &request, WRITE_ON_ITS_WAY).await?;
        reply.expect_ok()?.expect_number(BASE_OFFSET, base)
    }

    async fn end(&mut self, cx: &Cx, producer: usize, commit: bool) -> Outcome {
        let Some(writer) = &mut self.writers[producer] else { return Ok(()) };
        let added = std::mem::take(&mut writer.added);
        if added == [false, false] {
            return Ok(());
        }
        let (id, decision) =
            (writer.producer.id, if commit { Marker::Commit } else { Marker::Abort });
        writer.end(cx, self.second, decision).await?;
        self.model.end_txn(id, decision);
        for (log, added) in added.into_iter().enumerate() {
            if added {
                self.marked(cx, log).await?;
            }
        }
        Ok(())
    }

    /// Waits for the marker of the transaction that was just ended, which comes a little after the answer.
    async fn marked(&mut self, cx: &Cx, log: usize) -> Outcome {
        let want = (self.model.end(log), self.model.stable(log));
        let of = &self.logs[log];
        let what = format!("end and last stable offset {want:?} in {}-{}", of.topic, of.index);
        let mut tries = cx.tries(what, MARKERS_WITHIN);
        loop {
            let (mut got, request) = ([0; 2], requests::list_offsets(of, -1));
            for (end, isolation) in got.iter_mut().zip([0, 1]) {
                let request = request.clone().with_isolation_level(isolation);
                let body = self.leader.ask(request).await?.expect_ok()?;
                let found = body.topics.first().and_then(|topic| topic.partitions.first());
                *end = found.map_or(-1, |partition| partition.offset);
            }
            if (got[0], got[1]) == want {
                return Ok(());
            }
            tries.expect(format!("{got:?}")).await?;
        }
    }

    async fn read(&mut self, cx: &Cx, log: usize, from: i64, committed: bool) -> Outcome {
        let request = cx.fetch(&self.logs[log], from)?.with_isolation_level(committed.into());
        let body = self.leader.ask(request).await?.expect_ok()?;
        let judged = self.model.judge(log, from, committed, &shown(&body)?);
        let level = if committed { "read_committed" } else { "read_uncommitted" };
        let expected = format!("what the history left in partition {log} from {from} on, {level}");
        body.require(judged.is_ok(), expected, || judged.err().unwrap_or_default())
    }
}

impl Writer {
    async fn new(cx: &Cx) -> Result<Self, Failure> {
        let producer = Producer::new(cx).await?;
        Ok(Self { producer, sequences: [0; 2], added: [false; 2], last: None })
    }

    async fn add(&mut self, cx: &Cx, log: &Partition) -> Outcome {
        let version = cx.newest(keys::AddPartitionsToTxn)?.min(LAST_ADD_OF_CLIENTS);
        let request = self.producer.add_partitions(&[log]);
        let coordinator = &mut self.producer.coordinator;
        let reply = cx.settle_at(coordinator, version, &request, TRANSACTION_ON_ITS_WAY).await?;
        reply.expect_ok().map(drop)
    }

    /// A Produce of this batch, and the version at which it goes.
    fn produce(
        &self,
        cx: &Cx,
        second: bool,
        to: &Partition,
        batch: Bytes,
    ) -> Result<(i16, ProduceRequest), Failure> {
        let newest = cx.newest(keys::Produce)?;
        let version = if second { newest } else { newest.min(FIRST_IMPLICIT_ADD - 1) };
        Ok((version, self.producer.own(requests::produce(version, to, batch))))
    }

    async fn end(&mut self, cx: &Cx, second: bool, decision: Marker) -> Outcome {
        let newest = cx.newest(keys::EndTxn)?;
        let version = if second { newest } else { newest.min(LAST_END_WITHOUT_BUMP) };
        let request = self.producer.end_txn(decision);
        let coordinator = &mut self.producer.coordinator;
        let reply = cx.settle_at(coordinator, version, &request, TRANSACTION_ON_ITS_WAY).await?;
        let body = reply.expect_ok()?;
        if version > LAST_END_WITHOUT_BUMP {
            // Each transaction has an epoch of its own, and each epoch numbers anew.
            (self.producer.id, self.producer.epoch) = (body.producer_id.0, body.producer_epoch);
            self.sequences = [0; 2];
        }
        self.last = None;
        Ok(())
    }
}

/// A batch of these values with the time of now.
fn batch(cx: &Cx, values: &[String]) -> Batch {
    Batch::of(values.iter().cloned()).with_timestamp(cx.wall_ms())
}

/// The only partition of the answer, read strictly.
fn shown(body: &Body<FetchResponse>) -> Result<Shown, Failure> {
    let found = body.responses.first().and_then(|topic| topic.partitions.first());
    let partition =
        found.ok_or_else(|| Failure::failed("the partition that was asked for", "none"))?;
    let contents = records::read(&partition.records.clone().unwrap_or_default())
        .map_err(|breach| Failure::failed("records in their format", breach.to_string()))?;
    let entries = contents.batches().map(|batch| {
        let kind = match batch.marker() {
            Some(marker) => Kind::End(marker.kind),
            None if batch.transactional => Kind::Data,
            None => Kind::Plain,
        };
        let value = |value: &Bytes| String::from_utf8_lossy(value).into_owned();
        let values = batch.records.iter().filter(|_| !batch.control);
        Entry {
            base: batch.base_offset,
            next: batch.next_offset(),
            producer: batch.producer_id,
            kind,
            values: values
                .map(|record| record.value.as_ref().map(value).unwrap_or_default())
                .collect(),
        }
    });
    Ok(Shown {
        high_watermark: partition.high_watermark,
        last_stable: partition.last_stable_offset,
        aborted: partition
            .aborted_transactions
            .as_ref()
            .map(|list| list.iter().map(|txn| (txn.producer_id.0, txn.first_offset)).collect()),
        entries: entries.collect(),
    })
}
