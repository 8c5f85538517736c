//! The numbers that channels and open requests go by.

use std::fmt;

/// The number of a channel within one connection.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChannelId(pub u8);

impl ChannelId {
    /// The control channel: always open, never opened or closed by message.
    pub const CONTROL: Self = Self(0);

    /// The highest id that an application channel can have.
    pub const MAX: Self = Self(254);

    /// Says whether an application channel may have this id.
    #[must_use]
    pub const fn is_application(self) -> bool {
        self.0 != 0 && self.0 != 255
    }
}

impl fmt::Debug for ChannelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

impl fmt::Display for ChannelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// Names one request to open a channel, ours or the peer's.
///
/// Unique within a connection over both directions; the numbers on the wire are kept inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub(crate) u64);
