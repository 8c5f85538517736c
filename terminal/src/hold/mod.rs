//! The process that holds a terminal while the daemon comes and goes.

mod meta;

pub use meta::{ID_BYTES, Meta};
