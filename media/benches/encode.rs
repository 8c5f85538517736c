//! What one encoded picture costs: CPU time, latency of each stage, size.
//!
//! `cargo bench -p vroom-media` prints a line for each encoder, size and content. "scroll" moves
//! lines of text, "caret" changes one small box.
#![expect(clippy::print_stdout, reason = "a bench speaks to a person")]

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use vroom_desktop::{Damage, Frame, FrameSlot, PixelBuffer, Rect, Size};
use vroom_media::{EncoderChoice, Media, MediaConfig};

fn main() -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()?;
    println!("memory before media {} KiB", memory_kib());
    for encoder in ["x264enc", "openh264enc"] {
        let config = MediaConfig {
            encoder: EncoderChoice::Named(encoder.into()),
            fps_max: 60,
            ..MediaConfig::default()
        };
        let media = Media::start(config)?;
        for (width, height) in [(1280, 720), (1920, 1080)] {
            for content in ["scroll", "caret"] {
                let size = Size::new(width, height);
                runtime.block_on(measure(&media, encoder, size, content))?;
            }
        }
    }
    println!("memory at the end {} KiB", memory_kib());
    Ok(())
}

async fn measure(
    media: &Media,
    name: &str,
    size: Size,
    content: &str,
) -> Result<(), Box<dyn Error>> {
    let frames = Arc::new(FrameSlot::new());
    let encoder = media.encoder(Arc::clone(&frames))?;
    let mut feed = encoder.units();
    let pictures: Vec<_> = (0..PICTURES)
        .map(|step| Arc::new(page(size, content, step)))
        .collect();
    let damage = match content {
        "caret" => [CARET].into_iter().collect(),
        _ => Damage::full(size),
    };
    let mut cpu = cpu_time();
    let mut latencies = Vec::new();
    let mut bytes = 0;
    for seq in 0..UNITS + WARM_UP {
        if seq == WARM_UP {
            (cpu, bytes) = (cpu_time(), 0);
            latencies.clear();
        }
        let captured_at = Instant::now();
        frames.publish(Frame {
            seq,
            captured_at,
            damage: if seq == 0 {
                Damage::full(size)
            } else {
                damage.clone()
            },
            pixels: Arc::clone(&pictures[usize::try_from(seq)? % pictures.len()]),
        });
        // A refinement of the one before may slip in between.
        loop {
            let unit = feed.next().await.ok_or("the encoder ended")?;
            bytes += unit.data.len();
            if unit.captured_at >= captured_at {
                break;
            }
        }
        latencies.push(captured_at.elapsed());
    }
    let cpu = cpu_time().saturating_sub(cpu) / u32::try_from(UNITS)?;
    latencies.sort_unstable();
    let at = |percent: usize| latencies.get(latencies.len() * percent / 100);
    let stats = encoder.stats();
    println!(
        "{name} {size} {content}: CPU {cpu:?}, frame to unit p50 {:?} p95 {:?}, convert p50 {:?}, \
         encode p50 {:?}, {} bytes",
        at(50).ok_or("nothing measured")?,
        at(95).ok_or("nothing measured")?,
        stats.convert.p50,
        stats.encode.p50,
        bytes / usize::try_from(UNITS)?,
    );
    Ok(())
}

/// A wallpaper with a window of lines; `step` scrolls it or moves the caret.
fn page(size: Size, content: &str, step: u32) -> PixelBuffer {
    let mut pixels = PixelBuffer::new(size);
    let scroll = if content == "scroll" { step * 16 } else { 0 };
    for (index, pixel) in (0_u32..).zip(pixels.bytes_mut().chunks_exact_mut(4)) {
        let (x, y) = (index % size.width, index / size.width);
        let in_window = x > size.width / 8 && x < size.width * 5 / 8 && y > size.height / 8;
        let (column, line) = (x / 9, (y + scroll) / 16);
        let (dx, dy) = (x % 9, (y + scroll) % 16);
        let glyph = (column * 31 + line * 57) % 97;
        let ink = glyph < 70 && (3..13).contains(&dy) && (dx * 3 + dy * (glyph % 5 + 1)) % 7 < 2;
        let shade = u8::try_from((x + y) * 200 / (size.width + size.height)).unwrap_or(0);
        pixel[..3].copy_from_slice(&match (in_window, ink) {
            (true, true) => [210, 210, 210],
            (true, false) => [40, 42, 46],
            (false, _) => [shade, 90, 60],
        });
        let in_caret = CARET.contains(Rect::new(x, y, 1, 1));
        if content == "caret" && in_caret && step % 2 == 1 {
            pixel.fill(255);
        }
    }
    pixels
}

/// What this process has used: `utime` and `stime` of `/proc/self/stat`, in ticks of 10 ms.
fn cpu_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let times = after_name.split_whitespace().skip(11).take(2);
    let ticks: u64 = times.filter_map(|it| it.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}

fn memory_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS"));
    let value = line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok());
    value.unwrap_or(0)
}

const CARET: Rect = Rect::new(400, 200, 2, 16);
const PICTURES: u32 = 8;
const WARM_UP: u64 = 20;
const UNITS: u64 = 300;
