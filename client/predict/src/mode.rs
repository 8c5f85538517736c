//! What the server tells of the terminal, and what the user wants.

/// The modes of the terminal that decide whether its echo can be guessed.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Mode {
    /// The kernel echoes what is typed.
    pub echo: bool,
    /// The kernel edits lines before the program reads them.
    pub canonical: bool,
    /// A full-screen program shows the alternate screen.
    pub alternate: bool,
    /// The program reads the mouse.
    pub mouse: bool,
    /// The program has text keys reported as escape codes (Kitty keyboard flag 8).
    pub keys_as_codes: bool,
}

impl Mode {
    /// The modes of a PTY_MODE byte; bit 4, which is not sent, is `keys_as_codes`.
    pub const fn from_bits(bits: u8) -> Self {
        Self {
            echo: bits & 1 != 0,
            canonical: bits & 2 != 0,
            alternate: bits & 4 != 0,
            mouse: bits & 8 != 0,
            keys_as_codes: bits & 16 != 0,
        }
    }

    /// Whether a secret is being asked for: lines are read, and not echoed.
    ///
    /// Shells that edit lines themselves switch off both, so a missing echo alone says nothing.
    pub const fn is_secret(self) -> bool {
        self.canonical && !self.echo
    }

    /// Whether keys may be predicted at all.
    pub(crate) const fn allows(self, preference: Preference) -> bool {
        match preference {
            Preference::Never => false,
            Preference::Adaptive => !self.is_secret() && !self.keys_as_codes && !self.mouse,
            Preference::Always => !self.is_secret() && !self.keys_as_codes,
        }
    }
}

/// When predictions are shown.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Preference {
    /// Not at all.
    Never,
    /// When the link is slow enough for them to help.
    #[default]
    Adaptive,
    /// On any link, and in programs that read the mouse as well.
    Always,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_lines_without_echo_are_secret() {
        assert!(Mode::from_bits(2).is_secret());
        assert!(
            !Mode::from_bits(0).is_secret(),
            "a shell that edits lines itself"
        );
        assert!(!Mode::from_bits(3).is_secret());
    }

    #[test]
    fn no_preference_predicts_secrets_or_key_codes() {
        for preference in [Preference::Never, Preference::Adaptive, Preference::Always] {
            assert!(!Mode::from_bits(2).allows(preference));
            assert!(!Mode::from_bits(16).allows(preference));
        }
        assert!(!Mode::from_bits(8).allows(Preference::Adaptive));
        assert!(Mode::from_bits(8).allows(Preference::Always));
    }
}
