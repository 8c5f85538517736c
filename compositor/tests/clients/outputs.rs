//! Programs that set the output up, as kiosks use them.

use super::*;

#[test]
fn wlr_randr_sets_size_scale_and_rotation() {
    let dir = tempfile::tempdir().unwrap();
    let mut session = Session::start(dir, "foot", "foot", &["foot", "sh", "-c", IDLE]);
    session.wait_for_picture();
    let told = randr(&mut session, &[]);
    assert!(told.contains("VROOM-1"), "{told}");
    assert!(told.contains("1024x768 px, 60.0"), "{told}");
    assert!(told.contains("Enabled: yes"), "{told}");
    randr(&mut session, &["--output", OUTPUT, "--mode", "1280x720"]);
    wait_for_size(&mut session, Size::new(1280, 720));
    randr(
        &mut session,
        &["--output", OUTPUT, "--custom-mode", "900x700"],
    );
    wait_for_size(&mut session, Size::new(900, 700));
    let scale = ["--output", OUTPUT, "--scale", "1.5"];
    randr(&mut session, &scale);
    assert!(randr(&mut session, &[]).contains("Scale: 1.500000"));
    randr(&mut session, &["--output", OUTPUT, "--scale", "1"]);
    for (transform, size) in [
        ("90", Size::new(700, 900)),
        ("180", Size::new(900, 700)),
        ("flipped-270", Size::new(700, 900)),
        ("270", Size::new(700, 900)),
    ] {
        let turn = ["--output", OUTPUT, "--transform", transform];
        randr(&mut session, &turn);
        wait_for_size(&mut session, size);
        let told = randr(&mut session, &[]);
        assert!(
            told.contains(&format!("Transform: {transform}\n")),
            "{told}"
        );
        // A program that takes pictures turns them upright, as viewers see them.
        session.wait_for_picture();
        let before = session.picture();
        let shot = session.run("grim", "grim", &["-t", "ppm", "-"]);
        let (of_shot, pixels) = ppm(&shot);
        assert_eq!(of_shot, (size.width as usize, size.height as usize));
        let same = pixels
            .chunks_exact(3)
            .zip(before.chunks_exact(BYTES_PER_PIXEL));
        let different = same.filter(|(ours, seen)| ours[..] != [seen[2], seen[1], seen[0]]);
        // The terminal's cursor may blink between the two.
        let different = different.count();
        assert!(different < 900, "{transform}: {different}");
    }
    session.screenshot("turned");
    session.end();
}

#[test]
fn wlr_randr_says_what_it_cannot_have() {
    let dir = tempfile::tempdir().unwrap();
    let mut session = Session::start(dir, "foot", "foot", &["foot", "sh", "-c", IDLE]);
    session.wait_for_picture();
    for impossible in [
        ["--custom-mode", "20x20"],
        ["--custom-mode", "1279x721"],
        ["--scale", "20"],
        ["--pos", "100,100"],
    ] {
        let arguments = ["--output", OUTPUT, impossible[0], impossible[1]];
        let mut command = session.command("wlr-randr", "wlr-randr", &arguments);
        let status = command.stdout(Stdio::null()).status().unwrap();
        assert!(!status.success(), "{impossible:?}");
    }
    assert!(randr(&mut session, &[]).contains("1024x768 px, 60.0"));
    session.end();
}

#[test]
fn an_output_that_is_switched_off_comes_back_with_its_panel() {
    let dir = tempfile::tempdir().unwrap();
    let mut session = Session::start(dir, "foot", "foot", &["foot", "sh", "-c", IDLE]);
    session.wait_for_picture();
    session.spawn("swaybg", "swaybg", &["-c", "#ff00ff"]);
    session.spawn("waybar", "waybar", &[]);
    session.until("the panel", |session| {
        session
            .picture
            .as_ref()
            .is_some_and(|frame| pixels(frame).next() != Some(BACKGROUND))
    });
    for times in 0..3 {
        randr(&mut session, &["--output", OUTPUT, "--off"]);
        session.until("the notice alone", |session| {
            let frame = session.picture.as_ref().unwrap();
            pixels(frame).next() == Some(BACKGROUND) && pixels(frame).last() == Some(BACKGROUND)
        });
        assert!(randr(&mut session, &[]).contains("Enabled: no"));
        if times == 0 {
            session.screenshot("off");
            // A person gets it back without a command line.
            session.inject(InputEvent::PointerMotion { x: 10.0, y: 300.0 });
        } else {
            randr(&mut session, &["--output", OUTPUT, "--on"]);
        }
        session.wait_for_picture();
        session.until("the panel again", |session| {
            session
                .picture
                .as_ref()
                .is_some_and(|frame| pixels(frame).next() != Some(BACKGROUND))
        });
        assert!(randr(&mut session, &[]).contains("Enabled: yes"));
    }
    session.end();
}

/// Runs wlr-randr to its end and gives what it wrote.
fn randr(session: &mut Session, arguments: &[&str]) -> String {
    let told = session.run("wlr-randr", "wlr-randr", arguments);
    String::from_utf8(told).unwrap()
}

fn wait_for_size(session: &mut Session, size: Size) {
    session.until("the new size", |session| {
        session.picture.as_ref().map(Frame::size) == Some(size)
    });
}

const OUTPUT: &str = "VROOM-1";
