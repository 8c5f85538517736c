//! FILE_READ_RESPONSE, built where the file is read into.

use bytes::Bytes;

use super::FILE_READ_RESPONSE;

/// The payload of a FILE_READ_RESPONSE while the file is read into it, which saves a copy.
#[derive(Debug)]
pub struct ReadBuffer(Vec<u8>);

impl ReadBuffer {
    /// Room for so many bytes of an open file.
    pub fn new(handle: u32, length: usize) -> Self {
        let mut payload = vec![0; HEADER_BYTES + length];
        if let Some(header) = payload.first_chunk_mut() {
            *header = handle.to_be_bytes();
        }
        Self(payload)
    }

    /// Where the file is read into.
    pub fn space(&mut self) -> &mut [u8] {
        self.0.get_mut(HEADER_BYTES..).unwrap_or_default()
    }

    /// The type byte and the payload with the first `length` bytes of the room.
    pub fn finish(self, length: usize) -> (u8, Bytes) {
        let mut payload = self.0;
        payload.truncate(HEADER_BYTES.saturating_add(length));
        (FILE_READ_RESPONSE, payload.into())
    }
}

/// The handle.
const HEADER_BYTES: usize = size_of::<u32>();
