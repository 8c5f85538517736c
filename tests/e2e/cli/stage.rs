//! A person's home, and a server to go to.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

use super::person::Person;
use crate::world::{World, binary};

/// A person's home, and a server to go to.
pub(crate) struct Stage {
    pub(crate) world: World,
    home: TempDir,
    /// The folder that the server shows.
    there: TempDir,
    /// How the server is spoken to.
    scheme: &'static str,
}

impl Stage {
    /// A server of this user on this machine, which takes the person in without a question.
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    /// The same with more arguments for the server.
    pub(crate) fn start_with(arguments: &[&str]) -> Self {
        let stage = Self::stranger(arguments);
        let state = stage.home().join(".local/state/vroom");
        fs::create_dir_all(&state).unwrap();
        fs::write(state.join("token"), stage.world.daemon.token()).unwrap();
        stage
    }

    /// A server that knows nothing of the person.
    pub(crate) fn stranger(arguments: &[&str]) -> Self {
        let there = folder("vroom-there-");
        let root = there.path().display().to_string();
        let arguments = [arguments, &["--files-root", &root]].concat();
        Self {
            world: World::start_with(&arguments),
            home: folder("vroom-person-"),
            there,
            scheme: "tcp",
        }
    }

    /// A server behind TLS that lets the keys of the person's home in.
    pub(crate) fn encrypted() -> Self {
        let home = folder("vroom-person-");
        let path = |name: &str| home.path().join(name).display().to_string();
        certify(home.path());
        fs::write(path("authorized_keys"), "").unwrap();
        let world = World::start_with(&[
            "--tls-cert",
            &path("cert.pem"),
            "--tls-key",
            &path("key.pem"),
            "--authorized-keys",
            &path("authorized_keys"),
        ]);
        Self {
            world,
            home,
            there: folder("vroom-there-"),
            scheme: "tls",
        }
    }

    /// The server, as the person writes it.
    pub(crate) fn host(&self) -> String {
        format!("{}://{}", self.scheme, self.world.proxy.address())
    }

    /// The same as a host of `vroom cp`, with `-P` for the port.
    pub(crate) fn port(&self) -> String {
        self.world.proxy.address().port().to_string()
    }

    /// The home of the person.
    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    /// A file in the home of the person.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.home().join(name)
    }

    /// A file in the folder that the server shows.
    pub(crate) fn there(&self, name: &str) -> PathBuf {
        self.there.path().join(name)
    }

    /// A plain shell in that folder, whose prompt is `$ `.
    pub(crate) fn shell(&self, options: &[&str]) -> Person {
        self.shell_with(options, &[])
    }

    /// The same with more in the environment here.
    pub(crate) fn shell_with(&self, options: &[&str], more: &[(&str, &str)]) -> Person {
        let line = format!(
            "cd '{0}' && HOME='{0}' PS1='$ ' exec sh",
            self.there.path().display()
        );
        let host = self.host();
        let line = [&["term", "-t"], options, &[&host, &line]].concat();
        let mut person = self.person_with(&line, more);
        person.sees_the_prompt();
        person
    }

    /// A shell of this machine that knows jobs, from which `vroom` can be started.
    pub(crate) fn here(&self) -> Person {
        let folder = binary("vroom").parent().unwrap().display().to_string();
        let path = format!("{folder}:{}", std::env::var("PATH").unwrap_or_default());
        let mut line = vec!["env".to_owned(), "-i".to_owned()];
        let environment = self.environment().into_iter();
        line.extend(environment.map(|(name, value)| format!("{name}={value}")));
        line.extend([format!("PATH={path}"), "PS1=here> ".to_owned()]);
        line.extend(["bash", "--norc", "-i"].map(str::to_owned));
        let mut person = Person::starts(&line);
        person.sees("here>");
        person
    }

    /// Lets a public key in.
    pub(crate) fn authorize(&self, public: &Path) {
        let line = fs::read_to_string(public).unwrap();
        fs::write(self.path("authorized_keys"), line).unwrap();
    }

    /// `vroom` without a terminal.
    pub(crate) fn vroom(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(binary("vroom"));
        command
            .args(arguments)
            .current_dir(self.home())
            .env_clear()
            .envs(self.environment())
            .stdin(Stdio::null());
        command
    }

    /// Runs `vroom` without a terminal to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.vroom(arguments).output().unwrap()
    }

    /// The same, which has to work; returns what it printed.
    pub(crate) fn prints(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "vroom {arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// The same, which has to fail; returns the exit status and what was said.
    pub(crate) fn fails(&self, arguments: &[&str]) -> (i32, String) {
        let output = self.run(arguments);
        assert!(!output.status.success(), "vroom {arguments:?}: {output:?}");
        let said = String::from_utf8(output.stderr).unwrap();
        (output.status.code().unwrap(), said)
    }

    /// `vroom` at a terminal.
    pub(crate) fn person(&self, arguments: &[&str]) -> Person {
        self.person_with(arguments, &[])
    }

    /// The same with more in the environment.
    pub(crate) fn person_with(&self, arguments: &[&str], more: &[(&str, &str)]) -> Person {
        let set = |(name, value): &(&str, String)| format!("{name}={value}");
        let mut line = vec!["env".to_owned(), "-i".to_owned()];
        line.extend(["-C".to_owned(), self.home().display().to_string()]);
        line.extend(self.environment().iter().map(set));
        line.extend(more.iter().map(|(name, value)| format!("{name}={value}")));
        line.push(binary("vroom").display().to_string());
        line.extend(arguments.iter().copied().map(str::to_owned));
        Person::starts(&line)
    }

    fn environment(&self) -> Vec<(&'static str, String)> {
        vec![
            ("HOME", self.home().display().to_string()),
            ("PATH", std::env::var("PATH").unwrap_or_default()),
            ("TERM", "xterm-256color".to_owned()),
            ("LANG", "C.UTF-8".to_owned()),
        ]
    }
}

fn folder(prefix: &str) -> TempDir {
    tempfile::Builder::new().prefix(prefix).tempdir().unwrap()
}

/// Makes a key and a certificate for loopback, `cert.pem` and `key.pem`.
pub(crate) fn certify(folder: &Path) {
    let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    fs::write(folder.join("cert.pem"), made.cert.pem()).unwrap();
    fs::write(folder.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
}

/// Runs a program of the system, which has to work; a missing one is named with its package.
pub(crate) fn tool(package: &str, line: &[&str]) -> String {
    let (program, arguments) = line.split_first().unwrap();
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .output();
    let output = match output {
        Ok(output) => output,
        Err(error) => panic!("{program}: {error}; it is in the Debian package {package}"),
    };
    assert!(output.status.success(), "{line:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}
