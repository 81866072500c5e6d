//! Principals and their rights: fresh users, and grants that have taken effect. An answer to CreateAcls or
//! AlterUserScramCredentials says that the change was accepted, not that the next request or login sees it.

use std::time::Duration;

use bytes::Bytes;
use kafka_protocol::messages::MetadataRequest;
use kafka_protocol::messages::alter_user_scram_credentials_request::{
    AlterUserScramCredentialsRequest, ScramCredentialUpsertion,
};
use kafka_protocol::messages::create_acls_request::{AclCreation, CreateAclsRequest};
use kconform_wire::sasl::scram::{Hash, MIN_ITERATIONS};
use kconform_wire::{Mechanism, Sasl, Secret};

use crate::cx::{Cx, Undo};
use crate::failure::{Failure, Outcome};
use crate::requests::{self, Coordinator, text};
use crate::{Code, Conn, Listener, keys};

/// How long a change of users or rights may take to be seen: far beyond what was seen on a loaded cluster.
const SEEN_WITHIN: Duration = Duration::from_secs(15);

/// What a right is about, by its literal name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resource<'a> {
    /// A topic.
    Topic(&'a str),
    /// A group.
    Group(&'a str),
    /// The cluster as such; its only name is `kafka-cluster`.
    Cluster,
    /// A transactional id.
    TransactionalId(&'a str),
}

impl<'a> Resource<'a> {
    /// The number of the resource type in the ACL APIs (`ResourceType`).
    pub fn kind(self) -> i8 {
        match self {
            Resource::Topic(_) => 2,
            Resource::Group(_) => 3,
            Resource::Cluster => 4,
            Resource::TransactionalId(_) => 5,
        }
    }

    /// The name of the resource.
    pub fn name(self) -> &'a str {
        match self {
            Resource::Cluster => "kafka-cluster",
            Resource::Topic(name) | Resource::Group(name) | Resource::TransactionalId(name) => name,
        }
    }
}

/// Operations by their numbers in the ACL APIs (`AclOperation`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i8)]
#[allow(missing_docs)]
pub enum Operation {
    All = 2,
    Read = 3,
    Write = 4,
    Create = 5,
    Delete = 6,
    Alter = 7,
    Describe = 8,
    ClusterAction = 9,
    DescribeConfigs = 10,
    AlterConfigs = 11,
    IdempotentWrite = 12,
}

impl Operation {
    /// Whether a grant of this operation brings DESCRIBE along (`StandardAuthorizerData.findResult`).
    fn implies_describe(self) -> bool {
        use Operation::{All, Alter, Delete, Describe, Read, Write};
        matches!(self, All | Read | Write | Delete | Alter | Describe)
    }
}

/// Pattern type LITERAL of the ACL APIs.
pub const LITERAL: i8 = 3;
/// Pattern type PREFIXED of the ACL APIs.
pub const PREFIXED: i8 = 4;
/// Permission DENY of the ACL APIs.
pub const DENY: i8 = 2;
/// Permission ALLOW of the ACL APIs.
pub const ALLOW: i8 = 3;

/// An ACL that allows this user the operation on the resource, from any host.
pub fn allowed(user: &str, on: Resource<'_>, operation: Operation) -> AclCreation {
    AclCreation::default()
        .with_resource_type(on.kind())
        .with_resource_name(text(on.name()))
        .with_resource_pattern_type(LITERAL)
        .with_principal(text(format!("User:{user}")))
        .with_host(text("*"))
        .with_operation(operation as i8)
        .with_permission_type(ALLOW)
}

/// A credential for this user, with the fewest iterations that are allowed.
pub fn credential(user: &str, password: &str, hash: Hash) -> ScramCredentialUpsertion {
    let salt = format!("salt of {user}").into_bytes();
    let iterations = MIN_ITERATIONS;
    ScramCredentialUpsertion::default()
        .with_name(text(user))
        .with_mechanism(hash.id())
        .with_iterations(i32::try_from(iterations).unwrap_or(i32::MAX))
        .with_salted_password(Bytes::from(hash.salted_password(password, &salt, iterations)))
        .with_salt(Bytes::from(salt))
}

impl Cx {
    /// A fresh user without rights, who can log in with this SCRAM mechanism: name and password.
    ///
    /// # Errors
    /// [`Failure::NotRun`] without the listener `sasl_plaintext`, [`Failure::Blocked`] when the user cannot be made.
    pub async fn scram_user(&self, hash: Hash) -> Result<(String, String), Failure> {
        let (user, password) = (self.name("user"), self.name("password"));
        self.scram_user_named(&user, &password, hash).await?;
        Ok((user, password))
    }

    /// Makes a user with this name and password, who can log in with this SCRAM mechanism, and waits until that works.
    ///
    /// # Errors
    /// As [`Cx::scram_user`].
    pub async fn scram_user_named(&self, user: &str, password: &str, hash: Hash) -> Outcome {
        self.undo(Undo::ScramUser(user.to_owned()));
        let mut conn = self.connect().await?;
        let upsertions = vec![credential(user, password, hash)];
        let request = AlterUserScramCredentialsRequest::default().with_upsertions(upsertions);
        conn.ask_newest(request).await?.ok()?;
        let mechanism = match hash {
            Hash::Sha256 => Mechanism::ScramSha256,
            Hash::Sha512 => Mechanism::ScramSha512,
        };
        let mut tries = self.tries(format!("user {user} to log in"), SEEN_WITHIN);
        while let Err(refused) = self.try_log_in(user, password, mechanism).await? {
            tries.again(refused).await?;
        }
        Ok(())
    }

    /// A connection to the listener `sasl_plaintext`, logged in as this user; a refusal is given back.
    ///
    /// # Errors
    /// [`Failure::NotRun`] when there is no such listener.
    pub async fn try_log_in(
        &self,
        user: &str,
        password: &str,
        mechanism: Mechanism,
    ) -> Result<Result<Conn, kconform_wire::OpenError>, Failure> {
        let (user, secret) = (user.to_owned(), Secret(password.to_owned()));
        let sasl = Sasl { mechanism, user, secret };
        self.attempt(Listener::SaslPlaintext, |dial| dial.sasl = Some(sasl)).await
    }

    /// A connection to the listener `sasl_plaintext`, logged in as this user.
    ///
    /// # Errors
    /// [`Failure::NotRun`] when there is no such listener, [`Failure::Blocked`] when the login fails.
    pub async fn log_in_as(
        &self,
        user: &str,
        password: &str,
        mechanism: Mechanism,
    ) -> Result<Conn, Failure> {
        self.try_log_in(user, password, mechanism)
            .await?
            .map_err(|refused| Failure::blocked(format!("{user} to log in"), refused.to_string()))
    }

    /// Allows this user the operation on the resource, and waits until the user's own connection sees it wherever the
    /// right brings DESCRIBE along. Grants only ever name fresh resources: all cases share the users of the target.
    ///
    /// # Errors
    /// [`Failure::Blocked`] when the ACL is refused or does not take effect.
    pub async fn grant(
        &self,
        conn: &mut Conn,
        user: &str,
        on: Resource<'_>,
        operation: Operation,
    ) -> Outcome {
        self.create_acl(allowed(user, on, operation)).await?;
        if !operation.implies_describe() {
            return Ok(());
        }
        let mut tries = self.tries(format!("{user} to be allowed {operation:?}"), SEEN_WITHIN);
        while let Some(refused) = self.undescribable(conn, on).await? {
            tries.again(refused).await?;
        }
        Ok(())
    }

    /// Creates this ACL and registers its undo.
    ///
    /// # Errors
    /// [`Failure::Blocked`] when it is refused.
    pub async fn create_acl(&self, acl: AclCreation) -> Outcome {
        self.undo(Undo::AclsOf(acl.principal.to_string()));
        let request = CreateAclsRequest::default().with_creations(vec![acl]);
        let mut conn = self.setup().await?;
        conn.ask_newest(request).await?.ok()?;
        self.setup_done(conn);
        Ok(())
    }

    /// The refusal that this connection gets when it asks to see the resource, if it gets one.
    async fn undescribable(
        &self,
        conn: &mut Conn,
        resource: Resource<'_>,
    ) -> Result<Option<Code>, Failure> {
        let denied = |errors: Vec<(String, Code)>| {
            const DENIED: [Code; 3] = [Code(29), Code(30), Code(53)];
            errors.into_iter().map(|(_, code)| code).find(|code| DENIED.contains(code))
        };
        let (kind, key) = match resource {
            Resource::Cluster => return Ok(None),
            Resource::Topic(name) => {
                let request = MetadataRequest::default()
                    .with_topics(Some(vec![requests::metadata_topic(name)]))
                    .with_allow_auto_topic_creation(false);
                return Ok(denied(conn.ask_newest(request).await?.errors()?));
            }
            Resource::Group(group) => (Coordinator::Group, group),
            Resource::TransactionalId(id) => (Coordinator::Transaction, id),
        };
        let version = self.newest(keys::FindCoordinator)?;
        let request = requests::find_coordinator(version, kind, key);
        Ok(denied(conn.ask_newest(request).await?.errors()?))
    }
}
