//! The size of a PNG image.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;

/// The bytes up to the end of the height.
const HEADER_BYTES: usize = 24;

/// The width and height that stand at the beginning of a PNG in base64.
pub(super) fn size(payload: &[u8]) -> Option<(u32, u32)> {
    let header = payload.get(..HEADER_BYTES / 3 * 4)?;
    let header: [u8; HEADER_BYTES] = STANDARD_NO_PAD.decode(header).ok()?.try_into().ok()?;
    let (start, size) = header.split_at(16);
    if start != b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" {
        return None;
    }
    let (width, height) = size.split_at(4);
    let number = |bytes: &[u8]| Some(u32::from_be_bytes(bytes.try_into().ok()?));
    Some((number(width)?, number(height)?))
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    #[test]
    fn the_size_is_read() {
        let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x02\x80\0\0\x01\xe0\x08\x06";
        assert_eq!(size(STANDARD.encode(png).as_bytes()), Some((640, 480)));
    }

    #[test]
    fn what_is_no_png_has_no_size() {
        assert_eq!(size(b""), None);
        assert_eq!(size(&[b'A'; 40]), None);
    }
}
