//! The binary: settings, wiring, sub-commands.
fn main() {}
