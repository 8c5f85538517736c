//! Links that lead people without an account to one terminal.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use tokio::sync::watch;
use vroom_protocol::graphical::Role;
use vroom_protocol::terminal::ShareLink;

use crate::hub::unix_seconds;
use crate::identity::{Identity, Scope};
use crate::token::Secret;

/// All links of the server. They live as long as it does.
#[derive(Debug, Default)]
pub(crate) struct Links {
    links: Mutex<Vec<Arc<Link>>>,
}

/// A link: what it opens, for whom, and for how long.
///
/// What it is good for is settled when it is made: one that was born for viewers never opens more.
#[derive(Debug)]
pub(crate) struct Link {
    id: String,
    secret: Secret,
    terminal: Arc<str>,
    role: Role,
    expires: Instant,
    expires_unix: u64,
    uses: Option<u32>,
    /// How often it was used; the watchers learn of the end, after which it opens nothing.
    state: watch::Sender<State>,
}

#[derive(Clone, Copy, Debug, Default)]
struct State {
    used: u32,
    revoked: bool,
}

/// Why there is no link.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum NoLink {
    /// There are too many.
    TooMany,
    /// It could work for ever, or never.
    BadTerms,
    /// The system has no random numbers.
    NoSecret,
}

impl Links {
    /// Makes a link to a terminal; the token is said once, here.
    pub(crate) fn make(
        &self,
        now: Instant,
        terminal: Arc<str>,
        role: Role,
        lifetime: Duration,
        uses: Option<u32>,
    ) -> Result<(Arc<Link>, Secret), NoLink> {
        if lifetime.is_zero() || lifetime > LIFETIME_MAX || uses == Some(0) {
            return Err(NoLink::BadTerms);
        }
        let secret = Secret::random().map_err(|_| NoLink::NoSecret)?;
        let id = Secret::random().map_err(|_| NoLink::NoSecret)?;
        // It is typed after an option, and must not look like one.
        let id = id.reveal().chars().filter(char::is_ascii_alphanumeric);
        let mut links = self.lock();
        links.retain(|link| link.is_alive(now));
        if links.len() >= LINKS {
            return Err(NoLink::TooMany);
        }
        let link = Arc::new(Link {
            id: id.take(ID_CHARS).collect(),
            secret: secret.clone(),
            terminal,
            role: role.min(Role::Operator),
            expires: now + lifetime,
            expires_unix: unix_seconds(SystemTime::now() + lifetime),
            uses,
            state: watch::Sender::default(),
        });
        links.push(Arc::clone(&link));
        Ok((link, secret))
    }

    /// Who comes by the link of this token; counts as a use.
    pub(crate) fn redeem(&self, now: Instant, token: &str) -> Option<Identity> {
        let link = self.find(now, token)?;
        let admitted = link.state.send_if_modified(|state| {
            let left = !state.revoked && link.uses.is_none_or(|uses| state.used < uses);
            state.used = state.used.saturating_add(u32::from(left));
            left
        });
        admitted.then(|| link.identity())
    }

    /// Who came by the link of this token before; counts as nothing.
    pub(crate) fn recognise(&self, now: Instant, token: &str) -> Option<Identity> {
        Some(self.find(now, token)?.identity())
    }

    /// The links that lead to a terminal.
    pub(crate) fn list(&self, now: Instant, terminal: &str) -> Vec<ShareLink> {
        let links = self.lock();
        let own = links
            .iter()
            .filter(|link| &*link.terminal == terminal && link.is_alive(now));
        own.map(|link| link.entry()).collect()
    }

    /// Ends a link to a terminal; whoever came by it is put out.
    pub(crate) fn revoke(&self, terminal: &str, id: &str) -> bool {
        let mut links = self.lock();
        let is_it = |link: &Arc<Link>| &*link.terminal == terminal && link.id == id;
        let Some(at) = links.iter().position(is_it) else {
            return false;
        };
        links.swap_remove(at).end();
        true
    }

    /// Ends all links to a terminal that is gone.
    pub(crate) fn revoke_all(&self, terminal: &str) {
        self.lock().retain(|link| {
            let is_other = &*link.terminal != terminal;
            if !is_other {
                link.end();
            }
            is_other
        });
    }

    /// Looks at every link, so that the time does not tell which was nearly right.
    fn find(&self, now: Instant, token: &str) -> Option<Arc<Link>> {
        let links = self.lock();
        let mut found = None;
        for link in links.iter() {
            if link.secret.matches(token) && link.is_alive(now) {
                found = Some(Arc::clone(link));
            }
        }
        found
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Link>>> {
        self.links.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Link {
    /// Names it to those who may end it; opens nothing.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// The terminal that it leads to.
    pub(crate) fn terminal(&self) -> &str {
        &self.terminal
    }

    /// When it ends by itself.
    pub(crate) fn expires(&self) -> Instant {
        self.expires
    }

    /// Whether whoever came by it may stay.
    pub(crate) fn is_alive(&self, now: Instant) -> bool {
        now < self.expires && !self.state.borrow().revoked
    }

    /// Waits until it was revoked; cancel-safe.
    pub(crate) async fn revoked(&self) {
        let mut state = self.state.subscribe();
        // The sender lives as long as `self`.
        drop(state.wait_for(|state| state.revoked).await);
    }

    fn end(&self) {
        self.state.send_modify(|state| state.revoked = true);
    }

    fn entry(&self) -> ShareLink {
        let used = self.state.borrow().used;
        ShareLink {
            id: self.id.clone(),
            role: self.role,
            expires: self.expires_unix,
            uses: self.uses.map(|uses| uses.saturating_sub(used)),
            used,
        }
    }

    fn identity(self: &Arc<Self>) -> Identity {
        Identity {
            user: GUEST.into(),
            role: self.role,
            scope: Scope::Link(Arc::clone(self)),
        }
    }
}

impl PartialEq for Link {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for Link {}

/// What people are called who came by a link.
const GUEST: &str = "guest";

/// The links at a time; one more is refused.
const LINKS: usize = 1024;

/// The longest that a link may work.
const LIFETIME_MAX: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// The length of a public id.
const ID_CHARS: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    #[test]
    fn a_link_opens_as_often_and_as_long_as_it_says() {
        let (links, now) = (Links::default(), Instant::now());
        let (link, token) = links
            .make(now, "t1".into(), Role::Owner, HOUR, Some(2))
            .unwrap();
        let token = token.reveal();
        for _ in 0..2 {
            let identity = links.redeem(now, token).unwrap();
            assert_eq!(identity.role, Role::Operator, "nobody is made owner");
            assert_eq!(identity.link().map(|link| link.terminal()), Some("t1"));
        }
        assert_eq!(links.redeem(now, token), None);
        assert!(links.recognise(now, token).is_some());
        let entry = links.list(now, "t1").pop().unwrap();
        assert_eq!((entry.used, entry.uses), (2, Some(0)));
        assert!(link.is_alive(now) && !link.is_alive(now + HOUR));
        assert_eq!(links.recognise(now + HOUR, token), None);
        assert!(links.list(now, "t2").is_empty());
    }

    #[test]
    fn the_name_of_a_link_is_a_word() {
        let (links, now) = (Links::default(), Instant::now());
        for _ in 0..LINKS {
            let made = links.make(now, "t1".into(), Role::Viewer, HOUR, None);
            let (link, _) = made.unwrap();
            assert_eq!(link.id().len(), ID_CHARS);
            assert!(link.id().bytes().all(|byte| byte.is_ascii_alphanumeric()));
        }
    }

    #[tokio::test]
    async fn a_revoked_link_opens_nothing_and_tells_those_who_came_by_it() {
        let (links, now) = (Links::default(), Instant::now());
        let (link, token) = links
            .make(now, "t1".into(), Role::Viewer, HOUR, None)
            .unwrap();
        assert!(
            !links.revoke("t2", link.id()),
            "it belongs to another terminal"
        );
        assert!(links.revoke("t1", link.id()));
        link.revoked().await;
        assert_eq!(links.redeem(now, token.reveal()), None);
        assert!(!links.revoke("t1", link.id()));
    }

    #[test]
    fn a_link_for_ever_or_never_is_not_made() {
        let (links, now) = (Links::default(), Instant::now());
        let make = |lifetime, uses| links.make(now, "t1".into(), Role::Viewer, lifetime, uses);
        assert_eq!(make(Duration::ZERO, None).err(), Some(NoLink::BadTerms));
        assert_eq!(make(Duration::MAX, None).err(), Some(NoLink::BadTerms));
        assert_eq!(make(HOUR, Some(0)).err(), Some(NoLink::BadTerms));
        for _ in 0..LINKS {
            make(HOUR, None).unwrap();
        }
        assert_eq!(make(HOUR, None).err(), Some(NoLink::TooMany));
    }
}
