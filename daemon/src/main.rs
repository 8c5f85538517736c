//! vroomd.
fn main() {}
