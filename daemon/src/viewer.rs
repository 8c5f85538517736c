//! The graphical half of a session: one person who looks at the desktop, and may drive it.

mod answers;
mod clip;
mod clipboard;
mod drag;
mod navigate;
mod news;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use tokio::sync::Notify;
use vroom_media::Stamps;
use vroom_protocol::graphical::{
    self, Agent, ButtonInput, ClientHandshake, ClientMessage, Media, Mode, Negotiation,
    NotificationKind, Obedience, PointerInput, RecordAction, Role, ServerMessage, Share,
    ShareAction, Shown, capability, obeyed,
};
use vroom_protocol::{ChannelId, Code, Connection};

use crate::daemon::Daemon;
use crate::floor::Denied;
use crate::hub::Seat;
use crate::identity::Identity;
use crate::origin::Transport;
use crate::way::{Way, Ways};

pub(crate) use self::answers::report;
use self::clip::Clip;
use self::news::{CursorSent, NoticesSent};

/// The graphical half of a session.
///
/// It exists from the start and does nothing before VROOM_HANDSHAKE.
#[derive(Debug)]
pub(crate) struct Viewer {
    daemon: Arc<Daemon>,
    negotiation: Negotiation,
    transport: Transport,
    bell: Arc<Notify>,
    seat: Option<Seat>,
    /// What the person called their client in the handshake.
    name: String,
    /// What they may do when they come back, while their transport is lost.
    away: Option<Role>,
    cursor: CursorSent,
    notices: NoticesSent,
    /// The channel `clipboard`, while it is open.
    clip: Option<Clip>,
    /// Whether too much waits for the client already.
    stalled: bool,
    /// Whether somebody whose client does not know RECORD was told that the session is recorded.
    told_recording: bool,
    refused_at: Option<Instant>,
    /// What the person last asked of the video.
    wishes: Media,
    /// Whether they are listened to, while they want to be.
    voice: Option<Arc<AtomicBool>>,
    /// The pictures that the client told of last.
    shown: Vec<Shown>,
    /// How long they took.
    ways: Ways,
}

impl Viewer {
    /// Makes one for a connection; `bell` rings when there is something to pump.
    pub(crate) fn new(daemon: Arc<Daemon>, transport: Transport, bell: Arc<Notify>) -> Self {
        let mut capabilities = vec![
            capability::POINTER,
            capability::KEYBOARD,
            capability::TOUCH,
            capability::PEN,
            capability::TEXT,
            capability::CLIPBOARD,
            capability::CLIPBOARD_DATA,
            capability::CLIPBOARD_CHANNEL,
            capability::CURSOR,
            capability::CURSOR_IMAGE,
            capability::SHARING,
            capability::MEDIA,
            capability::RECORDING,
            capability::NOTIFICATIONS,
            capability::PREEDIT,
            capability::CHAT,
        ];
        if daemon.settings.can_browse() {
            capabilities.push(capability::NAVIGATE);
        }
        // Files on their way in or out go through `file-transfer`.
        if daemon.files_root().is_some() {
            capabilities.push(capability::DRAG);
        }
        if daemon
            .output
            .as_ref()
            .is_some_and(|output| output.has_h264())
        {
            capabilities.push(capability::VIDEO_H264);
            capabilities.push(capability::PATCHES);
        }
        if daemon.has_microphone() {
            capabilities.push(capability::MICROPHONE);
        }
        if daemon.output.is_some() {
            capabilities.push(capability::VIDEO_TILES);
        }
        Self {
            daemon,
            negotiation: Negotiation::new(capabilities),
            transport,
            bell,
            seat: None,
            name: String::new(),
            away: None,
            cursor: CursorSent::default(),
            notices: NoticesSent::default(),
            clip: None,
            stalled: false,
            told_recording: false,
            refused_at: None,
            wishes: Media::default(),
            voice: None,
            shown: Vec::new(),
            ways: Ways::default(),
        }
    }

    /// Whether the handshake was exchanged.
    pub(crate) fn is_complete(&self) -> bool {
        self.seat.is_some()
    }

    /// Whether this person may drive at all.
    pub(crate) fn may_drive(&self) -> bool {
        self.seat
            .as_ref()
            .is_some_and(|seat| seat.role() >= Role::Operator)
    }

    /// Whether the video goes as H264 where it goes over a channel.
    pub(crate) fn takes_h264(&self) -> bool {
        self.negotiation.is_usable(capability::VIDEO_H264)
    }

    /// Whether a JPEG may be a part of the picture.
    pub(crate) fn takes_tiles(&self) -> bool {
        self.negotiation.is_usable(capability::VIDEO_TILES)
    }

    /// What the person last asked of the video.
    pub(crate) fn wishes(&self) -> &Media {
        &self.wishes
    }

    /// Whether the person is listened to, while they want to be; asked for each packet.
    pub(crate) fn voice(&self) -> Option<&Arc<AtomicBool>> {
        self.voice.as_ref()
    }

    /// Whether the person wants to know what flows.
    pub(crate) fn wants_media_state(&self) -> bool {
        self.seat.is_some() && self.negotiation.is_usable(capability::MEDIA)
    }

    /// Takes a message of channel 0.
    pub(crate) fn on_control(
        &mut self,
        now: Instant,
        connection: &mut Connection,
        identity: &Identity,
        kind: u8,
        payload: &[u8],
    ) {
        let message = match self.negotiation.receive(kind, payload) {
            Ok(message) => message,
            Err(refusal) => return self.refuse(now, connection, &refusal),
        };
        if let ClientMessage::Handshake(handshake) = &message {
            return self.shake_hands(now, connection, identity, handshake);
        }
        let reference = message.reference().map(str::to_owned);
        let mode = self.seat.as_ref().map_or(Mode::View, Seat::mode);
        let result = match obeyed(mode, &message) {
            Obedience::Refuse => Err(Denied::NotAllowed),
            Obedience::Apply | Obedience::ByRole => self.obey(now, connection, message),
        };
        if let Err(denied) = result {
            self.deny(now, connection, denied, reference);
        }
    }

    /// Takes a message of `pointer`.
    pub(crate) fn on_pointer(
        &self,
        now: Instant,
        connection: &mut Connection,
        channel: ChannelId,
        kind: u8,
        payload: &[u8],
    ) {
        let input = match PointerInput::decode(kind, payload) {
            Ok(input) => input,
            Err(error) => return report(now, connection, channel, &error),
        };
        let listed = match input {
            PointerInput::GamepadAxes { .. } => capability::GAMEPAD,
            _ => capability::POINTER,
        };
        if let Some(seat) = self
            .seat
            .as_ref()
            .filter(|_| self.negotiation.is_usable(listed))
        {
            seat.pointer(input);
        }
    }

    /// Takes a message of `button`.
    pub(crate) fn on_button(
        &self,
        now: Instant,
        connection: &mut Connection,
        channel: ChannelId,
        kind: u8,
        payload: &[u8],
    ) {
        let input = match ButtonInput::decode(kind, payload) {
            Ok(input) => input,
            Err(error) => return report(now, connection, channel, &error),
        };
        let listed = match input {
            ButtonInput::MouseDown { .. } | ButtonInput::MouseUp { .. } => capability::POINTER,
            ButtonInput::KeyDown(_) | ButtonInput::KeyUp(_) => capability::KEYBOARD,
            ButtonInput::TouchStart { .. }
            | ButtonInput::TouchMove { .. }
            | ButtonInput::TouchEnd { .. } => capability::TOUCH,
            ButtonInput::Pen(_) | ButtonInput::PenLeave => capability::PEN,
            ButtonInput::Text(_) => capability::TEXT,
            ButtonInput::Preedit(_) => capability::PREEDIT,
            _ => capability::GAMEPAD,
        };
        if let Some(seat) = self
            .seat
            .as_ref()
            .filter(|_| self.negotiation.is_usable(listed))
        {
            seat.button(input);
        }
    }

    /// Lets go of everything held: the `button` channel is gone.
    pub(crate) fn release(&self) {
        if let Some(seat) = &self.seat {
            seat.release();
        }
    }

    /// Takes the person out of the session while their transport is lost: nothing stays held, and
    /// the floor is free.
    pub(crate) fn leave(&mut self) {
        self.clip = None;
        self.voice = None;
        if let Some(seat) = self.seat.take() {
            self.away = Some(seat.role());
        }
    }

    /// Takes the person in again, looking on, over another transport; tells them all that is fresh.
    pub(crate) fn come_back(
        &mut self,
        now: Instant,
        connection: &mut Connection,
        identity: &Identity,
        transport: Transport,
    ) {
        self.transport = transport;
        let Some(role) = self.away.take() else {
            return;
        };
        // Whoever was made less meanwhile stays that.
        let identity = Identity {
            role: role.min(identity.role),
            ..identity.clone()
        };
        let bell = Arc::clone(&self.bell);
        let Some(seat) = self.daemon.hub.join(&identity, &self.name, bell) else {
            return connection.close(now, Code::LIMIT_REACHED, "too many participants");
        };
        self.cursor.forget_last();
        self.take_seat(now, connection, seat);
    }

    /// Sits down, and asks for everything that a newcomer has to be told.
    fn take_seat(&mut self, now: Instant, connection: &mut Connection, seat: Seat) {
        seat.set_draws_cursor(self.negotiation.is_usable(capability::CURSOR));
        // What this client knows may be over by now.
        let mut notices = self.notices.told.clone();
        notices.extend(seat.notices());
        seat.mailbox().put(|mail| {
            mail.state = true;
            mail.share = true;
            mail.cursor = true;
            mail.media = true;
            mail.recording = true;
            mail.earlier_chat = true;
            mail.notices.extend(notices);
        });
        self.seat = Some(seat);
        self.pump(now, connection);
    }

    fn shake_hands(
        &mut self,
        now: Instant,
        connection: &mut Connection,
        identity: &Identity,
        handshake: &ClientHandshake,
    ) {
        if self.daemon.output.is_none() {
            let reason = "there is no desktop here, only terminals";
            return connection.error(now, Code::UNSUPPORTED, Some(ChannelId::CONTROL), reason);
        }
        let client = handshake
            .client
            .as_ref()
            .and_then(|client| client.name.as_deref());
        client.unwrap_or_default().clone_into(&mut self.name);
        let bell = Arc::clone(&self.bell);
        let Some(seat) = self.daemon.hub.join(identity, &self.name, bell) else {
            return connection.close(now, Code::LIMIT_REACHED, "too many participants");
        };
        let agent = Agent {
            name: nix::unistd::gethostname()
                .ok()
                .and_then(|name| name.into_string().ok()),
            state: Some(graphical::State::IDLE.to_owned()),
            browser: Some(false),
        };
        let answer = match self
            .negotiation
            .accept(handshake, seat.viewport(), Some(agent))
        {
            Ok(answer) => answer,
            Err(refusal) => return self.refuse(now, connection, &refusal),
        };
        tracing::debug!(participant = %seat.id(), "a viewer joined");
        self.send(now, connection, &ServerMessage::Handshake(answer));
        seat.resize(&handshake.viewport);
        let denied = match handshake.mode {
            Mode::View => None,
            mode => seat.set_mode(mode, false).err(),
        };
        self.take_seat(now, connection, seat);
        if let Some(denied) = denied {
            self.deny(now, connection, denied, None);
        }
    }

    fn obey(
        &mut self,
        now: Instant,
        connection: &mut Connection,
        message: ClientMessage,
    ) -> Result<(), Denied> {
        let Some(seat) = &self.seat else {
            return Ok(());
        };
        match message {
            ClientMessage::Mode { mode, take } => seat.set_mode(mode, take),
            ClientMessage::Resize(viewport) => {
                seat.resize(&viewport);
                Ok(())
            }
            ClientMessage::Clipboard(clipboard) => self.clipboard(now, connection, clipboard),
            ClientMessage::Paste { text } => seat.paste(text),
            ClientMessage::Drag(drag) => self.drag(drag),
            ClientMessage::Chat(chat) => seat.chat(chat.text),
            ClientMessage::Notice(answer) => seat.answer_notice(answer),
            ClientMessage::Share(share) => self.share(now, connection, share),
            ClientMessage::Media(media) => {
                self.media(media);
                media.mic.map_or(Ok(()), |mic| self.speak(mic))
            }
            ClientMessage::Feedback(feedback) => {
                tracing::trace!(?feedback, "video arrives");
                self.shown = feedback.shown;
                Ok(())
            }
            ClientMessage::Navigate { url, .. } => self.navigate(now, connection, &url),
            ClientMessage::Command(command) => {
                let text = "commands are not taken here";
                self.notify(now, connection, NotificationKind::Error, text, command.id);
                Ok(())
            }
            ClientMessage::Record(record) => self.record(record.action),
            // Answered before.
            ClientMessage::Handshake(_) => Ok(()),
        }
    }

    fn share(&self, now: Instant, connection: &mut Connection, share: Share) -> Result<(), Denied> {
        let Some(seat) = &self.seat else {
            return Ok(());
        };
        match share.action {
            ShareAction::Grant { to } => seat.grant(&to),
            ShareAction::Request => seat.request(),
            ShareAction::Deny { to } => seat.deny(&to),
            ShareAction::Release => seat.set_mode(Mode::View, false),
            ShareAction::Role { to, role } => seat.set_role(&to, role),
            ShareAction::Kick { to } => seat.kick(&to),
            ShareAction::Invite { .. } | ShareAction::Revoke { .. } => {
                let text = "share links are not offered by this server";
                self.notify(now, connection, NotificationKind::Error, text, share.id);
                Ok(())
            }
        }
    }

    fn record(&self, action: RecordAction) -> Result<(), Denied> {
        let Some(seat) = &self.seat else {
            return Ok(());
        };
        let recordings = &self.daemon.recordings;
        if !recordings.allows(seat.role()) {
            return Err(Denied::MayNotRecord);
        }
        let taken = match action {
            RecordAction::Start => recordings.start(seat.name()),
            RecordAction::Stop => recordings.stop(seat.name()),
        };
        if taken {
            Ok(())
        } else {
            Err(Denied::NotAllowed)
        }
    }

    /// Listens to the person, or no more; what came of it is told in either case.
    fn speak(&mut self, wanted: bool) -> Result<(), Denied> {
        let Some(seat) = &self.seat else {
            return Ok(());
        };
        seat.mailbox().put(|mail| mail.media = true);
        self.voice = None;
        if !wanted {
            seat.be_silent();
            return Ok(());
        }
        // Their voice is a track of the peer connection.
        if !self.negotiation.is_usable(capability::MICROPHONE)
            || self.transport != Transport::WebRtc
        {
            return Err(Denied::NoMicrophone);
        }
        self.voice = Some(seat.speak()?);
        Ok(())
    }

    /// Counts how long the pictures took that the client told of; `passed` says when each passed
    /// the stages here and went out.
    pub(crate) fn count_shown(
        &mut self,
        connection: &Connection,
        passed: impl Fn(u32) -> Option<(Stamps, Instant)>,
    ) {
        let all = std::mem::take(&mut self.shown);
        let ways = all.iter().filter_map(|shown| {
            let (stamps, sent_at) = passed(shown.rtp_time)?;
            Way::new(&stamps, sent_at, connection.clock_start(), shown)
        });
        let mut counted = false;
        for way in ways {
            self.ways.add(&way);
            if let Some(output) = &self.daemon.output {
                output.on_shown(&way);
            }
            counted = true;
        }
        if counted && let Some(seat) = &self.seat {
            seat.mailbox().put(|mail| mail.media = true);
        }
    }

    fn media(&mut self, media: Media) {
        self.wishes.video = media.video.or(self.wishes.video);
        self.wishes.speaker = media.speaker.or(self.wishes.speaker);
        self.wishes.bitrate_kbps_max = media.bitrate_kbps_max.or(self.wishes.bitrate_kbps_max);
        self.wishes.fps_max = media.fps_max.or(self.wishes.fps_max);
        let Some(output) = &self.daemon.output else {
            return;
        };
        if media.key_frame == Some(true) {
            output.request_key_frame();
        }
    }
}
