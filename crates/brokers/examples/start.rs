//! Starts Apache Kafka, prints its endpoints, and keeps it until standard input ends or the process
//! is told to end.
//!
//! `cargo run -p kconform-brokers --example start -- 4.4.0 [--nodes 3] [--no-authorizer]
//! [--apache-defaults] [--every-protocol] [--set KEY=VALUE]... [--feature NAME=LEVEL]...
//! [--forever]`
//!
//! With `--forever` the end of standard input means nothing; end it with SIGTERM or Ctrl-C.

use std::error::Error;
use std::io::{self, Read};
use std::process::ExitCode;
use std::thread;

use kconform_brokers::{Cluster, Coordinator, Release, Shape, USERS};

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let (shape, forever) = arguments(std::env::args().skip(1))?;
    let cluster = Cluster::start(&shape, &mut |step| eprintln!("{step}"))?;
    print(&cluster);
    // SIGTERM and Ctrl-C end this process at once; the cluster's watcher then stops the brokers.
    if forever {
        loop {
            thread::park();
        }
    }
    io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

fn arguments(mut arguments: impl Iterator<Item = String>) -> Result<(Shape, bool), Box<dyn Error>> {
    let mut release = Release::newest();
    let mut nodes = 1;
    let mut forever = false;
    let mut changes: Vec<Box<dyn FnOnce(Shape) -> Shape>> = Vec::new();
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or(format!("{argument} needs a value"));
        match argument.as_str() {
            "--nodes" => nodes = value()?.parse()?,
            "--no-authorizer" => changes.push(Box::new(Shape::without_authorizer)),
            "--apache-defaults" => changes.push(Box::new(Shape::with_apache_defaults)),
            "--every-protocol" => {
                changes.push(Box::new(|shape| shape.with_coordinator(Coordinator::Every)))
            }
            "--set" => {
                let (key, value) = pair(&value()?)?;
                changes.push(Box::new(move |shape| shape.with_setting(key, value)));
            }
            "--feature" => {
                let (name, level) = pair(&value()?)?;
                let level = level.parse()?;
                changes.push(Box::new(move |shape| shape.with_feature(name, level)));
            }
            "--forever" => forever = true,
            text => release = Release::parse(text)?,
        }
    }
    let shape =
        if nodes == 1 { Shape::one(release) } else { Shape { nodes, ..Shape::three(release) } };
    Ok((changes.into_iter().fold(shape, |shape, change| change(shape)), forever))
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or(format!("`{text}` is not KEY=VALUE"))?;
    Ok((key.to_owned(), value.to_owned()))
}

fn print(cluster: &Cluster) {
    let listeners = cluster.listeners();
    println!("release         {}", cluster.release());
    println!("bootstrap       {}", cluster.endpoints().join(","));
    for (name, endpoint) in [
        ("sasl_plaintext", &listeners.sasl_plaintext),
        ("ssl", &listeners.ssl),
        ("sasl_ssl", &listeners.sasl_ssl),
        ("mtls", &listeners.mtls),
        ("reauth", &listeners.reauth),
        ("limited", &listeners.limited),
    ] {
        if let Some(endpoint) = endpoint {
            println!("{name:<15} {endpoint}");
        }
    }
    let certificates = cluster.certificates();
    println!("ca              {}", certificates.ca.display());
    println!("client          {}", certificates.client.display());
    println!("client key      {}", certificates.client_key.display());
    for user in USERS {
        println!("user            {} {}", user.name, user.password);
    }
    println!("pids            {:?} (this one {})", cluster.pids(), std::process::id());
}
