//! A watcher that ends a cluster when this process ends without having done so.
//!
//! Brokers have process groups of their own, so that Ctrl-C at the terminal does not reach them;
//! but then they would outlive a run that was interrupted or killed. The watcher is a shell that
//! reads from a pipe. When this process dies, in whatever way, the pipe ends; the watcher then
//! kills the processes last told to it and removes their directory.

use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};

/// Each line is the whole list of process ids; `done` ends the watch. Before a process is killed
/// its command line is checked for the directory, since the id may have gone to somebody else
/// meanwhile. The second removal is for a file that a dying broker was about to write.
const SCRIPT: &str = r#"
dir=$1 pids=
while read -r line; do
  case $line in done) exit 0 ;; *) pids=$line ;; esac
done
for pid in $pids; do
  if [ -r "/proc/$pid/cmdline" ]; then
    command=$(tr '\0' ' ' <"/proc/$pid/cmdline")
  else
    command=$(ps -o command= -p "$pid")
  fi
  case $command in *"$dir"*) kill -KILL "$pid" ;; esac
done
rm -rf "$dir" || { sleep 1; rm -rf "$dir"; }
"#;

/// The running watcher. Dropping it ends the watch without any kill: the cluster has been stopped,
/// or set free.
#[derive(Debug)]
pub(crate) struct Guard {
    shell: Child,
    pipe: Option<ChildStdin>,
}

impl Guard {
    /// Starts a watcher over the processes that run with `dir` on their command line.
    pub(crate) fn start(dir: &Path) -> io::Result<Guard> {
        let mut shell = Command::new("sh")
            .args(["-c", SCRIPT, "kconform-guard"])
            .arg(dir)
            .current_dir("/")
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let pipe = shell.stdin.take();
        Ok(Guard { shell, pipe })
    }

    /// Says which processes are to be killed from now on.
    pub(crate) fn watch(&mut self, pids: &[u32]) {
        let pids: Vec<String> = pids.iter().map(u32::to_string).collect();
        self.tell(&pids.join(" "));
    }

    fn tell(&mut self, line: &str) {
        if let Some(pipe) = &mut self.pipe {
            // A watcher that somebody killed is no reason to fail: the cluster is still stopped on
            // drop.
            let _ = pipe.write_all(format!("{line}\n").as_bytes());
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.tell("done");
        self.pipe = None;
        // It reads the line and ends; an error would mean that it was gone before.
        let _ = self.shell.wait();
    }
}

#[cfg(test)]
impl Guard {
    /// Ends the pipe as the death of this process would, and waits until the watcher has done its
    /// work.
    pub(crate) fn abandon(mut self) {
        self.pipe = None;
        assert!(self.shell.wait().expect("the watcher was started").success());
    }
}
