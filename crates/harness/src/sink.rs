//! Where records go: to disk line by line as cases end, and to whoever watches.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use kconform_report::{RECORDS_FILE, Record, to_line};

/// Watches a run. Called from the threads of cases; must not block for long.
pub trait Watch: Send + Sync {
    /// A case ended.
    fn ended(&self, record: &Record);
    /// Something worth telling that is no case: a warning, a target lost or back.
    fn told(&self, line: &str);
}

/// Collects the records of a run. What has been recorded survives a kill: each line is written and flushed at once.
pub(crate) struct Sink {
    inner: Mutex<Inner>,
    watch: Arc<dyn Watch>,
}

struct Inner {
    records: Vec<Record>,
    file: Option<(File, PathBuf)>,
}

impl std::fmt::Debug for Sink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sink")
    }
}

impl Sink {
    /// A sink that writes into this results folder, or only into memory. A folder that cannot be written is said and
    /// is no reason to stop.
    pub(crate) fn new(folder: Option<&Path>, append: bool, watch: Arc<dyn Watch>) -> Self {
        let file = folder.and_then(|folder| {
            let path = folder.join(RECORDS_FILE);
            match std::fs::create_dir_all(folder).and_then(|()| open(&path, append)) {
                Ok(file) => Some((file, path)),
                Err(error) => {
                    watch.told(&format!(
                        "the results folder {} cannot be written ({error}); the run goes on without it, \
                         --results DIR names another",
                        folder.display()
                    ));
                    None
                }
            }
        });
        Self { inner: Mutex::new(Inner { records: Vec::new(), file }), watch }
    }

    /// Takes the record of a case.
    pub(crate) fn push(&self, record: Record) {
        self.watch.ended(&record);
        let Ok(mut inner) = self.inner.lock() else { return };
        let failed = inner.file.as_mut().and_then(|(file, path)| {
            let mut line = to_line(&record);
            line.push('\n');
            let written = file.write_all(line.as_bytes()).and_then(|()| file.flush());
            written
                .err()
                .map(|error| format!("{} cannot be written any more: {error}", path.display()))
        });
        if let Some(failed) = failed {
            inner.file = None;
            self.watch
                .told(&format!("{failed}; the run goes on, and its results are shown at the end"));
        }
        inner.records.push(record);
    }

    /// Tells the watcher something.
    pub(crate) fn tell(&self, line: &str) {
        self.watch.told(line);
    }

    /// Whether the records are on disk.
    pub(crate) fn on_disk(&self) -> bool {
        self.inner.lock().is_ok_and(|inner| inner.file.is_some())
    }

    /// The records, in the order in which the cases ended.
    pub(crate) fn records(&self) -> Vec<Record> {
        self.inner.lock().map(|inner| inner.records.clone()).unwrap_or_default()
    }
}

fn open(path: &Path, append: bool) -> std::io::Result<File> {
    if append { File::options().append(true).create(true).open(path) } else { File::create(path) }
}
