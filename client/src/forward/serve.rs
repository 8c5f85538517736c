//! Connections that came to the other side and lead here.

use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;
use vroom_protocol::Code;
use vroom_protocol::forward::{ConnectionAck, ConnectionName, Endpoint, ForwardCode};

use super::hub::{Kind, Shared, WAITING_BYTES};
use super::pipe;
use crate::net::Io;
use crate::options::Consent;
use crate::remote::Incoming;

/// Answers the channels that the server asks for.
pub(super) async fn run(shared: Arc<Shared>) {
    loop {
        let incoming = shared.remote.incoming().await;
        tokio::spawn(answer(Arc::clone(&shared), incoming));
    }
}

async fn answer(shared: Arc<Shared>, incoming: Incoming) {
    let name = ConnectionName::parse(&incoming.name);
    let kind = name.and_then(|name| shared.kind(name.forward));
    let (Some(name), Some(kind)) = (name, kind) else {
        let reason = "nothing here is forwarded by that name";
        return shared
            .remote
            .reject(incoming.request, Code::UNSUPPORTED, reason);
    };
    let reached = match kind {
        Kind::Here => Err((
            ForwardCode::INVALID_ADDRESS,
            "this forward leads the other way".to_owned(),
        )),
        Kind::There(target) => connect(&target)
            .await
            .map(|stream| (stream, target.to_string())),
        Kind::Agent(agent, consent) => {
            // Who asks is told on the other channel.
            let announced = shared.announced(&incoming.name).await;
            if consented(&shared, consent, announced.as_ref()).await {
                let target = Endpoint::unix(agent.path().to_string_lossy());
                connect(&target)
                    .await
                    .map(|stream| (stream, "the agent".to_owned()))
            } else {
                Err((
                    ForwardCode::PERMISSION_DENIED,
                    "the person did not consent".to_owned(),
                ))
            }
        }
    };
    let channel_name = incoming.name.clone();
    let acknowledge = |outcome| {
        shared.acknowledge(ConnectionAck {
            forward_id: name.forward,
            channel_name: channel_name.clone(),
            outcome,
        });
    };
    match reached {
        Ok((stream, leads_to)) => {
            acknowledge(Ok(()));
            let noted = shared.note(&channel_name, format!("from there to {leads_to}"));
            if let Ok(channel) = shared.remote.accept_bounded(incoming, WAITING_BYTES).await {
                pipe::pipe(stream, channel).await;
            }
            drop(noted);
        }
        Err((code, reason)) => {
            shared.ui.verbose(&format!("{channel_name}: {reason}"));
            let mux_code = match code {
                ForwardCode::PERMISSION_DENIED => Code::NOT_ALLOWED,
                _ => Code::NO_SUCH_TARGET,
            };
            shared.remote.reject(incoming.request, mux_code, &reason);
            acknowledge(Err((code, reason)));
        }
    }
}

/// Whether a program there may use the agent here, this once.
async fn consented(
    shared: &Shared,
    consent: Consent,
    connection: Option<&vroom_protocol::forward::ForwardConnection>,
) -> bool {
    match consent {
        Consent::Yes => true,
        Consent::No => false,
        Consent::Ask => {
            let who = connection
                .filter(|connection| !connection.source_address.is_empty())
                .map_or_else(
                    || "A program".to_owned(),
                    |connection| {
                        let name: String = connection
                            .source_address
                            .chars()
                            .filter(|c| !c.is_control())
                            .take(NAME_CHARS_MAX)
                            .collect();
                        format!("{name} ({})", connection.source_port)
                    },
                );
            let question = format!("{who} on the server wants to use your keys. Allow it once?");
            let asked = shared.ui.confirm(&question);
            timeout(CONSENT, asked).await.unwrap_or(false)
        }
    }
}

async fn connect(target: &Endpoint) -> Result<Box<dyn Io>, (ForwardCode, String)> {
    let connected = timeout(CONNECT, async {
        match target.unix_path() {
            Some(path) => {
                let stream: Box<dyn Io> = Box::new(UnixStream::connect(path).await?);
                Ok(stream)
            }
            None => {
                let stream = TcpStream::connect((target.address.as_str(), target.port)).await?;
                stream.set_nodelay(true)?;
                let stream: Box<dyn Io> = Box::new(stream);
                Ok(stream)
            }
        }
    });
    match connected.await {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(error)) => {
            let error: std::io::Error = error;
            Err((ForwardCode::CONNECT_FAILED, error.to_string()))
        }
        Err(_) => Err((ForwardCode::CONNECT_FAILED, "no answer".to_owned())),
    }
}

/// How long connecting to a target may take.
const CONNECT: Duration = Duration::from_secs(20);

/// How long the person may think about it; then it is no.
const CONSENT: Duration = Duration::from_secs(60);

/// The longest name of a program that is shown.
const NAME_CHARS_MAX: usize = 64;
