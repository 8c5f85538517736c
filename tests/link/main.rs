//! `vroom-link`: joins two network namespaces by a link with delay, loss, rate and a queue.
//!
//! It makes the namespaces, says so in one line of JSON, carries packets until its standard input
//! ends, takes the namespaces down again, and reports on standard error what became of the packets.

use std::io::{self, Write as _};
use std::num::NonZeroU64;
use std::os::fd::AsFd as _;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow};
use clap::Parser;
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::time::TimeSpec;
use vroom_tests::link::{Namespace, Shape, Shaper, Tun, impossible};

/// Join two network namespaces by an emulated link
#[derive(Debug, Parser)]
struct Cli {
    /// Delay every packet by this many milliseconds, in each direction
    #[arg(long, default_value_t = 0.0)]
    delay_ms: f64,
    /// Lose this part of the packets in each direction, 0 to 1
    #[arg(long, default_value_t = 0.0)]
    loss: f64,
    /// Limit each direction to this many bytes per second
    #[arg(long)]
    rate_bytes: Option<NonZeroU64>,
    /// Let this many bytes wait for a busy line
    #[arg(long, default_value_t = 1024 * 1024)]
    queue_bytes: u64,
    /// Lose the same packets for the same number
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

fn main() -> Result<()> {
    let cli = Cli::parse();
    if let Some(reason) = impossible() {
        return Err(anyhow!("{reason}"));
    }
    let shape = Shape {
        delay: Duration::try_from_secs_f64(cli.delay_ms / 1000.0).context("--delay-ms")?,
        loss: cli.loss,
        rate_bytes: cli.rate_bytes,
        queue_bytes: cli.queue_bytes,
    };
    let id = std::process::id();
    let near = Namespace::create(&format!("vroom-{id}-near"))?;
    let far = Namespace::create(&format!("vroom-{id}-far"))?;
    let ends = [interface(&near, NEAR, FAR)?, interface(&far, FAR, NEAR)?];
    let ready = serde_json::json!({
        "near": {"namespace": near.name(), "address": NEAR},
        "far": {"namespace": far.name(), "address": FAR},
    });
    let mut stdout = io::stdout();
    writeln!(stdout, "{ready}")?;
    stdout.flush()?;
    let mut carrier = Carrier::new(ends, shape, cli.seed);
    carrier.run()?;
    eprintln!("{}", carrier.report());
    Ok(())
}

/// The addresses of the two ends; the namespaces have nothing else that they could meet.
const NEAR: &str = "10.213.0.1";
const FAR: &str = "10.213.0.2";

/// Makes the interface of one end and gives it its address.
fn interface(namespace: &Namespace, address: &str, peer: &str) -> Result<Tun> {
    // A namespace belongs to a thread, and the interface stays where it was made.
    let made = std::thread::scope(|scope| {
        scope
            .spawn(|| {
                namespace.enter()?;
                Tun::create("link0").context("making a TUN interface")
            })
            .join()
    });
    let tun = made.map_err(|_| anyhow!("the thread that makes an interface panicked"))??;
    namespace.ip(&["address", "add", address, "peer", peer, "dev", "link0"])?;
    namespace.ip(&[
        "link",
        "set",
        "link0",
        "mtu",
        "1500",
        "txqueuelen",
        "1000",
        "up",
    ])?;
    Ok(tun)
}

/// What carries the packets.
struct Carrier {
    ends: [Tun; 2],
    /// The first takes what the first end sends.
    shapers: [Shaper; 2],
    began: Instant,
    carried: u64,
    refused: u64,
    late: Duration,
    late_max: Duration,
}

impl Carrier {
    fn new(ends: [Tun; 2], shape: Shape, seed: u64) -> Self {
        Self {
            ends,
            shapers: [Shaper::new(shape, seed), Shaper::new(shape, !seed)],
            began: Instant::now(),
            carried: 0,
            refused: 0,
            late: Duration::ZERO,
            late_max: Duration::ZERO,
        }
    }

    /// Carries until standard input ends.
    fn run(&mut self) -> Result<()> {
        loop {
            let due = self.shapers.iter().filter_map(Shaper::next_due).min();
            let wait = due.map(|due| TimeSpec::from(due.saturating_sub(self.began.elapsed())));
            let stdin = io::stdin();
            let mut files = [
                PollFd::new(self.ends[0].as_fd(), PollFlags::POLLIN),
                PollFd::new(self.ends[1].as_fd(), PollFlags::POLLIN),
                PollFd::new(stdin.as_fd(), PollFlags::POLLIN),
            ];
            match ppoll(&mut files, wait, None) {
                Ok(_) | Err(nix::Error::EINTR) => {}
                Err(error) => return Err(error).context("waiting for packets"),
            }
            // Nobody writes there: anything at all is the end.
            if files[2].any() == Some(true) {
                return Ok(());
            }
            self.take()?;
            self.give()?;
        }
    }

    /// Takes what the ends have sent.
    fn take(&mut self) -> Result<()> {
        for (end, shaper) in self.ends.iter().zip(&mut self.shapers) {
            while let Some(packet) = end.receive().context("receiving from an interface")? {
                shaper.push(self.began.elapsed(), packet);
            }
        }
        Ok(())
    }

    /// Gives the ends what has arrived.
    fn give(&mut self) -> Result<()> {
        for (end, shaper) in self.ends.iter().rev().zip(&mut self.shapers) {
            loop {
                let now = self.began.elapsed();
                let Some((due, packet)) = shaper.pop(now) else {
                    break;
                };
                let late = now.saturating_sub(due);
                self.late += late;
                self.late_max = self.late_max.max(late);
                if end.send(&packet).context("sending to an interface")? {
                    self.carried += 1;
                } else {
                    self.refused += 1;
                }
            }
        }
        Ok(())
    }

    /// What became of the packets, and how late they came beyond their delay.
    fn report(&self) -> serde_json::Value {
        let counts = self.shapers.each_ref().map(Shaper::counts);
        let sum =
            |pick: fn(&vroom_tests::link::Counts) -> u64| counts.iter().map(pick).sum::<u64>();
        let carried = self.carried.max(1) as f64;
        serde_json::json!({
            "offered": sum(|counts| counts.offered),
            "lost": sum(|counts| counts.lost),
            "dropped": sum(|counts| counts.dropped) + self.refused,
            "late_us_mean": (self.late.as_secs_f64() * 1e6 / carried).round(),
            "late_us_max": (self.late_max.as_secs_f64() * 1e6).round(),
        })
    }
}
