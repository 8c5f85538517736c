//! The options of `vroom cp`.

use clap::{Args, ValueHint};

use super::Reach;

/// Copies files; a copy that broke off goes on where it stopped.
#[derive(Args, Debug)]
pub struct Copy {
    /// Copy these; [user@]host:path or scheme://host/path is on a server
    #[arg(value_name = "SOURCE", required = true, value_hint = ValueHint::AnyPath)]
    pub sources: Vec<String>,
    /// Copy to this file or folder; [user@]host:path or scheme://host/path is on a server
    #[arg(value_name = "TARGET", value_hint = ValueHint::AnyPath)]
    pub target: String,
    /// Copy folders and what is in them
    #[arg(short, long)]
    pub recursive: bool,
    /// Keep permissions and times
    #[arg(short, long)]
    pub preserve: bool,
    /// Start over instead of going on with a copy that broke off
    #[arg(long)]
    pub restart: bool,
    /// Connect to this port
    #[arg(short = 'P', long, value_name = "PORT")]
    pub port: Option<u16>,
    /// How to connect.
    #[command(flatten)]
    pub reach: Reach,
}
