//! CHAT: what people say to one another, and what those who come later are told of it.

use std::collections::VecDeque;
use std::time::{Duration, Instant, SystemTime};

use vroom_protocol::graphical::{Chat, ChatRole, ServerMessage};

use super::{Seat, now, unix_seconds};
use crate::floor::Denied;

/// What was said last.
#[derive(Debug, Default)]
pub(super) struct Talk {
    lines: VecDeque<Chat>,
    bytes: usize,
    /// How many lines there ever were.
    pub(super) said: u64,
}

impl Talk {
    fn keep(&mut self, line: Chat) {
        self.bytes += line.text.len();
        self.lines.push_back(line);
        while (self.lines.len() > LINES || self.bytes > BYTES)
            && let Some(oldest) = self.lines.pop_front()
        {
            self.bytes -= oldest.text.len();
        }
    }
}

/// How often one participant may do something: a few times at once, and then as time passes.
#[derive(Debug)]
pub(super) struct Allowance {
    left: u32,
    at: Option<Instant>,
    every: Duration,
    most: u32,
}

impl Allowance {
    /// `most` at once, and one more after each `every`.
    pub(super) const fn new(most: u32, every: Duration) -> Self {
        Self {
            left: most,
            at: None,
            every,
            most,
        }
    }

    /// Takes one, if there is one.
    pub(super) fn take(&mut self, now: Instant) -> bool {
        let since = self.at.map_or(Duration::ZERO, |at| now - at);
        let grown = since.as_millis() / self.every.as_millis().max(1);
        if grown > 0 || self.at.is_none() {
            self.at = Some(now);
        }
        let grown = u32::try_from(grown).unwrap_or(u32::MAX);
        self.left = self.left.saturating_add(grown).min(self.most);
        let may = self.left > 0;
        self.left = self.left.saturating_sub(1);
        may
    }
}

impl Seat {
    /// Passes a line of conversation on to all, the speaker included.
    pub(crate) fn chat(&self, text: String) -> Result<(), Denied> {
        let mut shared = self.hub.lock();
        let speaker = shared
            .members
            .get_mut(&self.id)
            .ok_or(Denied::NoSuchTarget)?;
        if !speaker.talking.take(now()) {
            return Err(Denied::TooOften);
        }
        let name = speaker.name.clone();
        shared.talk.said += 1;
        let chat = Chat {
            role: ChatRole::User,
            text,
            timestamp: Some(unix_seconds(SystemTime::now())),
            from: Some(self.id.to_string()),
            name: Some(name),
            id: Some(shared.talk.said),
            earlier: false,
        };
        shared.talk.keep(chat.clone());
        for member in shared.members.values() {
            member.mailbox.push(ServerMessage::Chat(chat.clone()));
        }
        Ok(())
    }

    /// What was said before this participant came, as far as it is kept.
    pub(crate) fn earlier_chat(&self) -> Vec<Chat> {
        let shared = self.hub.lock();
        let joined = shared
            .member(self.id)
            .map_or(0, |member| member.joined_line);
        let before = |line: &&Chat| line.id.is_some_and(|id| id <= joined);
        let lines = shared.talk.lines.iter().filter(before);
        let earlier = |line: &Chat| Chat {
            earlier: true,
            ..line.clone()
        };
        lines.map(earlier).collect()
    }
}

/// What those who come later are told: so many lines, and so many bytes of them.
const LINES: usize = 100;
const BYTES: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_allowance_grows_with_time_and_not_beyond_its_most() {
        let start = Instant::now();
        let second = Duration::from_secs(1);
        let mut allowance = Allowance::new(2, second);
        let taken = |allowance: &mut Allowance, at| allowance.take(start + second * at);
        assert!(taken(&mut allowance, 0) && taken(&mut allowance, 0));
        assert!(!taken(&mut allowance, 0));
        assert!(taken(&mut allowance, 1) && !taken(&mut allowance, 1));
        assert!(taken(&mut allowance, 60) && taken(&mut allowance, 60));
        assert!(!taken(&mut allowance, 60));
    }

    #[test]
    fn what_was_said_is_kept_within_bounds() {
        let mut talk = Talk::default();
        for _ in 0..3 * LINES {
            talk.keep(Chat::said("x"));
        }
        assert_eq!((talk.lines.len(), talk.bytes), (LINES, LINES));
        for _ in 0..10 {
            talk.keep(Chat::said("x".repeat(Chat::TEXT_BYTES_MAX)));
        }
        assert_eq!(talk.lines.len(), BYTES / Chat::TEXT_BYTES_MAX);
        assert_eq!(talk.bytes, BYTES);
    }
}
