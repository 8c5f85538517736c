//! The real `vroom` in a real terminal, against a server that does as it is told.

mod generated;
mod person;
mod server;
mod terminal;
