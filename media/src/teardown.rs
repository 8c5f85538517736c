//! The thread that ends pipelines, and makes the certificate before the first peer needs it.

use std::sync::mpsc;

use gstreamer as gst;
use gstreamer::prelude::*;

use crate::{Error, elements};

/// Ends pipelines off everybody else's threads: each takes ten milliseconds or more.
///
/// The queue is not bounded by itself: it holds at most the peers that there were.
#[derive(Clone, Debug)]
pub(crate) struct Teardown {
    jobs: mpsc::Sender<Job>,
}

#[derive(Debug)]
enum Job {
    WarmUp,
    End(gst::Pipeline),
}

impl Teardown {
    /// Starts the thread; it ends with the last clone, when everything is done.
    pub(crate) fn start() -> Result<Self, Error> {
        let (jobs, queue) = mpsc::channel();
        let run = move || {
            for job in queue {
                match job {
                    Job::WarmUp => warm_up(),
                    Job::End(pipeline) => end(&pipeline),
                }
            }
        };
        std::thread::Builder::new()
            .name("media-teardown".into())
            .spawn(run)
            .map_err(Error::Thread)?;
        Ok(Self { jobs })
    }

    /// Makes the certificate that all peers of this process share.
    pub(crate) fn warm_up(&self) {
        self.send(Job::WarmUp);
    }

    /// Ends a pipeline, soon.
    pub(crate) fn end(&self, pipeline: gst::Pipeline) {
        self.send(Job::End(pipeline));
    }

    fn send(&self, job: Job) {
        if self.jobs.send(job).is_err() {
            tracing::error!("the teardown thread is gone");
        }
    }
}

/// Makes a DTLS element: the first one of a process generates an RSA key, which takes between a
/// tenth of a second and more than one. A whole webrtcbin would load its libraries too, and keep
/// their memory without anybody watching.
fn warm_up() {
    match elements::make("dtlsdec", "gstreamer1.0-plugins-bad") {
        Ok(element) => drop(element),
        Err(error) => tracing::warn!(%error, "no WebRTC without DTLS"),
    }
}

fn end(pipeline: &gst::Pipeline) {
    if pipeline.set_state(gst::State::Null).is_err() {
        tracing::debug!("a pipeline does not stop");
    }
    // A data channel that opens right then starts its elements behind our back. Giving up one that
    // runs would wait for its thread for ever. By now nothing of the pipeline starts others.
    for element in pipeline.iterate_recurse().into_iter().flatten() {
        if element.current_state() != gst::State::Null
            && element.set_state(gst::State::Null).is_err()
        {
            tracing::debug!(element = %element.name(), "an element does not stop");
        }
    }
}
