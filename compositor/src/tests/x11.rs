//! The display of X11 programs, without one of them.

use std::io::Read as _;
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
fn displays_are_of_their_own_and_go_with_their_desktop() {
    let desktops = [(); 2].map(|()| Fixture::with(|config| config.x11 = true));
    let sockets = desktops.each_ref().map(socket);
    assert_ne!(sockets[0], sockets[1]);
    assert!(sockets.iter().all(|socket| socket.exists()));
    drop(desktops);
    assert!(!sockets.iter().any(|socket| socket.exists()));
}
