//! Terminals that the daemon has in its own hands while all is well.
#![expect(
    clippy::unwrap_used,
    reason = "a test fails where its own functions fail"
)]

mod support;

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use support::sessions::{Folder, executable, until};
use support::{line, on_pty};
use vroom_terminal::{Holds, PtySize};

/// Whether the holder of a folder's only terminal has lent it: it then has the journal of what is typed open.
fn is_lent(folder: &Folder) -> bool {
    folder.holders().first().is_some_and(|holder| {
        let files = std::fs::read_dir(format!("/proc/{holder}/fd")).unwrap();
        let links = files.filter_map(|file| std::fs::read_link(file.unwrap().path()).ok());
        links
            .into_iter()
            .any(|link| link.to_string_lossy().contains("vroom-typed"))
    })
}

#[tokio::test]
async fn a_terminal_is_lent_while_its_program_runs_and_not_after() {
    let folder = Folder::new();
    let command = line("stty raw -echo; printf ready; head -c 4; printf end; read wait; exit 3");
    let mut follower = folder.start("one", on_pty(command)).await;
    follower.until("ready").await;
    until("it is lent", || is_lent(&folder)).await;
    follower.write("keys");
    follower.until("keysend").await;
    assert!(is_lent(&folder));
    assert_eq!(follower.session.input_offset("me"), 4);
    follower.write("\n");
    assert_eq!(follower.exit().await.code, Some(3));
    until("it is back", || !is_lent(&folder)).await;
    follower.forget().await;
}

#[tokio::test]
async fn what_was_typed_and_not_read_survives_the_loan() {
    let folder = Folder::new();
    // It takes nothing before it is told to, and then all of it.
    let command = line(
        "stty raw -echo; trap 'go=1' USR1; printf ready; \
         while [ -z \"$go\" ]; do sleep 0.01; done; head -c 300000 | cksum; exit",
    );
    let mut follower = folder.start("one", on_pty(command)).await;
    follower.until("ready").await;
    until("it is lent", || is_lent(&folder)).await;
    let text: Vec<u8> = (0..300_000u32)
        .map(|at| u8::try_from(at % 251).unwrap())
        .collect();
    for piece in text.chunks(30_000) {
        follower.write(piece);
    }
    let size = PtySize {
        rows: 33,
        ..PtySize::default()
    };
    follower.session.resize(size).unwrap();
    // A later daemon finds it waiting, in the order in which it was typed.
    drop(follower);
    let mut follower = folder.recover_one().await;
    assert_eq!(follower.session.size(), size);
    assert!(follower.session.input_offset("me") < 300_000);
    let pid = Pid::from_raw(i32::try_from(follower.session.pid()).unwrap());
    kill(pid, Signal::SIGUSR1).unwrap();
    follower.until(&format!("{} 300000", cksum(&text))).await;
    follower.exit().await;
    assert_eq!(follower.session.input_offset("me"), 300_000);
    follower.forget().await;
}

#[tokio::test]
async fn a_daemon_that_hangs_loses_a_terminal_that_it_was_lent() {
    let folder = Folder::new();
    let command = line("stty raw -echo; printf ready; exec cat");
    let mut follower = folder.start("one", on_pty(command)).await;
    follower.until("ready").await;
    drop(follower);
    let mut client = client(folder.dir.path());
    let mut lines = BufReader::new(client.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap() == "found"));
    until("it is lent", || is_lent(&folder)).await;
    let pid = Pid::from_raw(i32::try_from(client.id()).unwrap());
    kill(pid, Signal::SIGSTOP).unwrap();
    let mut found = folder.recover_one().await;
    found.write("still here");
    found.until("still here").await;
    client.kill().unwrap();
    client.wait().unwrap();
    found.write(" and after");
    found.until("still here and after").await;
    found.forget().await;
}

/// What `cksum` says of bytes.
fn cksum(bytes: &[u8]) -> u32 {
    let mut length = bytes.len();
    let mut all = bytes.to_vec();
    while length > 0 {
        all.push(u8::try_from(length & 0xff).unwrap());
        length >>= 8;
    }
    let crc = all.iter().fold(0u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte) << 24, |crc, _| {
            crc << 1
                ^ if crc & 0x8000_0000 == 0 {
                    0
                } else {
                    0x04c1_1db7
                }
        })
    });
    !crc
}

/// Another process, which a test above starts: a daemon that has the terminal.
#[test]
#[ignore = "another test starts it"]
fn helper() {
    let Some(dir) = std::env::var_os("VROOM_TEST_DIR") else {
        return;
    };
    let terminals = Path::new(&dir).join("terminals");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let holds = Holds::open(terminals, executable().into()).unwrap();
        let _session = holds.recover().await.remove(0);
        println!("found");
        std::future::pending::<()>().await;
    });
}

fn client(dir: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["helper", "--exact", "--ignored", "--nocapture"])
        .env("VROOM_TEST_DIR", dir)
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}
