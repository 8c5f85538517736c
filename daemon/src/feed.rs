//! What a terminal shows on its way to one viewer: bytes while they keep up, the screen when not.

mod credit;
mod dump;
mod pack;

use std::future::pending;
use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use vroom_protocol::terminal::{Capabilities, PtyMessage};
use vroom_protocol::{ChannelId, Connection};
use vroom_terminal::screen::{OutputFilter, SnapshotOptions, ViewerCapabilities};
use vroom_terminal::{Read, Session};

use self::credit::Credit;
use self::dump::Dump;
use self::pack::Packer;
use crate::running::{MESSAGE_BYTES, has_room};

/// What a terminal shows on its way to one viewer.
///
/// A viewer is an offset in the terminal's history. With flow control it gets bytes as long as its
/// terminal keeps up with them; one that does not is sent the screen instead of what it missed, and
/// once things are quiet the lines above the screen, too. Without flow control it gets every byte
/// that is still kept.
#[derive(Debug)]
pub(crate) struct Feed {
    channel: ChannelId,
    flow: bool,
    viewer: ViewerCapabilities,
    links: bool,
    filter: Option<Filter>,
    packer: Packer,
    credit: Credit,
    /// The next byte of the history to send.
    offset: u64,
    /// The bytes that were sent, of whatever.
    sent: u64,
    state: State,
    /// Where the output continues the screen that was sent last.
    screen: Option<u64>,
    /// Whether lines above the screen are still owed, and how many.
    owed: Option<u32>,
    dump: Option<Dump>,
    /// What is left of a screen that is sent as plain bytes.
    plain: Bytes,
    /// The end of the history when it last moved, and when that was.
    moved: (u64, Instant),
    /// Whether more can be sent now.
    has_room: bool,
    /// Whether all was sent that there will ever be.
    is_at_end: bool,
    /// What the person has interrupted and may still be flooded by.
    interrupted: Option<Interrupted>,
    burst: Burst,
    /// Whether more output is waited for before some is sent.
    gathers: bool,
    /// Whether this viewer's keys are what the program answers to.
    drives: bool,
    stuck_since: Option<Instant>,
    deadline: Option<Instant>,
}

/// What the viewer is sent now.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    /// Bytes.
    Live,
    /// Nothing until the screen can be sent.
    Behind {
        /// The screen that was sent last; the next one waits until it was parsed.
        last: Option<(u64, Instant)>,
    },
}

/// An interrupted flood.
#[derive(Clone, Copy, Debug)]
struct Interrupted {
    /// When what comes is no longer thought to be of it.
    until: Instant,
    /// What the viewer had parsed then, or the screen that it was sent since.
    offset: u64,
    /// Whether the viewer knows that the program has the key: then a picture shows what came of it.
    is_taken: bool,
    /// Whether one was sent since.
    is_shown: bool,
}

/// Output that goes to somebody far away, who gets it in fewer and larger packets when there is much of it.
///
/// Each packet may be lost, and then holds up all that come after it: also the last word of a program that was
/// interrupted.
#[derive(Clone, Copy, Debug, Default)]
struct Burst {
    bytes: u64,
    sent_at: Option<Instant>,
}

impl Burst {
    /// Notes that output was sent.
    fn sent(&mut self, now: Instant, bytes: u64) {
        let goes_on = self.sent_at.is_some_and(|at| now < at + GATHER * 2);
        self.bytes = if goes_on { self.bytes + bytes } else { bytes };
        self.sent_at = Some(now);
    }

    /// Until when output is gathered.
    fn gathers_until(&self, now: Instant) -> Option<Instant> {
        let until = self.sent_at? + GATHER;
        (self.bytes > BURST_BYTES && now < until).then_some(until)
    }
}

struct Filter(OutputFilter);

impl std::fmt::Debug for Filter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Filter")
    }
}

/// How long the program waits for a driver who takes nothing.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Patience {
    /// As long as it takes: nobody else is there, and nothing tells how far they are.
    Endless,
    /// [`PATIENCE`].
    Bounded,
}

/// How a viewer begins to look on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Begin {
    /// With the bytes from an offset on.
    Bytes(u64),
    /// With the screen, and as many lines above it.
    Screen {
        /// How many.
        lines: u32,
        /// The offset that the viewer was told to count from.
        from: u64,
    },
}

impl Feed {
    /// Sends what this viewer can take, on this channel.
    pub(crate) fn new(
        now: Instant,
        channel: ChannelId,
        selected: Option<&Capabilities>,
        begin: Begin,
    ) -> Self {
        let kitty = selected.and_then(|selected| selected.kitty.as_ref());
        let extensions = selected.map(Capabilities::extensions).unwrap_or_default();
        let viewer = ViewerCapabilities {
            graphics: kitty.and_then(|kitty| kitty.graphics) == Some(true),
            sixel: kitty.and_then(|kitty| kitty.sixel) == Some(true),
            kitty_level: selected.map_or(0, Capabilities::keyboard_level),
        };
        let features = selected.and_then(|selected| selected.features.as_ref());
        let flow = extensions.flow_control == Some(true);
        let (offset, state, owed) = match begin {
            Begin::Bytes(offset) => (offset, State::Live, None),
            Begin::Screen { lines, from } => (from, State::Behind { last: None }, Some(lines)),
        };
        Self {
            channel,
            flow,
            links: features.is_some_and(|features| features.iter().any(|name| name == LINKS)),
            filter: None,
            packer: Packer::new(extensions.zstd_compression == Some(true)),
            credit: Credit::new(offset),
            viewer,
            offset,
            sent: 0,
            state,
            screen: None,
            owed,
            dump: None,
            plain: Bytes::new(),
            moved: (0, now),
            has_room: false,
            is_at_end: false,
            interrupted: None,
            burst: Burst::default(),
            gathers: false,
            drives: false,
            stuck_since: None,
            deadline: None,
        }
        .with_filter()
    }

    /// Without flow control nothing says what a client can take; the bytes go through as they are.
    fn with_filter(mut self) -> Self {
        let viewer = &self.viewer;
        let everything = viewer.graphics && viewer.sixel && viewer.kitty_level >= 3;
        self.filter = (self.flow && !everything).then(|| Filter(OutputFilter::new(viewer)));
        self
    }

    /// The bytes that were sent.
    pub(crate) fn sent_bytes(&self) -> u64 {
        self.sent
    }

    /// The viewer's terminal has parsed all up to here.
    pub(crate) fn acknowledge(&mut self, now: Instant, offset: u64) {
        self.credit.acknowledge(now, offset);
    }

    /// Whether the viewer has been behind for so long that others should know.
    pub(crate) fn is_lagging(&self, now: Instant) -> bool {
        self.behind_since()
            .is_some_and(|since| now >= since + LAGGING)
    }

    fn behind_since(&self) -> Option<Instant> {
        if self.flow {
            self.credit.oldest()
        } else {
            self.stuck_since
        }
    }

    /// Whether the viewer is shown a picture next.
    pub(crate) fn is_behind(&self) -> bool {
        matches!(self.state, State::Behind { .. })
    }

    /// The person interrupted what floods them: what they have not seen yet is skipped.
    pub(crate) fn interrupt(&mut self, now: Instant, session: &Session) {
        if !self.flow {
            return;
        }
        let waiting = session.history().end().saturating_sub(self.credit.acked());
        if self.state == State::Live && waiting > AFTER_INTERRUPT_MAX {
            self.fall_behind();
        }
        self.forget_interrupt(now);
        // More of it may be on its way to us.
        self.interrupted = Some(Interrupted {
            until: now + INTERRUPTED,
            offset: self.credit.acked(),
            is_taken: false,
            // Of a key that is held down only the first one draws a screen at once.
            is_shown: self.interrupted.is_some_and(|before| before.is_shown),
        });
    }

    /// The viewer was told that the program has all that they typed.
    pub(crate) fn told_taken(&mut self) {
        if let Some(interrupted) = &mut self.interrupted {
            interrupted.is_taken = true;
        }
    }

    /// Notes that the viewer sees what came of an interrupt, of which the program may say more at once.
    fn show_interrupted(&mut self) {
        if let Some(interrupted) = &mut self.interrupted {
            interrupted.is_shown = true;
            self.credit.lend(AFTER_INTERRUPT_MAX);
        }
    }

    /// Sends what there is, as far as the viewer takes it; `drives` says how patiently the program
    /// waits for one who does.
    pub(crate) fn pump(
        &mut self,
        now: Instant,
        connection: &mut Connection,
        session: &Arc<Session>,
        drives: Option<Patience>,
    ) {
        self.deadline = None;
        let end = session.history().end();
        if end != self.moved.0 {
            self.moved = (end, now);
        }
        self.has_room = has_room(connection, self.channel);
        self.drives = drives.is_some();
        if self.flow {
            self.credit.saw(now, end);
            self.pump_behind(now, connection, session, drives.is_some());
        } else if matches!(self.state, State::Behind { .. }) && self.has_room {
            self.repaint_plain(session);
        }
        if self.state == State::Live {
            self.pump_live(now, connection, session);
        }
        if self.flow {
            self.pump_owed(now, connection, session);
        }
        let lags_at = self.behind_since().map(|since| since + LAGGING);
        if let Some(lags_at) = lags_at.filter(|at| *at > now) {
            self.wake_at(lags_at);
        }
        if let Some(patience) = drives {
            session.set_reader_offset(self.pace(now, patience));
        }
    }

    /// Whether all that the program wrote up to this offset is on its way.
    pub(crate) fn is_done(&self, connection: &Connection, output_bytes: u64) -> bool {
        self.state == State::Live
            && self.offset >= output_bytes
            && self.owed.is_none()
            && connection.queued_bytes(self.channel) == 0
    }

    /// Where the end of the output is for this viewer.
    pub(crate) fn final_offset(&self) -> u64 {
        self.credit.to_viewer(self.offset)
    }

    /// Waits until there is something to send; cancel-safe.
    pub(crate) async fn ready(&mut self, session: &Session) {
        let may_send = self.has_room
            && !self.is_at_end
            && !self.gathers
            && self.state == State::Live
            && (!self.flow || self.credit.left() > 0);
        let output = async {
            match (may_send, self.drives) {
                (true, true) => session.history().changed(self.offset).await,
                (true, false) => session.history().announced(self.offset).await,
                (false, _) => pending().await,
            }
        };
        let dump = async {
            match &mut self.dump {
                Some(dump) => dump.ready().await,
                None => pending().await,
            }
        };
        tokio::select! {
            biased;
            () = output => {}
            () = dump => {}
        }
    }

    /// When to pump even if nothing happens.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// Sends bytes until there are no more, there is no room, or the viewer has enough to parse.
    fn pump_live(&mut self, now: Instant, connection: &mut Connection, session: &Session) {
        self.gathers = false;
        let gathers =
            self.credit.is_far() && self.interrupted.is_none() && !session.history().is_ended();
        if gathers && let Some(until) = self.burst.gathers_until(now) {
            self.gathers = true;
            return self.wake_at(until);
        }
        loop {
            self.has_room = has_room(connection, self.channel);
            let left = if self.flow {
                usize::try_from(self.credit.left()).unwrap_or(usize::MAX)
            } else {
                MESSAGE_BYTES
            };
            if !self.has_room || left == 0 {
                self.stuck_since.get_or_insert(now);
                break;
            }
            if self.floods(now, session) {
                self.fall_behind();
                self.deadline = Some(now);
                return;
            }
            if !self.plain.is_empty() {
                let piece = self.plain.split_to(self.plain.len().min(MESSAGE_BYTES));
                self.send(now, connection, &PtyMessage::Bytes(piece));
                continue;
            }
            match session
                .history()
                .read_from(self.offset, left.min(MESSAGE_BYTES))
            {
                Read::Bytes(bytes) => {
                    self.stuck_since = None;
                    self.send_output(now, connection, bytes);
                }
                Read::Behind { .. } => {
                    self.fall_behind();
                    // The screen goes out in the next turn.
                    self.deadline = Some(now);
                    return;
                }
                Read::Pending => {
                    self.stuck_since = None;
                    return;
                }
                Read::Ended => {
                    self.stuck_since = None;
                    self.is_at_end = true;
                    return;
                }
            }
        }
        if self.flow {
            match self.credit.late_at() {
                Some(late_at) if late_at <= now => {
                    self.fall_behind();
                    self.wake_at(now + QUIET);
                }
                Some(late_at) => self.wake_at(late_at),
                None => {}
            }
        } else if let Some(since) = self.stuck_since {
            let patience_ends = since + PATIENCE;
            if patience_ends > now {
                self.wake_at(patience_ends);
            }
        }
    }

    /// Whether what was interrupted goes on coming.
    fn floods(&mut self, now: Instant, session: &Session) -> bool {
        self.forget_interrupt(now);
        self.interrupted.is_some_and(|interrupted| {
            let since = session.history().end().saturating_sub(interrupted.offset);
            since > AFTER_INTERRUPT_MAX
        })
    }

    /// Forgets an interrupt once what comes is no longer thought to be of it.
    fn forget_interrupt(&mut self, now: Instant) {
        self.interrupted = self.interrupted.filter(|flood| now < flood.until);
    }

    /// Sends output as this viewer can take it.
    fn send_output(&mut self, now: Instant, connection: &mut Connection, bytes: Bytes) {
        let length = bytes.len() as u64;
        let shown = match &mut self.filter {
            Some(Filter(filter)) => {
                let mut shown = Vec::with_capacity(bytes.len());
                filter.push(&bytes, &mut shown);
                Bytes::from(shown)
            }
            None => bytes,
        };
        self.offset += length;
        self.burst.sent(now, length);
        self.credit
            .sent(now, self.offset, length, shown.len() as u64);
        if !shown.is_empty() {
            let message = self.packer.pack(shown, self.credit.is_slow());
            self.send(now, connection, &message);
        }
    }

    /// Sends the screen to a viewer that fell behind, once it can take it.
    fn pump_behind(
        &mut self,
        now: Instant,
        connection: &mut Connection,
        session: &Session,
        drives: bool,
    ) {
        let State::Behind { last } = self.state else {
            return;
        };
        if !self.has_room {
            return;
        }
        let is_unseen = self
            .screen
            .is_some_and(|screen| self.credit.acked() < screen);
        self.forget_interrupt(now);
        if is_unseen && self.interrupted.is_none() && !self.credit.is_on_time(now) {
            // It has not seen the last one yet, and is woken by its saying so.
            return;
        }
        let quiet = match self.interrupted {
            Some(_) => QUIET_INTERRUPTED,
            None => QUIET,
        };
        // At once, for what came of it; a flood that goes on all the same is shown as others are.
        let is_awaited = self
            .interrupted
            .is_some_and(|interrupted| interrupted.is_taken && !interrupted.is_shown);
        let is_quiet = is_awaited || now >= self.moved.1 + quiet || session.history().is_ended();
        if let Some((screen, at)) = last {
            if self.moved.0.saturating_sub(screen) <= CONTINUED_MAX {
                self.show_interrupted();
                self.state = State::Live;
                return;
            }
            if !is_quiet {
                let quiet_at = self.moved.1 + quiet;
                if now < at + SCREEN_INTERVAL {
                    return self.wake_at(quiet_at.min(at + SCREEN_INTERVAL));
                }
            }
        } else if !is_quiet && self.credit.in_flight() > SKIPPED_MIN {
            return self.wake_at(self.moved.1 + quiet);
        }
        let is_first = self.sent == 0;
        let lines = match self.owed {
            // The first time the lines above come along as long as they are few.
            Some(lines) if is_first && self.moved.0 < SMALL_BYTES => lines,
            _ => 0,
        };
        let from = self.offset;
        let from_seen = (!is_first).then_some(from);
        let screen = self.repaint(now, connection, session, lines, from_seen);
        if drives && !is_first {
            session.answer_skipped(from, screen);
        }
        if is_first && (lines > 0 || self.owed == Some(0)) {
            self.owed = None;
        }
        self.state = if is_quiet || is_first {
            State::Live
        } else {
            State::Behind {
                last: Some((screen, now)),
            }
        };
    }

    /// Sends the lines above the screen once nothing else is going on.
    fn pump_owed(&mut self, now: Instant, connection: &mut Connection, session: &Arc<Session>) {
        let Some(lines) = self.owed.filter(|_| self.state == State::Live) else {
            return;
        };
        if let Some(dump) = &mut self.dump {
            let Some((offset, body)) = dump.take() else {
                return;
            };
            self.dump = None;
            if offset == self.offset && self.has_room {
                self.owed = None;
                self.send_screen(now, connection, (offset, body), true);
                return;
            }
        }
        let is_read = self.offset == self.moved.0 && self.credit.acked() >= self.offset;
        if !is_read || !self.has_room {
            return;
        }
        let due = self.moved.1 + LINES_AFTER;
        if now < due && !session.history().is_ended() {
            return self.wake_at(due);
        }
        self.dump = Some(Dump::start(session, self.options(lines)));
    }

    /// Sends the screen, and says where the history continues it.
    ///
    /// A viewer that has seen output up to `skipped` gets the clipboard, too, that was set since then.
    fn repaint(
        &mut self,
        now: Instant,
        connection: &mut Connection,
        session: &Session,
        lines: u32,
        skipped: Option<u64>,
    ) -> u64 {
        let (offset, mut body) = session.snapshot(&self.options(lines));
        if let Some(text) = skipped.and_then(|from| session.clipboard_after(from)) {
            // First: the screen may end with a sequence that the program has begun.
            let set = format!("\x1b]52;c;{}\x07", STANDARD.encode(text));
            body.splice(0..0, set.into_bytes());
        }
        self.send_screen(now, connection, (offset, body), lines > 0)
    }

    fn send_screen(
        &mut self,
        now: Instant,
        connection: &mut Connection,
        (offset, body): (u64, Vec<u8>),
        scrollback: bool,
    ) -> u64 {
        self.offset = offset;
        self.screen = Some(offset);
        if let Some(interrupted) = &mut self.interrupted {
            // The flood may go on behind it; what it shows is not counted twice.
            interrupted.offset = offset;
        }
        self.show_interrupted();
        self.credit.repainted(now, offset);
        // It ends with the sequence that the program has begun, of which this viewer may see nothing.
        let body = match &mut self.filter {
            Some(Filter(filter)) => {
                *filter = OutputFilter::new(&self.viewer);
                let mut shown = Vec::with_capacity(body.len());
                filter.push(&body, &mut shown);
                shown
            }
            None => body,
        };
        match self.packer.screen(offset, body, scrollback) {
            Some(message) => self.send(now, connection, &message),
            None => tracing::debug!("a screen was too large to be sent"),
        }
        offset
    }

    /// Sends the screen as plain bytes, for a client that knows nothing else.
    fn repaint_plain(&mut self, session: &Session) {
        let lines = self.owed.take().unwrap_or_default();
        let (offset, body) = session.snapshot(&self.options(lines));
        self.plain = [RESET, &body].concat().into();
        self.offset = offset;
        self.state = State::Live;
    }

    fn send(&mut self, now: Instant, connection: &mut Connection, message: &PtyMessage) {
        let (kind, payload) = message.encode();
        self.sent += payload.len() as u64;
        if let Err(error) = connection.send(now, self.channel, kind, payload) {
            tracing::debug!(%error, "output was not sent");
            self.has_room = false;
        }
    }

    fn options(&self, lines: u32) -> SnapshotOptions {
        SnapshotOptions {
            scrollback_lines: usize::try_from(lines).unwrap_or(usize::MAX),
            graphics: self.viewer.graphics,
            sixel: self.viewer.sixel,
            kitty_level: self.viewer.kitty_level,
            links: self.links,
        }
    }

    fn fall_behind(&mut self) {
        self.state = State::Behind { last: None };
        self.dump = None;
        if self.flow {
            self.owed = Some(self.owed.unwrap_or_default().max(LINES));
        }
    }

    /// How far the driver has come, for whom the program waits; `None` when it does not.
    fn pace(&self, now: Instant, patience: Patience) -> Option<u64> {
        let is_stuck = patience == Patience::Bounded
            && self
                .stuck_since
                .is_some_and(|since| now >= since + PATIENCE);
        (self.state == State::Live && !is_stuck).then_some(self.offset)
    }

    fn wake_at(&mut self, at: Instant) {
        self.deadline = Some(self.deadline.map_or(at, |deadline| deadline.min(at)));
    }
}

/// What a client announces that shows links.
const LINKS: &str = "hyperlinks";

/// Puts a terminal into its first state.
const RESET: &[u8] = b"\x1bc";

/// Output that has not moved for so long is at rest, as far as a screen is concerned.
const QUIET: Duration = Duration::from_millis(20);

/// The same for a person who has interrupted a flood and waits for its end.
const QUIET_INTERRUPTED: Duration = Duration::from_millis(5);

/// Output that has not moved for so long leaves time for the lines above the screen.
const LINES_AFTER: Duration = Duration::from_millis(400);

/// The least time between two screens.
const SCREEN_INTERVAL: Duration = Duration::from_millis(50);

/// Less than this is sent rather than skipped.
pub(crate) const SKIPPED_MIN: u64 = 64 * 1024;

/// Output of no more than this goes on behind a screen; for more another screen is sent.
const CONTINUED_MAX: u64 = 16 * 1024;

/// After an interrupt no more than this is shown of what came before and still comes.
const AFTER_INTERRUPT_MAX: u64 = 32 * 1024;

/// How long output is gathered for somebody far away.
const GATHER: Duration = Duration::from_millis(25);

/// So much of it goes out at once before it is.
const BURST_BYTES: u64 = 16 * 1024;

/// How long what comes after an interrupt may still be of what it was for.
const INTERRUPTED: Duration = Duration::from_millis(300);

/// A history of no more than this has few lines to send above the screen.
const SMALL_BYTES: u64 = 256 * 1024;

/// The lines above the screen that are sent to one who missed some.
const LINES: u32 = 10_000;

/// How long a program waits for a driver who takes nothing.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long somebody is behind before others are told.
const LAGGING: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_goes_on_for_long_is_gathered() {
        let (mut burst, now) = (Burst::default(), Instant::now());
        assert_eq!(burst.gathers_until(now), None);
        burst.sent(now, BURST_BYTES);
        assert_eq!(burst.gathers_until(now), None, "a screen full of text");
        burst.sent(now, 1);
        assert_eq!(burst.gathers_until(now), Some(now + GATHER));
        let later = now + GATHER;
        assert_eq!(burst.gathers_until(later), None);
        burst.sent(later, 1);
        assert_eq!(
            burst.gathers_until(later),
            Some(later + GATHER),
            "it goes on"
        );
        let much_later = later + GATHER * 2;
        burst.sent(much_later, 1);
        assert_eq!(burst.gathers_until(much_later), None, "it was over");
    }
}
