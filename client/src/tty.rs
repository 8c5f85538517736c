//! The terminal of the person: taken, asked what it can do, and given back as it was.

mod input;
mod modes;
mod output;
mod probe;
mod raw;
mod trail;

pub use input::Input;
pub use modes::pty_modes;
pub use output::Output;
pub use probe::{Probed, probe};
pub use raw::{Raw, window_size};
pub use trail::{FRESH, Trail};
