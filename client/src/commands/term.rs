//! `vroom term`.

use std::io::{self, IsTerminal as _};
use std::process::ExitCode;

use vroom_protocol::forward::Direction;

use super::{Failure, background, log_in, shell};
use crate::cli::Term;
use crate::error::Error;
use crate::forward::{ForwardSpec, Forwards};
use crate::options::{Consent, Escape, RequestTty};
use crate::remote::{LinkState, Remote};
use crate::settings::Settings;
use crate::term::Wish;

/// Opens a terminal or runs a command.
pub(super) async fn run(term: Term) -> Result<ExitCode, Failure> {
    if term.background && !background::is_successor() {
        return background::start();
    }
    let mut settings =
        Settings::resolve(&term.destination, term.connect.port, &term.connect.reach)?;
    if let Some(escape) = &term.escape {
        settings.options.escape = Some(Escape::parse(escape).map_err(Failure::usage)?);
    }
    settings.options.predict = term.predict.or(settings.options.predict);
    let specs = forwards(&term, &settings).map_err(Failure::usage)?;
    let command = (!term.command.is_empty()).then(|| term.command.join(" "));
    let wants_pty = !term.no_command && wants_pty(&term, &settings, command.is_some());
    let null_input = term.null_input || term.background;
    let mut front = shell::Front::take(wants_pty, null_input).await?;
    let remote = settings.connect(true).await.map_err(Failure::connection)?;
    let forwards = Forwards::new(remote.clone(), settings.ui.clone());
    let must_log_in = term.background || term.no_command;
    if must_log_in || !specs.is_empty() || wants_agent(&term, &settings) != Consent::No {
        log_in(&settings, &remote)
            .await
            .map_err(Failure::connection)?;
        start(&forwards, &specs, &term, &settings)
            .await
            .map_err(Failure::connection)?;
    }
    background::ready();
    if term.no_command {
        return idle(&remote, &settings).await;
    }
    let mut pty = wants_pty.then(|| front.pty_request());
    if let Some(pty) = &mut pty {
        pty.name.clone_from(&term.name);
        pty.persist = term.persist || term.name.is_some();
    }
    let wish = Wish {
        capabilities: front.capabilities(pty.is_some()),
        pty,
        command: command.or_else(|| (!wants_pty).then(|| LOGIN_SHELL.to_owned())),
        variables: variables(&settings),
    };
    if wants_pty {
        front.take_keyboard();
    }
    Box::pin(shell::run(&settings, &remote, front, wish, forwards)).await
}

/// Whether a terminal is asked for.
fn wants_pty(term: &Term, settings: &Settings, has_command: bool) -> bool {
    let is_terminal = !term.null_input && !term.background && io::stdin().is_terminal();
    if term.no_tty {
        return false;
    }
    match term.tty {
        0 => {}
        1 => return is_terminal,
        _ => return true,
    }
    match settings.options.request_tty {
        Some(RequestTty::No) => false,
        Some(RequestTty::Yes) => is_terminal,
        Some(RequestTty::Force) => true,
        Some(RequestTty::Auto) | None => !has_command && is_terminal,
    }
}

/// All forwards that were asked for.
fn forwards(
    term: &Term,
    settings: &Settings,
) -> Result<Vec<ForwardSpec>, crate::forward::SpecError> {
    let options = &settings.options;
    let is_open = options.gateway_ports == Some(true);
    let of = |direction, flags: &[String], options: &[String]| {
        let all: Vec<_> = flags.iter().chain(options).cloned().collect();
        all.into_iter().map(move |text| match direction {
            // What listens on the server is the server's to decide.
            Direction::Local | Direction::Dynamic if is_open => {
                ForwardSpec::parse_for(direction, &text, "*")
            }
            _ => ForwardSpec::parse(direction, &text),
        })
    };
    let local = of(Direction::Local, &term.local, &options.local_forwards);
    let remote = of(Direction::Remote, &term.remote, &options.remote_forwards);
    let dynamic = of(Direction::Dynamic, &term.dynamic, &options.dynamic_forwards);
    local.chain(remote).chain(dynamic).collect()
}

/// Whether the agent is forwarded, and how it is asked.
fn wants_agent(term: &Term, settings: &Settings) -> Consent {
    match (term.no_agent, term.agent, settings.options.forward_agent) {
        (true, _, _) | (_, false, None) => Consent::No,
        (_, true, None) => Consent::Ask,
        (_, _, Some(consent)) => consent,
    }
}

/// Starts all that was asked for; one that does not start is told, or ends it all where wanted.
async fn start(
    forwards: &Forwards,
    specs: &[ForwardSpec],
    term: &Term,
    settings: &Settings,
) -> Result<(), Error> {
    let strict = settings.options.exit_on_forward_failure == Some(true);
    for spec in specs {
        match forwards.start(spec).await {
            Ok(port) if spec.bind.port == 0 && spec.bind.unix_path().is_none() => {
                settings
                    .ui
                    .notice(&format!("Allocated port {port} for {}", spec.target));
            }
            Ok(_) => {}
            Err(error) if strict => return Err(error),
            Err(error) => settings
                .ui
                .error(format!("cannot forward {}: {error}", spec.bind)),
        }
    }
    let consent = wants_agent(term, settings);
    if consent != Consent::No {
        match settings.agent() {
            Some(agent) => {
                if let Err(error) = forwards.start_agent(agent, consent).await {
                    settings
                        .ui
                        .error(format!("cannot forward the agent: {error}"));
                }
            }
            None => settings.ui.error("there is no agent to forward"),
        }
    }
    Ok(())
}

/// Forwards until the connection is over or a signal comes.
async fn idle(remote: &Remote, settings: &Settings) -> Result<ExitCode, Failure> {
    use tokio::signal::unix::{SignalKind, signal};
    let listen = |kind| signal(kind).map_err(Failure::connection);
    let mut interrupt = listen(SignalKind::interrupt())?;
    let mut terminate = listen(SignalKind::terminate())?;
    let mut hangup = listen(SignalKind::hangup())?;
    let mut link = remote.link();
    let ended = link.wait_for(|link| matches!(link, LinkState::Ended(_)));
    tokio::select! {
        ended = ended => {
            let reason = match ended.as_deref() {
                Ok(LinkState::Ended(error)) => error.to_string(),
                _ => Error::Lost.to_string(),
            };
            return Err(Failure::connection(reason));
        }
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        _ = hangup.recv() => {}
    }
    settings.ui.verbose("leaving");
    remote.close("").await;
    Ok(ExitCode::from(super::CONNECTION))
}

/// The variables for the program: what terminals and languages need, and what was asked for.
fn variables(settings: &Settings) -> Vec<(String, String)> {
    let options = &settings.options;
    let is_sent = |name: &str| {
        SENT.iter()
            .copied()
            .chain(options.send_env.iter().map(String::as_str))
            .any(|pattern| match pattern.strip_suffix('*') {
                Some(start) => name.starts_with(start),
                None => pattern == name,
            })
    };
    let mut variables: Vec<(String, String)> = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .filter(|(name, _)| is_sent(name))
        .collect();
    // The first that was set counts, as for all options; so the last is put in first.
    for (name, value) in options.set_env.iter().rev() {
        variables.retain(|(other, _)| other != name);
        variables.push((name.clone(), value.clone()));
    }
    variables
}

/// What is sent without being asked for.
const SENT: [&str; 7] = [
    "LANG",
    "LANGUAGE",
    "LC_*",
    "COLORTERM",
    "NO_COLOR",
    "TERM_PROGRAM",
    "TERM_PROGRAM_VERSION",
];

/// What runs where neither a command nor a terminal was asked for: the shell reads commands from
/// its input.
const LOGIN_SHELL: &str = "exec \"${SHELL:-/bin/sh}\" -l";
