//! Where to connect to, as people write it.

use std::fmt;
use std::path::PathBuf;

/// What a person named: a user, a way and a place.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Target {
    /// Who to log in as.
    pub user: Option<String>,
    /// Where.
    pub place: Place,
}

/// Where a server is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Place {
    /// A host, reached in the usual way.
    Host {
        /// Its name or address, IPv6 without brackets.
        host: String,
        /// Its port, when named.
        port: Option<u16>,
    },
    /// A host, reached in a way that was named.
    Url {
        /// The way.
        scheme: Scheme,
        /// Its name or address, IPv6 without brackets.
        host: String,
        /// Its port, when named.
        port: Option<u16>,
    },
    /// A socket of this machine.
    Unix(PathBuf),
}

/// The ways that can be named.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Scheme {
    /// The mux in TLS.
    Tls,
    /// The mux without encryption.
    Tcp,
    /// A WebSocket in TLS.
    Wss,
    /// A WebSocket without encryption.
    Ws,
}

/// Why a target cannot be read.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum TargetError {
    /// Nothing stands where the host belongs.
    #[error("{0:?} names no host; write [user@]host[:port]")]
    NoHost(String),
    /// The port is no number from 1 to 65535.
    #[error("{0:?} is not a port; a port is a number from 1 to 65535")]
    Port(String),
    /// The scheme is not known.
    #[error("{0}:// is not known; use https://, wss://, tls://, tcp://, ws:// or unix:PATH")]
    Scheme(String),
    /// It could be taken for an option.
    #[error("a host cannot begin with a dash: {0:?}")]
    Dash(String),
}

impl Target {
    /// Reads `[user@]host[:port]`, a URL or `unix:PATH`.
    pub fn parse(text: &str) -> Result<Self, TargetError> {
        if let Some(path) = text.strip_prefix("unix:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            return Ok(Self {
                user: None,
                place: Place::Unix(path.into()),
            });
        }
        let (scheme, rest) = match text.split_once("://") {
            Some((scheme, rest)) => (Some(Scheme::parse(scheme)?), rest),
            None => (None, text),
        };
        // A path, as in a copied address of the page, says nothing here.
        let rest = match scheme {
            Some(_) => rest.split(['/', '?', '#']).next().unwrap_or_default(),
            None => rest,
        };
        let (user, rest) = match rest.rsplit_once('@') {
            Some((user, rest)) => (Some(user), rest),
            None => (None, rest),
        };
        let (host, port) = split_port(rest)?;
        if host.is_empty() || user == Some("") {
            return Err(TargetError::NoHost(text.to_owned()));
        }
        if host.starts_with('-') || user.is_some_and(|user| user.starts_with('-')) {
            return Err(TargetError::Dash(text.to_owned()));
        }
        let host = host.to_owned();
        Ok(Self {
            user: user.map(str::to_owned),
            place: match scheme {
                Some(scheme) => Place::Url { scheme, host, port },
                None => Place::Host { host, port },
            },
        })
    }
}

impl Scheme {
    fn parse(name: &str) -> Result<Self, TargetError> {
        match name {
            "tls" | "vroom" => Ok(Self::Tls),
            "tcp" => Ok(Self::Tcp),
            "https" | "wss" => Ok(Self::Wss),
            "http" | "ws" => Ok(Self::Ws),
            other => Err(TargetError::Scheme(other.to_owned())),
        }
    }

    /// The port that this way has by custom.
    #[must_use]
    pub const fn port(self) -> u16 {
        match self {
            Self::Tls | Self::Tcp => PORT,
            Self::Wss => 443,
            Self::Ws => 80,
        }
    }

    /// Whether others on the way can read along.
    #[must_use]
    pub const fn is_plain(self) -> bool {
        matches!(self, Self::Tcp | Self::Ws)
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tls => "tls",
            Self::Tcp => "tcp",
            Self::Wss => "wss",
            Self::Ws => "ws",
        })
    }
}

/// Takes `host`, `host:port`, `[address]` or `[address]:port` apart; a bare IPv6 address has no
/// port.
pub fn split_port(text: &str) -> Result<(&str, Option<u16>), TargetError> {
    if let Some(rest) = text.strip_prefix('[') {
        let (host, rest) = rest
            .split_once(']')
            .ok_or_else(|| TargetError::NoHost(text.to_owned()))?;
        return match rest.strip_prefix(':') {
            Some(port) => Ok((host, Some(parse_port(port)?))),
            None if rest.is_empty() => Ok((host, None)),
            None => Err(TargetError::NoHost(text.to_owned())),
        };
    }
    match text.split_once(':') {
        Some((_, rest)) if rest.contains(':') => Ok((text, None)),
        Some((host, port)) => Ok((host, Some(parse_port(port)?))),
        None => Ok((text, None)),
    }
}

/// Reads a port; 0 is none.
pub fn parse_port(text: &str) -> Result<u16, TargetError> {
    let port = text.parse().ok().filter(|port| *port != 0);
    port.ok_or_else(|| TargetError::Port(text.to_owned()))
}

/// Writes a host with its port, an IPv6 address in brackets.
#[must_use]
pub fn join_port(host: &str, port: u16) -> String {
    if host.contains(':') {
        format!("[{host}]:{port}")
    } else {
        format!("{host}:{port}")
    }
}

/// Whether a name or address stands for this machine.
#[must_use]
pub fn is_loopback(host: &str) -> bool {
    let address: Result<std::net::IpAddr, _> = host.parse();
    match address {
        Ok(address) => address.is_loopback(),
        Err(_) => host.eq_ignore_ascii_case("localhost"),
    }
}

/// The port of terminals where none is named.
pub const PORT: u16 = 2222;

#[cfg(test)]
mod tests {
    use super::*;

    fn host(text: &str) -> (Option<String>, String, Option<u16>) {
        match Target::parse(text).unwrap() {
            Target {
                user,
                place: Place::Host { host, port },
            } => (user, host, port),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn hosts_are_written_as_for_ssh() {
        assert_eq!(host("h"), (None, "h".into(), None));
        assert_eq!(host("u@h:22"), (Some("u".into()), "h".into(), Some(22)));
        assert_eq!(host("[::1]:22"), (None, "::1".into(), Some(22)));
        assert_eq!(host("::1"), (None, "::1".into(), None));
        assert_eq!(host("a@b@h"), (Some("a@b".into()), "h".into(), None));
    }

    #[test]
    fn addresses_of_the_page_can_be_pasted() {
        let target = Target::parse("https://h.example:8443/#token=x").unwrap();
        let place = Place::Url {
            scheme: Scheme::Wss,
            host: "h.example".into(),
            port: Some(8443),
        };
        assert_eq!(target, Target { user: None, place });
    }

    #[test]
    fn unix_sockets_are_paths() {
        for text in ["unix:/run/x", "unix:///run/x"] {
            let target = Target::parse(text).unwrap();
            assert_eq!(target.place, Place::Unix("/run/x".into()));
        }
    }

    #[test]
    fn what_is_no_target_is_said() {
        for text in [
            "",
            "@h",
            "u@",
            "h:0",
            "h:65536",
            "h:x",
            "[::1",
            "gopher://h",
            "-oX",
            "u@-h",
        ] {
            assert!(Target::parse(text).is_err(), "{text}");
        }
    }
}
