//! Text that is typed whatever the layout.

use smithay::backend::input::KeyState as SeatKeyState;
use smithay::input::keyboard::{FilterResult, Keycode, ModifiersState, SerializedMods};
use smithay::utils::SERIAL_COUNTER;

use crate::keymap::Stroke;
use crate::state::State;

impl State {
    /// Puts text into the focused program.
    ///
    /// A text field takes it whole, as from an input method; lines and tabs are keys all the same,
    /// which programs act on. Where there is no such field, the text is typed.
    pub(super) fn enter_text(&mut self, text: &str) {
        if self.shell.launcher.is_some() {
            return self.launcher_text(text);
        }
        let mut rest = text;
        while !rest.is_empty() {
            let whole = rest.find(char::is_control).unwrap_or(rest.len());
            let keys = rest.find(|c: char| !c.is_control()).unwrap_or(rest.len());
            let (run, after) = rest.split_at(whole.max(keys));
            if whole == 0 || !self.text_inputs.commit(run) {
                self.text_inputs.preedit("", None);
                self.type_text(run);
            }
            rest = after;
        }
    }

    /// Types text into the focused program.
    ///
    /// Characters that the layout lacks get keys of their own; the keymap changes once for each
    /// run of text that needs no more of them than there are.
    fn type_text(&mut self, text: &str) {
        self.use_own_keymap();
        let mut rest = text;
        while !rest.is_empty() {
            let run = self.typist.prepare(rest);
            if let Some(keymap) = run.keymap {
                self.change_keymap(keymap);
            }
            for stroke in &run.strokes {
                self.type_stroke(*stroke);
            }
            if run.typed == 0 {
                break;
            }
            rest = rest.get(run.typed..).unwrap_or_default();
        }
        // Back to what the person really holds.
        self.tell_modifiers(self.keyboard.modifier_state());
    }

    fn type_stroke(&mut self, stroke: Stroke) {
        let real = self.keyboard.modifier_state();
        self.tell_modifiers(ModifiersState {
            serialized: SerializedMods {
                depressed: stroke.modifiers,
                latched: 0,
                locked: 0,
                layout_effective: 0,
            },
            ..real
        });
        for state in [SeatKeyState::Pressed, SeatKeyState::Released] {
            let keyboard = self.keyboard.clone();
            let time = self.time_ms();
            keyboard.input::<(), _>(
                self,
                stroke.keycode,
                state,
                SERIAL_COUNTER.next_serial(),
                time,
                |_, _, _| FilterResult::Forward,
            );
        }
    }

    /// Gives a key its own meaning back before a person presses it.
    pub(super) fn restore_key(&mut self, keycode: Keycode) {
        if let Some(keymap) = self.typist.restore(keycode) {
            self.change_keymap(keymap);
        }
    }

    /// Changes the keymap and keeps the locks as they are.
    pub(crate) fn change_keymap(&mut self, keymap: String) {
        let before = self.keyboard.modifier_state();
        let keyboard = self.keyboard.clone();
        if keyboard.set_keymap_from_string(self, keymap).is_err() {
            tracing::error!("the keymap for typing text does not compile");
            return;
        }
        self.set_locks(Some(before.caps_lock), Some(before.num_lock));
    }
}
