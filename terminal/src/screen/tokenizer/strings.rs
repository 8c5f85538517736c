//! Strings: commands and images between an introducer and a terminator.

use memchr::{memchr2, memchr3};

use super::{BEL, CAN, CLIPBOARD_BYTES, ESC, SEQUENCE_BYTES, SUB, Token};

/// The strings that are read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    Osc,
    Dcs,
    Apc,
}

/// What the beginning of a string says about it.
pub(super) enum Fate {
    /// Too short to tell.
    Open,
    /// Nobody reads it.
    Skip,
    /// It is read when it has at most this many bytes of content.
    Read(usize),
}

/// The longest OSC 52: its clipboard in base64 and what stands before it.
const CLIPBOARD_SEQUENCE_BYTES: usize = CLIPBOARD_BYTES / 3 * 4 + 64;

/// The longest beginning of a device control string, up to its final byte.
pub(in super::super) const DCS_HEADER_BYTES: usize = 64;

impl Kind {
    /// Where the string ends.
    pub(super) fn end(self, content: &[u8]) -> Option<usize> {
        string_end(content, self == Self::Osc)
    }

    /// The token that a whole string is.
    pub(super) fn token(self, content: &[u8]) -> Token<'_> {
        match self {
            Self::Osc => Token::Osc(content),
            Self::Dcs => Token::Dcs(content),
            Self::Apc => Token::Graphics(content.get(1..).unwrap_or_default()),
        }
    }

    /// What becomes of a string that begins with `content`.
    pub(super) fn fate(self, content: &[u8], image_bytes: usize) -> Fate {
        let Some(first) = content.first() else {
            return Fate::Open;
        };
        match self {
            Self::Osc if content.starts_with(b"52;") => Fate::Read(CLIPBOARD_SEQUENCE_BYTES),
            Self::Osc if first.is_ascii_digit() => Fate::Read(SEQUENCE_BYTES),
            Self::Apc if *first == b'G' => Fate::Read(image_bytes),
            Self::Osc | Self::Apc => Fate::Skip,
            Self::Dcs => {
                let header = &content[..content.len().min(DCS_HEADER_BYTES)];
                let number = |byte: &u8| byte.is_ascii_digit() || *byte == b';';
                match header.iter().position(|byte| !number(byte)) {
                    None if header.len() < DCS_HEADER_BYTES => Fate::Open,
                    Some(at) if header[at] == b'q' => Fate::Read(image_bytes),
                    Some(0) if header == b"$" => Fate::Open,
                    Some(0) if header.starts_with(b"$q") => Fate::Read(SEQUENCE_BYTES),
                    _ => Fate::Skip,
                }
            }
        }
    }
}

/// Where a string ends: at ESC, CAN, SUB, and some also at BEL.
pub(super) fn string_end(bytes: &[u8], bel: bool) -> Option<usize> {
    let end = memchr3(ESC, CAN, SUB, bytes);
    if !bel {
        return end;
    }
    memchr2(BEL, ESC, &bytes[..end.unwrap_or(bytes.len())]).or(end)
}
