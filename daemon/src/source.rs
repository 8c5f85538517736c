//! Where a connection comes from, as far as blame goes.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

/// Whom to blame for a connection: an IPv4 address, an IPv6 network, or a local user.
///
/// IPv6 counts by /64, since one customer has that many addresses to spare.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Source {
    /// Somebody on the network.
    Net(IpAddr),
    /// A user of this machine, through the Unix socket.
    User(u32),
}

impl Source {
    /// The source of a connection from this address.
    pub(crate) fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V6(ip) if !ip.is_loopback() => {
                Self::Net(IpAddr::V6(Ipv6Addr::from_bits(ip.to_bits() & NETWORK)))
            }
            ip => Self::Net(ip),
        }
    }

    /// Whether nobody outside this machine can see what goes over the connection.
    pub(crate) fn is_local(self) -> bool {
        match self {
            Self::Net(ip) => ip.is_loopback(),
            Self::User(_) => true,
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Net(IpAddr::V6(ip)) if !ip.is_loopback() => write!(f, "{ip}/64"),
            Self::Net(ip) => write!(f, "{ip}"),
            Self::User(uid) => write!(f, "uid {uid}"),
        }
    }
}

/// The bits of an IPv6 address that name the network.
const NETWORK: u128 = !0 << 64;

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;

    fn of(text: &str) -> Source {
        Source::of(text.parse::<SocketAddr>().unwrap().ip())
    }

    #[test]
    fn a_network_of_ipv6_is_one_source() {
        assert_eq!(of("[2001:db8::1]:1"), of("[2001:db8::ffff:2]:9"));
        assert_ne!(of("[2001:db8:0:1::1]:1"), of("[2001:db8::1]:1"));
        assert_eq!(of("[::ffff:10.0.0.1]:1"), of("10.0.0.1:2"));
        assert_ne!(of("10.0.0.1:1"), of("10.0.0.2:1"));
    }

    #[test]
    fn loopback_and_users_are_local() {
        assert!(of("127.0.0.1:1").is_local() && of("[::1]:1").is_local());
        assert!(Source::User(0).is_local() && !of("192.0.2.1:1").is_local());
    }
}
