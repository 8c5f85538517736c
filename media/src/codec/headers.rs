//! Parameter sets before every key frame, also from encoders that send them once.

use gstreamer as gst;

/// Remembers the parameter sets of a stream and repeats them where they are missing.
///
/// A viewer that joins later starts at a key frame, and cannot decode it without them.
#[derive(Default)]
pub(crate) struct Headers(Vec<u8>);

impl Headers {
    /// The access unit with parameter sets in front, if it is a key frame.
    pub(crate) fn complete(&mut self, unit: gst::Buffer) -> gst::Buffer {
        if unit.flags().contains(gst::BufferFlags::DELTA_UNIT) {
            return unit;
        }
        let Ok(bytes) = unit.map_readable() else {
            return unit;
        };
        let sets = parameter_sets(&bytes);
        drop(bytes);
        match sets {
            Some(sets) => {
                self.0 = sets;
                unit
            }
            None if self.0.is_empty() => unit,
            None => self.prepend(unit),
        }
    }

    fn prepend(&self, unit: gst::Buffer) -> gst::Buffer {
        let mut whole = gst::Buffer::from_slice(self.0.clone());
        if let Some(buffer) = whole.get_mut() {
            buffer.set_flags(unit.flags());
        }
        whole.append(unit);
        whole
    }
}

/// The first sequence parameter set and what belongs to it; `None` when there is none.
fn parameter_sets(unit: &[u8]) -> Option<Vec<u8>> {
    let mut sets = Vec::new();
    for nal in nals(unit, NALS_MAX) {
        match nal.first()? & TYPE {
            kind @ (SEQUENCE | PICTURE) if kind == SEQUENCE || !sets.is_empty() => {
                sets.extend_from_slice(&START);
                sets.extend_from_slice(nal);
            }
            slice if (1..=5).contains(&slice) => break,
            _ => {}
        }
    }
    (!sets.is_empty()).then_some(sets)
}

/// The units between start codes; after so many the last one is all of the rest.
pub(crate) fn nals(unit: &[u8], max: usize) -> impl Iterator<Item = &[u8]> {
    let mut starts = Vec::new();
    let mut at = 0;
    while let Some(window) = unit.get(at..at + 3) {
        if window == [0, 0, 1] {
            starts.push(at + 3);
            at += 3;
        } else {
            at += 1;
        }
        if starts.len() > max {
            break;
        }
    }
    let ends: Vec<_> = starts
        .iter()
        .skip(1)
        .map(|next| next - 3)
        .chain([unit.len()])
        .collect();
    starts.into_iter().zip(ends).filter_map(|(start, end)| {
        let nal = unit.get(start..end)?;
        // The zero of a longer start code belongs to that, and a unit never ends with one.
        let length = nal.iter().rposition(|byte| *byte != 0)? + 1;
        nal.get(..length)
    })
}

const START: [u8; 4] = [0, 0, 0, 1];
const TYPE: u8 = 0x1F;
const SEQUENCE: u8 = 7;
const PICTURE: u8 = 8;

/// The units looked at: parameter sets stand first, and a whole picture need not be searched.
const NALS_MAX: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    const SETS: [u8; 14] = [0, 0, 0, 1, 0x67, 66, 0, 31, 0, 0, 0, 1, 0x68, 9];
    const PICTURE: [u8; 7] = [0, 0, 0, 1, 0x65, 1, 2];

    fn unit(parts: &[&[u8]], delta: bool) -> gst::Buffer {
        gst::init().unwrap();
        let mut buffer = gst::Buffer::from_slice(parts.concat());
        if delta {
            let flags = gst::BufferFlags::DELTA_UNIT;
            buffer.get_mut().unwrap().set_flags(flags);
        }
        buffer
    }

    fn bytes(buffer: &gst::Buffer) -> Vec<u8> {
        buffer.map_readable().unwrap().to_vec()
    }

    #[test]
    fn a_key_frame_without_parameter_sets_gets_those_of_the_last() {
        let mut headers = Headers::default();
        let first = unit(&[&SETS, &PICTURE], false);
        assert_eq!(
            bytes(&headers.complete(first)),
            [&SETS[..], &PICTURE].concat()
        );
        let bare = headers.complete(unit(&[&PICTURE], false));
        assert_eq!(bytes(&bare), [&SETS[..], &PICTURE].concat());
        assert!(!bare.flags().contains(gst::BufferFlags::DELTA_UNIT));
    }

    #[test]
    fn other_pictures_and_unknown_streams_are_left_alone() {
        let mut headers = Headers::default();
        let bare = headers.complete(unit(&[&PICTURE], false));
        assert_eq!(bytes(&bare), PICTURE);
        headers.complete(unit(&[&SETS, &PICTURE], false));
        let delta = headers.complete(unit(&[&PICTURE], true));
        assert_eq!(bytes(&delta), PICTURE);
    }

    #[test]
    fn anything_at_all_is_looked_at_without_harm() {
        let mut state = 1_u32;
        for length in 0..200 {
            let noise: Vec<u8> = (0..length)
                .map(|_| {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    state.to_be_bytes()[0] % 3
                })
                .collect();
            parameter_sets(&noise);
        }
    }
}
