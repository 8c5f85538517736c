//! MEDIA, FEEDBACK and MEDIA_STATE: what is sent, how it arrives, what is made.

use crate::encoding::{DecodeError, Fields, FromValue, Members, Value, number};

/// What the client wants of sound and picture; what is absent stays as it is.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Media {
    /// Whether the server listens to the client's audio.
    pub mic: Option<bool>,
    /// Whether the server sends audio.
    pub speaker: Option<bool>,
    /// Whether the server sends pictures.
    pub video: Option<bool>,
    /// The bitrate not to exceed.
    pub bitrate_kbps_max: Option<u32>,
    /// The frames per second not to exceed.
    pub fps_max: Option<u32>,
    /// The picture height not to exceed.
    pub height_max: Option<u32>,
    /// Asks for a key frame now.
    pub key_frame: Option<bool>,
}

impl Media {
    pub(super) fn read(members: &mut Members) -> Result<Self, DecodeError> {
        Ok(Self {
            mic: members.optional("mic")?,
            speaker: members.optional("speaker")?,
            video: members.optional("video")?,
            bitrate_kbps_max: whole(members, "maxBitrate")?,
            fps_max: whole(members, "maxFps")?,
            height_max: whole(members, "maxHeight")?,
            key_frame: members.optional("keyframe")?,
        })
    }

    pub(super) fn fields(&self) -> Fields {
        Fields::new()
            .maybe("mic", self.mic)
            .maybe("speaker", self.speaker)
            .maybe("video", self.video)
            .maybe("maxBitrate", self.bitrate_kbps_max)
            .maybe("maxFps", self.fps_max)
            .maybe("maxHeight", self.height_max)
            .maybe("keyframe", self.key_frame)
    }
}

/// When one picture was where at the client.
// Not in the public text: see docs/protocol.md.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Shown {
    /// Which picture: its RTP timestamp, or its `pts` in RTP's clock of 90 kHz, modulo 2^32.
    pub rtp_time: u32,
    /// When its last byte was there, in microseconds of the clock that the server's PONG tells.
    pub received_us: u64,
    /// How many microseconds later it was decoded.
    pub decode_us: u32,
    /// And how many later it was on the screen.
    pub present_us: u32,
}

/// How the pictures arrive at the client, once per second.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Feedback {
    /// Frames shown per second.
    pub fps: Option<f64>,
    /// Round trip time.
    pub rtt_ms: Option<f64>,
    /// Variation of the arrival times.
    pub jitter_ms: Option<f64>,
    /// Time to decode one frame.
    pub decode_ms: Option<f64>,
    /// Frames dropped so far.
    pub dropped: Option<u64>,
    /// The pictures shown since the last time, at most [`SHOWN_MAX`]: more are not looked at.
    // Not in the public text: see docs/protocol.md.
    pub shown: Vec<Shown>,
}

/// The pictures that one FEEDBACK tells of.
pub const SHOWN_MAX: usize = 64;

impl Feedback {
    pub(super) fn read(members: &mut Members) -> Result<Self, DecodeError> {
        Ok(Self {
            fps: members.optional("fps")?,
            rtt_ms: members.optional("rtt")?,
            jitter_ms: members.optional("jitter")?,
            decode_ms: members.optional("decode")?,
            dropped: members.optional("dropped")?,
            shown: read_shown(&members.optional::<Vec<u64>>("shown")?.unwrap_or_default())?,
        })
    }

    pub(super) fn fields(&self) -> Fields {
        Fields::new()
            .maybe("fps", self.fps.map(number))
            .maybe("rtt", self.rtt_ms.map(number))
            .maybe("jitter", self.jitter_ms.map(number))
            .maybe("decode", self.decode_ms.map(number))
            .maybe("dropped", self.dropped)
            .maybe("shown", self.shown_fields())
    }

    /// Four numbers for each picture.
    fn shown_fields(&self) -> Option<Value> {
        let numbers = |shown: &Shown| {
            [
                u64::from(shown.rtp_time),
                shown.received_us,
                shown.decode_us.into(),
                shown.present_us.into(),
            ]
        };
        let numbers = self.shown.iter().flat_map(numbers);
        let numbers = numbers.map(|number| Value::Int(number.into())).collect();
        (!self.shown.is_empty()).then_some(Value::Array(numbers))
    }
}

/// Reads four numbers for each picture.
fn read_shown(numbers: &[u64]) -> Result<Vec<Shown>, DecodeError> {
    let bad = || DecodeError::member("shown");
    let pictures = numbers.chunks(4).take(SHOWN_MAX).map(|numbers| {
        let &[rtp_time, received_us, decode_us, present_us] = numbers else {
            return Err(bad());
        };
        Ok(Shown {
            rtp_time: rtp_time.try_into().map_err(|_| bad())?,
            received_us,
            decode_us: decode_us.try_into().map_err(|_| bad())?,
            present_us: present_us.try_into().map_err(|_| bad())?,
        })
    });
    pictures.collect()
}

/// What the server makes of the desktop for this viewer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MediaState {
    /// For example `h264`.
    pub codec: Option<String>,
    /// Encoded pixels.
    pub width: Option<u32>,
    /// Encoded pixels.
    pub height: Option<u32>,
    /// Frames encoded per second.
    pub fps: Option<f64>,
    /// Bitrate in kbit/s.
    pub bitrate_kbps: Option<f64>,
    /// The encoder's name.
    pub encoder: Option<String>,
    /// Why each encoder that would be better is not used.
    // Not in the public text: see docs/protocol.md.
    pub declined: Option<Vec<String>>,
    /// Whether the server listens to this client's audio.
    pub mic: Option<bool>,
    /// How long each stage takes: half of the pictures are faster.
    // Not in the public text: see docs/protocol.md.
    pub latency: Option<Latency>,
    /// The same, where one in twenty is slower.
    // Not in the public text: see docs/protocol.md.
    pub latency_p95: Option<Latency>,
    /// The same, where one in a hundred is slower.
    // Not in the public text: see docs/protocol.md.
    pub latency_p99: Option<Latency>,
    /// `webrtc` or `websocket`.
    // Not in the public text: see docs/protocol.md.
    pub transport: Option<String>,
}

impl MediaState {
    pub(super) fn read(members: &mut Members) -> Result<Self, DecodeError> {
        Ok(Self {
            codec: members.optional("codec")?,
            width: members.optional("width")?,
            height: members.optional("height")?,
            fps: members.optional("fps")?,
            bitrate_kbps: members.optional("bitrate")?,
            encoder: members.optional("encoder")?,
            declined: members.optional("declined")?,
            mic: members.optional("mic")?,
            latency: members.optional("latency")?,
            latency_p95: members.optional("latencyP95")?,
            latency_p99: members.optional("latencyP99")?,
            transport: members.optional("transport")?,
        })
    }

    pub(super) fn fields(&self) -> Fields {
        Fields::new()
            .maybe("codec", self.codec.as_ref())
            .maybe("width", self.width)
            .maybe("height", self.height)
            .maybe("fps", self.fps.map(number))
            .maybe("bitrate", self.bitrate_kbps.map(number))
            .maybe("encoder", self.encoder.as_ref())
            .maybe_list("declined", self.declined.as_deref())
            .maybe("mic", self.mic)
            .maybe("latency", self.latency.as_ref())
            .maybe("latencyP95", self.latency_p95.as_ref())
            .maybe("latencyP99", self.latency_p99.as_ref())
            .maybe("transport", self.transport.as_ref())
    }
}

/// How long each stage takes, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Latency {
    /// From the first change that the picture shows to the encoder taking it.
    pub capture: Option<f64>,
    /// From RGB to what the encoder takes.
    pub convert: Option<f64>,
    /// Inside the encoder.
    pub encode: Option<f64>,
    /// From the first change until the frame was handed to all who watch.
    pub age: Option<f64>,
    /// From the encoder to packets.
    // Not in the public text, like those that follow: see docs/protocol.md.
    pub packetise: Option<f64>,
    /// From there until the client has all of it.
    pub network: Option<f64>,
    /// From there to a picture.
    pub decode: Option<f64>,
    /// From there to the screen.
    pub present: Option<f64>,
    /// From the first change to the screen: all stages together.
    pub total: Option<f64>,
}

impl FromValue for Latency {
    fn from_value(value: Value) -> Option<Self> {
        let mut members = Members::from_value(value)?;
        Some(Self {
            capture: members.optional("capture").ok()?,
            convert: members.optional("convert").ok()?,
            encode: members.optional("encode").ok()?,
            age: members.optional("age").ok()?,
            packetise: members.optional("packetise").ok()?,
            network: members.optional("network").ok()?,
            decode: members.optional("decode").ok()?,
            present: members.optional("present").ok()?,
            total: members.optional("total").ok()?,
        })
    }
}

impl From<&Latency> for Value {
    fn from(latency: &Latency) -> Self {
        Fields::new()
            .maybe("capture", latency.capture)
            .maybe("convert", latency.convert)
            .maybe("encode", latency.encode)
            .maybe("age", latency.age)
            .maybe("packetise", latency.packetise)
            .maybe("network", latency.network)
            .maybe("decode", latency.decode)
            .maybe("present", latency.present)
            .maybe("total", latency.total)
            .into()
    }
}

/// A limit, which is a whole number of at least 0; what a float has beyond that is cut off.
fn whole(members: &mut Members, name: &'static str) -> Result<Option<u32>, DecodeError> {
    match members.optional::<f64>(name)? {
        Some(limit) if limit < 0.0 => Err(DecodeError::member(name)),
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "not negative; a limit beyond u32 is no limit"
        )]
        limit => Ok(limit.map(|limit| limit as u32)),
    }
}
