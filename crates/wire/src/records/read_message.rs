//! The strict reader of magic 0 and 1 (`LegacyRecord`, `AbstractLegacyRecordBatch`).

use bytes::Bytes;

use super::cursor::{Cursor, Fault};
use super::message::{CODEC_BITS, MESSAGE_CRC_AT, crc32};
use super::read::{Budget, Place};
use super::{Codec, Entry, Message, RecordsBreach, Rule, Wrapper};

/// The smallest message after its size field: CRC, magic, attributes, two lengths.
const SMALLEST: i32 = 14;

/// Reads one whole entry of magic 0 or 1.
pub(super) fn read_message(
    raw: Bytes,
    place: Place,
    budget: &mut Budget,
) -> Result<Entry, RecordsBreach> {
    let mut cursor = Cursor::new(&raw, 0);
    budget.item(1).map_err(|rule| place.breach(0, rule))?;
    let message = read_one(&mut cursor).map_err(|fault| place.inside(fault, None, false))?;
    let codec_id = (message.attributes & CODEC_BITS) as u8;
    let codec = Codec::from_id(codec_id)
        .ok_or_else(|| place.breach(MESSAGE_CRC_AT + 5, Rule::UnknownCodec(codec_id)))?;
    if codec == Codec::None {
        return Ok(Entry::Message(message, raw));
    }
    let wrapper = unwrap(&message, codec, &raw, place, budget)?;
    Ok(Entry::Wrapper(wrapper, raw))
}

/// One message at the cursor, which must hold the whole of it.
fn read_one(cursor: &mut Cursor<'_>) -> Result<Message, Fault> {
    let offset = cursor.i64("offset")?;
    let from = cursor.at();
    let claimed = cursor.i32("message size")?;
    if claimed < SMALLEST {
        return Err(Fault { at: from, rule: Rule::Length { claimed, least: SMALLEST } });
    }
    let mut body = cursor.part(from, claimed, "message")?;
    let crc_at = body.at();
    let claimed = body.u32("crc")?;
    let computed = crc32(body.rest());
    if claimed != computed {
        return Err(Fault { at: crc_at, rule: Rule::Crc { claimed, computed } });
    }
    let magic_at = body.at();
    let magic = body.i8("magic")?;
    if !(0..=1).contains(&magic) {
        return Err(Fault { at: magic_at, rule: Rule::Magic(magic) });
    }
    let attributes = body.i8("attributes")?;
    let timestamp = if magic > 0 { body.i64("timestamp")? } else { -1 };
    let key = body.nullable_fixed("key")?;
    let value = body.nullable_fixed("value")?;
    match body.left() {
        0 => Ok(Message { magic, offset, attributes, timestamp, key, value }),
        bytes => Err(body.fault(Rule::Junk { bytes })),
    }
}

/// Reads the set inside a compressed message and gives its messages their absolute offsets.
fn unwrap(
    outer: &Message,
    codec: Codec,
    raw: &Bytes,
    place: Place,
    budget: &mut Budget,
) -> Result<Wrapper, RecordsBreach> {
    let packed = outer.value.clone().unwrap_or_default();
    // The value is the last field, so it starts this far from the start of the entry.
    let value_at = raw.len() - packed.len();
    let plain = budget
        .decompress(codec, &packed, outer.magic)
        .map_err(|rule| place.breach(value_at, rule))?;

    let mut messages: Vec<Message> = Vec::new();
    let mut cursor = Cursor::new(&plain, 0);
    while cursor.left() > 0 {
        let record = Some(messages.len());
        let at = cursor.at();
        budget.item(1).map_err(|rule| place.inside(Fault { at, rule }, record, true))?;
        let message = read_one(&mut cursor).map_err(|fault| place.inside(fault, record, true))?;
        let rule = check_inner(outer, messages.last(), &message);
        rule.map_err(|rule| place.inside(Fault { at, rule }, record, true))?;
        messages.push(message);
    }
    let last = messages.last().ok_or_else(|| place.breach(value_at, Rule::EmptyWrapper))?.offset;
    if outer.magic > 0 {
        // Inside magic 1 offsets are relative, and the wrapper's own is that of the last message (KIP-31).
        let base = outer.offset.checked_sub(last);
        let base = base.ok_or_else(|| place.breach(0, Rule::OffsetOverflow))?;
        for message in &mut messages {
            // No overflow: 0 <= offset <= last, so the sum lies between the base and the wrapper's offset.
            message.offset += base;
        }
    }
    Ok(Wrapper {
        magic: outer.magic,
        offset: outer.offset,
        codec,
        log_append_time: outer.log_append_time(),
        timestamp: outer.timestamp,
        messages,
    })
}

/// An inner message has the wrapper's magic, no compression of its own, and an offset after the one before.
fn check_inner(outer: &Message, previous: Option<&Message>, inner: &Message) -> Result<(), Rule> {
    let codec = (inner.attributes & CODEC_BITS) as u8;
    if inner.magic != outer.magic || codec != 0 {
        return Err(Rule::Nested { wrapper: outer.magic, inner: inner.magic, codec });
    }
    let previous = previous.map_or(-1, |previous| previous.offset);
    if inner.offset <= previous {
        return Err(Rule::OffsetOrder { found: inner.offset, previous });
    }
    Ok(())
}
