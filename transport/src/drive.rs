//! The one loop that drives every connection, whatever link carries it.

use std::future::{Future as _, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use tokio::task::coop::consume_budget;
use tokio::time::timeout;
use vroom_protocol::{Code, Connection, Event, LaneChange, Transmit};

use crate::timer::Timer;
use crate::{Incoming, LinkRx, LinkTx, Session, TrySend};

/// Runs a connection over a link until it is over, and returns why it ended.
///
/// The order within a turn: deliver all events, let the session pump if the link has room, hand
/// frames to the link until it is full, then wait for whatever happens first. Waiting to send never
/// keeps us from receiving, so two peers that both send a lot cannot block each other, and one that
/// never reads is still heard.
///
/// Dropping the future drops the link without a goodbye.
pub async fn drive<S: Session>(
    connection: Connection,
    mut rx: impl LinkRx,
    mut tx: impl LinkTx,
    session: S,
) -> (Code, String) {
    let mut driver = Driver::new(connection, session);
    driver.run(&mut rx, &mut tx).await;
    let (code, reason) = driver.finish();
    tracing::debug!(%code, "connection ended");
    say_goodbye(&mut rx, &mut tx, code).await;
    (code, reason)
}

/// What one run of the loop holds.
struct Driver<S> {
    connection: Connection,
    session: S,
    /// The frames that were refused: at most one per lane, and one more when the whole link is
    /// full.
    parked: Vec<Transmit>,
    /// Whether the whole link is full; nothing is taken from the core meanwhile.
    full: bool,
    /// Whether the link took something that it may not have written yet.
    unflushed: bool,
    /// Whether the last thing that happened was that the link wrote all it took.
    flushed: bool,
    /// Whether the last thing that happened was that a deadline passed.
    was_due: bool,
    /// Whether the link took something in this turn, so that the session may have room again.
    took: bool,
    /// Whether the link takes nothing any more.
    mute: bool,
    /// What `Event::Closed` said.
    ended: Option<(Code, String)>,
    /// When to leave, whatever is still to be sent or received.
    leave_at: Option<Instant>,
}

/// What a turn of the loop waited for.
enum Wake {
    Received(Incoming),
    Flushed,
    Ready,
    Deadline,
}

impl<S: Session> Driver<S> {
    fn new(connection: Connection, session: S) -> Self {
        Self {
            connection,
            session,
            parked: Vec::new(),
            full: false,
            unflushed: false,
            flushed: false,
            was_due: false,
            took: false,
            mute: false,
            ended: None,
            leave_at: None,
        }
    }

    /// Turns until the connection is over or the link is lost.
    async fn run(&mut self, rx: &mut impl LinkRx, tx: &mut impl LinkTx) {
        let mut timer = Timer::new(now());
        let mut pumping = true;
        loop {
            let now = now();
            self.deliver(now);
            if pumping && self.ended.is_none() {
                self.session.pump(now, &mut self.connection);
                self.deliver(now);
            }
            self.send(now, tx);
            if self.connection.is_closed() && self.parked.is_empty() {
                return;
            }
            pumping = !self.full;
            match self.wait(rx, tx, &mut timer).await {
                Wake::Received(Incoming::Closed) => return,
                Wake::Received(incoming) => self.receive(incoming),
                Wake::Flushed => {
                    self.unflushed = false;
                    self.flushed = true;
                    pumping = true;
                }
                Wake::Ready => pumping = true,
                Wake::Deadline => {
                    self.was_due = true;
                    let now = self::now();
                    if self.leave_at.is_some_and(|leave_at| leave_at <= now) {
                        return;
                    }
                    if self.connection.poll_timeout().is_some_and(|due| due <= now) {
                        self.connection.handle_timeout(now);
                    }
                    pumping |= self.session_deadline().is_some_and(|due| due <= now);
                }
            }
        }
    }

    /// Gives all events to the session.
    fn deliver(&mut self, now: Instant) {
        while let Some(event) = self.connection.poll_event() {
            if let Event::Closed { code, reason, .. } = &event {
                self.ended = Some((*code, reason.clone()));
                self.leave_within(now, CLOSE_WAIT);
            }
            self.session.on_event(now, &mut self.connection, event);
        }
    }

    /// Hands frames to the link until it is full or there are no more.
    fn send(&mut self, now: Instant, tx: &mut impl LinkTx) {
        while let Some(change) = self.connection.poll_lane_change() {
            match change {
                LaneChange::Open(spec) => tx.open(&spec.name, &spec),
                LaneChange::Close(name) => tx.close(&name),
            }
        }
        self.full = false;
        self.took = false;
        for transmit in std::mem::take(&mut self.parked) {
            if self.full {
                self.parked.push(transmit);
                continue;
            }
            let lane = Arc::clone(&transmit.lane);
            if self.offer(now, tx, transmit) {
                self.connection.set_lane_writable(&lane, true);
            }
        }
        while !self.full {
            let Some(transmit) = self.connection.poll_transmit() else {
                return;
            };
            self.offer(now, tx, transmit);
        }
    }

    /// Offers one frame to the link, parks it if refused, and says whether it is off our hands.
    fn offer(&mut self, now: Instant, tx: &mut impl LinkTx, transmit: Transmit) -> bool {
        if self.mute {
            return true;
        }
        match tx.try_send(transmit) {
            Ok(()) => {
                self.unflushed = true;
                self.took = true;
            }
            Err(TrySend::Full(transmit)) => {
                self.full = true;
                self.parked.push(transmit);
                return false;
            }
            Err(TrySend::LaneFull(transmit)) => {
                // The core now keeps what else is for this lane, in order.
                self.connection.set_lane_writable(&transmit.lane, false);
                self.parked.push(transmit);
                return false;
            }
            Err(TrySend::Closed) => {
                // What the peer sent before it left is still received.
                self.mute = true;
                self.leave_within(now, CLOSE_WAIT);
            }
        }
        true
    }

    /// Waits for whatever happens first. All of it is cancel-safe.
    ///
    /// What is asked first is what somebody waits for: each question that is asked in vain comes between a
    /// key and its echo. Sending and receiving take turns, so neither keeps the other from happening.
    async fn wait(
        &mut self,
        rx: &mut impl LinkRx,
        tx: &mut impl LinkTx,
        timer: &mut Timer,
    ) -> Wake {
        let pumping = !self.full && self.ended.is_none();
        let deadlines = [
            self.connection.poll_timeout(),
            self.session_deadline(),
            self.leave_at,
        ];
        let deadline = deadlines.into_iter().flatten().min();
        // Not twice in a row: a deadline that stays must not keep us from receiving.
        let was_due = std::mem::replace(&mut self.was_due, false);
        if !was_due && deadline.is_some_and(|deadline| deadline <= now()) {
            return Wake::Deadline;
        }
        let flushing = self.unflushed || !self.parked.is_empty();
        let sends_first = !std::mem::replace(&mut self.flushed, false);
        let (full, listening) = (self.full, self.ended.is_none());
        let mut receiving = pin!(rx.recv(self.connection.frame_limit()));
        let mut flush = pin!(tx.writable());
        let mut ready = pin!(ready(&mut self.session, full));
        let carried = poll_fn(|cx| {
            // A full link leaves only what is urgent.
            if full && listening && ready.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Wake::Ready);
            }
            for sends in [sends_first, !sends_first] {
                if !sends {
                    if let Poll::Ready(incoming) = receiving.as_mut().poll(cx) {
                        return Poll::Ready(Wake::Received(incoming));
                    }
                } else if flushing && flush.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(Wake::Flushed);
                }
            }
            if !full && listening && ready.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Wake::Ready);
            }
            Poll::Pending
        });
        tokio::select! {
            biased;
            wake = carried => wake,
            // Not left to `writable`: that may wait for one full lane while others have room.
            () = consume_budget(), if pumping && self.took => Wake::Ready,
            () = timer.wait(deadline) => Wake::Deadline,
        }
    }

    /// When the session wants to pump, whatever happens.
    fn session_deadline(&self) -> Option<Instant> {
        if self.ended.is_some() {
            None
        } else if self.full {
            self.session.urgent_deadline()
        } else {
            self.session.deadline()
        }
    }

    /// Gives what came to the core.
    fn receive(&mut self, incoming: Incoming) {
        let now = now();
        let connection = &mut self.connection;
        match incoming {
            Incoming::Message { lane, frame } => {
                connection.handle_message(now, lane.as_deref(), frame);
            }
            Incoming::Text => connection.handle_text_message(now),
            Incoming::Malformed(error) => connection.handle_malformed(now, error),
            Incoming::LaneOpened(name) => connection.handle_lane_opened(now, &name),
            Incoming::LaneClosed(name) => connection.handle_lane_closed(now, &name),
            Incoming::Closed => {}
        }
    }

    /// Tells the session of the end if it does not know yet, lets go of it, and says why it ended.
    fn finish(mut self) -> (Code, String) {
        let now = now();
        self.connection.handle_disconnected(now);
        self.deliver(now);
        // The core ends every connection with an event.
        self.ended.unwrap_or((Code::GOING_AWAY, String::new()))
    }

    fn leave_within(&mut self, now: Instant, wait: Duration) {
        self.leave_at.get_or_insert(now + wait);
    }
}

/// Takes the link down so that the peer still gets what was sent.
///
/// The peer's last bytes are read and thrown away: a socket closed with unread bytes is reset, and
/// the peer could lose our CLOSE.
async fn say_goodbye(rx: &mut impl LinkRx, tx: &mut impl LinkTx, code: Code) {
    let goodbye = async {
        tx.shutdown(code).await;
        while !matches!(rx.recv(GOODBYE_FRAME_LIMIT).await, Incoming::Closed) {}
    };
    if timeout(GOODBYE_WAIT, goodbye).await.is_err() {
        tracing::debug!("the peer did not take the goodbye");
    }
}

/// Waits until the session is to pump.
async fn ready(session: &mut impl Session, full: bool) {
    if full {
        session.urgent().await;
    } else {
        session.ready().await;
    }
}

/// The time of the runtime, which tests move.
fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

/// How long the exchange of CLOSE may take, with a margin over the core's own 2 s; then we leave.
const CLOSE_WAIT: Duration = Duration::from_secs(3);
/// How long taking down the link may take; then it is dropped as it is.
const GOODBYE_WAIT: Duration = Duration::from_secs(1);
/// The largest frame that is read only to be thrown away.
const GOODBYE_FRAME_LIMIT: usize = 64 * 1024;
