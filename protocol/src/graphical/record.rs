//! RECORD, both ways: what is kept of a session, and that everybody knows.
// Not in the public text: see docs/protocol.md.

use crate::encoding::{DecodeError, Fields, FromValue, Members, Value};

/// What a participant asks about the recording of the session.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Record {
    /// What the answer to a refusal refers to.
    pub id: Option<String>,
    /// What is to happen.
    pub action: RecordAction,
}

/// What is to happen to the recording of the session.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RecordAction {
    /// It begins.
    Start,
    /// It ends, whoever began it.
    Stop,
}

/// Whether the session is recorded; told to everybody, at first and after every change.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct RecordState {
    /// Whether the receiver may begin and end recordings, and fetch them.
    pub allowed: bool,
    /// The recording that is under way.
    pub recording: Option<Recording>,
    /// Why the last one ended, or did not begin, in words; absent where somebody asked for that.
    pub reason: Option<String>,
}

/// A recording that is under way.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Recording {
    /// Who began it, by the name that people know.
    pub by: String,
    /// When, in seconds since 1970.
    pub since: u64,
}

impl Record {
    pub(super) fn read(members: &mut Members) -> Result<Self, DecodeError> {
        let id: Option<String> = members.optional("id")?;
        let action = match members.required::<String>("action")?.as_str() {
            "start" => RecordAction::Start,
            "stop" => RecordAction::Stop,
            _ => return Err(DecodeError::member("action").with_reference(id.as_deref())),
        };
        Ok(Self { id, action })
    }

    pub(super) fn fields(&self) -> Fields {
        let action = match self.action {
            RecordAction::Start => "start",
            RecordAction::Stop => "stop",
        };
        Fields::new()
            .maybe("id", self.id.as_ref())
            .with("action", action)
    }
}

impl RecordState {
    pub(super) fn read(members: &mut Members) -> Result<Self, DecodeError> {
        Ok(Self {
            allowed: members.or_default("allowed")?,
            recording: members.optional("recording")?,
            reason: members.optional("reason")?,
        })
    }

    pub(super) fn fields(&self) -> Fields {
        Fields::new()
            .with("allowed", self.allowed)
            .maybe("recording", self.recording.as_ref())
            .maybe("reason", self.reason.as_ref())
    }
}

impl FromValue for Recording {
    fn from_value(value: Value) -> Option<Self> {
        let mut members = Members::from_value(value)?;
        Some(Self {
            by: members.required("by").ok()?,
            since: members.required("since").ok()?,
        })
    }
}

impl From<&Recording> for Value {
    fn from(recording: &Recording) -> Self {
        Fields::new()
            .with("by", &recording.by)
            .with("since", recording.since)
            .into()
    }
}
