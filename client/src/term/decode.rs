//! What comes on a PTY channel, decompressed.

use bytes::Bytes;
use vroom_protocol::terminal::PtyMessage;

use crate::error::Error;

/// What the server sent.
#[derive(Debug)]
pub(super) enum Received {
    /// Output of the program.
    Output(Bytes),
    /// The whole screen anew, and where output goes on.
    Repaint { offset: u64, body: Bytes },
    /// How much of our input the program was given.
    Acknowledged(u64),
}

/// Reads one message; `flow_control` says that there are more than bytes.
pub(super) fn decode(
    kind: u8,
    payload: Bytes,
    flow_control: bool,
    compression: bool,
) -> Result<Option<Received>, Error> {
    if !(flow_control || compression && kind == ZSTD) {
        return Ok(Some(Received::Output(payload)));
    }
    let message = PtyMessage::decode(kind, payload)
        .map_err(|error| Error::PeerMisbehaved(error.to_string()))?;
    Ok(Some(match message {
        PtyMessage::Bytes(bytes) => Received::Output(bytes),
        PtyMessage::Zstd(frame) => {
            Received::Output(decompress(&frame, PtyMessage::ZSTD_CONTENT_MAX)?)
        }
        PtyMessage::Repaint {
            offset,
            compressed,
            body,
            ..
        } => Received::Repaint {
            offset,
            body: if compressed {
                decompress(&body, PtyMessage::REPAINT_CONTENT_MAX)?
            } else {
                body
            },
        },
        PtyMessage::Ack(offset) => Received::Acknowledged(offset),
        PtyMessage::EndOfInput => return Ok(None),
    }))
}

/// Takes a zstd frame apart, as far as its content may be long.
fn decompress(frame: &[u8], bytes_max: usize) -> Result<Bytes, Error> {
    let content = zstd::bulk::decompress(frame, bytes_max);
    content
        .map(Bytes::from)
        .map_err(|error| Error::PeerMisbehaved(format!("a compressed message: {error}")))
}

const ZSTD: u8 = 1;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_that_grows_too_large_is_refused() {
        let frame = zstd::bulk::compress(&vec![0; 4096], 1).unwrap();
        assert_eq!(decompress(&frame, 4096).unwrap().len(), 4096);
        assert!(decompress(&frame, 4095).is_err());
        assert!(decompress(b"no frame", 4096).is_err());
    }

    #[test]
    fn without_flow_control_everything_is_output() {
        let received = decode(4, Bytes::from_static(b"x"), false, false).unwrap();
        assert!(matches!(received, Some(Received::Output(bytes)) if bytes == "x"));
    }
}
