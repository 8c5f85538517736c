//! Any bytes on `pointer`, `button`, `video` and `clipboard` are a message or an error with a code.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vroom_protocol::graphical::{
    ButtonInput, ClipRequest, DecodeError, PointerInput, VideoMessage,
};

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
    match ClipRequest::decode(kind, payload.to_vec().into()) {
        Ok(request) => {
            let (kind, written) = request.encode();
            assert_eq!(written, payload, "one layout");
            assert_eq!(ClipRequest::decode(kind, written), Ok(request));
        }
        Err(error) => has_a_code(&error),
    }
});

fn has_a_code(error: &DecodeError) {
    assert!([1003, 4001].contains(&error.code().0));
}
