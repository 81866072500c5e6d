//! An Apache Kafka of our own: started for a run and stopped with it.

use std::sync::Arc;

use kconform_brokers::{
    Cluster, Listeners, Release, Shape, StartCause, StartError, USERS, prerequisites_for,
};
use kconform_harness::Target;
use kconform_scenario::wire::{Tls, tls};
use kconform_scenario::{Listener, Role, User};

use crate::args::OwnArgs;
use crate::conform::mortal;
use crate::reach;
use crate::terminal::tell;
use crate::trouble::Trouble;

/// What came of the wish for a broker.
#[derive(Debug)]
pub(crate) enum Started {
    /// It serves. Dropping it stops it.
    Running(Box<Own>),
    /// Something that it takes is not on this machine; says what, and what to install.
    Impossible(String),
}

/// A running Apache Kafka of our own.
#[derive(Debug)]
pub(crate) struct Own {
    cluster: Arc<Cluster>,
}

/// Starts it.
pub(crate) fn start(args: &OwnArgs) -> Result<Started, Trouble> {
    if let Err(missing) = prerequisites_for(&[args.release()]) {
        return Ok(Started::Impossible(missing.to_string()));
    }
    match Cluster::start(&shape(args), &mut |step| tell(step)) {
        Ok(cluster) => Ok(Started::Running(Box::new(Own { cluster: Arc::new(cluster) }))),
        Err(error) if no_network(&error) => Ok(Started::Impossible(error.to_string())),
        Err(error) => Err(Trouble::Unreachable(error.to_string())),
    }
}

/// Starts one like it, with settings of its own, where one runs already.
pub(crate) fn start_with(
    args: &OwnArgs,
    settings: &[(&str, &str)],
    features: &[(&str, u16)],
) -> Result<Own, Trouble> {
    let shape =
        settings.iter().fold(shape(args), |shape, (key, value)| shape.with_setting(*key, *value));
    let shape =
        features.iter().fold(shape, |shape, (name, level)| shape.with_feature(*name, *level));
    match Cluster::start(&shape, &mut |step| tell(step)) {
        Ok(cluster) => Ok(Own { cluster: Arc::new(cluster) }),
        Err(error) => Err(Trouble::Unreachable(error.to_string())),
    }
}

/// The shape that the flags ask for.
pub(crate) fn shape(args: &OwnArgs) -> Shape {
    let release = args.release();
    let shape = if args.nodes() == 3 { Shape::three(release) } else { Shape::one(release) };
    let shape = if args.no_authorizer { shape.without_authorizer() } else { shape };
    let shape = if args.apache_defaults { shape.with_apache_defaults() } else { shape };
    let shape =
        args.feature.iter().fold(shape, |shape, (name, level)| shape.with_feature(name, *level));
    args.setting.iter().fold(shape, |shape, (name, value)| shape.with_setting(name, value))
}

impl Own {
    /// Kills one of its nodes, as a power cut would.
    pub(crate) fn kill(&self, node: i32) -> Result<(), Trouble> {
        let node = usize::try_from(node).unwrap_or(0);
        self.cluster.kill(node).map_err(|error| Trouble::Unreachable(error.to_string()))
    }

    /// The release that runs.
    pub(crate) fn release(&self) -> Release {
        self.cluster.release()
    }

    /// Every way in, and every user.
    pub(crate) fn target(&self) -> Result<Target, Trouble> {
        let endpoints = self.cluster.endpoints();
        let bootstrap = endpoints.iter().map(|endpoint| reach::dial(endpoint));
        let mut target = Target::at(bootstrap.collect::<Result<_, _>>()?);
        target.disruptive = true;
        target.nodes = Some(mortal::hook(&self.cluster));
        let certificates = self.cluster.certificates();
        let trusting = tls::TlsOptions {
            ca_pem: Some(tls::Pem::File(certificates.ca.clone())),
            ..tls::TlsOptions::default()
        };
        let listeners = self.cluster.listeners();
        for (listener, endpoint) in ways(listeners) {
            let mut dial = reach::dial(endpoint)?;
            dial.tls = match listener {
                Listener::Ssl | Listener::SaslSsl => Some(tls(&trusting)?),
                Listener::Mtls => Some(tls(&tls::TlsOptions {
                    client_cert_pem: Some(tls::Pem::File(certificates.client.clone())),
                    client_key_pem: Some(tls::Pem::File(certificates.client_key.clone())),
                    ..trusting.clone()
                })?),
                _ => None,
            };
            target.listeners.insert(listener, dial);
        }
        // Nobody can log in where there is no SASL listener.
        if listeners.sasl_plaintext.is_some() {
            target.users = users().collect();
        }
        Ok(target)
    }
}

/// The listeners that a cluster has, with their addresses.
pub(crate) fn ways(listeners: &Listeners) -> Vec<(Listener, &str)> {
    let Listeners { plaintext, sasl_plaintext, ssl, sasl_ssl, mtls, reauth, limited } = listeners;
    let all = [
        (Listener::Plaintext, Some(plaintext)),
        (Listener::SaslPlaintext, sasl_plaintext.as_ref()),
        (Listener::Ssl, ssl.as_ref()),
        (Listener::SaslSsl, sasl_ssl.as_ref()),
        (Listener::Mtls, mtls.as_ref()),
        (Listener::Reauth, reauth.as_ref()),
        (Listener::Limited, limited.as_ref()),
    ];
    let present = all.into_iter().filter_map(|(listener, address)| Some((listener, address?)));
    present.map(|(listener, address)| (listener, address.as_str())).collect()
}

/// The users of every broker that we start, with the parts that they play.
pub(crate) fn users() -> impl Iterator<Item = (Role, User)> {
    let roles = [Role::Unprivileged, Role::SecondUnprivileged];
    let mut unprivileged = roles.into_iter();
    USERS.iter().filter_map(move |user| {
        let role = if user.super_user { Role::Super } else { unprivileged.next()? };
        let scram: &[&str] = if user.scram { &["SCRAM-SHA-256", "SCRAM-SHA-512"] } else { &[] };
        let mechanisms = ["PLAIN"].iter().chain(scram).map(|name| (*name).to_owned()).collect();
        let (name, password) = (user.name.to_owned(), user.password.to_owned());
        Some((role, User { name, password, public: true, mechanisms }))
    })
}

fn tls(options: &tls::TlsOptions) -> Result<Tls, Trouble> {
    let config = tls::client_config(options).map_err(|error| Trouble::Ours(error.to_string()))?;
    Ok(Tls { config, server_name: None })
}

/// The release could not be fetched, as on a machine without a network; a recording can still be shown.
fn no_network(error: &StartError) -> bool {
    error.cause() == StartCause::Fetch
}
