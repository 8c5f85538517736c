//! Cursor pictures as PNG, which is what CURSOR carries.

use std::io;

use bytes::Bytes;
use vroom_desktop::CursorImage;
use vroom_media::{Colours, write_png};

/// Encodes a cursor picture; its colours lose their premultiplication.
///
/// # Errors
///
/// When the picture is not as large as it says.
pub(crate) fn encode(image: &CursorImage) -> io::Result<Bytes> {
    let row = image.width as usize * BYTES_PER_PIXEL;
    if row == 0 || image.bgra.len() != row * image.height as usize {
        return Err(io::Error::from(io::ErrorKind::InvalidData));
    }
    let mut rows = Vec::with_capacity(image.bgra.len() + image.height as usize);
    for line in image.bgra.chunks_exact(row) {
        rows.push(FILTER_NONE);
        for pixel in line.chunks_exact(BYTES_PER_PIXEL) {
            if let [blue, green, red, alpha] = *pixel {
                let plain = |value| straight(value, alpha);
                rows.extend_from_slice(&[plain(red), plain(green), plain(blue), alpha]);
            }
        }
    }
    write_png(image.width, image.height, Colours::Rgba, &rows)
}

/// Undoes the premultiplication of one colour.
fn straight(value: u8, alpha: u8) -> u8 {
    if alpha == 0 {
        return 0;
    }
    let full = u16::from(value) * 255 / u16::from(alpha);
    u8::try_from(full).unwrap_or(u8::MAX)
}

const FILTER_NONE: u8 = 0;

const BYTES_PER_PIXEL: usize = 4;

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn a_picture_has_its_chunks_and_its_colours() {
        let image = CursorImage {
            width: 2,
            height: 1,
            hotspot_x: 0,
            hotspot_y: 0,
            bgra: vec![1, 2, 3, 255, 64, 0, 128, 128],
        };
        let png = encode(&image).unwrap();
        assert!(png.starts_with(b"\x89PNG\r\n\x1a\n"));
        assert_eq!(&png[12..16], b"IHDR");
        // The checksum of an empty IEND is in every PNG there is.
        assert!(png.ends_with(&[0, 0, 0, 0, b'I', b'E', b'N', b'D', 0xAE, 0x42, 0x60, 0x82]));
        let at = png.windows(4).position(|name| name == b"IDAT").unwrap();
        let mut rows = Vec::new();
        flate2::read::ZlibDecoder::new(&png[at + 4..])
            .read_to_end(&mut rows)
            .unwrap();
        assert_eq!(rows, [0, 3, 2, 1, 255, 255, 0, 127, 128]);
    }

    #[test]
    fn a_picture_that_lies_about_its_size_is_refused() {
        let image = CursorImage {
            width: 9,
            height: 9,
            hotspot_x: 0,
            hotspot_y: 0,
            bgra: vec![0; 4],
        };
        assert!(encode(&image).is_err());
    }
}
