//! From a shape to a cluster that serves.

use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use crate::cluster::Cluster;
use crate::config::{self, Site};
use crate::error::{StartCause, StartError};
use crate::java::prerequisites_for;
use crate::listeners::Layout;
use crate::node::Node;
use crate::ports::Ports;
use crate::processes::Processes;
use crate::shape::Shape;
use crate::storage;
use crate::{Release, certificates, jars};

/// How often a start is tried when somebody else takes a port in between.
const TRIES: usize = 5;

/// What the names of the clusters' directories begin with.
pub(crate) const DIR_PREFIX: &str = "kconform-broker-";

impl Cluster {
    /// Starts a cluster and waits until every node lists all of them in its Metadata.
    ///
    /// The first start of a release fetches its jars. `progress` is told in short sentences what
    /// goes on.
    ///
    /// # Errors
    ///
    /// Something needed is missing, or a node did not come up; the error has the lines of its log
    /// that tell why.
    pub fn start(shape: &Shape, progress: &mut dyn FnMut(&str)) -> Result<Cluster, StartError> {
        let libs = fetch(std::slice::from_ref(shape), progress)?;
        start_from(shape, &libs[0], progress)
    }

    /// Starts several clusters side by side, in the order of the shapes. Jars are fetched before,
    /// one release after the other.
    ///
    /// # Errors
    ///
    /// As [`Cluster::start`], of the first shape that failed; the others are stopped.
    pub fn start_all(
        shapes: &[Shape],
        progress: &mut dyn FnMut(&str),
    ) -> Result<Vec<Cluster>, StartError> {
        let libs = fetch(shapes, progress)?;
        thread::scope(|scope| {
            let (say, said) = mpsc::channel::<String>();
            let starting: Vec<_> = shapes
                .iter()
                .zip(&libs)
                .map(|(shape, libs)| {
                    let say = say.clone();
                    scope.spawn(move || {
                        start_from(shape, libs, &mut |text| {
                            // Nobody listens only when the caller's own closure has panicked.
                            let _ = say.send(text.to_owned());
                        })
                    })
                })
                .collect();
            drop(say);
            said.iter().for_each(|text| progress(&text));
            let outcomes: Vec<_> = starting
                .into_iter()
                .map(|thread| {
                    let panicked = |_| Err(StartError::new(StartCause::System, "a start panicked"));
                    thread.join().unwrap_or_else(panicked)
                })
                .collect();
            outcomes.into_iter().collect()
        })
    }
}

/// Checks the shapes and what they need, and makes the jars of each present.
fn fetch(
    shapes: &[Shape],
    progress: &mut dyn FnMut(&str),
) -> Result<Vec<std::path::PathBuf>, StartError> {
    if let Some(shape) = shapes.iter().find(|shape| layout(shape).is_none()) {
        let what =
            format!("a cluster of {} nodes cannot be started, only one of 1 or 3", shape.nodes);
        return Err(StartError::new(StartCause::Shape, what));
    }
    let releases: Vec<Release> = shapes.iter().map(|shape| shape.release).collect();
    prerequisites_for(&releases)?;
    releases.into_iter().map(|release| jars::ensure(release, progress)).collect()
}

fn layout(shape: &Shape) -> Option<Layout> {
    match shape.nodes {
        1 => Some(Layout::One),
        3 => Some(Layout::Many(3)),
        _ => None,
    }
}

fn start_from(
    shape: &Shape,
    libs: &Path,
    progress: &mut dyn FnMut(&str),
) -> Result<Cluster, StartError> {
    let begun = Instant::now();
    let title = format!("Apache Kafka {}", shape.release);
    progress(&format!(
        "{title}: starting {}",
        if shape.nodes == 1 { "one node" } else { "three nodes" }
    ));
    let mut tries = 1;
    loop {
        match attempt(shape, libs) {
            Err(error) if error.cause() == StartCause::Ports && tries < TRIES => {
                progress(&format!("{title}: a port was taken meanwhile, trying others"));
                tries += 1;
            }
            Ok(cluster) => {
                let seconds = begun.elapsed().as_secs_f32();
                progress(&format!(
                    "{title}: ready after {seconds:.1} s at {}",
                    cluster.bootstrap()
                ));
                return Ok(cluster);
            }
            Err(error) => return Err(with_suspects(error, shape)),
        }
    }
}

fn attempt(shape: &Shape, libs: &Path) -> Result<Cluster, StartError> {
    let cluster = prepare(shape, libs)?;
    format(&cluster)?;
    let watches = cluster
        .nodes
        .iter()
        .map(|node| node.serve(&cluster.processes))
        .collect::<Result<Vec<_>, _>>()?;
    for (node, watch) in cluster.nodes.iter().zip(watches) {
        node.wait_until_serving(&cluster.processes, watch, |ports| ports.len() == shape.nodes)?;
    }
    Ok(cluster)
}

/// Chooses the ports and writes all files. What it returns is stopped and removed when it is
/// dropped.
fn prepare(shape: &Shape, libs: &Path) -> Result<Cluster, StartError> {
    let layout = layout(shape)
        .ok_or_else(|| StartError::new(StartCause::Shape, "one or three nodes only"))?;
    let ports = Ports::choose(layout.ports())
        .ok_or_else(|| StartError::new(StartCause::Ports, "no free ports found below 32768"))?;
    let unwritable = |error| StartError::system("cannot write the broker's directory", &error);
    let home = tempfile::Builder::new()
        .prefix(DIR_PREFIX)
        .tempdir_in(storage::directory())
        .map_err(unwritable)?;
    let certificate_dir = home.path().join("certificates");
    let certificates = certificates::write(&certificate_dir).map_err(unwritable)?;
    let mut nodes = Vec::with_capacity(shape.nodes);
    for (number, id) in (1..=shape.nodes).zip(1..) {
        let dir = home.path().join(format!("node-{number}"));
        let data = dir.join("data");
        let site = Site { layout, ports: &ports, data: &data, certificates: &certificate_dir };
        let properties = config::server_properties(shape, &site, id);
        let port = layout.plaintext(&ports, id);
        nodes.push(Node::prepare(shape, libs, dir, number, port, &properties).map_err(unwritable)?);
    }
    let processes = Processes::new(shape.nodes, home.path()).map_err(|error| {
        StartError::system("cannot start a shell (sh) to watch the brokers with", &error)
    })?;
    Ok(Cluster {
        shape: shape.clone(),
        listeners: layout.listeners(&ports),
        certificates,
        nodes,
        processes,
        _ports: ports,
        home: Some(home),
    })
}

/// Formats the storage of all nodes side by side; the processes stand in the places of the nodes
/// meanwhile.
fn format(cluster: &Cluster) -> Result<(), StartError> {
    let processes = &cluster.processes;
    let trouble = |error| StartError::system("cannot format the storage", &error);
    for (place, node) in cluster.nodes.iter().enumerate() {
        processes.run(place, || node.format(&cluster.shape)).map_err(trouble)?;
    }
    for (place, node) in cluster.nodes.iter().enumerate() {
        let status = processes.wait(place, Node::START_DEADLINE).map_err(trouble)?;
        if !status.is_some_and(|status| status.success()) {
            return Err(node.failed(StartCause::Format, "could not format its storage"));
        }
    }
    Ok(())
}

/// Names what the shape changes, which is at fault more often than anything else.
fn with_suspects(error: StartError, shape: &Shape) -> StartError {
    if !matches!(error.cause(), StartCause::Format | StartCause::Ended) {
        return error;
    }
    let settings = shape.settings.iter().map(|(key, value)| format!("{key}={value}"));
    let features = shape.features.iter().map(|(name, level)| format!("feature {name}={level}"));
    let suspects: Vec<String> = settings.chain(features).collect();
    if suspects.is_empty() {
        return error;
    }
    error.with_remedy(format!(
        "check what was asked for beside the usual settings: {}",
        suspects.join(", ")
    ))
}
