//! Which ways lead to a server, decided before anything is dialled.

use std::path::PathBuf;

use crate::error::Error;
use crate::paths;
use crate::target::{PORT, Place, Scheme, is_loopback, join_port};

/// The ways to a server, the best first.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Plan {
    /// What the person calls the server.
    pub name: String,
    /// The ways, tried in this order.
    pub ways: Vec<Way>,
}

/// One way to a server.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Way {
    /// A socket of this machine.
    Unix(PathBuf),
    /// A host in the network.
    Net(Hop),
}

/// A host in the network and how it is spoken to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Hop {
    /// How it is spoken to.
    pub scheme: Scheme,
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
}

impl Hop {
    /// The name under which its key is known.
    #[must_use]
    pub fn known_as(&self) -> String {
        join_port(&self.host, self.port)
    }

    /// The address of its WebSocket.
    #[must_use]
    pub fn url(&self) -> String {
        format!(
            "{}://{}/vroom",
            self.scheme,
            join_port(&self.host, self.port)
        )
    }
}

impl Plan {
    /// Finds the ways to a place; `host` and `port` are what the configuration says instead.
    pub fn new(
        place: &Place,
        host_name: Option<&str>,
        option_port: Option<u16>,
    ) -> Result<Self, Error> {
        match place {
            Place::Unix(path) => Ok(Self {
                name: format!("unix:{}", path.display()),
                ways: vec![Way::Unix(path.clone())],
            }),
            Place::Url { scheme, host, port } => {
                let hop = Hop {
                    scheme: *scheme,
                    host: host_name.unwrap_or(host).to_owned(),
                    port: port.or(option_port).unwrap_or(scheme.port()),
                };
                if scheme.is_plain() && !is_loopback(&hop.host) {
                    return Err(Error::Plain(hop.url()));
                }
                Ok(Self {
                    name: host.clone(),
                    ways: vec![Way::Net(hop)],
                })
            }
            Place::Host { host, port } => {
                let name = host.clone();
                let host = host_name.unwrap_or(host);
                let port = port.or(option_port);
                let ways = if is_loopback(host) {
                    loopback(host, port)
                } else {
                    vec![Way::Net(Hop {
                        scheme: Scheme::Tls,
                        host: host.to_owned(),
                        port: port.unwrap_or(PORT),
                    })]
                };
                Ok(Self { name, ways })
            }
        }
    }
}

impl Plan {
    /// Where a browser finds the page of the server, without a slash at the end.
    #[must_use]
    pub fn page(&self) -> Option<String> {
        let hop = self.ways.iter().find_map(|way| match way {
            Way::Net(hop) => Some(hop),
            Way::Unix(_) => None,
        })?;
        let scheme = if hop.scheme.is_plain() {
            "http"
        } else {
            "https"
        };
        Some(format!("{scheme}://{}", hop.known_as()))
    }

    /// The ways in words.
    pub(super) fn tried(&self) -> String {
        let words = self.ways.iter().map(|way| match way {
            Way::Unix(path) => path.display().to_string(),
            Way::Net(hop) => format!("port {}", hop.port),
        });
        words.collect::<Vec<_>>().join(", ")
    }
}

/// The ways to a server on this machine, where nobody can read along.
fn loopback(host: &str, port: Option<u16>) -> Vec<Way> {
    let tcp = |port| {
        Way::Net(Hop {
            scheme: Scheme::Tcp,
            host: host.to_owned(),
            port,
        })
    };
    match port {
        Some(port) => vec![tcp(port)],
        None => {
            let socket = paths::local_socket().map(Way::Unix);
            socket
                .into_iter()
                .chain([tcp(DAEMON_PORT), tcp(PORT)])
                .collect()
        }
    }
}

/// Where a server listens on this machine when it was told nothing.
const DAEMON_PORT: u16 = 8766;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::Target;

    fn plan(text: &str) -> Result<Plan, Error> {
        Plan::new(&Target::parse(text).unwrap().place, None, None)
    }

    fn hop(text: &str) -> Hop {
        match plan(text).unwrap().ways.remove(0) {
            Way::Net(hop) => hop,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn hosts_are_reached_through_tls_and_this_machine_is_not() {
        assert_eq!(hop("h").scheme, Scheme::Tls);
        assert_eq!(hop("h").port, 2222);
        assert_eq!(hop("localhost:7").scheme, Scheme::Tcp);
        assert_eq!(hop("tls://localhost:7").scheme, Scheme::Tls);
    }

    #[test]
    fn nothing_goes_into_the_network_in_the_clear() {
        assert!(matches!(plan("tcp://h"), Err(Error::Plain(_))));
        assert!(matches!(plan("http://h"), Err(Error::Plain(_))));
        assert!(plan("http://127.0.0.1:8766").is_ok());
    }

    #[test]
    fn the_page_is_where_the_mux_is() {
        let page = |text| plan(text).unwrap().page();
        assert_eq!(page("h").as_deref(), Some("https://h:2222"));
        assert_eq!(page("localhost:7").as_deref(), Some("http://localhost:7"));
        assert_eq!(page("unix:/s"), None);
    }

    #[test]
    fn an_alias_stands_for_its_host() {
        let place = Target::parse("work").unwrap().place;
        let plan = Plan::new(&place, Some("work.example.org"), Some(7)).unwrap();
        assert_eq!(plan.name, "work");
        let hop = Hop {
            scheme: Scheme::Tls,
            host: "work.example.org".into(),
            port: 7,
        };
        assert_eq!(plan.ways, [Way::Net(hop)]);
    }

    #[test]
    fn an_ipv6_address_is_put_in_brackets() {
        assert_eq!(hop("wss://[::1]:7").url(), "wss://[::1]:7/vroom");
    }
}
