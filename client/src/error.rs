//! What can go wrong between here and the server.

use std::io;
use std::path::PathBuf;

use vroom_protocol::Code;

use crate::target::TargetError;

/// Why something did not work; the words are for the person at the terminal.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The host has no address.
    #[error("cannot find the address of {host}: {source}")]
    Resolve {
        /// The host.
        host: String,
        /// What the system says.
        source: io::Error,
    },

    /// Nothing answers there.
    #[error("cannot connect to {place}: {source}{}", hint(.source))]
    Connect {
        /// The address or path.
        place: String,
        /// What the system says.
        source: io::Error,
    },

    /// No server runs on this machine.
    #[error(
        "cannot connect to {host}: no vroomd runs here (tried {tried}); start it with `vroomd`"
    )]
    NotHere {
        /// What this machine was called.
        host: String,
        /// The ways that were tried.
        tried: String,
    },

    /// It took too long.
    #[error("cannot connect to {place}: no answer in {seconds} s")]
    TimedOut {
        /// The address or path.
        place: String,
        /// How long was waited.
        seconds: u64,
    },

    /// Others could read along.
    #[error(
        "{0} is not encrypted, and others could read and type; use tls:// or wss://, or a \
         server on this machine"
    )]
    Plain(String),

    /// TLS, WebSocket or the first bytes of the mux went wrong.
    #[error("{place} does not answer as a VROOM server: {source}")]
    Link {
        /// The address or path.
        place: String,
        /// What went wrong.
        source: vroom_transport::Error,
    },

    /// The server is not who it was, or nobody vouches for it.
    #[error("{0}")]
    HostKey(String),

    /// The target cannot be read.
    #[error(transparent)]
    Target(#[from] TargetError),

    /// The server ended the connection.
    #[error("{}", ended(*.code, .reason))]
    Ended {
        /// Why, in a number.
        code: Code,
        /// Why, in words.
        reason: String,
    },

    /// The server does not open a channel.
    #[error("the server refused {what}: {reason} ({code})")]
    Refused {
        /// What was asked for.
        what: String,
        /// Why, in a number.
        code: Code,
        /// Why, in words.
        reason: String,
    },

    /// The connection was lost, and what went on over it with it.
    #[error("the connection was lost")]
    Lost,

    /// None of the ways to prove who we are was taken.
    #[error("permission denied{}; {LOG_IN}", methods(.0))]
    Denied(String),

    /// Whoever read what we print has gone.
    #[error("nobody reads what is printed")]
    Unread,

    /// What the server sent means nothing.
    #[error("the server does not follow the protocol: {0}")]
    PeerMisbehaved(String),

    /// A file of ours cannot be used.
    #[error("cannot use {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },

    /// The terminal or a socket here broke.
    #[error("{what}: {source}")]
    Io {
        /// What was done.
        what: &'static str,
        /// What the system says.
        source: io::Error,
    },

    /// The person said no, or nobody could be asked.
    #[error("{0}")]
    Declined(String),
}

impl Error {
    /// Whether trying again later is of no use.
    #[must_use]
    pub fn is_final(&self) -> bool {
        match self {
            Self::Resolve { .. }
            | Self::Connect { .. }
            | Self::NotHere { .. }
            | Self::TimedOut { .. } => false,
            Self::Link { source, .. } => !matches!(
                source,
                vroom_transport::Error::Io(_) | vroom_transport::Error::TimedOut
            ),
            Self::Ended { code, .. } => is_final(*code),
            Self::Lost => false,
            _ => true,
        }
    }
}

/// Whether a server that ended a connection with this code will do so again.
#[must_use]
pub(crate) const fn is_final(code: Code) -> bool {
    !matches!(code, Code::GOING_AWAY | Code::HELLO_TIMEOUT)
}

/// What to look at when nobody answers.
fn hint(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "; does vroomd run there, on this port?",
        _ => "",
    }
}

/// What may still be tried, where that is known.
fn methods(methods: &str) -> String {
    match methods {
        "" => String::new(),
        methods => format!(" ({methods})"),
    }
}

fn ended(code: Code, reason: &str) -> String {
    match (code, reason) {
        (Code::AUTH_FAILED, "") => format!("permission denied; {LOG_IN}"),
        (Code::AUTH_FAILED, reason) => format!("permission denied: {reason}; {LOG_IN}"),
        (code, "") => format!("the server ended the connection ({code})"),
        (_, reason) => format!("the server ended the connection: {reason}"),
    }
}

/// What to do about a server that does not let us in.
const LOG_IN: &str = "`vroom login` saves a code or token, -i names a key";
