//! `authorized_keys`: whose public keys open this server, and what each of them may do.

mod options;

use std::fs::File;
use std::io::{self, Read as _};
use std::net::IpAddr;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use subtle::ConstantTimeEq as _;

use self::options::Options;
use crate::identity::Rights;

/// Who asks to be let in by a key.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asking<'a> {
    /// The key, as SSH writes it.
    pub(crate) key: &'a [u8],
    /// Where from, where that is a network.
    pub(crate) address: Option<IpAddr>,
    /// When.
    pub(crate) at: SystemTime,
    /// Whether the key's holder was not only present but known to the key.
    pub(crate) verified: bool,
}

/// What the first line that lets the key in allows; `None` when no line does.
///
/// Every line is read and compared, so that the time says little about what there is.
///
/// # Errors
///
/// When the file cannot be read, is absurdly large, or others could change it.
pub(crate) fn look_up(path: &Path, asking: Asking<'_>) -> io::Result<Option<Rights>> {
    let text = read(path)?;
    let mut found = None;
    for line in text.lines() {
        let rights = match_line(line, asking);
        if found.is_none() {
            found = rights;
        }
    }
    Ok(found)
}

fn match_line(line: &str, asking: Asking<'_>) -> Option<Rights> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return None;
    }
    let (options, rest) = if is_key_type(line.split_whitespace().next()?) {
        ("", line)
    } else {
        options::split(line)?
    };
    let mut words = rest.split_whitespace();
    let kind = words.next().filter(|kind| is_key_type(kind))?;
    let blob = STANDARD.decode(words.next()?).ok()?;
    let is_it: bool = blob.ct_eq(asking.key).into();
    if !is_it || key_type(&blob) != Some(kind.as_bytes()) {
        return None;
    }
    Options::parse(options)?.rights(asking)
}

/// The kinds of keys that are taken.
fn is_key_type(word: &str) -> bool {
    matches!(
        word,
        "ssh-ed25519"
            | "ssh-rsa"
            | "ecdsa-sha2-nistp256"
            | "sk-ssh-ed25519@openssh.com"
            | "sk-ecdsa-sha2-nistp256@openssh.com"
    )
}

/// What a key says it is: its first string.
fn key_type(blob: &[u8]) -> Option<&[u8]> {
    let (length, rest) = blob.split_first_chunk()?;
    rest.get(..usize::try_from(u32::from_be_bytes(*length)).ok()?)
}

// As OpenSSH's StrictModes: whoever could change the file could let themselves in.
fn read(path: &Path) -> io::Result<String> {
    let file = File::open(path)?;
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new(".")).metadata()?;
    let metadata = file.metadata()?;
    let us = nix::unistd::geteuid().as_raw();
    for (what, metadata) in [("the file", &metadata), ("its folder", &folder)] {
        let foreign = metadata.uid() != us && metadata.uid() != 0;
        // A folder where everybody may make files but nobody may remove those of others will do.
        let sticky = metadata.is_dir() && metadata.mode() & 0o1000 != 0;
        if foreign || (metadata.mode() & 0o022 != 0 && !sticky) {
            let text = format!("{what} can be changed by others; run `chmod go-w` on it");
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, text));
        }
    }
    if metadata.len() > FILE_BYTES {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    let mut text = Vec::new();
    file.take(FILE_BYTES).read_to_end(&mut text)?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// The largest file that is read.
const FILE_BYTES: u64 = 1024 * 1024;

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;
    use std::time::Duration;

    use super::*;

    const KEY: &str = "AAAAC3NzaC1lZDI1NTE5AAAAIJcOF+sPX4AxgGV6/NpVfXsVFAHXTL2gNPaFqaVLzxbk";

    fn asking(key: &[u8]) -> Asking<'_> {
        Asking {
            key,
            address: Some(IpAddr::from([192, 0, 2, 7])),
            at: SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000),
            verified: false,
        }
    }

    fn rights(options: &str) -> Option<Rights> {
        let key = STANDARD.decode(KEY).unwrap();
        match_line(&format!("{options}ssh-ed25519 {KEY} me@here"), asking(&key))
    }

    #[test]
    fn a_plain_line_allows_everything_and_another_key_nothing() {
        assert_eq!(rights(""), Some(Rights::ALL));
        assert_eq!(
            match_line(&format!("ssh-ed25519 {KEY}"), asking(b"other")),
            None
        );
        assert_eq!(
            match_line(&format!("# ssh-ed25519 {KEY}"), asking(b"")),
            None
        );
        let key = STANDARD.decode(KEY).unwrap();
        let lie = format!("ecdsa-sha2-nistp256 {KEY}");
        assert_eq!(match_line(&lie, asking(&key)), None);
        for broken in [
            "ssh-ed25519",
            "ssh-ed25519 ====",
            "\"",
            "a=\"b ssh-ed25519 x",
        ] {
            assert_eq!(match_line(broken, asking(&key)), None);
        }
    }

    #[test]
    fn options_take_rights_away() {
        assert_eq!(rights("restrict "), Some(Rights::NONE));
        let forced = rights("no-pty,command=\"echo \\\"a, b\\\"\",no-agent-forwarding ").unwrap();
        assert_eq!(forced.command.as_deref(), Some("echo \"a, b\""));
        assert!(!forced.pty && !forced.agent_forwarding && forced.port_forwarding);
        let some = rights("restrict,pty ").unwrap();
        assert!(some.pty && !some.port_forwarding);
        assert_eq!(
            rights("surprise=\"1\" "),
            None,
            "what is not known lets nobody in"
        );
        assert_eq!(rights("cert-authority "), None);
        assert_eq!(rights("verify-required "), None);
    }

    #[test]
    fn from_names_networks() {
        assert!(rights("from=\"192.0.2.0/24\" ").is_some());
        assert!(rights("from=\"10.0.0.*,192.0.2.?\" ").is_some());
        assert!(rights("from=\"!192.0.2.7,*\" ").is_none());
        assert!(rights("from=\"198.51.100.1\" ").is_none());
        assert!(rights("from=\"192.0.2.0/99\" ").is_none());
    }

    #[test]
    fn a_key_expires() {
        // 2023-11-14 22:13:20 UTC.
        assert!(rights("expiry-time=\"20231115\" ").is_some());
        assert!(rights("expiry-time=\"202311142213Z\" ").is_none());
        assert!(rights("expiry-time=\"20231114221321Z\" ").is_some());
        assert!(rights("expiry-time=\"tomorrow\" ").is_none());
    }

    #[test]
    fn a_file_that_others_can_change_is_not_believed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("authorized_keys");
        std::fs::write(&path, format!("ssh-ed25519 {KEY}\n")).unwrap();
        let key = STANDARD.decode(KEY).unwrap();
        assert_eq!(look_up(&path, asking(&key)).unwrap(), Some(Rights::ALL));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o666)).unwrap();
        let error = look_up(&path, asking(&key)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
    }
}
