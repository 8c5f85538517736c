//! SHELL_REQUEST, EXEC_REQUEST, START_RESPONSE and EXIT_STATUS: a program's life.

use std::fmt;

use super::pty::Denial;
use super::signal::signal_name;
use crate::Code;
use crate::encoding::{DecodeError, Fields, Members};

/// Starts a shell.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ShellRequest {
    /// Where it starts.
    pub cwd: Option<String>,
    /// Whether START_RESPONSE is wanted.
    pub want_reply: bool,
    /// Which shell; absent means the user's.
    pub shell: Option<String>,
    /// Whether as a login shell.
    pub login: bool,
}

impl Default for ShellRequest {
    fn default() -> Self {
        Self {
            cwd: None,
            want_reply: false,
            shell: None,
            login: true,
        }
    }
}

impl ShellRequest {
    pub(super) fn read(members: &mut Members) -> Result<Self, DecodeError> {
        Ok(Self {
            cwd: members.optional("cwd")?,
            want_reply: members.or_default("want_reply")?,
            shell: members.optional("shell")?,
            login: members.optional("login")?.unwrap_or(true),
        })
    }

    pub(super) fn fields(&self) -> Fields {
        Fields::new()
            .maybe("cwd", self.cwd.as_ref())
            .maybe("want_reply", self.want_reply.then_some(true))
            .maybe("shell", self.shell.as_ref())
            .maybe("login", (!self.login).then_some(false))
    }
}

/// Starts a program.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ExecRequest {
    /// Where it starts.
    pub cwd: Option<String>,
    /// Whether START_RESPONSE is wanted.
    pub want_reply: bool,
    /// Which program.
    pub command: ExecCommand,
}

/// A program; `Debug` does not say which, its arguments may be secrets.
#[derive(Clone, Eq, PartialEq)]
pub enum ExecCommand {
    /// A line for the user's shell.
    Line(String),
    /// A program and its arguments; not empty.
    Argv(Vec<String>),
}

impl fmt::Debug for ExecCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Line(_) => "Line(..)",
            Self::Argv(_) => "Argv(..)",
        })
    }
}

impl ExecRequest {
    /// Runs a line in the user's shell, without a reply.
    pub fn line(command: impl Into<String>) -> Self {
        Self {
            cwd: None,
            want_reply: false,
            command: ExecCommand::Line(command.into()),
        }
    }

    pub(super) fn read(members: &mut Members) -> Result<Self, DecodeError> {
        let argv: Option<Vec<String>> = members.optional("argv")?;
        let command = match (members.optional("command")?, argv) {
            (Some(line), None) => ExecCommand::Line(line),
            (None, Some(argv)) if !argv.is_empty() => ExecCommand::Argv(argv),
            (None, Some(_)) => return Err(DecodeError::member("argv")),
            (Some(_), Some(_)) | (None, None) => return Err(DecodeError::member("command")),
        };
        Ok(Self {
            cwd: members.optional("cwd")?,
            want_reply: members.or_default("want_reply")?,
            command,
        })
    }

    pub(super) fn fields(&self) -> Fields {
        let fields = match &self.command {
            ExecCommand::Line(line) => Fields::new().with("command", line),
            ExecCommand::Argv(argv) => Fields::new().with_list("argv", argv),
        };
        fields
            .maybe("cwd", self.cwd.as_ref())
            .maybe("want_reply", self.want_reply.then_some(true))
    }
}

/// What became of SHELL_REQUEST or EXEC_REQUEST.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum StartResponse {
    /// It runs.
    Started {
        /// Its process id.
        pid: Option<u32>,
    },
    /// It does not.
    Denied(Denial),
}

impl StartResponse {
    pub(super) fn read(members: &mut Members) -> Result<Self, DecodeError> {
        if members.required("ok")? {
            Ok(Self::Started {
                pid: members.optional("pid")?,
            })
        } else {
            Denial::read(members, Code::EXEC_FAILED).map(Self::Denied)
        }
    }

    pub(super) fn fields(&self) -> Fields {
        match self {
            Self::Started { pid } => Fields::new().with("ok", true).maybe("pid", *pid),
            Self::Denied(denial) => denial.fields(),
        }
    }
}

/// How a program ended; sent after all of its output.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ExitStatus {
    /// Absent when it was killed, or nobody knows.
    pub exit_code: Option<u8>,
    /// What killed it.
    pub signal: Option<u8>,
    /// The signal's name without SIG.
    pub signal_name: Option<String>,
    /// Whether it left a core file.
    pub core_dumped: Option<bool>,
    /// How many bytes the server sent on the PTY channel.
    pub pty_bytes: Option<u64>,
    /// Where in the output the program ended; a client with flow control waits for it.
    pub offset: Option<u64>,
    /// Why the server ended it.
    pub reason: Option<String>,
}

impl ExitStatus {
    /// The exit code that shells use for a program that is not there.
    pub const NOT_FOUND: u8 = 127;

    /// It ended by itself.
    pub fn exited(exit_code: u8) -> Self {
        Self {
            exit_code: Some(exit_code),
            ..Self::default()
        }
    }

    /// It was killed.
    pub fn killed(signal: u8) -> Self {
        Self {
            signal: Some(signal),
            signal_name: signal_name(signal).map(str::to_owned),
            ..Self::default()
        }
    }

    pub(super) fn read(members: &mut Members) -> Result<Self, DecodeError> {
        Ok(Self {
            exit_code: members.optional("exit_code")?,
            signal: members.optional("signal")?,
            signal_name: members.optional("signal_name")?,
            core_dumped: members.optional("core_dumped")?,
            pty_bytes: members.optional("pty_bytes")?,
            offset: members.optional("offset")?,
            reason: members.optional("reason")?,
        })
    }

    pub(super) fn fields(&self) -> Fields {
        let fields = match self.exit_code {
            Some(exit_code) => Fields::new().with("exit_code", exit_code),
            None => Fields::new().with_null("exit_code"),
        };
        fields
            .maybe("signal", self.signal)
            .maybe("signal_name", self.signal_name.as_ref())
            .maybe("core_dumped", self.core_dumped)
            .maybe("pty_bytes", self.pty_bytes)
            .maybe("offset", self.offset)
            .maybe("reason", self.reason.as_ref())
    }
}
