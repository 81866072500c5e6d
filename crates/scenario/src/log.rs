//! The log of a partition: written and trimmed by set-up, and looked at after the act.

use bytes::Bytes;
use kafka_protocol::messages::TopicName;
use kafka_protocol::messages::delete_records_request::{
    DeleteRecordsPartition, DeleteRecordsRequest, DeleteRecordsTopic,
};
use kconform_wire::records::{self, Contents};
use kconform_wire::schema::Value;

use crate::failure::{Failure, Outcome};
use crate::reply::Body;
use crate::topics::Partition;
use crate::{Code, Conn, Cx, keys, requests, text};

/// The two ends of a log, as ListOffsets gives them to a consumer that reads uncommitted data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ends {
    /// Offset of the earliest record, or of the next one where there is none.
    pub start: i64,
    /// Offset of the next record to be written and seen: the high watermark.
    pub end: i64,
}

/// Errors after which nothing was appended and a write may be sent again: a leader that is on its way, or
/// NOT_ENOUGH_REPLICAS, which a follower that lags under load causes for a moment.
const NOT_YET_WRITABLE: &[Code] = &[Code(3), Code(5), Code(6), Code(19)];

impl Cx {
    /// Set-up: appends these bytes at the newest version of Produce, acks = all, and gives the base
    /// offset.
    ///
    /// # Errors
    /// [`Failure::Blocked`] when the target refuses.
    pub async fn append(&self, to: &Partition, records: Bytes) -> Result<i64, Failure> {
        let version = self.newest(keys::Produce)?;
        let request = requests::produce(version, to, records);
        let mut conn = self.at_leader(to).await?;
        let body = self.settle_at(&mut conn, version, &request, NOT_YET_WRITABLE).await?.ok()?;
        self.left(conn);
        let result = body.responses.first().and_then(|topic| topic.partition_responses.first());
        result
            .map(|partition| partition.base_offset)
            .ok_or_else(|| Failure::blocked("one result for one partition", "none"))
    }

    /// Start and end of the partition's log.
    ///
    /// # Errors
    /// [`Failure::Blocked`] when the target refuses.
    pub async fn log_ends(&self, of: &Partition) -> Result<Ends, Failure> {
        let mut conn = self.at_leader(of).await?;
        let mut ends = [0; 2];
        for (end, timestamp) in ends.iter_mut().zip([-2, -1]) {
            let body = conn.ask_newest(requests::list_offsets(of, timestamp)).await?.ok()?;
            let found = body.topics.first().and_then(|topic| topic.partitions.first());
            *end = found
                .map(|partition| partition.offset)
                .ok_or_else(|| Failure::blocked("one offset for one partition", "none"))?;
        }
        self.left(conn);
        let [start, end] = ends;
        Ok(Ends { start, end })
    }

    /// What a consumer reads from this offset on in one fetch at the newest version, read strictly.
    /// At most 1 MiB.
    ///
    /// # Errors
    /// [`Failure::Blocked`] when the target refuses, or the records break their format.
    pub async fn read_log(&self, of: &Partition, offset: i64) -> Result<Contents, Failure> {
        let mut conn = self.at_leader(of).await?;
        let request = requests::fetch(self.newest(keys::Fetch)?, of, offset);
        let body = conn.ask_newest(request).await?.ok()?;
        self.left(conn);
        let found = body.responses.first().and_then(|topic| topic.partitions.first());
        let bytes = found.and_then(|partition| partition.records.clone()).unwrap_or_default();
        records::read(&bytes)
            .map_err(|breach| Failure::blocked("records in their format", breach.to_string()))
    }

    /// After the act: appends one more record and expects it at this offset. Holds wherever the
    /// high watermark is, so it proves what the act appended, or that it appended nothing.
    ///
    /// # Errors
    /// [`Failure::Failed`] when it gets another offset, [`Failure::Blocked`] when it is refused.
    #[track_caller]
    pub fn expect_next_offset(
        &self,
        of: &Partition,
        offset: i64,
    ) -> impl Future<Output = Outcome> + use<'_> {
        let of = of.clone();
        let expected =
            format!("{offset} as the next offset to be given in {}-{}", of.topic, of.index);
        // Made here, so that a finding names the scenario's line.
        let mut finding = crate::Finding::new(expected, "", None);
        async move {
            let version = self.newest(keys::Produce)?;
            let got =
                self.append(&of, requests::records(version, &["next"], self.wall_ms())).await?;
            if got == offset {
                return Ok(());
            }
            finding.got = got.to_string();
            Err(Failure::Failed(Box::new(finding)))
        }
    }

    /// Set-up: deletes the records before this offset.
    ///
    /// # Errors
    /// [`Failure::Blocked`] when the target refuses.
    pub async fn delete_records(&self, of: &Partition, before: i64) -> Outcome {
        let partition =
            DeleteRecordsPartition::default().with_partition_index(of.index).with_offset(before);
        let topic = DeleteRecordsTopic::default()
            .with_name(TopicName(text(&of.topic)))
            .with_partitions(vec![partition]);
        let request =
            DeleteRecordsRequest::default().with_topics(vec![topic]).with_timeout_ms(30_000);
        let mut conn = self.at_leader(of).await?;
        conn.ask_newest(request).await?.ok()?;
        self.left(conn);
        Ok(())
    }

    /// The set-up connection where it leads to the leader, else one of its own.
    async fn at_leader(&self, of: &Partition) -> Result<Conn, Failure> {
        if self.facts().brokers.len() < 2 { self.setup().await } else { self.leader(of).await }
    }

    /// Keeps a connection of [`Cx::at_leader`] for the next set-up, where that may lead anywhere.
    fn left(&self, conn: Conn) {
        if self.facts().brokers.len() < 2 {
            self.setup_done(conn);
        }
    }
}

impl<B> Body<B> {
    /// Fails unless the number at this path is this one.
    ///
    /// # Errors
    /// [`Failure::Failed`] when it is another, [`Failure::Error`] when the answer's version has no
    /// such field.
    #[track_caller]
    pub fn expect_number(&self, path: &str, number: i64) -> Outcome {
        let got = self.at(path)?;
        self.require(got == Value::Int(number), format!("{path} = {number}"), || got.to_string())
    }
}
