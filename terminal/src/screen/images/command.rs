//! A command of the kitty graphics protocol.

/// The keys of a command, and what is usual where one is missing.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(in super::super) struct Command {
    pub(super) action: u8,
    pub(super) medium: u8,
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
        if control.len() > CONTROL_BYTES {
            return None;
        }
        let mut command = Self {
            action: b't',
            medium: b'd',
            delete: b'a',
            compressed: false,
            more: false,
            keys: Vec::new(),
        };
        for pair in control.split(',') {
            let Some((key, value)) = pair.split_once('=') else {
                continue;
            };
            let (&[key], Some(&first)) = (key.as_bytes(), value.as_bytes().first()) else {
                continue;
            };
            match key {
                b'a' => command.action = first,
                b't' => command.medium = first,
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
        assert_eq!((command.action, command.medium), (b'T', b'd'));
        assert_eq!((command.get(b'f'), command.get(b'i')), (100, 31));
        assert_eq!((command.signed(b'z'), command.get(b'z')), (-5, 0));
        assert!(command.more && command.compressed);
        assert_eq!(command.get(b'I'), 0);
    }

    #[test]
    fn what_is_no_key_is_passed_over() {
        let command = Command::parse("a,=,xx=1,i=,q=99999999999999999999,f=4x").unwrap();
        assert_eq!(command.view(), []);
        assert_eq!(command.get(b'q'), 0);
    }
}
