//! The modes of a terminal.

/// The modes that a program sets with SM and DECSET.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Modes {
    /// IRM: characters push others to the right.
    pub(super) insert: bool,
    /// LNM: a line feed returns to the first column as well.
    pub(super) newline: bool,
    /// DECAWM: text that is too long goes on in the next line.
    pub(super) wrap: bool,
    /// DECOM: lines count from the top of the scroll region.
    pub(super) origin: bool,
    /// DECTCEM.
    pub(super) cursor_visible: bool,
    /// DECCKM.
    pub(super) application_cursor: bool,
    /// DECNKM, DECKPAM.
    pub(super) application_keypad: bool,
    /// DECSCNM.
    pub(super) reverse: bool,
    /// The cursor blinks (12).
    pub(super) blink: bool,
    /// A backspace at the beginning of a line goes to the line before (45).
    pub(super) reverse_wrap: bool,
    /// The wheel sends cursor keys on the alternate screen (1007).
    pub(super) alternate_scroll: bool,
    pub(super) focus: bool,
    pub(super) bracketed_paste: bool,
    pub(super) synchronized: bool,
    /// Changes between dark and light are reported (2031).
    pub(super) colour_scheme: bool,
    /// Changes of the size are reported (2048).
    pub(super) size_reports: bool,
    pub(super) mouse: u16,
    pub(super) mouse_encoding: u16,
    /// `CSI > 4 ; n m`.
    pub(super) modify_other_keys: u8,
}

/// What a terminal says of a mode (DECRPM).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Setting {
    Unknown = 0,
    Set = 1,
    Reset = 2,
}

impl Default for Modes {
    fn default() -> Self {
        Self {
            insert: false,
            newline: false,
            wrap: true,
            origin: false,
            cursor_visible: true,
            application_cursor: false,
            application_keypad: false,
            reverse: false,
            blink: false,
            reverse_wrap: false,
            alternate_scroll: false,
            focus: false,
            bracketed_paste: false,
            synchronized: false,
            colour_scheme: false,
            size_reports: false,
            mouse: 0,
            mouse_encoding: 0,
            modify_other_keys: 0,
        }
    }
}

/// What the mouse reports: of these modes one is on, or none.
const MOUSE: [u16; 4] = [9, 1000, 1002, 1003];
/// How the mouse reports: of these modes one is on, or none.
const MOUSE_ENCODING: [u16; 4] = [1005, 1006, 1015, 1016];
/// The private modes that are on or off, each for itself.
const SWITCHES: [u16; 14] = [
    1, 5, 6, 7, 12, 25, 45, 66, 1004, 1007, 2004, 2026, 2031, 2048,
];

impl Modes {
    /// The flag of a private mode that is on or off for itself.
    fn switch(&mut self, mode: u16) -> Option<&mut bool> {
        Some(match mode {
            1 => &mut self.application_cursor,
            5 => &mut self.reverse,
            6 => &mut self.origin,
            7 => &mut self.wrap,
            12 => &mut self.blink,
            25 => &mut self.cursor_visible,
            45 => &mut self.reverse_wrap,
            66 => &mut self.application_keypad,
            1004 => &mut self.focus,
            1007 => &mut self.alternate_scroll,
            2004 => &mut self.bracketed_paste,
            2026 => &mut self.synchronized,
            2031 => &mut self.colour_scheme,
            2048 => &mut self.size_reports,
            _ => return None,
        })
    }

    /// Sets a private mode, as far as it is only a setting.
    pub(super) fn set_private(&mut self, mode: u16, on: bool) {
        if let Some(switch) = self.switch(mode) {
            *switch = on;
        } else if MOUSE.contains(&mode) {
            self.mouse = if on { mode } else { 0 };
        } else if MOUSE_ENCODING.contains(&mode) {
            self.mouse_encoding = if on { mode } else { 0 };
        }
    }

    /// Sets a mode of ANSI.
    pub(super) fn set_ansi(&mut self, mode: u16, on: bool) {
        match mode {
            4 => self.insert = on,
            20 => self.newline = on,
            _ => {}
        }
    }

    /// How a private mode is set.
    pub(super) fn private(mut self, mode: u16) -> Setting {
        match self.switch(mode) {
            Some(switch) => Setting::of(*switch),
            None if MOUSE.contains(&mode) => Setting::of(self.mouse == mode),
            None if MOUSE_ENCODING.contains(&mode) => Setting::of(self.mouse_encoding == mode),
            None => Setting::Unknown,
        }
    }

    /// How a mode of ANSI is set.
    pub(super) fn ansi(self, mode: u16) -> Setting {
        match mode {
            4 => Setting::of(self.insert),
            20 => Setting::of(self.newline),
            _ => Setting::Unknown,
        }
    }

    /// The private modes that differ from those of `other`, and how they are set here.
    pub(super) fn differences(self, other: Self) -> impl Iterator<Item = (u16, bool)> {
        let switches = SWITCHES.into_iter().filter_map(move |mode| {
            let (mut here, mut there) = (self, other);
            let on = *here.switch(mode)?;
            (on != *there.switch(mode)?).then_some((mode, on))
        });
        let one_of = [
            (self.mouse, other.mouse),
            (self.mouse_encoding, other.mouse_encoding),
        ];
        switches.chain(one_of.into_iter().filter_map(|(here, there)| match here {
            _ if here == there => None,
            0 => Some((there, false)),
            mode => Some((mode, true)),
        }))
    }

    /// What a soft reset leaves (DECSTR): the mouse stays as it was, as in xterm.js.
    pub(super) fn soft_reset(&mut self) {
        *self = Self {
            newline: self.newline,
            mouse: self.mouse,
            mouse_encoding: self.mouse_encoding,
            ..Self::default()
        };
    }
}

impl Setting {
    fn of(on: bool) -> Self {
        if on { Self::Set } else { Self::Reset }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_switch_is_a_mode() {
        for mode in SWITCHES {
            assert!(Modes::default().switch(mode).is_some(), "{mode}");
        }
    }

    #[test]
    fn differences_bring_one_set_of_modes_to_the_other() {
        let mut wanted = Modes::default();
        for mode in [5, 25, 7, 1003, 1006, 2004] {
            wanted.set_private(mode, !matches!(mode, 25 | 7));
        }
        let mut modes = Modes::default();
        for (mode, on) in wanted.differences(modes) {
            modes.set_private(mode, on);
        }
        assert_eq!(modes, wanted);
        assert_eq!(Modes::default().differences(modes).count(), 6);
    }

    #[test]
    fn the_mouse_reports_in_one_way() {
        let mut modes = Modes::default();
        modes.set_private(1000, true);
        modes.set_private(1003, true);
        assert_eq!(modes.private(1000), Setting::Reset);
        modes.set_private(1000, false);
        assert_eq!(
            modes.mouse, 0,
            "xterm turns the mouse off whichever mode is named"
        );
    }
}
