//! What one more viewer costs the server: threads, descriptors, memory and CPU.
//!
//! `cargo bench -p vroom-media --bench viewers` shows 30 moving pictures a second to 1, 10 and 50
//! peers, and then lets 200 come and go. The server is a process of its own, so that what is
//! counted is not that of the peers. One of them decodes.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench that cannot go on has failed, and speaks to a person"
)]

#[path = "../tests/support/mod.rs"]
mod support;

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Lines, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::browser::{Browser, until_open};
use support::{Screen, card, media_at};
use vroom_desktop::{Damage, Size};
use vroom_media::{Answer, Offer, Peer, PeerEvents};

fn main() {
    if std::env::args().any(|it| it == SERVE) {
        return serve();
    }
    let mut server = Server::start();
    if std::env::args().any(|it| it == THREADS) {
        return server.threads();
    }
    let mut browsers = vec![server.join(true)];
    let mut last = server.measured("1 viewer", &browsers);
    for count in [10, 50] {
        let before = browsers.len();
        browsers.extend((before..count).map(|_| server.join(false)));
        let now = server.measured(&format!("{count} viewers"), &browsers);
        let more = (count - before) as f64;
        let each = |member: &str| (number(&now, member) - number(&last, member)) / more;
        println!(
            "  each: {:.2} % of a core, {:.2} MiB, {:.1} threads, {:.1} descriptors",
            each("cpu"),
            each("memory"),
            each("threads"),
            each("files"),
        );
        last = now;
    }
    while browsers.len() > 1 {
        drop(browsers.pop());
        server.ask(&json!({"leave": true}));
    }
    let base = server.settled();
    println!("back at 1 viewer: {base}");
    for _ in 0..COMINGS / 10 {
        let coming: Vec<_> = (0..10).map(|_| server.join(false)).collect();
        for browser in coming {
            drop(browser);
            server.ask(&json!({"leave": true}));
        }
    }
    println!("after {COMINGS} came and went: {}", server.settled());
}

/// The process that is measured.
struct Server {
    child: Child,
    orders: ChildStdin,
    replies: Lines<BufReader<ChildStdout>>,
}

impl Server {
    fn start() -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .arg(SERVE)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let orders = child.stdin.take().unwrap();
        let replies = BufReader::new(child.stdout.take().unwrap()).lines();
        Self {
            child,
            orders,
            replies,
        }
    }

    fn ask(&mut self, order: &Value) -> Value {
        writeln!(self.orders, "{order}").unwrap();
        serde_json::from_str(&self.replies.next().unwrap().unwrap()).unwrap()
    }

    fn join(&mut self, decodes: bool) -> Browser {
        let browser = Browser::new(decodes);
        let (offer, control) = browser.offer();
        let reply = self.ask(&json!({"offer": offer.sdp}));
        let sdp = reply["answer"].as_str().unwrap().to_owned();
        let candidates = Vec::new();
        browser.accept(&Answer { sdp, candidates });
        until_open(&control);
        browser
    }

    /// What it holds and uses while everybody watches.
    fn measured(&mut self, what: &str, browsers: &[Browser]) -> Value {
        thread::sleep(WARM_UP);
        let mut before = self.ask(&json!({"held": true}));
        let decoded = browsers.first().map_or(0, Browser::drain);
        assert!(decoded > 0, "nothing was decoded");
        let began = Instant::now();
        thread::sleep(MEASURED);
        let after = self.ask(&json!({"held": true}));
        let seconds = began.elapsed().as_secs_f64();
        let decoded = browsers.first().map_or(0, Browser::drain);
        let used = number(&after, "cpu_s") - number(&before, "cpu_s");
        let sent = number(&after, "sent") - number(&before, "sent");
        before = after;
        before["cpu"] = json!(used / seconds * 100.0);
        println!(
            "{what}: {:.1} % of a core, {:.1} MiB, {} threads, {} descriptors; \
             {:.1} pictures/s sent to each, {:.1} decoded",
            number(&before, "cpu"),
            number(&before, "memory"),
            before["threads"],
            before["files"],
            sent / seconds / browsers.len() as f64,
            f64::from(decoded) / seconds,
        );
        before
    }

    /// What each kind of thread uses before ten viewers.
    fn threads(&mut self) {
        let browsers: Vec<_> = (0..10).map(|it| self.join(it == 0)).collect();
        println!("the server is process {}", self.child.id());
        self.measured("10 viewers", &browsers);
        let before = by_thread(self.child.id());
        thread::sleep(MEASURED);
        let mut rows: Vec<_> = by_thread(self.child.id())
            .into_iter()
            .map(|(name, (count, ticks))| {
                let (_, had) = before.get(&name).copied().unwrap_or_default();
                (ticks - had, count, name)
            })
            .collect();
        rows.sort_by(|a, b| b.0.total_cmp(&a.0));
        for (ticks, count, name) in rows {
            let percent = ticks / MEASURED.as_secs_f64();
            println!("{count:4} x {name:16} {percent:6.2} % of a core");
        }
    }

    /// What it holds once that stays the same.
    fn settled(&mut self) -> Value {
        let held = |reply: &Value| (reply["threads"].clone(), reply["files"].clone());
        let mut last = self.ask(&json!({"held": true}));
        let mut since = Instant::now();
        while since.elapsed() < Duration::from_secs(2) {
            thread::sleep(Duration::from_millis(50));
            let now = self.ask(&json!({"held": true}));
            if held(&now) != held(&last) {
                since = Instant::now();
            }
            last = now;
        }
        last
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// The other process: does what it is told, a line at a time.
fn serve() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let media = media_at("x264enc", 30);
    let mut screen = Screen::new();
    let encoder = media.encoder(screen.frames.clone()).unwrap();
    let pictures: Vec<_> = (0..8)
        .map(|step| Arc::new(card(Size::new(1280, 720), step)))
        .collect();
    let ending = AtomicBool::new(false);
    let mut peers: Vec<(Peer, PeerEvents)> = Vec::new();
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut next = Instant::now();
            for picture in pictures.iter().cycle() {
                if ending.load(Ordering::Relaxed) {
                    return;
                }
                let damage = Damage::full(picture.size());
                screen.show_shared(picture.clone(), damage);
                next += Duration::from_secs(1) / 30;
                thread::sleep(next.saturating_duration_since(Instant::now()));
            }
        });
        for order in std::io::stdin().lines() {
            let order: Value = serde_json::from_str(&order.unwrap()).unwrap();
            let reply = if let Some(sdp) = order["offer"].as_str() {
                let offer = Offer {
                    sdp: sdp.to_owned(),
                    candidates: Vec::new(),
                };
                let answered = runtime.block_on(media.answer(&encoder, None, offer));
                let (peer, events, answer) = answered.unwrap();
                peers.push((peer, events));
                json!({"answer": answer.sdp})
            } else if order["leave"] == true {
                peers.pop();
                json!({})
            } else {
                let sent: u64 = peers.iter().map(|(peer, _)| peer.stats().units).sum();
                let mut reply = held();
                reply["sent"] = json!(sent);
                reply
            };
            println!("{reply}");
        }
        ending.store(true, Ordering::Relaxed);
    });
}

/// What this process holds, and the CPU that it used.
fn held() -> Value {
    let count = |path| std::fs::read_dir(path).map_or(0, Iterator::count);
    let rollup = std::fs::read_to_string("/proc/self/smaps_rollup").unwrap();
    let line = rollup.lines().find(|it| it.starts_with("Pss:")).unwrap();
    let pss_kib: f64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    json!({
        "threads": count("/proc/self/task"),
        "files": count("/proc/self/fd"),
        "memory": pss_kib / 1024.0,
        "cpu_s": ticks(Path::new("/proc/self/stat")) / 100.0,
    })
}

/// How many threads have a name, without its numbers, and the hundredths of seconds they used.
fn by_thread(process: u32) -> BTreeMap<String, (usize, f64)> {
    let mut all = BTreeMap::<String, (usize, f64)>::new();
    for task in std::fs::read_dir(format!("/proc/{process}/task")).unwrap() {
        let path = task.unwrap().path();
        let Ok(name) = std::fs::read_to_string(path.join("comm")) else {
            continue;
        };
        let name = name.trim().replace(|it: char| it.is_ascii_digit(), "");
        let own = all.entry(name).or_default();
        own.0 += 1;
        own.1 += ticks(&path.join("stat"));
    }
    all
}

/// The hundredths of seconds of a process or a thread.
fn ticks(stat: &Path) -> f64 {
    let stat = std::fs::read_to_string(stat).unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let fields = after_name.split_whitespace().skip(11).take(2);
    fields.map(|it| it.parse::<f64>().unwrap()).sum()
}

fn number(value: &Value, member: &str) -> f64 {
    value[member].as_f64().unwrap()
}

const SERVE: &str = "serve";

/// Says to measure the threads only.
const THREADS: &str = "threads";

/// How many come and go.
const COMINGS: usize = 200;

const WARM_UP: Duration = Duration::from_secs(3);
const MEASURED: Duration = Duration::from_secs(8);
