//! Typed bytes, acknowledgements, screens, modes and times in any order: no panic, bounded memory, nothing shown
//! that was not typed, and nothing left when all is settled.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/operations/driver.rs"]
mod driver;

fuzz_target!(|data: &[u8]| driver::run(data));
