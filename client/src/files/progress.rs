//! How far copying has come, drawn on a terminal.

use std::cell::Cell;
use std::io::{self, IsTerminal as _, Write as _};
use std::time::Instant;

use super::job::Job;
use crate::options::LogLevel;
use crate::ui::Ui;

/// Counts what was copied.
#[derive(Debug)]
pub(super) struct Progress {
    ui: Ui,
    is_drawn: bool,
    started: Instant,
    bytes: Cell<u64>,
    bytes_all: Cell<u64>,
    files: Cell<usize>,
    files_all: Cell<usize>,
    /// What an earlier copy had done already.
    skipped: Cell<u64>,
}

impl Progress {
    /// Nothing yet; drawn where somebody sees it.
    pub(super) fn new(ui: &Ui) -> Self {
        Self {
            ui: ui.clone(),
            is_drawn: io::stderr().is_terminal() && ui.level() >= LogLevel::Info,
            started: Instant::now(),
            bytes: Cell::new(0),
            bytes_all: Cell::new(0),
            files: Cell::new(0),
            files_all: Cell::new(0),
            skipped: Cell::new(0),
        }
    }

    /// So much is to come.
    pub(super) fn expect(&self, jobs: &[Job]) {
        self.bytes_all.set(jobs.iter().map(Job::size).sum());
        self.files_all.set(jobs.len());
    }

    /// So much was copied.
    pub(super) fn add(&self, bytes: usize) {
        self.bytes.set(self.bytes.get() + bytes as u64);
    }

    /// So much of a file was there already.
    pub(super) fn skip(&self, name: &str, bytes: u64) {
        if bytes > 0 {
            self.clear();
            self.ui
                .verbose(&format!("{name}: going on after {bytes} bytes"));
        }
        self.skipped.set(self.skipped.get() + bytes);
        self.bytes.set(self.bytes.get() + bytes);
    }

    /// A file is complete.
    pub(super) fn finished_one(&self) {
        self.files.set(self.files.get() + 1);
    }

    /// Draws the line anew.
    pub(super) fn draw(&self) {
        if !self.is_drawn {
            return;
        }
        let seconds = self.started.elapsed().as_secs_f64();
        let line = line(
            self.bytes.get(),
            self.bytes_all.get(),
            self.skipped.get(),
            (self.files.get(), self.files_all.get()),
            seconds,
        );
        // Standard error may be closed; there is nobody left to tell.
        drop(write!(io::stderr(), "\r{line}\x1b[K"));
    }

    /// Takes the line away, for a message in its place.
    pub(super) fn clear(&self) {
        if self.is_drawn {
            drop(write!(io::stderr(), "\r\x1b[K"));
        }
    }

    /// Leaves the last line standing.
    pub(super) fn finish(&self) {
        if self.is_drawn {
            self.draw();
            drop(writeln!(io::stderr()));
        }
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a figure for people needs no more digits"
)]
fn line(bytes: u64, all: u64, skipped: u64, files: (usize, usize), seconds: f64) -> String {
    let percent = match all {
        0 => 100,
        all => bytes.saturating_mul(100) / all,
    };
    let rate = bytes.saturating_sub(skipped) as f64 / seconds.max(0.001);
    let left = match all.saturating_sub(bytes) {
        0 => 0.0,
        left => left as f64 / rate.max(1.0),
    };
    let bar: String = (1..=BAR)
        .map(|step| {
            if step * 100 <= percent * BAR {
                '#'
            } else {
                '-'
            }
        })
        .collect();
    format!(
        "[{bar}] {percent:>3}%  {} of {}  {}/s  {}  {}/{} files",
        amount(bytes as f64),
        amount(all as f64),
        amount(rate),
        clock(left),
        files.0,
        files.1
    )
}

fn amount(bytes: f64) -> String {
    let mut amount = bytes;
    for unit in ["B", "KiB", "MiB", "GiB"] {
        if amount < 1024.0 {
            return format!("{amount:.1} {unit}");
        }
        amount /= 1024.0;
    }
    format!("{amount:.1} TiB")
}

fn clock(seconds: f64) -> String {
    let seconds = std::time::Duration::try_from_secs_f64(seconds).unwrap_or_default();
    let seconds = seconds.as_secs();
    format!("{:02}:{:02}", seconds / 60, seconds % 60)
}

/// How long the bar is.
const BAR: u64 = 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_says_how_far_it_is() {
        let line = line(512 * 1024, 1024 * 1024, 0, (1, 2), 1.0);
        assert_eq!(
            line,
            "[##########----------]  50%  512.0 KiB of 1.0 MiB  512.0 KiB/s  00:01  1/2 files"
        );
    }

    #[test]
    fn nothing_to_copy_is_all_copied() {
        assert!(line(0, 0, 0, (0, 0), 0.0).contains("100%"));
    }
}
