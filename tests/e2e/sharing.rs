//! Sharing: what a view link can do, which is to look, and how long, which is until it is revoked.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bytes::Bytes;
use serde_json::{Value, json};
use vroom_protocol::terminal::{Role, ShareAction, ShareRequest};
use vroom_protocol::{Auth, ChannelId};
use vroom_tests::client::{Client, Launch, Terminal};

use crate::world::{Seat, World};

/// Writes down every line and every signal that reaches it.
const DIARY: &str = r#"
for signal in HUP INT QUIT USR1 USR2 TERM CONT TSTP WINCH; do
    trap "echo got $signal >> '$DIARY'" $signal
done
stty raw -echo
printf ready
while :; do
    line=
    while IFS= read -r -N 1 key; do
        [ "$key" = '!' ] && break
        line="$line$key"
    done
    # A signal interrupts a read; only the end of the terminal ends the diary.
    stty -a >/dev/null 2>&1 || exit 4
    printf '%s\n' "$line" >> "$DIARY"
    printf 'noted'
    [ "$line" = bye ] && exit 3
done
"#;

/// A terminal with the diary, its owner, and where it is kept.
async fn diary(world: &World) -> (Seat, PathBuf) {
    let script = world.path("diary.sh");
    let diary = world.path("diary");
    std::fs::write(&script, DIARY).unwrap();
    let line = format!(
        "DIARY='{}' exec bash --norc --noprofile '{}'",
        diary.display(),
        script.display()
    );
    let mut owner = Seat::take(world.login().await, &Launch::line(line)).await;
    owner.shows("ready").await;
    (owner, diary)
}

/// Makes a view link of the owner's terminal; its public id and its secret.
async fn invite(owner: &mut Seat) -> (String, String) {
    let request = ShareRequest::new(ShareAction::Invite {
        ttl_s: 3600,
        uses: None,
        role: Role::Viewer,
    });
    let before = owner.terminal.shares.len();
    let invited = |each: &Terminal| {
        let since = each.shares.iter().skip(before);
        since.filter_map(|share| share.invited.clone()).next_back()
    };
    owner
        .terminal
        .ask_share(&mut owner.client, request)
        .await
        .unwrap();
    owner
        .terminal
        .until(&mut owner.client, "a link", |each| invited(each).is_some())
        .await
        .unwrap();
    let invited = invited(&owner.terminal).unwrap();
    assert!(invited.url.contains("#share="), "{}", invited.url);
    (invited.link, invited.token)
}

/// Somebody who followed the link and asks to write, too.
async fn guest(world: &World, terminal: &str, token: &str) -> Seat {
    let client = Client::login(&world.dial(), Auth::Share(token.to_owned()))
        .await
        .unwrap();
    Seat::take(client, &Launch::attach(terminal)).await
}

fn tlv(kind: u32, payload: &[u8]) -> Bytes {
    let mut bytes = kind.to_be_bytes().to_vec();
    bytes.extend(u32::try_from(payload.len()).unwrap().to_be_bytes());
    bytes.extend(payload);
    Bytes::from(bytes)
}

/// What could be done to a terminal by a control record.
fn records(terminal: &str, driver: &str, link: &str) -> Vec<(u32, Vec<u8>)> {
    let maps = [
        (0x02, json!({})),
        (0x10, json!({"method": "none"})),
        (0x10, json!({"method": "inherit"})),
        (0x20, json!({"rows": 5, "cols": 5})),
        (0x20, json!({"attach": terminal, "rows": 5, "cols": 5})),
        (
            0x20,
            json!({"attach": terminal, "readonly": false, "writer": "test", "rows": 5, "cols": 5}),
        ),
        (0x40, json!({"LANG": "C"})),
        (0x50, json!({})),
        (0x51, json!({"command": "echo guest >> \"$DIARY\""})),
        (
            0x60,
            json!({"key": "g", "code": "KeyG", "mods": 0, "event": "press", "text": "guest!"}),
        ),
        (0x70, json!({"action": "take"})),
        (0x70, json!({"action": "request"})),
        (0x70, json!({"action": "release"})),
        (0x70, json!({"action": "grant", "to": driver})),
        (0x70, json!({"action": "deny", "to": driver})),
        (
            0x70,
            json!({"action": "role", "to": driver, "role": "viewer"}),
        ),
        (0x70, json!({"action": "kick", "to": driver})),
        (
            0x70,
            json!({"action": "invite", "ttl": 60, "role": "operator"}),
        ),
        (0x70, json!({"action": "invite", "ttl": 60})),
        (0x70, json!({"action": "revoke", "link": link})),
        (0xff, json!({"code": 1000, "fatal": true})),
    ];
    let mut records: Vec<(u32, Vec<u8>)> = maps
        .into_iter()
        .map(|(kind, map)| (kind, map.to_string().into_bytes()))
        .collect();
    records.push((0x30, vec![0, 5, 0, 5, 0, 0, 0, 0]));
    for signal in [1, 2, 3, 10, 12, 15, 18, 20, 9] {
        records.push((0x31, vec![signal]));
    }
    records
}

/// Every type of the connection's own channel with what could be done by it.
fn connection_messages(terminal: &str) -> Vec<(u8, Vec<u8>)> {
    let bodies: [Value; 6] = [
        json!({"action": "end", "sessionId": terminal}),
        json!({"action": "rename", "sessionId": terminal, "name": "mine"}),
        json!({"mode": "interact", "take": true}),
        json!({"text": "guest!", "direction": "set"}),
        json!({"width": 640, "height": 480}),
        json!({"id": 1, "requestId": 900, "name": "button", "reliable": true, "ordered": true}),
    ];
    (0..=u8::MAX)
        .flat_map(|kind| {
            bodies
                .each_ref()
                .map(|body| (kind, body.to_string().into_bytes()))
        })
        .collect()
}

/// Sends everything that there is on every channel that there can be, over and over from new
/// connections: one that has sent too much nonsense is closed, and must not save us from the rest.
async fn walk(world: &World, token: &str, terminal: &str, driver: &str, link: &str) {
    // Every type of the PTY channel, with input in it.
    for kinds in (0..=u8::MAX).collect::<Vec<_>>().chunks(64) {
        let mut guest = guest(world, terminal, token).await;
        let (_, pty) = guest.terminal.channels();
        for kind in kinds {
            for payload in [&b"guest!"[..], b"", &u64::MAX.to_be_bytes()] {
                try_send(&mut guest.client, pty.unwrap(), *kind, payload).await;
            }
        }
        heard(&mut guest).await;
    }
    // Every record, each on a terminal of its own: some end theirs.
    for (kind, payload) in records(terminal, driver, link) {
        let mut guest = guest(world, terminal, token).await;
        let (control, _) = guest.terminal.channels();
        try_send(&mut guest.client, control, 0, &tlv(kind, &payload)).await;
        heard(&mut guest).await;
    }
    let mut last = guest(world, terminal, token).await;
    let (control, _) = last.terminal.channels();
    for kind in 0..=0xff {
        try_send(&mut last.client, control, 0, &tlv(kind, b"")).await;
    }
    heard(&mut last).await;
    for part in connection_messages(terminal).chunks(100) {
        let mut guest = guest(world, terminal, token).await;
        for (kind, payload) in part {
            try_send(&mut guest.client, ChannelId::CONTROL, *kind, payload).await;
        }
        heard(&mut guest).await;
    }
}

/// Waits until the server has worked on all that was sent: an answer comes after it, or the end.
async fn heard(guest: &mut Seat) {
    drop(guest.client.open("no-such-channel").await);
}

/// Sends what the connection lets through; what it does not cannot do harm.
async fn try_send(client: &mut Client, channel: ChannelId, kind: u8, payload: &[u8]) {
    drop(
        client
            .send(channel, (kind, Bytes::copy_from_slice(payload)))
            .await,
    );
}

/// The owner writes the last page; what stands before it came from elsewhere.
async fn last_page(owner: &mut Seat, diary: &Path) -> String {
    owner.types(b"bye!").await;
    let exit = owner.terminal.exited(&mut owner.client).await.unwrap();
    assert_eq!(exit.exit_code, Some(3), "{exit:?}");
    std::fs::read_to_string(diary).unwrap()
}

#[tokio::test]
async fn a_view_link_cannot_write_by_any_message_on_any_channel() {
    let world = World::start();
    let (mut owner, diary) = diary(&world).await;
    let (link, token) = invite(&mut owner).await;
    let terminal = owner.terminal.id().unwrap().to_owned();
    let driver = owner.terminal.share.clone().unwrap().own_id;

    let mut looker = guest(&world, &terminal, &token).await;
    looker.shows("ready").await;
    let grant = looker.terminal.grant.clone().unwrap();
    assert!(grant.readonly, "born read-only: {grant:?}");
    walk(&world, &token, &terminal, &driver, &link).await;

    // Other channels.
    let mut client = Client::login(&world.dial(), Auth::Share(token.clone()))
        .await
        .unwrap();
    for name in [
        "pointer",
        "button",
        "video",
        "file-transfer",
        "port-forward-ctl",
        "fwd-1-conn-1",
        "vroom.terminal.pty",
        "vroom.terminal.stderr",
    ] {
        if let Ok(channel) = client.open(name).await {
            for kind in 0..=0x60 {
                try_send(&mut client, channel, kind, b"guest!").await;
                let body = json!({
                    "id": 1, "path": diary, "name": diary, "action": "write",
                    "direction": "local", "targetAddress": "127.0.0.1", "targetPort": 22,
                });
                try_send(&mut client, channel, kind, body.to_string().as_bytes()).await;
            }
        }
    }
    // A new terminal of its own would be as good as the owner's.
    let launch = Launch::line(format!("echo guest >> '{}'", diary.display()));
    let new = Terminal::open(&mut client, "#new", &launch).await;
    assert!(new.is_err(), "a guest got a terminal");
    // Nor does asking for another one's.
    let mut client = Client::login(&world.dial(), Auth::Share(token))
        .await
        .unwrap();
    let launch = Launch::attach("another");
    let other = Terminal::open(&mut client, "#other", &launch).await;
    assert!(other.is_err(), "a guest got another's terminal");

    looker.shows("ready").await;
    assert_eq!(last_page(&mut owner, &diary).await, "bye\n");
    assert_eq!(
        owner.terminal.share.as_ref().unwrap().driver.as_deref(),
        Some(driver.as_str()),
        "the owner still drives"
    );
}

#[tokio::test]
async fn revoking_a_link_cuts_its_guests_and_nobody_else() {
    let world = World::start();
    let (mut owner, diary) = diary(&world).await;
    let (first, first_token) = invite(&mut owner).await;
    let (second, second_token) = invite(&mut owner).await;
    assert_ne!(first, second);
    let terminal = owner.terminal.id().unwrap().to_owned();
    let mut cut = guest(&world, &terminal, &first_token).await;
    let mut stays = guest(&world, &terminal, &second_token).await;
    for seat in [&mut cut, &mut stays] {
        seat.shows("ready").await;
    }
    let revoke = ShareRequest::new(ShareAction::Revoke {
        link: first.clone(),
    });
    owner
        .terminal
        .ask_share(&mut owner.client, revoke)
        .await
        .unwrap();
    let began = Instant::now();
    let (_, pty) = cut.terminal.channels();
    cut.client.channel_closed(pty.unwrap()).await.unwrap();
    let mut soonest = began.elapsed();
    // On a busy machine once is no measure.
    for _ in 0..3 {
        let (link, token) = invite(&mut owner).await;
        let mut guest = guest(&world, &terminal, &token).await;
        guest.shows("ready").await;
        let began = Instant::now();
        let revoke = ShareRequest::new(ShareAction::Revoke { link });
        let asked = owner.terminal.ask_share(&mut owner.client, revoke);
        asked.await.unwrap();
        let (_, pty) = guest.terminal.channels();
        guest.client.channel_closed(pty.unwrap()).await.unwrap();
        soonest = soonest.min(began.elapsed());
    }
    assert!(soonest < Duration::from_secs(1), "cut after {soonest:?}");
    // Then the owner is told, and what is typed from here on no guest of it sees.
    owner
        .terminal
        .until(&mut owner.client, "the link is gone", |each| {
            each.share
                .as_ref()
                .and_then(|share| share.links.as_ref())
                .is_some_and(|links| links.iter().all(|link| link.id != first))
        })
        .await
        .unwrap();
    owner.types(b"secret!").await;
    owner.shows("noted").await;
    stays.shows("noted").await;
    assert!(!cut.terminal.screen.text().join("\n").contains("noted"));
    // The link opens nothing any more.
    let again = Client::login(&world.dial(), Auth::Share(first_token)).await;
    assert!(again.is_err(), "a revoked link let somebody in");
    assert_eq!(last_page(&mut owner, &diary).await, "secret\nbye\n");
}

#[tokio::test]
async fn the_owner_hands_over_and_takes_back() {
    let world = World::start();
    let (mut owner, diary) = diary(&world).await;
    let id = owner.terminal.id().unwrap().to_owned();
    // Another client of the same user: an operator, who drives only when the owner lets it.
    let launch = Launch {
        writer: Some("other".to_owned()),
        ..Launch::attach(id)
    };
    let mut other = Seat::take(world.login().await, &launch).await;
    other.shows("ready").await;
    let other_id = other.terminal.share.clone().map(|share| share.own_id);
    let other_id = match other_id {
        Some(id) => id,
        None => {
            other
                .terminal
                .until(&mut other.client, "SHARE_STATE", |each| {
                    each.share.is_some()
                })
                .await
                .unwrap();
            other.terminal.share.clone().unwrap().own_id
        }
    };
    let drives = |id: String| {
        move |each: &Terminal| {
            each.share
                .as_ref()
                .is_some_and(|share| share.driver.as_deref() == Some(id.as_str()))
        }
    };
    let grant = ShareRequest::new(ShareAction::Grant {
        to: other_id.clone(),
    });
    owner
        .terminal
        .ask_share(&mut owner.client, grant)
        .await
        .unwrap();
    for seat in [&mut owner, &mut other] {
        seat.terminal
            .until(
                &mut seat.client,
                "the other drives",
                drives(other_id.clone()),
            )
            .await
            .unwrap();
    }
    other.types(b"from the other!").await;
    other.shows("noted").await;
    let owner_id = owner.terminal.share.clone().unwrap().own_id;
    owner
        .terminal
        .ask_share(&mut owner.client, ShareRequest::new(ShareAction::Take))
        .await
        .unwrap();
    for seat in [&mut owner, &mut other] {
        seat.terminal
            .until(
                &mut seat.client,
                "the owner drives",
                drives(owner_id.clone()),
            )
            .await
            .unwrap();
    }
    assert_eq!(last_page(&mut owner, &diary).await, "from the other\nbye\n");
}

/// Asks what terminal it is on, and writes down all that comes back until a `!`.
const CURIOUS: &str = r#"
stty raw -echo
printf ready
read -rN1 key
printf '\033[casked'
while IFS= read -rN1 key; do
    printf %s "$key" >> "$ANSWERS"
    [ "$key" = '!' ] && exit 3
done
"#;

#[tokio::test]
async fn a_program_is_answered_by_the_driver_alone() {
    let world = World::start();
    let (script, answers) = (world.path("curious.sh"), world.path("answers"));
    std::fs::write(&script, CURIOUS).unwrap();
    let line = format!(
        "ANSWERS='{}' exec bash --norc --noprofile '{}'",
        answers.display(),
        script.display()
    );
    let mut driver = Seat::take(world.login().await, &Launch::line(line)).await;
    driver.shows("ready").await;
    let launch = Launch {
        writer: Some("other".to_owned()),
        ..Launch::attach(driver.terminal.id().unwrap())
    };
    let mut other = Seat::take(world.login().await, &launch).await;
    other.shows("ready").await;
    driver.types(b"k").await;
    // Both terminals show the question, and both answer.
    other.shows("asked").await;
    heard(&mut other).await;
    driver.shows("asked").await;
    driver.types(b"!").await;
    let exit = driver.terminal.exited(&mut driver.client).await.unwrap();
    assert_eq!(exit.exit_code, Some(3), "{exit:?}");
    let answers = std::fs::read_to_string(&answers).unwrap();
    assert_eq!(answers.matches('\u{1b}').count(), 1, "{answers:?}");
    assert!(answers.ends_with("c!"), "{answers:?}");
    let share = other.terminal.share.clone().unwrap();
    assert_ne!(
        share.driver,
        Some(share.own_id),
        "an answer takes nothing over"
    );
}
