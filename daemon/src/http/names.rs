//! Which names this server goes by, and which pages may use it.
//!
//! A browser says in `Host` whom it thinks it calls and in `Origin` which page calls. Refusing
//! foreign names stops DNS rebinding; refusing foreign pages stops cross-site requests. A client
//! that is no browser sends no `Origin`; there the credentials alone decide.

use std::net::IpAddr;

use http::header::{HOST, HeaderMap, ORIGIN};

/// The names of this server, and the foreign pages that may use it.
#[derive(Debug, Default)]
pub(crate) struct Names {
    hosts: Vec<String>,
    origins: Vec<String>,
}

/// Why a request is none of ours.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Foreign {
    /// It is meant for another server.
    Host,
    /// It comes from another server's page.
    Origin,
}

impl Names {
    /// Knows loopback and these.
    pub(crate) fn new(hosts: &[String], origins: &[String]) -> Self {
        let lower = |names: &[String]| names.iter().map(|name| name.to_ascii_lowercase()).collect();
        Self {
            hosts: lower(hosts),
            origins: lower(origins),
        }
    }

    /// Checks the headers of a request that came in at the address `local`; returns the host with
    /// its port, as the browser wrote it.
    pub(crate) fn check<'a>(
        &self,
        headers: &'a HeaderMap,
        local: Option<IpAddr>,
    ) -> Result<&'a str, Foreign> {
        let host = only(headers, HOST).ok_or(Foreign::Host)?;
        let (name, _) = split(host).ok_or(Foreign::Host)?;
        if !self.is_ours(&name.to_ascii_lowercase(), local) {
            return Err(Foreign::Host);
        }
        if headers.contains_key(ORIGIN) {
            let origin = only(headers, ORIGIN).ok_or(Foreign::Origin)?;
            if !self.may_call(&origin.to_ascii_lowercase(), host) {
                return Err(Foreign::Origin);
            }
        }
        Ok(host)
    }

    fn is_ours(&self, name: &str, local: Option<IpAddr>) -> bool {
        if name == "localhost" || self.hosts.iter().any(|host| host == name) {
            return true;
        }
        let literal = name
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'));
        match literal.unwrap_or(name).parse::<IpAddr>() {
            Ok(ip) => {
                ip.is_loopback()
                    || local.is_some_and(|local| local.to_canonical() == ip.to_canonical())
            }
            Err(_) => false,
        }
    }

    /// The page itself, whatever encrypts in front of us, or one that was named.
    fn may_call(&self, origin: &str, host: &str) -> bool {
        if self.origins.iter().any(|allowed| allowed == origin) {
            return true;
        }
        let Some((scheme, rest)) = origin.split_once("://") else {
            return false;
        };
        let port = match scheme {
            "http" => 80,
            "https" => 443,
            _ => return false,
        };
        let full = |text| split(text).map(|(name, given)| (name, given.unwrap_or(port)));
        full(rest).is_some() && full(rest) == full(&host.to_ascii_lowercase())
    }
}

/// The value of a header that may be there once only.
fn only(headers: &HeaderMap, name: http::HeaderName) -> Option<&str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?;
    if values.next().is_some() {
        return None;
    }
    value.to_str().ok()
}

/// Cuts `name[:port]`; `None` when that is not what it is.
fn split(text: &str) -> Option<(&str, Option<u16>)> {
    let bracket = text.rfind(']').map_or(0, |at| at + 1);
    let (name, port) = match text.get(bracket..)?.find(':') {
        Some(at) => {
            let (name, port) = text.split_at(bracket + at);
            (name, Some(port.get(1..)?.parse().ok()?))
        }
        None => (text, None),
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    let address = name
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    let is_name = match address {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => !name.is_empty() && name.chars().all(plain),
    };
    is_name.then_some((name, port))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn check(host: &str, origin: Option<&str>) -> Result<(), Foreign> {
        let names = Names::new(
            &["Desk.example.org".into()],
            &["https://portal.example.org".into()],
        );
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::from_str(host).unwrap());
        if let Some(origin) = origin {
            headers.insert(ORIGIN, HeaderValue::from_str(origin).unwrap());
        }
        let local = Some("192.0.2.7".parse().unwrap());
        names.check(&headers, local).map(drop)
    }

    #[test]
    fn loopback_own_addresses_and_given_names_are_ours() {
        for host in [
            "localhost:8766",
            "LOCALHOST",
            "127.0.0.1:1",
            "127.0.0.9",
            "[::1]:8766",
            "192.0.2.7:80",
            "desk.example.org",
            "DESK.example.org:443",
        ] {
            assert_eq!(check(host, None), Ok(()), "{host}");
        }
    }

    #[test]
    fn other_names_are_not() {
        for host in [
            "evil.example",
            "localhost.evil.example",
            "192.0.2.8",
            "[::2]:1",
            "localhost:x",
            "",
            "127.0.0.1.evil.example",
            "localhost:1:2",
            "a@localhost",
            "[::1",
            "desk.example.org.",
        ] {
            assert_eq!(check(host, None), Err(Foreign::Host), "{host}");
        }
    }

    #[test]
    fn only_our_own_page_and_named_ones_may_call() {
        let host = "localhost:8766";
        for origin in [
            "http://localhost:8766",
            "https://LOCALHOST:8766",
            "https://portal.example.org",
        ] {
            assert_eq!(check(host, Some(origin)), Ok(()), "{origin}");
        }
        for origin in [
            "null",
            "",
            "http://localhost:8767",
            "http://localhost",
            "http://127.0.0.1:8766",
            "https://evil.example",
            "file://",
            "ftp://localhost:8766",
            "http://a.localhost:8766",
            "http://localhost:8766/",
            "http://x@localhost:8766",
            "http://portal.example.org",
        ] {
            assert_eq!(check(host, Some(origin)), Err(Foreign::Origin), "{origin}");
        }
        assert_eq!(check("localhost", Some("http://localhost:80")), Ok(()));
        assert_eq!(
            check("desk.example.org", Some("https://desk.example.org")),
            Ok(())
        );
    }

    #[test]
    fn two_hosts_are_one_too_many() {
        let mut headers = HeaderMap::new();
        assert_eq!(Names::default().check(&headers, None), Err(Foreign::Host));
        headers.append(HOST, HeaderValue::from_static("localhost"));
        headers.append(HOST, HeaderValue::from_static("localhost"));
        assert_eq!(Names::default().check(&headers, None), Err(Foreign::Host));
    }
}
