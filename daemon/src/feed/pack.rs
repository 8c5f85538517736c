//! Making messages smaller where that helps.

use bytes::Bytes;
use vroom_protocol::terminal::PtyMessage;
use zstd::bulk::Compressor;

/// Makes messages smaller, for a viewer who can take that.
pub(super) struct Packer {
    compressor: Option<Compressor<'static>>,
}

impl Packer {
    /// Compresses when the viewer can take it, and nothing is in the way.
    pub(super) fn new(compresses: bool) -> Self {
        let compressor = compresses.then(|| Compressor::new(LEVEL));
        Self {
            compressor: compressor.and_then(Result::ok),
        }
    }

    /// Output as a message; on a fast link it is not worth the time.
    pub(super) fn pack(&mut self, bytes: Bytes, is_slow: bool) -> PtyMessage {
        let compressor = self.compressor.as_mut();
        let compressor = compressor.filter(|_| is_slow && bytes.len() >= PACKED_MIN);
        let packed = compressor.and_then(|compressor| compressor.compress(&bytes).ok());
        match packed {
            Some(packed) if packed.len() < bytes.len() => PtyMessage::Zstd(packed.into()),
            _ => PtyMessage::Bytes(bytes),
        }
    }

    /// A screen as a message; `None` when it is too large for one.
    pub(super) fn screen(
        &mut self,
        offset: u64,
        body: Vec<u8>,
        scrollback: bool,
    ) -> Option<PtyMessage> {
        let fits = body.len() <= PtyMessage::REPAINT_CONTENT_MAX;
        let compressor = self.compressor.as_mut();
        let compressor = compressor.filter(|_| fits && body.len() >= PACKED_MIN);
        let packed = compressor.and_then(|compressor| compressor.compress(&body).ok());
        let (compressed, body) = match packed {
            Some(packed) if packed.len() < body.len() => (true, packed),
            _ => (false, body),
        };
        (body.len() <= BODY_MAX).then(|| PtyMessage::Repaint {
            offset,
            compressed,
            scrollback,
            body: body.into(),
        })
    }
}

impl std::fmt::Debug for Packer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Packer").finish_non_exhaustive()
    }
}

/// Fast, and still halves most of what terminals show.
const LEVEL: i32 = 1;

/// Less than this is not worth it.
const PACKED_MIN: usize = 256;

/// The longest body of a screen: as the protocol has it, and with room for what the mux adds.
const BODY_MAX: usize = PtyMessage::REPAINT_BODY_MAX - 1024;
