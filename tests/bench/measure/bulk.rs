//! How fast much output is shown.

use std::time::{Duration, Instant};

use anyhow::Result;
use serde_json::json;

use crate::peers::{Local, Mosh, Ssh, Vroom, VroomWeb, Wetty};
use crate::report::{Bar, Report};
use crate::stage::{MIB, Site, Stage};
use crate::terminal::{Peer, Shown};

/// 100 MiB on loopback.
pub(super) fn loopback(stage: &Stage, report: &mut Report) -> Result<()> {
    let site = Site::Loopback;
    let ssh = Ssh::start(stage, &site)?;
    let mosh = Mosh::new(&ssh, &site);
    let vroom = Vroom::start(stage, &site, true)?;
    let plain = Vroom::start(stage, &site, false)?;
    let web = VroomWeb(&plain);
    let wetty = Wetty::start(stage)?;
    let peers: [&dyn Peer; 6] = [&Local, &ssh, &mosh, &vroom, &web, &wetty];
    let mut rates = Vec::new();
    for peer in peers {
        let mut best: Option<(f64, u64)> = None;
        for _ in 0..ROUNDS {
            match cat(stage, peer, MEBIBYTES, Duration::from_secs(120)) {
                Ok((took, shown)) => {
                    let rate = MEBIBYTES as f64 / took.as_secs_f64();
                    if best.is_none_or(|(best, _)| rate > best) {
                        best = Some((rate, shown));
                    }
                }
                Err(error) => report.failed(peer.name(), &error),
            }
        }
        if let Some((rate, shown)) = best {
            // Who shows less has skipped what nobody could have read.
            let shown = shown as f64 / MIB as f64;
            let words = format!(
                "{rate:8.1} MiB/s (best of {ROUNDS}, {MEBIBYTES} MiB, of which {shown:.1} were shown)"
            );
            report.row(
                peer.name(),
                words,
                json!({"mib_per_s": rate, "shown_mib": shown}),
            );
        }
        rates.push(best.map(|(rate, _)| rate));
    }
    if let [_, Some(ssh), _, Some(vroom), ..] = &rates[..] {
        report.bar(&Bar::at_least(
            "100 MiB cat at least as fast as ssh",
            *vroom,
            *ssh,
        ));
    }
    Ok(())
}

/// Shows a file of lines; the time from the key that starts it to its last line, and how many bytes
/// were written to the terminal meanwhile.
pub(super) fn cat(
    stage: &Stage,
    peer: &dyn Peer,
    mebibytes: usize,
    patience: Duration,
) -> Result<(Duration, u64)> {
    let file = stage.lines(mebibytes)?;
    // The key must not be waited for with the echo of itself.
    let line = format!(
        "stty -echo; printf 're''ady'; read key; cat {file}; printf 'all''shown'; read key"
    );
    let mut shown = Shown::open(peer, &line)?;
    shown.shows("ready")?;
    let before = shown.bytes;
    let began = Instant::now();
    shown.write(b"\n")?;
    let took = shown.shows_within("allshown", patience)? - began;
    Ok((took, shown.bytes - before))
}

const MEBIBYTES: usize = 100;
const ROUNDS: usize = 2;
