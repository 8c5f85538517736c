//! What a server obeys in which mode.

use super::clipboard::Clipboard;
use super::control::ClientMessage;
use super::mode::Mode;

/// What a server does with a message because of the sender's mode.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Obedience {
    /// Does what it says.
    Apply,
    /// Answers NOTIFICATION `error` and, once per second, ERROR 4110.
    Refuse,
    /// The mode does not matter, the role decides.
    ByRole,
}

/// What a server does with a control message.
// VROOM-Graphical §4.1, the second table.
pub fn obeyed(mode: Mode, message: &ClientMessage) -> Obedience {
    match message {
        // Files are dragged by the pointer, which voice does not have.
        ClientMessage::Drag(_) => match mode {
            Mode::View | Mode::Voice => Obedience::Refuse,
            Mode::Interact => Obedience::Apply,
        },
        ClientMessage::Paste { .. }
        | ClientMessage::Notice(_)
        | ClientMessage::Navigate { .. }
        | ClientMessage::Clipboard(Clipboard::Set(_) | Clipboard::Push(_)) => match mode {
            Mode::View => Obedience::Refuse,
            Mode::Interact | Mode::Voice => Obedience::Apply,
        },
        ClientMessage::Command(_) => match mode {
            Mode::View | Mode::Interact => Obedience::Refuse,
            Mode::Voice => Obedience::Apply,
        },
        ClientMessage::Clipboard(Clipboard::Get(_))
        | ClientMessage::Resize(_)
        | ClientMessage::Chat(_)
        | ClientMessage::Mode { .. }
        | ClientMessage::Media(_)
        | ClientMessage::Record(_)
        | ClientMessage::Share(_) => Obedience::ByRole,
        ClientMessage::Handshake(_) | ClientMessage::Feedback(_) => Obedience::Apply,
    }
}

/// Whether frames of `pointer` and `button` are applied; otherwise they are dropped in silence.
pub const fn input_obeyed(mode: Mode) -> bool {
    matches!(mode, Mode::Interact)
}
