//! Holds one terminal while the daemon comes and goes.
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    vroom_terminal::hold()
}
