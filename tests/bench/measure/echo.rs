//! How soon a key is shown: from the write to the terminal until its echo stands there.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use vroom_tests::link::Random;

use crate::peers::{Local, Mosh, Ssh, Vroom, VroomWeb, Wetty};
use crate::report::{Bar, Report, Times};
use crate::stage::{Site, Stage};
use crate::terminal::{Peer, Shown};

/// The far side: every byte comes back as it is, and the kernel echoes nothing.
pub(super) const ECHO: &str = "stty raw -echo; printf 'far side re''ady'; exec cat";
pub(super) const READY: &str = "far side ready";

/// `vroom term` beside ssh and mosh.
pub(super) fn loopback(stage: &Stage, report: &mut Report) -> Result<()> {
    let site = Site::Loopback;
    let ssh = Ssh::start(stage, &site)?;
    let mosh = Mosh::new(&ssh, &site);
    let vroom = Vroom::start(stage, &site, true)?;
    // As `vroom term localhost` has it.
    let plain = Vroom::start(stage, &site, false)?;
    let peers: [&dyn Peer; 5] = [&Local, &ssh, &mosh, &vroom, &plain];
    let measured = by_turns(stage, report, &peers, stage.samples)?;
    let [_, Some(ssh), _, Some(vroom), _] = &measured[..] else {
        return Ok(());
    };
    for (part, name) in [(0.5, "p50"), (0.99, "p99")] {
        let words = format!("echo {name} of vroom term <= that of ssh");
        report.bar(&Bar::at_most(
            words,
            vroom.quantile(part),
            ssh.quantile(part),
        ));
    }
    Ok(())
}

/// The WebSocket of the page beside that of wetty.
pub(super) fn web(stage: &Stage, report: &mut Report) -> Result<()> {
    let site = Site::Loopback;
    let vroom = Vroom::start(stage, &site, false)?;
    let ours = VroomWeb(&vroom);
    let wetty = Wetty::start(stage)?;
    let measured = by_turns(stage, report, &[&ours, &wetty], stage.samples)?;
    let [Some(ours), Some(wetty)] = &measured[..] else {
        return Ok(());
    };
    let words = "WebSocket echo p50 <= 1/4 of wetty's";
    report.bar(&Bar::at_most(
        words,
        ours.quantile(0.5),
        wetty.quantile(0.5) / 4.0,
    ));
    Ok(())
}

/// Presses keys on all peers by turns, so that noise hits all alike. A peer that cannot be measured
/// is told and left out.
pub(super) fn by_turns(
    stage: &Stage,
    report: &mut Report,
    peers: &[&dyn Peer],
    samples: usize,
) -> Result<Vec<Option<Times>>> {
    let mut random = Random::new(stage.seed);
    let mut running: Vec<Option<(Shown, Times)>> = Vec::new();
    for peer in peers {
        running.push(match ready(*peer) {
            Ok(shown) => Some((shown, Times::default())),
            Err(error) => {
                report.failed(peer.name(), &error);
                None
            }
        });
    }
    for sample in 0..samples + WARM_UP {
        for (place, peer) in peers.iter().enumerate() {
            let Some((shown, times)) = running.get_mut(place).and_then(Option::as_mut) else {
                continue;
            };
            let took = press(shown, sample, gap(&mut random));
            match took {
                Ok(took) if sample >= WARM_UP => times.push(took),
                Ok(_) => {}
                Err(error) => {
                    report.failed(peer.name(), &error.context(format!("key {sample}")));
                    running[place] = None;
                }
            }
        }
    }
    let measured: Vec<Option<Times>> = running
        .into_iter()
        .map(|each| each.map(|(_, times)| times))
        .collect();
    for (peer, times) in peers.iter().zip(&measured) {
        if let Some(times) = times {
            let (words, data) = times.summary();
            report.row(peer.name(), words, data);
        }
    }
    Ok(measured)
}

/// Opens a terminal whose far side echoes.
pub(super) fn ready(peer: &dyn Peer) -> Result<Shown> {
    let mut shown = Shown::open(peer, ECHO)?;
    shown.shows(READY).context("no far side")?;
    Ok(shown)
}

/// Presses a key after a pause and waits until it is shown.
pub(super) fn press(shown: &mut Shown, number: usize, pause: Duration) -> Result<Duration> {
    shown.watch_for(pause)?;
    shown.drain()?;
    // Clients that draw screens may draw an old key again, but none of the last twenty-five.
    let key = b'a' + u8::try_from(number % 26)?;
    let began = Instant::now();
    shown.write(&[key])?;
    let seen = shown.shows(char::from(key).encode_utf8(&mut [0; 4]))?;
    Ok(seen - began)
}

/// The pause between keys of a person who types fast: 15 to 45 ms.
pub(super) fn gap(random: &mut Random) -> Duration {
    Duration::from_micros(15_000 + random.below(30_000))
}

/// Keys pressed before counting.
const WARM_UP: usize = 30;
