//! wlr-output-management: programs that set the output up, such as wlr-randr and kanshi.

use std::sync::{Arc, Mutex, PoisonError};

use smithay::reexports::wayland_protocols_wlr::output_management::v1::server::zwlr_output_configuration_head_v1::{
    self, Error as HeadError, ZwlrOutputConfigurationHeadV1,
};
use smithay::reexports::wayland_protocols_wlr::output_management::v1::server::zwlr_output_configuration_v1::{
    self, Error, ZwlrOutputConfigurationV1,
};
use smithay::reexports::wayland_protocols_wlr::output_management::v1::server::zwlr_output_head_v1::{
    AdaptiveSyncState, ZwlrOutputHeadV1,
};
use smithay::reexports::wayland_protocols_wlr::output_management::v1::server::zwlr_output_manager_v1::{
    self, ZwlrOutputManagerV1,
};
use smithay::reexports::wayland_protocols_wlr::output_management::v1::server::zwlr_output_mode_v1::ZwlrOutputModeV1;
use smithay::reexports::wayland_protocols_wlr::output_management::v1::server::{
    zwlr_output_head_v1, zwlr_output_mode_v1,
};
use smithay::reexports::wayland_server::backend::ClientId;
use smithay::reexports::wayland_server::{
    Client, DataInit, Dispatch, DisplayHandle, GlobalDispatch, New, Resource, WEnum,
};
use smithay::utils::Transform;
use vroom_desktop::Size;

use super::sandbox::{self, Trusted};
use crate::output::Setup;
use crate::state::State;

/// The programs that look at the output and may set it up.
#[derive(Debug, Default)]
pub(crate) struct OutputManagers {
    all: Vec<Manager>,
    /// Changes with all that is told.
    serial: u32,
}

/// What one program knows.
#[derive(Debug)]
struct Manager {
    object: ZwlrOutputManagerV1,
    head: ZwlrOutputHeadV1,
    modes: Vec<ZwlrOutputModeV1>,
}

/// The mode that an object stands for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Offered {
    size: Size,
    refresh_mhz: u32,
}

/// What a program puts together before it is applied.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    serial: u32,
    /// Nothing until the program said something about the head.
    head: Option<Wish>,
    used: bool,
}

#[derive(Clone, Debug, PartialEq)]
enum Wish {
    Off,
    On(Wanted),
}

/// Each may be set once.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Wanted {
    setup: Setup,
    position: Option<(i32, i32)>,
    adaptive_sync: Option<bool>,
    has_mode: bool,
}

impl Wanted {
    /// There is one output, it lies at the origin, and no screen follows its programs.
    fn is_plain(&self) -> bool {
        self.position.is_none_or(|at| at == (0, 0)) && self.adaptive_sync != Some(true)
    }
}

/// Puts the global into the registry.
pub(super) fn offer(display: &DisplayHandle) {
    display.create_global::<State, ZwlrOutputManagerV1, Trusted>(4, Trusted);
}

impl State {
    /// Tells the programs that look at the output how it is now.
    pub(crate) fn announce_output(&mut self) {
        self.output_managers.serial = self.output_managers.serial.wrapping_add(1);
        let mut managers = std::mem::take(&mut self.output_managers.all);
        for manager in &mut managers {
            self.tell_manager(manager);
        }
        self.output_managers.all = managers;
    }

    fn tell_manager(&self, manager: &mut Manager) {
        let on = !self.output_is_off();
        let head = &manager.head;
        head.enabled(i32::from(on));
        let shown = Offered {
            size: self.mode_size(),
            refresh_mhz: self.clock.refresh_mhz(),
        };
        let refresh_mhz = shown.refresh_mhz;
        let listed = LISTED.map(|(width, height)| Offered {
            size: Size::new(width, height),
            refresh_mhz,
        });
        // A program that switches the output on chooses what it is told to prefer.
        let is_new = manager.modes.is_empty();
        self.offer_mode(&manager.object, head, &mut manager.modes, shown);
        if let Some(mode) = manager.modes.first().filter(|_| is_new) {
            mode.preferred();
        }
        for mode in listed {
            self.offer_mode(&manager.object, head, &mut manager.modes, mode);
        }
        // What nobody would choose again goes with the size or the rate that it was for.
        manager.modes.retain(|mode| {
            let mode_of = offered(mode);
            let stays = mode_of == Some(shown) || listed.iter().any(|each| mode_of == Some(*each));
            if !stays {
                mode.finished();
            }
            stays
        });
        if on {
            let current = manager
                .modes
                .iter()
                .find(|mode| offered(mode) == Some(shown));
            if let Some(current) = current {
                head.current_mode(current);
            }
            head.position(0, 0);
            head.transform(self.output.current_transform().into());
            head.scale(self.scale());
            if head.version() >= zwlr_output_head_v1::EVT_ADAPTIVE_SYNC_SINCE {
                head.adaptive_sync(AdaptiveSyncState::Disabled);
            }
        }
        manager.object.done(self.output_managers.serial);
    }

    /// Adds a mode that a program does not know yet.
    fn offer_mode(
        &self,
        manager: &ZwlrOutputManagerV1,
        head: &ZwlrOutputHeadV1,
        modes: &mut Vec<ZwlrOutputModeV1>,
        mode: Offered,
    ) {
        if modes.iter().any(|have| offered(have) == Some(mode)) {
            return;
        }
        let Some(client) = manager.client() else {
            return;
        };
        let version = manager.version().min(3);
        let Ok(object) =
            client.create_resource::<ZwlrOutputModeV1, _, Self>(&self.display, version, mode)
        else {
            return;
        };
        let side = |value: u32| i32::try_from(value).unwrap_or(i32::MAX);
        head.mode(&object);
        object.size(side(mode.size.width), side(mode.size.height));
        object.refresh(side(mode.refresh_mhz));
        modes.push(object);
    }

    /// Shows the head to a program that has just bound the manager.
    fn introduce(&mut self, client: &Client, object: ZwlrOutputManagerV1) {
        let full = self.output_managers.all.len() >= MANAGERS;
        let head = client.create_resource::<ZwlrOutputHeadV1, _, Self>(
            &self.display,
            object.version(),
            (),
        );
        let (Ok(head), false) = (head, full) else {
            return object.finished();
        };
        object.head(&head);
        head.name(self.output.name());
        head.description(self.output.description());
        if head.version() >= zwlr_output_head_v1::EVT_MAKE_SINCE {
            let properties = self.output.physical_properties();
            head.make(properties.make);
            head.model(properties.model);
        }
        let mut manager = Manager {
            object,
            head,
            modes: Vec::new(),
        };
        self.tell_manager(&mut manager);
        self.output_managers.all.push(manager);
    }

    /// Whether a draft can be had, and if so makes it true unless it is only tried.
    fn judge(&mut self, wish: &Wish, only_try: bool) -> bool {
        match wish {
            Wish::Off => {
                if !only_try {
                    self.switch_output(false);
                }
            }
            Wish::On(wanted) => {
                if !wanted.is_plain() || !self.can_be(&wanted.setup) {
                    return false;
                }
                if !only_try {
                    self.set_up(&wanted.setup);
                    self.switch_output(true);
                }
            }
        }
        true
    }
}

fn offered(mode: &ZwlrOutputModeV1) -> Option<Offered> {
    mode.data::<Offered>().copied()
}

impl GlobalDispatch<ZwlrOutputManagerV1, Trusted> for State {
    fn bind(
        state: &mut Self,
        _: &DisplayHandle,
        client: &Client,
        resource: New<ZwlrOutputManagerV1>,
        _: &Trusted,
        data_init: &mut DataInit<'_, Self>,
    ) {
        let object = data_init.init(resource, ());
        state.introduce(client, object);
    }

    fn can_view(client: Client, _: &Trusted) -> bool {
        sandbox::is_trusted(&client)
    }
}

impl Dispatch<ZwlrOutputManagerV1, ()> for State {
    fn request(
        state: &mut Self,
        _: &Client,
        manager: &ZwlrOutputManagerV1,
        request: zwlr_output_manager_v1::Request,
        (): &(),
        _: &DisplayHandle,
        data_init: &mut DataInit<'_, Self>,
    ) {
        use zwlr_output_manager_v1::Request;
        match request {
            Request::CreateConfiguration { id, serial } => {
                let draft = Draft {
                    serial,
                    ..Draft::default()
                };
                data_init.init(id, Arc::new(Mutex::new(draft)));
            }
            Request::Stop => {
                let managers = &mut state.output_managers.all;
                managers.retain(|have| have.object != *manager);
                manager.finished();
            }
            _ => {}
        }
    }

    fn destroyed(state: &mut Self, _: ClientId, manager: &ZwlrOutputManagerV1, (): &()) {
        let managers = &mut state.output_managers.all;
        managers.retain(|have| have.object != *manager);
    }
}

impl Dispatch<ZwlrOutputHeadV1, ()> for State {
    fn request(
        _: &mut Self,
        _: &Client,
        _: &ZwlrOutputHeadV1,
        _: zwlr_output_head_v1::Request,
        (): &(),
        _: &DisplayHandle,
        _: &mut DataInit<'_, Self>,
    ) {
        // It can only be released.
    }
}

impl Dispatch<ZwlrOutputModeV1, Offered> for State {
    fn request(
        _: &mut Self,
        _: &Client,
        _: &ZwlrOutputModeV1,
        _: zwlr_output_mode_v1::Request,
        _: &Offered,
        _: &DisplayHandle,
        _: &mut DataInit<'_, Self>,
    ) {
        // It can only be released.
    }
}

/// A draft that its parts share.
pub(crate) type Shared = Arc<Mutex<Draft>>;

impl Dispatch<ZwlrOutputConfigurationV1, Shared> for State {
    fn request(
        state: &mut Self,
        _: &Client,
        object: &ZwlrOutputConfigurationV1,
        request: zwlr_output_configuration_v1::Request,
        shared: &Shared,
        _: &DisplayHandle,
        data_init: &mut DataInit<'_, Self>,
    ) {
        use zwlr_output_configuration_v1::Request;
        let mut draft = shared.lock().unwrap_or_else(PoisonError::into_inner);
        if !matches!(request, Request::Destroy) && draft.used {
            return object.post_error(Error::AlreadyUsed, "it was applied or tried before");
        }
        let only_try = matches!(request, Request::Test);
        match request {
            Request::EnableHead { id, .. } => {
                data_init.init(id, Arc::clone(shared));
                if draft.head.is_some() {
                    let why = "the head is already set up";
                    return object.post_error(Error::AlreadyConfiguredHead, why);
                }
                draft.head = Some(Wish::On(Wanted::default()));
            }
            Request::DisableHead { .. } => {
                if draft.head.is_some() {
                    let why = "the head is already set up";
                    return object.post_error(Error::AlreadyConfiguredHead, why);
                }
                draft.head = Some(Wish::Off);
            }
            Request::Apply | Request::Test => {
                let Some(wish) = draft.head.clone() else {
                    let why = "nothing was said of the head";
                    return object.post_error(Error::UnconfiguredHead, why);
                };
                draft.used = true;
                if draft.serial != state.output_managers.serial {
                    return object.cancelled();
                }
                drop(draft);
                if state.judge(&wish, only_try) {
                    object.succeeded();
                } else {
                    object.failed();
                }
            }
            _ => {}
        }
    }
}

impl Dispatch<ZwlrOutputConfigurationHeadV1, Shared> for State {
    fn request(
        _: &mut Self,
        _: &Client,
        object: &ZwlrOutputConfigurationHeadV1,
        request: zwlr_output_configuration_head_v1::Request,
        shared: &Shared,
        _: &DisplayHandle,
        _: &mut DataInit<'_, Self>,
    ) {
        let mut draft = shared.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(Wish::On(wanted)) = &mut draft.head else {
            return;
        };
        if let Err((error, why)) = wanted.take(request) {
            object.post_error(error, why);
        }
    }
}

impl Wanted {
    fn take(
        &mut self,
        request: zwlr_output_configuration_head_v1::Request,
    ) -> Result<(), (HeadError, &'static str)> {
        use zwlr_output_configuration_head_v1::Request;
        match request {
            Request::SetMode { mode } => {
                once(std::mem::replace(&mut self.has_mode, true))?;
                let mode = offered(&mode);
                let mode = mode.ok_or((HeadError::InvalidMode, "the mode is of nobody"))?;
                self.setup.mode = Some(mode.size);
            }
            Request::SetCustomMode {
                width,
                height,
                refresh,
            } => {
                once(std::mem::replace(&mut self.has_mode, true))?;
                let invalid = (HeadError::InvalidCustomMode, "no screen has such a mode");
                let side = |value: i32| u32::try_from(value).ok().filter(|value| *value > 0);
                let (Some(width), Some(height)) = (side(width), side(height)) else {
                    return Err(invalid);
                };
                let refresh = u32::try_from(refresh).map_err(|_| invalid)?;
                self.setup.mode = Some(Size::new(width, height));
                self.setup.refresh_hz = (refresh > 0).then_some(refresh.div_ceil(1000));
            }
            Request::SetPosition { x, y } => {
                once(self.position.replace((x, y)).is_some())?;
            }
            Request::SetTransform { transform } => {
                let WEnum::Value(transform) = transform else {
                    return Err((HeadError::InvalidTransform, "there is no such transform"));
                };
                let transform = Transform::from(transform);
                once(self.setup.transform.replace(transform).is_some())?;
            }
            Request::SetScale { scale } => {
                if scale <= 0.0 {
                    return Err((HeadError::InvalidScale, "a scale is larger than nothing"));
                }
                once(self.setup.scale.replace(scale).is_some())?;
            }
            Request::SetAdaptiveSync { state } => {
                let WEnum::Value(state) = state else {
                    let why = "it is on or off";
                    return Err((HeadError::InvalidAdaptiveSyncState, why));
                };
                let on = state == AdaptiveSyncState::Enabled;
                once(self.adaptive_sync.replace(on).is_some())?;
            }
            _ => {}
        }
        Ok(())
    }
}

const fn once(again: bool) -> Result<(), (HeadError, &'static str)> {
    if again {
        return Err((HeadError::AlreadySet, "it was set before"));
    }
    Ok(())
}

/// The modes that programs may choose from by name, in pixels; any other can be had, too.
const LISTED: [(u32, u32); 8] = [
    (800, 600),
    (1024, 768),
    (1280, 720),
    (1280, 800),
    (1366, 768),
    (1920, 1080),
    (2560, 1440),
    (3840, 2160),
];

/// The most programs that are told; further ones are told that it is over.
const MANAGERS: usize = 64;
