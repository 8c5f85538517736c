//! The task that makes transports, one after the other.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};
use vroom_protocol::mux::{
    ClientConfig, FILE_TRANSFER, FRAGMENTATION, PORT_FORWARDING, SEQ_ACK, SESSION_PERSISTENCE,
    SESSION_RESUME,
};
use vroom_protocol::{Auth, Code, Connection, LinkKind};
use vroom_transport::drive;

use super::pump::Pump;
use super::state::{LinkState, Shared};
use super::watch::Watched;
use crate::error::{Error, is_final};
use crate::net::{Dialed, Dialer};

/// Runs the connection until it is over; `failed` is told why it never came to be.
pub(super) async fn run(
    mut dialer: Dialer,
    shared: Arc<Shared>,
    persistent: bool,
    failed: oneshot::Sender<Error>,
) {
    let error = keep(&mut dialer, &shared, persistent).await;
    if shared.lock().session > 0 {
        return shared.end(error);
    }
    shared.end(Error::Declined(error.to_string()));
    // Whoever waited for the connection may have gone.
    drop(failed.send(error));
}

async fn keep(dialer: &mut Dialer, shared: &Arc<Shared>, persistent: bool) -> Error {
    let mut lost: Option<Lost> = None;
    let mut closing = shared.closing.subscribe();
    loop {
        let dialed = tokio::select! {
            dialed = dialer.dial() => dialed,
            _ = closing.wait_for(Option::is_some) => return Error::Lost,
        };
        let error = match dialed {
            Ok(dialed) => match converse(dialer, shared, dialed).await {
                Outcome::Refused if dialer.forget_credentials() => continue,
                Outcome::Refused => Error::Ended {
                    code: Code::AUTH_FAILED,
                    reason: String::new(),
                },
                Outcome::Lost(error) => {
                    // It was up: what follows is a new loss.
                    lost = None;
                    error
                }
            },
            Err(error) => error,
        };
        if closing.borrow().is_some() || error.is_final() {
            return error;
        }
        let greeted = shared.lock().session > 0;
        let has_session = shared.lock().suspended.is_some();
        if !greeted || !(persistent || has_session) {
            return error;
        }
        let reason = error.to_string();
        let lost = lost.get_or_insert_with(Lost::now);
        if !persistent && lost.since.elapsed() >= BRIEF {
            return error;
        }
        shared.set_link(LinkState::Down {
            since: lost.since,
            reason,
        });
        tokio::select! {
            () = sleep(lost.pause()) => {}
            () = woken() => {}
            _ = closing.wait_for(Option::is_some) => return error,
        }
    }
}

/// How a transport ended.
enum Outcome {
    /// The server did not take the credentials of the HELLO.
    Refused,
    Lost(Error),
}

/// Uses a transport until it ends.
async fn converse(dialer: &Dialer, shared: &Arc<Shared>, dialed: Dialed) -> Outcome {
    let Dialed { rx, tx, binding } = dialed;
    // What was rung for the transport before means nothing to this one.
    drop(timeout(Duration::ZERO, shared.cut.notified()).await);
    let auth = dialer.credentials();
    let had_auth = auth.is_some();
    let config = config(auth);
    let now = tokio::time::Instant::now().into_std();
    let suspended = {
        let mut state = shared.lock();
        state.binding = binding;
        state.heard = Some(now);
        state.suspended.take()
    };
    let greeted = shared.lock().session;
    let connection = match suspended {
        Some(session) => Connection::client_resume(config, LinkKind::Shared, now, session),
        None => {
            shared.lose_session();
            Connection::client(config, LinkKind::Shared, now)
        }
    };
    let pump = Pump::new(Arc::clone(shared), dialer.alive_interval());
    let rx = Watched::new(rx, Arc::clone(shared));
    let (code, reason) = drive(connection, rx, tx, pump).await;
    if code == Code::AUTH_FAILED && had_auth && shared.lock().session == greeted {
        return Outcome::Refused;
    }
    let ended = Error::Ended { code, reason };
    Outcome::Lost(if is_final(code) { ended } else { Error::Lost })
}

fn config(auth: Option<Auth>) -> ClientConfig {
    let extensions = [
        FRAGMENTATION,
        SESSION_RESUME,
        SEQ_ACK,
        SESSION_PERSISTENCE,
        FILE_TRANSFER,
        PORT_FORWARDING,
    ];
    ClientConfig {
        application: Some(concat!("vroom/", env!("CARGO_PKG_VERSION")).to_owned()),
        auth,
        extensions: extensions.map(str::to_owned).to_vec(),
        welcome_timeout: WELCOME,
        replay_bytes: REPLAY_BYTES,
        ..ClientConfig::default()
    }
}

/// A loss of the transport, and how often a new one was tried since.
struct Lost {
    since: Instant,
    attempts: u32,
}

impl Lost {
    fn now() -> Self {
        Self {
            since: Instant::now(),
            attempts: 0,
        }
    }

    /// How long to wait before the next attempt: nothing at first, then longer and longer.
    fn pause(&mut self) -> Duration {
        let pause = match self.attempts {
            0 => Duration::ZERO,
            attempts => FIRST_PAUSE.saturating_mul(1 << (attempts - 1).min(8)),
        };
        self.attempts = self.attempts.saturating_add(1);
        pause.min(PAUSE_MAX)
    }
}

/// Completes when the machine was asleep: no timer of the process counts that time.
async fn woken() {
    let wall = || std::time::SystemTime::now();
    let (mut before, mut ticked) = (wall(), Instant::now());
    loop {
        sleep(TICK).await;
        let slept = before.elapsed().unwrap_or_default();
        if slept > ticked.elapsed() + ASLEEP {
            return;
        }
        (before, ticked) = (wall(), Instant::now());
    }
}

/// What is kept of what was sent until the server says that it has it: as much as files under way
/// come to, so that a copy goes on after a loss.
pub(super) const REPLAY_BYTES: usize = 8 * 1024 * 1024;

/// How long the server may take to answer HELLO; then it is dialled again.
const WELCOME: Duration = Duration::from_secs(10);

/// The wait before the second attempt; every further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// The longest wait between attempts.
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// How long a connection that nobody watches is tried to be got back; then it is over.
const BRIEF: Duration = Duration::from_secs(30);

/// How often it is looked whether the machine was asleep.
const TICK: Duration = Duration::from_secs(1);

/// What the clocks may differ by without sleep.
const ASLEEP: Duration = Duration::from_secs(3);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_come_at_once_and_then_rarer() {
        let mut lost = Lost::now();
        let pauses: Vec<_> = (0..9).map(|_| lost.pause().as_millis()).collect();
        assert_eq!(pauses, [0, 100, 200, 400, 800, 1600, 3200, 5000, 5000]);
    }
}
