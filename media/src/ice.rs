//! Candidates: the addresses that two peers try to reach each other at.

use std::net::IpAddr;

/// One address that a peer may be reached at, as browsers write it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Candidate {
    /// The text after `a=`, for example `candidate:1 1 UDP 2122252543 192.0.2.1 50000 typ host`.
    pub candidate: String,
    /// The `mid` of the section it belongs to.
    pub sdp_mid: Option<String>,
    /// The number of that section, from 0.
    pub sdp_mline_index: Option<u32>,
}

/// Whether a candidate can be used: by us from a browser, or by a browser from us.
///
/// Left out are TCP, of which we serve none; names (`….local`), which only the browser's own
/// network could resolve and which are not needed, since we learn its address from its first packet;
/// and link-local addresses, which mean nothing without their interface.
pub(crate) fn is_useful(candidate: &str) -> bool {
    let text = candidate.trim_start_matches("a=");
    let Some(text) = text.strip_prefix("candidate:") else {
        return false;
    };
    if text.len() > CANDIDATE_BYTES || text.contains(['\r', '\n']) {
        return false;
    }
    let mut fields = text.split_ascii_whitespace();
    let (_foundation, _component) = (fields.next(), fields.next());
    let is_udp = fields
        .next()
        .is_some_and(|it| it.eq_ignore_ascii_case("udp"));
    let _priority = fields.next();
    let address = fields.next().and_then(|it| it.parse::<IpAddr>().ok());
    let port = fields.next().and_then(|it| it.parse::<u16>().ok());
    let reachable = address.is_some_and(|address| match address {
        IpAddr::V4(address) => !address.is_unspecified(),
        IpAddr::V6(address) => !address.is_unspecified() && !address.is_unicast_link_local(),
    });
    is_udp && reachable && port.is_some_and(|port| port > 0)
}

/// Takes the candidates that cannot be used out of a session description.
pub(crate) fn filtered(sdp: &str) -> String {
    let keep = |line: &&str| !line.starts_with("a=candidate:") || is_useful(line.trim_end());
    sdp.split_inclusive('\n').filter(keep).collect()
}

/// The longest candidate that is looked at.
const CANDIDATE_BYTES: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_candidates_over_udp_are_useful() {
        for candidate in [
            "candidate:1 1 UDP 2015363327 192.0.2.1 50000 typ host",
            "candidate:842163049 1 udp 1677729535 127.0.0.1 4 typ host generation 0",
            "a=candidate:1 1 UDP 2015363327 2001:db8::1 50000 typ host",
        ] {
            assert!(is_useful(candidate), "{candidate}");
        }
    }

    #[test]
    fn what_cannot_be_used_is_left_out() {
        for candidate in [
            "",
            "candidate:",
            "candidate:1 1 UDP 1 0b2d.local 50000 typ host",
            "candidate:1 1 TCP 1 192.0.2.1 9 typ host tcptype active",
            "candidate:1 1 UDP 1 fe80::1 50000 typ host",
            "candidate:1 1 UDP 1 0.0.0.0 9 typ host",
            "candidate:1 1 UDP 1 192.0.2.1 99999 typ host",
            "candidate:1 1 UDP 1 192.0.2.1",
            "candidate:1 1 UDP 1 192.0.2.1 50000 typ host\r\na=x",
        ] {
            assert!(!is_useful(candidate), "{candidate}");
        }
    }

    #[test]
    fn filtering_leaves_everything_else_alone() {
        let sdp = "v=0\r\na=candidate:1 1 UDP 1 x.local 5 typ host\r\n\
                   a=candidate:1 1 UDP 1 192.0.2.1 5 typ host\r\na=mid:0\r\n";
        let left = "v=0\r\na=candidate:1 1 UDP 1 192.0.2.1 5 typ host\r\na=mid:0\r\n";
        assert_eq!(filtered(sdp), left);
    }
}
