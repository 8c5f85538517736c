//! Session-resume: a session that outlives its transport.

use std::time::{Duration, Instant};

use super::client::is_message_size;
use super::requests::Requests;
use super::{Asked, Connection, Side, Stage};
use crate::mux::auth::Secret;
use crate::mux::channel::Channels;
use crate::mux::code::Code;
use crate::mux::config::{ClientConfig, ResumeGrant, SESSION_RESUME, VERSION};
use crate::mux::control::{
    AssignedChannel, CloseChannel, ControlMessage, OpenChannel, Replay, ResumeRequest,
    ResumeResponse, SessionGrant, parse_resume,
};
use crate::mux::event::{Event, LinkKind};
use crate::mux::id::ChannelId;
use crate::mux::sequence::{Arrival, Kept, Numbering, Received, ReplayError};

/// What is left of a resumable connection: its channels, its numbers and what may be needed again.
///
/// The owner keeps it for [`Suspended::timeout`] and hands it to the connection that goes on with
/// it.
#[derive(Debug)]
pub struct Suspended(Box<Rest>);

#[derive(Debug)]
struct Rest {
    grant: SessionGrant,
    channels: Channels,
    requests: Requests,
    sequences: Sequences,
    frame_bytes_max: usize,
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
    received: Received,
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
    /// A client that asks to go on with a session.
    ///
    /// [`Event::Resumed`] tells that it does; after [`Event::ResumeFailed`] all is as if
    /// [`Connection::client`] had been called.
    #[must_use]
    pub fn client_resume(
        config: ClientConfig,
        kind: LinkKind,
        now: Instant,
        session: Suspended,
    ) -> Self {
        let stage = Stage::AwaitResume {
            deadline: now + config.welcome_timeout,
        };
        let request = ResumeRequest {
            session_id: session.session_id().clone(),
            last_sequence: session.0.sequences.received.contiguous(),
            auth: config.auth.clone(),
        };
        let mut connection = Self::new(Side::Client(config), kind, stage, now);
        connection
            .outbox
            .push_uncut(&ControlMessage::ResumeRequest(request));
        for (_, channel) in session.0.channels.iter() {
            connection.open_lane(&channel.spec);
        }
        for (_, request) in session.0.requests.ours() {
            connection.open_lane(&request.spec);
        }
        connection.resuming = Some(session);
        connection
    }

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
        })))
    }

    /// Answers [`Event::ResumeRequested`]: the session goes on here, [`Event::Resumed`] follows.
    ///
    /// Gives the session back when what the client misses is no longer there, which the client is
    /// told; or when no RESUME_REQUEST waits for an answer.
    pub fn resume(&mut self, now: Instant, session: Suspended) -> Result<(), Suspended> {
        self.advance(now);
        let Stage::Deciding(Asked::Resume(request)) = &self.stage else {
            return Err(session);
        };
        let last_received = request.last_sequence;
        let missed = match session.0.sequences.numbering.replay(last_received) {
            Ok(missed) => missed,
            Err(error) => {
                let (code, reason) = replay_refusal(error);
                self.refuse_to_resume(code, reason);
                return Err(session);
            }
        };
        let Side::Server(config) = &self.side else {
            return Err(session);
        };
        let (interval, timeout) = (config.ping_interval, config.ping_timeout);
        let Rest {
            grant,
            channels,
            mut requests,
            sequences,
            frame_bytes_max,
        } = *session.0;
        let assigned = channels
            .iter()
            .map(|(id, channel)| AssignedChannel {
                name: channel.spec.name.clone(),
                id,
            })
            .collect();
        let response = ResumeResponse::Accepted(Replay {
            replay_start: last_received.saturating_add(1),
            replay_count: missed.len() as u64,
            last_sequence: Some(sequences.received.contiguous()),
            channels: Some(assigned),
            version: Some(VERSION),
            max_message_size: Some(frame_bytes_max as u64),
            ping_interval: Some(interval.as_secs()),
            ping_timeout: Some(timeout.as_secs()),
        });
        self.outbox
            .push_uncut(&ControlMessage::ResumeResponse(response));
        self.agree_frame_bytes(Some(frame_bytes_max as u64));
        self.up(interval, timeout);

        // What the client asked and nobody answered, it asks again; what we asked is void.
        requests.forget_theirs();
        let void = requests.void_ours();
        self.requests = requests;
        self.go_on(
            channels,
            Sequences {
                grant: Some(grant),
                ..sequences
            },
            missed,
        );
        if let Some(sequences) = &mut self.sequences {
            sequences.numbering.acknowledged(last_received);
        }
        for (request, asked) in void {
            if let Some(id) = asked.id {
                self.channels.free(id, self.now);
            }
            let (code, reason) = (Code::GOING_AWAY, "the transport was lost".to_owned());
            self.emit(Event::ChannelRejected {
                request,
                code,
                reason,
            });
        }
        Ok(())
    }

    /// Answers [`Event::ResumeRequested`]: the session cannot go on; a HELLO may follow.
    pub fn refuse_resume(&mut self, now: Instant, code: Code, reason: &str) {
        self.advance(now);
        if matches!(self.stage, Stage::Deciding(Asked::Resume(_))) {
            self.refuse_to_resume(code, reason);
        }
    }

    pub(super) fn receive_resume_request(&mut self, payload: &[u8]) {
        let request = match parse_resume(payload) {
            Ok(request) => request,
            Err(error) => return self.refuse_hello(error),
        };
        let Side::Server(config) = &self.side else {
            return;
        };
        if !config
            .extensions
            .iter()
            .any(|extension| extension == SESSION_RESUME)
        {
            return self.refuse_to_resume(Code::SESSION_NOT_FOUND, "no session is kept here");
        }
        self.emit(Event::ResumeRequested {
            session_id: request.session_id.clone(),
            last_sequence: request.last_sequence,
            auth: request.auth.clone(),
        });
        self.stage = Stage::Deciding(Asked::Resume(Box::new(request)));
    }

    /// The time to say HELLO starts again, though not for ever.
    pub(super) fn refuse_to_resume(&mut self, code: Code, reason: &str) {
        let Side::Server(config) = &self.side else {
            return;
        };
        let deadline = self.now + config.hello_timeout;
        self.resume_attempts += 1;
        if self.resume_attempts > RESUME_ATTEMPTS_MAX {
            return self.close_with(Code::LIMIT_REACHED, "too many sessions were asked for");
        }
        let reason = super::closing::brief(reason).to_owned();
        let response = ResumeResponse::Refused { code, reason };
        self.outbox
            .push_uncut(&ControlMessage::ResumeResponse(response));
        self.stage = Stage::AwaitHello { deadline };
    }

    /// The server says what becomes of the session.
    pub(super) fn receive_resume_response(&mut self, response: ResumeResponse) {
        let Some(session) = self.resuming.take() else {
            return;
        };
        match response {
            ResumeResponse::Accepted(replay) => self.resumed(*session.0, replay),
            ResumeResponse::Refused { code, reason } => {
                for (_, channel) in session.0.channels.iter() {
                    self.drop_lane(&channel.spec.name);
                }
                for (_, request) in session.0.requests.ours() {
                    self.drop_lane(&request.spec.name);
                }
                self.emit(Event::ResumeFailed { code, reason });
                self.say_hello();
            }
        }
    }

    fn resumed(&mut self, session: Rest, replay: Replay) {
        if !is_message_size(replay.max_message_size) {
            return self.close_with(Code::INVALID_MESSAGE, "the maxMessageSize cannot be");
        }
        let Rest {
            grant,
            channels,
            requests,
            mut sequences,
            frame_bytes_max,
        } = session;
        let missed = match replay
            .last_sequence
            .map(|last| sequences.numbering.replay(last))
        {
            None => Vec::new(),
            Some(Ok(missed)) => missed,
            Some(Err(error)) => {
                let (code, reason) = replay_refusal(error);
                return self.close_with(code, reason);
            }
        };
        if let Some(last) = replay.last_sequence {
            sequences.numbering.acknowledged(last);
        }
        self.agree_frame_bytes(replay.max_message_size.or(Some(frame_bytes_max as u64)));
        self.run_as_told(replay.ping_interval, replay.ping_timeout);
        self.requests = requests;
        self.requests.forget_theirs();

        let lost = unlisted(&channels, replay.channels.as_deref());
        self.go_on(
            channels,
            Sequences {
                grant: Some(grant),
                ..sequences
            },
            missed,
        );
        for id in lost {
            self.close_channel_now(id, "it was not resumed", true);
        }
        for channel in replay.channels.into_iter().flatten() {
            if channel.id != ChannelId::CONTROL && self.channels.get(channel.id).is_none() {
                self.answered_by_list(&channel);
            }
        }
        self.repeat_requests();
    }

    /// Takes over the channels and numbers of the session, and what has to be sent again.
    fn go_on(&mut self, channels: Channels, sequences: Sequences, missed: Vec<Kept>) {
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

    /// A channel of the server's list that is not open here: our request was granted, and the
    /// answer lost; or it is none of ours.
    fn answered_by_list(&mut self, channel: &AssignedChannel) {
        let request = self
            .requests
            .ours()
            .find(|(_, asked)| asked.spec.name == channel.name);
        match request
            .map(|(request, _)| request)
            .and_then(|request| self.requests.take_ours(request.0))
        {
            Some((request, asked)) => self.opened(channel.id, asked.spec, Some(request)),
            None => self.decline(channel.id),
        }
    }

    /// Closes a channel that we know nothing of.
    pub(super) fn decline(&mut self, id: ChannelId) {
        self.channels.reserve(id);
        self.channels.free(id, self.now);
        let reason = "it was not asked for".to_owned();
        self.send_control(&ControlMessage::CloseChannel(CloseChannel {
            id: id.0.into(),
            reason,
        }));
    }

    /// Asks again for what was not answered on the transport that was lost.
    fn repeat_requests(&mut self) {
        let open: Vec<_> = self
            .requests
            .ours()
            .map(|(request, asked)| OpenChannel {
                request: request.0,
                spec: asked.spec.clone(),
                id: None,
            })
            .collect();
        for open in open {
            self.send_control(&ControlMessage::OpenChannel(open));
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

/// The channels that the server no longer has.
fn unlisted(channels: &Channels, listed: Option<&[AssignedChannel]>) -> Vec<ChannelId> {
    let Some(listed) = listed else {
        return Vec::new();
    };
    let is_listed = |id: ChannelId, name: &str| {
        listed
            .iter()
            .any(|channel| channel.id == id && channel.name == name)
    };
    let open = channels
        .iter()
        .filter(|(id, channel)| !is_listed(*id, &channel.spec.name));
    open.map(|(id, _)| id).collect()
}

const fn replay_refusal(error: ReplayError) -> (Code, &'static str) {
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

/// How many sessions a client may ask for in vain before HELLO; then CLOSE 4114.
const RESUME_ATTEMPTS_MAX: u32 = 3;
