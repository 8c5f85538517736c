//! A session and the transport that carries it now: how it begins, is lost, and goes on elsewhere.

use std::future::pending;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use tokio::sync::watch;
use vroom_protocol::mux::SessionControl;
use vroom_protocol::{
    Auth, Code, Connection, Event, Hello, ResumeGrant, Secret, ServerConfig, WelcomeInfo, mux,
};
use vroom_transport::{LinkRx, LinkTx, drive};

use crate::auth::{Credential, Refused};
use crate::daemon::Daemon;
use crate::gate::Pass;
use crate::identity::Identity;
use crate::links::Link;
use crate::origin::Origin;
use crate::picture::Picture;
use crate::resumable::{Claim, Found, Handover, Held};
use crate::session::{DEFAULT, Session, refusal};
use crate::token;

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
    let mut config = ServerConfig {
        hello_timeout,
        max_message_size: origin.transport.message_bytes(),
        ..ServerConfig::default()
    };
    config
        .extensions
        .extend(EXTENSIONS.iter().map(|name| (*name).to_owned()));
    let connection = Connection::server(config, origin.transport.link_kind(), now);
    let carried = Carried {
        ending: daemon.ending.subscribe(),
        session: Session::new(Arc::clone(&daemon), origin, identity),
        daemon,
        origin,
        pass: pass.clone(),
        picture,
        held: None,
        claimed: None,
    };
    let expired = async {
        match &pass {
            Some(pass) => pass.expired().await,
            None => pending().await,
        }
    };
    tokio::select! {
        biased;
        (code, reason) = drive(connection, rx, tx, carried) => {
            tracing::debug!(source = %origin.source, transport = origin.transport.name(), %code, reason, "a connection ended");
        }
        () = expired => {
            tracing::debug!(source = %origin.source, "an unauthenticated connection was closed");
        }
    }
}

/// A session and the transport that carries it now.
#[derive(Debug)]
struct Carried {
    daemon: Arc<Daemon>,
    origin: Origin,
    pass: Option<Arc<Pass>>,
    session: Session,
    /// The picture beside the channels, where it has its own way.
    picture: Option<Picture>,
    /// The place in the table of sessions that can be resumed.
    held: Option<Held>,
    /// The session that the client asks for, while another transport still carries it.
    claimed: Option<Claim>,
    ending: watch::Receiver<bool>,
}

impl Carried {
    /// Decides about a HELLO.
    fn on_hello(&mut self, now: Instant, connection: &mut Connection, hello: Hello) {
        if let Some(auth) = &hello.auth {
            match self.prove(now, auth, false) {
                Ok(identity) => self.session.identify(identity),
                Err(refused) => {
                    let (code, reason) = self.refused(auth, refused);
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
        let identity = self.session.identity();
        match identity {
            Some(_) => self.admit(),
            None => self.wait_for_proof(now),
        }
        let resume = hello
            .extensions
            .iter()
            .any(|name| name == mux::SESSION_RESUME)
            .then(token::Secret::random)
            .and_then(Result::ok)
            .map(|secret| ResumeGrant::new(Secret::new(secret.reveal())));
        let welcome = WelcomeInfo {
            session: identity.map(|_| session.to_owned()),
            user: identity.map(|identity| identity.user.to_string()),
            role: identity.map(|identity| identity.role.name().to_owned()),
            server: Some(concat!("vroomd/", env!("CARGO_PKG_VERSION")).to_owned()),
            time: clock_ms(),
            channels: hello
                .channels
                .into_iter()
                .filter(|spec| self.session.welcomes(spec))
                .collect(),
            resume: resume.clone(),
        };
        connection.accept(now, welcome);
        if let Some(grant) = resume.filter(|_| connection.is_up()) {
            let bound = self.session.identity().is_some();
            self.held = Some(self.daemon.resumable.hold(grant.session_id, bound));
        }
    }

    /// Decides about a RESUME_REQUEST.
    fn on_resume(
        &mut self,
        now: Instant,
        connection: &mut Connection,
        id: &Secret,
        auth: Option<&Auth>,
    ) {
        let proved = match auth {
            Some(auth) => match self.prove(now, auth, true) {
                Ok(identity) => Some(identity),
                Err(refused) => {
                    let (code, reason) = self.refused(auth, refused);
                    return connection.close(now, code, reason);
                }
            },
            None => self.session.identity().cloned(),
        };
        match self.daemon.resumable.find(id, proved.as_ref()) {
            Found::Parked(handover) => self.go_on(now, connection, *handover),
            Found::Live(claim) => self.claimed = Some(claim),
            Found::Expired => {
                connection.refuse_resume(now, Code::SESSION_EXPIRED, "the session has expired");
            }
            Found::Missing => {
                connection.refuse_resume(now, Code::SESSION_NOT_FOUND, "there is no such session");
            }
        }
    }

    /// Answers a SESSION_LIST_REQUEST, which may come before or in place of HELLO.
    fn on_list(&mut self, now: Instant, connection: &mut Connection, auth: Option<&Auth>) {
        let proved = match auth {
            Some(auth) => match self.prove(now, auth, true) {
                Ok(identity) => Some(identity),
                Err(refused) => {
                    let (code, reason) = self.refused(auth, refused);
                    return connection.close(now, code, reason);
                }
            },
            None => self.session.identity().cloned(),
        };
        match proved {
            Some(identity) => self.list(now, connection, &identity),
            None => connection.close(now, Code::AUTH_FAILED, "not authenticated"),
        }
    }

    fn on_control(&self, now: Instant, connection: &mut Connection, control: &SessionControl) {
        let Some(identity) = self.session.identity() else {
            let reason = "not authenticated";
            return connection.refuse_session_control(now, Code::AUTH_FAILED, reason);
        };
        match self.daemon.terminals.control(identity, control) {
            Ok(()) => self.list(now, connection, identity),
            Err((code, reason)) => connection.refuse_session_control(now, code, reason),
        }
    }

    fn list(&self, now: Instant, connection: &mut Connection, identity: &Identity) {
        let desktop = self.daemon.hub.entry(identity);
        let terminals = self.daemon.terminals.list(identity);
        connection.send_session_list(now, desktop.into_iter().chain(terminals).collect());
    }

    /// Takes a session over, if the client has not missed more than is kept.
    fn go_on(&mut self, now: Instant, connection: &mut Connection, handover: Handover) {
        let Handover {
            suspended,
            session,
            held,
            until,
        } = handover;
        match connection.resume(now, suspended) {
            Ok(()) => {
                tracing::debug!(source = %self.origin.source, transport = self.origin.transport.name(), "a session goes on");
                self.session = session;
                self.held = Some(held);
                self.admit();
            }
            // The client may still join its terminals in another way until the time is up.
            Err(suspended) => held.park(Handover {
                suspended,
                session,
                held: held.clone(),
                until,
            }),
        }
    }

    /// The transport is gone, or another one takes over: lets go of the session, if it can go on.
    fn hand_over(&mut self, now: Instant, connection: &mut Connection) {
        let Some(held) = self.held.take() else {
            return;
        };
        let Some(suspended) = connection.suspend(now) else {
            return held.forget();
        };
        let blank = Session::new(Arc::clone(&self.daemon), self.origin, None);
        let mut session = std::mem::replace(&mut self.session, blank);
        if session.identity().is_none() {
            return held.forget();
        }
        session.leave();
        held.park(Handover {
            until: now + suspended.timeout(),
            suspended,
            session,
            held: held.clone(),
        });
    }

    /// Who credentials belong to; `again` for those of somebody who was here before.
    fn prove(&self, now: Instant, auth: &Auth, again: bool) -> Result<Identity, Refused> {
        let (source, known) = (self.origin.source, &self.daemon.auth);
        match auth {
            Auth::Token(token) => known.token(now, source, token),
            Auth::Session(key) => known.key(now, source, key),
            Auth::Peer => known.peer(source),
            Auth::Share(token) if again => known.recognise(now, source, token),
            Auth::Share(token) => known.check(now, source, Credential::Share(token)),
            Auth::Pairing(code) => known.check(now, source, Credential::Code(code)),
            Auth::Password { .. } => Err(Refused::Wrong),
        }
    }

    fn refused(&self, auth: &Auth, refused: Refused) -> (Code, &'static str) {
        tracing::warn!(source = %self.origin.source, kind = auth.kind(), ?refused, "credentials were refused");
        refusal(refused)
    }

    /// When the link no longer works that the client came by.
    fn expires(&self) -> Option<Instant> {
        let link = self.session.identity().and_then(Identity::link)?;
        Some(link.expires())
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
}

impl vroom_transport::Session for Carried {
    fn on_event(&mut self, now: Instant, connection: &mut Connection, event: Event) {
        let session = &mut self.session;
        match event {
            Event::Hello(hello) => self.on_hello(now, connection, hello),
            Event::ChannelRequested { request, spec } => {
                session.on_request(now, connection, request, &spec);
            }
            Event::ChannelOpened { id, spec, .. } => session.on_opened(now, connection, id, &spec),
            Event::ChannelRejected { request, .. } => session.on_rejected(request),
            Event::ChannelClosed { id, .. } => session.on_closed(now, connection, id),
            Event::Message {
                channel,
                kind,
                payload,
            } => {
                let was_known = session.identity().is_some();
                session.on_message(now, connection, channel, kind, payload);
                if !was_known && self.session.identity().is_some() {
                    self.admit();
                }
            }
            Event::PeerError { code, reason, .. } => {
                tracing::debug!(%code, reason, "the client reports an error");
            }
            Event::ResumeRequested {
                session_id, auth, ..
            } => self.on_resume(now, connection, &session_id, auth.as_ref()),
            Event::Resumed { channels } => {
                session.come_back(now, connection, self.origin, &channels);
            }
            Event::SessionListRequested { auth } => {
                self.on_list(now, connection, auth.as_ref());
            }
            Event::SessionControl(control) => self.on_control(now, connection, &control),
            Event::Detached { .. } => session.detach(),
            Event::Closed { .. } => self.hand_over(now, connection),
            other => tracing::trace!(?other, "nothing to do"),
        }
    }

    fn pump(&mut self, now: Instant, connection: &mut Connection) {
        if *self.ending.borrow_and_update() {
            return connection.close(now, Code::GOING_AWAY, "the server ends");
        }
        let link = self.session.identity().and_then(Identity::link);
        if link.is_some_and(|link| !link.is_alive(now)) {
            return connection.close(now, Code::REVOKED, "the link no longer works");
        }
        if self.held.as_ref().is_some_and(Held::is_claimed) {
            return self.hand_over(now, connection);
        }
        match self.claimed.as_mut().and_then(Claim::take) {
            Some(Ok(handover)) => {
                self.claimed = None;
                self.go_on(now, connection, *handover);
            }
            Some(Err(_)) => {
                self.claimed = None;
                connection.refuse_resume(now, Code::SESSION_NOT_FOUND, "the session has ended");
            }
            None => {}
        }
        if let Some(picture) = &self.picture
            && let Some(patches) = self.session.patches()
        {
            patches.set_rate_kbps(picture.rate_kbps());
        }
        self.session.pump(now, connection);
        if let Some(picture) = &mut self.picture {
            let viewer = self.session.viewer_mut();
            picture.pump(now, viewer.wishes(), viewer.wants_media_state());
            picture.listen(viewer.voice());
            viewer.count_shown(connection, |rtp_time| picture.passed(rtp_time));
        }
    }

    async fn ready(&mut self) {
        let link = self.session.identity().and_then(Identity::link).cloned();
        let picture = async {
            match &mut self.picture {
                Some(picture) => picture.ready().await,
                None => pending().await,
            }
        };
        let claimed = async {
            match &mut self.claimed {
                Some(claim) => claim.ready().await,
                None => pending().await,
            }
        };
        // Whatever it is, everything is looked at then; so what happens most comes first.
        tokio::select! {
            biased;
            () = self.session.ready() => {}
            () = picture => {}
            () = claimed => {}
            () = revoked(link) => {}
            () = wanted(self.held.as_ref()) => {}
            () = ended(&mut self.ending) => {}
        }
    }

    /// A client that reads nothing is put out, taken over, or told of the end, all the same.
    async fn urgent(&mut self) {
        let link = self.session.identity().and_then(Identity::link).cloned();
        tokio::select! {
            () = revoked(link) => {}
            () = self.session.urgent() => {}
            () = wanted(self.held.as_ref()) => {}
            () = ended(&mut self.ending) => {}
        }
    }

    fn deadline(&self) -> Option<Instant> {
        self.session
            .deadline()
            .into_iter()
            .chain(self.expires())
            .min()
    }

    /// Who reads nothing does not keep a program waiting, nor their place beyond their time.
    fn urgent_deadline(&self) -> Option<Instant> {
        let urgent = self.session.urgent_deadline();
        urgent.into_iter().chain(self.expires()).min()
    }
}

/// The clock of this machine, for those who compare it with theirs.
fn clock_ms() -> Option<u64> {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.ok()?.as_millis().try_into().ok()
}

/// Waits until the link was revoked that the client came by.
async fn revoked(link: Option<Arc<Link>>) {
    match link {
        Some(link) => link.revoked().await,
        None => pending().await,
    }
}

/// Waits until another transport asks for the session.
async fn wanted(held: Option<&Held>) {
    match held {
        Some(held) => held.wanted().await,
        None => pending().await,
    }
}

/// Waits until the server is told to end.
async fn ended(ending: &mut watch::Receiver<bool>) {
    // An error means that the server is gone, and with it this task.
    if ending.changed().await.is_err() {
        pending::<()>().await;
    }
}

/// What is offered besides what every server has.
const EXTENSIONS: [&str; 5] = [
    mux::SESSION_RESUME,
    mux::SEQ_ACK,
    mux::SESSION_PERSISTENCE,
    mux::FILE_TRANSFER,
    mux::PORT_FORWARDING,
];

/// How long the mux may take to say goodbye before the connection is dropped.
const GOODBYE: Duration = Duration::from_secs(2);
