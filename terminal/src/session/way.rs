//! The way to a terminal: through its holder, or straight into it while it is lent.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use rustix::pipe::{SpliceFlags, splice};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::sync::Notify;

use super::link::Link;
use super::shared::lock;
use crate::hold::{Applied, Journal, LENT_FILES, Mark, RING_BYTES, Request, Ring};
use crate::{PtyMode, PtySize, pty};

/// The way to a terminal: through its holder, or straight into it while it is lent.
///
/// The holder is asked for the terminal when nothing speaks against it, and gets it back when anything
/// happens that is not just reading and typing. A terminal that comes while something that was typed is on its
/// way to the holder goes straight back, so nothing overtakes anything.
#[derive(Debug)]
pub(crate) struct Way {
    link: Link,
    route: Mutex<Route>,
    /// The system cannot do what it takes to use a lent terminal.
    unfit: AtomicBool,
    /// How many inputs were sent to the holder; counted under the lock of the route.
    inputs: AtomicU64,
    /// Says that the task that follows the terminal is to look around.
    stirred: Notify,
}

#[derive(Debug, Default)]
enum Route {
    /// The holder reads and types.
    #[default]
    Holder,
    /// So it is, and it was asked for the terminal.
    Asked,
    /// The terminal is here.
    Lent(Box<Loan>),
}

/// A terminal that was lent; see [`crate::hold`].
#[derive(Debug)]
struct Loan {
    terminal: Arc<Terminal>,
    ring: Ring,
    journal: Journal,
    from: OwnedFd,
    into: OwnedFd,
    /// The end of what was read and told.
    end: u64,
    /// Output from here on is needed by the holder.
    kept_from: u64,
    /// What was found when it was looked last.
    mode: Option<PtyMode>,
    /// There was no memory for it in the journal: the holder is to type it.
    unsent: Vec<Typed>,
    /// There was no memory for output, or no way to read it.
    failed: bool,
    /// The system cannot move what a terminal writes.
    unfit: bool,
    /// The last to be closed: with it the holder has the terminal back.
    leash: OwnedFd,
}

/// The master side of a terminal, when it can be read.
pub(crate) type Terminal = AsyncFd<OwnedFd>;

/// Something that is typed later; without bytes a writer begins.
#[derive(Debug)]
struct Typed {
    writer: String,
    offset: u64,
    bytes: Option<Vec<u8>>,
}

/// What came of reading a lent terminal.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Took {
    /// So many bytes from an offset on; `is_dry` when there are no more for now.
    Output {
        offset: u64,
        count: usize,
        is_dry: bool,
    },
    /// It is nothing for us any more: nobody has it open, or memory is short.
    Over,
}

impl Way {
    pub(crate) fn new(link: Link) -> Self {
        Self {
            link,
            route: Mutex::default(),
            unfit: AtomicBool::new(false),
            inputs: AtomicU64::new(0),
            stirred: Notify::new(),
        }
    }

    /// What is said to the holder.
    pub(crate) fn link(&self) -> &Link {
        &self.link
    }

    /// Has the task that follows the terminal look around.
    pub(crate) fn stir(&self) {
        self.stirred.notify_one();
    }

    /// Waits until it is to look around; cancel-safe.
    pub(crate) async fn stirred(&self) {
        self.stirred.notified().await;
    }

    /// Types, and says how far that brought whom; returns the terminal's mode when it is another now.
    pub(crate) fn type_in<'a>(
        &self,
        requests: impl IntoIterator<Item = Request<'a>>,
        mut applied: impl FnMut(&str, u64),
    ) -> Option<PtyMode> {
        let mut route = lock(&self.route);
        match &mut *route {
            Route::Holder | Route::Asked => self.send(requests),
            Route::Lent(loan) => {
                for request in requests {
                    loan.take(&request, &mut applied);
                }
                let mode = loan.look();
                if loan.wants_care() {
                    self.stir();
                }
                return mode;
            }
        }
        None
    }

    /// Changes the size at an offset of the output; `false` when the holder was told to do it.
    ///
    /// If it has just lent the terminal, it passes over that.
    pub(crate) fn resize(&self, offset: u64, size: PtySize) -> bool {
        let route = lock(&self.route);
        let Route::Lent(loan) = &*route else {
            self.link.send(Request::Resize(size));
            return false;
        };
        let done = pty::resize(loan.terminal.get_ref().as_fd(), size);
        if done.is_ok() {
            self.link.send(Request::Resized(Mark { offset, size }));
        }
        done.is_ok()
    }

    /// Says how far the program's output may be read.
    pub(crate) fn pace(&self, until: u64) {
        match &*lock(&self.route) {
            Route::Lent(_) => self.stir(),
            Route::Holder | Route::Asked => self.link.send(Request::Room { until }),
        }
    }

    /// Asks the holder for the terminal.
    pub(crate) fn ask(&self) {
        let mut route = lock(&self.route);
        let is_fit = !self.unfit.load(Ordering::Relaxed);
        if is_fit && matches!(*route, Route::Holder) {
            *route = Route::Asked;
            self.link.send(Request::Borrow);
        }
    }

    /// The holder keeps it; `false` when it was not asked.
    pub(crate) fn keep(&self) -> bool {
        let mut route = lock(&self.route);
        let was_asked = matches!(*route, Route::Asked);
        if was_asked {
            *route = Route::Holder;
        }
        was_asked
    }

    /// Sends what is typed to the holder.
    fn send<'a>(&self, requests: impl IntoIterator<Item = Request<'a>>) {
        let counted = requests.into_iter().inspect(|_| {
            self.inputs.fetch_add(1, Ordering::Relaxed);
        });
        self.link.send_all(counted);
    }

    /// The holder lends it, having typed so many inputs; `None` when it goes straight back: it was not asked for, it
    /// cannot be used, or the holder has more to type.
    pub(crate) fn lend(
        &self,
        files: Vec<OwnedFd>,
        (end, kept_from, inputs): (u64, u64, u64),
    ) -> Option<Arc<Terminal>> {
        let mut route = lock(&self.route);
        if !matches!(std::mem::take(&mut *route), Route::Asked)
            || inputs != self.inputs.load(Ordering::Relaxed)
        {
            return None;
        }
        let [terminal, ring, journal, from, into, leash]: [OwnedFd; LENT_FILES] =
            files.try_into().ok()?;
        let terminal = watch(terminal, Interest::READABLE).ok()?;
        let terminal = Arc::new(terminal);
        let loan = Loan {
            terminal: Arc::clone(&terminal),
            ring: Ring::adopt(ring.into()),
            journal: Journal::new(File::from(journal)),
            from,
            into,
            end,
            kept_from,
            mode: None,
            unsent: Vec::new(),
            failed: false,
            unfit: false,
            leash,
        };
        *route = Route::Lent(Box::new(loan));
        Some(terminal)
    }

    /// Gives the terminal back, with how far it may be read.
    pub(crate) fn give_back(&self, until: u64) {
        let mut route = lock(&self.route);
        if !matches!(*route, Route::Lent(_)) {
            return;
        }
        if let Route::Lent(loan) = std::mem::take(&mut *route) {
            if loan.unfit || loan.journal.is_unfit() {
                tracing::debug!("this system cannot use terminals that are lent");
                self.unfit.store(true, Ordering::Relaxed);
            }
            self.link.send(Request::Room { until });
            let unsent = loan.let_go();
            self.send(unsent.iter().map(Typed::request));
        }
    }

    /// Lets go of everything: nobody is there to give it back to, or another daemon has it.
    pub(crate) fn abandon(&self) {
        drop(std::mem::take(&mut *lock(&self.route)));
    }

    /// Output from an offset on is needed by the holder, and what was before is not.
    pub(crate) fn needs(&self, offset: u64) {
        if let Route::Lent(loan) = &mut *lock(&self.route) {
            loan.kept_from = offset;
        }
    }

    /// Whether a lent terminal may be read, when the driver's pace allows it up to an offset.
    pub(crate) fn may_read(&self, until: u64) -> bool {
        match &*lock(&self.route) {
            Route::Lent(loan) => loan.failed || loan.room(until) > 0,
            Route::Holder | Route::Asked => false,
        }
    }

    /// Reads a lent terminal.
    pub(crate) fn read(&self, until: u64, buffer: &mut [u8]) -> Took {
        match &mut *lock(&self.route) {
            Route::Lent(loan) => loan.read(until, buffer),
            Route::Holder | Route::Asked => Took::Over,
        }
    }

    /// The mode of a lent terminal, when it is another now.
    pub(crate) fn look(&self) -> Option<PtyMode> {
        match &mut *lock(&self.route) {
            Route::Lent(loan) => loan.look(),
            Route::Holder | Route::Asked => None,
        }
    }

    /// Gives the program of a lent terminal what waits for it; returns how far that brought whom.
    pub(crate) fn go_on(&self) -> Vec<Applied> {
        match &mut *lock(&self.route) {
            Route::Lent(loan) => loan.journal.go_on(loan.terminal.get_ref()),
            Route::Holder | Route::Asked => Vec::new(),
        }
    }

    /// Whether something waits for the program of a lent terminal.
    pub(crate) fn is_waiting(&self) -> bool {
        matches!(&*lock(&self.route), Route::Lent(loan) if loan.journal.is_waiting())
    }

    /// Whether a lent terminal is to be given back: for a new journal, or since something failed.
    pub(crate) fn is_used_up(&self) -> bool {
        matches!(&*lock(&self.route), Route::Lent(loan) if loan.is_used_up())
    }
}

impl Loan {
    fn take(&mut self, request: &Request<'_>, applied: &mut impl FnMut(&str, u64)) {
        if !self.unsent.is_empty() {
            self.unsent.extend(Typed::of(request.clone()));
            return;
        }
        match self.journal.take(request, self.terminal.get_ref()) {
            Ok(0) => {}
            Ok(written) => {
                if let Request::Input { writer, offset, .. } = request {
                    applied(writer, offset.saturating_add(written as u64));
                }
            }
            Err(error) => {
                tracing::debug!(%error, "no memory for what is typed");
                self.unsent.extend(Typed::of(request.clone()));
            }
        }
    }

    fn look(&mut self) -> Option<PtyMode> {
        let mode = pty::mode(self.terminal.get_ref().as_fd());
        let is_news = mode.is_some() && mode != self.mode;
        if is_news {
            self.mode = mode;
        }
        mode.filter(|_| is_news)
    }

    fn room(&self, until: u64) -> u64 {
        let kept = self.kept_from.saturating_add(RING_BYTES);
        kept.min(until).saturating_sub(self.end)
    }

    fn wants_care(&self) -> bool {
        self.journal.is_waiting() || self.is_used_up()
    }

    fn is_used_up(&self) -> bool {
        let has_ended = self.journal.is_full() && !self.journal.is_waiting();
        has_ended || self.journal.is_unfit() || !self.unsent.is_empty()
    }

    fn read(&mut self, until: u64, buffer: &mut [u8]) -> Took {
        if self.failed {
            return Took::Over;
        }
        let room = usize::try_from(self.room(until)).unwrap_or(usize::MAX);
        let room = room.min(buffer.len()).min(PAGE_BYTES * PAGES);
        let (count, is_dry) = self.fetch(room);
        let moved = self.store(count);
        let bytes = buffer.get_mut(..moved).unwrap_or_default();
        self.failed |= self.ring.read(self.end, bytes).is_err();
        let offset = self.end;
        self.end += moved as u64;
        self.ring.trim(self.end);
        if self.failed && moved == 0 {
            return Took::Over;
        }
        Took::Output {
            offset,
            count: moved,
            is_dry,
        }
    }

    /// Moves what the program wrote into the pipe; returns how much, and whether there is no more.
    fn fetch(&mut self, room: usize) -> (usize, bool) {
        let mut count = 0;
        for piece in 0..PAGES {
            let max = (room - count).min(PAGE_BYTES);
            if max == 0 {
                break;
            }
            match splice(
                &*self.terminal,
                None,
                &self.into,
                None,
                max,
                SpliceFlags::NONBLOCK,
            ) {
                Ok(0) => self.failed = true,
                Ok(moved) => {
                    count += moved;
                    continue;
                }
                Err(error) => match io::Error::from(error).kind() {
                    ErrorKind::Interrupted => continue,
                    // Or the pipe is full, which with one piece in it, it never is.
                    ErrorKind::WouldBlock => return (count, piece <= 1),
                    // Linux reports the end of a PTY as an input/output error.
                    kind => {
                        self.failed = true;
                        self.unfit |= kind == ErrorKind::InvalidInput;
                    }
                },
            }
            break;
        }
        (count, false)
    }

    /// Moves bytes from the pipe into the ring; returns how many.
    fn store(&mut self, count: usize) -> usize {
        let mut all = 0;
        while all < count {
            let left = count - all;
            match splice(
                &self.from,
                None,
                self.ring.file(),
                None,
                left,
                SpliceFlags::NONBLOCK,
            ) {
                Ok(moved) if moved > 0 => all += moved,
                Err(error) if io::Error::from(error).kind() == ErrorKind::Interrupted => {}
                // The holder goes on with what is in the pipe.
                _ => {
                    self.failed = true;
                    break;
                }
            }
        }
        all
    }

    /// Closes everything, the most important last; returns what the holder is to type.
    fn let_go(self) -> Vec<Typed> {
        let Self {
            terminal,
            ring,
            journal,
            from,
            into,
            leash,
            unsent,
            ..
        } = self;
        drop((terminal, ring, journal, from, into));
        drop(leash);
        unsent
    }
}

impl Typed {
    fn of(request: Request<'_>) -> Option<Self> {
        match request {
            Request::Introduce { writer } => Some(Self {
                writer: writer.to_owned(),
                offset: 0,
                bytes: None,
            }),
            Request::Input {
                writer,
                offset,
                bytes,
            } => Some(Self {
                writer: writer.to_owned(),
                offset,
                bytes: Some(bytes.to_vec()),
            }),
            _ => None,
        }
    }

    fn request(&self) -> Request<'_> {
        let writer = &self.writer;
        match &self.bytes {
            Some(bytes) => Request::Input {
                writer,
                offset: self.offset,
                bytes,
            },
            None => Request::Introduce { writer },
        }
    }
}

/// Watches a terminal from a task.
#[expect(
    deprecated,
    reason = "unsound only for files that can change under it, and an OwnedFd cannot"
)]
pub(crate) fn watch(terminal: OwnedFd, interest: Interest) -> io::Result<Terminal> {
    AsyncFd::with_interest(terminal, interest)
}

/// How much is moved at once, which takes one place in a pipe.
const PAGE_BYTES: usize = 4096;

/// The places in a pipe; where it has fewer, less is read at once.
const PAGES: usize = 16;
