//! Which escape sequences reach a viewer.
//!
//! What a program writes is not to be trusted by the terminals that show it: no sequence may read a
//! file, run something, or send strings back that a program made up. The filter lets through what is
//! known and harmless, and what the viewer can take; it holds back a sequence until it knows enough.

mod policy;
mod viewer;

use memchr::{memchr, memchr2, memchr3};

use self::policy::Verdict;
pub use self::viewer::ViewerCapabilities;
pub(super) use self::viewer::kitty_flags;
use super::tokenizer::SEQUENCE_BYTES;

/// Takes out of output what a viewer must not see.
///
/// A viewer's stream begins with a new filter, and so does what follows a snapshot: the snapshot goes
/// through it first, since it ends with the sequence that the program has begun.
pub struct OutputFilter {
    viewer: ViewerCapabilities,
    state: State,
    /// The sequence that has begun, without what was passed over in it.
    held: Vec<u8>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    Ground,
    /// The first byte of a character that may be a C1 control was held back.
    C1,
    Escape,
    Csi,
    /// A string that is decided about when it has ended, or when enough of it is there.
    String(Kind),
    /// The content of an image, which goes through as it comes.
    Pass(Kind),
    /// A string that is refused.
    Drop(Kind),
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    Osc,
    Dcs,
    Apc,
    /// Privacy messages and strings without a meaning.
    Other,
}

const ESC: u8 = 0x1b;
const BEL: u8 = 0x07;
const CAN: u8 = 0x18;
const SUB: u8 = 0x1a;
/// Begins the characters U+0080 to U+00BF, of which the first 32 are controls.
const C1_LEAD: u8 = 0xc2;
const ST: &[u8] = b"\x1b\\";
/// More intermediates have no meaning; further ones are passed over.
const ESCAPE_BYTES: usize = 4;

impl OutputFilter {
    /// A filter for one viewer, at the beginning of a stream.
    pub fn new(viewer: &ViewerCapabilities) -> Self {
        Self {
            viewer: *viewer,
            state: State::Ground,
            held: Vec::new(),
        }
    }

    /// Whether these bytes go through as they are: then they need not be filtered.
    ///
    /// That is so for text between two sequences. It depends on what was filtered before.
    pub fn passes(&self, bytes: &[u8]) -> bool {
        self.state == State::Ground && memchr2(ESC, C1_LEAD, bytes).is_none()
    }

    /// Filters output, which may be cut anywhere, onto the end of `out`.
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        let mut rest = bytes;
        while !rest.is_empty() {
            rest = match self.state {
                State::Ground => self.ground(rest, out),
                State::C1 => self.c1(rest, out),
                State::Escape => self.escape(rest, out),
                State::Csi => self.csi(rest, out),
                State::String(kind) => self.string(kind, rest, out),
                State::Pass(kind) => self.pass(kind, rest, out),
                State::Drop(kind) => self.drop(kind, rest),
            };
        }
    }

    fn ground<'a>(&mut self, bytes: &'a [u8], out: &mut Vec<u8>) -> &'a [u8] {
        let at = memchr2(ESC, C1_LEAD, bytes).unwrap_or(bytes.len());
        let (text, rest) = bytes.split_at(at);
        out.extend_from_slice(text);
        let Some((&byte, rest)) = rest.split_first() else {
            return rest;
        };
        if byte == ESC {
            self.begin();
        } else {
            self.state = State::C1;
        }
        rest
    }

    /// The byte behind one that may begin a C1 control: such a control is taken out.
    fn c1<'a>(&mut self, bytes: &'a [u8], out: &mut Vec<u8>) -> &'a [u8] {
        self.state = State::Ground;
        match bytes[0] {
            0x80..=0x9f => &bytes[1..],
            byte @ 0xa0..=0xbf => {
                out.extend_from_slice(&[C1_LEAD, byte]);
                &bytes[1..]
            }
            // No character. The byte must not meet one that comes later.
            _ => {
                out.extend_from_slice("\u{fffd}".as_bytes());
                bytes
            }
        }
    }

    fn begin(&mut self) {
        self.state = State::Escape;
        self.held.clear();
        self.held.push(ESC);
    }

    fn end(&mut self) {
        self.state = State::Ground;
        self.held = Vec::new();
    }

    fn escape<'a>(&mut self, bytes: &'a [u8], out: &mut Vec<u8>) -> &'a [u8] {
        let (byte, rest) = (bytes[0], &bytes[1..]);
        let first = self.held.len() == 1;
        let opens = match byte {
            b'[' => Some(State::Csi),
            b']' => Some(State::String(Kind::Osc)),
            b'P' => Some(State::String(Kind::Dcs)),
            b'_' => Some(State::String(Kind::Apc)),
            b'X' | b'^' => Some(State::Drop(Kind::Other)),
            _ => None,
        };
        match (opens, byte) {
            (Some(state), _) if first => {
                self.state = state;
                self.held.push(byte);
            }
            (_, 0x20..=0x2f) => {
                if self.held.len() < ESCAPE_BYTES {
                    self.held.push(byte);
                }
            }
            (_, 0x30..=0x7e) => {
                self.held.push(byte);
                if policy::escape(&self.held[1..]) {
                    out.extend_from_slice(&self.held);
                }
                self.end();
            }
            _ => self.control(byte, out),
        }
        rest
    }

    /// A byte in a sequence where none of its own stands.
    fn control(&mut self, byte: u8, out: &mut Vec<u8>) {
        match byte {
            ESC => self.begin(),
            CAN | SUB => self.end(),
            // It acts at once, before the sequence does.
            0x00..=0x1f => out.push(byte),
            _ => {}
        }
    }

    fn csi<'a>(&mut self, bytes: &'a [u8], out: &mut Vec<u8>) -> &'a [u8] {
        let (byte, rest) = (bytes[0], &bytes[1..]);
        match byte {
            // One byte too many is enough to know that it is too long.
            0x20..=0x3f if self.held.len() - 2 > SEQUENCE_BYTES => {}
            0x20..=0x3f => self.held.push(byte),
            0x40..=0x7e => {
                self.held.push(byte);
                if self.held.len() - 3 <= SEQUENCE_BYTES {
                    policy::csi(&self.held[2..], &self.viewer, out);
                }
                self.end();
            }
            _ => self.control(byte, out),
        }
        rest
    }

    fn string<'a>(&mut self, kind: Kind, bytes: &'a [u8], out: &mut Vec<u8>) -> &'a [u8] {
        let at = string_end(kind, bytes).unwrap_or(bytes.len());
        // The beginning decides: it is taken byte by byte until it has.
        for (taken, &byte) in bytes[..at].iter().enumerate() {
            self.held.push(byte);
            match policy::string(kind, &self.held[2..], &self.viewer) {
                Verdict::Wait => {}
                Verdict::Hold(limit) => {
                    let more = &bytes[taken + 1..at];
                    if self.held.len() - 2 + more.len() > limit {
                        self.refuse(kind);
                        return &bytes[taken + 1..];
                    }
                    self.held.extend_from_slice(more);
                    break;
                }
                Verdict::Pass => {
                    out.append(&mut self.held);
                    self.state = State::Pass(kind);
                    return &bytes[taken + 1..];
                }
                Verdict::Refuse => {
                    self.refuse(kind);
                    return &bytes[taken + 1..];
                }
            }
        }
        let Some(&end) = bytes.get(at) else {
            return &[];
        };
        if !matches!(end, CAN | SUB) {
            policy::whole(kind, &self.held[2..], &self.viewer, end == BEL, out);
        }
        self.end_string(end);
        &bytes[at + 1..]
    }

    fn refuse(&mut self, kind: Kind) {
        self.state = State::Drop(kind);
        self.held = Vec::new();
    }

    fn pass<'a>(&mut self, kind: Kind, bytes: &'a [u8], out: &mut Vec<u8>) -> &'a [u8] {
        let at = string_end(kind, bytes).unwrap_or(bytes.len());
        out.extend(
            bytes[..at]
                .iter()
                .filter(|byte| policy::is_content(kind, **byte)),
        );
        let Some(&end) = bytes.get(at) else {
            return &[];
        };
        match end {
            ESC => out.extend_from_slice(ST),
            _ => out.push(end),
        }
        self.end_string(end);
        &bytes[at + 1..]
    }

    fn drop<'a>(&mut self, kind: Kind, bytes: &'a [u8]) -> &'a [u8] {
        let Some(at) = string_end(kind, bytes) else {
            return &[];
        };
        self.end_string(bytes[at]);
        &bytes[at + 1..]
    }

    /// The ESC that ends a string begins the next sequence; the terminator was written already.
    fn end_string(&mut self, end: u8) {
        if end == ESC {
            self.begin();
        } else {
            self.end();
        }
    }
}

fn string_end(kind: Kind, bytes: &[u8]) -> Option<usize> {
    let end = memchr3(ESC, CAN, SUB, bytes);
    match kind {
        Kind::Osc => memchr(BEL, &bytes[..end.unwrap_or(bytes.len())]).or(end),
        _ => end,
    }
}
