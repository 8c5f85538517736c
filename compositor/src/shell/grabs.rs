//! Moving and resizing windows with the pointer.

use smithay::input::SeatHandler;
use smithay::input::pointer::{
    AxisFrame, ButtonEvent, CursorIcon, Focus, GestureHoldBeginEvent, GestureHoldEndEvent,
    GesturePinchBeginEvent, GesturePinchEndEvent, GesturePinchUpdateEvent, GestureSwipeBeginEvent,
    GestureSwipeEndEvent, GestureSwipeUpdateEvent, GrabStartData, MotionEvent, PointerGrab,
    PointerInnerHandle, RelativeMotionEvent,
};
use smithay::reexports::wayland_protocols::xdg::shell::server::xdg_toplevel::ResizeEdge;
use smithay::reexports::wayland_server::protocol::wl_surface::WlSurface;
use smithay::utils::{IsAlive as _, Logical, Point, Rectangle, Serial, Size};

use super::focus::surface_of;
use super::{Fill, Managed, Snap, Window, kept_inside};
use crate::ShellStyle;
use crate::state::State;

type Under = Option<(<State as SeatHandler>::PointerFocus, Point<f64, Logical>)>;

/// A window follows the pointer.
pub(crate) struct MoveGrab {
    start: GrabStartData<State>,
    window: Window,
    from: Point<i32, Logical>,
    /// Whether it floats already.
    floats: bool,
}

/// An edge or a corner of a window follows the pointer.
pub(crate) struct ResizeGrab {
    start: GrabStartData<State>,
    surface: WlSurface,
}

/// Which edges of a window are dragged.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct ResizingEdge {
    pub(crate) left: bool,
    pub(crate) right: bool,
    pub(crate) top: bool,
    pub(crate) bottom: bool,
}

/// A resize in progress, or one whose last commit is still to come.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Resizing {
    edges: ResizingEdge,
    from: Rectangle<i32, Logical>,
    /// Whether the button is still held.
    pub(super) held: bool,
}

impl From<ResizeEdge> for ResizingEdge {
    fn from(edge: ResizeEdge) -> Self {
        use ResizeEdge as E;
        Self {
            left: matches!(edge, E::Left | E::TopLeft | E::BottomLeft),
            right: matches!(edge, E::Right | E::TopRight | E::BottomRight),
            top: matches!(edge, E::Top | E::TopLeft | E::TopRight),
            bottom: matches!(edge, E::Bottom | E::BottomLeft | E::BottomRight),
        }
    }
}

impl From<smithay::xwayland::xwm::ResizeEdge> for ResizingEdge {
    fn from(edge: smithay::xwayland::xwm::ResizeEdge) -> Self {
        use smithay::xwayland::xwm::ResizeEdge as E;
        Self {
            left: matches!(edge, E::Left | E::TopLeft | E::BottomLeft),
            right: matches!(edge, E::Right | E::TopRight | E::BottomRight),
            top: matches!(edge, E::Top | E::TopLeft | E::TopRight),
            bottom: matches!(edge, E::Bottom | E::BottomLeft | E::BottomRight),
        }
    }
}

impl ResizingEdge {
    /// The pointer's shape over these edges.
    pub(crate) const fn cursor(self) -> CursorIcon {
        match (self.left, self.right, self.top, self.bottom) {
            (true, _, true, _) | (_, true, _, true) => CursorIcon::NwseResize,
            (true, _, _, true) | (_, true, true, _) => CursorIcon::NeswResize,
            (true, ..) | (_, true, ..) => CursorIcon::EwResize,
            _ => CursorIcon::NsResize,
        }
    }

    /// The corner of an area that a point is nearest to.
    pub(crate) fn nearest(area: Rectangle<i32, Logical>, at: Point<f64, Logical>) -> Self {
        let left = at.x < f64::from(area.loc.x) + f64::from(area.size.w) / 2.0;
        let top = at.y < f64::from(area.loc.y) + f64::from(area.size.h) / 2.0;
        Self {
            left,
            right: !left,
            top,
            bottom: !top,
        }
    }

    /// The size of a rectangle after these edges moved by `delta`.
    fn resized(self, from: Size<i32, Logical>, delta: Point<f64, Logical>) -> Size<i32, Logical> {
        let delta: Point<i32, Logical> = delta.to_i32_round();
        let side = |length: i32, delta: i32, low: bool, high: bool| match (low, high) {
            (true, _) => length.saturating_sub(delta),
            (false, true) => length.saturating_add(delta),
            (false, false) => length,
        };
        let width = side(from.w, delta.x, self.left, self.right);
        let height = side(from.h, delta.y, self.top, self.bottom);
        (width.max(1), height.max(1)).into()
    }
}

impl State {
    /// Lets a floating window follow the pointer until the button is released.
    pub(crate) fn start_move(
        &mut self,
        window: &Window,
        start: GrabStartData<Self>,
        serial: Serial,
    ) {
        let Some(surface) = surface_of(window) else {
            return;
        };
        let Some(from) = self.shell.space.element_location(window) else {
            return;
        };
        let floats = match self.fill(&surface) {
            Some(Fill::None) => true,
            // Dragged away from where it fills the desktop, it floats again.
            Some(Fill::Maximized | Fill::Snapped(_)) => {
                if self.shell.style != ShellStyle::Desktop {
                    return;
                }
                false
            }
            Some(Fill::Fullscreen { .. }) | None => return,
        };
        let grab = MoveGrab {
            start,
            window: window.clone(),
            from,
            floats,
        };
        let pointer = self.pointer.clone();
        pointer.set_grab(self, grab, serial, Focus::Clear);
    }

    /// Lets edges of a floating window follow the pointer until the button is released.
    pub(crate) fn start_resize(
        &mut self,
        window: &Window,
        edges: ResizingEdge,
        start: GrabStartData<Self>,
        serial: Serial,
    ) {
        let Some(surface) = surface_of(window) else {
            return;
        };
        let Some(from) = self.shell.space.element_geometry(window) else {
            return;
        };
        let Some(managed) = self.shell.managed_mut(&surface) else {
            return;
        };
        if managed.fill != Fill::None || managed.is_fixed_size() {
            return;
        }
        managed.resizing = Some(Resizing {
            edges,
            from,
            held: true,
        });
        managed.floating = from;
        self.configure(&surface);
        let pointer = self.pointer.clone();
        pointer.set_grab(self, ResizeGrab { start, surface }, serial, Focus::Clear);
    }

    fn move_to(&mut self, window: &Window, to: Point<i32, Logical>) {
        if self.shell.space.element_location(window).is_none() {
            return;
        }
        let area = self.work_area();
        // A part of the window always stays where it can be taken hold of, and so does its bar.
        let handle: Size<i32, Logical> = (HANDLE_PX, HANDLE_PX).into();
        let size = window.geometry().size;
        let bar = surface_of(window)
            .and_then(|surface| self.shell.managed(&surface))
            .map_or(0, |managed| managed.bar(self.shell.style));
        let reach = (size.w - HANDLE_PX).max(0);
        let wide = Rectangle::new(
            area.loc - Point::from((reach, 0)),
            (
                area.size.w + reach + (size.w - HANDLE_PX).max(0),
                area.size.h + size.h,
            )
                .into(),
        );
        let mut to = kept_inside(wide, to, (size.w, size.h).into(), bar);
        to.y =
            to.y.min(area.loc.y + area.size.h + bar - handle.h.max(bar))
                .max(area.loc.y + bar);
        self.shell.relocate(window, to);
        if let Some(surface) = surface_of(window)
            && let Some(managed) = self.shell.managed_mut(&surface)
        {
            managed.floating.loc = to;
        }
        self.clock.want();
    }

    /// Where a window snaps to that is let go with the pointer here.
    fn snap_at(&self, at: Point<f64, Logical>) -> Option<Fill> {
        if self.shell.style != ShellStyle::Desktop {
            return None;
        }
        let area = self.output_area().to_f64();
        let work = self.work_area().to_f64();
        let left = at.x <= area.loc.x + SNAP_PX;
        let right = at.x >= area.loc.x + area.size.w - SNAP_PX;
        let upper = at.y <= work.loc.y + work.size.h / 5.0;
        let lower = at.y >= work.loc.y + work.size.h * 4.0 / 5.0;
        Some(match (left, right) {
            (true, _) if upper => Fill::Snapped(Snap::TopLeft),
            (true, _) if lower => Fill::Snapped(Snap::BottomLeft),
            (true, _) => Fill::Snapped(Snap::Left),
            (_, true) if upper => Fill::Snapped(Snap::TopRight),
            (_, true) if lower => Fill::Snapped(Snap::BottomRight),
            (_, true) => Fill::Snapped(Snap::Right),
            _ if at.y <= area.loc.y + SNAP_PX => Fill::Maximized,
            _ => return None,
        })
    }

    /// Shows where a window would snap to.
    fn preview_snap(&mut self, window: &Window, at: Point<f64, Logical>) {
        let fixed = surface_of(window)
            .and_then(|surface| self.shell.managed(&surface))
            .is_none_or(Managed::is_fixed_size);
        let area = self.work_area();
        let preview = self.snap_at(at).filter(|_| !fixed).map(|fill| match fill {
            Fill::Snapped(snap) => snap.of(area),
            _ => area,
        });
        if preview != self.shell.preview {
            self.shell.preview = preview;
            self.clock.want();
        }
    }

    /// Lets a window go at the end of a drag.
    fn drop_window(&mut self, window: &Window) {
        let at = self.pointer.current_location();
        if self.shell.preview.take().is_some()
            && let Some(fill) = self.snap_at(at)
            && let Some(surface) = surface_of(window)
        {
            self.set_fill(&surface, fill);
        }
        self.clock.want();
    }

    /// Lets a window float under the pointer that filled a part of the desktop.
    fn tear_off(
        &mut self,
        window: &Window,
        at: Point<f64, Logical>,
    ) -> Option<Point<i32, Logical>> {
        let surface = surface_of(window)?;
        let area = self.shell.space.element_geometry(window)?;
        let part = (at.x - f64::from(area.loc.x)) / f64::from(area.size.w.max(1));
        self.set_fill(&surface, Fill::None);
        let managed = self.shell.managed_mut(&surface)?;
        let width = f64::from(managed.floating.size.w);
        let x = at.x - (width * part.clamp(0.0, 1.0));
        let y = f64::from(area.loc.y);
        let to: Point<i32, Logical> = Point::from((x, y)).to_i32_round();
        managed.floating.loc = to;
        self.shell.relocate(window, to);
        Some(to)
    }

    /// Maximises a window, or brings it back.
    pub(crate) fn toggle_maximized(&mut self, window: &Window) {
        let Some(surface) = surface_of(window) else {
            return;
        };
        let resizable = self
            .shell
            .managed(&surface)
            .is_some_and(|managed| !managed.is_fixed_size());
        match self.fill(&surface) {
            Some(Fill::Maximized) => self.set_fill(&surface, Fill::None),
            Some(Fill::None | Fill::Snapped(_)) if resizable => {
                self.set_fill(&surface, Fill::Maximized);
            }
            _ => {}
        }
    }

    fn resize_by(&mut self, surface: &WlSurface, delta: Point<f64, Logical>) {
        let Some(managed) = self.shell.managed_mut(surface) else {
            return;
        };
        let Some(resizing) = managed.resizing else {
            return;
        };
        managed.floating.size = managed.clamp(resizing.edges.resized(resizing.from.size, delta));
        self.configure(surface);
    }

    fn end_resize(&mut self, surface: &WlSurface) {
        if let Some(managed) = self.shell.managed_mut(surface)
            && let Some(resizing) = &mut managed.resizing
        {
            resizing.held = false;
            self.configure(surface);
        }
    }

    /// Follows the size that a floating window has drawn itself at.
    pub(super) fn follow_size(&mut self, surface: &WlSurface) {
        let Some(managed) = self.shell.managed_mut(surface) else {
            return;
        };
        if managed.fill != Fill::None {
            return;
        }
        let size = managed.window.geometry().size;
        let (told, still) = managed.told();
        if let Some(resizing) = managed.resizing {
            let Rectangle { loc, size: old } = resizing.from;
            let x = if resizing.edges.left {
                loc.x + old.w - size.w
            } else {
                loc.x
            };
            let y = if resizing.edges.top {
                loc.y + old.h - size.h
            } else {
                loc.y
            };
            managed.floating.loc = (x, y).into();
            if !resizing.held && !still {
                managed.resizing = None;
                managed.floating.size = size;
            }
            let (window, location) = (managed.window.clone(), managed.floating.loc);
            self.shell.relocate(&window, location);
        } else if told.is_none_or(|told| told == managed.floating.size) {
            managed.floating.size = size;
        }
    }
}

/// The calls of a grab that do the same for moving and for resizing: nothing, or passing on.
macro_rules! passed_on {
    () => {
        fn relative_motion(
            &mut self,
            data: &mut State,
            handle: &mut PointerInnerHandle<'_, State>,
            under: Under,
            event: &RelativeMotionEvent,
        ) {
            handle.relative_motion(data, under, event);
        }

        fn button(
            &mut self,
            data: &mut State,
            handle: &mut PointerInnerHandle<'_, State>,
            event: &ButtonEvent,
        ) {
            handle.button(data, event);
            if handle.current_pressed().is_empty() {
                handle.unset_grab(self, data, event.serial, event.time, true);
            }
        }

        fn axis(
            &mut self,
            data: &mut State,
            handle: &mut PointerInnerHandle<'_, State>,
            details: AxisFrame,
        ) {
            handle.axis(data, details);
        }

        fn frame(&mut self, data: &mut State, handle: &mut PointerInnerHandle<'_, State>) {
            handle.frame(data);
        }

        passed_on!(gesture gesture_swipe_begin, GestureSwipeBeginEvent);
        passed_on!(gesture gesture_swipe_update, GestureSwipeUpdateEvent);
        passed_on!(gesture gesture_swipe_end, GestureSwipeEndEvent);
        passed_on!(gesture gesture_pinch_begin, GesturePinchBeginEvent);
        passed_on!(gesture gesture_pinch_update, GesturePinchUpdateEvent);
        passed_on!(gesture gesture_pinch_end, GesturePinchEndEvent);
        passed_on!(gesture gesture_hold_begin, GestureHoldBeginEvent);
        passed_on!(gesture gesture_hold_end, GestureHoldEndEvent);

        fn start_data(&self) -> &GrabStartData<State> {
            &self.start
        }
    };
    (gesture $name:ident, $event:ty) => {
        fn $name(
            &mut self,
            data: &mut State,
            handle: &mut PointerInnerHandle<'_, State>,
            event: &$event,
        ) {
            handle.$name(data, event);
        }
    };
}

impl PointerGrab<State> for MoveGrab {
    fn motion(
        &mut self,
        data: &mut State,
        handle: &mut PointerInnerHandle<'_, State>,
        _under: Under,
        event: &MotionEvent,
    ) {
        handle.motion(data, None, event);
        if !self.window.alive() {
            return;
        }
        let delta = event.location - self.start.location;
        if !self.floats {
            if delta.x.abs().max(delta.y.abs()) < TEAR_PX {
                return;
            }
            let Some(from) = data.tear_off(&self.window, self.start.location) else {
                return;
            };
            self.from = from;
            self.floats = true;
        }
        data.move_to(&self.window, self.from + delta.to_i32_round());
        data.preview_snap(&self.window, event.location);
    }

    fn unset(&mut self, data: &mut State) {
        let window = self.window.clone();
        // The pointer is locked while a grab ends.
        data.handle
            .insert_idle(move |data| data.drop_window(&window));
    }

    passed_on!();
}

impl PointerGrab<State> for ResizeGrab {
    fn motion(
        &mut self,
        data: &mut State,
        handle: &mut PointerInnerHandle<'_, State>,
        _under: Under,
        event: &MotionEvent,
    ) {
        handle.motion(data, None, event);
        if self.surface.alive() {
            data.resize_by(&self.surface, event.location - self.start.location);
        }
    }

    fn unset(&mut self, data: &mut State) {
        if self.surface.alive() {
            data.end_resize(&self.surface);
        }
    }

    passed_on!();
}

/// How much of a window stays on the output, in logical pixels.
const HANDLE_PX: i32 = 32;

/// How near to an edge a window snaps to it.
const SNAP_PX: f64 = 6.0;

/// How far a window that fills the desktop is dragged before it floats.
const TEAR_PX: f64 = 10.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges_move_the_way_they_are_dragged() {
        let from = Size::from((400, 300));
        let delta = Point::from((10.0, 20.0));
        let right_bottom = ResizingEdge::from(ResizeEdge::BottomRight);
        assert_eq!(right_bottom.resized(from, delta), (410, 320).into());
        let left_top = ResizingEdge::from(ResizeEdge::TopLeft);
        assert_eq!(left_top.resized(from, delta), (390, 280).into());
        let top = ResizingEdge::from(ResizeEdge::Top);
        assert_eq!(top.resized(from, delta), (400, 280).into());
    }

    #[test]
    fn the_nearest_corner_is_dragged() {
        let area = Rectangle::new((100, 100).into(), (100, 100).into());
        let corner = ResizingEdge::nearest(area, (110.0, 190.0).into());
        assert_eq!(corner, ResizingEdge::from(ResizeEdge::BottomLeft));
    }
}
