//! Partitions with fewer replicas in sync than min.insync.replicas asks for, without any broker's death: a replica that is
//! being added counts among the replicas, and a replication quota at the leader keeps it out of sync (KIP-73). An ISR that
//! shrinks while a write waits for it takes a broker that dies, see `restarts.rs`.

use kafka_protocol::messages::ProduceResponse;
use kconform_scenario::prelude::*;
use kconform_scenario::{LEADER_ON_ITS_WAY, Reply, Undo};

/// How long a leader may take to count a replica that is being added, and a follower to fetch what it lacks.
const WITHIN: Duration = Duration::from_secs(20);

/// NOT_ENOUGH_REPLICAS_AFTER_APPEND, REQUEST_TIMED_OUT.
const APPENDED: &[Code] = &[Code(20), Code(7)];

/// How long a write waits for the replicas in sync.
const TIMEOUT_MS: i32 = 300;

/// A partition that has one replica too few in sync.
pub(crate) struct Short {
    /// The partition.
    pub(crate) to: Partition,
    /// Its high watermark.
    pub(crate) mark: i64,
    /// The end of its log.
    pub(crate) end: i64,
    /// The brokers whose replicas are in sync.
    pub(crate) in_sync: Vec<i32>,
}

impl Short {
    /// A partition of which so many replicas are in sync, and must be one more. Before 3.7 the high watermark goes on all
    /// the same (KAFKA-15583).
    pub(crate) async fn new(cx: &Cx, in_sync: i16) -> Result<Self, Failure> {
        let mut short = Self::ordered(cx, in_sync).await?;
        match short.counted(cx).await {
            Ok(()) => Ok(short),
            Err(failure) => short.over(cx, Err(failure)).await,
        }
    }

    /// The same, but the leader may not count the new replica yet. As long as it does not, writes with acks = -1 are
    /// appended and answered with 0; where it comes to count it just then, with NOT_ENOUGH_REPLICAS_AFTER_APPEND (20) or
    /// REQUEST_TIMED_OUT (7).
    pub(crate) async fn ordered(cx: &Cx, in_sync: i16) -> Result<Self, Failure> {
        let spec = TopicSpec::default()
            .replication(in_sync)
            .config("min.insync.replicas", in_sync + 1)
            .config("leader.replication.throttled.replicas", "*");
        let to = cx.topic_with(spec).await?.partition(0);
        let in_sync = cx.leadership(&to).await?.replicas;
        // More than the new replica takes with one fetch from each of the others, should they come to
        // lead (replica.fetch.max.bytes, 1 MiB). Its first fetch uses the quota up for eleven seconds.
        let end = 2 * i64::try_from(in_sync.len()).unwrap_or(1);
        let large = "v".repeat(700_000);
        for _ in 0..end {
            write(cx, &to, &large, 1).await?.ok()?;
        }
        seen(cx, &to, end).await?;
        let mut brokers = cx.facts().brokers.iter().map(|broker| broker.id);
        let new = brokers.find(|id| !in_sync.contains(id));
        let new = new.ok_or_else(|| Failure::blocked("a broker without a replica", "none"))?;
        let replicas = [in_sync.as_slice(), &[new]].concat();
        let short = Self { to, mark: end, end, in_sync };
        let ordered = async {
            throttle(cx, &short.in_sync).await?;
            reassign(cx, &short.to, Some(&replicas)).await
        };
        match ordered.await {
            Ok(()) => Ok(short),
            Err(failure) => short.over(cx, Err(failure)).await,
        }
    }

    async fn counted(&mut self, cx: &Cx) -> Outcome {
        let mut tries = cx.tries("a leader that counts one replica more", WITHIN);
        loop {
            let reply = write(cx, &self.to, "probe", -1).await?;
            match reply.errors()?.iter().find(|(_, code)| *code != Code::NONE) {
                Some((_, code)) if *code == NotEnoughReplicas.into() => break,
                Some((_, code)) if APPENDED.contains(code) => {}
                _ => drop(reply.ok()?),
            }
            self.end += 1;
            tries.again(format!("a write to all at {}", self.end)).await?;
        }
        // From here on it stands still.
        self.mark = cx.log_ends(&self.to).await?.end;
        Ok(())
    }

    /// Takes the replica away again, so that as many are in sync as there are; gives what came of the case until then.
    pub(crate) async fn over<T>(&self, cx: &Cx, came: Result<T, Failure>) -> Result<T, Failure> {
        reassign(cx, &self.to, None).await.and(came)
    }
}

/// The act: consumers come to see the log up to this end.
pub(crate) async fn seen(cx: &Cx, of: &Partition, wanted: i64) -> Outcome {
    let mut tries = cx.tries(format!("a high watermark of {wanted}"), WITHIN);
    loop {
        let end = cx.log_ends(of).await?.end;
        if end == wanted {
            return Ok(());
        }
        tries.expect(end).await?;
    }
}

/// Asks the leader to append this value, at the newest version, with so many acks.
pub(crate) async fn write(
    cx: &Cx,
    to: &Partition,
    value: &str,
    acks: i16,
) -> Result<Reply<ProduceResponse>, Failure> {
    let version = cx.newest(keys::Produce)?;
    let records = requests::records(version, &[value], cx.wall_ms());
    let request =
        requests::produce(version, to, records).with_acks(acks).with_timeout_ms(TIMEOUT_MS);
    let mut leader = cx.leader(to).await?;
    cx.settle_at(&mut leader, version, &request, LEADER_ON_ITS_WAY).await
}

/// Has each of these brokers, where it leads, give next to nothing to throttled replicas that are not in sync. It stays so
/// until the run ends, since other cases want the same; nobody else has such replicas.
async fn throttle(cx: &Cx, brokers: &[i32]) -> Outcome {
    for broker in brokers {
        cx.undo(Undo::LeaderQuota(*broker));
        let request = requests::leader_quota(*broker, true);
        // A broker takes settings of its own alone.
        cx.connect_broker(*broker).await?.ask_newest(request).await?.ok()?;
    }
    Ok(())
}

/// Moves the partition to these replicas, or takes such a move back.
async fn reassign(cx: &Cx, of: &Partition, to: Option<&[i32]>) -> Outcome {
    cx.connect().await?.ask_newest(requests::reassignment(of, to)).await?.ok().map(drop)
}
