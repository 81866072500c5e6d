//! The kconform command.
fn main() {}
