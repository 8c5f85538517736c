//! What a viewer is told without having asked.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use vroom_protocol::graphical::{
    CursorImage, Mode, Notification, NotificationKind, RecordState, ServerMessage, capability,
};
use vroom_protocol::{ChannelId, Connection};

use super::Viewer;
use super::clipboard::pushes;
use crate::hub::CursorNow;

/// What was last said about the pointer.
#[derive(Debug, Default)]
pub(super) struct CursorSent {
    /// Whether there is more to say.
    changed: bool,
    last: Option<CursorNow>,
    at: Option<Instant>,
    pictures: BTreeSet<u32>,
}

/// What is still to be said about notices, and when something was said last.
#[derive(Debug, Default)]
pub(super) struct NoticesSent {
    changed: BTreeSet<u32>,
    /// What the client was told of and not of its end.
    pub(super) told: BTreeSet<u32>,
    at: Option<Instant>,
}

impl CursorSent {
    /// The client draws no pointer any more; the pictures it still has.
    pub(super) fn forget_last(&mut self) {
        self.last = None;
        self.at = None;
    }
}

impl Viewer {
    /// Sends what the hub has for this person.
    pub(crate) fn pump(&mut self, now: Instant, connection: &mut Connection) {
        let Some(seat) = &self.seat else {
            return;
        };
        if let Some((code, reason)) = seat.mailbox().removed() {
            return connection.close(now, code, reason);
        }
        self.stalled = connection.queued_bytes(ChannelId::CONTROL) > CONTROL_BYTES;
        if self.stalled {
            return;
        }
        let mail = seat.mailbox().take();
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
        if mail.recording {
            let state = seat.record_state(self.daemon.recordings.allows(seat.role()));
            if self.negotiation.is_usable(capability::RECORDING) {
                messages.push(ServerMessage::Record(state));
            } else {
                messages.extend(recording_in_words(&state, &mut self.told_recording));
            }
        }
        if mail.earlier_chat && self.negotiation.is_usable(capability::CHAT) {
            messages.extend(seat.earlier_chat().into_iter().map(ServerMessage::Chat));
        }
        messages.extend(mail.messages);
        if self.negotiation.is_usable(capability::DRAG) {
            let news = mail.drags.iter().map(|event| self.drag_news(event));
            messages.extend(news.map(ServerMessage::Drag));
        }
        // Who has a channel for it looks on without the contents, and may not have opened it yet.
        let drives = seat.mode() != Mode::View;
        if drives && let Some(clip) = &mut self.clip {
            clip.offer(&mail.selections);
        } else if self.negotiation.is_usable(capability::CLIPBOARD)
            && self.clip.is_none()
            && (drives || !self.negotiation.is_usable(capability::CLIPBOARD_CHANNEL))
        {
            let takes_data = self.negotiation.is_usable(capability::CLIPBOARD_DATA);
            let pushed = mail
                .selections
                .iter()
                .filter_map(|selection| pushes(seat, *selection, takes_data).ok());
            messages.extend(pushed.flatten());
        }
        if mail.media
            && self.negotiation.is_usable(capability::MEDIA)
            && let Some(mut media) = seat.media()
        {
            media.transport = Some(self.transport.name().to_owned());
            self.ways
                .tell(media.latency.get_or_insert_default(), |it| it.p50);
            self.ways
                .tell(media.latency_p95.get_or_insert_default(), |it| it.p95);
            self.ways
                .tell(media.latency_p99.get_or_insert_default(), |it| it.p99);
            messages.push(ServerMessage::MediaState(Box::new(media)));
        }
        self.cursor.changed |= mail.cursor;
        self.notices.changed.extend(mail.notices);
        for message in messages {
            self.send(now, connection, &message);
        }
        self.pump_cursor(now, connection);
        self.pump_notices(now, connection);
    }

    /// When [`pump`](Self::pump) has something to do by itself.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        // One that takes nothing is pumped when it does again.
        let cursor = self.cursor.at.map(|at| at + CURSOR_INTERVAL);
        let notices = self.notices.at.map(|at| at + NOTICE_INTERVAL);
        let due = [
            cursor.filter(|_| self.cursor.changed),
            notices.filter(|_| !self.notices.changed.is_empty()),
        ];
        due.into_iter().flatten().min().filter(|_| !self.stalled)
    }

    /// Sends what programs notify of, no more often than it can be read.
    fn pump_notices(&mut self, now: Instant, connection: &mut Connection) {
        let due = self.notices.at.is_none_or(|at| now >= at + NOTICE_INTERVAL);
        let Some(seat) = self.seat.as_ref().filter(|_| due) else {
            return;
        };
        let takes_notices = self.negotiation.is_usable(capability::NOTIFICATIONS);
        let mut messages = Vec::new();
        while messages.len() < NOTICES_AT_ONCE
            && let Some(id) = self.notices.changed.pop_first()
        {
            let mut notification = seat.notice(id);
            let (closed, earlier) = notification
                .notice
                .as_ref()
                .map_or((false, false), |notice| (notice.closed, notice.earlier));
            // Of what was over before it could be told nothing is told at all.
            let tells = if closed {
                self.notices.told.remove(&id)
            } else {
                self.notices.told.insert(id);
                true
            };
            if takes_notices && tells {
                messages.push(ServerMessage::Notification(notification));
            } else if !takes_notices && !closed && !earlier {
                // In words alone, and not what was told to others long ago.
                notification.notice = None;
                messages.push(ServerMessage::Notification(notification));
            }
        }
        if !messages.is_empty() {
            self.notices.at = Some(now);
        }
        for message in messages {
            self.send(now, connection, &message);
        }
    }

    /// Sends the pointer, no more often than it can be seen.
    fn pump_cursor(&mut self, now: Instant, connection: &mut Connection) {
        let due = self.cursor.at.is_none_or(|at| now >= at + CURSOR_INTERVAL);
        let Some(seat) = self.seat.as_ref().filter(|_| self.cursor.changed && due) else {
            return;
        };
        self.cursor.changed = false;
        let present = seat.cursor();
        let same = |last: &CursorNow| {
            let place = present.own
                || (last.cursor.x, last.cursor.y) == (present.cursor.x, present.cursor.y);
            place
                && (&last.cursor.kind, last.cursor.visible, last.image)
                    == (&present.cursor.kind, present.cursor.visible, present.image)
                && last.cursor.locked == present.cursor.locked
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
}

/// What a client is told that does not know RECORD, whose person has to know all the same.
fn recording_in_words(state: &RecordState, told: &mut bool) -> Option<ServerMessage> {
    let was_told = std::mem::replace(told, state.recording.is_some());
    let text = match &state.recording {
        Some(recording) if !was_told => format!("{} records this session", recording.by),
        None if was_told => "this session is not recorded any more".to_owned(),
        _ => return None,
    };
    let notification = Notification::new(NotificationKind::Warning, text);
    Some(ServerMessage::Notification(notification))
}

/// The least time between two messages about the pointer: it cannot be seen more often.
const CURSOR_INTERVAL: Duration = Duration::from_millis(16);

/// The least time between two rounds of messages about notices, and the most of them in one: programs
/// may notify without end.
const NOTICE_INTERVAL: Duration = Duration::from_millis(100);
const NOTICES_AT_ONCE: usize = 16;

/// The cursor pictures that a client is trusted to remember; others are sent whole each time.
const PICTURES: usize = 64;

/// With more than this waiting for the client, news waits in the mailbox, where it does not grow.
const CONTROL_BYTES: usize = 64 * 1024;
