//! Who is here: the one owner of what the participants of the session share.
//!
//! Everything is asked and changed under one short lock, on which nothing waits. What a participant
//! has to be told goes into its [`Mailbox`].

mod browsing;
mod driving;
mod news;
mod notices;
mod recording;
mod selections;
mod share;
mod talk;
mod voice;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tokio::sync::Notify;
use vroom_desktop::{Desktop, Layout, Size};
use vroom_input::{KeymapError, Translator};
use vroom_protocol::graphical::{
    DesktopState, MediaState, Mode, Participant, Role, ShareState, State, Viewport,
};
use vroom_protocol::mux::{SessionEntry, SessionKind};

use crate::config::MicrophoneRule;
use crate::floor::{Denied, Floor, ParticipantId};
use crate::identity::Identity;
use crate::mailbox::Mailbox;
use crate::settings::ClipboardRules;
pub(crate) use news::CursorNow;
pub(crate) use notices::{NoticeEnd, NoticeNews, Posted};
pub(crate) use selections::Offered;

/// Who is here, who drives, and what there is to see.
pub(crate) struct Hub {
    session: Session,
    state: Mutex<Shared>,
    desktop: OnceLock<Arc<dyn Desktop>>,
}

/// What does not change while the server runs.
#[derive(Debug)]
struct Session {
    id: String,
    kind: &'static str,
    created: SystemTime,
    follow_resize: bool,
}

/// What the participants share.
#[derive(Debug)]
struct Shared {
    next: u64,
    members: BTreeMap<ParticipantId, Member>,
    floor: Floor,
    /// For whoever drives; the next one finds it with nothing held.
    translator: Translator,
    size: Size,
    scale: f64,
    title: Option<String>,
    ended: Option<String>,
    cursor: news::CursorShared,
    selections: selections::Selections,
    /// Whether the driver holds files over the desktop.
    dragging: bool,
    media: Option<MediaState>,
    recording: recording::RecordingShared,
    voice: voice::Voice,
    notices: notices::Notices,
    talk: talk::Talk,
    browsing: browsing::Browsing,
    active_at: SystemTime,
}

/// One participant.
#[derive(Debug)]
struct Member {
    user: Arc<str>,
    name: String,
    role: Role,
    /// Whether their client draws the pointer itself.
    draws_cursor: bool,
    joined_at: Instant,
    /// How many lines of conversation there were when they came.
    joined_line: u64,
    /// How often they may still say something, and open an address.
    talking: talk::Allowance,
    opening: talk::Allowance,
    mailbox: Arc<Mailbox>,
}

/// What a hub starts with.
#[derive(Debug)]
pub(crate) struct HubConfig {
    /// The public id of the session.
    pub(crate) session: String,
    /// Which desktop there is.
    pub(crate) kind: &'static str,
    /// The size of the desktop until it says otherwise.
    pub(crate) size: Size,
    /// The keyboard of the desktop.
    pub(crate) layout: Layout,
    /// Whether the desktop takes the size of the driver's window.
    pub(crate) follow_resize: bool,
    /// Which way clipboards may go.
    pub(crate) clipboard: ClipboardRules,
    /// Who may speak into its microphone.
    pub(crate) microphone: MicrophoneRule,
}

impl Hub {
    /// Makes a hub that nobody is at.
    ///
    /// # Errors
    ///
    /// When xkb does not know the layout.
    pub(crate) fn new(config: HubConfig) -> Result<Arc<Self>, KeymapError> {
        let shared = Shared {
            next: 1,
            members: BTreeMap::new(),
            floor: Floor::new(),
            translator: Translator::new(&config.layout)?,
            size: config.size,
            scale: 1.0,
            title: None,
            ended: None,
            cursor: news::CursorShared::default(),
            selections: selections::Selections::new(config.clipboard),
            dragging: false,
            media: None,
            recording: recording::RecordingShared::default(),
            voice: voice::Voice::new(config.microphone),
            notices: notices::Notices::default(),
            talk: talk::Talk::default(),
            browsing: browsing::Browsing::default(),
            active_at: SystemTime::now(),
        };
        Ok(Arc::new(Self {
            session: Session {
                id: config.session,
                kind: config.kind,
                created: SystemTime::now(),
                follow_resize: config.follow_resize,
            },
            state: Mutex::new(shared),
            desktop: OnceLock::new(),
        }))
    }

    /// Says which desktop it is; the first one stays.
    pub(crate) fn set_desktop(&self, desktop: Arc<dyn Desktop>) {
        if self.desktop.set(desktop).is_err() {
            tracing::error!("a hub was given a second desktop");
        }
    }

    /// The public id of the session.
    pub(crate) fn session(&self) -> &str {
        &self.session.id
    }

    /// Which desktop there is.
    pub(crate) fn kind(&self) -> &'static str {
        self.session.kind
    }

    /// How many people are here.
    pub(crate) fn participants(&self) -> usize {
        self.lock().members.len()
    }

    /// The present size of the desktop in pixels.
    pub(crate) fn size(&self) -> Size {
        self.lock().size
    }

    /// The members of the entry that lists this session.
    fn listing(&self) -> Listing {
        let shared = self.lock();
        Listing {
            created: unix_seconds(self.session.created),
            active: unix_seconds(shared.active_at),
            attached: shared.members.len(),
            title: shared.title.clone(),
            size: shared.size,
        }
    }

    /// The entry that lists this session to somebody; `None` when it is not for them, or not there.
    pub(crate) fn entry(&self, identity: &Identity) -> Option<SessionEntry> {
        if self.kind() == "none" || !identity.may_see_desktop() {
            return None;
        }
        let listing = self.listing();
        Some(SessionEntry {
            session_id: self.session().to_owned(),
            name: SESSION_NAME.to_owned(),
            created: listing.created,
            last_activity: listing.active,
            attached_clients: u32::try_from(listing.attached).unwrap_or(u32::MAX),
            channels: ["pointer", "button", "video"].map(str::to_owned).to_vec(),
            kind: Some(SessionKind::Graphical),
            title: Some(listing.title.unwrap_or_default()),
            width: Some(listing.size.width),
            height: Some(listing.size.height),
            role: Some(identity.role.name().to_owned()),
            ..SessionEntry::default()
        })
    }

    /// Takes somebody in, looking on. `bell` rings when there is mail.
    ///
    /// Returns `None` when too many are here already.
    pub(crate) fn join(
        self: &Arc<Self>,
        identity: &Identity,
        name: &str,
        bell: Arc<Notify>,
    ) -> Option<Seat> {
        let mailbox = Arc::new(Mailbox::new(bell));
        let mut shared = self.lock();
        if shared.members.len() >= PARTICIPANTS {
            return None;
        }
        let id = ParticipantId(shared.next);
        shared.next += 1;
        let name = if name.is_empty() {
            &*identity.user
        } else {
            name
        };
        let member = Member {
            user: Arc::clone(&identity.user),
            name: name
                .chars()
                .filter(|c| !c.is_control())
                .take(NAME_CHARS)
                .collect(),
            role: identity.role,
            draws_cursor: true,
            joined_at: now(),
            joined_line: shared.talk.said,
            talking: talk::Allowance::new(LINES_AT_ONCE, LINE_EVERY),
            opening: talk::Allowance::new(ADDRESSES_AT_ONCE, ADDRESS_EVERY),
            mailbox: Arc::clone(&mailbox),
        };
        shared.members.insert(id, member);
        shared.active_at = SystemTime::now();
        shared.announce_share();
        Some(Seat {
            hub: Arc::clone(self),
            id,
            mailbox,
        })
    }

    fn leave(&self, id: ParticipantId) {
        let mut shared = self.lock();
        if shared.floor.driver() == Some(id) {
            shared.vacate(self.desktop());
        }
        shared.members.remove(&id);
        shared.follow_cursor(self.desktop());
        shared.active_at = SystemTime::now();
        shared.announce_share();
    }

    fn desktop(&self) -> Option<&dyn Desktop> {
        self.desktop.get().map(AsRef::as_ref)
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Hub {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hub").finish_non_exhaustive()
    }
}

impl Shared {
    fn member(&self, id: ParticipantId) -> Result<&Member, Denied> {
        self.members.get(&id).ok_or(Denied::NoSuchTarget)
    }

    /// Tells everybody that who is here, or who drives, changed; whoever may not speak any more is
    /// silenced.
    fn announce_share(&mut self) {
        self.note_people();
        self.settle_voice();
        for member in self.members.values() {
            member.mailbox.put(|mail| mail.share = true);
        }
    }

    fn announce_state(&self) {
        for member in self.members.values() {
            member.mailbox.put(|mail| mail.state = true);
        }
    }
}

/// What a list of sessions tells about this one.
#[derive(Debug)]
struct Listing {
    /// Unix seconds.
    created: u64,
    /// Unix seconds of the last coming or going.
    active: u64,
    /// Participants.
    attached: usize,
    /// What the focused window says.
    title: Option<String>,
    /// In pixels.
    size: Size,
}

/// The place of one participant; dropping it leaves, and lets go of everything held.
#[derive(Debug)]
pub(crate) struct Seat {
    hub: Arc<Hub>,
    id: ParticipantId,
    mailbox: Arc<Mailbox>,
}

impl Seat {
    /// Tells this participant from the others.
    pub(crate) fn id(&self) -> ParticipantId {
        self.id
    }

    /// What there is for this participant.
    pub(crate) fn mailbox(&self) -> &Mailbox {
        &self.mailbox
    }

    /// What this participant may do at most, now.
    pub(crate) fn role(&self) -> Role {
        let shared = self.hub.lock();
        shared
            .member(self.id)
            .map_or(Role::Viewer, |member| member.role)
    }

    /// What this participant is doing.
    pub(crate) fn mode(&self) -> Mode {
        self.hub.lock().floor.mode(self.id)
    }

    /// What STATE says to this participant.
    pub(crate) fn state(&self) -> State {
        let shared = self.hub.lock();
        let loading = shared.browsing.is_loading();
        let mut state = State::new(if loading {
            State::BROWSING
        } else {
            State::IDLE
        });
        state.loading = loading.then_some(true);
        state.title.clone_from(&shared.title);
        state.viewport = Some(shared.viewport());
        state.mode = Some(shared.floor.mode(self.id));
        state.desktop = Some(DesktopState {
            kind: self.hub.kind().to_owned(),
            ended: shared.ended.clone(),
        });
        state
    }

    /// What SHARE_STATE says to this participant.
    pub(crate) fn share_state(&self) -> ShareState {
        let shared = self.hub.lock();
        let participants = shared.members.iter().map(|(id, member)| Participant {
            id: id.to_string(),
            name: member.name.clone(),
            role: member.role,
            mode: shared.floor.mode(*id),
        });
        ShareState {
            own_id: self.id.to_string(),
            driver: shared.floor.driver().map(|id| id.to_string()),
            participants: participants.collect(),
            reason: None,
        }
    }

    /// The coordinate space of input.
    pub(crate) fn viewport(&self) -> Viewport {
        self.hub.lock().viewport()
    }
}

impl Shared {
    fn viewport(&self) -> Viewport {
        Viewport {
            scale: Some(self.scale),
            ..Viewport::new(self.size.width, self.size.height)
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.hub.leave(self.id);
    }
}

/// Seconds since 1970; 0 before.
pub(crate) fn unix_seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

/// The time, for what is decided by it.
fn now() -> Instant {
    Instant::now()
}

/// What the one session is called.
pub(crate) const SESSION_NAME: &str = "default";

/// The participants at a time; one more is refused.
const PARTICIPANTS: usize = 256;

/// The lines that one participant may say at once, and how soon there may be one more.
const LINES_AT_ONCE: u32 = 20;
const LINE_EVERY: Duration = Duration::from_millis(500);

/// The addresses that one participant may open at once, and how soon there may be one more.
const ADDRESSES_AT_ONCE: u32 = 5;
const ADDRESS_EVERY: Duration = Duration::from_secs(2);

/// The longest name of a participant; the rest is cut.
const NAME_CHARS: usize = 64;

#[cfg(test)]
mod tests;
