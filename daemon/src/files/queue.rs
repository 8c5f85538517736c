//! Requests and answers between a connection and the thread that works on its files.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::Notify;
use vroom_protocol::files::Request;

/// Requests one way, answers the other; both bounded.
#[derive(Debug, Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    /// Wakes the thread: there is a request, room for answers, or the end.
    work: Condvar,
    /// Wakes the connection: there is an answer.
    answered: Notify,
}

#[derive(Debug, Default)]
struct State {
    requests: VecDeque<(Request, usize)>,
    request_bytes: usize,
    answers: VecDeque<(u8, Bytes)>,
    answer_bytes: usize,
    /// What of the answers the connection was not woken for yet.
    untold_bytes: usize,
    closed: bool,
}

impl Queue {
    /// Adds a request of so many bytes; `false`: too many wait already.
    pub(super) fn ask(&self, request: Request, bytes: usize) -> bool {
        let mut state = self.lock();
        let fits = state.requests.len() < REQUESTS_MAX
            && (state.requests.is_empty() || state.request_bytes + bytes <= REQUEST_BYTES_MAX);
        if fits {
            state.request_bytes += bytes;
            state.requests.push_back((request, bytes));
            self.work.notify_one();
        }
        fits
    }

    /// Waits for the next request, and until answers find room; `None` at the end.
    pub(super) fn next(&self) -> Option<Request> {
        let mut state = self.lock();
        loop {
            if state.closed {
                return None;
            }
            if state.answer_bytes < ANSWER_BYTES_MAX
                && let Some((request, bytes)) = state.requests.pop_front()
            {
                state.request_bytes -= bytes;
                if is_long(&request) {
                    self.tell(&mut state);
                }
                return Some(request);
            }
            self.tell(&mut state);
            state = self.wait(state);
        }
    }

    /// Adds an answer, waiting until it finds room; `false` at the end.
    pub(super) fn answer(&self, (kind, payload): (u8, Bytes)) -> bool {
        let mut state = self.lock();
        while !state.closed && state.answer_bytes >= ANSWER_BYTES_MAX {
            self.tell(&mut state);
            state = self.wait(state);
        }
        if state.closed {
            return false;
        }
        let bytes = payload.len() + ANSWER_COST;
        state.answer_bytes += bytes;
        state.untold_bytes += bytes;
        state.answers.push_back((kind, payload));
        if state.untold_bytes >= TOGETHER_BYTES {
            self.tell(&mut state);
        }
        true
    }

    /// Wakes the connection for the answers that it does not know of.
    ///
    /// One by one that costs more than the files do: small answers are gathered while there is more to
    /// do, and [`next`](Self::next) lets none wait for long.
    fn tell(&self, state: &mut State) {
        if std::mem::take(&mut state.untold_bytes) > 0 {
            self.answered.notify_one();
        }
    }

    /// Takes the next answer.
    pub(super) fn take(&self) -> Option<(u8, Bytes)> {
        let mut state = self.lock();
        let (kind, payload) = state.answers.pop_front()?;
        let was_full = state.answer_bytes >= ANSWER_BYTES_MAX;
        state.answer_bytes -= payload.len() + ANSWER_COST;
        if was_full {
            self.work.notify_one();
        }
        Some((kind, payload))
    }

    /// Waits for an answer; cancel-safe.
    pub(super) async fn answered(&self) {
        self.answered.notified().await;
    }

    /// Nobody asks or listens any more.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.work.notify_one();
    }

    /// Whether nobody listens any more.
    pub(super) fn is_closed(&self) -> bool {
        self.lock().closed
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        self.work
            .wait(state)
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a request may take so long that answers must not wait for it.
fn is_long(request: &Request) -> bool {
    matches!(request, Request::List { .. } | Request::Remove { .. })
}

/// How much small answers may come to before the connection is woken for them.
const TOGETHER_BYTES: usize = 16 * 1024;

/// The requests that may wait for the thread; with one more the channel is closed.
const REQUESTS_MAX: usize = 8192;

/// What those requests may hold, in bytes; with more the channel is closed.
const REQUEST_BYTES_MAX: usize = 8 * 1024 * 1024;

/// The answers that may wait for the connection, in bytes; then the thread waits. One answer may go
/// beyond.
const ANSWER_BYTES_MAX: usize = 2 * 1024 * 1024;

/// What an answer costs besides its payload.
const ANSWER_COST: usize = 64;

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn request() -> Request {
        Request::List {
            path: String::new(),
        }
    }

    #[test]
    fn requests_are_bounded_in_number_and_bytes() {
        let queue = Queue::default();
        assert!((0..REQUESTS_MAX).all(|_| queue.ask(request(), 10)));
        assert!(!queue.ask(request(), 10));
        let queue = Queue::default();
        assert!(queue.ask(request(), REQUEST_BYTES_MAX), "one always fits");
        assert!(!queue.ask(request(), 1));
        assert_eq!(queue.next(), Some(request()));
        assert!(queue.ask(request(), 1));
    }

    #[test]
    fn the_thread_waits_for_room_and_is_told_of_the_end() {
        let queue = Arc::new(Queue::default());
        let thread = std::thread::spawn({
            let queue = Arc::clone(&queue);
            move || {
                let mut answers = 0;
                while queue.answer((1, Bytes::from(vec![0; 100_000]))) {
                    answers += 1;
                }
                answers
            }
        });
        let mut taken = 0;
        while taken < 100 {
            match queue.take() {
                Some((_, payload)) => {
                    assert_eq!(payload.len(), 100_000);
                    taken += 1;
                }
                None => std::thread::yield_now(),
            }
        }
        queue.close();
        let answers = thread.join().unwrap();
        assert!(
            answers <= taken + ANSWER_BYTES_MAX / 100_000 + 1,
            "{answers}"
        );
        assert_eq!(queue.next(), None);
    }
}
