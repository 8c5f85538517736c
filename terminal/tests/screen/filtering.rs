//! What reaches a viewer.

use vroom_terminal::screen::{OutputFilter, ViewerCapabilities};

const PLAIN: ViewerCapabilities = ViewerCapabilities {
    graphics: false,
    sixel: false,
    kitty_level: 0,
};

fn through(viewer: &ViewerCapabilities, output: &str) -> String {
    let mut filter = OutputFilter::new(viewer);
    let mut out = Vec::new();
    filter.push(output.as_bytes(), &mut out);
    let whole = String::from_utf8(out).unwrap();
    // Byte by byte it is the same.
    let mut filter = OutputFilter::new(viewer);
    let mut out = Vec::new();
    for byte in output.as_bytes() {
        filter.push(&[*byte], &mut out);
    }
    assert!(
        out == whole.as_bytes(),
        "{} bytes, cut {}",
        whole.len(),
        out.len()
    );
    whole
}

#[track_caller]
fn passes(viewer: &ViewerCapabilities, output: &str) {
    assert_eq!(through(viewer, output), output);
}

#[track_caller]
fn refuses(viewer: &ViewerCapabilities, output: &str) {
    let framed = format!("a{output}b");
    assert_eq!(through(viewer, &framed), "ab", "{output:.80?}");
}

const ALL: ViewerCapabilities = ViewerCapabilities::EVERYTHING;

#[test]
fn what_is_harmless_passes_unchanged() {
    for output in [
        "text\r\n\ttext ü 日本 ©\u{a0}",
        "\x1b[1;38:2::1:2:3m\x1b[2J\x1b[H\x1b[?1049h\x1b[?2004h\x1b[3 q",
        "\x1b]2;title\x07\x1b]0;a;b\x1b\\",
        "\x1b]8;id=1;http://localhost/\x1b\\link\x1b]8;;\x1b\\",
        "\x1b]52;c;dGV4dA==\x07",
        "\x1b]9;4;1;50\x07\x1b]133;A\x07\x1b]7;file:///tmp\x07\x1b]777;notify;a;b\x07",
        "\x1b]4;1;#fff\x07\x1b]104\x07\x1b]11;?\x07",
        "\x1b(0\x1b7\x1b8\x1bM\x1bc",
        "\x1b[c\x1b[6n\x1b[?2026$p\x1b[18t\x1b[22;2t\x1bP$qm\x1b\\",
    ] {
        passes(&PLAIN, output);
    }
    passes(
        &ALL,
        "\x1b_Ga=T,f=100,m=1;aGVsbG8=\x1b\\\x1b_Gm=0;\x1b\\\x1b_Ga=d\x1b\\",
    );
    passes(&ALL, "\x1bPq\"1;1;6;6#0!6~-\x1b\\");
    passes(&ALL, "\x1b]1337;File=name=eA==;inline=1:AAAA\x07");
    passes(&ALL, "\x1b[>31u\x1b[<u\x1b[?u");
}

#[test]
fn what_reads_or_runs_something_is_refused() {
    for output in [
        "\x1b]52;c;?\x07",
        "\x1b]52;c;\x07",
        "\x1b[21t",
        "\x1b[20t",
        "\x1b[3;0;0t",
        "\x1b[8;1;1t",
        "\x1b[5i",
        "\x1b[?5i",
        "\x1b[1;1;1;1;1;1*y",
        "\x1b[>2t",
        "\x1b]50;font\x07",
        "\x1b]9;7;calc.exe\x07",
        "\x1b]9;\x017;calc.exe\x07",
        "\x1b]5\x012;c;?\x07",
        "\x1b]2\r;title\x07",
        "\x1b]777;precmd\x07",
        "\x1b]8888;../x\x07",
        "\x1b]1337;File=name=eA==:AAAA\x07",
        "\x1b]1337;File=inline=1;inline=0:AAAA\x07",
        "\x1b]1337;RequestUpload=format=tgz\x07",
        "\x1b_Ga=T,t=f;L2V0Yy9wYXNzd2Q=\x1b\\",
        "\x1b_Gt=d,t=s;AAAA\x1b\\",
        "\x1b_Ga=t, t=t;AAAA\x1b\\",
        "\x1bPtmux;\x1b\x1b\\",
        "\x1bP+q544e\x1b\\",
        "\x1bP$qx;y\x1b\\",
        "\x1bXsos\x1b\\",
        "\x1b^pm\x1b\\",
        "\x1b%@",
        "\x1b G",
    ] {
        refuses(&ALL, output);
    }
}

#[test]
fn a_viewer_without_images_gets_none() {
    refuses(&PLAIN, "\x1b_Ga=T,f=24,s=1,v=1;AAAA\x1b\\");
    refuses(&PLAIN, "\x1bPq~~~\x1b\\");
    refuses(&PLAIN, "\x1b]1337;File=inline=1:AAAA\x07");
}

#[test]
fn keyboard_flags_above_the_level_are_cleared() {
    let viewer = ViewerCapabilities {
        kitty_level: 1,
        ..PLAIN
    };
    assert_eq!(through(&viewer, "\x1b[>31u"), "\x1b[>1u");
    assert_eq!(through(&viewer, "\x1b[=31;2u"), "\x1b[=1;2u");
    for output in ["\x1b[>1u", "\x1b[<u", "\x1b[?u", "\x1b[=1;1u"] {
        refuses(&PLAIN, output);
    }
    passes(&PLAIN, "\x1b[u");
}

#[test]
fn c1_controls_do_not_come_through_by_any_way() {
    refuses(&ALL, "\u{9b}31m".trim_end_matches("31m"));
    assert_eq!(
        through(&ALL, "\x1b]2;x\u{9c}\u{9b}21ty\x07"),
        "\x1b]2;x21ty\x07"
    );
    assert_eq!(
        through(&ALL, "\x1b_Ga=T;AA\u{9c}AA\x1b\\"),
        "\x1b_Ga=T;AAAA\x1b\\"
    );
    // What is left must not come together anew.
    let mut filter = OutputFilter::new(&ALL);
    let mut out = Vec::new();
    filter.push(b"\xc2\xc2\x9b\x9b[6n", &mut out);
    assert!(
        !out.windows(2)
            .any(|pair| pair[0] == 0xc2 && (0x80..0xa0).contains(&pair[1]))
    );
}

#[test]
fn titles_are_cut_and_cleaned() {
    let long = "x".repeat(1000);
    let out = through(&PLAIN, &format!("\x1b]2;{long}\x07"));
    assert_eq!(out, format!("\x1b]2;{}\x07", &long[..256]));
    assert_eq!(through(&PLAIN, "\x1b]2;a\nb\x07"), "\x1b]2;ab\x07");
}

#[test]
fn what_is_too_long_is_refused_and_what_follows_is_not() {
    let long = "A".repeat(2 << 20);
    refuses(&ALL, &format!("\x1b]52;c;{long}\x07"));
    refuses(&ALL, &format!("\x1b]2;{long}\x07"));
    refuses(&ALL, &format!("\x1b[{}m", "1;".repeat(50_000)));
    refuses(&ALL, &format!("\x1b_G{long}\x1b\\"));
}

#[test]
fn plain_text_needs_no_filter() {
    let mut filter = OutputFilter::new(&ALL);
    assert!(filter.passes(b"plain text\r\n"));
    assert!(!filter.passes(b"\x1b[m"));
    filter.push(b"\x1b]52;c;", &mut Vec::new());
    assert!(!filter.passes(b"?\x07"), "it is the rest of a sequence");
}
