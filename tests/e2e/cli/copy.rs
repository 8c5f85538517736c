//! `vroom cp`: whole files, also when something breaks.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use sha2::{Digest as _, Sha256};
use vroom_tests::link::Random;
use vroom_tests::pty::PATIENCE;

use super::stage::Stage;

fn noise(seed: u64, count: usize) -> Vec<u8> {
    let mut random = Random::new(seed);
    let mut bytes = Vec::with_capacity(count + 8);
    while bytes.len() < count {
        bytes.extend_from_slice(&random.next_u64().to_le_bytes());
    }
    bytes.truncate(count);
    bytes
}

fn hash(path: &Path) -> String {
    let bytes = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    format!("{:x}", Sha256::digest(bytes))
}

/// `vroom cp` to or from the server of the stage.
fn cp<'a>(stage: &Stage, options: &[&'a str], from: &'a str, to: &'a str) -> Vec<String> {
    let mut line = vec!["cp".to_owned(), "-P".to_owned(), stage.port()];
    line.extend(options.iter().copied().map(str::to_owned));
    line.extend([from.to_owned(), to.to_owned()]);
    line
}

fn copies(stage: &Stage, options: &[&str], from: &str, to: &str) {
    let line = cp(stage, options, from, to);
    let line: Vec<&str> = line.iter().map(String::as_str).collect();
    let output = stage.run(&line);
    assert!(output.status.success(), "{line:?}: {output:?}");
}

#[test]
fn files_of_any_size_are_the_same_there_and_back() {
    let stage = Stage::start();
    for size in [0, 1, 4096, 65_535, 1_048_575, 1_048_576, 5_000_001] {
        fs::write(stage.path("here"), noise(1, size)).unwrap();
        copies(&stage, &[], "here", "127.0.0.1:there");
        copies(&stage, &[], "127.0.0.1:there", "back");
        let wanted = hash(&stage.path("here"));
        assert_eq!(hash(&stage.there("there")), wanted, "{size} bytes up");
        assert_eq!(hash(&stage.path("back")), wanted, "{size} bytes down");
    }
    // A shorter file takes the place of a longer one.
    fs::write(stage.path("here"), "short").unwrap();
    copies(&stage, &[], "here", "127.0.0.1:there");
    assert_eq!(fs::read_to_string(stage.there("there")).unwrap(), "short");
}

#[test]
fn folders_are_copied_with_all_that_is_in_them() {
    let stage = Stage::start();
    let tree = stage.path("tree");
    for folder in 0..7 {
        let inner = tree.join(format!("{folder}/inner"));
        fs::create_dir_all(&inner).unwrap();
        for file in 0..60 {
            let path = inner.join(format!("file {file}"));
            fs::write(&path, noise(file, usize::try_from(file).unwrap() * 37)).unwrap();
        }
    }
    fs::create_dir(tree.join("empty")).unwrap();
    fs::write(tree.join("0/run"), "#!/bin/sh\n").unwrap();
    fs::set_permissions(tree.join("0/run"), fs::Permissions::from_mode(0o755)).unwrap();
    fs::write(tree.join("large"), noise(3, 3_000_000)).unwrap();
    let from = tree.display().to_string();
    let line = cp(&stage, &[], &from, "127.0.0.1:");
    let line: Vec<&str> = line.iter().map(String::as_str).collect();
    let (code, said) = stage.fails(&line);
    assert_eq!(code, 1);
    assert!(said.contains("-r copies folders"), "{said}");
    copies(&stage, &["-rp"], &from, "127.0.0.1:");
    copies(&stage, &["-rp"], "127.0.0.1:tree", "back");
    let listing = |root: &Path| {
        let mut all = Vec::new();
        list(root, root, &mut all);
        all.sort();
        all
    };
    let wanted = listing(&tree);
    assert_eq!(wanted.len(), 7 * 62 + 3);
    assert_eq!(listing(&stage.there("tree")), wanted);
    assert_eq!(listing(&stage.path("back")), wanted);
}

/// Names, modes, times and hashes of all below a folder.
fn list(root: &Path, folder: &Path, all: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let metadata = fs::metadata(&path).unwrap();
        let name = path.strip_prefix(root).unwrap().display().to_string();
        if metadata.is_dir() {
            all.push(format!("{name}/"));
            list(root, &path, all);
        } else {
            let mode = metadata.permissions().mode() & 0o777;
            let modified = metadata.modified().unwrap();
            let modified = modified.duration_since(std::time::UNIX_EPOCH).unwrap();
            let seconds = modified.as_secs();
            all.push(format!("{name} {mode:o} {seconds} {}", hash(&path)));
        }
    }
}

#[test]
fn a_cut_in_the_middle_is_not_noticed() {
    let stage = Stage::start();
    fs::write(stage.path("here"), noise(5, 12_000_000)).unwrap();
    let wanted = hash(&stage.path("here"));
    fs::write(stage.there("source"), noise(5, 12_000_000)).unwrap();
    stage.world.proxy.cut_after(5_000_000);
    copies(&stage, &[], "127.0.0.1:source", "back");
    assert_eq!(hash(&stage.path("back")), wanted);
    // What comes down while something goes up are answers of a few bytes.
    stage.world.proxy.cut_after(2000);
    copies(&stage, &[], "here", "127.0.0.1:there");
    assert_eq!(hash(&stage.there("there")), wanted);
}

/// Kills `vroom cp` when a part was copied, and starts it again.
fn goes_on(from: &str, to: &str, partial: impl Fn(&Stage) -> std::path::PathBuf) {
    const BYTES: usize = 24_000_000;
    let stage = Stage::start();
    let whole = noise(7, BYTES);
    fs::write(stage.path("here"), &whole).unwrap();
    fs::write(stage.there("source"), &whole).unwrap();
    let line = cp(&stage, &["-v"], from, to);
    let line: Vec<&str> = line.iter().map(String::as_str).collect();
    if to.contains(':') {
        stage.world.proxy.stall_after(9_000_000);
    } else {
        stage.world.proxy.stall_down_after(9_000_000);
    }
    let mut child = stage.vroom(&line).stderr(Stdio::null()).spawn().unwrap();
    let deadline = Instant::now() + PATIENCE;
    let part = loop {
        let part = fs::metadata(partial(&stage)).map_or(0, |metadata| metadata.len());
        if part > 4_000_000 {
            break part;
        }
        assert!(Instant::now() < deadline, "only {part} bytes were copied");
        std::thread::sleep(Duration::from_millis(5));
    };
    child.kill().unwrap();
    child.wait().unwrap();
    stage.world.proxy.cut();
    stage.world.proxy.open();
    let output = stage.run(&line);
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8(output.stderr).unwrap();
    let on = said.lines().find_map(|line| {
        let (_, rest) = line.split_once("going on after ")?;
        rest.split(' ').next()?.parse::<u64>().ok()
    });
    assert!(
        on >= Some(part),
        "{part} bytes were there, and it said {said}"
    );
    let copied = match to.split_once(':') {
        Some((_, name)) => stage.there(name),
        None => stage.path(to),
    };
    assert!(
        fs::read(copied).unwrap() == whole,
        "the copy is another file"
    );
    assert!(!partial(&stage).exists(), "the part is left behind");
}

#[test]
fn a_copy_to_the_server_goes_on_where_it_broke_off() {
    goes_on("here", "127.0.0.1:there", |stage| {
        stage.there("there.vroom-part")
    });
}

#[test]
fn a_copy_from_the_server_goes_on_where_it_broke_off() {
    goes_on("127.0.0.1:source", "back", |stage| {
        stage.path("back.vroom-part")
    });
}

#[test]
fn a_part_of_another_file_is_not_used() {
    let stage = Stage::start();
    let whole = noise(9, 3_000_000);
    fs::write(stage.path("here"), &whole).unwrap();
    fs::write(stage.there("there.vroom-part"), noise(10, 2_000_000)).unwrap();
    copies(&stage, &[], "here", "127.0.0.1:there");
    assert!(fs::read(stage.there("there")).unwrap() == whole);
}

#[test]
fn progress_is_drawn_where_somebody_looks() {
    let stage = Stage::start();
    fs::write(stage.path("here"), noise(2, 8_000_000)).unwrap();
    let line = cp(&stage, &[], "here", "127.0.0.1:there");
    let line: Vec<&str> = line.iter().map(String::as_str).collect();
    let mut person = stage.person(&line);
    assert_eq!(person.sees_the_end(), 0);
    person.sees("100%");
    person.sees("7.6 MiB");
    // One line, however often it is drawn.
    assert_eq!(person.text().matches('%').count(), 1, "{}", person.text());
    let quiet = cp(&stage, &["-q"], "here", "127.0.0.1:there");
    let quiet: Vec<&str> = quiet.iter().map(String::as_str).collect();
    let mut person = stage.person(&quiet);
    assert_eq!(person.sees_the_end(), 0);
    assert_eq!(person.said(), "");
}

#[test]
fn what_cannot_be_copied_is_said_and_the_rest_is_copied() {
    let stage = Stage::start();
    fs::create_dir(stage.path("tree")).unwrap();
    fs::write(stage.path("tree/good"), "good").unwrap();
    fs::write(stage.path("tree/bad"), "bad").unwrap();
    // There a folder is in the way.
    fs::create_dir_all(stage.there("tree/bad")).unwrap();
    let line = cp(&stage, &["-r"], "tree", "127.0.0.1:");
    let line: Vec<&str> = line.iter().map(String::as_str).collect();
    let (code, said) = stage.fails(&line);
    assert_eq!(code, 1);
    assert!(said.contains("tree/bad: "), "{said}");
    assert!(said.contains("1 of 2 files were not copied"), "{said}");
    let good = fs::read_to_string(stage.there("tree/good")).unwrap();
    assert_eq!(good, "good");
    for (from, to, words) in [
        (
            "missing",
            "127.0.0.1:x",
            "missing: No such file or directory",
        ),
        (
            "127.0.0.1:missing",
            "x",
            "missing: there is no such file on the server",
        ),
        ("127.0.0.1:/etc/passwd", "x", "/etc/passwd: "),
        ("tree", "elsewhere", "write host:path"),
    ] {
        let line = cp(&stage, &["-r"], from, to);
        let line: Vec<&str> = line.iter().map(String::as_str).collect();
        let (code, said) = stage.fails(&line);
        assert!(code == 1 || code == 2, "{code}");
        assert!(said.contains(words), "{said}");
        assert!(!said.contains("os error"), "{said}");
    }
}
