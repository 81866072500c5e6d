//! Transaction markers: the control batches that end a transaction (`ControlRecordType`, `EndTransactionMarker`).

use bytes::{Buf, BufMut, Bytes, BytesMut};

use super::{Batch, Record};

/// How a transaction ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Marker {
    /// Its records do not count.
    Abort,
    /// Its records count.
    Commit,
}

/// The marker that a control batch holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EndMarker {
    /// How the transaction ended.
    pub kind: Marker,
    /// Epoch of the transaction coordinator that wrote it.
    pub coordinator_epoch: i32,
}

impl Marker {
    /// The number in the control record's key: 0 for abort, 1 for commit.
    pub const fn id(self) -> i16 {
        match self {
            Self::Abort => 0,
            Self::Commit => 1,
        }
    }
}

impl Batch {
    /// A control batch with one marker, transactional and without sequence as the coordinator writes it. Producer
    /// id and epoch are still to be set ([`Batch::idempotent`], with sequence -1).
    pub fn end_marker(kind: Marker, coordinator_epoch: i32) -> Self {
        let mut key = BytesMut::new();
        key.put_i16(0);
        key.put_i16(kind.id());
        let mut value = BytesMut::new();
        value.put_i16(0);
        value.put_i32(coordinator_epoch);
        let record =
            Record { key: Some(key.freeze()), value: Some(value.freeze()), ..Record::default() };
        let mut batch = Self::new().transactional().push(record);
        batch.control = true;
        batch
    }

    /// The marker in this batch. `None` when the batch is not a control batch, or its first record is of another
    /// or an unknown type. Later versions may append fields, so surplus bytes are let be.
    pub fn marker(&self) -> Option<EndMarker> {
        let record = self.records.first().filter(|_| self.control)?;
        let (key, value) = (record.key.as_ref()?, record.value.as_ref()?);
        let kind = match type_of(key)? {
            0 => Marker::Abort,
            1 => Marker::Commit,
            _ => return None,
        };
        let mut value = &value[..];
        let version = value.try_get_i16().ok()?;
        let coordinator_epoch = value.try_get_i32().ok()?;
        (version >= 0).then_some(EndMarker { kind, coordinator_epoch })
    }
}

/// The type in a control record's key, behind its version.
fn type_of(key: &Bytes) -> Option<i16> {
    let mut key = &key[..];
    let version = key.try_get_i16().ok()?;
    key.try_get_i16().ok().filter(|_| version >= 0)
}
