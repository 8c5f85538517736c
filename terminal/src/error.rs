//! What can go wrong with a terminal.

use std::io;
use std::path::PathBuf;

use vroom_protocol::Code;

/// What can go wrong with a terminal.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The kernel gave no PTY.
    #[error("cannot allocate a terminal")]
    Pty(#[source] io::Error),
    /// The system does not know the user that the daemon runs as.
    #[error("the user with id {uid} is not in the system's user database")]
    NoAccount {
        /// The user's number.
        uid: u32,
    },
    /// The program does not exist.
    #[error("{program}: command not found")]
    NotFound {
        /// The program, as it was asked for.
        program: String,
    },
    /// The program is no program or may not be run.
    #[error("{program}: cannot execute")]
    NotExecutable {
        /// The program, as it was asked for.
        program: String,
        /// Why, where the system said so.
        #[source]
        source: Option<io::Error>,
    },
    /// The directory to start in does not exist.
    #[error("{}: no such directory", path.display())]
    NoDirectory {
        /// The directory, as it was asked for.
        path: PathBuf,
    },
    /// The shell is not one of `/etc/shells`.
    #[error("{}: not an allowed shell; the allowed ones are in /etc/shells", shell.display())]
    ShellRefused {
        /// The shell, as it was asked for.
        shell: PathBuf,
    },
    /// The command has no words, or one of them or of the environment holds a zero byte.
    #[error("the command cannot be expressed to the system")]
    BadCommand,
    /// The program could not be started for another reason.
    #[error("cannot start {program}")]
    Start {
        /// The program, as it was asked for.
        program: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A size with no rows or no columns.
    #[error("a terminal needs at least one row and one column")]
    BadSize,
    /// There is no PTY whose size could change.
    #[error("the program does not run on a terminal")]
    NoPty,
    /// The program has not read what was typed before.
    #[error("the program does not read its input and {} KiB of it wait already", crate::INPUT_BYTES / 1024)]
    InputFull,
    /// Input of a writer that does not continue what it typed before.
    #[error("input from {offset} on does not continue what came before, which ends at {expected}")]
    InputGap {
        /// Where the input begins.
        offset: u64,
        /// Where it has to begin.
        expected: u64,
    },
    /// A writer without a name, or with too long a one.
    #[error("the name of a writer has 1 to {} bytes", crate::WRITER_BYTES)]
    BadWriter,
    /// A name that cannot be the id of a terminal, or is one already.
    #[error("{id:?} cannot be the id of a new terminal")]
    BadId {
        /// The name.
        id: String,
    },
    /// The process that holds the terminal did not do its part.
    #[error("the holder of the terminal {0}")]
    Holder(&'static str),
    /// This signal is not for a terminal's users.
    #[error("signal {0} may not be sent")]
    SignalRefused(u8),
    /// The signal could not be delivered.
    #[error("cannot send signal {signal}")]
    Signal {
        /// The signal.
        signal: u8,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The program has ended.
    #[error("the program has ended")]
    Ended,
    /// A thread or a pipe could not be made.
    #[error("cannot set up a terminal")]
    Io(#[from] io::Error),
}

impl Error {
    /// The code that a client is told.
    pub const fn code(&self) -> Code {
        match self {
            Self::Pty(_) | Self::Io(_) | Self::Holder(_) => Code::PTY_FAILED,
            Self::NoAccount { .. } => Code::NO_SUCH_USER,
            Self::NotFound { .. }
            | Self::NotExecutable { .. }
            | Self::NoDirectory { .. }
            | Self::Start { .. } => Code::EXEC_FAILED,
            Self::ShellRefused { .. } => Code::NOT_ALLOWED,
            Self::BadCommand
            | Self::BadSize
            | Self::InputGap { .. }
            | Self::BadId { .. }
            | Self::BadWriter => Code::INVALID_MESSAGE,
            Self::NoPty | Self::Ended => Code::WRONG_STATE,
            Self::InputFull => Code::LIMIT_REACHED,
            Self::SignalRefused(_) | Self::Signal { .. } => Code::SIGNAL_FAILED,
        }
    }

    /// The status that a shell would report for a program that could not be started.
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::NotFound { .. } => 127,
            _ => 126,
        }
    }
}
