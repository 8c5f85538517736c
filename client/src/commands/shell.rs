//! What `vroom term` and `vroom attach` have in common: the person's terminal, taken and given back.

use std::io::{self, IsTerminal as _};
use std::process::ExitCode;

use vroom_predict::Preference;
use vroom_protocol::terminal::{ExitStatus, Extensions, PtyRequest};

use super::Failure;
use crate::cli::Predict;
use crate::error::Error;
use crate::forward::Forwards;
use crate::net::Way;
use crate::options::Escape;
use crate::remote::Remote;
use crate::settings::Settings;
use crate::target::is_loopback;
use crate::term::{self, Ending, Terminal, Wish};
use crate::tty::{Input, Output, Probed, Raw, probe, pty_modes, window_size};

/// What the person has in front of them.
#[derive(Debug)]
pub(super) struct Front {
    pub(super) input: Input,
    pub(super) output: Output,
    errors: Output,
    takes_keyboard: bool,
    probed: Probed,
}

impl Front {
    /// Takes standard input and output; with `ask`, the terminal is asked what it can do.
    pub(super) async fn take(ask: bool, null_input: bool) -> Result<Self, Error> {
        let failed = |source| Error::Io {
            what: "cannot use the terminal",
            source,
        };
        let mut input = if null_input {
            Input::nothing()
        } else {
            Input::stdin().map_err(failed)?
        };
        let mut output = Output::stdout().map_err(failed)?;
        let errors = Output::stderr().map_err(failed)?;
        let is_terminal = !null_input && io::stdin().is_terminal();
        let mut probed = Probed::default();
        if ask && is_terminal && io::stdout().is_terminal() && may_probe() {
            let raw = Raw::take(io::stdin()).map_err(failed)?;
            probed = probe(&mut input, &mut output).await.map_err(failed)?;
            drop(raw);
        }
        Ok(Self {
            input,
            output,
            errors,
            takes_keyboard: false,
            probed,
        })
    }

    /// What the terminal can do, in the words of the protocol.
    pub(super) fn capabilities(&self, is_pty: bool) -> vroom_protocol::terminal::Capabilities {
        let extensions = Extensions {
            reconnect: Some(is_pty),
            zstd_compression: Some(is_pty),
            flow_control: Some(is_pty),
            // Whoever is recorded is told so.
            sharing: Some(is_pty),
            ..Extensions::default()
        };
        self.probed.capabilities(extensions)
    }

    /// What the terminal answered, for people.
    pub(super) fn describe(&self) -> String {
        if !self.probed.answered {
            return "it does not say what it can do".to_owned();
        }
        let can = [
            (self.probed.kitty_keyboard, "kitty keyboard"),
            (self.probed.kitty_graphics, "kitty pictures"),
            (self.probed.sixel, "sixel pictures"),
            (self.probed.synchronized, "whole frames"),
        ];
        let can: Vec<&str> = can
            .iter()
            .filter_map(|(is_so, what)| is_so.then_some(*what))
            .collect();
        let name = self.probed.name.as_deref().unwrap_or("a terminal");
        format!(
            "{name}: {}",
            if can.is_empty() {
                "text".to_owned()
            } else {
                can.join(", ")
            }
        )
    }

    /// The request for a terminal like this one.
    pub(super) fn pty_request(&self) -> PtyRequest {
        let stdin = io::stdin();
        let modes = rustix::termios::tcgetattr(&stdin).ok();
        let size = window_size(&stdin)
            .or_else(|| window_size(io::stdout()))
            .unwrap_or(vroom_protocol::terminal::WindowSize::new(24, 80));
        PtyRequest {
            term: std::env::var("TERM").ok().filter(|term| !term.is_empty()),
            size: Some(size),
            modes: modes.as_ref().map(pty_modes).unwrap_or_default(),
            ..PtyRequest::default()
        }
    }

    /// Takes the keyboard while the program runs, where there is one.
    pub(super) fn take_keyboard(&mut self) {
        self.takes_keyboard = io::stdin().is_terminal();
    }
}

/// Runs a terminal to its end, and says what the process ends with.
pub(super) async fn run(
    settings: &Settings,
    remote: &Remote,
    front: Front,
    wish: Wish,
    forwards: Forwards,
) -> Result<ExitCode, Failure> {
    let escape = match settings.options.escape {
        None => Some(b'~'),
        Some(Escape::None) => None,
        Some(Escape::Char(char)) => Some(char),
    };
    let is_raw = front.takes_keyboard;
    let mut terminal = Terminal::new(front.input, front.output, front.errors, forwards);
    terminal.takes_keyboard = is_raw;
    terminal.escape = escape;
    terminal.predict = preference(settings);
    let mut prover = settings.prover();
    let ended = Box::pin(term::run(remote, &mut prover, wish, terminal, &settings.ui)).await;
    let name = &settings.plan.name;
    let result = match ended {
        Ok(Ending::Exited(status)) => {
            match &status.reason {
                Some(reason) => settings
                    .ui
                    .notice(&format!("Connection to {name} closed: {reason}.")),
                None if is_raw => settings.ui.notice(&format!("Connection to {name} closed.")),
                None => {}
            }
            Ok(exit_code(&status))
        }
        Ok(Ending::Left) => {
            settings.ui.notice(&format!("Connection to {name} left."));
            Ok(ExitCode::from(super::CONNECTION))
        }
        Ok(Ending::Signalled(why)) => Err(Failure::connection(why)),
        Err(Error::Unread) => Ok(ExitCode::from(BROKEN_PIPE)),
        Err(error) => Err(Failure::connection(error)),
    };
    remote.close("").await;
    result
}

/// When typed characters are shown early. On this machine never by itself: following the screen
/// costs more there than it could save.
fn preference(settings: &Settings) -> Preference {
    let is_here = settings.plan.ways.iter().all(|way| match way {
        Way::Unix(_) => true,
        Way::Net(hop) => is_loopback(&hop.host) && settings.options.proxy_jump.is_none(),
    });
    match settings.options.predict.unwrap_or_default() {
        Predict::Always => Preference::Always,
        Predict::Auto if !is_here => Preference::Adaptive,
        Predict::Auto | Predict::Never => Preference::Never,
    }
}

/// The status of the program, as a shell would tell it.
fn exit_code(status: &ExitStatus) -> ExitCode {
    let code = match (status.exit_code, status.signal) {
        (Some(code), _) => code,
        (None, Some(signal)) => signal.saturating_add(128),
        (None, None) => super::CONNECTION,
    };
    ExitCode::from(code)
}

/// Whether the terminal takes questions without showing them.
fn may_probe() -> bool {
    let term = std::env::var("TERM").unwrap_or_default();
    !matches!(term.as_str(), "" | "dumb" | "linux")
}

/// As a shell tells it of a program whose output nobody reads.
const BROKEN_PIPE: u8 = 128 + 13;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_killed_program_ends_as_in_a_shell() {
        let code = |status| format!("{:?}", exit_code(&status));
        assert_eq!(
            code(ExitStatus::exited(3)),
            format!("{:?}", ExitCode::from(3))
        );
        assert_eq!(
            code(ExitStatus::killed(15)),
            format!("{:?}", ExitCode::from(143))
        );
        assert_eq!(
            code(ExitStatus::default()),
            format!("{:?}", ExitCode::from(255))
        );
    }
}
