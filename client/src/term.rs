//! A terminal at the other end, shown in the terminal of the person.

mod agreement;
mod banner;
mod decode;
mod escape;
mod input_log;
mod pause;
mod run;
mod screen;
mod session;

pub use agreement::Wish;
pub(crate) use agreement::authenticate;
pub use run::{Ending, Terminal, run};
