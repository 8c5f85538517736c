//! From an open connection to a running program: the steps that the protocol asks for.

use vroom_protocol::terminal::{
    Capabilities, ChannelName, ClientConfig, ClientEvent, Environment, ExecRequest, Plane,
    PtyGrant, PtyRequest, ShellRequest,
};

use crate::auth::{Control, Prover};
use crate::error::Error;
use crate::remote::{Channel, Remote};
use crate::ui::Ui;

/// What is wanted of a terminal.
#[derive(Clone, Debug)]
pub struct Wish {
    /// The terminal to ask for, or to join; none for a program on pipes.
    pub pty: Option<PtyRequest>,
    /// The program; none for a shell.
    pub command: Option<String>,
    /// Variables for the program.
    pub variables: Vec<(String, String)>,
    /// What the person's terminal can do.
    pub capabilities: Capabilities,
}

/// A terminal that was agreed on and whose program runs.
#[derive(Debug)]
pub(super) struct Agreed {
    pub(super) control: Control,
    pub(super) pty: Channel,
    pub(super) stderr: Option<Channel>,
    /// None for a program on pipes.
    pub(super) grant: Option<PtyGrant>,
}

/// Brings the control channel of a new terminal to the point where we are known, and says as whom.
pub(crate) async fn authenticate(
    remote: &Remote,
    prover: &mut Prover,
    name: &ChannelName,
    capabilities: Capabilities,
) -> Result<(Control, String), Error> {
    let channel = remote.open(&name.to_string()).await?;
    let config = ClientConfig {
        capabilities,
        client: Some(concat!("vroom/", env!("CARGO_PKG_VERSION")).to_owned()),
        ..ClientConfig::default()
    };
    let mut control = Control::new(channel, config)?;
    loop {
        match control.event().await? {
            ClientEvent::Selected(_) => break,
            event => check(event)?,
        }
    }
    let user = prover.prove(remote, &mut control).await?;
    Ok((control, user))
}

/// Goes all the way to a running program.
pub(super) async fn agree(
    remote: &Remote,
    prover: &mut Prover,
    name: &ChannelName,
    wish: &Wish,
    ui: &Ui,
) -> Result<Agreed, Error> {
    let (mut control, _) = authenticate(remote, prover, name, wish.capabilities.clone()).await?;
    let pty_name = name.sibling(Plane::Pty).to_string();
    let Some(request) = &wish.pty else {
        let stderr = remote.open(&name.sibling(Plane::Stderr).to_string()).await;
        set_variables(&mut control, wish)?;
        let command = wish.command.clone().unwrap_or_default();
        control.step(|client, now| client.exec(now, ExecRequest::line(command)))?;
        let pty = remote.open(&pty_name).await?;
        control.pty_opened();
        return Ok(Agreed {
            control,
            pty,
            // Without a channel of its own it comes with the output.
            stderr: stderr.ok(),
            grant: None,
        });
    };
    control.step(|client, now| client.request_pty(now, request.clone()))?;
    let grant = loop {
        match control.event().await? {
            ClientEvent::PtyGranted(grant) => break grant,
            ClientEvent::PtyDenied(denial) => {
                return Err(Error::Refused {
                    what: match &request.attach {
                        Some(terminal) => format!("terminal {terminal}"),
                        None => "a terminal".to_owned(),
                    },
                    code: denial.code,
                    reason: denial.reason.unwrap_or_default(),
                });
            }
            event => check(event)?,
        }
    };
    let pty = remote.open(&pty_name).await?;
    control.pty_opened();
    if !grant.attached {
        set_variables(&mut control, wish)?;
        match &wish.command {
            Some(command) => {
                let request = ExecRequest::line(command.clone());
                control.step(|client, now| client.exec(now, request))?;
            }
            None => control.step(|client, now| client.shell(now, ShellRequest::default()))?,
        }
    }
    ui.verbose("the program runs");
    Ok(Agreed {
        control,
        pty,
        stderr: None,
        grant: Some(grant),
    })
}

fn set_variables(control: &mut Control, wish: &Wish) -> Result<(), Error> {
    if wish.variables.is_empty() {
        return Ok(());
    }
    let variables = Environment(wish.variables.clone());
    control.step(|client, now| client.set_env(now, variables))
}

/// What an event means that is none of the expected ones.
fn check(event: ClientEvent) -> Result<(), Error> {
    match event {
        ClientEvent::Closed { code, reason } => Err(Error::Ended { code, reason }),
        _ => Ok(()),
    }
}
