//! The process that holds a terminal while the daemon comes and goes.

mod codec;
mod core;
mod estate;
pub(crate) mod fault;
mod frame;
mod handover;
mod holder;
mod inbox;
mod launch;
mod meta;
mod peer;
mod program;
mod report;
mod request;
mod start;
mod store;
mod typed;
mod writers;

pub(crate) use core::BUILD;
pub(crate) use frame::{HEADER_BYTES, Mark, PIECE_BYTES, PREAMBLE, UPGRADE};
pub(crate) use handover::{MAGIC, START};
pub(crate) use holder::{SOCKET_SUFFIX, socket_path};
pub(crate) use inbox::Inbox;
pub(crate) use launch::START_BYTES;
pub(crate) use report::{Report, Welcome};
pub(crate) use request::Request;
pub(crate) use start::Start;
pub(crate) use store::{RING_BYTES, is_checkpoint_possible};
pub(crate) use writers::{Standing, Writers};

pub use launch::hold;
pub use meta::{ID_BYTES, Meta};
pub use start::Keep;
pub use writers::{WRITER_BYTES, WRITERS_MAX};
