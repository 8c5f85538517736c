//! The signals that a client may send, by their Linux numbers.

/// Whether a client may send a signal; 28 goes through WINDOW_RESIZE only.
// VROOM-Terminal §5.5.
pub const fn is_deliverable(signal: u8) -> bool {
    matches!(signal, 1 | 2 | 3 | 9 | 10 | 12 | 15 | 18 | 20)
}

/// The name of a signal without SIG.
pub const fn signal_name(signal: u8) -> Option<&'static str> {
    Some(match signal {
        1 => "HUP",
        2 => "INT",
        3 => "QUIT",
        4 => "ILL",
        5 => "TRAP",
        6 => "ABRT",
        7 => "BUS",
        8 => "FPE",
        9 => "KILL",
        10 => "USR1",
        11 => "SEGV",
        12 => "USR2",
        13 => "PIPE",
        14 => "ALRM",
        15 => "TERM",
        18 => "CONT",
        19 => "STOP",
        20 => "TSTP",
        24 => "XCPU",
        25 => "XFSZ",
        28 => "WINCH",
        31 => "SYS",
        _ => return None,
    })
}
