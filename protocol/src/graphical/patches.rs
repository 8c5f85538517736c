//! Messages on `patches`: exact pictures of what keeps still, to be laid over the video.

use bytes::{BufMut, Bytes, BytesMut};

use crate::encoding::DecodeError;

/// What travels on `patches`: all of it to the client, but for the acknowledgement.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum PatchMessage {
    /// Nothing lies over the video; the desktop has this many pixels.
    Start {
        /// Pixels.
        width: u16,
        /// Pixels.
        height: u16,
    },
    /// This part is exactly this picture.
    Show {
        /// Where.
        place: PatchRect,
        /// One PNG file.
        png: Bytes,
    },
    /// Nothing lies over these parts any more.
    Clear(Vec<PatchRect>),
    /// What lies over one part goes to another.
    Move {
        /// Where it goes.
        to: PatchRect,
        /// The column in which it begins before, in pixels from the left.
        from_x: u16,
        /// The row in which it begins before, in pixels from the top.
        from_y: u16,
        /// How many of the messages that follow, all of them `Show`, are to be seen together with it.
        follow: u8,
    },
    /// From the client: so many messages of the channel are on the screen, or were given up.
    Ack(u32),
}

/// A part of the desktop, in pixels.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PatchRect {
    /// Pixels from the left.
    pub x: u16,
    /// Pixels from the top.
    pub y: u16,
    /// Pixels.
    pub width: u16,
    /// Pixels.
    pub height: u16,
}

impl PatchMessage {
    /// Reads a message of `patches`.
    pub fn decode(kind: u8, payload: &[u8]) -> Result<Self, DecodeError> {
        match kind {
            START => match *payload {
                [w0, w1, h0, h1] => Ok(Self::Start {
                    width: u16::from_be_bytes([w0, w1]),
                    height: u16::from_be_bytes([h0, h1]),
                }),
                _ => Err(DecodeError::Layout("PATCH_START")),
            },
            SHOW => match payload.split_first_chunk() {
                Some((place, png)) if !png.is_empty() => Ok(Self::Show {
                    place: PatchRect::read(place),
                    png: Bytes::copy_from_slice(png),
                }),
                _ => Err(DecodeError::Layout("PATCH_SHOW")),
            },
            CLEAR => match payload.as_chunks() {
                (places, []) => Ok(Self::Clear(places.iter().map(PatchRect::read).collect())),
                _ => Err(DecodeError::Layout("PATCH_CLEAR")),
            },
            MOVE => match payload.split_first_chunk() {
                Some((to, &[x0, x1, y0, y1, follow])) => Ok(Self::Move {
                    to: PatchRect::read(to),
                    from_x: u16::from_be_bytes([x0, x1]),
                    from_y: u16::from_be_bytes([y0, y1]),
                    follow,
                }),
                _ => Err(DecodeError::Layout("PATCH_MOVE")),
            },
            ACK => match *payload {
                [a, b, c, d] => Ok(Self::Ack(u32::from_be_bytes([a, b, c, d]))),
                _ => Err(DecodeError::Layout("PATCH_ACK")),
            },
            unknown => Err(DecodeError::UnknownType(unknown.into())),
        }
    }

    /// Writes the type and the payload.
    pub fn encode(&self) -> (u8, Bytes) {
        let mut out = BytesMut::new();
        let kind = match self {
            Self::Start { width, height } => {
                out.put_u16(*width);
                out.put_u16(*height);
                START
            }
            Self::Show { place, png } => {
                out.reserve(RECT_BYTES + png.len());
                place.write(&mut out);
                out.extend_from_slice(png);
                SHOW
            }
            Self::Clear(places) => {
                for place in places {
                    place.write(&mut out);
                }
                CLEAR
            }
            Self::Move {
                to,
                from_x,
                from_y,
                follow,
            } => {
                to.write(&mut out);
                out.put_u16(*from_x);
                out.put_u16(*from_y);
                out.put_u8(*follow);
                MOVE
            }
            Self::Ack(count) => {
                out.put_u32(*count);
                ACK
            }
        };
        (kind, out.freeze())
    }
}

impl PatchRect {
    fn read(bytes: &[u8; RECT_BYTES]) -> Self {
        let [x0, x1, y0, y1, w0, w1, h0, h1] = *bytes;
        Self {
            x: u16::from_be_bytes([x0, x1]),
            y: u16::from_be_bytes([y0, y1]),
            width: u16::from_be_bytes([w0, w1]),
            height: u16::from_be_bytes([h0, h1]),
        }
    }

    fn write(self, out: &mut BytesMut) {
        for value in [self.x, self.y, self.width, self.height] {
            out.put_u16(value);
        }
    }
}

/// The name of the channel.
pub const PATCHES_CHANNEL: &str = "patches";

const START: u8 = 0x01;
const SHOW: u8 = 0x02;
const CLEAR: u8 = 0x03;
const MOVE: u8 = 0x04;
const ACK: u8 = 0x05;
const RECT_BYTES: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: PatchRect = PatchRect {
        x: 1,
        y: 2,
        width: 256,
        height: 4,
    };

    #[test]
    fn what_is_written_is_read() {
        for message in [
            PatchMessage::Start {
                width: 1280,
                height: 720,
            },
            PatchMessage::Show {
                place: PLACE,
                png: Bytes::from_static(b"png"),
            },
            PatchMessage::Clear(vec![PLACE, PLACE]),
            PatchMessage::Move {
                to: PLACE,
                from_x: 1,
                from_y: 0x0203,
                follow: 2,
            },
            PatchMessage::Ack(0x0102_0304),
        ] {
            let (kind, payload) = message.encode();
            assert_eq!(PatchMessage::decode(kind, &payload), Ok(message));
        }
        let (kind, payload) = PatchMessage::Clear(vec![PLACE]).encode();
        assert_eq!((kind, &payload[..]), (3, &[0, 1, 0, 2, 1, 0, 0, 4][..]));
        let moved = PatchMessage::Move {
            to: PLACE,
            from_x: 1,
            from_y: 0x0203,
            follow: 2,
        };
        let (kind, payload) = moved.encode();
        let want = [0, 1, 0, 2, 1, 0, 0, 4, 0, 1, 2, 3, 2];
        assert_eq!((kind, &payload[..]), (4, &want[..]));
    }

    #[test]
    fn other_lengths_and_types_are_refused() {
        for (kind, payload) in [
            (1, &[0_u8; 3][..]),
            (2, &[0; 8]),
            (3, &[0; 9]),
            (4, &[0; 12]),
            (4, &[0; 14]),
            (5, &[0; 3]),
            (6, &[]),
        ] {
            assert!(PatchMessage::decode(kind, payload).is_err());
        }
    }
}
