//! Somebody who proved who they are, and what that allows at most.

use std::sync::Arc;

use vroom_protocol::graphical::Role;

use crate::links::Link;

/// Somebody who proved who they are.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Identity {
    /// The name of the user.
    pub(crate) user: Arc<str>,
    /// What they may do at most.
    pub(crate) role: Role,
    /// Where that ends.
    pub(crate) scope: Scope,
}

/// Where an identity ends.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Scope {
    /// Nowhere: the user themselves.
    Whole,
    /// The user, within what the line of their key in `authorized_keys` allows.
    Key(Arc<Rights>),
    /// Somebody who came by a link, and sees one terminal.
    Link(Arc<Link>),
}

/// What a line of `authorized_keys` allows.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Rights {
    /// A terminal; otherwise programs run on pipes.
    pub(crate) pty: bool,
    /// Connections through the server.
    pub(crate) port_forwarding: bool,
    /// The client's agent on the server.
    pub(crate) agent_forwarding: bool,
    /// What runs whatever is asked for.
    pub(crate) command: Option<String>,
}

impl Rights {
    /// What a line without options allows.
    pub(crate) const ALL: Self = Self {
        pty: true,
        port_forwarding: true,
        agent_forwarding: true,
        command: None,
    };

    /// What a line that begins with `restrict` allows.
    pub(crate) const NONE: Self = Self {
        pty: false,
        port_forwarding: false,
        agent_forwarding: false,
        command: None,
    };
}

impl Identity {
    /// The user themselves.
    pub(crate) fn owner(user: Arc<str>) -> Self {
        Self {
            user,
            role: Role::Owner,
            scope: Scope::Whole,
        }
    }

    /// The link they came by.
    pub(crate) fn link(&self) -> Option<&Arc<Link>> {
        match &self.scope {
            Scope::Link(link) => Some(link),
            _ => None,
        }
    }

    /// Whether they may see the desktop, and drive it as far as their role goes.
    pub(crate) fn may_see_desktop(&self) -> bool {
        match &self.scope {
            Scope::Whole => true,
            Scope::Key(rights) => **rights == Rights::ALL,
            Scope::Link(_) => false,
        }
    }

    /// Whether they may start programs.
    pub(crate) fn may_start(&self) -> bool {
        self.role >= Role::Operator && self.link().is_none()
    }

    /// Whether what they start may have a terminal.
    pub(crate) fn may_have_pty(&self) -> bool {
        match &self.scope {
            Scope::Key(rights) => rights.pty,
            Scope::Whole | Scope::Link(_) => true,
        }
    }

    /// What runs whatever they ask for.
    pub(crate) fn forced_command(&self) -> Option<&str> {
        match &self.scope {
            Scope::Key(rights) => rights.command.as_deref(),
            Scope::Whole | Scope::Link(_) => None,
        }
    }

    /// Whether they may list, join, rename and end the user's terminals.
    pub(crate) fn may_manage(&self) -> bool {
        self.may_start() && self.may_have_pty() && self.forced_command().is_none()
    }

    /// Whether they may read and write files.
    pub(crate) fn may_use_files(&self) -> bool {
        self.may_start() && self.forced_command().is_none()
    }

    /// Whether they may connect through the server.
    pub(crate) fn may_forward(&self) -> bool {
        self.may_start()
            && match &self.scope {
                Scope::Key(rights) => rights.port_forwarding,
                Scope::Whole | Scope::Link(_) => true,
            }
    }

    /// Whether they may bring their agent.
    pub(crate) fn may_forward_agent(&self) -> bool {
        self.may_start()
            && match &self.scope {
                Scope::Key(rights) => rights.agent_forwarding,
                Scope::Whole | Scope::Link(_) => true,
            }
    }
}
