//! Which desktop there is, and where it lives.

use std::ffi::{OsStr, OsString};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{env, fs, io};

use anyhow::Context as _;
use vroom_compositor::{Compositor, CompositorConfig, Host, Nested};
use vroom_desktop::{Desktop, DesktopEvent, EventSink, Synthetic, SyntheticConfig};

use crate::bus::{self, SessionBus};
use crate::config::{DesktopKind, MicrophoneRule, OnExit, Style};
use crate::hub::{Hub, SESSION_NAME};
use crate::settings::Settings;
use crate::sound::{self, SoundServer};

/// A desktop that was started.
pub(crate) struct Started {
    /// The desktop.
    pub(crate) desktop: Arc<dyn Desktop>,
    /// The variables by which programs in terminals find the displays and the bus.
    pub(crate) display: Vec<(&'static str, OsString)>,
    /// What its programs talk to one another by.
    pub(crate) bus: Option<SessionBus>,
    /// What its programs play into.
    pub(crate) sound: Option<SoundServer>,
    /// Where its sockets lie; removed when dropped.
    pub(crate) runtime_dir: Option<RuntimeDir>,
}

/// Starts the desktop that the settings ask for, if they do.
///
/// What it tells goes to `events`, also that there is nothing to show on it.
pub(crate) async fn start(
    settings: &Settings,
    hub: &Arc<Hub>,
    events: EventSink,
) -> anyhow::Result<Option<Started>> {
    match settings.desktop {
        DesktopKind::None => Ok(None),
        DesktopKind::Synthetic => {
            let config = SyntheticConfig {
                size: settings.size,
                animate: None,
            };
            let desktop = Synthetic::start(config, events).context("starting the test card")?;
            Ok(Some(Started {
                desktop: Arc::new(desktop),
                display: Vec::new(),
                bus: None,
                sound: None,
                runtime_dir: None,
            }))
        }
        DesktopKind::Headless => compositor(settings, None, hub, events).await.map(Some),
        DesktopKind::Nested => {
            let host = Host::from_env()?;
            compositor(settings, Some(host), hub, events)
                .await
                .map(Some)
        }
    }
}

/// Starts the compositor; with a host it is a window there, too.
async fn compositor(
    settings: &Settings,
    host: Option<Host>,
    hub: &Arc<Hub>,
    events: EventSink,
) -> anyhow::Result<Started> {
    let runtime_dir = RuntimeDir::make().context("making a runtime directory")?;
    let command = settings.session.clone().or_else(default_session);
    if command.is_none() {
        let reason = "no program to show was found: install foot, or name one after --";
        tracing::warn!("{reason}");
        events(DesktopEvent::SessionEnded {
            reason: reason.into(),
            restarting: false,
        });
    }
    // Before the first program looks for it.
    let sound = settings
        .sound
        .then(|| sound(&runtime_dir.path, settings))
        .flatten();
    let bus = bus(&runtime_dir.path, hub).await;
    let address = bus.as_ref().map(|bus| OsString::from(bus.address()));
    let address = address.map(|address| ("DBUS_SESSION_BUS_ADDRESS", address));
    let mut env = locale(|name| env::var_os(name));
    env.extend(
        address
            .iter()
            .map(|(name, value)| ((*name).into(), value.clone())),
    );
    let config = CompositorConfig {
        size: settings.size,
        scale: settings.scale,
        refresh_hz: settings.refresh_hz,
        layout: settings.layout.clone(),
        command,
        on_exit: match settings.on_exit {
            OnExit::Keep => vroom_compositor::OnExit::Keep,
            OnExit::Restart => vroom_compositor::OnExit::Restart,
            OnExit::Exit => vroom_compositor::OnExit::Exit,
        },
        x11: settings.x11,
        shell: match settings.style {
            Style::Desktop => vroom_compositor::ShellStyle::Desktop,
            Style::Kiosk => vroom_compositor::ShellStyle::Kiosk,
        },
        autostart: settings.autostart,
        runtime_dir: runtime_dir.path.clone(),
        env,
    };
    let (desktop, wayland, x11): (Arc<dyn Desktop>, _, _) = match host {
        None => {
            let it = Compositor::start(config, events).context("starting the desktop")?;
            let (wayland, x11) = names(it.socket_name(), it.x11_display());
            (Arc::new(it), wayland, x11)
        }
        Some(host) => {
            let it = Nested::start(config, host, SESSION_NAME, events)?;
            let (wayland, x11) = names(it.socket_name(), it.x11_display());
            (Arc::new(it), wayland, x11)
        }
    };
    let wayland = runtime_dir.path.join(wayland);
    let display: Vec<_> = [("WAYLAND_DISPLAY", wayland.into_os_string())]
        .into_iter()
        .chain(x11.map(|name| ("DISPLAY", name)))
        .collect();
    if let Some(bus) = &bus {
        bus.set_environment(&display).await;
    }
    let display = display.into_iter().chain(address).collect();
    Ok(Started {
        desktop,
        display,
        bus,
        sound,
        runtime_dir: Some(runtime_dir),
    })
}

/// The session bus, if there can be one; without it programs do not notify of anything.
async fn bus(runtime_dir: &Path, hub: &Arc<Hub>) -> Option<SessionBus> {
    if let Some(missing) = bus::missing() {
        tracing::info!("no session bus, and so no notifications: {missing}");
        return None;
    }
    let started = SessionBus::start(runtime_dir);
    let mut bus = started
        .inspect_err(|error| tracing::warn!(%error, "no session bus, and so no notifications"))
        .ok()?;
    if let Err(error) = bus.serve_notices(hub).await {
        tracing::warn!(%error, "notifications of programs are not shown");
    }
    Some(bus)
}

/// The names of both displays.
fn names(wayland: &OsStr, x11: Option<&OsStr>) -> (OsString, Option<OsString>) {
    (wayland.to_owned(), x11.map(OsStr::to_owned))
}

/// The sound server, if there can be one; a picture needs none.
fn sound(runtime_dir: &Path, settings: &Settings) -> Option<SoundServer> {
    if let Some(missing) = sound::missing() {
        tracing::info!("no sound: {missing}");
        return None;
    }
    let microphone = settings.microphone != MicrophoneRule::Nobody;
    let server = SoundServer::start(runtime_dir, microphone);
    server
        .inspect_err(|error| tracing::warn!(%error, "no sound"))
        .ok()
}

/// What makes programs read and write UTF-8: nothing where a locale is set, as a login does it, and
/// the plainest one where none is, as under systemd. Without it they would assume ASCII.
fn locale(var: impl Fn(&str) -> Option<OsString>) -> Vec<(OsString, OsString)> {
    let is_set = |name| var(name).is_some_and(|value| !value.is_empty());
    if LOCALES.into_iter().any(is_set) {
        Vec::new()
    } else {
        vec![("LANG".into(), "C.UTF-8".into())]
    }
}

/// What sets the encoding of text; the first that is set does.
const LOCALES: [&str; 3] = ["LC_ALL", "LC_CTYPE", "LANG"];

/// The first terminal program that is installed.
fn default_session() -> Option<Vec<OsString>> {
    let path = env::var_os("PATH")?;
    let is_installed =
        |name: &str| env::split_paths(&path).any(|folder| folder.join(name).is_file());
    let first = SESSIONS.iter().find(|(name, _)| is_installed(name));
    first.map(|(name, args)| {
        let args = args.iter().map(OsString::from);
        std::iter::once(name.into()).chain(args).collect()
    })
}

/// A directory that only we can enter; removed with all that is in it.
#[derive(Debug)]
pub(crate) struct RuntimeDir {
    path: PathBuf,
}

impl RuntimeDir {
    fn make() -> io::Result<Self> {
        let base = env::var_os("XDG_RUNTIME_DIR")
            .map(PathBuf::from)
            .filter(|base| base.is_dir());
        let base = base.unwrap_or_else(env::temp_dir);
        Self::make_in(&base)
    }

    fn make_in(base: &Path) -> io::Result<Self> {
        let pid = std::process::id();
        for attempt in 0..ATTEMPTS {
            let name = match attempt {
                0 => format!("vroom-{pid}"),
                more => format!("vroom-{pid}-{more}"),
            };
            let path = base.join(name);
            // Made anew or not at all: a directory that somebody put there is not used.
            match fs::DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => return Ok(Self { path }),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }
}

impl Drop for RuntimeDir {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.path) {
            tracing::warn!(%error, path = %self.path.display(), "a runtime directory stays behind");
        }
    }
}

/// Terminal programs that speak Wayland, the lightest first, and how to start them.
const SESSIONS: [(&str, &[&str]); 6] = [
    ("foot", &["--log-level=error", "--font=monospace:size=11"]),
    ("weston-terminal", &[]),
    ("alacritty", &[]),
    ("kitty", &[]),
    ("wezterm", &[]),
    ("konsole", &[]),
];

/// The names tried for a runtime directory.
const ATTEMPTS: u32 = 16;

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt as _;

    use super::*;

    #[test]
    fn programs_read_utf_8_unless_somebody_chose_otherwise() {
        let fallback = locale(|_| None);
        assert_eq!(fallback, [("LANG".into(), "C.UTF-8".into())]);
        let empty = locale(|_| Some(OsString::new()));
        assert_eq!(empty, fallback);
        let chosen = locale(|name| (name == "LC_CTYPE").then(|| "de_DE.UTF-8".into()));
        assert_eq!(chosen, []);
    }

    #[test]
    fn a_runtime_directory_is_private_new_and_removed() {
        let base = tempfile::tempdir().unwrap();
        let first = RuntimeDir::make_in(base.path()).unwrap();
        let second = RuntimeDir::make_in(base.path()).unwrap();
        assert_ne!(first.path, second.path);
        assert_eq!(fs::metadata(&first.path).unwrap().mode() & 0o7777, 0o700);
        fs::write(first.path.join("socket"), "").unwrap();
        drop(first);
        drop(second);
        assert_eq!(fs::read_dir(base.path()).unwrap().count(), 0);
    }
}
