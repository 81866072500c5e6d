//! The fast half of the walker: a flat program per message and version.
//!
//! A program answers one question, whether a body keeps every rule, and keeps no path. Adjacent fields of fixed size are one skip;
//! an array of fixed elements is one check. Who wants to know what broke runs the tree ([`crate::decode`]) over the same bytes.

use crate::breach::{Fault, Rule};
use crate::encode;
use crate::primitives::Reader;
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

    /// Walks a whole body. `Ok(true)` when there is something to note.
    pub(crate) fn run(&self, body: &[u8]) -> Result<bool, Fault> {
        let mut run = Run { program: self, reader: Reader::new(body), noted: false };
        if self.flexible {
            run.block::<true>(0)?
        } else {
            run.block::<false>(0)?
        }
        run.reader.finish()?;
        Ok(run.noted | run.reader.saw_long_varint())
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

struct Run<'a> {
    program: &'a Program,
    reader: Reader<'a>,
    noted: bool,
}

impl Run<'_> {
    fn block<const FLEXIBLE: bool>(&mut self, block: u32) -> Result<(), Fault> {
        let program = self.program;
        for op in &program.blocks[block as usize] {
            match *op {
                Op::Skip(size) => {
                    self.reader.take(size as usize)?;
                }
                Op::Bool => {
                    self.reader.bool()?;
                }
                Op::String { nullable } => {
                    let length = self.reader.string_length::<FLEXIBLE>()?;
                    if let Some(length) = self.unless_null(length, nullable)? {
                        self.reader.text(length)?;
                    }
                }
                Op::Bytes { nullable } => {
                    let length = self.reader.bytes_length::<FLEXIBLE>()?;
                    if let Some(length) = self.unless_null(length, nullable)? {
                        self.reader.take(length)?;
                    }
                }
                Op::Fixed { size, nullable } => {
                    let count = self.reader.count::<FLEXIBLE>()?;
                    if let Some(count) = self.unless_null(count, nullable)? {
                        // No overflow: a count is at most the bytes that are left.
                        self.reader.take(count * size as usize)?;
                    }
                }
                Op::Array { block, nullable } => {
                    let count = self.reader.count::<FLEXIBLE>()?;
                    if let Some(count) = self.unless_null(count, nullable)? {
                        for _ in 0..count {
                            self.block::<FLEXIBLE>(block)?;
                        }
                    }
                }
                Op::Optional { block } => match self.reader.i8()? {
                    -1 => {}
                    1 => self.block::<FLEXIBLE>(block)?,
                    byte => {
                        return Err(self.fault(Rule::NotPresence { byte: byte.cast_unsigned() }));
                    }
                },
                Op::Tags(tags) => {
                    let count = self.reader.uvarint()?;
                    if count != 0 {
                        self.tags::<FLEXIBLE>(count, &program.tags[tags as usize])?;
                    }
                }
            }
        }
        Ok(())
    }

    #[inline]
    fn unless_null(&self, length: Option<usize>, nullable: bool) -> Result<Option<usize>, Fault> {
        if length.is_none() && !nullable { Err(self.fault(Rule::Null)) } else { Ok(length) }
    }

    #[cold]
    fn tags<const FLEXIBLE: bool>(&mut self, count: u32, known: &[Tag]) -> Result<(), Fault> {
        let mut last = None;
        for _ in 0..count {
            let (tag, size) = self.reader.tag(last)?;
            last = Some(tag);
            let start = self.reader.clone();
            match known.iter().find(|known| known.number == tag) {
                None => {
                    self.reader.take(size)?;
                    self.noted = true;
                }
                Some(Tag { block: None, .. }) => return Err(self.fault(Rule::TagTooEarly { tag })),
                Some(Tag { block: Some(block), default, .. }) => {
                    let end = self.reader.narrow(size);
                    self.block::<FLEXIBLE>(*block)?;
                    self.reader.finish()?;
                    self.reader.widen(end);
                    let mut start = start;
                    self.noted |= start.take(size)? == default.as_slice();
                }
            }
        }
        Ok(())
    }

    #[cold]
    fn fault(&self, rule: Rule) -> Fault {
        Fault { offset: self.reader.offset(), rule }
    }
}
