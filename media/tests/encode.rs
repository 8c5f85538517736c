//! From frames to access units and back to pictures.

mod support;

use std::time::Duration;

use support::{Decoder, Screen, card, media, noise, psnr, soon, until_silent, with_box};
use tokio::time::timeout;
use vroom_desktop::{PixelBuffer, Rect, Size};
use vroom_media::{AccessUnit, JpegPart, Limits, UnitFeed};

/// What is encoded until the desktop is silent.
async fn rest(feed: &mut UnitFeed) -> Vec<AccessUnit> {
    let mut units = Vec::new();
    while let Ok(Some(unit)) = timeout(REST, feed.next()).await {
        units.push(unit);
    }
    units
}

/// Longer than an encoder waits before the last picture.
const REST: Duration = Duration::from_secs(1);

const ENCODERS: [(&str, f64); 2] = [("x264enc", 40.0), ("openh264enc", 37.0)];

#[tokio::test]
async fn what_was_shown_is_what_is_decoded() {
    for (name, least) in ENCODERS {
        let media = media(name);
        for (width, height) in [(1280, 720), (1366, 768), (854, 480), (642, 362), (321, 201)] {
            let size = Size::new(width, height);
            let mut screen = Screen::new();
            let encoder = media.encoder(screen.frames.clone()).unwrap();
            let mut feed = encoder.units();
            screen.show(card(size, 0));
            let decoder = Decoder::h264();
            let first = soon(feed.next()).await.unwrap();
            assert!(first.key_frame);
            let mut picture = decoder.unit(&first);
            let mut last_pts = first.pts_us;
            for _ in 0..6 {
                let unit = soon(feed.next()).await.unwrap();
                assert!(!unit.key_frame && unit.pts_us > last_pts);
                last_pts = unit.pts_us;
                picture = decoder.unit(&unit);
            }
            let even = Size::new(width.next_multiple_of(2), height.next_multiple_of(2));
            assert_eq!(picture.size, even, "{name}");
            let quality = psnr(&card(size, 0), &picture, false);
            assert!(quality > least, "{name} {size}: {quality} dB");
            let stats = encoder.stats();
            assert_eq!(
                (stats.encoder, stats.size, stats.encoded_size),
                (name, size, even)
            );
        }
    }
}

#[tokio::test]
async fn a_small_change_is_shown_and_costs_little() {
    for (name, least) in ENCODERS {
        let size = Size::new(1280, 720);
        let mut screen = Screen::new();
        let encoder = media(name).encoder(screen.frames.clone()).unwrap();
        let mut feed = encoder.units();
        let decoder = Decoder::h264();
        screen.show(card(size, 0));
        let units = rest(&mut feed).await;
        for unit in &units {
            decoder.unit(unit);
        }
        let (changed, damage) = with_box(&card(size, 0), Rect::new(333, 111, 9, 17), 255);
        screen.show_part(changed, damage.clone());
        let unit = soon(feed.next()).await.unwrap();
        let (part, whole) = (unit.data.len(), units[0].data.len());
        assert!(part * 4 < whole, "{name}: {part} of {whole}");
        let picture = decoder.unit(&unit);
        let (changed, _) = with_box(&card(size, 0), Rect::new(333, 111, 9, 17), 255);
        let quality = psnr(&changed, &picture, false);
        assert!(quality > least, "{name}: {quality} dB");
        assert!(
            picture.luma[120 * picture.stride + 337] > 200,
            "the box is white"
        );
    }
}

#[tokio::test]
async fn an_unchanged_desktop_is_silent() {
    let mut screen = Screen::new();
    let encoder = media("x264enc").encoder(screen.frames.clone()).unwrap();
    let mut feed = encoder.units();
    screen.show(card(Size::new(640, 480), 0));
    let units = rest(&mut feed).await.len() as u64;
    let before = encoder.stats();
    assert_eq!((before.units, before.refinements), (units, units - 1));
    assert!((7..=61).contains(&before.refinements), "{before:?}");
    let nothing = timeout(Duration::from_secs(1), feed.next()).await;
    assert!(nothing.is_err(), "{nothing:?}");
    assert_eq!(
        encoder.stats().wakeups,
        before.wakeups,
        "it did not even wake up"
    );
}

#[tokio::test]
async fn without_a_listener_nothing_is_encoded() {
    let mut screen = Screen::new();
    let encoder = media("x264enc").encoder(screen.frames.clone()).unwrap();
    drop(encoder.units());
    let jpegs = encoder.jpegs(false);
    for step in 0..5 {
        screen.show(card(Size::new(320, 240), step));
    }
    until_silent(&encoder).await;
    assert_eq!(encoder.stats().units, 0);
    assert_eq!(encoder.stats().jpegs, 0);
    drop(jpegs);
    // The frame waited for its reader.
    let mut feed = encoder.units();
    let unit = soon(feed.next()).await.unwrap();
    let quality = psnr(
        &card(Size::new(320, 240), 4),
        &Decoder::h264().unit(&unit),
        false,
    );
    assert!(quality > 33.0, "{quality} dB");
}

#[tokio::test]
async fn joiners_share_a_key_frame_and_the_first_does_not_wait() {
    let size = Size::new(640, 480);
    let mut screen = Screen::new();
    let encoder = media("x264enc").encoder(screen.frames.clone()).unwrap();
    let mut first = encoder.units();
    screen.show(card(size, 0));
    let start = soon(first.next()).await.unwrap();
    assert!(start.key_frame);
    let mut others: Vec<_> = (0..10).map(|_| encoder.units()).collect();
    let mut keys = Vec::new();
    for feed in &mut others {
        let unit = soon(feed.next()).await.unwrap();
        assert!(unit.key_frame, "a joiner starts with a key frame");
        keys.push(unit.pts_us);
    }
    assert!(
        keys.iter().all(|pts| *pts == keys[0]),
        "all with the same one"
    );
    assert_eq!(encoder.stats().key_frames, 2);
    let spacing = keys[0] - start.pts_us;
    assert!(spacing >= 490_000, "{spacing} µs after the one before");
    // On an unchanged desktop, long after, a joiner gets a picture at once.
    until_silent(&encoder).await;
    let silent = soon(async {
        while encoder.stats().fps > 0 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    silent.await;
    let joined = std::time::Instant::now();
    let mut late = encoder.units();
    let unit = soon(late.next()).await.unwrap();
    assert!(unit.key_frame && joined.elapsed() < Duration::from_millis(400));
    let quality = psnr(&card(size, 0), &Decoder::h264().unit(&unit), false);
    assert!(quality > 33.0, "{quality} dB");
}

#[tokio::test]
async fn requests_in_a_burst_make_two_key_frames_a_second_at_most() {
    let mut screen = Screen::new();
    let encoder = media("x264enc").encoder(screen.frames.clone()).unwrap();
    let mut feed = encoder.units();
    screen.show(card(Size::new(320, 240), 0));
    let mut keys = Vec::new();
    while keys.len() < 4 {
        let unit = soon(feed.next()).await.unwrap();
        if unit.key_frame {
            keys.push(unit.pts_us);
        }
        encoder.request_key_frame();
    }
    assert!(
        keys.windows(2).all(|pair| pair[1] - pair[0] >= 490_000),
        "{keys:?}"
    );
}

#[tokio::test]
async fn the_stream_follows_a_resize() {
    for (name, _) in ENCODERS {
        let mut screen = Screen::new();
        let encoder = media(name).encoder(screen.frames.clone()).unwrap();
        let mut feed = encoder.units();
        let decoder = Decoder::h264();
        let mut keys = 0;
        for (width, height) in [(1280, 720), (1366, 768), (854, 480), (1000, 600)] {
            let size = Size::new(width, height);
            screen.show(card(size, 1));
            let units = rest(&mut feed).await;
            assert!(units[0].key_frame, "a new size starts with a key frame");
            keys += units.iter().filter(|unit| unit.key_frame).count();
            let pictures: Vec<_> = units.iter().map(|unit| decoder.unit(unit)).collect();
            assert!(pictures.iter().all(|picture| picture.size == size));
            let quality = psnr(&card(size, 1), &pictures[pictures.len() - 1], false);
            assert!(quality > 37.0, "{name} {size}: {quality} dB");
        }
        assert_eq!(keys, 4, "{name}: one key frame for each size");
    }
}

#[tokio::test]
async fn a_reader_that_falls_behind_goes_on_with_a_key_frame() {
    let size = Size::new(320, 240);
    let mut screen = Screen::new();
    let encoder = media("x264enc").encoder(screen.frames.clone()).unwrap();
    let mut slow = encoder.units();
    let mut fast = encoder.units();
    screen.show(card(size, 0));
    assert!(soon(slow.next()).await.unwrap().key_frame);
    for step in 1..30 {
        screen.show(card(size, step));
        soon(fast.next()).await.unwrap();
    }
    until_silent(&encoder).await;
    let keys = encoder.stats().key_frames;
    assert!(keys <= 2, "one that does not read costs nothing: {keys}");
    let unit = soon(slow.next()).await.unwrap();
    assert!(unit.key_frame);
    let quality = psnr(&card(size, 29), &Decoder::h264().unit(&unit), false);
    assert!(quality > 33.0, "the newest picture: {quality} dB");
}

#[tokio::test]
async fn the_slowest_viewer_sets_the_bitrate() {
    let size = Size::new(640, 480);
    let mut screen = Screen::new();
    let encoder = media("x264enc").encoder(screen.frames.clone()).unwrap();
    let mut feed = encoder.units();
    let mut sizes = Vec::new();
    for limit in [None, Some(1000)] {
        feed.set_limits(Limits {
            bitrate_kbps_max: limit,
            fps_max: None,
        });
        let mut bytes = 0;
        for seed in 0..40 {
            screen.show(noise(size, seed));
            let unit = soon(feed.next()).await.unwrap();
            if seed >= 20 {
                bytes += unit.data.len();
            }
        }
        sizes.push(bytes);
    }
    assert_eq!(encoder.stats().bitrate_kbps_max, 1000);
    assert!(sizes[1] * 2 < sizes[0], "{sizes:?}");
}

#[tokio::test]
async fn a_viewer_that_takes_far_less_has_an_encoding_of_its_own() {
    let size = Size::new(640, 480);
    let mut screen = Screen::new();
    let encoder = media("x264enc").encoder(screen.frames.clone()).unwrap();
    let mut fast = encoder.units();
    let mut slow = encoder.units();
    let limits = |bitrate_kbps_max| Limits {
        bitrate_kbps_max,
        fps_max: None,
    };
    screen.show(noise(size, 0));
    soon(fast.next()).await.unwrap();
    soon(slow.next()).await.unwrap();
    assert_eq!(encoder.stats().encodings, 1);

    slow.set_limits(limits(Some(800)));
    // The picture at rest, for one that moved; what was made for it before may still wait.
    soon(async { while !slow.next().await.unwrap().key_frame {} }).await;
    assert_eq!(encoder.stats().encodings, 2);
    assert_eq!(encoder.stats().bitrate_kbps_max, 6000);
    let (mut much, mut little) = (0, 0);
    for seed in 1..40 {
        screen.show(noise(size, seed));
        much += soon(fast.next()).await.unwrap().data.len();
        little += soon(slow.next()).await.unwrap().data.len();
    }
    assert!(little * 2 < much, "{little} and {much} bytes");

    slow.set_limits(limits(None));
    assert_eq!(encoder.stats().encodings, 1);
    soon(async { while !slow.next().await.unwrap().key_frame {} }).await;
    let wish = Limits {
        bitrate_kbps_max: None,
        fps_max: Some(5),
    };
    slow.set_limits(wish);
    assert_eq!(encoder.stats().encodings, 2, "few pictures are little, too");
    drop(slow);
    assert_eq!(encoder.stats().encodings, 1);
    screen.show(noise(size, 99));
    soon(fast.next()).await.unwrap();
}

#[tokio::test]
async fn viewers_that_all_take_little_share_one_encoding() {
    let size = Size::new(320, 240);
    let mut screen = Screen::new();
    let encoder = media("x264enc").encoder(screen.frames.clone()).unwrap();
    let mut feeds = [encoder.units(), encoder.units()];
    for feed in &feeds {
        feed.set_limits(Limits {
            bitrate_kbps_max: Some(900),
            fps_max: None,
        });
    }
    assert_eq!(encoder.stats().encodings, 1);
    screen.show(noise(size, 0));
    for feed in &mut feeds {
        soon(feed.next()).await.unwrap();
    }
    assert_eq!(encoder.stats().bitrate_kbps_max, 900);
}

#[tokio::test]
async fn a_jpeg_shows_the_picture_and_comes_only_when_asked_and_changed() {
    let media = media("x264enc");
    for (width, height) in [(1280, 720), (1366, 768)] {
        let size = Size::new(width, height);
        let mut screen = Screen::new();
        let encoder = media.encoder(screen.frames.clone()).unwrap();
        let mut feed = encoder.jpegs(false);
        let mut other = encoder.jpegs(false);
        let decoder = Decoder::jpeg();
        for step in 0..3 {
            screen.show(card(size, step));
            let (jpeg, same) = soon(async { tokio::join!(feed.next(), other.next()) }).await;
            let (jpeg, same) = (jpeg.unwrap(), same.unwrap());
            assert_eq!(jpeg, same);
            let [JpegPart { place: None, jpeg }] = &jpeg[..] else {
                panic!("one whole picture");
            };
            assert!(jpeg.starts_with(&[0xFF, 0xD8]) && jpeg.ends_with(&[0xFF, 0xD9]));
            let picture = decoder.decode(jpeg, u64::from(step) * 1_000_000);
            assert_eq!(picture.size, size);
            let quality = psnr(&card(size, step), &picture, true);
            assert!(quality > 28.0, "{size}: {quality} dB");
        }
        assert!((3..=6).contains(&encoder.stats().jpegs));
        assert_eq!(encoder.stats().units, 0);
        let nothing = timeout(Duration::from_millis(300), feed.next()).await;
        assert!(nothing.is_err(), "unchanged pictures are not sent again");
    }
}

#[tokio::test]
async fn of_a_jpeg_only_the_parts_come_that_changed_since_the_reader_last_asked() {
    let size = Size::new(1280, 720);
    let mut screen = Screen::new();
    let encoder = media("x264enc").encoder(screen.frames.clone()).unwrap();
    let mut feed = encoder.jpegs(true);
    screen.show(card(size, 0));
    let whole = soon(feed.next()).await.unwrap();
    assert_eq!(whole.len(), 1);
    assert_eq!(whole[0].place, None);
    // Two changes far apart, both before the reader asks again.
    let places = [Rect::new(64, 64, 128, 64), Rect::new(1024, 512, 64, 128)];
    let (second, damage) = with_box(&card(size, 0), places[0], 250);
    let (third, more) = with_box(&second, places[1], 5);
    screen.show_part(second, damage);
    screen.show_part(third, more);
    let parts = soon(feed.next()).await.unwrap();
    let mut seen: Vec<_> = parts.iter().filter_map(|part| part.place).collect();
    seen.sort_by_key(|place| place.x);
    assert_eq!(seen, places);
    let bytes: usize = parts.iter().map(|part| part.jpeg.len()).sum();
    assert!(
        bytes * 5 < whole[0].jpeg.len(),
        "{bytes} bytes of {}",
        whole[0].jpeg.len()
    );
    let decoder = Decoder::jpeg();
    for (part, shade) in [(&places[0], 250_u8), (&places[1], 5)] {
        let found = parts.iter().find(|each| each.place == Some(*part)).unwrap();
        let picture = decoder.decode(&found.jpeg, 0);
        assert_eq!(picture.size, Size::new(part.width, part.height));
        let mut box_of_it = PixelBuffer::new(picture.size);
        box_of_it.bytes_mut().fill(shade);
        let quality = psnr(&box_of_it, &picture, true);
        assert!(quality > 35.0, "{quality} dB");
    }
}

#[tokio::test]
async fn stopping_ends_all_feeds() {
    let mut screen = Screen::new();
    let encoder = media("x264enc").encoder(screen.frames.clone()).unwrap();
    let (mut units, mut jpegs) = (encoder.units(), encoder.jpegs(true));
    screen.show(card(Size::new(320, 240), 0));
    assert!(soon(units.next()).await.is_some());
    encoder.stop();
    encoder.stop();
    soon(async { while units.next().await.is_some() {} }).await;
    soon(async { while jpegs.next().await.is_some() {} }).await;
    assert!(soon(encoder.units().next()).await.is_none());
    assert!(soon(encoder.jpegs(true).next()).await.is_none());
}
