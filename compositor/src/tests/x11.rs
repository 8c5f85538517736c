//! The display of X11 programs, without one of them.

use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;

use vroom_desktop::DesktopEvent;

use super::fixture::{Fixture, pixel};
use crate::inbox::Command;

fn socket(fixture: &Fixture) -> PathBuf {
    let name = fixture.server.state.x11.name().unwrap();
    format!(
        "/tmp/.X11-unix/X{}",
        name.to_str().unwrap().trim_matches(':')
    )
    .into()
}

#[test]
fn a_missing_xwayland_is_told_to_all_who_want_to_know() {
    let script = "until test -e \"$XDG_RUNTIME_DIR/go\"; do sleep 0.01; done; exit 1";
    let mut fixture = Fixture::with(|config| {
        config.x11 = true;
        config.command = Some(["sh", "-c", script].map(Into::into).into());
    });
    fixture.server.state.x11.program = "no-such-xwayland";
    fixture.post(Command::Watched(true));
    let ground = pixel(&fixture.frame(), 0, 0);
    let mut program = UnixStream::connect(socket(&fixture)).unwrap();
    program.set_nonblocking(true).unwrap();
    // It does not wait for ever.
    fixture.until("the connection to be closed", |_| {
        matches!(program.read(&mut [0; 8]), Ok(0))
    });
    fixture.frame_with("the reason", |frame| {
        let middle = frame.size().height / 2;
        (0..frame.size().width).any(|x| pixel(frame, x, middle) != ground)
    });
    std::fs::write(fixture.runtime_dir().join("go"), "").unwrap();
    let reason = fixture.event("the end of the program", |event| match event {
        DesktopEvent::SessionEnded { reason, .. } => Some(reason.clone()),
        _ => None,
    });
    assert_eq!(
        reason,
        "sh ended with status 1. An X11 program cannot be shown: \
         Xwayland is not installed; install the package xwayland."
    );
}

#[test]
fn a_program_that_keeps_the_x_server_grabbed_stops_nobody() {
    let mut fixture = Fixture::with(|config| config.x11 = true);
    let innocent = fixture.connect();
    let window = fixture.window(innocent, (0, 0), INNOCENT);
    let mut program = Program::connect(&mut fixture);
    program.grab_and_open_windows();
    // What the window manager asks is answered in spite of the grab.
    fixture.until("the first window", |fixture| {
        let state = &fixture.server.state;
        !state.x11.unpaired.is_empty() || !state.shell.x11_shown().is_empty()
    });
    fixture.client(innocent).ask_frame(&window.surface, 99);
    fixture.draw(innocent, &window, (0, 0), INNOCENT);
    fixture.until("the innocent to be called back", |fixture| {
        fixture.client(innocent).was_called_back(99)
    });
}

/// A program that speaks X11 by hand.
struct Program {
    stream: UnixStream,
    /// What the server says about itself.
    setup: Vec<u8>,
}

impl Program {
    /// Connects and waits for the server's answer.
    fn connect(fixture: &mut Fixture) -> Self {
        let mut stream = UnixStream::connect(socket(fixture)).unwrap();
        stream
            .write_all(&[b'l', 0, 11, 0, 0, 0, 0, 0, 0, 0, 0, 0])
            .unwrap();
        stream.set_nonblocking(true).unwrap();
        let mut setup = Vec::new();
        fixture.until("the X server", |_| {
            let mut chunk = [0; 4096];
            match stream.read(&mut chunk) {
                Ok(count) => setup.extend(&chunk[..count]),
                Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
            }
            setup.len() >= 8 && setup.len() >= 8 + 4 * usize::from(half(&setup, 6))
        });
        assert_eq!(setup[0], 1, "the server took the connection");
        Self { stream, setup }
    }

    fn grab_and_open_windows(&mut self) {
        let vendor = usize::from(half(&self.setup, 24)).next_multiple_of(4);
        let screen = 40 + vendor + 8 * usize::from(self.setup[29]);
        let first = &self.setup[12..16];
        let second = &[first[0] + 1, first[1], first[2], first[3]];
        let root = &self.setup[screen..screen + 4];
        let grab: &[u8] = &[36, 0, 1, 0];
        let (create, map): (&[u8], &[u8]) = (&[1, 0, 8, 0], &[8, 0, 2, 0]);
        // At 0, 0 with 64 times 64 pixels, the rest as its parent.
        let area: &[u8] = &[0, 0, 0, 0, 64, 0, 64, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        let requests = [
            [grab, create, first, root, area].concat(),
            [map, first].concat(),
            [create, second, root, area].concat(),
        ];
        self.stream.write_all(&requests.concat()).unwrap();
    }
}

/// Two bytes of what an X server says.
fn half(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes(bytes[at..at + 2].try_into().unwrap())
}

const INNOCENT: u32 = 0x00_c0_00;

#[test]
fn displays_are_of_their_own_and_go_with_their_desktop() {
    let desktops = [(); 2].map(|()| Fixture::with(|config| config.x11 = true));
    let sockets = desktops.each_ref().map(socket);
    assert_ne!(sockets[0], sockets[1]);
    assert!(sockets.iter().all(|socket| socket.exists()));
    drop(desktops);
    assert!(!sockets.iter().any(|socket| socket.exists()));
}
