//! What one connection may do: who is at the other end, and where each message belongs.

use std::collections::BTreeMap;
use std::future::pending;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{Notify, watch};
use vroom_protocol::graphical::Role;
use vroom_protocol::terminal::ChannelName;
use vroom_protocol::{
    Auth, ChannelId, ChannelSpec, Code, Connection, Event, Hello, RequestId, ServerConfig,
    WelcomeInfo, mux,
};
use vroom_transport::{LinkRx, LinkTx, drive};

use crate::auth::{Identity, Refused};
use crate::daemon::Daemon;
use crate::gate::Pass;
use crate::lane::Lane;
use crate::origin::Origin;
use crate::picture::Picture;
use crate::shells::Shells;
use crate::video::Video;
use crate::viewer::Viewer;

/// Runs a session on a link until one of them, or the server, ends.
///
/// `identity` is who the transport says it is; HELLO may still say otherwise. `pass` is the place
/// among the strangers, for those who have not proved anything yet.
pub(crate) async fn run(
    daemon: Arc<Daemon>,
    origin: Origin,
    identity: Option<Identity>,
    pass: Option<Arc<Pass>>,
    picture: Option<Picture>,
    rx: impl LinkRx,
    tx: impl LinkTx,
) {
    let Ok(_permit) = Arc::clone(&daemon.sessions).try_acquire_owned() else {
        tracing::warn!(source = %origin.source, "too many sessions");
        return;
    };
    let now = Instant::now();
    let mut hello_timeout = mux::HELLO_TIMEOUT;
    if let Some(deadline) = pass.as_ref().and_then(|pass| pass.deadline()) {
        hello_timeout = hello_timeout.min(deadline.saturating_duration_since(now));
    }
    if let Some(pass) = &pass {
        // The deadline is kept by the mux, which also says goodbye.
        pass.extend(now + hello_timeout + GOODBYE);
    }
    let config = ServerConfig {
        hello_timeout,
        max_message_size: origin.transport.message_bytes(),
        ..ServerConfig::default()
    };
    let connection = Connection::server(config, origin.transport.link_kind(), now);
    let session = Session::new(daemon, origin, identity, pass.clone(), picture);
    let expired = async {
        match &pass {
            Some(pass) => pass.expired().await,
            None => pending().await,
        }
    };
    tokio::select! {
        (code, reason) = drive(connection, rx, tx, session) => {
            tracing::debug!(source = %origin.source, transport = origin.transport.name(), %code, reason, "a connection ended");
        }
        () = expired => {
            tracing::debug!(source = %origin.source, "an unauthenticated connection was closed");
        }
    }
}

/// What one connection may do.
#[derive(Debug)]
pub(crate) struct Session {
    daemon: Arc<Daemon>,
    origin: Origin,
    identity: Option<Identity>,
    pass: Option<Arc<Pass>>,
    channels: BTreeMap<ChannelId, Lane>,
    viewer: Viewer,
    /// The picture beside the channels, where it has its own way.
    picture: Option<Picture>,
    /// The picture on a channel.
    video: Option<Video>,
    shells: Shells,
    bell: Arc<Notify>,
    ending: watch::Receiver<bool>,
}

impl Session {
    fn new(
        daemon: Arc<Daemon>,
        origin: Origin,
        identity: Option<Identity>,
        pass: Option<Arc<Pass>>,
        picture: Option<Picture>,
    ) -> Self {
        let bell = Arc::new(Notify::new());
        let ending = daemon.ending.subscribe();
        Self {
            viewer: Viewer::new(Arc::clone(&daemon), origin.transport, Arc::clone(&bell)),
            shells: Shells::new(Arc::clone(&daemon), origin),
            daemon,
            origin,
            identity,
            pass,
            channels: BTreeMap::new(),
            picture,
            video: None,
            bell,
            ending,
        }
    }

    /// Decides about a HELLO.
    fn on_hello(&mut self, now: Instant, connection: &mut Connection, hello: Hello) {
        if let Some(auth) = &hello.auth {
            match self.prove(now, auth) {
                Ok(identity) => self.identity = Some(identity),
                Err(refused) => {
                    tracing::warn!(source = %self.origin.source, kind = auth.kind(), ?refused, "credentials were refused");
                    let (code, reason) = refusal(refused);
                    return connection.refuse(now, code, reason);
                }
            }
        }
        let session = self.daemon.hub.session();
        if hello
            .session
            .as_deref()
            .is_some_and(|name| name != session && name != DEFAULT)
        {
            return connection.refuse(now, Code::SESSION_NOT_FOUND, "there is no such session");
        }
        match &self.identity {
            Some(_) => self.admit(),
            None => self.wait_for_proof(now),
        }
        let identity = self.identity.as_ref();
        let welcome = WelcomeInfo {
            session: identity.map(|_| session.to_owned()),
            user: identity.map(|identity| identity.user.to_string()),
            role: identity.map(|identity| identity.role.name().to_owned()),
            channels: hello
                .channels
                .into_iter()
                .filter(|spec| self.welcomes(spec))
                .collect(),
            resume: None,
        };
        connection.accept(now, welcome);
    }

    /// Who the credentials of a HELLO belong to.
    fn prove(&self, now: Instant, auth: &Auth) -> Result<Identity, Refused> {
        let source = self.origin.source;
        match auth {
            Auth::Token(token) => self.daemon.auth.token(now, source, token),
            Auth::Session(key) => self.daemon.auth.key(now, source, key),
            Auth::Peer => self.daemon.auth.peer(source),
            Auth::Password { .. } | Auth::Pairing(_) | Auth::Share(_) => Err(Refused::Wrong),
        }
    }

    /// Counts no longer as a stranger.
    fn admit(&self) {
        if let Some(pass) = &self.pass {
            pass.admit();
        }
    }

    // C2: without credentials only terminals may be opened, to prove oneself inside.
    fn wait_for_proof(&self, now: Instant) {
        if let Some(pass) = &self.pass {
            pass.extend(now + self.daemon.settings.limits.unprivileged);
        }
    }

    /// Whether a channel that a HELLO lists is opened.
    fn welcomes(&self, spec: &ChannelSpec) -> bool {
        match Lane::of(spec) {
            // VROOM-Graphical §4.1: listing them early is allowed, their frames are ignored.
            Ok(Lane::Pointer | Lane::Button | Lane::Video) => self.identity.is_some(),
            Ok(Lane::Shell(name)) => self.check_shell(&name).is_ok(),
            Err(_) => false,
        }
    }

    /// Decides about a channel that the client asks for.
    fn check(&self, spec: &ChannelSpec) -> Result<(), (Code, &'static str)> {
        let lane = Lane::of(spec)?;
        if let Lane::Shell(name) = &lane {
            return self.check_shell(name);
        }
        if self.identity.is_none() {
            return Err((Code::AUTH_FAILED, "not authenticated"));
        }
        if !self.viewer.is_complete() {
            return Err((Code::WRONG_STATE, "VROOM_HANDSHAKE comes first"));
        }
        match lane {
            Lane::Pointer | Lane::Button if !self.viewer.may_drive() => {
                Err((Code::NOT_ALLOWED, "viewers cannot drive"))
            }
            _ => Ok(()),
        }
    }

    fn check_shell(&self, name: &ChannelName) -> Result<(), (Code, &'static str)> {
        let is_viewer = self
            .identity
            .as_ref()
            .is_some_and(|who| who.role < Role::Operator);
        if is_viewer || (self.viewer.is_complete() && !self.viewer.may_drive()) {
            return Err((Code::NOT_ALLOWED, "viewers have no terminals"));
        }
        self.shells.check(name)
    }

    fn on_request(
        &self,
        now: Instant,
        connection: &mut Connection,
        request: RequestId,
        spec: &ChannelSpec,
    ) {
        match self.check(spec) {
            Ok(()) => {
                // `None` means that all ids are in use, which the mux has told the client.
                connection.accept_channel(now, request);
            }
            Err((code, reason)) => connection.reject_channel(now, request, code, reason),
        }
    }

    fn on_opened(
        &mut self,
        now: Instant,
        connection: &mut Connection,
        id: ChannelId,
        spec: &ChannelSpec,
    ) {
        let Ok(lane) = Lane::of(spec) else {
            return;
        };
        match &lane {
            Lane::Shell(name) => {
                self.shells
                    .on_opened(now, connection, id, name, &mut self.identity);
            }
            Lane::Video => self.start_video(now, connection, id),
            Lane::Pointer | Lane::Button => {}
        }
        self.channels.insert(id, lane);
    }

    fn on_closed(&mut self, now: Instant, connection: &mut Connection, id: ChannelId) {
        match self.channels.remove(&id) {
            Some(Lane::Button) => self.viewer.release(),
            Some(Lane::Video) => self.video = None,
            Some(Lane::Shell(name)) => self.shells.on_closed(now, connection, &name),
            Some(Lane::Pointer) | None => {}
        }
    }

    fn on_message(
        &mut self,
        now: Instant,
        connection: &mut Connection,
        channel: ChannelId,
        kind: u8,
        payload: bytes::Bytes,
    ) {
        if channel == ChannelId::CONTROL {
            let Some(identity) = &self.identity else {
                return connection.error(
                    now,
                    Code::AUTH_FAILED,
                    Some(channel),
                    "not authenticated",
                );
            };
            let was_complete = self.viewer.is_complete();
            self.viewer
                .on_control(now, connection, identity, kind, &payload);
            if !was_complete && self.viewer.is_complete() {
                self.start_waiting_video(now, connection);
            }
            return;
        }
        match self.channels.get(&channel) {
            Some(Lane::Pointer) => self
                .viewer
                .on_pointer(now, connection, channel, kind, &payload),
            Some(Lane::Button) => self
                .viewer
                .on_button(now, connection, channel, kind, &payload),
            Some(Lane::Video) => {
                if let Some(video) = &mut self.video {
                    video.on_message(now, connection, kind, &payload);
                }
            }
            Some(Lane::Shell(name)) => {
                let name = name.clone();
                let message = (kind, payload);
                self.shells
                    .on_message(now, connection, &name, message, &mut self.identity);
                if self.identity.is_some() {
                    self.admit();
                }
            }
            None => {}
        }
    }

    /// Starts the video whose channel was listed in HELLO.
    fn start_waiting_video(&mut self, now: Instant, connection: &mut Connection) {
        let waiting = self.channels.iter().find(|(_, lane)| **lane == Lane::Video);
        if let Some(id) = waiting.map(|(id, _)| *id) {
            self.start_video(now, connection, id);
        }
    }

    fn start_video(&mut self, now: Instant, connection: &mut Connection, id: ChannelId) {
        let Some(output) = self
            .daemon
            .output
            .as_ref()
            .filter(|_| self.viewer.is_complete())
        else {
            return;
        };
        match output.watch() {
            Ok(watch) => self.video = Some(Video::new(id, watch, self.viewer.takes_h264())),
            Err(error) => {
                tracing::error!(%error, "no encoder");
                connection.close_channel(now, id, "there is no encoder");
            }
        }
    }
}

impl vroom_transport::Session for Session {
    fn on_event(&mut self, now: Instant, connection: &mut Connection, event: Event) {
        match event {
            Event::Hello(hello) => self.on_hello(now, connection, hello),
            Event::ChannelRequested { request, spec } => {
                self.on_request(now, connection, request, &spec);
            }
            Event::ChannelOpened { id, spec, .. } => self.on_opened(now, connection, id, &spec),
            Event::ChannelClosed { id, .. } => self.on_closed(now, connection, id),
            Event::Message {
                channel,
                kind,
                payload,
            } => self.on_message(now, connection, channel, kind, payload),
            Event::PeerError { code, reason, .. } => {
                tracing::debug!(%code, reason, "the client reports an error");
            }
            // C13: this server does not resume.
            Event::ResumeRequested { .. } => {
                connection.refuse_resume(now, Code::SESSION_NOT_FOUND, "nothing is kept here");
            }
            other => tracing::trace!(?other, "nothing to do"),
        }
    }

    fn pump(&mut self, now: Instant, connection: &mut Connection) {
        if *self.ending.borrow_and_update() {
            return connection.close(now, Code::GOING_AWAY, "the server ends");
        }
        self.viewer.pump(now, connection);
        if let Some(video) = &mut self.video {
            video.pump(now, connection, self.viewer.wishes());
        }
        if let Some(picture) = &mut self.picture {
            picture.pump(now, self.viewer.wishes(), self.viewer.wants_media_state());
        }
        self.shells.pump(now, connection, &mut self.identity);
    }

    async fn ready(&mut self) {
        let video = async {
            match &mut self.video {
                Some(video) => video.ready().await,
                None => pending().await,
            }
        };
        let picture = async {
            match &mut self.picture {
                Some(picture) => picture.ready().await,
                None => pending().await,
            }
        };
        tokio::select! {
            () = self.bell.notified() => {}
            () = video => {}
            () = picture => {}
            () = self.shells.ready() => {}
            () = ended(&mut self.ending) => {}
        }
    }

    /// A client that reads nothing is put out, or told of the end, all the same.
    async fn urgent(&mut self) {
        tokio::select! {
            () = self.bell.notified() => {}
            () = ended(&mut self.ending) => {}
        }
    }

    fn deadline(&self) -> Option<Instant> {
        let video = self.video.as_ref().and_then(Video::deadline);
        [self.viewer.deadline(), video, self.shells.deadline()]
            .into_iter()
            .flatten()
            .min()
    }
}

/// Waits until the server is told to end.
async fn ended(ending: &mut watch::Receiver<bool>) {
    // An error means that the server is gone, and with it this task.
    if ending.changed().await.is_err() {
        pending::<()>().await;
    }
}

/// What a client is told whose credentials are not taken.
pub(crate) const fn refusal(refused: Refused) -> (Code, &'static str) {
    match refused {
        Refused::Wrong => (Code::AUTH_FAILED, "the credentials are wrong"),
        Refused::Penalised { .. } => (
            Code::RATE_LIMITED,
            "too many wrong attempts; try again later",
        ),
    }
}

/// The name of the one session there is.
pub(crate) const DEFAULT: &str = "default";

/// How long the mux may take to say goodbye before the connection is dropped.
const GOODBYE: Duration = Duration::from_secs(2);
