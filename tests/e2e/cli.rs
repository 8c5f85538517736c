//! Whole sessions by hand: the real `vroom` on a real terminal, with the real vroomd behind it.

mod agent;
mod auth;
mod copy;
mod forward;
mod lasting;
mod person;
mod predict;
mod reset;
mod sessions;
mod stage;
mod term;
