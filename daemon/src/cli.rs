//! The command line of `vroomd`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::config::{DesktopKind, LogFormat, OnExit};

/// Serve a desktop and terminals to browsers
#[derive(Debug, Parser)]
#[command(
    name = "vroomd",
    version,
    args_conflicts_with_subcommands = true,
    max_term_width = 100
)]
pub struct Cli {
    /// What to do instead of serving.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// How to serve.
    #[command(flatten)]
    pub serve: Serve,
}

/// What `vroomd` can do besides serving.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Check the configuration file and say what is wrong with it
    Validate {
        /// Read this file instead of the usual ones
        #[arg(long, value_name = "FILE", env = "VROOM_CONFIG")]
        config: Option<PathBuf>,
    },
    /// Ask the running server for a code that lets one browser or `vroom` in, once
    Pair {
        /// Look for the server in this folder instead of the usual one
        #[arg(long, value_name = "DIR", env = "VROOM_STATE_DIR")]
        state_dir: Option<PathBuf>,
    },
    /// Say what this machine has for picture and sound, what is used and why not more
    Doctor {
        /// Read this file instead of the usual ones
        #[arg(long, value_name = "FILE", env = "VROOM_CONFIG")]
        config: Option<PathBuf>,
    },
    /// Print the version
    Version,
    /// Try an encoder, for the server that asks
    #[command(hide = true)]
    TryEncoder {
        /// The encoder
        name: String,
    },
}

/// How to serve.
#[derive(Args, Debug, Default)]
pub struct Serve {
    /// Listen on this address; may be given several times [default: 127.0.0.1:8766]
    #[arg(
        long,
        value_name = "ADDR:PORT",
        env = "VROOM_LISTEN",
        value_delimiter = ','
    )]
    pub listen: Vec<String>,
    /// Listen on this Unix socket as well
    #[arg(long, value_name = "PATH", env = "VROOM_UNIX")]
    pub unix: Option<PathBuf>,
    /// Read this file instead of ~/.config/vroom/vroomd.toml or /etc/vroom/vroomd.toml
    #[arg(long, value_name = "FILE", env = "VROOM_CONFIG")]
    pub config: Option<PathBuf>,
    /// Start the desktop with this size [default: 1280x720]
    #[arg(long, value_name = "WxH", env = "VROOM_SIZE")]
    pub size: Option<String>,
    /// Choose the desktop [default: headless]
    #[arg(long, value_enum, env = "VROOM_DESKTOP")]
    pub desktop: Option<DesktopKind>,
    /// Show the desktop in a window of the Wayland session that this runs in, too
    #[arg(long, conflicts_with = "desktop")]
    pub nested: bool,
    /// Choose what happens when the session command ends [default: keep]
    #[arg(long, value_enum, env = "VROOM_ON_EXIT")]
    pub on_exit: Option<OnExit>,
    /// Use this keyboard layout, for example de or de:nodeadkeys [default: us]
    #[arg(long, value_name = "LAYOUT[:VARIANT]", env = "VROOM_LAYOUT")]
    pub layout: Option<String>,
    /// Use the token in this file; made when it is missing
    #[arg(long, value_name = "FILE", env = "VROOM_TOKEN_FILE")]
    pub token_file: Option<PathBuf>,
    /// Let the SSH keys in this file in [default with TLS: ~/.ssh/authorized_keys]
    #[arg(long, value_name = "FILE", env = "VROOM_AUTHORIZED_KEYS")]
    pub authorized_keys: Option<PathBuf>,
    /// Keep terminals and the control socket in this folder [default: $XDG_RUNTIME_DIR/vroom]
    #[arg(long, value_name = "DIR", env = "VROOM_STATE_DIR")]
    pub state_dir: Option<PathBuf>,
    /// Encrypt with this certificate chain (PEM)
    #[arg(
        long,
        value_name = "FILE",
        env = "VROOM_TLS_CERT",
        requires = "tls_key"
    )]
    pub tls_cert: Option<PathBuf>,
    /// Encrypt with this private key (PEM)
    #[arg(
        long,
        value_name = "FILE",
        env = "VROOM_TLS_KEY",
        requires = "tls_cert"
    )]
    pub tls_key: Option<PathBuf>,
    /// Allow plain text beyond loopback, where others can read and type
    #[arg(long, env = "VROOM_ALLOW_INSECURE_LISTEN")]
    pub allow_insecure_listen: bool,
    /// Let browsers call this server by this name; may be given several times
    #[arg(long, value_name = "NAME", env = "VROOM_HOSTS", value_delimiter = ',')]
    pub host: Vec<String>,
    /// Show clients the files in this folder [default: your home]
    #[arg(long, value_name = "FOLDER", env = "VROOM_FILES_ROOT")]
    pub files_root: Option<PathBuf>,
    /// Show clients no files
    #[arg(long, env = "VROOM_NO_FILES", conflicts_with = "files_root")]
    pub no_files: bool,
    /// Forward no connections
    #[arg(long, env = "VROOM_NO_FORWARDING")]
    pub no_forwarding: bool,
    /// Send everything over WebSocket
    #[arg(long, env = "VROOM_NO_WEBRTC")]
    pub no_webrtc: bool,
    /// Start no sound server for the session
    #[arg(long, env = "VROOM_NO_SOUND")]
    pub no_sound: bool,
    /// Record the session from its start; everybody is told
    #[arg(long, env = "VROOM_RECORD")]
    pub record: bool,
    /// Use this encoder [default: auto]
    #[arg(long, value_name = "NAME", env = "VROOM_ENCODER")]
    pub encoder: Option<String>,
    /// Choose how log lines look [default: human]
    #[arg(long, value_enum, env = "VROOM_LOG_FORMAT")]
    pub log_format: Option<LogFormat>,
    /// Choose what is logged, for example debug or warn,vroom_daemon=debug [default: info]
    #[arg(long, value_name = "FILTER", env = "VROOM_LOG")]
    pub log: Option<String>,
    /// Run this program as the session [default: foot or weston-terminal]
    #[arg(last = true, value_name = "SESSION COMMAND")]
    pub session: Vec<OsString>,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_session_command_follows_two_dashes() {
        let cli = Cli::try_parse_from([
            "vroomd",
            "--listen",
            "127.0.0.1:0",
            "--listen",
            "[::1]:0",
            "--",
            "foot",
            "-e",
            "top",
        ]);
        let serve = cli.unwrap().serve;
        assert_eq!(serve.listen, ["127.0.0.1:0", "[::1]:0"]);
        assert_eq!(serve.session, ["foot", "-e", "top"]);
    }

    #[test]
    fn a_certificate_needs_its_key() {
        assert!(Cli::try_parse_from(["vroomd", "--tls-cert", "a.pem"]).is_err());
    }

    #[test]
    fn validate_takes_a_file() {
        let cli = Cli::try_parse_from(["vroomd", "validate", "--config", "x.toml"]).unwrap();
        assert!(matches!(
            cli.command,
            Some(Command::Validate { config: Some(_) })
        ));
    }
}
