//! The loop between the person's terminal and the one at the other end.

use std::io;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, watch};
use tokio::task::{AbortHandle, yield_now};
use tokio::time::{Sleep, sleep};
use vroom_predict::Preference;
use vroom_predict_tty::Echo;
use vroom_protocol::graphical::Recording;
use vroom_protocol::terminal::{
    ChannelName, ClientEvent, ExitStatus, Plane, PtyMessage, PtyMode, WindowSize,
};

use super::agreement::{Agreed, Wish, agree};
use super::banner::Banner;
use super::decode::{Received, decode};
use super::escape::{Escapes, Typed};
use super::pause::Pause;
use super::screen::{self, Screen};
use super::session::Session;
use crate::auth::{Control, Prover};
use crate::error::Error;
use crate::forward::Forwards;
use crate::remote::{Channel, LinkState, Remote};
use crate::tty::{Input, Output, Raw, window_size};
use crate::ui::{Question, Ui};

/// The person's side.
#[derive(Debug)]
pub struct Terminal {
    /// What is typed.
    pub input: Input,
    /// What is shown.
    pub output: Output,
    /// Where errors of a program on pipes are shown.
    pub errors: Output,
    /// Whether the person sits at a terminal, which is then taken while the program runs.
    pub takes_keyboard: bool,
    raw: Option<Raw>,
    /// The escape character, where there is one.
    pub escape: Option<u8>,
    /// What is forwarded besides.
    pub forwards: Forwards,
    /// When typed characters are shown before the server confirms them.
    pub predict: Preference,
}

impl Terminal {
    /// The person's side, with nothing taken yet.
    #[must_use]
    pub fn new(input: Input, output: Output, errors: Output, forwards: Forwards) -> Self {
        Self {
            input,
            output,
            errors,
            takes_keyboard: false,
            raw: None,
            escape: None,
            forwards,
            predict: Preference::Never,
        }
    }
}

/// How it ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Ending {
    /// The program ended.
    Exited(ExitStatus),
    /// The person left.
    Left,
    /// A signal told us to end.
    Signalled(&'static str),
}

/// Runs a terminal until its program ends or the person leaves.
pub async fn run(
    remote: &Remote,
    prover: &mut Prover,
    wish: Wish,
    terminal: Terminal,
    ui: &Ui,
) -> Result<Ending, Error> {
    let session = Session::new()?;
    let mut asked = wish.clone();
    if let Some(request) = &mut asked.pty {
        *request = session.request(request, false);
    }
    // Passphrases and codes may be asked for on the way, so the keyboard is taken afterwards.
    let first = agree(remote, prover, &name(1), &asked, ui).await?;
    let mut terminal = terminal;
    if terminal.takes_keyboard {
        let raw = Raw::take(io::stdin()).map_err(|source| Error::Io {
            what: "cannot take the terminal",
            source,
        })?;
        terminal.raw = Some(raw);
    }
    // Pipes carry no questions: those go to the terminal of the process, where there is one.
    let mut questions = terminal.raw.is_some().then(|| ui.take_over());
    let ending = match Runner::new(remote, terminal, ui, session) {
        Ok(mut runner) => {
            let ending = runner.run(prover, wish, first, &mut questions).await;
            runner.restore().await;
            ending
        }
        Err(error) => Err(error),
    };
    ui.give_back();
    ending
}

/// The name of the control channel of the pair of this number.
fn name(pair: u32) -> ChannelName {
    ChannelName {
        plane: Plane::Control,
        key: (pair > 1).then(|| pair.to_string()),
    }
}

struct Runner<'a> {
    remote: &'a Remote,
    ui: &'a Ui,
    terminal: Terminal,
    escapes: Escapes,
    session: Session,
    screen: Screen,
    pause: Pause,
    signals: Signals,
    link: watch::Receiver<LinkState>,
    banner: Banner,
    /// What the person was asked, and when.
    asked: Option<(Question, Instant)>,
    /// Whether the terminal is to be given back for a while.
    suspends: bool,
    /// Whether the screen is to be drawn anew when the terminal is joined again.
    repaint: bool,
    /// Whether standard input has ended.
    ended: bool,
    /// Whether the person was told that the terminal is recorded.
    told_recording: bool,
    pairs: u32,
}

/// The channels of a running terminal.
struct Pair {
    control: Control,
    pty: Channel,
    stderr: Option<Channel>,
    has_pty: bool,
    /// The session of the connection that they belong to.
    session: u64,
    acknowledge: std::pin::Pin<Box<Sleep>>,
    is_ack_due: bool,
    /// Whether the output channel was read to its end.
    read_out: bool,
    errors_out: bool,
    /// Whether the control channel is gone.
    is_mute: bool,
}

impl Pair {
    /// Sends on the PTY channel. That it is closed shows where it is read, with the reason.
    fn send(&self, message: &PtyMessage) {
        let (kind, payload) = message.encode();
        drop(self.pty.send_now(kind, payload));
    }
}

/// Why a pair is no longer used.
enum Over {
    Ending(Ending),
    /// Its channels are gone.
    Lost(Error),
    /// It is to be joined anew, for a fresh picture of it.
    Anew,
}

impl<'a> Runner<'a> {
    fn new(
        remote: &'a Remote,
        terminal: Terminal,
        ui: &'a Ui,
        session: Session,
    ) -> Result<Self, Error> {
        Ok(Self {
            remote,
            ui,
            escapes: Escapes::new(terminal.escape.filter(|_| terminal.raw.is_some())),
            session,
            screen: Screen::plain(),
            pause: Pause::default(),
            signals: Signals::new().map_err(|source| Error::Io {
                what: "cannot listen to signals",
                source,
            })?,
            link: remote.link(),
            banner: Banner::default(),
            asked: None,
            suspends: false,
            repaint: false,
            ended: false,
            told_recording: false,
            pairs: 1,
            terminal,
        })
    }

    async fn run(
        &mut self,
        prover: &mut Prover,
        wish: Wish,
        first: Agreed,
        questions: &mut Option<mpsc::Receiver<Question>>,
    ) -> Result<Ending, Error> {
        let mut agreed = Ok(first);
        let mut former: Option<Pair> = None;
        loop {
            let over = match agreed {
                Ok(agreed) => {
                    self.repaint = false;
                    let mut pair = self.begin(agreed)?;
                    // Not earlier: a terminal that nobody is at may be ended.
                    drop(former.take());
                    let over = self.converse(&mut pair, questions).await;
                    former = Some(pair);
                    match over {
                        Ok(over) => over,
                        Err(error) => Over::Lost(error),
                    }
                }
                Err(error) => Over::Lost(error),
            };
            match over {
                Over::Ending(ending) => return Ok(ending),
                Over::Anew => self.repaint = true,
                Over::Lost(Error::Lost) if self.session.can_return() => {
                    // The banner may be on the screen.
                    self.repaint |= self.banner.is_shown();
                    if let Some(error) = self.ended_link() {
                        return Err(error);
                    }
                }
                Over::Lost(Error::Lost) => {
                    return Err(self.ended_link().unwrap_or(Error::Lost));
                }
                Over::Lost(error) => return Err(error),
            }
            let mut asked = wish.clone();
            if let Some(request) = &mut asked.pty {
                if let Some(size) = self.size() {
                    request.size = Some(size);
                }
                *request = self.session.request(request, self.repaint);
            }
            self.pairs += 1;
            let name = name(self.pairs);
            let (remote, ui) = (self.remote, self.ui);
            agreed = tokio::select! {
                agreed = agree(remote, prover, &name, &asked, ui) => agreed,
                ending = self.meanwhile() => return ending,
            };
        }
    }

    /// The error that ended the whole connection, if it is over.
    fn ended_link(&self) -> Option<Error> {
        match &*self.link.borrow() {
            LinkState::Ended(error) => Some(Error::Declined(error.to_string())),
            _ => None,
        }
    }

    fn size(&self) -> Option<WindowSize> {
        self.terminal
            .raw
            .as_ref()
            .and_then(|_| window_size(io::stdin()).or_else(|| window_size(io::stdout())))
    }

    fn begin(&mut self, agreed: Agreed) -> Result<Pair, Error> {
        let Agreed {
            control,
            pty,
            stderr,
            grant,
        } = agreed;
        let selected = control.client().selected().cloned();
        let applied = grant.as_ref().and_then(|grant| grant.input_offset);
        let resend = self.session.begin(selected.as_ref(), grant.as_ref());
        if let (true, Some(size)) = (self.session.flow_control, self.size()) {
            self.screen.predict(size, self.terminal.predict);
        }
        let sent = self.session.log.end();
        self.predict(|echo, _| echo.restart(applied.unwrap_or(0), sent));
        if !resend.is_empty() {
            let (kind, payload) = PtyMessage::Bytes(resend).encode();
            pty.send_now(kind, payload)?;
        }
        let session = match &*self.link.borrow_and_update() {
            LinkState::Up { session } => *session,
            _ => 0,
        };
        self.banner.forget();
        Ok(Pair {
            control,
            pty,
            errors_out: stderr.is_none(),
            stderr,
            has_pty: grant.is_some(),
            session,
            acknowledge: Box::pin(sleep(Duration::ZERO)),
            is_ack_due: false,
            read_out: false,
            is_mute: false,
        })
    }

    /// Carries bytes both ways until something ends that.
    async fn converse(
        &mut self,
        pair: &mut Pair,
        questions: &mut Option<mpsc::Receiver<Question>>,
    ) -> Result<Over, Error> {
        let mut turn = 0u32;
        loop {
            if let Some(over) = self.finished(pair).await? {
                return Ok(over);
            }
            if std::mem::take(&mut self.suspends) {
                self.suspend().await?;
                if self.session.can_return() {
                    return Ok(Over::Anew);
                }
                self.signals.winch_again();
            }
            let may_read =
                !self.ended && (!self.session.flow_control || self.session.log.has_room());
            let may_receive = (self.pause.is_on() || self.terminal.output.queued() < OUTPUT_BYTES)
                && !pair.read_out;
            // Keys and what they bring come first; in a flood of that everything else has its turn, too.
            turn = turn.wrapping_add(1);
            let is_for_others = turn.is_multiple_of(OTHERS_EVERY);
            tokio::select! {
                biased;
                read = read_for(&pair.pty, &mut self.terminal.input), if may_read => {
                    if self.is_asked() {
                        if self.on_answer(&read.unwrap_or_default()) {
                            return Ok(Over::Anew);
                        }
                    } else if let Some(ending) = self.on_read(read, Some(pair))? {
                        return Ok(Over::Ending(ending));
                    }
                    // What was typed is sent before anything else is looked at.
                    yield_now().await;
                }
                written = self.terminal.output.write(), if !self.pause.is_on() && !is_for_others => self.on_written(written, pair)?,
                received = pair.pty.recv(), if may_receive && !is_for_others => self.on_received(received, pair)?,
                event = pair.control.event(), if !pair.is_mute => {
                    if let Some(over) = self.on_event(event, pair)? {
                        return Ok(over);
                    }
                }
                received = receive(pair.stderr.as_ref()), if !pair.errors_out && self.terminal.errors.queued() < OUTPUT_BYTES => {
                    match received {
                        Some((_, bytes)) => self.terminal.errors.push(bytes),
                        None => pair.errors_out = true,
                    }
                }
                () = self.pause.over(), if self.pause.is_on() => self.pause.end(),
                written = self.terminal.errors.write() => {
                    written.map_err(|source| Error::Io { what: "cannot write to standard error", source })?;
                }
                () = &mut pair.acknowledge, if pair.is_ack_due => {
                    pair.is_ack_due = false;
                    self.acknowledge(pair, true);
                }
                caught = self.signals.next() => {
                    if let Some(ending) = self.on_signal(caught, Some(pair))? {
                        return Ok(Over::Ending(ending));
                    }
                }
                changed = self.link.changed() => {
                    if changed.is_err() {
                        return Err(Error::Lost);
                    }
                    if self.on_link(pair.session) {
                        return Ok(Over::Anew);
                    }
                }
                () = self.banner.tick() => self.draw_banner(),
                () = until(self.screen.deadline()) => self.predict(Echo::tick),
                Some(question) = next(questions), if self.asked.is_none() => self.put(question),
                () = std::future::ready(()), if is_for_others => {}
            }
        }
    }

    /// Does what has to be done while there is no terminal to talk to.
    async fn meanwhile(&mut self) -> Result<Ending, Error> {
        loop {
            if std::mem::take(&mut self.suspends) {
                self.suspend().await?;
                self.repaint = true;
            }
            let may_read = !self.ended && self.session.log.has_room();
            tokio::select! {
                read = self.terminal.input.read(), if may_read => {
                    if let Some(ending) = self.on_read(read, None)? {
                        return Ok(ending);
                    }
                }
                written = self.terminal.output.write() => {
                    let written = written.map_err(output_failed)?;
                    self.session.wrote(written);
                }
                caught = self.signals.next() => {
                    if let Some(ending) = self.on_signal(caught, None)? {
                        return Ok(ending);
                    }
                }
                changed = self.link.changed() => {
                    if changed.is_err() {
                        return Err(Error::Lost);
                    }
                    self.on_link(0);
                }
                () = self.banner.tick() => self.draw_banner(),
                () = until(self.screen.deadline()) => self.predict(Echo::tick),
            }
        }
    }

    /// Whether nothing more is to come.
    async fn finished(&mut self, pair: &mut Pair) -> Result<Option<Over>, Error> {
        let Some(exit) = self.session.exit.clone() else {
            return Ok(None);
        };
        if !(self.session.is_complete() || pair.read_out) {
            return Ok(None);
        }
        if !pair.errors_out {
            return Ok(None);
        }
        self.terminal.output.flush().await.map_err(output_failed)?;
        self.terminal.errors.flush().await.map_err(output_failed)?;
        Ok(Some(Over::Ending(Ending::Exited(exit))))
    }

    fn on_event(
        &mut self,
        event: Result<ClientEvent, Error>,
        pair: &mut Pair,
    ) -> Result<Option<Over>, Error> {
        match event {
            Ok(ClientEvent::Exited(status)) => self.session.exit = Some(status),
            Ok(ClientEvent::PtyMode(mode)) => {
                self.pause.set_canonical(mode.contains(PtyMode::ICANON));
                self.predict(|echo, _| echo.set_mode(screen::mode(mode)));
            }
            Ok(ClientEvent::ShareState(state)) => self.tell_recording(state.recording.as_ref()),
            Ok(ClientEvent::StartDenied(denial)) => {
                self.ui.error(denial.reason.unwrap_or_default());
            }
            Ok(ClientEvent::PeerError(error)) => {
                let reason = error.reason.unwrap_or_default();
                self.ui
                    .verbose(&format!("the server says: {reason} ({})", error.code));
            }
            Ok(ClientEvent::Closed { code, reason }) => {
                return Err(Error::Ended { code, reason });
            }
            Ok(_) => {}
            // The control channel closes last; before the exit status that is a loss.
            Err(Error::Lost) if self.session.exit.is_some() => pair.is_mute = true,
            Err(Error::Lost) => return Err(self.channel_lost(pair)),
            Err(error) => return Err(error),
        }
        Ok(None)
    }

    /// What it means that a channel is gone: the session of the connection is, or the server put us
    /// out.
    fn channel_lost(&self, pair: &Pair) -> Error {
        let same =
            matches!(&*self.link.borrow(), LinkState::Up { session } if *session == pair.session);
        match pair
            .pty
            .close_reason()
            .filter(|reason| same && !reason.is_empty())
        {
            Some(reason) => Error::Declined(format!("the server closed the terminal: {reason}")),
            None => Error::Lost,
        }
    }

    fn on_received(&mut self, received: Option<(u8, Bytes)>, pair: &mut Pair) -> Result<(), Error> {
        let Some((kind, payload)) = received else {
            pair.read_out = true;
            if self.session.exit.is_none() && pair.control.is_closed() {
                return Err(self.channel_lost(pair));
            }
            return Ok(());
        };
        let (flow_control, compression) = (self.session.flow_control, self.session.compression);
        match decode(kind, payload, flow_control, compression)? {
            Some(Received::Output(bytes)) => {
                let output = &mut self.terminal.output;
                self.screen.output(&bytes, &mut self.session, output);
            }
            Some(Received::Repaint { offset, body }) => {
                self.pause.repainted();
                let output = &mut self.terminal.output;
                self.screen
                    .repaint(offset, &body, &mut self.session, output);
            }
            Some(Received::Acknowledged(offset)) => {
                self.session.log.acknowledged(offset);
                self.pause
                    .acknowledged(offset, self.terminal.output.queued());
                let rtt = self.remote.rtt().map(|rtt| rtt.as_secs_f32() * 1000.0);
                self.predict(|echo, now| {
                    if let Some(rtt_ms) = rtt {
                        echo.set_link(rtt_ms);
                    }
                    echo.acknowledged(now, offset)
                });
            }
            None => {}
        }
        Ok(())
    }

    fn on_written(&mut self, written: io::Result<usize>, pair: &mut Pair) -> Result<(), Error> {
        self.session.wrote(written.map_err(output_failed)?);
        let much = self.session.owes_much();
        if !self.session.owes_acknowledgement() || pair.is_ack_due && !much {
            return Ok(());
        }
        let least = if much { Duration::ZERO } else { ACK_DELAY };
        let wait = self.acknowledged_too_soon().max(least);
        if wait.is_zero() {
            self.acknowledge(pair, false);
        } else if !pair.is_ack_due {
            pair.is_ack_due = true;
            pair.acknowledge
                .as_mut()
                .reset(tokio::time::Instant::now() + wait);
        }
        Ok(())
    }

    /// How long the next acknowledgement has to wait if the last one was sent just now.
    ///
    /// A packet that is lost holds up what is typed after it, and a flood that is acknowledged piece by piece is many of
    /// them. The further the server is, the less it matters when it hears of what was shown.
    fn acknowledged_too_soon(&self) -> Duration {
        let far = self.remote.rtt().unwrap_or_default();
        let gap = (far / ACKS_PER_TRIP).min(ACK_GAP_MAX);
        let last = self.session.acknowledged_at();
        last.map_or(Duration::ZERO, |at| gap.saturating_sub(at.elapsed()))
    }

    fn acknowledge(&mut self, pair: &Pair, in_time: bool) {
        if let Some(message) = self.session.acknowledgement(Instant::now(), in_time) {
            pair.send(&message);
        }
    }

    fn on_read(
        &mut self,
        read: io::Result<Bytes>,
        pair: Option<&Pair>,
    ) -> Result<Option<Ending>, Error> {
        let bytes = read.map_err(|source| Error::Io {
            what: "cannot read standard input",
            source,
        })?;
        if bytes.is_empty() {
            self.ended = true;
            if let Some(pair) = pair.filter(|pair| !pair.has_pty) {
                pair.send(&PtyMessage::EndOfInput);
            }
            // A terminal that is gone types nothing more.
            return Ok(self.terminal.raw.is_some().then_some(Ending::Left));
        }
        for typed in self.escapes.push(&bytes) {
            match typed {
                Typed::Bytes(bytes) => {
                    let bytes = Bytes::from(bytes);
                    if self.session.flow_control {
                        self.session.log.push(&bytes);
                        if pair.is_some() {
                            self.pause.typed(&bytes, self.session.log.end());
                        }
                    }
                    if let Some(pair) = pair {
                        pair.send(&PtyMessage::Bytes(bytes.clone()));
                    }
                    self.predict(|echo, now| echo.typed(now, &bytes));
                }
                Typed::Leave => return Ok(Some(Ending::Left)),
                Typed::Suspend => self.suspends = true,
                Typed::Help => self.tell(&self.escapes.help()),
                Typed::Forwards => self.tell(&self.terminal.forwards.listing()),
                Typed::Redial => {
                    self.remote.redial();
                }
                Typed::Status => self.tell(&self.status()),
            }
        }
        Ok(None)
    }

    /// Says something on the person's terminal, beside what the program shows.
    fn tell(&mut self, text: &str) {
        let text = Bytes::from(format!("\r\n{text}"));
        self.aside(text);
    }

    fn status(&self) -> String {
        let rtt = match self.remote.rtt() {
            Some(rtt) => format!("{:.1} ms", rtt.as_secs_f64() * 1000.0),
            None => "not measured yet".to_owned(),
        };
        let resumable = if self.session.can_return() {
            "joined again after a loss"
        } else {
            "lost with the connection"
        };
        format!("round trip: {rtt}; the terminal is {resumable}\r\n")
    }

    /// Gives the terminal back as it was, stops, and takes it again once the shell lets us go on.
    async fn suspend(&mut self) -> Result<(), Error> {
        if self.terminal.raw.is_none() {
            return Ok(());
        }
        self.predict(|echo, _| echo.hide());
        let undo = self.session.trail.clone().undo();
        let output = &mut self.terminal.output;
        self.session.show(undo.into(), output);
        self.settle().await;
        let Some(raw) = &self.terminal.raw else {
            return Ok(());
        };
        raw.pause();
        let stopped =
            rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::TSTP);
        // Here we go on, after a SIGCONT.
        let resumed = raw.resume();
        stopped
            .map_err(io::Error::from)
            .and(resumed)
            .map_err(|source| Error::Io {
                what: "cannot stop",
                source,
            })
    }

    /// Writes what waits for the person's terminal; one that takes nothing any more is not waited for.
    async fn settle(&mut self) {
        let (output, session) = (&mut self.terminal.output, &mut self.session);
        let write = async {
            while output.queued() > 0 {
                match output.write().await {
                    Ok(written) => session.wrote(written),
                    Err(_) => return,
                }
            }
        };
        drop(tokio::time::timeout(RESTORE, write).await);
    }

    fn on_signal(
        &mut self,
        caught: Caught,
        pair: Option<&mut Pair>,
    ) -> Result<Option<Ending>, Error> {
        match caught {
            Caught::Winch => {
                if let (Some(pair), Some(size)) = (pair, self.size())
                    && pair.has_pty
                {
                    self.predict(|echo, _| echo.resize(size.rows, size.cols));
                    // Before the program runs it is told with the request.
                    drop(pair.control.step(|client, now| client.resize(now, size)));
                }
                Ok(None)
            }
            Caught::Forwarded(number) => {
                let forwarded =
                    pair.map(|pair| pair.control.step(|client, now| client.signal(now, number)));
                match forwarded {
                    Some(Ok(())) if self.signals.first_time(number) => Ok(None),
                    _ => Ok(Some(Ending::Signalled("interrupted"))),
                }
            }
            Caught::End(name) => Ok(Some(Ending::Signalled(name))),
        }
    }

    /// Takes a change of the connection; says whether the terminal is to be joined anew.
    fn on_link(&mut self, session: u64) -> bool {
        let link = self.link.borrow_and_update().clone();
        match link {
            LinkState::Up { session: now } => {
                let was_shown = self.banner.is_shown();
                self.banner.hide();
                was_shown && now == session && self.session.can_return()
            }
            LinkState::Quiet { since } => {
                self.banner.show(since, "no answer");
                self.draw_banner();
                false
            }
            LinkState::Down { since, reason } => {
                self.banner.show(since, &reason);
                self.draw_banner();
                false
            }
            LinkState::Connecting | LinkState::Ended(_) => false,
        }
    }

    /// Says that the terminal is recorded, or not any more; once each.
    fn tell_recording(&mut self, recording: Option<&Recording>) {
        if std::mem::replace(&mut self.told_recording, recording.is_some()) == recording.is_some() {
            return;
        }
        let text = match recording {
            Some(recording) => {
                let by = recording.by.chars().filter(|c| !c.is_control());
                let by: String = by.collect();
                format!("vroom: {by} records this terminal")
            }
            None => "vroom: this terminal is not recorded any more".to_owned(),
        };
        if self.terminal.raw.is_some() {
            self.tell(&format!("{text}\r\n"));
        } else {
            self.ui.notice(&text);
        }
    }

    fn draw_banner(&mut self) {
        if self.terminal.raw.is_none() {
            if let Some(text) = self.banner.once() {
                self.ui.notice(&text);
            }
            return;
        }
        if self.session.trail.is_inside() {
            return;
        }
        let cols = self.size().map_or(80, |size| size.cols);
        let text = self.banner.draw(Instant::now(), cols);
        if !text.is_empty() {
            self.aside(text);
        }
    }

    /// Shows something that is not of the program.
    fn aside(&mut self, text: Bytes) {
        let output = &mut self.terminal.output;
        self.screen.aside(text, &mut self.session, output);
    }

    fn predict(&mut self, tell: impl FnOnce(&mut Echo, u64) -> Vec<u8>) {
        let output = &mut self.terminal.output;
        self.screen.tell(&mut self.session, output, tell);
    }

    fn put(&mut self, question: Question) {
        let text = format!("\r\n\x1b[7m{} (y/n)\x1b[m ", question.text);
        self.aside(Bytes::from(text));
        self.asked = Some((question, Instant::now()));
    }

    /// Whether what is typed now answers a question; not in its first moment, when the person was
    /// typing something else.
    fn is_asked(&self) -> bool {
        let asked = self.asked.as_ref();
        asked.is_some_and(|(_, since)| since.elapsed() >= READING)
    }

    /// Answers the question; says whether the screen is to be drawn anew.
    fn on_answer(&mut self, typed: &[u8]) -> bool {
        let Some((question, _)) = self.asked.take() else {
            return false;
        };
        let yes = matches!(typed.first(), Some(b'y' | b'Y'));
        let text = if yes { "yes\r\n" } else { "no\r\n" };
        self.aside(Bytes::from_static(text.as_bytes()));
        // Whoever asked may have gone.
        let _ = question.answer.send(yes);
        // The question stands in the middle of what a program has drawn.
        self.session.trail.is_alternate() && self.session.can_return()
    }

    /// Gives the person's terminal back: what the program turned on is turned off.
    async fn restore(&mut self) {
        if self.terminal.raw.is_some() {
            self.predict(|echo, _| echo.hide());
            let undo = self.session.trail.undo();
            self.terminal.output.push(undo.into());
            self.settle().await;
        }
        self.terminal.raw = None;
    }
}

/// Reads what is typed as soon as it can be sent on; a channel that is closed takes nothing more.
async fn read_for(channel: &Channel, input: &mut Input) -> io::Result<Bytes> {
    if channel.writable().await.is_err() {
        std::future::pending::<()>().await;
    }
    input.read().await
}

/// Takes from a channel that may not be there.
async fn receive(channel: Option<&Channel>) -> Option<(u8, Bytes)> {
    match channel {
        Some(channel) => channel.recv().await,
        None => None,
    }
}

/// The next question, where any may come.
async fn next(questions: &mut Option<mpsc::Receiver<Question>>) -> Option<Question> {
    match questions {
        Some(questions) => questions.recv().await,
        None => std::future::pending().await,
    }
}

/// Waits until then; for ever without a time.
async fn until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due.into()).await,
        None => std::future::pending().await,
    }
}

fn output_failed(source: io::Error) -> Error {
    if source.kind() == io::ErrorKind::BrokenPipe {
        return Error::Unread;
    }
    Error::Io {
        what: "cannot write to standard output",
        source,
    }
}

/// The signals that are listened to.
///
/// A task of their own waits for them: the loop that carries keys asks one place only.
struct Signals {
    caught: mpsc::Receiver<Caught>,
    listener: AbortHandle,
    interrupted: bool,
    again: bool,
}

/// A signal that came.
#[derive(Debug)]
enum Caught {
    Winch,
    /// One that the program is to have.
    Forwarded(u8),
    /// One that ends us.
    End(&'static str),
}

impl Signals {
    fn new() -> io::Result<Self> {
        let mut winch = signal(SignalKind::window_change())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut quit = signal(SignalKind::quit())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let mut hangup = signal(SignalKind::hangup())?;
        let mut usr1 = signal(SignalKind::user_defined1())?;
        let mut usr2 = signal(SignalKind::user_defined2())?;
        let (sender, caught) = mpsc::channel(1);
        let listener = tokio::spawn(async move {
            loop {
                let caught = tokio::select! {
                    _ = winch.recv() => Caught::Winch,
                    _ = interrupt.recv() => Caught::Forwarded(2),
                    _ = quit.recv() => Caught::Forwarded(3),
                    _ = usr1.recv() => Caught::Forwarded(10),
                    _ = usr2.recv() => Caught::Forwarded(12),
                    _ = terminate.recv() => Caught::End("terminated"),
                    _ = hangup.recv() => Caught::End("the terminal is gone"),
                };
                if sender.send(caught).await.is_err() {
                    return;
                }
            }
        });
        Ok(Self {
            caught,
            listener: listener.abort_handle(),
            interrupted: false,
            again: false,
        })
    }

    /// The next signal. Cancel-safe.
    async fn next(&mut self) -> Caught {
        if std::mem::take(&mut self.again) {
            return Caught::Winch;
        }
        match self.caught.recv().await {
            Some(caught) => caught,
            // The task lives as long as `self`.
            None => std::future::pending().await,
        }
    }

    /// Looks at the size once more.
    fn winch_again(&mut self) {
        self.again = true;
    }

    /// Whether an interrupt is the first: the program has it; a second one is for us.
    fn first_time(&mut self, number: u8) -> bool {
        !matches!(number, 2 | 3) || !std::mem::replace(&mut self.interrupted, true)
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

/// How much output may wait for the person's terminal; then nothing more is taken from the channel.
const OUTPUT_BYTES: usize = 256 * 1024;

/// How often what is neither typed nor shown comes first.
const OTHERS_EVERY: u32 = 16;

/// How long a question stands before what is typed answers it.
const READING: Duration = Duration::from_millis(700);

/// How long acknowledgements are gathered.
const ACK_DELAY: Duration = Duration::from_millis(10);

/// How many acknowledgements go out while one is on its way and the answer comes back.
const ACKS_PER_TRIP: u32 = 4;

/// How long the next acknowledgement waits at most.
const ACK_GAP_MAX: Duration = Duration::from_millis(20);

/// How long the person's terminal may take to be reset.
const RESTORE: Duration = Duration::from_millis(500);
