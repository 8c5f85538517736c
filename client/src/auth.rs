//! Proving to a server who we are.

mod agent;
mod control;
pub mod credentials;
mod keys;
mod prove;

pub use agent::{Agent, Identity};
pub use control::Control;
pub use keys::KeySources;
pub use prove::Prover;
