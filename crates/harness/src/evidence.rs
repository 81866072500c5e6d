//! From what a case left behind to its record: verdict, finding, and the frames as evidence.

use std::collections::BTreeMap;

use kconform_report::{
    Connection, Event, EventKind, Finding, Record, Replay, SCHEMA_VERSION, Verdict,
};
use kconform_scenario::wire::event::hex;
use kconform_scenario::wire::schema::{self, Direction};
use kconform_scenario::wire::{self, What};
use kconform_scenario::{Failure, Outcome};

use crate::Suite;
use crate::execute::{Agreement, Ran};
use crate::plan::Case;

/// Bytes of a frame that a record shows; the rest is counted.
const SHOWN: usize = 2048;

/// A record with everything that is known of a case before it runs.
pub(crate) fn blank(suite: &Suite, case: &Case, again: &str) -> Record {
    let row = suite.row_of(case.scenario);
    Record {
        schema: SCHEMA_VERSION,
        name: case.name.clone(),
        id: case.scenario.id.to_owned(),
        also: case.scenario.also.iter().map(|id| (*id).to_owned()).collect(),
        family: case.scenario.family().to_owned(),
        api_key: case.key,
        api: api_name(case.key),
        version: case.version,
        variant: case.variant.as_deref().map(str::to_owned),
        level: row.level,
        requirement: row.text,
        verdict: Verdict::NotRun,
        reason: None,
        finding: None,
        notes: Vec::new(),
        started_us: 0,
        took_us: 0,
        replay: Replay::NotTried,
        refusal: None,
        location: format!("{}:{}", case.scenario.file, case.scenario.line),
        again: format!("{again} --exact {}", case.name),
        evidence: Vec::new(),
    }
}

/// Fills a record with what came of its case. Evidence is kept of whatever did not pass, and of all when asked.
pub(crate) fn fill(record: &mut Record, ran: &Ran, all_evidence: bool) {
    judge(record, &ran.outcome);
    record.notes.clone_from(&ran.notes);
    record.started_us = micros(ran.started);
    record.took_us = micros(ran.took);
    record.replay = match &ran.replay {
        Agreement::Same => Replay::Same,
        Agreement::Unstable(how) => Replay::Unstable(how.clone()),
        Agreement::No(why) => Replay::No(why.clone()),
    };
    let wanted = all_evidence
        || record.verdict != Verdict::Passed
        || matches!(record.replay, Replay::Unstable(_));
    if wanted {
        let mut events = ran.events.to_vec();
        wire::event::redact(&mut events);
        record.evidence = connections(&events);
    }
}

/// Sets verdict, reason and finding.
pub(crate) fn judge(record: &mut Record, outcome: &Outcome) {
    match outcome {
        Ok(()) => record.verdict = Verdict::Passed,
        Err(Failure::Failed(finding)) => {
            record.verdict = Verdict::Failed;
            record.finding = Some(shown(finding));
            record.location = format!("{}:{}", finding.at.file(), finding.at.line());
        }
        Err(Failure::Blocked(finding)) => {
            record.verdict = Verdict::Blocked;
            record.reason = Some(format!("waiting for {}, got {}", finding.expected, finding.got));
            record.finding = Some(shown(finding));
        }
        Err(Failure::NotRun(reason)) => {
            record.verdict = Verdict::NotRun;
            record.reason = Some(reason.clone());
        }
        Err(Failure::Error(what)) => {
            record.verdict = Verdict::Error;
            record.reason = Some(what.clone());
        }
    }
}

fn shown(finding: &kconform_scenario::Finding) -> Finding {
    let exchange = finding.exchange.as_ref();
    Finding {
        expected: finding.expected.clone(),
        got: finding.got.clone(),
        asked: exchange.map(|exchange| exchange.asked()),
        sent: exchange.filter(|e| !e.sent.is_empty()).map(|exchange| spaced(&exchange.sent)),
        received: exchange
            .and_then(|exchange| exchange.received.as_ref())
            .map(|frame| spaced(frame)),
        breach: exchange.and_then(|exchange| exchange.breach.as_ref()).map(ToString::to_string),
    }
}

/// Hexadecimal text with a space after each byte, cut at [`SHOWN`] bytes.
fn spaced(bytes: &[u8]) -> String {
    let text = hex(&bytes[..bytes.len().min(SHOWN)]);
    let mut out = String::with_capacity(text.len() * 3 / 2);
    for (at, digit) in text.chars().enumerate() {
        if at > 0 && at % 2 == 0 {
            out.push(' ');
        }
        out.push(digit);
    }
    if bytes.len() > SHOWN {
        out.push_str(&format!(" … ({} bytes in all)", bytes.len()));
    }
    out
}

/// The events as transcripts, one a connection. Sleeps and inputs stand under connection 0.
pub(crate) fn connections(events: &[wire::Event]) -> Vec<Connection> {
    let mut lanes: BTreeMap<u32, Connection> = BTreeMap::new();
    let mut asked: BTreeMap<(u32, i32), (i16, i16)> = BTreeMap::new();
    for event in events {
        let lane = lanes.entry(event.lane).or_default();
        lane.lane = event.lane;
        if let What::Open { peer, .. } = &event.what {
            lane.peer.clone_from(peer);
        }
        lane.events.push(translate(event, &mut asked));
    }
    lanes.into_values().collect()
}

fn translate(event: &wire::Event, asked: &mut BTreeMap<(u32, i32), (i16, i16)>) -> Event {
    let mut out = Event { at_us: event.at_us, ..Event::default() };
    match &event.what {
        What::Open { error, .. } => {
            out.kind = EventKind::Open;
            out.detail.clone_from(error);
        }
        What::Send { bytes, redacted, .. } => {
            out.kind = EventKind::Send;
            show_bytes(&mut out, &bytes.0);
            if let (Some(key), Some(version), Some(correlation)) =
                (int16(&bytes.0, 4), int16(&bytes.0, 6), int32(&bytes.0, 8))
            {
                out.api = Some(api_name(key));
                out.version = Some(version);
                out.correlation = Some(correlation);
                asked.insert((event.lane, correlation), (key, version));
            }
            if *redacted > 0 {
                out.detail = Some(format!("{redacted} secret bytes left out"));
            }
        }
        What::Frame { bytes } => {
            out.kind = EventKind::Frame;
            show_bytes(&mut out, &bytes.0);
            if let Some(correlation) = int32(&bytes.0, 0) {
                out.correlation = Some(correlation);
                if let Some((key, version)) = asked.get(&(event.lane, correlation)) {
                    out.api = Some(api_name(*key));
                    out.version = Some(*version);
                    out.decoded = decoded(*key, *version, &bytes.0);
                }
            }
        }
        What::Closed { partial, detail } => {
            out.kind = EventKind::Closed;
            out.detail = match (partial, detail) {
                (0, None) => None,
                (0, Some(detail)) => Some(detail.clone()),
                (partial, _) => Some(format!("after {partial} bytes of an incomplete frame")),
            };
        }
        What::BadLength { length } => {
            out.kind = EventKind::Other;
            out.detail = Some(format!("a frame that claims {length} bytes"));
        }
        What::Silence => out.kind = EventKind::Silence,
        What::Shut => {
            out.kind = EventKind::Other;
            out.detail = Some("sending side closed by us".to_owned());
        }
        What::Timer { .. } => out.kind = EventKind::Timer,
        What::Given { name, value } => {
            out.kind = EventKind::Other;
            out.detail = Some(format!("{name}: {value}"));
        }
        What::Deadline => {
            out.kind = EventKind::Other;
            out.detail = Some("the deadline of the case".to_owned());
        }
    }
    out
}

fn show_bytes(event: &mut Event, bytes: &[u8]) {
    event.bytes = Some(spaced(&bytes[..bytes.len().min(SHOWN)]));
    event.truncated = bytes.len().checked_sub(SHOWN).filter(|left| *left > 0);
}

/// The frame's body as text, for whoever reads the record; nothing when it cannot be read, for the bytes are there.
fn decoded(key: i16, version: i16, frame: &bytes::Bytes) -> Option<serde_json::Value> {
    let api = schema::api(key)?;
    let header = if api.response_header_version(version) >= 1 { 5 } else { 4 };
    if frame.len() > SHOWN || frame.len() < header {
        return None;
    }
    let value = schema::decode(key, version, Direction::Response, &frame.slice(header..)).ok()?;
    Some(serde_json::Value::String(value.to_string()))
}

/// The API's name, or `API 99`.
pub(crate) fn api_name(key: i16) -> String {
    schema::api(key).map_or_else(|| format!("API {key}"), |api| api.name().to_owned())
}

fn int16(bytes: &[u8], at: usize) -> Option<i16> {
    bytes.get(at..at + 2)?.try_into().ok().map(i16::from_be_bytes)
}

fn int32(bytes: &[u8], at: usize) -> Option<i32> {
    bytes.get(at..at + 4)?.try_into().ok().map(i32::from_be_bytes)
}

fn micros(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
