//! One node: its files, its process, and whether it serves.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::error::{StartCause, StartError};
use crate::processes::Processes;
use crate::ready::{self, LogWatch};
use crate::shape::Shape;
use crate::{Release, java, logging};

/// How many lines of a log an error shows.
const SHOWN_LINES: usize = 15;

/// Any cluster id will do; all nodes of a cluster have to have the same.
const CLUSTER_ID: &str = "AAAAAAAAAAAAAAAAAAAAAQ";

/// A node of a cluster: where its files are and how it is run.
#[derive(Debug)]
pub(crate) struct Node {
    /// Its number, from 1, and its `node.id`.
    pub(crate) number: usize,
    /// Its PLAINTEXT port.
    pub(crate) port: u16,
    release: Release,
    libs: PathBuf,
    dir: PathBuf,
    heap_megabytes: u32,
}

impl Node {
    /// How long a start may take. Two seconds are usual, sixty were seen on a machine with a load
    /// of sixty.
    pub(crate) const START_DEADLINE: Duration = Duration::from_secs(90);

    /// A node of a cluster of so many, whose files are there already.
    pub(crate) fn found(
        release: Release,
        nodes: usize,
        libs: &Path,
        dir: PathBuf,
        number: usize,
        port: u16,
    ) -> Node {
        let heap_megabytes = if nodes == 1 { 768 } else { 640 };
        Node { number, port, release, libs: libs.to_owned(), dir, heap_megabytes }
    }

    /// Writes the files of a node into its directory, which is created.
    ///
    /// # Errors
    ///
    /// They cannot be written.
    pub(crate) fn prepare(
        shape: &Shape,
        libs: &Path,
        dir: PathBuf,
        number: usize,
        port: u16,
        properties: &str,
    ) -> io::Result<Node> {
        let node = Node::found(shape.release, shape.nodes, libs, dir, number, port);
        fs::create_dir_all(node.scratch())?;
        fs::write(node.properties(), properties)?;
        let (name, text) = logging::configuration(node.release, &node.log());
        fs::write(node.dir.join(name), text)?;
        Ok(node)
    }

    /// The log of the broker.
    pub(crate) fn log(&self) -> PathBuf {
        self.dir.join("kafka.log")
    }

    /// What its process prints, which is something only when it cannot log.
    pub(crate) fn console(&self) -> PathBuf {
        self.dir.join("console.log")
    }

    /// Its `server.properties`.
    pub(crate) fn properties(&self) -> PathBuf {
        self.dir.join("server.properties")
    }

    /// Where its process unpacks what it needs; on its command line.
    pub(crate) fn scratch(&self) -> PathBuf {
        self.dir.join("tmp")
    }

    /// Begins to format the storage, with alice's SCRAM credentials and the features of the shape.
    pub(crate) fn format(&self, shape: &Shape) -> io::Result<Child> {
        let mut command = java::machine(&self.libs, 128, &self.scratch());
        command
            .args(["kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c"])
            .arg(self.properties());
        for mechanism in ["SCRAM-SHA-256", "SCRAM-SHA-512"] {
            for user in ["alice", "bob"] {
                command
                    .arg("--add-scram")
                    .arg(format!("{mechanism}=[name={user},password={user}-secret]"));
            }
        }
        for (name, level) in shape.format_features() {
            command.arg("--feature").arg(format!("{name}={level}"));
        }
        self.spawn(command)
    }

    /// Starts the broker and waits for nothing.
    pub(crate) fn serve(&self, processes: &Processes) -> Result<LogWatch, StartError> {
        let watch = LogWatch::from_end(&self.log());
        processes
            .run(self.number - 1, || {
                let mut command = java::machine(&self.libs, self.heap_megabytes, &self.scratch());
                let (name, _) = logging::configuration(self.release, &self.log());
                command.arg(logging::java_option(self.release, &self.dir.join(name)));
                command.arg("kafka.Kafka").arg(self.properties());
                self.spawn(command)
            })
            .map_err(|error| StartError::system(format!("cannot run {}", self.title()), &error))?;
        Ok(watch)
    }

    /// Waits until the broker says that it started and the ports that it lists satisfy `enough`.
    pub(crate) fn wait_until_serving(
        &self,
        processes: &Processes,
        mut watch: LogWatch,
        enough: impl Fn(&[i32]) -> bool,
    ) -> Result<(), StartError> {
        let begun = Instant::now();
        loop {
            let ended = processes.ended(self.number - 1).map_err(|error| {
                StartError::system(format!("cannot wait for {}", self.title()), &error)
            })?;
            watch.read();
            if watch.port_taken() {
                return Err(self.failed(StartCause::Ports, "found a port of its own in use"));
            }
            if let Some(status) = ended {
                return Err(self.failed(
                    StartCause::Ended,
                    &format!("ended while it started{}", exit(status)),
                ));
            }
            if watch.started() && ready::listed_brokers(self.port).is_ok_and(|ports| enough(&ports))
            {
                return Ok(());
            }
            if begun.elapsed() > Node::START_DEADLINE {
                let what = format!("did not serve within {} s", Node::START_DEADLINE.as_secs());
                return Err(self
                    .failed(StartCause::Silent, &what)
                    .with_remedy("the machine may be too busy, or the quorum gone"));
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Starts the broker on what it left behind, and waits until it serves. A port may be blocked
    /// for a moment.
    pub(crate) fn start_again(&self, processes: &Processes) -> Result<(), StartError> {
        const TRIES: usize = 5;
        let own = |ports: &[i32]| ports.contains(&i32::from(self.port));
        for _ in 1..TRIES {
            let watch = self.serve(processes)?;
            match self.wait_until_serving(processes, watch, own) {
                Err(error) if error.cause() == StartCause::Ports => {
                    processes.kill(self.number - 1).map_err(|error| {
                        StartError::system(format!("cannot end {}", self.title()), &error)
                    })?;
                }
                outcome => return outcome,
            }
        }
        let watch = self.serve(processes)?;
        self.wait_until_serving(processes, watch, own)
    }

    /// An error of this node with the telling lines of its log, or of its console when it has not
    /// logged.
    pub(crate) fn failed(&self, cause: StartCause, what: &str) -> StartError {
        let log = ready::telling_lines(&self.log(), SHOWN_LINES);
        let shown =
            if log.is_empty() { ready::telling_lines(&self.console(), SHOWN_LINES) } else { log };
        StartError::new(cause, format!("{} {what}", self.title())).with_log(shown)
    }

    fn title(&self) -> String {
        format!("Apache Kafka {} (node {})", self.release, self.number)
    }

    /// Away from our terminal's signals, with the output in a file.
    fn spawn(&self, mut command: Command) -> io::Result<Child> {
        let console = OpenOptions::new().create(true).append(true).open(self.console())?;
        let errors = console.try_clone()?;
        command
            .current_dir(&self.dir)
            .process_group(0)
            .stdout(Stdio::from(console))
            .stderr(Stdio::from(errors))
            .spawn()
    }
}

fn exit(status: Option<ExitStatus>) -> String {
    status.map(|status| format!(" ({status})")).unwrap_or_default()
}
