//! The names of the channels of forwarded connections.

use std::fmt;

/// The name of one connection's channel: `fwd-<forward>-conn-<connection>`.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ConnectionName {
    /// The forward that it belongs to.
    pub forward: u64,
    /// Its number among the connections of the forward.
    pub connection: u64,
}

impl ConnectionName {
    /// Reads a channel's name; `None` when the channel is none of a forwarded connection.
    pub fn parse(name: &str) -> Option<Self> {
        let (forward, connection) = name.strip_prefix(PREFIX)?.split_once(INFIX)?;
        let parsed = Self {
            forward: forward.parse().ok()?,
            connection: connection.parse().ok()?,
        };
        // One connection has one name: no signs, no leading zeros.
        (parsed.to_string() == name).then_some(parsed)
    }
}

impl fmt::Display for ConnectionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}{INFIX}{}", self.forward, self.connection)
    }
}

const PREFIX: &str = "fwd-";
const INFIX: &str = "-conn-";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_has_exactly_one_name() {
        let name = ConnectionName {
            forward: 3,
            connection: 14,
        };
        assert_eq!(name.to_string(), "fwd-3-conn-14");
        assert_eq!(ConnectionName::parse("fwd-3-conn-14"), Some(name));
        for other in [
            "fwd-03-conn-14",
            "fwd-3-conn-+14",
            "fwd-3-conn-",
            "fwd--conn-1",
            "fwd-3-conn-14 ",
            "fwd-3-conn-1-conn-4",
            "port-forward-ctl",
        ] {
            assert_eq!(ConnectionName::parse(other), None, "{other}");
        }
    }
}
