//! Many look at one terminal, and one of them never reads.

use vroom_tests::client::Launch;

use crate::world::{Seat, World, same_screen};

/// Output in the middle of the test: more than every queue on the way holds.
const FLOOD_BYTES: usize = 12 * 1024 * 1024;

#[tokio::test]
async fn a_stalled_viewer_stops_nobody_and_catches_up() {
    let world = World::start();
    let line = "PS1='$ ' exec bash --norc --noprofile -i";
    let mut driver = Seat::take(world.login().await, &Launch::line(line)).await;
    driver.shows("$").await;
    let watch = Launch {
        readonly: true,
        ..Launch::attach(driver.terminal.id().unwrap())
    };
    let mut viewers = Vec::new();
    for _ in 0..20 {
        viewers.push(Seat::take(world.login_directly().await, &watch).await);
    }
    // From here on the first viewer neither reads nor acknowledges.
    let flood = world.path("flood");
    let text = "a line of a flood that no viewer reads to its end\r\n";
    std::fs::write(&flood, text.repeat(FLOOD_BYTES / text.len())).unwrap();
    driver
        .types(format!("cat '{}'; echo after-$((40+2))\r", flood.display()).as_bytes())
        .await;
    driver.shows("after-42").await;
    for round in 0..20 {
        driver
            .types(format!("echo round-$(({round}*7))\r").as_bytes())
            .await;
        driver.shows(&format!("round-{}", round * 7)).await;
    }
    for viewer in viewers.iter_mut().skip(1) {
        viewer.shows("round-133").await;
        same_screen("a viewer", viewer, &mut driver).await;
    }
    // The one who was away draws the last screen and needs none of the flood for it.
    let late = &mut viewers[0];
    late.shows("round-133").await;
    same_screen("the late one", late, &mut driver).await;
    assert!(
        late.terminal.received < FLOOD_BYTES as u64 / 2,
        "{} bytes came",
        late.terminal.received
    );
}

#[tokio::test]
async fn a_stalled_driver_stops_nobody_for_long() {
    let world = World::start();
    let line = "PS1='$ ' exec bash --norc --noprofile -i";
    let mut driver = Seat::take(world.login().await, &Launch::line(line)).await;
    driver.shows("$").await;
    let watch = Launch {
        readonly: true,
        ..Launch::attach(driver.terminal.id().unwrap())
    };
    let mut viewer = Seat::take(world.login_directly().await, &watch).await;
    // From here on the driver neither reads nor acknowledges, and all of it is for them to see.
    driver
        .types(b"head -c 8000000 /dev/zero | tr '\\0' x | fold -w 70; echo after-$((40+2))\r")
        .await;
    viewer.shows("after-42").await;
    // They see the end all the same once they look again.
    driver.shows("after-42").await;
    same_screen("the driver", &mut driver, &mut viewer).await;
}

#[tokio::test]
async fn a_viewer_without_acknowledgements_gets_no_more_than_its_credit() {
    let world = World::start();
    let line =
        "stty raw -echo; printf ready; read -r x; yes | head -c 8000000; printf end; read -r x";
    let mut driver = Seat::take(world.login().await, &Launch::line(line)).await;
    driver.shows("ready").await;
    let watch = Launch {
        readonly: true,
        ..Launch::attach(driver.terminal.id().unwrap())
    };
    let mut viewer = Seat::take(world.login_directly().await, &watch).await;
    viewer.terminal.acknowledges = false;
    driver.types(b"\n").await;
    driver
        .terminal
        .until(&mut driver.client, "the end", |each| {
            each.offset >= 8_000_008
        })
        .await
        .unwrap();
    // It has read all that was sent when an answer to a later question is there.
    viewer
        .client
        .open("vroom.terminal.control#probe")
        .await
        .unwrap();
    let reached = vroom_protocol::terminal::PtyMessage::CREDIT_BYTES_MAX;
    viewer
        .terminal
        .until(&mut viewer.client, "some output", |each| each.offset > 0)
        .await
        .unwrap();
    assert!(
        viewer.terminal.received <= reached,
        "{} bytes without an acknowledgement",
        viewer.terminal.received
    );
    // Acknowledging again brings the last screen.
    viewer.terminal.acknowledges = true;
    viewer
        .terminal
        .acknowledge_now(&mut viewer.client)
        .await
        .unwrap();
    same_screen("after the pause", &mut viewer, &mut driver).await;
}
