//! CAPABILITY_OFFER and CAPABILITY_SELECT: what a terminal can do.

use crate::encoding::{DecodeError, Fields, FromValue, Members, Value};

/// What a terminal can do; what is absent is false, empty or unknown.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Capabilities {
    /// Absent means 1.
    pub protocol_version: Option<u32>,
    /// What shows the terminal.
    pub terminal: Option<TerminalInfo>,
    /// What kitty introduced.
    pub kitty: Option<Kitty>,
    /// Mouse encodings: `sgr`, `kitty`, `xterm`.
    pub mouse: Option<Vec<String>>,
    /// For example `bracketed_paste`.
    pub features: Option<Vec<String>>,
    /// What this protocol adds.
    pub extensions: Option<Extensions>,
}

impl Capabilities {
    /// The mouse encodings that the protocol knows.
    pub const MOUSE: [&str; 3] = ["sgr", "kitty", "xterm"];

    /// The features that the protocol knows.
    pub const FEATURES: [&str; 5] = [
        "bracketed_paste",
        "osc52_clipboard",
        "focus_reporting",
        "hyperlinks",
        "progress_indicator",
    ];

    /// The kitty keyboard levels that the protocol knows.
    pub const LEVELS: [u32; 3] = [1, 2, 3];

    /// What a server that passes everything through offers; extensions are off.
    pub fn transparent() -> Self {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Self {
            protocol_version: Some(super::VERSION),
            terminal: Some(TerminalInfo {
                truecolor: Some(true),
                ..TerminalInfo::default()
            }),
            kitty: Some(Kitty {
                keyboard: Some(Keyboard {
                    supported_levels: Some(Self::LEVELS.to_vec()),
                    preferred_level: None,
                }),
                graphics: Some(true),
                sixel: Some(true),
                synchronized_output: Some(true),
            }),
            mouse: Some(owned(&Self::MOUSE)),
            features: Some(owned(&Self::FEATURES)),
            extensions: Some(Extensions::default()),
        }
    }

    /// The kitty keyboard level in force; 0 is the legacy one.
    pub fn keyboard_level(&self) -> u32 {
        let keyboard = self
            .kitty
            .as_ref()
            .and_then(|kitty| kitty.keyboard.as_ref());
        keyboard
            .and_then(|keyboard| keyboard.preferred_level)
            .unwrap_or(0)
    }

    /// What this protocol adds; everything is off when nothing is said.
    pub fn extensions(&self) -> Extensions {
        self.extensions.unwrap_or_default()
    }

    pub(super) fn read(members: &mut Members) -> Result<Self, DecodeError> {
        Ok(Self {
            protocol_version: members.optional("protocol_version")?,
            terminal: members.optional("terminal")?,
            kitty: members.optional("kitty")?,
            mouse: members.optional("mouse")?,
            features: members.optional("features")?,
            extensions: members.optional("extensions")?,
        })
    }

    pub(super) fn fields(&self) -> Fields {
        Fields::new()
            .maybe("protocol_version", self.protocol_version)
            .maybe("terminal", self.terminal.as_ref())
            .maybe("kitty", self.kitty.as_ref())
            .maybe_list("mouse", self.mouse.as_deref())
            .maybe_list("features", self.features.as_deref())
            .maybe("extensions", self.extensions.as_ref())
    }
}

/// What shows the terminal.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct TerminalInfo {
    /// The program's name.
    pub name: Option<String>,
    /// The Unicode version that its widths follow, for example `15.1`.
    pub unicode_version: Option<String>,
    /// 24 bit colours.
    pub truecolor: Option<bool>,
}

impl FromValue for TerminalInfo {
    fn from_value(value: Value) -> Option<Self> {
        let mut members = Members::from_value(value)?;
        Some(Self {
            name: members.optional("name").ok()?,
            unicode_version: members.optional("unicode_version").ok()?,
            truecolor: members.optional("truecolor").ok()?,
        })
    }
}

impl From<&TerminalInfo> for Value {
    fn from(terminal: &TerminalInfo) -> Self {
        Fields::new()
            .maybe("name", terminal.name.as_ref())
            .maybe("unicode_version", terminal.unicode_version.as_ref())
            .maybe("truecolor", terminal.truecolor)
            .into()
    }
}

/// What kitty introduced.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Kitty {
    /// The keyboard protocol.
    pub keyboard: Option<Keyboard>,
    /// Pictures as APC sequences.
    pub graphics: Option<bool>,
    /// Pictures as DCS sequences.
    pub sixel: Option<bool>,
    /// Frames that are shown whole.
    pub synchronized_output: Option<bool>,
}

impl FromValue for Kitty {
    fn from_value(value: Value) -> Option<Self> {
        let mut members = Members::from_value(value)?;
        Some(Self {
            keyboard: members.optional("keyboard").ok()?,
            graphics: members.optional("graphics").ok()?,
            sixel: members.optional("sixel").ok()?,
            synchronized_output: members.optional("synchronized_output").ok()?,
        })
    }
}

impl From<&Kitty> for Value {
    fn from(kitty: &Kitty) -> Self {
        Fields::new()
            .maybe("keyboard", kitty.keyboard.as_ref())
            .maybe("graphics", kitty.graphics)
            .maybe("sixel", kitty.sixel)
            .maybe("synchronized_output", kitty.synchronized_output)
            .into()
    }
}

/// The levels of the kitty keyboard protocol.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Keyboard {
    /// The levels that can be had besides 0.
    pub supported_levels: Option<Vec<u32>>,
    /// In an offer the level wanted, in a selection the level in force.
    pub preferred_level: Option<u32>,
}

impl FromValue for Keyboard {
    fn from_value(value: Value) -> Option<Self> {
        let mut members = Members::from_value(value)?;
        Some(Self {
            supported_levels: members.optional("supported_levels").ok()?,
            preferred_level: members.optional("preferred_level").ok()?,
        })
    }
}

impl From<&Keyboard> for Value {
    fn from(keyboard: &Keyboard) -> Self {
        Fields::new()
            .maybe_list("supported_levels", keyboard.supported_levels.as_deref())
            .maybe("preferred_level", keyboard.preferred_level)
            .into()
    }
}

/// What this protocol adds to a terminal.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Extensions {
    /// KEY_EVENT.
    pub structured_keys: Option<bool>,
    /// The client comes back after a loss of the connection.
    pub reconnect: Option<bool>,
    /// The PTY channel may carry zstd frames.
    pub zstd_compression: Option<bool>,
    /// The PTY channel carries REPAINT and ACK, and the server sends no more than was allowed.
    pub flow_control: Option<bool>,
    /// SHARE and SHARE_STATE.
    pub sharing: Option<bool>,
}

impl FromValue for Extensions {
    fn from_value(value: Value) -> Option<Self> {
        let mut members = Members::from_value(value)?;
        Some(Self {
            structured_keys: members.optional("structured_keys").ok()?,
            reconnect: members.optional("reconnect").ok()?,
            zstd_compression: members.optional("zstd_compression").ok()?,
            flow_control: members.optional("flow_control").ok()?,
            sharing: members.optional("sharing").ok()?,
        })
    }
}

impl From<&Extensions> for Value {
    fn from(extensions: &Extensions) -> Self {
        Fields::new()
            .maybe("structured_keys", extensions.structured_keys)
            .maybe("reconnect", extensions.reconnect)
            .maybe("zstd_compression", extensions.zstd_compression)
            .maybe("flow_control", extensions.flow_control)
            .maybe("sharing", extensions.sharing)
            .into()
    }
}
