//! `vroomd --nested`: the desktop in a window of a Wayland session, and served to others at once.

use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Instant;

use tempfile::TempDir;
use vroom_compositor::{Compositor, CompositorConfig, OnExit, ShellStyle};
use vroom_desktop::{Desktop as _, DesktopEvent, Evdev, InputEvent, KeyState, Layout, Size};

use crate::client::WebClient;
use crate::daemon::{Daemon, WAIT, command, ended_well, wait_until};

/// A Wayland session that somebody is in.
struct Session {
    compositor: Compositor,
    events: Receiver<DesktopEvent>,
    folder: TempDir,
}

impl Session {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (sender, events) = channel();
        let config = CompositorConfig {
            size: Size::new(800, 600),
            scale: 1.0,
            refresh_hz: 60,
            layout: Layout::default(),
            command: None,
            on_exit: OnExit::Keep,
            x11: false,
            shell: ShellStyle::Kiosk,
            autostart: false,
            runtime_dir: folder.path().to_owned(),
            env: Vec::new(),
        };
        let sink = Arc::new(move |event| drop(sender.send(event)));
        let compositor = Compositor::start(config, sink).unwrap();
        compositor.set_watched(true);
        Self {
            compositor,
            events,
            folder,
        }
    }

    /// What `WAYLAND_DISPLAY` is in it.
    fn display(&self) -> PathBuf {
        self.folder.path().join(self.compositor.socket_name())
    }

    /// Waits until the focused window has a title that is as wanted.
    fn title(&self, is_it: impl Fn(Option<&str>) -> bool) {
        let deadline = Instant::now() + WAIT;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.events.recv_timeout(left).expect("the title in time") {
                DesktopEvent::Title(title) if is_it(title.as_deref()) => return,
                _ => {}
            }
        }
    }
}

#[tokio::test]
async fn a_desktop_in_a_window_is_served_as_any_other() {
    let session = Session::start();
    let folder = tempfile::tempdir().unwrap();
    let line = folder.path().join("line");
    let script = format!("read line; echo \"$line\" > {}; sleep 100", line.display());
    let args = [
        "--nested",
        "--",
        "foot",
        "--title=Inside",
        "sh",
        "-c",
        &script,
    ];
    let env = [("WAYLAND_DISPLAY", session.display())];
    let env = env.each_ref().map(|(name, path)| (*name, path.as_path()));
    let daemon = Daemon::start_in(folder, "", &args, &env);
    session.title(|title| title == Some("Inside – VROOM: default"));
    let mut client = WebClient::login(&daemon).await;
    client.handshake(&[]).await;
    let state = client.state(|state| state.desktop.is_some()).await;
    assert_eq!(state.desktop.unwrap().kind, "nested");
    // What is typed at home goes where it would go from afar: `a`, `b`, Enter.
    for code in [30, 48, 28] {
        for state in [KeyState::Pressed, KeyState::Released] {
            let code = Evdev(code);
            session.compositor.inject(InputEvent::Key { code, state });
        }
    }
    wait_until("the line", || {
        std::fs::read(&line).is_ok_and(|line| line == b"ab\n")
    });
    let (status, ..) = tokio::task::spawn_blocking(|| daemon.terminate())
        .await
        .unwrap();
    assert!(ended_well(status), "{status:?}");
    session.title(|title| title.is_none());
}

#[tokio::test]
async fn the_end_of_the_session_at_home_is_told_in_the_log_and_to_nobody_else() {
    let session = Session::start();
    let display = session.display();
    let env = [("WAYLAND_DISPLAY", display.as_path())];
    let folder = tempfile::tempdir().unwrap();
    // A shell would give itself another title.
    let args = ["--nested", "--", "foot", "--title=Inside", "sleep", "100"];
    let daemon = Daemon::start_in(folder, "", &args, &env);
    session.title(|title| title == Some("Inside – VROOM: default"));
    session.compositor.shut_down();
    wait_until("the log", || {
        daemon
            .log()
            .contains("the Wayland session that the window was in is gone")
    });
    let mut client = WebClient::login(&daemon).await;
    client.handshake(&["cursor"]).await;
    let state = client.state(|state| state.desktop.is_some()).await;
    assert_eq!(state.desktop.unwrap().ended, None);
    assert_eq!(state.title.as_deref(), Some("Inside"));
}

#[test]
fn without_a_session_at_home_it_says_so_and_ends() {
    let run = |display: &str| {
        let folder = tempfile::tempdir().unwrap();
        let mut vroomd: Command = command(folder.path());
        vroomd.args(["--nested", "--listen", "127.0.0.1:0"]);
        let output = vroomd.env("WAYLAND_DISPLAY", display).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stderr).unwrap()
    };
    let said = run("");
    assert!(said.contains("WAYLAND_DISPLAY is not set"), "{said}");
    assert!(said.contains("start it from a terminal of one"), "{said}");
    let said = run("wayland-nowhere");
    assert!(said.contains("wayland-nowhere"), "{said}");
}
