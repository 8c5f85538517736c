//! Whoever wants the newest picture exactly as it is, once.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;
use vroom_desktop::PixelBuffer;

/// Those who wait for a picture of one encoder's desktop; each is as long there as its future is.
#[derive(Debug, Default)]
pub(crate) struct Shots(Mutex<Vec<oneshot::Sender<Arc<PixelBuffer>>>>);

impl Shots {
    /// Waits for a picture from now on.
    pub(crate) fn ask(&self) -> oneshot::Receiver<Arc<PixelBuffer>> {
        let (sender, receiver) = oneshot::channel();
        let mut waiting = self.lock();
        waiting.retain(|one| !one.is_closed());
        waiting.push(sender);
        receiver
    }

    /// Whether somebody waits.
    pub(crate) fn is_wanted(&self) -> bool {
        self.lock().iter().any(|one| !one.is_closed())
    }

    /// Gives a picture to all who wait.
    pub(crate) fn deliver(&self, picture: &Arc<PixelBuffer>) {
        for one in self.lock().drain(..) {
            // Whoever went away meanwhile needs none.
            drop(one.send(Arc::clone(picture)));
        }
    }

    /// Tells everybody that none will come.
    pub(crate) fn end(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, Vec<oneshot::Sender<Arc<PixelBuffer>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
