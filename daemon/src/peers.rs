//! The WebRTC connections that still take candidates.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use vroom_media::Peer;

/// The WebRTC connections that still take candidates.
#[derive(Debug, Default)]
pub(crate) struct Peers {
    entries: Mutex<VecDeque<Entry>>,
}

#[derive(Debug)]
struct Entry {
    id: String,
    user: Arc<str>,
    fragment: Option<String>,
    peer: Weak<Peer>,
}

impl Peers {
    /// Notes a connection; when there are too many the oldest takes no more candidates.
    pub(crate) fn insert(&self, id: &str, user: Arc<str>, offer: &str, peer: &Arc<Peer>) {
        let mut entries = self.lock();
        entries.retain(|entry| entry.peer.strong_count() > 0);
        if entries.len() >= PEERS {
            entries.pop_front();
        }
        entries.push_back(Entry {
            id: id.to_owned(),
            user,
            fragment: fragment(offer).map(str::to_owned),
            peer: Arc::downgrade(peer),
        });
    }

    /// Finds one of a user's connections: by its id, by the browser's fragment, or the only one.
    pub(crate) fn find(
        &self,
        user: &str,
        id: Option<&str>,
        fragment: Option<&str>,
    ) -> Option<Arc<Peer>> {
        let entries = self.lock();
        let mut own = entries
            .iter()
            .filter(|entry| &*entry.user == user && entry.peer.strong_count() > 0);
        let found = match (id, fragment) {
            (Some(id), _) => own.find(|entry| entry.id == id),
            (None, Some(_)) => own.find(|entry| entry.fragment.as_deref() == fragment),
            (None, None) => {
                let first = own.next();
                first.filter(|_| own.next().is_none())
            }
        };
        found?.peer.upgrade()
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The fragment by which a browser names itself in an offer.
fn fragment(offer: &str) -> Option<&str> {
    offer
        .lines()
        .find_map(|line| line.strip_prefix("a=ice-ufrag:"))
        .map(str::trim)
}

/// The connections remembered.
const PEERS: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fragment_is_found_in_an_offer() {
        let offer = "v=0\r\na=ice-ufrag:4ZcD\r\na=ice-pwd:x\r\n";
        assert_eq!(fragment(offer), Some("4ZcD"));
        assert_eq!(fragment("v=0\r\n"), None);
    }
}
