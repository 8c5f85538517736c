//! What the desktop tells, and how the participants learn of it.

use bytes::Bytes;
use vroom_desktop::{Cursor, CursorImage, CursorShape, Desktop, DesktopEvent, DragEvent};
use vroom_protocol::graphical::{self, MediaState};

use super::{Hub, Seat, Shared};
use crate::png;

/// The pointer as all see it.
#[derive(Debug, Default)]
pub(super) struct CursorShared {
    shape: Shape,
    x: i32,
    y: i32,
    /// Whether the picture shows it, because somebody cannot draw it.
    drawn: bool,
    /// Whether a program holds it in place.
    locked: bool,
}

#[derive(Debug)]
enum Shape {
    Hidden,
    Named(String),
    Image {
        id: u32,
        image: graphical::CursorImage,
    },
}

impl Default for Shape {
    fn default() -> Self {
        Self::Named(DEFAULT.into())
    }
}

/// The pointer as one participant has to draw it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CursorNow {
    /// The message, with the whole picture.
    pub(crate) cursor: graphical::Cursor,
    /// The number of the picture.
    pub(crate) image: Option<u32>,
    /// Whether the participant moves the pointer itself.
    pub(crate) own: bool,
}

impl Hub {
    /// Takes what the desktop tells.
    pub(crate) fn on_desktop(&self, event: DesktopEvent) {
        let mut shared = self.lock();
        match event {
            DesktopEvent::Resized { size, scale } => {
                shared.size = size;
                shared.scale = scale;
                shared.announce_state();
            }
            DesktopEvent::Cursor(cursor) => shared.set_cursor(cursor),
            DesktopEvent::PointerLocked(locked) => {
                shared.cursor.locked = locked;
                shared.announce_cursor();
            }
            DesktopEvent::PointerMoved { x, y } => shared.move_cursor(x, y),
            DesktopEvent::Selection { selection, data } => {
                shared.selection_filled(selection, data, true);
            }
            DesktopEvent::SelectionFormat { selection, data } => {
                shared.selection_filled(selection, data, false);
            }
            DesktopEvent::SelectionTooLarge { selection } => shared.selection_too_large(selection),
            DesktopEvent::Drag(event) => shared.tell_driver(event),
            DesktopEvent::Title(title) => {
                if shared.title != title {
                    shared.title = title;
                    shared.loaded();
                    shared.announce_state();
                }
            }
            DesktopEvent::ProgramFailed { number, reason } => {
                tracing::info!(reason, "a program that was asked for failed");
                shared.browser_failed(number, &reason);
            }
            DesktopEvent::SessionEnded { reason, restarting } => {
                tracing::info!(reason, restarting, "the session command ended");
                shared.ended = (!restarting).then_some(reason);
                shared.announce_state();
            }
            DesktopEvent::Failed { reason } => {
                tracing::error!(reason, "the desktop failed");
                shared.ended = Some(reason);
                shared.announce_state();
            }
            other => tracing::error!(?other, "the desktop tells something unknown"),
        }
    }

    /// Takes the properties of the video; participants learn of them when they changed.
    pub(crate) fn set_media(&self, media: MediaState) {
        let mut shared = self.lock();
        if shared.media.as_ref() == Some(&media) {
            return;
        }
        shared.media = Some(media);
        for member in shared.members.values() {
            member.mailbox.put(|mail| mail.media = true);
        }
    }
}

impl Seat {
    /// The pointer as this participant has to draw it.
    pub(crate) fn cursor(&self) -> CursorNow {
        let shared = self.hub.lock();
        let own = shared.floor.driver() == Some(self.id);
        let CursorShared {
            shape,
            x,
            y,
            drawn,
            locked,
        } = &shared.cursor;
        let (kind, visible, image, number) = match shape {
            // Nobody shall see two.
            _ if *drawn => ("none", false, None, None),
            Shape::Hidden => ("none", false, None, None),
            Shape::Named(name) => (name.as_str(), true, None, None),
            Shape::Image { id, image } => (DEFAULT, true, Some(image.clone()), Some(*id)),
        };
        let cursor = graphical::Cursor {
            kind: kind.to_owned(),
            x: *x,
            y: *y,
            visible,
            image,
            locked: *locked,
        };
        CursorNow {
            cursor,
            image: number,
            own,
        }
    }

    /// Says whether this participant's client draws the pointer itself.
    ///
    /// While somebody's does not, the picture shows it, and everybody sees that one.
    pub(crate) fn set_draws_cursor(&self, draws: bool) {
        let mut shared = self.hub.lock();
        if let Some(member) = shared.members.get_mut(&self.id) {
            member.draws_cursor = draws;
        }
        shared.follow_cursor(self.hub.desktop());
    }

    /// The properties of the video, as far as they are known, and whether this participant is
    /// listened to.
    pub(crate) fn media(&self) -> Option<MediaState> {
        let shared = self.hub.lock();
        let speaks = shared.voice.is_heard(self.id);
        let media = shared.media.clone().or(speaks.then(MediaState::default));
        media.map(|media| MediaState {
            mic: Some(speaks),
            ..media
        })
    }
}

impl Shared {
    /// Puts the pointer into the picture when somebody cannot draw it or it is recorded, and takes it
    /// out again.
    pub(super) fn follow_cursor(&mut self, desktop: Option<&dyn Desktop>) {
        let drawn =
            self.recording.has_pointer || self.members.values().any(|member| !member.draws_cursor);
        if self.cursor.drawn == drawn {
            return;
        }
        self.cursor.drawn = drawn;
        if let Some(desktop) = desktop {
            desktop.draw_cursor(drawn);
        }
        self.announce_cursor();
    }

    fn set_cursor(&mut self, cursor: Cursor) {
        self.cursor.shape = match cursor.shape {
            CursorShape::Hidden => Shape::Hidden,
            CursorShape::Named(name) => Shape::Named(name),
            CursorShape::Image(image) => self.picture(&image),
        };
        self.announce_cursor();
    }

    /// Lets everybody look at the pointer again.
    fn announce_cursor(&self) {
        for member in self.members.values() {
            member.mailbox.put(|mail| mail.cursor = true);
        }
    }

    fn picture(&self, image: &CursorImage) -> Shape {
        match png::encode(image) {
            Ok(png) => Shape::Image {
                id: number(&png),
                image: graphical::CursorImage::New {
                    id: number(&png),
                    width: image.width,
                    height: image.height,
                    hotspot_x: image.hotspot_x,
                    hotspot_y: image.hotspot_y,
                    png,
                },
            },
            Err(error) => {
                tracing::error!(%error, "a cursor picture is not as large as it says");
                Shape::default()
            }
        }
    }

    /// Follows the pointer, for those who do not move it.
    pub(super) fn move_cursor(&mut self, x: f64, y: f64) {
        let at = (whole(x), whole(y));
        if (self.cursor.x, self.cursor.y) == at {
            return;
        }
        (self.cursor.x, self.cursor.y) = at;
        let driver = self.floor.driver();
        for (id, member) in &self.members {
            if Some(*id) != driver {
                member.mailbox.put(|mail| mail.cursor = true);
            }
        }
    }

    /// Tells whoever drives how a drag goes.
    fn tell_driver(&self, event: DragEvent) {
        let driver = self.floor.driver().and_then(|id| self.members.get(&id));
        if let Some(member) = driver {
            member.mailbox.put(|mail| {
                if mail.drags.len() >= DRAGS {
                    mail.drags.pop_front();
                }
                mail.drags.push_back(event);
            });
        }
    }
}

/// A number for a picture that is the same whenever the picture is (FNV-1a).
fn number(png: &Bytes) -> u32 {
    let hash = |hash: u32, byte: &u8| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193);
    png.iter().fold(0x811C_9DC5, hash)
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "pixels of a picture are clamped to its size"
)]
fn whole(at: f64) -> i32 {
    at as i32
}

/// The news about drags that wait for a driver; one more drops the oldest.
const DRAGS: usize = 16;

/// The CSS name of the ordinary arrow.
const DEFAULT: &str = "default";
