//! PTY_REQUEST, PTY_RESPONSE and PTY_MODE.

use std::collections::BTreeMap;

use super::window::WindowSize;
use crate::Code;
use crate::encoding::{DecodeError, Fields, FromValue, Key, Members, Value};
use crate::graphical::Role;

/// Asks for a new terminal, or to join one.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct PtyRequest {
    /// The terminal type; absent means [`DEFAULT_TERM`](Self::DEFAULT_TERM).
    pub term: Option<String>,
    /// The size; there unless `attach` is.
    pub size: Option<WindowSize>,
    /// Terminal modes by RFC 4254 opcode; unknown ones are to be ignored.
    pub modes: BTreeMap<u8, u32>,
    /// The title in session lists.
    pub name: Option<String>,
    /// Whether it outlives the client.
    pub persist: bool,
    /// The id of the terminal to join instead of a new one.
    pub attach: Option<String>,
    /// Whether to join as a viewer.
    pub readonly: bool,
    /// Lines wanted when joining.
    pub scrollback: u32,
    /// Names the stream of this client's input, so that it can go on after a loss.
    pub writer: Option<Writer>,
    /// How much of the output the client's terminal has parsed already; only when joining.
    pub have: Option<u64>,
}

impl PtyRequest {
    /// The terminal type of a client that names none.
    pub const DEFAULT_TERM: &str = "xterm-256color";

    pub(super) fn read(members: &mut Members) -> Result<Self, DecodeError> {
        let attach: Option<String> = members.optional("attach")?;
        Ok(Self {
            term: members.optional("term")?,
            size: read_size(members, attach.is_some())?,
            modes: members
                .optional("modes")?
                .map(Modes::into_map)
                .unwrap_or_default(),
            name: members.optional("name")?,
            persist: members.or_default("persist")?,
            attach,
            readonly: members.or_default("readonly")?,
            scrollback: members.or_default("scrollback")?,
            writer: members.optional("writer")?,
            have: members.optional("have")?,
        })
    }

    pub(super) fn fields(&self) -> Fields {
        let pixels = |length: u16| (length != 0).then_some(length);
        Fields::new()
            .maybe("term", self.term.as_ref())
            .maybe("rows", self.size.map(|size| size.rows))
            .maybe("cols", self.size.map(|size| size.cols))
            .maybe(
                "pixel_width",
                self.size.and_then(|size| pixels(size.pixel_width)),
            )
            .maybe(
                "pixel_height",
                self.size.and_then(|size| pixels(size.pixel_height)),
            )
            .maybe("modes", modes_value(&self.modes))
            .maybe("name", self.name.as_ref())
            .maybe("persist", self.persist.then_some(true))
            .maybe("attach", self.attach.as_ref())
            .maybe("readonly", self.readonly.then_some(true))
            .maybe(
                "scrollback",
                (self.scrollback != 0).then_some(self.scrollback),
            )
            .maybe("writer", self.writer.as_ref())
            .maybe("have", self.have)
    }
}

fn read_size(members: &mut Members, optional: bool) -> Result<Option<WindowSize>, DecodeError> {
    let (rows, cols) = (members.optional("rows")?, members.optional("cols")?);
    let (rows, cols): (u16, u16) = match (rows, cols) {
        (Some(rows), Some(cols)) => (rows, cols),
        (None, None) if optional => return Ok(None),
        (None, _) => return Err(DecodeError::member("rows")),
        (_, None) => return Err(DecodeError::member("cols")),
    };
    if rows == 0 {
        return Err(DecodeError::member("rows"));
    }
    if cols == 0 {
        return Err(DecodeError::member("cols"));
    }
    Ok(Some(WindowSize {
        rows,
        cols,
        pixel_width: members.or_default("pixel_width")?,
        pixel_height: members.or_default("pixel_height")?,
    }))
}

/// The name of a client's stream of input: 1 to 64 of `A-Za-z0-9_-`, picked by chance.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Writer(String);

impl Writer {
    /// The longest name, in bytes.
    pub const BYTES_MAX: usize = 64;

    /// A name, if it may be one.
    pub fn new(name: impl Into<String>) -> Option<Self> {
        let name = name.into();
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        let is_legal = (1..=Self::BYTES_MAX).contains(&name.len()) && name.bytes().all(is_plain);
        is_legal.then_some(Self(name))
    }

    /// The name itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromValue for Writer {
    fn from_value(value: Value) -> Option<Self> {
        Self::new(String::from_value(value)?)
    }
}

impl From<&Writer> for Value {
    fn from(writer: &Writer) -> Self {
        Self::from(writer.as_str())
    }
}

/// Terminal modes on the wire: integer keys in CBOR, decimal text in JSON.
struct Modes(BTreeMap<u8, u32>);

impl Modes {
    fn into_map(self) -> BTreeMap<u8, u32> {
        self.0
    }
}

impl FromValue for Modes {
    fn from_value(value: Value) -> Option<Self> {
        let mut modes = BTreeMap::new();
        for (key, value) in Members::from_value(value)?.into_entries() {
            let value = u32::from_value(value)?;
            // No opcode is above 255; an unknown one is ignored.
            let opcode = match key {
                Key::Int(opcode) => u8::try_from(opcode).ok(),
                Key::Text(opcode) => opcode.parse().ok(),
            };
            if let Some(opcode) = opcode {
                modes.insert(opcode, value);
            }
        }
        Some(Self(modes))
    }
}

fn modes_value(modes: &BTreeMap<u8, u32>) -> Option<Value> {
    let entries = modes
        .iter()
        .map(|(opcode, value)| (Key::Int(i128::from(*opcode)), Value::from(*value)));
    (!modes.is_empty()).then(|| Value::Map(entries.collect()))
}

/// What the server answers to PTY_REQUEST.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum PtyResponse {
    /// The terminal is there.
    Granted(PtyGrant),
    /// There is none; the client closes the pair.
    Denied(Denial),
}

/// A terminal that is there.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct PtyGrant {
    /// The name of the PTY channel to open.
    pub channel: String,
    /// What `attach` calls it.
    pub terminal_id: Option<String>,
    /// Its actual lines.
    pub rows: Option<u16>,
    /// Its actual characters per line.
    pub cols: Option<u16>,
    /// Whether the client may only watch.
    pub readonly: bool,
    /// Whether it was there before.
    pub attached: bool,
    /// Where in the output the bytes that follow begin, unless a REPAINT says otherwise.
    pub offset: Option<u64>,
    /// How much of the writer's input was applied: what is below is not to be sent again.
    pub input_offset: Option<u64>,
    /// What people call it.
    pub name: Option<String>,
    /// What the client may do with it.
    pub role: Option<Role>,
}

/// Why something is not given.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Denial {
    /// Why, in a number.
    pub code: Code,
    /// Why, in words.
    pub reason: Option<String>,
}

impl Denial {
    /// A denial in number and words.
    pub fn new(code: Code, reason: impl Into<String>) -> Self {
        Self {
            code,
            reason: Some(reason.into()),
        }
    }

    /// Reads what follows `ok` false; `code` stands in for a missing one.
    pub(super) fn read(members: &mut Members, code: Code) -> Result<Self, DecodeError> {
        Ok(Self {
            code: members.optional("code")?.map_or(code, Code),
            reason: members.optional("reason")?,
        })
    }

    pub(super) fn fields(&self) -> Fields {
        Fields::new()
            .with("ok", false)
            .with("code", self.code.0)
            .maybe("reason", self.reason.as_ref())
    }
}

impl PtyResponse {
    pub(super) fn read(members: &mut Members) -> Result<Self, DecodeError> {
        if !members.required::<bool>("ok")? {
            return Denial::read(members, Code::PTY_FAILED).map(Self::Denied);
        }
        Ok(Self::Granted(PtyGrant {
            channel: members.required("channel")?,
            terminal_id: members.optional("terminal_id")?,
            rows: members.optional("rows")?,
            cols: members.optional("cols")?,
            readonly: members.or_default("readonly")?,
            attached: members.or_default("attached")?,
            offset: members.optional("offset")?,
            input_offset: members.optional("input_offset")?,
            name: members.optional("name")?,
            role: members.optional("role")?,
        }))
    }

    pub(super) fn fields(&self) -> Fields {
        match self {
            Self::Denied(denial) => denial.fields(),
            Self::Granted(grant) => Fields::new()
                .with("ok", true)
                .with("channel", &grant.channel)
                .maybe("terminal_id", grant.terminal_id.as_ref())
                .maybe("rows", grant.rows)
                .maybe("cols", grant.cols)
                .maybe("readonly", grant.readonly.then_some(true))
                .maybe("attached", grant.attached.then_some(true))
                .maybe("offset", grant.offset)
                .maybe("input_offset", grant.input_offset)
                .maybe("name", grant.name.as_ref())
                .maybe("role", grant.role),
        }
    }
}

/// The modes of a terminal that matter for predicting its echo.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct PtyMode(u8);

impl PtyMode {
    /// What is typed is echoed.
    pub const ECHO: Self = Self(1);
    /// Lines are edited before they are read.
    pub const ICANON: Self = Self(1 << 1);
    /// A full-screen program runs.
    pub const ALTERNATE_SCREEN: Self = Self(1 << 2);
    /// The program reads the mouse.
    pub const MOUSE_REPORTING: Self = Self(1 << 3);

    /// The modes of a byte of the wire; bits 4 to 7 are ignored.
    pub const fn from_bits(bits: u8) -> Self {
        Self(bits & 0x0F)
    }

    /// The byte of the wire.
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// Whether all of `other` are on.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// These and those.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}
