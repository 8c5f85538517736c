//! What runs on a connection.

use std::future::Future;
use std::time::Instant;

use vroom_protocol::{Connection, Event};

/// What runs on a connection: it decides about events and has things to send.
///
/// All calls come from the one task that runs [`drive`](crate::drive()), so nothing here may block.
/// The session is dropped as soon as the connection ended, before the link is taken down.
pub trait Session: Send {
    /// Takes one event.
    ///
    /// `Event::Closed` comes exactly once and last, also when the link broke without a CLOSE.
    fn on_event(&mut self, now: Instant, connection: &mut Connection, event: Event);

    /// Sends what there is to send.
    ///
    /// Called when the link has room: after every event, after [`ready`](Self::ready), after the
    /// [`deadline`](Self::deadline), and after each time the link took something. So it may fill
    /// the queues of the core, stop at a full one and rely on being called again.
    fn pump(&mut self, now: Instant, connection: &mut Connection);

    /// Waits until there is something to pump. Cancel-safe.
    ///
    /// What it saw must be consumed by [`pump`](Self::pump) or be gone after it, or the loop turns
    /// without rest.
    fn ready(&mut self) -> impl Future<Output = ()> + Send;

    /// Takes the place of [`ready`](Self::ready) while the link is full: waits for what must not
    /// wait for the peer to read, such as being told to end. Then the session pumps once.
    /// Cancel-safe.
    fn urgent(&mut self) -> impl Future<Output = ()> + Send {
        std::future::pending()
    }

    /// When to call [`pump`](Self::pump) even if nothing happens. A pump must move it forward.
    fn deadline(&self) -> Option<Instant> {
        None
    }

    /// Takes the place of [`deadline`](Self::deadline) while the link is full: when something is due that
    /// must not wait for the peer to read, such as no longer waiting for it. Then the session pumps once.
    fn urgent_deadline(&self) -> Option<Instant> {
        None
    }
}
