//! Fingers on the window.

use std::collections::BTreeSet;

use vroom_desktop::InputEvent;
use wayland_client::protocol::wl_touch::{self, WlTouch};
use wayland_client::{Connection, Dispatch, Proxy as _, QueueHandle};

use super::window::View;

/// The touch screen, and the fingers on it.
pub(super) struct Touch {
    device: WlTouch,
    fingers: BTreeSet<u32>,
}

impl Touch {
    pub(super) fn new(device: WlTouch) -> Self {
        Self {
            device,
            fingers: BTreeSet::new(),
        }
    }
}

impl View {
    /// Lifts all fingers.
    fn lift(&mut self) {
        let touch = self.devices.touch.as_mut();
        let fingers = touch.map(|touch| std::mem::take(&mut touch.fingers));
        for id in fingers.into_iter().flatten() {
            self.inject(InputEvent::TouchUp { id });
        }
    }

    /// The host has no touch screen any more.
    pub(super) fn lose_touch(&mut self) {
        self.lift();
        if let Some(touch) = self.devices.touch.take()
            && touch.device.version() >= RELEASE_SINCE
        {
            touch.device.release();
        }
    }
}

impl Dispatch<WlTouch, ()> for View {
    fn event(
        view: &mut Self,
        _: &WlTouch,
        event: wl_touch::Event,
        (): &(),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        let Some(touch) = &mut view.devices.touch else {
            return;
        };
        match event {
            wl_touch::Event::Down { id, x, y, .. } => {
                let Some(id) = number(id) else { return };
                if touch.fingers.len() < FINGERS && touch.fingers.insert(id) {
                    let (x, y) = view.to_desktop(x, y);
                    view.inject(InputEvent::TouchDown { id, x, y });
                }
            }
            wl_touch::Event::Motion { id, x, y, .. } => {
                let Some(id) = number(id) else { return };
                if touch.fingers.contains(&id) {
                    let (x, y) = view.to_desktop(x, y);
                    view.inject(InputEvent::TouchMotion { id, x, y });
                }
            }
            wl_touch::Event::Up { id, .. } => {
                let Some(id) = number(id) else { return };
                if touch.fingers.remove(&id) {
                    view.inject(InputEvent::TouchUp { id });
                }
            }
            wl_touch::Event::Cancel => view.lift(),
            _ => {}
        }
    }
}

/// The number of a finger, which is none that a finger of somebody else has.
fn number(id: i32) -> Option<u32> {
    u32::try_from(id).ok().map(|id| id | AT_HOME)
}

/// Tells fingers on the window from those of others.
const AT_HOME: u32 = 1 << 30;

/// The fingers at a time; one more is not passed on.
const FINGERS: usize = 32;

/// The version of touch screens since which they can be given back.
const RELEASE_SINCE: u32 = 3;
