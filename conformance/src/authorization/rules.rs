//! How ACLs decide, seen through Metadata (3): a topic that may be described but does not exist gives
//! UNKNOWN_TOPIC_OR_PARTITION, one that may not be described TOPIC_AUTHORIZATION_FAILED.
//!
//! An ACL that must not help is created before one that does: when the second is seen, the first counts too.

use kafka_protocol::messages::create_acls_request::{AclCreation, CreateAclsRequest};
use kafka_protocol::messages::{DeleteAclsRequest, MetadataResponse};
use kconform_scenario::Undo;
use kconform_scenario::prelude::*;
use kconform_scenario::principals::{DENY, Operation, PREFIXED, Resource, allowed};
use kconform_scenario::requests::metadata;
use kconform_scenario::wire::sasl::scram::Hash;

use super::acls::removing;
use super::allowed::{Somebody, unprivileged, until_seen};

scenarios![
    a_prefixed_acl_covers_the_names_that_begin_with_it,
    rights_come_and_go_on_open_connections,
    a_denial_beats_every_allowance,
    a_super_user_ignores_denials,
    some_rights_bring_the_right_to_describe,
    the_right_to_create_does_not_bring_the_right_to_describe,
    denying_to_read_does_not_deny_to_describe,
    a_literal_asterisk_covers_every_name,
    principals_are_case_sensitive,
];

/// An ACL of pattern type PREFIXED (4) covers every name that begins with its own: one for `foo`
/// allows `foobar`, and not `fo`.
#[scenario("ACL-004", api = CreateAcls, versions = 1.., needs = [Authorizer,
           Listener(Listener::SaslPlaintext), User(Role::Unprivileged, "PLAIN")])]
async fn a_prefixed_acl_covers_the_names_that_begin_with_it(cx: &mut Cx) -> Outcome {
    let prefix = cx.name("prefix");
    let mut somebody = unprivileged(cx).await?;
    let acl = allowed(&somebody.name, Resource::Topic(&prefix), Operation::Read);
    create(cx, acl.with_resource_pattern_type(PREFIXED)).await?;
    until_described(cx, &mut somebody.conn, &format!("{prefix}bar")).await?;
    let shorter = prefix.get(..prefix.len() - 1).unwrap_or_default();
    expect_hidden(cx, &mut somebody.conn, shorter).await
}

/// A new ACL takes effect on connections that are open already, within a bounded time and without a
/// new login, and so does the deletion of one (on a combined node nearly always with the first
/// request after the answer).
#[scenario("ACL-015", api = DeleteAcls, needs = [Authorizer, Listener(Listener::SaslPlaintext),
           User(Role::Unprivileged, "PLAIN")])]
async fn rights_come_and_go_on_open_connections(cx: &mut Cx) -> Outcome {
    let topic = cx.name("topic");
    let Somebody { name, mut conn } = unprivileged(cx).await?;
    expect_hidden(cx, &mut conn, &topic).await?;
    cx.create_acl(allowed(&name, Resource::Topic(&topic), Operation::Read)).await?;
    until_described(cx, &mut conn, &topic).await?;

    let request = DeleteAclsRequest::default().with_filters(vec![removing(&topic)]);
    cx.connect().await?.ask(request).await?.ok()?;
    let mut tries = until_seen(cx);
    while described(cx, &mut conn, &topic).await? {
        tries.expect("the topic is still described").await?;
    }
    Ok(())
}

/// An ACL that denies beats every ACL that allows, whichever of the two is more specific; a super
/// user ignores denials.
#[scenario("ACL-018", api = CreateAcls, versions = 1.., vary = ["wider", "narrower"],
           needs = [Authorizer, Listener(Listener::SaslPlaintext),
                    User(Role::Unprivileged, "PLAIN")])]
async fn a_denial_beats_every_allowance(cx: &mut Cx) -> Outcome {
    let topic = cx.name("topic");
    let Somebody { name, mut conn } = unprivileged(cx).await?;
    let literal = allowed(&name, Resource::Topic(&topic), Operation::Describe);
    let prefixed = literal.clone().with_resource_pattern_type(PREFIXED);
    let (allow, deny) =
        if cx.variant() == "wider" { (literal, prefixed) } else { (prefixed, literal) };
    create(cx, allow).await?;
    until_described(cx, &mut conn, &topic).await?;

    create(cx, deny.with_permission_type(DENY)).await?;
    let mut tries = until_seen(cx);
    while described(cx, &mut conn, &topic).await? {
        tries.expect("the topic is still described").await?;
    }
    Ok(())
}

/// An ACL that denies beats every ACL that allows, whichever of the two is more specific; a super
/// user ignores denials.
#[scenario("ACL-018", api = CreateAcls, needs = [Authorizer, Listener(Listener::SaslPlaintext),
           User(Role::Super, "PLAIN"), User(Role::Unprivileged, "PLAIN")])]
async fn a_super_user_ignores_denials(cx: &mut Cx) -> Outcome {
    let topic = cx.name("topic");
    let (name, _) = cx.credentials(Role::Super)?;
    let right = Resource::Topic(&topic);
    create(cx, allowed(&name, right, Operation::All).with_permission_type(DENY)).await?;
    sentinel(cx).await?;
    let mut conn = cx.log_in(Listener::SaslPlaintext, Role::Super, Mechanism::Plain).await?;
    expect_described(cx, &mut conn, &topic).await
}

/// Being allowed READ, WRITE, DELETE or ALTER implies DESCRIBE, and ALTER_CONFIGS implies
/// DESCRIBE_CONFIGS; nothing else is implied: READ does not imply WRITE, and CREATE does not imply
/// DESCRIBE.
#[scenario("ACL-019", api = CreateAcls, vary = ["read", "write", "delete", "alter"],
           needs = [Authorizer, Listener(Listener::SaslPlaintext),
                    User(Role::Unprivileged, "PLAIN")])]
async fn some_rights_bring_the_right_to_describe(cx: &mut Cx) -> Outcome {
    let topic = cx.name("topic");
    let operation = match cx.variant() {
        "read" => Operation::Read,
        "write" => Operation::Write,
        "delete" => Operation::Delete,
        _ => Operation::Alter,
    };
    let Somebody { name, mut conn } = unprivileged(cx).await?;
    expect_hidden(cx, &mut conn, &topic).await?;
    create(cx, allowed(&name, Resource::Topic(&topic), operation)).await?;
    until_described(cx, &mut conn, &topic).await
}

/// Being allowed READ, WRITE, DELETE or ALTER implies DESCRIBE, and ALTER_CONFIGS implies
/// DESCRIBE_CONFIGS; nothing else is implied: READ does not imply WRITE, and CREATE does not imply
/// DESCRIBE.
#[scenario("ACL-019", api = CreateAcls, needs = [Authorizer, Listener(Listener::SaslPlaintext),
           User(Role::Unprivileged, "PLAIN")])]
async fn the_right_to_create_does_not_bring_the_right_to_describe(cx: &mut Cx) -> Outcome {
    let topic = cx.name("topic");
    let Somebody { name, mut conn } = unprivileged(cx).await?;
    create(cx, allowed(&name, Resource::Topic(&topic), Operation::Create)).await?;
    sentinel(cx).await?;
    expect_hidden(cx, &mut conn, &topic).await
}

/// Being denied READ does not deny DESCRIBE.
#[scenario("ACL-020", api = CreateAcls, needs = [Authorizer, Listener(Listener::SaslPlaintext),
           User(Role::Unprivileged, "PLAIN")])]
async fn denying_to_read_does_not_deny_to_describe(cx: &mut Cx) -> Outcome {
    let topic = cx.name("topic");
    let Somebody { name, mut conn } = unprivileged(cx).await?;
    let right = Resource::Topic(&topic);
    create(cx, allowed(&name, right, Operation::Read).with_permission_type(DENY)).await?;
    create(cx, allowed(&name, right, Operation::Describe)).await?;
    until_described(cx, &mut conn, &topic).await
}

/// An ACL on the literal name `*` covers every name; one of pattern type PREFIXED on `*` covers
/// only names that begin with an asterisk.
#[scenario("ACL-022", api = CreateAcls, needs = [Authorizer, Listener(Listener::SaslPlaintext)])]
async fn a_literal_asterisk_covers_every_name(cx: &mut Cx) -> Outcome {
    // A user of the case's own: the right reaches every topic.
    let (name, password) = cx.scram_user(Hash::Sha256).await?;
    let mut conn = cx.log_in_as(&name, &password, Mechanism::ScramSha256).await?;
    let topic = cx.name("topic");
    expect_hidden(cx, &mut conn, &topic).await?;
    create(cx, allowed(&name, Resource::Topic("*"), Operation::Describe)).await?;
    until_described(cx, &mut conn, &topic).await
}

/// Type and name of a principal compare case-sensitively: ACLs for `User:Bob` or `user:bob` are
/// accepted and give the user `bob` nothing.
#[scenario("ACL-024", api = CreateAcls, vary = ["name", "type"], needs = [Authorizer,
           Listener(Listener::SaslPlaintext)])]
async fn principals_are_case_sensitive(cx: &mut Cx) -> Outcome {
    let (name, password) = cx.scram_user(Hash::Sha256).await?;
    let mut conn = cx.log_in_as(&name, &password, Mechanism::ScramSha256).await?;
    let topic = cx.name("topic");
    let acl = allowed(&name, Resource::Topic(&topic), Operation::Describe);
    let principal = match cx.variant() {
        "name" => format!("User:{}", name.to_ascii_uppercase()),
        _ => format!("user:{name}"),
    };
    create(cx, acl.clone().with_principal(text(principal))).await?;
    sentinel(cx).await?;
    expect_hidden(cx, &mut conn, &topic).await?;
    create(cx, acl).await?;
    until_described(cx, &mut conn, &topic).await
}

/// The act: creates this ACL, in the version of the case where that is CreateAcls.
async fn create(cx: &Cx, acl: AclCreation) -> Outcome {
    cx.undo(Undo::AclsOf(acl.principal.to_string()));
    let request = CreateAclsRequest::default().with_creations(vec![acl]);
    cx.connect().await?.ask(request).await?.expect_ok()?;
    Ok(())
}

/// Waits until an ACL that is created now is seen: those before it are then seen too.
async fn sentinel(cx: &Cx) -> Outcome {
    let topic = cx.name("sentinel");
    let mut somebody = unprivileged(cx).await?;
    let right = Resource::Topic(&topic);
    cx.grant(&mut somebody.conn, &somebody.name, right, Operation::Describe).await
}

/// What Metadata says of a topic that does not exist.
async fn asked(cx: &Cx, conn: &mut Conn, topic: &str) -> Result<Reply<MetadataResponse>, Failure> {
    conn.ask_newest(metadata(cx.newest(keys::Metadata)?, &[topic])).await
}

/// Whether the right to describe this topic is seen.
async fn described(cx: &Cx, conn: &mut Conn, topic: &str) -> Result<bool, Failure> {
    let reply = asked(cx, conn, topic).await?;
    let code = reply.at("topics[0].error_code")?;
    match code.as_int() {
        Some(3) => Ok(true),
        Some(29) => Ok(false),
        _ => Err(reply.violated("topics[0].error_code = 3 or 29", code.to_string())),
    }
}

/// The act: the topic may not be described.
async fn expect_hidden(cx: &Cx, conn: &mut Conn, topic: &str) -> Outcome {
    asked(cx, conn, topic).await?.expect_error(TopicAuthorizationFailed)
}

/// The act: the topic may be described.
async fn expect_described(cx: &Cx, conn: &mut Conn, topic: &str) -> Outcome {
    asked(cx, conn, topic).await?.expect_error(UnknownTopicOrPartition)
}

/// The act: the topic may be described as soon as the ACL is seen.
async fn until_described(cx: &Cx, conn: &mut Conn, topic: &str) -> Outcome {
    let mut tries = until_seen(cx);
    while !described(cx, conn, topic).await? {
        tries.expect("the topic may not be described").await?;
    }
    Ok(())
}
