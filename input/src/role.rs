//! What the desktop's modifier keys are.

use vroom_desktop::Evdev;
use xkbcommon::xkb::Keysym;

/// What a key of the desktop's keyboard does to the others.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Role {
    Shift,
    Control,
    Alt,
    Meta,
    Level3,
    Other,
}

impl Role {
    /// The role that a symbol gives to its key.
    pub(crate) fn of(symbol: Keysym) -> Self {
        match symbol {
            Keysym::Shift_L | Keysym::Shift_R => Self::Shift,
            Keysym::Control_L | Keysym::Control_R => Self::Control,
            Keysym::Alt_L | Keysym::Alt_R | Keysym::Meta_L | Keysym::Meta_R => Self::Alt,
            Keysym::Super_L | Keysym::Super_R | Keysym::Hyper_L | Keysym::Hyper_R => Self::Meta,
            Keysym::ISO_Level3_Shift => Self::Level3,
            _ => Self::Other,
        }
    }

    /// The keys to try before all others, so that a modifier is found where people have it.
    pub(crate) fn usual_keys(self) -> impl Iterator<Item = Evdev> {
        let codes: &[u16] = match self {
            Self::Shift => &[42, 54],
            Self::Control => &[29, 97],
            Self::Alt => &[56, 100],
            Self::Meta => &[125, 126],
            Self::Level3 => &[100],
            Self::Other => &[],
        };
        codes.iter().copied().map(Evdev)
    }
}
