//! Everything together: what the parts of the server share, how it starts and how it ends.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;
use vroom_desktop::{Desktop, DesktopEvent};
use vroom_media::{EncoderChoice, Media, MediaConfig, SoundPath};
use vroom_terminal::Holds;
use vroom_transport::tls;

use crate::auth::Auth;
use crate::bus::SessionBus;
use crate::config::OnExit;
use crate::control;
use crate::desktop::{self, RuntimeDir, Started};
use crate::gate::Gate;
use crate::http::Names;
use crate::hub::{Hub, HubConfig};
use crate::listen::{self, UnixSocket};
use crate::output::Output;
use crate::peers::Peers;
use crate::recording::{self, Recordings};
use crate::resumable::Resumable;
use crate::settings::Settings;
use crate::sound::SoundServer;
use crate::state_dir::StateDir;
use crate::terminals::{Rules, Terminals};
use crate::token::{self, Secret};

/// What the parts of the server share.
#[derive(Debug)]
pub(crate) struct Daemon {
    /// What is in force.
    pub(crate) settings: Settings,
    /// Who is who.
    pub(crate) auth: Arc<Auth>,
    /// The strangers.
    pub(crate) gate: Arc<Gate>,
    /// The names of this server.
    pub(crate) names: Names,
    /// Who is here.
    pub(crate) hub: Arc<Hub>,
    /// What makes encoders and peers.
    pub(crate) media: Media,
    /// The pictures, when there is a desktop.
    pub(crate) output: Option<Arc<Output>>,
    /// What its programs play and record, when there is a sound server.
    pub(crate) sound: Option<SoundPath>,
    /// Connections over WebRTC.
    pub(crate) peers: Peers,
    /// What is recorded.
    pub(crate) recordings: Recordings,
    /// All terminals.
    pub(crate) terminals: Arc<Terminals>,
    /// The sessions that can be resumed.
    pub(crate) resumable: Arc<Resumable>,
    /// A permit for each session.
    pub(crate) sessions: Arc<Semaphore>,
    /// Turns true when the end has begun.
    pub(crate) ending: watch::Sender<bool>,
}

impl Daemon {
    /// Whether programs find a microphone that somebody may speak into.
    pub(crate) fn has_microphone(&self) -> bool {
        let sound = self.sound.as_ref();
        sound.is_some_and(|sound| sound.microphone.is_some())
    }

    /// The folder that clients may look into, if any.
    pub(crate) fn files_root(&self) -> Option<PathBuf> {
        let root = self.settings.files_root.as_deref();
        let root = root.unwrap_or_else(|| self.terminals.home());
        self.settings.files.then(|| root.to_owned())
    }
}

/// Waits until the end has begun.
pub(crate) async fn ended(ending: &mut watch::Receiver<bool>) {
    // An error means that the server is gone, which is an end, too.
    drop(ending.wait_for(|ending| *ending).await);
}

/// A server that runs.
pub struct Server {
    daemon: Arc<Daemon>,
    desktop: Option<Arc<dyn Desktop>>,
    sound: Option<SoundServer>,
    bus: Option<SessionBus>,
    runtime_dir: Option<RuntimeDir>,
    finished: watch::Receiver<bool>,
    url: String,
}

impl Server {
    /// Starts everything; returns once clients can connect.
    ///
    /// # Errors
    ///
    /// When something that was asked for cannot be had.
    pub async fn start(settings: Settings) -> anyhow::Result<Self> {
        let account = vroom_terminal::Account::current().context("finding out who runs this")?;
        let token = token::load(settings.token_file.as_deref())?;
        let acceptor = match &settings.tls {
            Some(tls) => {
                let alpn = [tls::ALPN_MUX, tls::ALPN_HTTP];
                Some(tls::acceptor(&tls.cert, &tls.key, &alpn).context("setting up TLS")?)
            }
            None => None,
        };
        // Bound before anything is started, so that a port in use costs nothing.
        let mut listeners = Vec::new();
        for address in &settings.listen {
            let listener = TcpListener::bind(address).await;
            listeners.push(listener.with_context(|| format!("listening on {address}"))?);
        }
        let socket = match &settings.unix {
            Some(path) => {
                let socket = UnixSocket::bind(path);
                Some(socket.with_context(|| format!("listening on {}", path.display()))?)
            }
            None => None,
        };
        let (state_dir, orders) = StateDir::take(settings.state_dir.as_deref())?;
        let holder = Holds::find_executable().unwrap_or_else(|| {
            tracing::warn!(
                "vroom-hold is neither beside vroomd nor in PATH: no terminal will start"
            );
            "vroom-hold".into()
        });
        let holds = Holds::open(state_dir.terminals(), holder);
        let holds = holds.context("opening the folder of terminals")?;
        let rules = Rules {
            idle: settings.terminal_idle,
            per_user: settings.terminals_per_user,
        };
        let url = url(&settings, &listeners, &token)?;
        let auth = Auth::new(token, &account.name);
        let (finish, finished) = watch::channel(false);
        let hub = Hub::new(HubConfig {
            session: Secret::random()
                .context("getting random numbers")?
                .reveal()
                .to_owned(),
            kind: settings.desktop.name(),
            size: settings.size,
            layout: settings.layout.clone(),
            follow_resize: settings.follow_resize,
            clipboard: settings.clipboard,
            microphone: settings.microphone,
        })?;
        let media = Media::start(media_config(&settings)).context("starting media")?;
        // Last of all that can fail, so that no session is left without its server.
        let started = start_desktop(&settings, &hub, finish).await?;
        let (desktop, display, sound_server, bus, runtime_dir) = match started {
            Some(it) => (
                Some(it.desktop),
                it.display,
                it.sound,
                it.bus,
                it.runtime_dir,
            ),
            None => (None, Vec::new(), None, None, None),
        };
        let sound = sound_server.as_ref().map(|server| SoundPath {
            played: media.sound(server.played()),
            microphone: server.spoken().map(|pipe| media.microphone(pipe.clone())),
        });
        let output = desktop
            .as_ref()
            .map(|desktop| Output::new(Arc::clone(desktop), media.clone(), Arc::clone(&hub)));
        let (recordings, record_orders) =
            Recordings::new(settings.recording.clone(), &account.home);
        let daemon = Arc::new(Daemon {
            auth: Arc::new(auth),
            gate: Gate::new(
                settings.limits.unauthenticated,
                settings.limits.unauthenticated_per_source,
            ),
            names: Names::new(&settings.hosts, &settings.origins),
            hub,
            media,
            output,
            sound,
            peers: Peers::default(),
            recordings,
            terminals: Arc::new(Terminals::new(
                account,
                settings.shell.clone(),
                display,
                holds,
                rules,
            )),
            resumable: Arc::default(),
            sessions: Arc::new(Semaphore::new(SESSIONS)),
            ending: watch::Sender::new(false),
            settings,
        });
        // Before anybody can ask for them.
        daemon.terminals.recover(&daemon.auth).await;
        tokio::spawn(recording::serve(Arc::downgrade(&daemon), record_orders));
        if daemon.settings.recording.autostart {
            daemon.recordings.start("the server".into());
        }
        for listener in listeners {
            let daemon = Arc::clone(&daemon);
            tokio::spawn(listen::serve_tcp(daemon, listener, acceptor.clone()));
        }
        if let Some(socket) = socket {
            tokio::spawn(listen::serve_unix(Arc::clone(&daemon), socket));
        }
        tokio::spawn(control::serve(Arc::clone(&daemon), orders));
        Ok(Self {
            daemon,
            desktop,
            sound: sound_server,
            bus,
            runtime_dir,
            finished,
            url,
        })
    }

    /// Where a browser finds it, with the token behind `#`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Waits until the session command ended, where that is to end everything.
    pub async fn finished(&mut self) {
        if self.finished.wait_for(|finished| *finished).await.is_err() {
            // There is no session command that could end.
            std::future::pending::<()>().await;
        }
    }

    /// Ends everything that was started, within [`END`].
    pub async fn end(self) {
        // First, while there is something to record the end of.
        if timeout(RECORDED, self.daemon.recordings.end())
            .await
            .is_err()
        {
            tracing::warn!("the end of a recording is missing");
        }
        self.daemon.ending.send_replace(true);
        let desktop = self.desktop;
        let desktop = tokio::task::spawn_blocking(move || {
            if let Some(desktop) = desktop {
                desktop.shut_down();
            }
        });
        let sessions = self.daemon.sessions.acquire_many(SESSIONS_ALL);
        let all = async {
            let (sessions, (), desktop) =
                tokio::join!(sessions, self.daemon.terminals.end(), desktop);
            if sessions.is_err() || desktop.is_err() {
                tracing::error!("something ended in disorder");
            }
        };
        if timeout(END, all).await.is_err() {
            tracing::warn!("not everything ended in time");
        }
        drop(self.sound);
        drop(self.bus);
        drop(self.runtime_dir);
    }
}

async fn start_desktop(
    settings: &Settings,
    hub: &Arc<Hub>,
    finish: watch::Sender<bool>,
) -> anyhow::Result<Option<Started>> {
    let exits = settings.on_exit == OnExit::Exit;
    let listener = Arc::clone(hub);
    let started = desktop::start(
        settings,
        hub,
        Arc::new(move |event| {
            let ended = matches!(
                event,
                DesktopEvent::SessionEnded {
                    restarting: false,
                    ..
                }
            );
            listener.on_desktop(event);
            if ended && exits {
                finish.send_replace(true);
            }
        }),
    )
    .await?;
    if let Some(started) = &started {
        hub.set_desktop(Arc::clone(&started.desktop));
    }
    Ok(started)
}

/// How media is set up.
pub(crate) fn media_config(settings: &Settings) -> MediaConfig {
    let defaults = MediaConfig::default();
    let trial = std::env::current_exe().ok();
    MediaConfig {
        encoder: match &settings.encoder {
            Some(name) => EncoderChoice::Named(name.clone()),
            None => EncoderChoice::Auto,
        },
        trial: trial.map(|program| vec![program.into(), "try-encoder".into()]),
        bitrate_kbps_max: settings
            .bitrate_kbps_max
            .unwrap_or(defaults.bitrate_kbps_max),
        fps_max: settings.fps_max.unwrap_or(defaults.fps_max),
        ice_ports: settings.ports.map(|(first, last)| first..=last),
        ..defaults
    }
}

/// The address of the page; the token stands behind `#`, which browsers do not send.
fn url(settings: &Settings, listeners: &[TcpListener], token: &Secret) -> anyhow::Result<String> {
    let Some(listener) = listeners.first() else {
        let path = settings
            .unix
            .as_ref()
            .context("there is nothing to listen on")?;
        return Ok(format!("unix:{}", path.display()));
    };
    let mut address = listener.local_addr().context("asking for the port")?;
    if address.ip().is_unspecified() {
        address = SocketAddr::from(([127, 0, 0, 1], address.port()));
    }
    let scheme = if settings.tls.is_some() {
        "https"
    } else {
        "http"
    };
    Ok(format!("{scheme}://{address}/#token={}", token.reveal()))
}

/// How long the end may take, without that of a recording.
pub const END: Duration = Duration::from_millis(1800);

/// How long the end of a recording may take: the rest of a second is to be written.
const RECORDED: Duration = Duration::from_millis(1500);

/// The sessions at a time; one more is not taken.
const SESSIONS: usize = 1024;

/// The same, for taking all permits at once.
const SESSIONS_ALL: u32 = 1024;
