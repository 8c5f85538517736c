//! Why something is not forwarded.

use std::io;

use vroom_protocol::forward::ForwardCode;

/// Why something is not forwarded.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Failure {
    /// In a number.
    pub(super) code: ForwardCode,
    /// In words.
    pub(super) reason: String,
}

impl Failure {
    /// A failure in number and words.
    pub(super) fn new(code: ForwardCode, reason: impl Into<String>) -> Self {
        Self {
            code,
            reason: reason.into(),
        }
    }

    /// What keeps us from listening.
    pub(super) fn listening(error: &io::Error) -> Self {
        let code = match error.kind() {
            io::ErrorKind::AddrInUse => ForwardCode::PORT_IN_USE,
            io::ErrorKind::PermissionDenied => ForwardCode::PERMISSION_DENIED,
            _ => ForwardCode::INVALID_ADDRESS,
        };
        Self::new(code, error.to_string())
    }

    /// What keeps us from connecting.
    pub(super) fn connecting(error: &io::Error) -> Self {
        let code = match error.kind() {
            io::ErrorKind::PermissionDenied => ForwardCode::PERMISSION_DENIED,
            _ => ForwardCode::CONNECT_FAILED,
        };
        Self::new(code, error.to_string())
    }

    /// As messages carry it.
    pub(super) fn into_parts(self) -> (ForwardCode, String) {
        (self.code, self.reason)
    }
}
