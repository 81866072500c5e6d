//! The fast half of the walker: a flat program per message and version.
//!
//! A program answers one question, whether a body keeps every rule, and keeps no path. Adjacent fields of fixed size are one skip;
//! an array of fixed elements is one check. Who wants to know what broke runs the tree ([`crate::decode`]) over the same bytes. The
//! two share no line of reading, so that each can convict the other.

use crate::encode;
use crate::tree::{Field, Kind, Message, present};

/// The program of one message in one version.
#[derive(Debug)]
pub(crate) struct Program {
    flexible: bool,
    blocks: Vec<Vec<Op>>,
    tags: Vec<Vec<Tag>>,
}

#[derive(Clone, Copy, Debug)]
enum Op {
    /// That many bytes of any content.
    Skip(u32),
    Bool,
    String {
        nullable: bool,
    },
    Bytes {
        nullable: bool,
    },
    /// Elements of `size` bytes each, of any content.
    Fixed {
        size: u32,
        nullable: bool,
    },
    /// Elements of one block each.
    Array {
        block: u32,
        nullable: bool,
    },
    /// A byte, then perhaps the block.
    Optional {
        block: u32,
    },
    /// A tag section, by its index in `Program::tags`.
    Tags(u32),
}

#[derive(Debug)]
struct Tag {
    number: u32,
    /// `None` when the tag belongs to other versions.
    block: Option<u32>,
    /// The bytes of the default.
    default: Vec<u8>,
}

impl Program {
    /// Compiles `version` of `message`.
    pub(crate) fn compile(message: &Message, version: i16) -> Self {
        let flexible = message.flexible.contains(version);
        let mut compiler = Compiler {
            version,
            program: Self { flexible, blocks: vec![Vec::new()], tags: Vec::new() },
        };
        compiler.program.blocks[0] = compiler.fields(&message.fields);
        compiler.program
    }

    /// Walks a whole body. `None` when it breaks a rule, `Some(true)` when it breaks none and there is something to note.
    pub(crate) fn run(&self, body: &[u8]) -> Option<bool> {
        let mut run = Run { program: self, rest: body, noted: false };
        if self.flexible {
            run.block::<true>(0)?
        } else {
            run.block::<false>(0)?
        }
        run.rest.is_empty().then_some(run.noted)
    }
}

struct Compiler {
    version: i16,
    program: Program,
}

impl Compiler {
    fn fields(&mut self, fields: &[Field]) -> Vec<Op> {
        let mut ops = Vec::new();
        for field in present(fields, self.version).filter(|field| field.tag.is_none()) {
            self.value(&mut ops, &field.kind, field.is_nullable(self.version));
        }
        if self.program.flexible {
            let tags = self.tags(fields);
            self.program.tags.push(tags);
            ops.push(Op::Tags(self.program.tags.len() as u32 - 1));
        }
        ops
    }

    fn value(&mut self, ops: &mut Vec<Op>, kind: &Kind, nullable: bool) {
        let op = match kind {
            Kind::Bool => Op::Bool,
            Kind::String => Op::String { nullable },
            Kind::Bytes | Kind::Records => Op::Bytes { nullable },
            Kind::Struct(fields) if nullable => {
                let ops = self.fields(fields);
                Op::Optional { block: self.block(ops) }
            }
            Kind::Struct(fields) => {
                for op in self.fields(fields) {
                    push(ops, op);
                }
                return;
            }
            Kind::Array(element) => match (&**element, element.fixed_size()) {
                (Kind::Bool, _) | (_, None) => {
                    let mut inner = Vec::new();
                    self.value(&mut inner, element, false);
                    Op::Array { block: self.block(inner), nullable }
                }
                (_, Some(size)) => Op::Fixed { size: size as u32, nullable },
            },
            Kind::Int8
            | Kind::Int16
            | Kind::Uint16
            | Kind::Int32
            | Kind::Int64
            | Kind::Float64
            | Kind::Uuid => Op::Skip(kind.fixed_size().unwrap_or(0) as u32),
        };
        push(ops, op);
    }

    fn tags(&mut self, fields: &[Field]) -> Vec<Tag> {
        let mut tags: Vec<Tag> = Vec::new();
        for field in fields {
            let Some(number) = field.tag else { continue };
            if field.versions.contains(self.version) {
                let mut inner = Vec::new();
                self.value(&mut inner, &field.kind, field.is_nullable(self.version));
                let block = Some(self.block(inner));
                tags.retain(|tag| tag.number != number);
                tags.push(Tag {
                    number,
                    block,
                    default: encode::default_bytes(field, self.version, self.program.flexible),
                });
            } else if tags.iter().all(|tag| tag.number != number) {
                tags.push(Tag { number, block: None, default: Vec::new() });
            }
        }
        tags
    }

    fn block(&mut self, ops: Vec<Op>) -> u32 {
        self.program.blocks.push(ops);
        self.program.blocks.len() as u32 - 1
    }
}

/// Adds an op, as part of the one before it if both are skips.
fn push(ops: &mut Vec<Op>, op: Op) {
    match (ops.last_mut(), op) {
        (Some(Op::Skip(before)), Op::Skip(more)) => *before += more,
        _ => ops.push(op),
    }
}

/// A run over the bytes that are left. It keeps no offset and no reason: `None` is all it says of a broken rule.
struct Run<'a> {
    program: &'a Program,
    rest: &'a [u8],
    noted: bool,
}

impl<'a> Run<'a> {
    fn block<const FLEXIBLE: bool>(&mut self, block: u32) -> Option<()> {
        let program = self.program;
        for op in &program.blocks[block as usize] {
            match *op {
                Op::Skip(size) => {
                    self.take(size as usize)?;
                }
                Op::Bool => {
                    (self.byte()? <= 1).then_some(())?;
                }
                Op::String { nullable } => {
                    let length =
                        if FLEXIBLE { self.compact(nullable)? } else { self.length16(nullable)? };
                    let text = self.take(length)?;
                    std::str::from_utf8(text).ok()?;
                }
                Op::Bytes { nullable } => {
                    let length = self.length::<FLEXIBLE>(nullable)?;
                    self.take(length)?;
                }
                Op::Fixed { size, nullable } => {
                    let count = self.length::<FLEXIBLE>(nullable)?;
                    self.take(count.checked_mul(size as usize)?)?;
                }
                Op::Array { block, nullable } => {
                    // Every element takes a byte at least: a count beyond the bytes that are left soon runs out of them.
                    for _ in 0..self.length::<FLEXIBLE>(nullable)? {
                        self.block::<FLEXIBLE>(block)?;
                    }
                }
                Op::Optional { block } => match self.byte()? {
                    0xff => {}
                    1 => self.block::<FLEXIBLE>(block)?,
                    _ => return None,
                },
                Op::Tags(tags) => {
                    let count = self.uvarint()?;
                    if count != 0 {
                        self.tags(count, &program.tags[tags as usize])?;
                    }
                }
            }
        }
        Some(())
    }

    fn tags(&mut self, count: u32, known: &[Tag]) -> Option<()> {
        let mut least = 0;
        for _ in 0..count {
            let tag = self.uvarint()?;
            // The tag after the highest one there is would be this.
            (u64::from(tag) >= least).then_some(())?;
            least = u64::from(tag) + 1;
            let size = self.uvarint()? as usize;
            let value = self.take(size)?;
            match known.iter().find(|known| known.number == tag) {
                None => self.noted = true,
                Some(Tag { block, default, .. }) => {
                    let behind = std::mem::replace(&mut self.rest, value);
                    self.block::<true>((*block)?)?;
                    self.rest.is_empty().then_some(())?;
                    self.rest = behind;
                    self.noted |= value == default.as_slice();
                }
            }
        }
        Some(())
    }

    /// The length of bytes or the count of an array. Null, where it may be, has no bytes: 0.
    #[inline]
    fn length<const FLEXIBLE: bool>(&mut self, nullable: bool) -> Option<usize> {
        if FLEXIBLE {
            return self.compact(nullable);
        }
        let (length, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        not_below_null(i64::from(i32::from_be_bytes(*length)), nullable)
    }

    /// The length of a string outside flexible versions.
    #[inline]
    fn length16(&mut self, nullable: bool) -> Option<usize> {
        let (length, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        not_below_null(i64::from(i16::from_be_bytes(*length)), nullable)
    }

    #[inline]
    fn compact(&mut self, nullable: bool) -> Option<usize> {
        not_below_null(i64::from(self.uvarint()?) - 1, nullable)
    }

    #[inline]
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(taken)
    }

    #[inline]
    fn byte(&mut self) -> Option<u8> {
        let (byte, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*byte)
    }

    #[inline]
    fn uvarint(&mut self) -> Option<u32> {
        match self.rest {
            [byte @ 0..0x80, rest @ ..] => {
                self.rest = rest;
                Some(u32::from(*byte))
            }
            _ => self.long_uvarint(),
        }
    }

    #[inline(never)]
    fn long_uvarint(&mut self) -> Option<u32> {
        let mut value = 0;
        for index in 0..5 {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << (7 * index);
            if byte < 0x80 {
                self.noted |= byte == 0;
                return u32::try_from(value).ok();
            }
        }
        None
    }
}

#[inline]
fn not_below_null(length: i64, nullable: bool) -> Option<usize> {
    match length {
        0.. => usize::try_from(length).ok(),
        -1 if nullable => Some(0),
        _ => None,
    }
}
