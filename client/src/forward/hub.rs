//! The control channel of forwards, and what is agreed on it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::DuplexStream;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::timeout;
use vroom_protocol::forward::{
    CHANNEL, ConnectionAck, ConnectionName, Direction, Endpoint, ForwardConnection, ForwardRequest,
    Message,
};

use super::spec::ForwardSpec;
use super::{listen, pipe, serve};
use crate::auth::Agent;
use crate::error::Error;
use crate::options::Consent;
use crate::remote::{Channel, LinkState, Remote};
use crate::ui::Ui;

/// All forwards of one connection; clones are the same.
#[derive(Clone, Debug)]
pub struct Forwards {
    shared: Arc<Shared>,
}

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) remote: Remote,
    pub(super) ui: Ui,
    state: Mutex<State>,
    /// Messages for the control channel.
    outgoing: mpsc::UnboundedSender<Message>,
    /// Rings when somebody has connected at the other end.
    connected: Notify,
}

#[derive(Debug, Default)]
struct State {
    next_forward: u64,
    forwards: BTreeMap<u64, Forward>,
    answers: BTreeMap<u64, oneshot::Sender<Result<u16, Error>>>,
    /// Who has connected at the other end, until the channel comes; bounded.
    announced: BTreeMap<String, ForwardConnection>,
    /// The connections that run, in words.
    open: BTreeMap<String, String>,
}

#[derive(Clone, Debug)]
struct Forward {
    request: ForwardRequest,
    next_connection: u64,
    kind: Kind,
}

#[derive(Clone, Debug)]
pub(super) enum Kind {
    /// We listen.
    Here,
    /// They listen, we connect.
    There(Endpoint),
    /// They listen, and the agent here answers.
    Agent(Agent, Consent),
}

impl Forwards {
    /// Forwards nothing yet.
    #[must_use]
    pub fn new(remote: Remote, ui: Ui) -> Self {
        let (outgoing, messages) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared {
            remote,
            ui,
            state: Mutex::default(),
            outgoing,
            connected: Notify::new(),
        });
        tokio::spawn(run(Arc::clone(&shared), messages));
        tokio::spawn(serve::run(Arc::clone(&shared)));
        Self { shared }
    }

    /// Starts to forward; returns the port that is listened on, 0 for a Unix socket.
    pub async fn start(&self, spec: &ForwardSpec) -> Result<u16, Error> {
        match spec.direction {
            Direction::Local | Direction::Dynamic => {
                let listener = listen::Listener::bind(&spec.bind).await?;
                let port = listener.port();
                let id = self.request(spec, Kind::Here).await?.0;
                let shared = Arc::clone(&self.shared);
                tokio::spawn(listen::run(shared, listener, id, spec.clone()));
                Ok(port)
            }
            Direction::Remote | Direction::Agent => {
                let kind = Kind::There(spec.target.clone());
                Ok(self.request(spec, kind).await?.1)
            }
        }
    }

    /// Lets programs there use the agent here.
    pub async fn start_agent(&self, agent: Agent, consent: Consent) -> Result<(), Error> {
        let spec = ForwardSpec {
            direction: Direction::Agent,
            bind: Endpoint::default(),
            target: Endpoint::default(),
        };
        self.request(&spec, Kind::Agent(agent, consent)).await?;
        Ok(())
    }

    /// Connects to a host through the server.
    pub async fn connect(&self, host: &str, port: u16) -> Result<DuplexStream, Error> {
        let spec = ForwardSpec {
            direction: Direction::Dynamic,
            bind: Endpoint::default(),
            target: Endpoint::default(),
        };
        let existing = self
            .shared
            .lock()
            .forwards
            .iter()
            .find_map(|(id, forward)| {
                let is_dynamic = forward.request.direction == Direction::Dynamic;
                is_dynamic.then_some(*id)
            });
        let id = match existing {
            Some(id) => id,
            None => self.request(&spec, Kind::Here).await?.0,
        };
        let target = Endpoint::tcp(host, port);
        let channel = self.shared.open(id, "", 0, Some(target)).await?;
        let (near, far) = tokio::io::duplex(PIPE_BYTES);
        tokio::spawn(pipe::pipe(far, channel));
        Ok(near)
    }

    async fn request(&self, spec: &ForwardSpec, kind: Kind) -> Result<(u64, u16), Error> {
        let (answer, answered) = oneshot::channel();
        let request = {
            let mut state = self.shared.lock();
            state.next_forward += 1;
            let request = ForwardRequest {
                forward_id: state.next_forward,
                direction: spec.direction,
                bind: spec.bind.clone(),
                target: spec.target.clone(),
            };
            state.answers.insert(request.forward_id, answer);
            state.forwards.insert(
                request.forward_id,
                Forward {
                    request: request.clone(),
                    next_connection: 0,
                    kind,
                },
            );
            request
        };
        let id = request.forward_id;
        self.shared.send(Message::Request(request));
        let answer = match timeout(ANSWER, answered).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(Error::Lost),
            Err(_) => Err(Error::PeerMisbehaved(
                "it does not answer a request to forward".to_owned(),
            )),
        };
        if answer.is_err() {
            self.shared.lock().forwards.remove(&id);
        }
        Ok((id, answer?))
    }

    /// What is forwarded, and the connections that run, for the person.
    #[must_use]
    pub fn listing(&self) -> String {
        let state = self.shared.lock();
        if state.forwards.is_empty() {
            return "Nothing is forwarded.\r\n".to_owned();
        }
        let mut text = "Forwarded:\r\n".to_owned();
        // Writing to a String cannot fail.
        for forward in state.forwards.values() {
            let ForwardRequest { bind, target, .. } = &forward.request;
            let _ = match forward.request.direction {
                Direction::Local => write!(text, "  -L {bind} to {target}\r\n"),
                Direction::Remote => write!(text, "  -R {bind} to {target}\r\n"),
                Direction::Dynamic => write!(text, "  -D {bind}\r\n"),
                Direction::Agent => write!(text, "  -A the agent\r\n"),
            };
        }
        if !state.open.is_empty() {
            text.push_str("Open connections:\r\n");
        }
        for what in state.open.values() {
            let _ = write!(text, "  {what}\r\n");
        }
        text
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn send(&self, message: Message) {
        // The task that takes them lives as long as we do.
        drop(self.outgoing.send(message));
    }

    /// Opens the channel of a connection that came to us.
    pub(super) async fn open(
        &self,
        forward: u64,
        source: &str,
        source_port: u16,
        target: Option<Endpoint>,
    ) -> Result<Channel, Error> {
        let connection = {
            let mut state = self.lock();
            let forward = state.forwards.get_mut(&forward).ok_or(Error::Lost)?;
            forward.next_connection += 1;
            forward.next_connection
        };
        let name = ConnectionName {
            forward,
            connection,
        };
        let name = name.to_string();
        self.send(Message::Connection(ForwardConnection {
            forward_id: forward,
            channel_name: name.clone(),
            source_address: source.to_owned(),
            source_port: source_port.into(),
            target,
        }));
        self.remote.open_bounded(&name, WAITING_BYTES).await
    }

    /// What a forward leads to that the other side listens for.
    pub(super) fn kind(&self, forward: u64) -> Option<Kind> {
        let state = self.lock();
        state
            .forwards
            .get(&forward)
            .map(|forward| forward.kind.clone())
    }

    /// Who has connected at the other end, as soon as that was told.
    pub(super) async fn announced(&self, name: &str) -> Option<ForwardConnection> {
        let told = async {
            loop {
                let connected = self.connected.notified();
                if let Some(connection) = self.lock().announced.remove(name) {
                    return connection;
                }
                connected.await;
            }
        };
        timeout(ANNOUNCEMENT, told).await.ok()
    }

    pub(super) fn acknowledge(&self, ack: ConnectionAck) {
        self.send(Message::ConnectionAck(ack));
    }

    /// Notes a connection for as long as the result lives.
    pub(super) fn note(self: &Arc<Self>, name: &str, what: String) -> Noted {
        self.lock().open.insert(name.to_owned(), what);
        Noted {
            shared: Arc::clone(self),
            name: name.to_owned(),
        }
    }

    fn receive(&self, message: Message) {
        match message {
            Message::Response(response) => {
                let answer = self.lock().answers.remove(&response.forward_id);
                let outcome = response.outcome.map_err(|(code, reason)| {
                    Error::Declined(format!(
                        "the server does not forward: {reason} ({})",
                        code.name()
                    ))
                });
                match (answer, outcome) {
                    // Whoever asked may have gone.
                    (Some(answer), outcome) => drop(answer.send(outcome)),
                    (None, Err(error)) => self.ui.notice(&error.to_string()),
                    (None, Ok(_)) => {}
                }
            }
            Message::Connection(connection) => {
                let mut state = self.lock();
                if state.announced.len() < ANNOUNCED_MAX {
                    let name = connection.channel_name.clone();
                    state.announced.insert(name, connection);
                }
                drop(state);
                self.connected.notify_waiters();
            }
            Message::ConnectionAck(ack) => {
                if let Err((_, reason)) = ack.outcome {
                    self.ui.verbose(&format!("{}: {reason}", ack.channel_name));
                }
            }
            // Nobody asks a client to forward.
            Message::Request(_) | Message::Cancel { .. } => {}
        }
    }
}

/// A connection that is listed while this lives.
#[derive(Debug)]
pub(super) struct Noted {
    shared: Arc<Shared>,
    name: String,
}

impl Drop for Noted {
    fn drop(&mut self) {
        self.shared.lock().open.remove(&self.name);
    }
}

/// Keeps the control channel, and asks for all forwards again when it was lost.
async fn run(shared: Arc<Shared>, mut messages: mpsc::UnboundedReceiver<Message>) {
    let mut is_first = true;
    let mut held = None;
    loop {
        // Opened when there is something to say.
        if is_first {
            held = messages.recv().await;
            if held.is_none() {
                return;
            }
        }
        let channel = match shared.remote.open(CHANNEL).await {
            Ok(channel) => channel,
            Err(Error::Lost) => {
                if !up(&shared.remote).await {
                    return;
                }
                continue;
            }
            Err(error) => {
                // All who wait are told by losing their answer.
                shared.lock().answers.clear();
                shared.ui.verbose(&error.to_string());
                return;
            }
        };
        if is_first {
            is_first = false;
        } else {
            let requests: Vec<ForwardRequest> = {
                let state = shared.lock();
                state
                    .forwards
                    .values()
                    .map(|forward| forward.request.clone())
                    .collect()
            };
            for request in requests {
                let (kind, payload) = Message::Request(request).encode();
                drop(channel.send_now(kind, payload));
            }
        }
        if let Some(message) = held.take() {
            let (kind, payload) = message.encode();
            drop(channel.send_now(kind, payload));
        }
        loop {
            tokio::select! {
                message = messages.recv() => {
                    let Some(message) = message else { return };
                    let (kind, payload) = message.encode();
                    if channel.send_now(kind, payload).is_err() {
                        break;
                    }
                }
                received = channel.recv() => {
                    let Some((kind, payload)) = received else { break };
                    match Message::decode(kind, &payload) {
                        Ok(message) => shared.receive(message),
                        Err(error) => shared.ui.verbose(&error.to_string()),
                    }
                }
            }
        }
        if !up(&shared.remote).await {
            return;
        }
    }
}

/// Waits until the connection is up; false when it is over.
async fn up(remote: &Remote) -> bool {
    let mut link = remote.link();
    let settled = link.wait_for(|link| matches!(link, LinkState::Up { .. } | LinkState::Ended(_)));
    let is_up = matches!(settled.await.as_deref(), Ok(LinkState::Up { .. }));
    // Lets others run when the channel is lost again and again.
    tokio::time::sleep(PAUSE).await;
    is_up
}

/// How long the server may take to answer a request to forward.
const ANSWER: Duration = Duration::from_secs(20);

/// How long the word of a connection may come after its channel; then nobody knows who it is.
const ANNOUNCEMENT: Duration = Duration::from_secs(5);

/// How many connections may be announced whose channel did not come; further words are dropped.
const ANNOUNCED_MAX: usize = 256;

/// How much of a forwarded connection may wait for who reads it here, with room over the window
/// that the server keeps to; then it is closed.
pub(super) const WAITING_BYTES: usize = 4 * 1024 * 1024;

/// How much of a connection through the server may wait between its two halves.
const PIPE_BYTES: usize = 64 * 1024;

/// The pause before a lost control channel is opened again.
const PAUSE: Duration = Duration::from_millis(100);
