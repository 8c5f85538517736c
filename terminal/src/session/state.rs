//! What can be seen of a terminal from outside.

use std::sync::Arc;

/// What a terminal does with what is typed, and what its program made of it; a watched value.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct TtyState {
    /// The kernel shows what is typed (`ECHO`).
    pub echo: bool,
    /// The kernel gives the program whole lines (`ICANON`).
    pub canonical: bool,
    /// The kernel makes signals of Ctrl-C and its like (`ISIG`).
    pub isig: bool,
    /// The program shows the alternate screen.
    pub alternate: bool,
    /// The program wants to hear of the mouse.
    pub mouse: bool,
    /// The program wants pastes to be marked.
    pub bracketed_paste: bool,
    /// The flags of the kitty keyboard protocol that are in force.
    pub kitty_flags: u8,
    /// What the program calls its window.
    pub title: Arc<str>,
    /// The directory that the program says it is in, as it says it.
    pub cwd: Option<Arc<str>>,
}
