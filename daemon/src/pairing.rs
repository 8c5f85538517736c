//! Codes that let somebody in once, because somebody who may showed them.

use std::io;
use std::time::{Duration, Instant};

use subtle::ConstantTimeEq as _;

/// The codes that wait to be used.
///
/// A code is short, so it lives shortly, works once, and dies with all others after a few wrong
/// guesses, from wherever they come.
#[derive(Debug, Default)]
pub(crate) struct Codes {
    waiting: Vec<Waiting>,
    wrong: u32,
}

struct Waiting {
    digits: String,
    expires: Instant,
}

impl std::fmt::Debug for Waiting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Waiting(..)")
    }
}

impl Codes {
    /// Makes a code; when too many wait the oldest is forgotten.
    ///
    /// # Errors
    ///
    /// When the system has no random numbers to give.
    pub(crate) fn make(&mut self, now: Instant) -> io::Result<String> {
        let mut bytes = [0; 8];
        getrandom::fill(&mut bytes).map_err(io::Error::other)?;
        // 2^64 is so much larger that no digit is noticeably likelier than another.
        let digits = format!("{:08}", u64::from_be_bytes(bytes) % CODES);
        self.waiting.retain(|code| now < code.expires);
        if self.waiting.is_empty() {
            self.wrong = 0;
        }
        if self.waiting.len() >= WAITING {
            self.waiting.remove(0);
        }
        self.waiting.push(Waiting {
            digits: digits.clone(),
            expires: now + LIFETIME,
        });
        Ok(digits)
    }

    /// Whether somebody said a code that waits; it does not work again.
    pub(crate) fn redeem(&mut self, now: Instant, said: &str) -> bool {
        // People read long numbers in groups.
        let said: String = said
            .chars()
            .filter(|c| !c.is_whitespace() && *c != '-')
            .take(SAID_CHARS)
            .collect();
        self.waiting.retain(|code| now < code.expires);
        let mut found = None;
        for (at, code) in self.waiting.iter().enumerate() {
            if code.digits.as_bytes().ct_eq(said.as_bytes()).into() {
                found = Some(at);
            }
        }
        if let Some(at) = found {
            self.waiting.remove(at);
            return true;
        }
        self.wrong += 1;
        if self.wrong >= WRONG_MAX {
            self.wrong = 0;
            self.waiting.clear();
        }
        false
    }
}

/// How long a code works.
pub(crate) const LIFETIME: Duration = Duration::from_secs(300);

/// How many different codes there are.
const CODES: u64 = 100_000_000;

/// The codes that may wait at a time; one more and the oldest is forgotten.
const WAITING: usize = 16;

/// Wrong guesses; with the last of them every code that waits is forgotten.
const WRONG_MAX: u32 = 10;

/// No code is longer; what is said beyond that is not looked at.
const SAID_CHARS: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_works_once_and_not_for_long() {
        let (mut codes, now) = (Codes::default(), Instant::now());
        let code = codes.make(now).unwrap();
        assert!(code.len() == 8 && code.bytes().all(|byte| byte.is_ascii_digit()));
        assert!(!codes.redeem(now, "") && !codes.redeem(now, &code[..7]));
        let spaced = format!("{} {}", &code[..4], &code[4..]);
        assert!(codes.redeem(now, &spaced));
        assert!(!codes.redeem(now, &code));
        let code = codes.make(now).unwrap();
        assert!(!codes.redeem(now + LIFETIME, &code));
    }

    #[test]
    fn guessing_kills_the_codes() {
        let (mut codes, now) = (Codes::default(), Instant::now());
        let code = codes.make(now).unwrap();
        for _ in 0..WRONG_MAX {
            assert!(!codes.redeem(now, "no code"));
        }
        assert!(!codes.redeem(now, &code));
        let code = codes.make(now).unwrap();
        assert!(codes.redeem(now, &code));
    }

    #[test]
    fn only_so_many_wait() {
        let (mut codes, now) = (Codes::default(), Instant::now());
        let first = codes.make(now).unwrap();
        for _ in 0..WAITING {
            codes.make(now).unwrap();
        }
        assert!(!codes.redeem(now, &first));
    }
}
