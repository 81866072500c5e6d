//! The kconform command.

// Until the command calls it.
#[allow(dead_code)]
mod dev;

fn main() {}
