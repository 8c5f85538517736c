//! What is kept of a terminal from one pair of channels to the next.

use std::collections::VecDeque;
use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use vroom_protocol::terminal::{
    Capabilities, ExitStatus, PtyGrant, PtyMessage, PtyRequest, Writer,
};

use super::input_log::InputLog;
use crate::error::Error;
use crate::tty::{Output, Trail};

/// The state of a terminal that outlives its channels.
#[derive(Debug)]
pub(super) struct Session {
    /// What the server calls it, once it does.
    terminal: Option<String>,
    /// Names our input.
    writer: Writer,
    /// Whether offsets are told both ways.
    pub(super) flow_control: bool,
    pub(super) compression: bool,
    pub(super) log: InputLog,
    /// Where the next byte of output stands.
    received: u64,
    /// What was written to the person's terminal, of what was pushed to it.
    pushed: u64,
    written: u64,
    marks: VecDeque<Mark>,
    /// The output offset up to which the person's terminal was given all.
    parsed: u64,
    acknowledged: u64,
    acknowledged_at: Option<Instant>,
    pub(super) trail: Trail,
    /// How the program ended.
    pub(super) exit: Option<ExitStatus>,
}

/// When this much was written, output up to this offset was.
#[derive(Clone, Copy, Debug)]
struct Mark {
    pushed: u64,
    offset: u64,
}

impl Session {
    pub(super) fn new() -> Result<Self, Error> {
        let mut random = [0; WRITER_BYTES];
        getrandom::fill(&mut random).map_err(|error| Error::Io {
            what: "the system has no random numbers",
            source: std::io::Error::other(error.to_string()),
        })?;
        let writer = Writer::new(URL_SAFE_NO_PAD.encode(random))
            .ok_or_else(|| Error::PeerMisbehaved("the name of our input".to_owned()))?;
        Ok(Self {
            terminal: None,
            writer,
            flow_control: false,
            compression: false,
            log: InputLog::default(),
            received: 0,
            pushed: 0,
            written: 0,
            marks: VecDeque::new(),
            parsed: 0,
            acknowledged: 0,
            acknowledged_at: None,
            trail: Trail::default(),
            exit: None,
        })
    }

    /// The request for the terminal: as it was wished, or to join it again.
    pub(super) fn request(&self, wished: &PtyRequest, repaint: bool) -> PtyRequest {
        let mut request = PtyRequest {
            writer: Some(self.writer.clone()),
            ..wished.clone()
        };
        if let Some(terminal) = &self.terminal {
            request.attach = Some(terminal.clone());
            request.have = (!repaint).then_some(self.received);
            request.name = None;
            request.scrollback = 0;
        }
        request
    }

    /// Whether the terminal can be joined again after its channels were lost.
    pub(super) fn can_return(&self) -> bool {
        self.flow_control && self.terminal.is_some() && self.exit.is_none()
    }

    /// The terminal is there; returns the input that is to be sent again.
    pub(super) fn begin(
        &mut self,
        selected: Option<&Capabilities>,
        grant: Option<&PtyGrant>,
    ) -> Bytes {
        let extensions = selected.map(Capabilities::extensions).unwrap_or_default();
        self.flow_control = extensions.flow_control == Some(true);
        self.compression = extensions.zstd_compression == Some(true);
        let Some(grant) = grant else {
            return Bytes::new();
        };
        if let Some(terminal) = &grant.terminal_id {
            self.terminal = Some(terminal.clone());
        }
        if !self.flow_control {
            return Bytes::new();
        }
        if let Some(offset) = grant.offset {
            self.received = offset;
            self.mark();
        }
        // What the server does not say it never got.
        self.log.resend(grant.input_offset.unwrap_or(0))
    }

    /// Takes output; `shown` is what is written for it.
    pub(super) fn output(&mut self, bytes: &[u8], shown: Bytes, output: &mut Output) {
        self.received += bytes.len() as u64;
        self.trail.push(bytes);
        self.show(shown, output);
        self.mark();
    }

    /// Takes a picture of the whole screen in the place of what waits to be shown; `shown` is what
    /// is written for it.
    pub(super) fn repaint(&mut self, offset: u64, body: &[u8], shown: Bytes, output: &mut Output) {
        let dropped = output.discard();
        self.pushed -= dropped as u64;
        self.marks.clear();
        self.trail = Trail::default();
        self.trail.push(body);
        self.show(shown, output);
        self.received = offset;
        self.mark();
    }

    /// Shows bytes that do not count.
    pub(super) fn show(&mut self, bytes: Bytes, output: &mut Output) {
        self.pushed += bytes.len() as u64;
        output.push(bytes);
    }

    fn mark(&mut self) {
        self.marks.push_back(Mark {
            pushed: self.pushed,
            offset: self.received,
        });
        self.settle();
    }

    /// So much was written to the person's terminal.
    pub(super) fn wrote(&mut self, bytes: usize) {
        self.written += bytes as u64;
        self.settle();
    }

    fn settle(&mut self) {
        while let Some(mark) = self
            .marks
            .front()
            .filter(|mark| mark.pushed <= self.written)
        {
            self.parsed = mark.offset;
            self.marks.pop_front();
        }
    }

    /// What is to be acknowledged: at once when it is much, otherwise when asked `in_time`.
    pub(super) fn acknowledgement(&mut self, now: Instant, in_time: bool) -> Option<PtyMessage> {
        let is_due = self.owes_acknowledgement() && (in_time || self.owes_much());
        is_due.then(|| {
            self.acknowledged = self.parsed;
            self.acknowledged_at = Some(now);
            PtyMessage::Ack(self.parsed)
        })
    }

    /// Whether so much is to be acknowledged that it should not wait.
    pub(super) fn owes_much(&self) -> bool {
        self.parsed.saturating_sub(self.acknowledged) >= ACK_BYTES
    }

    /// When it was last acknowledged.
    pub(super) fn acknowledged_at(&self) -> Option<Instant> {
        self.acknowledged_at
    }

    /// Whether something is to be acknowledged soon.
    pub(super) fn owes_acknowledgement(&self) -> bool {
        self.flow_control && self.parsed != self.acknowledged
    }

    /// Whether all output of an ended program has come.
    pub(super) fn is_complete(&self) -> bool {
        let Some(exit) = &self.exit else {
            return false;
        };
        if self.flow_control {
            exit.offset.is_some_and(|offset| self.received >= offset)
        } else {
            exit.pty_bytes.is_some_and(|bytes| self.received >= bytes)
        }
    }
}

/// How many random bytes name our input.
const WRITER_BYTES: usize = 16;

/// After how much output we say that it was shown: more often than we must, so that a server that
/// lets little be on its way need not wait for our word.
const ACK_BYTES: u64 = PtyMessage::ACK_BYTES / 4;

const _: () = assert!(ACK_BYTES <= PtyMessage::ACK_BYTES);

#[cfg(test)]
mod tests {
    use super::*;

    fn session() -> (Session, Output) {
        let mut session = Session::new().unwrap();
        session.flow_control = true;
        session.terminal = Some("t1".into());
        (session, Output::nowhere())
    }

    fn take(session: &mut Session, bytes: &[u8], output: &mut Output) {
        session.output(bytes, Bytes::copy_from_slice(bytes), output);
    }

    #[test]
    fn output_is_acknowledged_when_it_was_written() {
        let (mut session, mut output) = session();
        take(&mut session, b"abc", &mut output);
        take(&mut session, b"de", &mut output);
        assert_eq!(session.acknowledgement(Instant::now(), true), None);
        session.wrote(4);
        assert_eq!(session.acknowledgement(Instant::now(), false), None);
        assert_eq!(
            session.acknowledgement(Instant::now(), true),
            Some(PtyMessage::Ack(3))
        );
        session.wrote(1);
        assert!(session.owes_acknowledgement());
        assert_eq!(
            session.acknowledgement(Instant::now(), true),
            Some(PtyMessage::Ack(5))
        );
        assert_eq!(session.acknowledgement(Instant::now(), true), None);
        output.discard();
    }

    #[test]
    fn a_repaint_takes_the_place_of_what_waits() {
        let (mut session, mut output) = session();
        take(&mut session, b"waits", &mut output);
        session.repaint(1000, b"body", Bytes::from_static(b"screen"), &mut output);
        assert_eq!(output.queued(), 6);
        session.wrote(5);
        assert_eq!(session.acknowledgement(Instant::now(), true), None);
        session.wrote(1);
        assert_eq!(
            session.acknowledgement(Instant::now(), true),
            Some(PtyMessage::Ack(1000))
        );
        let request = session.request(&PtyRequest::default(), false);
        assert_eq!(request.have, Some(1000));
        assert_eq!(request.attach.as_deref(), Some("t1"));
        output.discard();
    }

    #[test]
    fn a_large_amount_is_acknowledged_at_once() {
        let (mut session, mut output) = session();
        let much = usize::try_from(ACK_BYTES).unwrap();
        take(&mut session, &vec![b'x'; much], &mut output);
        session.wrote(much);
        assert!(session.acknowledgement(Instant::now(), false).is_some());
        output.discard();
    }

    #[test]
    fn an_ended_program_is_read_to_its_last_byte() {
        let (mut session, mut output) = session();
        session.exit = Some(ExitStatus {
            offset: Some(3),
            ..ExitStatus::exited(0)
        });
        take(&mut session, b"ab", &mut output);
        assert!(!session.is_complete());
        take(&mut session, b"c", &mut output);
        assert!(session.is_complete());
        output.discard();
    }
}
