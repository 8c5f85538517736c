//! Session-resume: a session that outlives its transport.

use std::time::{Duration, Instant};

use super::Connection;
use super::requests::Requests;
use crate::mux::auth::Secret;
use crate::mux::channel::Channels;
use crate::mux::code::Code;
use crate::mux::config::ResumeGrant;
use crate::mux::control::{ControlMessage, SessionGrant, SessionPersistence};
use crate::mux::event::Event;
use crate::mux::id::ChannelId;
use crate::mux::sequence::{Arrival, Kept, Numbering, Received, ReplayError};

/// What is left of a resumable connection: its channels, its numbers and what may be needed again.
///
/// The owner keeps it for [`Suspended::timeout`] and hands it to the connection that goes on with
/// it.
#[derive(Debug)]
pub struct Suspended(pub(super) Box<Rest>);

/// The parts of a [`Suspended`].
#[derive(Debug)]
pub(super) struct Rest {
    pub(super) grant: SessionGrant,
    pub(super) channels: Channels,
    pub(super) requests: Requests,
    pub(super) sequences: Sequences,
    pub(super) frame_bytes_max: usize,
    /// Whether both sides listed session-persistence.
    pub(super) is_persistent: bool,
}

impl Suspended {
    /// What the session is resumed by.
    #[must_use]
    pub const fn session_id(&self) -> &Secret {
        &self.0.grant.session_id
    }

    /// How long it is kept; zero for ever.
    #[must_use]
    pub const fn timeout(&self) -> Duration {
        Duration::from_secs(self.0.grant.resume_timeout_s)
    }

    pub(super) fn has_channel(&self, name: &str) -> bool {
        self.0.channels.by_name(name).is_some() || self.0.requests.is_name_ours(name)
    }
}

/// The sequence numbers of both directions.
#[derive(Debug)]
pub(super) struct Sequences {
    pub(super) numbering: Numbering,
    pub(super) received: Received,
    /// What SESSION_ID said; a client has to wait for it.
    grant: Option<SessionGrant>,
    /// Whether SEQ_ACK was agreed on.
    acknowledges: bool,
    unacknowledged_bytes: usize,
    ack_due: Option<Instant>,
}

impl Sequences {
    pub(super) fn new(ring_bytes: usize, acknowledges: bool) -> Self {
        Self {
            numbering: Numbering::new(ring_bytes),
            received: Received::default(),
            grant: None,
            acknowledges,
            unacknowledged_bytes: 0,
            ack_due: None,
        }
    }

    /// Notes a number and whether it is time to tell the peer.
    pub(super) fn note(&mut self, sequence: u64, bytes: usize, now: Instant) -> Arrival {
        let arrival = self.received.note(sequence);
        if arrival == Arrival::New && self.acknowledges {
            self.unacknowledged_bytes = self.unacknowledged_bytes.saturating_add(bytes);
            let due = *self.ack_due.get_or_insert(now + ACK_DELAY);
            self.ack_due = Some(if self.unacknowledged_bytes >= ACK_BYTES {
                now
            } else {
                due
            });
        }
        arrival
    }

    pub(super) const fn ack_due(&self) -> Option<Instant> {
        self.ack_due
    }
}

impl Connection {
    /// Takes the session out of a connection, to go on with it on another transport.
    ///
    /// `None` when the session cannot be resumed: that was not agreed on, or it was closed by
    /// CLOSE. A transport that is still up is closed with 4115.
    pub fn suspend(&mut self, now: Instant) -> Option<Suspended> {
        self.advance(now);
        if let Some(session) = self.resuming.take() {
            self.close_with(Code::REPLACED, "the session goes on elsewhere");
            return Some(session);
        }
        let grant = self.sequences.as_ref()?.grant.clone()?;
        let mut sequences = self.sequences.take()?;
        let mut channels = std::mem::replace(&mut self.channels, Channels::new());
        channels.suspend(self.now, &mut sequences.numbering);
        sequences.unacknowledged_bytes = 0;
        sequences.ack_due = None;
        let requests = std::mem::take(&mut self.requests);
        let frame_bytes_max = self.frame_bytes_max;
        self.close_with(Code::REPLACED, "the session goes on elsewhere");
        Some(Suspended(Box::new(Rest {
            grant,
            channels,
            requests,
            sequences,
            frame_bytes_max,
            is_persistent: self.persistence.agreed,
        })))
    }

    /// How many bytes of what was sent the peer has not said to have; none where it never says so.
    ///
    /// A session can be resumed only while this stays below what is kept for a replay.
    #[must_use]
    pub fn unacknowledged_bytes(&self) -> Option<usize> {
        let sequences = self.sequences.as_ref()?;
        sequences
            .acknowledges
            .then(|| sequences.numbering.kept_bytes())
    }

    /// Takes over the channels and numbers of the session, and what has to be sent again.
    pub(super) fn go_on(&mut self, channels: Channels, sequences: Sequences, missed: Vec<Kept>) {
        self.channels = channels;
        self.sequences = Some(sequences);
        self.outbox.replay = missed.into_iter().map(Into::into).collect();
        let open: Vec<_> = self
            .channels
            .iter()
            .map(|(id, channel)| (id, channel.spec.clone()))
            .collect();
        self.emit(Event::Resumed {
            channels: open.clone(),
        });
        for (id, _) in open {
            if let Some(channel) = self.channels.get_mut(id)
                && !channel.queue.is_empty()
            {
                self.outbox.schedule(id, channel);
            }
            self.match_lane(id);
        }
    }

    pub(super) fn grant_session(&mut self, grant: ResumeGrant, acknowledges: bool) {
        let ring_bytes = grant.buffer_bytes.max(RING_BYTES_MIN);
        let timeout = if grant.timeout.is_zero() {
            grant.timeout
        } else {
            grant.timeout.max(RESUME_TIMEOUT_MIN)
        };
        let grant = SessionGrant {
            session_id: grant.session_id,
            resume_timeout_s: timeout.as_secs(),
            buffer_bytes: ring_bytes as u64,
            persistence: self.persistence.agreed.then(SessionPersistence::default),
        };
        self.outbox
            .push_uncut(&ControlMessage::SessionId(grant.clone()));
        let sequences = Sequences::new(ring_bytes, acknowledges);
        self.sequences = Some(Sequences {
            grant: Some(grant),
            ..sequences
        });
    }

    pub(super) fn receive_session_id(&mut self, grant: SessionGrant) {
        if let Some(sequences) = &mut self.sequences {
            sequences.grant = Some(grant.clone());
            self.emit(Event::SessionId {
                id: grant.session_id,
                timeout: Duration::from_secs(grant.resume_timeout_s),
                buffer_bytes: grant.buffer_bytes,
            });
        }
    }

    pub(super) fn acknowledges(&self) -> bool {
        self.sequences
            .as_ref()
            .is_some_and(|sequences| sequences.acknowledges)
    }

    pub(super) fn receive_sequence_ack(&mut self, sequence: u64) {
        if let Some(sequences) = &mut self.sequences
            && !sequences.numbering.acknowledged(sequence)
        {
            let channel = Some(ChannelId::CONTROL);
            self.report(
                Code::INVALID_MESSAGE,
                channel,
                "the sequence number was never sent",
            );
        }
    }

    /// Tells the peer what has been received, when that is due.
    pub(super) fn send_sequence_ack(&mut self) {
        let Some(sequences) = &mut self.sequences else {
            return;
        };
        if sequences.ack_due.is_some_and(|due| due <= self.now) {
            sequences.ack_due = None;
            sequences.unacknowledged_bytes = 0;
            self.outbox
                .push_latest(&ControlMessage::SeqAck(sequences.received.contiguous()));
        }
    }
}

/// What a replay that cannot be made is refused with.
pub(super) const fn replay_refusal(error: ReplayError) -> (Code, &'static str) {
    match error {
        ReplayError::Overflow => (
            Code::BUFFER_OVERFLOW,
            "messages that are needed are no longer there",
        ),
        ReplayError::Mismatch => (Code::SEQUENCE_MISMATCH, "there never were so many messages"),
    }
}

/// The least that a server keeps for a replay, in bytes.
const RING_BYTES_MIN: usize = 64 * 1024;

/// The shortest time that a server keeps a session.
const RESUME_TIMEOUT_MIN: Duration = Duration::from_secs(60);

/// SEQ_ACK is sent after this many bytes, or
const ACK_BYTES: usize = 64 * 1024;

/// this long after the first of them.
const ACK_DELAY: Duration = Duration::from_secs(1);
