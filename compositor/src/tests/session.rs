//! The session command: how it starts, ends and starts again.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use vroom_desktop::{Desktop as _, DesktopEvent, Layout, Size};

use crate::{Compositor, CompositorConfig, Error, OnExit};

struct Running {
    compositor: Compositor,
    events: Receiver<DesktopEvent>,
    dir: tempfile::TempDir,
}

fn config(dir: PathBuf, script: &str, on_exit: OnExit) -> CompositorConfig {
    let command = ["sh", "-c", script].map(OsString::from);
    CompositorConfig {
        size: Size::new(320, 200),
        scale: 1.0,
        refresh_hz: 60,
        layout: Layout::default(),
        command: Some(command.into()),
        on_exit,
        x11: false,
        shell: crate::ShellStyle::Kiosk,
        autostart: false,
        runtime_dir: dir,
        env: vec![("FROM_CONFIG".into(), "yes".into())],
    }
}

fn start(script: &str, on_exit: OnExit) -> Running {
    let dir = tempfile::tempdir().unwrap();
    let (sender, events) = channel();
    let compositor = Compositor::start(
        config(dir.path().into(), script, on_exit),
        Arc::new(move |event| drop(sender.send(event))),
    );
    Running {
        compositor: compositor.unwrap(),
        events,
        dir,
    }
}

impl Running {
    fn ended(&self) -> (String, bool) {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let event = self.events.recv_timeout(left).expect("the session ends");
            if let DesktopEvent::SessionEnded { reason, restarting } = event {
                return (reason, restarting);
            }
        }
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.dir.path().join(name)).unwrap_or_default()
    }
}

/// The state of a process as the kernel has it; `None` when there is none.
fn process_state(pid: &str) -> Option<String> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = stat.rsplit_once(") ")?;
    rest.split(' ').next().map(str::to_owned)
}

#[test]
fn the_session_finds_its_socket_and_nothing_of_ours() {
    let script = r#"
        cd "$XDG_RUNTIME_DIR"
        test -S "$WAYLAND_DISPLAY" && echo "$XDG_SESSION_TYPE $FROM_CONFIG [$DISPLAY]" > seen
        ps -o pgid= -p $$ | tr -d ' ' > group
        echo $$ > pid
        exit 3
    "#;
    let running = start(script, OnExit::Keep);
    assert_eq!(running.ended(), ("sh ended with status 3".into(), false));
    assert_eq!(running.read("seen"), "wayland yes []\n");
    assert_eq!(running.read("group"), running.read("pid"));
    assert_eq!(process_state(running.read("pid").trim()), None, "no zombie");
}

#[test]
fn a_command_that_is_missing_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let (sender, events) = channel();
    let mut config = config(dir.path().into(), "", OnExit::Keep);
    config.command = Some(vec!["no-such-program".into()]);
    let sink = Arc::new(move |event| drop(sender.send(event)));
    let _compositor = Compositor::start(config, sink).unwrap();
    let event = events.recv_timeout(Duration::from_secs(20)).unwrap();
    let reason = "cannot start no-such-program: it is not installed".to_owned();
    let restarting = false;
    assert_eq!(event, DesktopEvent::SessionEnded { reason, restarting });
}

#[test]
fn a_restarted_session_waits_longer_each_time() {
    let running = start(
        "echo x >> \"$XDG_RUNTIME_DIR/runs\"; kill -SEGV $$",
        OnExit::Restart,
    );
    let first = Instant::now();
    assert_eq!(running.ended(), ("sh was ended by SIGSEGV".into(), true));
    running.ended();
    assert!(first.elapsed() >= Duration::from_millis(200));
    let second = Instant::now();
    running.ended();
    assert!(second.elapsed() >= Duration::from_millis(450));
    assert_eq!(running.read("runs"), "x\nx\nx\n");
}

#[test]
fn shutting_down_ends_a_session_that_does_not_want_to() {
    let script = r#"
        trap '' TERM HUP INT
        sh -c 'trap "" TERM; echo $$ > "$XDG_RUNTIME_DIR/child"; while :; do sleep 1; done' &
        echo $$ > "$XDG_RUNTIME_DIR/pid"
        while :; do sleep 1; done
    "#;
    let running = start(script, OnExit::Keep);
    let deadline = Instant::now() + Duration::from_secs(20);
    while running.read("pid").is_empty() || running.read("child").is_empty() {
        assert!(Instant::now() < deadline, "the session starts");
        std::thread::yield_now();
    }
    let before = Instant::now();
    running.compositor.shut_down();
    assert!(
        before.elapsed() < Duration::from_secs(2),
        "{:?}",
        before.elapsed()
    );
    for name in ["pid", "child"] {
        // An orphan was killed, but may wait for a processor to die on, and then for init to notice.
        let is_dead = || {
            let state = process_state(running.read(name).trim());
            matches!(state.as_deref(), None | Some("Z" | "X"))
        };
        while !is_dead() {
            assert!(Instant::now() < deadline, "{name} was not killed");
            std::thread::yield_now();
        }
    }
    assert_eq!(process_state(running.read("pid").trim()), None, "no zombie");
    let socket = running.compositor.socket_name().to_owned();
    assert!(!running.dir.path().join(&socket).exists());
    let lock = PathBuf::from(socket).with_extension("lock");
    assert!(!running.dir.path().join(lock).exists());
    running.compositor.shut_down();
}

#[test]
fn shutting_down_an_obedient_session_is_quick() {
    let running = start(
        "echo x > \"$XDG_RUNTIME_DIR/up\"; exec sleep 1000",
        OnExit::Restart,
    );
    let deadline = Instant::now() + Duration::from_secs(20);
    while running.read("up").is_empty() {
        assert!(Instant::now() < deadline, "the session starts");
        std::thread::yield_now();
    }
    let before = Instant::now();
    running.compositor.shut_down();
    assert!(
        before.elapsed() < Duration::from_millis(800),
        "{:?}",
        before.elapsed()
    );
}

#[test]
fn an_unknown_layout_and_a_missing_directory_are_errors() {
    let dir = tempfile::tempdir().unwrap();
    let mut bad = config(dir.path().into(), "true", OnExit::Keep);
    bad.layout.layout = "klingon-without-vowels".into();
    let error = Compositor::start(bad, Arc::new(|_| ())).unwrap_err();
    assert!(matches!(error, Error::Layout { .. }), "{error}");
    let missing = config(dir.path().join("missing"), "true", OnExit::Keep);
    let error = Compositor::start(missing, Arc::new(|_| ())).unwrap_err();
    assert!(matches!(error, Error::Socket { .. }), "{error}");
}
