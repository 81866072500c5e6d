//! Where brokers keep their data.

use std::env;
use std::path::{Path, PathBuf};

use nix::sys::statvfs::statvfs;

/// A file system in memory, on Linux. A KRaft controller waits for the disk at every change, so that a disk, above all
/// one that others use too, makes a run several times slower.
const MEMORY: &str = "/dev/shm";

/// Free bytes that make it worth it. A run of the suite was seen to need a tenth of it.
const ENOUGH: u64 = 2 << 30;

/// The directory for brokers' data: `TMPDIR` where it is set, else memory where there is plenty, else the system's
/// directory for temporary files.
pub(crate) fn directory() -> PathBuf {
    let memory = Path::new(MEMORY);
    if env::var_os("TMPDIR").is_none() && free(memory) >= ENOUGH && writable(memory) {
        return memory.to_owned();
    }
    env::temp_dir()
}

/// Free bytes of the file system; 0 where it cannot be told.
fn free(path: &Path) -> u64 {
    statvfs(path).map_or(0, |stat| stat.blocks_available().saturating_mul(stat.fragment_size()))
}

fn writable(path: &Path) -> bool {
    tempfile::tempfile_in(path).is_ok()
}
