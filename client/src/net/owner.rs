//! Whose server listens on a port of this machine.
//!
//! Anybody on this machine may listen there; the token is told only to a server of ours.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether a server of this user, or of the administrator, listens on a loopback address.
pub(super) fn is_ours(host: &str, port: u16) -> bool {
    let address: Option<IpAddr> = match host {
        "localhost" => None,
        host => match host.parse() {
            Ok(address) => Some(address),
            Err(_) => return false,
        },
    };
    let us = rustix::process::geteuid().as_raw();
    let mut owners = Vec::new();
    for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
        if let Ok(text) = std::fs::read_to_string(table) {
            owners.extend(listeners(&text, address, port));
        }
    }
    !owners.is_empty() && owners.iter().all(|owner| *owner == us || *owner == 0)
}

/// The users that listen on a port, by the kernel's table.
fn listeners(table: &str, address: Option<IpAddr>, port: u16) -> Vec<u32> {
    let of_line = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (local, state, owner) = (words.get(1)?, words.get(3)?, words.get(7)?);
        let (host, local_port) = local.split_once(':')?;
        let host = parse_address(host)?;
        let is_meant = address.is_none_or(|address| host == address || host.is_unspecified());
        let is_listening = *state == "0A" && u16::from_str_radix(local_port, 16).ok()? == port;
        (is_listening && is_meant).then(|| owner.parse().ok())?
    };
    table.lines().skip(1).filter_map(of_line).collect()
}

/// Reads an address as the kernel writes it: words of 32 bits in the order of the machine.
fn parse_address(text: &str) -> Option<IpAddr> {
    let word = |at: usize| u32::from_str_radix(text.get(at..at + 8)?, 16).ok();
    match text.len() {
        8 => Some(Ipv4Addr::from(word(0)?.to_ne_bytes()).into()),
        32 => {
            let mut bytes = [0; 16];
            for (index, chunk) in bytes.chunks_mut(4).enumerate() {
                chunk.copy_from_slice(&word(index * 8)?.to_ne_bytes());
            }
            Some(Ipv6Addr::from(bytes).to_canonical())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn our_own_listener_is_ours() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        assert!(is_ours("127.0.0.1", port));
        assert!(is_ours("localhost", port));
        drop(listener);
        assert!(!is_ours("127.0.0.1", port));
        assert!(!is_ours("far.example", port));
    }

    #[test]
    #[cfg(target_endian = "little")]
    fn the_table_tells_who_listens() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n\
            0: 0100007F:223E 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 1\n\
            1: 0100007F:223E 0100007F:1234 01 00000000:00000000 00:00000000 00000000  1001        0 2\n\
            2: 00000000:223F 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1002        0 3\n";
        let loopback = Some("127.0.0.1".parse().unwrap());
        assert_eq!(listeners(table, loopback, 8766), [1000]);
        assert_eq!(listeners(table, loopback, 8767), [1002]);
        let other = Some("::1".parse().unwrap());
        assert!(listeners(table, other, 8766).is_empty());
        assert!(listeners(table, None, 1).is_empty());
    }
}
