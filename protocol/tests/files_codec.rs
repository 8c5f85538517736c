//! The messages of file transfer: their form, both ways and truncated everywhere.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

mod codec_support;

use bytes::Bytes;
use codec_support::{hex, json};
use proptest::prelude::*;
use vroom_protocol::Code;
use vroom_protocol::files::{
    Entry, EntryKind, FileCode, FileError, LIST_ENTRIES_MAX, Open, OpenFlags, OpenMode,
    Permissions, ReadBuffer, Request, Response,
};
use vroom_protocol::mux::frame::Frame;

#[track_caller]
fn frame(text: &str) -> Frame {
    Frame::decode(&hex(text).into(), usize::MAX).unwrap()
}

#[track_caller]
fn request(kind: u8, text: &str, request: Request) {
    let payload = Bytes::from(json(text));
    assert_eq!(Request::decode(kind, &payload), Ok(request.clone()));
    assert_eq!(request.encode(), (kind, payload));
}

#[track_caller]
fn response(kind: u8, text: &str, response: Response) {
    let payload = Bytes::from(json(text));
    assert_eq!(Response::decode(kind, &payload), Ok(response.clone()));
    assert_eq!(response.encode(), (kind, payload));
}

// Vectors X1 to X3.
#[test]
fn the_binary_messages_have_the_published_form() {
    let read = frame("05 03 00 00 00 10 00 00 00 01 00 00 00 00 00 01 00 00 00 00 FD E8");
    let asked = Request::Read {
        handle: 1,
        offset: 65536,
        length: 65000,
    };
    assert_eq!(Request::decode(read.kind, &read.payload), Ok(asked.clone()));
    assert_eq!(asked.encode(), (read.kind, read.payload));

    let write = frame("05 05 00 00 00 0F 00 00 00 01 00 00 00 00 00 00 00 00 61 62 63");
    let asked = Request::Write {
        handle: 1,
        offset: 0,
        data: "abc".into(),
    };
    assert_eq!(
        Request::decode(write.kind, &write.payload),
        Ok(asked.clone())
    );
    assert_eq!(asked.encode(), (write.kind, write.payload));

    let end = frame("05 04 00 00 00 04 00 00 00 01");
    let told = Response::Data {
        handle: 1,
        data: Bytes::new(),
    };
    assert_eq!(Response::decode(end.kind, &end.payload), Ok(told.clone()));
    assert_eq!(told.encode(), (end.kind, end.payload));
}

#[test]
fn requests_have_the_published_form() {
    request(
        0x01,
        r#"{"path":"a/b","mode":"read"}"#,
        Request::Open(Open::read_only("a/b")),
    );
    request(
        0x01,
        r#"{"path":"a","mode":"write","flags":["create","truncate"],"permissions":755,"handle":9}"#,
        Request::Open(Open {
            permissions: Some(Permissions::from_mode(0o755)),
            handle: Some(9),
            ..Open::write_anew("a")
        }),
    );
    request(
        0x07,
        r#"{"handle":7}"#,
        Request::Close {
            handle: 7,
            modified: None,
        },
    );
    request(
        0x07,
        r#"{"handle":7,"modified":-1}"#,
        Request::Close {
            handle: 7,
            modified: Some(-1),
        },
    );
    let path = || "d".to_owned();
    request(0x09, r#"{"path":"d"}"#, Request::List { path: path() });
    request(
        0x0B,
        r#"{"path":"d"}"#,
        Request::Stat {
            path: path(),
            follow: true,
        },
    );
    request(
        0x0B,
        r#"{"path":"d","follow":false}"#,
        Request::Stat {
            path: path(),
            follow: false,
        },
    );
    request(
        0x0D,
        r#"{"path":"d","parents":true}"#,
        Request::Mkdir {
            path: path(),
            parents: true,
            permissions: None,
        },
    );
    request(
        0x0E,
        r#"{"path":"d","recursive":false}"#,
        Request::Remove {
            path: path(),
            recursive: false,
        },
    );
    request(
        0x0F,
        r#"{"from":"d","to":"e","overwrite":true}"#,
        Request::Rename {
            from: path(),
            to: "e".to_owned(),
            overwrite: true,
        },
    );
}

#[test]
fn responses_have_the_published_form() {
    let entry = || Entry {
        name: "a".to_owned(),
        kind: EntryKind::Directory,
        size: 4096,
        modified: 1_700_000_000,
        permissions: Permissions::from_mode(0o644),
    };
    response(
        0x02,
        r#"{"handle":7,"size":12}"#,
        Response::Opened {
            handle: 7,
            size: Some(12),
        },
    );
    response(
        0x02,
        r#"{"handle":7,"size":-1}"#,
        Response::Opened {
            handle: 7,
            size: None,
        },
    );
    response(
        0x06,
        r#"{"handle":7,"bytesWritten":3}"#,
        Response::Written {
            handle: 7,
            bytes_written: 3,
        },
    );
    response(0x08, r#"{"handle":7}"#, Response::Closed { handle: 7 });
    response(
        0x0A,
        r#"{"entries":[{"name":"a","type":"dir","size":4096,"modified":1700000000,"permissions":644}],"more":true}"#,
        Response::Listed {
            entries: vec![entry()],
            more: true,
        },
    );
    response(
        0x0C,
        r#"{"name":"a","type":"dir","size":4096,"modified":1700000000,"permissions":644,"path":"x/a"}"#,
        Response::Stat {
            path: "x/a".to_owned(),
            entry: entry(),
        },
    );
    response(
        0x10,
        r#"{"handle":7,"code":6006,"reason":"no such handle","op":3,"path":"a"}"#,
        Response::Error(FileError {
            code: FileCode::INVALID_HANDLE,
            reason: "no such handle".to_owned(),
            handle: Some(7),
            op: Some(3),
            path: Some("a".to_owned()),
        }),
    );
    response(
        0x11,
        r#"{"op":13,"path":"d"}"#,
        Response::Done {
            op: 0x0D,
            path: "d".to_owned(),
        },
    );
}

#[test]
fn permissions_are_octal_digits_read_as_decimal() {
    let written = |mode| {
        let open = Request::Open(Open {
            permissions: Some(Permissions::from_mode(mode)),
            ..Open::write_anew("a")
        });
        String::from_utf8(open.encode().1.to_vec()).unwrap()
    };
    assert!(written(0o644).contains(r#""permissions":644"#));
    assert!(written(0o4755).contains(r#""permissions":4755"#));
    assert!(
        written(0o100_600).contains(r#""permissions":600"#),
        "the type is left out"
    );
    for digits in ["8", "649", "10000", "-1", "\"644\""] {
        let text = format!(r#"{{"path":"a","mode":"write","permissions":{digits}}}"#);
        assert!(
            Request::decode(0x01, &json(&text).into()).is_err(),
            "{digits}"
        );
    }
}

#[test]
fn what_is_missing_or_wrong_is_invalid() {
    for (kind, text) in [
        (0x01, r#"{"path":"a"}"#),
        (0x01, r#"{"mode":"read"}"#),
        (0x01, r#"{"path":"a","mode":"both"}"#),
        (0x01, r#"{"path":"a","mode":"write","flags":["shred"]}"#),
        (0x01, r#"{"path":"a","mode":"read","handle":4294967296}"#),
        (0x07, "{}"),
        (0x09, r#"{"path":1}"#),
        (0x0F, r#"{"from":"a"}"#),
        (0x03, "123456789012345"),
        (0x03, "12345678901234567"),
        (0x05, "12345678901"),
    ] {
        let error = Request::decode(kind, &json(text).into()).unwrap_err();
        assert_eq!(error.code(), Code::INVALID_MESSAGE, "{text}");
    }
    // These messages are JSON, whatever else is spoken.
    let cbor = hex("A1 64 70 61 74 68 61 61");
    assert!(Request::decode(0x09, &cbor.into()).is_err());
    for kind in [0x00, 0x02, 0x10, 0x12, 0xFF] {
        let error = Request::decode(kind, &Bytes::from("{}")).unwrap_err();
        assert_eq!(error.code(), Code::UNSUPPORTED);
    }
    for kind in [0x01, 0x03, 0x05, 0x0D] {
        let error = Response::decode(kind, &Bytes::from("{}")).unwrap_err();
        assert_eq!(error.code(), Code::UNSUPPORTED);
    }
}

#[test]
fn a_full_list_can_be_read() {
    let entry = |at: usize| Entry {
        name: format!("file{at}"),
        kind: EntryKind::File,
        size: 1,
        modified: 1,
        permissions: Permissions::from_mode(0o600),
    };
    let list = Response::Listed {
        entries: (0..LIST_ENTRIES_MAX).map(entry).collect(),
        more: true,
    };
    let (kind, payload) = list.encode();
    assert_eq!(Response::decode(kind, &payload), Ok(list));
}

#[test]
fn a_file_is_read_straight_into_its_message() {
    let mut buffer = ReadBuffer::new(7, 5);
    buffer.space().copy_from_slice(b"hello");
    let data = Bytes::from("hel");
    let expected = Response::Data { handle: 7, data };
    assert_eq!(buffer.finish(3), expected.encode());
}

#[test]
fn debug_output_shows_no_path_and_no_content() {
    let shown = format!(
        "{:?} {:?} {:?} {:?}",
        Request::Open(Open::read_only("hunter2")),
        Request::Write {
            handle: 1,
            offset: 0,
            data: "hunter2".into()
        },
        Response::Data {
            handle: 1,
            data: "hunter2".into()
        },
        Response::Done {
            op: 1,
            path: "hunter2".to_owned()
        },
    );
    assert!(!shown.contains("hunter2"), "{shown}");
}

fn path() -> impl Strategy<Value = String> {
    ".{0,24}"
}

fn data() -> impl Strategy<Value = Bytes> {
    prop::collection::vec(any::<u8>(), 0..48).prop_map(Bytes::from)
}

fn permissions() -> impl Strategy<Value = Permissions> {
    (0..=0o7777_u32).prop_map(Permissions::from_mode)
}

fn any_request() -> impl Strategy<Value = Request> {
    let modes = vec![OpenMode::Read, OpenMode::Write];
    let open = (
        path(),
        prop::sample::select(modes),
        any::<[bool; 4]>(),
        prop::option::of(permissions()),
        any::<Option<u32>>(),
    )
        .prop_map(
            |(path, mode, [create, truncate, append, exclusive], permissions, handle)| Open {
                path,
                mode,
                flags: OpenFlags {
                    create,
                    truncate,
                    append,
                    exclusive,
                },
                permissions,
                handle,
            },
        );
    prop_oneof![
        open.prop_map(Request::Open),
        (any::<u32>(), any::<u64>(), any::<u32>()).prop_map(|(handle, offset, length)| {
            Request::Read {
                handle,
                offset,
                length,
            }
        }),
        (any::<u32>(), any::<u64>(), data()).prop_map(|(handle, offset, data)| Request::Write {
            handle,
            offset,
            data
        }),
        (any::<u32>(), any::<Option<i64>>())
            .prop_map(|(handle, modified)| Request::Close { handle, modified }),
        path().prop_map(|path| Request::List { path }),
        (path(), any::<bool>()).prop_map(|(path, follow)| Request::Stat { path, follow }),
        (path(), any::<bool>(), prop::option::of(permissions())).prop_map(
            |(path, parents, permissions)| Request::Mkdir {
                path,
                parents,
                permissions
            }
        ),
        (path(), any::<bool>()).prop_map(|(path, recursive)| Request::Remove { path, recursive }),
        (path(), path(), any::<bool>()).prop_map(|(from, to, overwrite)| Request::Rename {
            from,
            to,
            overwrite
        }),
    ]
}

fn entry() -> impl Strategy<Value = Entry> {
    let kinds = vec![
        EntryKind::File,
        EntryKind::Directory,
        EntryKind::Symlink,
        EntryKind::Other,
    ];
    (
        path(),
        prop::sample::select(kinds),
        any::<u64>(),
        any::<i64>(),
        permissions(),
    )
        .prop_map(|(name, kind, size, modified, permissions)| Entry {
            name,
            kind,
            size,
            modified,
            permissions,
        })
}

fn any_response() -> impl Strategy<Value = Response> {
    prop_oneof![
        (any::<u32>(), prop::option::of(0..=i64::MAX.cast_unsigned()))
            .prop_map(|(handle, size)| Response::Opened { handle, size }),
        (any::<u32>(), data()).prop_map(|(handle, data)| Response::Data { handle, data }),
        (any::<u32>(), any::<u32>()).prop_map(|(handle, bytes_written)| Response::Written {
            handle,
            bytes_written
        }),
        any::<u32>().prop_map(|handle| Response::Closed { handle }),
        (prop::collection::vec(entry(), 0..4), any::<bool>())
            .prop_map(|(entries, more)| Response::Listed { entries, more }),
        (path(), entry()).prop_map(|(path, entry)| Response::Stat { path, entry }),
        (
            any::<u16>(),
            path(),
            any::<Option<u32>>(),
            any::<Option<u8>>(),
            prop::option::of(path())
        )
            .prop_map(
                |(code, reason, handle, op, path)| Response::Error(FileError {
                    code: FileCode(code),
                    reason,
                    handle,
                    op,
                    path
                })
            ),
        (any::<u8>(), path()).prop_map(|(op, path)| Response::Done { op, path }),
    ]
}

proptest! {
    #[test]
    fn every_message_survives(request in any_request(), response in any_response()) {
        let (kind, payload) = request.encode();
        prop_assert_eq!(Request::decode(kind, &payload), Ok(request));
        let (kind, payload) = response.encode();
        prop_assert_eq!(Response::decode(kind, &payload), Ok(response));
    }

    #[test]
    fn no_truncation_is_a_message_but_of_data(request in any_request(), response in any_response()) {
        let (kind, payload) = request.encode();
        for length in 0..payload.len() {
            let shorter = Request::decode(kind, &payload.slice(..length));
            prop_assert!(shorter.is_err() || (kind == 0x05 && length >= 12));
        }
        let (kind, payload) = response.encode();
        for length in 0..payload.len() {
            let shorter = Response::decode(kind, &payload.slice(..length));
            prop_assert!(shorter.is_err() || (kind == 0x04 && length >= 4));
        }
    }
}
