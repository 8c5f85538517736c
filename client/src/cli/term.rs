//! The options of `vroom term`.

use clap::{ArgAction, Args, ValueEnum, ValueHint};

use super::Connect;

/// Opens a terminal or runs a command.
///
/// With a command and no terminal on standard input, the program gets pipes.
#[derive(Args, Debug)]
pub struct Term {
    /// Connect to [user@]host[:port], a URL (https://, wss://, tls://, tcp://, unix:PATH), or an
    /// alias of config.toml
    #[arg(value_name = "DESTINATION", value_hint = ValueHint::Hostname)]
    pub destination: String,
    /// Run this command instead of a shell
    #[arg(value_name = "COMMAND", trailing_var_arg = true)]
    pub command: Vec<String>,
    /// Ask for a terminal even for a command; twice even when standard input is none
    #[arg(short, long, action = ArgAction::Count, overrides_with = "no_tty")]
    pub tty: u8,
    /// Ask for no terminal
    #[arg(short = 'T', long, overrides_with = "tty")]
    pub no_tty: bool,
    /// Forward a port or Unix socket here to one there: [bind:]port:host:hostport
    #[arg(short = 'L', long, value_name = "FORWARD")]
    pub local: Vec<String>,
    /// Forward a port or Unix socket there to one here: [bind:]port:host:hostport
    #[arg(short = 'R', long, value_name = "FORWARD")]
    pub remote: Vec<String>,
    /// Be a SOCKS proxy here that connects from there: [bind:]port
    #[arg(short = 'D', long, value_name = "[BIND:]PORT")]
    pub dynamic: Vec<String>,
    /// Let programs there use the keys of the agent here; asks for each use
    #[arg(short = 'A', long, overrides_with = "no_agent")]
    pub agent: bool,
    /// Do not forward the agent
    #[arg(short = 'a', long, overrides_with = "agent")]
    pub no_agent: bool,
    /// Run no program, only forward ports
    #[arg(short = 'N', long)]
    pub no_command: bool,
    /// Go to the background once connected
    #[arg(short = 'f', long)]
    pub background: bool,
    /// Read nothing from standard input
    #[arg(short = 'n', long)]
    pub null_input: bool,
    /// Use this escape character, or none [default: ~]
    #[arg(short, long, value_name = "CHAR")]
    pub escape: Option<String>,
    /// Name the terminal, which then outlives the connection
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Let the terminal outlive the connection
    #[arg(long)]
    pub persist: bool,
    /// Show typed characters before the server confirms them [default: auto]
    #[arg(long, value_enum, value_name = "WHEN")]
    pub predict: Option<Predict>,
    /// How to connect.
    #[command(flatten)]
    pub connect: Connect,
}

/// When typed characters are shown before the server confirms them.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Predict {
    /// When the way to the server is long
    #[default]
    Auto,
    /// On every connection
    Always,
    /// Not at all
    Never,
}
