//! The options of every command that connects.

use std::path::PathBuf;

use clap::{ArgAction, Args, ValueHint};

/// How to connect.
#[derive(Args, Clone, Debug, Default)]
pub struct Connect {
    /// Connect to this port
    #[arg(short, long, value_name = "PORT")]
    pub port: Option<u16>,
    /// The rest.
    #[command(flatten)]
    pub reach: Reach,
}

/// How to connect, but for the port, whose letter differs.
#[derive(Args, Clone, Debug, Default)]
pub struct Reach {
    /// Log in as this user
    #[arg(short = 'l', long = "login", value_name = "USER")]
    pub user: Option<String>,
    /// Prove who you are with this private key; may be given several times
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub identity: Vec<PathBuf>,
    /// Set an option as ssh_config names it, for example ConnectTimeout=5
    #[arg(short, long = "option", value_name = "NAME=VALUE")]
    pub option: Vec<String>,
    /// Go through these servers first, separated by commas
    #[arg(short = 'J', long, value_name = "HOST", value_hint = ValueHint::Hostname)]
    pub jump: Option<String>,
    /// Read this configuration instead of ~/.config/vroom/config.toml
    #[arg(short = 'F', long, value_name = "FILE", env = "VROOM_CLIENT_CONFIG", value_hint = ValueHint::FilePath)]
    pub config: Option<PathBuf>,
    /// Use IPv4 addresses only
    #[arg(short = '4', long, conflicts_with = "ipv6")]
    pub ipv4: bool,
    /// Use IPv6 addresses only
    #[arg(short = '6', long)]
    pub ipv6: bool,
    /// Say what happens; twice says more
    #[arg(short, long, action = ArgAction::Count)]
    pub verbose: u8,
    /// Say nothing but errors
    #[arg(short, long, conflicts_with = "verbose")]
    pub quiet: bool,
}
