//! SHARE_STATE: who is at a terminal, who drives, and which links lead to it.

use std::fmt;

use crate::encoding::{DecodeError, Fields, FromValue, Members, Value};
use crate::graphical::{Recording, Role};

/// Who is at a terminal; sent to each of them after every change, and as the answer to SHARE.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ShareState {
    /// The receiver's own participant id.
    pub own_id: String,
    /// The participant whose input counts, if anybody's does.
    pub driver: Option<String>,
    /// Everybody, the receiver included.
    pub participants: Vec<Participant>,
    /// The links that lead here; absent for those whom they do not concern.
    pub links: Option<Vec<ShareLink>>,
    /// The link that was just made, for whoever asked for it.
    pub invited: Option<Invitation>,
    /// The participant who asks to drive.
    pub requested_by: Option<String>,
    /// The request that this answers.
    pub reference: Option<u64>,
    /// Why it changed, or why it did not, in words.
    pub reason: Option<String>,
    /// The recording of the terminal that is under way.
    pub recording: Option<Recording>,
}

impl ShareState {
    pub(in super::super) fn read(members: &mut Members) -> Result<Self, DecodeError> {
        Ok(Self {
            own_id: members.required("self")?,
            driver: members.optional("driver")?,
            participants: members.required("participants")?,
            links: members.optional("links")?,
            invited: members.optional("invited")?,
            requested_by: members.optional("requested_by")?,
            reference: members.optional("ref")?,
            reason: members.optional("reason")?,
            recording: members.optional("recording")?,
        })
    }

    pub(in super::super) fn fields(&self) -> Fields {
        Fields::new()
            .with("self", &self.own_id)
            .maybe("driver", self.driver.as_ref())
            .with_list("participants", &self.participants)
            .maybe_list("links", self.links.as_deref())
            .maybe("invited", self.invited.as_ref())
            .maybe("requested_by", self.requested_by.as_ref())
            .maybe("ref", self.reference)
            .maybe("reason", self.reason.as_ref())
            .maybe("recording", self.recording.as_ref())
    }
}

/// Somebody at a terminal.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Participant {
    /// Names the participant in SHARE.
    pub id: String,
    /// Names the participant to people.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// Whether it has typed just now.
    pub typing: bool,
    /// Whether it is behind the output.
    pub lagging: bool,
}

impl FromValue for Participant {
    fn from_value(value: Value) -> Option<Self> {
        let mut members = Members::from_value(value)?;
        Some(Self {
            id: members.required("id").ok()?,
            name: members.required("name").ok()?,
            role: members.required("role").ok()?,
            typing: members.or_default("typing").ok()?,
            lagging: members.or_default("lagging").ok()?,
        })
    }
}

impl From<&Participant> for Value {
    fn from(participant: &Participant) -> Self {
        Fields::new()
            .with("id", &participant.id)
            .with("name", &participant.name)
            .with("role", participant.role)
            .with("typing", participant.typing)
            .with("lagging", participant.lagging)
            .into()
    }
}

/// A link that leads to a terminal, as those see it who may end it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ShareLink {
    /// Names the link in SHARE; opens nothing.
    pub id: String,
    /// What whoever uses it may do.
    pub role: Role,
    /// When it ends, in seconds since 1970.
    pub expires: u64,
    /// How often it can still be used; absent for as often as one likes.
    pub uses: Option<u32>,
    /// How often it was used.
    pub used: u32,
}

impl FromValue for ShareLink {
    fn from_value(value: Value) -> Option<Self> {
        let mut members = Members::from_value(value)?;
        Some(Self {
            id: members.required("id").ok()?,
            role: members.required("role").ok()?,
            expires: members.required("expires").ok()?,
            uses: members.optional("uses").ok()?,
            used: members.or_default("used").ok()?,
        })
    }
}

impl From<&ShareLink> for Value {
    fn from(link: &ShareLink) -> Self {
        Fields::new()
            .with("id", &link.id)
            .with("role", link.role)
            .with("expires", link.expires)
            .maybe("uses", link.uses)
            .with("used", link.used)
            .into()
    }
}

/// A link that was just made; `Debug` shows no more than its public id.
#[derive(Clone, Eq, PartialEq)]
pub struct Invitation {
    /// The link's public id.
    pub link: String,
    /// What opens the terminal; said once and kept by nobody.
    pub token: String,
    /// The same as an address for a browser; may be relative to the page.
    pub url: String,
}

impl fmt::Debug for Invitation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Invitation")
            .field("link", &self.link)
            .finish_non_exhaustive()
    }
}

impl FromValue for Invitation {
    fn from_value(value: Value) -> Option<Self> {
        let mut members = Members::from_value(value)?;
        Some(Self {
            link: members.required("link").ok()?,
            token: members.required("token").ok()?,
            url: members.required("url").ok()?,
        })
    }
}

impl From<&Invitation> for Value {
    fn from(invitation: &Invitation) -> Self {
        Fields::new()
            .with("link", &invitation.link)
            .with("token", &invitation.token)
            .with("url", &invitation.url)
            .into()
    }
}
