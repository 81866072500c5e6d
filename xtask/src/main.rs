//! Developer tasks. Everything that a user of kconform wants too is forwarded to the `kconform` command, and what only
//! developers want to its hidden half, `kconform dev`; nothing is decided here.

use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, ExitCode};

/// Tells `kconform` what it was called as, so that the commands it prints can be copied.
const INVOKED_AS: &str = "KCONFORM_INVOKED_AS";
/// Commands for users.
const COMMANDS: &[&str] = &["conform", "list", "apis", "diff", "report", "clean", "broker"];
/// Commands for developers, which stand behind `kconform dev`.
const DEV: &[&str] = &["tidy", "catalogue", "mutate", "schemas", "ci"];
/// The command line was wrong.
const USAGE: u8 = 2;
/// Cargo could not be run.
const OUR_ERROR: u8 = 5;

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
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."));
    let mut command = Command::new(cargo);
    command.arg("run");
    if built() {
        command.arg("--quiet");
    } else {
        eprintln!("building kconform, which takes some minutes the first time");
    }
    command.args(["--package", "kconform", "--manifest-path"]);
    command.arg(workspace.join("Cargo.toml")).arg("--").args(args);
    command.env(INVOKED_AS, "cargo xtask");
    run(command)
}

/// Whether there is a `kconform` already, if only of an older source: then cargo has little to do, and is not heard.
fn built() -> bool {
    let name = format!("kconform{}", std::env::consts::EXE_SUFFIX);
    std::env::current_exe().is_ok_and(|xtask| xtask.with_file_name(name).exists())
}

/// Becomes the command, so that a signal meant for `kconform` meets nobody else and nobody returns before it has cleaned up.
#[cfg(unix)]
fn run(mut command: Command) -> ExitCode {
    use std::os::unix::process::CommandExt;
    let error = command.exec();
    eprintln!("cannot run cargo: {error}");
    ExitCode::from(OUR_ERROR)
}

#[cfg(not(unix))]
fn run(mut command: Command) -> ExitCode {
    match command.status() {
        Ok(status) => {
            let code = status.code().and_then(|code| u8::try_from(code).ok());
            ExitCode::from(code.unwrap_or(OUR_ERROR))
        }
        Err(error) => {
            eprintln!("cannot run cargo: {error}");
            ExitCode::from(OUR_ERROR)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_task_is_answered_with_the_known_ones() {
        let text = usage("conforme");
        assert!(text.starts_with("there is no task `conforme`"), "{text}");
        assert!(COMMANDS.iter().chain(DEV).all(|task| text.contains(task)), "{text}");
    }
}
