//! The head of a movie: what its tracks are and how long it is.

use mp4_atom::{
    Audio, Avc1, Avcc, Codec, Dinf, Dops, Dref, DrefEntry, Encode as _, FixedPoint, FourCC, Ftyp,
    Hdlr, Mdhd, Mdia, Mehd, Minf, Moov, Mvex, Mvhd, Opus, Smhd, Stbl, Stsd, Tkhd, Trak, Trex, Url,
    Visual, Vmhd,
};
use vroom_desktop::Size;

use crate::codec::nals;

/// How the pictures of a movie are to be decoded.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Pictures {
    /// In pixels.
    pub(super) size: Size,
    sequence: Vec<u8>,
    picture: Vec<Vec<u8>>,
}

impl Pictures {
    /// As a key frame says it; `None` when it lacks its parameter sets.
    pub(super) fn of(key_frame: &[u8], size: Size) -> Option<Self> {
        let sets = |kind| nals(key_frame, usize::MAX).filter(move |nal| kind_of(nal) == kind);
        let sequence = sets(SEQUENCE).next().filter(|set| set.len() >= 4)?.to_vec();
        let mut picture: Vec<_> = sets(PICTURE).map(<[u8]>::to_vec).collect();
        picture.dedup();
        (!picture.is_empty()).then_some(Self {
            size,
            sequence,
            picture,
        })
    }

    fn codec(&self) -> Result<Codec, mp4_atom::Error> {
        let first = self.picture.first().map_or(&[][..], Vec::as_slice);
        let mut avcc = Avcc::new(&self.sequence, first)?;
        avcc.picture_parameter_sets.clone_from(&self.picture);
        Ok(Codec::Avc1(Avc1 {
            visual: Visual {
                data_reference_index: 1,
                width: narrow(self.size.width),
                height: narrow(self.size.height),
                ..Visual::default()
            },
            avcc,
            btrt: None,
            colr: None,
            pasp: None,
            taic: None,
            fiel: None,
            spatial: None,
        }))
    }
}

/// An access unit as movies have it: lengths instead of start codes, and no parameter sets.
pub(super) fn lengths(unit: &[u8]) -> Vec<u8> {
    let mut sample = Vec::with_capacity(unit.len() + 16);
    let kept = |nal: &&[u8]| !matches!(kind_of(nal), SEQUENCE | PICTURE | DELIMITER);
    for nal in nals(unit, usize::MAX).filter(kept) {
        // No unit has 4 GiB.
        let length = u32::try_from(nal.len()).unwrap_or(u32::MAX);
        sample.extend_from_slice(&length.to_be_bytes());
        sample.extend_from_slice(nal);
    }
    sample
}

fn kind_of(nal: &[u8]) -> u8 {
    nal.first().map_or(0, |first| first & 0x1F)
}

/// The first box of a file.
pub(super) fn file_type() -> Result<Vec<u8>, mp4_atom::Error> {
    let mut bytes = Vec::new();
    Ftyp {
        major_brand: b"iso6".into(),
        minor_version: 512,
        compatible_brands: vec![b"iso6".into(), b"iso5".into(), b"mp41".into()],
    }
    .encode(&mut bytes)?;
    Ok(bytes)
}

/// The head, which is as long whatever the duration is.
pub(super) fn movie(
    pictures: &Pictures,
    sound: bool,
    duration_ms: u64,
) -> Result<Vec<u8>, mp4_atom::Error> {
    let video = Track {
        id: PICTURES,
        timescale: PICTURES_HZ,
        handler: b"vide".into(),
        codec: pictures.codec()?,
        size: Some(pictures.size),
    };
    let mut tracks = vec![video];
    if sound {
        tracks.push(Track {
            id: SOUND,
            timescale: SOUND_HZ,
            handler: b"soun".into(),
            codec: opus(),
            size: None,
        });
    }
    let moov = Moov {
        mvhd: Mvhd {
            timescale: 1000,
            duration: duration_ms,
            rate: FixedPoint::new(1, 0),
            volume: FixedPoint::new(1, 0),
            next_track_id: SOUND + 1,
            ..Mvhd::default()
        },
        mvex: Some(Mvex {
            mehd: Some(Mehd {
                fragment_duration: duration_ms,
            }),
            trex: tracks
                .iter()
                .map(|track| Trex {
                    track_id: track.id,
                    default_sample_description_index: 1,
                    ..Trex::default()
                })
                .collect(),
        }),
        trak: tracks
            .into_iter()
            .map(|track| track.describe(duration_ms))
            .collect(),
        ..Moov::default()
    };
    let mut bytes = Vec::new();
    moov.encode(&mut bytes)?;
    Ok(bytes)
}

struct Track {
    id: u32,
    timescale: u32,
    handler: FourCC,
    codec: Codec,
    size: Option<Size>,
}

impl Track {
    fn describe(self, duration_ms: u64) -> Trak {
        let side = |length: fn(Size) -> u32| {
            FixedPoint::new(self.size.map_or(0, |size| narrow(length(size))), 0)
        };
        let is_sound = self.size.is_none();
        Trak {
            tkhd: Tkhd {
                track_id: self.id,
                duration: duration_ms,
                enabled: true,
                in_movie: true,
                volume: FixedPoint::new(u8::from(is_sound), 0),
                width: side(|size| size.width),
                height: side(|size| size.height),
                ..Tkhd::default()
            },
            mdia: Mdia {
                mdhd: Mdhd {
                    timescale: self.timescale,
                    duration: duration_ms * u64::from(self.timescale) / 1000,
                    language: "und".into(),
                    ..Mdhd::default()
                },
                hdlr: Hdlr {
                    handler: self.handler,
                    name: if is_sound { "sound" } else { "desktop" }.into(),
                },
                minf: Minf {
                    vmhd: (!is_sound).then(Vmhd::default),
                    smhd: is_sound.then(Smhd::default),
                    dinf: Dinf {
                        dref: Dref {
                            entries: vec![DrefEntry::Url(Url::default())],
                        },
                    },
                    stbl: Stbl {
                        stsd: Stsd {
                            codecs: vec![self.codec],
                        },
                        stco: Some(mp4_atom::Stco::default()),
                        ..Stbl::default()
                    },
                    ..Minf::default()
                },
            },
            ..Trak::default()
        }
    }
}

fn opus() -> Codec {
    Codec::Opus(Opus {
        audio: Audio {
            data_reference_index: 1,
            channel_count: 2,
            sample_size: 16,
            sample_rate: FixedPoint::new(48_000, 0),
        },
        dops: Dops {
            output_channel_count: 2,
            pre_skip: 0,
            input_sample_rate: SOUND_HZ,
            output_gain: 0,
            channel_mapping: None,
        },
        btrt: None,
    })
}

/// A length of the desktop, which has far fewer pixels than that.
fn narrow(pixels: u32) -> u16 {
    u16::try_from(pixels).unwrap_or(u16::MAX)
}

/// The track of the pictures.
pub(super) const PICTURES: u32 = 1;

/// The track of the sound.
pub(super) const SOUND: u32 = 2;

/// What times of pictures count.
pub(super) const PICTURES_HZ: u32 = 90_000;

/// What times of the sound count: samples.
pub(super) const SOUND_HZ: u32 = 48_000;

const SEQUENCE: u8 = 7;
const PICTURE: u8 = 8;
const DELIMITER: u8 = 9;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_has_lengths_and_no_parameter_sets() {
        let unit = [
            0, 0, 0, 1, 9, 0x10, 0, 0, 0, 1, 0x67, 66, 0xC0, 31, 1, 0, 0, 1, 0x68, 9, 0, 0, 1,
            0x65, 1, 2, 0, 0, 1, 0x65, 3,
        ];
        assert_eq!(
            lengths(&unit),
            [0, 0, 0, 3, 0x65, 1, 2, 0, 0, 0, 2, 0x65, 3]
        );
        let pictures = Pictures::of(&unit, Size::new(64, 48)).unwrap();
        assert_eq!(pictures.sequence, [0x67, 66, 0xC0, 31, 1]);
        assert_eq!(pictures.picture, [[0x68, 9]]);
        assert_eq!(Pictures::of(&unit[20..], Size::new(64, 48)), None);
    }

    #[test]
    fn the_head_has_one_length() {
        let pictures = Pictures {
            size: Size::new(1280, 720),
            sequence: vec![0x67, 66, 0xC0, 31],
            picture: vec![vec![0x68, 9]],
        };
        let short = movie(&pictures, true, 0).unwrap();
        let long = movie(&pictures, true, u64::from(u32::MAX) * 1000).unwrap();
        assert_eq!(short.len(), long.len());
    }
}
