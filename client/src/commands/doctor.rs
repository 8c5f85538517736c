//! `vroom doctor`: what is needed to connect, looked at one by one.

use std::fmt;
use std::io::{self, IsTerminal as _, Write as _};
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use super::{Failure, log_in, shell};
use crate::auth::credentials::Credentials;
use crate::cli::Doctor;
use crate::config::Config;
use crate::error::Error;
use crate::paths;
use crate::remote::{LinkState, Remote};
use crate::settings::Settings;
use crate::trust::KnownHosts;
use crate::ui::in_words;

/// Looks at everything, and ends with 1 when something is wrong.
pub(super) async fn run(doctor: Doctor) -> Result<ExitCode, Failure> {
    let mut report = Report::default();
    report.good("vroom", env!("CARGO_PKG_VERSION"));
    check_files(&mut report, &doctor);
    let host = doctor.host.as_deref().unwrap_or("localhost");
    match Settings::resolve(host, doctor.connect.port, &doctor.connect.reach) {
        Ok(settings) => {
            check_keys(&mut report, &settings).await;
            check_terminal(&mut report).await;
            if doctor.host.is_some() {
                check_server(&mut report, &settings).await;
            }
        }
        Err(error) => report.bad("settings", error, "correct that and try again"),
    }
    line(&report.ending(doctor.host.is_some()));
    Ok(if report.wrong == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(super::FAILED)
    })
}

/// The files of this user: what they say, and that others cannot change that.
fn check_files(report: &mut Report, doctor: &Doctor) {
    let named = doctor.connect.reach.config.as_deref();
    match (paths::config_dir(), Config::load(named)) {
        (None, _) => report.bad(
            "configuration",
            "there is no place for it",
            "set HOME or XDG_CONFIG_HOME",
        ),
        (_, Err(error)) => report.bad("configuration", error, "correct the file"),
        (Some(dir), Ok(config)) => {
            let path = named.map_or_else(|| dir.join("config.toml"), Path::to_path_buf);
            let found = match (path.exists(), config.aliases().count()) {
                (false, _) => format!("none; {} is not there", path.display()),
                (true, 1) => format!("{}, 1 host", path.display()),
                (true, count) => format!("{}, {count} hosts", path.display()),
            };
            report.good("configuration", found);
            check_known_hosts(report, &dir.join("known_hosts"));
        }
    }
    if let Some(credentials) = Credentials::usual() {
        match credentials.count() {
            Ok(0) => report.good("logins", "none saved"),
            Ok(count) => report.good("logins", format!("{count} saved")),
            Err(error) => report.bad("logins", error, "`vroom login` makes a new one"),
        }
    }
}

fn check_known_hosts(report: &mut Report, path: &Path) {
    match KnownHosts::load(path) {
        Ok(known) => report.good("known hosts", format!("{} keys", known.len())),
        Err(error) => report.bad("known hosts", error, "correct or delete the file"),
    }
}

/// The keys that would be tried, and the agent.
async fn check_keys(report: &mut Report, settings: &Settings) {
    match settings.agent() {
        None => report.good("ssh-agent", "none; key files are used"),
        Some(agent) => match agent.identities().await {
            Ok(keys) if keys.is_empty() => report.note(
                "ssh-agent",
                "it holds no keys",
                "`ssh-add` adds yours, so that no passphrase is asked for",
            ),
            Ok(keys) => {
                let names: Vec<String> = keys.into_iter().map(|key| key.comment).collect();
                report.good("ssh-agent", names.join(", "));
            }
            Err(error) => report.bad(
                "ssh-agent",
                format!("{}: {error}", agent.path().display()),
                "start it anew, or unset SSH_AUTH_SOCK",
            ),
        },
    }
    let files = settings.key_files();
    let missing = files.iter().find(|path| !path.exists());
    match (missing, files.is_empty()) {
        (Some(path), _) => report.bad(
            "key files",
            format!("{} is not there", path.display()),
            "name another one with -i, or make it with ssh-keygen",
        ),
        (None, true) => report.note(
            "key files",
            "none",
            "`ssh-keygen -t ed25519` makes one; codes and tokens work without",
        ),
        (None, false) => {
            let names: Vec<String> = files
                .iter()
                .map(|path| path.display().to_string())
                .collect();
            report.good("key files", names.join(", "));
        }
    }
}

async fn check_terminal(report: &mut Report) {
    let language = ["LC_ALL", "LC_CTYPE", "LANG"]
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
        .unwrap_or_default();
    let is_unicode = language
        .to_ascii_lowercase()
        .replace('-', "")
        .contains("utf8");
    if is_unicode {
        report.good("language", &language);
    } else {
        let found = match language.as_str() {
            "" => "none is set",
            language => language,
        };
        report.note(
            "language",
            found,
            "set LANG=C.UTF-8, or letters beyond English may look wrong",
        );
    }
    let term = std::env::var("TERM").unwrap_or_default();
    if term.is_empty() {
        return report.note("terminal", "TERM is not set", "run this in a terminal");
    }
    if !(io::stdin().is_terminal() && io::stdout().is_terminal()) {
        return report.good("terminal", format!("{term}; not asked, since this is none"));
    }
    match shell::Front::take(true, false).await {
        Ok(front) => report.good("terminal", format!("{term}; {}", front.describe())),
        Err(error) => report.bad("terminal", error, "run this in a terminal"),
    }
}

async fn check_server(report: &mut Report, settings: &Settings) {
    let started = Instant::now();
    let remote = match settings.connect(false).await {
        Ok(remote) => remote,
        Err(error) => return report.bad("server", &error, advice(&error)),
    };
    let took = started.elapsed().as_millis();
    let name = settings.known_as();
    report.good("server", format!("{name} answers in {took} ms"));
    check_version(report, remote.server().as_deref());
    match log_in(settings, &remote).await {
        Ok(user) => report.good("login", format!("as {user}")),
        Err(error) => report.bad(
            "login",
            error,
            "`vroom login` saves a token or code; or add your key to ~/.ssh/authorized_keys there",
        ),
    }
    // By the time that this is answered, the way was measured.
    drop(remote.sessions().await);
    check_clock(report, &remote);
    if let Some(rtt) = remote.rtt() {
        let rtt_ms = rtt.as_secs_f64() * 1000.0;
        report.good("round trip", format!("{rtt_ms:.1} ms"));
    }
    for (extension, what) in EXTENSIONS {
        if remote.has_extension(extension) {
            report.good(what, "yes");
        } else {
            report.note(what, "the server does not have it", "update vroomd");
        }
    }
    if matches!(&*remote.link().borrow(), LinkState::Ended(_)) {
        report.bad("connection", "it did not last", "see the log of vroomd");
    }
    remote.close("").await;
}

fn check_version(report: &mut Report, server: Option<&str>) {
    let ours = env!("CARGO_PKG_VERSION");
    match server {
        Some(server) if server.rsplit('/').next() == Some(ours) => report.good("version", server),
        Some(server) => report.note(
            "version",
            format!("{server}, and this is vroom/{ours}"),
            "update the older one; what both know works",
        ),
        None => report.note(
            "version",
            "the server does not tell",
            "it is older than this vroom; update it",
        ),
    }
}

fn check_clock(report: &mut Report, remote: &Remote) {
    let Some(ahead_ms) = remote.clock_ahead_ms() else {
        return;
    };
    let apart = Duration::from_millis(ahead_ms.unsigned_abs());
    let direction = if ahead_ms < 0 { "behind" } else { "ahead" };
    if apart < CLOCKS {
        let found = format!("within {} s of this one", apart.as_secs() + 1);
        report.good("clock", found);
    } else {
        report.bad(
            "clock",
            format!(
                "the server's is {} s {direction} of this one",
                apart.as_secs()
            ),
            "set the wrong one (timedatectl set-ntp true): links and keys expire by it",
        );
    }
}

/// What to do about a server that cannot be reached.
fn advice(error: &Error) -> &'static str {
    match error {
        Error::Resolve { .. } => "check the spelling, or write an address",
        Error::Connect { source, .. } if source.kind() == io::ErrorKind::ConnectionRefused => {
            "nobody listens there: start vroomd, or name its port with -p"
        }
        Error::Connect { .. } | Error::TimedOut { .. } => {
            "check the network, and that a firewall lets the port through"
        }
        Error::Link { .. } => "something else listens there, or it wants another way: try https://",
        Error::HostKey(_) => "compare the key with the server's",
        Error::Plain(_) => "start vroomd with --tls-cert and --tls-key",
        _ => "see the log of vroomd",
    }
}

/// Says what is found as it is found.
#[derive(Debug, Default)]
struct Report {
    notes: usize,
    wrong: usize,
}

impl Report {
    fn good(&mut self, what: &str, found: impl fmt::Display) {
        line(&format!("  ok    {what:<16} {found}"));
    }

    /// Nothing is wrong, but it could be better.
    fn note(&mut self, what: &str, found: impl fmt::Display, advice: &str) {
        self.notes += 1;
        line(&format!("  note  {what:<16} {found}"));
        line(&format!("        {:<16} -> {advice}", ""));
    }

    fn bad(&mut self, what: &str, found: impl fmt::Display, advice: &str) {
        self.wrong += 1;
        line(&format!("  WRONG {what:<16} {found}"));
        line(&format!("        {:<16} -> {advice}", ""));
    }

    fn ending(&self, has_server: bool) -> String {
        let notes = match self.notes {
            0 => String::new(),
            1 => ", 1 note".to_owned(),
            notes => format!(", {notes} notes"),
        };
        match (self.wrong, has_server) {
            (0, true) => format!("All is well{notes}."),
            (0, false) => format!("All is well here{notes}. `vroom doctor HOST` checks a server."),
            (1, _) => format!("1 thing is wrong{notes}."),
            (wrong, _) => format!("{wrong} things are wrong{notes}."),
        }
    }
}

fn line(text: &str) {
    let text: String = in_words(text)
        .chars()
        .map(|c| if c == '\n' { ' ' } else { c })
        .filter(|c| !c.is_control())
        .collect();
    // Whoever closed standard output does not want to know.
    drop(writeln!(io::stdout(), "{text}"));
}

/// What a server should have, and what it is good for.
const EXTENSIONS: [(&str, &str); 4] = [
    ("session-resume", "resuming"),
    ("session-persistence", "kept terminals"),
    ("file-transfer", "copying"),
    ("port-forwarding", "forwarding"),
];

/// How far clocks may be apart.
const CLOCKS: Duration = Duration::from_secs(60);
