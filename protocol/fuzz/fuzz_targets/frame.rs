//! Any bytes are a frame or an error, and a frame survives being written again.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use vroom_protocol::mux::frame::Frame;

const LIMIT: usize = 65_535;

fuzz_target!(|data: &[u8]| {
    let message = Bytes::copy_from_slice(data);
    if let Ok(frame) = Frame::decode(&message, LIMIT) {
        let again = Frame::decode(&frame.encode(), LIMIT);
        assert_eq!(again, Ok(frame));
    }
});
