//! The measurements, in the order of the table.

mod bad_link;
mod bulk;
mod copy;
mod echo;
mod idle;
mod interrupt;
mod sharing;

use anyhow::Result;

use crate::report::Report;
use crate::stage::Stage;

/// One measurement.
pub(crate) type Measure = fn(&Stage, &mut Report) -> Result<()>;

/// All of them, by the names that `--only` takes.
pub(crate) const ALL: [(&str, Measure); 8] = [
    ("echo", echo::loopback),
    ("web", echo::web),
    ("bulk", bulk::loopback),
    ("interrupt", interrupt::loopback),
    ("bad-link", bad_link::measure),
    ("idle", idle::measure),
    ("sharing", sharing::measure),
    ("copy", copy::measure),
];
