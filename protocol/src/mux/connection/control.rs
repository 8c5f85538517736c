//! The messages on channel 0 while the connection is up.

use bytes::Bytes;

use super::Connection;
use super::receive::read_close;
use super::requests::{OwnRequest, PeerRequest};
use crate::mux::channel::Slot;
use crate::mux::code::Code;
use crate::mux::control::{
    ChannelAck, ChannelReject, CloseChannel, ControlError, ControlMessage, OpenChannel, OpenError,
    kind, parse_open,
};
use crate::mux::event::Event;
use crate::mux::id::ChannelId;
use crate::mux::spec;

impl Connection {
    pub(super) fn receive_control(&mut self, kind: u8, payload: Bytes) {
        match kind {
            0x80..=0xEF => {
                return self.emit(Event::Message {
                    channel: ChannelId::CONTROL,
                    kind,
                    payload,
                });
            }
            kind::OPEN_CHANNEL => return self.receive_open(&payload),
            kind::HELLO if self.is_server() => {
                return self.close_with(Code::PROTOCOL_ERROR, "a second HELLO");
            }
            kind::WELCOME if !self.is_server() => {
                return self.close_with(Code::PROTOCOL_ERROR, "a second WELCOME");
            }
            kind::RESUME_REQUEST | kind::ATTACH_REQUEST if self.is_server() => {
                return self.report(
                    Code::WRONG_STATE,
                    Some(ChannelId::CONTROL),
                    "the session is up already",
                );
            }
            // What belongs to the other side, to an extension that was not agreed on, or to nothing.
            kind::HELLO | kind::WELCOME | kind::RESUME_REQUEST => return self.unknown_type(kind),
            kind::SESSION_ID | kind::RESUME_RESPONSE
                if self.is_server() || self.sequences.is_none() =>
            {
                return self.unknown_type(kind);
            }
            kind::DETACH | kind::SESSION_LIST_REQUEST | kind::SESSION_CONTROL
                if !self.is_server() || !self.has_persistence() =>
            {
                return self.unknown_type(kind);
            }
            kind::SESSION_LIST_RESPONSE if self.is_server() || !self.has_persistence() => {
                return self.unknown_type(kind);
            }
            kind::ATTACH_REQUEST => return self.unknown_type(kind),
            kind::SEQ_ACK if !self.acknowledges() => return self.unknown_type(kind),
            kind::CLOSE => {
                if let ControlMessage::Close(close) = read_close(&payload) {
                    self.closed_by_peer(close);
                }
                return;
            }
            _ => {}
        }
        match ControlMessage::decode(kind, &payload) {
            Ok(message) => self.receive_control_message(message),
            Err(ControlError::UnknownType) => self.unknown_type(kind),
            // An ERROR is never answered with an ERROR.
            Err(ControlError::Invalid) if kind == kind::ERROR => {
                self.fault();
            }
            Err(ControlError::Invalid) => {
                self.report(
                    Code::INVALID_MESSAGE,
                    Some(ChannelId::CONTROL),
                    "the message cannot be read",
                );
            }
        }
    }

    fn receive_control_message(&mut self, message: ControlMessage) {
        match message {
            ControlMessage::ChannelAck(ack) => self.receive_ack(ack),
            ControlMessage::ChannelReject(reject) => self.receive_reject(reject),
            ControlMessage::CloseChannel(close) => self.receive_close_channel(&close),
            ControlMessage::Ping(echo) => {
                let clock = self.keepalive.clock(self.now);
                self.outbox
                    .push_urgent(ControlMessage::Pong { echo, clock });
            }
            ControlMessage::Pong { echo, .. } => self.keepalive.pong(self.now, echo),
            ControlMessage::SessionId(grant) => self.receive_session_id(grant),
            ControlMessage::Detach(_)
            | ControlMessage::SessionListRequest(_)
            | ControlMessage::SessionControl(_) => self.receive_about_sessions(message),
            ControlMessage::SessionList(list) => self.emit(Event::SessionList(list.sessions)),
            ControlMessage::SeqAck(sequence) => self.receive_sequence_ack(sequence),
            ControlMessage::Error(error) => self.emit(Event::PeerError {
                code: error.code,
                channel: error.channel,
                reason: error.reason,
            }),
            // Dealt with before they are decoded, or only expected before WELCOME.
            ControlMessage::Hello(_)
            | ControlMessage::Welcome(_)
            | ControlMessage::OpenChannel(_)
            | ControlMessage::Close(_)
            | ControlMessage::ResumeRequest(_)
            | ControlMessage::Attach(_)
            | ControlMessage::ResumeResponse(_) => {
                self.report(Code::WRONG_STATE, Some(ChannelId::CONTROL), "not now");
            }
        }
    }

    /// An unknown type gets an ERROR, though not a stream of them.
    fn unknown_type(&mut self, kind: u8) {
        if self.unknown_type_limit.take(self.now) {
            let reason = format!("type {kind:#04x} is not known here");
            self.report(Code::UNSUPPORTED, Some(ChannelId::CONTROL), &reason);
        } else {
            self.fault();
        }
    }

    fn receive_open(&mut self, payload: &[u8]) {
        let open = match parse_open(payload) {
            Ok(open) => open,
            Err(OpenError::Refusable(number)) if !self.requests.is_number_open(number) => {
                self.fault();
                return self.refuse_open(
                    number,
                    Code::INVALID_MESSAGE,
                    "the request cannot be read",
                );
            }
            Err(_) => {
                return self.report(
                    Code::INVALID_MESSAGE,
                    Some(ChannelId::CONTROL),
                    "the request cannot be read",
                );
            }
        };
        // An answer would be taken for that of the other request.
        if self.requests.is_number_open(open.request) {
            return self.report(
                Code::INVALID_MESSAGE,
                Some(ChannelId::CONTROL),
                "the requestId is in use",
            );
        }
        if let Err((code, reason)) = self.check_open(&open) {
            return self.refuse_open(open.request, code, reason);
        }
        let lane_deadline = self.lane_wait(&open.spec.name);
        let spec = open.spec.clone();
        let id = if self.is_server() { None } else { open.id };
        let asked = PeerRequest {
            number: open.request,
            spec: open.spec,
            id,
            lane_deadline,
        };
        match self.requests.asked(asked) {
            None => self.refuse_open(
                open.request,
                Code::LIMIT_REACHED,
                "too many requests are open",
            ),
            Some(request) if lane_deadline.is_none() => {
                self.emit(Event::ChannelRequested { request, spec });
            }
            Some(_) => {}
        }
    }

    fn check_open(&self, open: &OpenChannel) -> Result<(), (Code, &'static str)> {
        let name = &open.spec.name;
        if name == spec::CONTROL {
            return Err((Code::UNSUPPORTED, "the control channel is always open"));
        }
        if self.channels.by_name(name).is_some() || self.requests.is_name_asked(name) {
            return Err((Code::NAME_IN_USE, "a channel of this name is open"));
        }
        if let Some(id) = open.id
            && !self.is_server()
            && !self.channels.is_free(id)
        {
            return Err((Code::INVALID_MESSAGE, "the id is in use"));
        }
        if self.is_server() && self.channels.next_id(self.now).is_none() {
            return Err((Code::CHANNEL_FULL, "all 254 channel ids are in use"));
        }
        Ok(())
    }

    pub(super) fn refuse_open(&mut self, request: u64, code: Code, reason: &str) {
        let reason = super::closing::brief(reason).to_owned();
        self.send_control(&ControlMessage::ChannelReject(ChannelReject {
            request,
            code,
            reason,
        }));
    }

    fn receive_ack(&mut self, ack: ChannelAck) {
        let Some((request, OwnRequest { spec, id })) = self.requests.take_ours(ack.request) else {
            return self.report(
                Code::INVALID_MESSAGE,
                Some(ChannelId::CONTROL),
                "no such request",
            );
        };
        // A server gave the id with its request; a client is told it now.
        let right = match id {
            Some(given) => given == ack.id,
            None => self.channels.is_free(ack.id),
        };
        if !right || spec.name != ack.name {
            if let Some(given) = id {
                self.channels.free(given, self.now);
            }
            self.drop_lane(&spec.name);
            self.report(
                Code::INVALID_MESSAGE,
                Some(ChannelId::CONTROL),
                "the answer is not to the request",
            );
            let reason = "the answer could not be used".to_owned();
            let code = Code::INVALID_MESSAGE;
            return self.emit(Event::ChannelRejected {
                request,
                code,
                reason,
            });
        }
        self.opened(ack.id, spec, Some(request));
    }

    fn receive_reject(&mut self, reject: ChannelReject) {
        let Some((request, asked)) = self.requests.take_ours(reject.request) else {
            return self.report(
                Code::INVALID_MESSAGE,
                Some(ChannelId::CONTROL),
                "no such request",
            );
        };
        if let Some(id) = asked.id {
            self.channels.free(id, self.now);
        }
        self.drop_lane(&asked.spec.name);
        let (code, reason) = (reject.code, reject.reason);
        self.emit(Event::ChannelRejected {
            request,
            code,
            reason,
        });
    }

    fn receive_close_channel(&mut self, close: &CloseChannel) {
        let id = u8::try_from(close.id).map(ChannelId).ok();
        if id == Some(ChannelId::CONTROL) {
            return self.report(Code::PROTOCOL_ERROR, id, "channel 0 cannot be closed");
        }
        let now = self.now;
        let slot = id.and_then(|id| self.channels.slot(id));
        match (id, slot) {
            (Some(id), Some(Slot::Open(_))) => self.close_channel_now(id, &close.reason, true),
            // The channel that had the id before, from a peer that could not send for long.
            (_, Some(Slot::Reserved)) => {}
            // Both sides closed it at once.
            (_, Some(Slot::Freed { at, .. })) if now < *at + crate::mux::channel::QUARANTINE => {}
            _ => self.report(Code::CHANNEL_NOT_FOUND, id, "no such channel"),
        }
    }
}
