//! How a viewer is answered, and told that something cannot be.

use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use vroom_protocol::graphical::{
    DecodeError, Notification, NotificationKind, Refusal, ServerMessage,
};
use vroom_protocol::{ChannelId, Code, Connection};

use super::Viewer;
use crate::floor::Denied;
use crate::hub::unix_seconds;

impl Viewer {
    /// Answers a message that cannot be taken.
    pub(super) fn refuse(&self, now: Instant, connection: &mut Connection, refusal: &Refusal) {
        if let Some(reference) = &refusal.reference {
            let reference = Some(reference.clone());
            self.notify(
                now,
                connection,
                NotificationKind::Error,
                &refusal.reason,
                reference,
            );
        }
        connection.error(now, refusal.code, Some(ChannelId::CONTROL), &refusal.reason);
        if refusal.close {
            connection.close(now, refusal.code, &refusal.reason);
        }
    }

    /// Answers a message that asks for what its sender may not have.
    ///
    /// Those without an `id` are answered once per second; the rest are dropped in silence.
    pub(super) fn deny(
        &mut self,
        now: Instant,
        connection: &mut Connection,
        denied: Denied,
        reference: Option<String>,
    ) {
        let (code, kind, text) = explain(denied);
        let due = self
            .refused_at
            .is_none_or(|at| now >= at + REFUSAL_INTERVAL);
        if due || reference.is_some() {
            self.notify(now, connection, kind, text, reference);
        }
        if due {
            self.refused_at = Some(now);
            connection.error(now, code, Some(ChannelId::CONTROL), text);
        }
    }

    /// Tells the person something.
    pub(super) fn notify(
        &self,
        now: Instant,
        connection: &mut Connection,
        kind: NotificationKind,
        text: &str,
        reference: Option<String>,
    ) {
        let mut notification = Notification::new(kind, text);
        notification.reference = reference;
        notification.timestamp = Some(unix_seconds(SystemTime::now()));
        self.send(now, connection, &ServerMessage::Notification(notification));
    }

    /// Sends a message of channel 0.
    pub(super) fn send(&self, now: Instant, connection: &mut Connection, message: &ServerMessage) {
        let (kind, payload): (u8, Bytes) = message.encode(self.negotiation.encoding());
        if let Err(error) = connection.send(now, ChannelId::CONTROL, kind, payload) {
            tracing::debug!(%error, kind, "a message was not sent");
        }
    }
}

/// Why something was not done, for the client and for the person.
pub(super) const fn explain(denied: Denied) -> (Code, NotificationKind, &'static str) {
    match denied {
        Denied::NotAllowed => (
            Code::NOT_ALLOWED,
            NotificationKind::Error,
            "your role or mode does not allow that",
        ),
        Denied::Busy => (
            Code::DRIVER_BUSY,
            NotificationKind::Warning,
            "somebody else is driving",
        ),
        Denied::NoSuchTarget => (
            Code::NO_SUCH_TARGET,
            NotificationKind::Error,
            "what you named is not there",
        ),
        Denied::TooOften => (
            Code::RATE_LIMITED,
            NotificationKind::Warning,
            "that was too much at once; wait a moment and try again",
        ),
        Denied::ClipboardKeptOut => (
            Code::NOT_ALLOWED,
            NotificationKind::Error,
            "this server lets no clipboard into the desktop",
        ),
        Denied::ClipboardStays => (
            Code::NOT_ALLOWED,
            NotificationKind::Error,
            "this server lets no clipboard out of the desktop",
        ),
        Denied::MayNotRecord => (
            Code::NOT_ALLOWED,
            NotificationKind::Error,
            "this server does not let you record",
        ),
        Denied::NoMicrophone => (
            Code::NOT_ALLOWED,
            NotificationKind::Error,
            "the desktop has no microphone for this connection",
        ),
        Denied::SpeaksDriver => (
            Code::NOT_ALLOWED,
            NotificationKind::Error,
            "only whoever drives may speak into the desktop",
        ),
        Denied::SpeaksOther => (
            Code::DRIVER_BUSY,
            NotificationKind::Warning,
            "whoever drives is speaking into the desktop",
        ),
    }
}

/// Tells the client that a message of its makes no sense.
pub(crate) fn report(
    now: Instant,
    connection: &mut Connection,
    channel: ChannelId,
    error: &DecodeError,
) {
    connection.error(now, error.code(), Some(channel), &error.to_string());
}

/// The least time between two answers to what is not allowed.
const REFUSAL_INTERVAL: Duration = Duration::from_secs(1);
