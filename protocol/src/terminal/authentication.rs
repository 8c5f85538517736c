//! AUTH_REQUEST and AUTH_RESPONSE: who is at the terminal.

use std::fmt;

use bytes::Bytes;

use crate::Code;
use crate::encoding::{DecodeError, Fields, FromValue, Members, Value};

/// How the client says who it is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AuthRequest {
    /// The login user; absent means the connection's identity.
    pub user: Option<String>,
    /// How it proves it.
    pub method: AuthMethod,
}

/// How an identity is proved; `Debug` shows only which method it is.
#[derive(Clone, Eq, PartialEq)]
pub enum AuthMethod {
    /// The connection has an identity already.
    Inherit,
    /// Not at all.
    None,
    /// By a token.
    Token(String),
    /// By a password; only over transports that encrypt.
    Password(String),
    /// By a code that works once, which the server showed to somebody who may.
    Pairing(String),
    /// By an SSH key.
    PublicKey {
        /// For example `ssh-ed25519`.
        algorithm: String,
        /// The public key as an SSH wire blob.
        key: Bytes,
        /// Absent in the first step, which asks for a nonce.
        proof: Option<PublicKeyProof>,
    },
    /// By answers; absent in the first step, which asks for the questions.
    KeyboardInteractive(Option<Vec<String>>),
    /// By something that is not known here.
    Unknown(String),
}

/// The second step of a public key.
#[derive(Clone, Eq, PartialEq)]
pub struct PublicKeyProof {
    /// The server's nonce.
    pub nonce: Bytes,
    /// An SSH signature blob over [`signed_data`].
    pub signature: Bytes,
}

impl fmt::Debug for PublicKeyProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PublicKeyProof").finish_non_exhaustive()
    }
}

/// What a public key signs.
///
/// `binding` is what TLS exports for this one connection ([`EXPORTER_LABEL`]), or empty where there
/// is no TLS: a signature is worth nothing on any other connection.
// VROOM-Terminal §5.6.
pub fn signed_data(nonce: &[u8], binding: &[u8], user: &str, key: &[u8]) -> Vec<u8> {
    let mut data = b"vroom-auth-v1\0".to_vec();
    for part in [nonce, binding, user.as_bytes(), key] {
        data.extend_from_slice(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
        data.extend_from_slice(part);
    }
    data
}

/// What TLS is asked for as the binding, without a context.
// RFC 9266 §2: tls-exporter.
pub const EXPORTER_LABEL: &str = "EXPORTER-Channel-Binding";

/// How many bytes TLS is asked for.
pub const EXPORTER_BYTES: usize = 32;

impl AuthMethod {
    /// The method's name on the wire.
    pub fn name(&self) -> &str {
        match self {
            Self::Inherit => "inherit",
            Self::None => "none",
            Self::Token(_) => "token",
            Self::Password(_) => "password",
            Self::Pairing(_) => "pairing",
            Self::PublicKey { .. } => "publickey",
            Self::KeyboardInteractive(_) => "keyboard-interactive",
            Self::Unknown(name) => name,
        }
    }

    fn read(members: &mut Members) -> Result<Self, DecodeError> {
        let name: String = members.required("method")?;
        Ok(match name.as_str() {
            "inherit" => Self::Inherit,
            "none" => Self::None,
            "token" => Self::Token(members.required("token")?),
            "password" => Self::Password(members.required("password")?),
            "pairing" => Self::Pairing(members.required("token")?),
            "publickey" => Self::PublicKey {
                algorithm: members.required("algorithm")?,
                key: members.required("key")?,
                proof: match members.optional("signature")? {
                    Some(signature) => Some(PublicKeyProof {
                        nonce: members.required("nonce")?,
                        signature,
                    }),
                    None => None,
                },
            },
            "keyboard-interactive" => Self::KeyboardInteractive(members.optional("responses")?),
            _ => Self::Unknown(name),
        })
    }
}

impl fmt::Debug for AuthMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(_) => f.write_str("unknown"),
            known => f.write_str(known.name()),
        }
    }
}

impl AuthRequest {
    /// Asks to go on with the connection's identity.
    pub const INHERIT: Self = Self {
        user: None,
        method: AuthMethod::Inherit,
    };

    pub(super) fn read(members: &mut Members) -> Result<Self, DecodeError> {
        Ok(Self {
            user: members.optional("user")?,
            method: AuthMethod::read(members)?,
        })
    }

    pub(super) fn fields(&self) -> Fields {
        let fields = Fields::new()
            .with("method", self.method.name())
            .maybe("user", self.user.as_ref());
        match &self.method {
            AuthMethod::Inherit | AuthMethod::None | AuthMethod::Unknown(_) => fields,
            AuthMethod::Token(token) | AuthMethod::Pairing(token) => fields.with("token", token),
            AuthMethod::Password(password) => fields.with("password", password),
            AuthMethod::PublicKey {
                algorithm,
                key,
                proof,
            } => fields
                .with("algorithm", algorithm)
                .with("key", key)
                .maybe("nonce", proof.as_ref().map(|proof| &proof.nonce))
                .maybe("signature", proof.as_ref().map(|proof| &proof.signature)),
            AuthMethod::KeyboardInteractive(responses) => {
                fields.maybe_list("responses", responses.as_deref())
            }
        }
    }
}

/// What the server answers.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum AuthResponse {
    /// The identity is proved.
    Success {
        /// Who it is.
        user: String,
    },
    /// It is not.
    Failure {
        /// What may still be tried.
        methods: Vec<String>,
        /// Why, in a number.
        code: Code,
        /// Why, in words.
        reason: Option<String>,
    },
    /// The next step is due.
    Continue(Challenge),
}

/// What the client has to answer.
#[derive(Clone, Eq, PartialEq)]
pub enum Challenge {
    /// Sign this, 32 bytes.
    Nonce(Bytes),
    /// Answer these.
    Prompts {
        /// A title.
        name: Option<String>,
        /// What to do.
        instruction: Option<String>,
        /// The questions.
        prompts: Vec<Prompt>,
    },
}

impl fmt::Debug for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nonce(_) => f.write_str("Nonce(..)"),
            Self::Prompts { prompts, .. } => write!(f, "Prompts({})", prompts.len()),
        }
    }
}

/// One question of keyboard-interactive.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Prompt {
    /// The question.
    pub text: String,
    /// Whether the answer may be shown while it is typed.
    pub echo: bool,
}

impl FromValue for Prompt {
    fn from_value(value: Value) -> Option<Self> {
        let mut members = Members::from_value(value)?;
        Some(Self {
            text: members.required("text").ok()?,
            echo: members.or_default("echo").ok()?,
        })
    }
}

impl From<&Prompt> for Value {
    fn from(prompt: &Prompt) -> Self {
        Fields::new()
            .with("text", &prompt.text)
            .with("echo", prompt.echo)
            .into()
    }
}

impl AuthResponse {
    pub(super) fn read(members: &mut Members) -> Result<Self, DecodeError> {
        Ok(match members.required::<String>("status")?.as_str() {
            "success" => Self::Success {
                user: members.required("user")?,
            },
            "failure" => Self::Failure {
                methods: members.or_default("methods")?,
                code: members.optional("code")?.map_or(Code::AUTH_FAILED, Code),
                reason: members.optional("reason")?,
            },
            "continue" => Self::Continue(match members.optional("nonce")? {
                Some(nonce) => Challenge::Nonce(nonce),
                None => Challenge::Prompts {
                    name: members.optional("name")?,
                    instruction: members.optional("instruction")?,
                    prompts: members.required("prompts")?,
                },
            }),
            _ => return Err(DecodeError::member("status")),
        })
    }

    pub(super) fn fields(&self) -> Fields {
        match self {
            Self::Success { user } => Fields::new().with("status", "success").with("user", user),
            Self::Failure {
                methods,
                code,
                reason,
            } => Fields::new()
                .with("status", "failure")
                .with_list("methods", methods)
                .with("code", code.0)
                .maybe("reason", reason.as_ref()),
            Self::Continue(challenge) => {
                let fields = Fields::new().with("status", "continue");
                match challenge {
                    Challenge::Nonce(nonce) => fields.with("nonce", nonce),
                    Challenge::Prompts {
                        name,
                        instruction,
                        prompts,
                    } => fields
                        .maybe("name", name.as_ref())
                        .maybe("instruction", instruction.as_ref())
                        .with_list("prompts", prompts),
                }
            }
        }
    }
}
