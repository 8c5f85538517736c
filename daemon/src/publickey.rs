//! Being let in by an SSH key: a nonce, and a signature that is worth nothing anywhere else.

use std::io;
use std::time::{Instant, SystemTime};

use bytes::Bytes;
use signature::Verifier as _;
use ssh_key::public::KeyData;
use ssh_key::{Algorithm, EcdsaCurve, HashAlg, PublicKey, Signature};
use subtle::ConstantTimeEq as _;
use vroom_protocol::terminal::{PublicKeyProof, signed_data};

use crate::auth::Refused;
use crate::authorized::{self, Asking};
use crate::daemon::Daemon;
use crate::identity::{Identity, Scope};
use crate::origin::Origin;
use crate::penalty::{UNKNOWN_KEY, WRONG_TOKEN};

/// A nonce that was given to one client for one key, and works once.
pub(crate) struct Asked {
    nonce: [u8; NONCE_BYTES],
    algorithm: String,
    key: Bytes,
}

impl std::fmt::Debug for Asked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Asked").finish_non_exhaustive()
    }
}

impl Asked {
    /// Asks for a signature by a key, known or not.
    ///
    /// # Errors
    ///
    /// When the system has no random numbers to give.
    pub(crate) fn new(algorithm: String, key: Bytes) -> io::Result<Self> {
        let mut nonce = [0; NONCE_BYTES];
        getrandom::fill(&mut nonce).map_err(io::Error::other)?;
        Ok(Self {
            nonce,
            algorithm,
            key,
        })
    }

    /// What is to be signed.
    pub(crate) fn nonce(&self) -> Bytes {
        Bytes::copy_from_slice(&self.nonce)
    }

    /// Whether the answer is about what was asked.
    fn is_about(&self, algorithm: &str, key: &[u8], proof: &PublicKeyProof) -> bool {
        let same_nonce: bool = self.nonce.ct_eq(&proof.nonce).into();
        same_nonce && self.algorithm == algorithm && self.key == key
    }
}

/// Decides about a signature.
///
/// The signature is checked whether or not the key is known, so that the time does not tell.
///
/// # Errors
///
/// When it does not let anybody in, or the source has to wait.
pub(crate) fn verify(
    now: Instant,
    daemon: &Daemon,
    origin: Origin,
    asked: Option<Asked>,
    (algorithm, key): (&str, &[u8]),
    (user, proof): (&str, &PublicKeyProof),
) -> Result<Identity, Refused> {
    daemon.auth.guarded(now, origin.source, || {
        let asked = asked.filter(|asked| asked.is_about(algorithm, key, proof));
        let asked = asked.ok_or(WRONG_TOKEN)?;
        let binding = origin.binding.bytes().ok_or(WRONG_TOKEN)?;
        let data = signed_data(&asked.nonce, binding, user, key);
        let signed = check_signature(algorithm, key, &proof.signature, &data);
        let keys = daemon.settings.authorized_keys.as_deref();
        let path = keys.ok_or(UNKNOWN_KEY)?;
        let asking = Asking {
            key,
            address: origin.address,
            at: SystemTime::now(),
            verified: signed.is_some_and(|signed| signed.verified),
        };
        let rights = match authorized::look_up(path, asking) {
            Ok(rights) => rights,
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "no key is taken");
                None
            }
        };
        signed.ok_or(WRONG_TOKEN)?;
        Ok(Identity {
            scope: Scope::Key(rights.ok_or(UNKNOWN_KEY)?.into()),
            ..Identity::owner(user.into())
        })
    })
}

/// What a signature that is right says besides.
#[derive(Clone, Copy, Debug)]
struct Signed {
    /// Whether a hardware key knew its holder.
    verified: bool,
}

fn check_signature(algorithm: &str, key: &[u8], signature: &[u8], data: &[u8]) -> Option<Signed> {
    let key = PublicKey::from_bytes(key).ok()?;
    let signature = Signature::try_from(signature).ok()?;
    if !is_agreed(algorithm, key.key_data(), &signature.algorithm()) {
        return None;
    }
    key.key_data().verify(data, &signature).ok()?;
    let mut signed = Signed { verified: false };
    if matches!(
        key.key_data(),
        KeyData::SkEd25519(_) | KeyData::SkEcdsaSha2NistP256(_)
    ) {
        // The flags stand before the counter, at the end.
        let bytes = signature.as_bytes();
        let flags = *bytes.get(bytes.len().checked_sub(SK_TRAILER_BYTES)?)?;
        if flags & SK_PRESENT == 0 {
            return None;
        }
        signed.verified = flags & SK_VERIFIED != 0;
    }
    Some(signed)
}

/// Whether what was announced, the key and the signature fit, and are good enough.
fn is_agreed(announced: &str, key: &KeyData, signature: &Algorithm) -> bool {
    if signature.as_str() != announced {
        return false;
    }
    match (key, signature) {
        (KeyData::Ed25519(_), Algorithm::Ed25519)
        | (KeyData::SkEd25519(_), Algorithm::SkEd25519)
        | (KeyData::SkEcdsaSha2NistP256(_), Algorithm::SkEcdsaSha2NistP256) => true,
        (KeyData::Ecdsa(key), Algorithm::Ecdsa { curve }) => {
            key.curve() == EcdsaCurve::NistP256 && *curve == EcdsaCurve::NistP256
        }
        (KeyData::Rsa(key), Algorithm::Rsa { hash }) => {
            let bytes = key.n.as_positive_bytes().map_or(0, <[u8]>::len);
            (RSA_BYTES_MIN..=RSA_BYTES_MAX).contains(&bytes)
                && matches!(hash, Some(HashAlg::Sha256 | HashAlg::Sha512))
        }
        _ => false,
    }
}

const NONCE_BYTES: usize = 32;

/// Flags and counter of a hardware key.
const SK_TRAILER_BYTES: usize = 5;

/// Somebody touched the key.
const SK_PRESENT: u8 = 0x01;

/// The key knew who it was.
const SK_VERIFIED: u8 = 0x04;

/// The shortest modulus: what shorter ones protect can be had.
const RSA_BYTES_MIN: usize = 2048 / 8;

/// The longest modulus: a longer one costs more to check than it is worth.
const RSA_BYTES_MAX: usize = 16384 / 8;
