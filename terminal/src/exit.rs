//! How a program ended.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use nix::sys::signal::Signal;

/// How a program ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Exit {
    /// The status it returned; `None` when a signal killed it, or when nobody knows.
    pub code: Option<u8>,
    /// The signal that killed it.
    pub signal: Option<u8>,
    /// Whether it left a core dump.
    pub core_dumped: bool,
    /// The bytes that it had written to its terminal, or to standard output, by then.
    pub output_bytes: u64,
}

impl Exit {
    pub(crate) fn new(status: Option<ExitStatus>, output_bytes: u64) -> Self {
        let code = status.and_then(|status| status.code());
        let signal = status.and_then(|status| status.signal());
        Self {
            code: code.and_then(|code| u8::try_from(code).ok()),
            signal: signal.and_then(|signal| u8::try_from(signal).ok()),
            core_dumped: status.is_some_and(|status| status.core_dumped()),
            output_bytes,
        }
    }

    /// The signal's name without `SIG`, for example `TERM`.
    pub fn signal_name(&self) -> Option<&'static str> {
        let signal = Signal::try_from(i32::from(self.signal?)).ok()?;
        signal.as_str().strip_prefix("SIG")
    }
}
