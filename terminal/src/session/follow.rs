//! The task that listens to a holder, and has the terminal in its hands while it is lent.

use std::future::poll_fn;
use std::io::{self, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};
use tokio::io::Interest;
use tokio::io::unix::AsyncFdReadyGuard;
use tokio::net::UnixStream;
use tokio::net::unix::OwnedReadHalf;
use tokio::task::yield_now;
use tokio::time::{Instant, sleep_until};

use super::shared::Shared;
use super::way::{Terminal, Took, watch};
use crate::hold::{Inbox, LENT_FILES, RING_BYTES, Report, TTY_LOOKS};

/// Takes in what a holder says and what the program writes, until the holder is gone.
pub(crate) async fn follow(shared: Arc<Shared>, stream: OwnedReadHalf, mut inbox: Inbox) {
    let mut hands = Hands::new(Arc::clone(&shared));
    hands.ask();
    // What came with the beginning is there already.
    while hands.take_in(&mut inbox) {
        hands.plan();
        let lent = hands.lent.clone().filter(|_| hands.may_read());
        let full = hands.full.clone();
        tokio::select! {
            read = receive(stream.as_ref(), inbox.space(), &mut hands.files) => match read {
                Ok(count) if count > 0 => inbox.filled(count),
                _ => break,
            },
            error = shared.way.link().pump() => {
                tracing::debug!(%error, "nothing can be said to a holder");
                break;
            }
            ready = readable(lent.as_deref()) => {
                let more = hands.read(ready);
                give_way(more).await;
            }
            () = writable(full.as_deref()) => hands.go_on(),
            () = shared.way.stirred() => hands.look_around(),
            () = until(hands.look_at.map(|(at, _)| at)) => hands.look_again(),
            () = until(hands.quiet_at) => {
                hands.quiet_at = None;
                shared.catch_up();
            }
            () = until(hands.announce_at) => {
                hands.announce_at = None;
                shared.history.announce();
            }
        }
    }
    tracing::debug!(id = shared.id, "the holder is gone");
    shared.lose();
}

/// What the task has to do with the terminal.
struct Hands {
    shared: Arc<Shared>,
    /// The files that came with what is not taken in yet.
    files: Vec<OwnedFd>,
    /// The terminal while it is lent.
    lent: Option<Arc<Terminal>>,
    /// The same, while its program does not take what is typed.
    full: Option<Arc<Terminal>>,
    buffer: Vec<u8>,
    /// The end of the output that was seen last.
    seen: u64,
    /// When a checkpoint is made, if nothing comes.
    quiet_at: Option<Instant>,
    /// When those who only look on hear of output.
    announce_at: Option<Instant>,
    /// When the mode of a lent terminal is looked at again, and how often that happened.
    look_at: Option<(Instant, usize)>,
    /// When the holder may be asked for the terminal again.
    ask_at: Instant,
}

impl Hands {
    fn new(shared: Arc<Shared>) -> Self {
        Self {
            seen: shared.history.end(),
            shared,
            files: Vec::new(),
            lent: None,
            full: None,
            buffer: vec![0; READ_BYTES],
            quiet_at: None,
            announce_at: None,
            look_at: None,
            ask_at: Instant::now(),
        }
    }

    /// Asks for the terminal, as long as its program runs.
    fn ask(&self) {
        if self.shared.exit.borrow().is_none() {
            self.shared.way.ask();
        }
    }

    /// Takes in the frames that are there; `false` when one makes no sense.
    fn take_in(&mut self, inbox: &mut Inbox) -> bool {
        loop {
            let report = match inbox.frame() {
                Ok(Some((kind, payload))) => Report::decode(kind, payload),
                Ok(None) => return true,
                Err(_) => None,
            };
            let makes_sense = match report {
                Some(Report::Lent {
                    end,
                    kept_from,
                    inputs,
                }) => {
                    self.borrow((end, kept_from, inputs));
                    true
                }
                Some(Report::Kept) => self.shared.way.keep(),
                Some(Report::GiveBack) => {
                    self.give_back();
                    true
                }
                Some(Report::Needs(offset)) => {
                    self.shared.way.needs(offset);
                    true
                }
                Some(report) => self.shared.handle(report),
                None => false,
            };
            if !makes_sense {
                tracing::warn!(id = self.shared.id, "a holder said what makes no sense");
                return false;
            }
        }
    }

    /// The terminal is lent.
    fn borrow(&mut self, state: (u64, u64, u64)) {
        let files = std::mem::take(&mut self.files);
        let shared = &self.shared;
        self.lent = shared.way.lend(files, state);
        if self.lent.is_none() {
            // It is asked for again when something comes.
            return;
        }
        shared.look();
        // The holder passed over what was asked for since it lent the terminal.
        if shared.has_wrong_size() {
            shared.resize();
        }
        self.look_around();
    }

    fn give_back(&mut self) {
        self.lent = None;
        self.full = None;
        self.look_at = None;
        self.ask_at = Instant::now() + ASK_AGAIN;
        self.shared.way.give_back(self.shared.until());
        // From now on the holder says what is written, and no more than that.
        self.shared.typing.publish();
    }

    fn may_read(&self) -> bool {
        self.shared.way.may_read(self.shared.until())
    }

    /// Reads the terminal; returns whether there may be more in it.
    fn read(&mut self, ready: io::Result<AsyncFdReadyGuard<'_, OwnedFd>>) -> bool {
        let Ok(mut guard) = ready else {
            self.give_back();
            return false;
        };
        match self.shared.way.read(self.shared.until(), &mut self.buffer) {
            Took::Over => {
                self.give_back();
                false
            }
            Took::Output {
                offset,
                count,
                is_dry,
            } => {
                if is_dry {
                    guard.clear_ready();
                }
                if count > 0 {
                    self.shared.look();
                    self.shared.typing.publish();
                    let bytes = self.buffer.get(..count).unwrap_or_default();
                    self.shared.output(offset, bytes);
                    self.look_soon();
                }
                !is_dry
            }
        }
    }

    /// Gives the program what waits for it.
    fn go_on(&mut self) {
        let applied = self.shared.way.go_on();
        self.shared.typing.set_all_applied(applied);
        self.look_around();
    }

    /// Does what somebody else found to be done with the terminal.
    fn look_around(&mut self) {
        let Some(lent) = &self.lent else {
            return;
        };
        self.full = None;
        if self.shared.way.is_used_up() {
            self.give_back();
            return self.ask();
        }
        if self.shared.way.is_waiting() {
            // It is told apart from reading: a terminal nearly always takes what is typed.
            let writable = lent.get_ref().try_clone();
            let writable = writable.and_then(|file| watch(file, Interest::WRITABLE));
            match writable {
                Ok(file) => self.full = Some(Arc::new(file)),
                Err(_) => return self.give_back(),
            }
        }
        self.look_soon();
    }

    /// Looks at the mode of the terminal for a while: something happened.
    fn look_soon(&mut self) {
        if self.lent.is_some() {
            self.look_at = TTY_LOOKS.first().map(|after| (Instant::now() + *after, 0));
        }
    }

    fn look_again(&mut self) {
        self.shared.look();
        let step = self.look_at.map_or(0, |(_, step)| step) + 1;
        self.look_at = TTY_LOOKS
            .get(step)
            .map(|after| (Instant::now() + *after, step));
    }

    /// Sets out what is to happen later, by what has come.
    fn plan(&mut self) {
        let shared = &self.shared;
        let end = shared.history.end();
        let since = shared.since_checkpoint();
        if since >= CHECKPOINT_BYTES {
            shared.make_checkpoint();
        }
        if self.announce_at.is_none() && !shared.history.is_announced() {
            self.announce_at = Some(Instant::now() + ANNOUNCE_AFTER);
        }
        if end != self.seen {
            self.seen = end;
            self.quiet_at = (since >= QUIET_BYTES).then(|| Instant::now() + QUIET);
            if self.lent.is_none() && Instant::now() >= self.ask_at {
                self.ask_at = Instant::now() + ASK_AGAIN;
                self.ask();
            }
        }
    }
}

/// Waits until a moment that may never come.
async fn until(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => std::future::pending().await,
    }
}

/// Waits until there is output, if there is a terminal.
async fn readable(terminal: Option<&Terminal>) -> io::Result<AsyncFdReadyGuard<'_, OwnedFd>> {
    match terminal {
        Some(terminal) => terminal.readable().await,
        None => std::future::pending().await,
    }
}

/// Lets those go on who wait for output.
///
/// After the last of it they go first. In a flood they go on beside us: there is more to read, which another
/// worker can do.
async fn give_way(more: bool) {
    if !more {
        return yield_now().await;
    }
    let mut is_queued = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut is_queued, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Waits until a terminal takes what is typed, if there is one that does not.
async fn writable(terminal: Option<&Terminal>) {
    match terminal {
        // Each time another file is asked, so nothing is to be cleared.
        Some(terminal) => drop(terminal.writable().await),
        None => std::future::pending().await,
    }
}

/// Reads what a holder says, and the files that come with it; cancel-safe.
async fn receive(
    stream: &UnixStream,
    space: &mut [u8],
    files: &mut Vec<OwnedFd>,
) -> io::Result<usize> {
    let read = || {
        let mut control = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(LENT_FILES))];
        let mut control = RecvAncillaryBuffer::new(&mut control);
        let mut pieces = [IoSliceMut::new(space)];
        let flags = RecvFlags::CMSG_CLOEXEC;
        let received = recvmsg(stream.as_fd(), &mut pieces, &mut control, flags)?;
        for part in control.drain() {
            if let RecvAncillaryMessage::ScmRights(rights) = part {
                files.extend(rights);
            }
        }
        Ok(received.bytes)
    };
    stream.async_io(Interest::READABLE, read).await
}

/// How long those who only look on wait for output, which comes to them in one piece.
const ANNOUNCE_AFTER: Duration = Duration::from_millis(2);

/// After how much output a checkpoint is made.
///
/// It costs as much as a megabyte of output, so it is made late, and still early enough that the holder
/// need not wait for it.
const CHECKPOINT_BYTES: u64 = 3 * 1024 * 1024;

const _: () = assert!(CHECKPOINT_BYTES < RING_BYTES);

/// After how much output one is made when the program is quiet; less is quickly shown again.
const QUIET_BYTES: u64 = 256 * 1024;

/// When a program is quiet.
const QUIET: Duration = Duration::from_millis(500);

/// The most that is read of a lent terminal at once.
const READ_BYTES: usize = 64 * 1024;

/// How long a terminal that went back stays with its holder.
const ASK_AGAIN: Duration = Duration::from_millis(100);
