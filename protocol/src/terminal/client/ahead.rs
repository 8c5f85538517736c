//! Asking for a terminal in one round trip: all requests at once, the answers in order.

use super::super::authentication::AuthRequest;
use super::super::message::ClientMessage;
use super::super::pty::PtyRequest;
use super::Client;

/// What a client asks for with its first message.
///
/// The answers come as the events that answer the single steps; after
/// [`ClientEvent::Selected`](super::super::ClientEvent::Selected) the owner waits for them. If the
/// identity is not proved at once, the rest is asked for again step by step.
#[derive(Clone, Debug, PartialEq)]
pub struct Ahead {
    /// Who is there; a way that takes one step.
    pub auth: AuthRequest,
    /// The terminal that is wanted.
    pub pty: Option<PtyRequest>,
}

/// What was sent ahead and is not answered yet.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct SentAhead {
    pub(super) offer: bool,
    pub(super) auth: bool,
    pub(super) pty: bool,
}

impl Client {
    /// Sends what is known already, in JSON: every server reads that before HELLO is answered.
    pub(super) fn send_ahead(&mut self) {
        let Some(Ahead { auth, pty }) = self.config.ahead.take() else {
            return;
        };
        self.offer();
        self.send(&ClientMessage::AuthRequest(auth));
        self.sent_ahead = SentAhead {
            offer: true,
            auth: true,
            pty: pty.is_some(),
        };
        if let Some(pty) = pty {
            self.send(&ClientMessage::PtyRequest(pty));
        }
    }

    pub(super) fn offer(&mut self) {
        self.send(&ClientMessage::CapabilityOffer(
            self.config.capabilities.clone(),
        ));
    }
}
