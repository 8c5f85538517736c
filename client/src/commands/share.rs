//! `vroom share`.

use std::fmt::Write as _;
use std::time::{Duration, SystemTime};

use vroom_protocol::graphical::Role;
use vroom_protocol::terminal::{
    Capabilities, ChannelName, ClientEvent, Extensions, Plane, PtyRequest, ShareAction,
    ShareRequest, ShareState,
};

use super::{Failure, connect, find, host_and_name, plain, print};
use crate::auth::Control;
use crate::cli::Share;
use crate::error::Error;
use crate::settings::Settings;
use crate::term::authenticate;

/// Makes, lists or withdraws links to a terminal.
pub(super) async fn run(share: Share) -> Result<(), Failure> {
    let ttl = duration(&share.ttl).ok_or_else(|| {
        Failure::usage(format!(
            "{:?} is not a time; write 90s, 30m, 8h or 7d",
            share.ttl
        ))
    })?;
    let (host, named) = host_and_name(&share.terminal, &share.server.host);
    let (settings, remote) = connect(host, &share.server.connect).await?;
    let entries = remote.sessions().await?;
    let terminal = find(&entries, named)?.session_id.clone();
    let name = ChannelName {
        plane: Plane::Control,
        key: Some("share".to_owned()),
    };
    let capabilities = Capabilities {
        extensions: Some(Extensions {
            flow_control: Some(true),
            sharing: Some(true),
            ..Extensions::default()
        }),
        ..Capabilities::default()
    };
    let mut prover = settings.prover();
    let (mut control, _) = authenticate(&remote, &mut prover, &name, capabilities).await?;
    if !control.client().has_sharing() {
        return Err(Failure::new("the server does not share terminals"));
    }
    let request = PtyRequest {
        attach: Some(terminal.clone()),
        ..PtyRequest::default()
    };
    control.step(|client, now| client.request_pty(now, request))?;
    join(&mut control).await?;
    // Without its channel the terminal is not joined, and nothing is told.
    let pty = remote.open(&name.sibling(Plane::Pty).to_string()).await?;
    control.pty_opened();
    let action = match (&share.revoke, share.list) {
        (Some(link), _) => Some(ShareAction::Revoke { link: link.clone() }),
        (None, true) => None,
        (None, false) => Some(ShareAction::Invite {
            ttl_s: ttl,
            uses: share.uses,
            role: Role::Viewer,
        }),
    };
    let text = match action {
        Some(action) => {
            let id = Some(REFERENCE);
            control.step(|client, now| client.share(now, ShareRequest { action, id }))?;
            let state = answer(&mut control, |state| state.reference == id).await?;
            made(&state, share.revoke.as_deref(), &settings)?
        }
        None => listing(&answer(&mut control, |_| true).await?),
    };
    drop(pty);
    remote.close("").await;
    print(&text)
}

/// Waits until the server has let us look at the terminal.
async fn join(control: &mut Control) -> Result<(), Error> {
    loop {
        match control.event().await? {
            ClientEvent::PtyGranted(_) => return Ok(()),
            ClientEvent::PtyDenied(denial) => {
                return Err(Error::Refused {
                    what: "to share the terminal".to_owned(),
                    code: denial.code,
                    reason: denial.reason.unwrap_or_default(),
                });
            }
            ClientEvent::Closed { code, reason } => return Err(Error::Ended { code, reason }),
            _ => {}
        }
    }
}

/// Waits for the state that answers us.
async fn answer(
    control: &mut Control,
    is_ours: impl Fn(&ShareState) -> bool,
) -> Result<ShareState, Error> {
    let wait = async {
        loop {
            match control.event().await? {
                ClientEvent::ShareState(state) if is_ours(&state) => return Ok(state),
                ClientEvent::PeerError(error) => {
                    return Err(Error::Refused {
                        what: "that".to_owned(),
                        code: error.code,
                        reason: error.reason.unwrap_or_default(),
                    });
                }
                ClientEvent::Closed { code, reason } => {
                    return Err(Error::Ended { code, reason });
                }
                _ => {}
            }
        }
    };
    tokio::time::timeout(ANSWER, wait)
        .await
        .unwrap_or_else(|_| Err(Error::PeerMisbehaved("it does not answer SHARE".to_owned())))
}

/// What is printed when a link was made or withdrawn.
fn made(state: &ShareState, revoked: Option<&str>, settings: &Settings) -> Result<String, Error> {
    if let Some(reason) = &state.reason {
        return Err(Error::Declined(plain(reason)));
    }
    match (&state.invited, revoked) {
        (Some(invitation), _) => {
            let url = plain(&invitation.url);
            // A server may not know by what name it is reached; we do.
            let page = settings.plan.page().filter(|_| url.starts_with('/'));
            Ok(format!("{}{url}\n", page.unwrap_or_default()))
        }
        (None, Some(link)) => Ok(format!("The link {} is withdrawn.\n", plain(link))),
        (None, None) => Err(Error::PeerMisbehaved("it made no link".to_owned())),
    }
}

fn listing(state: &ShareState) -> String {
    let links = state.links.as_deref().unwrap_or_default();
    if links.is_empty() {
        return "There are no links to this terminal.\n".to_owned();
    }
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let now = now.unwrap_or(Duration::ZERO).as_secs();
    let mut text = format!("{:<24}  {:<8}  {:<10}  USED\n", "LINK", "ROLE", "ENDS IN");
    for link in links {
        let left = link.expires.saturating_sub(now);
        let uses = match link.uses {
            Some(left) => format!("{}, {left} left", link.used),
            None => link.used.to_string(),
        };
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "{:<24}  {:<8}  {:<10}  {uses}",
            plain(&link.id),
            link.role.name(),
            format!("{} min", left.div_ceil(60)),
        );
    }
    text
}

/// Reads a time like 90s, 30m, 8h or 7d, in seconds.
fn duration(text: &str) -> Option<u32> {
    let (number, unit) = match text.char_indices().next_back()? {
        (at, 's') => (text.get(..at)?, 1),
        (at, 'm') => (text.get(..at)?, 60),
        (at, 'h') => (text.get(..at)?, 3600),
        (at, 'd') => (text.get(..at)?, 86_400),
        _ => (text, 1),
    };
    let number: u32 = number.parse().ok()?;
    number.checked_mul(unit).filter(|seconds| *seconds > 0)
}

/// Names our one request.
const REFERENCE: u64 = 1;

/// How long the server may take to answer.
const ANSWER: Duration = Duration::from_secs(20);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units() {
        assert_eq!(duration("90s"), Some(90));
        assert_eq!(duration("30m"), Some(1800));
        assert_eq!(duration("7d"), Some(604_800));
        assert_eq!(duration("5"), Some(5));
        for wrong in ["", "0m", "m", "-1h", "1w", "99999999d"] {
            assert_eq!(duration(wrong), None, "{wrong}");
        }
    }
}
