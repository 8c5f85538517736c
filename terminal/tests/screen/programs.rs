//! What real programs write to a terminal.
//!
//! They run on a PTY of their own while the recording is made; the screen model answers what they ask.

use std::io::{Read, Write};
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize as Size, native_pty_system};
use vroom_terminal::PtySize;
use vroom_terminal::screen::{Screen, ScreenLimits};

/// The size of all recordings.
pub(crate) const SIZE: PtySize = PtySize {
    rows: 24,
    cols: 80,
    px_w: 800,
    px_h: 480,
};
/// How long a program may take to show what is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// The programs that are recorded.
pub(crate) const PROGRAMS: [&str; 6] = ["bash", "vim", "less", "htop", "tmux", "mc"];

/// Everything that a program wrote.
pub(crate) fn record(program: &str) -> Vec<u8> {
    let home = tempfile::tempdir().expect("a folder for the program");
    let text: String = (1..=400)
        .map(|line| {
            format!(
                "{line}: \tGrüße, \"{}\" {{ return {line}; }}\n",
                "wort ".repeat(line % 30)
            )
        })
        .collect();
    std::fs::write(home.path().join("text.c"), text).expect("a file to look at");
    match program {
        "bash" => bash(home.path()),
        "vim" => vim(home.path()),
        "less" => less(home.path()),
        "htop" => htop(home.path()),
        "tmux" => tmux(home.path()),
        "mc" => mc(home.path()),
        other => panic!("no recording is made of {other}"),
    }
}

fn bash(home: &Path) -> Vec<u8> {
    let mut run = Run::start(home, "bash", &["--norc", "--noprofile", "-i"]);
    run.shows("$");
    run.types("printf '\\e[1;32mgreen\\e[m \\e[4:3;58:5:9mcurly\\e[m \\e]8;;http://localhost/\\e\\\\link\\e]8;;\\e\\\\\\n'; echo first-$((1+1))\r");
    run.shows("first-2");
    run.types("cat text.c | head -60; for i in 1 2 3 4 5; do printf '\\r%d%%\\e[K' $((i*20)); done; echo; echo second-$((1+2))\r");
    run.shows("second-3");
    // A line that is longer than the screen, changed in its middle.
    run.types("echo aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
    run.types("\x1b[D\x1b[D\x1b[D\x1b[Dbb\x01\x05\x17echo third-$((1+3))\r");
    run.shows("third-4");
    run.types("exit\r");
    run.end()
}

fn vim(home: &Path) -> Vec<u8> {
    let options = "set nocp nomore noswapfile viminfo= bg=dark hlsearch number ruler showcmd";
    let mut run = Run::start(
        home,
        "vim",
        &["-u", "NONE", "-c", options, "-c", "syntax on", "text.c"],
    );
    run.shows("Top");
    run.types("/return 180\r");
    run.shows("return 180;");
    run.types(":split\r\x06\x06\x15");
    run.types("Gonew last line 日本語\x1b:echo 'said-' . (1+1)\r");
    run.shows("said-2");
    run.types("ggO\x1b10x:set nonumber wrap\r\x05\x05\x19zz:vsplit\r:echo 'said-' . (1+2)\r");
    run.shows("said-3");
    run.types(":qa!\r");
    run.end()
}

fn less(home: &Path) -> Vec<u8> {
    let mut run = Run::start(home, "less", &["-N", "text.c"]);
    run.shows("text.c");
    run.types(" ");
    run.types("/return 90\r");
    run.shows("return 90;");
    run.types("kkkkkkkkGgjjj");
    run.types("/return 210\r");
    run.shows("return 210;");
    run.types("q");
    run.end()
}

fn htop(home: &Path) -> Vec<u8> {
    let mut run = Run::start(home, "htop", &["-d", "2"]);
    run.shows("F10Quit");
    run.types("\x1b[B\x1b[B\x1b[6~\x1b[5~");
    run.types("?");
    run.shows("htop");
    run.types("\x1b");
    run.types("t\x1b[B");
    run.shows("F10Quit");
    run.types("q");
    run.end()
}

fn tmux(home: &Path) -> Vec<u8> {
    let socket = home.join("tmux");
    let _server = Server(&socket);
    let socket = socket.to_str().expect("a path of characters");
    let shell = "exec env PS1='$ ' bash --norc --noprofile -i";
    let mut run = Run::start(
        home,
        "tmux",
        &["-f", "/dev/null", "-S", socket, "new", shell],
    );
    run.shows("$");
    run.types("head -50 text.c; echo one-$((1+1))\r");
    run.shows("one-2");
    run.types(&format!("tmux -S {socket} split-window -h \"{shell}\"\r"));
    run.shows("│");
    run.types("printf '\\e[31mred\\e[m\\n'; seq 100; echo two-$((1+2))\r");
    run.shows("two-3");
    run.types(&format!("tmux -S {socket} kill-server\r"));
    run.end()
}

fn mc(home: &Path) -> Vec<u8> {
    let mut run = Run::start(home, "mc", &["--nosubshell", "--nomouse", "."]);
    run.shows("10Quit");
    run.shows("text.c");
    run.types("\t\x1bOB\x1bOB");
    // Make a folder, and change one's mind.
    run.types("\x1b[18~");
    run.shows("Enter directory name");
    run.types("new\x1b[21~");
    run.until("the panels", |run| !run.has("Enter directory name"));
    run.types("\x1b[21~");
    run.until("the end or a question", |run| {
        run.over || run.has("want to quit")
    });
    if !run.over {
        run.types("\r");
    }
    run.end()
}

/// A server that goes on when its client has ended, whatever becomes of the recording.
struct Server<'a>(&'a Path);

impl Drop for Server<'_> {
    fn drop(&mut self) {
        let mut end = std::process::Command::new("tmux");
        end.arg("-S").arg(self.0).arg("kill-server");
        // As a rule it has ended already.
        drop(end.stderr(std::process::Stdio::null()).status());
    }
}

/// A program on a PTY.
struct Run {
    program: String,
    child: Box<dyn Child + Send + Sync>,
    /// Kept open: it is the terminal.
    _master: Box<dyn MasterPty + Send>,
    input: Box<dyn Write + Send>,
    output: Receiver<Vec<u8>>,
    recording: Vec<u8>,
    screen: Screen,
    over: bool,
}

impl Run {
    fn start(home: &Path, program: &str, arguments: &[&str]) -> Self {
        let found = std::env::var_os("PATH").is_some_and(|path| {
            std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
        });
        assert!(
            found,
            "{program} is not installed: run packaging/setup.sh test"
        );
        let size = Size {
            rows: SIZE.rows,
            cols: SIZE.cols,
            pixel_width: SIZE.px_w,
            pixel_height: SIZE.px_h,
        };
        let pty = native_pty_system().openpty(size).expect("a PTY");
        let mut command = CommandBuilder::new(program);
        command.args(arguments);
        command.cwd(home);
        command.env_clear();
        for (name, value) in [
            ("PATH", "/usr/local/bin:/usr/bin:/bin"),
            ("TERM", "xterm-256color"),
            ("LANG", "C.UTF-8"),
            ("PS1", "$ "),
            ("HISTFILE", ""),
            ("SHELL", "/bin/bash"),
        ] {
            command.env(name, value);
        }
        command.env("HOME", home);
        let child = pty.slave.spawn_command(command).expect("a program");
        drop(pty.slave);
        let mut reader = pty.master.try_clone_reader().expect("its output");
        let (sender, output) = channel();
        thread::spawn(move || {
            let mut bytes = vec![0; 4096];
            while let Ok(len @ 1..) = reader.read(&mut bytes) {
                if sender.send(bytes[..len].to_vec()).is_err() {
                    return;
                }
            }
        });
        Self {
            program: program.to_owned(),
            child,
            input: pty.master.take_writer().expect("its input"),
            _master: pty.master,
            output,
            recording: Vec::new(),
            screen: Screen::new(SIZE, ScreenLimits::default()),
            over: false,
        }
    }

    fn types(&mut self, text: &str) {
        self.input.write_all(text.as_bytes()).expect("its input");
        self.input.flush().expect("its input");
        // What it answers with is read by the next wait, whenever it comes.
    }

    /// Reads until the screen shows a text.
    fn shows(&mut self, text: &str) {
        self.until(text, |run| run.has(text));
    }

    fn has(&self, text: &str) -> bool {
        self.screen.text().iter().any(|line| line.contains(text))
    }

    fn until(&mut self, what: &str, done: impl Fn(&Self) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !done(self) {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.output.recv_timeout(left) {
                Ok(bytes) => self.read(&bytes),
                Err(RecvTimeoutError::Disconnected) if !self.over => self.over = true,
                Err(_) => panic!(
                    "{} did not show {what:?}:\n{}",
                    self.program,
                    self.screen.text().join("\n")
                ),
            }
        }
    }

    fn read(&mut self, bytes: &[u8]) {
        self.recording.extend_from_slice(bytes);
        self.screen.advance(bytes);
        let answer = self.screen.take_replies();
        if !answer.is_empty() {
            self.input.write_all(&answer).expect("its input");
        }
    }

    /// Waits until the program has ended, and returns what it wrote.
    fn end(mut self) -> Vec<u8> {
        self.until("its end", |run| run.over);
        self.child.wait().expect("its status");
        std::mem::take(&mut self.recording)
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        // As a rule it has ended already.
        drop(self.child.kill());
    }
}
