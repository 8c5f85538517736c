//! What is in force: flags over environment over file over defaults.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use vroom_desktop::{Layout, Size};

use crate::cli::Serve;
use crate::config::{Config, DesktopKind, LogFormat, MicrophoneRule, OnExit, Style, TlsConfig};
use crate::recording::{FREE_MIB_MIN, MIB, RecordingRules, SIZE_MIB_MAX};

/// What is in force.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Addresses to listen on.
    pub listen: Vec<SocketAddr>,
    /// A Unix socket to listen on as well.
    pub unix: Option<PathBuf>,
    /// Whether plain text is served beyond loopback.
    pub allow_insecure_listen: bool,
    /// Further names of this server.
    pub hosts: Vec<String>,
    /// Further pages that may use it.
    pub origins: Vec<String>,
    /// Where the token lies; `None` is the usual place.
    pub token_file: Option<PathBuf>,
    /// The SSH keys that are let in; none without it.
    pub authorized_keys: Option<PathBuf>,
    /// Where terminals and the control socket are kept; `None` is the usual place.
    pub state_dir: Option<PathBuf>,
    /// The certificate.
    pub tls: Option<TlsConfig>,
    /// Which desktop there is.
    pub desktop: DesktopKind,
    /// The size it starts with.
    pub size: Size,
    /// Pixels per logical unit.
    pub scale: f64,
    /// Pictures per second at most.
    pub refresh_hz: u32,
    /// The keyboard.
    pub layout: Layout,
    /// The session's program; `None` looks for one.
    pub session: Option<Vec<OsString>>,
    /// What windows do.
    pub style: Style,
    /// Whether X11 programs find a display.
    pub x11: bool,
    /// Whether a desktop starts what entries in `autostart` folders name.
    pub autostart: bool,
    /// What happens when it ends.
    pub on_exit: OnExit,
    /// Whether the desktop takes the size of the driver's window.
    pub follow_resize: bool,
    /// What opens addresses, which come last; `None` opens none.
    pub browser: Option<Vec<String>>,
    /// Which way clipboards may go.
    pub clipboard: ClipboardRules,
    /// Whether there are terminals.
    pub terminals: bool,
    /// The shell of terminals; `None` is the user's own.
    pub shell: Option<PathBuf>,
    /// How long a terminal lasts that nobody is at and that does nothing; `None` for ever.
    pub terminal_idle: Option<Duration>,
    /// Terminals of one user at a time; one more is refused.
    pub terminals_per_user: usize,
    /// Whether clients have files.
    pub files: bool,
    /// The folder that they have; `None` is the user's home.
    pub files_root: Option<PathBuf>,
    /// Whether connections are forwarded.
    pub forwarding: bool,
    /// Whether clients may have us listen on more than loopback.
    pub forward_any_address: bool,
    /// The encoder; `None` chooses.
    pub encoder: Option<String>,
    /// Whether WebRTC is offered.
    pub webrtc: bool,
    /// Whether the session has a sound server of its own.
    pub sound: bool,
    /// What may be recorded.
    pub recording: RecordingRules,
    /// Who may speak into the microphone of the desktop.
    pub microphone: MicrophoneRule,
    /// The highest bit rate of a viewer, when limited.
    pub bitrate_kbps_max: Option<u32>,
    /// The most pictures per second, when limited.
    pub fps_max: Option<u32>,
    /// The UDP ports that WebRTC may use.
    pub ports: Option<(u16, u16)>,
    /// What strangers may hold.
    pub limits: Limits,
    /// How log lines look.
    pub log_format: LogFormat,
    /// What is logged.
    pub log: String,
}

/// What strangers may hold.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How long a connection may stay unauthenticated, counted from accept.
    pub pre_auth: Duration,
    /// The same for a connection that may still prove itself inside a terminal.
    pub unprivileged: Duration,
    /// Unauthenticated connections at a time; one more and the oldest is dropped.
    pub unauthenticated: usize,
    /// The same for one address.
    pub unauthenticated_per_source: usize,
}

/// Which way clipboards may go, by the configuration.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ClipboardRules {
    /// Whether clients may fill the selections of the desktop.
    pub to_desktop: bool,
    /// Whether clients may have what is in them.
    pub from_desktop: bool,
}

/// What is wrong with the settings.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// An address to listen on does not parse.
    #[error("cannot listen on {0:?}: expected ADDRESS:PORT, for example 127.0.0.1:8766 or [::1]:0")]
    Listen(String),
    /// A size does not parse or is out of range.
    #[error("the size {0:?} is not WIDTHxHEIGHT with 320x200 to 7680x4320")]
    Size(String),
    /// A number is out of range.
    #[error("{name} must be {range}")]
    Range {
        /// The key.
        name: &'static str,
        /// What it may be.
        range: &'static str,
    },
    /// Plain text beyond loopback was not asked for in so many words.
    #[error(
        "refusing to listen on {0} without encryption: others could read and type; give a \
         certificate (--tls-cert, --tls-key), listen on 127.0.0.1, or pass --allow-insecure-listen"
    )]
    Insecure(SocketAddr),
}

impl Settings {
    /// Puts flags (which already hold the environment) over the file.
    ///
    /// # Errors
    ///
    /// When a value is out of range or the combination is not safe.
    pub fn resolve(serve: Serve, config: Config) -> Result<Self, SettingsError> {
        let listen = if serve.listen.is_empty() {
            config.listen.unwrap_or_else(|| vec![LISTEN.into()])
        } else {
            serve.listen
        };
        let size = serve.size.or(config.desktop.size);
        let session = match serve.session {
            given if !given.is_empty() => Some(given),
            _ => config
                .desktop
                .command
                .map(|command| command.into_iter().map(Into::into).collect()),
        };
        let tls = match (serve.tls_cert, serve.tls_key) {
            (Some(cert), Some(key)) => Some(TlsConfig { cert, key }),
            _ => config.tls,
        };
        let mut layout = Layout {
            layout: config.desktop.layout.unwrap_or_default(),
            variant: config.desktop.variant.unwrap_or_default(),
            model: config.desktop.model.unwrap_or_default(),
            options: config.desktop.options.unwrap_or_default(),
        };
        if let Some(given) = serve.layout {
            let (name, variant) = given.split_once(':').unwrap_or((&given, ""));
            layout.layout = name.into();
            layout.variant = variant.into();
        }
        let nested = serve.nested.then_some(DesktopKind::Nested);
        let desktop = nested.or(serve.desktop).or(config.desktop.kind);
        let mut hosts = config.hosts;
        hosts.extend(serve.host);
        let settings = Self {
            listen: listen
                .iter()
                .map(|text| parse_listen(text))
                .collect::<Result<_, _>>()?,
            unix: serve.unix.or(config.unix),
            allow_insecure_listen: serve.allow_insecure_listen
                || config.allow_insecure_listen.unwrap_or(false),
            hosts,
            origins: config.origins,
            token_file: serve.token_file.or(config.token_file),
            authorized_keys: serve
                .authorized_keys
                .or(config.authorized_keys)
                .or_else(|| usual_keys().filter(|_| tls.is_some())),
            state_dir: serve.state_dir.or(config.state_dir),
            tls,
            desktop: desktop.unwrap_or_default(),
            size: size.map_or(Ok(SIZE), |text| parse_size(&text))?,
            scale: config.desktop.scale.unwrap_or(1.0),
            refresh_hz: config.desktop.refresh_hz.unwrap_or(REFRESH_HZ),
            layout,
            style: config.desktop.style.unwrap_or(if session.is_some() {
                Style::Kiosk
            } else {
                Style::Desktop
            }),
            session,
            x11: config.desktop.x11.unwrap_or(true),
            autostart: config.desktop.autostart.unwrap_or(true),
            on_exit: serve.on_exit.or(config.desktop.on_exit).unwrap_or_default(),
            follow_resize: config.desktop.follow_resize.unwrap_or(true),
            browser: config.browser.enabled.unwrap_or(true).then(|| {
                let command = config.browser.command;
                command.unwrap_or_else(|| vec![BROWSER.to_owned()])
            }),
            clipboard: ClipboardRules {
                to_desktop: config.clipboard.to_desktop.unwrap_or(true),
                from_desktop: config.clipboard.from_desktop.unwrap_or(true),
            },
            terminals: config.terminal.enabled.unwrap_or(true),
            shell: config.terminal.shell,
            terminal_idle: config.terminal.idle_timeout.map(Duration::from_secs),
            terminals_per_user: config.terminal.per_user.unwrap_or(TERMINALS_PER_USER),
            files: !serve.no_files && config.files.enabled.unwrap_or(true),
            files_root: serve.files_root.or(config.files.root),
            forwarding: !serve.no_forwarding && config.forwarding.enabled.unwrap_or(true),
            forward_any_address: config.forwarding.any_address.unwrap_or(false),
            encoder: serve
                .encoder
                .or(config.media.encoder)
                .filter(|name| name != "auto"),
            webrtc: !serve.no_webrtc && config.media.webrtc.unwrap_or(true),
            sound: !serve.no_sound && config.sound.enabled.unwrap_or(true),
            recording: RecordingRules {
                allowed: config.recording.allowed.unwrap_or_default().least(),
                directory: config.recording.directory,
                autostart: serve.record || config.recording.autostart.unwrap_or(false),
                bytes_max: mib(config.recording.size_mib_max, SIZE_MIB_MAX),
                free_min: mib(config.recording.free_mib_min, FREE_MIB_MIN),
                pointer: config.recording.pointer.unwrap_or(true),
            },
            microphone: config.sound.microphone.unwrap_or_default(),
            bitrate_kbps_max: config.media.bitrate_kbps_max,
            fps_max: config.media.fps_max,
            ports: config.media.ports,
            limits: Limits {
                pre_auth: config
                    .limits
                    .pre_auth_ms
                    .map_or(PRE_AUTH, Duration::from_millis),
                unprivileged: config
                    .limits
                    .unprivileged_ms
                    .map_or(UNPRIVILEGED, Duration::from_millis),
                unauthenticated: config.limits.unauthenticated.unwrap_or(UNAUTHENTICATED),
                unauthenticated_per_source: config
                    .limits
                    .unauthenticated_per_source
                    .unwrap_or(UNAUTHENTICATED_PER_SOURCE),
            },
            log_format: serve.log_format.or(config.log.format).unwrap_or_default(),
            log: serve.log.or(config.log.level).unwrap_or_else(|| LOG.into()),
        };
        settings.check()?;
        Ok(settings)
    }

    /// Whether addresses can be opened on the desktop.
    pub(crate) fn can_browse(&self) -> bool {
        self.browser.is_some()
            && matches!(self.desktop, DesktopKind::Headless | DesktopKind::Nested)
    }

    fn check(&self) -> Result<(), SettingsError> {
        let range = |name, range| Err(SettingsError::Range { name, range });
        if !(0.25..=8.0).contains(&self.scale) {
            return range("desktop.scale", "0.25 to 8");
        }
        if !(1..=240).contains(&self.refresh_hz) {
            return range("desktop.refresh_hz", "1 to 240");
        }
        if self
            .ports
            .is_some_and(|(first, last)| first == 0 || first > last)
        {
            return range("media.ports", "two ports, the lower one first");
        }
        if self.terminal_idle.is_some_and(|idle| idle.is_zero()) {
            return range(
                "terminal.idle_timeout",
                "at least 1 second, or absent for never",
            );
        }
        if self.browser.as_ref().is_some_and(Vec::is_empty) {
            return range(
                "browser.command",
                "a program and its arguments; `enabled` switches it off",
            );
        }
        if self.terminals_per_user == 0 {
            return range(
                "terminal.per_user",
                "at least 1; `enabled` switches terminals off",
            );
        }
        if self.recording.bytes_max == 0 {
            return range(
                "recording.size_mib_max",
                "at least 1; `allowed` switches recordings off",
            );
        }
        let limits = &self.limits;
        if limits.unauthenticated == 0 || limits.unauthenticated_per_source == 0 {
            return range("limits.unauthenticated", "at least 1");
        }
        if limits.pre_auth < PRE_AUTH_MIN || limits.unprivileged < PRE_AUTH_MIN {
            return range("limits.pre_auth_ms", "at least 100");
        }
        let insecure = self
            .listen
            .iter()
            .find(|address| !address.ip().is_loopback());
        match insecure {
            Some(address) if self.tls.is_none() && !self.allow_insecure_listen => {
                Err(SettingsError::Insecure(*address))
            }
            _ => Ok(()),
        }
    }
}

/// A number of MiB in bytes.
fn mib(given: Option<u64>, default: u64) -> u64 {
    given.unwrap_or(default).saturating_mul(MIB)
}

/// Reads `ADDRESS:PORT`; `localhost` is the loopback address.
fn parse_listen(text: &str) -> Result<SocketAddr, SettingsError> {
    let literal = text.replace("localhost:", "127.0.0.1:");
    literal
        .parse()
        .map_err(|_| SettingsError::Listen(text.into()))
}

/// Reads `WIDTHxHEIGHT`.
fn parse_size(text: &str) -> Result<Size, SettingsError> {
    let error = || SettingsError::Size(text.into());
    let (width, height) = text.split_once('x').ok_or_else(error)?;
    let size = Size::new(
        width.parse().map_err(|_| error())?,
        height.parse().map_err(|_| error())?,
    );
    let fits = (SIZE_MIN.width..=SIZE_MAX.width).contains(&size.width)
        && (SIZE_MIN.height..=SIZE_MAX.height).contains(&size.height);
    if fits { Ok(size) } else { Err(error()) }
}

/// Where SSH keeps the keys that open an account.
fn usual_keys() -> Option<PathBuf> {
    let home = std::env::var_os("HOME").filter(|home| !home.is_empty())?;
    Some(PathBuf::from(home).join(".ssh/authorized_keys"))
}

/// What is logged by default: of the compositor's foundation only what goes wrong.
const LOG: &str = "info,smithay=warn";

/// Where we listen by default.
const LISTEN: &str = "127.0.0.1:8766";

/// The size of the desktop by default.
const SIZE: Size = Size::new(1280, 720);

/// The smallest desktop.
pub(crate) const SIZE_MIN: Size = Size::new(320, 200);

/// The largest desktop.
pub(crate) const SIZE_MAX: Size = Size::new(7680, 4320);

/// Pictures per second by default.
const REFRESH_HZ: u32 = 60;

/// What opens addresses by default: it knows which browser the person prefers.
const BROWSER: &str = "xdg-open";

/// Terminals of one user at a time by default; one more is refused with 4114.
const TERMINALS_PER_USER: usize = 256;

/// How long a connection may stay unauthenticated by default; then it is closed.
const PRE_AUTH: Duration = Duration::from_secs(15);

/// The shortest such time; less would lock everybody out.
const PRE_AUTH_MIN: Duration = Duration::from_millis(100);

/// The same for a connection that may still prove itself inside a terminal.
const UNPRIVILEGED: Duration = Duration::from_secs(120);

/// Unauthenticated connections at a time by default; one more drops the oldest.
const UNAUTHENTICATED: usize = 256;

/// The same for one address.
const UNAUTHENTICATED_PER_SOURCE: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(file: &str, serve: Serve) -> Result<Settings, SettingsError> {
        Settings::resolve(serve, toml::from_str(file).unwrap())
    }

    #[test]
    fn flags_win_over_the_file() {
        let file = "[desktop]\nsize = \"800x600\"\nkind = \"none\"\nlayout = \"fr\"";
        let serve = Serve {
            size: Some("640x480".into()),
            layout: Some("de:nodeadkeys".into()),
            ..Serve::default()
        };
        let settings = resolve(file, serve).unwrap();
        assert_eq!(settings.size, Size::new(640, 480));
        assert_eq!(settings.desktop, DesktopKind::None);
        assert_eq!(settings.layout.layout, "de");
        assert_eq!(settings.layout.variant, "nodeadkeys");
    }

    #[test]
    fn a_window_is_asked_for_by_flag_or_by_file() {
        let file = "[desktop]\nkind = \"nested\"";
        let settings = resolve(file, Serve::default()).unwrap();
        assert_eq!(settings.desktop, DesktopKind::Nested);
        let serve = Serve {
            nested: true,
            ..Serve::default()
        };
        let settings = resolve("[desktop]\nkind = \"headless\"", serve).unwrap();
        assert_eq!(settings.desktop, DesktopKind::Nested);
    }

    #[test]
    fn plain_text_beyond_loopback_needs_the_word() {
        let serve = |allow| Serve {
            listen: vec!["0.0.0.0:8766".into()],
            allow_insecure_listen: allow,
            ..Serve::default()
        };
        assert!(matches!(
            resolve("", serve(false)),
            Err(SettingsError::Insecure(_))
        ));
        assert!(resolve("", serve(true)).is_ok());
        let tls = "[tls]\ncert = \"c\"\nkey = \"k\"";
        assert!(resolve(tls, serve(false)).is_ok());
    }

    #[test]
    fn sizes_outside_the_range_are_refused() {
        for text in [
            "",
            "x",
            "319x200",
            "7682x4320",
            "800",
            "-1x600",
            "800x600x2",
        ] {
            let serve = Serve {
                size: Some(text.into()),
                ..Serve::default()
            };
            assert!(
                matches!(resolve("", serve), Err(SettingsError::Size(_))),
                "{text}"
            );
        }
    }
}
