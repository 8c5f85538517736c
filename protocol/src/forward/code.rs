//! The codes of forwarding messages.

use std::fmt;

/// Why something is not forwarded; only inside forwarding messages.
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
pub struct ForwardCode(pub u16);

impl ForwardCode {
    /// Somebody else listens there.
    pub const PORT_IN_USE: Self = Self(7000);
    /// The user may not, or the role forbids it.
    pub const PERMISSION_DENIED: Self = Self(7001);
    /// One more would be more than allowed.
    pub const FORWARD_LIMIT: Self = Self(7002);
    /// The target does not answer.
    pub const CONNECT_FAILED: Self = Self(7003);
    /// Nothing is forwarded here.
    pub const FORWARD_DISABLED: Self = Self(7004);
    /// The address cannot be one, or names nothing.
    pub const INVALID_ADDRESS: Self = Self(7005);

    /// The code's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::PORT_IN_USE => "PORT_IN_USE",
            Self::PERMISSION_DENIED => "PERMISSION_DENIED",
            Self::FORWARD_LIMIT => "FORWARD_LIMIT",
            Self::CONNECT_FAILED => "CONNECT_FAILED",
            Self::FORWARD_DISABLED => "FORWARD_DISABLED",
            Self::INVALID_ADDRESS => "INVALID_ADDRESS",
            _ => "UNKNOWN",
        }
    }
}

impl fmt::Debug for ForwardCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.0, self.name())
    }
}

impl fmt::Display for ForwardCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}
