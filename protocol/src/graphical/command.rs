//! COMMAND: what a participant in voice mode asks for.

use std::fmt;

use crate::encoding::{DecodeError, Fields, Members, names, number};

/// One command; with an `id` it gets exactly one final NOTIFICATION that refers to it.
#[derive(Clone, Debug, PartialEq)]
pub struct Command {
    /// What the answer refers to.
    pub id: Option<String>,
    /// What is asked for.
    pub action: Action,
}

/// What a command asks for; `Debug` shows neither selectors nor texts.
#[derive(Clone, PartialEq)]
pub enum Action {
    /// Clicks an element.
    Click {
        /// Which element.
        selector: String,
    },
    /// Focuses an element and replaces its content.
    Type {
        /// Which element; absent types at the focus.
        selector: Option<String>,
        /// What is typed.
        text: String,
    },
    /// Turns the wheel.
    Scroll {
        /// Where to.
        direction: ScrollDirection,
        /// In wheel notches.
        amount: f64,
    },
    /// As NAVIGATE.
    Navigate {
        /// Where to.
        url: String,
    },
    /// One page back.
    Back,
    /// One page forward.
    Forward,
    /// Loads the page again.
    Refresh,
    /// Asks for a picture of the desktop.
    Screenshot,
    /// Chooses options of a list.
    Select {
        /// Which list.
        selector: String,
        /// Which options.
        values: Vec<String>,
    },
    /// Moves the pointer over an element.
    Hover {
        /// Which element.
        selector: String,
    },
    /// Waits until an element is in a state.
    Wait {
        /// Which element.
        selector: String,
        /// Which state.
        state: WaitState,
        /// In milliseconds.
        timeout_ms: u32,
    },
    /// Runs a script in the page.
    Evaluate {
        /// The script.
        expression: String,
    },
    /// A sentence for the interpreter.
    Natural {
        /// The sentence.
        text: String,
    },
    /// An action that is not known; answered with a NOTIFICATION.
    Unknown(String),
}

/// Where the wheel turns to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ScrollDirection {
    /// Towards the top.
    Up,
    /// Towards the bottom.
    Down,
    /// Towards the left.
    Left,
    /// Towards the right.
    Right,
}

names!(ScrollDirection { Up = "up", Down = "down", Left = "left", Right = "right" });

/// What WAIT waits for.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum WaitState {
    /// It can be seen.
    #[default]
    Visible,
    /// It cannot be seen, or is gone.
    Hidden,
    /// It is there.
    Attached,
    /// It is gone.
    Detached,
}

names!(WaitState {
    Visible = "visible",
    Hidden = "hidden",
    Attached = "attached",
    Detached = "detached",
});

impl Command {
    pub(super) fn read(members: &mut Members) -> Result<Self, DecodeError> {
        let id: Option<String> = members.optional("id")?;
        let action = Action::read(members).map_err(|error| error.with_reference(id.as_deref()))?;
        Ok(Self { id, action })
    }

    pub(super) fn fields(&self) -> Fields {
        let fields = Fields::new()
            .maybe("id", self.id.as_ref())
            .with("action", self.action.name());
        self.action.add_to(fields)
    }
}

impl Action {
    /// How long WAIT waits unless it says so.
    pub const WAIT_TIMEOUT_MS: u32 = 10_000;

    /// How far SCROLL goes unless it says so, in wheel notches.
    pub const SCROLL_NOTCHES: f64 = 3.0;

    /// The action's name on the wire.
    pub fn name(&self) -> &str {
        match self {
            Self::Click { .. } => "click",
            Self::Type { .. } => "type",
            Self::Scroll { .. } => "scroll",
            Self::Navigate { .. } => "navigate",
            Self::Back => "back",
            Self::Forward => "forward",
            Self::Refresh => "refresh",
            Self::Screenshot => "screenshot",
            Self::Select { .. } => "select",
            Self::Hover { .. } => "hover",
            Self::Wait { .. } => "wait",
            Self::Evaluate { .. } => "evaluate",
            Self::Natural { .. } => "natural",
            Self::Unknown(name) => name,
        }
    }

    fn read(members: &mut Members) -> Result<Self, DecodeError> {
        let name: String = members.required("action")?;
        Ok(match name.as_str() {
            "click" => Self::Click {
                selector: members.required("selector")?,
            },
            "type" => Self::Type {
                selector: members.optional("selector")?,
                text: members.required("text")?,
            },
            "scroll" => Self::Scroll {
                direction: members.required("direction")?,
                amount: members.optional("amount")?.unwrap_or(Self::SCROLL_NOTCHES),
            },
            "navigate" => Self::Navigate {
                url: members.required("url")?,
            },
            "back" => Self::Back,
            "forward" => Self::Forward,
            "refresh" => Self::Refresh,
            "screenshot" => Self::Screenshot,
            "select" => Self::Select {
                selector: members.required("selector")?,
                values: members.required("values")?,
            },
            "hover" => Self::Hover {
                selector: members.required("selector")?,
            },
            "wait" => Self::Wait {
                selector: members.required("selector")?,
                state: members.or_default("state")?,
                timeout_ms: members
                    .optional("timeout")?
                    .unwrap_or(Self::WAIT_TIMEOUT_MS),
            },
            "evaluate" => Self::Evaluate {
                expression: members.required("expression")?,
            },
            "natural" => Self::Natural {
                text: members.required("text")?,
            },
            _ => Self::Unknown(name),
        })
    }

    fn add_to(&self, fields: Fields) -> Fields {
        match self {
            Self::Click { selector } | Self::Hover { selector } => {
                fields.with("selector", selector)
            }
            Self::Type { selector, text } => fields
                .maybe("selector", selector.as_ref())
                .with("text", text),
            Self::Scroll { direction, amount } => fields
                .with("direction", *direction)
                .with("amount", number(*amount)),
            Self::Navigate { url } => fields.with("url", url),
            Self::Select { selector, values } => fields
                .with("selector", selector)
                .with_list("values", values),
            Self::Wait {
                selector,
                state,
                timeout_ms,
            } => fields
                .with("selector", selector)
                .with("state", *state)
                .with("timeout", *timeout_ms),
            Self::Evaluate { expression } => fields.with("expression", expression),
            Self::Natural { text } => fields.with("text", text),
            Self::Back | Self::Forward | Self::Refresh | Self::Screenshot | Self::Unknown(_) => {
                fields
            }
        }
    }
}

impl fmt::Debug for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // The name came from the peer and may be anything.
            Self::Unknown(_) => f.write_str("Unknown(..)"),
            known => f.write_str(known.name()),
        }
    }
}
