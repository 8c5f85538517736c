//! Whether a server is the one that it should be.

mod known_hosts;

use std::fmt;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use rustls_pki_types::CertificateDer;
use sha2::{Digest as _, Sha256};
use tokio_rustls::rustls::server::ParsedCertificate;

use crate::error::Error;
use crate::options::HostKeyChecking;
use crate::ui::Ui;

pub use known_hosts::{KnownHosts, Verdict};

/// The SHA-256 of the public key in a certificate.
///
/// The key and not the certificate: that may be renewed while the key stays.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// The fingerprint of the key in a certificate; `None` when that cannot be read.
    #[must_use]
    pub fn of_certificate(certificate: &CertificateDer<'_>) -> Option<Self> {
        let parsed = ParsedCertificate::try_from(certificate).ok()?;
        let key = parsed.subject_public_key_info();
        Some(Self(Sha256::digest(key.as_ref()).into()))
    }

    /// Reads what `Display` writes.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let encoded = text.strip_prefix("SHA256:")?;
        let bytes = STANDARD_NO_PAD.decode(encoded.trim_end_matches('=')).ok()?;
        bytes.try_into().ok().map(Self)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SHA256:{}", STANDARD_NO_PAD.encode(self.0))
    }
}

/// How a server proves that it is the right one.
#[derive(Clone, Debug)]
pub struct Trust {
    checking: HostKeyChecking,
    known_hosts: PathBuf,
}

impl Trust {
    /// Keeps known hosts in a file.
    #[must_use]
    pub fn new(checking: HostKeyChecking, known_hosts: PathBuf) -> Self {
        Self {
            checking,
            known_hosts,
        }
    }

    /// Decides about the key of a server, and asks the person about an unknown one.
    ///
    /// `vouched` says that an authority of this system vouches for the name.
    pub async fn check(
        &self,
        host: &str,
        fingerprint: &Fingerprint,
        vouched: bool,
        ui: &Ui,
    ) -> Result<(), Error> {
        if self.checking == HostKeyChecking::No {
            return Ok(());
        }
        let known = KnownHosts::load(&self.known_hosts)?;
        match known.verdict(host, fingerprint) {
            Verdict::Known => return Ok(()),
            // An authority vouches for the name, and keys are renewed under it.
            _ if vouched => return Ok(()),
            Verdict::Changed { line } => {
                return Err(Error::HostKey(self.changed(host, fingerprint, line)));
            }
            Verdict::Unknown => {}
        }
        match self.checking {
            HostKeyChecking::Yes => {
                return Err(Error::HostKey(format!(
                    "the key of {host} is not known ({fingerprint}), and StrictHostKeyChecking \
                     is yes; add it to {}",
                    self.known_hosts.display()
                )));
            }
            HostKeyChecking::Ask => confirm(host, fingerprint, ui).await?,
            HostKeyChecking::AcceptNew | HostKeyChecking::No => {}
        }
        KnownHosts::add(&self.known_hosts, host, fingerprint)?;
        ui.notice(&format!(
            "{host} is known from now on, in {}",
            self.known_hosts.display()
        ));
        Ok(())
    }

    fn changed(&self, host: &str, fingerprint: &Fingerprint, line: usize) -> String {
        let file = self.known_hosts.display();
        format!(
            "\
@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
@    WARNING: THE IDENTIFICATION OF THE SERVER CHANGED    @
@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
Somebody may be between you and {host} and listen to everything,
or the server was given a new key. Nothing was sent to it.
Its key is now {fingerprint}
and was another one in {file}:{line}.
Ask whoever runs the server. If the new key is right, take the old one out:
  sed -i {line}d {file}
and connect again."
        )
    }
}

/// Asks whether an unknown key is right.
async fn confirm(host: &str, fingerprint: &Fingerprint, ui: &Ui) -> Result<(), Error> {
    ui.notice(&format!(
        "The authenticity of {host} cannot be established.\nIts key is {fingerprint}.\nThis key \
         is not known by any other name."
    ));
    let mut prompt = "Go on connecting (yes/no/[fingerprint])? ";
    loop {
        let answer = ui.ask(prompt).await.map_err(|error| {
            Error::HostKey(format!("the key of {host} is not known, and {error}"))
        })?;
        let answer = answer.trim();
        match answer {
            "yes" => return Ok(()),
            "no" => {
                return Err(Error::HostKey(format!(
                    "the key of {host} was not accepted"
                )));
            }
            _ if Fingerprint::parse(answer).as_ref() == Some(fingerprint) => return Ok(()),
            _ => prompt = "Please type 'yes', 'no' or the fingerprint: ",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn certificate(key: &rcgen::KeyPair) -> CertificateDer<'static> {
        let params = rcgen::CertificateParams::new(vec!["h".to_owned()]).unwrap();
        params.self_signed(key).unwrap().der().clone()
    }

    #[test]
    fn a_renewed_certificate_has_the_same_fingerprint() {
        let key = rcgen::KeyPair::generate().unwrap();
        let first = Fingerprint::of_certificate(&certificate(&key)).unwrap();
        assert_eq!(Fingerprint::of_certificate(&certificate(&key)), Some(first));
        let other = rcgen::KeyPair::generate().unwrap();
        assert_ne!(
            Fingerprint::of_certificate(&certificate(&other)),
            Some(first)
        );
    }

    #[test]
    fn what_is_written_can_be_read() {
        let fingerprint = Fingerprint([7; 32]);
        let text = fingerprint.to_string();
        assert!(text.starts_with("SHA256:"));
        assert_eq!(Fingerprint::parse(&text), Some(fingerprint));
        assert_eq!(Fingerprint::parse("SHA256:short"), None);
        assert_eq!(Fingerprint::parse("yes"), None);
    }

    #[tokio::test]
    async fn a_changed_key_is_a_hard_stop_unless_an_authority_vouches() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("known_hosts");
        let ui = Ui::new(crate::options::LogLevel::Quiet, true);
        let (old, new) = (Fingerprint([1; 32]), Fingerprint([2; 32]));
        let trust = Trust::new(HostKeyChecking::AcceptNew, file.clone());
        trust.check("h:1", &old, false, &ui).await.unwrap();
        trust.check("h:1", &old, false, &ui).await.unwrap();
        let error = trust.check("h:1", &new, false, &ui).await.unwrap_err();
        let error = error.to_string();
        assert!(
            error.contains("CHANGED") && error.contains("sed -i 1d"),
            "{error}"
        );
        trust.check("h:1", &new, true, &ui).await.unwrap();
        // Another port is another server.
        let strict = Trust::new(HostKeyChecking::Yes, file.clone());
        assert!(strict.check("h:2", &old, false, &ui).await.is_err());
        // Nobody can be asked in batch mode.
        let ask = Trust::new(HostKeyChecking::Ask, file);
        assert!(ask.check("h:2", &old, false, &ui).await.is_err());
    }
}
