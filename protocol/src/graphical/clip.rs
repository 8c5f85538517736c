//! Messages on `clipboard`: large contents in pieces, several formats together, and answers.

use std::fmt;

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};

use super::clipboard::Selection;
use crate::Code;
use crate::encoding::DecodeError;

/// What a client says on `clipboard`.
#[derive(Clone, Eq, PartialEq)]
pub enum ClipRequest {
    /// Fills a selection; answered once the content is in place, or as soon as it is refused.
    Set {
        /// Names the request in the answer.
        id: u32,
        /// What is filled.
        selection: Selection,
        /// The formats of one content, the best one first.
        formats: Vec<ClipFormat>,
    },
    /// The next bytes of what is set: the formats one after the other.
    Data {
        /// The request.
        id: u32,
        /// At most [`CLIP_PIECE_BYTES`].
        bytes: Bytes,
    },
    /// Asks for one format of an offer; answered behind the last of its bytes.
    Get {
        /// Names the request in what answers it.
        id: u32,
        /// The offer.
        serial: u32,
        /// The format.
        mime_type: String,
    },
}

/// A format of a content.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ClipFormat {
    /// The MIME type, `text/plain` for text in UTF-8.
    pub mime_type: String,
    /// Bytes in all.
    pub length: u32,
}

/// What a server says on `clipboard`.
#[derive(Clone, Eq, PartialEq)]
pub enum ClipNews {
    /// What is allowed here; the first message on the channel.
    Rules {
        /// Whether clients may fill the selections.
        to_desktop: bool,
        /// Whether clients may have what is in them.
        from_desktop: bool,
    },
    /// A selection has new content.
    Offer {
        /// Names the content.
        serial: u32,
        /// Where it is.
        selection: Selection,
        /// The formats, the best one first; none when it was cleared.
        formats: Vec<ClipFormat>,
    },
    /// The next bytes of what was asked for.
    Data {
        /// The request.
        id: u32,
        /// At most [`CLIP_PIECE_BYTES`].
        bytes: Bytes,
    },
    /// A request was carried out, or not.
    Answer {
        /// The request.
        id: u32,
        /// Why not; `None` when it was carried out.
        refused: Option<(Code, String)>,
    },
}

impl fmt::Debug for ClipRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Set { id, formats, .. } => write!(f, "Set({id}, {formats:?})"),
            Self::Data { id, bytes } => write!(f, "Data({id}, {} bytes)", bytes.len()),
            Self::Get { id, serial, .. } => write!(f, "Get({id}, {serial})"),
        }
    }
}

impl fmt::Debug for ClipNews {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rules {
                to_desktop,
                from_desktop,
            } => write!(f, "Rules({to_desktop}, {from_desktop})"),
            Self::Offer {
                serial, formats, ..
            } => write!(f, "Offer({serial}, {formats:?})"),
            Self::Data { id, bytes } => write!(f, "Data({id}, {} bytes)", bytes.len()),
            Self::Answer { id, refused } => write!(f, "Answer({id}, {refused:?})"),
        }
    }
}

impl ClipRequest {
    /// Reads a message of a client.
    pub fn decode(kind: u8, mut payload: Bytes) -> Result<Self, DecodeError> {
        match kind {
            SET => read_formats(&mut payload)
                .map(|(id, selection, formats)| Self::Set {
                    id,
                    selection,
                    formats,
                })
                .ok_or(DecodeError::Layout("CLIP_SET")),
            DATA => read_data(&mut payload)
                .map(|(id, bytes)| Self::Data { id, bytes })
                .ok_or(DecodeError::Layout("CLIP_DATA")),
            GET => read_get(&mut payload).ok_or(DecodeError::Layout("CLIP_GET")),
            unknown => Err(DecodeError::UnknownType(unknown.into())),
        }
    }

    /// Writes the type and the payload.
    pub fn encode(&self) -> (u8, Bytes) {
        match self {
            Self::Set {
                id,
                selection,
                formats,
            } => (SET, formats_payload(*id, *selection, formats)),
            Self::Data { id, bytes } => (DATA, data_payload(*id, bytes)),
            Self::Get {
                id,
                serial,
                mime_type,
            } => {
                let mut out = BytesMut::new();
                out.put_u32(*id);
                out.put_u32(*serial);
                put_name(&mut out, mime_type);
                (GET, out.freeze())
            }
        }
    }
}

impl ClipNews {
    /// Reads a message of a server.
    pub fn decode(kind: u8, mut payload: Bytes) -> Result<Self, DecodeError> {
        match kind {
            RULES => match payload[..] {
                [rules] => Ok(Self::Rules {
                    to_desktop: rules & TO_DESKTOP != 0,
                    from_desktop: rules & FROM_DESKTOP != 0,
                }),
                _ => Err(DecodeError::Layout("CLIP_RULES")),
            },
            OFFER => read_formats(&mut payload)
                .map(|(serial, selection, formats)| Self::Offer {
                    serial,
                    selection,
                    formats,
                })
                .ok_or(DecodeError::Layout("CLIP_OFFER")),
            CONTENT => read_data(&mut payload)
                .map(|(id, bytes)| Self::Data { id, bytes })
                .ok_or(DecodeError::Layout("CLIP_CONTENT")),
            ANSWER => read_answer(&mut payload).ok_or(DecodeError::Layout("CLIP_ANSWER")),
            unknown => Err(DecodeError::UnknownType(unknown.into())),
        }
    }

    /// Writes the type and the payload.
    pub fn encode(&self) -> (u8, Bytes) {
        match self {
            Self::Rules {
                to_desktop,
                from_desktop,
            } => {
                let to = if *to_desktop { TO_DESKTOP } else { 0 };
                let from = if *from_desktop { FROM_DESKTOP } else { 0 };
                (RULES, Bytes::copy_from_slice(&[to | from]))
            }
            Self::Offer {
                serial,
                selection,
                formats,
            } => (OFFER, formats_payload(*serial, *selection, formats)),
            Self::Data { id, bytes } => (CONTENT, data_payload(*id, bytes)),
            Self::Answer { id, refused } => {
                let (code, reason) = match refused {
                    Some((code, reason)) => (code.0, reason.as_str()),
                    None => (0, ""),
                };
                let mut out = BytesMut::new();
                out.put_u32(*id);
                out.put_u16(code);
                out.extend_from_slice(reason.as_bytes());
                (ANSWER, out.freeze())
            }
        }
    }
}

fn formats_payload(number: u32, selection: Selection, formats: &[ClipFormat]) -> Bytes {
    let mut out = BytesMut::new();
    out.put_u32(number);
    out.put_u8(match selection {
        Selection::Clipboard => CLIPBOARD,
        Selection::Primary => PRIMARY,
    });
    for format in formats {
        put_name(&mut out, &format.mime_type);
        out.put_u32(format.length);
    }
    out.freeze()
}

fn read_formats(payload: &mut Bytes) -> Option<(u32, Selection, Vec<ClipFormat>)> {
    let number = payload.try_get_u32().ok()?;
    let selection = read_selection(payload)?;
    let mut formats = Vec::new();
    while payload.has_remaining() {
        if formats.len() == FORMATS_MAX {
            return None;
        }
        formats.push(ClipFormat {
            mime_type: read_name(payload)?,
            length: payload.try_get_u32().ok()?,
        });
    }
    Some((number, selection, formats))
}

fn data_payload(id: u32, bytes: &[u8]) -> Bytes {
    let mut out = BytesMut::with_capacity(size_of::<u32>() + bytes.len());
    out.put_u32(id);
    out.extend_from_slice(bytes);
    out.freeze()
}

fn read_data(payload: &mut Bytes) -> Option<(u32, Bytes)> {
    let id = payload.try_get_u32().ok()?;
    let fits = (1..=CLIP_PIECE_BYTES).contains(&payload.len());
    fits.then(|| (id, std::mem::take(payload)))
}

fn read_get(payload: &mut Bytes) -> Option<ClipRequest> {
    let id = payload.try_get_u32().ok()?;
    let serial = payload.try_get_u32().ok()?;
    let mime_type = read_name(payload)?;
    payload.is_empty().then_some(ClipRequest::Get {
        id,
        serial,
        mime_type,
    })
}

fn read_answer(payload: &mut Bytes) -> Option<ClipNews> {
    let id = payload.try_get_u32().ok()?;
    let code = payload.try_get_u16().ok()?;
    let reason = std::str::from_utf8(payload).ok()?;
    Some(ClipNews::Answer {
        id,
        refused: (code != 0).then(|| (Code(code), reason.to_owned())),
    })
}

fn read_selection(payload: &mut Bytes) -> Option<Selection> {
    match payload.try_get_u8().ok()? {
        CLIPBOARD => Some(Selection::Clipboard),
        PRIMARY => Some(Selection::Primary),
        _ => None,
    }
}

fn read_name(payload: &mut Bytes) -> Option<String> {
    let length = usize::from(payload.try_get_u8().ok()?);
    if length == 0 || payload.len() < length {
        return None;
    }
    let name = payload.split_to(length);
    std::str::from_utf8(&name).ok().map(str::to_owned)
}

/// Writes a MIME type; one that is too long for its length is cut, and then names nothing.
fn put_name(out: &mut BytesMut, name: &str) {
    let name = name.as_bytes();
    let name = name.get(..usize::from(u8::MAX)).unwrap_or(name);
    out.put_u8(u8::try_from(name.len()).unwrap_or(u8::MAX));
    out.extend_from_slice(name);
}

/// The type of a list of files: their paths as `file-transfer` takes them, one per line.
pub const CLIP_PATHS: &str = "application/x-vroom-paths";

/// The name of the channel.
pub const CLIPBOARD_CHANNEL: &str = "clipboard";

/// The largest content, all formats together, in bytes; a larger one is refused with 4005.
pub const CLIP_BYTES_MAX: usize = 8 * 1024 * 1024;

/// The most bytes in one message; more are a malformed message.
pub const CLIP_PIECE_BYTES: usize = 64 * 1024;

/// The most formats of one content; more are a malformed message.
const FORMATS_MAX: usize = 8;

const SET: u8 = 0x01;
const DATA: u8 = 0x02;
const GET: u8 = 0x03;
const RULES: u8 = 0x10;
const OFFER: u8 = 0x11;
const CONTENT: u8 = 0x12;
const ANSWER: u8 = 0x13;
const CLIPBOARD: u8 = 0;
const PRIMARY: u8 = 1;
const TO_DESKTOP: u8 = 1;
const FROM_DESKTOP: u8 = 2;

#[cfg(test)]
mod tests {
    use super::*;

    fn format(mime_type: &str, length: u32) -> ClipFormat {
        ClipFormat {
            mime_type: mime_type.into(),
            length,
        }
    }

    fn requests() -> Vec<(ClipRequest, &'static [u8])> {
        vec![
            (
                ClipRequest::Set {
                    id: 7,
                    selection: Selection::Clipboard,
                    formats: vec![format("text/plain", 3), format("text/html", 0)],
                },
                b"\x01\0\0\0\x07\0\x0atext/plain\0\0\0\x03\x09text/html\0\0\0\0",
            ),
            (
                ClipRequest::Set {
                    id: 8,
                    selection: Selection::Primary,
                    formats: vec![],
                },
                b"\x01\0\0\0\x08\x01",
            ),
            (
                ClipRequest::Data {
                    id: 7,
                    bytes: Bytes::from_static("né".as_bytes()),
                },
                b"\x02\0\0\0\x07n\xc3\xa9",
            ),
            (
                ClipRequest::Get {
                    id: 9,
                    serial: 258,
                    mime_type: "image/png".into(),
                },
                b"\x03\0\0\0\x09\0\0\x01\x02\x09image/png",
            ),
        ]
    }

    fn news() -> Vec<(ClipNews, &'static [u8])> {
        vec![
            (
                ClipNews::Rules {
                    to_desktop: true,
                    from_desktop: false,
                },
                b"\x10\x01",
            ),
            (
                ClipNews::Rules {
                    to_desktop: false,
                    from_desktop: true,
                },
                b"\x10\x02",
            ),
            (
                ClipNews::Offer {
                    serial: 3,
                    selection: Selection::Primary,
                    formats: vec![format("text/plain", 8 << 20), format("image/png", 1)],
                },
                b"\x11\0\0\0\x03\x01\x0atext/plain\0\x80\0\0\x09image/png\0\0\0\x01",
            ),
            (
                ClipNews::Offer {
                    serial: 4,
                    selection: Selection::Clipboard,
                    formats: vec![],
                },
                b"\x11\0\0\0\x04\0",
            ),
            (
                ClipNews::Data {
                    id: 9,
                    bytes: Bytes::from_static(b"png"),
                },
                b"\x12\0\0\0\x09png",
            ),
            (
                ClipNews::Answer {
                    id: 7,
                    refused: None,
                },
                b"\x13\0\0\0\x07\0\0",
            ),
            (
                ClipNews::Answer {
                    id: 7,
                    refused: Some((Code::NOT_ALLOWED, "not so".into())),
                },
                b"\x13\0\0\0\x07\x10\x0enot so",
            ),
        ]
    }

    #[test]
    fn what_is_written_is_as_documented_and_read_again() {
        for (message, bytes) in requests() {
            let (kind, payload) = message.encode();
            assert_eq!((kind, &payload[..]), (bytes[0], &bytes[1..]));
            assert_eq!(ClipRequest::decode(kind, payload), Ok(message));
        }
        for (message, bytes) in news() {
            let (kind, payload) = message.encode();
            assert_eq!((kind, &payload[..]), (bytes[0], &bytes[1..]));
            assert_eq!(ClipNews::decode(kind, payload), Ok(message));
        }
    }

    #[test]
    fn nothing_shorter_is_taken_for_the_same() {
        for (message, bytes) in requests() {
            for end in 1..bytes.len() {
                let read = ClipRequest::decode(bytes[0], Bytes::from_static(&bytes[1..end]));
                assert_ne!(read, Ok(message.clone()));
            }
        }
        for (message, bytes) in news() {
            for end in 1..bytes.len() {
                let read = ClipNews::decode(bytes[0], Bytes::from_static(&bytes[1..end]));
                assert_ne!(read, Ok(message.clone()));
            }
        }
    }

    #[test]
    fn wrong_lengths_too_many_formats_and_types_of_the_other_side_are_refused() {
        let set = |rest: &[u8]| {
            let payload = [b"\0\0\0\x01\0", rest].concat();
            ClipRequest::decode(SET, payload.into())
        };
        assert!(set(b"\0\0\0\0\0").is_err(), "a format without a name");
        assert!(set(b"\x01\xff\0\0\0\0").is_err(), "a name that is no text");
        assert!(set(&b"\x01t\0\0\0\0".repeat(FORMATS_MAX)).is_ok());
        assert!(set(&b"\x01t\0\0\0\0".repeat(FORMATS_MAX + 1)).is_err());
        let other = ClipRequest::decode(SET, Bytes::from_static(b"\0\0\0\x01\x02"));
        assert!(other.is_err(), "there are two selections");
        let data = |bytes| ClipRequest::decode(DATA, vec![0; 4 + bytes].into());
        assert!(data(CLIP_PIECE_BYTES).is_ok());
        assert!(data(0).is_err() && data(CLIP_PIECE_BYTES + 1).is_err());
        for kind in [0, 4, RULES, OFFER, CONTENT, ANSWER] {
            let read = ClipRequest::decode(kind, Bytes::from_static(&[0; 16]));
            assert_eq!(read, Err(DecodeError::UnknownType(kind.into())));
        }
        assert!(ClipNews::decode(SET, Bytes::new()).is_err());
    }
}
