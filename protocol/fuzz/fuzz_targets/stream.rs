//! However a stream is cut, it yields the same frames and the same error.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use vroom_protocol::{MAGIC, StreamDecoder, StreamError};

const LIMIT: usize = 4096;

fn read(pieces: impl Iterator<Item = impl AsRef<[u8]>>) -> (Vec<Bytes>, Option<StreamError>) {
    let mut decoder = StreamDecoder::new();
    let mut frames = Vec::new();
    for piece in pieces {
        decoder.push(piece.as_ref());
        loop {
            match decoder.poll(LIMIT) {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => break,
                Err(error) => return (frames, Some(error)),
            }
        }
        assert!(decoder.buffered_bytes() < LIMIT + 8 + piece.as_ref().len());
    }
    (frames, None)
}

fuzz_target!(|input: (bool, u8, Vec<u8>)| {
    let (with_magic, cut, bytes) = input;
    let mut stream = if with_magic {
        MAGIC.to_vec()
    } else {
        Vec::new()
    };
    stream.extend_from_slice(&bytes);
    let at_once = read(std::iter::once(&stream));
    let in_pieces = read(stream.chunks(usize::from(cut) + 1));
    assert_eq!(at_once, in_pieces);
});
