//! SHARE and SHARE_STATE: who is there, who drives, and how that changes.

use std::fmt;

use super::mode::{Mode, Role};
use crate::encoding::{DecodeError, Fields, FromValue, Members, Value};

/// What a participant asks to change about the participants.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Share {
    /// What the answer refers to.
    pub id: Option<String>,
    /// What is to change.
    pub action: ShareAction,
}

/// What is to change about the participants; `Debug` shows no token.
#[derive(Clone, Eq, PartialEq)]
pub enum ShareAction {
    /// Hands the driver role over.
    Grant {
        /// The participant who gets it.
        to: String,
    },
    /// Asks the driver for its role.
    Request,
    /// Declines a request.
    Deny {
        /// The participant who asked.
        to: String,
    },
    /// Gives the driver role up.
    Release,
    /// Gives a participant another role.
    Role {
        /// The participant.
        to: String,
        /// Its new role.
        role: Role,
    },
    /// Ends a participant's connection.
    Kick {
        /// The participant.
        to: String,
    },
    /// Asks for a share token.
    Invite {
        /// The role of whoever uses it.
        role: Role,
        /// How long it is valid, in seconds.
        ttl_s: Option<u32>,
    },
    /// Withdraws a share token.
    Revoke {
        /// The token.
        token: String,
    },
}

impl ShareAction {
    /// The action's name on the wire.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Grant { .. } => "grant",
            Self::Request => "request",
            Self::Deny { .. } => "deny",
            Self::Release => "release",
            Self::Role { .. } => "role",
            Self::Kick { .. } => "kick",
            Self::Invite { .. } => "invite",
            Self::Revoke { .. } => "revoke",
        }
    }

    fn read(members: &mut Members) -> Result<Self, DecodeError> {
        Ok(match members.required::<String>("action")?.as_str() {
            "grant" => Self::Grant {
                to: members.required("to")?,
            },
            "request" => Self::Request,
            "deny" => Self::Deny {
                to: members.required("to")?,
            },
            "release" => Self::Release,
            "role" => Self::Role {
                to: members.required("to")?,
                role: members.required("role")?,
            },
            "kick" => Self::Kick {
                to: members.required("to")?,
            },
            "invite" => Self::Invite {
                role: members.required("role")?,
                ttl_s: members.optional("ttl")?,
            },
            "revoke" => Self::Revoke {
                token: members.required("token")?,
            },
            _ => return Err(DecodeError::member("action")),
        })
    }
}

impl fmt::Debug for ShareAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Share {
    pub(super) fn read(members: &mut Members) -> Result<Self, DecodeError> {
        let id: Option<String> = members.optional("id")?;
        let action =
            ShareAction::read(members).map_err(|error| error.with_reference(id.as_deref()))?;
        Ok(Self { id, action })
    }

    pub(super) fn fields(&self) -> Fields {
        let fields = Fields::new()
            .maybe("id", self.id.as_ref())
            .with("action", self.action.name());
        match &self.action {
            ShareAction::Request | ShareAction::Release => fields,
            ShareAction::Grant { to } | ShareAction::Deny { to } | ShareAction::Kick { to } => {
                fields.with("to", to)
            }
            ShareAction::Role { to, role } => fields.with("to", to).with("role", *role),
            ShareAction::Invite { role, ttl_s } => fields.with("role", *role).maybe("ttl", *ttl_s),
            ShareAction::Revoke { token } => fields.with("token", token),
        }
    }
}

/// Who is there and who drives; sent on every change and as the answer to MODE.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ShareState {
    /// The receiver's own participant id.
    pub own_id: String,
    /// The driver's participant id.
    pub driver: Option<String>,
    /// Everybody, the receiver included.
    pub participants: Vec<Participant>,
    /// Why it changed, in words.
    pub reason: Option<String>,
}

impl ShareState {
    pub(super) fn read(members: &mut Members) -> Result<Self, DecodeError> {
        Ok(Self {
            own_id: members.required("self")?,
            driver: members.optional("driver")?,
            participants: members.required("participants")?,
            reason: members.optional("reason")?,
        })
    }

    pub(super) fn fields(&self) -> Fields {
        Fields::new()
            .with("self", &self.own_id)
            .maybe("driver", self.driver.as_ref())
            .with_list("participants", &self.participants)
            .maybe("reason", self.reason.as_ref())
    }
}

/// One participant of a graphical session.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Participant {
    /// Names the participant in SHARE.
    pub id: String,
    /// Names the participant to people.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// What it is doing.
    pub mode: Mode,
}

impl FromValue for Participant {
    fn from_value(value: Value) -> Option<Self> {
        let mut members = Members::from_value(value)?;
        Some(Self {
            id: members.required("id").ok()?,
            name: members.required("name").ok()?,
            role: members.required("role").ok()?,
            mode: members.required("mode").ok()?,
        })
    }
}

impl From<&Participant> for Value {
    fn from(participant: &Participant) -> Self {
        Fields::new()
            .with("id", &participant.id)
            .with("name", &participant.name)
            .with("role", participant.role)
            .with("mode", participant.mode)
            .into()
    }
}
