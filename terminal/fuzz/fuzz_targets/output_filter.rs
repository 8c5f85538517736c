//! The filter works alike for every cut, and nothing that it must refuse comes out of it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vroom_terminal::PtySize;
use vroom_terminal::screen::tokenizer::{Token, Tokenizer};
use vroom_terminal::screen::{
    OutputFilter, Screen, ScreenLimits, SnapshotOptions, ViewerCapabilities,
};

fn filtered(viewer: &ViewerCapabilities, pieces: &[&[u8]]) -> Vec<u8> {
    let mut filter = OutputFilter::new(viewer);
    let mut out = Vec::new();
    for piece in pieces {
        let before = out.len();
        let passes = filter.passes(piece);
        filter.push(piece, &mut out);
        assert!(!passes || out[before..] == **piece);
    }
    out
}

/// What must not come out, told by another reader than the filter.
fn check(viewer: &ViewerCapabilities, token: Token<'_>) {
    match token {
        Token::Osc(content) => {
            let text = std::str::from_utf8(content).expect("text");
            assert!(!text.chars().any(char::is_control), "{text:?}");
            let (number, rest) = text.split_once(';').unwrap_or((text, ""));
            match number {
                "52" => assert!(!rest.contains('?') && rest.contains(';')),
                "0" | "1" | "2" => assert!(rest.chars().count() <= 256),
                "1337" => {
                    assert!(viewer.graphics || viewer.sixel);
                    assert!(rest.starts_with("File=") && rest.contains("inline=1"));
                }
                "9" => assert!(
                    rest.starts_with("4;") || !rest.starts_with(|c: char| c.is_ascii_digit())
                ),
                "777" => assert!(rest.starts_with("notify;")),
                number => assert!(
                    [
                        "4", "7", "8", "10", "11", "12", "104", "110", "111", "112", "133"
                    ]
                    .contains(&number),
                    "{text}"
                ),
            }
        }
        Token::Graphics(content) => {
            assert!(viewer.graphics);
            let control = content
                .split(|byte| *byte == b';')
                .next()
                .unwrap_or_default();
            for pair in control.split(|byte| *byte == b',') {
                assert!(!pair.starts_with(b"t=") || pair == b"t=d");
            }
        }
        Token::Dcs(content) => assert!(content.starts_with(b"$q") || viewer.sixel),
        Token::Csi(content) => {
            assert!(!content.ends_with(b"i"));
            if let Some(window) = content.strip_suffix(b"t") {
                let first = window.split(|byte| matches!(byte, b';' | b':')).next();
                let first = String::from_utf8_lossy(first.unwrap_or_default());
                let known = first.trim_start_matches('0').parse::<u16>();
                let known = known.is_ok_and(|op| [14, 16, 18, 22, 23].contains(&op));
                let other = content
                    .iter()
                    .any(|byte| (0x20..0x30).contains(byte) || *byte >= 0x3c && *byte < 0x40);
                assert!(known || other, "{content:?}");
            }
            let plain = !content.iter().any(|byte| (0x20..0x30).contains(byte));
            if plain
                && let Some(flags) = content
                    .strip_prefix(b">")
                    .and_then(|it| it.strip_suffix(b"u"))
            {
                let flags: u32 = String::from_utf8_lossy(flags).parse().expect("flags");
                let most = [0, 1, 3, 15]
                    .get(viewer.kitty_level as usize)
                    .unwrap_or(&31);
                assert!(viewer.kitty_level > 0 && flags <= *most);
            }
        }
        Token::Escape(content) => assert!(content != b"%@" && content != b" G"),
        Token::Text(_) => {}
    }
}

fuzz_target!(|data: &[u8]| {
    let [viewer, step, stream @ ..] = data else {
        return;
    };
    let viewer = ViewerCapabilities {
        graphics: viewer & 1 != 0,
        sixel: viewer & 2 != 0,
        kitty_level: u32::from(viewer >> 2 & 7),
    };
    let out = filtered(&viewer, &[stream]);
    let pieces: Vec<&[u8]> = stream.chunks(usize::from(step % 16) + 1).collect();
    assert_eq!(filtered(&viewer, &pieces), out, "cut");
    assert_eq!(filtered(&viewer, &[&out]), out, "twice");
    for (at, byte) in out.iter().enumerate() {
        let control = *byte == 0xc2
            && out
                .get(at + 1)
                .is_some_and(|next| (0x80..0xa0).contains(next));
        assert!(!control, "C1");
    }
    Tokenizer::new(1 << 20).advance(&out, |token| check(&viewer, token));

    // A viewer that can take everything shows what the model knows.
    if std::str::from_utf8(stream).is_err() {
        return;
    }
    let mut repeats = false;
    Tokenizer::new(1 << 20).advance(stream, |token| {
        repeats |= matches!(token, Token::Csi(content) if content.ends_with(b"b"));
    });
    if repeats {
        return;
    }
    let size = PtySize {
        rows: 4,
        cols: 12,
        px_w: 120,
        px_h: 80,
    };
    let limits = ScreenLimits {
        scrollback_lines: 8,
        image_bytes: 1 << 20,
    };
    let mut model = Screen::new(size, limits);
    model.advance(stream);
    let snapshot = model.snapshot(&SnapshotOptions::EVERYTHING);
    let everything = ViewerCapabilities::EVERYTHING;
    // What is unfinished may be refused before it ends: it is aborted in both.
    let end = b"\x18\0";
    model.advance(end);
    for bytes in [stream, &snapshot] {
        let mut shown = Screen::new(size, limits);
        shown.advance(&filtered(&everything, &[bytes, end]));
        assert!(shown.digest() == model.digest(), "shown");
    }
});
