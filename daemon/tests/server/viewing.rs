//! What a viewer sees, and that looking on changes nothing.

use std::time::Duration;

use bytes::Bytes;
use vroom_protocol::graphical::{
    ButtonInput, Chat, ChatRole, ClientMessage, Clipboard, ClipboardContent, ClipboardData,
    ClipboardRequest, Key, Media, Mode, Modifiers, NotificationKind, PatchMessage, PatchRect,
    PointerInput, ServerMessage, VideoMessage, Viewport,
};
use vroom_protocol::{ChannelId, ChannelSpec, Code};

use crate::client::{Client, WebClient, http};
use crate::daemon::Daemon;

const ALL: [&str; 10] = [
    "pointer",
    "keyboard",
    "touch",
    "text",
    "clipboard",
    "cursor",
    "cursor-image",
    "sharing",
    "media",
    "gamepad",
];

fn start() -> Daemon {
    Daemon::start(&["--desktop", "synthetic", "--size", "640x480"])
}

fn key() -> Key {
    Key {
        key: "a".into(),
        code: "KeyA".into(),
        modifiers: Modifiers::NONE,
    }
}

/// Waits for the next picture and acknowledges it.
async fn picture<R, T>(client: &mut Client<R, T>, video: ChannelId, count: u32) -> Bytes
where
    R: vroom_transport::LinkRx,
    T: vroom_transport::LinkTx,
{
    let (kind, payload) = client.message(video).await;
    let VideoMessage::Jpeg(jpeg) = VideoMessage::decode(kind, &payload).unwrap() else {
        panic!("no JPEG");
    };
    client.send(video, VideoMessage::Ack(count).encode()).await;
    jpeg
}

/// The pictures before any input, and after this many presses of a key by the driver.
async fn pictures(presses: u32) -> (Bytes, Bytes) {
    let daemon = start();
    let mut client = WebClient::login(&daemon).await;
    client.handshake(&ALL).await;
    let video = client.open("video").await.unwrap();
    let before = picture(&mut client, video, 1).await;
    client.set_mode(Mode::Interact).await;
    let button = client.open("button").await.unwrap();
    let mut after = before.clone();
    for press in 1..=presses {
        // Down and up each count once on the card.
        let message = if press % 2 == 1 {
            ButtonInput::KeyDown(key())
        } else {
            ButtonInput::KeyUp(key())
        };
        client.send(button, message.encode()).await;
        after = picture(&mut client, video, press + 1).await;
    }
    (before, after)
}

#[tokio::test]
async fn what_keeps_still_comes_exactly_once_and_a_small_change_at_once() {
    let daemon = start();
    let mut client = WebClient::login(&daemon).await;
    client
        .handshake(&["keyboard", "patches", "video-h264"])
        .await;
    client.open("video").await.unwrap();
    let patches = client.open("patches").await.unwrap();
    let area = |place: PatchRect| u32::from(place.width) * u32::from(place.height);
    let (kind, payload) = client.message(patches).await;
    let start = PatchMessage::decode(kind, &payload).unwrap();
    let (width, height) = (640, 480);
    assert_eq!(start, PatchMessage::Start { width, height });
    let mut missing = 640 * 480;
    while missing > 0 {
        let (kind, payload) = client.message(patches).await;
        let PatchMessage::Show { place, png } = PatchMessage::decode(kind, &payload).unwrap()
        else {
            panic!("nothing changed");
        };
        assert!(png.starts_with(b"\x89PNG\r\n\x1a\n"));
        missing -= area(place);
    }
    client.set_mode(Mode::Interact).await;
    let button = client.open("button").await.unwrap();
    client
        .send(button, ButtonInput::KeyDown(key()).encode())
        .await;
    let (kind, payload) = client.message(patches).await;
    let PatchMessage::Show { place, png } = PatchMessage::decode(kind, &payload).unwrap() else {
        panic!("it replaces what lay there, without a time in between");
    };
    assert!(png.starts_with(b"\x89PNG\r\n\x1a\n"));
    let changed = area(place);
    assert!(
        changed > 0 && changed < 640 * 480 / 2,
        "a part of it: {changed}"
    );
}

#[tokio::test]
async fn metrics_count_what_was_shown_also_to_those_who_left() {
    let daemon = start();
    let mut client = WebClient::login(&daemon).await;
    client.handshake(&ALL).await;
    let video = client.open("video").await.unwrap();
    picture(&mut client, video, 1).await;
    let bearer = format!("Bearer {}", daemon.token());
    let headers = [("Authorization", bearer.as_str())];
    let (_, _, during) = http(&daemon, "GET", "/metrics", &headers, "").await;
    let captured = "vroom_stage_seconds_count{stage=\"capture\"}";
    assert_eq!(metric(&during, "vroom_participants"), 1);
    assert!(metric(&during, "vroom_jpegs_total") >= 1, "{during}");
    assert!(metric(&during, captured) >= 1, "{during}");
    drop(client);
    let left = async {
        loop {
            let (_, _, after) = http(&daemon, "GET", "/metrics", &headers, "").await;
            if metric(&after, "vroom_participants") == 0 {
                return after;
            }
        }
    };
    let after = tokio::time::timeout(Duration::from_secs(30), left).await;
    let after = after.unwrap();
    for name in ["vroom_jpegs_total", captured] {
        assert!(metric(&after, name) >= metric(&during, name), "{after}");
    }
}

/// A number of the page of metrics.
fn metric(page: &str, name: &str) -> u64 {
    let line = page.lines().find_map(|line| line.strip_prefix(name));
    line.unwrap().trim().parse().unwrap()
}

#[tokio::test]
async fn in_view_even_a_forger_changes_nothing() {
    let (blank, once) = pictures(1).await;
    let (_, twice) = pictures(2).await;
    assert_ne!(blank, once, "a press can be seen");
    assert_ne!(once, twice, "and counted");

    let daemon = start();
    let mut client = WebClient::login(&daemon).await;
    client.handshake(&ALL).await;
    let video = client.open("video").await.unwrap();
    assert_eq!(picture(&mut client, video, 1).await, blank);
    let button = client.open("button").await.unwrap();
    let pointer = client.open("pointer").await.unwrap();
    for _ in 0..100 {
        client
            .send(button, ButtonInput::KeyDown(key()).encode())
            .await;
        client
            .send(button, ButtonInput::KeyUp(key()).encode())
            .await;
        client
            .send(button, ButtonInput::Text("x".into()).encode())
            .await;
        let click = ButtonInput::MouseDown {
            x: 9,
            y: 9,
            button: 0,
        };
        client.send(button, click.encode()).await;
        let touch = ButtonInput::TouchStart {
            id: 1,
            x: 9,
            y: 9,
            pressure: 0,
        };
        client.send(button, touch.encode()).await;
        client
            .send(pointer, PointerInput::Move { x: 300, y: 200 }.encode())
            .await;
        client
            .send(pointer, PointerInput::Scroll { dx: 0, dy: 120 }.encode())
            .await;
    }
    client
        .tell(&ClientMessage::Paste {
            text: "rm -rf".into(),
        })
        .await;
    assert_eq!(client.error().await, Code::NOT_ALLOWED);
    let set = Clipboard::Set(ClipboardData::text("evil"));
    client.tell(&ClientMessage::Clipboard(set)).await;
    // The first that counts is the one after interact began: the card shows one event in all.
    client.set_mode(Mode::Interact).await;
    client
        .send(button, ButtonInput::KeyDown(key()).encode())
        .await;
    assert_eq!(picture(&mut client, video, 2).await, once);
    client
        .tell(&ClientMessage::Clipboard(Clipboard::Get(
            ClipboardRequest::default(),
        )))
        .await;
    assert_eq!(pushed(&mut client).await, "");
}

#[tokio::test]
async fn leaving_interact_lets_go_of_what_is_held() {
    let (_, twice) = pictures(2).await;
    let daemon = start();
    let mut client = WebClient::login(&daemon).await;
    client.handshake(&ALL).await;
    let video = client.open("video").await.unwrap();
    picture(&mut client, video, 1).await;
    client.set_mode(Mode::Interact).await;
    let button = client.open("button").await.unwrap();
    client
        .send(button, ButtonInput::KeyDown(key()).encode())
        .await;
    picture(&mut client, video, 2).await;
    client.set_mode(Mode::View).await;
    assert_eq!(
        picture(&mut client, video, 3).await,
        twice,
        "the release was the second event"
    );
}

#[tokio::test]
async fn a_dropped_connection_lets_go_of_what_is_held() {
    let (_, twice) = pictures(2).await;
    let daemon = start();
    let mut watcher = WebClient::login(&daemon).await;
    watcher.handshake(&ALL).await;
    let video = watcher.open("video").await.unwrap();
    picture(&mut watcher, video, 1).await;
    let mut driver = WebClient::login(&daemon).await;
    driver.handshake(&ALL).await;
    driver.set_mode(Mode::Interact).await;
    let button = driver.open("button").await.unwrap();
    driver
        .send(button, ButtonInput::KeyDown(key()).encode())
        .await;
    picture(&mut watcher, video, 2).await;
    drop(driver);
    assert_eq!(picture(&mut watcher, video, 3).await, twice);
    watcher
        .share_state(|state| state.participants.len() == 1 && state.driver.is_none())
        .await;
}

#[tokio::test]
async fn input_of_a_kind_that_was_not_listed_is_dropped() {
    let (_, once) = pictures(1).await;
    let daemon = start();
    let mut client = WebClient::login(&daemon).await;
    client.handshake(&["keyboard"]).await;
    let video = client.open("video").await.unwrap();
    picture(&mut client, video, 1).await;
    client.set_mode(Mode::Interact).await;
    let button = client.open("button").await.unwrap();
    let pointer = client.open("pointer").await.unwrap();
    client
        .send(pointer, PointerInput::Move { x: 300, y: 200 }.encode())
        .await;
    let click = ButtonInput::MouseDown {
        x: 9,
        y: 9,
        button: 0,
    };
    client.send(button, click.encode()).await;
    client
        .send(button, ButtonInput::Text("x".into()).encode())
        .await;
    client
        .send(button, ButtonInput::KeyDown(key()).encode())
        .await;
    assert_eq!(picture(&mut client, video, 2).await, once);
}

#[tokio::test]
async fn a_client_that_never_acknowledges_gets_at_most_ten_pictures_per_second() {
    let daemon = start();
    let mut client = WebClient::login(&daemon).await;
    client.handshake(&ALL).await;
    client.set_mode(Mode::Interact).await;
    let button = client.open("button").await.unwrap();
    let video = client.open("video").await.unwrap();
    client.message(video).await;
    let started = std::time::Instant::now();
    for count in 1..=5_u32 {
        for _ in 0..4 {
            client
                .send(button, ButtonInput::KeyDown(key()).encode())
                .await;
            client
                .send(button, ButtonInput::KeyUp(key()).encode())
                .await;
        }
        client.message(video).await;
        let least = Duration::from_millis(100) * count - Duration::from_millis(10);
        assert!(
            started.elapsed() >= least,
            "picture {count} after {:?}",
            started.elapsed()
        );
    }
    client
        .send(video, (0x10, Bytes::from_static(&[1, 2, 3])))
        .await;
    assert_eq!(client.error().await, Code::INVALID_MESSAGE);
    client
        .send(video, (0x01, Bytes::from_static(&[0xff, 0xd8])))
        .await;
    assert_eq!(client.error().await, Code::UNSUPPORTED);
}

#[tokio::test]
async fn a_paused_video_goes_on_when_it_is_wanted_again() {
    let daemon = start();
    let mut client = WebClient::login(&daemon).await;
    client.handshake(&ALL).await;
    client.set_mode(Mode::Interact).await;
    let button = client.open("button").await.unwrap();
    let video = client.open("video").await.unwrap();
    picture(&mut client, video, 1).await;
    let pause = |video| {
        ClientMessage::Media(Media {
            video: Some(video),
            ..Media::default()
        })
    };
    client.tell(&pause(false)).await;
    // The answer to MODE comes after the pause took effect.
    client.set_mode(Mode::Interact).await;
    client
        .send(button, ButtonInput::KeyDown(key()).encode())
        .await;
    client.set_mode(Mode::Interact).await;
    client.tell(&pause(true)).await;
    picture(&mut client, video, 2).await;
}

#[tokio::test]
async fn the_handshake_is_followed_by_what_there_is_to_know() {
    let daemon = start();
    let mut client = WebClient::login(&daemon).await;
    let handshake = client.handshake(&ALL).await;
    assert!(
        handshake
            .capabilities
            .iter()
            .all(|capability| capability != "command")
    );
    assert_eq!(
        (handshake.viewport.width, handshake.viewport.height),
        (640, 480)
    );
    let state = client.state(|_| true).await;
    assert_eq!(
        (state.state.as_str(), state.mode),
        ("idle", Some(Mode::View))
    );
    assert_eq!(state.desktop.unwrap().kind, "synthetic");
    let share = client.share_state(|_| true).await;
    assert_eq!(share.participants.len(), 1);
    assert_eq!(share.participants[0].id, share.own_id);
    client
        .told("CURSOR", |message| match message {
            ServerMessage::Cursor(cursor) => {
                assert_eq!(cursor.kind, "default");
                Some(())
            }
            _ => None,
        })
        .await;
    client.handshake_again().await;
    assert_eq!(client.error().await, Code::WRONG_STATE);
}

impl<R: vroom_transport::LinkRx, T: vroom_transport::LinkTx> Client<R, T> {
    async fn handshake_again(&mut self) {
        let text = r#"{"version":"0.1.0","capabilities":[],"viewport":{"width":9,"height":9}}"#;
        self.send(
            ChannelId::CONTROL,
            (0x80, Bytes::from_static(text.as_bytes())),
        )
        .await;
    }
}

#[tokio::test]
async fn the_desktop_takes_the_size_of_the_drivers_window() {
    let daemon = start();
    let mut client = WebClient::login(&daemon).await;
    client.handshake(&ALL).await;
    // The card draws, and with it follows, only while somebody watches.
    client.open("video").await.unwrap();
    client
        .tell(&ClientMessage::Resize(Viewport::new(801, 601)))
        .await;
    let is = |width, height| {
        move |state: &vroom_protocol::graphical::State| {
            state
                .viewport
                .is_some_and(|it| (it.width, it.height) == (width, height))
        }
    };
    client.state(is(800, 600)).await;
    client
        .tell(&ClientMessage::Resize(Viewport::new(1, 100_000)))
        .await;
    client.state(is(320, 4320)).await;

    // With a second one who could drive, only the driver's window counts.
    let mut other = WebClient::login(&daemon).await;
    other.handshake(&ALL).await;
    client.set_mode(Mode::Interact).await;
    other
        .tell(&ClientMessage::Resize(Viewport::new(1024, 768)))
        .await;
    other.set_mode(Mode::View).await;
    client
        .tell(&ClientMessage::Resize(Viewport::new(700, 500)))
        .await;
    client.state(is(700, 500)).await;
    other.state(is(700, 500)).await;
}

async fn pushed<R, T>(client: &mut Client<R, T>) -> String
where
    R: vroom_transport::LinkRx,
    T: vroom_transport::LinkTx,
{
    client
        .told("CLIPBOARD push", |message| match message {
            ServerMessage::Clipboard(Clipboard::Push(data)) => match data.content {
                ClipboardContent::Text(text) => Some(text),
                ClipboardContent::Data(_) => None,
            },
            _ => None,
        })
        .await
}

#[tokio::test]
async fn what_the_driver_copies_can_be_asked_for_up_to_its_limit() {
    let daemon = start();
    let mut client = WebClient::login(&daemon).await;
    client.handshake(&ALL).await;
    client.set_mode(Mode::Interact).await;
    let get = ClientMessage::Clipboard(Clipboard::Get(ClipboardRequest::default()));
    client.tell(&get).await;
    assert_eq!(pushed(&mut client).await, "");
    for text in ["grüße\n".to_owned(), "x".repeat(1024 * 1024)] {
        let set = Clipboard::Set(ClipboardData::text(text.clone()));
        client.tell(&ClientMessage::Clipboard(set)).await;
        client.tell(&get).await;
        assert!(pushed(&mut client).await == text);
    }
    let set = Clipboard::Set(ClipboardData::text("x".repeat(1024 * 1024 + 1)));
    client.tell(&ClientMessage::Clipboard(set)).await;
    assert_eq!(client.error().await, Code::MESSAGE_TOO_LARGE);
}

#[tokio::test]
async fn what_nobody_here_can_do_is_answered_in_words() {
    let daemon = start();
    let mut client = WebClient::login(&daemon).await;
    client.handshake(&ALL).await;
    client.set_mode(Mode::Interact).await;
    let url = "https://example.org".to_owned();
    client
        .tell(&ClientMessage::Navigate {
            url,
            new_tab: false,
        })
        .await;
    client
        .told("NOTIFICATION", |message| match message {
            ServerMessage::Notification(notification) => {
                assert_eq!(notification.kind, NotificationKind::Error);
                assert!(
                    notification.text.contains("no browser"),
                    "{}",
                    notification.text
                );
                Some(())
            }
            _ => None,
        })
        .await;
}

#[tokio::test]
async fn chat_reaches_everybody_and_nobody_speaks_for_others() {
    let daemon = start();
    let mut one = WebClient::login(&daemon).await;
    let mut two = WebClient::login(&daemon).await;
    one.handshake(&ALL).await;
    two.handshake(&ALL).await;
    let own = one.share_state(|_| true).await.own_id;
    let chat = Chat {
        role: ChatRole::System,
        from: Some("p99".into()),
        ..Chat::said("hello")
    };
    one.tell(&ClientMessage::Chat(chat)).await;
    for client in [&mut one, &mut two] {
        client
            .told("CHAT", |message| match message {
                ServerMessage::Chat(chat) => {
                    assert_eq!((chat.role, chat.text.as_str()), (ChatRole::User, "hello"));
                    assert_eq!(chat.from.as_deref(), Some(own.as_str()));
                    Some(())
                }
                _ => None,
            })
            .await;
    }
}

#[tokio::test]
async fn channels_may_be_listed_in_hello() {
    let daemon = start();
    let mut client = WebClient::connect_listing(
        &daemon,
        vec![
            ChannelSpec::reliable("video"),
            ChannelSpec::lossy("pointer"),
            ChannelSpec::reliable("nonsense"),
            ChannelSpec::reliable("vroom.terminal.pty"),
        ],
    )
    .await;
    let welcome = client.welcome().await;
    let names: Vec<_> = welcome
        .channels
        .iter()
        .map(|channel| channel.name.as_str())
        .collect();
    assert_eq!(names, ["control", "video", "pointer"]);
    let video = client.connection.channel_id("video").unwrap();
    client.handshake(&[]).await;
    picture(&mut client, video, 1).await;
}

#[tokio::test]
async fn without_a_desktop_there_is_nothing_to_view() {
    let daemon = Daemon::start(&["--desktop", "none"]);
    let mut client = WebClient::login(&daemon).await;
    client.handshake_again().await;
    assert_eq!(client.error().await, Code::UNSUPPORTED);
}
