//! Several releases' descriptions of one message, made into one.

use std::collections::BTreeMap;

use super::GenerateError;
use super::definition::{Definition, Draft};
use crate::tree::Direction;
use crate::versions::Versions;

/// One API, merged over all releases.
pub(super) struct Api {
    pub(super) key: i16,
    pub(super) names: Vec<String>,
    pub(super) listeners: Vec<String>,
    /// Per release: the versions that it describes as the tables do, and those of them that it calls unstable.
    pub(super) known: Vec<(Versions, Versions)>,
    pub(super) request: Merged,
    pub(super) response: Merged,
}

/// A request or response over all releases.
#[derive(Clone, Default)]
pub(super) struct Merged {
    pub(super) versions: Versions,
    pub(super) flexible: Versions,
    pub(super) fields: Vec<Draft>,
}

/// Merges all definitions, by API key, into one description each.
pub(super) fn merge(
    definitions: Vec<Definition>,
    releases: usize,
) -> Result<Vec<Api>, GenerateError> {
    let mut by_key = BTreeMap::<i16, Vec<Definition>>::new();
    for definition in definitions {
        by_key.entry(definition.key).or_default().push(definition);
    }
    by_key.into_iter().map(|(key, definitions)| api(key, definitions, releases)).collect()
}

fn api(key: i16, mut definitions: Vec<Definition>, releases: usize) -> Result<Api, GenerateError> {
    definitions.sort_by_key(|definition| std::cmp::Reverse(definition.release));
    let (requests, responses): (Vec<_>, Vec<_>) =
        definitions.into_iter().partition(|definition| definition.direction == Direction::Request);
    let conflict = |what: String| GenerateError::Conflict { key, what };
    let newest =
        requests.first().ok_or_else(|| conflict("a response without a request".to_owned()))?;
    let mut names: Vec<String> = Vec::new();
    for request in &requests {
        if !names.contains(&request.name) {
            names.push(request.name.clone());
        }
    }
    let listeners = newest.listeners.clone();
    let merged_request = message(&requests);
    let merged_response = message(&responses);
    let mut known = vec![(Versions::NONE, Versions::NONE); releases];
    for request in &requests {
        let response = responses.iter().find(|response| response.release == request.release);
        let response =
            response.ok_or_else(|| conflict(format!("{} has no response", request.name)))?;
        if response.versions != request.versions || response.flexible != request.flexible {
            return Err(conflict(format!(
                "request and response of {} differ in versions",
                request.name
            )));
        }
        let mut versions = Versions::NONE;
        for version in request.versions.iter() {
            let agreed = agrees(&merged_request, request, version)
                && agrees(&merged_response, response, version);
            if agreed {
                versions = versions.union(Versions::range(version, version));
            } else if !request.unstable.contains(version) {
                return Err(conflict(format!(
                    "two releases describe version {version} differently"
                )));
            }
        }
        known[request.release] = (versions, request.unstable.common(versions));
    }
    Ok(Api { key, names, listeners, known, request: merged_request, response: merged_response })
}

/// Newest first: each older definition adds the versions that no newer one has.
fn message(definitions: &[Definition]) -> Merged {
    let mut merged = Merged::default();
    for definition in definitions {
        let missing = definition.versions.without(merged.versions);
        merged.versions = merged.versions.union(missing);
        merged.flexible = merged.flexible.union(definition.flexible.common(missing));
        absorb(&mut merged.fields, &definition.fields, missing);
    }
    merged
}

/// Adds what `older` says about the versions `missing`: to the field of the same name and type, or else as a field of its own
/// behind the one before it.
fn absorb(fields: &mut Vec<Draft>, older: &[Draft], missing: Versions) {
    let mut place = 0;
    for old in older.iter().filter(|old| !old.versions.common(missing).is_empty()) {
        let same = |field: &Draft| {
            field.name == old.name && field.kind.word() == old.kind.word() && field.tag == old.tag
        };
        let at = fields.iter().position(same).unwrap_or_else(|| {
            let mut new =
                Draft { versions: Versions::NONE, nullable: Versions::NONE, ..old.clone() };
            if let Some(inner) = new.kind.fields_mut() {
                inner.clear();
            }
            fields.insert(place, new);
            place
        });
        let field = &mut fields[at];
        field.versions = field.versions.union(old.versions.common(missing));
        field.nullable = field.nullable.union(old.nullable.common(missing));
        if let (Some(inner), Some(old)) = (field.kind.fields_mut(), old.kind.fields()) {
            absorb(inner, old, missing);
        }
        place = at + 1;
    }
}

/// Whether both describe the same bytes in `version`.
fn agrees(merged: &Merged, definition: &Definition, version: i16) -> bool {
    merged.flexible.contains(version) == definition.flexible.contains(version)
        && same_fields(&merged.fields, &definition.fields, version)
}

/// The untagged fields must be the same ones in the same order. A tagged field may be missing from the older list: releases add
/// them to versions that exist (KIP-482), as 3.4 did with tag 3 of the ApiVersions response.
fn same_fields(merged: &[Draft], older: &[Draft], version: i16) -> bool {
    let present = |field: &&Draft| field.versions.contains(version);
    let same = |merged: &Draft, older: &Draft| {
        merged.kind.word() == older.kind.word()
            && merged.nullable.contains(version) == older.nullable.contains(version)
            && match (merged.kind.fields(), older.kind.fields()) {
                (Some(merged), Some(older)) => same_fields(merged, older, version),
                _ => true,
            }
    };
    let (merged_tags, merged): (Vec<_>, Vec<_>) =
        merged.iter().filter(present).partition(|field| field.tag.is_some());
    let (older_tags, older): (Vec<_>, Vec<_>) =
        older.iter().filter(present).partition(|field| field.tag.is_some());
    merged.len() == older.len()
        && merged.iter().zip(&older).all(|(merged, older)| same(merged, older))
        && older_tags.iter().all(|older| {
            merged_tags.iter().any(|merged| merged.tag == older.tag && same(merged, older))
        })
}
