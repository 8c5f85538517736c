//! Requests to open channels that are not answered yet.

use std::collections::BTreeMap;
use std::time::Instant;

use crate::mux::id::{ChannelId, RequestId};
use crate::mux::spec::ChannelSpec;

/// The open requests of both sides.
#[derive(Debug, Default)]
pub(super) struct Requests {
    last: u64,
    ours: BTreeMap<RequestId, OwnRequest>,
    theirs: BTreeMap<RequestId, PeerRequest>,
}

/// A channel that we asked for.
#[derive(Debug)]
pub(super) struct OwnRequest {
    pub(super) spec: ChannelSpec,
    /// The id that a server gave with the request.
    pub(super) id: Option<ChannelId>,
}

/// A channel that the peer asked for.
#[derive(Debug)]
pub(super) struct PeerRequest {
    /// Its number on the wire.
    pub(super) number: u64,
    pub(super) spec: ChannelSpec,
    /// The id that a server gave with the request.
    pub(super) id: Option<ChannelId>,
    /// Set while it waits for its lane and the owner does not know of it yet.
    pub(super) lane_deadline: Option<Instant>,
}

impl Requests {
    /// Notes a request of ours; its number on the wire is the number of its name.
    pub(super) fn ask(&mut self, request: OwnRequest) -> Option<RequestId> {
        if self.ours.len() >= REQUESTS_MAX {
            return None;
        }
        let id = self.next();
        self.ours.insert(id, request);
        Some(id)
    }

    /// Notes a request of the peer.
    pub(super) fn asked(&mut self, request: PeerRequest) -> Option<RequestId> {
        if self.theirs.len() >= REQUESTS_MAX {
            return None;
        }
        let id = self.next();
        self.theirs.insert(id, request);
        Some(id)
    }

    pub(super) fn take_ours(&mut self, number: u64) -> Option<(RequestId, OwnRequest)> {
        self.ours.remove_entry(&RequestId(number))
    }

    pub(super) fn take_theirs(&mut self, request: RequestId) -> Option<PeerRequest> {
        self.theirs.remove(&request)
    }

    pub(super) fn ours(&self) -> impl Iterator<Item = (RequestId, &OwnRequest)> {
        self.ours.iter().map(|(id, request)| (*id, request))
    }

    pub(super) fn theirs(&mut self) -> impl Iterator<Item = (RequestId, &mut PeerRequest)> {
        self.theirs.iter_mut().map(|(id, request)| (*id, request))
    }

    pub(super) fn is_number_open(&self, number: u64) -> bool {
        self.theirs.values().any(|request| request.number == number)
    }

    /// Says whether either side asks for a channel of this name.
    pub(super) fn is_name_asked(&self, name: &str) -> bool {
        self.is_name_ours(name)
            || self
                .theirs
                .values()
                .any(|request| request.spec.name == name)
    }

    pub(super) fn is_name_ours(&self, name: &str) -> bool {
        self.ours.values().any(|request| request.spec.name == name)
    }

    pub(super) fn lane_deadline(&self) -> Option<Instant> {
        self.theirs
            .values()
            .filter_map(|request| request.lane_deadline)
            .min()
    }

    /// Forgets what the peer asked: it asks again or has lost interest.
    pub(super) fn forget_theirs(&mut self) {
        self.theirs.clear();
    }

    /// Takes out all that we asked for.
    pub(super) fn void_ours(&mut self) -> Vec<(RequestId, OwnRequest)> {
        std::mem::take(&mut self.ours).into_iter().collect()
    }

    fn next(&mut self) -> RequestId {
        self.last += 1;
        RequestId(self.last)
    }
}

/// How many requests of one side may be unanswered; the next one of ours gets `Full`, the next one
/// of the peer CHANNEL_REJECT 4114.
pub(super) const REQUESTS_MAX: usize = 64;
