//! The codes that CLOSE, ERROR and CHANNEL_REJECT carry.

use std::fmt;

/// A code of the mux (1000..4007) or of the application (4100..4999).
///
/// Peers may send any integer; those that fit 16 bits are kept as they are.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(pub u16);

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $value:literal;)*) => {
        impl Code {
            $($(#[$doc])* pub const $name: Self = Self($value);)*

            /// All codes that have a name, in ascending order.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The name of the code, or `UNKNOWN`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self.0 {
                    $($value => stringify!($name),)*
                    _ => "UNKNOWN",
                }
            }
        }
    };
}

codes! {
    /// The connection did what it was for.
    NORMAL = 1000;
    /// One side goes away: it stops, or the transport was lost.
    GOING_AWAY = 1001;
    /// The peer broke a rule of the mux.
    PROTOCOL_ERROR = 1002;
    /// A type, channel, extension or application that is not known here.
    UNSUPPORTED = 1003;
    /// The credentials are wrong, of an unknown type, or missing where they are needed.
    AUTH_FAILED = 4000;
    /// A message that cannot be read.
    INVALID_MESSAGE = 4001;
    /// All 254 channel ids are in use.
    CHANNEL_FULL = 4002;
    /// A frame or request names a channel that is not open.
    CHANNEL_NOT_FOUND = 4003;
    /// The peer sends too much, or more faults than anyone makes by accident.
    RATE_LIMITED = 4004;
    /// A frame or message above the agreed size.
    MESSAGE_TOO_LARGE = 4005;
    /// The major versions differ, or the peer speaks another frame dialect.
    VERSION_MISMATCH = 4006;
    /// No HELLO came in time.
    HELLO_TIMEOUT = 4007;
    /// The session named does not exist.
    SESSION_NOT_FOUND = 4100;
    /// The session named existed but is over.
    SESSION_EXPIRED = 4101;
    /// A message needed for a replay has left the ring.
    BUFFER_OVERFLOW = 4102;
    /// The peer claims to have received what was never sent.
    SEQUENCE_MISMATCH = 4103;
    /// The role forbids it.
    NOT_ALLOWED = 4110;
    /// Someone else is driving.
    DRIVER_BUSY = 4111;
    /// A channel of that name is open already.
    NAME_IN_USE = 4112;
    /// Right message, wrong moment.
    WRONG_STATE = 4113;
    /// One more would be more than allowed.
    LIMIT_REACHED = 4114;
    /// The session was resumed on another transport.
    REPLACED = 4115;
    /// Nothing happened for too long.
    IDLE_TIMEOUT = 4116;
    /// Kicked, or the share link was withdrawn.
    REVOKED = 4117;
    /// The target named does not exist.
    NO_SUCH_TARGET = 4118;
    /// No PTY could be made.
    PTY_FAILED = 4200;
    /// The program could not be started.
    EXEC_FAILED = 4201;
    /// The user named does not exist.
    NO_SUCH_USER = 4202;
    /// The environment variable may not be set.
    ENV_REFUSED = 4203;
    /// The terminal named does not exist.
    NO_SUCH_TERMINAL = 4204;
    /// The signal could not, or may not, be delivered.
    SIGNAL_FAILED = 4205;
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.0, self.name())
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn named_codes_are_distinct_and_ascending() {
        assert!(Code::ALL.windows(2).all(|pair| pair[0] < pair[1]));
        assert_eq!(Code::ALL.len(), 31);
    }

    #[test]
    fn a_code_prints_its_number_and_name() {
        assert_eq!(Code::PROTOCOL_ERROR.to_string(), "1002 PROTOCOL_ERROR");
        assert_eq!(Code(403).name(), "UNKNOWN");
    }
}
