//! How many strangers may stand at the door.

use std::collections::BTreeMap;
use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::{Notify, watch};
use tokio::time::sleep_until;

use crate::source::Source;

/// Counts the connections that have not proved anything yet.
///
/// When there are too many, of one source or in all, the oldest is shown out: a thousand that hold
/// the door open do not keep out one who comes with the right key.
#[derive(Debug)]
pub(crate) struct Gate {
    state: Mutex<State>,
    most: usize,
    most_per_source: usize,
}

#[derive(Debug, Default)]
struct State {
    next: u64,
    waiting: BTreeMap<u64, Waiting>,
}

#[derive(Debug)]
struct Waiting {
    source: Source,
    out: Arc<Notify>,
}

impl Gate {
    /// Makes a gate for this many strangers.
    pub(crate) fn new(most: usize, most_per_source: usize) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::default(),
            most,
            most_per_source,
        })
    }

    /// Lets a connection wait here until `deadline`, at the cost of the oldest if there are too many.
    pub(crate) fn enter(self: &Arc<Self>, source: Source, deadline: Instant) -> Pass {
        let out = Arc::new(Notify::new());
        let mut state = self.state();
        let same = |waiting: &Waiting| waiting.source == source;
        if state
            .waiting
            .values()
            .filter(|waiting| same(waiting))
            .count()
            >= self.most_per_source
        {
            let oldest = state.waiting.iter().find(|(_, waiting)| same(waiting));
            let oldest = oldest.map(|(number, _)| *number);
            state.show_out(oldest);
        }
        if state.waiting.len() >= self.most {
            let oldest = state.waiting.keys().next().copied();
            state.show_out(oldest);
        }
        let number = state.next;
        state.next += 1;
        let waiting = Waiting {
            source,
            out: Arc::clone(&out),
        };
        state.waiting.insert(number, waiting);
        drop(state);
        Pass {
            gate: Arc::clone(self),
            number,
            out,
            deadline: watch::Sender::new(Some(deadline)),
        }
    }

    /// Shows the oldest out, to free what it holds.
    pub(crate) fn show_oldest_out(&self) {
        let mut state = self.state();
        let oldest = state.waiting.keys().next().copied();
        state.show_out(oldest);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn show_out(&mut self, number: Option<u64>) {
        if let Some(waiting) = number.and_then(|number| self.waiting.remove(&number)) {
            waiting.out.notify_one();
        }
    }
}

/// The place of one stranger; leaving it frees the place.
#[derive(Debug)]
pub(crate) struct Pass {
    gate: Arc<Gate>,
    number: u64,
    out: Arc<Notify>,
    deadline: watch::Sender<Option<Instant>>,
}

impl Pass {
    /// Waits until the time is up or this connection is shown out, whichever is first.
    ///
    /// Once it was [`admitted`](Self::admit) this takes for ever.
    pub(crate) async fn expired(&self) {
        tokio::select! {
            () = self.out.notified() => {}
            () = self.overdue() => {}
        }
    }

    async fn overdue(&self) {
        let mut changes = self.deadline.subscribe();
        loop {
            let deadline = *changes.borrow_and_update();
            let passed = async {
                match deadline {
                    Some(deadline) => sleep_until(deadline.into()).await,
                    None => pending().await,
                }
            };
            tokio::select! {
                () = passed => return,
                changed = changes.changed() => if changed.is_err() { pending::<()>().await },
            }
        }
    }

    /// When the time is up, for one that has not proved itself.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        *self.deadline.borrow()
    }

    /// Gives more time to one that is about to prove itself by other means; it keeps counting.
    pub(crate) fn extend(&self, deadline: Instant) {
        self.deadline.send_modify(|present| {
            if let Some(present) = present {
                *present = (*present).max(deadline);
            }
        });
    }

    /// Says that this one proved itself and no longer counts.
    pub(crate) fn admit(&self) {
        self.deadline.send_replace(None);
        self.leave();
    }

    fn leave(&self) {
        self.gate.state().waiting.remove(&self.number);
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        self.leave();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::{Instant as Clock, timeout};

    use super::*;

    const TIME: Duration = Duration::from_secs(10);

    fn enter(gate: &Arc<Gate>, user: u32) -> Pass {
        gate.enter(Source::User(user), Clock::now().into_std() + TIME)
    }

    async fn is_out(pass: &Pass) -> bool {
        timeout(Duration::ZERO, pass.expired()).await.is_ok()
    }

    #[tokio::test(start_paused = true)]
    async fn the_oldest_of_the_same_source_goes_first() {
        let gate = Gate::new(10, 2);
        let other = enter(&gate, 1);
        let first = enter(&gate, 2);
        let second = enter(&gate, 2);
        let third = enter(&gate, 2);
        assert!(is_out(&first).await);
        for pass in [&other, &second, &third] {
            assert!(!is_out(pass).await);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_oldest_of_all_goes_when_the_gate_is_full() {
        let gate = Gate::new(2, 2);
        let first = enter(&gate, 1);
        let second = enter(&gate, 2);
        let third = enter(&gate, 3);
        assert!(is_out(&first).await);
        drop(first);
        assert!(!is_out(&second).await);
        assert!(!is_out(&third).await);
        gate.show_oldest_out();
        assert!(is_out(&second).await);
    }

    #[tokio::test(start_paused = true)]
    async fn those_who_proved_themselves_do_not_count_and_have_time() {
        let gate = Gate::new(1, 1);
        let first = enter(&gate, 1);
        first.admit();
        let second = enter(&gate, 1);
        tokio::time::advance(10 * TIME).await;
        assert!(!is_out(&first).await);
        assert!(is_out(&second).await);
        drop(second);
        assert!(gate.state().waiting.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn the_deadline_moves_later_but_never_earlier() {
        let gate = Gate::new(1, 1);
        let pass = enter(&gate, 1);
        let start = Clock::now();
        pass.extend(start.into_std() + 3 * TIME);
        pass.extend(start.into_std() + TIME);
        pass.expired().await;
        assert_eq!(start.elapsed(), 3 * TIME);
    }
}
