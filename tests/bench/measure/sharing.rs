//! What twenty viewers cost the one who types, one of them stalled for good.

use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use vroom_tests::client::{Client, Dial, Launch, Terminal};
use vroom_tests::link::Random;

use super::echo::{ECHO, READY, gap};
use crate::peers::{Vroom, runtime};
use crate::report::{Bar, Report, Times};
use crate::stage::{Site, Stage};

/// The driver's echo alone and with an audience, in turns of a hundred keys.
pub(super) fn measure(stage: &Stage, report: &mut Report) -> Result<()> {
    let site = Site::Loopback;
    let vroom = Vroom::start(stage, &site, false)?;
    let dial = Dial::Web(vroom.address()?);
    let mut random = Random::new(stage.seed);
    let mut times = [Times::default(), Times::default()];
    let runtime = runtime()?;
    let (mut client, mut driver) = runtime.block_on(async {
        let mut client = Client::login(&dial, vroom.auth()).await?;
        let mut driver = Terminal::open(&mut client, "", &Launch::line(ECHO)).await?;
        driver.says(&mut client, READY.as_bytes()).await?;
        anyhow::Ok((client, driver))
    })?;
    let id = driver.id().unwrap_or_default().to_owned();
    for _ in 0..stage.samples.div_ceil(KEYS_PER_TURN) {
        for (watched, times) in times.iter_mut().enumerate() {
            let audience = (watched == 1)
                .then(|| Audience::seat(&vroom, &id))
                .transpose()?;
            for key in 0..KEYS_PER_TURN {
                let pause = gap(&mut random);
                let took = runtime.block_on(press(&mut client, &mut driver, key, pause))?;
                if key >= WARM_UP {
                    times.push(took);
                }
            }
            if let Some(audience) = audience {
                audience.leave()?;
            }
        }
    }
    let [alone, watched] = &times;
    for (what, times) in [
        ("echo of the driver, alone", alone),
        ("the same before 20 viewers", watched),
    ] {
        let (words, data) = times.summary();
        report.row(what, words, data);
    }
    let limit = alone.quantile(0.99) * 1.2;
    report.bar(&Bar::at_most(
        "p99 grows by less than 20 %",
        watched.quantile(0.99),
        limit,
    ));
    Ok(())
}

const KEYS_PER_TURN: usize = 100;
const WARM_UP: usize = 5;
const VIEWERS: usize = 20;

async fn press(
    client: &mut Client,
    driver: &mut Terminal,
    key: usize,
    pause: Duration,
) -> Result<Duration> {
    let quiet = Instant::now() + pause;
    while driver.turn(client, quiet).await? {}
    let key = b'a' + u8::try_from(key % 26)?;
    drop(driver.take_output());
    let began = Instant::now();
    driver.write(client, &[key]).await?;
    driver
        .until(client, "the echo", |each| each.has_output(key))
        .await?;
    Ok(began.elapsed())
}

/// Viewers on a thread of their own; the first of them never reads.
struct Audience {
    leave: oneshot::Sender<()>,
    thread: std::thread::JoinHandle<Result<()>>,
}

impl Audience {
    fn seat(vroom: &Vroom<'_>, id: &str) -> Result<Self> {
        let dial = Dial::Web(vroom.address()?);
        let (auth, id) = (vroom.auth(), id.to_owned());
        let (leave, left) = oneshot::channel();
        let (seated, wait) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            runtime()?.block_on(async {
                let mut viewers = Vec::new();
                for _ in 0..VIEWERS {
                    let mut client = Client::login(&dial, auth.clone()).await?;
                    let launch = Launch {
                        readonly: true,
                        ..Launch::attach(id.clone())
                    };
                    let mut viewer = Terminal::open(&mut client, "", &launch).await?;
                    // They are not what is measured, and share the machine with what is.
                    viewer.shows_nothing();
                    viewers.push((client, viewer));
                }
                seated.send(()).map_err(|_| anyhow!("nobody waits"))?;
                // The first stays connected and reads nothing.
                let _stalled = viewers.swap_remove(0);
                let mut watching = JoinSet::new();
                for (client, viewer) in viewers {
                    watching.spawn(watch(client, viewer));
                }
                tokio::select! {
                    Some(ended) = watching.join_next() => ended?,
                    // Whoever seated them may be gone, too.
                    _ = left => Ok(()),
                }
            })
        });
        if wait.recv().is_err() {
            return Err(match thread.join() {
                Ok(Err(error)) => error,
                _ => anyhow!("the viewers did not come"),
            });
        }
        Ok(Self { leave, thread })
    }

    fn leave(self) -> Result<()> {
        // One that has failed says so itself.
        let _ = self.leave.send(());
        self.thread
            .join()
            .map_err(|_| anyhow!("a viewer panicked"))?
    }
}

async fn watch(mut client: Client, mut viewer: Terminal) -> Result<()> {
    loop {
        viewer.turn(&mut client, Instant::now() + LONG).await?;
    }
}

/// Longer than any measurement.
const LONG: Duration = Duration::from_secs(3600);
