//! The law of snapshots, on streams that are made up.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use vroom_terminal::screen::{OutputFilter, SnapshotOptions, ViewerCapabilities};

use super::{check_cut, difference, screen, small};

/// A piece of a stream that does something.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    let text = prop_oneof![
        8 => "[a-z ]{1,12}",
        1 => Just("日本語テキスト".to_owned()),
        1 => Just("e\u{301}o\u{308}\u{323}".to_owned()),
        1 => Just("\u{1f600}x\u{200d}".to_owned()),
    ];
    let control = select(vec![
        "\n", "\r\n", "\r", "\t", "\x08", "\x0e", "\x0f", "\x07", "\x1a",
    ]);
    let csi = (
        select(vec!["", "", "", "?", ">", "<", "="]),
        vec(select(vec![0_u16, 1, 2, 3, 4, 5, 7, 9, 12, 30, 100]), 0..3),
        select(
            "@ABCDEFGHIJKLMPSTXZ`abdefghlmnrsu"
                .chars()
                .collect::<Vec<_>>(),
        ),
    );
    let csi = csi.prop_map(|(prefix, values, last)| {
        let values: Vec<String> = values.iter().map(u16::to_string).collect();
        format!("\x1b[{prefix}{}{last}", values.join(";"))
    });
    let sgr = vec(
        select(vec![
            "0",
            "1",
            "2",
            "3",
            "4",
            "4:3",
            "4:0",
            "5",
            "7",
            "8",
            "9",
            "21",
            "22",
            "24",
            "27",
            "31",
            "39",
            "42",
            "49",
            "95",
            "103",
            "38;5;7",
            "48;2;1;2;3",
            "58:2::9:8:7",
            "58;5;3",
            "59",
        ]),
        1..4,
    );
    let sgr = sgr.prop_map(|codes| format!("\x1b[{}m", codes.join(";")));
    let mode = (
        select(vec![
            1, 5, 6, 7, 12, 25, 45, 47, 66, 1000, 1002, 1003, 1004, 1006, 1007, 1016, 1047, 1048,
            1049, 2004, 2026, 2031, 2048,
        ]),
        any::<bool>(),
    );
    let mode = mode.prop_map(|(mode, on)| format!("\x1b[?{mode}{}", if on { 'h' } else { 'l' }));
    let escape = select(vec![
        "\x1b7",
        "\x1b8",
        "\x1bD",
        "\x1bE",
        "\x1bH",
        "\x1bM",
        "\x1b=",
        "\x1b>",
        "\x1b(0",
        "\x1b)0",
        "\x1b(B",
        "\x1b*A",
        "\x1bn",
        "\x1b#8",
        "\x1b[!p",
        "\x1b[4h",
        "\x1b[4l",
        "\x1b[20h",
        "\x1b[3g",
        "\x1b[2;4r",
        "\x1b[2;3r",
        "\x1b[r",
        "\x1b[5 q",
        "\x1b[>5u",
        "\x1b[<u",
        "\x1b[=3;2u",
        "\x1b[>4;2m",
    ]);
    let string = select(vec![
        "\x1b]2;title\x07",
        "\x1b]0;a;b\x1b\\",
        "\x1b[22t",
        "\x1b[23;2t",
        "\x1b]7;file:///tmp\x07",
        "\x1b]8;;http://a/\x07",
        "\x1b]8;id=x;http://b/\x1b\\",
        "\x1b]8;;\x07",
        "\x1b]4;1;#102030\x07",
        "\x1b]11;rgb:1/2/3\x07",
        "\x1b]104\x07",
        "\x1b]133;A\x07",
        "\x1b]9;4;1;50\x07",
        "\x1b]999;x\x07",
        "\x1b]no\x07",
        "\x1bXsos\x1b\\",
        "\x1b^pm\x1b\\",
        "\x1b_apc\x1b\\",
        "\x1bP+q\x1b\\",
        "\x1bPq\x1b\\",
    ]);
    let image = select(vec![
        "\x1b_Ga=t,i=7,f=24,s=1,v=1;AAAA\x1b\\",
        "\x1b_Ga=T,i=8,f=24,s=1,v=1,c=3,r=2,z=-1;AAAA\x1b\\",
        "\x1b_Ga=T,f=32,s=15,v=30,o=z;AAAA\x1b\\",
        "\x1b_Ga=p,i=7,p=2,c=2,r=2,C=1\x1b\\",
        "\x1b_Ga=p,i=7,U=1,p=9\x1b\\",
        "\x1b_Ga=t,i=9,f=24,s=1,v=2,m=1;AAAA\x1b\\",
        "\x1b_Gm=1;AA\x1b\\",
        "\x1b_Gm=0;AA\x1b\\",
        "\x1b_Ga=d,d=i,i=7\x1b\\",
        "\x1b_Ga=d,d=A\x1b\\",
        "\x1b_Ga=T,I=4,f=24,s=1,v=1;AAAA\x1b\\",
        "\x1bPq\"1;1;25;45#0!25~-~\x1b\\",
        "\x1bP0;1q!12~-!12~-!12~-!12~\x1b\\",
    ]);
    prop_oneof![
        8 => text.prop_map(String::into_bytes),
        3 => control.prop_map(|text| text.as_bytes().to_vec()),
        5 => csi.prop_map(String::into_bytes),
        3 => sgr.prop_map(String::into_bytes),
        2 => mode.prop_map(String::into_bytes),
        3 => escape.prop_map(|text| text.as_bytes().to_vec()),
        1 => string.prop_map(|text| text.as_bytes().to_vec()),
        1 => image.prop_map(|text| text.as_bytes().to_vec()),
        1 => vec(any::<u8>(), 1..4),
    ]
}

fn stream(pieces: usize) -> impl Strategy<Value = Vec<u8>> {
    vec(piece(), 1..pieces).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..Default::default() })]

    #[test]
    fn a_snapshot_carries_everything_over(
        stream in stream(60),
        rows in 1_u16..7,
        cols in 2_u16..14,
        cut in any::<prop::sample::Index>(),
    ) {
        check_cut(small(rows, cols), &stream, cut.index(stream.len() + 1));
    }

    #[test]
    fn a_snapshot_carries_everything_over_at_every_byte(
        stream in stream(8),
        rows in 2_u16..5,
        cols in 2_u16..12,
    ) {
        for cut in 0..=stream.len() {
            check_cut(small(rows, cols), &stream, cut);
        }
    }

    #[test]
    fn a_snapshot_carries_everything_over_after_new_sizes(
        streams in vec(stream(20), 1..4),
        sizes in vec((1_u16..8, 2_u16..16), 4),
    ) {
        let sizes: Vec<_> = sizes.iter().map(|(rows, cols)| small(*rows, *cols)).collect();
        let mut first = screen(sizes[0], b"");
        let mut second = screen(sizes[0], b"");
        for (stream, size) in streams.iter().zip(&sizes[1..]) {
            first.advance(stream);
            second.advance(stream);
            prop_assert!(first.digest() == second.digest());
            first.resize(*size);
            second = screen(*size, &first.snapshot(&SnapshotOptions::EVERYTHING));
            prop_assert!(first.digest() == second.digest(), "{}", difference(&first, &second));
        }
    }

    #[test]
    fn the_pieces_of_a_stream_do_not_matter(stream in stream(30), piece in 1_usize..9) {
        let whole = screen(small(5, 12), &stream);
        let mut pieces = screen(small(5, 12), b"");
        for piece in stream.chunks(piece) {
            pieces.advance(piece);
        }
        prop_assert!(whole.digest() == pieces.digest());
    }

    #[test]
    fn a_snapshot_passes_the_filter(stream in stream(40)) {
        let first = screen(small(5, 12), &stream);
        let snapshot = first.snapshot(&SnapshotOptions::EVERYTHING);
        let mut shown = Vec::new();
        let mut filter = OutputFilter::new(&ViewerCapabilities::EVERYTHING);
        filter.push(&snapshot, &mut shown);
        // What the program has begun may be refused before it ends.
        let mut first = first;
        first.advance(b"\x18\0");
        filter.push(b"\x18\0", &mut shown);
        let second = screen(small(5, 12), &shown);
        prop_assert!(first.digest() == second.digest(), "{}", difference(&first, &second));
    }
}

/// Found by the test of new sizes: the last character of a line that goes on is a wide one under an image.
#[test]
fn an_image_over_a_wide_character_at_the_edge_is_carried_over() {
    let streams = [
        "  aaa日本語テキスト",
        " a a 日本語テキスト",
        "\x1b[2r日本語テキストa   aa a\x1bM\x1bPq\"1;1;25;45#0!25~-~\x1b\\\n",
    ];
    let sizes = [small(1, 2), small(1, 2), small(5, 14), small(3, 12)];
    let mut first = screen(sizes[0], b"");
    let mut second = screen(sizes[0], b"");
    for (stream, size) in streams.iter().zip(&sizes[1..]) {
        first.advance(stream.as_bytes());
        second.advance(stream.as_bytes());
        first.resize(*size);
        second = screen(*size, &first.snapshot(&SnapshotOptions::EVERYTHING));
        let difference = difference(&first, &second);
        assert!(first.digest() == second.digest(), "{difference}");
    }
}
