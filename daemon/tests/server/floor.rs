//! Two who want to drive.

use vroom_protocol::Code;
use vroom_protocol::graphical::{
    ButtonInput, ClientMessage, Drag, Key, Mode, Modifiers, NotificationKind, Role, ServerMessage,
    Share, ShareAction,
};

use crate::client::WebClient;
use crate::daemon::Daemon;

const SHARING: [&str; 3] = ["sharing", "keyboard", "pointer"];

struct Two {
    _daemon: Daemon,
    one: WebClient,
    one_id: String,
    two: WebClient,
    two_id: String,
}

async fn two() -> Two {
    let daemon = Daemon::start(&["--desktop", "synthetic", "--size", "640x480"]);
    let mut one = WebClient::login(&daemon).await;
    one.handshake(&SHARING).await;
    let one_id = one.share_state(|_| true).await.own_id;
    let mut two = WebClient::login(&daemon).await;
    two.handshake(&SHARING).await;
    let two_id = two
        .share_state(|state| state.participants.len() == 2)
        .await
        .own_id;
    Two {
        _daemon: daemon,
        one,
        one_id,
        two,
        two_id,
    }
}

fn share(action: ShareAction) -> ClientMessage {
    ClientMessage::Share(Share {
        id: Some("s1".into()),
        action,
    })
}

async fn notified(client: &mut WebClient) -> (NotificationKind, Option<String>) {
    client
        .told("NOTIFICATION", |message| match message {
            ServerMessage::Notification(it) => Some((it.kind, it.reference)),
            _ => None,
        })
        .await
}

#[tokio::test]
async fn the_same_user_takes_over_and_the_one_before_is_told() {
    let Two {
        mut one,
        one_id,
        mut two,
        two_id,
        _daemon,
    } = two().await;
    one.set_mode(Mode::Interact).await;
    let button = one.open("button").await.unwrap();
    let pointer = one.open("pointer").await.unwrap();
    two.share_state(|state| state.driver.as_deref() == Some(&one_id))
        .await;

    two.set_mode(Mode::Interact).await;
    assert_eq!(one.channel_closed(button).await, "driver changed");
    assert_eq!(one.channel_closed(pointer).await, "driver changed");
    one.state(|state| state.mode == Some(Mode::View)).await;
    let state = one
        .share_state(|state| state.driver.as_deref() == Some(&two_id))
        .await;
    let mode = |id: &str| {
        state
            .participants
            .iter()
            .find(|it| it.id == id)
            .unwrap()
            .mode
    };
    assert_eq!((mode(&one_id), mode(&two_id)), (Mode::View, Mode::Interact));

    two.tell(&share(ShareAction::Release)).await;
    one.share_state(|state| state.driver.is_none()).await;
}

#[tokio::test]
async fn the_floor_passes_by_one_message() {
    let Two {
        mut one,
        mut two,
        two_id,
        _daemon,
        ..
    } = two().await;
    one.set_mode(Mode::Interact).await;
    one.tell(&share(ShareAction::Grant { to: two_id.clone() }))
        .await;
    two.state(|state| state.mode == Some(Mode::Interact)).await;
    one.state(|state| state.mode == Some(Mode::View)).await;
    one.share_state(|state| state.driver.as_deref() == Some(&two_id))
        .await;
}

#[tokio::test]
async fn asking_and_denying_reach_the_other() {
    let Two {
        mut one,
        mut two,
        one_id,
        two_id,
        _daemon,
    } = two().await;
    one.set_mode(Mode::Interact).await;
    two.tell(&share(ShareAction::Request)).await;
    assert_eq!(
        notified(&mut one).await,
        (NotificationKind::Info, Some(two_id.clone()))
    );
    one.tell(&share(ShareAction::Deny { to: two_id })).await;
    assert_eq!(notified(&mut two).await.0, NotificationKind::Warning);
    // Free, it is given to whoever asks.
    one.set_mode(Mode::View).await;
    one.tell(&share(ShareAction::Request)).await;
    one.share_state(|state| state.driver.as_deref() == Some(&one_id))
        .await;
}

#[tokio::test]
async fn one_made_a_viewer_loses_the_floor_and_cannot_have_it_back() {
    let Two {
        mut one,
        one_id,
        mut two,
        two_id,
        _daemon,
    } = two().await;
    two.set_mode(Mode::Interact).await;
    let button = two.open("button").await.unwrap();
    let role = |to: &str, role| {
        share(ShareAction::Role {
            to: to.to_owned(),
            role,
        })
    };
    one.tell(&role(&two_id, Role::Viewer)).await;
    two.state(|state| state.mode == Some(Mode::View)).await;
    assert_eq!(two.channel_closed(button).await, "driver changed");

    two.tell(&ClientMessage::Mode {
        mode: Mode::Interact,
        take: true,
    })
    .await;
    assert_eq!(two.error().await, Code::NOT_ALLOWED);
    assert_eq!(notified(&mut two).await.0, NotificationKind::Error);
    for name in ["button", "pointer", "vroom.terminal.control"] {
        assert_eq!(two.open(name).await, Err(Code::NOT_ALLOWED), "{name}");
    }
    // All that only owners may do.
    for action in [
        ShareAction::Role {
            to: two_id.clone(),
            role: Role::Owner,
        },
        ShareAction::Kick { to: one_id.clone() },
        ShareAction::Grant { to: two_id.clone() },
        ShareAction::Deny { to: one_id.clone() },
    ] {
        two.tell(&share(action)).await;
        assert_eq!(
            notified(&mut two).await,
            (NotificationKind::Error, Some("s1".into()))
        );
    }
    one.tell(&share(ShareAction::Grant { to: two_id.clone() }))
        .await;
    assert_eq!(notified(&mut one).await.0, NotificationKind::Error);
    one.tell(&role(&two_id, Role::Operator)).await;
    two.share_state(|state| {
        state
            .participants
            .iter()
            .any(|it| it.id == two_id && it.role == Role::Operator)
    })
    .await;
    two.set_mode(Mode::Interact).await;
}

#[tokio::test]
async fn one_who_is_kicked_is_gone() {
    let Two {
        mut one,
        mut two,
        two_id,
        _daemon,
        ..
    } = two().await;
    one.tell(&share(ShareAction::Kick { to: "p999".into() }))
        .await;
    assert_eq!(
        notified(&mut one).await,
        (NotificationKind::Error, Some("s1".into()))
    );
    one.tell(&share(ShareAction::Kick { to: two_id })).await;
    assert_eq!(two.closed().await, Code::REVOKED);
    one.share_state(|state| state.participants.len() == 1).await;
}

#[tokio::test]
async fn share_links_are_refused_in_words() {
    let Two {
        mut one, _daemon, ..
    } = two().await;
    let invite = ShareAction::Invite {
        role: Role::Viewer,
        ttl_s: Some(60),
    };
    one.tell(&share(invite)).await;
    assert_eq!(
        notified(&mut one).await,
        (NotificationKind::Error, Some("s1".into()))
    );
}

#[tokio::test]
async fn frames_of_one_who_lost_the_floor_close_nothing() {
    let Two {
        mut one,
        mut two,
        _daemon,
        ..
    } = two().await;
    one.set_mode(Mode::Interact).await;
    let button = one.open("button").await.unwrap();
    two.set_mode(Mode::Interact).await;
    let key = Key {
        key: "a".into(),
        code: "KeyA".into(),
        modifiers: Modifiers::NONE,
    };
    one.channel_closed(button).await;
    // Opened again it is there, and does nothing.
    let button = one.open("button").await.unwrap();
    one.send(button, ButtonInput::KeyDown(key).encode()).await;
    one.set_mode(Mode::View).await;
}

#[tokio::test]
async fn files_are_dragged_by_who_drives_alone() {
    let daemon = Daemon::start(&["--desktop", "synthetic", "--size", "640x480"]);
    let mut client = WebClient::login(&daemon).await;
    client.handshake(&["sharing", "pointer", "drag"]).await;
    let enter = ClientMessage::Drag(Drag::Enter { x: 1, y: 2 });
    client.tell(&enter).await;
    let (kind, _) = notified(&mut client).await;
    assert_eq!(kind, NotificationKind::Error);
    assert_eq!(client.error().await, Code::NOT_ALLOWED);
    client.set_mode(Mode::Interact).await;
    client.tell(&enter).await;
    client.tell(&ClientMessage::Drag(Drag::Take)).await;
    // The synthetic desktop has no programs; that nothing is refused shows in what is answered next.
    client.set_mode(Mode::Interact).await;
    let mut watcher = WebClient::login(&daemon).await;
    watcher.handshake(&["sharing", "pointer", "drag"]).await;
    watcher.tell(&ClientMessage::Drag(Drag::Leave)).await;
    let (kind, _) = notified(&mut watcher).await;
    assert_eq!(kind, NotificationKind::Error);
}
