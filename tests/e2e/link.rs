//! Roaming over a link that loses packets.

use std::path::Path;

use vroom_tests::client::Launch;
use vroom_tests::link::{Link, impossible};

use crate::world::{Cut, Seat, World};

#[test]
fn two_namespaces_are_joined_by_a_link() {
    if let Some(reason) = impossible() {
        eprintln!("NOT TESTED: {reason}");
        return;
    }
    let arguments = ["--delay-ms", "5", "--loss", "0.05", "--seed", "3"].map(str::to_owned);
    let link = Link::start(Path::new(env!("CARGO_BIN_EXE_vroom-link")), &arguments).unwrap();
    let address = link.near.address.clone();
    let near = std::thread::spawn({
        let namespace = vroom_tests::link::Namespace::existing(link.near.namespace.name());
        move || {
            namespace.enter().unwrap();
            let listener = std::net::TcpListener::bind((address.as_str(), 4000)).unwrap();
            let (mut stream, _) = listener.accept().unwrap();
            std::io::copy(&mut stream.try_clone().unwrap(), &mut stream).unwrap()
        }
    });
    let far = std::thread::spawn({
        let namespace = vroom_tests::link::Namespace::existing(link.far.namespace.name());
        let address = link.near.address.clone();
        move || {
            use std::io::{Read as _, Write as _};
            namespace.enter().unwrap();
            let deadline = std::time::Instant::now() + vroom_tests::pty::PATIENCE;
            let mut stream = loop {
                match std::net::TcpStream::connect((address.as_str(), 4000)) {
                    Ok(stream) => break stream,
                    Err(error) => assert!(std::time::Instant::now() < deadline, "{error}"),
                }
            };
            let sent: Vec<u8> = (0..100_000_u32)
                .map(|number| number.to_be_bytes()[3])
                .collect();
            stream.write_all(&sent).unwrap();
            stream.shutdown(std::net::Shutdown::Write).unwrap();
            let mut back = Vec::new();
            stream.read_to_end(&mut back).unwrap();
            assert!(back == sent, "TCP mends what the link loses");
        }
    });
    far.join().unwrap();
    assert_eq!(near.join().unwrap(), 100_000);
}

#[tokio::test]
async fn a_session_goes_on_over_another_transport_again_and_again() {
    let world = World::start();
    let line = "PS1='$ ' exec bash --norc --noprofile -i";
    let mut seat = Seat::take(world.login().await, &Launch::line(line)).await;
    seat.shows("$").await;
    for round in 0..10 {
        seat.types(format!("echo round-$(({round}*111))\r").as_bytes())
            .await;
        if round % 2 == 0 {
            // In the middle of things.
            world.proxy.cut_after(10);
        } else {
            world.proxy.cut();
        }
        seat.loses_link().await;
        seat = seat.comes_back(&world, Cut::Network).await;
        seat.shows(&format!("round-{}", round * 111)).await;
    }
    assert!(!seat.terminal.skipped, "nothing had to be drawn anew");
    assert_eq!(seat.terminal.repaints, 0);
    seat.types(b"exit 1\r").await;
    let exit = seat.terminal.exited(&mut seat.client).await.unwrap();
    assert_eq!(exit.exit_code, Some(1));
}
