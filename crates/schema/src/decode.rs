//! The thorough half of the walker: over the tree, with the path at hand. It builds values and names what broke.

use bytes::Bytes;

use crate::breach::{Breach, Fault, Note, Oddity, Rule};
use crate::defaults;
use crate::place::Place;
use crate::primitives::Reader;
use crate::tree::{Direction, Field, Kind, Message, present};
use crate::value::{Struct, Value};

/// A body with all that is in it.
#[derive(Clone, PartialEq, Debug)]
pub struct Decoded {
    /// The message.
    pub value: Value,
    /// What no rule forbids and is odd nevertheless.
    pub notes: Vec<Note>,
}

/// Reads a body as strictly as [`crate::walk`]. Bytes and records stay slices of `body`; a tagged field that was not sent has its
/// default. Less than a hundred times the size of the body is allocated,
/// whatever it claims.
pub fn decode(key: i16, version: i16, direction: Direction, body: &Bytes) -> Result<Value, Breach> {
    decode_noting(key, version, direction, body).map(|decoded| decoded.value)
}

/// As [`decode`], with what is odd.
pub fn decode_noting(
    key: i16,
    version: i16,
    direction: Direction,
    body: &Bytes,
) -> Result<Decoded, Breach> {
    let no_table = Breach { offset: 0, path: String::new(), rule: Rule::NoTable { key, version } };
    let message = crate::api(key).map(|api| api.message(direction));
    let message = message.filter(|message| message.versions.contains(version)).ok_or(no_table)?;
    let mut decoder = Decoder::new(message, version, body);
    match decoder.message(message) {
        Ok(value) => Ok(Decoded { value: Value::Struct(value), notes: decoder.notes }),
        Err(Fault { offset, rule }) => Err(Breach { offset, path: decoder.place.path(), rule }),
    }
}

struct Decoder<'a> {
    body: &'a Bytes,
    reader: Reader<'a>,
    version: i16,
    flexible: bool,
    /// Where the reader is. After a fault it stays there.
    place: Place,
    notes: Vec<Note>,
}

impl<'a> Decoder<'a> {
    fn new(message: &Message, version: i16, body: &'a Bytes) -> Self {
        Self {
            body,
            reader: Reader::new(body),
            version,
            flexible: message.flexible.contains(version),
            place: Place::default(),
            notes: Vec::new(),
        }
    }

    fn message(&mut self, message: &Message) -> Result<Struct, Fault> {
        let value = self.fields(&message.fields)?;
        self.reader.finish()?;
        Ok(value)
    }

    fn fields(&mut self, fields: &[Field]) -> Result<Struct, Fault> {
        let mut value = Struct::with_capacity(present(fields, self.version).count());
        for field in present(fields, self.version) {
            if field.tag.is_some() {
                value.push(field.name, defaults::of_field(field, self.version));
                continue;
            }
            self.place.enter(field.name);
            value.push(field.name, self.value(&field.kind, field.is_nullable(self.version))?);
            self.place.leave();
        }
        if self.flexible {
            self.tags(fields, &mut value)?;
        }
        Ok(value)
    }

    fn value(&mut self, kind: &Kind, nullable: bool) -> Result<Value, Fault> {
        Ok(match kind {
            Kind::Bool => Value::Bool(self.reader.bool()?),
            Kind::Int8 => self.reader.i8()?.into(),
            Kind::Int16 => self.reader.i16()?.into(),
            Kind::Uint16 => self.reader.u16()?.into(),
            Kind::Int32 => self.reader.i32()?.into(),
            Kind::Int64 => self.reader.i64()?.into(),
            Kind::Float64 => self.reader.f64()?.into(),
            Kind::Uuid => self.reader.uuid()?.into(),
            Kind::String => match self.length(
                nullable,
                Reader::string_length::<true>,
                Reader::string_length::<false>,
            )? {
                Some(length) => self.reader.text(length)?.into(),
                None => Value::Null,
            },
            Kind::Bytes | Kind::Records => {
                match self.length(
                    nullable,
                    Reader::bytes_length::<true>,
                    Reader::bytes_length::<false>,
                )? {
                    Some(length) => self.slice(length)?.into(),
                    None => Value::Null,
                }
            }
            Kind::Array(element) => self.array(element, nullable)?,
            Kind::Struct(fields) if nullable => {
                let offset = self.reader.offset();
                match self.reader.i8()? {
                    -1 => Value::Null,
                    1 => self.fields(fields)?.into(),
                    byte => {
                        return Err(Fault {
                            offset,
                            rule: Rule::NotPresence { byte: byte.cast_unsigned() },
                        });
                    }
                }
            }
            Kind::Struct(fields) => self.fields(fields)?.into(),
        })
    }

    fn array(&mut self, element: &Kind, nullable: bool) -> Result<Value, Fault> {
        let counted = self.length(nullable, Reader::count::<true>, Reader::count::<false>)?;
        let Some(count) = counted else { return Ok(Value::Null) };
        // Room for no more elements than the bytes that are left can hold, whatever the count says.
        let least = element.least_size(self.version, self.flexible).max(1);
        let mut values = Vec::with_capacity(count.min(self.reader.left() / least));
        for index in 0..count {
            self.place.enter_element(index);
            values.push(self.value(element, false)?);
            self.place.leave();
        }
        Ok(Value::Array(values))
    }

    /// A length or count, compact in flexible versions; null only where it may be.
    fn length(
        &mut self,
        nullable: bool,
        compact: impl Fn(&mut Reader<'a>) -> Result<Option<usize>, Fault>,
        plain: impl Fn(&mut Reader<'a>) -> Result<Option<usize>, Fault>,
    ) -> Result<Option<usize>, Fault> {
        let offset = self.reader.offset();
        let length =
            if self.flexible { compact(&mut self.reader)? } else { plain(&mut self.reader)? };
        self.note_long_varint(offset);
        if length.is_none() && !nullable {
            return Err(Fault { offset, rule: Rule::Null });
        }
        Ok(length)
    }

    fn slice(&mut self, length: usize) -> Result<Bytes, Fault> {
        let start = self.reader.offset();
        self.reader.take(length)?;
        Ok(self.body.slice(start..start + length))
    }

    fn tags(&mut self, fields: &[Field], value: &mut Struct) -> Result<(), Fault> {
        let offset = self.reader.offset();
        let count = self.reader.uvarint()?;
        self.note_long_varint(offset);
        let mut last = None;
        for _ in 0..count {
            let offset = self.reader.offset();
            let (tag, size) = self.reader.tag(last)?;
            self.note_long_varint(offset);
            last = Some(tag);
            let mut known = fields.iter().filter(|field| field.tag == Some(tag)).peekable();
            if known.peek().is_none() {
                value.push_unknown(tag, self.slice(size)?);
                self.note(offset, Oddity::UnknownTag { tag, size });
                continue;
            }
            let here = known.find(|field| field.versions.contains(self.version));
            let field = here.ok_or(Fault { offset, rule: Rule::TagTooEarly { tag } })?;
            self.tagged(field, tag, size, offset, value)?;
        }
        Ok(())
    }

    fn tagged(
        &mut self,
        field: &Field,
        tag: u32,
        size: usize,
        offset: usize,
        value: &mut Struct,
    ) -> Result<(), Fault> {
        self.place.enter(field.name);
        let start = self.reader.offset();
        let end = self.reader.narrow(size);
        let sent = self.value(&field.kind, field.is_nullable(self.version))?;
        let used = self.reader.offset() - start;
        if used != size {
            return Err(Fault { offset, rule: Rule::TagSize { tag, size, used } });
        }
        self.reader.widen(end);
        if defaults::is_default(field, self.version, &sent) {
            self.note(offset, Oddity::DefaultTag { tag });
        }
        value.put(field.name, sent);
        self.place.leave();
        Ok(())
    }

    fn note_long_varint(&mut self, offset: usize) {
        if self.reader.saw_long_varint() {
            self.note(offset, Oddity::LongVarint);
        }
    }

    fn note(&mut self, offset: usize, oddity: Oddity) {
        self.notes.push(Note { offset, path: self.place.path(), oddity });
    }
}
