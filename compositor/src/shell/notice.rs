//! What a person reads where the session's program would be.

use smithay::backend::renderer::pixman::PixmanRenderer;
use smithay::utils::{Logical, Rectangle, Size};

use super::centred;
use crate::paint::{Area, Canvas, Ink, Picture};
use crate::state::State;

/// Why there is nothing to see.
#[derive(Debug)]
pub(crate) struct Notice {
    what: String,
    next: &'static str,
    picture: Option<(f64, Picture)>,
}

impl Notice {
    /// Gives the memory back.
    pub(super) fn release(&mut self) {
        self.picture = None;
    }

    /// Paints it where that was not done yet.
    fn picture(
        &mut self,
        renderer: &mut PixmanRenderer,
        area: Rectangle<i32, Logical>,
        scale: f64,
    ) -> Option<Picture> {
        let fits = self
            .picture
            .as_ref()
            .is_some_and(|(at, _)| (at - scale).abs() < f64::EPSILON);
        if !fits {
            let picture = paint(renderer, self, area, scale)?;
            self.picture = Some((scale, picture));
        }
        self.picture.as_ref().map(|(_, picture)| picture.clone())
    }
}

impl State {
    /// Says on the picture why the session's program is gone, until a window covers it.
    pub(crate) fn show_notice(&mut self, what: &str, next: &'static str) {
        self.shell.notice = Some(Notice {
            what: what.to_owned(),
            next,
            picture: None,
        });
        self.clock.want();
    }

    /// Says on the picture that a program switched the output off.
    pub(crate) fn show_that_it_is_off(&mut self) {
        self.shell.off = Some(Notice {
            what: "A program switched this screen off".to_owned(),
            next: "Move the pointer or press a key to switch it on.",
            picture: None,
        });
    }

    /// Whether programs see no output.
    pub(crate) const fn output_is_off(&self) -> bool {
        self.shell.off.is_some()
    }

    /// What is seen instead of an output that is off.
    pub(super) fn off_picture(&mut self) -> Option<Picture> {
        let area = self.notice_area();
        let scale = self.scale();
        let Self { shell, screen, .. } = self;
        let notice = shell.off.as_mut()?;
        notice.picture(screen.renderer(), area, scale)
    }

    /// Takes the notice away.
    pub(crate) fn clear_notice(&mut self) {
        if self.shell.notice.take().is_some() {
            self.clock.want();
        }
    }

    /// Where a notice is.
    pub(super) fn notice_area(&self) -> Rectangle<i32, Logical> {
        let area = self.work_area();
        let size = Size::from((WIDTH_PX.min(area.size.w), HEIGHT_PX.min(area.size.h)));
        Rectangle::new(centred(area, size), size)
    }

    /// The notice, if it is to be seen: while nothing else is.
    pub(super) fn notice_picture(&mut self) -> Option<Picture> {
        if self.shell.space.elements().next().is_some() {
            return None;
        }
        let area = self.notice_area();
        let scale = self.scale();
        let Self { shell, screen, .. } = self;
        let notice = shell.notice.as_mut()?;
        notice.picture(screen.renderer(), area, scale)
    }
}

fn paint(
    renderer: &mut PixmanRenderer,
    notice: &Notice,
    area: Rectangle<i32, Logical>,
    scale: f64,
) -> Option<Picture> {
    let (width, height) = (area.size.w as f32, area.size.h as f32);
    let mut canvas = Canvas::new(width, height, scale)?;
    canvas.round(
        Area::new(0.0, 0.0, width, height),
        16.0,
        Ink(30, 34, 45, 0.96),
    );
    let rim = Area::new(0.5, 0.5, width - 1.0, height - 1.0);
    canvas.outline(rim, 15.5, 1.0, Ink(255, 255, 255, 0.10));
    canvas.circle(44.0, height / 2.0, 17.0, Ink(235, 168, 75, 0.18));
    canvas.circle(44.0, height / 2.0, 11.0, Ink(235, 168, 75, 1.0));
    let dark = Ink(30, 34, 45, 1.0);
    canvas.line(
        &[(44.0, height / 2.0 - 5.5), (44.0, height / 2.0 + 1.0)],
        2.2,
        dark,
    );
    canvas.circle(44.0, height / 2.0 + 5.2, 1.5, dark);
    let room = width - 100.0;
    let bright = Ink(240, 243, 248, 1.0);
    canvas.text(&notice.what, (78.0, height / 2.0 - 4.0), 15.0, room, bright);
    canvas.text(
        notice.next,
        (78.0, height / 2.0 + 18.0),
        12.5,
        room,
        bright.faded(0.62),
    );
    canvas.finish(renderer, false)
}

const WIDTH_PX: i32 = 460;

const HEIGHT_PX: i32 = 96;
