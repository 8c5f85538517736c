//! Session keys that a later daemon with the same token knows again.
//!
//! A key is random bits, when it was made, and a seal of both by the token. So a page goes on after
//! `vroomd` was started anew, and nothing about it has to be kept. Another token ends all of them.

use std::io;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac as _};
use sha2::Sha256;

use crate::token::Secret;

/// Makes a key.
///
/// # Errors
///
/// When the system has no random numbers to give.
pub(crate) fn make(token: &Secret, now: SystemTime) -> io::Result<Secret> {
    let mut content = vec![0; RANDOM_BYTES];
    getrandom::fill(&mut content).map_err(io::Error::other)?;
    let age = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    let nanos = u64::try_from(age.as_nanos()).unwrap_or(u64::MAX);
    content.extend(nanos.to_be_bytes());
    let seal = mac(token, &content).finalize().into_bytes();
    content.extend(seal);
    Ok(Secret::of(URL_SAFE_NO_PAD.encode(content)))
}

/// When a key was made, if the token sealed it.
pub(crate) fn made_at(token: &Secret, said: &str) -> Option<SystemTime> {
    let bytes = URL_SAFE_NO_PAD.decode(said).ok()?;
    let (content, seal) = bytes.split_at_checked(RANDOM_BYTES + size_of::<u64>())?;
    mac(token, content).verify_slice(seal).ok()?;
    let (_, nanos) = content.split_last_chunk()?;
    UNIX_EPOCH.checked_add(Duration::from_nanos(u64::from_be_bytes(*nanos)))
}

#[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
fn mac(token: &Secret, content: &[u8]) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(token.reveal().as_bytes())
        .expect("HMAC takes keys of any length");
    mac.update(b"vroom-session-key-v1\0");
    mac.update(content);
    mac
}

/// Random bits of a key.
const RANDOM_BYTES: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_tells_when_it_was_made_to_the_same_token_only() {
        let (token, other) = (Secret::random().unwrap(), Secret::random().unwrap());
        let now = SystemTime::now();
        let key = make(&token, now).unwrap();
        assert_eq!(made_at(&token, key.reveal()), Some(now));
        assert_eq!(made_at(&other, key.reveal()), None);
        assert_ne!(key.reveal(), make(&token, now).unwrap().reveal());
    }

    #[test]
    fn a_key_that_was_changed_anywhere_is_none() {
        let token = Secret::random().unwrap();
        let key = make(&token, SystemTime::now()).unwrap();
        let text = key.reveal();
        for (place, letter) in text.char_indices() {
            let other = if letter == 'A' { 'B' } else { 'A' };
            let mut changed = text.to_owned();
            changed.replace_range(place..=place, &other.to_string());
            assert_eq!(made_at(&token, &changed), None, "{place}");
            assert_eq!(made_at(&token, &text[..place]), None, "{place}");
        }
        for said in ["", "A", "not base64!", token.reveal()] {
            assert_eq!(made_at(&token, said), None);
        }
    }
}
