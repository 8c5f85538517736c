//! One element between two pads of ours, fed by hand.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use gstreamer as gst;
use gstreamer::prelude::*;

use crate::Error;

/// An element that is fed and emptied by hand.
///
/// It is of no use any more after the first error. Dropping it ends the element.
pub(crate) struct Stage {
    name: &'static str,
    element: gst::Element,
    input: gst::Pad,
    output: gst::Pad,
    results: Arc<Results>,
    failure: Arc<Mutex<Option<String>>>,
}

impl Stage {
    /// Links the element between pads with these caps and starts it.
    pub(crate) fn start(
        name: &'static str,
        element: gst::Element,
        input_caps: gst::Caps,
        output_caps: &gst::Caps,
    ) -> Result<Self, Error> {
        let results = Arc::new(Results::default());
        let failure = Arc::new(Mutex::new(None));
        element.set_bus(Some(&error_bus(Arc::clone(&failure))));
        let stage = Self {
            name,
            element,
            input: gst::Pad::builder(gst::PadDirection::Src).build(),
            output: output_pad(name, output_caps, Arc::clone(&results))?,
            results,
            failure,
        };
        stage.link().map_err(|reason| stage.failed(reason))?;
        let state = stage.element.set_state(gst::State::Playing);
        state.map_err(|_| stage.failed("it does not start"))?;
        let segment = gst::FormattedSegment::<gst::ClockTime>::new();
        let ready = stage.send(gst::event::StreamStart::new(name))
            && stage.send(gst::event::Caps::new(&input_caps))
            && stage.send(gst::event::Segment::new(&segment));
        if !ready {
            return Err(stage.failed("it does not take the format"));
        }
        Ok(stage)
    }

    /// The element.
    pub(crate) fn element(&self) -> &gst::Element {
        &self.element
    }

    /// Sends an event downstream; false when the element refuses it.
    pub(crate) fn send(&self, event: gst::Event) -> bool {
        self.input.push_event(event)
    }

    /// Pushes a buffer and takes what came of it.
    ///
    /// An element that answers on a thread of its own has this long to do so; without patience
    /// nothing is an answer too.
    pub(crate) fn push(
        &self,
        buffer: gst::Buffer,
        patience: Duration,
    ) -> Result<Option<gst::Buffer>, Error> {
        if let Err(error) = self.input.push(buffer) {
            return Err(self.failed(&error.to_string()));
        }
        let result = self.results.pop(patience);
        if result.is_none() && !patience.is_zero() {
            return Err(self.failed("it made nothing of a picture in time"));
        }
        Ok(result)
    }

    fn link(&self) -> Result<(), &'static str> {
        let sink = self.element.static_pad("sink").ok_or("it has no input")?;
        let src = self.element.static_pad("src").ok_or("it has no output")?;
        let pads = [&self.input, &self.output];
        for pad in pads {
            pad.set_active(true).map_err(|_| "a pad is refused")?;
        }
        let linked = self.input.link(&sink).and(src.link(&self.output));
        linked.map(|_| ()).map_err(|_| "it cannot be linked")
    }

    /// The error of this stage: what the element said, or else `reason`.
    fn failed(&self, reason: &str) -> Error {
        let said = lock(&self.failure).take();
        Error::Failed {
            element: self.name,
            reason: said.unwrap_or_else(|| reason.into()),
        }
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if self.element.set_state(gst::State::Null).is_err() {
            tracing::debug!(element = self.name, "does not stop");
        }
        self.element.set_bus(None);
        for pad in [&self.input, &self.output] {
            if pad.set_active(false).is_err() {
                tracing::debug!(element = self.name, "a pad does not stop");
            }
        }
    }
}

/// What an element made and nobody took yet.
#[derive(Default)]
struct Results {
    queue: Mutex<VecDeque<gst::Buffer>>,
    arrived: Condvar,
}

impl Results {
    fn push(&self, buffer: gst::Buffer) -> Result<gst::FlowSuccess, gst::FlowError> {
        let mut queue = lock(&self.queue);
        if queue.len() == RESULTS {
            return Err(gst::FlowError::Error);
        }
        queue.push_back(buffer);
        self.arrived.notify_one();
        Ok(gst::FlowSuccess::Ok)
    }

    /// The oldest one; waits this long for one to come.
    fn pop(&self, patience: Duration) -> Option<gst::Buffer> {
        let deadline = Instant::now() + patience;
        let mut queue = lock(&self.queue);
        loop {
            if let Some(buffer) = queue.pop_front() {
                return Some(buffer);
            }
            let left = deadline.checked_duration_since(Instant::now())?;
            if left.is_zero() {
                return None;
            }
            let waited = self.arrived.wait_timeout(queue, left);
            queue = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

/// The pad that collects results.
fn output_pad(
    name: &'static str,
    caps: &gst::Caps,
    results: Arc<Results>,
) -> Result<gst::Pad, Error> {
    let template = gst::PadTemplate::new(
        "output",
        gst::PadDirection::Sink,
        gst::PadPresence::Always,
        caps,
    );
    let template = template.map_err(|error| Error::Failed {
        element: name,
        reason: error.to_string(),
    })?;
    let pad = gst::Pad::builder_from_template(&template)
        .chain_function(move |_, _, buffer| results.push(buffer))
        .event_function(|_, _, _| true)
        .build();
    Ok(pad)
}

/// A bus that keeps the last error and lets everything else go.
fn error_bus(failure: Arc<Mutex<Option<String>>>) -> gst::Bus {
    let bus = gst::Bus::new();
    bus.set_sync_handler(move |_, message| {
        if let gst::MessageView::Error(error) = message.view() {
            *lock(&failure) = Some(described(error));
        }
        gst::BusSyncReply::Drop
    });
    bus
}

/// What an element says of its failure: the kind, and behind it what it says only to developers,
/// since drivers put the cause there.
fn described(error: &gst::message::Error) -> String {
    let kind = error.error().to_string();
    let details = error.debug().unwrap_or_default();
    match details.lines().last().filter(|line| !line.is_empty()) {
        Some(details) => format!("{kind} ({})", details.trim()),
        None => kind,
    }
}

/// Results that may wait; an element that makes more than one of each buffer has failed.
const RESULTS: usize = 4;

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caps(text: &str) -> gst::Caps {
        gst::init().unwrap();
        text.parse().unwrap()
    }

    fn element(name: &str) -> gst::Element {
        gst::init().unwrap();
        gst::ElementFactory::make(name).build().unwrap()
    }

    #[test]
    fn what_goes_in_comes_out() {
        let any = caps("a/b");
        let stage = Stage::start("identity", element("identity"), any.clone(), &any).unwrap();
        let out = stage.push(gst::Buffer::from_slice([1, 2, 3]), Duration::ZERO);
        let out = out.unwrap();
        assert_eq!(out.unwrap().map_readable().unwrap().as_slice(), [1, 2, 3]);
    }

    #[test]
    fn one_with_a_thread_of_its_own_is_waited_for_but_not_for_ever() {
        let any = caps("a/b");
        let stage = Stage::start("queue", element("queue"), any.clone(), &any).unwrap();
        let patience = Duration::from_secs(30);
        for byte in 0..20_u8 {
            let out = stage
                .push(gst::Buffer::from_slice([byte]), patience)
                .unwrap();
            assert_eq!(out.unwrap().map_readable().unwrap().as_slice(), [byte]);
        }
        let silent = element("identity");
        silent.set_property("drop-probability", 1_f32);
        let stage = Stage::start("identity", silent, any.clone(), &any).unwrap();
        let error = stage.push(gst::Buffer::from_slice([1]), Duration::from_millis(1));
        assert!(error.unwrap_err().to_string().contains("in time"));
    }

    #[test]
    fn an_element_that_fails_says_why() {
        let any = caps("a/b");
        let identity = element("identity");
        identity.set_property("error-after", 1);
        let stage = Stage::start("identity", identity, any.clone(), &any).unwrap();
        let error = stage.push(gst::Buffer::new(), Duration::ZERO);
        let error = error.unwrap_err().to_string();
        assert!(error.contains("identity") && error.len() > 20, "{error}");
        let jpeg = Stage::start("jpegenc", element("jpegenc"), any.clone(), &any);
        assert!(jpeg.is_err(), "it does not take this");
    }
}
