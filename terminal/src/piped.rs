//! A program on pipes and everything around it.

use std::io;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use nix::errno::Errno;
use nix::sys::signal::{Signal, killpg};
use vroom_protocol::terminal::is_deliverable;

use crate::input::Writer;
use crate::life::Life;
use crate::output::Output;
use crate::spawn::on_pipes;
use crate::{Error, Exit, History, SpawnConfig};

/// A program on pipes, which ends with this process.
///
/// All methods may be called from any thread and return at once. The asynchronous ones are cancel-safe
/// and need no particular runtime. Dropping the last handle ends the program.
pub struct Piped {
    life: Arc<Life>,
}

impl Piped {
    /// Starts a program and the threads that serve it.
    ///
    /// # Errors
    ///
    /// When the program cannot be found or started, or the system lacks what it takes.
    pub fn spawn(config: SpawnConfig) -> Result<Arc<Self>, Error> {
        // Made first: once the program runs, nothing but a thread may still fail.
        let (stop, stop_writer) = io::pipe()?;
        let (stop_output, stop_stderr) = (stop.try_clone()?, stop.try_clone()?);
        let spawned = on_pipes(config)?;
        let (output, reader) = Output::new(spawned.output, stop_output);
        let stderr = spawned
            .stderr
            .map(|stderr| Output::new(stderr, stop_stderr));
        let (stderr, stderr_reader) = stderr.unzip();
        let life = Life::new(spawned.child, output, stderr, stop_writer);
        let life = Arc::new(life);
        let writer = Writer {
            input: Arc::clone(&life.input),
            sink: spawned.input,
            stop,
        };
        // Whatever fails from here on, dropping this ends the program.
        let program = Arc::new(Self { life });
        program.start("program-write", move |_| writer.run())?;
        for reader in std::iter::once(reader).chain(stderr_reader) {
            program.start("program-read", move |life| {
                reader.run();
                life.reader_ended();
            })?;
        }
        program.start("program-wait", Life::await_exit)?;
        Ok(program)
    }

    /// What the program wrote to standard output.
    pub fn history(&self) -> &History {
        &self.life.output().history
    }

    /// What the program wrote to standard error, when that is apart.
    pub fn stderr(&self) -> Option<&History> {
        Some(&*self.life.stderr()?.history)
    }

    /// The program's process number.
    pub fn pid(&self) -> u32 {
        self.life.pid.as_raw().unsigned_abs()
    }

    /// Hands bytes to standard input.
    ///
    /// # Errors
    ///
    /// [`Error::InputFull`] when the program does not read and too much waits already; nothing of the
    /// bytes is taken then. [`Error::Ended`] when nothing reads any more.
    pub fn write(&self, bytes: Bytes) -> Result<(), Error> {
        self.life.input.push(bytes)
    }

    /// Ends what the program reads, after what was handed over so far.
    pub fn close_input(&self) {
        self.life.input.close();
    }

    /// Sends a signal to the program's process group.
    ///
    /// # Errors
    ///
    /// When the signal is not [deliverable](is_deliverable), nobody is left to get it, or the system refuses.
    pub fn signal(&self, signal: u8) -> Result<(), Error> {
        if !is_deliverable(signal) {
            return Err(Error::SignalRefused(signal));
        }
        let known =
            Signal::try_from(i32::from(signal)).map_err(|_| Error::SignalRefused(signal))?;
        match killpg(self.life.group().ok_or(Error::Ended)?, known) {
            Ok(()) => Ok(()),
            Err(Errno::ESRCH) => Err(Error::Ended),
            Err(error) => Err(Error::Signal {
                signal,
                source: error.into(),
            }),
        }
    }

    /// Says how far the driver has read the history; `None` when nobody drives.
    ///
    /// It paces the program: see [`History::set_reader_offset`].
    pub fn set_reader_offset(&self, offset: Option<u64>) {
        self.history().set_reader_offset(offset);
    }

    /// How the program ended; `None` while it runs.
    ///
    /// By then all it wrote is in the history. What its children go on writing comes after.
    pub fn exit_status(&self) -> Option<Exit> {
        *self.life.exit.borrow()
    }

    /// Waits until the program ended.
    pub async fn wait_exit(&self) -> Exit {
        let mut exit = self.life.exit.subscribe();
        loop {
            if let Some(exit) = *exit.borrow_and_update() {
                return exit;
            }
            if exit.changed().await.is_err() {
                // The sender lives as long as `self`.
                return Exit::new(None, self.history().end());
            }
        }
    }

    /// Ends the program and everything in its group.
    ///
    /// All get `SIGHUP` now and `SIGKILL` when they are still there after [`END_PATIENCE`]. Calling it
    /// twice is harmless.
    pub fn end(&self) {
        self.end_within(END_PATIENCE);
    }

    /// The same with another patience; a shorter one counts even when the end has begun.
    pub fn end_within(&self, patience: Duration) {
        if !self.life.begin_end(Instant::now() + patience) {
            return;
        }
        let life = Arc::clone(&self.life);
        let ender = thread::Builder::new().name("program-end".into());
        if ender.spawn(move || life.finish()).is_err() {
            // Without a thread nobody can wait so long.
            self.life.kill();
            self.life.stop();
        }
    }

    /// Waits until nothing is left after [`end`](Self::end): no process and no thread.
    pub async fn wait_ended(&self) {
        let mut ended = self.life.ended.subscribe();
        while !*ended.borrow_and_update() {
            if ended.changed().await.is_err() {
                return;
            }
        }
    }

    fn start(&self, name: &str, run: impl FnOnce(&Life) + Send + 'static) -> Result<(), Error> {
        let life = Arc::clone(&self.life);
        let thread = thread::Builder::new()
            .name(name.into())
            .spawn(move || run(&life))?;
        self.life.add_thread(thread);
        Ok(())
    }
}

/// How long processes may take to go after `SIGHUP`; then they are killed (VROOM-Terminal, C26).
pub const END_PATIENCE: Duration = Duration::from_secs(5);

impl Drop for Piped {
    fn drop(&mut self) {
        self.end();
    }
}

impl std::fmt::Debug for Piped {
    /// Says who runs; what it reads and writes must not reach a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Piped")
            .field("pid", &self.life.pid)
            .field("exit", &self.exit_status())
            .finish_non_exhaustive()
    }
}
