//! The data channels of one peer.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use bytes::Bytes;
use gstreamer as gst;
use gstreamer::glib;
use gstreamer::prelude::*;
use gstreamer_webrtc::{WebRTCDataChannel, WebRTCDataChannelState};

use crate::PeerSend;
use crate::events::{EventSender, PeerEvent};

/// The channel that both sides make without asking, with id 0.
pub(crate) const CONTROL_LABEL: &str = "omux/control";

/// The data channels that are open, by label.
///
/// Their callbacks run on threads of the SCTP association and only send events.
#[derive(Debug)]
pub(crate) struct DataChannels {
    events: EventSender,
    open: Mutex<HashMap<String, WebRTCDataChannel>>,
}

impl DataChannels {
    /// Makes an empty table.
    pub(crate) fn new(events: EventSender) -> Arc<Self> {
        Arc::new(Self {
            events,
            open: Mutex::default(),
        })
    }

    /// Listens for channels that either side makes on a webrtcbin.
    pub(crate) fn watch(self: &Arc<Self>, webrtcbin: &gst::Element) {
        // Before any message can come; on-data-channel would be too late for the first ones.
        let channels = Arc::downgrade(self);
        webrtcbin.connect("prepare-data-channel", false, move |values| {
            let channel = values.get(1)?.get::<WebRTCDataChannel>().ok()?;
            if let Some(channels) = channels.upgrade() {
                channels.watch_channel(&channel);
            }
            None
        });
        let channels = Arc::downgrade(self);
        webrtcbin.connect("on-data-channel", false, move |values| {
            let channel = values.get(1)?.get::<WebRTCDataChannel>().ok()?;
            if let Some(channels) = channels.upgrade() {
                channels.opened(&channel);
            }
            None
        });
    }

    /// Makes the control channel.
    pub(crate) fn create_control(webrtcbin: &gst::Element) -> bool {
        let options = gst::Structure::builder("options")
            .field("negotiated", true)
            .field("id", 0_i32)
            .field("ordered", true)
            .build();
        create(webrtcbin, CONTROL_LABEL, &options)
    }

    /// Opens a channel; [`PeerEvent::ChannelOpened`] tells when it can be used.
    pub(crate) fn create(
        &self,
        webrtcbin: &gst::Element,
        label: &str,
        ordered: bool,
        max_retransmits: Option<u32>,
    ) -> Result<(), PeerSend> {
        if self.lock().len() >= CHANNELS || label.len() > LABEL_BYTES {
            return Err(PeerSend::Closed);
        }
        let mut options = gst::Structure::builder("options")
            .field("ordered", ordered)
            .field("protocol", PROTOCOL);
        if let Some(retransmits) = max_retransmits.and_then(|it| i32::try_from(it).ok()) {
            options = options.field("max-retransmits", retransmits);
        }
        let created = create(webrtcbin, label, &options.build());
        created.then_some(()).ok_or(PeerSend::Closed)
    }

    /// Sends one message.
    ///
    /// When more than the channel's limit waits in it already, nothing is sent, and
    /// [`PeerEvent::Writable`] tells when it is worth trying again.
    pub(crate) fn send(&self, label: &str, message: Bytes) -> Result<(), PeerSend> {
        if message.len() > MESSAGE_BYTES {
            return Err(PeerSend::TooLarge);
        }
        let channel = self.lock().get(label).cloned().ok_or(PeerSend::Closed)?;
        if channel.ready_state() != WebRTCDataChannelState::Open {
            return Err(PeerSend::Closed);
        }
        if channel.buffered_amount() >= buffered_max(label) {
            return Err(PeerSend::Full);
        }
        let message = glib::Bytes::from_owned(message);
        channel.send_data_full(Some(&message)).map_err(|error| {
            tracing::debug!(label, %error, "a data channel refuses a message");
            PeerSend::Closed
        })
    }

    /// Closes one channel, if it is open.
    pub(crate) fn close(&self, label: &str) {
        let channel = self.lock().get(label).cloned();
        if let Some(channel) = channel {
            channel.close();
        }
    }

    /// Forgets all channels, and with them the circle from channel to callback to table.
    pub(crate) fn clear(&self) {
        // The last hold on a channel is not given up under the lock: its end may call back.
        let open = std::mem::take(&mut *self.lock());
        drop(open);
    }

    /// How many are open.
    pub(crate) fn count(&self) -> usize {
        self.lock().len()
    }

    fn watch_channel(self: &Arc<Self>, channel: &WebRTCDataChannel) {
        let with = |this: &Arc<Self>, react: fn(&Self, &WebRTCDataChannel)| {
            let this: Weak<Self> = Arc::downgrade(this);
            move |channel: &WebRTCDataChannel| {
                if let Some(this) = this.upgrade() {
                    react(&this, channel);
                }
            }
        };
        channel.connect_on_open(with(self, Self::opened));
        channel.connect_on_close(with(self, Self::closed));
        channel.connect_on_buffered_amount_low(with(self, Self::writable));
        let this = Arc::downgrade(self);
        channel.connect_on_message_data(move |channel, data| {
            if let Some(this) = this.upgrade() {
                let data = data.cloned().map(Bytes::from_owner).unwrap_or_default();
                this.message(channel, data);
            }
        });
        let this = Arc::downgrade(self);
        channel.connect_on_message_string(move |channel, text| {
            if let Some(this) = this.upgrade() {
                let text = text.unwrap_or_default().as_bytes();
                this.message(channel, Bytes::copy_from_slice(text));
            }
        });
    }

    /// Notes that a channel is open; the first of several signs counts.
    fn opened(&self, channel: &WebRTCDataChannel) {
        let label = label(channel);
        let mut open = self.lock();
        match open.get(&label) {
            Some(have) if have == channel => return,
            None if open.len() < CHANNELS && label.len() <= LABEL_BYTES => {}
            _ => {
                drop(open);
                tracing::debug!("a data channel too many, or with a label that is taken");
                channel.close();
                return;
            }
        }
        channel.set_buffered_amount_low_threshold(buffered_max(&label) / 4);
        open.insert(label.clone(), channel.clone());
        drop(open);
        self.events.send(PeerEvent::ChannelOpened { label });
    }

    fn closed(&self, channel: &WebRTCDataChannel) {
        let label = label(channel);
        let mut open = self.lock();
        if open.get(&label) == Some(channel) {
            let closed = open.remove(&label);
            drop(open);
            drop(closed);
            self.events.send(PeerEvent::ChannelClosed { label });
        }
    }

    fn writable(&self, channel: &WebRTCDataChannel) {
        let label = label(channel);
        self.events.send(PeerEvent::Writable { label });
    }

    fn message(&self, channel: &WebRTCDataChannel, data: Bytes) {
        self.opened(channel);
        let label = label(channel);
        if self.lock().get(&label) == Some(channel) {
            self.events.send(PeerEvent::Message { label, data });
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, WebRTCDataChannel>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn create(webrtcbin: &gst::Element, label: &str, options: &gst::Structure) -> bool {
    let channel = webrtcbin
        .emit_by_name::<Option<WebRTCDataChannel>>("create-data-channel", &[&label, options]);
    channel.is_some()
}

fn label(channel: &WebRTCDataChannel) -> String {
    channel.label().map(String::from).unwrap_or_default()
}

/// Bytes that may wait in one channel before it is full.
///
/// All channels share one association, and what waits in it is sent in order: whoever carries bulk
/// has to stay short, so that a key press does not wait behind it.
fn buffered_max(label: &str) -> u64 {
    let is_interactive = INTERACTIVE.contains(&label);
    if is_interactive { 256 << 10 } else { 64 << 10 }
}

/// The channels that carry little and must not wait.
const INTERACTIVE: [&str; 3] = [CONTROL_LABEL, "omux/pointer", "omux/button"];

/// The sub-protocol that we name when we open a channel.
const PROTOCOL: &str = "xumux/0.1";

/// The longest message; a longer one is refused before it is sent.
const MESSAGE_BYTES: usize = 64 << 10;

/// The most channels of one peer; the remote's next one is closed.
const CHANNELS: usize = 255;

/// The longest label; a channel with a longer one is closed.
const LABEL_BYTES: usize = 256;
