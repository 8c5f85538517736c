//! `vroom-bench-terminal`: terminals of ours beside sshd, mosh and wetty, measured in one run.
//!
//! Wall times on a shared machine are noise; ratios of one run are not, so whatever is compared is
//! measured by turns. Nothing here passes or fails: it prints a table with the bar beside each
//! figure, and writes the same as JSON.

#![allow(clippy::print_stdout, reason = "the table is what this program is for")]

mod measure;
mod peers;
mod report;
mod stage;
mod terminal;

use std::path::PathBuf;

use anyhow::{Result, anyhow};
use clap::Parser;

use report::Report;
use stage::Stage;

/// Measure terminals beside sshd, mosh and wetty
#[derive(Debug, Parser)]
struct Cli {
    /// Measure only these, separated by commas
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Press this many keys per peer
    #[arg(long, default_value_t = 600)]
    samples: usize,
    /// Choose gaps and losses by this number
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Find vroomd, vroom, vroom-hold and vroom-link here
    #[arg(long, default_value = "target/release")]
    binaries: PathBuf,
    /// Find wetty here, as npm has installed it
    #[arg(long, default_value = "tests/bench/node_modules/wetty")]
    wetty: PathBuf,
    /// Write the figures to this file
    #[arg(long, default_value = "tests/out/bench-terminal.json")]
    out: PathBuf,
}

fn main() -> Result<()> {
    let cli = Cli::parse();
    if let Some(unknown) = cli
        .only
        .iter()
        .find(|name| measure::ALL.iter().all(|(known, _)| known != *name))
    {
        let known: Vec<&str> = measure::ALL.iter().map(|(name, _)| *name).collect();
        return Err(anyhow!(
            "no measurement {unknown}; there are {}",
            known.join(", ")
        ));
    }
    let stage = Stage::new(&cli.binaries, &cli.wetty, cli.samples, cli.seed)?;
    let mut report = Report::new();
    for (name, measure) in measure::ALL {
        if !cli.only.is_empty() && !cli.only.iter().any(|only| only == name) {
            continue;
        }
        report.section(name);
        // One that cannot be measured here is told and does not keep the others from it.
        if let Err(error) = measure(&stage, &mut report) {
            report.failed(name, &error);
        }
    }
    report.write(&cli.out)
}
