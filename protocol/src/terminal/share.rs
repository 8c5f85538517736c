//! SHARE and SHARE_STATE: several people at one terminal.

mod request;
mod state;

pub use self::request::{ShareAction, ShareRequest};
pub use self::state::{Invitation, Participant, ShareLink, ShareState};
