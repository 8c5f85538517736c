//! What client and server have in common.

use std::cmp::Ordering;

use super::capabilities::{Capabilities, Extensions, Keyboard, Kitty, TerminalInfo};

/// What SELECT says to an offer: what both can do, with nothing left out.
// VROOM-Terminal §5.4; C23: false and empty are said explicitly.
pub fn intersect(offer: &Capabilities, server: &Capabilities) -> Capabilities {
    let offered = offer.kitty.clone().unwrap_or_default();
    let served = server.kitty.clone().unwrap_or_default();
    Capabilities {
        protocol_version: Some(
            offer
                .protocol_version
                .unwrap_or(super::VERSION)
                .min(server.protocol_version.unwrap_or(super::VERSION)),
        ),
        terminal: Some(common_terminal(
            &offer.terminal.clone().unwrap_or_default(),
            &server.terminal.clone().unwrap_or_default(),
        )),
        kitty: Some(Kitty {
            keyboard: Some(common_keyboard(
                &offered.keyboard.unwrap_or_default(),
                &served.keyboard.unwrap_or_default(),
            )),
            graphics: both(offered.graphics, served.graphics),
            sixel: both(offered.sixel, served.sixel),
            synchronized_output: both(offered.synchronized_output, served.synchronized_output),
        }),
        mouse: common_names(&offer.mouse, &server.mouse),
        features: common_names(&offer.features, &server.features),
        extensions: Some(common_extensions(offer.extensions(), server.extensions())),
    }
}

/// The flags that a client honours at a keyboard level, as in `CSI > flags u`.
// Decision D39.
pub const fn kitty_flags(level: u32) -> u8 {
    match level {
        0 => 0,
        1 => 1,
        2 => 3,
        _ => 15,
    }
}

fn common_terminal(offer: &TerminalInfo, server: &TerminalInfo) -> TerminalInfo {
    TerminalInfo {
        name: offer.name.clone(),
        unicode_version: match (&offer.unicode_version, &server.unicode_version) {
            (Some(offered), Some(served)) => Some(lower_version(offered, served).to_owned()),
            // A server that names none follows the client.
            (offered, _) => offered.clone(),
        },
        truecolor: both(offer.truecolor, server.truecolor),
    }
}

fn common_keyboard(offer: &Keyboard, server: &Keyboard) -> Keyboard {
    let offered = offer.supported_levels.clone().unwrap_or_default();
    let served = server.supported_levels.as_deref().unwrap_or_default();
    let mut levels = offered;
    levels.retain(|level| served.contains(level));
    levels.sort_unstable();
    levels.dedup();
    Keyboard {
        preferred_level: Some(level_in_force(&levels, offer.preferred_level)),
        supported_levels: Some(levels),
    }
}

/// The preferred level, else the highest below it, else the lowest, else none.
fn level_in_force(common: &[u32], preferred: Option<u32>) -> u32 {
    let not_above = match preferred {
        Some(preferred) => common.iter().rfind(|level| **level <= preferred),
        None => common.last(),
    };
    not_above.or(common.first()).copied().unwrap_or(0)
}

fn common_extensions(offer: Extensions, server: Extensions) -> Extensions {
    Extensions {
        structured_keys: both(offer.structured_keys, server.structured_keys),
        reconnect: both(offer.reconnect, server.reconnect),
        zstd_compression: both(offer.zstd_compression, server.zstd_compression),
        flow_control: both(offer.flow_control, server.flow_control),
        sharing: both(offer.sharing, server.sharing),
    }
}

fn both(offered: Option<bool>, served: Option<bool>) -> Option<bool> {
    Some(offered == Some(true) && served == Some(true))
}

/// The common names, each once, in the client's order.
fn common_names(offer: &Option<Vec<String>>, server: &Option<Vec<String>>) -> Option<Vec<String>> {
    let served = server.as_deref().unwrap_or_default();
    let mut common: Vec<String> = Vec::new();
    for name in offer.iter().flatten() {
        if served.contains(name) && !common.contains(name) {
            common.push(name.clone());
        }
    }
    Some(common)
}

/// The lower version, part by part as numbers; what is not a number counts as 0.
fn lower_version<'a>(left: &'a str, right: &'a str) -> &'a str {
    let parts = |version: &str| -> Vec<u64> {
        let numbers = version.split('.').map(|part| part.parse().unwrap_or(0));
        let mut parts: Vec<u64> = numbers.collect();
        while parts.last() == Some(&0) {
            parts.pop();
        }
        parts
    };
    match parts(left).cmp(&parts(right)) {
        Ordering::Less | Ordering::Equal => left,
        Ordering::Greater => right,
    }
}
