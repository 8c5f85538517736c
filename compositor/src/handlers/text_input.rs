//! text-input: text that arrives whole, from a person's own input method, as preedit and commit.
//!
//! It is served here and not by smithay, which forwards nothing without an input method program and
//! fails on numbers that it does not know.

use smithay::reexports::wayland_protocols::wp::text_input::zv3::server::zwp_text_input_manager_v3::{
    self, ZwpTextInputManagerV3,
};
use smithay::reexports::wayland_protocols::wp::text_input::zv3::server::zwp_text_input_v3::{
    self, ChangeCause, ContentHint, ContentPurpose, ZwpTextInputV3,
};
use smithay::reexports::wayland_server::backend::ClientId;
use smithay::reexports::wayland_server::protocol::wl_surface::WlSurface;
use smithay::reexports::wayland_server::{
    Client, DataInit, Dispatch, DisplayHandle, GlobalDispatch, New, Resource,
};
use smithay::utils::{IsAlive as _, Logical, Rectangle};

use crate::state::State;

/// The text fields that programs told us of.
#[derive(Debug, Default)]
pub(crate) struct TextInputs {
    fields: Vec<Field>,
    /// The surface with the keyboard, whose program was told so.
    focus: Option<WlSurface>,
    /// Whether the active field shows what a person composes.
    composing: bool,
}

/// One text input object.
#[derive(Debug)]
struct Field {
    object: ZwpTextInputV3,
    /// The commits so far, which our answers name.
    serial: u32,
    pending: Pending,
    enabled: bool,
    known: FieldState,
}

/// What a field sends before its commit.
#[derive(Debug, Default)]
struct Pending {
    enable: Option<bool>,
    state: FieldState,
}

/// What a field says about itself; `None` is what it does not say.
#[derive(Clone, Debug, Default)]
pub(super) struct FieldState {
    /// The text around the caret, and where caret and anchor lie in it, in bytes.
    pub(super) surrounding: Option<(String, u32, u32)>,
    /// Why the text changed.
    pub(super) cause: Option<ChangeCause>,
    /// What belongs into the field.
    pub(super) content: Option<(ContentHint, ContentPurpose)>,
    /// Where the caret is, in the surface.
    pub(super) caret: Option<Rectangle<i32, Logical>>,
}

impl TextInputs {
    /// The enabled field of the program that has the keyboard.
    fn active(&self) -> Option<&Field> {
        let focus = self.focus.as_ref().filter(|focus| focus.alive())?;
        self.fields
            .iter()
            .find(|field| field.enabled && field.object.id().same_client_as(&focus.id()))
    }

    /// Whether text can be committed to the focus.
    pub(crate) fn is_active(&self) -> bool {
        self.active().is_some()
    }

    /// The surface that the active field lies in, and its caret.
    pub(super) fn caret(&self) -> Option<(WlSurface, Rectangle<i32, Logical>)> {
        let field = self.active()?;
        Some((self.focus.clone()?, field.known.caret.unwrap_or_default()))
    }

    /// All that the active field says about itself.
    pub(super) fn known(&self) -> Option<FieldState> {
        self.active().map(|field| field.known.clone())
    }

    /// Lets go of a surface that ended, and of what it is drawn on with it.
    pub(super) fn forget(&mut self, gone: &WlSurface) {
        self.focus.take_if(|focus| focus == gone);
    }

    /// Tells the programs that the keyboard went from one to the other.
    fn set_focus(&mut self, focus: Option<&WlSurface>) {
        if self.focus.as_ref() == focus {
            return;
        }
        // A field that is left forgets it by itself.
        self.composing = false;
        if let Some(old) = self.focus.take().filter(WlSurface::alive) {
            for field in self.of(&old) {
                field.object.leave(&old);
                field.enabled = false;
            }
        }
        if let Some(new) = focus {
            for field in self.of(new) {
                field.object.enter(new);
            }
        }
        self.focus = focus.cloned();
    }

    fn of(&mut self, surface: &WlSurface) -> impl Iterator<Item = &mut Field> {
        let id = surface.id();
        self.fields
            .iter_mut()
            .filter(move |field| field.object.id().same_client_as(&id))
    }

    /// Shows what a person composes in the active field; an empty text takes it back.
    ///
    /// The caret lies between bytes of the text, as what is selected does.
    pub(crate) fn preedit(&mut self, text: &str, caret: Option<(usize, usize)>) {
        let goes_on = !text.is_empty();
        if !(goes_on || self.composing) {
            return;
        }
        let place = |at: usize| i32::try_from(at).ok();
        let caret = caret.and_then(|(begin, end)| place(begin).zip(place(end)));
        if let Some(field) = self.active() {
            let (begin, end) = caret.unwrap_or((-1, -1));
            let text = goes_on.then(|| text.to_owned());
            field.object.preedit_string(text, begin, end);
            field.object.done(field.serial);
        }
        self.composing = goes_on;
    }

    /// Puts text into the active field, in the place of what was composed there.
    pub(crate) fn commit(&mut self, text: &str) -> bool {
        self.composing = false;
        let Some(field) = self.active() else {
            return false;
        };
        field.object.commit_string(Some(text.to_owned()));
        field.object.done(field.serial);
        true
    }

    /// Calls the active field, as an input method does.
    pub(super) fn with_active(&self, call: impl FnOnce(&ZwpTextInputV3)) {
        if let Some(field) = self.active() {
            call(&field.object);
        }
    }

    /// Ends what an input method sent; `current` says whether it knew the newest state.
    pub(super) fn done(&self, current: bool) {
        if let Some(field) = self.active() {
            field.object.done(if current { field.serial } else { 0 });
        }
    }
}

impl State {
    /// The keyboard went to another surface.
    pub(super) fn text_focus(&mut self, focus: Option<&WlSurface>) {
        let was = self.text_inputs.is_active();
        self.text_inputs.set_focus(focus);
        if was {
            self.input_method_left();
        }
    }

    fn field_committed(&mut self, object: &ZwpTextInputV3) {
        let was = self.text_inputs.is_active();
        let others = self
            .text_inputs
            .active()
            .is_some_and(|active| active.object != *object);
        let focus = self.text_inputs.focus.clone();
        let Some(field) = self
            .text_inputs
            .fields
            .iter_mut()
            .find(|field| field.object == *object)
        else {
            return;
        };
        field.serial = field.serial.wrapping_add(1);
        let pending = std::mem::take(&mut field.pending);
        let focused = focus.is_some_and(|focus| field.object.id().same_client_as(&focus.id()));
        // One field at a time; a program that enables a second one waits until it disables the first.
        if !focused || others {
            return;
        }
        let fresh = pending.enable == Some(true);
        if let Some(enable) = pending.enable {
            field.enabled = enable;
        }
        if fresh {
            field.known = pending.state;
        } else {
            let FieldState {
                surrounding,
                cause,
                content,
                caret,
            } = pending.state;
            let known = &mut field.known;
            known.surrounding = surrounding.or(known.surrounding.take());
            known.cause = cause;
            known.content = content.or(known.content);
            known.caret = caret.or(known.caret);
        }
        self.field_caught_up();
        match (was, self.text_inputs.is_active()) {
            (_, true) => self.input_method_entered(!was || fresh),
            (true, false) => self.input_method_left(),
            (false, false) => {}
        }
    }
}

/// Puts the global into the registry.
pub(super) fn offer(display: &DisplayHandle) {
    display.create_global::<State, ZwpTextInputManagerV3, ()>(1, ());
}

impl GlobalDispatch<ZwpTextInputManagerV3, ()> for State {
    fn bind(
        _: &mut Self,
        _: &DisplayHandle,
        _: &Client,
        resource: New<ZwpTextInputManagerV3>,
        (): &(),
        data_init: &mut DataInit<'_, Self>,
    ) {
        data_init.init(resource, ());
    }
}

impl Dispatch<ZwpTextInputManagerV3, ()> for State {
    fn request(
        state: &mut Self,
        client: &Client,
        manager: &ZwpTextInputManagerV3,
        request: zwp_text_input_manager_v3::Request,
        (): &(),
        _: &DisplayHandle,
        data_init: &mut DataInit<'_, Self>,
    ) {
        let zwp_text_input_manager_v3::Request::GetTextInput { id, .. } = request else {
            return;
        };
        let object = data_init.init(id, ());
        let inputs = &mut state.text_inputs;
        let mine = |field: &&Field| field.object.client().as_ref() == Some(client);
        if inputs.fields.iter().filter(mine).count() >= FIELDS {
            manager.post_error(0u32, "too many text inputs");
            return;
        }
        if let Some(focus) = inputs.focus.as_ref().filter(|focus| focus.alive())
            && focus.id().same_client_as(&object.id())
        {
            object.enter(focus);
        }
        inputs.fields.push(Field {
            object,
            serial: 0,
            pending: Pending::default(),
            enabled: false,
            known: FieldState::default(),
        });
    }
}

impl Dispatch<ZwpTextInputV3, ()> for State {
    fn request(
        state: &mut Self,
        _: &Client,
        object: &ZwpTextInputV3,
        request: zwp_text_input_v3::Request,
        (): &(),
        _: &DisplayHandle,
        _: &mut DataInit<'_, Self>,
    ) {
        use zwp_text_input_v3::Request;
        let inputs = &mut state.text_inputs;
        let Some(field) = inputs
            .fields
            .iter_mut()
            .find(|field| field.object == *object)
        else {
            return;
        };
        let pending = &mut field.pending;
        match request {
            Request::Enable => {
                *pending = Pending::default();
                pending.enable = Some(true);
            }
            Request::Disable => pending.enable = Some(false),
            Request::SetSurroundingText {
                text,
                cursor,
                anchor,
            } => {
                // What is no place in the text is none.
                let place = |at: i32| {
                    u32::try_from(at)
                        .ok()
                        .filter(|at| *at as usize <= text.len())
                };
                if let (Some(cursor), Some(anchor)) = (place(cursor), place(anchor)) {
                    pending.state.surrounding = Some((text, cursor, anchor));
                }
            }
            Request::SetTextChangeCause { cause } => pending.state.cause = cause.into_result().ok(),
            Request::SetContentType { hint, purpose } => {
                let content = hint.into_result().ok().zip(purpose.into_result().ok());
                pending.state.content = content;
            }
            Request::SetCursorRectangle {
                x,
                y,
                width,
                height,
            } => {
                let size = (width.max(0), height.max(0));
                pending.state.caret = Some(Rectangle::new((x, y).into(), size.into()));
            }
            Request::Commit => state.field_committed(object),
            _ => {}
        }
    }

    fn destroyed(state: &mut Self, _: ClientId, object: &ZwpTextInputV3, (): &()) {
        // Nothing knows any more whose object it was, but only fields with the focus are enabled.
        let fields = &mut state.text_inputs.fields;
        let was = fields
            .iter()
            .any(|field| field.object == *object && field.enabled);
        fields.retain(|field| field.object != *object);
        if was && !state.text_inputs.is_active() {
            state.input_method_left();
        }
    }
}

/// The most text inputs of one program.
const FIELDS: usize = 64;
