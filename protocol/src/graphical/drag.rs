//! DRAG, both ways: files that are dragged into the desktop and out of it.
// Not in the public text: see docs/protocol.md.

use std::fmt;

use crate::encoding::{DecodeError, Fields, Members};

/// What a driver does with files that are dragged.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Drag {
    /// The driver holds files over the desktop. Where they are held next, MOUSE_MOVE says.
    Enter {
        /// Pixels of the viewport.
        x: u16,
        /// Pixels of the viewport.
        y: u16,
    },
    /// They are held there no more.
    Leave,
    /// They are dropped; by now the server has them.
    Drop {
        /// Pixels of the viewport.
        x: u16,
        /// Pixels of the viewport.
        y: u16,
        /// Where they are, as `file-transfer` names them.
        paths: Paths,
    },
    /// What a program drags was let go outside of the desktop: the driver wants it.
    Take,
}

/// What the driver is told about files that are dragged.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum DragNews {
    /// A program drags files.
    Begin,
    /// The files that were taken.
    Files {
        /// Where they are, as `file-transfer` names them.
        paths: Paths,
        /// How many more there are that `file-transfer` does not reach.
        elsewhere: u32,
    },
    /// A drag is over, whoever began it.
    End {
        /// Whether a program took what was dropped.
        taken: bool,
    },
}

/// Paths as `file-transfer` names them; their `Debug` output shows only how many.
#[derive(Clone, Default, Eq, PartialEq)]
pub struct Paths(Vec<String>);

impl Paths {
    /// The most paths of a message, and the most bytes of all of them.
    pub const COUNT_MAX: usize = 100;
    /// The most bytes of all paths of a message.
    pub const BYTES_MAX: usize = 48 * 1024;

    /// Takes as many of these as a message holds.
    pub fn new(paths: impl IntoIterator<Item = String>) -> Self {
        let mut bytes = 0;
        let fits = |path: &String| {
            bytes += path.len();
            bytes <= Self::BYTES_MAX
        };
        Self(
            paths
                .into_iter()
                .take(Self::COUNT_MAX)
                .take_while(fits)
                .collect(),
        )
    }

    /// The paths in their order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// How many there are.
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn read(members: &mut Members) -> Result<Self, DecodeError> {
        let paths: Vec<String> = members.required("paths")?;
        let bytes: usize = paths.iter().map(String::len).sum();
        if paths.len() > Self::COUNT_MAX || bytes > Self::BYTES_MAX {
            return Err(DecodeError::TooLarge("DRAG"));
        }
        Ok(Self(paths))
    }
}

impl fmt::Debug for Paths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} paths", self.len())
    }
}

impl Drag {
    pub(super) fn read(members: &mut Members) -> Result<Self, DecodeError> {
        match members.required::<String>("action")?.as_str() {
            "enter" => Ok(Self::Enter {
                x: members.required("x")?,
                y: members.required("y")?,
            }),
            "leave" => Ok(Self::Leave),
            "drop" => Ok(Self::Drop {
                x: members.required("x")?,
                y: members.required("y")?,
                paths: Paths::read(members)?,
            }),
            "take" => Ok(Self::Take),
            _ => Err(DecodeError::member("action")),
        }
    }

    pub(super) fn fields(&self) -> Fields {
        let action = |name: &str| Fields::new().with("action", name);
        match self {
            Self::Enter { x, y } => action("enter").with("x", *x).with("y", *y),
            Self::Leave => action("leave"),
            Self::Drop { x, y, paths } => action("drop")
                .with("x", *x)
                .with("y", *y)
                .with_list("paths", &paths.0),
            Self::Take => action("take"),
        }
    }
}

impl DragNews {
    pub(super) fn read(members: &mut Members) -> Result<Self, DecodeError> {
        match members.required::<String>("action")?.as_str() {
            "begin" => Ok(Self::Begin),
            "files" => Ok(Self::Files {
                paths: Paths::read(members)?,
                elsewhere: members.or_default("elsewhere")?,
            }),
            "end" => Ok(Self::End {
                taken: members.or_default("taken")?,
            }),
            _ => Err(DecodeError::member("action")),
        }
    }

    pub(super) fn fields(&self) -> Fields {
        let action = |name: &str| Fields::new().with("action", name);
        match self {
            Self::Begin => action("begin"),
            Self::Files { paths, elsewhere } => action("files")
                .with_list("paths", &paths.0)
                .maybe("elsewhere", (*elsewhere > 0).then_some(*elsewhere)),
            Self::End { taken } => action("end").maybe("taken", taken.then_some(true)),
        }
    }
}
