//! Who somebody is, by what they can prove.

use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use crate::identity::Identity;
use crate::links::Links;
use crate::pairing::Codes;
use crate::penalty::{Penalties, UNKNOWN_KEY, WRONG_TOKEN};
use crate::sealed;
use crate::source::Source;
use crate::token::Secret;

/// Why credentials were not taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Refused {
    /// They are wrong.
    Wrong,
    /// There were too many wrong ones before; they were not looked at.
    Penalised {
        /// How long to wait before the next try.
        wait: Duration,
    },
}

/// Checks credentials and hands out session keys.
///
/// The token of the file is the identity of whoever runs the server. The token, the keys it buys and
/// the tokens of links have 256 bits, so there the penalties do not guard against guessing; they keep
/// somebody who tries from costing much. Pairing codes are short and have guards of their own.
#[derive(Debug)]
pub(crate) struct Auth {
    token: Secret,
    owner: Identity,
    uid: u32,
    links: Links,
    /// What was made before may be known again by its seal.
    started: SystemTime,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    keys: Vec<Key>,
    codes: Codes,
    penalties: Penalties,
}

/// What somebody shows to be let in.
#[derive(Clone, Copy)]
pub(crate) enum Credential<'a> {
    /// The token of the file.
    Token(&'a str),
    /// A code that was shown to somebody.
    Code(&'a str),
    /// The token of a link.
    Share(&'a str),
}

/// A session key: what a browser keeps instead of the token.
#[derive(Debug)]
struct Key {
    secret: Secret,
    identity: Identity,
    used_at: Instant,
}

impl Auth {
    /// Makes the one that knows this token.
    pub(crate) fn new(token: Secret, user: &str) -> Self {
        Self {
            token,
            owner: Identity::owner(user.into()),
            uid: nix::unistd::geteuid().as_raw(),
            links: Links::default(),
            started: SystemTime::now(),
            state: Mutex::default(),
        }
    }

    /// The links that lead to terminals.
    pub(crate) fn links(&self) -> &Links {
        &self.links
    }

    /// Makes a code that lets one client in as the user.
    ///
    /// # Errors
    ///
    /// When the system has no random numbers to give.
    pub(crate) fn make_code(&self, now: Instant) -> io::Result<String> {
        self.state().codes.make(now)
    }

    /// Exchanges something that may be shown for a session key.
    ///
    /// # Errors
    ///
    /// When it is wrong or the source has to wait.
    pub(crate) fn login(
        &self,
        now: Instant,
        source: Source,
        credential: Credential<'_>,
    ) -> Result<(Secret, Identity), Refused> {
        let identity = self.check(now, source, credential)?;
        // Links end with the daemon that made them, and so do the keys that they buy.
        let secret = match identity.link() {
            Some(_) => Secret::random(),
            None => sealed::make(&self.token, SystemTime::now()),
        };
        let secret = secret.map_err(|_| Refused::Wrong)?;
        self.state().keep(now, secret.clone(), identity.clone());
        Ok((secret, identity))
    }

    /// Checks the token itself.
    ///
    /// # Errors
    ///
    /// When it is wrong or the source has to wait.
    pub(crate) fn token(
        &self,
        now: Instant,
        source: Source,
        token: &str,
    ) -> Result<Identity, Refused> {
        self.check(now, source, Credential::Token(token))
    }

    /// Checks something that may be shown; a code or a use of a link is then used up.
    ///
    /// # Errors
    ///
    /// When it is wrong or the source has to wait.
    pub(crate) fn check(
        &self,
        now: Instant,
        source: Source,
        credential: Credential<'_>,
    ) -> Result<Identity, Refused> {
        self.guarded(now, source, || {
            let found = match credential {
                Credential::Token(token) => self.token.matches(token).then(|| self.owner.clone()),
                Credential::Code(code) => {
                    let known = self.state().codes.redeem(now, code);
                    known.then(|| self.owner.clone())
                }
                Credential::Share(token) => self.links.redeem(now, token),
            };
            found.ok_or(WRONG_TOKEN)
        })
    }

    /// Recognises the token of a link that was used before, by whoever comes back.
    ///
    /// # Errors
    ///
    /// When it is wrong or the source has to wait.
    pub(crate) fn recognise(
        &self,
        now: Instant,
        source: Source,
        token: &str,
    ) -> Result<Identity, Refused> {
        self.guarded(now, source, || {
            self.links.recognise(now, token).ok_or(WRONG_TOKEN)
        })
    }

    /// Looks at credentials unless the source has to wait, and makes it wait for too many wrong ones; `look`
    /// says what one costs.
    ///
    /// # Errors
    ///
    /// When there is nobody whom they belong to, or the source has to wait.
    pub(crate) fn guarded(
        &self,
        now: Instant,
        source: Source,
        look: impl FnOnce() -> Result<Identity, Duration>,
    ) -> Result<Identity, Refused> {
        if let Some(wait) = self.state().penalties.wait(now, source) {
            return Err(Refused::Penalised { wait });
        }
        let found = look();
        let penalties = &mut self.state().penalties;
        match found {
            Ok(identity) => {
                penalties.forgive(source);
                Ok(identity)
            }
            Err(penalty) => {
                penalties.add(now, source, penalty);
                Err(Refused::Wrong)
            }
        }
    }

    /// Checks a session key.
    ///
    /// A key that is known is taken whatever its source owes: it was earned.
    ///
    /// # Errors
    ///
    /// When it is not known, or no longer.
    pub(crate) fn key(
        &self,
        now: Instant,
        source: Source,
        said: &str,
    ) -> Result<Identity, Refused> {
        if let Some(identity) = self.known(now, said) {
            return Ok(identity);
        }
        let mut state = self.state();
        if let Some(wait) = state.penalties.wait(now, source) {
            return Err(Refused::Penalised { wait });
        }
        state.penalties.add(now, source, UNKNOWN_KEY);
        Err(Refused::Wrong)
    }

    /// Checks what stands behind `Bearer`: a session key or the token.
    ///
    /// # Errors
    ///
    /// When it is neither, or the source has to wait.
    pub(crate) fn bearer(
        &self,
        now: Instant,
        source: Source,
        said: &str,
    ) -> Result<Identity, Refused> {
        match self.known(now, said) {
            Some(identity) => Ok(identity),
            None => self.token(now, source, said),
        }
    }

    /// Takes a local user at the word of the kernel.
    ///
    /// # Errors
    ///
    /// When it is neither the user who runs the server nor root.
    pub(crate) fn peer(&self, source: Source) -> Result<Identity, Refused> {
        match source {
            Source::User(uid) if uid == self.uid || uid == 0 => Ok(self.owner.clone()),
            _ => Err(Refused::Wrong),
        }
    }

    /// Whose key this is: one that was bought here, or from an earlier daemon with the same token.
    fn known(&self, now: Instant, said: &str) -> Option<Identity> {
        if let Some(identity) = self.state().find(now, said) {
            return Some(identity);
        }
        // What was made since the start and is not known any more was forgotten on purpose.
        let age = self
            .started
            .duration_since(sealed::made_at(&self.token, said)?);
        if !age.is_ok_and(|age| age > Duration::ZERO && age < KEY_AGE_MAX) {
            return None;
        }
        let secret = Secret::of(said.to_owned());
        self.state().keep(now, secret, self.owner.clone());
        Some(self.owner.clone())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Keeps a key; those that were not used for long make room.
    fn keep(&mut self, now: Instant, secret: Secret, identity: Identity) {
        self.keys
            .retain(|key| now.saturating_duration_since(key.used_at) < KEY_IDLE);
        if self.keys.len() >= KEYS {
            let keys = self.keys.iter().enumerate();
            let oldest = keys.min_by_key(|(_, key)| key.used_at);
            if let Some((oldest, _)) = oldest {
                self.keys.swap_remove(oldest);
            }
        }
        self.keys.push(Key {
            secret,
            identity,
            used_at: now,
        });
    }

    /// Looks at every key, so that the time does not tell which was nearly right.
    fn find(&mut self, now: Instant, said: &str) -> Option<Identity> {
        let mut found = None;
        for key in &mut self.keys {
            let fresh = now.saturating_duration_since(key.used_at) < KEY_IDLE;
            let leads = key.identity.link().is_none_or(|link| link.is_alive(now));
            if key.secret.matches(said) && fresh && leads {
                key.used_at = now;
                found = Some(key.identity.clone());
            }
        }
        found
    }
}

/// The session keys at a time; one more and the one unused for longest is forgotten.
const KEYS: usize = 1024;

/// How long an unused session key lives.
const KEY_IDLE: Duration = Duration::from_secs(24 * 60 * 60);

/// How old a key may be that another daemon made.
const KEY_AGE_MAX: Duration = Duration::from_secs(7 * 24 * 60 * 60);

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use vroom_protocol::graphical::Role;

    use super::*;

    const SOURCE: Source = Source::Net(IpAddr::V4(Ipv4Addr::LOCALHOST));

    fn auth() -> (Auth, String) {
        let token = Secret::random().unwrap();
        let text = token.reveal().to_owned();
        (Auth::new(token, "me"), text)
    }

    #[test]
    fn a_token_buys_a_key_that_works_alone() {
        let (auth, token) = auth();
        let now = Instant::now();
        let (key, identity) = auth.login(now, SOURCE, Credential::Token(&token)).unwrap();
        assert_eq!(identity.role, Role::Owner);
        assert_eq!(auth.key(now, SOURCE, key.reveal()), Ok(identity.clone()));
        assert_eq!(auth.bearer(now, SOURCE, key.reveal()), Ok(identity.clone()));
        assert_eq!(auth.bearer(now, SOURCE, &token), Ok(identity));
        assert_eq!(
            auth.key(now, SOURCE, &token),
            Err(Refused::Wrong),
            "a token is not a key"
        );
    }

    #[test]
    fn after_three_wrong_tokens_even_the_right_one_waits_but_keys_work() {
        let (auth, token) = auth();
        let now = Instant::now();
        let (key, _) = auth.login(now, SOURCE, Credential::Token(&token)).unwrap();
        for _ in 0..3 {
            assert_eq!(auth.token(now, SOURCE, "wrong"), Err(Refused::Wrong));
        }
        assert!(matches!(
            auth.token(now, SOURCE, &token),
            Err(Refused::Penalised { .. })
        ));
        assert!(auth.key(now, SOURCE, key.reveal()).is_ok());
        assert!(
            auth.token(now, Source::User(7), &token).is_ok(),
            "from elsewhere it works"
        );
        assert!(
            auth.token(now + Duration::from_secs(16), SOURCE, &token)
                .is_ok()
        );
    }

    #[test]
    fn keys_expire_when_unused_and_their_number_is_bounded() {
        let (auth, token) = auth();
        let now = Instant::now();
        let (key, _) = auth.login(now, SOURCE, Credential::Token(&token)).unwrap();
        assert_eq!(
            auth.key(now + KEY_IDLE, Source::User(7), key.reveal()),
            Err(Refused::Wrong)
        );
        for i in 0..KEYS as u64 + 10 {
            let at = now + Duration::from_millis(i);
            drop(auth.login(at, SOURCE, Credential::Token(&token)).unwrap());
        }
        assert_eq!(auth.state().keys.len(), KEYS);
    }

    #[test]
    fn a_key_outlives_the_daemon_that_made_it_but_not_the_token() {
        let (before, token) = auth();
        let now = Instant::now();
        let (key, identity) = before
            .login(now, SOURCE, Credential::Token(&token))
            .unwrap();
        let after = Auth::new(Secret::of(token), "me");
        assert_eq!(after.key(now, SOURCE, key.reveal()), Ok(identity.clone()));
        assert_eq!(after.bearer(now, SOURCE, key.reveal()), Ok(identity));
        let (elsewhere, _) = auth();
        assert!(elsewhere.key(now, SOURCE, key.reveal()).is_err());
        // One that is too old when the daemon starts is worth nothing.
        let old = after.started - KEY_AGE_MAX;
        let old = sealed::make(&after.token, old).unwrap();
        assert!(after.key(now, SOURCE, old.reveal()).is_err());
    }

    #[test]
    fn a_code_lets_in_one_as_the_user() {
        let (auth, _) = auth();
        let now = Instant::now();
        let code = auth.make_code(now).unwrap();
        let (key, identity) = auth.login(now, SOURCE, Credential::Code(&code)).unwrap();
        assert_eq!(identity.role, Role::Owner);
        assert_eq!(auth.key(now, SOURCE, key.reveal()), Ok(identity));
        let again = auth.login(now, SOURCE, Credential::Code(&code));
        assert_eq!(again.err(), Some(Refused::Wrong));
    }

    #[test]
    fn the_key_of_a_link_dies_with_it() {
        let (auth, _) = auth();
        let now = Instant::now();
        let hour = Duration::from_secs(3600);
        let (link, token) = auth
            .links()
            .make(now, "t1".into(), Role::Viewer, hour, None)
            .unwrap();
        let share = Credential::Share(token.reveal());
        let (key, identity) = auth.login(now, SOURCE, share).unwrap();
        assert_eq!(identity.role, Role::Viewer);
        assert!(auth.key(now, SOURCE, key.reveal()).is_ok());
        auth.links().revoke("t1", link.id());
        assert!(auth.key(now, SOURCE, key.reveal()).is_err());
    }

    #[test]
    fn only_the_own_user_and_root_are_peers() {
        let (auth, _) = auth();
        let uid = nix::unistd::geteuid().as_raw();
        assert!(auth.peer(Source::User(uid)).is_ok());
        assert!(auth.peer(Source::User(0)).is_ok());
        assert_eq!(
            auth.peer(Source::User(uid.wrapping_add(12_345))),
            Err(Refused::Wrong)
        );
        assert_eq!(auth.peer(SOURCE), Err(Refused::Wrong));
    }
}
