//! How far a terminal has come.

/// How far a terminal has come, on either side.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Stage {
    /// HELLO is due.
    Hello,
    /// CAPABILITY_OFFER is due.
    Capabilities,
    /// AUTH_REQUEST is due.
    Authenticating,
    /// The identity is proved; PTY_REQUEST or EXEC_REQUEST is due.
    Authenticated,
    /// There is a terminal; its channel, and SHELL_REQUEST or EXEC_REQUEST, are due.
    PtyAllocated,
    /// A program is asked for and does not run yet.
    Starting,
    /// A program runs.
    Active,
    /// It is over; the pair is still open.
    Closing,
    /// It is over; nothing is read any more.
    Closed,
}
