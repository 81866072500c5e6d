//! Random messages of any API, version and direction, as proptest strategies that shrink.

use bytes::Bytes;
use kconform_schema::tree::{Field, Kind};
use kconform_schema::{Api, Direction, Struct, Value, apis};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};

pub(crate) const DIRECTIONS: [Direction; 2] = [Direction::Request, Direction::Response];

/// Every message in every version: about 740.
pub(crate) fn every_message() -> impl Iterator<Item = (&'static Api, Direction, i16)> {
    apis().flat_map(|api| {
        DIRECTIONS.into_iter().flat_map(move |direction| {
            api.message(direction).versions.iter().map(move |version| (api, direction, version))
        })
    })
}

/// Runs `check` over `cases` random values of each message. Panics naming the message and the smallest value that fails.
/// Returns how many messages there were.
pub(crate) fn check_all<S: Strategy>(
    cases: u32,
    messages: impl Iterator<Item = (&'static Api, Direction, i16)>,
    strategy: impl Fn(&'static Api, Direction, i16) -> S,
    check: impl Fn(&'static Api, Direction, i16, S::Value) -> Result<(), TestCaseError>,
) -> usize {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let mut count = 0;
    for (api, direction, version) in messages {
        let mut runner = TestRunner::new(config.clone());
        let strategy = strategy(api, direction, version);
        if let Err(error) = runner.run(&strategy, |value| check(api, direction, version, value)) {
            panic!("{} {direction:?} version {version}: {error}", api.name());
        }
        count += 1;
    }
    count
}

/// A random message of one version; some of its structs have a tagged field that no table knows.
pub(crate) fn message(api: &Api, direction: Direction, version: i16) -> BoxedStrategy<Value> {
    let message = api.message(direction);
    let tags = message.flexible.contains(version);
    fields(&message.fields, version, tags).prop_map(Value::Struct).boxed()
}

fn fields(fields: &[Field], version: i16, tags: bool) -> BoxedStrategy<Struct> {
    let present: Vec<&Field> =
        fields.iter().filter(|field| field.versions.contains(version)).collect();
    let names: Vec<&'static str> = present.iter().map(|field| field.name).collect();
    let values: Vec<_> = present
        .iter()
        .map(|field| value(&field.kind, field.is_nullable(version), version, tags))
        .collect();
    let unknown = if tags {
        prop_oneof![9 => Just(Vec::new()), 1 => prop::collection::vec(any::<u8>(), 0..4)].boxed()
    } else {
        Just(Vec::new()).boxed()
    };
    (values, unknown)
        .prop_map(move |(values, unknown)| {
            let fields = names.iter().zip(values);
            let value = fields.fold(Struct::new(), |value, (name, field)| value.with(name, field));
            // No message has a tag that high.
            if unknown.is_empty() {
                value
            } else {
                value.with_unknown(9_000 + u32::from(unknown[0]), unknown)
            }
        })
        .boxed()
}

fn value(kind: &Kind, nullable: bool, version: i16, tags: bool) -> BoxedStrategy<Value> {
    let value = match kind {
        Kind::Bool => any::<bool>().prop_map(Value::from).boxed(),
        Kind::Int8 => any::<i8>().prop_map(Value::from).boxed(),
        Kind::Int16 => any::<i16>().prop_map(Value::from).boxed(),
        Kind::Uint16 => any::<u16>().prop_map(Value::from).boxed(),
        Kind::Int32 => any::<i32>().prop_map(Value::from).boxed(),
        Kind::Int64 => any::<i64>().prop_map(Value::from).boxed(),
        Kind::Float64 => any::<f64>().prop_map(Value::from).boxed(),
        Kind::Uuid => any::<[u8; 16]>().prop_map(Value::from).boxed(),
        Kind::String => text().prop_map(Value::from).boxed(),
        Kind::Bytes | Kind::Records => prop::collection::vec(any::<u8>(), 0..6)
            .prop_map(|bytes| Bytes::from(bytes).into())
            .boxed(),
        Kind::Array(element) => {
            prop::collection::vec(self::value(element, false, version, tags), 0..3)
                .prop_map(Value::from)
                .boxed()
        }
        Kind::Struct(inner) => fields(inner, version, tags).prop_map(Value::from).boxed(),
    };
    if nullable { prop_oneof![1 => Just(Value::Null), 3 => value].boxed() } else { value }
}

fn text() -> impl Strategy<Value = String> {
    let letters =
        prop_oneof![Just('a'), Just('Z'), Just('-'), Just('\0'), Just('é'), Just('☃'), Just('🦀')];
    let long = 120..200usize;
    prop_oneof![
        8 => prop::collection::vec(letters, 0..5).prop_map(String::from_iter),
        1 => long.prop_map(|length| "x".repeat(length)),
    ]
}
