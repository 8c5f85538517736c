//! PING and PONG: whether the peer is still there, and how far away.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Decides when to ask and when to give up.
#[derive(Debug)]
pub(crate) struct Keepalive {
    /// Our clock of PING and PONG counts from here.
    start: Instant,
    interval: Duration,
    timeout: Duration,
    running: bool,
    last_heard: Instant,
    /// Set from a PING until anything is heard.
    give_up: Option<Instant>,
    pings: VecDeque<(u32, Instant)>,
    rtt: Option<Duration>,
}

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    Nothing,
    Ping,
    GiveUp,
}

impl Keepalive {
    pub(crate) const fn new(start: Instant) -> Self {
        Self {
            start,
            interval: Duration::ZERO,
            timeout: Duration::ZERO,
            running: false,
            last_heard: start,
            give_up: None,
            pings: VecDeque::new(),
            rtt: None,
        }
    }

    /// Starts to watch; zero turns the one or the other off.
    pub(crate) fn run(&mut self, now: Instant, interval: Duration, timeout: Duration) {
        self.interval = interval.min(INTERVAL_MAX);
        self.timeout = timeout.min(INTERVAL_MAX);
        self.running = true;
        self.heard(now);
    }

    pub(crate) fn stop(&mut self) {
        self.running = false;
        self.give_up = None;
    }

    /// Any frame shows that the peer is there.
    pub(crate) fn heard(&mut self, now: Instant) {
        self.last_heard = self.last_heard.max(now);
        self.give_up = None;
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        if !self.running {
            return None;
        }
        if self.give_up.is_some() {
            return self.give_up;
        }
        // Without a give-up time a PING is due an interval after the one before it.
        let since = self
            .pings
            .back()
            .map_or(self.last_heard, |(_, at)| self.last_heard.max(*at));
        (!self.interval.is_zero()).then(|| since + self.interval)
    }

    pub(crate) fn due(&self, now: Instant) -> Due {
        match self.deadline() {
            Some(deadline) if deadline <= now => {
                if self.give_up.is_some() {
                    Due::GiveUp
                } else {
                    Due::Ping
                }
            }
            _ => Due::Nothing,
        }
    }

    /// Notes a PING that goes out now and yields the clock that it carries.
    pub(crate) fn ping(&mut self, now: Instant) -> u32 {
        let clock = self.clock(now);
        if self.pings.len() == PINGS_MAX {
            self.pings.pop_front();
        }
        self.pings.push_back((clock, now));
        if self.running && self.give_up.is_none() && !self.timeout.is_zero() {
            self.give_up = Some(now + self.timeout);
        }
        clock
    }

    /// Takes the echo of a PONG; one that answers no PING of ours says nothing.
    pub(crate) fn pong(&mut self, now: Instant, echo: u32) {
        if let Some(index) = self.pings.iter().position(|(clock, _)| *clock == echo) {
            let answered = self.pings.drain(..=index).next_back();
            self.rtt = answered.map(|(_, at)| now.saturating_duration_since(at));
        }
    }

    pub(crate) const fn rtt(&self) -> Option<Duration> {
        self.rtt
    }

    /// The moment from which our clock counts.
    pub(crate) const fn start(&self) -> Instant {
        self.start
    }

    /// Milliseconds since the start of the connection, modulo 2^32.
    pub(crate) fn clock(&self, now: Instant) -> u32 {
        let clock = now.saturating_duration_since(self.start).as_millis() % (1 << 32);
        u32::try_from(clock).unwrap_or_default()
    }
}

/// The longest interval and timeout taken from a peer; longer ones are cut to it.
const INTERVAL_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// How many unanswered PINGs are remembered; when full the oldest is forgotten.
const PINGS_MAX: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::start;

    const SECOND: Duration = Duration::from_secs(1);

    fn running() -> (Keepalive, Instant) {
        let start = start();
        let mut keepalive = Keepalive::new(start);
        keepalive.run(start, 30 * SECOND, 10 * SECOND);
        (keepalive, start)
    }

    #[test]
    fn silence_leads_to_a_ping_and_more_silence_to_the_end() {
        let (mut keepalive, start) = running();
        assert_eq!(keepalive.due(start + 29 * SECOND), Due::Nothing);
        assert_eq!(keepalive.due(start + 30 * SECOND), Due::Ping);
        assert_eq!(keepalive.ping(start + 30 * SECOND), 30_000);
        assert_eq!(keepalive.deadline(), Some(start + 40 * SECOND));
        assert_eq!(keepalive.due(start + 40 * SECOND), Due::GiveUp);
    }

    #[test]
    fn any_frame_after_a_ping_saves_the_connection() {
        let (mut keepalive, start) = running();
        keepalive.ping(start + 30 * SECOND);
        keepalive.heard(start + 39 * SECOND);
        assert_eq!(keepalive.due(start + 40 * SECOND), Due::Nothing);
        assert_eq!(keepalive.deadline(), Some(start + 69 * SECOND));
    }

    #[test]
    fn an_interval_of_zero_never_pings_and_a_timeout_of_zero_never_ends() {
        let start = start();
        let mut keepalive = Keepalive::new(start);
        keepalive.run(start, Duration::ZERO, 10 * SECOND);
        assert_eq!(keepalive.deadline(), None);
        keepalive.run(start, SECOND, Duration::ZERO);
        keepalive.ping(start + SECOND);
        assert_eq!(keepalive.due(start + 2 * SECOND), Due::Ping);
    }

    #[test]
    fn the_clock_wraps_after_49_days() {
        let (keepalive, start) = running();
        let wrapped = start + Duration::from_millis((1 << 32) + 5);
        assert_eq!(keepalive.clock(wrapped), 5);
    }

    #[test]
    fn round_trips_are_measured_from_the_ping_that_was_echoed() {
        let (mut keepalive, start) = running();
        let clock = keepalive.ping(start + SECOND);
        keepalive.pong(start + 2 * SECOND, clock + 1);
        assert_eq!(keepalive.rtt(), None);
        keepalive.pong(start + 2 * SECOND, clock);
        assert_eq!(keepalive.rtt(), Some(SECOND));
        keepalive.pong(start + 9 * SECOND, clock);
        assert_eq!(keepalive.rtt(), Some(SECOND));
    }
}
