//! `vroom login` and `vroom logout`.

use std::io::{self, Read as _};
use std::path::Path;

use serde::Deserialize;
use serde_json::json;

use super::Failure;
use crate::auth::credentials::{Credentials, Saved};
use crate::auth::{Login, ask_for_login};
use crate::cli;
use crate::error::Error;
use crate::remote::Remote;
use crate::settings::Settings;

/// Saves a login.
pub(super) async fn login(login: cli::Login) -> Result<(), Failure> {
    let settings = Settings::resolve(&login.host, login.connect.port, &login.connect.reach)?;
    let credentials = credentials()?;
    let saved = match (&login.pair, &login.token_file) {
        (Some(code), _) => pair(&settings, code).await?,
        (None, Some(path)) => Saved::Token(read_token(path)?),
        (None, None) => match ask_for_login(&settings.ui, &settings.plan.name).await? {
            Login::Code(code) => pair(&settings, &code).await?,
            Login::Token(token) => Saved::Token(token),
        },
    };
    // Saved only when the server takes it.
    let dialer = settings.dialer(None)?.saved(Some(saved.clone()));
    let remote = Remote::connect(dialer, false).await?;
    let user = remote.user();
    remote.close("").await;
    let Some(user) = user else {
        return Err(Failure::new("the server does not take that login"));
    };
    let name = settings.known_as();
    credentials.set(&name, saved)?;
    settings.ui.notice(&format!(
        "Logged in to {name} as {user}; kept in {}.",
        credentials.path().display()
    ));
    Ok(())
}

/// Forgets a login.
pub(super) fn logout(logout: &cli::Logout) -> Result<(), Failure> {
    let settings = Settings::resolve(&logout.host, logout.connect.port, &logout.connect.reach)?;
    let name = settings.known_as();
    let text = if credentials()?.remove(&name)? {
        format!("The login for {name} is forgotten.")
    } else {
        format!("There was no login for {name}.")
    };
    settings.ui.notice(&text);
    Ok(())
}

fn credentials() -> Result<Credentials, Failure> {
    Credentials::usual()
        .ok_or_else(|| Failure::new("there is no place for logins: set HOME or XDG_CONFIG_HOME"))
}

/// Exchanges a one-time code for a session key.
async fn pair(settings: &Settings, code: &str) -> Result<Saved, Failure> {
    #[derive(Deserialize)]
    struct Answer {
        session: String,
    }
    let body = json!({ "code": code.trim() });
    let mut dialer = settings.dialer(None)?;
    let (status, answer) = dialer.post("/pair", body.to_string().as_bytes()).await?;
    match status {
        200 => {
            let answer: Answer = serde_json::from_slice(&answer)
                .map_err(|_| Failure::new("the server's answer cannot be read"))?;
            Ok(Saved::Session(answer.session))
        }
        404 | 405 => Err(Failure::new("the server knows no pairing codes")),
        429 => Err(Failure::new("too many wrong codes; try again later")),
        _ => Err(Failure::new(Error::Denied(
            "the code is wrong, used, or too old; `vroomd pair` prints another".to_owned(),
        ))),
    }
}

fn read_token(path: &Path) -> Result<String, Failure> {
    let mut token = String::new();
    let read = if path == Path::new("-") {
        io::stdin().read_to_string(&mut token).map(drop)
    } else {
        std::fs::read_to_string(path).map(|text| token = text)
    };
    read.map_err(|error| Failure::new(format!("cannot read {}: {error}", path.display())))?;
    let token = token.trim().to_owned();
    if token.is_empty() {
        return Err(Failure::new(format!("{} holds no token", path.display())));
    }
    Ok(token)
}
