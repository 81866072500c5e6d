//! Undoing ACLs, SCRAM credentials and quotas, and finding those that a killed run left behind.

use std::collections::BTreeSet;

use kafka_protocol::messages::alter_client_quotas_request::{
    AlterClientQuotasRequest, EntityData, EntryData, OpData,
};
use kafka_protocol::messages::alter_user_scram_credentials_request::{
    AlterUserScramCredentialsRequest, ScramCredentialDeletion,
};
use kafka_protocol::messages::delete_acls_request::{DeleteAclsFilter, DeleteAclsRequest};
use kafka_protocol::messages::describe_client_quotas_request::DescribeClientQuotasRequest;
use kafka_protocol::messages::describe_user_scram_credentials_request::DescribeUserScramCredentialsRequest;
use kconform_scenario::{Code, Cx, Failure, Undo, keys, requests, text};

use crate::probe;

/// Matches every resource type, pattern type, operation and permission.
const ANY: i8 = 1;

/// The quotas that cases set.
const QUOTAS: &[&str] =
    &["producer_byte_rate", "consumer_byte_rate", "request_percentage", "controller_mutation_rate"];

/// What runs whose names begin with `prefix` left behind, and a line for each kind that could not be listed. A target
/// that does not offer a kind, or has no authorizer, holds nothing of it.
pub(crate) async fn left_by(cx: &Cx, prefix: &str) -> (BTreeSet<Undo>, Vec<String>) {
    let mut found = BTreeSet::new();
    let mut unlisted = Vec::new();
    for (what, listed) in [
        ("ACLs", principals(cx, prefix).await),
        ("SCRAM credentials", users(cx, prefix).await),
        ("client quotas", entities(cx, prefix).await),
        ("replication quotas", leaders(cx).await),
    ] {
        match listed {
            Ok(listed) => found.extend(listed),
            Err(failure) => {
                let why = probe::sentence(&failure);
                unlisted.push(format!("the {what} cannot be listed: {why}"));
            }
        }
    }
    (found, unlisted)
}

async fn principals(cx: &Cx, prefix: &str) -> Result<Vec<Undo>, Failure> {
    if cx.newest(keys::DescribeAcls).is_err() {
        return Ok(Vec::new());
    }
    let Some(reply) = probe::acls(&mut cx.connect().await?).await? else {
        return Ok(Vec::new());
    };
    let body = reply.ok()?;
    let acls = body.resources.iter().flat_map(|resource| &resource.acls);
    let ours = acls.filter(|acl| {
        acl.principal.strip_prefix("User:").is_some_and(|name| name.starts_with(prefix))
    });
    Ok(ours.map(|acl| Undo::AclsOf(acl.principal.to_string())).collect())
}

async fn users(cx: &Cx, prefix: &str) -> Result<Vec<Undo>, Failure> {
    if cx.newest(keys::DescribeUserScramCredentials).is_err() {
        return Ok(Vec::new());
    }
    let request = DescribeUserScramCredentialsRequest::default().with_users(None);
    let body = cx.connect().await?.ask_newest(request).await?.ok()?;
    let names = body.results.iter().map(|result| result.user.to_string());
    Ok(names.filter(|name| name.starts_with(prefix)).map(Undo::ScramUser).collect())
}

async fn entities(cx: &Cx, prefix: &str) -> Result<Vec<Undo>, Failure> {
    if cx.newest(keys::DescribeClientQuotas).is_err() {
        return Ok(Vec::new());
    }
    let request = DescribeClientQuotasRequest::default().with_components(Vec::new());
    let body = cx.connect().await?.ask_newest(request).await?.ok()?;
    let mut found = Vec::new();
    for entity in body.entries.iter().flatten().flat_map(|entry| &entry.entity) {
        let Some(name) = entity.entity_name.as_ref().filter(|name| name.starts_with(prefix)) else {
            continue;
        };
        match &*entity.entity_type {
            "user" => found.push(Undo::UserQuota(name.to_string())),
            "client-id" => found.push(Undo::ClientQuota(name.to_string())),
            _ => {}
        }
    }
    Ok(found)
}

/// Brokers with the quota that cases set. It has no name of a run, but a value that nobody else gives it; one broker alone
/// has no replica to give it for.
async fn leaders(cx: &Cx) -> Result<Vec<Undo>, Failure> {
    let brokers = &cx.facts().brokers;
    if brokers.len() < 2 || cx.newest(keys::DescribeConfigs).is_err() {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for broker in brokers {
        let mut conn = cx.connect_broker(broker.id).await?;
        let settings = probe::settings_of(&mut conn, broker.id).await?;
        if settings.get(requests::LEADER_QUOTA).map(String::as_str) == Some(requests::TIGHT) {
            found.push(Undo::LeaderQuota(broker.id));
        }
    }
    Ok(found)
}

pub(crate) async fn undo(cx: &Cx, undo: &Undo) -> Result<(), Failure> {
    let mut conn = match undo {
        // A broker takes settings of its own alone.
        Undo::LeaderQuota(broker) => cx.connect_broker(*broker).await?,
        _ => cx.connect().await?,
    };
    match undo {
        Undo::Topic(_) => {}
        Undo::AclsOf(principal) => {
            let filter = DeleteAclsFilter::default()
                .with_resource_type_filter(ANY)
                .with_resource_name_filter(None)
                .with_pattern_type_filter(ANY)
                .with_principal_filter(Some(text(principal)))
                .with_host_filter(None)
                .with_operation(ANY)
                .with_permission_type(ANY);
            conn.ask_newest(DeleteAclsRequest::default().with_filters(vec![filter])).await?.ok()?;
        }
        Undo::ScramUser(user) => {
            let deletion = |mechanism| {
                ScramCredentialDeletion::default().with_name(text(user)).with_mechanism(mechanism)
            };
            // One request a mechanism: naming a credential that is not there refuses the user's other one.
            for mechanism in [1, 2] {
                let request = AlterUserScramCredentialsRequest::default()
                    .with_deletions(vec![deletion(mechanism)]);
                let reply = conn.ask_newest(request).await?;
                let gone =
                    reply.errors()?.iter().all(|(_, code)| [Code::NONE, Code(91)].contains(code));
                if !gone {
                    reply.ok()?;
                }
            }
        }
        Undo::UserQuota(name) => remove_quotas(&mut conn, "user", name).await?,
        Undo::ClientQuota(name) => remove_quotas(&mut conn, "client-id", name).await?,
        Undo::LeaderQuota(broker) => {
            conn.ask_newest(requests::leader_quota(*broker, false)).await?.ok()?;
        }
    }
    Ok(())
}

async fn remove_quotas(
    conn: &mut kconform_scenario::Conn,
    kind: &'static str,
    name: &str,
) -> Result<(), Failure> {
    let entity =
        EntityData::default().with_entity_type(text(kind)).with_entity_name(Some(text(name)));
    let removals =
        QUOTAS.iter().map(|quota| OpData::default().with_key(text(*quota)).with_remove(true));
    let entry = EntryData::default().with_entity(vec![entity]).with_ops(removals.collect());
    conn.ask_newest(AlterClientQuotasRequest::default().with_entries(vec![entry])).await?.ok()?;
    Ok(())
}
