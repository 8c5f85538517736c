//! Copying out of programs and pasting into them.

use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::os::fd::AsFd as _;

use nix::fcntl::OFlag;
use nix::unistd::pipe2;
use vroom_desktop::{ClipboardData, DesktopEvent, Selection};
use wayland_client::protocol::wl_data_device_manager::WlDataDeviceManager;
use wayland_client::protocol::wl_keyboard;
use wayland_client::protocol::wl_seat::WlSeat;

use super::client::Told;
use super::fixture::Fixture;
use crate::inbox::Command;

/// A focused program with a data device, and the serial of its focus.
fn with_device() -> (Fixture, usize, u32) {
    let mut fixture = Fixture::new();
    let id = fixture.connect();
    let client = fixture.client(id);
    let seat: WlSeat = client.bind();
    seat.get_keyboard(&client.handle, ());
    fixture.window(id, (0, 0), 0xaa);
    let told = fixture.client(id).take_told();
    let serial = told.into_iter().find_map(|told| match told {
        Told::Keyboard(wl_keyboard::Event::Enter { serial, .. }) => Some(serial),
        _ => None,
    });
    (fixture, id, serial.unwrap())
}

fn copy(fixture: &mut Fixture, id: usize, serial: u32, types: &[&str], content: &str) {
    let client = fixture.client(id);
    client.memory.copied = content.into();
    let seat: WlSeat = client.bind();
    let manager: WlDataDeviceManager = client.bind();
    let device = manager.get_data_device(&seat, &client.handle, ());
    let source = manager.create_data_source(&client.handle, ());
    for name in types {
        source.offer((*name).into());
    }
    device.set_selection(Some(&source), serial);
}

fn selection(event: &DesktopEvent) -> Option<(Selection, ClipboardData)> {
    match event {
        DesktopEvent::Selection { selection, data } => Some((*selection, data.clone())),
        _ => None,
    }
}

#[test]
fn what_a_program_copies_is_told() {
    let (mut fixture, id, serial) = with_device();
    let types = ["text/html", "UTF8_STRING", "text/plain"];
    copy(&mut fixture, id, serial, &types, "Grüße");
    let told = fixture.event("the copied text", selection);
    assert_eq!(told, (Selection::Clipboard, ClipboardData::text("Grüße")));
}

#[test]
fn only_text_and_pictures_are_read() {
    let (mut fixture, id, serial) = with_device();
    copy(
        &mut fixture,
        id,
        serial,
        &["application/x-secret"],
        "secret",
    );
    fixture.roundtrip(id);
    fixture.settle();
    let told = fixture.forget_events();
    assert!(!told.iter().any(|event| selection(event).is_some()));
}

#[test]
fn what_is_offered_from_outside_can_be_pasted() {
    let (mut fixture, id, _) = with_device();
    let client = fixture.client(id);
    let seat: WlSeat = client.bind();
    let manager: WlDataDeviceManager = client.bind();
    manager.get_data_device(&seat, &client.handle, ());
    fixture.roundtrip(id);
    let text = "föö\n".repeat(100_000);
    fixture.post(Command::Selection {
        selection: Selection::Clipboard,
        formats: vec![ClipboardData::text(&text)],
    });
    fixture.roundtrip(id);
    let types = fixture.client(id).offer_types();
    for name in ["text/plain;charset=utf-8", "text/plain", "UTF8_STRING"] {
        assert!(types.iter().any(|have| have == name), "{name} in {types:?}");
    }
    let (ours, theirs) = pipe2(OFlag::O_CLOEXEC | OFlag::O_NONBLOCK).unwrap();
    let offer = fixture.client(id).memory.offer.clone().unwrap();
    offer.receive("text/plain;charset=utf-8".into(), theirs.as_fd());
    fixture.client(id).flush();
    drop(theirs);
    let (mut pipe, mut pasted) = (File::from(ours), Vec::new());
    fixture.until("the pasted text", |_| {
        let mut chunk = [0; 65_536];
        match pipe.read(&mut chunk) {
            Ok(0) => return pasted.len() == text.len(),
            Ok(count) => pasted.extend_from_slice(&chunk[..count]),
            Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
        }
        false
    });
    assert_eq!(pasted, text.as_bytes());
}

#[test]
fn empty_data_clears_the_selection() {
    let (mut fixture, id, _) = with_device();
    let client = fixture.client(id);
    let seat: WlSeat = client.bind();
    let manager: WlDataDeviceManager = client.bind();
    manager.get_data_device(&seat, &client.handle, ());
    fixture.roundtrip(id);
    for text in ["x", ""] {
        fixture.post(Command::Selection {
            selection: Selection::Clipboard,
            formats: vec![ClipboardData::text(text)],
        });
        fixture.roundtrip(id);
        let offered = fixture.client(id).memory.offer.is_some();
        assert_eq!(offered, !text.is_empty());
    }
}

#[test]
fn html_and_pictures_are_told_after_text() {
    let (mut fixture, id, serial) = with_device();
    let types = [
        "image/png",
        "text/html",
        "text/plain",
        "application/x-other",
    ];
    copy(&mut fixture, id, serial, &types, "same");
    let told = fixture.event("the text", selection);
    assert_eq!(told.1, ClipboardData::text("same"));
    for name in ["text/html", "image/png"] {
        let told = fixture.event(name, |event| match event {
            DesktopEvent::SelectionFormat { selection, data } => Some((*selection, data.clone())),
            _ => None,
        });
        assert_eq!(told.0, Selection::Clipboard);
        assert_eq!(
            (told.1.mime_type.as_str(), &told.1.bytes[..]),
            (name, &b"same"[..])
        );
    }
}

#[test]
fn several_formats_from_outside_can_be_pasted() {
    let (mut fixture, id, _) = with_device();
    let client = fixture.client(id);
    let seat: WlSeat = client.bind();
    let manager: WlDataDeviceManager = client.bind();
    manager.get_data_device(&seat, &client.handle, ());
    fixture.roundtrip(id);
    let html = ClipboardData {
        mime_type: "text/html".into(),
        bytes: std::sync::Arc::from(&b"<i>both</i>"[..]),
    };
    fixture.post(Command::Selection {
        selection: Selection::Clipboard,
        formats: vec![ClipboardData::text("both"), html],
    });
    fixture.roundtrip(id);
    for (name, content) in [("text/html", "<i>both</i>"), ("UTF8_STRING", "both")] {
        let (ours, theirs) = pipe2(OFlag::O_CLOEXEC | OFlag::O_NONBLOCK).unwrap();
        let offer = fixture.client(id).memory.offer.clone().unwrap();
        offer.receive(name.into(), theirs.as_fd());
        fixture.client(id).flush();
        drop(theirs);
        let (mut pipe, mut pasted) = (File::from(ours), Vec::new());
        fixture.until(name, |_| match pipe.read_to_end(&mut pasted) {
            Ok(_) => true,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::WouldBlock);
                false
            }
        });
        assert_eq!(String::from_utf8_lossy(&pasted), content);
    }
}
