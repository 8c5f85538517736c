//! Programs that outlive the daemon.
#![expect(
    clippy::unwrap_used,
    reason = "a test fails where its own functions fail"
)]

mod support;


use support::sessions::{Folder, exists, until};
use support::{line, on_pty};

#[tokio::test]
async fn a_program_is_found_again() {
    let folder = Folder::new();
    let mut first = folder.start("one", on_pty(line("echo ready; cat"))).await;
    first.until("ready").await;
    first.write("before\n");
    first.until("before\r\nbefore\r\n").await;
    let pid = first.session.pid();
    drop(first);

    let mut second = folder.recover_one().await;
    assert_eq!((second.session.id(), second.session.pid()), ("one", pid));
    second.until("before\r\nbefore\r\n").await;
    assert_eq!(second.session.input_offset("me"), 7);
    second.write("after\n");
    second.until("after\r\nafter\r\n").await;
    second.forget().await;
    assert!(!exists(pid));
    until("the socket is gone", || folder.sockets().is_empty()).await;
    until("the holder is gone", || folder.holders().is_empty()).await;
}
