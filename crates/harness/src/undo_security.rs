//! Undoing ACLs, SCRAM credentials and quotas.

use kafka_protocol::messages::alter_client_quotas_request::{
    AlterClientQuotasRequest, EntityData, EntryData, OpData,
};
use kafka_protocol::messages::alter_user_scram_credentials_request::{
    AlterUserScramCredentialsRequest, ScramCredentialDeletion,
};
use kafka_protocol::messages::delete_acls_request::{DeleteAclsFilter, DeleteAclsRequest};
use kconform_scenario::{Code, Cx, Failure, Undo, text};

/// The quotas that cases set.
const QUOTAS: &[&str] =
    &["producer_byte_rate", "consumer_byte_rate", "request_percentage", "controller_mutation_rate"];

pub(crate) async fn undo(cx: &Cx, undo: &Undo) -> Result<(), Failure> {
    let mut conn = cx.connect().await?;
    match undo {
        Undo::Topic(_) => {}
        Undo::AclsOf(principal) => {
            const ANY: i8 = 1;
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
