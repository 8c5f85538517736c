//! What runs on the connection: it carries messages between the handles and the mux.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use vroom_protocol::mux::PTY_QUEUE_BYTES;
use vroom_protocol::{ChannelId, Code, Connection, Event, SendError};
use vroom_transport::Session;

use super::channel::{INBOX_BYTES, Phase, Slot};
use super::keep::REPLAY_BYTES;
use super::state::{Incoming, LinkState, ListAnswer, Op, Shared};
use crate::error::Error;

/// What runs on one connection.
#[derive(Debug)]
pub(super) struct Pump {
    shared: Arc<Shared>,
    /// When something was sent that was not answered by anything yet.
    asked: Option<Instant>,
    pinged: bool,
    /// Whether the person was told that nothing comes.
    quiet: bool,
    /// How often the server is asked whether it is there.
    alive_interval: Option<Duration>,
}

impl Pump {
    pub(super) fn new(shared: Arc<Shared>, alive_interval: Option<Duration>) -> Self {
        Self {
            shared,
            asked: None,
            pinged: false,
            quiet: false,
            alive_interval,
        }
    }

    /// Does what the handles asked for.
    fn work(&mut self, now: Instant, connection: &mut Connection) {
        let ops = std::mem::take(&mut self.shared.lock().ops);
        let mut later = Vec::new();
        let is_spoken_for = self.is_control_waiting(connection);
        for op in ops {
            match op {
                // What was said on a terminal's control channel is what lets its other channels be
                // opened, and requests on channel 0 would overtake it.
                Op::Open(spec, slot) if is_spoken_for => later.push(Op::Open(spec, slot)),
                Op::Open(spec, slot) => match connection.open_channel(now, spec.clone()) {
                    Ok(request) => {
                        self.shared.lock().asked.insert(request, slot);
                    }
                    Err(SendError::Full) => later.push(Op::Open(spec, slot)),
                    Err(error) => slot.close(Code::INVALID_MESSAGE, &error.to_string()),
                },
                Op::Accept(request, slot) => {
                    self.shared
                        .lock()
                        .accepted
                        .insert(request, Arc::clone(&slot));
                    if connection.accept_channel(now, request).is_none() {
                        self.shared.lock().accepted.remove(&request);
                        slot.close(Code::GOING_AWAY, "the server no longer asks for it");
                    }
                }
                Op::Reject(request, code, reason) => {
                    connection.reject_channel(now, request, code, &reason);
                }
                Op::Ping => connection.ping(now),
                Op::List(answer) => {
                    let asked = connection.request_session_list(now);
                    self.await_list(asked, answer);
                }
                Op::Control(control, answer) => {
                    let asked = connection.session_control(now, control);
                    self.await_list(asked, answer);
                }
            }
        }
        if !later.is_empty() {
            let mut state = self.shared.lock();
            for op in later.into_iter().rev() {
                state.ops.push_front(op);
            }
        }
    }

    /// Whether something is still to be sent on the control channel of a terminal.
    fn is_control_waiting(&self, connection: &Connection) -> bool {
        let state = self.shared.lock();
        state.channels.iter().any(|(id, slot)| {
            let is_control = connection
                .channel(*id)
                .is_some_and(|spec| spec.name.starts_with(TERMINAL_CONTROL));
            is_control && (connection.queued_bytes(*id) > 0 || slot.is_waiting())
        })
    }

    /// Moves what waits on channels into the mux, as far as that takes it.
    fn send(&mut self, now: Instant, connection: &mut Connection) {
        let slots: Vec<Arc<Slot>> = self.shared.lock().channels.values().cloned().collect();
        let mut sent = false;
        for slot in slots {
            sent |= send_slot(now, connection, &slot);
        }
        if sent {
            self.asked.get_or_insert(now);
        }
    }

    /// Asks whether the server is still there when it is silent, and gives the transport up when
    /// it stays so.
    fn watch(&mut self, now: Instant, connection: &mut Connection) {
        let (heard, is_behind) = {
            let state = self.shared.lock();
            (state.heard, state.inbox_bytes >= INBOX_BYTES)
        };
        if is_behind {
            // It is we who do not listen.
            self.asked = None;
            return;
        }
        if let (Some(asked), Some(heard)) = (self.asked, heard)
            && heard >= asked
        {
            self.asked = None;
            self.pinged = false;
            if std::mem::take(&mut self.quiet) {
                let session = self.shared.lock().session;
                self.shared.set_link(LinkState::Up { session });
            }
        }
        if let (Some(interval), None, Some(heard)) = (self.alive_interval, self.asked, heard)
            && now.saturating_duration_since(heard) >= interval
        {
            connection.ping(now);
            self.asked = Some(now);
            self.pinged = true;
        }
        let Some(asked) = self.asked else {
            return;
        };
        let silent = now.saturating_duration_since(asked);
        if silent >= PROBE && !self.pinged {
            connection.ping(now);
            self.pinged = true;
        }
        if silent >= QUIET && !self.quiet {
            self.quiet = true;
            self.shared.set_link(LinkState::Quiet { since: asked });
        }
        if silent >= DEAD {
            self.shared.cut.notify_one();
        }
    }

    fn on_opened(&self, id: ChannelId, request: Option<vroom_protocol::RequestId>) {
        let mut state = self.shared.lock();
        let slot = request.and_then(|request| {
            let asked = state.asked.remove(&request);
            asked.or_else(|| state.accepted.remove(&request))
        });
        if let Some(slot) = slot {
            state.channels.insert(id, Arc::clone(&slot));
            drop(state);
            slot.open(id);
        }
    }

    fn on_closed(&self, id: ChannelId, reason: &str) {
        let slot = self.shared.lock().channels.remove(&id);
        if let Some(slot) = slot {
            slot.close(Code::NORMAL, reason);
        }
    }

    /// The session goes on; what is not in the list is gone.
    fn on_resumed(&self, open: &[ChannelId]) {
        let mut state = self.shared.lock();
        let (kept, gone) = std::mem::take(&mut state.channels)
            .into_iter()
            .partition(|(id, _)| open.contains(id));
        state.channels = kept;
        // What was asked for by others is asked again.
        state.incoming.clear();
        let session = state.session;
        drop(state);
        for slot in gone.into_values() {
            slot.close(Code::GOING_AWAY, "it was not resumed");
        }
        self.shared.set_link(LinkState::Up { session });
    }

    fn await_list(&self, asked: Result<(), SendError>, answer: ListAnswer) {
        match asked {
            Ok(()) => self.shared.lock().lists.push_back(answer),
            Err(error) => {
                let error = Error::PeerMisbehaved(error.to_string());
                // Whoever asked may have gone.
                drop(answer.send(Err(error)));
            }
        }
    }

    fn answer_list(&self, answer: Result<Vec<vroom_protocol::mux::SessionEntry>, Error>) {
        let waiting = self.shared.lock().lists.pop_front();
        if let Some(waiting) = waiting {
            // Whoever asked may have gone.
            drop(waiting.send(answer));
        }
    }
}

impl Session for Pump {
    fn on_event(&mut self, now: Instant, connection: &mut Connection, event: Event) {
        match event {
            Event::Welcome(welcome) => {
                let mut state = self.shared.lock();
                state.session += 1;
                state.user = welcome.user;
                state.server = welcome.server;
                state.clocks = welcome.time.zip(clock_ms());
                state.extensions = welcome.extensions.unwrap_or_default();
                let session = state.session;
                drop(state);
                self.shared.set_link(LinkState::Up { session });
                // Measures the way while nothing else goes over it.
                connection.ping(now);
            }
            Event::Resumed { channels } => {
                let open: Vec<ChannelId> = channels.into_iter().map(|(id, _)| id).collect();
                self.on_resumed(&open);
            }
            Event::ResumeFailed { .. } => self.shared.lose_session(),
            Event::ChannelOpened { id, request, .. } => self.on_opened(id, request),
            Event::ChannelRejected {
                request,
                code,
                reason,
            } => {
                let slot = self.shared.lock().asked.remove(&request);
                if let Some(slot) = slot {
                    slot.close(code, &reason);
                }
            }
            Event::ChannelClosed { id, reason, .. } => self.on_closed(id, &reason),
            Event::ChannelRequested { request, spec } => {
                self.shared.lock().incoming.push_back(Incoming {
                    name: spec.name,
                    request,
                });
                self.shared.incoming_bell.notify_one();
            }
            Event::Message {
                channel,
                kind,
                payload,
            } => {
                let mut state = self.shared.lock();
                if let Some(slot) = state.channels.get(&channel).cloned() {
                    state.inbox_bytes += slot.deliver(kind, payload);
                    if slot.is_overrun() {
                        state.channels.remove(&channel);
                        drop(state);
                        connection.close_channel(now, channel, "who reads it is too slow");
                        slot.close(Code::LIMIT_REACHED, "who reads it is too slow");
                    }
                }
            }
            Event::SessionList(entries) => self.answer_list(Ok(entries)),
            Event::PeerError {
                code,
                channel: None | Some(ChannelId::CONTROL),
                reason,
            } => self.answer_list(Err(Error::Refused {
                what: "it".to_owned(),
                code,
                reason,
            })),
            Event::Closed { .. } => {
                let suspended = connection.suspend(now);
                self.shared.lock().suspended = suspended;
            }
            _ => {}
        }
        self.shared.lock().rtt = connection.rtt();
    }

    fn pump(&mut self, now: Instant, connection: &mut Connection) {
        let closing = self.shared.closing.borrow().clone();
        if !connection.is_up() {
            if closing.is_some() {
                self.shared.cut.notify_one();
            }
            return;
        }
        self.send(now, connection);
        self.work(now, connection);
        self.watch(now, connection);
        if let Some(reason) = closing {
            connection.close(now, Code::NORMAL, &reason);
        }
    }

    async fn ready(&mut self) {
        self.shared.bell.notified().await;
    }

    async fn urgent(&mut self) {
        // Only being told to end must not wait for the server to read.
        let mut closing = self.shared.closing.subscribe();
        if closing.wait_for(Option::is_some).await.is_err() {
            std::future::pending::<()>().await;
        }
        tokio::time::sleep(PATIENCE).await;
    }

    fn deadline(&self) -> Option<Instant> {
        let asked = self.asked.map(|asked| {
            let wait = match (self.pinged, self.quiet) {
                (false, _) => PROBE,
                (true, false) => QUIET,
                (true, true) => DEAD,
            };
            asked + wait
        });
        let alive = match (self.asked, self.alive_interval) {
            (None, Some(interval)) => self.shared.lock().heard.map(|heard| heard + interval),
            _ => None,
        };
        asked.or(alive)
    }
}

/// The clock of this machine.
fn clock_ms() -> Option<u64> {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.ok()?.as_millis().try_into().ok()
}

/// Moves what waits on one channel into the mux; says whether anything went.
fn send_slot(now: Instant, connection: &mut Connection, slot: &Arc<Slot>) -> bool {
    let mut state = slot.lock();
    let Phase::Open(id) = state.phase else {
        return false;
    };
    let mut sent = false;
    let is_bulk = connection
        .channel(id)
        .is_some_and(|spec| !spec.name.starts_with(TERMINAL));
    while let Some((_, payload)) = state.outbox.front() {
        if is_bulk && !can_replay(connection) {
            break;
        }
        if connection.queued_bytes(id) + payload.len() > PTY_QUEUE_BYTES / 2 && sent {
            break;
        }
        if connection.queued_bytes(id) >= PTY_QUEUE_BYTES / 2 {
            break;
        }
        let Some((kind, payload)) = state.outbox.pop_front() else {
            break;
        };
        let bytes = payload.len();
        match connection.send(now, id, kind, payload.clone()) {
            Ok(()) => {
                state.outbox_bytes -= bytes;
                sent = true;
            }
            Err(SendError::Full) => {
                state.outbox.push_front((kind, payload));
                break;
            }
            // It is about to be closed, which comes as an event.
            Err(_) => state.outbox_bytes -= bytes,
        }
    }
    let finished = state.dropped && state.outbox.is_empty();
    drop(state);
    if sent {
        slot.sent();
    }
    if finished {
        connection.close_channel(now, id, "");
    }
    sent
}

/// Whether more may be sent that has to be sent again when the transport is lost now.
fn can_replay(connection: &Connection) -> bool {
    connection
        .unacknowledged_bytes()
        .is_none_or(|bytes| bytes < REPLAY_BYTES * 3 / 4)
}

/// What the names of channels of terminals begin with: what is typed waits for nothing.
const TERMINAL: &str = "vroom.terminal.";

/// What the names of the control channels of terminals begin with.
const TERMINAL_CONTROL: &str = "vroom.terminal.control";

/// How long nothing may come back before the server is asked whether it is there.
const PROBE: Duration = Duration::from_millis(1500);

/// How long nothing may come back before the person is told.
const QUIET: Duration = Duration::from_secs(3);

/// How long nothing may come back before the transport is given up.
const DEAD: Duration = Duration::from_secs(8);

/// How long a full link may take to have room for a goodbye.
const PATIENCE: Duration = Duration::from_millis(200);
