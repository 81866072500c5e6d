//! Developer tasks. Everything that a user of kconform wants too is forwarded to the `kconform` command, and what only
//! developers want to its hidden half, `kconform dev`; nothing is decided here.

use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, ExitCode, ExitStatus};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// Tells `kconform` what it was called as, so that the commands it prints can be copied.
const INVOKED_AS: &str = "KCONFORM_INVOKED_AS";
/// Commands for users.
const COMMANDS: &[&str] = &["conform", "list", "apis", "diff", "report", "clean", "broker"];
/// Commands for developers, which stand behind `kconform dev`.
const DEV: &[&str] = &["tidy", "catalogue", "mutate", "schemas", "ci"];
/// The command line was wrong.
const USAGE: u8 = 2;
/// Cargo could not be run, or could not build.
const OUR_ERROR: u8 = 5;
/// How long a build goes on unannounced.
const SILENCE: Duration = Duration::from_secs(2);

fn main() -> ExitCode {
    let mut args = std::env::args_os().skip(1);
    let task = args.next().unwrap_or_default();
    let name = task.to_string_lossy();
    let mut forwarded: Vec<OsString> = Vec::new();
    if DEV.contains(&&*name) {
        forwarded.push("dev".into());
    } else if !COMMANDS.contains(&&*name) && !["--help", "-h", "--version", "-V"].contains(&&*name)
    {
        eprintln!("{}", usage(&name));
        return ExitCode::from(USAGE);
    }
    forwarded.push(task);
    forwarded.extend(args);
    forward(forwarded)
}

fn usage(task: &str) -> String {
    let wrong = if task.is_empty() {
        "cargo xtask needs a task".to_owned()
    } else {
        format!("there is no task `{task}`")
    };
    format!(
        "{wrong}\n\nfor users:      {}\nfor developers: {}\n\n`cargo xtask TASK --help` says more about one.",
        COMMANDS.join(", "),
        DEV.join(", ")
    )
}

/// Runs `kconform` with these arguments, built if it must be. Input, output, the working directory and the exit code are those
/// of the caller.
fn forward(args: Vec<OsString>) -> ExitCode {
    let mut build = cargo("build");
    if let Err(code) = told_when_long(move || build.status()) {
        return code;
    }
    let mut command = cargo("run");
    command.arg("--").args(args);
    command.env(INVOKED_AS, "cargo xtask");
    run(command)
}

fn cargo(task: &str) -> Command {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."));
    let mut command = Command::new(cargo);
    command.args([task, "--quiet", "--package", "kconform", "--manifest-path"]);
    command.arg(workspace.join("Cargo.toml"));
    command
}

/// Builds, and says so when that takes long: cargo is quiet, since it is not what was called.
fn told_when_long(
    build: impl FnOnce() -> std::io::Result<ExitStatus> + Send + 'static,
) -> Result<(), ExitCode> {
    let (done, news) = mpsc::channel();
    // The receiver waits until it is told.
    thread::spawn(move || drop(done.send(build())));
    let built = news.recv_timeout(SILENCE).or_else(|_| {
        eprintln!("building kconform; the first time this takes some minutes");
        news.recv()
    });
    match built {
        Ok(Ok(status)) if status.success() => Ok(()),
        Ok(Ok(_)) => Err(ExitCode::from(OUR_ERROR)),
        Ok(Err(error)) => Err(unavailable(&error)),
        Err(error) => Err(unavailable(&error)),
    }
}

fn unavailable(error: &dyn std::fmt::Display) -> ExitCode {
    eprintln!("cannot run cargo: {error}");
    ExitCode::from(OUR_ERROR)
}

/// Becomes the command, so that a signal meant for `kconform` meets nobody else and nobody returns before it has cleaned up.
#[cfg(unix)]
fn run(mut command: Command) -> ExitCode {
    use std::os::unix::process::CommandExt;
    unavailable(&command.exec())
}

#[cfg(not(unix))]
fn run(mut command: Command) -> ExitCode {
    match command.status() {
        Ok(status) => {
            let code = status.code().and_then(|code| u8::try_from(code).ok());
            ExitCode::from(code.unwrap_or(OUR_ERROR))
        }
        Err(error) => unavailable(&error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_build_is_waited_for_and_its_failure_is_ours() {
        let ended_with = |code: &'static str| {
            told_when_long(move || Command::new("sh").args(["-c", code]).status())
        };
        assert_eq!(ended_with("exit 0"), Ok(()));
        assert_eq!(ended_with("exit 101"), Err(ExitCode::from(OUR_ERROR)));
    }

    #[test]
    fn an_unknown_task_is_answered_with_the_known_ones() {
        let text = usage("conforme");
        assert!(text.starts_with("there is no task `conforme`"), "{text}");
        assert!(COMMANDS.iter().chain(DEV).all(|task| text.contains(task)), "{text}");
    }
}
