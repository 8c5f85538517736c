//! The predictor of the terminal's echo, for the page.
//!
//! One instance of this module serves one terminal; the page drops the instance to end it. Nothing but numbers
//! passes the border. What is larger lies in the exchange area, whose address [`exchange`] returns and which the
//! page fills before a call or reads after it:
//! - typed bytes, as bytes;
//! - rows of the screen, four words for each cell: the first holds a character in its lower bits and the columns
//!   that the cell covers in the upper eight, the others hold combining marks, 0 for none;
//! - after a call, the overlay: seven words for each cell, which are row, column, whether it is underlined, and
//!   the four words of the cell.
//!
//! The address changes when a call makes the area larger.
use std::cell::RefCell;

use vroom_predict::{Mode, Predictor, Preference};

use crate::screen::{CELL_WORDS, Screen};

mod screen;

/// Words of the overlay for each cell.
const OVERLAY_WORDS: usize = 3 + CELL_WORDS;
/// Bytes of the exchange area that a call may ask for; enough for 1,000 rows of 1,000 columns.
const EXCHANGE_WORDS_MAX: usize = 4_000_000;

/// All that this instance holds.
struct Instance {
    predictor: Predictor,
    screen: Screen,
    exchange: Vec<u32>,
}

thread_local! {
    static INSTANCE: RefCell<Instance> = RefCell::new(Instance {
        predictor: Predictor::new(Preference::Adaptive),
        screen: Screen::default(),
        exchange: Vec::new(),
    });
}

/// The address of an exchange area of at least this many words; 0 when that is too many.
#[unsafe(no_mangle)]
pub extern "C" fn exchange(words: usize) -> *mut u32 {
    with(|instance| {
        if words > EXCHANGE_WORDS_MAX {
            return std::ptr::null_mut();
        }
        if instance.exchange.len() < words {
            instance.exchange.resize(words, 0);
        }
        instance.exchange.as_mut_ptr()
    })
}

/// Sets when predictions are shown: 0 never, 1 when they help, 2 always.
#[unsafe(no_mangle)]
pub extern "C" fn set_preference(preference: u32) {
    with(|instance| {
        instance.predictor.set_preference(match preference {
            0 => Preference::Never,
            2 => Preference::Always,
            _ => Preference::Adaptive,
        });
    });
}

/// Takes a measured round trip in milliseconds.
#[unsafe(no_mangle)]
pub extern "C" fn set_link(rtt_ms: f32) {
    with(|instance| instance.predictor.set_link(rtt_ms));
}

/// Takes the modes of the terminal: a PTY_MODE byte, and 16 when keys are reported as codes.
#[unsafe(no_mangle)]
pub extern "C" fn set_mode(bits: u32) {
    with(|instance| {
        instance
            .predictor
            .set_mode(Mode::from_bits(bits.to_le_bytes()[0]));
    });
}

/// Starts over: input is applied up to one offset, and sent again up to the other.
#[unsafe(no_mangle)]
pub extern "C" fn restart(applied: f64, sent: f64) {
    with(|instance| instance.predictor.restart(whole(applied), whole(sent)));
}

/// Says how large the screen is and where its cursor; a row of `u32::MAX` means that it is hidden.
#[unsafe(no_mangle)]
pub extern "C" fn set_screen(rows: u32, cols: u32, cursor_row: u32, cursor_col: u32) {
    with(|instance| instance.screen.set(rows, cols, cursor_row, cursor_col));
}

/// Takes a row of the screen from the exchange area; rows that are not given since the last call are blank.
#[unsafe(no_mangle)]
pub extern "C" fn set_row(row: u32) {
    with(|instance| instance.screen.set_row(row, &instance.exchange));
}

/// Takes typed bytes from the exchange area.
#[unsafe(no_mangle)]
pub extern "C" fn typed(now_ms: f64, bytes: usize) {
    with(|instance| {
        let words = instance.exchange.iter().flat_map(|word| word.to_le_bytes());
        let bytes: Vec<u8> = words.take(bytes).collect();
        instance
            .predictor
            .typed(whole(now_ms), &bytes, &instance.screen);
        instance.finish();
    });
}

/// Takes the offset up to which the server has applied input.
#[unsafe(no_mangle)]
pub extern "C" fn acknowledged(now_ms: f64, input_offset: f64) {
    with(|instance| {
        instance
            .predictor
            .acknowledged(whole(now_ms), whole(input_offset));
    });
}

/// Holds the predictions against the screen.
#[unsafe(no_mangle)]
pub extern "C" fn confirm(now_ms: f64) {
    with(|instance| {
        instance.predictor.confirm(whole(now_ms), &instance.screen);
        instance.finish();
    });
}

/// When to confirm without new output; negative for never.
#[unsafe(no_mangle)]
pub extern "C" fn deadline() -> f64 {
    with(|instance| {
        #[allow(clippy::cast_precision_loss, reason = "times of a page are exact")]
        instance.predictor.deadline().map_or(-1.0, |at| at as f64)
    })
}

/// Whether output need not be confirmed: 1 or 0.
#[unsafe(no_mangle)]
pub extern "C" fn is_idle() -> u32 {
    with(|instance| instance.predictor.is_idle().into())
}

/// The first and the last row that the next call needs besides the cursor's: `first << 16 | last`; negative for none.
#[unsafe(no_mangle)]
pub extern "C" fn rows() -> f64 {
    with(|instance| {
        instance.predictor.rows().map_or(-1.0, |(first, last)| {
            f64::from(u32::from(first) << 16 | u32::from(last))
        })
    })
}

/// How many cells the overlay in the exchange area has.
#[unsafe(no_mangle)]
pub extern "C" fn overlay_cells() -> usize {
    with(|instance| instance.predictor.overlay().len())
}

/// Where to draw the cursor: `row << 16 | column`; negative for where the screen has it.
#[unsafe(no_mangle)]
pub extern "C" fn cursor() -> f64 {
    with(|instance| {
        instance.predictor.cursor().map_or(-1.0, |at| {
            f64::from(u32::from(at.row) << 16 | u32::from(at.col))
        })
    })
}

impl Instance {
    /// Writes the overlay and forgets the rows.
    fn finish(&mut self) {
        let overlay = self.predictor.overlay();
        let words = overlay.len() * OVERLAY_WORDS;
        if self.exchange.len() < words {
            self.exchange.resize(words, 0);
        }
        for (cell, words) in overlay
            .iter()
            .zip(self.exchange.chunks_exact_mut(OVERLAY_WORDS))
        {
            let head = [
                u32::from(cell.row),
                u32::from(cell.col),
                cell.underline.into(),
            ];
            for (word, value) in words
                .iter_mut()
                .zip(head.into_iter().chain(screen::words(cell.glyph)))
            {
                *word = value;
            }
        }
        self.screen.clear();
    }
}

/// The only instance; a call inside a call cannot be, as nothing here calls the page.
fn with<T>(call: impl FnOnce(&mut Instance) -> T) -> T {
    INSTANCE.with_borrow_mut(call)
}

/// A time or an offset; the page counts in numbers that are exact to 2^53.
fn whole(number: f64) -> u64 {
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "saturates, and NaN is 0"
    )]
    let whole = number as u64;
    whole
}
