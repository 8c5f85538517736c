//! Programs that outlive the daemon.

mod support;

use std::time::{Duration, SystemTime};

use support::sessions::{Folder, Follower, exists, until};
use support::{DEADLINE, line, on_pty, program};
use tokio::time::timeout;
use vroom_terminal::screen::{Screen, ScreenLimits, SnapshotOptions};
use vroom_terminal::{Error, Holds, Keep, Meta, PtySize, WRITERS_MAX};

#[tokio::test]
async fn a_program_is_found_again() {
    let folder = Folder::new();
    let mut first = folder
        .start("one", on_pty(line("echo ready; exec cat")))
        .await;
    first.until("ready").await;
    first.write("before\n");
    first.until("before\r\nbefore\r\n").await;
    let pid = first.session.pid();
    drop(first);

    let mut second = folder.recover_one().await;
    assert_eq!((second.session.id(), second.session.pid()), ("one", pid));
    second.until("before\r\nbefore\r\n").await;
    assert_eq!(second.typed, 7, "what was typed is known");
    second.write("after\n");
    second.until("after\r\nafter\r\n").await;
    second.forget().await;
    assert!(!exists(pid));
}

#[tokio::test]
async fn what_is_forgotten_leaves_nothing() {
    let folder = Folder::new();
    let mut follower = folder.start("one", on_pty(line("echo ready; cat"))).await;
    follower.until("ready").await;
    let holder = folder.holders();
    assert_eq!(holder.len(), 1);
    let pid = follower.session.pid();
    follower.forget().await;
    assert!(!exists(pid), "not even a zombie");
    until("the socket is gone", || folder.sockets().is_empty()).await;
    until("the holder is gone, zombie and all", || !exists(holder[0])).await;
    assert!(folder.holds.recover().await.is_empty());
}

#[tokio::test]
async fn an_exit_that_nobody_saw_is_kept() {
    let folder = Folder::new();
    let command = line("printf ready; read go; head -c 100000 /dev/zero | tr '\\0' x; exit 7");
    let mut first = folder.start("one", on_pty(command)).await;
    first.until("ready").await;
    first.write("\n");
    let pid = first.session.pid();
    drop(first);
    until("the program has ended", || !exists(pid)).await;
    for _ in 0..2 {
        let mut found = folder.recover_one().await;
        let exit = timeout(DEADLINE, found.session.wait_exit()).await.unwrap();
        assert_eq!((exit.code, exit.signal), (Some(7), None));
        found.finish().await;
        assert!(found.text().ends_with("xxx"));
        assert_eq!(exit.output_bytes, found.offset);
        assert!(found.session.history().is_ended());
        assert!(matches!(
            found.session.write("me", found.typed, "x".into()),
            Err(Error::Ended)
        ));
    }
    folder.recover_one().await.forget().await;
    until("the socket is gone", || folder.sockets().is_empty()).await;
}

#[tokio::test]
async fn a_program_without_a_daemon_waits_before_anything_is_lost() {
    let folder = Folder::new();
    // More than is kept.
    let command = line("stty raw -echo; printf ready; read go; exec seq 1 1000000");
    let mut first = folder.start("one", on_pty(command)).await;
    first.until("ready").await;
    let size = PtySize {
        rows: 30,
        ..PtySize::default()
    };
    first.session.resize(size).unwrap();
    first.write("\n");
    let pid = first.session.pid();
    drop(first);
    support::until_stuck(pid).await;
    let mut found = folder.recover_one().await;
    // The program goes on at once, before anyone can say that he reads.
    found.may_miss = true;
    while found.more().await {
        found.session.set_reader_offset(Some(found.offset));
    }
    let exit = timeout(DEADLINE, found.session.wait_exit()).await.unwrap();
    assert_eq!(exit.code, Some(0));
    let numbers = (1..=1_000_000).map(|number| format!("{number}\n"));
    let expected: String = std::iter::once("ready".to_owned()).chain(numbers).collect();
    assert_eq!(exit.output_bytes, expected.len() as u64);
    let start = expected.len() - found.seen.len();
    assert!(found.text() == expected[start..]);
    // The screen has seen all of it, also what is no longer kept here.
    let mut uncut = Screen::new(PtySize::default(), ScreenLimits::default());
    uncut.advance(b"ready");
    uncut.resize(size);
    uncut.advance(&expected.as_bytes()[5..]);
    assert!(found.session.digest() == uncut.digest());
    found.forget().await;
}

#[tokio::test]
async fn a_daemon_that_is_there_never_makes_a_program_wait() {
    let folder = Folder::new();
    let follower = folder.start("one", on_pty(program(&["yes"]))).await;
    // Several times what a holder keeps: that takes checkpoints.
    let history = follower.session.history();
    timeout(DEADLINE, history.changed(20 << 20)).await.unwrap();
    follower.forget().await;
}

#[tokio::test]
async fn the_driver_sets_the_pace() {
    let folder = Folder::new();
    let mut driver = folder
        .start("one", on_pty(line("printf ready; read go; exec yes")))
        .await;
    driver.until("ready").await;
    driver.session.set_reader_offset(Some(driver.offset));
    driver.write("\n");
    let pid = driver.session.pid();
    let history = driver.session.history();
    let ahead = driver.offset + vroom_terminal::DRIVER_AHEAD_BYTES;
    timeout(DEADLINE, history.changed(ahead - 1)).await.unwrap();
    support::until_stuck(pid).await;
    assert_eq!(history.end(), ahead);
    // What is typed gets through all the same.
    driver.session.signal(2).unwrap();
    let exit = timeout(DEADLINE, driver.session.wait_exit()).await.unwrap();
    assert_eq!(exit.signal, Some(2));
    assert_eq!(driver.session.history().first(), 0, "nothing was lost");
    driver.forget().await;
}

#[tokio::test]
async fn a_driver_who_reads_on_gets_everything() {
    let folder = Folder::new();
    let mut driver = folder.start("one", on_pty(program(&["yes"]))).await;
    while driver.seen.len() < 6 << 20 {
        driver.session.set_reader_offset(Some(driver.offset));
        assert!(driver.more().await);
    }
    let expected = b"y\r\n".iter().cycle();
    assert!(
        driver
            .seen
            .iter()
            .zip(expected)
            .all(|(seen, meant)| seen == meant)
    );
    driver.forget().await;
}

#[tokio::test]
async fn input_counts_once_whoever_sends_it_again() {
    let folder = Folder::new();
    let file = folder.dir.path().join("typed");
    let text: String = (0..30_000).map(|number| format!("{number} ")).collect();
    let command = line(format!(
        "stty raw -echo; printf ready; head -c {} >{}; echo done",
        text.len(),
        file.display()
    ));
    let mut follower = folder.start("one", on_pty(command)).await;
    follower.until("ready").await;
    let mut round = 0usize;
    loop {
        // From where it was applied, which is before what was sent last.
        let applied = follower.session.input_offset("me");
        let from = usize::try_from(applied).unwrap();
        let piece = &text.as_bytes()[from..text.len().min(from + 20_011)];
        for part in piece.chunks(3001) {
            let offset = text[..].as_bytes().as_ptr().addr();
            let offset = (part.as_ptr().addr() - offset) as u64;
            let bytes = part.to_vec();
            follower.session.write("me", offset, bytes.into()).unwrap();
        }
        if piece.is_empty() {
            break;
        }
        let session = &follower.session;
        let changed = session.input_changed("me", applied);
        timeout(DEADLINE, changed).await.unwrap();
        round += 1;
        if round.is_multiple_of(2) {
            drop(follower);
            follower = folder.recover_one().await;
        }
    }
    follower.until("done").await;
    assert!(std::fs::read_to_string(&file).unwrap() == text);
    let gap = follower.session.write("me", 1 << 40, "x".into());
    assert!(matches!(gap, Err(Error::InputGap { .. } | Error::Ended)));
    follower.forget().await;
}

#[tokio::test]
async fn many_writers_are_told_apart_and_the_oldest_are_forgotten() {
    let folder = Folder::new();
    let command = on_pty(line("stty raw -echo; printf ready; exec cat"));
    let mut follower = folder.start("one", command).await;
    follower.until("ready").await;
    let names: Vec<String> = (0..WRITERS_MAX + 6)
        .map(|number| format!("w{number}"))
        .collect();
    for name in &names {
        let session = &follower.session;
        session.write(name, 0, "abc".into()).unwrap();
        timeout(DEADLINE, session.input_changed(name, 2))
            .await
            .unwrap();
    }
    // The newest are known, also to a daemon that comes later; the oldest begin anew.
    for round in 0..2 {
        let session = &follower.session;
        for name in &names[6..] {
            assert_eq!(session.input_offset(name), 3, "{name}");
            session.write(name, 0, "abc".into()).unwrap();
        }
        for name in &names[..6] {
            assert_eq!(session.input_offset(name), 0, "{name}");
            let gap = session.write(name, 3, "d".into());
            assert!(matches!(gap, Err(Error::InputGap { expected: 0, .. })));
        }
        if round == 0 {
            drop(follower);
            follower = folder.recover_one().await;
        }
    }
    follower.session.write("w0", 0, "new".into()).unwrap();
    follower.until("new").await;
    let seen = follower.text();
    assert_eq!(seen.matches("abc").count(), names.len());
    let nameless = follower.session.write("", 0, "x".into());
    assert!(matches!(nameless, Err(Error::BadWriter)));
    follower.forget().await;
}

#[tokio::test]
async fn what_nobody_reads_is_refused_in_the_end_and_control_gets_through() {
    let folder = Folder::new();
    let command = on_pty(line(
        "stty raw -echo; trap 'printf hit; exit 5' USR1; printf ready; while :; do sleep 0.05; done",
    ));
    let mut follower = folder.start("one", command).await;
    follower.until("ready").await;
    let piece = vec![b'x'; 256 * 1024];
    let mut taken = 0;
    let refused = loop {
        let offset = taken as u64;
        let piece = piece.clone().into();
        match follower.session.write("me", offset, piece) {
            Ok(()) => taken += 256 * 1024,
            Err(error) => break error,
        }
        assert!(taken < 2 * vroom_terminal::INPUT_BYTES);
    };
    assert!(matches!(refused, Error::InputFull));
    assert!(taken > vroom_terminal::INPUT_BYTES - piece.len());
    follower.session.signal(10).unwrap();
    follower.until("hit").await;
    follower.forget().await;
}

#[tokio::test]
async fn a_new_size_is_told_to_the_program_and_kept() {
    let folder = Folder::new();
    let watch = "trap 'stty size' WINCH; echo ready; while :; do sleep 0.05; done";
    let mut follower = folder.start("one", on_pty(line(watch))).await;
    follower.until("ready").await;
    let size = PtySize {
        rows: 33,
        cols: 111,
        px_w: 999,
        px_h: 660,
    };
    follower.session.resize(size).unwrap();
    follower.until("33 111").await;
    assert_eq!(follower.session.size(), size);
    let none = PtySize { rows: 0, ..size };
    assert!(matches!(follower.session.resize(none), Err(Error::BadSize)));
    drop(follower);
    let found = folder.recover_one().await;
    assert_eq!(found.session.size(), size);
    found.forget().await;
}

#[tokio::test]
async fn the_mode_of_the_terminal_is_told() {
    let folder = Folder::new();
    let command = "printf one; read x; stty -echo; printf two; read x; stty raw; printf three; cat";
    let mut follower = folder.start("one", on_pty(line(command))).await;
    let mut state = follower.session.state();
    follower.until("one").await;
    let steps = [
        (true, true, true, "two"),
        (false, true, true, "three"),
        (false, false, false, "three"),
    ];
    for (echo, canonical, isig, next) in steps {
        let is_so = state
            .wait_for(|state| (state.echo, state.canonical, state.isig) == (echo, canonical, isig));
        drop(timeout(DEADLINE, is_so).await.unwrap().unwrap());
        follower.write("\n");
        follower.until(next).await;
    }
    follower.forget().await;
}

#[tokio::test]
async fn a_silent_change_of_the_mode_is_told() {
    let folder = Folder::new();
    // Nothing is written when the mode changes.
    let command = line("printf one; read x; stty -echo; exec sleep 1000");
    let mut follower = folder.start("one", on_pty(command)).await;
    let mut state = follower.session.state();
    follower.until("one").await;
    follower.write("\n");
    let is_so = state.wait_for(|state| !state.echo && state.canonical);
    drop(timeout(DEADLINE, is_so).await.unwrap().unwrap());
    follower.forget().await;
}

#[tokio::test]
async fn what_is_known_about_a_terminal_is_kept() {
    let folder = Folder::new();
    let mut meta = Meta::new("one");
    meta.name = Some("work".into());
    meta.owner = "ada".into();
    meta.command = "x".repeat(10_000);
    meta.extra.insert("key".into(), "value".into());
    let session = folder
        .holds
        .start(on_pty(program(&["cat"])), meta)
        .await
        .unwrap();
    session.set_name(Some("play".into()));
    session.set_persist(true);
    session.set_extra("other", Some("thing".into()));
    session.set_extra("key", None);
    session.set_extra("much", Some("x".repeat(100_000)));
    let before = session.meta();
    drop(session);
    let found = folder.recover_one().await;
    let meta = found.session.meta();
    assert_eq!(meta.name.as_deref(), Some("play"));
    assert_eq!((meta.owner.as_str(), meta.persist), ("ada", true));
    assert_eq!(
        meta.extra,
        [("other".to_owned(), "thing".to_owned())].into()
    );
    assert_eq!(meta.command.len(), 4096);
    let apart = before
        .created
        .duration_since(meta.created)
        .unwrap_or_default();
    assert!(apart < Duration::from_millis(1));
    assert!(found.session.last_activity() <= SystemTime::now());
    found.forget().await;
}

#[tokio::test]
async fn what_cannot_start_says_why_and_leaves_nothing() {
    let folder = Folder::new();
    let start = |id: &'static str, config| folder.try_start(id, config);
    let missing = start("one", on_pty(program(&["no-such-program"]))).await;
    let error = missing.unwrap_err();
    assert!(matches!(&error, Error::NotFound { program } if program == "no-such-program"));
    assert_eq!((error.code().0, error.exit_code()), (4201, 127));
    let refused = start("one", on_pty(program(&["/etc/passwd"]))).await;
    assert!(matches!(refused, Err(Error::NotExecutable { .. })));
    let mut config = on_pty(program(&["cat"]));
    config.cwd = Some("/no/such/folder".into());
    let nowhere = start("one", config).await;
    assert!(matches!(nowhere, Err(Error::NoDirectory { .. })));
    let mut config = on_pty(program(&["cat"]));
    config.pty.as_mut().unwrap().size.rows = 0;
    assert!(matches!(start("one", config).await, Err(Error::BadSize)));
    for id in ["", "a/b", "..", "a b", &"x".repeat(65)] {
        let bad = folder.try_start(id, on_pty(program(&["cat"]))).await;
        assert!(matches!(bad, Err(Error::BadId { .. })), "{id}");
    }
    let pipes = start("one", support::on_pipes(program(&["cat"]))).await;
    assert!(matches!(pipes, Err(Error::NoPty)));
    until("no socket is left", || folder.sockets().is_empty()).await;

    let first = folder.start("one", on_pty(program(&["cat"]))).await;
    let taken = start("one", on_pty(program(&["cat"]))).await;
    assert!(matches!(taken, Err(Error::BadId { .. })));
    assert_eq!(folder.sockets(), ["one.sock"], "the first one's stays");
    first.forget().await;

    let dir = folder.dir.path().join("terminals");
    let start = async |executable: &str| {
        let holds = Holds::open(dir.clone(), executable.into()).unwrap();
        let config = on_pty(program(&["cat"]));
        holds.start(config, Meta::new("two")).await
    };
    let started = start("/no/vroom-hold").await;
    assert!(matches!(started, Err(Error::Start { .. })));
    let started = start("/bin/true").await;
    assert!(matches!(started, Err(Error::Io(_))));
}

#[tokio::test]
async fn an_end_takes_everybody_and_keeps_the_status() {
    let folder = Folder::new();
    let stubborn =
        "trap '' HUP TERM INT; (while :; do sleep 1; done) & echo ready; while :; do sleep 1; done";
    let mut follower = folder.start("one", on_pty(line(stubborn))).await;
    follower.until("ready").await;
    follower.session.end();
    follower.session.end_within(Duration::from_millis(100));
    timeout(DEADLINE, follower.session.wait_ended())
        .await
        .unwrap();
    let exit = follower.session.exit_status().unwrap();
    assert_eq!((exit.code, exit.signal), (None, Some(9)));
    let leader = follower.session.pid();
    let family =
        support::sessions::processes(|pid| support::sessions::session_of(pid) == Some(leader));
    assert_eq!(family, [0; 0]);
    assert!(!follower.session.is_lost());
    drop(follower);
    let found = folder.recover_one().await;
    assert_eq!(found.session.exit_status(), Some(exit));
    found.forget().await;
}

#[tokio::test]
async fn an_exit_does_not_wait_for_a_child_that_stays() {
    let folder = Folder::new();
    let leave = "trap '' HUP; exec 3<&0; (read wait <&3; echo late) & echo early";
    let mut follower = folder.start("one", on_pty(line(leave))).await;
    let exit = timeout(DEADLINE, follower.session.wait_exit())
        .await
        .unwrap();
    assert_eq!(exit.code, Some(0));
    follower.until("early").await;
    assert!(!follower.session.history().is_ended());
    follower.write("go\n");
    follower.until("late").await;
    follower.finish().await;
    follower.forget().await;
}

#[tokio::test]
async fn a_newer_daemon_takes_the_terminal_over() {
    let folder = Folder::new();
    let mut older = folder.start("one", on_pty(line("echo ready; cat"))).await;
    older.until("ready").await;
    let mut newer = folder.recover_one().await;
    timeout(DEADLINE, older.session.lost()).await.unwrap();
    assert!(older.session.is_lost());
    older.finish().await;
    assert_eq!(older.session.exit_status().unwrap().code, None);
    newer.write("hello\n");
    newer.until("hello\r\nhello").await;
    newer.forget().await;
}

#[tokio::test]
async fn what_nobody_asks_for_is_kept_as_long_as_was_said() {
    let keep = Keep {
        unattended: Duration::from_millis(100),
        ended: Duration::from_millis(100),
    };
    let folder = Folder::keeping(keep);
    // Nobody comes back to one that does not persist.
    let config = on_pty(line("echo ready; exec cat"));
    let meta = Meta::new("passing");
    let session = folder.holds.start(config, meta).await.unwrap();
    let mut follower = Follower::new(session);
    follower.until("ready").await;
    let pid = follower.session.pid();
    drop(follower);
    until("the program was ended", || !exists(pid)).await;
    until("the socket is gone", || folder.sockets().is_empty()).await;

    // Nobody forgets one that has ended; one that goes on is kept.
    let ended = folder.start("ended", on_pty(program(&["true"]))).await;
    let lasting = folder.start("lasting", on_pty(program(&["cat"]))).await;
    timeout(DEADLINE, ended.session.lost()).await.unwrap();
    assert_eq!(ended.session.exit_status().unwrap().code, Some(0));
    until("one socket is left", || {
        folder.sockets() == ["lasting.sock"]
    })
    .await;
    drop(lasting);
    let lasting = folder.recover_one().await;
    assert_eq!(lasting.session.id(), "lasting");
    lasting.forget().await;
}

#[tokio::test]
async fn a_long_path_is_no_obstacle() {
    let folder = Folder::new();
    let long = folder.dir.path().join("x".repeat(120)).join("terminals");
    let holds = Holds::open(long, support::sessions::executable().into()).unwrap();
    let session = holds
        .start(on_pty(program(&["cat"])), Meta::new("one"))
        .await;
    drop(session.unwrap());
    let found = holds.recover().await.remove(0);
    Follower::new(found).forget().await;
}

#[tokio::test]
async fn the_screen_answers_when_it_is_asked_to_and_never_twice() {
    let folder = Folder::new();
    let file = folder.dir.path().join("wait");
    std::fs::write(&file, b"").unwrap();
    let script = format!(
        "stty raw -echo; printf ready; head -c 1; printf '\\033[c'; head -c 1; \
         while [ -e {} ]; do sleep 0.02; done; printf '\\033[c'; exec cat -v",
        file.display()
    );
    let mut follower = folder.start("one", on_pty(line(script))).await;
    follower.until("ready").await;
    // Whoever starts it answers by itself, and here nobody does.
    follower.write("ab");
    follower.until("\x1b[cb").await;
    follower.session.set_answering(true);
    drop(follower);
    // What is asked while nobody is there is answered by who comes next, and the rest is not.
    std::fs::remove_file(&file).unwrap();
    let mut follower = folder.recover_one().await;
    follower.until("\x1b[cb\x1b[c^[[?").await;
    drop(follower);
    let mut follower = folder.recover_one().await;
    follower.write("<end>");
    follower.until("<end>").await;
    assert_eq!(
        follower.text().matches("^[[?").count(),
        1,
        "{}",
        follower.text()
    );
    follower.session.set_answering(false);
    follower.forget().await;
}

#[tokio::test]
async fn what_goes_into_the_clipboard_is_handed_on() {
    let folder = Folder::new();
    let command = line("read go; printf '\\033]52;c;aGVsbG8=\\007done'; cat");
    let mut follower = folder.start("one", on_pty(command)).await;
    assert_eq!(follower.session.clipboard_after(0), None);
    follower.write("\n");
    follower.until("done").await;
    assert_eq!(follower.session.clipboard_after(0).unwrap(), b"hello");
    let end = follower.session.history().end();
    assert_eq!(follower.session.clipboard_after(end), None);
    follower.forget().await;
}

#[tokio::test]
async fn a_snapshot_continues_at_its_offset() {
    let folder = Folder::new();
    let mut follower = folder
        .start("one", on_pty(line("seq 1 100000; printf done; read go")))
        .await;
    let mut screens = Vec::new();
    // At any moment, while the output goes on.
    while !support::find(&follower.seen, b"done") {
        let (offset, bytes) = follower.session.snapshot(&SnapshotOptions::EVERYTHING);
        if screens.len() < 20 {
            let mut screen = Screen::new(PtySize::default(), ScreenLimits::default());
            screen.advance(&bytes);
            screens.push((offset, screen));
        }
        follower.session.set_reader_offset(Some(follower.offset));
        assert!(follower.more().await);
    }
    assert_eq!(follower.session.history().end(), follower.offset);
    assert!(
        screens
            .iter()
            .any(|(offset, _)| *offset > 0 && *offset < follower.offset)
    );
    for (offset, mut screen) in screens {
        screen.advance(&follower.seen[usize::try_from(offset).unwrap()..]);
        assert!(screen.digest() == follower.session.digest(), "{offset}");
    }
    follower.forget().await;
}

#[tokio::test]
async fn a_program_finds_nothing_of_its_holder() {
    let folder = Folder::new();
    let script = "env; grep -E 'Sig(Ign|Blk)' /proc/self/status; echo fds: /proc/$$/fd/*";
    let mut follower = folder.start("one", on_pty(line(script))).await;
    follower.finish().await;
    let text = follower.text();
    let mut names: Vec<&str> = text
        .lines()
        .filter_map(|line| Some(line.split_once('=')?.0))
        .collect();
    names.sort_unstable();
    let expected = [
        "COLORTERM",
        "HOME",
        "LANG",
        "LOGNAME",
        "PATH",
        "PWD",
        "SHELL",
        "TERM",
        "USER",
    ];
    names.retain(|name| !["_", "OLDPWD", "SHLVL"].contains(name));
    assert!(
        names.iter().all(|name| expected.contains(name)),
        "{names:?}"
    );
    let masks = text.lines().filter_map(|line| line.strip_prefix("Sig"));
    let masks =
        masks.filter_map(|mask| u64::from_str_radix(mask.split_whitespace().nth(1)?, 16).ok());
    let standard: Vec<u64> = masks.map(|mask| mask & 0x7fff_ffff).collect();
    assert_eq!(standard, [0, 0], "{text}");
    let fds = text
        .lines()
        .find_map(|line| line.strip_prefix("fds: "))
        .unwrap();
    let open: Vec<&str> = fds
        .split_whitespace()
        .filter_map(|path| path.rsplit('/').next())
        .collect();
    assert!(
        open.starts_with(&["0", "1", "2"]) || open.starts_with(&["0", "1", "10"]),
        "{fds}"
    );
    assert!(open.len() <= 4, "{fds}");
    follower.forget().await;
}
