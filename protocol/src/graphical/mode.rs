//! What a participant may do, and what it is doing.

use crate::encoding::names;

/// What a participant is doing.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum Mode {
    /// Looks on; nothing it sends changes the desktop.
    #[default]
    View,
    /// Drives with mouse, keyboard and touch.
    Interact,
    /// Gives commands.
    Voice,
}

names!(Mode { View = "view", Interact = "interact", Voice = "voice" });

/// What a participant may do; a higher role may do more.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Role {
    /// May look on.
    Viewer,
    /// May drive.
    Operator,
    /// May drive, and decide about the others.
    Owner,
}

names!(Role { Viewer = "viewer", Operator = "operator", Owner = "owner" });
