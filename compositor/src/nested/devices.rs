//! The seat of the host, and what is held on its devices.

use vroom_desktop::{Evdev, InputEvent, KeyState};
use wayland_client::protocol::wl_pointer::WlPointer;
use wayland_client::protocol::wl_registry::WlRegistry;
use wayland_client::protocol::wl_seat::{self, Capability, WlSeat};
use wayland_client::{Connection, Dispatch, Proxy as _, QueueHandle, WEnum};

use super::keyboard::Keyboard;
use super::pointer::Pointer;
use super::touch::Touch;
use super::window::View;

/// The devices of the host's first seat.
#[derive(Default)]
pub(super) struct Devices {
    seat: Option<(u32, WlSeat)>,
    pub(super) pointer: Option<Pointer>,
    pub(super) keyboard: Option<Keyboard>,
    pub(super) touch: Option<Touch>,
}

impl Devices {
    /// The pointer while it is over the window, and by what event it came.
    pub(super) fn pointer_over(&self) -> Option<(WlPointer, u32)> {
        let pointer = self.pointer.as_ref()?;
        Some((pointer.device.clone(), pointer.entered?))
    }
}

impl View {
    /// Takes the first seat that the host has.
    pub(super) fn seat_came(
        &mut self,
        registry: &WlRegistry,
        number: u32,
        interface: &str,
        version: u32,
    ) {
        if interface == WlSeat::interface().name && self.devices.seat.is_none() {
            let seat = registry.bind(number, version.min(SEAT_VERSION), &self.handle, ());
            self.devices.seat = Some((number, seat));
        }
    }

    /// Lets go of the seat when it is the one that went.
    pub(super) fn seat_went(&mut self, number: u32) {
        if self
            .devices
            .seat
            .take_if(|(have, _)| *have == number)
            .is_some()
        {
            self.set_devices(Capability::empty());
        }
    }

    /// Uses the devices that there are.
    fn set_devices(&mut self, has: Capability) {
        let seat = self.devices.seat.as_ref().map(|(_, seat)| seat.clone());
        let with = |device| seat.clone().filter(|_| has.contains(device));
        let handle = self.handle.clone();
        match (with(Capability::Pointer), &self.devices.pointer) {
            (Some(seat), None) => {
                let pointer = seat.get_pointer(&handle, ());
                self.devices.pointer = Some(Pointer::new(pointer));
            }
            (None, Some(_)) => self.lose_pointer(),
            _ => {}
        }
        match (with(Capability::Keyboard), &self.devices.keyboard) {
            (Some(seat), None) => {
                let keyboard = seat.get_keyboard(&handle, ());
                self.devices.keyboard = Some(Keyboard::new(keyboard));
            }
            (None, Some(_)) => self.lose_keyboard(),
            _ => {}
        }
        match (with(Capability::Touch), &self.devices.touch) {
            (Some(seat), None) => {
                let touch = seat.get_touch(&handle, ());
                self.devices.touch = Some(Touch::new(touch));
            }
            (None, Some(_)) => self.lose_touch(),
            _ => {}
        }
    }

    /// Lets go of all that is held in the window.
    pub(super) fn release_everything(&mut self) {
        self.lose_pointer();
        self.lose_keyboard();
        self.lose_touch();
    }

    pub(super) fn inject_key(&self, code: u16, state: KeyState) {
        let code = Evdev(code);
        self.inject(InputEvent::Key { code, state });
    }
}

impl Dispatch<WlSeat, ()> for View {
    fn event(
        view: &mut Self,
        seat: &WlSeat,
        event: wl_seat::Event,
        (): &(),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        let ours = view
            .devices
            .seat
            .as_ref()
            .is_some_and(|(_, have)| have == seat);
        if let wl_seat::Event::Capabilities {
            capabilities: WEnum::Value(has),
        } = event
            && ours
        {
            view.set_devices(has);
        }
    }
}

/// The newest seat that we know: wheels in parts of a notch, keys without repetitions.
const SEAT_VERSION: u32 = 9;
