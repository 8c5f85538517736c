//! What each command does.

mod attach;
mod background;
mod doctor;
mod generate;
mod kill;
mod login;
mod ls;
mod rename;
mod share;
mod shell;
mod term;

use std::io::{self, Write as _};
use std::process::ExitCode;

use vroom_protocol::mux::{SessionEntry, SessionKind};
use vroom_protocol::terminal::{Capabilities, ChannelName, Plane};

use crate::cli::{Cli, Command, Connect};
use crate::error::Error;
use crate::remote::Remote;
use crate::settings::Settings;
use crate::term::authenticate;

/// Does what the command line says; returns what the process ends with.
pub async fn run(cli: Cli) -> Result<ExitCode, Failure> {
    match cli.command {
        Command::Term(term) => Box::pin(term::run(term)).await,
        Command::Ls(ls) => done(Box::pin(ls::run(ls)).await),
        Command::Attach(attach) => Box::pin(attach::run(attach)).await,
        Command::Share(share) => done(Box::pin(share::run(share)).await),
        Command::Kill(kill) => done(Box::pin(kill::run(kill)).await),
        Command::Rename(rename) => done(Box::pin(rename::run(rename)).await),
        Command::Cp(copy) => done(Box::pin(crate::files::run(copy)).await),
        Command::Login(login) => done(Box::pin(login::login(login)).await),
        Command::Logout(logout) => done(login::logout(&logout)),
        Command::Doctor(doctor) => Box::pin(doctor::run(doctor)).await,
        Command::Generate(generate) => done(generate::run(&generate)),
    }
}

/// Why a command did not do what it should.
#[derive(Debug)]
pub struct Failure {
    /// What the process ends with.
    pub exit: u8,
    /// What is said.
    pub text: String,
}

impl Failure {
    /// A failure that is no fault of the command line.
    pub(crate) fn new(error: impl std::fmt::Display) -> Self {
        Self {
            exit: FAILED,
            text: error.to_string(),
        }
    }

    /// The command line has to be written in another way.
    pub(crate) fn usage(error: impl std::fmt::Display) -> Self {
        Self {
            exit: USAGE,
            text: error.to_string(),
        }
    }

    /// As ssh says that it was the connection and not the program.
    pub(crate) fn connection(error: impl std::fmt::Display) -> Self {
        Self {
            exit: CONNECTION,
            text: error.to_string(),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::new(error)
    }
}

impl From<crate::settings::SettingsError> for Failure {
    fn from(error: crate::settings::SettingsError) -> Self {
        Self::usage(error)
    }
}

fn done(result: Result<(), Failure>) -> Result<ExitCode, Failure> {
    result.map(|()| ExitCode::SUCCESS)
}

/// Proves who we are on a connection that runs no terminal, if the server does not know already.
///
/// Returns who that is.
pub(crate) async fn log_in(settings: &Settings, remote: &Remote) -> Result<String, Error> {
    if let Some(user) = remote.user() {
        return Ok(user);
    }
    let name = ChannelName {
        plane: Plane::Control,
        key: Some("login".to_owned()),
    };
    let mut prover = settings.prover();
    let (_, user) = authenticate(remote, &mut prover, &name, Capabilities::default()).await?;
    Ok(user)
}

/// Connects to a server for something else than a terminal.
async fn connect(host: &str, connect: &Connect) -> Result<(Settings, Remote), Failure> {
    let settings = Settings::resolve(host, connect.port, &connect.reach)?;
    let remote = settings.connect(false).await?;
    log_in(&settings, &remote).await?;
    Ok((settings, remote))
}

/// Finds a terminal by its id, or by its name where only one has it.
fn find<'a>(entries: &'a [SessionEntry], named: &str) -> Result<&'a SessionEntry, Error> {
    let terminals = || entries.iter().filter(|entry| is_terminal(entry));
    if let Some(entry) = terminals().find(|entry| entry.session_id == named) {
        return Ok(entry);
    }
    let mut by_name = terminals().filter(|entry| entry.name == named);
    match (by_name.next(), by_name.next()) {
        (Some(entry), None) => Ok(entry),
        (Some(_), Some(_)) => Err(Error::Declined(format!(
            "several terminals are called {named}; use an id of `vroom ls`"
        ))),
        (None, _) => Err(Error::Declined(format!(
            "there is no terminal {named}; `vroom ls` lists those there are"
        ))),
    }
}

fn is_terminal(entry: &SessionEntry) -> bool {
    entry.kind == Some(SessionKind::Terminal)
}

/// Cuts `host:name` at its last colon, outside of brackets; without one, the host is `default`.
fn host_and_name<'a>(named: &'a str, default: &'a str) -> (&'a str, &'a str) {
    match named.rsplit_once(':') {
        Some((host, name)) if !host.is_empty() && !name.is_empty() => (host, name),
        _ => (default, named),
    }
}

/// Prints to standard output; whoever closed it does not want to know.
fn print(text: &str) -> Result<(), Failure> {
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        printed => printed.map_err(|error| Failure::new(format!("cannot print: {error}"))),
    }
}

/// Takes what could make a terminal do something out of a text of others.
fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

const FAILED: u8 = 1;
const USAGE: u8 = 2;
const CONNECTION: u8 = 255;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_may_be_named_with_its_host() {
        assert_eq!(host_and_name("t1", "localhost"), ("localhost", "t1"));
        assert_eq!(host_and_name("h:t1", "localhost"), ("h", "t1"));
        assert_eq!(host_and_name("[::1]:t1", "x"), ("[::1]", "t1"));
        assert_eq!(host_and_name("u@h:22:t1", "x"), ("u@h:22", "t1"));
    }

    #[test]
    fn names_of_others_do_nothing() {
        assert_eq!(plain("a\x1b[31m\r\nb"), "a[31mb");
    }
}
