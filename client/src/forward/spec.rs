//! `-L`, `-R` and `-D`, as ssh writes them.

use vroom_protocol::forward::{Direction, Endpoint};

use crate::target::{TargetError, parse_port};

/// What is to be forwarded.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ForwardSpec {
    /// Who listens and who connects.
    pub direction: Direction,
    /// Where is listened.
    pub bind: Endpoint,
    /// Where connections lead; empty for a SOCKS proxy.
    pub target: Endpoint,
}

/// Why a forward cannot be read.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SpecError {
    /// It has too few or too many parts.
    #[error("{0:?} is not a forward; write [bind:]port:host:hostport, or paths of Unix sockets")]
    Parts(String),
    /// A port is none.
    #[error("{spec:?}: {source}")]
    Port {
        /// The forward.
        spec: String,
        /// What is wrong.
        source: TargetError,
    },
}

impl ForwardSpec {
    /// Reads `[bind:]port:host:hostport`, with a path in the place of either end; without `bind` it is
    /// listened on loopback.
    pub fn parse(direction: Direction, text: &str) -> Result<Self, SpecError> {
        Self::parse_for(direction, text, LOOPBACK)
    }

    /// The same, with another place to listen where none is named.
    pub fn parse_for(direction: Direction, text: &str, usual: &str) -> Result<Self, SpecError> {
        let parts = split(text).ok_or_else(|| SpecError::Parts(text.to_owned()))?;
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let (bind, target) = match (direction, parts.as_slice()) {
            (Direction::Dynamic, [port]) => (listening(text, usual, port)?, Endpoint::default()),
            (Direction::Dynamic, [bind, port]) => {
                (listening(text, bind, port)?, Endpoint::default())
            }
            (Direction::Dynamic, _) => return Err(SpecError::Parts(text.to_owned())),
            (_, [from, to]) if is_path(from) && is_path(to) => {
                (Endpoint::unix(*from), Endpoint::unix(*to))
            }
            (_, [port, to]) if is_path(to) => (listening(text, usual, port)?, Endpoint::unix(*to)),
            (_, [bind, port, to]) if is_path(to) => {
                (listening(text, bind, port)?, Endpoint::unix(*to))
            }
            (_, [from, host, port]) if is_path(from) => {
                (Endpoint::unix(*from), target(text, host, port)?)
            }
            (_, [port, host, host_port]) => (
                listening(text, usual, port)?,
                target(text, host, host_port)?,
            ),
            (_, [bind, port, host, host_port]) => {
                (listening(text, bind, port)?, target(text, host, host_port)?)
            }
            _ => return Err(SpecError::Parts(text.to_owned())),
        };
        Ok(Self {
            direction,
            bind,
            target,
        })
    }
}

/// Cuts at colons outside brackets, and takes the brackets off.
fn split(text: &str) -> Option<Vec<String>> {
    let mut parts = vec![String::new()];
    let mut inside = false;
    for char in text.chars() {
        match char {
            '[' if !inside => inside = true,
            ']' if inside => inside = false,
            ':' if !inside => parts.push(String::new()),
            other => parts.last_mut()?.push(other),
        }
    }
    (!inside).then_some(parts)
}

fn is_path(text: &str) -> bool {
    text.starts_with('/')
}

/// Where is listened; `*` and nothing stand for everywhere.
fn listening(spec: &str, bind: &str, port: &str) -> Result<Endpoint, SpecError> {
    let address = match bind {
        "" | "*" => "0.0.0.0",
        address => address,
    };
    // Here 0 is a port: any that is free.
    let port = match port {
        "0" => 0,
        port => number(spec, port)?,
    };
    Ok(Endpoint::tcp(address, port))
}

fn target(spec: &str, host: &str, port: &str) -> Result<Endpoint, SpecError> {
    if host.is_empty() {
        return Err(SpecError::Parts(spec.to_owned()));
    }
    Ok(Endpoint::tcp(host, number(spec, port)?))
}

fn number(spec: &str, port: &str) -> Result<u16, SpecError> {
    parse_port(port).map_err(|source| SpecError::Port {
        spec: spec.to_owned(),
        source,
    })
}

/// Where is listened unless told otherwise.
const LOOPBACK: &str = "localhost";

#[cfg(test)]
mod tests {
    use super::*;

    fn local(text: &str) -> (Endpoint, Endpoint) {
        let spec = ForwardSpec::parse(Direction::Local, text).unwrap();
        (spec.bind, spec.target)
    }

    #[test]
    fn ports_and_hosts() {
        let target = Endpoint::tcp("h", 80);
        assert_eq!(
            local("8080:h:80"),
            (Endpoint::tcp("localhost", 8080), target.clone())
        );
        assert_eq!(
            local("[::1]:8080:[fe80::1]:80"),
            (Endpoint::tcp("::1", 8080), Endpoint::tcp("fe80::1", 80))
        );
        assert_eq!(local("*:1:h:80"), (Endpoint::tcp("0.0.0.0", 1), target));
        assert_eq!(local("0:h:80").0, Endpoint::tcp("localhost", 0));
        let open = |text| {
            ForwardSpec::parse_for(Direction::Local, text, "*")
                .unwrap()
                .bind
        };
        assert_eq!(open("1:h:80"), Endpoint::tcp("0.0.0.0", 1));
        assert_eq!(open("localhost:1:h:80"), Endpoint::tcp("localhost", 1));
    }

    #[test]
    fn unix_sockets_on_either_end() {
        assert_eq!(local("/a:/b"), (Endpoint::unix("/a"), Endpoint::unix("/b")));
        assert_eq!(
            local("1:/b"),
            (Endpoint::tcp("localhost", 1), Endpoint::unix("/b"))
        );
        assert_eq!(
            local("/a:h:80"),
            (Endpoint::unix("/a"), Endpoint::tcp("h", 80))
        );
    }

    #[test]
    fn a_proxy_needs_only_a_port() {
        let spec = ForwardSpec::parse(Direction::Dynamic, "1080").unwrap();
        assert_eq!(spec.bind, Endpoint::tcp("localhost", 1080));
        assert!(ForwardSpec::parse(Direction::Dynamic, "1:h:2").is_err());
    }

    #[test]
    fn what_is_no_forward_is_said() {
        for text in [
            "",
            "80",
            "80:h",
            "80:h:0",
            "80::80",
            "x:h:80",
            "1:2:3:4:5",
            "[::1:h:80",
        ] {
            assert!(
                ForwardSpec::parse(Direction::Local, text).is_err(),
                "{text}"
            );
        }
    }
}
