//! Pictures as PNG.

use std::io::{self, Write as _};

use bytes::Bytes;
use flate2::write::ZlibEncoder;
use flate2::{Compression, Crc};
use vroom_desktop::{BYTES_PER_PIXEL, PixelBuffer, Rect};

/// What the bytes of a row mean.
#[derive(Clone, Copy, Debug)]
pub enum Colours<'a> {
    /// Red, green, blue.
    Rgb,
    /// Red, green, blue and how opaque, not premultiplied.
    Rgba,
    /// An index into these: red, green, blue.
    Palette(&'a [[u8; 3]]),
}

/// Writes a PNG file of rows that begin with their filter byte.
///
/// # Errors
///
/// When a part of it is too long for the format.
pub fn write_png(width: u32, height: u32, colours: Colours<'_>, rows: &[u8]) -> io::Result<Bytes> {
    let kind = match colours {
        Colours::Rgb => 2,
        Colours::Palette(_) => 3,
        Colours::Rgba => 6,
    };
    let mut header = Vec::with_capacity(13);
    header.extend_from_slice(&width.to_be_bytes());
    header.extend_from_slice(&height.to_be_bytes());
    // Eight bits, and the only compression, filtering and interlacing that we write.
    header.extend_from_slice(&[8, kind, 0, 0, 0]);
    let mut png = SIGNATURE.to_vec();
    chunk(&mut png, b"IHDR", &header)?;
    if let Colours::Palette(palette) = colours {
        chunk(&mut png, b"PLTE", palette.as_flattened())?;
    }
    let mut body = ZlibEncoder::new(Vec::with_capacity(rows.len() / 8), Compression::fast());
    body.write_all(rows)?;
    chunk(&mut png, b"IDAT", &body.finish()?)?;
    chunk(&mut png, b"IEND", &[])?;
    Ok(png.into())
}

/// A part of a picture, exactly as it is.
///
/// Text has few colours, and then a palette makes it small and fast.
///
/// # Errors
///
/// When the part lies outside of the picture.
pub fn exact_png(pixels: &PixelBuffer, part: Rect) -> io::Result<Bytes> {
    let outside = || io::Error::from(io::ErrorKind::InvalidInput);
    let lines = lines(pixels, part).ok_or_else(outside)?;
    let (width, height) = (part.width, part.height);
    match indexed(&lines) {
        Some((palette, rows)) => write_png(width, height, Colours::Palette(&palette), &rows),
        None => write_png(width, height, Colours::Rgb, &filtered(&lines)),
    }
}

/// The rows of a part of a picture.
fn lines(pixels: &PixelBuffer, part: Rect) -> Option<Vec<&[u8]>> {
    if part.is_empty() || part.intersection(pixels.size().rect()) != Some(part) {
        return None;
    }
    let length = part.width as usize * BYTES_PER_PIXEL;
    (part.y..part.bottom())
        .map(|y| {
            let start = y as usize * pixels.stride() + part.x as usize * BYTES_PER_PIXEL;
            pixels.bytes().get(start..start + length)
        })
        .collect()
}

/// The rows as indexes, unless there are too many colours.
fn indexed(lines: &[&[u8]]) -> Option<(Vec<[u8; 3]>, Vec<u8>)> {
    let mut palette: Vec<[u8; 3]> = Vec::new();
    let mut slots = [None::<(u32, u8)>; SLOTS];
    let mut rows = Vec::with_capacity(lines.iter().map(|it| it.len() / 4 + 1).sum());
    let mut last = None;
    for line in lines {
        rows.push(FILTER_NONE);
        for pixel in pixels_of(line) {
            let [blue, green, red] = pixel;
            let key = u32::from_be_bytes([0, red, green, blue]);
            if let Some((known, index)) = last
                && known == key
            {
                rows.push(index);
                continue;
            }
            let mut at = key.wrapping_mul(0x9E37_79B1) as usize >> 16 & (SLOTS - 1);
            let index = loop {
                let slot = slots.get_mut(at)?;
                match slot {
                    Some((known, index)) if *known == key => break *index,
                    Some(_) => at = (at + 1) & (SLOTS - 1),
                    None => {
                        let index = u8::try_from(palette.len()).ok()?;
                        palette.push([red, green, blue]);
                        *slot = Some((key, index));
                        break index;
                    }
                }
            };
            last = Some((key, index));
            rows.push(index);
        }
    }
    Some((palette, rows))
}

/// The rows as differences, each by the filter that leaves least.
fn filtered(lines: &[&[u8]]) -> Vec<u8> {
    let width = lines.first().map_or(0, |line| line.len() / BYTES_PER_PIXEL) * 3;
    let mut rows = Vec::with_capacity(lines.len() * (width + 1));
    let mut above = vec![0; width];
    for line in lines {
        let plain: Vec<u8> = pixels_of(line)
            .flat_map(|[blue, green, red]| [red, green, blue])
            .collect();
        let left = [0; 3].iter().chain(&plain);
        let sub: Vec<u8> = plain
            .iter()
            .zip(left)
            .map(|(it, of)| it.wrapping_sub(*of))
            .collect();
        let up: Vec<u8> = plain
            .iter()
            .zip(&above)
            .map(|(it, of)| it.wrapping_sub(*of))
            .collect();
        let weight = |row: &[u8]| {
            let distance = |byte: &u8| u32::from((*byte).min(byte.wrapping_neg()));
            row.iter().map(distance).sum::<u32>()
        };
        let choices = [(FILTER_NONE, &plain), (FILTER_SUB, &sub), (FILTER_UP, &up)];
        let least = choices.into_iter().min_by_key(|(_, row)| weight(row));
        if let Some((filter, row)) = least {
            rows.push(filter);
            rows.extend_from_slice(row);
        }
        above = plain;
    }
    rows
}

/// Blue, green and red of each pixel.
fn pixels_of(line: &[u8]) -> impl Iterator<Item = [u8; 3]> {
    line.as_chunks::<BYTES_PER_PIXEL>()
        .0
        .iter()
        .map(|&[blue, green, red, _]| [blue, green, red])
}

fn chunk(png: &mut Vec<u8>, name: &[u8; 4], body: &[u8]) -> io::Result<()> {
    let length = u32::try_from(body.len()).map_err(io::Error::other)?;
    png.extend_from_slice(&length.to_be_bytes());
    png.extend_from_slice(name);
    png.extend_from_slice(body);
    let mut crc = Crc::new();
    crc.update(name);
    crc.update(body);
    png.extend_from_slice(&crc.sum().to_be_bytes());
    Ok(())
}

const SIGNATURE: [u8; 8] = *b"\x89PNG\r\n\x1a\n";
const FILTER_NONE: u8 = 0;
const FILTER_SUB: u8 = 1;
const FILTER_UP: u8 = 2;

/// Places of the table of colours: twice as many as a palette has.
const SLOTS: usize = 512;

#[cfg(test)]
mod tests {
    use gstreamer as gst;
    use gstreamer::prelude::*;
    use vroom_desktop::Size;

    use super::*;

    /// Blue, green, red of each pixel, as another implementation decodes them.
    fn decoded(png: &Bytes, part: Rect) -> Vec<[u8; 3]> {
        gst::init().unwrap();
        let (width, height) = (part.width, part.height);
        let line = format!(
            "appsrc name=in ! pngdec ! videoconvert ! \
             video/x-raw,format=BGRx,width={width},height={height} ! appsink name=out sync=false"
        );
        let pipeline = gst::parse::launch(&line)
            .unwrap()
            .downcast::<gst::Pipeline>()
            .unwrap();
        let source = pipeline
            .by_name("in")
            .unwrap()
            .downcast::<gstreamer_app::AppSrc>()
            .unwrap();
        let sink = pipeline
            .by_name("out")
            .unwrap()
            .downcast::<gstreamer_app::AppSink>()
            .unwrap();
        pipeline.set_state(gst::State::Playing).unwrap();
        source
            .push_buffer(gst::Buffer::from_slice(png.clone()))
            .unwrap();
        source.end_of_stream().unwrap();
        let sample = sink.pull_sample().unwrap();
        let map = sample.buffer().unwrap().map_readable().unwrap();
        let pixels = pixels_of(&map).collect();
        pipeline.set_state(gst::State::Null).unwrap();
        pixels
    }

    fn picture(size: Size, colours: u32) -> PixelBuffer {
        let mut pixels = PixelBuffer::new(size);
        let mut state = 1_u32;
        for pixel in pixels.bytes_mut().chunks_mut(4) {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let colour = (state >> 8) % colours;
            pixel.copy_from_slice(&colour.wrapping_mul(0x0123_4567).to_le_bytes());
        }
        pixels
    }

    #[test]
    fn every_pixel_is_exact_with_few_colours_and_with_many() {
        let size = Size::new(300, 90);
        for colours in [1, 2, 255, 256, 257, 1 << 20] {
            let pixels = picture(size, colours);
            for part in [
                size.rect(),
                Rect::new(17, 3, 64, 64),
                Rect::new(299, 89, 1, 1),
            ] {
                let png = exact_png(&pixels, part).unwrap();
                let want: Vec<_> = (part.y..part.bottom())
                    .flat_map(|y| (part.x..part.right()).map(move |x| (x, y)))
                    .map(|(x, y)| {
                        let at = y as usize * pixels.stride() + x as usize * 4;
                        <[u8; 3]>::try_from(&pixels.bytes()[at..at + 3]).unwrap()
                    })
                    .collect();
                assert!(decoded(&png, part) == want, "{colours} colours, {part:?}");
            }
        }
    }

    #[test]
    fn a_part_outside_of_the_picture_is_refused() {
        let pixels = PixelBuffer::new(Size::new(8, 8));
        for part in [
            Rect::new(0, 0, 9, 1),
            Rect::new(8, 8, 1, 1),
            Rect::new(0, 0, 0, 4),
        ] {
            assert!(exact_png(&pixels, part).is_err());
        }
    }
}
