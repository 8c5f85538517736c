//! What a channel is asked to be: its name and what its lane promises.

use serde_json::{Map, Value};

/// A channel's name and promises, as HELLO and OPEN_CHANNEL carry them.
#[derive(Clone, Debug, PartialEq)]
pub struct ChannelSpec {
    /// Canonical name, without `omux/`; unique among the open channels of a connection.
    pub name: String,
    /// Whether every message arrives.
    pub reliable: bool,
    /// Whether messages arrive in the order they were sent.
    pub ordered: bool,
    /// How often a lost message is sent again; excludes `max_packet_life_time_ms`.
    pub max_retransmits: Option<u32>,
    /// For how many milliseconds a lost message is sent again; excludes `max_retransmits`.
    pub max_packet_life_time_ms: Option<u32>,
    /// Members that the application attached.
    pub metadata: Option<Map<String, Value>>,
}

impl ChannelSpec {
    /// A reliable, ordered channel.
    pub fn reliable(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            reliable: true,
            ordered: true,
            max_retransmits: None,
            max_packet_life_time_ms: None,
            metadata: None,
        }
    }

    /// An unreliable, unordered channel whose messages are sent once.
    pub fn lossy(name: impl Into<String>) -> Self {
        Self {
            reliable: false,
            ordered: false,
            max_retransmits: Some(0),
            ..Self::reliable(name)
        }
    }

    /// Whether messages may be cut into fragments here.
    // xumux §Fragmentation: not on unordered or unreliable channels.
    pub(crate) fn may_fragment(&self) -> bool {
        self.reliable && self.ordered
    }

    /// Whether messages here carry sequence numbers once session-resume is agreed.
    pub(crate) fn is_numbered(&self) -> bool {
        self.reliable && ![VIDEO, PATCHES, CLIPBOARD].contains(&self.name.as_str())
    }
}

/// The name of channel 0 where a peer lists it.
pub(crate) const CONTROL: &str = "control";

/// The channel that is never numbered and never replayed.
pub(crate) const VIDEO: &str = "video";

/// The channel of exact pictures of what keeps still: never numbered either, since they start over.
pub(crate) const PATCHES: &str = "patches";

/// The channel of large clipboards: never numbered either, since one would empty the ring.
pub(crate) const CLIPBOARD: &str = "clipboard";

/// The channel of keys and buttons, which goes before others.
pub(crate) const BUTTON: &str = "button";

/// What the names of terminal control channels start with; they go before others.
pub(crate) const TERMINAL_CONTROL: &str = "vroom.terminal.control";

/// What the names of PTY channels start with; their queue is shorter.
pub(crate) const PTY: &str = "vroom.terminal.pty";

/// The longest channel name taken, in bytes; a longer one is an invalid message.
pub const NAME_BYTES_MAX: usize = 255;

/// The longest key after `#` in a channel name, in bytes.
const KEY_BYTES_MAX: usize = 32;

/// Takes the `omux/` off a name, which the mux itself never writes.
pub(crate) fn canonical(name: &str) -> &str {
    name.strip_prefix("omux/").unwrap_or(name)
}

/// Says whether a canonical name may name a channel: not empty, not too long, no control
/// characters, and a legal key after `#` if there is one.
pub(crate) fn is_legal(name: &str) -> bool {
    if name.is_empty() || name.len() > NAME_BYTES_MAX || name.chars().any(char::is_control) {
        return false;
    }
    match name.split_once('#') {
        None => true,
        Some((stem, key)) => {
            !stem.is_empty()
                && (1..=KEY_BYTES_MAX).contains(&key.len())
                && key
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_short_and_plain() {
        assert!(is_legal("vroom.terminal.pty#a_Z-9"));
        assert!(is_legal(&format!("t#{}", "k".repeat(32))));
        assert!(!is_legal(&format!("t#{}", "k".repeat(33))));
        for name in ["", "t#", "#k", "t#a#b", "t#a b", "a\nb"] {
            assert!(!is_legal(name), "{name:?}");
        }
        assert!(!is_legal(&"n".repeat(NAME_BYTES_MAX + 1)));
    }

    #[test]
    fn what_starts_over_or_would_empty_the_ring_is_not_numbered() {
        for name in [VIDEO, PATCHES, CLIPBOARD] {
            assert!(!ChannelSpec::reliable(name).is_numbered());
        }
        assert!(ChannelSpec::reliable(BUTTON).is_numbered());
    }

    #[test]
    fn the_label_prefix_is_taken_off_once() {
        assert_eq!(canonical("omux/pointer"), "pointer");
        assert_eq!(canonical("pointer"), "pointer");
    }
}
