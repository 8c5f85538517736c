//! The configuration file.
//!
//! Every key is optional; an unknown one is an error with its line and column, so that a spelling
//! mistake never silently means the default.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::recording::MayRecord;

/// The content of `vroomd.toml`.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Addresses to listen on.
    pub listen: Option<Vec<String>>,
    /// A Unix socket to listen on as well.
    pub unix: Option<PathBuf>,
    /// Allows plain text beyond loopback.
    pub allow_insecure_listen: Option<bool>,
    /// Names by which browsers may call this server, besides loopback and its own addresses.
    pub hosts: Vec<String>,
    /// Pages of other servers that may use this one, for example `https://desk.example.org`.
    pub origins: Vec<String>,
    /// Where the token lies.
    pub token_file: Option<PathBuf>,
    /// The SSH keys that are let in.
    pub authorized_keys: Option<PathBuf>,
    /// Where terminals and the control socket are kept.
    pub state_dir: Option<PathBuf>,
    /// The certificate.
    pub tls: Option<TlsConfig>,
    /// Which desktop there is.
    pub desktop: DesktopConfig,
    /// What terminals may do.
    pub terminal: TerminalConfig,
    /// Which way clipboards may go.
    pub clipboard: ClipboardConfig,
    /// What NAVIGATE opens addresses with.
    pub browser: BrowserConfig,
    /// Which files clients have.
    pub files: FilesConfig,
    /// What is forwarded.
    pub forwarding: ForwardingConfig,
    /// How pictures travel.
    pub media: MediaConfig,
    /// What is heard.
    pub sound: SoundConfig,
    /// What may be recorded.
    pub recording: RecordingConfig,
    /// What strangers may hold.
    pub limits: LimitsConfig,
    /// What is written to the log.
    pub log: LogConfig,
}

/// The certificate for encrypted connections.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct TlsConfig {
    /// A PEM file with the certificate chain.
    pub cert: PathBuf,
    /// A PEM file with the private key.
    pub key: PathBuf,
}

/// Which desktop there is.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct DesktopConfig {
    /// `headless`, `nested`, `synthetic` or `none`.
    pub kind: Option<DesktopKind>,
    /// The size it starts with, for example `1280x720`.
    pub size: Option<String>,
    /// Pixels per logical unit.
    pub scale: Option<f64>,
    /// Pictures per second at most.
    pub refresh_hz: Option<u32>,
    /// The keyboard layout in xkb's terms, for example `de`.
    pub layout: Option<String>,
    /// For example `nodeadkeys`.
    pub variant: Option<String>,
    /// For example `pc105`.
    pub model: Option<String>,
    /// For example `ctrl:nocaps`.
    pub options: Option<String>,
    /// The program that is the session, with its arguments.
    pub command: Option<Vec<String>>,
    /// What windows do; a kiosk where a program is named, else a desktop.
    pub style: Option<Style>,
    /// Whether X11 programs find a display.
    pub x11: Option<bool>,
    /// Whether a desktop starts what entries in `autostart` folders name.
    pub autostart: Option<bool>,
    /// What happens when that program ends.
    pub on_exit: Option<OnExit>,
    /// Whether the desktop takes the size of the driver's window.
    pub follow_resize: Option<bool>,
}

/// Which desktop there is.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum DesktopKind {
    /// A Wayland compositor without a screen.
    #[default]
    Headless,
    /// The same as a window of the Wayland session that this runs in.
    Nested,
    /// A test card.
    Synthetic,
    /// Terminals only.
    None,
}

impl DesktopKind {
    /// What it is called in the configuration and to clients.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Headless => "headless",
            Self::Nested => "nested",
            Self::Synthetic => "synthetic",
            Self::None => "none",
        }
    }
}

/// What windows do.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum Style {
    /// They float over a wallpaper, with a panel to start programs and to find windows.
    Desktop,
    /// The one that is alone fills the picture.
    Kiosk,
}

/// What happens when the session's program ends.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum OnExit {
    /// The desktop stays, empty, and says so.
    #[default]
    Keep,
    /// The program is started again.
    Restart,
    /// `vroomd` ends.
    Exit,
}

/// What terminals may do.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct TerminalConfig {
    /// Whether there are any.
    pub enabled: Option<bool>,
    /// The shell; the user's own by default.
    pub shell: Option<PathBuf>,
    /// Seconds after which a terminal ends that nobody is at and that does nothing; absent for never.
    pub idle_timeout: Option<u64>,
    /// Terminals of one user at a time.
    pub per_user: Option<usize>,
}

/// Which way clipboards may go.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct ClipboardConfig {
    /// Whether clients may fill the clipboard of the desktop.
    pub to_desktop: Option<bool>,
    /// Whether clients may have what is in it.
    pub from_desktop: Option<bool>,
}

/// What NAVIGATE opens addresses with.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct BrowserConfig {
    /// Whether whoever drives may open addresses at all.
    pub enabled: Option<bool>,
    /// The program and its arguments; the address comes last.
    pub command: Option<Vec<String>>,
}

/// Which files clients have.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct FilesConfig {
    /// Whether they have any.
    pub enabled: Option<bool>,
    /// The folder that they have; the user's home by default.
    pub root: Option<PathBuf>,
}

/// What is forwarded.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct ForwardingConfig {
    /// Whether anything is.
    pub enabled: Option<bool>,
    /// Whether clients may have us listen on more than loopback.
    pub any_address: Option<bool>,
}

/// How pictures travel.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct MediaConfig {
    /// `auto`, or the name of an encoder.
    pub encoder: Option<String>,
    /// Whether WebRTC is offered; without it everything goes over WebSocket.
    pub webrtc: Option<bool>,
    /// The highest bit rate of a viewer.
    pub bitrate_kbps_max: Option<u32>,
    /// The most pictures per second.
    pub fps_max: Option<u32>,
    /// The UDP ports that WebRTC may use, for example `[50000, 50100]`.
    pub ports: Option<(u16, u16)>,
}

/// What is heard.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct SoundConfig {
    /// Whether the session has a sound server of its own, where one is installed.
    pub enabled: Option<bool>,
    /// Who may speak into the microphone of the desktop.
    pub microphone: Option<MicrophoneRule>,
}

/// Who may speak into the microphone of the desktop; one person does at a time.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum MicrophoneRule {
    /// Whoever drives, as long as they do.
    #[default]
    Driver,
    /// Everybody who may drive; whoever does comes first.
    Operators,
    /// Nobody: programs find no microphone.
    Nobody,
}

/// What may be recorded.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct RecordingConfig {
    /// Who may begin and end recordings, and fetch them: `nobody`, `owner` or `operator`.
    pub allowed: Option<MayRecord>,
    /// Where recordings lie.
    pub directory: Option<PathBuf>,
    /// Whether one begins with the server.
    pub autostart: Option<bool>,
    /// The largest one.
    pub size_mib_max: Option<u64>,
    /// What is left free on the disk.
    pub free_mib_min: Option<u64>,
    /// Whether the pointer is in the picture while it is recorded.
    pub pointer: Option<bool>,
}

/// What strangers may hold.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct LimitsConfig {
    /// How long a connection may stay unauthenticated, from its first byte or without one.
    pub pre_auth_ms: Option<u64>,
    /// The same for a connection that may still prove itself inside a terminal.
    pub unprivileged_ms: Option<u64>,
    /// Unauthenticated connections at a time, of everybody.
    pub unauthenticated: Option<usize>,
    /// Unauthenticated connections at a time, of one address.
    pub unauthenticated_per_source: Option<usize>,
}

/// What is written to the log.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct LogConfig {
    /// `human` or `json`.
    pub format: Option<LogFormat>,
    /// For example `info`, or `warn,vroom_daemon=debug`.
    pub level: Option<String>,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Human,
    /// One JSON object per line.
    Json,
}

/// Why a configuration file could not be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// It could not be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// It is not what a configuration file looks like.
    #[error("{}: {}", path.display(), source)]
    Parse {
        /// The file.
        path: PathBuf,
        /// Where and what, with line and column.
        source: Box<toml::de::Error>,
    },
}

impl Config {
    /// Reads the given file, or the first that exists of the usual places, or nothing.
    ///
    /// # Errors
    ///
    /// When the given file does not exist, and when a file cannot be read or is not right.
    pub fn load(given: Option<&Path>) -> Result<Self, ConfigError> {
        if let Some(path) = given {
            return Self::read(path);
        }
        match usual_places().into_iter().find(|path| path.exists()) {
            Some(path) => Self::read(&path),
            None => Ok(Self::default()),
        }
    }

    fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Read {
            path: path.into(),
            source,
        })?;
        toml::from_str(&text).map_err(|source| ConfigError::Parse {
            path: path.into(),
            source: Box::new(source),
        })
    }
}

/// Where a configuration file is looked for, in this order.
fn usual_places() -> Vec<PathBuf> {
    let mut places = Vec::new();
    let home = |name: &str, below: &str| {
        let value = std::env::var_os(name).filter(|value: &OsString| !value.is_empty())?;
        Some(PathBuf::from(value).join(below))
    };
    if let Some(folder) = home("XDG_CONFIG_HOME", "").or_else(|| home("HOME", ".config")) {
        places.push(folder.join("vroom/vroomd.toml"));
    }
    places.push("/etc/vroom/vroomd.toml".into());
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_keys_are_errors_with_line_and_column() {
        let error =
            toml::from_str::<Config>("hosts = []\n\n[desktop]\nsise = \"1x1\"\n").unwrap_err();
        let text = error.to_string();
        assert!(text.contains("line 4, column 1"), "{text}");
        assert!(text.contains("sise"), "{text}");
    }

    #[test]
    fn the_packaged_example_parses_as_it_is_and_with_every_key_in_use() {
        let example = include_str!("../../packaging/vroomd.toml");
        let as_shipped: Config = toml::from_str(example).unwrap();
        assert_eq!(as_shipped, Config::default(), "the example changes nothing");
        let in_use: String = example
            .lines()
            .map(|line| match line.strip_prefix("#") {
                Some(rest) if !rest.starts_with(' ') => format!("{rest}\n"),
                _ => format!("{line}\n"),
            })
            .collect();
        let config: Config = toml::from_str(&in_use).unwrap();
        assert!(config.listen.is_some() && config.unix.is_some());
        assert!(config.tls.is_some() && config.log.level.is_some());
        assert!(config.authorized_keys.is_some() && config.state_dir.is_some());
        assert!(config.terminal.idle_timeout.is_some() && config.terminal.per_user.is_some());
        assert!(config.desktop.autostart.is_some() && config.browser.command.is_some());
        assert!(config.desktop.on_exit.is_some() && config.media.ports.is_some());
        assert!(config.limits.unauthenticated_per_source.is_some());
        assert!(config.recording.allowed.is_some() && config.recording.pointer.is_some());
        assert!(config.sound.enabled.is_some() && config.sound.microphone.is_some());
        assert!(config.clipboard.to_desktop.is_some() && config.clipboard.from_desktop.is_some());
    }

    #[test]
    fn a_given_file_must_exist() {
        let error = Config::load(Some(Path::new("/nonexistent/vroomd.toml"))).unwrap_err();
        assert!(matches!(error, ConfigError::Read { .. }));
    }
}
