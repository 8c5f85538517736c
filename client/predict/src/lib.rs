//! Shows what is typed before the server's echo arrives, and takes back what was wrong.
//!
//! Typed bytes, the server's acknowledgements, what it tells of the terminal's modes, the parsed screen and
//! the time go in; cells to draw over the screen come out. This crate deliberately knows nothing of clocks,
//! connections, escape sequences of programs, and how cells are drawn.
//!
//! Predictions come in epochs. Whatever makes the effect of further keys doubtful (control keys, the end of a
//! line, a change of the terminal's modes, an error) starts a new one, and an epoch stays hidden until one of its
//! predictions proved right. So a program that does not echo is found out before anything is shown.
//!
//! Invariants:
//! - A cell shown was typed, or moved or cleared in its own row by a key that was typed.
//! - Nothing is shown before the echo of a key of the same epoch was seen, and nothing at all while the server
//!   says that a secret is read.
//! - A wrong cell is gone at most one round trip and [`ECHO_WAIT_MS`] after the server's acknowledgement.
//! - When all input is acknowledged and settled, nothing is shown.
//! - Memory is bounded, whatever is typed or shown.
#![no_std]
#![forbid(unsafe_code)]
#![warn(clippy::indexing_slicing)]

extern crate alloc;

mod cells;
mod edit;
mod flight;
mod glyph;
mod grid;
mod judge;
mod keys;
mod link;
mod mode;
mod predictor;

pub use self::glyph::{GLYPH_CHARS, Glyph};
pub use self::grid::{Grid, Position};
pub use self::judge::{ECHO_LATE_MS_MAX, ECHO_WAIT_MS};
pub use self::mode::{Mode, Preference};
pub use self::predictor::{PASTE_BYTES, Predicted, Predictor};
