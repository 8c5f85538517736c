//! `vroom cp` beside scp: one big file, and many small ones.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use serde_json::json;
use vroom_tests::link::Random;

use crate::peers::{Ssh, Vroom};
use crate::report::{Bar, Report};
use crate::stage::{MIB, Site, Stage};

/// Both on loopback, encrypted, by turns.
pub(super) fn measure(stage: &Stage, report: &mut Report) -> Result<()> {
    let site = Site::Loopback;
    let ssh = Ssh::start(stage, &site)?;
    let vroom = Vroom::start(stage, &site, true)?;
    let big = stage.path("big");
    fs::write(&big, noise(stage.seed, BIG_MIB * MIB))?;
    let small = stage.path("small");
    small_files(&small, stage.seed)?;
    for (what, from) in [
        ("one file of 256 MiB", &big),
        ("10,000 small files", &small),
    ] {
        let from = from.display().to_string();
        let mut best = [Duration::MAX; 2];
        for round in 0..ROUNDS {
            for (peer, best) in best.iter_mut().enumerate() {
                let to = stage.path(format!("copy-{peer}-{round}"));
                let began = Instant::now();
                match peer {
                    0 => ssh.copy(&from, &to.display().to_string())?,
                    _ => vroom.copy(&from, &to.display().to_string())?,
                }
                *best = (*best).min(began.elapsed());
                let (sent, came) = (count(Path::new(&from))?, count(&to)?);
                ensure!(sent == came, "of {sent:?} came {came:?}");
                if to.is_dir() {
                    fs::remove_dir_all(&to)?;
                } else {
                    fs::remove_file(&to)?;
                }
            }
        }
        let [scp, ours] = best.map(|best| best.as_secs_f64());
        report.row(
            &format!("scp: {what}"),
            format!("{scp:8.2} s (best of {ROUNDS})"),
            json!({"s": scp}),
        );
        report.row(
            &format!("vroom cp: {what}"),
            format!("{ours:8.2} s (best of {ROUNDS})"),
            json!({"s": ours}),
        );
        report.bar(&Bar::at_most(
            format!("vroom cp at least as fast as scp: {what}"),
            ours,
            scp,
        ));
    }
    Ok(())
}

const BIG_MIB: usize = 256;
const SMALL: u64 = 10_000;
const ROUNDS: usize = 2;

/// Bytes that no compression makes smaller.
fn noise(seed: u64, count: usize) -> Vec<u8> {
    let mut random = Random::new(seed);
    let mut bytes = Vec::with_capacity(count + 8);
    while bytes.len() < count {
        bytes.extend_from_slice(&random.next_u64().to_le_bytes());
    }
    bytes.truncate(count);
    bytes
}

/// A hundred folders of a hundred files of up to 4 KiB.
fn small_files(folder: &Path, seed: u64) -> Result<()> {
    let mut random = Random::new(seed);
    for number in 0..SMALL {
        let inner = folder.join(format!("{:02}", number / 100));
        if number % 100 == 0 {
            fs::create_dir_all(&inner)?;
        }
        let size = usize::try_from(random.below(4096))?;
        fs::write(inner.join(format!("{number}")), noise(number, size))?;
    }
    Ok(())
}

/// Files and bytes below a path.
fn count(path: &Path) -> Result<(u64, u64)> {
    if !path.is_dir() {
        return Ok((1, fs::metadata(path)?.len()));
    }
    let mut all = (0, 0);
    for entry in fs::read_dir(path)? {
        let (files, bytes) = count(&entry?.path())?;
        all = (all.0 + files, all.1 + bytes);
    }
    Ok(all)
}
