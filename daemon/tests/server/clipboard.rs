//! The channel `clipboard`: what it takes, what it refuses, and how that is told.

use bytes::Bytes;
use vroom_protocol::graphical::{
    CLIP_BYTES_MAX, CLIP_PIECE_BYTES, ClientMessage, ClipFormat, ClipNews, ClipRequest, Clipboard,
    ClipboardContent, ClipboardRequest, Mode, Selection, ServerMessage,
};
use vroom_protocol::{ChannelId, Code};

use crate::client::WebClient;
use crate::daemon::Daemon;

const CAPABILITIES: [&str; 5] = [
    "sharing",
    "keyboard",
    "clipboard",
    "clipboard-data",
    "clipboard-channel",
];

/// One who drives a desktop, and the channel.
struct Driver {
    client: WebClient,
    channel: ChannelId,
    ids: u32,
}

impl Driver {
    /// Joins and hears the rules.
    async fn join(daemon: &Daemon) -> (Self, ClipNews) {
        let mut client = WebClient::login(daemon).await;
        client.handshake(&CAPABILITIES).await;
        client.set_mode(Mode::Interact).await;
        let channel = client.open("clipboard").await.unwrap();
        let mut driver = Self {
            client,
            channel,
            ids: 0,
        };
        let rules = driver.news().await;
        (driver, rules)
    }

    async fn news(&mut self) -> ClipNews {
        let (kind, payload) = self.client.message(self.channel).await;
        ClipNews::decode(kind, payload).unwrap()
    }

    async fn send(&mut self, request: ClipRequest) {
        self.client.send(self.channel, request.encode()).await;
    }

    /// Announces a content.
    async fn announce(&mut self, formats: &[(&str, usize)]) -> u32 {
        self.ids += 1;
        let formats = formats.iter().map(|(name, length)| ClipFormat {
            mime_type: (*name).to_owned(),
            length: u32::try_from(*length).unwrap(),
        });
        let set = ClipRequest::Set {
            id: self.ids,
            selection: Selection::Clipboard,
            formats: formats.collect(),
        };
        self.send(set).await;
        self.ids
    }

    async fn data(&mut self, id: u32, content: &[u8]) {
        for piece in content.chunks(CLIP_PIECE_BYTES) {
            let bytes = Bytes::copy_from_slice(piece);
            self.send(ClipRequest::Data { id, bytes }).await;
        }
    }

    /// Sets a content in one format; why that is refused, if it is.
    async fn set(&mut self, name: &str, content: &[u8]) -> Option<Code> {
        let id = self.announce(&[(name, content.len())]).await;
        self.data(id, content).await;
        self.answer(id).await
    }

    async fn answer(&mut self, wanted: u32) -> Option<Code> {
        match self.news().await {
            ClipNews::Answer { id, refused } if id == wanted => refused.map(|(code, _)| code),
            other => panic!("{other:?} is not the answer to {wanted}"),
        }
    }

    /// What the clipboard holds, by channel 0.
    async fn text(&mut self) -> String {
        let get = ClientMessage::Clipboard(Clipboard::Get(ClipboardRequest::default()));
        self.client.tell(&get).await;
        self.client
            .told("CLIPBOARD push", |message| match message {
                ServerMessage::Clipboard(Clipboard::Push(data)) => match data.content {
                    ClipboardContent::Text(text) => Some(text),
                    ClipboardContent::Data(_) => None,
                },
                _ => None,
            })
            .await
    }
}

fn start(config: &str) -> Daemon {
    Daemon::start_with(config, &["--desktop", "synthetic", "--size", "640x480"])
}

#[tokio::test]
async fn what_is_set_is_answered_when_it_is_in_place() {
    let daemon = start("");
    let (mut driver, rules) = Driver::join(&daemon).await;
    let everything = ClipNews::Rules {
        to_desktop: true,
        from_desktop: true,
    };
    assert_eq!(rules, everything);
    let text = "grüße ".repeat(100_000);
    assert_eq!(driver.set("text/plain", text.as_bytes()).await, None);
    assert!(driver.text().await == text);
    let largest = "x".repeat(CLIP_BYTES_MAX);
    assert_eq!(driver.set("text/plain", largest.as_bytes()).await, None);
    assert_eq!(driver.set("text/plain", b"").await, None);
    assert_eq!(driver.text().await, "", "empty text clears it");
}

#[tokio::test]
async fn what_cannot_be_taken_is_refused_and_changes_nothing() {
    let daemon = start("");
    let (mut driver, _) = Driver::join(&daemon).await;
    assert_eq!(driver.set("text/plain", b"before").await, None);

    // Refused at the announcement, whatever comes behind it.
    let id = driver.announce(&[("text/plain", CLIP_BYTES_MAX + 1)]).await;
    assert_eq!(driver.answer(id).await, Some(Code::MESSAGE_TOO_LARGE));
    driver.data(id, b"late").await;
    let halves = [("text/plain", CLIP_BYTES_MAX), ("text/html", 1)];
    let id = driver.announce(&halves).await;
    assert_eq!(driver.answer(id).await, Some(Code::MESSAGE_TOO_LARGE));
    let id = driver.announce(&[("application/x-own", 4)]).await;
    assert_eq!(driver.answer(id).await, Some(Code::UNSUPPORTED));

    let refused = driver.set("text/plain", b"\xff\xfe").await;
    assert_eq!(refused, Some(Code::INVALID_MESSAGE));
    let id = driver.announce(&[("text/plain", 3)]).await;
    driver.data(id, b"more").await;
    assert_eq!(driver.answer(id).await, Some(Code::INVALID_MESSAGE));

    // Something newer replaces what is not complete.
    let old = driver.announce(&[("text/plain", 4)]).await;
    driver.data(old, b"ol").await;
    let new = driver.announce(&[("text/plain", 3)]).await;
    assert_eq!(driver.answer(old).await, Some(Code::GOING_AWAY));
    driver.data(old, b"d.").await;
    assert_eq!(driver.text().await, "before");
    driver.data(new, b"new").await;
    assert_eq!(driver.answer(new).await, None);
    assert_eq!(driver.text().await, "new");

    // What was never offered cannot be had.
    let get = ClipRequest::Get {
        id: 1000,
        serial: 77,
        mime_type: "text/plain".into(),
    };
    driver.send(get).await;
    assert_eq!(driver.answer(1000).await, Some(Code::NO_SUCH_TARGET));
}

#[tokio::test]
async fn who_looks_on_sets_nothing() {
    let daemon = start("");
    let (mut driver, _) = Driver::join(&daemon).await;
    driver.client.set_mode(Mode::View).await;
    let refused = driver.set("text/plain", b"evil").await;
    assert_eq!(refused, Some(Code::NOT_ALLOWED));

    // Whoever loses the floor in the middle does not get it in either.
    driver.client.set_mode(Mode::Interact).await;
    let id = driver.announce(&[("text/plain", 4)]).await;
    driver.data(id, b"ev").await;
    driver.client.set_mode(Mode::View).await;
    driver.data(id, b"il").await;
    assert_eq!(driver.answer(id).await, Some(Code::NOT_ALLOWED));
    driver.client.set_mode(Mode::Interact).await;
    assert_eq!(driver.text().await, "");
}

#[tokio::test]
async fn what_the_configuration_forbids_is_told_first_and_refused() {
    let daemon = start("[clipboard]\nto_desktop = false\nfrom_desktop = false\n");
    let (mut driver, rules) = Driver::join(&daemon).await;
    let nothing = ClipNews::Rules {
        to_desktop: false,
        from_desktop: false,
    };
    assert_eq!(rules, nothing);
    let refused = driver.set("text/plain", b"x").await;
    assert_eq!(refused, Some(Code::NOT_ALLOWED));
    let get = ClipRequest::Get {
        id: 1000,
        serial: 0,
        mime_type: "text/plain".into(),
    };
    driver.send(get).await;
    assert_eq!(driver.answer(1000).await, Some(Code::NOT_ALLOWED));
    let get = ClientMessage::Clipboard(Clipboard::Get(ClipboardRequest::default()));
    driver.client.tell(&get).await;
    assert_eq!(driver.client.error().await, Code::NOT_ALLOWED);
}
