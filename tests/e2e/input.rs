//! Input: no key is lost and none comes twice, whatever breaks.

use vroom_tests::client::Launch;

use crate::world::{Cut, Seat, World};

async fn all_keys_once(cut: Cut) {
    let mut world = World::start();
    let path = world.path("typed");
    let line = format!(
        "stty raw -echo; printf ready; head -c 6000 > '{}'; printf 'all of it'; exit 2",
        path.display()
    );
    let mut seat = Seat::take(world.login().await, &Launch::line(line)).await;
    seat.shows("ready").await;
    let keys: Vec<u8> = (0..2000)
        .flat_map(|number| format!("{:03}", number % 1000).into_bytes())
        .collect();
    assert_eq!(keys.len(), 6000);
    let (before, after) = keys.split_at(3500);
    for part in before.chunks(7) {
        seat.types(part).await;
    }
    match cut {
        Cut::Client => {}
        Cut::Network => world.proxy.cut(),
        Cut::Daemon => world.daemon.kill_and_restart().unwrap(),
    }
    let mut seat = seat.comes_back(&world, cut).await;
    for part in after.chunks(11) {
        seat.types(part).await;
    }
    seat.shows("all of it").await;
    let exit = seat.terminal.exited(&mut seat.client).await.unwrap();
    assert_eq!(exit.exit_code, Some(2));
    let typed = std::fs::read(&path).unwrap();
    assert_eq!(typed.len(), keys.len());
    assert!(typed == keys, "keys were lost, doubled or changed");
}

#[tokio::test]
async fn all_keys_arrive_once_from_another_client() {
    all_keys_once(Cut::Client).await;
}

#[tokio::test]
async fn all_keys_arrive_once_over_another_network() {
    all_keys_once(Cut::Network).await;
}

#[tokio::test]
async fn all_keys_arrive_once_at_another_daemon() {
    all_keys_once(Cut::Daemon).await;
}

#[tokio::test]
async fn the_echo_of_a_password_is_told_to_be_off() {
    let world = World::start();
    let line = "printf 'password: '; stty -echo; read secret; stty echo; echo; printf done; read x";
    let mut seat = Seat::take(world.login().await, &Launch::line(line)).await;
    seat.shows("password:").await;
    let told = |wanted: bool| {
        move |each: &vroom_tests::client::Terminal| {
            each.modes.is_some_and(|modes| {
                modes.contains(vroom_protocol::terminal::PtyMode::ECHO) == wanted
            })
        }
    };
    seat.terminal
        .until(&mut seat.client, "no echo", told(false))
        .await
        .unwrap();
    seat.types(b"secret\r").await;
    seat.shows("done").await;
    seat.terminal
        .until(&mut seat.client, "echo", told(true))
        .await
        .unwrap();
    let shown = seat.terminal.screen.text().join("\n");
    assert!(!shown.contains("secret"), "{shown}");
}
