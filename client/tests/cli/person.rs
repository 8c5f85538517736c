//! Somebody at a terminal: types, and waits for what is shown.

use std::io::{Read as _, Write};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use tempfile::TempDir;

/// Somebody at a terminal in which `vroom` runs.
pub(crate) struct Person {
    master: Box<dyn MasterPty + Send>,
    writer: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    shown: Arc<(Mutex<Vec<u8>>, Condvar)>,
    _home: TempDir,
}

impl Person {
    /// Starts `vroom` with these arguments.
    pub(crate) fn starts(args: &[&str]) -> Self {
        let home = tempfile::tempdir().unwrap();
        let pair = native_pty_system()
            .openpty(PtySize {
                rows: 30,
                cols: 100,
                pixel_width: 0,
                pixel_height: 0,
            })
            .unwrap();
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_vroom"));
        command.args(args);
        command.env_clear();
        command.env("HOME", home.path());
        command.env("PATH", "/usr/bin:/bin");
        // Answers no questions: the first one would only cost time.
        command.env("TERM", "dumb");
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let shown = Arc::new((Mutex::new(Vec::new()), Condvar::new()));
        let mut reader = pair.master.try_clone_reader().unwrap();
        let seen = Arc::clone(&shown);
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(len @ 1..) = reader.read(&mut buffer) {
                seen.0.lock().unwrap().extend_from_slice(&buffer[..len]);
                seen.1.notify_all();
            }
        });
        Self {
            writer: pair.master.take_writer().unwrap(),
            master: pair.master,
            child,
            shown,
            _home: home,
        }
    }

    pub(crate) fn types(&mut self, text: &str) {
        self.writer.write_all(text.as_bytes()).unwrap();
        self.writer.flush().unwrap();
    }

    pub(crate) fn resizes(&self, cols: u16, rows: u16) {
        let size = PtySize {
            rows,
            cols,
            pixel_width: 0,
            pixel_height: 0,
        };
        self.master.resize(size).unwrap();
    }

    /// Waits until this is shown; returns all that was.
    pub(crate) fn sees(&self, text: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        let mut shown = self.shown.0.lock().unwrap();
        loop {
            let all = String::from_utf8_lossy(&shown).into_owned();
            if all.contains(text) {
                return all;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "{text:?} was not shown in {all:?}");
            shown = self.shown.1.wait_timeout(shown, left).unwrap().0;
        }
    }

    /// Waits for the end; returns the exit status and all that was shown.
    pub(crate) fn sees_the_end(mut self) -> (u32, String) {
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(Instant::now() < deadline, "vroom does not end");
            std::thread::sleep(Duration::from_millis(10));
        };
        // Said last of all, so all before it has been read.
        let shown = self.shown.0.lock().unwrap();
        (
            status.exit_code(),
            String::from_utf8_lossy(&shown).into_owned(),
        )
    }

    /// Whether the terminal shows what is typed, as it does when nobody has taken it.
    pub(crate) fn terminal_echoes(&self) -> bool {
        let termios = self.master.get_termios().unwrap();
        let flags = format!("{:?}", termios.local_flags);
        flags.contains("ECHO |") || flags.ends_with("ECHO)")
    }
}

/// How long anything may take on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
