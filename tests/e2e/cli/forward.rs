//! Ports, sockets and agents, forwarded.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use vroom_tests::pty::PATIENCE;

use super::agent::{SshAgent, keygen, public};
use super::stage::Stage;
use crate::world::World;

/// A server that answers every line with itself, in capitals.
fn shouting() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            std::thread::spawn(move || {
                let reader = BufReader::new(stream.try_clone().unwrap());
                for line in reader.lines().map_while(Result::ok) {
                    if writeln!(stream, "{}", line.to_uppercase()).is_err() {
                        return;
                    }
                }
            });
        }
    });
    port
}

/// Says something and hears the answer.
fn is_heard(stream: impl Write + std::io::Read, text: &str) {
    assert!(says(stream, text), "{text} was not answered");
}

/// Says something; tells whether the answer came.
fn says(mut stream: impl Write + std::io::Read, text: &str) -> bool {
    let mut line = String::new();
    let asked = writeln!(stream, "{text}");
    let answered = asked.and_then(|()| BufReader::new(&mut stream).read_line(&mut line));
    answered.is_ok() && line.trim_end() == text.to_uppercase()
}

fn connect(port: u16) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// A `vroom` that only forwards. It ends with this value.
struct Forwarding {
    child: Child,
    said: BufReader<std::process::ChildStderr>,
}

impl Forwarding {
    fn start(stage: &Stage, forward: &[&str]) -> Self {
        let host = stage.host();
        let line = [&["term", "-N"], forward, &[&host]].concat();
        let mut child = stage.vroom(&line).stderr(Stdio::piped()).spawn().unwrap();
        let said = BufReader::new(child.stderr.take().unwrap());
        Self { child, said }
    }

    /// The port that was chosen.
    fn port(&mut self) -> u16 {
        let mut line = String::new();
        self.said.read_line(&mut line).unwrap();
        let words = line.strip_prefix("Allocated port ");
        let port = words.and_then(|rest| rest.split(' ').next()?.parse().ok());
        port.unwrap_or_else(|| panic!("no port in {line:?}"))
    }
}

impl Drop for Forwarding {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[test]
fn a_port_here_leads_to_one_there_and_back_after_a_cut() {
    let stage = Stage::start();
    let target = format!("0:127.0.0.1:{}", shouting());
    let mut forwarding = Forwarding::start(&stage, &["-L", &target]);
    let port = forwarding.port();
    let kept = connect(port);
    is_heard(&kept, "first");
    is_heard(connect(port), "at the same time");
    stage.world.proxy.cut();
    is_heard(&kept, "the same connection after a cut");
    is_heard(connect(port), "another one after a cut");
}

#[test]
fn a_port_there_leads_to_one_here() {
    let stage = Stage::start();
    let target = format!("0:127.0.0.1:{}", shouting());
    let mut forwarding = Forwarding::start(&stage, &["-R", &target]);
    let port = forwarding.port();
    is_heard(connect(port), "hello");
    stage.world.proxy.cut();
    // Who comes in the moment of the cut may be refused, and not later.
    let deadline = Instant::now() + PATIENCE;
    while !says(connect(port), "after a cut") {
        assert!(Instant::now() < deadline, "nobody is let through any more");
    }
}

#[test]
fn sockets_are_forwarded_like_ports() {
    let stage = Stage::start();
    let socket = stage.path("socket");
    let target = format!("{}:127.0.0.1:{}", socket.display(), shouting());
    let forwarding = Forwarding::start(&stage, &["-L", &target]);
    let deadline = Instant::now() + PATIENCE;
    let stream = loop {
        match UnixStream::connect(&socket) {
            Ok(stream) => break stream,
            Err(error) => assert!(Instant::now() < deadline, "{error}"),
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    is_heard(stream, "through a socket");
    drop(forwarding);
}

#[test]
fn a_socks_proxy_connects_from_there() {
    let stage = Stage::start();
    let target = shouting();
    let mut forwarding = Forwarding::start(&stage, &["-D", "0"]);
    let mut stream = connect(forwarding.port());
    stream.write_all(b"\x05\x01\x00").unwrap();
    let mut answer = [0; 2];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(answer, [5, 0]);
    stream.write_all(b"\x05\x01\x00\x03\x09localhost").unwrap();
    stream.write_all(&target.to_be_bytes()).unwrap();
    let mut answer = [0; 10];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(answer[..2], [5, 0]);
    is_heard(&stream, "through the proxy");
    // What cannot be reached is said in the proxy's words.
    let mut stream = connect_again(&stream);
    stream.write_all(b"\x05\x01\x00").unwrap();
    stream.read_exact(&mut [0; 2]).unwrap();
    stream
        .write_all(b"\x05\x01\x00\x01\x7f\0\0\x01\0\x01")
        .unwrap();
    stream.read_exact(&mut answer).unwrap();
    assert_ne!(answer[1], 0);
}

fn connect_again(stream: &TcpStream) -> TcpStream {
    connect(stream.peer_addr().unwrap().port())
}

#[test]
fn a_server_is_reached_through_another_one() {
    let stage = Stage::encrypted();
    let key = stage.path("key");
    keygen(&key, "");
    stage.authorize(&public(&key));
    let between = World::start();
    let state = stage.path(".local/state/vroom");
    fs::create_dir_all(&state).unwrap();
    fs::write(state.join("token"), between.daemon.token()).unwrap();
    let jump = format!("tcp://{}", between.daemon.address());
    let key = key.display().to_string();
    let new = "StrictHostKeyChecking=accept-new";
    let (host, line) = (stage.host(), "echo from behind");
    let line = ["term", "-J", &jump, "-i", &key, "-o", new, &host, line];
    assert_eq!(stage.prints(&line), "from behind\n");
    drop(between);
    assert!(!stage.run(&line).status.success());
}

#[test]
fn each_use_of_the_keys_here_is_asked_for() {
    let stage = Stage::start();
    let key = stage.path("key");
    keygen(&key, "");
    let agent = SshAgent::start(stage.home());
    agent.add(&key);
    let socket = agent.socket();
    let environment = [("SSH_AUTH_SOCK", socket.as_str())];
    let mut person = stage.shell_with(&["-A"], &environment);
    person.types("ssh-add -l; echo co''de-$?\r");
    person.sees("wants to use your keys. Allow it once? (y/n)");
    assert!(!person.shows("a key of a test"));
    person.reads_for_a_moment();
    person.types("n");
    person.sees("code-");
    assert!(!person.shows("code-0"), "{}", person.text());
    assert!(!person.shows("a key of a test"));
    person.types("clear\r");
    person.no_longer_sees("code-");
    person.types("ssh-add -l; echo co''de-$?\r");
    person.sees("Allow it once? (y/n)");
    person.reads_for_a_moment();
    person.types("y");
    person.sees("a key of a test");
    person.sees("code-0");
    // Once is once.
    person.types("clear\r");
    person.no_longer_sees("code-");
    person.types("ssh-add -l; echo co''de-$?\r");
    person.sees("Allow it once? (y/n)");
    person.reads_for_a_moment();
    person.types("n");
    person.sees("code-");
    assert!(!person.shows("a key of a test"));
    person.types("exit\r");
    person.sees_the_end();
}

#[test]
fn consent_can_be_given_for_good_and_is_never_given_by_a_script() {
    let stage = Stage::start();
    let key = stage.path("key");
    keygen(&key, "");
    let agent = SshAgent::start(stage.home());
    agent.add(&key);
    let host = stage.host();
    let run = |options: &[&str]| {
        let line = [&["term"], options, &[&host, "ssh-add -l"]].concat();
        let mut command = stage.vroom(&line);
        command
            .env("SSH_AUTH_SOCK", agent.socket())
            .output()
            .unwrap()
    };
    let output = run(&["-o", "ForwardAgent=yes"]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("a key of a test"), "{output:?}");
    let output = run(&["-A"]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        !output.status.success() && !text.contains("a key"),
        "{output:?}"
    );
    let output = run(&["-a", "-o", "ForwardAgent=yes"]);
    assert!(!output.status.success(), "{output:?}");
}
