use super::*;

use proptest::prelude::*;

fn hex(text: &str) -> Vec<u8> {
    text.split_whitespace()
        .map(|byte| u8::from_str_radix(byte, 16).unwrap())
        .collect()
}

fn read(text: &str) -> Result<Vec<(Key, Value)>, DecodeError> {
    decode(&hex(text), &Limits::AUTHENTICATED)
}

/// The value of the only member, whose name is "a".
fn member(value: &str) -> Value {
    let mut entries = read(&format!("A1 61 61 {value}")).unwrap();
    assert_eq!(entries.len(), 1);
    entries.remove(0).1
}

fn is_refused(text: &str) -> bool {
    matches!(read(text), Err(DecodeError::Syntax(_)))
}

fn named(name: &str, value: Value) -> (Key, Value) {
    (Key::Text(name.to_owned()), value)
}

fn written(value: Value) -> Vec<u8> {
    encode(vec![named("a", value)], Encoding::Cbor)[3..].to_vec()
}

#[test]
fn every_valid_form_of_a_number_is_taken() {
    for form in [
        "05",
        "18 05",
        "19 00 05",
        "1A 00 00 00 05",
        "1B 00 00 00 00 00 00 00 05",
    ] {
        assert_eq!(member(form), Value::Int(5), "{form}");
    }
    assert_eq!(member("38 63"), Value::Int(-100));
    assert_eq!(member("3B FF FF FF FF FF FF FF FF"), Value::Int(-(1 << 64)));
    for form in ["F9 3E 00", "FA 3F C0 00 00", "FB 3F F8 00 00 00 00 00 00"] {
        assert_eq!(member(form), Value::Float(1.5), "{form}");
    }
}

#[test]
fn every_valid_form_of_text_and_bytes_is_taken() {
    for form in [
        "63 61 62 63",
        "78 03 61 62 63",
        "7F 61 61 62 62 63 FF",
        "7F 60 63 61 62 63 FF",
    ] {
        assert_eq!(member(form), Value::Text("abc".into()), "{form}");
    }
    for form in ["42 01 02", "59 00 02 01 02", "5F 41 01 41 02 FF"] {
        assert_eq!(
            member(form),
            Value::Bytes(Bytes::from_static(&[1, 2])),
            "{form}"
        );
    }
    assert_eq!(member("7F FF"), Value::Text(String::new()));
}

#[test]
fn indefinite_containers_are_taken() {
    let definite = read("A1 61 61 82 01 A1 61 62 02").unwrap();
    let indefinite = read("BF 61 61 9F 01 BF 61 62 02 FF FF FF").unwrap();
    assert_eq!(definite, indefinite);
}

#[test]
fn keys_come_in_any_order_and_are_written_in_one() {
    let backwards = read("A2 62 61 61 01 61 62 02").unwrap();
    let forwards = read("A2 61 62 02 62 61 61 01").unwrap();
    assert_eq!(
        encode(backwards, Encoding::Cbor),
        encode(forwards, Encoding::Cbor)
    );
}

#[test]
fn duplicate_keys_are_refused() {
    assert!(is_refused("A2 61 61 01 61 61 02"));
    // The same key in another form.
    assert!(is_refused("A2 61 61 01 78 01 61 02"));
    assert!(is_refused("A1 61 61 A2 01 01 18 01 02"));
    let json = br#"{"a":1,"\u0061":2}"#;
    assert!(decode(json, &Limits::AUTHENTICATED).is_err());
}

#[test]
fn trailing_bytes_are_refused() {
    assert!(is_refused("A0 00"));
    assert!(is_refused("A1 61 61 01 A0"));
    assert!(decode(b"{} {}", &Limits::AUTHENTICATED).is_err());
}

#[test]
fn what_is_not_well_formed_is_refused() {
    for value in [
        "1C",                // reserved additional information
        "F8 14",             // true in two bytes
        "FF",                // a break alone
        "7F 41 61 FF",       // a byte string chunk in text
        "7F 7F 61 61 FF FF", // nested indefinite text
        "61 FF",             // not UTF-8
        "7F 61 C3 61 A9 FF", // a character cut by a chunk
        "1F",                // an indefinite integer
        "5F 41 01",          // no end
        "DF",                // an indefinite tag
    ] {
        assert!(is_refused(&format!("A1 61 61 {value}")), "{value}");
    }
    assert!(is_refused("BF 61 61 FF"), "a key without a value");
    assert!(is_refused("A1 F9 7E 00 01"), "a float as a key");
}

#[test]
fn tags_and_unassigned_values_are_valid_and_mean_nothing() {
    for form in ["C2 42 01 00", "C1 1A 65 CC 7C 60", "E0", "F8 FF"] {
        assert_eq!(member(form), Value::Other, "{form}");
    }
    assert_eq!(
        i128::from_value(Value::Other),
        None,
        "a bignum is no integer here"
    );
    assert_eq!(member("F7"), Value::Null);
}

#[test]
fn only_maps_and_objects_are_messages() {
    for bytes in [
        &b""[..],
        b" {}",
        b"[]",
        b"a",
        &[0x80],
        &[0xC1, 0xA0],
        &[0xC0],
        &[0xFF],
    ] {
        let error = decode(bytes, &Limits::AUTHENTICATED);
        assert_eq!(error, Err(DecodeError::NotAMap), "{bytes:02X?}");
    }
}

#[test]
fn sixteen_levels_are_taken_and_no_more() {
    let nested = |levels: usize| {
        let mut cbor = b"\xA1\x61a".repeat(levels - 1);
        cbor.push(0xA0);
        let json = [
            r#"{"a":"#.repeat(levels - 1),
            "{}".into(),
            "}".repeat(levels - 1),
        ]
        .concat();
        [cbor, json.into_bytes()]
    };
    for message in nested(16) {
        assert!(decode(&message, &Limits::UNAUTHENTICATED).is_ok());
    }
    for levels in [17, 100_000] {
        for message in nested(levels) {
            assert!(decode(&message, &Limits::AUTHENTICATED).is_err());
        }
    }
    let tags = [&b"\xA1\x61a"[..], &[0xC1; 100_000], &[0]].concat();
    assert!(decode(&tags, &Limits::AUTHENTICATED).is_err());
}

#[test]
fn a_stranger_has_256_items_and_no_more() {
    // The map, its key and the array are items too.
    let array = |length: u8| {
        let mut cbor = vec![0xA1, 0x61, 0x61, 0x98, length];
        cbor.resize(5 + usize::from(length), 0);
        let json = format!(r#"{{"a":[{}]}}"#, vec!["0"; length.into()].join(","));
        [cbor, json.into_bytes()]
    };
    for message in array(253) {
        assert!(decode(&message, &Limits::UNAUTHENTICATED).is_ok());
    }
    for message in array(254) {
        assert!(decode(&message, &Limits::UNAUTHENTICATED).is_err());
        assert!(decode(&message, &Limits::AUTHENTICATED).is_ok());
    }
}

#[test]
fn a_lying_length_allocates_nothing() {
    for value in [
        "9B 00 FF FF FF FF FF FF FF",
        "BB 00 FF FF FF FF FF FF FF",
        "5B 00 FF FF FF FF FF FF FF",
        "7B FF FF FF FF FF FF FF FF",
        "7F 7B 00 FF FF FF FF FF FF FF",
    ] {
        assert!(is_refused(&format!("A1 61 61 {value}")), "{value}");
    }
    assert!(is_refused("BB 00 FF FF FF FF FF FF FF"));
}

#[test]
fn numbers_are_taken_as_integers_and_floats_alike() {
    assert_eq!(u32::from_value(Value::Float(3.0)), Some(3));
    assert_eq!(f64::from_value(Value::Int(3)), Some(3.0));
    assert_eq!(u8::from_value(Value::Int(256)), None);
    assert_eq!(u32::from_value(Value::Int(-1)), None);
    for not_whole in [0.5, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 2e19] {
        assert_eq!(u64::from_value(Value::Float(not_whole)), None);
    }
    for not_finite in [f64::NAN, f64::INFINITY] {
        assert_eq!(f64::from_value(Value::Float(not_finite)), None);
    }
}

#[test]
fn numbers_are_written_in_their_shortest_form() {
    assert_eq!(written(Value::Int(23)), hex("17"));
    assert_eq!(written(Value::Int(24)), hex("18 18"));
    assert_eq!(written(Value::Int(-1)), hex("20"));
    assert_eq!(
        written(Value::Int(1 << 32)),
        hex("1B 00 00 00 01 00 00 00 00")
    );
    assert_eq!(written(Value::Float(1.0)), hex("F9 3C 00"));
    assert_eq!(written(Value::Float(65504.0)), hex("F9 7B FF"));
    assert_eq!(written(Value::Float(100_000.0)), hex("FA 47 C3 50 00"));
    assert_eq!(
        written(Value::Float(1.1)),
        hex("FB 3F F1 99 99 99 99 99 9A")
    );
    assert_eq!(written(number(3.0)), hex("03"));
    assert_eq!(written(number(2.5)), hex("F9 41 00"));
}

#[test]
fn bytes_are_base64_in_json() {
    let bytes = Bytes::from_static(&[0, 255, 254]);
    let fields = Fields::new().with("a", &bytes);
    let json = fields.encode(Encoding::Json);
    assert_eq!(&json[..], br#"{"a":"AP/+"}"#);
    let mut members = Members::decode(&json, &Limits::AUTHENTICATED).unwrap();
    assert_eq!(members.required::<Bytes>("a"), Ok(bytes));
}

#[test]
fn what_is_not_finite_is_left_out() {
    let fields = Fields::new()
        .with("a", f64::NAN)
        .with("b", number(f64::INFINITY));
    assert_eq!(&fields.encode(Encoding::Json)[..], b"{}");
}

#[test]
fn the_first_known_encoding_of_the_list_is_chosen() {
    let choose = |names: &[&str]| {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        Encoding::choose(Some(&names))
    };
    assert_eq!(choose(&["cbor", "json"]), Some(Encoding::Cbor));
    assert_eq!(choose(&["json", "cbor"]), Some(Encoding::Json));
    assert_eq!(choose(&["msgpack", "cbor"]), Some(Encoding::Cbor));
    assert_eq!(choose(&["msgpack"]), None);
    assert_eq!(choose(&[]), None);
    assert_eq!(Encoding::choose(None), Some(Encoding::Json));
}

#[test]
fn debug_output_of_values_does_not_show_them() {
    let secret = "hunter2";
    let value = Value::Map(vec![named("password", secret.into())]);
    let shown = format!("{value:?} {:?}", Value::from(secret));
    assert!(!shown.contains(secret));
}

/// Values that survive CBOR: distinct keys, nothing that is read as something else.
fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        (-(1_i128 << 64)..(1_i128 << 64)).prop_map(Value::Int),
        any::<f64>().prop_filter_map("finite", |float| float
            .is_finite()
            .then_some(Value::Float(float))),
        ".{0,40}".prop_map(Value::Text),
        prop::collection::vec(any::<u8>(), 0..40).prop_map(|bytes| Value::Bytes(bytes.into())),
    ];
    leaf.prop_recursive(4, 64, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::Array),
            any_entries(inner).prop_map(Value::Map),
        ]
    })
}

fn any_entries(value: impl Strategy<Value = Value>) -> impl Strategy<Value = Vec<(Key, Value)>> {
    let key = prop_oneof![
        ".{0,8}".prop_map(Key::Text),
        (-300_i128..300).prop_map(Key::Int)
    ];
    prop::collection::btree_map(key, value, 0..8).prop_map(|map| map.into_iter().collect())
}

/// The same value with its maps in the order of their keys.
fn sorted(value: Value) -> Value {
    match value {
        Value::Array(items) => Value::Array(items.into_iter().map(sorted).collect()),
        Value::Map(entries) => {
            let mut entries: Vec<_> = entries
                .into_iter()
                .map(|(key, value)| (key, sorted(value)))
                .collect();
            entries.sort_by(|left, right| left.0.cmp(&right.0));
            Value::Map(entries)
        }
        other => other,
    }
}

/// What an independent decoder found.
fn foreign(value: ciborium::Value) -> Value {
    use ciborium::Value as Foreign;
    let key = |key| match key {
        Foreign::Text(text) => Key::Text(text),
        Foreign::Integer(int) => Key::Int(int.into()),
        other => panic!("{other:?} is no key"),
    };
    match value {
        Foreign::Null => Value::Null,
        Foreign::Bool(flag) => Value::Bool(flag),
        Foreign::Integer(int) => Value::Int(int.into()),
        Foreign::Float(float) => Value::Float(float),
        Foreign::Text(text) => Value::Text(text),
        Foreign::Bytes(bytes) => Value::Bytes(bytes.into()),
        Foreign::Array(items) => Value::Array(items.into_iter().map(foreign).collect()),
        Foreign::Map(entries) => Value::Map(
            entries
                .into_iter()
                .map(|(name, value)| (key(name), foreign(value)))
                .collect(),
        ),
        other => panic!("{other:?} was not written"),
    }
}

proptest! {
    #[test]
    fn every_message_survives_cbor(entries in any_entries(any_value())) {
        let bytes = encode(entries.clone(), Encoding::Cbor);
        let read = decode(&bytes, &Limits::AUTHENTICATED).unwrap();
        prop_assert_eq!(encode(read.clone(), Encoding::Cbor), bytes);
        prop_assert_eq!(sorted(Value::Map(read)), sorted(Value::Map(entries)));
    }

    #[test]
    fn an_independent_decoder_reads_what_we_write(entries in any_entries(any_value())) {
        let bytes = encode(entries.clone(), Encoding::Cbor);
        let read: ciborium::Value = ciborium::from_reader(&bytes[..]).unwrap();
        prop_assert_eq!(sorted(foreign(read)), sorted(Value::Map(entries)));
    }

    #[test]
    fn no_truncation_of_cbor_is_a_message(entries in any_entries(any_value())) {
        let bytes = encode(entries, Encoding::Cbor);
        for length in 0..bytes.len() {
            prop_assert!(decode(&bytes[..length], &Limits::AUTHENTICATED).is_err());
        }
    }

    #[test]
    fn no_bytes_make_a_decoder_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        for first in [b'{', 0xA3, 0xBF] {
            let mut message = vec![first];
            message.extend_from_slice(&bytes);
            if let Ok(entries) = decode(&message, &Limits::AUTHENTICATED) {
                encode(entries, Encoding::Cbor);
            }
        }
    }
}
