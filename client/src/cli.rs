//! The command line of `vroom`: the one definition of help, man pages and completions.

mod connect;
mod copy;
pub(crate) mod manual;
mod term;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};

pub use connect::{Connect, Reach};
pub use copy::Copy;
pub use term::{Predict, Term};

/// Use the terminals, files and ports of a VROOM server
#[derive(Debug, Parser)]
#[command(
    name = "vroom",
    version,
    max_term_width = 100,
    subcommand_required = true
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What `vroom` can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Open a terminal, or run a command, on a server
    Term(Term),
    /// List the terminals of a server
    #[command(visible_alias = "list")]
    Ls(Ls),
    /// Join a terminal that runs
    Attach(Attach),
    /// Share a terminal by a link that can only watch
    Share(Share),
    /// End a terminal and the program in it
    Kill(Kill),
    /// Give a terminal another name
    Rename(Rename),
    /// Copy files to or from a server
    Cp(Copy),
    /// Save a login for a server
    Login(Login),
    /// Forget the login for a server
    Logout(Logout),
    /// Check what is needed to connect, and say what to do
    Doctor(Doctor),
    /// Write man pages or completions into a folder
    Generate(Generate),
}

/// How a server is named where a terminal is the object.
#[derive(Args, Debug, Default)]
pub struct Server {
    /// Use this server: [user@]host[:port], a URL, or an alias of config.toml
    #[arg(
        short = 'H',
        long,
        value_name = "HOST",
        env = "VROOM_HOST",
        default_value = "localhost",
        value_hint = ValueHint::Hostname
    )]
    pub host: String,
    /// How to connect.
    #[command(flatten)]
    pub connect: Connect,
}

/// Lists terminals.
#[derive(Args, Debug)]
pub struct Ls {
    /// List the terminals of this server
    #[arg(value_name = "HOST", env = "VROOM_HOST", default_value = "localhost", value_hint = ValueHint::Hostname)]
    pub host: String,
    /// Print JSON for programs to read
    #[arg(long)]
    pub json: bool,
    /// How to connect.
    #[command(flatten)]
    pub connect: Connect,
}

/// Joins a terminal.
#[derive(Args, Debug)]
pub struct Attach {
    /// Join the terminal of this name or id
    #[arg(value_name = "NAME|ID")]
    pub terminal: String,
    /// Only watch
    #[arg(short = 'r', long)]
    pub readonly: bool,
    /// Use this character to leave, with a dot after it; none for no such character
    #[arg(short = 'e', long, value_name = "CHAR")]
    pub escape: Option<String>,
    /// Fetch this many lines from before
    #[arg(long, value_name = "LINES", default_value_t = 1000)]
    pub scrollback: u32,
    /// Where it runs.
    #[command(flatten)]
    pub server: Server,
}

/// Shares a terminal.
#[derive(Args, Debug)]
pub struct Share {
    /// Share the terminal of this name or id
    #[arg(value_name = "NAME|ID")]
    pub terminal: String,
    /// End the link after this time, for example 30m, 8h or 7d
    #[arg(long, value_name = "TIME", default_value = "1h")]
    pub ttl: String,
    /// Let the link be used this many times
    #[arg(long, value_name = "TIMES")]
    pub uses: Option<u32>,
    /// List the links of the terminal instead
    #[arg(long, conflicts_with_all = ["revoke", "uses"])]
    pub list: bool,
    /// Withdraw this link instead
    #[arg(
        long,
        value_name = "LINK",
        conflicts_with = "uses",
        allow_hyphen_values = true
    )]
    pub revoke: Option<String>,
    /// Where it runs.
    #[command(flatten)]
    pub server: Server,
}

/// Ends a terminal.
#[derive(Args, Debug)]
pub struct Kill {
    /// End the terminals of these names or ids
    #[arg(value_name = "NAME|ID", required = true)]
    pub terminals: Vec<String>,
    /// Where they run.
    #[command(flatten)]
    pub server: Server,
}

/// Renames a terminal.
#[derive(Args, Debug)]
pub struct Rename {
    /// Rename the terminal of this name or id
    #[arg(value_name = "NAME|ID")]
    pub terminal: String,
    /// Give it this name
    #[arg(value_name = "NEW NAME")]
    pub name: String,
    /// Where it runs.
    #[command(flatten)]
    pub server: Server,
}

/// Saves a login.
#[derive(Args, Debug)]
pub struct Login {
    /// Log in to this server
    #[arg(value_name = "HOST", value_hint = ValueHint::Hostname)]
    pub host: String,
    /// Use the one-time code that `vroomd pair` prints on the server
    #[arg(long, value_name = "CODE")]
    pub pair: Option<String>,
    /// Read the token from this file; - is standard input
    #[arg(long, value_name = "FILE", conflicts_with = "pair", value_hint = ValueHint::FilePath)]
    pub token_file: Option<PathBuf>,
    /// How to connect.
    #[command(flatten)]
    pub connect: Connect,
}

/// Forgets a login.
#[derive(Args, Debug)]
pub struct Logout {
    /// Forget the login for this server
    #[arg(value_name = "HOST", value_hint = ValueHint::Hostname)]
    pub host: String,
    /// How to connect.
    #[command(flatten)]
    pub connect: Connect,
}

/// Checks what is needed.
#[derive(Args, Debug)]
pub struct Doctor {
    /// Check the way to this server, too
    #[arg(value_name = "HOST", value_hint = ValueHint::Hostname)]
    pub host: Option<String>,
    /// How to connect.
    #[command(flatten)]
    pub connect: Connect,
}

/// Writes files of packages.
#[derive(Args, Debug)]
pub struct Generate {
    /// Write these
    #[arg(value_enum, value_name = "WHAT")]
    pub what: Generated,
    /// Write them into this folder, which is made when missing
    #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub dir: PathBuf,
}

/// What can be generated.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum Generated {
    /// Man pages, one per command
    Man,
    /// Completions for bash, zsh, fish and elvish
    Completions,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    fn term(line: &[&str]) -> Term {
        let line = ["vroom", "term"].iter().chain(line);
        match Cli::try_parse_from(line).unwrap().command {
            Command::Term(term) => term,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn options_may_stand_on_both_sides_of_the_host() {
        let term = term(&["-p", "22", "host", "-v", "ls", "-la", "-p"]);
        assert_eq!(term.connect.port, Some(22));
        assert_eq!(term.connect.reach.verbose, 1);
        assert_eq!(term.destination, "host");
        assert_eq!(term.command, ["ls", "-la", "-p"]);
    }

    #[test]
    fn a_terminal_can_be_asked_for_twice() {
        assert_eq!(term(&["-tt", "host"]).tty, 2);
        assert!(term(&["-T", "host"]).no_tty);
    }

    #[test]
    fn forwards_are_given_several_times() {
        let term = term(&["-L", "1:a:2", "-L", "3:b:4", "-R", "5:c:6", "-D7", "host"]);
        assert_eq!(term.local, ["1:a:2", "3:b:4"]);
        assert_eq!(term.remote, ["5:c:6"]);
        assert_eq!(term.dynamic, ["7"]);
    }
}
