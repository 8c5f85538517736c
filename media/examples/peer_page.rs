//! Shows the synthetic desktop in a browser over WebRTC, and checks that it does.
//!
//! `cargo run -p vroom-media --example peer_page` prints a URL to open.
//! With `-- chromium` it starts that browser headless, waits for the page's verdict, prints it and
//! exits with 0 when everything was right.
#![expect(clippy::print_stdout, reason = "an example speaks to a person")]

use std::error::Error;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use vroom_desktop::{Desktop, InputEvent, Size, Synthetic, SyntheticConfig};
use vroom_media::{
    Candidate, Encoder, EncoderChoice, Media, MediaConfig, Offer, Peer, PeerEvent, PeerEvents,
    PeerSend,
};

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let browser = std::env::args().nth(1);
    let config = MediaConfig {
        encoder: match std::env::var("ENCODER") {
            Ok(name) => EncoderChoice::Named(name),
            Err(_) => EncoderChoice::Auto,
        },
        addresses: std::env::var("ADDRESS")
            .iter()
            .flat_map(|it| it.parse())
            .collect(),
        ..MediaConfig::default()
    };
    memory("before media");
    let media = Media::start(config)?;
    memory("after Media::start");
    println!("{}", media.report());

    let desktop = Synthetic::start(
        SyntheticConfig {
            size: Size::new(1280, 720),
            animate: Some(Duration::from_millis(16)),
        },
        Arc::new(|_| ()),
    )?;
    desktop.set_watched(true);
    let encoder = media.encoder(Arc::clone(desktop.frames()))?;
    let (verdict, verdicts) = mpsc::channel();
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let url = format!("http://{}/", listener.local_addr()?);
    let server = Arc::new(Server {
        runtime: tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_time()
            .build()?,
        media,
        encoder,
        desktop,
        peers: Mutex::default(),
        verdict,
    });
    println!("{url}");
    let serving = Arc::clone(&server);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let server = Arc::clone(&serving);
            std::thread::spawn(move || {
                if let Err(error) = server.serve(stream) {
                    println!("request failed: {error}");
                }
            });
        }
    });
    let Some(browser) = browser else {
        println!("verdict: {}", verdicts.recv()?);
        return Ok(ExitCode::SUCCESS);
    };
    let profile = tempfile::tempdir()?;
    let mut child = headless(&browser, profile.path().as_os_str(), &url)?;
    let verdict = verdicts.recv_timeout(Duration::from_secs(60));
    child.kill()?;
    child.wait()?;
    let verdict = verdict?;
    println!("{verdict:#}");
    println!("{:#?}", server.encoder.stats());
    let passed = verdict["failed"].as_array().is_some_and(Vec::is_empty);
    Ok(if passed {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

struct Server {
    runtime: tokio::runtime::Runtime,
    media: Media,
    encoder: Encoder,
    desktop: Synthetic,
    peers: Mutex<Vec<Arc<Peer>>>,
    verdict: mpsc::Sender<Value>,
}

impl Server {
    fn serve(&self, mut stream: TcpStream) -> Result<(), Box<dyn Error>> {
        let mut reader = BufReader::new(stream.try_clone()?);
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
        let mut length = 0;
        loop {
            let mut header = String::new();
            reader.read_line(&mut header)?;
            if header.trim().is_empty() {
                break;
            }
            if let Some(value) = header.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse()?;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let body: Value = serde_json::from_slice(&body).unwrap_or_default();
        let (kind, answer) = match path.as_str() {
            "/" => ("text/html", PAGE.to_owned()),
            "/offer" => ("application/json", self.offer(&body)?.to_string()),
            "/resize" => {
                let side = |name: &str| body[name].as_u64().and_then(|it| u32::try_from(it).ok());
                let size = side("width").zip(side("height")).ok_or("no size")?;
                self.desktop.resize(Size::new(size.0, size.1), 1.0);
                ("application/json", "{}".into())
            }
            "/input" => {
                self.desktop.inject(InputEvent::Text("x".into()));
                ("application/json", "{}".into())
            }
            "/result" => {
                memory("with the peer still there");
                self.verdict.send(body)?;
                ("application/json", "{}".into())
            }
            _ => ("text/plain", String::new()),
        };
        let length = answer.len();
        write!(
            stream,
            "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\
             Connection: close\r\n\r\n{answer}"
        )?;
        Ok(())
    }

    fn offer(&self, body: &Value) -> Result<Value, Box<dyn Error>> {
        let offer = Offer {
            sdp: body["sdp"].as_str().unwrap_or_default().into(),
            candidates: Vec::new(),
        };
        if std::env::var_os("SHOW_SDP").is_some() {
            println!("--- offer\n{}", offer.sdp);
        }
        let started = Instant::now();
        let answering = self.media.answer(&self.encoder, None, offer);
        let (peer, events, answer) = self.runtime.block_on(answering)?;
        let took = started.elapsed();
        memory("after the answer");
        if std::env::var_os("SHOW_SDP").is_some() {
            println!("--- answer\n{}", answer.sdp);
        }
        println!("offer -> answer {took:?}");
        let peer = Arc::new(peer);
        let mut peers = self.peers.lock().unwrap_or_else(PoisonError::into_inner);
        peers.push(Arc::clone(&peer));
        self.runtime.spawn(echo(peer, events));
        let candidates: Vec<_> = answer.candidates.iter().map(candidate).collect();
        println!("candidates {candidates:?}");
        Ok(
            json!({"type": "answer", "sdp": answer.sdp, "candidates": candidates,
            "answerMs": took.as_secs_f64() * 1e3}),
        )
    }
}

fn candidate(candidate: &Candidate) -> Value {
    json!({
        "candidate": candidate.candidate,
        "sdpMid": candidate.sdp_mid,
        "sdpMLineIndex": candidate.sdp_mline_index,
    })
}

/// Sends every message back; asks for a channel of its own when the first one opens.
async fn echo(peer: Arc<Peer>, mut events: PeerEvents) {
    let mut waiting: Vec<(String, bytes::Bytes)> = Vec::new();
    while let Some(event) = events.recv().await {
        match event {
            PeerEvent::ChannelOpened { label } => {
                println!("channel {label}");
                if label == "omux/control" {
                    let opened = peer.open_channel("omux/server", true, None);
                    println!("omux/server {opened:?}");
                }
            }
            PeerEvent::Message { label, data } => waiting.push((label, data)),
            PeerEvent::Writable { .. } => {}
            other => println!("{other:?}"),
        }
        waiting.retain(|(label, data)| peer.send(label, data.clone()) == Err(PeerSend::Full));
    }
}

fn headless(browser: &str, profile: &std::ffi::OsStr, url: &str) -> std::io::Result<Child> {
    let mut profile_flag = std::ffi::OsString::from("--user-data-dir=");
    profile_flag.push(profile);
    Command::new(browser)
        .args([
            "--headless=new",
            "--no-sandbox",
            "--no-first-run",
            "--disable-gpu",
            "--autoplay-policy=no-user-gesture-required",
        ])
        .arg(profile_flag)
        .arg(url)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
}

/// Prints what this process takes.
fn memory(when: &str) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let keys = ["VmRSS", "RssAnon", "Threads"];
    let lines = status
        .lines()
        .filter(|line| keys.iter().any(|key| line.starts_with(key)));
    let values: Vec<_> = lines
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    println!("{when}: {}", values.join(", "));
}

const PAGE: &str = include_str!("peer_page.html");
