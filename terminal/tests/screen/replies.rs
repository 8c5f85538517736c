//! What a screen answers when a program asks.

use vroom_terminal::screen::ViewerCapabilities;

use super::{screen, small};

fn answer(question: &str) -> String {
    let mut screen = screen(small(5, 20), question.as_bytes());
    String::from_utf8(screen.take_replies()).unwrap()
}

#[test]
fn the_terminal_says_what_it_is() {
    assert_eq!(answer("\x1b[c"), "\x1b[?62;4;22;52c");
    assert_eq!(answer("\x1b[>c"), "\x1b[>0;276;0c");
    let version = format!("\x1bP>|VROOM({})\x1b\\", env!("CARGO_PKG_VERSION"));
    assert_eq!(answer("\x1b[>q"), version);
    assert_eq!(answer("\x1b[5n"), "\x1b[0n");
}

#[test]
fn positions_and_sizes_are_told() {
    assert_eq!(answer("ab\r\ncd\x1b[6n"), "\x1b[2;3R");
    assert_eq!(answer("\x1b[2;4r\x1b[?6h\x1b[2;5H\x1b[6n"), "\x1b[2;5R");
    assert_eq!(answer("\x1b[18t"), "\x1b[8;5;20t");
    assert_eq!(answer("\x1b[14t\x1b[16t"), "\x1b[4;100;200t\x1b[6;20;10t");
    assert_eq!(answer("\x1b[?2048h"), "\x1b[48;5;20;100;200t");
}

#[test]
fn modes_are_told() {
    let cases = [
        ("\x1b[?2004h\x1b[?2004$p", "\x1b[?2004;1$y"),
        ("\x1b[?2004$p", "\x1b[?2004;2$y"),
        ("\x1b[?2026h\x1b[?2026$p", "\x1b[?2026;1$y"),
        ("\x1b[?1049h\x1b[?1049$p", "\x1b[?1049;1$y"),
        ("\x1b[?4711$p", "\x1b[?4711;0$y"),
        ("\x1b[4h\x1b[4$p", "\x1b[4;1$y"),
    ];
    for (question, wanted) in cases {
        assert_eq!(answer(question), wanted, "{question:?}");
    }
}

#[test]
fn keyboard_flags_are_those_of_the_screen_that_is_shown() {
    assert_eq!(answer("\x1b[>5u\x1b[?u"), "\x1b[?5u");
    assert_eq!(answer("\x1b[>5u\x1b[?1049h\x1b[?u"), "\x1b[?0u");
    assert_eq!(
        answer("\x1b[>5u\x1b[?1049h\x1b[>1u\x1b[?1049l\x1b[?u"),
        "\x1b[?5u"
    );
}

#[test]
fn colours_are_told() {
    assert_eq!(answer("\x1b]11;?\x07"), "\x1b]11;rgb:0000/0000/0000\x1b\\");
    assert_eq!(
        answer("\x1b]10;#102030\x07\x1b]10;?\x1b\\"),
        "\x1b]10;rgb:1010/2020/3030\x1b\\"
    );
    assert_eq!(
        answer("\x1b]4;1;?\x07"),
        "\x1b]4;1;rgb:cdcd/0000/0000\x1b\\"
    );
}

#[test]
fn settings_are_told_in_numbers() {
    assert_eq!(answer("\x1b[1;31m\x1bP$qm\x1b\\"), "\x1bP1$r0;1;31m\x1b\\");
    assert_eq!(answer("\x1b[2;4r\x1bP$qr\x1b\\"), "\x1bP1$r2;4r\x1b\\");
    assert_eq!(answer("\x1b[5 q\x1bP$q q\x1b\\"), "\x1bP1$r5 q\x1b\\");
    assert_eq!(answer("\x1bP$qecho\x1b\\"), "\x1bP0$r\x1b\\");
}

#[test]
fn images_are_answered_when_the_program_wants_to_hear() {
    let query = "\x1b_Ga=q,i=31,s=1,v=1,f=24;AAAA\x1b\\";
    assert_eq!(answer(query), "\x1b_Gi=31;OK\x1b\\");
    assert_eq!(answer("\x1b_Ga=t,i=31,q=1,s=1,v=1,f=24;AAAA\x1b\\"), "");
    let file = answer("\x1b_Ga=t,t=f,i=3;L2V0Yy9wYXNzd2Q=\x1b\\");
    assert!(file.starts_with("\x1b_Gi=3;EINVAL"), "{file:?}");
    assert!(answer("\x1b_Ga=p,i=9\x1b\\").contains("ENOENT"));
}

#[test]
fn what_the_terminal_cannot_is_not_claimed() {
    let mut screen = screen(small(5, 20), b"");
    screen.set_claims(&ViewerCapabilities {
        graphics: false,
        sixel: false,
        kitty_level: 1,
    });
    screen.advance(b"\x1b[c\x1b[>31u\x1b[?u\x1b_Ga=q,i=1,s=1,v=1,f=24;AAAA\x1b\\");
    assert_eq!(screen.take_replies(), b"\x1b[?62;22;52c\x1b[?1u");
}

#[test]
fn nothing_that_a_program_made_up_comes_back() {
    let word = "canary";
    let questions = [
        format!("\x1b]2;{word}\x07\x1b[21t\x1b[20t"),
        "\x1b]52;c;Y2FuYXJ5\x07\x1b]52;c;?\x07".to_owned(),
        format!("\x1bP$q{word}\x1b\\\x1bP+q{word}\x1b\\"),
        format!("\x1b]4;{word};?\x07\x1b]10;{word}\x07\x1b]10;?\x07"),
        format!("\x1b_Ga=q,i=1,t={word};{word}\x1b\\\x1b_Ga={word},i=1\x1b\\"),
        format!("{word}\x1b[1;1;1;1;1;1*y\x1b[?15n\x05\x1b]7;{word}\x07"),
    ];
    for question in questions {
        let answer = answer(&question);
        assert!(
            !answer.contains(word),
            "{question:?} is answered {answer:?}"
        );
        assert!(!answer.contains("Y2FuYXJ5"), "{answer:?}");
    }
}

#[test]
fn answers_are_taken_once_and_bounded() {
    let mut screen = screen(small(5, 20), b"\x1b[5n");
    assert_eq!(screen.take_replies(), b"\x1b[0n");
    assert_eq!(screen.take_replies(), b"");
    screen.advance(&b"\x1b[c".repeat(100_000));
    assert!(screen.take_replies().len() <= 64 << 10);
}

#[test]
fn a_new_size_is_told_to_who_wants_to_hear() {
    let mut screen = screen(small(5, 20), b"\x1b[?2048h");
    drop(screen.take_replies());
    screen.resize(small(6, 30));
    assert_eq!(screen.take_replies(), b"\x1b[48;6;30;120;300t");
}
