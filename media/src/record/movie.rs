//! One file of a recording: a fragmented MP4 that can be played at any moment of its making.

use std::io::{self, SeekFrom};

use mp4_atom::{
    Encode, FragmentInfo, Mfhd, Mfra, Mfro, Moof, Tfdt, Tfhd, Tfra, Traf, Trun, TrunEntry,
    TrunSamples,
};

use super::MovieFile;
use super::header::{self, PICTURES, PICTURES_HZ, Pictures, SOUND, SOUND_HZ, lengths};

/// A movie that is being written.
///
/// Times are nanoseconds since its beginning. What was added is in the file after [`flush`](Self::flush);
/// whoever cuts it off there has all of that.
pub(super) struct Movie {
    file: Box<dyn MovieFile>,
    pictures: Pictures,
    has_sound: bool,
    head_at: u64,
    end: u64,
    sequence: u32,
    video: Samples,
    sound: Samples,
    /// When the sound that comes next begins, in samples.
    sound_next: u64,
    /// The fragment with the newest picture, which lasts until the next one.
    last: Option<Last>,
    /// Where it can be played from.
    keys: Vec<FragmentInfo>,
}

/// What waits for the next fragment, of one track.
#[derive(Default)]
struct Samples {
    entries: Vec<Sample>,
    bytes: Vec<u8>,
}

#[derive(Clone, Copy)]
struct Sample {
    /// In the units of the track.
    at: u64,
    bytes: u32,
    key: bool,
}

struct Last {
    at: u64,
    moof_at: u64,
    moof: Moof,
}

impl Movie {
    /// Begins a file whose pictures are of this kind.
    pub(super) fn begin(
        file: Box<dyn MovieFile>,
        pictures: Pictures,
        has_sound: bool,
    ) -> io::Result<Self> {
        let kind = header::file_type().map_err(io::Error::other)?;
        let mut movie = Self {
            file,
            pictures,
            has_sound,
            head_at: kind.len() as u64,
            end: 0,
            sequence: 0,
            video: Samples::default(),
            sound: Samples::default(),
            sound_next: 0,
            last: None,
            keys: Vec::new(),
        };
        movie.append(&kind)?;
        let head = movie.head(0)?;
        movie.append(&head)?;
        Ok(movie)
    }

    /// What its pictures are.
    pub(super) fn pictures(&self) -> &Pictures {
        &self.pictures
    }

    /// The bytes that wait for the next fragment.
    pub(super) fn waiting_bytes(&self) -> usize {
        self.video.bytes.len() + self.sound.bytes.len()
    }

    /// Adds a picture that is shown from now on.
    pub(super) fn add_picture(&mut self, at_ns: u64, key: bool, unit: &[u8]) {
        let newest = self.video.entries.last().map(|sample| sample.at);
        let newest = newest.or(self.last.as_ref().map(|last| last.at));
        let at = ticks(at_ns, PICTURES_HZ).max(newest.map_or(0, |newest| newest + 1));
        self.video.add(at, key, &lengths(unit));
    }

    /// Adds a packet of 10 ms that is heard from then on; what was silent before becomes silence.
    ///
    /// Packets follow each other without a gap, as they must, and so a packet may be some
    /// milliseconds off. One that comes too late is left out.
    pub(super) fn add_packet(&mut self, at_ns: u64, packet: &[u8]) -> io::Result<()> {
        let at = ticks(at_ns, SOUND_HZ);
        if at + JITTER < self.sound_next {
            return Ok(());
        }
        if at > self.sound_next + JITTER {
            self.fill(at)?;
        }
        self.sound.add(self.sound_next, true, packet);
        self.sound_next += PACKET;
        Ok(())
    }

    /// Adds silence up to a moment.
    fn fill(&mut self, until: u64) -> io::Result<()> {
        while self.sound_next + PACKET / 2 < until {
            let left = until - self.sound_next;
            let (packet, length): (&[u8], _) = if left >= LONG_PACKET {
                (&LONG_SILENCE, LONG_PACKET)
            } else {
                (&SILENCE, PACKET)
            };
            self.sound.add(self.sound_next, true, packet);
            self.sound_next += length;
            if self.sound.entries.len() >= SAMPLES {
                self.write(self.sound_next * u64::from(PICTURES_HZ) / u64::from(SOUND_HZ))?;
            }
        }
        Ok(())
    }

    /// Writes what waits as a fragment; the newest picture lasts until then at least.
    pub(super) fn flush(&mut self, now_ns: u64) -> io::Result<()> {
        if self.has_sound {
            // Packets of what is played now are still under way.
            self.fill(ticks(now_ns.saturating_sub(LATE_NS), SOUND_HZ))?;
        }
        self.write(ticks(now_ns, PICTURES_HZ))?;
        self.set_duration(now_ns)
    }

    /// Writes the rest, and what players need to find places in it.
    pub(super) fn finish(mut self, now_ns: u64) -> io::Result<()> {
        if self.has_sound {
            self.fill(ticks(now_ns, SOUND_HZ))?;
        }
        let now = ticks(now_ns, PICTURES_HZ);
        self.write(now)?;
        self.extend_last(now)?;
        self.set_duration(now_ns)?;
        let index = Mfra {
            tfra: vec![Tfra {
                track_id: PICTURES,
                entries: std::mem::take(&mut self.keys),
            }],
            mfro: Mfro::default(),
        };
        // The last box says how long the index is, so that it is found from the end.
        let length = encode(&index)?.len();
        let index = Mfra {
            mfro: Mfro {
                parent_size: u32::try_from(length).unwrap_or(u32::MAX),
            },
            ..index
        };
        let bytes = encode(&index)?;
        self.append(&bytes)?;
        self.file.flush()
    }

    fn write(&mut self, now: u64) -> io::Result<()> {
        if self.video.entries.is_empty() && self.sound.entries.is_empty() {
            return Ok(());
        }
        if let Some(first) = self.video.entries.first() {
            let at = first.at;
            self.extend_last(at)?;
        }
        let video = std::mem::take(&mut self.video);
        let sound = std::mem::take(&mut self.sound);
        let newest = video.entries.last().copied();
        let mut traf = Vec::new();
        if newest.is_some() {
            traf.push(video.describe(PICTURES, now));
        }
        if !sound.entries.is_empty() {
            traf.push(sound.describe(SOUND, self.sound_next));
        }
        self.sequence += 1;
        let mut moof = Moof {
            mfhd: Mfhd {
                sequence_number: self.sequence,
            },
            traf,
        };
        let head_bytes = encode(&moof)?.len() + MDAT_HEAD;
        let mut at = head_bytes;
        for traf in &mut moof.traf {
            let bytes = if traf.tfhd.track_id == PICTURES {
                video.bytes.len()
            } else {
                sound.bytes.len()
            };
            for run in &mut traf.trun {
                run.data_offset = i32::try_from(at).ok();
            }
            at += bytes;
        }
        if let Some(key) = video.entries.first().filter(|first| first.key) {
            self.keys.push(FragmentInfo {
                time: key.at,
                moof_offset: self.end,
                traf_number: 1,
                trun_number: 1,
                sample_delta: 1,
            });
        }
        let moof_at = self.end;
        let mut fragment = encode(&moof)?;
        let body = video.bytes.len() + sound.bytes.len() + MDAT_HEAD;
        let body = u32::try_from(body).map_err(io::Error::other)?;
        fragment.extend_from_slice(&body.to_be_bytes());
        fragment.extend_from_slice(b"mdat");
        fragment.extend_from_slice(&video.bytes);
        fragment.extend_from_slice(&sound.bytes);
        self.append(&fragment)?;
        if let Some(newest) = newest {
            self.last = Some(Last {
                at: newest.at,
                moof_at,
                moof,
            });
        }
        Ok(())
    }

    /// Says in the file how long the newest picture that is in it was shown.
    fn extend_last(&mut self, until: u64) -> io::Result<()> {
        let Some(mut last) = self.last.take() else {
            return Ok(());
        };
        let run = last
            .moof
            .traf
            .first_mut()
            .and_then(|traf| traf.trun.first_mut());
        if let Some(TrunSamples::Explicit(entries)) = run.map(|run| &mut run.samples)
            && let Some(entry) = entries.last_mut()
        {
            entry.duration = Some(length(last.at, until));
        }
        let bytes = encode(&last.moof)?;
        self.file.seek(SeekFrom::Start(last.moof_at))?;
        self.file.write_all(&bytes)?;
        self.last = Some(last);
        Ok(())
    }

    fn set_duration(&mut self, now_ns: u64) -> io::Result<()> {
        let head = self.head(now_ns / 1_000_000)?;
        self.file.seek(SeekFrom::Start(self.head_at))?;
        self.file.write_all(&head)?;
        self.file.flush()
    }

    fn head(&self, duration_ms: u64) -> io::Result<Vec<u8>> {
        header::movie(&self.pictures, self.has_sound, duration_ms).map_err(io::Error::other)
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(self.end))?;
        self.file.write_all(bytes)?;
        self.end += bytes.len() as u64;
        Ok(())
    }
}

impl Samples {
    fn add(&mut self, at: u64, key: bool, sample: &[u8]) {
        self.bytes.extend_from_slice(sample);
        self.entries.push(Sample {
            at,
            // No picture has 4 GiB.
            bytes: u32::try_from(sample.len()).unwrap_or(u32::MAX),
            key,
        });
    }

    /// What a fragment says about them; the last one ends at `end`.
    fn describe(&self, track_id: u32, end: u64) -> Traf {
        let ends = self.entries.iter().skip(1).map(|next| next.at);
        let entries: Vec<_> = self
            .entries
            .iter()
            .zip(ends.chain([end]))
            .map(|(sample, end)| TrunEntry {
                duration: Some(length(sample.at, end)),
                size: Some(sample.bytes),
                flags: Some(if sample.key { KEY } else { DELTA }),
                ..TrunEntry::default()
            })
            .collect();
        Traf {
            tfhd: Tfhd {
                track_id,
                default_base_is_moof: true,
                ..Tfhd::default()
            },
            tfdt: Some(Tfdt {
                base_media_decode_time: self.entries.first().map_or(0, |first| first.at),
            }),
            trun: vec![Trun {
                data_offset: Some(0),
                samples: entries.into(),
            }],
            ..Traf::default()
        }
    }
}

/// How long something lasts; at least as long as players can tell from nothing.
fn length(from: u64, until: u64) -> u32 {
    u32::try_from(until.saturating_sub(from).max(1)).unwrap_or(u32::MAX)
}

fn ticks(nanoseconds: u64, hz: u32) -> u64 {
    let ticks = u128::from(nanoseconds) * u128::from(hz) / 1_000_000_000;
    u64::try_from(ticks).unwrap_or(u64::MAX)
}

fn encode(what: &impl Encode) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    what.encode(&mut bytes).map_err(io::Error::other)?;
    Ok(bytes)
}

/// The samples of a packet of ours.
const PACKET: u64 = SOUND_HZ as u64 / 100;

/// How far packets may be off their place before there is a gap.
const JITTER: u64 = PACKET * 3 / 2;

/// How late packets come behind what they carry, at most.
const LATE_NS: u64 = 300_000_000;

/// 10 ms of silence on both sides, as Opus says it (RFC 6716 §3.1: CELT, fullband).
const SILENCE: [u8; 3] = [0xF4, 0xFF, 0xFE];

/// 120 ms of the same: six frames of 20 ms and of equal length.
const LONG_SILENCE: [u8; 14] = [
    0xFF, 6, 0xFF, 0xFE, 0xFF, 0xFE, 0xFF, 0xFE, 0xFF, 0xFE, 0xFF, 0xFE, 0xFF, 0xFE,
];

const LONG_PACKET: u64 = PACKET * 12;

/// The samples of a fragment, of hours of silence for example.
const SAMPLES: usize = 8192;

/// Where the bytes of a fragment begin behind its description.
const MDAT_HEAD: usize = 8;

/// ISO/IEC 14496-12 §8.8.3.1: it depends on no other.
const KEY: u32 = 0x0200_0000;

/// It depends on others, and nothing can start there.
const DELTA: u32 = 0x0101_0000;
