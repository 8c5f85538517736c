//! Orders to the running server, from its own user on its own machine.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;
use tokio::time::timeout;

use crate::daemon::{Daemon, ended};
use crate::listen::{UnixSocket, peer};
use crate::pairing;
use crate::state_dir::control_socket;

/// What the server is told to do; one line of JSON.
#[derive(Debug, Deserialize, Serialize)]
#[serde(tag = "order", rename_all = "lowercase")]
enum Order {
    /// Make a pairing code.
    Pair,
}

/// What it answers; one line of JSON.
#[derive(Deserialize, Serialize)]
#[serde(untagged)]
enum Answer {
    /// A pairing code.
    Code {
        /// The digits.
        code: String,
        /// How many seconds it works.
        seconds: u64,
    },
    /// It could not be done.
    Error {
        /// Why.
        error: String,
    },
}

/// Takes orders until the server ends, one connection after the other.
pub(crate) async fn serve(daemon: Arc<Daemon>, socket: UnixSocket) {
    let mut ending = daemon.ending.subscribe();
    loop {
        let accepted = tokio::select! {
            accepted = socket.accept() => accepted,
            () = ended(&mut ending) => return,
        };
        let obeyed = match accepted {
            Ok(stream) => timeout(PATIENCE, obey(&daemon, stream)).await,
            Err(error) => {
                tracing::warn!(%error, "an order could not be taken");
                tokio::time::sleep(RECOVERY).await;
                continue;
            }
        };
        match obeyed {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(%error, "an order broke off"),
            Err(_) => tracing::debug!("an order took too long"),
        }
    }
}

async fn obey(daemon: &Daemon, mut stream: UnixStream) -> io::Result<()> {
    daemon
        .auth
        .peer(peer(&stream)?)
        .map_err(|_| io::ErrorKind::PermissionDenied)?;
    let (read, mut write) = stream.split();
    let mut line = String::new();
    BufReader::new(read.take(LINE_BYTES))
        .read_line(&mut line)
        .await?;
    let answer = match serde_json::from_str(&line) {
        Ok(Order::Pair) => Answer::Code {
            code: daemon.auth.make_code(Instant::now())?,
            seconds: pairing::LIFETIME.as_secs(),
        },
        Err(error) => Answer::Error {
            error: error.to_string(),
        },
    };
    let mut answer = serde_json::to_string(&answer)?;
    answer.push('\n');
    write.write_all(answer.as_bytes()).await
}

/// Asks the running server for a pairing code; returns it and how many seconds it works.
///
/// # Errors
///
/// When no server of this user runs, or it has no code to give.
pub async fn ask_for_code(state_dir: Option<&Path>) -> anyhow::Result<(String, u64)> {
    let path = control_socket(state_dir)?;
    let exchange = async {
        let mut stream = UnixStream::connect(&path).await.with_context(|| {
            format!(
                "no vroomd of yours listens on {}; start it first",
                path.display()
            )
        })?;
        let mut order = serde_json::to_string(&Order::Pair)?;
        order.push('\n');
        stream.write_all(order.as_bytes()).await?;
        let mut line = String::new();
        BufReader::new(stream.take(LINE_BYTES))
            .read_line(&mut line)
            .await?;
        match serde_json::from_str(&line).context("the answer makes no sense")? {
            Answer::Code { code, seconds } => Ok((code, seconds)),
            Answer::Error { error } => anyhow::bail!(error),
        }
    };
    timeout(PATIENCE, exchange)
        .await
        .context("vroomd does not answer")?
}

/// How long one order may take; then its connection is closed.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long to wait after a connection could not be accepted.
const RECOVERY: Duration = Duration::from_millis(50);

/// The longest order or answer; the rest is not read.
const LINE_BYTES: u64 = 4096;
