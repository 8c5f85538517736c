//! Pictures on `video`, where there are no media tracks.

use bytes::{BufMut, Bytes, BytesMut};

use crate::encoding::DecodeError;

/// What travels on `video`: pictures to the client, counts back.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum VideoMessage {
    /// The whole viewport as one bare JPEG file.
    Jpeg(Bytes),
    /// A part of the viewport; only with `video-tiles`.
    Tile {
        /// Pixels from the left.
        x: u16,
        /// Pixels from the top.
        y: u16,
        /// Pixels.
        w: u16,
        /// Pixels.
        h: u16,
        /// One bare JPEG file.
        jpeg: Bytes,
    },
    /// One H264 access unit; only with `video-h264`.
    H264 {
        /// Whether decoding can start here.
        key_frame: bool,
        /// When it is to be shown, in microseconds.
        pts_us: u64,
        /// Annex B.
        unit: Bytes,
    },
    /// How many pictures the client has shown so far.
    Ack(u32),
}

impl VideoMessage {
    /// Reads a message of `video`, whichever way it goes.
    pub fn decode(kind: u8, payload: &[u8]) -> Result<Self, DecodeError> {
        match kind {
            FRAME_JPEG => read_jpeg(payload)
                .map(Self::Jpeg)
                .ok_or(DecodeError::Layout("FRAME_JPEG")),
            TILE_JPEG => Self::read_tile(payload).ok_or(DecodeError::Layout("TILE_JPEG")),
            H264_AU => Self::read_unit(payload).ok_or(DecodeError::Layout("H264_AU")),
            VIDEO_ACK => payload
                .try_into()
                .map(|count| Self::Ack(u32::from_be_bytes(count)))
                .map_err(|_| DecodeError::Layout("VIDEO_ACK")),
            unknown => Err(DecodeError::UnknownType(unknown.into())),
        }
    }

    /// Reads what a client may send: the count of a VIDEO_ACK.
    // Clarification C12: types that only a server sends are unknown types from a client.
    pub fn decode_ack(kind: u8, payload: &[u8]) -> Result<u32, DecodeError> {
        match kind {
            VIDEO_ACK => match Self::decode(kind, payload)? {
                Self::Ack(count) => Ok(count),
                _ => Err(DecodeError::Layout("VIDEO_ACK")),
            },
            other => Err(DecodeError::UnknownType(other.into())),
        }
    }

    /// Writes the type and the payload; a bare JPEG is not copied.
    pub fn encode(&self) -> (u8, Bytes) {
        match self {
            Self::Jpeg(jpeg) => (FRAME_JPEG, jpeg.clone()),
            Self::Tile { x, y, w, h, jpeg } => {
                let mut out = BytesMut::with_capacity(TILE_HEADER_LEN + jpeg.len());
                for value in [x, y, w, h] {
                    out.put_u16(*value);
                }
                out.extend_from_slice(jpeg);
                (TILE_JPEG, out.freeze())
            }
            Self::H264 {
                key_frame,
                pts_us,
                unit,
            } => {
                let mut out = BytesMut::with_capacity(UNIT_HEADER_LEN + unit.len());
                out.put_u8(if *key_frame { KEY_FRAME } else { 0 });
                out.put_u64(*pts_us);
                out.extend_from_slice(unit);
                (H264_AU, out.freeze())
            }
            Self::Ack(count) => (VIDEO_ACK, Bytes::copy_from_slice(&count.to_be_bytes())),
        }
    }

    fn read_tile(payload: &[u8]) -> Option<Self> {
        let (header, jpeg) = payload.split_first_chunk::<TILE_HEADER_LEN>()?;
        let &[x0, x1, y0, y1, w0, w1, h0, h1] = header;
        Some(Self::Tile {
            x: u16::from_be_bytes([x0, x1]),
            y: u16::from_be_bytes([y0, y1]),
            w: u16::from_be_bytes([w0, w1]),
            h: u16::from_be_bytes([h0, h1]),
            jpeg: read_jpeg(jpeg)?,
        })
    }

    fn read_unit(payload: &[u8]) -> Option<Self> {
        let (&flags, rest) = payload.split_first()?;
        let (pts_us, unit) = rest.split_first_chunk::<8>()?;
        if unit.is_empty() {
            return None;
        }
        Some(Self::H264 {
            key_frame: flags & KEY_FRAME != 0,
            pts_us: u64::from_be_bytes(*pts_us),
            unit: Bytes::copy_from_slice(unit),
        })
    }
}

/// One JPEG file and nothing around it.
fn read_jpeg(payload: &[u8]) -> Option<Bytes> {
    let whole = payload.len() >= 4
        && payload.starts_with(&[0xFF, 0xD8])
        && payload.ends_with(&[0xFF, 0xD9]);
    whole.then(|| Bytes::copy_from_slice(payload))
}

// VROOM-Graphical §4.8.
const FRAME_JPEG: u8 = 0x01;
const TILE_JPEG: u8 = 0x02;
const H264_AU: u8 = 0x03;
const VIDEO_ACK: u8 = 0x10;
const KEY_FRAME: u8 = 0x01;
const TILE_HEADER_LEN: usize = 8;
const UNIT_HEADER_LEN: usize = 9;
