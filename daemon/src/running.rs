//! A program that runs on pipes, and how far the client has read it.

use std::future::pending;
use std::sync::Arc;
use std::time::Instant;

use vroom_protocol::terminal::ExitStatus;
use vroom_protocol::{ChannelId, Connection, mux};
use vroom_terminal::{History, Piped, Read};

use crate::shell::MESSAGE;

/// A program that runs on pipes, and how far the client has read it: every byte, however long it takes.
#[derive(Debug)]
pub(crate) struct Running {
    program: Arc<Piped>,
    output: Reader,
    errors: Reader,
    abandoned: bool,
}

/// How far one history was read.
#[derive(Debug, Default)]
struct Reader {
    /// The next byte to send.
    offset: u64,
    /// The bytes that were sent.
    sent: u64,
    /// Whether more can be sent now.
    has_room: bool,
}

impl Running {
    /// Reads a program that was just started, from its first byte on.
    pub(crate) fn new(program: Arc<Piped>) -> Self {
        program.set_reader_offset(Some(0));
        Self {
            program,
            output: Reader::default(),
            errors: Reader::default(),
            abandoned: false,
        }
    }

    /// The program.
    pub(crate) fn program(&self) -> &Arc<Piped> {
        &self.program
    }

    /// Nobody reads any more: the program has to go.
    pub(crate) fn abandon(&mut self) {
        self.abandoned = true;
        self.program.set_reader_offset(None);
        self.program.end();
    }

    /// Sends what the program wrote, as far as the client takes it.
    pub(crate) fn pump(
        &mut self,
        now: Instant,
        connection: &mut Connection,
        pty: Option<ChannelId>,
        stderr: Option<ChannelId>,
    ) {
        if self.abandoned {
            return;
        }
        if let Some(pty) = pty {
            self.output
                .pump(now, connection, pty, self.program.history());
            self.program.set_reader_offset(Some(self.output.offset));
        }
        if let (Some(stderr), Some(history)) = (stderr, self.program.stderr()) {
            self.errors.pump(now, connection, stderr, history);
            history.set_reader_offset(Some(self.errors.offset));
        }
    }

    /// How the program ended, once all that it wrote is on its way.
    pub(crate) fn finished(
        &self,
        connection: &Connection,
        pty: Option<ChannelId>,
        stderr: Option<ChannelId>,
    ) -> Option<ExitStatus> {
        let exit = self.program.exit_status()?;
        let status = ExitStatus {
            exit_code: exit.code,
            signal: exit.signal,
            signal_name: exit.signal_name().map(str::to_owned),
            core_dumped: exit.core_dumped.then_some(true),
            pty_bytes: Some(self.output.sent),
            offset: Some(self.output.offset),
            ..ExitStatus::default()
        };
        if self.abandoned {
            return Some(status);
        }
        let is_sent = |channel: Option<ChannelId>| {
            channel.is_none_or(|channel| connection.queued_bytes(channel) == 0)
        };
        let errors = self.program.stderr().filter(|_| stderr.is_some());
        let is_read = self.output.offset >= exit.output_bytes
            && errors.is_none_or(|history| self.errors.offset >= history.end());
        (is_read && is_sent(pty) && is_sent(stderr)).then_some(status)
    }

    /// Waits until there is something to send, or the program ended; cancel-safe.
    pub(crate) async fn ready(&self) {
        let exit = async {
            // Once it ended, what keeps it from being reported is a full queue.
            match self.program.exit_status() {
                Some(_) => pending().await,
                None => drop(self.program.wait_exit().await),
            }
        };
        tokio::select! {
            () = exit => {}
            () = self.output.ready(Some(self.program.history())) => {}
            () = self.errors.ready(self.program.stderr()) => {}
        }
    }
}

impl Reader {
    fn pump(
        &mut self,
        now: Instant,
        connection: &mut Connection,
        channel: ChannelId,
        history: &History,
    ) {
        loop {
            self.has_room = has_room(connection, channel);
            if !self.has_room {
                return;
            }
            match history.read_from(self.offset, MESSAGE_BYTES) {
                Read::Bytes(bytes) => {
                    let length = bytes.len() as u64;
                    if let Err(error) = connection.send(now, channel, MESSAGE, bytes) {
                        tracing::debug!(%error, "output was not sent");
                        self.has_room = false;
                        return;
                    }
                    self.offset += length;
                    self.sent += length;
                }
                Read::Behind { first } => {
                    // Only output that nobody waits for can get here.
                    tracing::warn!(lost = first - self.offset, "a reader fell behind");
                    self.offset = first;
                }
                Read::Pending => return,
                Read::Ended => {
                    self.has_room = false;
                    return;
                }
            }
        }
    }

    async fn ready(&self, history: Option<&History>) {
        match history.filter(|_| self.has_room) {
            Some(history) => history.changed(self.offset).await,
            None => pending().await,
        }
    }
}

/// Whether more output may be queued for a client.
pub(crate) fn has_room(connection: &Connection, channel: ChannelId) -> bool {
    let replayable = connection
        .unacknowledged_bytes()
        .is_none_or(|bytes| bytes < REPLAY_BYTES);
    replayable && connection.queued_bytes(channel) < QUEUE_BYTES
}

/// The largest message of output, so that a pointer never waits behind more.
pub(crate) const MESSAGE_BYTES: usize = 16 * 1024;

/// The output that may wait for one client; then the history waits, and with it the program.
const QUEUE_BYTES: usize = 64 * 1024;

/// The bytes that a client may not have confirmed yet, where it confirms them; then output waits,
/// so that the mux still has all that a resumed session needs.
const REPLAY_BYTES: usize = mux::SERVER_RING_BYTES * 3 / 4;
