//! SHARE: what a participant asks to change.

use std::fmt;

use crate::encoding::{DecodeError, Fields, Members};
use crate::graphical::Role;

/// What a participant asks to change about who may do what.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ShareRequest {
    /// What is to change.
    pub action: ShareAction,
    /// What the answer names in `ref`.
    pub id: Option<u64>,
}

/// What is to change; `Debug` shows only which action it is.
#[derive(Clone, Eq, PartialEq)]
pub enum ShareAction {
    /// Asks the driver to hand over.
    Request,
    /// Hands over to a participant.
    Grant {
        /// The participant who gets to drive.
        to: String,
    },
    /// Declines what a participant asked for.
    Deny {
        /// The participant who asked.
        to: String,
    },
    /// Takes over without asking.
    Take,
    /// Drives no longer.
    Release,
    /// Gives a participant another role.
    Role {
        /// The participant.
        to: String,
        /// Its new role.
        role: Role,
    },
    /// Puts a participant out.
    Kick {
        /// The participant.
        to: String,
    },
    /// Makes a link for people who have no account here.
    Invite {
        /// How long the link works, in seconds.
        ttl_s: u32,
        /// How often it can be used; absent for as often as one likes.
        uses: Option<u32>,
        /// What whoever uses it may do; a viewer where nothing is said.
        role: Role,
    },
    /// Ends a link, and puts those out who came by it.
    Revoke {
        /// The link's public id.
        link: String,
    },
}

impl ShareAction {
    /// The action's name on the wire.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Grant { .. } => "grant",
            Self::Deny { .. } => "deny",
            Self::Take => "take",
            Self::Release => "release",
            Self::Role { .. } => "role",
            Self::Kick { .. } => "kick",
            Self::Invite { .. } => "invite",
            Self::Revoke { .. } => "revoke",
        }
    }

    fn read(members: &mut Members) -> Result<Self, DecodeError> {
        Ok(match members.required::<String>("action")?.as_str() {
            "request" => Self::Request,
            "grant" => Self::Grant {
                to: members.required("to")?,
            },
            "deny" => Self::Deny {
                to: members.required("to")?,
            },
            "take" => Self::Take,
            "release" => Self::Release,
            "role" => Self::Role {
                to: members.required("to")?,
                role: members.required("role")?,
            },
            "kick" => Self::Kick {
                to: members.required("to")?,
            },
            "invite" => Self::Invite {
                ttl_s: members.required("ttl")?,
                uses: members.optional("uses")?,
                role: members.optional("role")?.unwrap_or(Role::Viewer),
            },
            "revoke" => Self::Revoke {
                link: members.required("link")?,
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

impl ShareRequest {
    /// A request whose answer needs no name.
    pub const fn new(action: ShareAction) -> Self {
        Self { action, id: None }
    }

    pub(in super::super) fn read(members: &mut Members) -> Result<Self, DecodeError> {
        Ok(Self {
            id: members.optional("id")?,
            action: ShareAction::read(members)?,
        })
    }

    pub(in super::super) fn fields(&self) -> Fields {
        let fields = Fields::new().with("action", self.action.name());
        let fields = match &self.action {
            ShareAction::Request | ShareAction::Take | ShareAction::Release => fields,
            ShareAction::Grant { to } | ShareAction::Deny { to } | ShareAction::Kick { to } => {
                fields.with("to", to)
            }
            ShareAction::Role { to, role } => fields.with("to", to).with("role", *role),
            ShareAction::Invite { ttl_s, uses, role } => fields
                .with("ttl", *ttl_s)
                .maybe("uses", *uses)
                .maybe("role", (*role != Role::Viewer).then_some(*role)),
            ShareAction::Revoke { link } => fields.with("link", link),
        };
        fields.maybe("id", self.id)
    }
}
