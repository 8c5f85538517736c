//! Proving to a server who we are.

mod agent;
mod control;
pub mod credentials;
mod keys;
mod prove;

pub use agent::{Agent, Identity};
pub use control::Control;
pub use keys::{KeySources, usual_key_files};
pub use prove::Prover;
pub(crate) use prove::{Login, ask_for_login};
