//! Any bytes in any pieces give the same tokens, and what is remembered stays bounded.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vroom_terminal::screen::tokenizer::{CLIPBOARD_BYTES, Token, Tokenizer};

const IMAGE_BYTES: usize = 256;

/// The tokens in one form for all cuts: text in one piece.
#[derive(Debug, Default, Eq, PartialEq)]
struct Tokens(Vec<(u8, Vec<u8>)>);

impl Tokens {
    fn push(&mut self, token: Token<'_>) {
        let (kind, bytes) = match token {
            Token::Text(text) => (b't', text.as_bytes()),
            Token::Escape(bytes) => (b'e', bytes),
            Token::Csi(bytes) => (b'c', bytes),
            Token::Osc(bytes) => (b'o', bytes),
            Token::Dcs(bytes) => (b'd', bytes),
            Token::Graphics(bytes) => (b'g', bytes),
        };
        match self.0.last_mut() {
            Some((b't', text)) if kind == b't' => text.extend_from_slice(bytes),
            _ => self.0.push((kind, bytes.to_vec())),
        }
    }
}

fuzz_target!(|data: &[u8]| {
    let Some((&step, stream)) = data.split_first() else {
        return;
    };
    let mut whole = Tokens::default();
    let mut tokenizer = Tokenizer::new(IMAGE_BYTES);
    tokenizer.advance(stream, |token| whole.push(token));
    assert!(tokenizer.unfinished().len() <= stream.len().min(2 * CLIPBOARD_BYTES).max(8));

    let mut cut = Tokens::default();
    let mut pieces = Tokenizer::new(IMAGE_BYTES);
    for piece in stream.chunks(usize::from(step % 16) + 1) {
        pieces.advance(piece, |token| cut.push(token));
    }
    assert_eq!(cut, whole);
    assert_eq!(pieces.unfinished(), tokenizer.unfinished());

    // What is remembered brings another tokenizer to the same place.
    let mut other = Tokenizer::new(IMAGE_BYTES);
    other.advance(tokenizer.unfinished(), |token| panic!("{token:?}"));
    assert_eq!(other.unfinished(), tokenizer.unfinished());
    let (mut here, mut there) = (Tokens::default(), Tokens::default());
    tokenizer.advance(stream, |token| here.push(token));
    other.advance(stream, |token| there.push(token));
    assert_eq!(here, there);
});
