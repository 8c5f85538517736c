//! The images of a terminal: the bytes they came in, and where they are shown.

mod command;
mod delete;
mod kitty;
mod placement;
mod png;
mod sixel;

use std::collections::BTreeMap;

use self::command::Command;
pub(super) use self::command::{is_control, words};
pub(super) use self::placement::{Anchor, Placement, Placements};

/// The images that were transmitted, within a quota.
#[derive(Debug)]
pub(super) struct Images {
    pub(super) stored: BTreeMap<Key, Image>,
    /// An image whose chunks are still coming.
    pub(super) upload: Option<Upload>,
    /// Bytes of all images; the oldest goes when there are more.
    quota: usize,
    /// How many images have come so far.
    count: u64,
}

/// What an image is called here.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(super) enum Key {
    /// By its kitty id.
    Id(u32),
    /// By its kitty number; a newer image of the same number replaces it.
    Number(u32),
    /// It has no name: nothing refers to it but the place where it is shown.
    Nameless(u64),
}

/// An image as it was transmitted.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Image {
    pub(super) source: Source,
    /// The width and height in pixels.
    pub(super) size: (u32, u32),
    /// Which one it was, counted from the first.
    age: u64,
}

/// The bytes of an image.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Source {
    /// A kitty image: its format (`f`), whether it is compressed (`o=z`), and its base64.
    Kitty {
        format: u32,
        compressed: bool,
        payload: Vec<u8>,
    },
    /// The content of a sixel string.
    Sixel(Vec<u8>),
}

/// A transmission in chunks.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Upload {
    /// The keys of the first chunk, without the one that says that more follow.
    pub(super) control: String,
    /// The chunks so far; empty when the image is not wanted.
    pub(super) payload: Vec<u8>,
    pub(super) wanted: bool,
}

/// The number of images kept; the oldest goes when there are more.
const IMAGES_MAX: usize = 1024;

/// Whether a byte stands in base64.
pub(super) fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')
}

/// Whether a byte stands in a sixel string.
pub(super) fn is_sixel(byte: u8) -> bool {
    matches!(byte, 0x20..=0x7e | b'\r' | b'\n')
}

impl Images {
    pub(super) fn new(quota: usize) -> Self {
        Self {
            stored: BTreeMap::new(),
            upload: None,
            quota,
            count: 0,
        }
    }

    /// A name for an image that has none.
    fn nameless(&self) -> Key {
        Key::Nameless(self.count)
    }

    /// Stores an image, and returns those that had to go.
    fn store(&mut self, key: Key, source: Source, size: (u32, u32)) -> Vec<Key> {
        self.count += 1;
        let image = Image {
            source,
            size,
            age: self.count,
        };
        self.stored.insert(key, image);
        let mut gone = Vec::new();
        while self.bytes() > self.quota || self.stored.len() > IMAGES_MAX {
            let oldest = self.stored.iter().min_by_key(|(_, image)| image.age);
            let Some((&oldest, _)) = oldest else {
                break;
            };
            self.stored.remove(&oldest);
            gone.push(oldest);
        }
        gone
    }

    fn bytes(&self) -> usize {
        self.stored.values().map(|image| image.source.len()).sum()
    }

    /// Forgets nameless images that are shown nowhere.
    fn forget_hidden(&mut self, shown: impl Fn(Key) -> bool) {
        self.stored
            .retain(|key, _| !matches!(key, Key::Nameless(_)) || shown(*key));
    }
}

impl Image {
    /// Which image it was, counted from the first; older ones go first.
    pub(super) fn age(&self) -> u64 {
        self.age
    }
}

impl Source {
    fn len(&self) -> usize {
        match self {
            Self::Kitty { payload, .. } => payload.len(),
            Self::Sixel(content) => content.len(),
        }
    }
}
