//! A client that a test has in its hands: the mux, and as little as possible around it.

mod link;
mod terminal;

use std::collections::VecDeque;
use std::time::Instant;

use anyhow::{Context as _, Result, anyhow, bail};
use bytes::Bytes;
use tokio::time::timeout_at;
use vroom_protocol::mux::Suspended;
use vroom_protocol::{
    Auth, ChannelId, ChannelSpec, ClientConfig, Connection, Event, LinkKind, Welcome,
};
use vroom_transport::Incoming;

use self::link::AnyLink;
use crate::pty::PATIENCE;

pub use self::link::Dial;
pub use self::terminal::{Launch, Terminal};

/// A connection to a vroomd.
pub struct Client {
    connection: Connection,
    config: ClientConfig,
    link: Option<AnyLink>,
    /// What came and was not asked for yet; as much as a test lets lie.
    backlog: VecDeque<Event>,
}

impl Client {
    /// Connects, says HELLO and waits until the server takes us in.
    pub async fn login(dial: &Dial, auth: Auth) -> Result<Self> {
        let mut client = Self::connect(dial, Some(auth)).await?;
        client.welcome().await?;
        Ok(client)
    }

    /// Connects and says HELLO.
    pub async fn connect(dial: &Dial, auth: Option<Auth>) -> Result<Self> {
        let mut config = ClientConfig {
            auth,
            ..ClientConfig::default()
        };
        config.extensions.extend(EXTENSIONS.map(str::to_owned));
        let link = AnyLink::open(dial).await?;
        let connection = Connection::client(config.clone(), LinkKind::Shared, Instant::now());
        Ok(Self {
            connection,
            config,
            link: Some(link),
            backlog: VecDeque::new(),
        })
    }

    /// Waits until the server takes us in.
    pub async fn welcome(&mut self) -> Result<Welcome> {
        self.find("WELCOME", |event| match event {
            Event::Welcome(welcome) => Some(welcome.clone()),
            _ => None,
        })
        .await
    }

    /// Drops the link as a network does: without a word.
    pub fn lose_link(&mut self) {
        self.link = None;
    }

    /// Goes on with the session over a new link and waits until the server does, too.
    pub async fn resume(&mut self, dial: &Dial) -> Result<()> {
        self.connection.handle_disconnected(Instant::now());
        let session = self.suspend().context("there is no session to resume")?;
        let link = AnyLink::open(dial).await?;
        let config = self.config.clone();
        self.connection =
            Connection::client_resume(config, LinkKind::Shared, Instant::now(), session);
        self.link = Some(link);
        let answer = self.find("RESUME_RESPONSE", |event| match event {
            Event::Resumed { .. } => Some(Ok(())),
            Event::ResumeFailed { code, reason } => Some(Err(anyhow!("{code}: {reason}"))),
            _ => None,
        });
        answer.await?
    }

    fn suspend(&mut self) -> Option<Suspended> {
        let suspended = self.connection.suspend(Instant::now());
        // What came before the link was lost still counts; the end of the link does not.
        while let Some(event) = self.connection.poll_event() {
            if !matches!(event, Event::Closed { .. }) {
                self.backlog.push_back(event);
            }
        }
        self.backlog
            .retain(|event| !matches!(event, Event::Closed { .. }));
        suspended
    }

    /// Opens a channel.
    pub async fn open(&mut self, name: &str) -> Result<ChannelId> {
        let request = self
            .connection
            .open_channel(Instant::now(), ChannelSpec::reliable(name));
        let wanted = request.map_err(|error| anyhow!("{name}: {error}"))?;
        let answer = self.find("an answer to OPEN_CHANNEL", |event| match event {
            Event::ChannelOpened { id, request, .. } if *request == Some(wanted) => Some(Ok(*id)),
            Event::ChannelRejected {
                request,
                code,
                reason,
            } if *request == wanted => Some(Err(anyhow!("{name} was refused: {code} {reason}"))),
            _ => None,
        });
        answer.await?
    }

    /// Sends a message and hands it to the link.
    pub async fn send(&mut self, channel: ChannelId, (kind, payload): (u8, Bytes)) -> Result<()> {
        self.connection
            .send(Instant::now(), channel, kind, payload)
            .map_err(|error| anyhow!("sending: {error}"))?;
        self.flush().await
    }

    /// Waits until the server closes a channel; gives the reason.
    pub async fn channel_closed(&mut self, channel: ChannelId) -> Result<String> {
        self.find("CLOSE_CHANNEL", |event| match event {
            Event::ChannelClosed { id, reason, .. } if *id == channel => Some(reason.clone()),
            Event::Closed { reason, .. } => Some(reason.clone()),
            _ => None,
        })
        .await
    }

    /// Waits for an ERROR of the mux; gives its number.
    pub async fn error(&mut self) -> Result<u16> {
        self.find("ERROR", |event| match event {
            Event::PeerError { code, .. } => Some(code.0),
            _ => None,
        })
        .await
    }

    /// The first event that is wanted; the others wait for those who ask later.
    pub async fn find<X>(
        &mut self,
        what: &str,
        pick: impl FnMut(&Event) -> Option<X>,
    ) -> Result<X> {
        let deadline = Instant::now() + PATIENCE;
        self.find_by(deadline, pick)
            .await?
            .with_context(|| format!("waiting for {what}; there is {:?}", self.backlog))
    }

    /// The same with a deadline that may pass.
    pub async fn find_by<X>(
        &mut self,
        deadline: Instant,
        mut pick: impl FnMut(&Event) -> Option<X>,
    ) -> Result<Option<X>> {
        let mut looked_at = 0;
        loop {
            while let Some(event) = self.backlog.get(looked_at) {
                if let Some(picked) = pick(event) {
                    self.backlog.remove(looked_at);
                    return Ok(Some(picked));
                }
                looked_at += 1;
            }
            match timeout_at(deadline.into(), self.turn()).await {
                Ok(turned) => turned?,
                Err(_) => return Ok(None),
            }
        }
    }

    /// Receives once, or works on what is due.
    async fn turn(&mut self) -> Result<()> {
        self.flush().await?;
        let limit = self.connection.frame_limit();
        let due = self.connection.poll_timeout();
        let Some(link) = &mut self.link else {
            bail!("there is no link");
        };
        let received = match due {
            Some(due) => timeout_at(due.into(), link.recv(limit)).await.ok(),
            None => Some(link.recv(limit).await),
        };
        let now = Instant::now();
        match received {
            None => self.connection.handle_timeout(now),
            Some(Incoming::Message { lane, frame }) => {
                self.connection.handle_message(now, lane.as_deref(), frame);
            }
            Some(Incoming::Closed) => {
                self.link = None;
                self.collect();
                bail!("the link is gone; there is {:?}", self.backlog);
            }
            Some(other) => bail!("the server sent {other:?}"),
        }
        self.collect();
        self.flush().await
    }

    /// Hands everything to the link.
    pub async fn flush(&mut self) -> Result<()> {
        if let Some(link) = &mut self.link {
            while let Some(transmit) = self.connection.poll_transmit() {
                link.send(transmit).await;
            }
            link.written().await;
        }
        self.collect();
        Ok(())
    }

    fn collect(&mut self) {
        while let Some(event) = self.connection.poll_event() {
            self.backlog.push_back(event);
        }
    }
}

/// What it can do beyond the mux itself.
const EXTENSIONS: [&str; 4] = [
    "session-resume",
    "vroom-seq-ack",
    "session-persistence",
    "file-transfer",
];
