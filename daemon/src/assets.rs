//! The web client, embedded by exact name.
//!
//! There is no file server: a path either equals the name of a packed file or does not exist.

use std::io::Read as _;

use bytes::Bytes;
use flate2::read::GzDecoder;

/// One file of the web client.
#[derive(Debug)]
pub(crate) struct Asset {
    /// Its path below `/`, for example `assets/index-1a2b3c.js`.
    pub(crate) path: &'static str,
    /// What goes into `Content-Type`.
    pub(crate) media_type: &'static str,
    /// Whether its name changes with its content, so that it may be cached for ever.
    pub(crate) hashed: bool,
    /// Its content, compressed.
    pub(crate) gzip: &'static [u8],
}

include!(concat!(env!("OUT_DIR"), "/assets.rs"));

impl Asset {
    /// Finds the file for the path of a request; `/` is the page.
    pub(crate) fn find(path: &str) -> Option<&'static Self> {
        let name = match path.strip_prefix('/')? {
            "" => "index.html",
            name => name,
        };
        ASSETS.iter().find(|asset| asset.path == name)
    }

    /// The content, unpacked for a client that does not take gzip.
    ///
    /// `None` would mean that the build packed rubbish.
    pub(crate) fn plain(&self) -> Option<Bytes> {
        let mut plain = Vec::new();
        GzDecoder::new(self.gzip).read_to_end(&mut plain).ok()?;
        Some(plain.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_there_and_unpacks() {
        let page = Asset::find("/").unwrap();
        assert_eq!(page.media_type, "text/html; charset=utf-8");
        let plain = page.plain().unwrap();
        assert!(plain.starts_with(b"<!doctype html>") || plain.starts_with(b"<!DOCTYPE html>"));
    }

    #[test]
    fn only_exact_names_are_found() {
        for path in [
            "",
            "index.html",
            "/../Cargo.toml",
            "/./index.html",
            "//",
            "/%2e%2e/",
            "/\0",
        ] {
            assert!(Asset::find(path).is_none(), "{path:?}");
        }
    }
}
