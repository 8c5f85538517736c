//! The graphical half of a session: one person who looks at the desktop, and may drive it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use tokio::sync::Notify;
use vroom_desktop::{ClipboardData, Selection};
use vroom_protocol::graphical::{
    self, Agent, ButtonInput, ClientHandshake, ClientMessage, Clipboard, ClipboardContent,
    CursorImage, DecodeError, Media, Mode, Negotiation, Notification, NotificationKind, Obedience,
    PointerInput, Refusal, Role, ServerMessage, Share, ShareAction, capability, obeyed,
};
use vroom_protocol::{ChannelId, Code, Connection};

use crate::auth::Identity;
use crate::daemon::Daemon;
use crate::floor::Denied;
use crate::hub::{CursorNow, Seat, unix_seconds};
use crate::mailbox::Mail;
use crate::session::Transport;

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
    cursor: CursorSent,
    /// Mail that was taken and not passed on yet.
    mail: Mail,
    /// Whether too much waits for the client already.
    stalled: bool,
    refused_at: Option<Instant>,
    /// What the person last asked of the video.
    wishes: Media,
}

/// What was last said about the pointer.
#[derive(Debug, Default)]
struct CursorSent {
    last: Option<CursorNow>,
    at: Option<Instant>,
    pictures: BTreeSet<u32>,
}

impl Viewer {
    /// Makes one for a connection; `bell` rings when there is something to pump.
    pub(crate) fn new(daemon: Arc<Daemon>, transport: Transport, bell: Arc<Notify>) -> Self {
        let mut capabilities = vec![
            capability::POINTER,
            capability::KEYBOARD,
            capability::TOUCH,
            capability::TEXT,
            capability::CLIPBOARD,
            capability::CURSOR,
            capability::CURSOR_IMAGE,
            capability::SHARING,
            capability::MEDIA,
        ];
        if daemon
            .output
            .as_ref()
            .is_some_and(|output| output.has_h264())
        {
            capabilities.push(capability::VIDEO_H264);
        }
        Self {
            daemon,
            negotiation: Negotiation::new(capabilities),
            transport,
            bell,
            seat: None,
            cursor: CursorSent::default(),
            mail: Mail::default(),
            stalled: false,
            refused_at: None,
            wishes: Media::default(),
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

    /// What the person last asked of the video.
    pub(crate) fn wishes(&self) -> &Media {
        &self.wishes
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
            ButtonInput::Text(_) => capability::TEXT,
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

    /// Sends what the hub has for this person.
    pub(crate) fn pump(&mut self, now: Instant, connection: &mut Connection) {
        let Some(seat) = &self.seat else {
            return;
        };
        self.stalled = connection.queued_bytes(ChannelId::CONTROL) > CONTROL_BYTES;
        if self.stalled {
            return;
        }
        let mail = seat.mailbox().take();
        if let Some((code, reason)) = mail.removed {
            return connection.close(now, code, reason);
        }
        if mail.lost_floor {
            for name in ["pointer", "button"] {
                if let Some(id) = connection.channel_id(name) {
                    connection.close_channel(now, id, "driver changed");
                }
            }
        }
        let mut messages = Vec::new();
        if mail.share && self.negotiation.is_usable(capability::SHARING) {
            messages.push(ServerMessage::ShareState(seat.share_state()));
        }
        if mail.state {
            messages.push(ServerMessage::State(seat.state()));
        }
        messages.extend(mail.messages);
        if self.negotiation.is_usable(capability::CLIPBOARD) {
            let pushed = mail
                .selections
                .iter()
                .filter_map(|selection| push(seat, *selection).ok());
            messages.extend(pushed);
        }
        if mail.media
            && self.negotiation.is_usable(capability::MEDIA)
            && let Some(mut media) = seat.media()
        {
            media.transport = Some(self.transport.name().to_owned());
            messages.push(ServerMessage::MediaState(media));
        }
        self.mail.cursor |= mail.cursor;
        for message in messages {
            self.send(now, connection, &message);
        }
        self.pump_cursor(now, connection);
    }

    /// When [`pump`](Self::pump) has something to do by itself.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        // One that takes nothing is pumped when it does again.
        let due = self.mail.cursor && !self.stalled;
        due.then(|| self.cursor.at.map(|at| at + CURSOR_INTERVAL))
            .flatten()
    }

    /// Sends the pointer, no more often than it can be seen.
    fn pump_cursor(&mut self, now: Instant, connection: &mut Connection) {
        let due = self.cursor.at.is_none_or(|at| now >= at + CURSOR_INTERVAL);
        let Some(seat) = self.seat.as_ref().filter(|_| self.mail.cursor && due) else {
            return;
        };
        self.mail.cursor = false;
        let present = seat.cursor();
        let same = |last: &CursorNow| {
            let place = present.own
                || (last.cursor.x, last.cursor.y) == (present.cursor.x, present.cursor.y);
            place
                && (&last.cursor.kind, last.cursor.visible, last.image)
                    == (&present.cursor.kind, present.cursor.visible, present.image)
        };
        if self.cursor.last.as_ref().is_some_and(same) {
            return;
        }
        let mut cursor = present.cursor.clone();
        match present.image {
            Some(_) if !self.negotiation.is_usable(capability::CURSOR_IMAGE) => cursor.image = None,
            Some(id) if self.cursor.pictures.contains(&id) => {
                cursor.image = Some(CursorImage::Known { id });
            }
            Some(id) if self.cursor.pictures.len() < PICTURES => {
                self.cursor.pictures.insert(id);
            }
            _ => {}
        }
        self.cursor.last = Some(present);
        self.cursor.at = Some(now);
        self.send(now, connection, &ServerMessage::Cursor(cursor));
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
        let bell = Arc::clone(&self.bell);
        let Some(seat) = self
            .daemon
            .hub
            .join(identity, client.unwrap_or_default(), bell)
        else {
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
        seat.mailbox().put(|mail| {
            mail.state = true;
            mail.share = true;
            mail.cursor = true;
            mail.media = true;
        });
        let denied = match handshake.mode {
            Mode::View => None,
            mode => seat.set_mode(mode, false).err(),
        };
        self.seat = Some(seat);
        self.pump(now, connection);
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
            ClientMessage::Chat(chat) => {
                seat.chat(chat.text);
                Ok(())
            }
            ClientMessage::Share(share) => self.share(now, connection, share),
            ClientMessage::Media(media) => {
                self.media(media);
                Ok(())
            }
            ClientMessage::Feedback(feedback) => {
                tracing::trace!(?feedback, "video arrives");
                Ok(())
            }
            ClientMessage::Navigate { .. } => {
                let text = "there is no browser here that could open a page";
                self.notify(now, connection, NotificationKind::Error, text, None);
                Ok(())
            }
            ClientMessage::Command(command) => {
                let text = "commands are not taken here";
                self.notify(now, connection, NotificationKind::Error, text, command.id);
                Ok(())
            }
            // Answered before.
            ClientMessage::Handshake(_) => Ok(()),
        }
    }

    fn clipboard(
        &self,
        now: Instant,
        connection: &mut Connection,
        clipboard: Clipboard,
    ) -> Result<(), Denied> {
        let Some(seat) = self
            .seat
            .as_ref()
            .filter(|_| self.negotiation.is_usable(capability::CLIPBOARD))
        else {
            return Err(Denied::NotAllowed);
        };
        match clipboard {
            Clipboard::Set(data) => {
                let selection = to_desktop(data.selection.unwrap_or_default());
                match data.content {
                    ClipboardContent::Text(text) => {
                        seat.set_selection(selection, ClipboardData::text(&text))
                    }
                    ClipboardContent::Data(_) => {
                        let text = "only text can be copied here";
                        self.notify(now, connection, NotificationKind::Error, text, None);
                        Ok(())
                    }
                }
            }
            Clipboard::Get(request) => {
                let message = push(seat, to_desktop(request.selection.unwrap_or_default()))?;
                self.send(now, connection, &message);
                Ok(())
            }
            // Only servers send this; the codec refuses it.
            Clipboard::Push(_) => Ok(()),
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

    fn media(&mut self, media: Media) {
        self.wishes.video = media.video.or(self.wishes.video);
        self.wishes.bitrate_kbps_max = media.bitrate_kbps_max.or(self.wishes.bitrate_kbps_max);
        self.wishes.fps_max = media.fps_max.or(self.wishes.fps_max);
        let Some(output) = &self.daemon.output else {
            return;
        };
        if media.key_frame == Some(true) {
            output.request_key_frame();
        }
    }

    /// Answers a message that cannot be taken.
    fn refuse(&self, now: Instant, connection: &mut Connection, refusal: &Refusal) {
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
    fn deny(
        &mut self,
        now: Instant,
        connection: &mut Connection,
        denied: Denied,
        reference: Option<String>,
    ) {
        let (code, kind, text) = match denied {
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
                "there is no such participant",
            ),
        };
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

    fn notify(
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

    fn send(&self, now: Instant, connection: &mut Connection, message: &ServerMessage) {
        let (kind, payload): (u8, Bytes) = message.encode(self.negotiation.encoding());
        if let Err(error) = connection.send(now, ChannelId::CONTROL, kind, payload) {
            tracing::debug!(%error, kind, "a message was not sent");
        }
    }
}

/// What a selection holds, as a message; an empty one is empty text.
fn push(seat: &Seat, selection: Selection) -> Result<ServerMessage, Denied> {
    let held = seat.selection(selection)?;
    let text = held
        .as_ref()
        .and_then(ClipboardData::as_text)
        .unwrap_or_default();
    let mut data = graphical::ClipboardData::text(text);
    data.selection = match selection {
        Selection::Clipboard => None,
        Selection::Primary => Some(graphical::Selection::Primary),
    };
    Ok(ServerMessage::Clipboard(Clipboard::Push(data)))
}

const fn to_desktop(selection: graphical::Selection) -> Selection {
    match selection {
        graphical::Selection::Clipboard => Selection::Clipboard,
        graphical::Selection::Primary => Selection::Primary,
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

/// The least time between two messages about the pointer: it cannot be seen more often.
const CURSOR_INTERVAL: Duration = Duration::from_millis(16);

/// The cursor pictures that a client is trusted to remember; others are sent whole each time.
const PICTURES: usize = 64;

/// The least time between two answers to what is not allowed.
const REFUSAL_INTERVAL: Duration = Duration::from_secs(1);

/// With more than this waiting for the client, news waits in the mailbox, where it does not grow.
const CONTROL_BYTES: usize = 64 * 1024;
