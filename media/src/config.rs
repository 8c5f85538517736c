//! How media is set up.

use std::ffi::OsString;
use std::net::IpAddr;
use std::ops::RangeInclusive;

/// What [`Media::start`](crate::Media::start) needs to know.
#[derive(Clone, Debug)]
pub struct MediaConfig {
    /// Which H264 encoder to use.
    pub encoder: EncoderChoice,
    /// What to run in order to try a hardware encoder before it is used: a program and its
    /// arguments, to which the name of the encoder is added. It has to call
    /// [`try_encoder`](crate::try_encoder) and end without success when that fails. Without it
    /// hardware encoders are not used, since a driver may end the process that it lives in.
    pub trial: Option<Vec<OsString>>,
    /// The most kbit/s that one encoder may produce, whatever its viewers allow.
    pub bitrate_kbps_max: u32,
    /// The most pictures per second, 1..=240.
    pub fps_max: u32,
    /// The UDP ports that peers use; `None` leaves the choice to the system.
    pub ice_ports: Option<RangeInclusive<u16>>,
    /// The local addresses that peers can be reached at; empty means all but loopback.
    pub addresses: Vec<IpAddr>,
    /// The quality of JPEG pictures, 1..=100.
    pub jpeg_quality: u8,
}

impl Default for MediaConfig {
    fn default() -> Self {
        Self {
            encoder: EncoderChoice::Auto,
            trial: None,
            bitrate_kbps_max: 6000,
            fps_max: 60,
            ice_ports: None,
            addresses: Vec::new(),
            jpeg_quality: 80,
        }
    }
}

/// Which H264 encoder to use.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum EncoderChoice {
    /// The best one that works here.
    #[default]
    Auto,
    /// The one with this element name, for example `x264enc`; no other will do.
    Named(String),
}
