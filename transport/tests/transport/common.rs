//! A session that a test steers, and a peer that the test plays by hand.

use std::future::pending;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use vroom_protocol::{
    ChannelId, ChannelSpec, ClientConfig, Code, Connection, Event, LinkKind, ServerConfig,
    WelcomeInfo,
};
use vroom_transport::{Incoming, LinkRx, LinkTx, Session, TrySend, drive};

/// One side of a connection: what it saw, and what it shall do.
pub(crate) struct Side {
    seen: mpsc::UnboundedReceiver<(Instant, Event)>,
    todo: mpsc::UnboundedSender<Todo>,
    urgent: mpsc::UnboundedSender<Todo>,
    alarm: Arc<Mutex<Option<Instant>>>,
    driver: JoinHandle<(Code, String)>,
}

type Todo = Box<dyn FnMut(Instant, &mut Connection) -> Progress + Send>;

/// Whether something that was to be done is done.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    Done,
    /// Try again when the link took something.
    Again,
}

/// Accepts whatever it is asked for and reports all events.
struct Steered {
    seen: mpsc::UnboundedSender<(Instant, Event)>,
    todo: mpsc::UnboundedReceiver<Todo>,
    urgent: mpsc::UnboundedReceiver<Todo>,
    /// When the connection is closed, whatever happens.
    alarm: Arc<Mutex<Option<Instant>>>,
    doing: Vec<Todo>,
}

impl Session for Steered {
    fn on_event(&mut self, now: Instant, connection: &mut Connection, event: Event) {
        match &event {
            Event::Hello(hello) => {
                let channels = hello.channels.clone();
                connection.accept(
                    now,
                    WelcomeInfo {
                        channels,
                        ..WelcomeInfo::default()
                    },
                );
            }
            Event::ChannelRequested { request, .. } => {
                connection.accept_channel(now, *request);
            }
            _ => {}
        }
        // A test that has seen enough is free to go.
        let _heard = self.seen.send((now, event)).is_ok();
    }

    fn pump(&mut self, now: Instant, connection: &mut Connection) {
        let is_due = |at: &mut Instant| *at <= now;
        if self.alarm.lock().unwrap().take_if(is_due).is_some() {
            connection.close(now, Code::REVOKED, "time is up");
        }
        self.doing
            .retain_mut(|todo| todo(now, connection) == Progress::Again);
    }

    async fn ready(&mut self) {
        match self.todo.recv().await {
            Some(todo) => self.doing.push(todo),
            None => pending().await,
        }
    }

    async fn urgent(&mut self) {
        match self.urgent.recv().await {
            // First, so that what waits for room does not fill the queues before.
            Some(todo) => self.doing.insert(0, todo),
            None => pending().await,
        }
    }

    fn urgent_deadline(&self) -> Option<Instant> {
        *self.alarm.lock().unwrap()
    }
}

impl Side {
    /// Drives a server over a link.
    pub(crate) fn server(link: (impl LinkRx + 'static, impl LinkTx + 'static)) -> Self {
        Self::start(
            Connection::server(ServerConfig::default(), LinkKind::Shared, now()),
            link,
        )
    }

    /// Drives a client that asks for one channel, `data`.
    pub(crate) fn client(link: (impl LinkRx + 'static, impl LinkTx + 'static)) -> Self {
        Self::start(
            Connection::client(client_config(), LinkKind::Shared, now()),
            link,
        )
    }

    /// Drives a connection over a link.
    pub(crate) fn start(
        connection: Connection,
        (rx, tx): (impl LinkRx + 'static, impl LinkTx + 'static),
    ) -> Self {
        let (seen_tx, seen) = mpsc::unbounded_channel();
        let (todo, todo_rx) = mpsc::unbounded_channel();
        let (urgent, urgent_rx) = mpsc::unbounded_channel();
        let session = Steered {
            seen: seen_tx,
            todo: todo_rx,
            urgent: urgent_rx,
            alarm: Arc::default(),
            doing: Vec::new(),
        };
        Self {
            seen,
            todo,
            urgent,
            alarm: Arc::clone(&session.alarm),
            driver: tokio::spawn(drive(connection, rx, tx, session)),
        }
    }

    /// Does something with the connection, again and again until it is done.
    pub(crate) fn perform(
        &self,
        todo: impl FnMut(Instant, &mut Connection) -> Progress + Send + 'static,
    ) {
        assert!(
            self.todo.send(Box::new(todo)).is_ok(),
            "the session is over"
        );
    }

    /// Ends the connection.
    pub(crate) fn close(&self, code: Code, reason: &'static str) {
        self.perform(move |now, connection| {
            connection.close(now, code, reason);
            Progress::Done
        });
    }

    /// Ends the connection although its link is full.
    pub(crate) fn close_urgently(&self, code: Code, reason: &'static str) {
        let todo: Todo = Box::new(move |now, connection| {
            connection.close(now, code, reason);
            Progress::Done
        });
        assert!(self.urgent.send(todo).is_ok(), "the session is over");
    }

    /// Ends the connection at a time although its link is full.
    pub(crate) fn close_at(&self, at: Instant) {
        *self.alarm.lock().unwrap() = Some(at);
    }

    /// Sends `count` messages of `len` bytes, each beginning with its number.
    pub(crate) fn send_many(&self, id: ChannelId, count: u32, len: usize) {
        let mut next = 0;
        self.perform(move |now, connection| {
            while next < count {
                if connection.send(now, id, 7, numbered(next, len)).is_err() {
                    return Progress::Again;
                }
                next += 1;
            }
            Progress::Done
        });
    }

    /// The next event.
    pub(crate) async fn next(&mut self) -> (Instant, Event) {
        let event = timeout(PATIENCE, self.seen.recv()).await;
        event
            .expect("nothing happened for too long")
            .expect("the session is over")
    }

    /// Waits for the channel that [`client`](Self::client) asks for.
    pub(crate) async fn channel(&mut self) -> ChannelId {
        loop {
            if let (_, Event::ChannelOpened { id, spec, .. }) = self.next().await
                && spec.name == "data"
            {
                return id;
            }
        }
    }

    /// Waits for the next message.
    pub(crate) async fn message(&mut self) -> (Instant, Bytes) {
        loop {
            if let (at, Event::Message { payload, .. }) = self.next().await {
                return (at, payload);
            }
        }
    }

    /// Waits for `count` messages and checks that they are those of [`send_many`](Self::send_many).
    pub(crate) async fn messages(&mut self, count: u32, len: usize) {
        for number in 0..count {
            assert_eq!(
                self.message().await.1,
                numbered(number, len),
                "message {number}"
            );
        }
    }

    /// Waits for the driver to return; the last event must say the same, and be the only `Closed`.
    pub(crate) async fn ended(mut self) -> (Code, String) {
        let ended = timeout(PATIENCE, &mut self.driver).await;
        let ended = ended
            .expect("the driver does not end")
            .expect("the driver panicked");
        let mut closed = Vec::new();
        while let Some((_, event)) = self.seen.recv().await {
            assert!(closed.is_empty(), "{event:?} after the end");
            if let Event::Closed { code, reason, .. } = event {
                closed.push((code, reason));
            }
        }
        assert_eq!(closed, std::slice::from_ref(&ended));
        ended
    }

    /// Whether the driver has returned.
    pub(crate) fn is_over(&self) -> bool {
        self.driver.is_finished()
    }
}

/// A client without a driver: the test decides when it reads and when it writes.
pub(crate) struct Manual<R, T> {
    pub(crate) connection: Connection,
    pub(crate) rx: R,
    pub(crate) tx: T,
}

impl<R: LinkRx, T: LinkTx> Manual<R, T> {
    pub(crate) fn new(connection: Connection, (rx, tx): (R, T)) -> Self {
        Self { connection, rx, tx }
    }

    /// Writes all that the core wants to send.
    pub(crate) async fn write(&mut self) {
        while let Some(mut transmit) = self.connection.poll_transmit() {
            loop {
                match self.tx.try_send(transmit) {
                    Ok(()) => break,
                    Err(TrySend::Full(back) | TrySend::LaneFull(back)) => transmit = back,
                    Err(TrySend::Closed) => return,
                }
                self.tx.writable().await;
            }
        }
        self.tx.writable().await;
    }

    /// Reads one frame.
    pub(crate) async fn read(&mut self) -> Bytes {
        loop {
            let limit = self.connection.frame_limit();
            let incoming = timeout(PATIENCE, self.rx.recv(limit)).await;
            match incoming.expect("nothing comes") {
                Incoming::Message { lane, frame } => {
                    self.connection
                        .handle_message(now(), lane.as_deref(), frame.clone());
                    return frame;
                }
                Incoming::LaneOpened(name) => self.connection.handle_lane_opened(now(), &name),
                other => panic!("{other:?} in place of a frame"),
            }
        }
    }

    /// Says hello and waits until the channel `data` is open.
    pub(crate) async fn channel(&mut self) -> ChannelId {
        self.write().await;
        loop {
            self.read().await;
            self.write().await;
            while let Some(event) = self.connection.poll_event() {
                if let Event::ChannelOpened { id, .. } = event {
                    return id;
                }
            }
        }
    }

    /// Reads until the server says CLOSE, and returns its code.
    pub(crate) async fn close_code(&mut self) -> Code {
        loop {
            self.read().await;
            while let Some(event) = self.connection.poll_event() {
                if let Event::Closed { code, .. } = event {
                    return code;
                }
            }
        }
    }
}

/// A client that lists the channel `data` in its HELLO.
pub(crate) fn client_config() -> ClientConfig {
    ClientConfig {
        channels: vec![ChannelSpec::reliable("data")],
        ..ClientConfig::default()
    }
}

/// A client's core.
pub(crate) fn client() -> Connection {
    Connection::client(client_config(), LinkKind::Shared, now())
}

/// A payload of `len` bytes that begins with a number.
pub(crate) fn numbered(number: u32, len: usize) -> Bytes {
    let mut payload = number.to_be_bytes().to_vec();
    payload.resize(len, 0xA5);
    payload.into()
}

/// The time of the runtime.
pub(crate) fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

/// A deadline that a working link does not reach.
pub(crate) fn soon() -> Instant {
    now() + Duration::from_secs(10)
}

/// How long a test waits for something that has to happen.
const PATIENCE: Duration = Duration::from_secs(120);
