//! What one connection may do: where each message belongs.

use std::collections::BTreeMap;
use std::future::pending;
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::Notify;
use vroom_protocol::graphical::Role;
use vroom_protocol::terminal::ChannelName;
use vroom_protocol::{ChannelId, ChannelSpec, Code, Connection, RequestId};

use crate::auth::Refused;
use crate::daemon::Daemon;
use crate::files::Files;
use crate::forward::{Forwards, Policy, Rights};
use crate::identity::Identity;
use crate::lane::Lane;
use crate::origin::Origin;
use crate::patches::Patches;
use crate::shells::Shells;
use crate::video::{Video, VideoKind};
use crate::viewer::Viewer;

/// What one connection may do, whatever transport carries it.
///
/// A resumable one outlives its transport: see [`Resumable`](crate::resumable::Resumable).
#[derive(Debug)]
pub(crate) struct Session {
    daemon: Arc<Daemon>,
    origin: Origin,
    identity: Option<Identity>,
    channels: BTreeMap<ChannelId, Lane>,
    viewer: Viewer,
    /// The picture on a channel.
    video: Option<Video>,
    patches: Option<Patches>,
    shells: Shells,
    files: Files,
    forwards: Forwards,
    bell: Arc<Notify>,
}

impl Session {
    /// Starts one for a client that has not asked for anything yet.
    pub(crate) fn new(daemon: Arc<Daemon>, origin: Origin, identity: Option<Identity>) -> Self {
        let bell = Arc::new(Notify::new());
        Self {
            viewer: Viewer::new(Arc::clone(&daemon), origin.transport, Arc::clone(&bell)),
            shells: Shells::new(Arc::clone(&daemon), origin),
            files: Files::new(daemon.files_root()),
            forwards: Forwards::new(Policy {
                enabled: daemon.settings.forwarding,
                any_address: daemon.settings.forward_any_address,
            }),
            daemon,
            origin,
            identity,
            channels: BTreeMap::new(),
            video: None,
            patches: None,
            bell,
        }
    }

    /// Who it is for, once that is proved.
    pub(crate) fn identity(&self) -> Option<&Identity> {
        self.identity.as_ref()
    }

    /// Says who it is for.
    pub(crate) fn identify(&mut self, identity: Identity) {
        self.identity = Some(identity);
    }

    /// The half that looks at the desktop.
    pub(crate) fn viewer_mut(&mut self) -> &mut Viewer {
        &mut self.viewer
    }

    /// The exact pictures, while the client takes them.
    pub(crate) fn patches(&mut self) -> Option<&mut Patches> {
        self.patches.as_mut()
    }

    /// The transport is lost: nothing stays held and nothing is shown, but terminals go on.
    // xumux §session-resume: a driver's keys, buttons and touches are released at once.
    pub(crate) fn leave(&mut self) {
        self.viewer.leave();
        self.video = None;
        self.patches = None;
        self.shells.leave();
    }

    /// The client leaves on purpose, and its terminals are to stay.
    pub(crate) fn detach(&self) {
        self.shells.detach();
    }

    /// Another transport carries it from now on, with these channels.
    pub(crate) fn come_back(
        &mut self,
        now: Instant,
        connection: &mut Connection,
        origin: Origin,
        channels: &[(ChannelId, ChannelSpec)],
    ) {
        self.origin = origin;
        self.shells.come_back(origin);
        let lost: Vec<_> = self
            .channels
            .keys()
            .filter(|id| !channels.iter().any(|(open, _)| open == *id))
            .copied()
            .collect();
        for id in lost {
            self.on_closed(now, connection, id);
        }
        if let Some(identity) = &self.identity {
            self.viewer
                .come_back(now, connection, identity, origin.transport);
        }
        self.start_waiting_video(now, connection);
    }

    /// Whether a channel that a HELLO lists is opened.
    pub(crate) fn welcomes(&self, spec: &ChannelSpec) -> bool {
        match Lane::of(spec) {
            // VROOM-Graphical §4.1: listing them early is allowed, their frames are ignored.
            Ok(Lane::Pointer | Lane::Button | Lane::Video | Lane::Patches | Lane::Clipboard) => {
                self.may_see_desktop()
            }
            Ok(Lane::Shell(name)) => self.check_shell(&name).is_ok(),
            Ok(lane @ (Lane::Files | Lane::Forwards)) => self.check_work(&lane).is_ok(),
            Ok(Lane::Forwarded(_)) | Err(_) => false,
        }
    }

    /// Decides about a channel that the client asks for.
    fn check(&self, spec: &ChannelSpec) -> Result<(), (Code, &'static str)> {
        let lane = Lane::of(spec)?;
        match &lane {
            Lane::Shell(name) => return self.check_shell(name),
            Lane::Files | Lane::Forwards | Lane::Forwarded(_) => return self.check_work(&lane),
            Lane::Pointer | Lane::Button | Lane::Video | Lane::Patches | Lane::Clipboard => {}
        }
        if self.identity.is_none() {
            return Err((Code::AUTH_FAILED, "not authenticated"));
        }
        if !self.may_see_desktop() {
            return Err((
                Code::NOT_ALLOWED,
                "these credentials do not open the desktop",
            ));
        }
        if !self.viewer.is_complete() {
            return Err((Code::WRONG_STATE, "VROOM_HANDSHAKE comes first"));
        }
        match lane {
            Lane::Pointer | Lane::Button if !self.viewer.may_drive() => {
                Err((Code::NOT_ALLOWED, "viewers cannot drive"))
            }
            Lane::Clipboard if !self.viewer.may_drive() => {
                Err((Code::NOT_ALLOWED, "viewers have no clipboard"))
            }
            _ => Ok(()),
        }
    }

    fn may_see_desktop(&self) -> bool {
        self.identity
            .as_ref()
            .is_some_and(Identity::may_see_desktop)
    }

    /// Whether somebody may use files and forwards: viewers may not.
    fn check_work(&self, lane: &Lane) -> Result<(), (Code, &'static str)> {
        let Some(identity) = &self.identity else {
            return Err((Code::AUTH_FAILED, "not authenticated"));
        };
        let is_allowed = match lane {
            Lane::Files => identity.may_use_files(),
            // Which of the two is asked for is told by the requests on it.
            _ => identity.may_forward() || identity.may_forward_agent(),
        };
        if !is_allowed {
            return Err((Code::NOT_ALLOWED, "these credentials do not allow that"));
        }
        if *lane == Lane::Files {
            self.files.check()
        } else {
            Ok(())
        }
    }

    fn check_shell(&self, name: &ChannelName) -> Result<(), (Code, &'static str)> {
        // Whoever was made a viewer of the desktop keeps no terminal beside it; a link opens its own.
        let is_viewer = self
            .identity
            .as_ref()
            .is_some_and(|who| who.role < Role::Operator && who.link().is_none());
        if is_viewer || (self.viewer.is_complete() && !self.viewer.may_drive()) {
            return Err((Code::NOT_ALLOWED, "viewers have no terminals"));
        }
        self.shells.check(name)
    }

    /// Answers a request for a channel.
    pub(crate) fn on_request(
        &mut self,
        now: Instant,
        connection: &mut Connection,
        request: RequestId,
        spec: &ChannelSpec,
    ) {
        match self.check(spec) {
            Ok(()) => {
                if let Ok(Lane::Forwarded(name)) = Lane::of(spec) {
                    return self.forwards.on_request(now, connection, request, name);
                }
                // `None` means that all ids are in use, which the mux has told the client.
                connection.accept_channel(now, request);
            }
            Err((code, reason)) => connection.reject_channel(now, request, code, reason),
        }
    }

    /// A channel that we asked for is not opened.
    pub(crate) fn on_rejected(&mut self, request: RequestId) {
        self.forwards.on_rejected(request);
    }

    /// A channel is open.
    pub(crate) fn on_opened(
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
            Lane::Video => self.start_video(now, connection, id, spec),
            Lane::Patches => self.start_patches(now, connection, id),
            Lane::Clipboard => self.viewer.open_clip(id),
            Lane::Pointer | Lane::Button => {}
            Lane::Files => self.files.on_opened(now, connection, id),
            Lane::Forwards => {
                let who = self.identity.as_ref();
                let ports = who.is_some_and(Identity::may_forward);
                let agent = who.is_some_and(Identity::may_forward_agent);
                self.forwards.on_control_opened(id, Rights { ports, agent });
            }
            Lane::Forwarded(name) => self.forwards.on_opened(now, connection, id, *name),
        }
        self.channels.insert(id, lane);
    }

    /// A channel is gone.
    pub(crate) fn on_closed(&mut self, now: Instant, connection: &mut Connection, id: ChannelId) {
        match self.channels.remove(&id) {
            Some(Lane::Button) => self.viewer.release(),
            Some(Lane::Video) => self.video = None,
            Some(Lane::Patches) => self.patches = None,
            Some(Lane::Clipboard) => self.viewer.close_clip(),
            Some(Lane::Shell(name)) => self.shells.on_closed(now, connection, &name),
            Some(Lane::Files) => self.files.on_closed(),
            Some(Lane::Forwards) => self.forwards.on_control_closed(),
            Some(Lane::Forwarded(_)) => self.forwards.on_closed(id),
            Some(Lane::Pointer) | None => {}
        }
    }

    /// Takes a message.
    pub(crate) fn on_message(
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
            if !identity.may_see_desktop() {
                let reason = "these credentials do not open the desktop";
                return connection.error(now, Code::NOT_ALLOWED, Some(channel), reason);
            }
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
            Some(Lane::Patches) => {
                if let Some(patches) = &mut self.patches {
                    patches.on_message(now, connection, kind, &payload);
                }
            }
            Some(Lane::Clipboard) => self.viewer.on_clip(now, connection, kind, payload),
            Some(Lane::Shell(name)) => {
                let name = name.clone();
                let message = (kind, payload);
                self.shells.set_agent(self.forwards.agent_socket());
                self.shells
                    .on_message(now, connection, &name, message, &mut self.identity);
            }
            Some(Lane::Files) => self.files.on_message(now, connection, kind, &payload),
            Some(Lane::Forwards) => self.forwards.on_message(now, connection, kind, &payload),
            Some(Lane::Forwarded(_)) => {
                self.forwards
                    .on_data(now, connection, channel, kind, payload);
            }
            None => {}
        }
    }

    /// Starts the pictures whose channels were listed in HELLO.
    fn start_waiting_video(&mut self, now: Instant, connection: &mut Connection) {
        let waiting = |wanted| {
            let mut channels = self.channels.iter();
            channels
                .find(|(_, lane)| **lane == wanted)
                .map(|(id, _)| *id)
        };
        let (video, patches) = (waiting(Lane::Video), waiting(Lane::Patches));
        if let Some(id) = waiting(Lane::Clipboard) {
            self.viewer.open_clip(id);
        }
        if let Some(id) = video
            && let Some(spec) = connection.channel(id).cloned()
        {
            self.start_video(now, connection, id, &spec);
        }
        if let Some(id) = patches {
            self.start_patches(now, connection, id);
        }
    }

    fn start_patches(&mut self, now: Instant, connection: &mut Connection, id: ChannelId) {
        let output = self.daemon.output.as_ref();
        let Some(output) = output.filter(|_| self.viewer.is_complete()) else {
            return;
        };
        match output.watch() {
            Ok(watch) => self.patches = Some(Patches::new(id, watch)),
            Err(error) => {
                tracing::error!(%error, "no encoder");
                connection.close_channel(now, id, "there is no encoder");
            }
        }
    }

    fn start_video(
        &mut self,
        now: Instant,
        connection: &mut Connection,
        id: ChannelId,
        spec: &ChannelSpec,
    ) {
        let Some(output) = self
            .daemon
            .output
            .as_ref()
            .filter(|_| self.viewer.is_complete())
        else {
            return;
        };
        match output.watch() {
            Ok(watch) => {
                // A client that finds out only now that it cannot decode H264 need not begin anew.
                let kind = VideoKind {
                    h264: self.viewer.takes_h264() && !wants_jpeg(spec),
                    tiles: self.viewer.takes_tiles(),
                };
                self.video = Some(Video::new(id, watch, kind));
            }
            Err(error) => {
                tracing::error!(%error, "no encoder");
                connection.close_channel(now, id, "there is no encoder");
            }
        }
    }

    /// Sends what there is to send.
    pub(crate) fn pump(&mut self, now: Instant, connection: &mut Connection) {
        self.viewer.pump(now, connection);
        self.viewer.pump_clip(now, connection);
        if let Some(video) = &mut self.video {
            video.pump(now, connection, self.viewer.wishes());
            let passed = |rtp_time| video.passed(rtp_time);
            self.viewer.count_shown(connection, passed);
        }
        if let Some(patches) = &mut self.patches {
            patches.pump(now, connection);
        }
        self.shells.pump(now, connection, &mut self.identity);
        self.files.pump(now, connection);
        self.forwards.pump(now, connection);
    }

    /// Waits until there is something to pump; cancel-safe.
    pub(crate) async fn ready(&mut self) {
        let video = async {
            match &mut self.video {
                Some(video) => video.ready().await,
                None => pending().await,
            }
        };
        let patches = async {
            match &mut self.patches {
                Some(patches) => patches.ready().await,
                None => pending().await,
            }
        };
        tokio::select! {
            biased;
            () = self.shells.ready() => {}
            () = video => {}
            () = patches => {}
            () = self.bell.notified() => {}
            () = self.files.ready() => {}
            () = self.forwards.ready() => {}
        }
    }

    /// Waits for what must not wait for a client that reads nothing; cancel-safe.
    pub(crate) async fn urgent(&self) {
        self.bell.notified().await;
    }

    /// When to pump although the client reads nothing.
    pub(crate) fn urgent_deadline(&self) -> Option<Instant> {
        self.shells.deadline()
    }

    /// When to pump even if nothing happens.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let video = self.video.as_ref().and_then(Video::deadline);
        let shells = self.shells.deadline();
        [
            self.viewer.deadline(),
            video,
            shells,
            self.forwards.deadline(),
        ]
        .into_iter()
        .flatten()
        .min()
    }
}

/// Whether a client asks for JPEG on a channel for pictures, whatever else it could take.
fn wants_jpeg(spec: &ChannelSpec) -> bool {
    let metadata = spec.metadata.as_ref();
    let codec = metadata.and_then(|metadata| metadata.get("codec"));
    codec.is_some_and(|codec| codec == "jpeg")
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
