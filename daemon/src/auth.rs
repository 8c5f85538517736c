//! Who somebody is, by what they can prove.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use vroom_protocol::graphical::Role;

use crate::penalty::{Penalties, UNKNOWN_KEY, WRONG_TOKEN};
use crate::source::Source;
use crate::token::Secret;

/// Somebody who proved who they are.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Identity {
    /// The name of the user.
    pub(crate) user: Arc<str>,
    /// What they may do at most.
    pub(crate) role: Role,
}

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
/// The token of the file is the identity of whoever runs the server. Both the token and the keys
/// it buys have 256 bits, so the penalties do not guard against guessing; they keep somebody who
/// tries from costing much.
#[derive(Debug)]
pub(crate) struct Auth {
    token: Secret,
    owner: Identity,
    uid: u32,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    keys: Vec<Key>,
    penalties: Penalties,
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
            owner: Identity {
                user: user.into(),
                role: Role::Owner,
            },
            uid: nix::unistd::geteuid().as_raw(),
            state: Mutex::default(),
        }
    }

    /// Exchanges the token for a session key.
    ///
    /// # Errors
    ///
    /// When the token is wrong or the source has to wait.
    pub(crate) fn login(
        &self,
        now: Instant,
        source: Source,
        token: &str,
    ) -> Result<(Secret, Identity), Refused> {
        let identity = self.token(now, source, token)?;
        let secret = Secret::random().map_err(|_| Refused::Wrong)?;
        let mut state = self.state();
        state
            .keys
            .retain(|key| now.saturating_duration_since(key.used_at) < KEY_IDLE);
        if state.keys.len() >= KEYS {
            let oldest = state
                .keys
                .iter()
                .enumerate()
                .min_by_key(|(_, key)| key.used_at);
            if let Some((oldest, _)) = oldest {
                state.keys.swap_remove(oldest);
            }
        }
        state.keys.push(Key {
            secret: secret.clone(),
            identity: identity.clone(),
            used_at: now,
        });
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
        let mut state = self.state();
        if let Some(wait) = state.penalties.wait(now, source) {
            return Err(Refused::Penalised { wait });
        }
        if self.token.matches(token) {
            state.penalties.forgive(source);
            return Ok(self.owner.clone());
        }
        state.penalties.add(now, source, WRONG_TOKEN);
        Err(Refused::Wrong)
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
        let mut state = self.state();
        if let Some(identity) = state.find(now, said) {
            return Ok(identity);
        }
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
        let known = self.state().find(now, said);
        match known {
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

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Looks at every key, so that the time does not tell which was nearly right.
    fn find(&mut self, now: Instant, said: &str) -> Option<Identity> {
        let mut found = None;
        for key in &mut self.keys {
            let fresh = now.saturating_duration_since(key.used_at) < KEY_IDLE;
            if key.secret.matches(said) && fresh {
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

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

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
        let (key, identity) = auth.login(now, SOURCE, &token).unwrap();
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
        let (key, _) = auth.login(now, SOURCE, &token).unwrap();
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
        let (key, _) = auth.login(now, SOURCE, &token).unwrap();
        assert_eq!(
            auth.key(now + KEY_IDLE, Source::User(7), key.reveal()),
            Err(Refused::Wrong)
        );
        for i in 0..KEYS as u64 + 10 {
            let at = now + Duration::from_millis(i);
            drop(auth.login(at, SOURCE, &token).unwrap());
        }
        assert_eq!(auth.state().keys.len(), KEYS);
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
