//! Who the person is, and who the server is.

use std::fs;
use std::process::Command;

use super::agent::{SoftwareToken, SshAgent, keygen, public};
use super::stage::{Stage, certify};
use crate::world::binary;

const NEW: [&str; 2] = ["-o", "StrictHostKeyChecking=accept-new"];

/// Runs `echo in` and says that it did.
fn enters(stage: &Stage, options: &[&str]) {
    let host = stage.host();
    let line = [&["term"], &NEW[..], options, &[&host, "echo in"]].concat();
    assert_eq!(stage.prints(&line), "in\n");
}

#[test]
fn a_key_in_a_file_opens_the_server() {
    let stage = Stage::encrypted();
    let key = stage.path("key");
    keygen(&key, "");
    let name = key.display().to_string();
    let host = stage.host();
    let refused = [&["term"], &NEW[..], &["-i", &name, &host, "true"]].concat();
    let (code, said) = stage.fails(&refused);
    assert_eq!(code, 255);
    assert!(said.contains("permission denied"), "{said}");
    stage.authorize(&public(&key));
    enters(&stage, &["-i", &name]);
    enters(&stage, &["-o", &format!("IdentityFile={name}")]);
    // Where ssh looks for keys they are found without being named.
    fs::create_dir(stage.path(".ssh")).unwrap();
    fs::rename(&key, stage.path(".ssh/id_ed25519")).unwrap();
    enters(&stage, &[]);
}

#[test]
fn the_passphrase_of_an_encrypted_key_is_asked_for() {
    let stage = Stage::encrypted();
    let key = stage.path("key");
    keygen(&key, "open sesame");
    stage.authorize(&public(&key));
    let name = key.display().to_string();
    let host = stage.host();
    let line = [&["term"], &NEW[..], &["-i", &name, &host, "exit 4"]].concat();
    let mut person = stage.person(&line);
    person.sees("Enter passphrase for key");
    assert!(!person.terminal_echoes());
    person.types("wrong\r");
    person.sees("Bad passphrase, try again");
    person.types("open sesame\r");
    assert_eq!(person.sees_the_end(), 4);
    let said = person.said();
    assert!(
        !said.contains("wrong") && !said.contains("sesame"),
        "{said}"
    );
    // A script is not asked, and told what is missing.
    let batch = ["-o", "BatchMode=yes", "-i", &name, &host, "true"];
    let line = [&["term"], &NEW[..], &batch].concat();
    let (code, said) = stage.fails(&line);
    assert_eq!(code, 255);
    assert!(said.contains("batch mode"), "{said}");
}

#[test]
fn the_keys_of_the_agent_are_used() {
    let stage = Stage::encrypted();
    let key = stage.path("key");
    keygen(&key, "");
    stage.authorize(&public(&key));
    let agent = SshAgent::start(stage.home());
    // The server knows none of those that come first; to offer them is no attack.
    for number in 0..2 {
        let other = stage.path(&format!("other{number}"));
        keygen(&other, "");
        agent.add(&other);
    }
    agent.add(&key);
    fs::remove_file(&key).unwrap();
    let host = stage.host();
    let line = [&["term"], &NEW[..], &[&host, "echo in"]].concat();
    let mut command = stage.vroom(&line);
    let output = command.env("SSH_AUTH_SOCK", agent.socket()).output();
    let output = output.unwrap();
    assert_eq!(output.stdout, b"in\n", "{output:?}");
    // As the person: nothing is asked.
    let socket = agent.socket();
    let line = ["term", "-t", &host, "tty && exit 3"];
    let mut person = stage.person_with(&line, &[("SSH_AUTH_SOCK", &socket)]);
    assert_eq!(person.sees_the_end(), 3);
}

#[test]
fn an_agent_with_too_many_keys_is_told_to_name_one() {
    let stage = Stage::encrypted();
    let key = stage.path("key");
    let agent = SshAgent::start(stage.home());
    for number in 0..4 {
        let other = stage.path(&format!("other{number}"));
        keygen(&other, "");
        agent.add(&other);
    }
    keygen(&key, "");
    agent.add(&key);
    stage.authorize(&public(&key));
    let host = stage.host();
    let socket = agent.socket();
    let enter = |options: &[&str]| {
        let line = [&["term"], &NEW[..], options, &[&host, "echo in"]].concat();
        let mut command = stage.vroom(&line);
        command.env("SSH_AUTH_SOCK", &socket).output().unwrap()
    };
    let refused = enter(&[]);
    assert_eq!(refused.status.code(), Some(255), "{refused:?}");
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(said.contains("name the right one with -i"), "{said}");
    // Nobody is locked out for that.
    let name = key.display().to_string();
    let output = enter(&["-i", &name, "-o", "IdentitiesOnly=yes"]);
    assert_eq!(output.stdout, b"in\n", "{output:?}");
}

#[test]
fn a_hardware_key_signs_through_the_agent() {
    let stage = Stage::encrypted();
    let token = SoftwareToken::start(stage.home());
    fs::write(stage.path("authorized_keys"), SoftwareToken::line()).unwrap();
    let host = stage.host();
    let line = [&["term"], &NEW[..], &[&host, "echo in"]].concat();
    let mut command = stage.vroom(&line);
    let output = command.env("SSH_AUTH_SOCK", token.socket()).output();
    let output = output.unwrap();
    assert_eq!(output.stdout, b"in\n", "{output:?}");
    assert_eq!(token.signed(), 1);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("Touch the key a token in software"), "{said}");
}

#[test]
fn a_pairing_code_logs_in_once_and_for_later() {
    let stage = Stage::stranger(&[]);
    let host = stage.host();
    let (code, said) = stage.fails(&["term", &host, "true"]);
    assert_eq!(code, 255);
    assert!(said.contains("permission denied"), "{said}");
    assert!(said.contains("vroom login"), "{said}");
    let digits = pairing_code(&stage);
    let said = stage.run(&["login", "--pair", &digits, &host]);
    assert!(said.status.success(), "{said:?}");
    let said = String::from_utf8(said.stderr).unwrap();
    assert!(said.contains("Logged in to 127.0.0.1:"), "{said}");
    enters(&stage, &[]);
    let (code, said) = stage.fails(&["login", "--pair", &digits, &host]);
    assert_eq!(code, 1);
    assert!(said.contains("wrong, used, or too old"), "{said}");
    // Another one typed at the prompt, without anything saved.
    stage.run(&["logout", &host]);
    assert!(!stage.run(&["term", &host, "true"]).status.success());
    let mut person = stage.person(&["term", "-t", &host, "exit 3"]);
    person.sees("Code or token of 127.0.0.1");
    person.types(&format!("{}\r", pairing_code(&stage)));
    assert_eq!(person.sees_the_end(), 3);
}

/// What `vroomd pair` prints, the digits of it.
fn pairing_code(stage: &Stage) -> String {
    let folder = stage.world.daemon.folder();
    let output = Command::new(binary("vroomd"))
        .arg("pair")
        .env("HOME", folder)
        .env("XDG_CONFIG_HOME", folder)
        .env("XDG_RUNTIME_DIR", folder)
        .env("XDG_STATE_HOME", folder)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let digits: String = text.chars().filter(char::is_ascii_digit).take(8).collect();
    assert_eq!(digits.len(), 8, "{text}");
    digits
}

#[test]
fn a_token_is_saved_and_forgotten() {
    let stage = Stage::stranger(&[]);
    let host = stage.host();
    let token = stage.path("token");
    fs::write(&token, "wrong\n").unwrap();
    let token_file = token.display().to_string();
    let login = ["login", "--token-file", &token_file, &host];
    let (code, said) = stage.fails(&login);
    assert_eq!(code, 1);
    assert!(said.contains("does not take"), "{said}");
    fs::write(&token, stage.world.daemon.token()).unwrap();
    assert!(stage.run(&login).status.success());
    enters(&stage, &[]);
    let mut person = stage.person(&["logout", &host]);
    assert_eq!(person.sees_the_end(), 0);
    person.sees("is forgotten");
    assert!(!stage.run(&["term", &host, "true"]).status.success());
    // Typed by hand it is not shown.
    let mut person = stage.person(&["login", &host]);
    person.sees("token of 127.0.0.1");
    let text = stage.world.daemon.token().to_owned();
    person.types(&format!("{text}\r"));
    assert_eq!(person.sees_the_end(), 0);
    assert!(!person.said().contains(&text));
    enters(&stage, &[]);
}

#[test]
fn an_unknown_server_is_shown_and_a_changed_one_is_a_hard_stop() {
    let stage = Stage::encrypted();
    let key = stage.path("key");
    keygen(&key, "");
    stage.authorize(&public(&key));
    let name = key.display().to_string();
    let host = stage.host();
    let line = ["term", "-i", &name, &host, "echo in"];
    let mut person = stage.person(&line);
    person.sees("cannot be established");
    person.sees("(yes/no/[fingerprint])?");
    person.types("no\r");
    assert_eq!(person.sees_the_end(), 255);
    let known = stage.path(".config/vroom/known_hosts");
    assert!(!known.exists());
    // The fingerprint is as good as yes.
    let mut person = stage.person(&line);
    person.sees("(yes/no/[fingerprint])?");
    let said = person.said();
    let (_, fingerprint) = said.split_once("SHA256:").unwrap();
    let fingerprint: String = fingerprint.chars().take(43).collect();
    person.types("maybe\r");
    person.sees("Please type 'yes', 'no' or the fingerprint");
    person.types(&format!("SHA256:{fingerprint}\r"));
    assert_eq!(person.sees_the_end(), 0);
    assert!(
        person.text().trim_end().ends_with("\nin"),
        "{}",
        person.text()
    );
    assert!(fs::read_to_string(&known).unwrap().contains(&fingerprint));
    // From now on nothing is asked.
    assert_eq!(stage.prints(&line), "in\n");
    // Somebody else answers in the place of the server.
    let mut stage = stage;
    certify(stage.home());
    stage.world.daemon.kill_and_restart().unwrap();
    for options in [&[][..], &NEW[..], &["-o", "StrictHostKeyChecking=ask"]] {
        let line = [&["term"], options, &["-i", &name, &host, "echo in"]].concat();
        let (code, said) = stage.fails(&line);
        assert_eq!(code, 255);
        assert!(
            said.contains("IDENTIFICATION OF THE SERVER CHANGED"),
            "{said}"
        );
        assert!(said.contains("Nothing was sent to it"), "{said}");
        assert!(said.contains("sed -i 1d"), "{said}");
    }
}

#[test]
fn doctor_looks_at_everything() {
    let stage = Stage::start();
    let said = stage.prints(&["doctor", &stage.host()]);
    for line in [
        "ok    server",
        "ok    login",
        "ok    version",
        "ok    clock",
        "ok    round trip",
        "ok    copying",
        "ok    forwarding",
    ] {
        assert!(said.contains(line), "{line} is not in\n{said}");
    }
    assert!(said.contains("All is well"), "{said}");
    // Something is wrong with the server.
    let output = stage.run(&["doctor", "127.0.0.1:1"]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("WRONG server"), "{said}");
    assert!(said.contains("nobody listens there"), "{said}");
    assert!(said.contains("1 thing is wrong"), "{said}");
    // Something is wrong here.
    fs::create_dir_all(stage.path(".config/vroom")).unwrap();
    fs::write(stage.path(".config/vroom/config.toml"), "nonsense = 1\n").unwrap();
    let output = stage.run(&["doctor"]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("WRONG configuration"), "{said}");
}
