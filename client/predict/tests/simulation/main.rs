//! The predictor between a user and simulated programs, over a simulated link.
#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

mod programs;
mod random;
mod session;
mod terminal;

use self::programs::{Cat, Editor, Program, Scroller, Shell, SilentPrompt, Swallower};
use self::random::Random;
use self::session::{Link, Session};

const SLOW: Link = Link {
    delay_ms: 50,
    lost: 0,
};
const LOSSY: Link = Link {
    delay_ms: 50,
    lost: 20,
};
const FAST: Link = Link {
    delay_ms: 2,
    lost: 0,
};

/// Types keys one after the other, and counts those that were seen at once.
fn type_keys<P: Program>(session: &mut Session<P>, text: &str, pace_ms: u64) -> usize {
    let mut shown = 0;
    for char in text.chars() {
        let mut bytes = [0; 4];
        shown += usize::from(session.key(char.encode_utf8(&mut bytes).as_bytes()));
        session.wait(pace_ms);
    }
    shown
}

fn shell(link: Link) -> Session<Shell> {
    Session::new(Shell::default(), link, 1)
}

/// A shell whose first key was echoed, so that the next ones are shown.
fn warm_shell(link: Link) -> Session<Shell> {
    let mut session = shell(link);
    session.key(b"a");
    session.wait(1_000);
    session
}

#[test]
fn the_first_key_of_a_line_waits_for_its_echo_and_the_next_ones_do_not() {
    let mut session = shell(SLOW);
    assert!(!session.key(b"a"));
    session.wait(200);
    assert_eq!(session.seen(0), "user@host:~$ a");
    assert!(session.key(b"b"));
    assert_eq!(session.seen(0), "user@host:~$ ab");
    session.wait(30);
    assert!(session.key(b"c"));
    assert_eq!(session.seen(0), "user@host:~$ abc");
    session.wait(1_000);
    assert!(session.is_settled());
    assert_eq!(session.seen(0), "user@host:~$ abc");
}

#[test]
fn keys_typed_before_the_first_echo_are_all_shown_with_it() {
    let mut session = shell(SLOW);
    type_keys(&mut session, "abc", 20);
    session.wait(48);
    assert_eq!(session.seen(0), "user@host:~$ abc");
}

#[test]
fn a_fast_link_is_left_alone() {
    let mut session = warm_shell(FAST);
    assert!(!session.key(b"b"));
}

#[test]
fn a_slow_link_has_guesses_underlined() {
    for (delay_ms, underlined) in [(20, false), (50, true)] {
        let mut session = warm_shell(Link { delay_ms, lost: 0 });
        session.key(b"b");
        let overlay = session.predictor.overlay();
        assert_eq!(overlay.len(), 1);
        assert!(overlay.iter().all(|cell| cell.underline == underlined));
    }
}

#[test]
fn typing_inside_a_line_moves_the_rest() {
    let mut session = warm_shell(SLOW);
    type_keys(&mut session, "bcdef", 150);
    session.wait(1_000);
    for _ in 0..3 {
        assert!(session.key(b"\x1b[D"));
    }
    assert!(session.key(b"X"));
    assert_eq!(session.seen(0), "user@host:~$ abcXdef");
    assert!(session.key(b"\x7f"));
    assert!(session.key(b"\x7f"));
    assert_eq!(session.seen(0), "user@host:~$ abdef");
    assert!(session.key(b"\x1b[C"));
    session.wait(1_000);
    assert_eq!(session.seen(0), "user@host:~$ abdef");
}

#[test]
fn the_prompt_cannot_be_erased() {
    let mut session = warm_shell(SLOW);
    for _ in 0..4 {
        session.key(b"\x7f");
        assert!(session.seen(0).starts_with("user@host:~$"));
    }
    session.wait(1_000);
    assert_eq!(session.seen(0), "user@host:~$");
}

#[test]
fn wide_and_composed_characters_take_their_columns() {
    let mut session = warm_shell(SLOW);
    assert!(session.key("漢".as_bytes()));
    assert!(session.key("é".as_bytes()));
    assert!(session.key(b"b"));
    assert_eq!(session.seen(0), "user@host:~$ a漢éb");
    for _ in 0..3 {
        assert!(session.key(b"\x7f"));
    }
    assert_eq!(session.seen(0), "user@host:~$ a");
    session.wait(1_000);
    assert_eq!(session.seen(0), "user@host:~$ a");
}

#[test]
fn text_behind_the_cursor_that_does_not_move_is_learned() {
    let mut session = Session::new(Shell::suggesting(), SLOW, 1);
    type_keys(&mut session, "ec", 300);
    session.wait(1_000);
    let shown = type_keys(&mut session, "ho the quick", 110);
    assert!(shown >= 11, "{shown} of 12");
    session.wait(1_000);
    assert_eq!(session.seen(0), "user@host:~$ echo the quick brown fox");
}

#[test]
fn lines_wrap() {
    let mut session = Session::new(Cat::default(), SLOW, 1);
    let line: String = "0123456789".repeat(17);
    type_keys(&mut session, &line, 100);
    session.wait(1_000);
    assert_eq!(
        [session.seen(0), session.seen(2)],
        [line[..80].to_owned(), line[160..].to_owned()]
    );
}

#[test]
fn lines_are_assumed_to_wrap() {
    let mut session = Session::new(Cat::default(), SLOW, 1);
    let line: String = "0123456789".repeat(7);
    type_keys(&mut session, &line, 150);
    for _ in 0..10 {
        assert!(session.key(b"0"));
        session.wait(150);
    }
    assert!(session.key(b"x"), "at the edge");
    session.wait(150);
    // Up to the next edge, over it, and on.
    for number in 0..90 {
        assert!(session.key(b"y"), "key {number}");
        session.wait(150);
    }
    session.wait(1_000);
    assert_eq!(
        [session.seen(1), session.seen(2)],
        [format!("x{}", "y".repeat(79)), "y".repeat(11)]
    );
}

#[test]
fn a_line_that_scrolls_at_the_edge_is_mistaken_once() {
    let mut session = Session::new(Scroller::default(), SLOW, 1);
    // Over the first edge, where the guess is wrong, and it is made good.
    type_keys(&mut session, &"0123456789".repeat(8), 150);
    session.wait(1_000);
    assert_eq!(session.seen(1), "");
    // Over the next ones nothing is shown where it is not.
    for number in 0..120 {
        session.key(b"x");
        assert_eq!(session.seen(1), "", "key {number}");
        session.wait(150);
    }
    session.wait(1_000);
    let seen = session.seen(0);
    assert!((40..80).contains(&seen.len()), "{seen}");
    assert_eq!(seen, "x".repeat(seen.len()));
}

#[test]
fn more_than_nine_of_ten_keys_are_shown_at_once_in_a_shell() {
    for (link, least) in [(SLOW, 90), (LOSSY, 90)] {
        let mut session = shell(link);
        let (mut keys, mut shown) = (0, 0);
        let lines = [
            "ls -l /usr/share/doc",
            "git commit -m message",
            "cd projects/terminal/src",
            "cargo test --workspace",
        ];
        for line in lines.repeat(10) {
            keys += line.len();
            shown += type_keys(&mut session, line, 120);
            session.key(b"\r");
            session.wait(800);
        }
        let share = shown * 100 / keys;
        println!(
            "loss {}/1000: {shown} of {keys} keys shown at once, {share} %",
            link.lost
        );
        assert!(share >= least, "{share} % at a loss of {}", link.lost);
    }
}

#[test]
fn a_password_is_never_shown_nor_its_length() {
    let mut session = warm_shell(SLOW);
    session.key(b"\x7f");
    type_keys(&mut session, "sudo x", 120);
    session.key(b"\r");
    session.wait(500);
    for _ in 0..20 {
        assert!(!session.key("Ω".as_bytes()));
        assert!(session.predictor.overlay().is_empty());
        session.wait(60);
    }
    session.key(b"\r");
    session.wait(1_000);
    assert!(session.is_settled());
    session.key(b"b");
    session.wait(500);
    assert!(session.key(b"c"), "afterwards it goes on");
}

#[test]
fn a_secret_read_without_telling_the_kernel_is_not_shown_either() {
    for stars in [true, false] {
        let mut session = Session::new(SilentPrompt { stars }, SLOW, 1);
        for _ in 0..40 {
            session.key("Ω".as_bytes());
            assert!(session.predictor.overlay().is_empty());
            session.wait(70);
        }
    }
}

#[test]
fn commands_of_an_editor_are_not_shown_and_its_text_is() {
    let mut session = Session::new(Editor::default(), SLOW, 1);
    for key in "jjlljkljlj".chars() {
        session.key(&[key as u8]);
        assert!(session.predictor.overlay().is_empty());
        session.wait(90);
    }
    session.wait(500);
    session.key(b"i");
    session.wait(500);
    let shown = type_keys(&mut session, "hello there", 110);
    assert!(shown >= 8, "{shown} of 11");
    session.key(b"\x1b");
    session.wait(500);
    session.key(b"j");
    assert!(session.predictor.overlay().is_empty());
}

#[test]
fn a_swallowed_key_is_gone_one_round_trip_after_the_answer() {
    let mut session = Session::new(Swallower::default(), SLOW, 1);
    type_keys(&mut session, "ab", 400);
    session.wait(1_000);
    session.key(b"X");
    session.wait(400);
    assert_eq!(session.seen(0), "> ab");
    type_keys(&mut session, "cde", 120);
    session.wait(100 + 50 + 100);
    assert_eq!(session.seen(0), "> abcd");
}

#[test]
fn completed_text_is_taken_over_and_typing_goes_on_behind_it() {
    let mut session = warm_shell(SLOW);
    type_keys(&mut session, "com", 120);
    session.key(b"\t");
    session.wait(20);
    type_keys(&mut session, "xyz", 120);
    session.wait(30);
    assert!(session.key(b"!"));
    assert_eq!(session.seen(0), "user@host:~$ acompletedxyz!");
    session.wait(1_000);
    assert_eq!(session.seen(0), "user@host:~$ acompletedxyz!");
}

#[test]
fn a_paste_is_not_predicted() {
    let mut session = warm_shell(SLOW);
    session.key(b"b");
    assert!(!session.predictor.overlay().is_empty());
    session.key(&[b'x'; 100]);
    assert!(session.predictor.overlay().is_empty());
}

#[test]
fn a_dead_link_shows_what_is_typed_and_takes_back_nothing() {
    let mut session = warm_shell(Link {
        delay_ms: 50,
        lost: 0,
    });
    for _ in 0..30 {
        assert!(session.key(b"x"));
    }
    assert_eq!(session.predictor.overlay().len(), 30);
}

/// Random users of random programs: what must hold at any time is checked by the session.
#[test]
fn nothing_wrong_stays_whatever_is_typed() {
    const KEYS: [&[u8]; 14] = [
        b"a", b"b", b" ", b"x", b"i", b"\x7f", b"\r", b"\t", b"\x1b", b"\x1b[C", b"\x1b[D",
        b"\x01", b"\x1b[A", b"sudo\r",
    ];
    fn play<P: Program>(program: P, seed: u64) {
        let mut random = Random::new(seed);
        let link = Link {
            delay_ms: *random.pick(&[5, 20, 50, 150]),
            lost: *random.pick(&[0, 20, 200]),
        };
        let mut session = Session::new(program, link, seed);
        for _ in 0..200 {
            let key = random.pick(&KEYS);
            session.key(key);
            let pause_ms = random.below(250);
            session.wait(pause_ms);
        }
        session.wait(60_000);
        assert!(session.is_settled(), "seed {seed}");
        assert!(session.predictor.overlay().is_empty(), "seed {seed}");
        assert_eq!(session.predictor.cursor(), None, "seed {seed}");
        assert!(session.predictor.is_idle(), "seed {seed}");
    }
    for seed in 0..20 {
        play(Shell::default(), seed);
        play(Shell::suggesting(), seed);
        play(Cat::default(), seed);
        play(Editor::default(), seed);
        play(Swallower::default(), seed);
        play(
            SilentPrompt {
                stars: seed.is_multiple_of(2),
            },
            seed,
        );
    }
}
