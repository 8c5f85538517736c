//! What programs of the desktop notify the person of: everybody sees it, and whoever drives answers.

use std::collections::BTreeMap;
use std::time::{Instant, SystemTime};

use tokio::sync::mpsc;
use vroom_protocol::graphical::{
    Notice, NoticeAction, NoticeAnswer, Notification, NotificationKind,
};

use super::{Hub, Seat, Shared, now, unix_seconds};
use crate::floor::Denied;

/// The notices that are not over.
#[derive(Debug, Default)]
pub(super) struct Notices {
    live: BTreeMap<u32, Live>,
    newest: u32,
    /// Takes what programs have to be told, once somebody serves them.
    news: Option<mpsc::Sender<NoticeNews>>,
}

#[derive(Debug)]
struct Live {
    notice: Notice,
    /// Counts the notices, so that the oldest is known whatever was replaced.
    order: u64,
    came: Instant,
    timestamp: u64,
    expires: Option<Instant>,
    stays: bool,
}

/// What a program notifies of.
#[derive(Debug)]
pub(crate) struct Posted {
    /// The notice that this one replaces; 0 for none.
    pub(crate) replaces: u32,
    /// The program, as people call it.
    pub(crate) app: String,
    /// What it is about.
    pub(crate) title: String,
    /// More words, in lines.
    pub(crate) body: String,
    /// What can be answered.
    pub(crate) actions: Vec<NoticeAction>,
    /// Whether somebody has to see to it.
    pub(crate) urgent: bool,
    /// Whether it stays after it was answered.
    pub(crate) stays: bool,
    /// When it is over by itself.
    pub(crate) expires: Option<Instant>,
}

/// What programs have to be told of their notices.
#[derive(Debug)]
pub(crate) enum NoticeNews {
    /// Nothing, but which of them ends next may have changed.
    Changed,
    /// Somebody chose an answer.
    Chosen {
        /// Of which notice.
        id: u32,
        /// The name of the answer.
        action: String,
    },
    /// One is over.
    Over {
        /// Which one.
        id: u32,
        /// Why.
        why: NoticeEnd,
    },
}

/// Why a notice is over.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum NoticeEnd {
    /// Its time was up, or too many newer ones came.
    Expired,
    /// Somebody put it away or answered it.
    PutAway,
    /// Its program took it back.
    Withdrawn,
}

impl Hub {
    /// Says who tells programs what became of their notices.
    pub(crate) fn set_notice_news(&self, news: mpsc::Sender<NoticeNews>) {
        self.lock().notices.news = Some(news);
    }

    /// Shows a notice to everybody; returns its number.
    ///
    /// When there are too many, the oldest is over.
    pub(crate) fn post_notice(&self, posted: Posted) -> u32 {
        let mut shared = self.lock();
        let id = shared.notices.number(posted.replaces);
        let order = shared.notices.live.values().map(|live| live.order).max();
        let live = Live {
            notice: Notice {
                id,
                app: posted.app,
                title: posted.title,
                body: posted.body,
                actions: posted.actions,
                urgent: posted.urgent,
                ..Notice::default()
            },
            order: order.unwrap_or(0) + 1,
            came: now(),
            timestamp: unix_seconds(SystemTime::now()),
            expires: posted.expires,
            stays: posted.stays,
        };
        shared.notices.live.insert(id, live);
        shared.announce_notice(id);
        while shared.notices.live.len() > NOTICES {
            let oldest = shared
                .notices
                .live
                .iter()
                .min_by_key(|(_, live)| live.order);
            if let Some(oldest) = oldest.map(|(id, _)| *id) {
                shared.end_notice(oldest, NoticeEnd::Expired);
            }
        }
        shared.notices.tell(NoticeNews::Changed);
        id
    }

    /// Ends a notice; tells whether there was one.
    pub(crate) fn close_notice(&self, id: u32, why: NoticeEnd) -> bool {
        self.lock().end_notice(id, why)
    }

    /// When the next notice is over by itself.
    pub(crate) fn notice_due(&self) -> Option<Instant> {
        let shared = self.lock();
        let times = shared.notices.live.values().filter_map(|live| live.expires);
        times.min()
    }

    /// Ends the notices whose time is up.
    pub(crate) fn expire_notices(&self, now: Instant) {
        let mut shared = self.lock();
        let is_due = |live: &Live| live.expires.is_some_and(|at| at <= now);
        let due = shared.notices.live.iter().filter(|(_, live)| is_due(live));
        for id in due.map(|(id, _)| *id).collect::<Vec<_>>() {
            shared.end_notice(id, NoticeEnd::Expired);
        }
    }
}

impl Seat {
    /// What NOTIFICATION says of a notice to this participant: that it is over where there is none.
    pub(crate) fn notice(&self, id: u32) -> Notification {
        let shared = self.hub.lock();
        let Some(live) = shared.notices.live.get(&id) else {
            return Notification {
                notice: Some(Notice::over(id)),
                ..Notification::new(NotificationKind::Info, "")
            };
        };
        let came = shared.members.get(&self.id).map(|member| member.joined_at);
        let Notice { title, body, .. } = &live.notice;
        let text = if body.is_empty() {
            title.clone()
        } else {
            format!("{title}\n{body}")
        };
        let kind = if live.notice.urgent {
            NotificationKind::Warning
        } else {
            NotificationKind::Info
        };
        Notification {
            timestamp: Some(live.timestamp),
            notice: Some(Notice {
                earlier: came.is_some_and(|joined| live.came < joined),
                ..live.notice.clone()
            }),
            ..Notification::new(kind, text)
        }
    }

    /// The notices that are not over.
    pub(crate) fn notices(&self) -> Vec<u32> {
        self.hub.lock().notices.live.keys().copied().collect()
    }

    /// Answers a notice or puts it away, if this participant drives.
    pub(crate) fn answer_notice(&self, answer: NoticeAnswer) -> Result<(), Denied> {
        let mut shared = self.hub.lock();
        shared.check_driver(self.id)?;
        shared.floor.touch(now());
        let NoticeAnswer { id, action } = answer;
        // One that somebody else answered meanwhile is no mistake.
        let Some(live) = shared.notices.live.get(&id) else {
            return Ok(());
        };
        let stays = live.stays && action.is_some();
        if let Some(action) = action {
            if !live.notice.actions.iter().any(|have| have.key == action) {
                return Err(Denied::NoSuchTarget);
            }
            shared.notices.tell(NoticeNews::Chosen { id, action });
        }
        if !stays {
            shared.end_notice(id, NoticeEnd::PutAway);
        }
        Ok(())
    }
}

impl Shared {
    fn end_notice(&mut self, id: u32, why: NoticeEnd) -> bool {
        if self.notices.live.remove(&id).is_none() {
            return false;
        }
        self.announce_notice(id);
        self.notices.tell(NoticeNews::Over { id, why });
        true
    }

    fn announce_notice(&self, id: u32) {
        for member in self.members.values() {
            member.mailbox.put(|mail| {
                mail.notices.insert(id);
                // Who is that slow is told of what is there when they look, not of all that was.
                while mail.notices.len() > NEWS {
                    mail.notices.pop_first();
                }
            });
        }
    }
}

impl Notices {
    /// The number for a notice that replaces another, or none.
    fn number(&mut self, replaces: u32) -> u32 {
        if replaces != 0 && self.live.contains_key(&replaces) {
            return replaces;
        }
        loop {
            self.newest = self.newest.wrapping_add(1).max(1);
            if !self.live.contains_key(&self.newest) {
                return self.newest;
            }
        }
    }

    fn tell(&self, news: NoticeNews) {
        if let Some(sender) = &self.news
            && sender.try_send(news).is_err()
        {
            tracing::debug!("a program is not told of its notification: too much waits");
        }
    }
}

/// The notices at a time; one more ends the oldest.
const NOTICES: usize = 64;

/// The changes that wait for one participant; one more drops that of the oldest notice.
const NEWS: usize = 4 * NOTICES;
