//! What the hub has for one participant.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use vroom_desktop::{DragEvent, Selection};
use vroom_protocol::Code;
use vroom_protocol::graphical::ServerMessage;

/// What the hub has for one participant.
///
/// Most of it says only that something changed; the participant then asks for the present value,
/// so a slow one gets the newest and never a backlog.
#[derive(Debug)]
pub(crate) struct Mailbox {
    mail: Mutex<Mail>,
    bell: Arc<Notify>,
}

/// The content of a mailbox.
#[derive(Debug, Default)]
pub(crate) struct Mail {
    /// The state of the desktop, or the own mode, changed.
    pub(crate) state: bool,
    /// Who is here, or who drives, changed.
    pub(crate) share: bool,
    /// The pointer looks different, or is elsewhere.
    pub(crate) cursor: bool,
    /// The video has other properties.
    pub(crate) media: bool,
    /// The session is recorded, or not any more.
    pub(crate) recording: bool,
    /// These selections have new content.
    pub(crate) selections: Vec<Selection>,
    /// These notices are new, different or over.
    pub(crate) notices: BTreeSet<u32>,
    /// What was said before is to be told.
    pub(crate) earlier_chat: bool,
    /// How drags of files go.
    pub(crate) drags: VecDeque<DragEvent>,
    /// Somebody else drives now.
    pub(crate) lost_floor: bool,
    /// The connection has to end.
    pub(crate) removed: Option<(Code, &'static str)>,
    /// Messages to pass on.
    pub(crate) messages: VecDeque<ServerMessage>,
}

impl Mailbox {
    /// An empty one that rings this bell when something comes.
    pub(crate) fn new(bell: Arc<Notify>) -> Self {
        Self {
            mail: Mutex::default(),
            bell,
        }
    }

    /// Changes what is in it, and rings.
    pub(crate) fn put(&self, change: impl FnOnce(&mut Mail)) {
        change(&mut self.lock());
        self.bell.notify_one();
    }

    /// Puts a message in; when too many wait the oldest is dropped.
    pub(crate) fn push(&self, message: ServerMessage) {
        self.put(|mail| {
            if mail.messages.len() >= MESSAGES {
                mail.messages.pop_front();
            }
            mail.messages.push_back(message);
        });
    }

    /// Why the connection has to end, if it has to.
    pub(crate) fn removed(&self) -> Option<(Code, &'static str)> {
        self.lock().removed
    }

    /// Takes everything out.
    pub(crate) fn take(&self) -> Mail {
        std::mem::take(&mut *self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Mail> {
        self.mail.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The messages that wait for one participant; one more drops the oldest.
const MESSAGES: usize = 64;

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use vroom_protocol::graphical::{Notification, NotificationKind};

    use super::*;

    #[test]
    fn it_rings_and_is_bounded() {
        let bell = Arc::new(Notify::new());
        let mailbox = Mailbox::new(Arc::clone(&bell));
        assert!(bell.notified().now_or_never().is_none());
        for _ in 0..1000 {
            let notification = Notification::new(NotificationKind::Info, "x");
            mailbox.push(ServerMessage::Notification(notification));
        }
        assert!(bell.notified().now_or_never().is_some());
        assert_eq!(mailbox.take().messages.len(), MESSAGES);
        assert!(mailbox.take().messages.is_empty());
    }
}
