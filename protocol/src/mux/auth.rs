//! The credentials that a HELLO or a RESUME_REQUEST can carry.

use std::fmt;

/// Credentials; `Debug` shows their kind and never what is in them.
#[derive(Clone, PartialEq, Eq)]
pub enum Auth {
    /// The token of the token file.
    Token(String),
    /// A session key that `/login` gave out.
    Session(String),
    /// User and password; only over transports that encrypt.
    Password {
        /// Login name.
        user: String,
        /// The password as typed.
        password: String,
    },
    /// The code that a kiosk shows.
    Pairing(String),
    /// The token of a share link.
    Share(String),
    /// The credentials that the Unix socket itself carries.
    Peer,
}

impl Auth {
    /// The `type` member of the message, for logs.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Token(_) => "token",
            Self::Session(_) => "session",
            Self::Password { .. } => "password",
            Self::Pairing(_) => "pairing",
            Self::Share(_) => "share",
            Self::Peer => "peer",
        }
    }
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Auth({})", self.kind())
    }
}

/// A text that is never printed: the id that resumes a session.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Secret(String);

impl Secret {
    /// Wraps a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself; keep it out of logs.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_holds_no_secret() {
        let all = [
            Auth::Token("hunter2".into()),
            Auth::Session("hunter2".into()),
            Auth::Password {
                user: "hunter2".into(),
                password: "hunter2".into(),
            },
            Auth::Pairing("hunter2".into()),
            Auth::Share("hunter2".into()),
        ];
        for auth in all {
            assert!(!format!("{auth:?}").contains("hunter2"));
        }
        assert!(!format!("{:?}", Secret::new("hunter2")).contains("hunter2"));
    }
}
