//! How soon Ctrl-C ends a flood, and how much still comes after it.

use std::time::{Duration, Instant};

use anyhow::Result;
use serde_json::json;

use crate::peers::{Local, Mosh, Ssh, Vroom, VroomWeb, Wetty};
use crate::report::{Bar, Report, Times};
use crate::stage::{Site, Stage};
use crate::terminal::{Peer, Shown};

/// On loopback.
pub(super) fn loopback(stage: &Stage, report: &mut Report) -> Result<()> {
    let site = Site::Loopback;
    let ssh = Ssh::start(stage, &site)?;
    let mosh = Mosh::new(&ssh, &site);
    let vroom = Vroom::start(stage, &site, true)?;
    let plain = Vroom::start(stage, &site, false)?;
    let web = VroomWeb(&plain);
    let wetty = Wetty::start(stage)?;
    let ours: [&dyn Peer; 2] = [&vroom, &web];
    let others: [&dyn Peer; 4] = [&Local, &ssh, &mosh, &wetty];
    floods(report, &ours, &others, ROUNDS, Duration::ZERO);
    Ok(())
}

/// Interrupts floods of ours and of others, by turns; ours have bars.
pub(super) fn floods(
    report: &mut Report,
    ours: &[&dyn Peer],
    others: &[&dyn Peer],
    rounds: usize,
    round_trip: Duration,
) {
    let peers: Vec<&dyn Peer> = others.iter().chain(ours).copied().collect();
    let mut running: Vec<Result<Flood>> = peers.iter().map(|peer| Flood::open(*peer)).collect();
    for _ in 0..rounds {
        for flood in &mut running {
            if let Ok(it) = flood
                && let Err(error) = it.interrupt()
            {
                *flood = Err(error);
            }
        }
    }
    for (place, (peer, flood)) in peers.iter().zip(running).enumerate() {
        let Flood {
            times, bytes_max, ..
        } = match flood {
            Ok(flood) => flood,
            Err(error) => {
                report.failed(&format!("{}: Ctrl-C", peer.name()), &error);
                continue;
            }
        };
        let (words, mut data) = times.summary();
        data["bytes_after_max"] = json!(bytes_max);
        let what = format!("{}: Ctrl-C in a flood", peer.name());
        report.row(
            &what,
            format!("{words}, at most {bytes_max} bytes after"),
            data,
        );
        if place >= others.len() {
            let limit = (round_trip + MARGIN).as_secs_f64() * 1000.0;
            let words = format!("{}: Ctrl-C p50 <= round trip + 50 ms", peer.name());
            report.bar(&Bar::at_most(words, times.quantile(0.5), limit));
            let words = format!("{}: at most 64 KiB after Ctrl-C", peer.name());
            report.bar(&Bar::at_most(words, bytes_max as f64, 65_536.0));
        }
    }
}

/// A terminal in which `yes` is run and interrupted, again and again.
struct Flood {
    shown: Shown,
    round: usize,
    /// How long each took.
    times: Times,
    /// The most that came after the key.
    bytes_max: u64,
}

impl Flood {
    fn open(peer: &dyn Peer) -> Result<Self> {
        let line = "trap : INT; stty -echo; n=0; printf 're''ady'; \
                    while read key; do \
                    if [ $((n%2)) = 0 ]; then yes; else yes z; fi; \
                    n=$((n+1)); printf \"stopped\"\"-$n-\"; done";
        let mut shown = Shown::open(peer, line)?;
        shown.shows("ready")?;
        Ok(Self {
            shown,
            round: 0,
            times: Times::default(),
            bytes_max: 0,
        })
    }

    fn interrupt(&mut self) -> Result<()> {
        self.round += 1;
        let shown = &mut self.shown;
        shown.write(b"\n")?;
        // Other lines than in the round before: who draws screens does not draw again what stands there already.
        shown.shows(if self.round % 2 == 1 { "yyyy" } else { "zzzz" })?;
        shown.watch_for(FLOOD)?;
        shown.catch_up()?;
        let before = shown.bytes;
        let began = Instant::now();
        shown.write(b"\x03")?;
        let stopped = shown.shows(&format!("stopped-{}-", self.round))?;
        self.times.push(stopped - began);
        self.bytes_max = self.bytes_max.max(shown.bytes - before);
        Ok(())
    }
}

/// How often on loopback.
const ROUNDS: usize = 10;
/// How long a flood runs before it is ended: long enough to fill every queue.
const FLOOD: Duration = Duration::from_millis(1000);
/// What is allowed beyond the round trip.
const MARGIN: Duration = Duration::from_millis(50);
