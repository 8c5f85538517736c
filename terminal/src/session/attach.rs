//! The beginning of a connection to a holder.

use std::io;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

use super::Session;
use super::follow::follow;
use super::link::Link;
use super::model::Model;
use super::shared::Shared;
use super::way::Way;
use crate::Error;
use crate::hold::{
    BUILD, HEADER_BYTES, Inbox, PREAMBLE, RING_BYTES, Report, Request, UPGRADE, Welcome, fault,
    is_checkpoint_possible,
};

/// A connection to a holder that has not said how everything stands.
pub(crate) struct Beginning {
    stream: UnixStream,
    inbox: Inbox,
}

/// What became of a terminal that was asked for.
pub(crate) enum Found {
    /// Here it is.
    Session(Arc<Session>),
    /// Its holder is of another version, and was asked to become one of ours.
    Upgrading,
}

impl Beginning {
    pub(crate) fn new(stream: UnixStream) -> Self {
        Self {
            stream,
            inbox: Inbox::new(),
        }
    }

    /// Begins with a holder that was just started.
    pub(crate) async fn with_new(mut self) -> Result<Arc<Session>, Error> {
        let welcome = self.welcome().await?;
        Ok(self.follow(&welcome, &[], 0, false))
    }

    /// Takes a terminal over, with all that its holder has kept.
    pub(crate) async fn with_old(mut self) -> Result<Found, Error> {
        self.stream.write_all(&PREAMBLE).await?;
        let preamble = self.preamble().await?;
        if preamble != PREAMBLE {
            let mut upgrade = [0; HEADER_BYTES];
            upgrade[0] = UPGRADE;
            self.stream.write_all(&upgrade).await?;
            return Ok(Found::Upgrading);
        }
        self.say(&Request::Attach).await?;
        let welcome = self.welcome().await?;
        let mut checkpoint = Vec::new();
        if welcome.checkpoint_bytes > 0 {
            self.say(&Request::FetchCheckpoint).await?;
            self.checkpoint(&mut checkpoint).await?;
        }
        // Some of what was before is for clients that come back.
        let recent = welcome.end.saturating_sub(RECENT_BYTES);
        let from = welcome.checkpoint.offset.min(recent).max(welcome.first);
        let session = self.follow(&welcome, &checkpoint, from, true);
        while session.history().end() < welcome.end && !session.history().is_ended() {
            session.history().changed(session.history().end()).await;
        }
        if session.history().end() < welcome.end {
            return Err(Error::Holder("did not say what it kept"));
        }
        if welcome.exit.is_some() {
            session.shared.exit.send_replace(welcome.exit);
        }
        if welcome.build != BUILD {
            session.shared.way.link().send(Request::Upgrade);
        }
        Ok(Found::Session(session))
    }

    /// Waits until the holder says how everything stands, or why there is nothing.
    async fn welcome(&mut self) -> Result<Welcome, Error> {
        loop {
            if let Some((kind, payload)) = self.inbox.frame().map_err(|_| NO_SENSE)? {
                return match Report::decode(kind, payload) {
                    Some(Report::Welcome(welcome)) => Ok(*welcome),
                    Some(Report::Failed(why)) => Err(fault::decode(why).unwrap_or(NO_SENSE)),
                    _ => Err(NO_SENSE),
                };
            }
            self.read().await?;
        }
    }

    async fn preamble(&mut self) -> Result<[u8; PREAMBLE.len()], Error> {
        loop {
            if let Some(preamble) = self.inbox.take(PREAMBLE.len()) {
                return preamble.try_into().map_err(|_| NO_SENSE);
            }
            self.read().await?;
        }
    }

    async fn checkpoint(&mut self, bytes: &mut Vec<u8>) -> Result<(), Error> {
        loop {
            while let Some((kind, payload)) = self.inbox.frame().map_err(|_| NO_SENSE)? {
                match Report::decode(kind, payload) {
                    Some(Report::CheckpointPart(part))
                        if is_checkpoint_possible(bytes.len() + part.len()) =>
                    {
                        bytes.extend_from_slice(part);
                    }
                    Some(Report::CheckpointEnd(_)) => return Ok(()),
                    // The mode of the terminal may change meanwhile; it is told again.
                    Some(Report::Tty(_)) => {}
                    _ => return Err(NO_SENSE),
                }
            }
            self.read().await?;
        }
    }

    async fn read(&mut self) -> Result<(), Error> {
        let count = self.stream.read(self.inbox.space()).await?;
        self.inbox.filled(count);
        if count == 0 {
            return Err(Error::Io(io::ErrorKind::UnexpectedEof.into()));
        }
        Ok(())
    }

    async fn say(&mut self, request: &Request<'_>) -> Result<(), Error> {
        let mut bytes = Vec::new();
        request.encode(&mut bytes);
        Ok(self.stream.write_all(&bytes).await?)
    }

    /// Listens to the holder from now on.
    fn follow(
        self,
        welcome: &Welcome,
        checkpoint: &[u8],
        from: u64,
        answering: bool,
    ) -> Arc<Session> {
        let (read, write) = self.stream.into_split();
        let model = Model::new(welcome, checkpoint);
        let way = Way::new(Link::new(write));
        let shared = Arc::new(Shared::new(welcome, model, way, from, answering));
        shared.way.link().send(Request::Follow {
            from,
            until: u64::MAX,
        });
        let task = tokio::spawn(follow(Arc::clone(&shared), read, self.inbox));
        Arc::new(Session {
            shared,
            task: task.abort_handle(),
        })
    }
}

const NO_SENSE: Error = Error::Holder("said what makes no sense");

/// How much of the output is asked for that came before the checkpoint.
const RECENT_BYTES: u64 = 256 * 1024;

const _: () = assert!(RECENT_BYTES < RING_BYTES);
