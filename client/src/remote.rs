//! The server at the other end: one connection that outlives its transports.
//!
//! [`Remote`] is the handle that everything here holds; one task runs the connection, dials again
//! when a transport is lost, and goes on with the session. Channels survive that, unless the server
//! no longer knows the session.

mod channel;
mod keep;
mod pump;
mod state;
mod watch;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{oneshot, watch as watched};
use vroom_protocol::{ChannelSpec, Code, RequestId};

use crate::error::Error;
use crate::net::Dialer;

pub use channel::Channel;
pub use state::{Incoming, LinkState};

use state::{Op, Shared};

/// The server at the other end.
#[derive(Clone, Debug)]
pub struct Remote {
    shared: Arc<Shared>,
}

impl Remote {
    /// Connects, and keeps the connection until it is closed.
    ///
    /// With `persistent`, a transport that is lost later is replaced until [`close`](Self::close)
    /// is called or the server says that it is no use; otherwise its loss ends the connection
    /// unless the session can be resumed within a moment.
    pub async fn connect(dialer: Dialer, persistent: bool) -> Result<Self, Error> {
        let shared = Arc::new(Shared::new());
        let (tell, failed) = oneshot::channel();
        tokio::spawn(keep::run(dialer, Arc::clone(&shared), persistent, tell));
        let remote = Self { shared };
        let mut link = remote.link();
        let reached = link.wait_for(|link| !matches!(link, LinkState::Connecting));
        let reached = reached.await.map(|link| link.clone());
        match reached {
            Ok(LinkState::Ended(error)) => {
                let first = failed.await;
                Err(first.unwrap_or_else(|_| Error::Declined(error.to_string())))
            }
            Ok(_) => Ok(remote),
            Err(_) => Err(Error::Lost),
        }
    }

    /// How the connection stands, as it changes.
    pub fn link(&self) -> watched::Receiver<LinkState> {
        self.shared.link.subscribe()
    }

    /// Opens a reliable channel.
    pub async fn open(&self, name: &str) -> Result<Channel, Error> {
        let channel = self.shared.ask(ChannelSpec::reliable(name), None);
        channel.opened(name).await?;
        Ok(channel)
    }

    /// Opens a reliable channel whose reader may be slow: it holds nobody up, and the channel is
    /// closed when more than so many bytes wait for it.
    pub async fn open_bounded(&self, name: &str, bytes_max: usize) -> Result<Channel, Error> {
        let channel = self
            .shared
            .ask(ChannelSpec::reliable(name), Some(bytes_max));
        channel.opened(name).await?;
        Ok(channel)
    }

    /// Opens the channel that the server asked for, with a reader that may be slow.
    pub async fn accept_bounded(
        &self,
        incoming: Incoming,
        bytes_max: usize,
    ) -> Result<Channel, Error> {
        let channel = self.shared.accept(incoming.request, Some(bytes_max));
        channel.opened(&incoming.name).await?;
        Ok(channel)
    }

    /// Does not open the channel that the server asked for.
    pub fn reject(&self, request: RequestId, code: Code, reason: &str) {
        self.shared
            .push(Op::Reject(request, code, reason.to_owned()));
    }

    /// The next channel that the server asks for.
    pub async fn incoming(&self) -> Incoming {
        loop {
            let notified = self.shared.incoming_bell.notified();
            if let Some(incoming) = self.shared.lock().incoming.pop_front() {
                return incoming;
            }
            notified.await;
        }
    }

    /// Who the server said we are when it took us in, if it did.
    pub fn user(&self) -> Option<String> {
        self.shared.lock().user.clone()
    }

    /// What the server says it is.
    pub fn server(&self) -> Option<String> {
        self.shared.lock().server.clone()
    }

    /// How far the server's clock is ahead of ours, in milliseconds, where it told; its word took
    /// half a round trip to come.
    pub fn clock_ahead_ms(&self) -> Option<i64> {
        let (theirs, ours) = self.shared.lock().clocks?;
        let way = self.rtt().unwrap_or_default().as_millis() / 2;
        let theirs = i64::try_from(theirs).ok()?;
        let ours = i64::try_from(ours).ok()?;
        theirs
            .checked_add(i64::try_from(way).ok()?)?
            .checked_sub(ours)
    }

    /// The extensions that the server has.
    pub fn has_extension(&self, name: &str) -> bool {
        self.shared.lock().extensions.iter().any(|has| has == name)
    }

    /// What signatures are bound to on the present transport.
    pub fn binding(&self) -> Vec<u8> {
        self.shared.lock().binding.clone()
    }

    /// The last measured time to the server and back.
    pub fn rtt(&self) -> Option<Duration> {
        self.shared.lock().rtt
    }

    /// Asks the server whether it is there.
    pub fn ping(&self) {
        self.shared.push(Op::Ping);
    }

    /// Asks for the list of sessions.
    pub async fn sessions(&self) -> Result<Vec<vroom_protocol::mux::SessionEntry>, Error> {
        self.request(Op::List).await?
    }

    /// Renames or ends a session; answers with the new list.
    pub async fn control(
        &self,
        control: vroom_protocol::mux::SessionControl,
    ) -> Result<Vec<vroom_protocol::mux::SessionEntry>, Error> {
        self.request(|answer| Op::Control(control, answer)).await?
    }

    async fn request<T>(&self, op: impl FnOnce(oneshot::Sender<T>) -> Op) -> Result<T, Error> {
        let (answer, answered) = oneshot::channel();
        self.shared.push(op(answer));
        answered.await.map_err(|_| Error::Lost)
    }

    /// Ends the connection and waits until the server has taken that, for a bounded time.
    pub async fn close(&self, reason: &str) {
        self.shared.close(reason);
        let mut link = self.link();
        let ended = link.wait_for(|link| matches!(link, LinkState::Ended(_)));
        // A server that does not answer is left all the same.
        drop(tokio::time::timeout(CLOSE, ended).await);
    }

    /// Gives the present transport up and goes on over a new one.
    pub fn redial(&self) {
        self.shared.cut.notify_one();
    }
}

/// How long closing may take; then it is left undone.
const CLOSE: Duration = Duration::from_secs(3);
