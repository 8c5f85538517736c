//! STATE, server to client.

use super::mode::Mode;
use super::viewport::Viewport;
use crate::encoding::{DecodeError, Fields, FromValue, Members, Value};

/// What the server's end is doing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct State {
    /// `idle`, `thinking`, `speaking`, `browsing`, `coding`, `listening`, or one yet unknown.
    pub state: String,
    /// The page that is shown.
    pub url: Option<String>,
    /// The page's title.
    pub title: Option<String>,
    /// Whether the page is loading.
    pub loading: Option<bool>,
    /// What the browser can do.
    pub browser: Option<Browser>,
    /// The coordinate space of input; present whenever it changed.
    pub viewport: Option<Viewport>,
    /// The receiver's own mode, as the answer to MODE.
    // Not in the public text: see docs/protocol.md.
    pub mode: Option<Mode>,
    /// What is shown, and whether it has ended.
    // Not in the public text: see docs/protocol.md.
    pub desktop: Option<DesktopState>,
}

impl State {
    /// Nothing is going on.
    pub const IDLE: &str = "idle";

    /// A page is loading.
    pub const BROWSING: &str = "browsing";

    /// A state without anything else.
    pub fn new(state: impl Into<String>) -> Self {
        Self {
            state: state.into(),
            ..Self::default()
        }
    }

    pub(super) fn read(members: &mut Members) -> Result<Self, DecodeError> {
        Ok(Self {
            state: members.required("state")?,
            url: members.optional("url")?,
            title: members.optional("title")?,
            loading: members.optional("loading")?,
            browser: members.optional("browser")?,
            viewport: members.optional("viewport")?,
            mode: members.optional("mode")?,
            desktop: members.optional("desktop")?,
        })
    }

    pub(super) fn fields(&self) -> Fields {
        Fields::new()
            .with("state", &self.state)
            .maybe("url", self.url.as_ref())
            .maybe("title", self.title.as_ref())
            .maybe("loading", self.loading)
            .maybe("browser", self.browser.as_ref())
            .maybe("viewport", self.viewport.as_ref())
            .maybe("mode", self.mode)
            .maybe("desktop", self.desktop.as_ref())
    }
}

/// What the browser can do.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Browser {
    /// Whether there is a page to go back to.
    pub can_go_back: Option<bool>,
    /// Whether there is a page to go forward to.
    pub can_go_forward: Option<bool>,
}

impl FromValue for Browser {
    fn from_value(value: Value) -> Option<Self> {
        let mut members = Members::from_value(value)?;
        Some(Self {
            can_go_back: members.optional("canGoBack").ok()?,
            can_go_forward: members.optional("canGoForward").ok()?,
        })
    }
}

impl From<&Browser> for Value {
    fn from(browser: &Browser) -> Self {
        Fields::new()
            .maybe("canGoBack", browser.can_go_back)
            .maybe("canGoForward", browser.can_go_forward)
            .into()
    }
}

/// What is shown, and whether it has ended.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct DesktopState {
    /// For example `headless`.
    pub kind: String,
    /// Why the session's program is gone, in words for the person; absent while it runs.
    pub ended: Option<String>,
}

impl FromValue for DesktopState {
    fn from_value(value: Value) -> Option<Self> {
        let mut members = Members::from_value(value)?;
        Some(Self {
            kind: members.required("kind").ok()?,
            ended: members.optional("ended").ok()?,
        })
    }
}

impl From<&DesktopState> for Value {
    fn from(desktop: &DesktopState) -> Self {
        Fields::new()
            .with("kind", &desktop.kind)
            .maybe("ended", desktop.ended.as_ref())
            .into()
    }
}
