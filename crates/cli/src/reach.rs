//! From flags and files to a target.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use kconform_harness::settings::{Address, ClientSettings, TargetFile, Way};
use kconform_harness::{Hook, Probed, Target, fingerprint};
use kconform_scenario::wire::Dial;
use kconform_scenario::{Need, Reference};
use tokio::runtime::Runtime;

use crate::args::ReachArgs;
use crate::terminal::tell;
use crate::trouble::Trouble;

/// A target, and what its file says about running against it.
#[derive(Debug)]
pub(crate) struct Reached {
    /// The target.
    pub(crate) target: Target,
    /// The target file, if one described it.
    pub(crate) file: Option<PathBuf>,
    /// Cases at a time.
    pub(crate) jobs: Option<u16>,
    /// How long it may be away.
    pub(crate) wait: Option<Duration>,
}

/// The target that the flags and the files that they name describe.
pub(crate) fn target(args: &ReachArgs) -> Result<Reached, Trouble> {
    let file = match &args.target {
        Some(path) => {
            let file = TargetFile::read(path).map_err(usage)?;
            known_shapes(path, &file.shapes)?;
            file
        }
        None => TargetFile::default(),
    };
    let mut client = file.client;
    if let Some(path) = &args.command_config {
        client = client.overridden(ClientSettings::read(path.clone()).map_err(usage)?);
    }
    let mut flags = args.client.settings()?;
    for text in &args.bootstrap {
        flags.bootstrap.push(address(text)?);
    }
    client = client.overridden(flags);
    let mut target = Target::at(dials(&client)?);
    target.disruptive = file.disruptive.unwrap_or(false);
    target.reference = file.reference;
    target.shapes = file.shapes;
    target.users = file.users;
    target.nodes = file.hooks.map(|hooks| Arc::new(hooks) as Hook);
    for (listener, (address, way)) in file.listeners {
        target.listeners.insert(listener, dialled(&way, &address)?);
    }
    Ok(Reached { target, file: args.target.clone(), jobs: file.jobs, wait: file.wait })
}

/// One side of a comparison: an address with an optional client.properties, or a target file.
pub(crate) fn side(what: &str, config: Option<&Path>) -> Result<Target, Trouble> {
    let file = Path::new(what);
    let args = if file.extension().is_some_and(|extension| extension == "toml") || file.is_file() {
        ReachArgs { target: Some(file.to_owned()), ..ReachArgs::default() }
    } else {
        let bootstrap = what.split(',').map(str::to_owned).collect();
        ReachArgs { bootstrap, ..ReachArgs::default() }
    };
    let args = ReachArgs { command_config: config.map(Path::to_owned), ..args };
    Ok(target(&args)?.target)
}

/// A plain way to an address.
pub(crate) fn dial(text: &str) -> Result<Dial, Trouble> {
    let Address { host, port } = address(text)?;
    Ok(Dial::plain(host, port))
}

/// Whether there are cases that need a broker of each of these shapes, which this target file names.
fn known_shapes(file: &Path, shapes: &[String]) -> Result<(), Trouble> {
    let scenarios = conformance::scenarios();
    let needs = scenarios.iter().flat_map(|scenario| scenario.needs);
    let known: BTreeSet<&str> = needs
        .filter_map(|need| match need {
            Need::Shape(name) => Some(*name),
            _ => None,
        })
        .collect();
    let Some(unknown) = shapes.iter().find(|shape| !known.contains(shape.as_str())) else {
        return Ok(());
    };
    let known: Vec<&str> = known.into_iter().collect();
    Err(Trouble::Usage(format!(
        "{}: capabilities.shapes: no case needs the shape `{unknown}`; there are {}",
        file.display(),
        known.join(", ")
    )))
}

/// Whether we know what this release line does.
pub(crate) fn known_reference(reference: Reference) -> Result<(), Trouble> {
    fingerprint::known(reference).map_err(Trouble::Usage)
}

fn dials(client: &ClientSettings) -> Result<Vec<Dial>, Trouble> {
    if !client.ignored.is_empty() {
        tell(&format!("settings that kconform has no use for: {}", client.ignored.join(", ")));
    }
    if client.bootstrap.is_empty() {
        return Err(Trouble::Usage(
            "no address is given: name one with --bootstrap HOST:PORT, or as bootstrap.servers in the file of \
             --command-config"
                .to_owned(),
        ));
    }
    let way = client.way().map_err(usage)?;
    client.bootstrap.iter().map(|address| dialled(&way, address)).collect()
}

fn dialled(way: &Way, address: &Address) -> Result<Dial, Trouble> {
    way.dial(address).map_err(|error| {
        Trouble::Usage(format!(
            "the way to {address}: {error}\nthe files of TLS are named by --ca-file, --cert-file and --key-file, by \
             ssl.truststore.location and ssl.keystore.location in client.properties, by ca, cert and key in a target file"
        ))
    })
}

fn address(text: &str) -> Result<Address, Trouble> {
    text.parse().map_err(|error| Trouble::Usage(format!("{error}")))
}

fn usage(error: impl std::fmt::Display) -> Trouble {
    Trouble::Usage(error.to_string())
}

/// Probes a target from outside a run.
pub(crate) fn probe_now(target: &Target) -> Result<Probed, Trouble> {
    Ok(runtime_and_probe(target)?.1)
}

/// Probes a target; gives the runtime too, for what is asked of it next.
pub(crate) fn runtime_and_probe(target: &Target) -> Result<(Runtime, Probed), Trouble> {
    let runtime = Runtime::new()
        .map_err(|error| Trouble::Ours(format!("no runtime for the network: {error}")))?;
    let probed = runtime
        .block_on(kconform_harness::probe(target))
        .map_err(|error| Trouble::Unreachable(error.to_string()))?;
    Ok((runtime, probed))
}

/// A value as JSON for programs, with a line break at the end.
pub(crate) fn json(value: &impl serde::Serialize) -> Result<String, Trouble> {
    serde_json::to_string_pretty(value)
        .map(|text| text + "\n")
        .map_err(|error| Trouble::Ours(format!("JSON cannot be written: {error}")))
}
