//! How connections end.

use std::time::Duration;

use vroom_protocol::{Code, LinkKind};
use vroom_transport::{LinkTx, memory};

use crate::common::{Manual, Side, client, now, numbered};

#[tokio::test(start_paused = true)]
async fn a_close_is_answered_and_both_sides_end_at_once() {
    let [near, far] = memory::pair(16, LinkKind::Shared);
    let (mut server, mut client) = (Side::server(near), Side::client(far));
    client.channel().await;
    server.channel().await;
    let started = now();
    client.close(Code::NORMAL, "enough");
    assert_eq!(client.ended().await, (Code::NORMAL, "enough".to_owned()));
    assert_eq!(server.ended().await, (Code::NORMAL, "enough".to_owned()));
    assert_eq!(now(), started);
}

#[tokio::test(start_paused = true)]
async fn an_unanswered_close_ends_after_two_seconds() {
    let [near, far] = memory::pair(16, LinkKind::Shared);
    let mut server = Side::server(near);
    let mut peer = Manual::new(client(), far);
    peer.channel().await;
    server.channel().await;
    let started = now();
    server.close(Code::GOING_AWAY, "shutting down");
    assert_eq!(server.ended().await.0, Code::GOING_AWAY);
    let took = now() - started;
    // The core waits 2 s for the answer, the link at most 1 s for the peer to leave.
    assert!(
        (Duration::from_secs(2)..=Duration::from_secs(3)).contains(&took),
        "{took:?}"
    );
    assert_eq!(peer.close_code().await, Code::GOING_AWAY);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_never_reads_can_be_sent_away() {
    let [near, far] = memory::pair(2, LinkKind::Shared);
    let mut server = Side::server(near);
    let mut peer = Manual::new(client(), far);
    let id = peer.channel().await;
    server.channel().await;
    server.send_many(id, 100, 1000);
    tokio::task::yield_now().await;
    let started = now();
    server.close_urgently(Code::REVOKED, "not any more");
    assert_eq!(
        server.ended().await,
        (Code::REVOKED, "not any more".to_owned())
    );
    assert!(now() - started <= Duration::from_secs(4));
}

#[tokio::test(start_paused = true)]
async fn what_is_due_is_done_although_the_peer_never_reads() {
    let [near, far] = memory::pair(2, LinkKind::Shared);
    let mut server = Side::server(near);
    let mut peer = Manual::new(client(), far);
    let id = peer.channel().await;
    server.channel().await;
    let started = now();
    server.close_at(started + Duration::from_secs(5));
    server.send_many(id, 100, 1000);
    assert_eq!(server.ended().await.0, Code::REVOKED);
    let took = now() - started;
    assert!(
        (Duration::from_secs(5)..=Duration::from_secs(9)).contains(&took),
        "{took:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn silence_before_hello_is_closed_after_ten_seconds() {
    let [near, far] = memory::pair(16, LinkKind::Shared);
    let started = now();
    let server = Side::server(near);
    let mut peer = Manual::new(client(), far);
    assert_eq!(peer.close_code().await, Code::HELLO_TIMEOUT);
    assert_eq!(now() - started, Duration::from_secs(10));
    peer.write().await;
    drop(peer);
    assert_eq!(server.ended().await.0, Code::HELLO_TIMEOUT);
}

#[tokio::test(start_paused = true)]
async fn a_dead_link_is_dropped_after_an_unanswered_ping() {
    let [near, far] = memory::pair(16, LinkKind::Shared);
    let mut server = Side::server(near);
    let mut peer = Manual::new(client(), far);
    peer.channel().await;
    server.channel().await;
    let started = now();
    server.ended().await;
    let took = now() - started;
    // 30 s without a frame, 10 s without an answer, at most 1 s to take down the link.
    assert!(
        (Duration::from_secs(40)..=Duration::from_secs(41)).contains(&took),
        "{took:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn pings_keep_an_idle_connection() {
    let [near, far] = memory::pair(16, LinkKind::Shared);
    let (mut server, mut client) = (Side::server(near), Side::client(far));
    client.channel().await;
    server.channel().await;
    tokio::time::sleep(Duration::from_secs(3600)).await;
    assert!(!server.is_over());
    assert!(!client.is_over());
}

#[tokio::test(start_paused = true)]
async fn a_lost_link_is_told_to_the_session() {
    let [near, far] = memory::pair(16, LinkKind::Shared);
    let mut server = Side::server(near);
    let mut peer = Manual::new(client(), far);
    peer.channel().await;
    server.channel().await;
    peer.tx.shutdown(Code::NORMAL).await;
    drop(peer);
    assert_eq!(server.ended().await.0, Code::GOING_AWAY);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_cannot_be_written_to_is_still_heard_for_a_while() {
    let [near, far] = memory::pair(16, LinkKind::Shared);
    let mut server = Side::server(near);
    let mut peer = Manual::new(client(), far);
    let id = peer.channel().await;
    server.channel().await;
    let Manual {
        mut connection,
        rx,
        mut tx,
    } = peer;
    drop(rx);
    let started = now();
    server.send_many(id, 1, 10);
    tokio::task::yield_now().await;
    connection.send(now(), id, 7, numbered(0, 10)).unwrap();
    while let Some(transmit) = connection.poll_transmit() {
        tx.try_send(transmit).unwrap();
    }
    assert_eq!(server.message().await.1, numbered(0, 10));
    assert_eq!(server.ended().await.0, Code::GOING_AWAY);
    assert!(now() - started <= Duration::from_secs(4));
}
