//! Any bytes on the channels of file transfer and port forwarding are a message or an error with a
//! code, and a message keeps its meaning.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use vroom_protocol::files::{Request, Response};
use vroom_protocol::forward::{ConnectionName, Data, Message};

fuzz_target!(|data: &[u8]| {
    let Some((&kind, payload)) = data.split_first() else {
        return;
    };
    let payload = Bytes::copy_from_slice(payload);
    match Request::decode(kind, &payload) {
        Ok(request) => {
            let (kind, written) = request.encode();
            assert_eq!(Request::decode(kind, &written), Ok(request));
        }
        Err(error) => assert!([1003, 4001].contains(&error.code().0)),
    }
    match Response::decode(kind, &payload) {
        Ok(response) => {
            let (kind, written) = response.encode();
            assert_eq!(Response::decode(kind, &written), Ok(response));
        }
        Err(error) => assert!([1003, 4001].contains(&error.code().0)),
    }
    match Message::decode(kind, &payload) {
        Ok(message) => {
            if let Message::Connection(connection) = &message
                && let Some(name) = ConnectionName::parse(&connection.channel_name)
            {
                assert_eq!(name.to_string(), connection.channel_name);
            }
            let (kind, written) = message.encode();
            assert_eq!(Message::decode(kind, &written), Ok(message));
        }
        Err(error) => assert!([1003, 4001].contains(&error.code().0)),
    }
    if let Ok(message) = Data::decode(kind, payload.clone()) {
        assert_eq!(message.encode(), (kind, payload));
    }
});
