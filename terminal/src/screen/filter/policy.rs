//! What is let through.

use std::io::Write;

use super::super::images;
use super::super::params::Params;
use super::super::title::plain;
use super::super::tokenizer::{CLIPBOARD_BYTES, DCS_HEADER_BYTES, SEQUENCE_BYTES};
use super::{Kind, ST, ViewerCapabilities};

/// What the beginning of a string says about it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Verdict {
    /// Too short to tell.
    Wait,
    /// It is looked at when it is whole, with at most this many bytes.
    Hold(usize),
    /// The rest may go through as it comes.
    Pass,
    /// It is not for this viewer.
    Refuse,
}

/// The longest number of a command.
const NUMBER_BYTES: usize = 8;
/// The longest beginning of an image, up to its content.
const HEADER_BYTES: usize = 1024;
/// The longest question for a setting.
const SETTING_BYTES: usize = 16;
/// Characters of a title.
const TITLE_CHARS: usize = 256;
/// The longest OSC 52: a clipboard in base64 and what stands before it.
const CLIPBOARD_SEQUENCE_BYTES: usize = CLIPBOARD_BYTES / 3 * 4 + 64;
/// Window operations that tell a size or put the title by; others move windows or tell the title.
const WINDOW: [u16; 5] = [14, 16, 18, 22, 23];
/// Settings that a program may ask for with DECRQSS.
const SETTINGS: [&[u8]; 4] = [b"m", b"r", b" q", b"\"p"];
/// Commands that set colours, tell a directory, and mark prompts.
const OSC: [&str; 10] = [
    "4", "7", "10", "11", "12", "104", "110", "111", "112", "133",
];

/// Whether an escape sequence goes through.
pub(super) fn escape(sequence: &[u8]) -> bool {
    // A string terminator without a string; Latin-1, in which other bytes are controls; answers with
    // 8-bit controls.
    !matches!(sequence, b"\\" | b"%@" | b" G")
}

/// Writes a control sequence, as far as it goes through.
pub(super) fn csi(sequence: &[u8], viewer: &ViewerCapabilities, out: &mut Vec<u8>) {
    let Some(params) = Params::parse(sequence) else {
        return;
    };
    let (known, first) = (viewer.kitty_flags(), params.get(0, 0));
    let passes = match (params.prefix, params.intermediate, params.last) {
        // Printing.
        (_, _, b'i') => false,
        (0, 0, b't') => WINDOW.contains(&first),
        // How titles are told.
        (b'>', _, b't' | b'T') => false,
        // Checksums of what is on the screen.
        (_, b'*', b'y') => false,
        // Answers with 8-bit controls.
        (_, b'"', b'p') => false,
        (b'>' | b'<' | b'=' | b'?', 0, b'u') if known == 0 => false,
        (b'>' | b'=', 0, b'u') => {
            let prefix = char::from(params.prefix);
            let flags = first & u16::from(known);
            let how = match params.prefix {
                b'=' => format!(";{}", params.get(1, 1)),
                _ => String::new(),
            };
            return write!(out, "\x1b[{prefix}{flags}{how}u").unwrap_or_default();
        }
        _ => true,
    };
    if passes {
        out.extend_from_slice(b"\x1b[");
        out.extend_from_slice(sequence);
    }
}

/// What is to be done with a string that begins with `content`.
pub(super) fn string(kind: Kind, content: &[u8], viewer: &ViewerCapabilities) -> Verdict {
    let images = viewer.graphics || viewer.sixel;
    match kind {
        Kind::Osc => match content.iter().position(|byte| !byte.is_ascii_digit()) {
            None if content.len() > NUMBER_BYTES => Verdict::Refuse,
            None => Verdict::Wait,
            Some(at) if content[at] != b';' => Verdict::Refuse,
            Some(at) => match &content[..at] {
                b"52" => Verdict::Hold(CLIPBOARD_SEQUENCE_BYTES),
                b"1337" if !images => Verdict::Refuse,
                b"1337" => inline_image(&content[at + 1..]),
                _ => Verdict::Hold(SEQUENCE_BYTES),
            },
        },
        Kind::Dcs if content.starts_with(b"$q") => Verdict::Hold(SETTING_BYTES),
        Kind::Dcs => match content.last() {
            Some(b'0'..=b'9' | b';') if content.len() < DCS_HEADER_BYTES => Verdict::Wait,
            Some(b'q') if viewer.sixel => Verdict::Pass,
            Some(b'$') if content.len() == 1 => Verdict::Wait,
            _ => Verdict::Refuse,
        },
        Kind::Apc => match content {
            [b'G', control @ ..] if viewer.graphics => match control.last() {
                Some(b';') if is_direct(&control[..control.len() - 1]) => Verdict::Pass,
                Some(b';') => Verdict::Refuse,
                _ if control.len() > HEADER_BYTES => Verdict::Refuse,
                _ => Verdict::Wait,
            },
            _ => Verdict::Refuse,
        },
        Kind::Other => Verdict::Refuse,
    }
}

/// An image of iTerm2: shown in the line, not stored as a file.
fn inline_image(content: &[u8]) -> Verdict {
    let Some((b':', header)) = content.split_last() else {
        let too_long = content.len() > HEADER_BYTES;
        return if too_long {
            Verdict::Refuse
        } else {
            Verdict::Wait
        };
    };
    let keys = header.strip_prefix(b"File=").unwrap_or_default();
    let clean = keys.iter().all(u8::is_ascii_graphic);
    let keys = keys.split(|byte| *byte == b';');
    let mut inline = keys.filter(|key| key.starts_with(b"inline="));
    let shown = inline.next() == Some(b"inline=1") && inline.next().is_none();
    if clean && shown {
        Verdict::Pass
    } else {
        Verdict::Refuse
    }
}

/// Whether a graphics command brings its data along rather than the name of a file.
fn is_direct(control: &[u8]) -> bool {
    let files = |pair: &[u8]| pair.starts_with(b"t=") && pair != b"t=d";
    images::is_control(control) && !control.split(|byte| *byte == b',').any(files)
}

/// Whether a byte belongs to the content of an image.
pub(super) fn is_content(kind: Kind, byte: u8) -> bool {
    match kind {
        Kind::Dcs => images::is_sixel(byte),
        _ => images::is_base64(byte),
    }
}

/// Writes a string that has ended, as far as it goes through.
pub(super) fn whole(
    kind: Kind,
    content: &[u8],
    viewer: &ViewerCapabilities,
    bel: bool,
    out: &mut Vec<u8>,
) {
    let (opener, content) = match kind {
        Kind::Osc => match command(content) {
            Some(content) => (&b"\x1b]"[..], content),
            None => return,
        },
        Kind::Dcs => match content.strip_prefix(b"$q") {
            Some(what) if SETTINGS.contains(&what) => {
                (&b"\x1bP"[..], String::from_utf8_lossy(content).into_owned())
            }
            _ => return,
        },
        // A command without data.
        Kind::Apc => match content.strip_prefix(b"G") {
            Some(control) if viewer.graphics && is_direct(control) => {
                (&b"\x1b_"[..], String::from_utf8_lossy(content).into_owned())
            }
            _ => return,
        },
        Kind::Other => return,
    };
    out.extend_from_slice(opener);
    out.extend_from_slice(content.as_bytes());
    out.extend_from_slice(if bel { b"\x07" } else { ST });
}

/// An operating system command without controls in it, when it goes through.
fn command(content: &[u8]) -> Option<String> {
    // First of all without controls: what is left decides.
    let content = plain(&String::from_utf8_lossy(content), usize::MAX);
    let (number, rest) = content.split_once(';').unwrap_or((&content, ""));
    let rest = match number {
        "0" | "1" | "2" => plain(rest, TITLE_CHARS),
        "8" => rest.to_owned(),
        // Progress, or a notification: other numbers are commands to the terminal.
        "9" if rest.starts_with("4;")
            || !rest.starts_with(|first: char| first.is_ascii_digit()) =>
        {
            plain(rest, TITLE_CHARS)
        }
        "777" if rest.starts_with("notify;") => plain(rest, TITLE_CHARS),
        // The clipboard is written, never read.
        "52" => {
            let (_, data) = rest.split_once(';')?;
            let base64 = |byte: u8| is_content(Kind::Apc, byte);
            if data.is_empty() || !data.bytes().all(base64) {
                return None;
            }
            rest.to_owned()
        }
        number if OSC.contains(&number) => rest.to_owned(),
        _ => return None,
    };
    Some(if content.contains(';') {
        format!("{number};{rest}")
    } else {
        number.to_owned()
    })
}
