//! `vroom`: see the library for what it does.

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::Parser as _;
use vroom_client::cli::Cli;
use vroom_client::commands;
use vroom_client::ui::in_words;

fn main() -> ExitCode {
    let cli = Cli::parse();
    // One thread: what is typed reaches the server without a second one being woken.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return fail(FAILED, &format!("cannot start: {error}")),
    };
    let result = runtime.block_on(Box::pin(commands::run(cli)));
    // A read of the terminal that nobody waits for any more must not keep us.
    runtime.shutdown_background();
    match result {
        Ok(code) => code,
        Err(failure) => fail(failure.exit, &failure.text),
    }
}

fn fail(code: u8, text: &str) -> ExitCode {
    // Standard error may be closed; there is nobody left to tell.
    drop(writeln!(io::stderr(), "vroom: {}", in_words(text)));
    ExitCode::from(code)
}

/// It did not do what it was asked to, and said why.
const FAILED: u8 = 1;
