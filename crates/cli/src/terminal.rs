//! Writing for people: colour only where it is wanted, and no panic when the reader has gone.

use std::io::{self, IsTerminal, Write};

/// How the console may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Terminal {
    /// Standard output takes colours.
    pub(crate) colour: bool,
    /// Standard error takes a progress bar.
    pub(crate) bar: bool,
}

impl Terminal {
    /// The console as it is: plain when it was asked for, when `NO_COLOR` is set (<https://no-color.org>), or when nobody
    /// looks.
    pub(crate) fn of(plain: bool) -> Self {
        let plain = plain || std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self {
            colour: !plain && io::stdout().is_terminal(),
            bar: !plain && io::stderr().is_terminal(),
        }
    }
}

/// Writes to standard output. A reader that has gone (`| head`) is no reason to stop a run.
pub(crate) fn print(text: &str) {
    let mut out = io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// Writes a line to standard error.
pub(crate) fn tell(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}
