//! Who may drive: the rule, without anyone who keeps the floor.

use super::mode::Role;
use crate::Code;

/// The participant who drives now.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Driver<'a> {
    /// The authenticated user.
    pub user: &'a str,
    /// What it may do.
    pub role: Role,
    /// Whether it has sent no input for so long that any operator may take over.
    pub idle: bool,
}

/// What becomes of MODE interact.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Decision {
    /// Nobody drives: the asker does now.
    Free,
    /// The asker drives now, the driver has lost the floor.
    Taken,
    /// Refused: the role does not drive.
    NotAllowed,
    /// Refused: someone else drives.
    Busy,
}

impl Decision {
    /// The code that tells a refused asker why.
    pub const fn code(self) -> Option<Code> {
        match self {
            Self::Free | Self::Taken => None,
            Self::NotAllowed => Some(Code::NOT_ALLOWED),
            Self::Busy => Some(Code::DRIVER_BUSY),
        }
    }
}

/// Decides about MODE interact by someone who is not the driver.
///
/// `take` is the member of MODE.
// VROOM-Graphical §4.7, the driver rule.
pub fn take_decision(user: &str, role: Role, driver: Option<Driver<'_>>, take: bool) -> Decision {
    if role < Role::Operator {
        return Decision::NotAllowed;
    }
    let Some(driver) = driver else {
        return Decision::Free;
    };
    let implicit = user == driver.user || role > driver.role || driver.idle;
    if implicit || (take && role >= driver.role) {
        Decision::Taken
    } else {
        Decision::Busy
    }
}
