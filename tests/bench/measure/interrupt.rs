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
    floods(report, &ours, &others, Duration::ZERO);
    Ok(())
}

/// Interrupts floods of ours and of others; ours have bars.
pub(super) fn floods(
    report: &mut Report,
    ours: &[&dyn Peer],
    others: &[&dyn Peer],
    round_trip: Duration,
) {
    for (place, peer) in others.iter().chain(ours).enumerate() {
        let (times, bytes_max) = match flood(*peer) {
            Ok(measured) => measured,
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

/// Interrupts `yes` some times; how long each took, and the most that came after the key.
fn flood(peer: &dyn Peer) -> Result<(Times, u64)> {
    let line = "trap : INT; stty -echo; n=0; printf 're''ady'; \
                while read key; do yes; n=$((n+1)); printf \"stopped\"\"-$n-\"; done";
    let mut shown = Shown::open(peer, line)?;
    shown.shows("ready")?;
    let mut times = Times::default();
    let mut bytes_max = 0;
    for round in 1..=ROUNDS {
        shown.write(b"\n")?;
        shown.shows("yyyy")?;
        shown.watch_for(FLOOD)?;
        shown.catch_up()?;
        let before = shown.bytes;
        let began = Instant::now();
        shown.write(b"\x03")?;
        times.push(shown.shows(&format!("stopped-{round}-"))? - began);
        bytes_max = bytes_max.max(shown.bytes - before);
    }
    Ok((times, bytes_max))
}

const ROUNDS: usize = 10;
/// How long a flood runs before it is ended: long enough to fill every queue.
const FLOOD: Duration = Duration::from_millis(1000);
/// What is allowed beyond the round trip.
const MARGIN: Duration = Duration::from_millis(50);
