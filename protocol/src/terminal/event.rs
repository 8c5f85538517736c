//! What the state machines tell their owner.

use super::authentication::{AuthRequest, Challenge};
use super::capabilities::Capabilities;
use super::environment::Environment;
use super::error::ErrorMessage;
use super::key_event::KeyEvent;
use super::pty::{Denial, PtyGrant, PtyMode, PtyRequest};
use super::share::{ShareRequest, ShareState};
use super::start::{ExecRequest, ExitStatus, ShellRequest};
use super::window::WindowSize;
use crate::Code;

/// What a [`Server`](super::Server) tells its owner.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// Who is there; answer with [`auth_result`](super::Server::auth_result).
    Authenticate(AuthRequest),
    /// A terminal is wanted; answer with [`pty_response`](super::Server::pty_response).
    PtyRequested(PtyRequest),
    /// Variables for the program, those that are not allowed taken out.
    EnvSet(Environment),
    /// Start a shell; answer with [`start_response`](super::Server::start_response).
    Shell(ShellRequest),
    /// Start a program; answer with [`start_response`](super::Server::start_response).
    Exec(ExecRequest),
    /// The client has joined a terminal: repaint it.
    Attached,
    /// The client's terminal has another size.
    Resize(WindowSize),
    /// Send a signal, one that may be delivered, to the foreground process group.
    Signal(u8),
    /// Encode a key for the program.
    KeyEvent(KeyEvent),
    /// Something is to change about who may do what; answer with
    /// [`share_state`](super::Server::share_state) or [`error`](super::Server::error).
    Share(ShareRequest),
    /// The client reports an error that closes nothing.
    PeerError(ErrorMessage),
    /// The last event: close the pair, and with 4000 the connection.
    Closed {
        /// Why, in a number.
        code: Code,
        /// Why, in words.
        reason: String,
    },
}

/// What a [`Client`](super::Client) tells its owner.
#[derive(Clone, Debug, PartialEq)]
pub enum ClientEvent {
    /// What both can do; go on with [`authenticate`](super::Client::authenticate).
    Selected(Capabilities),
    /// The next step of authentication is due.
    Challenged(Challenge),
    /// The client is who it says; go on with [`request_pty`](super::Client::request_pty) or
    /// [`exec`](super::Client::exec).
    Authenticated {
        /// Who it is.
        user: String,
    },
    /// It is not; another method may be tried.
    AuthFailed {
        /// What may still be tried.
        methods: Vec<String>,
        /// Why, in words.
        reason: Option<String>,
    },
    /// The terminal is there; open its channel.
    PtyGranted(PtyGrant),
    /// There is none; [`Closed`](Self::Closed) follows.
    PtyDenied(Denial),
    /// The program runs.
    Started {
        /// Its process id.
        pid: Option<u32>,
    },
    /// The program does not run.
    StartDenied(Denial),
    /// The terminal has another size because of someone else.
    WindowSize(WindowSize),
    /// The modes that matter for predicting echo.
    PtyMode(PtyMode),
    /// Who is there, who drives, and which links there are.
    ShareState(ShareState),
    /// The program ended; read on until all of its output is there, then close the pair.
    Exited(ExitStatus),
    /// The server reports an error that closes nothing.
    PeerError(ErrorMessage),
    /// The last event: close the pair.
    Closed {
        /// Why, in a number.
        code: Code,
        /// Why, in words.
        reason: String,
    },
}
