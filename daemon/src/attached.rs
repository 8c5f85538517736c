//! One viewer at a terminal: what they type, what they are shown, and what they are told.

use std::collections::VecDeque;
use std::future::pending;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::watch;
use vroom_protocol::graphical::Role;
use vroom_protocol::terminal::{
    Capabilities, ErrorMessage, ExitStatus, KeyEvent, PtyMessage, PtyMode, Server, ShareRequest,
    WindowSize,
};
use vroom_protocol::{ChannelId, Code, Connection};
use vroom_terminal::{Error, PtySize, TtyState};

use crate::answers;
use crate::auth::Auth;
use crate::feed::{Begin, Feed, Patience};
use crate::keys;
use crate::party::{Place, Refused};

/// One viewer at a terminal.
#[derive(Debug)]
pub(crate) struct Attached {
    place: Place,
    channel: Option<ChannelId>,
    feed: Option<Feed>,
    flow: bool,
    writer: String,
    /// What the client has typed, as it counts.
    typed: u64,
    /// Typed while the program did not read.
    waiting: VecDeque<Bytes>,
    waiting_bytes: usize,
    /// How much of what was typed the client knows to have arrived.
    told_input: u64,
    /// How much of it had arrived at the terminal then.
    known_input: u64,
    /// What was not taken of it.
    refused: Refused,
    state: watch::Receiver<TtyState>,
    told_mode: Option<PtyMode>,
    told_size: PtySize,
    refused_at: Option<Instant>,
    /// Whether everybody's state is to be told.
    owes_share: bool,
    /// Whether the last pump knew that the program ended; then a full queue delays the report.
    knew_exit: bool,
}

impl Attached {
    /// Sits down; `typed` is how much of the writer's input was applied before.
    pub(crate) fn new(place: Place, writer: String, flow: bool) -> Self {
        let session = place.session();
        let applied = session.input_offset(&writer);
        let mut refused = place.refused(&writer);
        refused.keep_before(applied);
        let typed = applied + refused.all();
        Self {
            channel: None,
            feed: None,
            flow,
            typed,
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            told_input: typed,
            known_input: applied,
            refused,
            state: session.state(),
            told_mode: None,
            told_size: session.size(),
            refused_at: None,
            owes_share: true,
            knew_exit: false,
            writer,
            place,
        }
    }

    /// The place at the terminal.
    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    /// How much of the writer's input was applied before.
    pub(crate) fn typed(&self) -> u64 {
        self.typed
    }

    /// The channel is open: the terminal is shown from now on.
    pub(crate) fn begin(
        &mut self,
        now: Instant,
        channel: ChannelId,
        selected: Option<&Capabilities>,
        begin: Begin,
    ) {
        self.channel = Some(channel);
        self.feed = Some(Feed::new(now, channel, selected, begin));
    }

    /// The transport is lost, and may come back.
    pub(crate) fn leave(&self) {
        self.place.set_away(true);
    }

    /// Another transport carries it from now on.
    pub(crate) fn come_back(&mut self) {
        self.place.set_away(false);
        self.owes_share = true;
        self.told_mode = None;
    }

    /// Takes a message of the PTY channel.
    pub(crate) fn on_message(
        &mut self,
        now: Instant,
        connection: &mut Connection,
        server: &mut Server,
        (kind, payload): (u8, Bytes),
    ) {
        // Without flow control every message is what was typed, whatever its type.
        let message = if self.flow {
            PtyMessage::decode(kind, payload)
        } else {
            Ok(PtyMessage::Bytes(payload))
        };
        match message {
            Ok(PtyMessage::Bytes(bytes)) => self.on_typed(now, server, bytes),
            Ok(PtyMessage::Ack(offset)) => {
                if let Some(feed) = &mut self.feed {
                    feed.acknowledge(now, offset);
                }
            }
            // There is no pipe whose end this could be.
            Ok(PtyMessage::EndOfInput) => {}
            Ok(PtyMessage::Zstd(_) | PtyMessage::Repaint { .. }) => {
                let reason = "only a server sends that";
                connection.error(now, Code::UNSUPPORTED, self.channel, reason);
            }
            Err(error) => connection.error(now, error.code(), self.channel, &error.to_string()),
        }
    }

    /// Takes a key that the client does not encode.
    pub(crate) fn on_key(&mut self, now: Instant, server: &mut Server, event: &KeyEvent) {
        let (flags, application_cursor) = {
            let state = self.state.borrow();
            (state.kitty_flags, state.application_cursor)
        };
        let bytes = keys::encode(event, flags, application_cursor);
        if !bytes.is_empty() {
            self.on_typed(now, server, bytes.into());
        }
    }

    fn on_typed(&mut self, now: Instant, server: &mut Server, bytes: Bytes) {
        if bytes.is_empty() {
            return;
        }
        if answers::are_only(&bytes) && !self.place.is_driver() {
            // The driver's terminal answers, too, and once is enough.
            return self.pass_over(bytes.len());
        }
        if let Err((code, reason)) = self.place.type_at(now) {
            return self.refuse(now, server, bytes.len(), code, reason);
        }
        if self.waiting_bytes.saturating_add(bytes.len()) > WAITING_BYTES {
            let error = Error::InputFull;
            let reason = error.to_string();
            return self.refuse(now, server, bytes.len(), error.code(), &reason);
        }
        self.typed += bytes.len() as u64;
        self.waiting_bytes += bytes.len();
        if let Some(feed) = self
            .feed
            .as_mut()
            .filter(|_| self.state.borrow().isig && bytes.iter().any(|b| INTERRUPTS.contains(b)))
        {
            feed.interrupt(now, self.place.session());
        }
        self.waiting.push_back(bytes);
        self.write();
    }

    /// Hands on what waits, in order, as far as the program reads.
    fn write(&mut self) {
        let session = self.place.session();
        while let Some(bytes) = self.waiting.front() {
            let waiting = self.waiting_bytes as u64;
            let offset = self.given().saturating_sub(waiting);
            match session.write(&self.writer, offset, bytes.clone()) {
                Err(Error::InputFull) => return,
                Ok(()) => {}
                // What is typed at a program that just ended is nobody's loss.
                Err(error) => tracing::debug!(%error, "input was not taken"),
            }
            self.waiting_bytes -= bytes.len();
            self.waiting.pop_front();
        }
    }

    /// Counts input that is not taken, and says so, not too often.
    fn refuse(&mut self, now: Instant, server: &mut Server, bytes: usize, code: Code, why: &str) {
        self.pass_over(bytes);
        let is_due = self.refused_at.is_none_or(|at| now >= at + REFUSALS);
        if is_due {
            self.refused_at = Some(now);
            server.error(now, ErrorMessage::new(code, why));
        }
    }

    /// Counts input that is not taken.
    fn pass_over(&mut self, bytes: usize) {
        let bytes = bytes as u64;
        self.refused.add(self.given(), bytes);
        self.typed += bytes;
        let refused = self.refused.clone();
        self.place.keep_refused(&self.writer, refused);
    }

    /// How much of what was typed the terminal has, or is to have.
    fn given(&self) -> u64 {
        self.typed.saturating_sub(self.refused.all())
    }

    /// Takes the size of the client's window.
    pub(crate) fn resize(&self, size: PtySize) {
        if self.place.role() >= Role::Operator {
            self.place.resize(size);
        }
    }

    /// Sends a signal, for those who may type.
    pub(crate) fn signal(&self, now: Instant, signal: u8) -> Result<(), (Code, String)> {
        self.place
            .type_at(now)
            .map_err(|(code, reason)| (code, reason.to_owned()))?;
        let sent = self.place.session().signal(signal);
        sent.map_err(|error| (Code::SIGNAL_FAILED, error.to_string()))
    }

    /// Takes a SHARE, and answers it.
    pub(crate) fn share(
        &mut self,
        now: Instant,
        server: &mut Server,
        auth: &Auth,
        request: ShareRequest,
    ) {
        let done = self.place.share(now, request.action, auth.links());
        let mut state = self.place.share_state(now, auth.links());
        state.reference = request.id;
        match done {
            Ok(invited) => state.invited = invited,
            Err((code, reason)) => {
                state.reason = Some(reason.to_owned());
                server.error(now, ErrorMessage::new(code, reason));
            }
        }
        server.share_state(now, state);
    }

    /// Sends what the program wrote, and tells what changed.
    pub(crate) fn pump(
        &mut self,
        now: Instant,
        connection: &mut Connection,
        server: &mut Server,
        auth: &Auth,
    ) {
        if let Some((code, reason)) = self.place.removed() {
            return connection.close(now, code, reason);
        }
        self.write();
        self.knew_exit = self.is_over();
        let drives = self.place.is_driver();
        if self.feed.as_ref().is_some_and(Feed::is_behind) {
            // What it is shown next is a picture, and a picture that comes before this is of what it has interrupted.
            self.place.session().announce_input();
            self.acknowledge_input(now, connection);
        }
        if let Some(feed) = &mut self.feed {
            if self.told_input >= self.typed {
                feed.told_taken();
            }
            let patience = if self.flow || !self.place.is_alone() {
                Patience::Bounded
            } else {
                Patience::Endless
            };
            let patience = drives.then_some(patience);
            feed.pump(now, connection, self.place.session(), patience);
            self.place.set_lagging(feed.is_lagging(now));
        }
        self.acknowledge_input(now, connection);
        self.tell_mode(now, server);
        self.place.rest(now);
        self.owes_share |= self.place.take_changes();
        if self.owes_share {
            self.owes_share = false;
            let size = self.place.session().size();
            if size != self.told_size {
                self.told_size = size;
                if !drives {
                    server.window_size(now, window_size(size));
                }
            }
            server.share_state(now, self.place.share_state(now, auth.links()));
        }
    }

    /// Says how much of what was typed has arrived.
    fn acknowledge_input(&mut self, now: Instant, connection: &mut Connection) {
        self.known_input = self.place.session().input_offset(&self.writer);
        let applied = self.known_input + self.refused.before(self.known_input);
        if applied <= self.told_input {
            return;
        }
        self.told_input = applied;
        if let Some(channel) = self.channel.filter(|_| self.flow) {
            let (kind, payload) = PtyMessage::Ack(applied).encode();
            if let Err(error) = connection.send(now, channel, kind, payload) {
                tracing::debug!(%error, "input was not acknowledged");
            }
        }
    }

    fn tell_mode(&mut self, now: Instant, server: &mut Server) {
        let mut mode = PtyMode::default();
        {
            let state = self.state.borrow_and_update();
            let flags = [
                (state.echo, PtyMode::ECHO),
                (state.canonical, PtyMode::ICANON),
                (state.alternate, PtyMode::ALTERNATE_SCREEN),
                (state.mouse, PtyMode::MOUSE_REPORTING),
            ];
            for (_, flag) in flags.iter().filter(|(is_on, _)| *is_on) {
                mode = mode.with(*flag);
            }
        }
        if self.feed.is_some() && self.told_mode != Some(mode) {
            self.told_mode = Some(mode);
            server.pty_mode(now, mode);
        }
    }

    /// How the program ended, once all that it wrote is on its way.
    pub(crate) fn finished(&self, connection: &Connection) -> Option<ExitStatus> {
        let session = self.place.session();
        let feed = self.feed.as_ref()?;
        // What came after this turn's output was sent is for the next turn.
        if !self.knew_exit {
            return None;
        }
        let Some(exit) = session.exit_status() else {
            return session.is_lost().then(|| ExitStatus {
                reason: Some("the terminal was lost".to_owned()),
                ..ExitStatus::default()
            });
        };
        feed.is_done(connection, exit.output_bytes)
            .then(|| ExitStatus {
                exit_code: exit.code,
                signal: exit.signal,
                signal_name: exit.signal_name().map(str::to_owned),
                core_dumped: exit.core_dumped.then_some(true),
                pty_bytes: Some(feed.sent_bytes()),
                offset: self.flow.then(|| feed.final_offset()),
                reason: self.place.party().reason(),
            })
    }

    fn is_over(&self) -> bool {
        let session = self.place.session();
        session.exit_status().is_some() || session.is_lost()
    }

    /// Notes that the end was told to somebody whose terminal it is.
    pub(crate) fn set_seen(&self) {
        if self.place.role() >= Role::Operator {
            self.place.party().set_seen();
        }
    }

    /// Waits until there is something to send or to tell; cancel-safe.
    pub(crate) async fn ready(&mut self) {
        let session = self.place.session();
        let knew_exit = self.knew_exit;
        let exit = async {
            if knew_exit {
                return pending().await;
            }
            tokio::select! {
                _ = session.wait_exit() => {}
                () = session.lost() => {}
            }
        };
        let output = async {
            match &mut self.feed {
                Some(feed) => feed.ready(session).await,
                None => pending().await,
            }
        };
        let known = self.known_input;
        let outstanding =
            self.typed.saturating_sub(self.told_input) > 0 && !session.history().is_ended();
        let input = async {
            if outstanding {
                session.input_changed(&self.writer, known).await;
            } else {
                pending::<()>().await;
            }
        };
        let mode = async {
            if self.state.changed().await.is_err() {
                pending::<()>().await;
            }
        };
        tokio::select! {
            biased;
            () = output => {}
            () = input => {}
            () = mode => {}
            () = exit => {}
            () = self.place.changed() => {}
        }
    }

    /// When to pump even if nothing happens.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let feed = self.feed.as_ref().and_then(Feed::deadline);
        feed.into_iter().chain(self.place.typing_until()).min()
    }
}

fn window_size(size: PtySize) -> WindowSize {
    WindowSize {
        rows: size.rows,
        cols: size.cols,
        pixel_width: size.px_w,
        pixel_height: size.px_h,
    }
}

/// Ctrl-C, Ctrl-Z and Ctrl-\: whoever types them wants to see no more of what they stop.
const INTERRUPTS: [u8; 3] = [0x03, 0x1A, 0x1C];

/// What may wait for a program that does not read; more is refused.
const WAITING_BYTES: usize = 256 * 1024;

/// The least time between two messages about refused input.
const REFUSALS: Duration = Duration::from_secs(1);
