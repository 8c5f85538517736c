//! Cuts a stream of bytes into text and control sequences.
//!
//! The bytes may arrive in any pieces: the same bytes give the same tokens. What is not finished yet
//! is remembered byte for byte, so that it can be handed to another terminal. Sequences end and are
//! aborted as in xterm: CAN and SUB abort, ESC ends a string and begins the next sequence, controls
//! inside a control sequence act at once.

mod strings;

use std::str;

use memchr::memchr;

pub(super) use self::strings::DCS_HEADER_BYTES;
use self::strings::{Fate, Kind, string_end};

/// One piece of a stream.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Token<'a> {
    /// Characters and C0 controls; what was not UTF-8 is U+FFFD.
    Text(&'a str),
    /// An escape sequence without its ESC: intermediates and the final byte.
    Escape(&'a [u8]),
    /// A control sequence without its CSI: parameters, intermediates, final byte.
    Csi(&'a [u8]),
    /// The content of an operating system command.
    Osc(&'a [u8]),
    /// The content of a device control string that is known.
    Dcs(&'a [u8]),
    /// The content of a kitty graphics command, without the `G`.
    Graphics(&'a [u8]),
}

/// Cuts a stream into [`Token`]s.
#[derive(Debug)]
pub struct Tokenizer {
    state: State,
    /// The bytes of the sequence or character that has begun, as far as they matter.
    unfinished: Vec<u8>,
    image_bytes: usize,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    Ground,
    Escape,
    Csi,
    /// A control sequence that is too long to mean anything.
    CsiIgnore,
    String(Kind),
    /// A string that nobody reads; BEL ends it when true.
    Skip(bool),
}

/// The longest control sequence or string without an image; a longer one is skipped.
pub const SEQUENCE_BYTES: usize = 64 << 10;
/// The longest clipboard that is read; a longer one is skipped.
pub const CLIPBOARD_BYTES: usize = 1 << 20;
/// Escape sequences with more intermediates mean nothing; further ones are forgotten.
const INTERMEDIATES_MAX: usize = 3;
/// What is remembered of strings that are skipped: another terminal skips their rest as well.
const SKIPPED_OSC: &[u8] = b"\x1b]?";
const SKIPPED: &[u8] = b"\x1bX";
/// What is remembered of a control sequence that is too long.
const IGNORED_CSI: &[u8] = b"\x1b[0<";

const ESC: u8 = 0x1b;
const BEL: u8 = 0x07;
const CAN: u8 = 0x18;
const SUB: u8 = 0x1a;

impl Tokenizer {
    /// A tokenizer at the beginning of a stream, which reads images of so many bytes.
    pub fn new(image_bytes: usize) -> Self {
        Self {
            state: State::Ground,
            unfinished: Vec::new(),
            image_bytes,
        }
    }

    /// What has begun and is not finished: a part of a character or of a sequence.
    pub fn unfinished(&self) -> &[u8] {
        &self.unfinished
    }

    /// Reads bytes and hands on every token that they finish.
    pub fn advance(&mut self, bytes: &[u8], mut sink: impl FnMut(Token<'_>)) {
        let mut rest = bytes;
        while !rest.is_empty() {
            rest = self.step(rest, &mut sink);
        }
    }

    /// Reads on, up to the end of the next sequence at most, and gives what is left.
    pub(super) fn step<'a>(
        &mut self,
        bytes: &'a [u8],
        sink: &mut impl FnMut(Token<'_>),
    ) -> &'a [u8] {
        match self.state {
            State::Ground => self.ground(bytes, sink),
            State::Escape => self.escape(bytes, sink),
            State::Csi | State::CsiIgnore => self.csi(bytes, sink),
            State::String(kind) => self.string(kind, bytes, sink),
            State::Skip(bel) => self.skip(bel, bytes),
        }
    }

    fn ground<'a>(&mut self, bytes: &'a [u8], sink: &mut impl FnMut(Token<'_>)) -> &'a [u8] {
        if !self.unfinished.is_empty() {
            return self.complete_character(bytes, sink);
        }
        let Some(at) = memchr(ESC, bytes) else {
            let left = text(bytes, sink);
            self.unfinished.extend_from_slice(left);
            return &[];
        };
        if !text(&bytes[..at], sink).is_empty() {
            sink(Token::Text("\u{fffd}"));
        }
        let sequence = &bytes[at..];
        match self.whole(sequence, sink) {
            Some(len) => &sequence[len..],
            None => {
                self.begin(State::Escape, b"\x1b");
                &sequence[1..]
            }
        }
    }

    /// Hands on a sequence that lies in one piece, and says how long it is.
    ///
    /// This is the way that nearly all sequences take; nothing is copied. The others are read
    /// byte by byte.
    fn whole(&self, bytes: &[u8], sink: &mut impl FnMut(Token<'_>)) -> Option<usize> {
        match bytes.get(1)? {
            b'[' => {
                let body = &bytes[2..];
                let last = body.iter().position(|byte| !(0x20..0x40).contains(byte))?;
                if last >= SEQUENCE_BYTES || !(0x40..0x7f).contains(&body[last]) {
                    return None;
                }
                sink(Token::Csi(&body[..=last]));
                Some(last + 3)
            }
            b']' => self.whole_string(Kind::Osc, bytes, sink),
            b'P' => self.whole_string(Kind::Dcs, bytes, sink),
            b'_' => self.whole_string(Kind::Apc, bytes, sink),
            b'X' | b'^' => None,
            0x30..=0x7e => {
                sink(Token::Escape(&bytes[1..2]));
                Some(2)
            }
            _ => None,
        }
    }

    fn whole_string(
        &self,
        kind: Kind,
        bytes: &[u8],
        sink: &mut impl FnMut(Token<'_>),
    ) -> Option<usize> {
        let body = &bytes[2..];
        let end = kind.end(body)?;
        match kind.fate(&body[..end], self.image_bytes) {
            Fate::Read(limit) if end <= limit && !matches!(body[end], CAN | SUB) => {
                sink(kind.token(&body[..end]));
            }
            // Too long, of no meaning, or aborted.
            _ => {}
        }
        // The ESC belongs to the next sequence, which is the string terminator as a rule.
        Some(2 + end + usize::from(body[end] != ESC))
    }

    fn begin(&mut self, state: State, bytes: &[u8]) {
        self.state = state;
        self.unfinished.clear();
        if self.unfinished.capacity() > SEQUENCE_BYTES {
            self.unfinished = Vec::new();
        }
        self.unfinished.extend_from_slice(bytes);
    }

    /// Continues a character that was cut.
    fn complete_character<'a>(
        &mut self,
        bytes: &'a [u8],
        sink: &mut impl FnMut(Token<'_>),
    ) -> &'a [u8] {
        let mut character = [0; 4];
        let old = self.unfinished.len();
        let new = bytes.len().min(character.len() - old);
        character[..old].copy_from_slice(&self.unfinished);
        character[old..old + new].copy_from_slice(&bytes[..new]);
        let (used, valid) = match str::from_utf8(&character[..old + new]) {
            Ok(text) => (text.chars().next().map_or(old, char::len_utf8), true),
            Err(error) if error.valid_up_to() > 0 => {
                // The first character is whole; what follows it is read again.
                let first = str::from_utf8(&character[..error.valid_up_to()]).unwrap_or_default();
                (first.chars().next().map_or(old, char::len_utf8), true)
            }
            Err(error) => match error.error_len() {
                Some(len) => (len, false),
                None => {
                    self.unfinished.extend_from_slice(&bytes[..new]);
                    return &bytes[new..];
                }
            },
        };
        let text = if valid { &character[..used] } else { &[] };
        sink(Token::Text(match str::from_utf8(text) {
            Ok(text) if !text.is_empty() => text,
            _ => "\u{fffd}",
        }));
        self.unfinished.clear();
        &bytes[used.saturating_sub(old)..]
    }

    fn escape<'a>(&mut self, bytes: &'a [u8], sink: &mut impl FnMut(Token<'_>)) -> &'a [u8] {
        let (byte, rest) = (bytes[0], &bytes[1..]);
        let first = self.unfinished.len() == 1;
        match byte {
            b'[' if first => self.open(State::Csi, byte),
            b']' if first => self.open(State::String(Kind::Osc), byte),
            b'P' if first => self.open(State::String(Kind::Dcs), byte),
            b'_' if first => self.open(State::String(Kind::Apc), byte),
            b'X' | b'^' if first => self.begin(State::Skip(false), SKIPPED),
            0x20..=0x2f => {
                if self.unfinished.len() <= INTERMEDIATES_MAX {
                    self.unfinished.push(byte);
                }
            }
            0x30..=0x7e => {
                self.unfinished.push(byte);
                sink(Token::Escape(&self.unfinished[1..]));
                self.begin(State::Ground, b"");
            }
            _ => self.control(byte, sink),
        }
        rest
    }

    fn open(&mut self, state: State, byte: u8) {
        self.state = state;
        self.unfinished.push(byte);
    }

    /// A byte in a sequence where none of its own stands.
    fn control(&mut self, byte: u8, sink: &mut impl FnMut(Token<'_>)) {
        match byte {
            ESC => self.begin(State::Escape, b"\x1b"),
            CAN | SUB => self.begin(State::Ground, b""),
            0x00..=0x1f => {
                if let Ok(control) = str::from_utf8(&[byte]) {
                    sink(Token::Text(control));
                }
            }
            // DEL and what is not ASCII have no meaning here.
            _ => {}
        }
    }

    fn csi<'a>(&mut self, bytes: &'a [u8], sink: &mut impl FnMut(Token<'_>)) -> &'a [u8] {
        let (byte, rest) = (bytes[0], &bytes[1..]);
        match byte {
            0x20..=0x3f if self.state == State::CsiIgnore => {}
            0x20..=0x3f if self.unfinished.len() - 2 >= SEQUENCE_BYTES => {
                self.begin(State::CsiIgnore, IGNORED_CSI);
            }
            0x20..=0x3f => self.unfinished.push(byte),
            0x40..=0x7e => {
                self.unfinished.push(byte);
                if self.state == State::Csi {
                    sink(Token::Csi(&self.unfinished[2..]));
                }
                self.begin(State::Ground, b"");
            }
            _ => self.control(byte, sink),
        }
        rest
    }

    fn string<'a>(
        &mut self,
        kind: Kind,
        bytes: &'a [u8],
        sink: &mut impl FnMut(Token<'_>),
    ) -> &'a [u8] {
        let end = kind.end(bytes);
        let more = &bytes[..end.unwrap_or(bytes.len())];
        // As much as decides about the string is taken before the rest.
        let (head, tail) = more.split_at(more.len().min(DCS_HEADER_BYTES));
        self.unfinished.extend_from_slice(head);
        let limit = match kind.fate(&self.unfinished[2..], self.image_bytes) {
            Fate::Open => usize::MAX,
            Fate::Skip => 0,
            Fate::Read(limit) => limit,
        };
        let len = self.unfinished.len() - 2 + tail.len();
        if len > limit || (limit == 0 && end.is_none()) {
            match kind {
                Kind::Osc => self.begin(State::Skip(true), SKIPPED_OSC),
                Kind::Dcs | Kind::Apc => self.begin(State::Skip(false), SKIPPED),
            }
            // What ends the string ends the skipping as well.
            return &bytes[more.len()..];
        }
        self.unfinished.extend_from_slice(tail);
        let Some(end) = end else {
            return &[];
        };
        if !matches!(bytes[end], CAN | SUB)
            && let Fate::Read(_) = kind.fate(&self.unfinished[2..], self.image_bytes)
        {
            sink(kind.token(&self.unfinished[2..]));
        }
        self.end_string(bytes[end]);
        &bytes[end + 1..]
    }

    fn end_string(&mut self, terminator: u8) {
        match terminator {
            ESC => self.begin(State::Escape, b"\x1b"),
            _ => self.begin(State::Ground, b""),
        }
    }

    fn skip<'a>(&mut self, bel: bool, bytes: &'a [u8]) -> &'a [u8] {
        let Some(end) = string_end(bytes, bel) else {
            return &[];
        };
        self.end_string(bytes[end]);
        &bytes[end + 1..]
    }
}

/// Hands on text, and returns the part of a character at its end.
fn text<'a>(bytes: &'a [u8], sink: &mut impl FnMut(Token<'_>)) -> &'a [u8] {
    let mut rest = bytes;
    while !rest.is_empty() {
        let error = match str::from_utf8(rest) {
            Ok(text) => {
                sink(Token::Text(text));
                return &[];
            }
            Err(error) => error,
        };
        let (valid, after) = rest.split_at(error.valid_up_to());
        if let Ok(valid) = str::from_utf8(valid)
            && !valid.is_empty()
        {
            sink(Token::Text(valid));
        }
        let Some(len) = error.error_len() else {
            return after;
        };
        sink(Token::Text("\u{fffd}"));
        rest = &after[len..];
    }
    &[]
}
