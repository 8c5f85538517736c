//! What tests of the whole share: where the repository is, and links to run things over.

pub mod client;
pub mod daemon;
pub mod link;
pub mod process;
pub mod proxy;
pub mod pty;
pub mod strip;

use std::path::{Path, PathBuf};

/// The root of the repository.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}
