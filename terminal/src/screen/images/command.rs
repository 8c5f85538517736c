//! A command of the kitty graphics protocol.

/// The keys of a command, and what is usual where one is missing.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(in super::super) struct Command {
    pub(super) action: u8,
    /// The data come with the command, not by the name of a file.
    pub(super) direct: bool,
    pub(super) delete: u8,
    pub(super) compressed: bool,
    pub(super) more: bool,
    keys: Vec<(u8, i64)>,
}

/// The longest control data; a longer command is ignored.
const CONTROL_BYTES: usize = 1024;

impl Command {
    /// Reads `key=value,…`; `None` when it is none or too long.
    pub(super) fn parse(control: &str) -> Option<Self> {
        if control.len() > CONTROL_BYTES || !is_control(control.as_bytes()) {
            return None;
        }
        let mut command = Self {
            action: b't',
            direct: true,
            delete: b'a',
            compressed: false,
            more: false,
            keys: Vec::new(),
        };
        for pair in control.split(',') {
            let Some((key, value)) = pair.split_once('=') else {
                continue;
            };
            let (&[key, ..], &[first, ..]) = (key.as_bytes(), value.as_bytes()) else {
                continue;
            };
            match key {
                b'a' => command.action = first,
                b't' => command.direct &= value == "d",
                b'd' => command.delete = first,
                b'o' => command.compressed = first == b'z',
                b'm' => command.more = value == "1",
                _ => {
                    if let Ok(value) = value.parse() {
                        command.keys.push((key, value));
                    }
                }
            }
        }
        Some(command)
    }

    /// The number of a key; 0 where it is missing or no count.
    pub(super) fn get(&self, key: u8) -> u32 {
        u32::try_from(self.signed(key)).unwrap_or(0)
    }

    /// The number of a key, which may be negative; 0 where it is missing.
    pub(super) fn signed(&self, key: u8) -> i64 {
        let found = self.keys.iter().rev().find(|(name, _)| *name == key);
        found.map_or(0, |(_, value)| {
            *value.clamp(&i64::from(i32::MIN), &i64::from(u32::MAX))
        })
    }

    /// The keys that say which part of an image is shown and how.
    pub(super) fn view(&self) -> Vec<(u8, i64)> {
        b"xywhXYcrz"
            .iter()
            .map(|key| (*key, self.signed(*key)))
            .filter(|(_, value)| *value != 0)
            .collect()
    }
}

/// Whether this is control data: pairs of a letter and a word or number, and nothing else.
pub(in super::super) fn is_control(control: &[u8]) -> bool {
    control.is_empty()
        || control.split(|byte| *byte == b',').all(|pair| {
            let plain = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'-';
            let [key, b'=', value @ ..] = pair else {
                return false;
            };
            key.is_ascii_alphabetic() && !value.is_empty() && value.iter().all(plain)
        })
}

/// Keys and values as they stand in a command.
pub(in super::super) fn words(keys: &[(u8, i64)]) -> String {
    keys.iter()
        .map(|(key, value)| format!(",{}={value}", char::from(*key)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_their_defaults_are_read() {
        let command = Command::parse("a=T,f=100,i=31,z=-5,m=1,o=z").unwrap();
        assert!(command.action == b'T' && command.direct);
        assert_eq!((command.get(b'f'), command.get(b'i')), (100, 31));
        assert_eq!((command.signed(b'z'), command.get(b'z')), (-5, 0));
        assert!(command.more && command.compressed);
        assert_eq!(command.get(b'I'), 0);
    }

    #[test]
    fn what_is_no_number_counts_as_missing() {
        let command = Command::parse("q=99999999999999999999,f=4x,i=-3").unwrap();
        assert_eq!(command.view(), []);
        assert_eq!([b'q', b'f', b'i'].map(|key| command.get(key)), [0; 3]);
    }

    #[test]
    fn what_is_no_control_data_is_refused() {
        for control in ["a", "a=", "=1", "xx=1", "a=T,", "a=T, t=f", "a=\u{9b}"] {
            assert_eq!(Command::parse(control), None, "{control}");
        }
    }
}
