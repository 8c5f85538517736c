//! The real `vroomd`, called by real clients over loopback.

mod client;
mod daemon;
mod ending;
mod floor;
mod http;
mod listening;
mod log;
mod login;
mod mux;
mod strangers;
mod terminal;
mod terminals;
mod viewing;
