//! Any bytes on `pointer`, `button` and `video` are a message or an error with a code.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vroom_protocol::graphical::{ButtonInput, DecodeError, PointerInput, VideoMessage};

fuzz_target!(|data: &[u8]| {
    let Some((&kind, payload)) = data.split_first() else {
        return;
    };
    match PointerInput::decode(kind, payload) {
        Ok(input) => {
            let (kind, written) = input.encode();
            assert_eq!(PointerInput::decode(kind, &written), Ok(input));
        }
        Err(error) => has_a_code(&error),
    }
    match ButtonInput::decode(kind, payload) {
        Ok(input) => {
            let (kind, written) = input.encode();
            assert_eq!(written.len(), payload.len(), "one layout, one size");
            assert_eq!(ButtonInput::decode(kind, &written), Ok(input));
        }
        Err(error) => has_a_code(&error),
    }
    match VideoMessage::decode(kind, payload) {
        Ok(message) => {
            let (kind, written) = message.encode();
            assert_eq!(VideoMessage::decode(kind, &written), Ok(message));
        }
        Err(error) => has_a_code(&error),
    }
});

fn has_a_code(error: &DecodeError) {
    assert!([1003, 4001].contains(&error.code().0));
}
