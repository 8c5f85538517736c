//! Finding and ending the processes of a terminal.

use std::collections::BTreeSet;

use nix::errno::Errno;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

/// The processes that belong to a program that was started.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Family {
    /// Everyone in the session that the program leads: for a program on a PTY.
    Session(Pid),
    /// Everyone in the group that the program leads: for a program on pipes.
    Group(Pid),
}

impl Family {
    /// The process groups that someone of the family is in; empty when nobody is left.
    ///
    /// `reaped` says that the program itself is gone and its number is free. The system does not give
    /// away a number that a session or group still has, so a process that has it then is a stranger's
    /// and the family is gone.
    pub(crate) fn groups(self, reaped: bool) -> BTreeSet<Pid> {
        let (Self::Session(leader) | Self::Group(leader)) = self;
        let mut groups = BTreeSet::new();
        let Ok(directory) = std::fs::read_dir("/proc") else {
            return groups;
        };
        for entry in directory.filter_map(Result::ok) {
            let name = entry.file_name();
            let Some(pid) = name.to_str().and_then(|name| name.parse().ok()) else {
                continue;
            };
            let Some(process) = Process::read(Pid::from_raw(pid)) else {
                continue;
            };
            let member = match self {
                Self::Session(session) => process.session == session,
                Self::Group(group) => process.group == group,
            };
            if member && reaped && process.pid == leader {
                return BTreeSet::new();
            }
            if member && !process.dead {
                groups.insert(process.group);
            }
        }
        groups
    }

    /// Sends a signal to the whole family.
    pub(crate) fn signal(self, signal: Signal, reaped: bool) {
        for group in self.groups(reaped) {
            match killpg(group, signal) {
                // The group may have ended since it was found.
                Ok(()) | Err(Errno::ESRCH) => {}
                Err(error) => tracing::warn!(%group, %signal, %error, "cannot end a process group"),
            }
        }
    }
}

/// What `/proc` says about a process.
#[derive(Debug, Eq, PartialEq)]
struct Process {
    pid: Pid,
    group: Pid,
    session: Pid,
    dead: bool,
}

impl Process {
    fn read(pid: Pid) -> Option<Self> {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        Self::parse(pid, &stat)
    }

    fn parse(pid: Pid, stat: &str) -> Option<Self> {
        // The name of the program comes before these fields and may hold spaces and parentheses.
        let (_, fields) = stat.rsplit_once(')')?;
        let mut fields = fields.split_ascii_whitespace();
        let state = fields.next()?;
        let _parent = fields.next()?;
        let group = fields.next()?.parse().ok()?;
        let session = fields.next()?.parse().ok()?;
        Some(Self {
            pid,
            group: Pid::from_raw(group),
            session: Pid::from_raw(session),
            dead: matches!(state, "Z" | "X" | "x"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_program_names_do_not_confuse_the_fields() {
        let pid = Pid::from_raw(7);
        let process = Process::parse(pid, "7 (a) S 1 (b)) Z 1 20 30 34816 20 4194304").unwrap();
        assert_eq!(process.group, Pid::from_raw(20));
        assert_eq!(process.session, Pid::from_raw(30));
        assert!(process.dead);
        assert_eq!(Process::parse(pid, "7 (sh) S 1"), None);
        assert_eq!(Process::parse(pid, ""), None);
    }
}
