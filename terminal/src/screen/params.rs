//! The parameters of a control sequence.

/// A control sequence, taken apart.
#[derive(Debug)]
pub(super) struct Params {
    /// `<`, `=`, `>` or `?` before the parameters, else 0.
    pub(super) prefix: u8,
    /// The one intermediate that has a meaning, else 0.
    pub(super) intermediate: u8,
    /// The byte that ends the sequence.
    pub(super) last: u8,
    values: [u16; PARAMS_MAX],
    /// Bit n: value n is a sub-parameter of the one before it.
    subs: u32,
    len: usize,
}

/// More parameters are ignored, as in xterm.js.
const PARAMS_MAX: usize = 32;

impl Params {
    /// Takes the bytes after CSI apart; `None` when they mean nothing.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let (&last, mut body) = bytes.split_last()?;
        let mut params = Self {
            prefix: 0,
            intermediate: 0,
            last,
            values: [0; PARAMS_MAX],
            subs: 0,
            len: 1,
        };
        if let Some((&prefix @ 0x3c..=0x3f, rest)) = body.split_first() {
            params.prefix = prefix;
            body = rest;
        }
        let mut full = false;
        for (at, &byte) in body.iter().enumerate() {
            match byte {
                b'0'..=b'9' if !full => {
                    let value = &mut params.values[params.len - 1];
                    *value = value
                        .saturating_mul(10)
                        .saturating_add(u16::from(byte - b'0'));
                }
                b';' | b':' if params.len < PARAMS_MAX => {
                    params.subs |= u32::from(byte == b':') << params.len;
                    params.len += 1;
                }
                b'0'..=b';' => full = true,
                // One intermediate at the end; other combinations mean nothing.
                0x20..=0x2f if at + 1 == body.len() => params.intermediate = byte,
                _ => return None,
            }
        }
        Some(params)
    }

    /// Parameter `index`, or `default` where it is missing or 0.
    pub(super) fn get(&self, index: usize, default: u16) -> u16 {
        match self.groups().nth(index) {
            Some([value, ..]) if *value != 0 => *value,
            _ => default,
        }
    }

    /// The first parameter as a count: at least 1.
    pub(super) fn count(&self) -> usize {
        usize::from(if self.values[0] == 0 {
            1
        } else {
            self.values[0]
        })
    }

    /// The parameters with their sub-parameters.
    pub(super) fn groups(&self) -> impl Iterator<Item = &[u16]> {
        let mut at = 0;
        std::iter::from_fn(move || {
            if at >= self.len {
                return None;
            }
            let from = at;
            at += 1;
            while at < self.len && self.subs & (1 << at) != 0 {
                at += 1;
            }
            Some(&self.values[from..at])
        })
    }

    /// The parameters without their sub-parameters.
    pub(super) fn values(&self) -> impl Iterator<Item = u16> {
        self.groups().map(|group| group[0])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn groups(bytes: &[u8]) -> Vec<Vec<u16>> {
        let params = Params::parse(bytes).unwrap();
        params.groups().map(<[u16]>::to_vec).collect()
    }

    #[test]
    fn missing_parameters_are_zero() {
        assert_eq!(groups(b"m"), [[0]]);
        assert_eq!(groups(b";5H"), [[0], [5]]);
        assert_eq!(Params::parse(b"H").unwrap().get(1, 7), 7);
    }

    #[test]
    fn sub_parameters_stay_with_their_parameter() {
        let wanted: [&[u16]; 3] = [&[4, 3], &[38, 2, 0, 1, 2, 3], &[1]];
        assert_eq!(groups(b"4:3;38:2::1:2:3;1m"), wanted);
    }

    #[test]
    fn prefix_and_intermediate_are_told() {
        let params = Params::parse(b"?2026$p").unwrap();
        assert_eq!(
            (params.prefix, params.intermediate, params.last),
            (b'?', b'$', b'p')
        );
    }

    #[test]
    fn what_means_nothing_is_refused() {
        for bytes in [&b"1?h"[..], b"1 2q", b"!!p", b""] {
            assert!(Params::parse(bytes).is_none(), "{bytes:?}");
        }
    }

    #[test]
    fn many_and_large_parameters_are_bounded() {
        let many = [b"99999999;".repeat(100), b"m".to_vec()].concat();
        let params = Params::parse(&many).unwrap();
        assert_eq!(params.groups().count(), PARAMS_MAX);
        assert!(params.values().all(|value| value == u16::MAX));
    }
}
