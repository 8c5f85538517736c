//! The process that holds a terminal while the daemon comes and goes.

mod codec;
mod core;
mod estate;
pub(crate) mod fault;
mod frame;
mod handover;
mod holder;
mod inbox;
mod journal;
mod launch;
mod loan;
mod meta;
mod peer;
mod program;
mod report;
mod request;
mod ring;
mod start;
mod store;
mod typed;
mod writers;

pub(crate) use core::{BUILD, TTY_LOOKS};
pub(crate) use frame::{HEADER_BYTES, Mark, PIECE_BYTES, PREAMBLE, UPGRADE};
pub(crate) use handover::{MAGIC, START};
pub(crate) use holder::{SOCKET_SUFFIX, socket_path};
pub(crate) use inbox::Inbox;
pub(crate) use journal::{Applied, Journal};
pub(crate) use launch::START_BYTES;
pub(crate) use loan::LENT_FILES;
pub(crate) use report::{Report, Welcome};
pub(crate) use request::Request;
pub(crate) use ring::{RING_BYTES, Ring};
pub(crate) use start::Start;
pub(crate) use store::is_checkpoint_possible;
pub(crate) use writers::{Standing, Writers};

pub use launch::hold;
pub use meta::{ID_BYTES, Meta};
pub use start::Keep;
pub use writers::{WRITER_BYTES, WRITERS_MAX};
