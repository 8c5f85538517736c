//! Starting a program.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{self, Child, Stdio};

use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::unistd::{AccessFlags, access};
use portable_pty::CommandBuilder;

use crate::account::is_listed_shell;
use crate::pty::{Pty, set_non_blocking};
use crate::{Account, Environment, Error, PtySize, TermKind};

/// What a terminal runs, and in which surroundings.
#[derive(Clone, Debug)]
pub struct SpawnConfig {
    /// The program.
    pub command: Command,
    /// The user that it runs as, who is the user of this process.
    pub account: Account,
    /// The terminal it runs on; `None` for pipes.
    pub pty: Option<PtySpec>,
    /// Where standard error goes when there is no terminal.
    pub stderr: StderrTo,
    /// Its environment, without what the terminal itself adds.
    pub env: Environment,
    /// The directory it starts in; the home directory when absent.
    pub cwd: Option<PathBuf>,
}

/// What to run.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Command {
    /// A shell for a person.
    Shell {
        /// Which, from `/etc/shells`; the account's own when absent.
        shell: Option<PathBuf>,
        /// Whether it reads the files of a login.
        login: bool,
    },
    /// A line that the account's shell runs.
    Line(String),
    /// A program and its arguments.
    Program(Vec<String>),
}

/// The terminal that a client asked for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PtySpec {
    /// What the client's terminal is.
    pub kind: TermKind,
    /// Its size.
    pub size: PtySize,
    /// Its modes, by the opcodes of RFC 4254 §8.
    pub modes: BTreeMap<u8, u32>,
}

/// Where standard error goes when there is no terminal.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum StderrTo {
    /// Into the same history as standard output, in the order in which it was written.
    #[default]
    Output,
    /// Into a history of its own.
    Own,
}

/// A program that runs on pipes, and the files to talk to it.
pub(crate) struct OnPipes {
    pub(crate) child: Child,
    /// Standard input; it never blocks.
    pub(crate) input: File,
    /// Standard output.
    pub(crate) output: Source,
    /// Standard error, when it is apart.
    pub(crate) stderr: Option<Source>,
}

/// A file to read from, twice: for the thread that reads and for who looks whether there is more.
pub(crate) struct Source {
    pub(crate) read: File,
    pub(crate) look: File,
}

impl Source {
    fn of_pipe(pipe: io::PipeReader) -> io::Result<Self> {
        let read = File::from(OwnedFd::from(pipe));
        let look = read.try_clone()?;
        Ok(Self { read, look })
    }
}

/// Starts a program on a PTY.
pub(crate) fn on_pty(mut config: SpawnConfig) -> Result<(Child, Pty), Error> {
    let spec = config.pty.take().ok_or(Error::NoPty)?;
    config.env.set_terminal(&spec.kind, &config.account);
    let (program, env, cwd) = prepare(config)?;
    if spec.size.rows == 0 || spec.size.cols == 0 {
        return Err(Error::BadSize);
    }
    let (pty, slave) = Pty::open(spec.size, &spec.modes).map_err(Error::Pty)?;
    let mut command = if program.login {
        // This runs what SHELL names, with the dash in front that says login.
        CommandBuilder::new_default_prog()
    } else {
        let mut argv = vec![program.path.clone().into_os_string()];
        argv.extend_from_slice(&program.args);
        CommandBuilder::from_argv(argv)
    };
    command.env_clear();
    for (name, value) in &env.vars {
        command.env(name, value);
    }
    if program.login {
        command.env("SHELL", &program.path);
    }
    command.cwd(cwd);
    let child = slave
        .spawn_command(command)
        .map_err(|error| program.failed(io::Error::other(error)))?;
    let child: Box<dyn portable_pty::Child> = child;
    let child = child
        .downcast::<Child>()
        .map_err(|_| program.failed(io::ErrorKind::Unsupported.into()))?;
    Ok((*child, pty))
}

/// Starts a program on pipes.
pub(crate) fn on_pipes(config: SpawnConfig) -> Result<OnPipes, Error> {
    let stderr = config.stderr;
    let (program, env, cwd) = prepare(config)?;
    let (stdin, input) = io::pipe()?;
    let (output, stdout) = io::pipe()?;
    let output = Source::of_pipe(output)?;
    let (errors, stderr) = match stderr {
        StderrTo::Output => (None, stdout.try_clone()?),
        StderrTo::Own => {
            let (errors, stderr) = io::pipe()?;
            (Some(Source::of_pipe(errors)?), stderr)
        }
    };
    let input = File::from(OwnedFd::from(input));
    set_non_blocking(&input)?;
    keep_files_from_children();
    let child = process::Command::new(&program.path)
        .arg0(&program.name)
        .args(&program.args)
        .env_clear()
        .envs(&env.vars)
        .current_dir(cwd)
        .process_group(0)
        .stdin(Stdio::from(OwnedFd::from(stdin)))
        .stdout(Stdio::from(OwnedFd::from(stdout)))
        .stderr(Stdio::from(OwnedFd::from(stderr)))
        .spawn()
        .map_err(|error| program.failed(error))?;
    Ok(OnPipes {
        child,
        input,
        output,
        stderr: errors,
    })
}

/// Finds the program of a configuration, and the folder that it starts in.
fn prepare(config: SpawnConfig) -> Result<(Program, Environment, PathBuf), Error> {
    let cwd = match config.cwd {
        Some(path) if !path.is_dir() => return Err(Error::NoDirectory { path }),
        Some(path) => path,
        None => config.account.home.clone(),
    };
    let program = Program::new(config.command, &config.account, &config.env, &cwd)?;
    Ok((program, config.env, cwd))
}

/// A program that was found.
struct Program {
    name: OsString,
    path: PathBuf,
    args: Vec<OsString>,
    login: bool,
}

impl Program {
    /// Finds a program the way the program's own environment would have it found.
    fn new(
        command: Command,
        account: &Account,
        env: &Environment,
        cwd: &Path,
    ) -> Result<Self, Error> {
        let (name, args, login) = match command {
            Command::Shell { shell, login } => {
                if let Some(shell) = shell.as_deref().filter(|shell| !is_listed_shell(shell)) {
                    return Err(Error::ShellRefused {
                        shell: shell.to_owned(),
                    });
                }
                let shell = shell.unwrap_or_else(|| account.shell.clone());
                (shell.into_os_string(), Vec::new(), login)
            }
            Command::Line(line) => {
                let args = vec!["-c".into(), line.into()];
                (account.shell.clone().into_os_string(), args, false)
            }
            Command::Program(argv) => {
                let mut argv = argv.into_iter().map(OsString::from);
                let name = argv.next().ok_or(Error::BadCommand)?;
                (name, argv.collect(), false)
            }
        };
        let words = std::iter::once(&name).chain(&args);
        if words
            .into_iter()
            .any(|word| word.as_encoded_bytes().contains(&0))
        {
            return Err(Error::BadCommand);
        }
        Ok(Self {
            path: find(&name, env, cwd)?,
            name,
            args,
            login,
        })
    }

    fn failed(&self, source: io::Error) -> Error {
        let program = self.name.to_string_lossy().into_owned();
        match source.kind() {
            io::ErrorKind::NotFound => Error::NotFound { program },
            io::ErrorKind::PermissionDenied => Error::NotExecutable {
                program,
                source: Some(source),
            },
            _ => Error::Start { program, source },
        }
    }
}

/// The file of a program: as named when the name has a slash, else the first in `PATH`.
fn find(name: &OsStr, env: &Environment, cwd: &Path) -> Result<PathBuf, Error> {
    let program = || name.to_string_lossy().into_owned();
    let candidates: Vec<PathBuf> = if name.as_encoded_bytes().contains(&b'/') {
        vec![cwd.join(name)]
    } else {
        let path = env
            .vars
            .get(OsStr::new("PATH"))
            .cloned()
            .unwrap_or_default();
        let directories = std::env::split_paths(&path);
        directories
            .map(|directory| cwd.join(directory).join(name))
            .collect()
    };
    let mut denied = false;
    for candidate in candidates {
        let found = candidate.is_file() && !name.is_empty();
        match access(&candidate, AccessFlags::X_OK) {
            Ok(()) if found => return Ok(candidate),
            _ => denied |= candidate.exists() && !name.is_empty(),
        }
    }
    Err(if denied {
        Error::NotExecutable {
            program: program(),
            source: None,
        }
    } else {
        Error::NotFound { program: program() }
    })
}

/// Closes to children what a library opened without saying so.
///
/// The standard library's own files are closed to them already, as are those of nearly everything.
pub(crate) fn keep_files_from_children() {
    let Ok(directory) = std::fs::read_dir("/proc/self/fd") else {
        return;
    };
    let names = directory
        .filter_map(Result::ok)
        .map(|entry| entry.file_name());
    let files: Vec<i32> = names
        .filter_map(|name| name.to_str()?.parse().ok())
        .filter(|file| *file > 2)
        .collect();
    for file in files {
        if let Ok(flags) = fcntl(file, FcntlArg::F_GETFD) {
            let flags = FdFlag::from_bits_retain(flags);
            if !flags.contains(FdFlag::FD_CLOEXEC) {
                // One that another thread closed just now needs it no more.
                let kept = fcntl(file, FcntlArg::F_SETFD(flags | FdFlag::FD_CLOEXEC));
                tracing::debug!(file, kept = kept.is_ok(), "a file was open to children");
            }
        }
    }
}
