//! The options of a line of `authorized_keys`, as sshd(8) describes them.

use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use super::Asking;
use crate::identity::Rights;

/// The options of one line.
#[derive(Debug)]
pub(super) struct Options {
    rights: Rights,
    from: Vec<String>,
    expires: Option<SystemTime>,
    verify: bool,
}

/// Parts a line into its options and its key, at the first space outside quotes.
pub(super) fn split(line: &str) -> Option<(&str, &str)> {
    let mut inside = Quotes::default();
    let end = line.find(|c: char| !inside.takes(c) && c.is_whitespace())?;
    line.split_at_checked(end)
}

impl Options {
    /// Reads options; `None` when one is not known, which would be to ignore a restriction.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut options = Self {
            rights: Rights::ALL,
            from: Vec::new(),
            expires: None,
            verify: false,
        };
        let mut inside = Quotes::default();
        for option in text.split(|c: char| !inside.takes(c) && c == ',') {
            options.apply(option.trim())?;
        }
        Some(options)
    }

    fn apply(&mut self, option: &str) -> Option<()> {
        let (name, value) = match option.split_once('=') {
            Some((name, value)) => (name, Some(unquote(value)?)),
            None => (option, None),
        };
        let rights = &mut self.rights;
        match (name.to_ascii_lowercase().as_str(), value) {
            ("", None) => {}
            ("restrict", None) => {
                *rights = Rights {
                    command: rights.command.take(),
                    ..Rights::NONE
                };
            }
            ("pty", None) => rights.pty = true,
            ("no-pty", None) => rights.pty = false,
            ("port-forwarding", None) => rights.port_forwarding = true,
            ("no-port-forwarding", None) => rights.port_forwarding = false,
            ("agent-forwarding", None) => rights.agent_forwarding = true,
            ("no-agent-forwarding", None) => rights.agent_forwarding = false,
            // Which of them are allowed is not told apart here, so none is.
            ("permitopen" | "permitlisten" | "tunnel", Some(_)) => rights.port_forwarding = false,
            ("command", Some(command)) => rights.command = Some(command),
            ("from", Some(patterns)) => {
                self.from = patterns.split(',').map(str::to_owned).collect();
            }
            ("expiry-time", Some(time)) => self.expires = Some(parse_time(&time)?),
            ("verify-required", None) => self.verify = true,
            // There is nothing of these here that could be allowed or not; presence is always asked for.
            (
                "x11-forwarding" | "no-x11-forwarding" | "user-rc" | "no-user-rc"
                | "no-touch-required",
                None,
            ) => {}
            // As with PermitUserEnvironment off, which is sshd's default.
            ("environment", Some(_)) => {}
            _ => return None,
        }
        Some(())
    }

    /// What is allowed to who asks; `None` when the key does not count for them.
    pub(super) fn rights(self, asking: Asking<'_>) -> Option<Rights> {
        let is_late = self.expires.is_some_and(|expires| asking.at >= expires);
        let is_unverified = self.verify && !asking.verified;
        let is_elsewhere =
            !self.from.is_empty() && !asking.address.is_some_and(|ip| is_from(&self.from, ip));
        (!is_late && !is_unverified && !is_elsewhere).then_some(self.rights)
    }
}

/// Follows the quotes of a text, character by character.
#[derive(Default)]
struct Quotes {
    inside: bool,
    escaped: bool,
}

impl Quotes {
    /// Whether the character is inside quotes, or one itself.
    fn takes(&mut self, c: char) -> bool {
        if self.escaped {
            self.escaped = false;
            return true;
        }
        match c {
            '\\' if self.inside => self.escaped = true,
            '"' => {
                self.inside = !self.inside;
                return true;
            }
            _ => {}
        }
        self.inside
    }
}

/// What stands in quotes, where only a quote is ever escaped.
fn unquote(value: &str) -> Option<String> {
    let inner = value.strip_prefix('"')?.strip_suffix('"')?;
    Some(inner.replace("\\\"", "\""))
}

/// Whether an address matches one of the patterns, and none that begins with `!`.
fn is_from(patterns: &[String], address: IpAddr) -> bool {
    let address = address.to_canonical();
    let mut matched = false;
    for pattern in patterns {
        let (negated, pattern) = match pattern.trim().strip_prefix('!') {
            Some(rest) => (true, rest),
            None => (false, pattern.trim()),
        };
        let hit = match pattern.split_once('/') {
            Some((network, bits)) => is_in(network, bits, address),
            None => is_like(pattern.as_bytes(), address.to_string().as_bytes()),
        };
        if hit && negated {
            return false;
        }
        matched |= hit;
    }
    matched
}

fn is_in(network: &str, bits: &str, address: IpAddr) -> bool {
    let (Ok(network), Ok(bits)) = (network.parse::<IpAddr>(), bits.parse::<u32>()) else {
        return false;
    };
    let (network, address, most) = match (network, address) {
        (IpAddr::V4(network), IpAddr::V4(address)) => (
            u128::from(network.to_bits()) << 96,
            u128::from(address.to_bits()) << 96,
            32,
        ),
        (IpAddr::V6(network), IpAddr::V6(address)) => (network.to_bits(), address.to_bits(), 128),
        _ => return false,
    };
    bits <= most && (bits == 0 || (network ^ address) >> (128 - bits) == 0)
}

/// `*` stands for any characters, `?` for one.
fn is_like(pattern: &[u8], text: &[u8]) -> bool {
    match (pattern.split_first(), text.split_first()) {
        (None, None) => true,
        (Some((b'*', rest)), None) => is_like(rest, text),
        (Some((b'*', rest)), Some((_, later))) => is_like(rest, text) || is_like(pattern, later),
        (Some((b'?', rest)), Some((_, later))) => is_like(rest, later),
        (Some((wanted, rest)), Some((byte, later))) => wanted == byte && is_like(rest, later),
        _ => false,
    }
}

/// `YYYYMMDD`, with `HHMM` or `HHMMSS` behind it, always in UTC.
// sshd reads it in its own time zone unless a Z follows; ours does not know any.
fn parse_time(text: &str) -> Option<SystemTime> {
    let digits = text.strip_suffix(['Z', 'z']).unwrap_or(text);
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number || !matches!(digits.len(), 8 | 12 | 14) {
        return None;
    }
    let number = |range| digits.get(range).unwrap_or("0").parse::<u64>().ok();
    let (year, month, day) = (number(0..4)?, number(4..6)?, number(6..8)?);
    let (hour, minute, second) = (number(8..10)?, number(10..12)?, number(12..14)?);
    let is_date = (1970..=9999).contains(&year)
        && (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && hour < 24
        && minute < 60
        && second < 61;
    if !is_date {
        return None;
    }
    // Years begin in March, so that the odd day is the last of one.
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day;
    let since = days.checked_sub(EPOCH_DAYS)?;
    let seconds = since * 86_400 + hour * 3600 + minute * 60 + second;
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
}

/// The first of January 1970, counted as [`parse_time`] counts.
const EPOCH_DAYS: u64 = 719_469;
