//! What can be seen of a terminal from outside.

use std::sync::Arc;

use crate::PtyMode;
use crate::screen::{Progress, Screen};

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
    /// The program wants the cursor keys in their application form (`DECCKM`).
    pub application_cursor: bool,
    /// The flags of the kitty keyboard protocol that are in force.
    pub kitty_flags: u8,
    /// What the program calls its window.
    pub title: Arc<str>,
    /// The directory that the program says it is in, as it says it.
    pub cwd: Option<Arc<str>>,
    /// How far the program says it is.
    pub progress: Option<Progress>,
}

impl TtyState {
    pub(crate) fn with_mode(self, mode: PtyMode) -> Self {
        Self {
            echo: mode.echo,
            canonical: mode.canonical,
            isig: mode.isig,
            ..self
        }
    }

    /// Takes over what the program made of the terminal; `true` when something changed.
    pub(crate) fn follow(&mut self, screen: &Screen) -> bool {
        let modes = screen.modes();
        let mut changed = false;
        let mut set = |old: &mut bool, new: bool| changed |= std::mem::replace(old, new) != new;
        set(&mut self.alternate, modes.alternate);
        set(&mut self.mouse, modes.mouse);
        set(&mut self.bracketed_paste, modes.bracketed_paste);
        set(&mut self.application_cursor, modes.application_cursor);
        if self.kitty_flags != modes.kitty_flags {
            self.kitty_flags = modes.kitty_flags;
            changed = true;
        }
        if &*self.title != screen.title() {
            self.title = screen.title().into();
            changed = true;
        }
        if self.cwd.as_deref() != screen.cwd() {
            self.cwd = screen.cwd().map(Arc::from);
            changed = true;
        }
        if self.progress != screen.progress() {
            self.progress = screen.progress();
            changed = true;
        }
        changed
    }
}
