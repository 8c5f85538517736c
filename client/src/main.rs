//! `vroom`: see the library for what it does.

use clap::Parser as _;

fn main() {
    let _cli = vroom_client::cli::Cli::parse();
}
