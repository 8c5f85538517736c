//! The order in which we try to prove who we are.

use bytes::Bytes;
use vroom_protocol::terminal::{
    AuthMethod, AuthRequest, Challenge, ClientEvent, PublicKeyProof, Server, signed_data,
};

use super::control::Control;
use super::keys::{Candidate, KeySources, signature_algorithm};
use crate::error::Error;
use crate::remote::Remote;
use crate::ui::Ui;

/// Proves to a server who we are, as often as needed.
#[derive(Debug)]
pub struct Prover {
    user: Option<String>,
    host: String,
    sources: KeySources,
    ui: Ui,
    /// The key that was taken, which is tried first the next time, unlocked already.
    taken: Option<Candidate>,
}

/// What became of one attempt.
enum Answer {
    Accepted(String),
    Refused(Vec<String>),
}

impl Prover {
    /// Proves to be a user; none is whoever the server takes us for.
    #[must_use]
    pub fn new(user: Option<String>, host: String, sources: KeySources, ui: Ui) -> Self {
        Self {
            user,
            host,
            sources,
            ui,
            taken: None,
        }
    }

    /// Runs the stage of authentication on a terminal that has come to it; returns who we are.
    pub async fn prove(&mut self, remote: &Remote, control: &mut Control) -> Result<String, Error> {
        let mut methods: Option<Vec<String>> = None;
        let mut refused: u8 = 0;
        if remote.user().is_some() {
            match self.attempt(control, AuthMethod::Inherit).await? {
                Answer::Accepted(user) => return Ok(user),
                Answer::Refused(left) => {
                    refused += 1;
                    methods = Some(left);
                }
            }
        }
        if may(methods.as_deref(), PUBLIC_KEY) {
            let taken = self.taken.take();
            let candidates = match taken {
                Some(taken) => vec![taken],
                None => self.sources.candidates(&self.ui).await,
            };
            for mut candidate in candidates {
                match self.try_key(remote, control, &mut candidate).await {
                    Ok(Some(Answer::Accepted(user))) => {
                        self.taken = Some(candidate);
                        return Ok(user);
                    }
                    Ok(Some(Answer::Refused(left))) => {
                        refused += 1;
                        let done = !may(Some(&left), PUBLIC_KEY);
                        methods = Some(left);
                        if done {
                            break;
                        }
                    }
                    Ok(None) => {}
                    // One that hangs up now has refused this one, too.
                    Err(Error::Lost | Error::Ended { .. })
                        if refused + 1 >= Server::AUTH_FAILURES_MAX =>
                    {
                        return Err(Error::Declined(TOO_MANY_KEYS.to_owned()));
                    }
                    Err(error) => return Err(error),
                }
            }
        }
        self.ask(control, methods).await
    }

    /// Tries one key; `None` when it cannot be used.
    async fn try_key(
        &self,
        remote: &Remote,
        control: &mut Control,
        candidate: &mut Candidate,
    ) -> Result<Option<Answer>, Error> {
        let key = match candidate.public(&self.ui).await {
            Ok(key) => key,
            Err(error) => {
                self.ui.notice(&error.to_string());
                return Ok(None);
            }
        };
        let Some(algorithm) = signature_algorithm(&key).map(str::to_owned) else {
            return Ok(None);
        };
        self.ui
            .verbose(&format!("trying the key {}", candidate.name));
        let method = |proof| AuthMethod::PublicKey {
            algorithm: algorithm.clone(),
            key: key.clone(),
            proof,
        };
        // A signature is about a user: without a name, the server could not know which is meant.
        let user = self.user.clone().or_else(local_user).unwrap_or_default();
        self.send_as(control, &user, method(None))?;
        let nonce = match self.answer(control).await? {
            ClientEvent::Challenged(Challenge::Nonce(nonce)) => nonce,
            other => return settled(other).map(Some),
        };
        let data = signed_data(&nonce, &remote.binding(), &user, &key);
        let signature = match candidate.sign(&data, &self.ui).await {
            Ok(signature) => signature,
            Err(error) => {
                self.ui.notice(&format!("{}: {error}", candidate.name));
                // The server waits for this step; an empty signature ends it.
                Bytes::new()
            }
        };
        let proof = PublicKeyProof { nonce, signature };
        self.send_as(control, &user, method(Some(proof)))?;
        let event = self.answer(control).await?;
        settled(event).map(Some)
    }

    /// Asks the person for a one-time code, or for the token.
    async fn ask(
        &self,
        control: &mut Control,
        methods: Option<Vec<String>>,
    ) -> Result<String, Error> {
        let mut methods = methods;
        for _ in 0..ASK_MAX {
            let (code, token) = (
                may(methods.as_deref(), PAIRING),
                may(methods.as_deref(), TOKEN),
            );
            if !(code || token) {
                break;
            }
            let Ok(secret) = ask_for_login(&self.ui, &self.host).await else {
                break;
            };
            let method = match secret {
                Login::Code(digits) if code => AuthMethod::Pairing(digits),
                Login::Code(text) | Login::Token(text) => AuthMethod::Token(text),
            };
            match self.attempt(control, method).await? {
                Answer::Accepted(user) => return Ok(user),
                Answer::Refused(left) => methods = Some(left),
            }
        }
        Err(Error::Denied(methods.unwrap_or_default().join(",")))
    }

    async fn attempt(&self, control: &mut Control, method: AuthMethod) -> Result<Answer, Error> {
        self.send(control, method)?;
        settled(self.answer(control).await?)
    }

    fn send(&self, control: &mut Control, method: AuthMethod) -> Result<(), Error> {
        let request = AuthRequest {
            user: self.user.clone(),
            method,
        };
        control.step(|client, now| client.authenticate(now, request))
    }

    fn send_as(&self, control: &mut Control, user: &str, method: AuthMethod) -> Result<(), Error> {
        let request = AuthRequest {
            user: Some(user.to_owned()),
            method,
        };
        control.step(|client, now| client.authenticate(now, request))
    }

    async fn answer(&self, control: &mut Control) -> Result<ClientEvent, Error> {
        loop {
            match control.event().await? {
                ClientEvent::PeerError(error) => {
                    let reason = error.reason.unwrap_or_default();
                    self.ui.verbose(&format!("the server says: {reason}"));
                }
                ClientEvent::Closed { code, reason } => {
                    return Err(Error::Ended { code, reason });
                }
                event => return Ok(event),
            }
        }
    }
}

/// What a person typed to be let in.
#[derive(Debug)]
pub(crate) enum Login {
    /// A one-time code.
    Code(String),
    /// The token of the server.
    Token(String),
}

/// Asks the person for a one-time code or the token of a server; neither is shown.
pub(crate) async fn ask_for_login(ui: &Ui, host: &str) -> Result<Login, Error> {
    let prompt = format!("Code or token of {host} (`vroomd pair` there prints a code): ");
    let typed = ui.ask_secret(&prompt).await?;
    let typed = typed.trim().to_owned();
    if typed.is_empty() {
        return Err(Error::Declined("nothing was typed".to_owned()));
    }
    // People read long numbers in groups.
    let is_code = typed
        .bytes()
        .all(|byte| matches!(byte, b'0'..=b'9' | b' ' | b'-'));
    Ok(if is_code {
        Login::Code(typed)
    } else {
        Login::Token(typed)
    })
}

/// The name of the user of this process, as ssh takes it for the name there.
fn local_user() -> Option<String> {
    let uid = rustix::process::getuid().as_raw();
    let accounts = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let named = accounts.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, _, id) = (fields.next()?, fields.next()?, fields.next()?);
        (id.parse() == Ok(uid)).then(|| name.to_owned())
    });
    // Accounts of a directory service stand in no file.
    named.or_else(|| {
        std::env::var("LOGNAME")
            .ok()
            .filter(|name| !name.is_empty())
    })
}

fn settled(event: ClientEvent) -> Result<Answer, Error> {
    match event {
        ClientEvent::Authenticated { user } => Ok(Answer::Accepted(user)),
        ClientEvent::AuthFailed { methods, .. } => Ok(Answer::Refused(methods)),
        _ => Err(Error::PeerMisbehaved(
            "that is no answer to the attempt to log in".to_owned(),
        )),
    }
}

/// Whether a method may be tried: the server takes it, or did not say yet.
fn may(methods: Option<&[String]>, method: &str) -> bool {
    methods.is_none_or(|methods| methods.iter().any(|name| name == method))
}

const PUBLIC_KEY: &str = "publickey";
const PAIRING: &str = "pairing";
const TOKEN: &str = "token";

/// How often the person is asked; the server ends it earlier.
const ASK_MAX: u32 = 3;

/// What is said when the right key was not among the first.
const TOO_MANY_KEYS: &str = "the server refused the first keys that were offered and takes no more of them; \
    name the right one with -i";
