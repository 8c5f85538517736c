//! What every test starts with, and the three ways to be cut off.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use vroom_terminal::screen::Screen;
use vroom_tests::client::{Client, Dial, Launch, Terminal};
use vroom_tests::daemon::Daemon;
use vroom_tests::proxy::Proxy;
use vroom_tests::pty::PATIENCE;

/// How a client is torn from its terminal.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Cut {
    /// The client goes away and another one comes.
    Client,
    /// The network goes away and comes back.
    Network,
    /// The daemon is killed with SIGKILL and started again.
    Daemon,
}

impl Cut {
    /// All of them.
    pub(crate) const ALL: [Self; 3] = [Self::Client, Self::Network, Self::Daemon];
}

/// A daemon behind a network that can be cut.
pub(crate) struct World {
    pub(crate) daemon: Daemon,
    pub(crate) proxy: Proxy,
}

impl World {
    /// Starts both.
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    /// The same with more arguments for the daemon.
    pub(crate) fn start_with(arguments: &[&str]) -> Self {
        let daemon = Daemon::start(&binary("vroomd"), arguments).unwrap();
        let proxy = Proxy::start(daemon.address()).unwrap();
        Self { daemon, proxy }
    }

    /// The way through the network that can be cut.
    pub(crate) fn dial(&self) -> Dial {
        Dial::Tcp(self.proxy.address())
    }

    /// A client behind that network.
    pub(crate) async fn login(&self) -> Client {
        Client::login(&self.dial(), self.daemon.auth())
            .await
            .unwrap()
    }

    /// A client that no cut of the network concerns.
    pub(crate) async fn login_directly(&self) -> Client {
        Client::login(&self.daemon.dial(), self.daemon.auth())
            .await
            .unwrap()
    }

    /// A path that only this world uses.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.daemon.folder().join(name)
    }
}

/// One client and its terminal.
pub(crate) struct Seat {
    pub(crate) client: Client,
    pub(crate) terminal: Terminal,
}

impl Seat {
    /// Takes a seat.
    pub(crate) async fn take(mut client: Client, launch: &Launch) -> Self {
        let terminal = Terminal::open(&mut client, "", launch).await.unwrap();
        Self { client, terminal }
    }

    /// Types.
    pub(crate) async fn types(&mut self, keys: &[u8]) {
        self.terminal.write(&mut self.client, keys).await.unwrap();
    }

    /// Waits until the screen shows this.
    pub(crate) async fn shows(&mut self, text: &str) {
        self.terminal.shows(&mut self.client, text).await.unwrap();
    }

    /// Reads on until the network is gone.
    pub(crate) async fn loses_link(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        while self
            .terminal
            .turn(&mut self.client, deadline)
            .await
            .is_ok_and(|turned| turned)
        {}
        assert!(Instant::now() < deadline, "the network was not cut");
    }

    /// Comes back after a cut that happened already, and goes on where it was.
    pub(crate) async fn comes_back(mut self, world: &World, cut: Cut) -> Self {
        match cut {
            Cut::Network => {
                self.client.resume(&world.dial()).await.unwrap();
                self
            }
            Cut::Client | Cut::Daemon => {
                self.client.lose_link();
                let mut client = world.login().await;
                let terminal = Terminal::take_over(&mut client, "", self.terminal)
                    .await
                    .unwrap();
                Self { client, terminal }
            }
        }
    }

    /// Comes back as somebody who has seen nothing: a new client that draws everything anew.
    pub(crate) async fn comes_anew(self, world: &World) -> Self {
        let id = self.terminal.id().unwrap().to_owned();
        drop(self);
        Self::take(world.login().await, &Launch::attach(id)).await
    }
}

/// Reads on both until they show the same: one screen against the other, the lines above included.
///
/// Those come last, when nothing else is going on, so this waits for them.
pub(crate) async fn same_screen(what: &str, one: &mut Seat, other: &mut Seat) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let level = one.terminal.offset == other.terminal.offset;
        if level && one.terminal.screen.digest() == other.terminal.screen.digest() {
            break;
        }
        if Instant::now() > deadline {
            differ(what, one, other);
        }
        for seat in [&mut *one, &mut *other] {
            let soon = Instant::now() + TURN;
            seat.terminal.turn(&mut seat.client, soon).await.unwrap();
        }
    }
    if !one.terminal.skipped && !other.terminal.skipped {
        assert_eq!(
            one.terminal.hash(),
            other.terminal.hash(),
            "{what}: the output differs"
        );
    }
}

/// Reads on until the screen is that of all these bytes.
pub(crate) async fn shows_all(what: &str, seat: &mut Seat, whole: &Screen) {
    let wanted = whole.digest();
    let deadline = Instant::now() + PATIENCE;
    while seat.terminal.screen.digest() != wanted {
        if Instant::now() > deadline {
            assert_eq!(seat.terminal.screen.text(), whole.text(), "{what}");
            alike(what, &seat.terminal.screen, whole);
        }
        let soon = Instant::now() + TURN;
        seat.terminal.turn(&mut seat.client, soon).await.unwrap();
    }
}

/// Says in what two screens differ.
fn differ(what: &str, one: &Seat, other: &Seat) -> ! {
    let (one, other) = (&one.terminal, &other.terminal);
    assert_eq!(one.offset, other.offset, "{what}: one lacks output");
    assert_eq!(one.screen.text(), other.screen.text(), "{what}");
    alike(what, &one.screen, &other.screen);
    panic!("{what}: equal, but too late");
}

/// Says where two screens differ, and not all that they are.
fn alike(what: &str, one: &Screen, other: &Screen) {
    let [one, other] = [one, other].map(|screen| format!("{:#?}", screen.digest()));
    let differing = one
        .lines()
        .zip(other.lines())
        .position(|(one, other)| one != other);
    let at = differing.unwrap_or_else(|| one.lines().count().min(other.lines().count()));
    let part = |text: &str| -> String {
        let lines = text.lines().skip(at.saturating_sub(12)).take(16);
        lines.map(|line| format!("{line}\n")).collect()
    };
    assert!(one == other, "{what}:\n{}---\n{}", part(&one), part(&other));
}

/// How long one of two waits for a message before the other has its turn.
const TURN: Duration = Duration::from_millis(20);

/// A program of ours, built beside this test.
pub(crate) fn binary(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let folder = test.parent().and_then(|deps| deps.parent()).unwrap();
    let path = folder.join(name);
    assert!(
        path.exists(),
        "{} is missing; build it: cargo build -p vroom-daemon -p vroom-terminal -p vroom-client",
        path.display()
    );
    path
}
