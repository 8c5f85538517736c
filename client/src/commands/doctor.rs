//! `vroom doctor`: what is needed to connect, looked at one by one.

use std::fmt;
use std::io::{self, Write as _};
use std::process::ExitCode;
use std::time::Instant;

use super::{Failure, log_in, shell};
use crate::auth::Agent;
use crate::auth::credentials::Credentials;
use crate::cli::Doctor;
use crate::config::Config;
use crate::remote::{LinkState, Remote};
use crate::settings::Settings;

/// Looks at everything, and ends with 1 when something is wrong.
pub(super) async fn run(doctor: Doctor) -> Result<ExitCode, Failure> {
    let mut report = Report::default();
    match Config::load(doctor.connect.reach.config.as_deref()) {
        Ok(config) => report.good(
            "configuration",
            format!("{} hosts have names", config.aliases().count()),
        ),
        Err(error) => report.bad("configuration", error, "correct the file"),
    }
    match Credentials::usual() {
        Some(credentials) => match credentials.get("") {
            Ok(_) => report.good("logins", credentials.path().display()),
            Err(error) => report.bad("logins", error, "see above"),
        },
        None => report.bad(
            "logins",
            "there is no place for them",
            "set HOME or XDG_CONFIG_HOME",
        ),
    }
    check_agent(&mut report).await;
    check_terminal(&mut report).await;
    if let Some(host) = &doctor.host {
        check_server(&mut report, host, &doctor).await;
    }
    report.print().map_err(Failure::new)?;
    Ok(if report.is_good {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(super::FAILED)
    })
}

async fn check_agent(report: &mut Report) {
    let Some(agent) = Agent::of_environment() else {
        return report.good("ssh-agent", "none runs here; key files are used");
    };
    match agent.identities().await {
        Ok(keys) if keys.is_empty() => report.good("ssh-agent", "it holds no keys (ssh-add adds)"),
        Ok(keys) => report.good("ssh-agent", format!("it holds {} keys", keys.len())),
        Err(error) => report.bad(
            "ssh-agent",
            format!("{}: {error}", agent.path().display()),
            "start it, or unset SSH_AUTH_SOCK",
        ),
    }
}

async fn check_terminal(report: &mut Report) {
    let term = std::env::var("TERM").unwrap_or_default();
    if term.is_empty() {
        return report.bad("terminal", "TERM is not set", "run this in a terminal");
    }
    match shell::Front::take(true, false).await {
        Ok(front) => report.good("terminal", format!("{term}; {}", front.describe())),
        Err(error) => report.bad("terminal", error, "run this in a terminal"),
    }
}

async fn check_server(report: &mut Report, host: &str, doctor: &Doctor) {
    let settings = match Settings::resolve(host, doctor.connect.port, &doctor.connect.reach) {
        Ok(settings) => settings,
        Err(error) => return report.bad("server", error, "name it as [user@]host[:port]"),
    };
    let started = Instant::now();
    let remote = match settings.connect(false).await {
        Ok(remote) => remote,
        Err(error) => {
            let advice = "look whether vroomd runs there, the port is right and open, and the \
                          name is spelled right";
            return report.bad("server", error, advice);
        }
    };
    let took = started.elapsed().as_millis();
    report.good(
        "server",
        format!("{} answers in {took} ms", settings.known_as()),
    );
    match log_in(&settings, &remote).await {
        Ok(()) => report.good(
            "login",
            remote.user().unwrap_or_else(|| "by key".to_owned()),
        ),
        Err(error) => {
            let advice = "log in with `vroom login`, or put your key into ~/.ssh/authorized_keys \
                          there";
            report.bad("login", error, advice);
        }
    }
    measure(report, &remote).await;
    for (extension, what) in EXTENSIONS {
        if remote.has_extension(extension) {
            report.good(what, "the server has it");
        } else {
            report.bad(what, "the server does not have it", "update vroomd");
        }
    }
    if matches!(&*remote.link().borrow(), LinkState::Ended(_)) {
        report.bad("connection", "it did not last", "see the log of vroomd");
    }
    remote.close("").await;
}

async fn measure(report: &mut Report, remote: &Remote) {
    // Measured by the time that the server answered something else.
    drop(remote.sessions().await);
    match remote.rtt() {
        Some(rtt) => report.good(
            "round trip",
            format!("{:.1} ms", rtt.as_secs_f64() * 1000.0),
        ),
        None => report.good("round trip", "not measured"),
    }
}

/// What was found.
#[derive(Debug)]
struct Report {
    lines: Vec<String>,
    is_good: bool,
}

impl Default for Report {
    fn default() -> Self {
        Self {
            lines: Vec::new(),
            is_good: true,
        }
    }
}

impl Report {
    fn good(&mut self, what: &str, found: impl fmt::Display) {
        self.lines.push(format!("ok    {what:<18} {found}"));
    }

    fn bad(&mut self, what: &str, found: impl fmt::Display, advice: &str) {
        self.is_good = false;
        self.lines.push(format!("WRONG {what:<18} {found}"));
        self.lines.push(format!("      {:<18} -> {advice}", ""));
    }

    fn print(&self) -> io::Result<()> {
        let mut out = io::stdout().lock();
        for line in &self.lines {
            let line: String = line.chars().filter(|c| !c.is_control()).collect();
            writeln!(out, "{line}")?;
        }
        out.flush()
    }
}

/// What a server should have, and what it is good for.
const EXTENSIONS: [(&str, &str); 4] = [
    ("session-resume", "going on"),
    ("session-persistence", "staying terminals"),
    ("file-transfer", "copying"),
    ("port-forwarding", "forwarding"),
];
