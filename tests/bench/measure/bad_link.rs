//! A link of 100 ms there and back that loses 2 % of the packets each way.

use std::time::{Duration, Instant};

use anyhow::Result;
use serde_json::json;
use vroom_terminal::PtySize;
use vroom_terminal::screen::{Screen, ScreenLimits};
use vroom_tests::link::Random;
use vroom_tests::pty::{COLS, Output, ROWS};

use super::{bulk, echo, interrupt};
use crate::peers::{Mosh, Ssh, Vroom};
use crate::report::{Bar, Report};
use crate::stage::{Site, Stage};
use crate::terminal::{Peer, Terminal};

/// All that is measured on it.
pub(super) fn measure(stage: &Stage, report: &mut Report) -> Result<()> {
    let site = Site::bad_link(stage)?;
    let ssh = Ssh::start(stage, &site)?;
    let mosh = Mosh::new(&ssh, &site);
    let vroom = Vroom::start(stage, &site, true)?;
    let peers: [&dyn Peer; 3] = [&ssh, &mosh, &vroom];

    let measured = echo::by_turns(stage, report, &peers, stage.samples.min(300))?;
    if let [_, Some(mosh), Some(vroom)] = &measured[..] {
        report.bar(&Bar::at_most(
            "key shown, p50 <= 1 ms",
            vroom.quantile(0.5),
            1.0,
        ));
        let words = "key shown, p99 < that of mosh";
        report.bar(&Bar::at_most(
            words,
            vroom.quantile(0.99),
            mosh.quantile(0.99),
        ));
    }
    for peer in [&mosh as &dyn Peer, &vroom] {
        match wrong_cells(peer, stage.seed) {
            Ok(wrong) => {
                let what = format!("{}: wrong cells left after typing", peer.name());
                report.row(&what, wrong, json!({"cells": wrong}));
                if peer.name() == vroom.name() {
                    report.bar(&Bar::at_most("no wrong cell left", wrong as f64, 0.5));
                }
            }
            Err(error) => report.failed(peer.name(), &error),
        }
    }
    // By turns, and the middle one of each: which packets are lost decides much in one alone.
    let mut cats: [Vec<(Duration, u64)>; 3] = Default::default();
    for _ in 0..CATS {
        for (peer, cats) in peers.iter().zip(&mut cats) {
            match bulk::cat(stage, *peer, 5, Duration::from_secs(60)) {
                Ok(cat) => cats.push(cat),
                Err(error) => report.failed(peer.name(), &error),
            }
        }
    }
    for (peer, mut cats) in peers.iter().zip(cats) {
        cats.sort();
        let Some((took, shown)) = cats.get(cats.len() / 2) else {
            continue;
        };
        let took = took.as_secs_f64();
        let what = format!("{}: 5 MiB cat to the last screen", peer.name());
        let words = format!(
            "{took:8.2} s (middle of {CATS}, {} KiB shown)",
            shown / 1024
        );
        report.row(&what, words, json!({"s": took, "shown_bytes": shown}));
        if peer.name() == vroom.name() {
            report.bar(&Bar::at_most("5 MiB cat in less than 1 s", took, 1.0));
        }
    }
    interrupt::floods(report, &[&vroom], &[&ssh, &mosh], INTERRUPTS, ROUND_TRIP);
    Ok(())
}

const CATS: usize = 5;
/// How often a flood is interrupted: in half a second before each, one of many packets is nearly always lost.
const INTERRUPTS: usize = 40;
const ROUND_TRIP: Duration = Duration::from_millis(100);

/// Types into a line editor, corrects, and compares what is shown at rest with what a terminal
/// without a network shows.
fn wrong_cells(peer: &dyn Peer, seed: u64) -> Result<usize> {
    let mut random = Random::new(seed);
    let shell = "PS1='$ ' exec bash --norc --noprofile -i";
    let mut far = Looked::open(peer, shell)?;
    let mut near = Looked::open(&crate::peers::Local, shell)?;
    for terminal in [&mut far, &mut near] {
        terminal.rests_with("$")?;
        // What stands above the first prompt is not what is compared.
        terminal.type_and_look(b"\x0c", Duration::ZERO)?;
        terminal.rests_with("$")?;
    }
    let words = [
        "echo hello",
        "ls -la /etc",
        "printf 'a b c'",
        "pwd; cd /",
        "stty -a | head",
    ];
    for (number, word) in words.iter().enumerate() {
        let mut keys = Vec::new();
        for key in word.bytes() {
            keys.push(key);
            // Some typing errors, corrected at once.
            if random.below(5) == 0 {
                keys.extend_from_slice(b"x\x7f");
            }
        }
        // Into the middle of the line and back to its end.
        keys.extend_from_slice(b"\x1b[D\x1b[Dz\x1b[C\x1b[C");
        for key in keys {
            far.type_and_look(&[key], echo::gap(&mut random))?;
            near.terminal.write(&[key])?;
        }
        let mark = format!("mark-{number}-");
        for terminal in [&mut far, &mut near] {
            // The line is not run: what it would say may differ between two machines.
            terminal.type_and_look(b"\x15", Duration::ZERO)?;
            terminal.type_and_look(
                format!("echo mark-''{number}-\r").as_bytes(),
                Duration::ZERO,
            )?;
            terminal.rests_with(&mark)?;
        }
    }
    Ok(far.differs(&near))
}

/// A terminal whose output is parsed, as a person sees it.
struct Looked {
    terminal: Box<dyn Terminal>,
    screen: Screen,
}

impl Looked {
    fn open(peer: &dyn Peer, line: &str) -> Result<Self> {
        let size = PtySize {
            rows: ROWS,
            cols: COLS,
            ..PtySize::default()
        };
        Ok(Self {
            terminal: peer.open(line)?,
            screen: Screen::new(size, ScreenLimits::default()),
        })
    }

    fn type_and_look(&mut self, keys: &[u8], pause: Duration) -> Result<()> {
        self.terminal.write(keys)?;
        let deadline = Instant::now() + pause;
        while Instant::now() < deadline {
            self.take(deadline)?;
        }
        Ok(())
    }

    /// Waits until the screen shows this and nothing has come for a second.
    fn rests_with(&mut self, text: &str) -> Result<()> {
        let deadline = Instant::now() + vroom_tests::pty::PATIENCE;
        loop {
            let quiet = !self.take(Instant::now() + Duration::from_secs(1))?;
            let shown = self.screen.text().iter().any(|line| line.contains(text));
            if quiet && shown {
                return Ok(());
            }
            anyhow::ensure!(
                Instant::now() < deadline,
                "{text:?} is not on the screen: {:?}",
                self.screen.text()
            );
        }
    }

    fn take(&mut self, deadline: Instant) -> Result<bool> {
        match self.terminal.read(deadline)? {
            Output::Bytes(bytes) => {
                self.screen.advance(&bytes);
                let replies = self.screen.take_replies();
                if !replies.is_empty() {
                    self.terminal.write(&replies)?;
                }
                Ok(true)
            }
            Output::Late => Ok(false),
            Output::Ended => Err(anyhow::anyhow!("the terminal ended")),
        }
    }

    /// Cells of text that are not the same.
    fn differs(&self, other: &Self) -> usize {
        let (ours, theirs) = (self.screen.text(), other.screen.text());
        (0..usize::from(ROWS))
            .map(|row| {
                let line = |text: &[String]| -> Vec<char> {
                    text.get(row)
                        .map(|line| line.trim_end().chars().collect())
                        .unwrap_or_default()
                };
                let (ours, theirs) = (line(&ours), line(&theirs));
                (0..ours.len().max(theirs.len()))
                    .filter(|place| ours.get(*place) != theirs.get(*place))
                    .count()
            })
            .sum()
    }
}
