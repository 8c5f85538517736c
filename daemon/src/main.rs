//! `vroomd`: serves a desktop and terminals to browsers.

use std::io::{self, Write as _};
use std::time::Duration;

use anyhow::Context as _;
use clap::Parser as _;
use nix::sys::signal::Signal;
use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};
use vroom_daemon::Server;
use vroom_daemon::cli::{Cli, Command, Serve};
use vroom_daemon::config::Config;
use vroom_daemon::settings::Settings;
use vroom_daemon::{control, log, process, systemd};

fn main() {
    let cli = Cli::parse();
    let result = match cli.command {
        None => serve(cli.serve),
        Some(Command::Validate { config }) => validate(config.as_deref()),
        Some(Command::Pair { state_dir }) => pair(state_dir.as_deref()),
        Some(Command::Doctor { config }) => doctor(config.as_deref()),
        Some(Command::TryEncoder { name }) => try_encoder(&name),
        Some(Command::Version) => say(concat!("vroomd ", env!("CARGO_PKG_VERSION"))),
    };
    if let Err(error) = result {
        // Standard error may be closed; there is nobody left to tell.
        drop(writeln!(io::stderr(), "vroomd: {error:#}"));
        process::leave(FAILED);
    }
    process::leave(DONE);
}

/// Serves until a signal comes or the session has ended.
fn serve(serve: Serve) -> anyhow::Result<()> {
    let config = Config::load(serve.config.as_deref())?;
    let settings = Settings::resolve(serve, config)?;
    log::start(settings.log_format, &settings.log).context("reading the log filter")?;
    process::share_heaps();
    process::raise_file_limit();
    let runtime = Builder::new_multi_thread()
        .worker_threads(WORKERS)
        .thread_name("async")
        // In a flood nobody sleeps; what comes meanwhile, as Ctrl-C, is looked for this often.
        .event_interval(EVENT_INTERVAL)
        .enable_all()
        .build()
        .context("starting threads")?;
    let result = runtime.block_on(run(settings));
    runtime.shutdown_timeout(LEFTOVERS);
    result
}

async fn run(settings: Settings) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("listening to signals")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("listening to signals")?;
    // Handled in either case: what we start has the default of a handled signal, but would ignore
    // what we ignore, and notice neither the end of its terminal nor who wants it to stop.
    let [stays, runs_on] = [Signal::SIGHUP, Signal::SIGQUIT].map(process::is_ignored);
    let mut hangup = signal(SignalKind::hangup()).context("listening to signals")?;
    let mut quit = signal(SignalKind::quit()).context("listening to signals")?;
    let mut server = Server::start(settings).await?;
    say(&format!("vroomd ready: {}", server.url()))?;
    systemd::ready();
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        _ = hangup.recv(), if !stays => {}
        _ = quit.recv(), if !runs_on => {}
        () = server.finished() => tracing::info!("the session has ended"),
    }
    systemd::stopping();
    tracing::info!("ending");
    server.end().await;
    Ok(())
}

/// Checks the configuration without starting anything.
fn validate(path: Option<&std::path::Path>) -> anyhow::Result<()> {
    let config = Config::load(path)?;
    Settings::resolve(Serve::default(), config)?;
    say("the configuration is valid")
}

/// Says what there is and what is used.
fn doctor(path: Option<&std::path::Path>) -> anyhow::Result<()> {
    let settings = Settings::resolve(Serve::default(), Config::load(path)?)?;
    say(&vroom_daemon::doctor::report(&settings)?)
}

/// Tries an encoder; what it says on standard error is told to people as the reason.
fn try_encoder(name: &str) -> anyhow::Result<()> {
    if let Err(error) = vroom_media::try_encoder(name) {
        writeln!(io::stderr(), "{error}").ok();
        process::leave(FAILED);
    }
    Ok(())
}

/// Asks the running server for a pairing code.
fn pair(state_dir: Option<&std::path::Path>) -> anyhow::Result<()> {
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.context("starting")?;
    let (code, seconds) = runtime.block_on(control::ask_for_code(state_dir))?;
    let (first, last) = code.split_at_checked(code.len() / 2).unwrap_or((&code, ""));
    let minutes = seconds / 60;
    say(&format!(
        "{first} {last}  (works once, for {minutes} minutes)"
    ))
}

/// Writes one line to standard output.
fn say(line: &str) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")
        .and_then(|()| out.flush())
        .context("writing to standard output")
}

/// After how many steps of tasks sockets are looked at, though there is more to do.
const EVENT_INTERVAL: u32 = 8;

/// The threads that serve connections; the desktop, the encoder and the terminals have their own.
const WORKERS: usize = 2;

/// How long blocking work that nobody waits for any more may still take at the end.
const LEFTOVERS: Duration = Duration::from_millis(100);

/// It did what it was asked to.
const DONE: u8 = 0;

/// It did not, and said why.
const FAILED: u8 = 1;
