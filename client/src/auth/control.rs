//! The control channel of a terminal: the state machine of the protocol, fed and emptied.

use std::time::Instant;

use vroom_protocol::terminal::{Client, ClientConfig, ClientEvent, WrongState};

use crate::error::Error;
use crate::remote::Channel;

/// The control channel of a terminal.
#[derive(Debug)]
pub struct Control {
    client: Client,
    channel: Channel,
}

impl Control {
    /// Begins on a channel that was just opened.
    pub fn new(channel: Channel, config: ClientConfig) -> Result<Self, Error> {
        let client = Client::new(config, now());
        let mut control = Self { client, channel };
        control.flush()?;
        Ok(control)
    }

    /// The state machine, for what only looks.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Takes a step, and sends what follows from it.
    pub fn step(
        &mut self,
        step: impl FnOnce(&mut Client, Instant) -> Result<(), WrongState>,
    ) -> Result<(), Error> {
        step(&mut self.client, now()).map_err(|error| Error::PeerMisbehaved(error.to_string()))?;
        self.flush()
    }

    /// The PTY channel was opened.
    pub fn pty_opened(&mut self) {
        self.client.handle_pty_channel_opened(now());
    }

    /// Whether the channel is gone.
    pub fn is_closed(&self) -> bool {
        self.channel.is_closed()
    }

    /// The next event; cancel-safe. [`Error::Lost`] when the channel is gone.
    pub async fn event(&mut self) -> Result<ClientEvent, Error> {
        loop {
            if let Some(event) = self.client.poll_event() {
                self.flush()?;
                return Ok(event);
            }
            self.flush()?;
            let received = match self.client.poll_timeout() {
                Some(due) => {
                    let received = tokio::time::timeout_at(due.into(), self.channel.recv()).await;
                    match received {
                        Ok(received) => received,
                        Err(_) => {
                            self.client.handle_timeout(now());
                            continue;
                        }
                    }
                }
                None => self.channel.recv().await,
            };
            let Some((_, payload)) = received else {
                return Err(Error::Lost);
            };
            self.client.handle(now(), &payload);
        }
    }

    fn flush(&mut self) -> Result<(), Error> {
        while let Some(payload) = self.client.poll_transmit() {
            self.channel.send_now(MESSAGE, payload)?;
        }
        Ok(())
    }
}

fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

/// The mux type of all messages of a control channel.
const MESSAGE: u8 = 0;
