//! Frames to H264 and JPEG, WebRTC peers that carry them, and sound both ways.
//!
//! The crate takes frames from a [`vroom_desktop::FrameSlot`], encodes them once however many
//! people watch, and hands the access units to WebRTC peers and to whoever reads a [`UnitFeed`] or
//! a [`JpegFeed`]. It deliberately knows nothing of the wire protocol, of who may watch, and of
//! what a data channel carries.
//!
//! Invariants:
//! - One encode thread per [`Encoder`]; nothing is encoded while nobody listens or nothing changes.
//! - A listener that falls behind loses pictures up to the next key frame, never parts of one.
//! - Callbacks of `GStreamer` hand over and return; pipelines end on a thread of their own.

mod branch;
mod codec;
mod config;
mod congestion;
mod convert;
mod correction;
mod datachannel;
mod elements;
mod encoder;
mod error;
mod events;
mod fanout;
mod header;
mod ice;
mod jpeg;
mod keyframe;
mod media;
mod microphone;
mod negotiate;
mod offer;
mod pace;
mod packets;
mod patches;
mod peer;
mod png;
mod protect;
mod rate;
mod record;
mod run;
mod rungs;
mod shots;
mod sound;
mod stage;
mod stamps;
mod stats;
mod teardown;
mod trial;
mod units;
mod voice;

pub use config::{EncoderChoice, MediaConfig};
pub use elements::{EncoderEntry, EncoderReport, Verdict};
pub use encoder::Encoder;
pub use error::Error;
pub use events::{PeerEvent, PeerEvents};
pub use ice::Candidate;
pub use jpeg::{JpegFeed, JpegPart};
pub use media::{Media, SoundPath};
pub use microphone::{Microphone, MicrophonePipe, PipeReader};
pub use offer::{Answer, Offer};
pub use patches::{Move, Patch, PatchFeed};
pub use peer::{Peer, PeerSend, PeerStats};
pub use png::{Colours, exact_png, write_png};
pub use rate::Limits;
pub use record::{MovieFile, Movies, Recorder};
pub use sound::Sound;
pub use stamps::{Recent, Stamps, rtp_time};
pub use stats::{EncoderStats, StageHistogram, StageHistograms, StageLatency, StageSamples};
pub use trial::try_encoder;
pub use units::{AccessUnit, UnitFeed};
