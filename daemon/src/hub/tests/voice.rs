//! Who may speak into the desktop.

use std::sync::atomic::{AtomicBool, Ordering};

use super::*;

fn hub_where(microphone: MicrophoneRule) -> Arc<Hub> {
    let clipboard = ClipboardRules {
        to_desktop: true,
        from_desktop: true,
    };
    hub_by(clipboard, microphone).0
}

fn is_open(voice: &Arc<AtomicBool>) -> bool {
    voice.load(Ordering::Acquire)
}

/// What MEDIA_STATE says to a participant, if there is one to send.
fn told(seat: &Seat) -> Option<bool> {
    let told = seat.mailbox().take().media;
    told.then(|| seat.media().and_then(|media| media.mic).unwrap_or_default())
}

#[test]
fn the_driver_speaks_as_long_as_they_drive() {
    let hub = hub_where(MicrophoneRule::Driver);
    let (ann, bob) = (
        join(&hub, "ann", Role::Owner),
        join(&hub, "bob", Role::Operator),
    );
    assert_eq!(ann.speak().err(), Some(Denied::SpeaksDriver));
    ann.set_mode(Mode::Interact, false).unwrap();
    let voice = ann.speak().unwrap();
    assert!(is_open(&voice));
    assert!(Arc::ptr_eq(&voice, &ann.speak().unwrap()), "asked twice");
    assert_eq!(ann.media().unwrap().mic, Some(true));
    assert_eq!(bob.speak().err(), Some(Denied::SpeaksDriver));

    ann.mailbox().take();
    ann.set_mode(Mode::View, false).unwrap();
    assert!(!is_open(&voice), "at once, whoever still has it");
    assert_eq!(told(&ann), Some(false));
    assert_eq!(ann.speak().err(), Some(Denied::SpeaksDriver));

    ann.set_mode(Mode::Interact, false).unwrap();
    let voice = ann.speak().unwrap();
    ann.grant(&bob.id().to_string()).unwrap();
    assert!(!is_open(&voice), "the floor is another's");
    let voice = bob.speak().unwrap();
    ann.set_role(&bob.id().to_string(), Role::Viewer).unwrap();
    assert!(!is_open(&voice), "made a viewer");
}

#[test]
fn who_leaves_or_is_put_out_is_silent() {
    let hub = hub_where(MicrophoneRule::Operators);
    let (ann, bob) = (
        join(&hub, "ann", Role::Owner),
        join(&hub, "bob", Role::Operator),
    );
    let voice = bob.speak().unwrap();
    ann.kick(&bob.id().to_string()).unwrap();
    assert!(!is_open(&voice));
    assert!(bob.speak().is_err());
    let voice = ann.speak().unwrap();
    drop(ann);
    assert!(!is_open(&voice));
}

#[test]
fn among_operators_one_speaks_and_whoever_drives_comes_first() {
    let hub = hub_where(MicrophoneRule::Operators);
    let [ann, bob, eve] = [
        ("ann", Role::Operator),
        ("bob", Role::Operator),
        ("eve", Role::Viewer),
    ]
    .map(|(name, role)| join(&hub, name, role));
    assert_eq!(eve.speak().err(), Some(Denied::NotAllowed));
    let first = ann.speak().unwrap();
    ann.mailbox().take();
    let second = bob.speak().unwrap();
    assert!(!is_open(&first) && is_open(&second));
    assert_eq!(told(&ann), Some(false));

    ann.set_mode(Mode::Interact, false).unwrap();
    assert!(is_open(&second), "driving alone silences nobody");
    let driver = ann.speak().unwrap();
    assert!(!is_open(&second));
    assert_eq!(bob.speak().err(), Some(Denied::SpeaksOther));
    bob.be_silent();
    assert!(is_open(&driver), "nobody silences another");
    ann.be_silent();
    assert!(!is_open(&driver));
    assert!(bob.speak().is_ok());
}

#[test]
fn where_nobody_may_speak_nobody_does() {
    let hub = hub_where(MicrophoneRule::Nobody);
    let ann = join(&hub, "ann", Role::Owner);
    ann.set_mode(Mode::Interact, false).unwrap();
    assert_eq!(ann.speak().err(), Some(Denied::NoMicrophone));
}
