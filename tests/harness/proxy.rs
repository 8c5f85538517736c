//! A network that a test can cut: a TCP proxy on loopback.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;

use anyhow::{Result, anyhow};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{oneshot, watch};

/// A proxy to one address. It ends, with all its connections, with this value.
pub struct Proxy {
    address: SocketAddr,
    /// Counts the cuts; every connection lives until the next.
    cuts: watch::Sender<u64>,
    /// Bytes that may still come down before the proxy cuts by itself.
    budget: Arc<AtomicU64>,
    /// Bytes that may still go up before nothing more does.
    up: Arc<AtomicU64>,
    /// Bytes that may still come down before nothing more does.
    down: Arc<AtomicU64>,
    /// Whether nobody gets through.
    closed: Arc<AtomicBool>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Proxy {
    /// Starts one.
    pub fn start(target: SocketAddr) -> Result<Self> {
        let (cuts, cut) = watch::channel(0);
        let (stop, stopped) = oneshot::channel();
        let (tell, told) = std::sync::mpsc::channel();
        let budget = Arc::new(AtomicU64::new(UNLIMITED));
        let up = Arc::new(AtomicU64::new(UNLIMITED));
        let down = Arc::new(AtomicU64::new(UNLIMITED));
        let closed = Arc::new(AtomicBool::new(false));
        let cutter = Cutter {
            cuts: cuts.clone(),
            budget: Arc::clone(&budget),
            up: Arc::clone(&up),
            down: Arc::clone(&down),
            closed: Arc::clone(&closed),
        };
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            let Ok(runtime) = runtime else { return };
            runtime.block_on(async {
                let Ok(listener) = TcpListener::bind("127.0.0.1:0").await else {
                    return;
                };
                drop(tell.send(listener.local_addr()));
                tokio::select! {
                    () = serve(listener, target, &cut, &cutter) => {}
                    _ = stopped => {}
                }
            });
        });
        let address = told
            .recv()
            .map_err(|_| anyhow!("the proxy did not start"))??;
        Ok(Self {
            address,
            cuts,
            budget,
            up,
            down,
            closed,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// Where clients connect.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Drops all connections now; new ones are taken.
    pub fn cut(&self) {
        self.cuts.send_modify(|cuts| *cuts += 1);
    }

    /// Drops all connections when that many further bytes have come down from the server.
    pub fn cut_after(&self, bytes: u64) {
        self.budget.store(bytes, Ordering::SeqCst);
    }

    /// Lets that many further bytes go up to the server, and then nothing more until the next cut.
    pub fn stall_after(&self, bytes: u64) {
        self.up.store(bytes, Ordering::SeqCst);
    }

    /// Lets that many further bytes come down, and then nothing more until the next cut.
    pub fn stall_down_after(&self, bytes: u64) {
        self.down.store(bytes, Ordering::SeqCst);
    }

    /// Drops all connections, and whoever comes until [`open`](Self::open).
    pub fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        self.cut();
    }

    /// Lets everybody through again.
    pub fn open(&self) {
        self.up.store(UNLIMITED, Ordering::SeqCst);
        self.down.store(UNLIMITED, Ordering::SeqCst);
        self.closed.store(false, Ordering::SeqCst);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

/// No cut is planned.
const UNLIMITED: u64 = u64::MAX;

#[derive(Clone)]
struct Cutter {
    cuts: watch::Sender<u64>,
    budget: Arc<AtomicU64>,
    up: Arc<AtomicU64>,
    down: Arc<AtomicU64>,
    closed: Arc<AtomicBool>,
}

impl Cutter {
    /// How many of so many bytes may pass; the last of them cuts.
    fn allow(&self, bytes: usize) -> (usize, bool) {
        let before = self.budget.load(Ordering::SeqCst);
        if before == UNLIMITED {
            return (bytes, false);
        }
        let left = before.saturating_sub(bytes as u64);
        self.budget
            .store(if left == 0 { UNLIMITED } else { left }, Ordering::SeqCst);
        let allowed = usize::try_from(before).unwrap_or(usize::MAX).min(bytes);
        (allowed, left == 0)
    }
}

/// How many of so many bytes are left in a budget, which they are taken from.
fn spend(budget: &AtomicU64, bytes: usize) -> usize {
    let before = budget.load(Ordering::SeqCst);
    if before == UNLIMITED {
        return bytes;
    }
    let allowed = usize::try_from(before).unwrap_or(usize::MAX).min(bytes);
    budget.store(before - allowed as u64, Ordering::SeqCst);
    allowed
}

async fn serve(
    listener: TcpListener,
    target: SocketAddr,
    cut: &watch::Receiver<u64>,
    cutter: &Cutter,
) {
    while let Ok((near, _)) = listener.accept().await {
        let mut cut = cut.clone();
        cut.mark_unchanged();
        if cutter.closed.load(Ordering::SeqCst) {
            continue;
        }
        let cutter = cutter.clone();
        tokio::spawn(async move {
            let Ok(far) = TcpStream::connect(target).await else {
                return;
            };
            tokio::select! {
                _ = pass(near, far, &cutter) => {}
                _ = cut.changed() => {}
            }
        });
    }
}

async fn pass(near: TcpStream, far: TcpStream, cutter: &Cutter) -> io::Result<()> {
    near.set_nodelay(true)?;
    far.set_nodelay(true)?;
    let (mut near_rx, mut near_tx) = near.into_split();
    let (mut far_rx, mut far_tx) = far.into_split();
    let up = async {
        let mut buffer = vec![0; 16 * 1024];
        loop {
            let count = near_rx.read(&mut buffer).await?;
            let allowed = spend(&cutter.up, count);
            far_tx
                .write_all(buffer.get(..allowed).unwrap_or_default())
                .await?;
            if allowed < count {
                std::future::pending::<()>().await;
            }
            if count == 0 {
                return Ok(());
            }
        }
    };
    let down = async {
        let mut buffer = vec![0; 16 * 1024];
        loop {
            let count = far_rx.read(&mut buffer).await?;
            let passed = spend(&cutter.down, count);
            let (allowed, last) = cutter.allow(passed);
            let part = buffer.get(..allowed).unwrap_or_default();
            near_tx.write_all(part).await?;
            if passed < count {
                std::future::pending::<()>().await;
            }
            if last {
                cutter.cuts.send_modify(|cuts| *cuts += 1);
            }
            if count == 0 || last {
                return Ok(());
            }
        }
    };
    tokio::select! {
        done = up => done,
        done = down => done,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use std::io::{Read as _, Write as _};

    use super::*;

    #[test]
    fn a_planned_cut_lets_exactly_so_many_bytes_through() {
        let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let target = server.local_addr().unwrap();
        std::thread::spawn(move || {
            for stream in server.incoming() {
                let mut stream = stream.unwrap();
                let mut byte = [0];
                stream.read_exact(&mut byte).unwrap();
                // The one who was cut off takes no more.
                drop(stream.write_all(&[byte[0]; 100_000]));
            }
        });
        let proxy = Proxy::start(target).unwrap();
        let get = |byte: u8| {
            let mut stream = std::net::TcpStream::connect(proxy.address()).unwrap();
            stream.write_all(&[byte]).unwrap();
            let mut got = Vec::new();
            // A reset is an end as good as another.
            drop(stream.read_to_end(&mut got));
            got
        };
        assert_eq!(get(1), vec![1; 100_000]);
        proxy.cut_after(40_003);
        assert_eq!(get(2), vec![2; 40_003]);
        assert_eq!(get(3), vec![3; 100_000], "only once");
    }
}
