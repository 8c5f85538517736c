//! What programs of the desktop notify the person of, inside NOTIFICATION, and NOTICE, its answer.
// Not in the public text: see docs/protocol.md.

use std::fmt;

use crate::encoding::{DecodeError, Fields, FromValue, Members, Value};

/// What a program of the desktop notifies the person of, or that one of these is over.
///
/// Its `Debug` output leaves the words out.
#[derive(Clone, Default, Eq, PartialEq)]
pub struct Notice {
    /// Names it; one that comes with the same number replaces it.
    pub id: u32,
    /// The program, as people call it; may be empty.
    pub app: String,
    /// What it is about.
    pub title: String,
    /// More words, in lines; may be empty.
    pub body: String,
    /// What the person can answer.
    pub actions: Vec<NoticeAction>,
    /// Whether it stays in sight until somebody saw to it.
    pub urgent: bool,
    /// Whether it was there before the receiver came.
    pub earlier: bool,
    /// Whether it is over; then only `id` counts.
    pub closed: bool,
}

/// An answer that a program offers.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NoticeAction {
    /// Names it to the program; `default` is what a press on the notice itself means.
    pub key: String,
    /// Names it to people.
    pub label: String,
}

/// NOTICE, client to server: what becomes of a notice.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NoticeAnswer {
    /// Which notice.
    pub id: u32,
    /// The `key` of the answer that was chosen; absent where the person only puts the notice away.
    pub action: Option<String>,
}

impl Notice {
    /// That a notice is over.
    pub fn over(id: u32) -> Self {
        Self {
            id,
            closed: true,
            ..Self::default()
        }
    }
}

impl FromValue for Notice {
    fn from_value(value: Value) -> Option<Self> {
        let mut members = Members::from_value(value)?;
        Some(Self {
            id: members.required("id").ok()?,
            app: members.or_default("app").ok()?,
            title: members.or_default("title").ok()?,
            body: members.or_default("body").ok()?,
            actions: members.or_default("actions").ok()?,
            urgent: members.or_default("urgent").ok()?,
            earlier: members.or_default("earlier").ok()?,
            closed: members.or_default("closed").ok()?,
        })
    }
}

impl From<&Notice> for Value {
    fn from(notice: &Notice) -> Self {
        fn said(text: &String) -> Option<&String> {
            Some(text).filter(|text| !text.is_empty())
        }
        let fields = Fields::new()
            .with("id", notice.id)
            .maybe("app", said(&notice.app))
            .maybe("title", said(&notice.title))
            .maybe("body", said(&notice.body))
            .maybe("urgent", notice.urgent.then_some(true))
            .maybe("earlier", notice.earlier.then_some(true))
            .maybe("closed", notice.closed.then_some(true));
        if notice.actions.is_empty() {
            fields.into()
        } else {
            fields.with_list("actions", &notice.actions).into()
        }
    }
}

impl fmt::Debug for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Notice")
            .field("id", &self.id)
            .field("closed", &self.closed)
            .finish_non_exhaustive()
    }
}

impl FromValue for NoticeAction {
    fn from_value(value: Value) -> Option<Self> {
        let mut members = Members::from_value(value)?;
        Some(Self {
            key: members.required("key").ok()?,
            label: members.required("label").ok()?,
        })
    }
}

impl From<&NoticeAction> for Value {
    fn from(action: &NoticeAction) -> Self {
        Fields::new()
            .with("key", &action.key)
            .with("label", &action.label)
            .into()
    }
}

impl NoticeAnswer {
    /// The longest `action` in bytes; a longer one is refused as too large.
    pub const ACTION_BYTES_MAX: usize = 256;

    pub(super) fn read(members: &mut Members) -> Result<Self, DecodeError> {
        let answer = Self {
            id: members.required("id")?,
            action: members.optional("action")?,
        };
        match &answer.action {
            Some(action) if action.len() > Self::ACTION_BYTES_MAX => {
                Err(DecodeError::TooLarge("NOTICE"))
            }
            _ => Ok(answer),
        }
    }

    pub(super) fn fields(&self) -> Fields {
        Fields::new()
            .with("id", self.id)
            .maybe("action", self.action.as_ref())
    }
}
