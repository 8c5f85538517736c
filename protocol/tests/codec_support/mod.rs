//! Hex as the vectors are printed, and other ways to write a payload.
#![allow(dead_code, reason = "each test binary uses its part")]

use std::time::Instant;

/// When a test begins; from then on it moves the clock itself.
#[expect(
    clippy::disallowed_methods,
    reason = "there is no other way to make an Instant"
)]
pub(crate) fn epoch() -> Instant {
    Instant::now()
}

/// The bytes of a text like `01 FF`.
pub(crate) fn hex(text: &str) -> Vec<u8> {
    text.split_whitespace()
        .map(|byte| u8::from_str_radix(byte, 16).unwrap())
        .collect()
}

/// A JSON payload.
pub(crate) fn json(text: &str) -> Vec<u8> {
    text.as_bytes().to_vec()
}

/// The members of a CBOR map, as an independent decoder reads them.
pub(crate) fn cbor_members(payload: &[u8]) -> Vec<(String, ciborium::Value)> {
    let value: ciborium::Value = ciborium::from_reader(payload).unwrap();
    let entries = value.into_map().unwrap().into_iter();
    entries
        .map(|(key, value)| (key.into_text().unwrap(), value))
        .collect()
}
