//! A terminal of a test client: the conversation, the offsets, and what is shown.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use anyhow::{Context as _, Result, bail, ensure};
use bytes::Bytes;
use sha2::{Digest as _, Sha256};
use vroom_protocol::terminal::{
    AuthRequest, Capabilities, Client as State, ClientConfig, ClientEvent, ExecRequest, ExitStatus,
    Extensions, PtyGrant, PtyMessage, PtyMode, PtyRequest, ShareRequest, ShareState, WindowSize,
    Writer,
};
use vroom_protocol::{ChannelId, Event};
use vroom_terminal::PtySize;
use vroom_terminal::screen::{Screen, ScreenLimits};

use super::Client;
use crate::pty::{COLS, PATIENCE, ROWS};

/// What a terminal of the tests runs.
#[derive(Clone, Debug, Default)]
pub struct Launch {
    /// The line that sh runs; joining a terminal needs none.
    pub line: Option<String>,
    /// The terminal to join, by id or name.
    pub attach: Option<String>,
    /// The name that a new one has.
    pub name: Option<String>,
    /// Whether it outlives its client.
    pub persist: bool,
    /// Only to look.
    pub readonly: bool,
    /// The output that was shown already, to go on from there.
    pub have: Option<u64>,
    /// The stream of input to go on with.
    pub writer: Option<String>,
    /// Whether what comes may be compressed.
    pub compresses: bool,
    /// Whether what shows it knows neither images nor other keys than those of old.
    pub is_plain: bool,
}

impl Launch {
    /// A new terminal that outlives its client.
    pub fn line(line: impl Into<String>) -> Self {
        Self {
            line: Some(line.into()),
            persist: true,
            ..Self::default()
        }
    }

    /// One that is there.
    pub fn attach(id: impl Into<String>) -> Self {
        Self {
            attach: Some(id.into()),
            ..Self::default()
        }
    }
}

/// A terminal, and a second one that shows what came.
pub struct Terminal {
    state: State,
    suffix: String,
    control: ChannelId,
    pty: Option<ChannelId>,
    /// What the client's terminal shows.
    pub screen: Screen,
    /// What the server granted.
    pub grant: Option<PtyGrant>,
    /// The last word on who is there.
    pub share: Option<ShareState>,
    /// Every word on who is there, in order.
    pub shares: Vec<ShareState>,
    /// The modes that the server told last.
    pub modes: Option<PtyMode>,
    /// How the program ended.
    pub exit: Option<ExitStatus>,
    /// Output that was shown so far.
    pub offset: u64,
    /// Bytes of output that came, without repaints.
    pub received: u64,
    /// How many repaints came.
    pub repaints: u32,
    /// How many messages came compressed, output and repaints.
    pub compressed: (u32, u32),
    /// The bytes since the last skip, hashed.
    hash: Sha256,
    /// Whether some output was skipped by a repaint.
    pub skipped: bool,
    /// The end of the raw output, to look for marks in.
    tail: Vec<u8>,
    /// Output that nobody took.
    fresh: Vec<u8>,
    is_blind: bool,
    stages: Stages,
    /// Output acknowledged so far.
    acknowledged: u64,
    /// Whether output is acknowledged; a viewer that stalls does not.
    pub acknowledges: bool,
    writer: String,
    /// Input sent so far.
    pub sent: u64,
    /// Input that the server has not said to have applied.
    unapplied: Vec<u8>,
    /// Input that the server said to have applied.
    pub applied: u64,
    closed: Option<String>,
}

#[derive(Debug, Default)]
struct Stages {
    selected: Option<Capabilities>,
    authenticated: bool,
    started: bool,
}

impl Terminal {
    /// Opens a pair of channels and runs or joins a program, as one who is logged in.
    pub async fn open(client: &mut Client, suffix: &str, launch: &Launch) -> Result<Self> {
        let mut terminal = Self::begin(client, suffix, launch).await?;
        terminal.ask(client, launch).await?;
        if let Some(line) = &launch.line {
            let request = ExecRequest {
                want_reply: true,
                ..ExecRequest::line(line.clone())
            };
            terminal.state.exec(Instant::now(), request)?;
            terminal
                .until(client, "the program's start", |each| each.stages.started)
                .await?;
        }
        Ok(terminal)
    }

    /// Opens the control channel and comes as far as to ask for a PTY.
    pub async fn begin(client: &mut Client, suffix: &str, launch: &Launch) -> Result<Self> {
        let control = client
            .open(&format!("vroom.terminal.control{suffix}"))
            .await?;
        let mut capabilities = Capabilities::transparent();
        if launch.is_plain {
            capabilities.kitty = None;
        } else if let Some(kitty) = &mut capabilities.kitty
            && let Some(keyboard) = &mut kitty.keyboard
        {
            // All that a program can say reaches the screen, so nothing is filtered.
            keyboard.preferred_level = Some(3);
        }
        capabilities.extensions = Some(Extensions {
            flow_control: Some(true),
            sharing: Some(true),
            zstd_compression: Some(launch.compresses),
            ..Extensions::default()
        });
        let config = ClientConfig {
            capabilities,
            ..ClientConfig::default()
        };
        let mut terminal = Self {
            state: State::new(config, Instant::now()),
            suffix: suffix.to_owned(),
            control,
            pty: None,
            screen: new_screen(),
            grant: None,
            share: None,
            shares: Vec::new(),
            modes: None,
            exit: None,
            offset: 0,
            received: 0,
            repaints: 0,
            compressed: (0, 0),
            hash: Sha256::new(),
            skipped: false,
            tail: Vec::new(),
            fresh: Vec::new(),
            is_blind: false,
            stages: Stages::default(),
            acknowledged: 0,
            acknowledges: true,
            writer: launch.writer.clone().unwrap_or_else(new_writer),
            sent: 0,
            unapplied: Vec::new(),
            applied: 0,
            closed: None,
        };
        terminal
            .until(client, "CAPABILITY_SELECT", |each| {
                each.stages.selected.is_some()
            })
            .await?;
        terminal
            .state
            .authenticate(Instant::now(), AuthRequest::INHERIT)?;
        terminal
            .until(client, "AUTH_RESPONSE", |each| each.stages.authenticated)
            .await?;
        Ok(terminal)
    }

    async fn ask(&mut self, client: &mut Client, launch: &Launch) -> Result<()> {
        let request = PtyRequest {
            term: Some("xterm-256color".to_owned()),
            size: Some(WindowSize::new(ROWS, COLS)),
            attach: launch.attach.clone(),
            name: launch.name.clone(),
            persist: launch.persist,
            readonly: launch.readonly,
            have: launch.have,
            scrollback: SCROLLBACK_LINES,
            writer: Writer::new(self.writer.clone()),
            ..PtyRequest::default()
        };
        self.state.request_pty(Instant::now(), request)?;
        self.until(client, "PTY_RESPONSE", |each| each.grant.is_some())
            .await?;
        let grant = self.grant.clone().context("a grant")?;
        self.offset = grant.offset.unwrap_or(0);
        self.acknowledged = self.offset;
        self.skipped = launch.attach.is_some() && launch.have != Some(self.offset);
        self.applied = grant.input_offset.unwrap_or(0);
        self.sent = self.applied;
        self.pty = Some(client.open(&grant.channel).await?);
        self.state.handle_pty_channel_opened(Instant::now());
        self.flush(client).await
    }

    /// Takes over the place of a terminal whose connection is gone: its screen, its offsets, and
    /// the input that may not have arrived, which is sent again from where the server has it.
    pub async fn take_over(client: &mut Client, suffix: &str, before: Self) -> Result<Self> {
        let launch = Launch {
            attach: before.id().map(str::to_owned),
            have: Some(before.offset),
            readonly: before.grant.as_ref().is_some_and(|grant| grant.readonly),
            writer: Some(before.writer.clone()),
            ..Launch::default()
        };
        let mut terminal = Self::begin(client, suffix, &launch).await?;
        terminal.screen = before.screen;
        terminal.hash = before.hash;
        terminal.ask(client, &launch).await?;
        terminal.received = before.received;
        terminal.skipped = before.skipped || terminal.skipped;
        terminal.tail = before.tail;
        let begins = before.sent - before.unapplied.len() as u64;
        let missing = terminal.applied.saturating_sub(begins);
        let again = before
            .unapplied
            .get(usize::try_from(missing)?..)
            .context("more input was applied than sent")?
            .to_vec();
        terminal.write(client, &again).await?;
        Ok(terminal)
    }

    /// Its id on the server.
    pub fn id(&self) -> Option<&str> {
        self.grant.as_ref()?.terminal_id.as_deref()
    }

    /// The channels of the pair.
    pub fn channels(&self) -> (ChannelId, Option<ChannelId>) {
        (self.control, self.pty)
    }

    /// What was selected.
    pub fn selected(&self) -> Option<&Capabilities> {
        self.stages.selected.as_ref()
    }

    /// The hash of all output; meaningful while nothing was skipped.
    pub fn hash(&self) -> String {
        self.hash
            .clone()
            .finalize()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }

    /// Shows nothing from here on: what comes is for [`take_output`](Self::take_output) alone, and
    /// measuring is not slowed by drawing.
    pub fn shows_nothing(&mut self) {
        self.is_blind = true;
    }

    /// Takes the raw output since the last call, repaints included, of the last mebibyte.
    pub fn take_output(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.fresh)
    }

    /// Whether the output since the last [`take_output`](Self::take_output) holds this byte.
    pub fn has_output(&self, byte: u8) -> bool {
        self.fresh.contains(&byte)
    }

    /// The end of the raw output, repaints included.
    pub fn tail(&self) -> &[u8] {
        &self.tail
    }

    /// Types bytes.
    pub async fn write(&mut self, client: &mut Client, bytes: &[u8]) -> Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        self.sent += bytes.len() as u64;
        self.unapplied.extend_from_slice(bytes);
        let channel = self.pty.context("there is no PTY")?;
        let message = PtyMessage::Bytes(Bytes::copy_from_slice(bytes));
        client.send(channel, message.encode()).await
    }

    /// Changes the size, of the program's terminal and of what shows it.
    pub async fn resize(&mut self, client: &mut Client, rows: u16, cols: u16) -> Result<()> {
        let size = WindowSize::new(rows, cols);
        self.state.resize(Instant::now(), size)?;
        self.screen.resize(pty_size(rows, cols));
        self.flush(client).await
    }

    /// Asks for something of sharing.
    pub async fn ask_share(&mut self, client: &mut Client, request: ShareRequest) -> Result<()> {
        self.state.share(Instant::now(), request)?;
        self.flush(client).await
    }

    /// Waits until the screen shows this.
    pub async fn shows(&mut self, client: &mut Client, text: &str) -> Result<()> {
        let what = format!("{text:?} on the screen");
        self.until(client, &what, |each| {
            each.screen.text().iter().any(|line| line.contains(text))
        })
        .await
    }

    /// Waits until the raw output ends with or holds this, of the last 64 KiB.
    pub async fn says(&mut self, client: &mut Client, bytes: &[u8]) -> Result<()> {
        let what = format!("{:?}", String::from_utf8_lossy(bytes));
        self.until(client, &what, |each| {
            each.tail.windows(bytes.len()).any(|window| window == bytes)
        })
        .await
    }

    /// Waits until the program has ended and all of its output is here.
    pub async fn exited(&mut self, client: &mut Client) -> Result<ExitStatus> {
        self.until(client, "EXIT_STATUS and all output", |each| {
            each.exit
                .as_ref()
                .is_some_and(|exit| exit.offset.is_none_or(|end| each.offset >= end))
        })
        .await?;
        self.exit.clone().context("a status")
    }

    /// Works on what comes until something is so.
    pub async fn until(
        &mut self,
        client: &mut Client,
        what: &str,
        is_so: impl Fn(&Self) -> bool,
    ) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            self.flush(client).await?;
            if is_so(self) {
                return Ok(());
            }
            if !self.turn(client, deadline).await? {
                bail!(
                    "waiting for {what}; at {} of the output; the screen shows\n{}",
                    self.offset,
                    self.screen.text().join("\n")
                );
            }
        }
    }

    /// Works on the next message; false when none came in time.
    pub async fn turn(&mut self, client: &mut Client, deadline: Instant) -> Result<bool> {
        self.flush(client).await?;
        let (control, pty) = (self.control, self.pty);
        if let Some(reason) = &self.closed {
            bail!("the pair was closed: {reason}");
        }
        let event = client
            .find_by(deadline, |event| match event {
                Event::Message { channel, .. } | Event::ChannelClosed { id: channel, .. }
                    if *channel == control || Some(*channel) == pty =>
                {
                    Some(event.clone())
                }
                Event::Closed { .. } => Some(event.clone()),
                _ => None,
            })
            .await?;
        match event {
            None => return Ok(false),
            Some(Event::Message {
                channel,
                kind,
                payload,
            }) => {
                if channel == control {
                    self.state.handle(Instant::now(), &payload);
                } else {
                    self.take(kind, payload)?;
                }
            }
            // The end of the output says nothing about the status, which may still be on its way.
            Some(Event::ChannelClosed { id, .. }) if id != control => self.pty = None,
            Some(Event::ChannelClosed { reason, .. } | Event::Closed { reason, .. }) => {
                self.closed = Some(reason);
            }
            Some(_) => {}
        }
        self.flush(client).await?;
        self.acknowledge(client).await?;
        Ok(true)
    }

    /// Takes a message of the PTY channel.
    fn take(&mut self, kind: u8, payload: Bytes) -> Result<()> {
        if !self.has_flow_control() {
            ensure!(kind == 0, "type {kind:#x} without flow control");
            self.show(&payload);
            return Ok(());
        }
        match PtyMessage::decode(kind, payload)? {
            PtyMessage::Bytes(bytes) => self.show(&bytes),
            PtyMessage::Zstd(frame) => {
                ensure!(self.has_compression(), "compressed without being asked");
                self.compressed.0 += 1;
                self.show(&zstd::bulk::decompress(&frame, OUTPUT_BYTES_MAX)?);
            }
            PtyMessage::Repaint {
                offset,
                compressed,
                body,
                ..
            } => {
                let body = if compressed {
                    ensure!(self.has_compression(), "compressed without being asked");
                    self.compressed.1 += 1;
                    zstd::bulk::decompress(&body, PtyMessage::REPAINT_CONTENT_MAX)?.into()
                } else {
                    body
                };
                // One that goes on where we are skips nothing.
                self.skipped |= offset != self.offset;
                self.offset = offset;
                self.repaints += 1;
                self.screen = new_screen();
                self.screen.advance(&body);
                drop(self.screen.take_replies());
                self.remember(&body);
            }
            PtyMessage::Ack(applied) => {
                let fresh = applied.saturating_sub(self.applied);
                let fresh = usize::try_from(fresh)?.min(self.unapplied.len());
                self.unapplied.drain(..fresh);
                self.applied = self.applied.max(applied);
            }
            other => bail!("the server sent {other:?}"),
        }
        Ok(())
    }

    fn show(&mut self, bytes: &[u8]) {
        self.offset += bytes.len() as u64;
        self.received += bytes.len() as u64;
        if !self.is_blind {
            self.hash.update(bytes);
            self.screen.advance(bytes);
        }
        self.remember(bytes);
    }

    fn remember(&mut self, bytes: &[u8]) {
        for (kept, limit) in [(&mut self.tail, TAIL_BYTES), (&mut self.fresh, FRESH_BYTES)] {
            kept.extend_from_slice(bytes);
            if kept.len() > 2 * limit {
                kept.drain(..kept.len() - limit);
            }
        }
    }

    /// Types what the screen answers to queries, and says what was parsed.
    async fn acknowledge(&mut self, client: &mut Client) -> Result<()> {
        let Some(channel) = self.pty.filter(|_| self.closed.is_none()) else {
            return Ok(());
        };
        let replies = self.screen.take_replies();
        let driving = self.grant.as_ref().is_some_and(|grant| !grant.readonly);
        if !replies.is_empty() && driving {
            self.write(client, &replies).await?;
        }
        if self.has_flow_control() && self.acknowledges && self.offset > self.acknowledged {
            self.acknowledged = self.offset;
            let message = PtyMessage::Ack(self.offset).encode();
            client.send(channel, message).await?;
        }
        Ok(())
    }

    /// Says what was parsed, although nothing came.
    pub async fn acknowledge_now(&mut self, client: &mut Client) -> Result<()> {
        self.acknowledge(client).await
    }

    fn has_flow_control(&self) -> bool {
        let selected = self.stages.selected.as_ref();
        selected.is_some_and(|selected| selected.extensions().flow_control == Some(true))
    }

    fn has_compression(&self) -> bool {
        let selected = self.stages.selected.as_ref();
        selected.is_some_and(|selected| selected.extensions().zstd_compression == Some(true))
    }

    async fn flush(&mut self, client: &mut Client) -> Result<()> {
        while let Some(event) = self.state.poll_event() {
            match event {
                ClientEvent::Selected(selected) => self.stages.selected = Some(selected),
                ClientEvent::Authenticated { .. } => self.stages.authenticated = true,
                ClientEvent::PtyGranted(grant) => self.grant = Some(grant),
                ClientEvent::Started { .. } => self.stages.started = true,
                ClientEvent::Exited(exit) => self.exit = Some(exit),
                ClientEvent::PtyMode(modes) => self.modes = Some(modes),
                ClientEvent::ShareState(share) => {
                    self.shares.push(share.clone());
                    self.share = Some(share);
                }
                ClientEvent::WindowSize(size) => {
                    self.screen.resize(pty_size(size.rows, size.cols));
                }
                ClientEvent::PeerError(_) => {}
                other => bail!("terminal{}: {other:?}", self.suffix),
            }
        }
        while let Some(payload) = self.state.poll_transmit() {
            client.send(self.control, (0, payload)).await?;
        }
        Ok(())
    }
}

/// Lines above the screen that are asked for; as many as a screen keeps.
const SCROLLBACK_LINES: u32 = 10_000;

/// The most that one compressed message of output holds.
const OUTPUT_BYTES_MAX: usize = 1024 * 1024;

/// Raw output that is kept to look for marks in; up to twice as much lies there.
const TAIL_BYTES: usize = 64 * 1024;

/// Raw output that is kept for whoever takes it; older is forgotten.
const FRESH_BYTES: usize = 1024 * 1024;

/// A stream of input that nobody else uses.
fn new_writer() -> String {
    static WRITERS: AtomicU64 = AtomicU64::new(0);
    format!("test-{}", WRITERS.fetch_add(1, Ordering::Relaxed))
}

fn new_screen() -> Screen {
    Screen::new(pty_size(ROWS, COLS), ScreenLimits::default())
}

fn pty_size(rows: u16, cols: u16) -> PtySize {
    PtySize {
        rows,
        cols,
        ..PtySize::default()
    }
}
