//! Any bytes are a control message or an error with a code, and a message has one written form.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vroom_protocol::graphical::{ClientMessage, Encoding, Negotiation, ServerMessage, Viewport};

fuzz_target!(|data: &[u8]| {
    let Some((&kind, payload)) = data.split_first() else {
        return;
    };
    match ClientMessage::decode(kind, payload) {
        Ok(message) => survives(&message),
        Err(error) => assert!([1003, 4001, 4005].contains(&error.code().0)),
    }
    match ServerMessage::decode(kind, payload) {
        Ok(message) => answers(&message),
        Err(error) => assert!([1003, 4001, 4005].contains(&error.code().0)),
    }
    negotiate(kind, payload);
});

/// CBOR, unlike JSON, keeps every float: what was read is what is written and read again.
fn survives(message: &ClientMessage) {
    let (kind, cbor) = message.encode(Encoding::Cbor);
    let again = ClientMessage::decode(kind, &cbor).expect("our own CBOR is valid");
    assert!(matches!(message, ClientMessage::Handshake(_)) || again == *message);
    assert_eq!(again.encode(Encoding::Cbor), (kind, cbor));
    let (kind, json) = message.encode(Encoding::Json);
    ClientMessage::decode(kind, &json).expect("our own JSON is valid");
    let _ = format!("{message:?}");
}

fn answers(message: &ServerMessage) {
    let (kind, cbor) = message.encode(Encoding::Cbor);
    let again = ServerMessage::decode(kind, &cbor).expect("our own CBOR is valid");
    assert!(matches!(message, ServerMessage::Handshake(_)) || again == *message);
    assert_eq!(again.encode(Encoding::Cbor), (kind, cbor));
    let (kind, json) = message.encode(Encoding::Json);
    ServerMessage::decode(kind, &json).expect("our own JSON is valid");
}

fn negotiate(kind: u8, payload: &[u8]) {
    let mut negotiation = Negotiation::new(["pointer"]);
    if let Ok(ClientMessage::Handshake(client)) = negotiation.receive(kind, payload) {
        let (width, height) = client.viewport.output_size();
        assert!(width % 2 == 0 && height % 2 == 0);
        let accepted = negotiation.accept(&client, Viewport::new(width, height), None);
        assert_eq!(accepted.is_ok(), negotiation.is_complete());
    }
}
