//! Output that is cut in the middle: of a sequence, of a character, of an image, of a flood.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;

use vroom_terminal::PtySize;
use vroom_terminal::screen::{Screen, ScreenLimits};
use vroom_tests::client::Launch;
use vroom_tests::pty::{COLS, ROWS};

use crate::world::{Cut, Seat, World, shows_all};

/// Runs a program that shows what the test writes into the file that is returned.
async fn player(world: &World) -> (Seat, File) {
    let path = world.path("score");
    nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let line = format!(
        "stty raw -echo; printf ready; cat '{}'; exit 9",
        path.display()
    );
    let mut seat = Seat::take(world.login().await, &Launch::line(line)).await;
    seat.shows("ready").await;
    // Opening waits for the reader, and the reader for us.
    let opened = tokio::task::spawn_blocking(move || File::options().write(true).open(path));
    (seat, opened.await.unwrap().unwrap())
}

fn screen_of(parts: &[&[u8]]) -> Screen {
    let size = PtySize {
        rows: ROWS,
        cols: COLS,
        ..PtySize::default()
    };
    let mut screen = Screen::new(size, ScreenLimits::default());
    for part in parts {
        screen.advance(part);
    }
    drop(screen.take_replies());
    screen
}

async fn arrives(seat: &mut Seat, offset: usize) {
    let reached = seat
        .terminal
        .until(&mut seat.client, "all that was written", |each| {
            each.offset >= offset as u64
        });
    reached.await.unwrap();
}

/// Shows the first part, is cut off, and shows the second: as if nothing had been.
async fn continues(what: &str, first: &[u8], second: &[u8]) {
    for cut in Cut::ALL {
        let mut world = World::start();
        let (mut seat, mut score) = player(&world).await;
        score.write_all(first).unwrap();
        let begun = b"ready".len() + first.len();
        arrives(&mut seat, begun).await;
        match cut {
            Cut::Client => {}
            Cut::Network => world.proxy.cut(),
            Cut::Daemon => world.daemon.kill_and_restart().unwrap(),
        }
        // Half of the tests come back with what they saw, half draw anew.
        let mut seat = if what.len().is_multiple_of(2) || cut == Cut::Network {
            seat.comes_back(&world, cut).await
        } else {
            seat.comes_anew(&world).await
        };
        score.write_all(second).unwrap();
        arrives(&mut seat, begun + second.len()).await;
        let whole = screen_of(&[b"ready", first, second]);
        shows_all(&format!("{what}, {cut:?}"), &mut seat, &whole).await;
        drop(score);
        let exit = seat.terminal.exited(&mut seat.client).await.unwrap();
        assert_eq!(exit.exit_code, Some(9), "{what}, {cut:?}");
        assert_eq!(seat.terminal.offset, (begun + second.len()) as u64);
    }
}

#[tokio::test]
async fn a_colour_that_is_cut_colours() {
    continues("colour", b"plain \x1b[3", b"1;44mred on blue\x1b[m plain").await;
}

#[tokio::test]
async fn a_character_that_is_cut_is_whole() {
    continues(
        "character",
        b"crab \xf0\x9f",
        b"\xa6\x80 world \xe4\xb8\x96",
    )
    .await;
}

#[tokio::test]
async fn a_title_that_is_cut_is_whole() {
    continues(
        "title",
        b"\x1b]2;half a ti",
        b"tle\x1b\\text\x1b]8;;https://example.org\x1b\\link",
    )
    .await;
}

#[tokio::test]
async fn an_image_that_is_cut_is_drawn() {
    let pixels = "AAAA".repeat(16);
    let first = format!("\x1b_Ga=T,f=24,s=4,v=4,i=3,q=2;{}", &pixels[..31]);
    let second = format!("{}\x1b\\ after", &pixels[31..]);
    continues("image", first.as_bytes(), second.as_bytes()).await;
}

#[tokio::test]
async fn a_sixel_that_is_cut_is_drawn() {
    continues(
        "sixel",
        b"\x1bP0;1;0q\"1;1;6;6#1;2;0;100;",
        b"0#1!6~\x1b\\ after",
    )
    .await;
}

#[tokio::test]
async fn the_other_screen_and_its_modes_stay() {
    continues(
        "the other screen",
        b"main\x1b[?1049h\x1b[2J\x1b[?2004h\x1b[?1002h\x1b[?1006h\x1b[>5u\x1b[5;12r\x1b[?6h\x1b[1;4",
        b"mthere\x1b[?25l\x1b7",
    )
    .await;
}

/// Lines that a screen has to wrap and scroll, with colours.
fn flood(bytes: usize) -> Vec<u8> {
    let mut output = Vec::with_capacity(bytes + 100);
    let mut number = 0_u64;
    while output.len() < bytes {
        let colour = 31 + number % 7;
        let line = format!("\x1b[{colour}mflood {number} \x1b[4mwith some text\x1b[0m\r\n");
        output.extend_from_slice(line.as_bytes());
        number += 1;
    }
    output
}

async fn flood_continues(cut: Cut) {
    let mut world = World::start();
    let bytes = flood(6 * 1024 * 1024);
    let path = world.path("flood");
    std::fs::write(&path, &bytes).unwrap();
    let line = format!(
        "stty raw -echo; cat '{}'; printf 'and the end'; head -c 1 >/dev/null; exit 4",
        path.display()
    );
    let mut seat = Seat::take(world.login().await, &Launch::line(line)).await;
    arrives(&mut seat, 300_000).await;
    match cut {
        Cut::Client => {}
        Cut::Network => {
            world.proxy.cut_after(12_345);
            seat.loses_link().await;
        }
        Cut::Daemon => world.daemon.kill_and_restart().unwrap(),
    }
    let mut seat = seat.comes_back(&world, cut).await;
    seat.shows("and the end").await;
    let whole = screen_of(&[&bytes, b"and the end"]);
    shows_all("a flood", &mut seat, &whole).await;
    if !seat.terminal.skipped {
        assert_eq!(seat.terminal.hash(), hash_of(&path, b"and the end"));
    }
    seat.types(b"x").await;
    let exit = seat.terminal.exited(&mut seat.client).await.unwrap();
    assert_eq!(exit.exit_code, Some(4));
}

#[tokio::test]
async fn what_is_above_the_screen_comes_even_when_the_program_has_ended() {
    let world = World::start();
    let (mut seat, mut score) = player(&world).await;
    let bytes = flood(512 * 1024);
    score.write_all(&bytes).unwrap();
    arrives(&mut seat, "ready".len() + bytes.len()).await;
    let id = seat.terminal.id().unwrap().to_owned();
    drop(seat);
    drop(score);
    let mut back = Seat::take(world.login().await, &Launch::attach(id)).await;
    let whole = screen_of(&[b"ready", &bytes]);
    shows_all("lines of the dead", &mut back, &whole).await;
    let exit = back.terminal.exited(&mut back.client).await.unwrap();
    assert_eq!(exit.exit_code, Some(9));
}

#[tokio::test]
async fn output_and_screens_are_compressed_where_that_was_agreed() {
    let world = World::start();
    let bytes = flood(512 * 1024);
    let path = world.path("flood");
    std::fs::write(&path, &bytes).unwrap();
    let line = format!(
        "stty raw -echo; cat '{}'; printf 'and the end'; head -c 1 >/dev/null; exit 4",
        path.display()
    );
    let launch = Launch {
        compresses: true,
        ..Launch::line(line)
    };
    let mut seat = Seat::take(world.login().await, &launch).await;
    seat.shows("and the end").await;
    let whole = screen_of(&[&bytes, b"and the end"]);
    shows_all("compressed output", &mut seat, &whole).await;
    assert!(seat.terminal.compressed.0 > 0, "no output was compressed");
    if !seat.terminal.skipped {
        assert_eq!(seat.terminal.hash(), hash_of(&path, b"and the end"));
    }
    let anew = Launch {
        compresses: true,
        ..Launch::attach(seat.terminal.id().unwrap())
    };
    let mut anew = Seat::take(world.login().await, &anew).await;
    shows_all("a compressed screen", &mut anew, &whole).await;
    assert!(anew.terminal.repaints > 0);
    assert_eq!(anew.terminal.compressed.1, anew.terminal.repaints);
    seat.types(b"x").await;
    for seat in [&mut seat, &mut anew] {
        let exit = seat.terminal.exited(&mut seat.client).await.unwrap();
        assert_eq!(exit.exit_code, Some(4));
    }
}

#[tokio::test]
async fn who_cannot_show_images_sees_no_half_of_one() {
    let world = World::start();
    let (mut seat, mut score) = player(&world).await;
    let pixels = "AAAA".repeat(64);
    let first = format!("before\x1b_Ga=T,f=24,s=8,v=8,i=3,q=2;{}", &pixels[..100]);
    let second = format!("{}\x1b\\ after", &pixels[100..]);
    score.write_all(first.as_bytes()).unwrap();
    arrives(&mut seat, "ready".len() + first.len()).await;
    let plain = Launch {
        is_plain: true,
        readonly: true,
        ..Launch::attach(seat.terminal.id().unwrap())
    };
    let mut plain = Seat::take(world.login().await, &plain).await;
    plain.shows("readybefore").await;
    score.write_all(second.as_bytes()).unwrap();
    seat.shows("after").await;
    plain.shows("after").await;
    let shown = plain.terminal.screen.text().join("");
    assert!(!shown.contains("AAAA"), "{shown}");
    score.write_all(b"\x1b_Ga=p,i=3\x1b\\\r\nlast").unwrap();
    drop(score);
    for seat in [&mut seat, &mut plain] {
        seat.shows("last").await;
        let exit = seat.terminal.exited(&mut seat.client).await.unwrap();
        assert_eq!(exit.exit_code, Some(9));
    }
}

fn hash_of(path: &Path, rest: &[u8]) -> String {
    use sha2::{Digest as _, Sha256};
    let mut hash = Sha256::new();
    hash.update(std::fs::read(path).unwrap());
    hash.update(rest);
    hash.finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[tokio::test]
async fn a_flood_goes_on_after_another_client_came() {
    flood_continues(Cut::Client).await;
}

#[tokio::test]
async fn a_flood_goes_on_after_the_network_was_cut() {
    flood_continues(Cut::Network).await;
}

#[tokio::test]
async fn a_flood_goes_on_after_the_daemon_was_killed() {
    flood_continues(Cut::Daemon).await;
}

#[tokio::test]
async fn a_program_that_ends_while_nobody_is_there_has_its_status_kept() {
    let mut world = World::start();
    let (seat, mut score) = player(&world).await;
    let id = seat.terminal.id().unwrap().to_owned();
    drop(seat);
    score.write_all(b"last words").unwrap();
    drop(score);
    world.daemon.kill_and_restart().unwrap();
    let mut back = Seat::take(world.login().await, &Launch::attach(id)).await;
    back.shows("readylast words").await;
    let exit = back.terminal.exited(&mut back.client).await.unwrap();
    assert_eq!(exit.exit_code, Some(9));
}
