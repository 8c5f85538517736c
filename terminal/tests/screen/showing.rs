//! What a screen shows and knows.

use vroom_terminal::screen::{Progress, SnapshotOptions};

use super::{check_cut, escaped, screen, small};

fn text(stream: &str) -> Vec<String> {
    screen(small(4, 10), stream.as_bytes()).text()
}

#[test]
fn text_and_controls_are_obeyed() {
    assert_eq!(text("ab\r\ncd\x08X\tY"), ["ab", "cX      Y", "", ""]);
    assert_eq!(text("0123456789ab"), ["0123456789", "ab", "", ""]);
    assert_eq!(text("a\r\nb\r\nc\r\nd\r\ne"), ["b", "c", "d", "e"]);
    assert_eq!(text("\x1b(0lqk\x1b(B"), ["┌─┐", "", "", ""]);
}

#[test]
fn wide_and_combining_characters_take_their_place() {
    assert_eq!(text("日本語"), ["日本語", "", "", ""]);
    assert_eq!(text("123456789日"), ["123456789", "日", "", ""]);
    assert_eq!(text("e\u{301}x"), ["e\u{301}x", "", "", ""]);
    // Half of a wide character is none.
    assert_eq!(text("日本\x1b[1;2HX"), [" X本", "", "", ""]);
}

#[test]
fn a_character_is_repeated_only_right_after_it() {
    assert_eq!(text("x\x1b[3b"), ["xxxx", "", "", ""]);
    assert_eq!(text("x\x1b[m\x1b[3b"), ["x", "", "", ""]);
}

#[test]
fn the_alternate_screen_comes_and_goes() {
    let mut screen = screen(small(4, 10), b"main\x1b[?1049h\x1b[Hother");
    assert!(screen.modes().alternate);
    assert_eq!(screen.text()[0], "other");
    screen.advance(b"\x1b[?1049l");
    assert!(!screen.modes().alternate);
    assert_eq!(screen.text()[0], "main");
}

#[test]
fn modes_are_known() {
    let screen = screen(
        small(4, 10),
        b"\x1b[?1h\x1b=\x1b[?1003;1006h\x1b[?2004h\x1b[?1004h\x1b[?2026h\x1b[?25l\x1b[>9u",
    );
    let modes = screen.modes();
    assert!(modes.application_cursor && modes.application_keypad && modes.mouse);
    assert!(modes.bracketed_paste && modes.focus && modes.synchronized);
    assert!(!modes.cursor_visible && !modes.alternate);
    assert_eq!(modes.kitty_flags, 9);
}

#[test]
fn what_programs_tell_is_known() {
    let mut screen = screen(
        small(4, 10),
        b"\x1b]0;a \xc2\x9btitle\x07\x1b]7;file:///home\x07\x1b]9;4;1;42\x07\x1b]52;c;Y29weQ==\x07",
    );
    assert_eq!(screen.title(), "a title");
    assert_eq!(screen.cwd(), Some("file:///home"));
    assert_eq!(screen.progress(), Some(Progress::Normal(42)));
    assert_eq!(screen.take_clipboard().as_deref(), Some(&b"copy"[..]));
    assert_eq!(screen.take_clipboard(), None);
    screen.advance(b"\x1b[22t\x1b]2;other\x07\x1b[23t\x1b]9;4;0\x07");
    assert_eq!(screen.title(), "a title");
    assert_eq!(screen.progress(), None);
    screen.advance(b"\x1bc");
    assert_eq!((screen.title(), screen.cwd()), ("", None));
}

#[test]
fn long_titles_and_clipboards_are_cut_off() {
    let title = format!("\x1b]2;{}\x07", "t".repeat(5000));
    let mut screen = screen(small(4, 10), title.as_bytes());
    assert_eq!(screen.title().len(), 256);
    screen.advance(format!("\x1b]52;c;{}\x07", "AAAA".repeat(400_000)).as_bytes());
    assert_eq!(screen.take_clipboard(), None, "more than 1 MiB");
}

#[test]
fn cells_do_not_grow_without_end() {
    let mut screen = screen(small(2, 10), b"e");
    screen.advance("\u{301}".repeat(100_000).as_bytes());
    assert!(screen.text()[0].chars().count() < 20);
}

#[test]
fn a_new_size_keeps_the_text() {
    let mut screen = screen(small(4, 10), b"0123456789abcdef\r\nnext");
    screen.resize(small(4, 20));
    assert_eq!(screen.text()[..2], ["0123456789abcdef", "next"]);
    screen.resize(small(4, 8));
    assert_eq!(screen.text()[..3], ["01234567", "89abcdef", "next"]);
}

#[test]
fn a_snapshot_for_a_poor_viewer_leaves_out_what_it_cannot_show() {
    let screen = screen(
        small(6, 40),
        b"\x1b]8;;http://localhost/\x07link\x1b]8;;\x07\x1b[>15u\r\n\
          \x1b_Ga=T,f=24,s=1,v=1,c=20,r=1;AAAA\x1b\\\r\n\x1bPq\"1;1;200;20#0~\x1b\\\r\n\x1b_Ga=t,i=1,m=1;AA",
    );
    let snapshot = screen.snapshot(&SnapshotOptions {
        graphics: false,
        sixel: false,
        kitty_level: 1,
        links: false,
        ..SnapshotOptions::EVERYTHING
    });
    let snapshot = escaped(&snapshot);
    for absent in ["]8;", "_G", "Pq", ">15u"] {
        assert!(!snapshot.contains(absent), "{absent} in {snapshot}");
    }
    assert!(snapshot.contains("[image 1x1]") && snapshot.contains("[image 200x20]"));
    assert!(snapshot.contains("[>1u"));
    assert!(
        snapshot.ends_with(r"\x1bX"),
        "the rest of the image is skipped: {snapshot}"
    );
}

#[test]
fn a_snapshot_holds_as_many_lines_as_are_wanted() {
    let lines: String = (0..20).map(|line| format!("line {line}\r\n")).collect();
    let screen = screen(small(4, 10), lines.as_bytes());
    for (wanted, first) in [(0, "line 17"), (2, "line 15"), (100, "line 0")] {
        let options = SnapshotOptions {
            scrollback_lines: wanted,
            ..SnapshotOptions::EVERYTHING
        };
        let snapshot = escaped(&screen.snapshot(&options));
        let begin = snapshot.find("line").unwrap();
        assert!(snapshot[begin..].starts_with(first), "{wanted}: {snapshot}");
    }
}

#[test]
fn wrapped_lines_stay_wrapped() {
    let stream = b"0123456789abcdef\r\n";
    let first = screen(small(4, 10), stream);
    let mut second = screen(small(4, 10), &first.snapshot(&SnapshotOptions::EVERYTHING));
    second.resize(small(4, 20));
    assert_eq!(second.text()[0], "0123456789abcdef");
}

#[test]
fn images_are_carried_over_with_their_lines() {
    let kitty = "\x1b_Ga=T,i=5,f=24,s=1,v=1,c=4,r=2,z=-1,q=2;AAAA\x1b\\";
    let sixel = "\x1bPq\"1;1;30;40#0;2;0;0;0#0~~~-~~~\x1b\\";
    let lines = "line\r\n".repeat(6);
    for stream in [
        format!("{kitty}{lines}text"),
        format!("before\r\n{sixel}{lines}"),
        format!("{sixel}{kitty}\x1b[?1049h{kitty}{sixel}"),
        format!("{kitty}\x1b[2;3r{lines}"),
        format!(
            "\x1b_Ga=t,i=1,f=24,s=20,v=20,m=1;{0}\x1b\\\x1b_Gm=0;{0}\x1b\\",
            "A".repeat(1000)
        ),
    ] {
        for cut in 0..=stream.len() {
            check_cut(small(5, 20), stream.as_bytes(), cut);
        }
    }
}

#[test]
fn images_go_where_they_went_in_the_stream() {
    let kitty = "\x1b_Ga=T,i=5,f=24,s=1,v=1,c=4,r=2;AAAA\x1b\\";
    let shown = |after: &str| {
        let stream = format!("{kitty}{after}");
        let screen = screen(small(5, 20), stream.as_bytes());
        escaped(&screen.snapshot(&SnapshotOptions::EVERYTHING)).contains("a=p")
    };
    assert!(shown("text\r\n"));
    assert!(!shown("\x1b[2J"));
    assert!(!shown("\x1b_Ga=d\x1b\\"));
    assert!(!shown("\x1b_Ga=d,d=i,i=5\x1b\\"));
    assert!(shown("\x1b_Ga=d,d=i,i=6\x1b\\"));
    assert!(!shown("\x1bc"));
    // Beyond the oldest line that is kept.
    assert!(shown(&"\r\n".repeat(20)));
    assert!(!shown(&"\r\n".repeat(60)));
}

#[test]
fn a_sixel_image_is_gone_when_something_is_written_there() {
    let sixel = "\x1b[2;2H\x1bPq\"1;1;30;40#0~\x1b\\";
    let shown = |after: &str| {
        let stream = format!("{sixel}{after}");
        let screen = screen(small(5, 20), stream.as_bytes());
        escaped(&screen.snapshot(&SnapshotOptions::EVERYTHING)).contains("Pq")
    };
    assert!(shown("\x1b[1;1Habove\x1b[2;6Hright\x1b[5;1Hbelow"));
    assert!(!shown("\x1b[3;4Hx"));
    assert!(!shown("\x1b[2;1H\x1b[K"));
    assert!(!shown("\x1b[2J"));
    assert!(!shown("\x1b[3;1H\x1b[L"));
}

#[test]
fn images_stay_within_their_quota() {
    let mut screen = screen(small(5, 20), b"");
    for id in 1..100 {
        let image = format!("\x1b_Ga=t,i={id},f=24,s=20,v=20;{}\x1b\\", "A".repeat(1600));
        screen.advance(image.as_bytes());
    }
    let snapshot = escaped(&screen.snapshot(&SnapshotOptions::EVERYTHING));
    assert_eq!(
        snapshot.matches("a=t").count(),
        2,
        "4096 bytes hold two of 1600"
    );
    assert!(snapshot.contains("i=98") && snapshot.contains("i=99"));
    // One that is larger than the quota is none.
    let large = format!("\x1b_Ga=t,i=1,f=24,s=60,v=60;{}\x1b\\", "A".repeat(14_400));
    screen.advance(large.as_bytes());
    let snapshot = escaped(&screen.snapshot(&SnapshotOptions::EVERYTHING));
    assert!(!snapshot.contains("i=1,"), "{snapshot:.200}");
}

#[test]
fn a_higher_screen_shows_lines_from_above_only_at_its_end() {
    let lines: String = (0..8).map(|line| format!("{line}\r\n")).collect();
    let mut bottom = screen(small(4, 10), lines.as_bytes());
    bottom.resize(small(6, 10));
    assert_eq!(bottom.text(), ["3", "4", "5", "6", "7", ""]);
    let mut top = screen(small(4, 10), format!("{lines}\x1b[H\x1b[2Jtop").as_bytes());
    top.resize(small(6, 10));
    assert_eq!(top.text(), ["top", "", "", "", "", ""]);
}
