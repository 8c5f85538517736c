//! What a hundred terminals cost that nobody uses.

use std::fs;

use anyhow::{Context as _, Result, ensure};
use serde_json::json;
use vroom_tests::client::{Client, Dial, Launch, Terminal};

use crate::peers::{Vroom, runtime};
use crate::report::{Bar, Report};
use crate::stage::{Site, Stage};

/// Memory of the daemon and of all holders, per terminal.
pub(super) fn measure(stage: &Stage, report: &mut Report) -> Result<()> {
    let site = Site::Loopback;
    let vroom = Vroom::start(stage, &site, false)?;
    let dial = Dial::Web(vroom.address()?);
    runtime()?.block_on(async {
        // What the first one loads is not what the next one costs.
        let mut client = Client::login(&dial, vroom.auth()).await?;
        let _first = open(&mut client, 0).await?;
        let before = pss_kib(vroom.pid())?;
        let mut clients = Vec::new();
        for _ in 0..SESSIONS / PER_CONNECTION {
            let mut client = Client::login(&dial, vroom.auth()).await?;
            let mut terminals = Vec::new();
            for number in 0..PER_CONNECTION {
                terminals.push(open(&mut client, number).await?);
            }
            clients.push((client, terminals));
        }
        let holders = vroom.holders();
        ensure!(
            holders.len() > SESSIONS,
            "{} holders of {SESSIONS} terminals",
            holders.len()
        );
        let daemon = pss_kib(vroom.pid())?.saturating_sub(before) as f64 / 1024.0;
        let mut held = 0;
        let mut rss_max: u64 = 0;
        for pid in &holders {
            held += pss_kib(*pid)?;
            rss_max = rss_max.max(status_kib(*pid, "VmRSS:")?);
        }
        let held = held as f64 / 1024.0 * SESSIONS as f64 / holders.len() as f64;
        let each = (daemon + held) / SESSIONS as f64;
        let words =
            format!("{each:8.2} MiB each (vroomd grew by {daemon:.1}, holders are {held:.1})");
        report.row(
            &format!("{SESSIONS} idle terminals"),
            words,
            json!({"mib_each": each, "vroomd_mib": daemon, "holders_mib": held}),
        );
        report.bar(&Bar::at_most("an idle terminal <= 3 MiB", each, 3.0));
        let rss = rss_max as f64 / 1024.0;
        report.row(
            "largest resident vroom-hold",
            format!("{rss:8.2} MiB"),
            json!({"mib": rss}),
        );
        report.bar(&Bar::at_most("a vroom-hold <= 2 MiB resident", rss, 2.0));
        Ok(())
    })
}

async fn open(client: &mut Client, number: usize) -> Result<Terminal> {
    let launch = Launch::line("printf 're''ady'; exec sleep 100000");
    let mut terminal = Terminal::open(client, &format!("#{number}"), &launch).await?;
    terminal.says(client, b"ready").await?;
    Ok(terminal)
}

const SESSIONS: usize = 100;
/// A connection has at most 64.
const PER_CONNECTION: usize = 50;

/// The memory of a process, what it shares counted by its part.
pub(super) fn pss_kib(pid: u32) -> Result<u64> {
    field(&format!("/proc/{pid}/smaps_rollup"), "Pss:")
}

fn status_kib(pid: u32, name: &str) -> Result<u64> {
    field(&format!("/proc/{pid}/status"), name)
}

fn field(path: &str, name: &str) -> Result<u64> {
    let text = fs::read_to_string(path).with_context(|| format!("reading {path}"))?;
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let line = line.with_context(|| format!("{name} in {path}"))?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}
