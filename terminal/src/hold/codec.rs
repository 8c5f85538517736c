//! Values as bytes: what frames and states are made of.
//!
//! Numbers are little-endian; texts and bytes have their length in front as a `u32`; something that may
//! be absent has a byte in front that is 1 or 0.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::PtySize;

/// Appends values to bytes.
pub(crate) trait Encode {
    fn put_u8(&mut self, value: u8);
    fn put_bytes(&mut self, value: &[u8]);
    fn put_raw(&mut self, value: &[u8]);

    fn put_bool(&mut self, value: bool) {
        self.put_u8(u8::from(value));
    }

    fn put_u16(&mut self, value: u16) {
        self.put_raw(&value.to_le_bytes());
    }

    fn put_u32(&mut self, value: u32) {
        self.put_raw(&value.to_le_bytes());
    }

    fn put_u64(&mut self, value: u64) {
        self.put_raw(&value.to_le_bytes());
    }

    fn put_text(&mut self, value: &str) {
        self.put_bytes(value.as_bytes());
    }

    fn put_os(&mut self, value: impl AsRef<OsStr>) {
        self.put_bytes(value.as_ref().as_bytes());
    }

    fn put_option<T>(&mut self, value: Option<T>, put: impl FnOnce(&mut Self, T)) {
        self.put_bool(value.is_some());
        if let Some(value) = value {
            put(self, value);
        }
    }

    fn put_time(&mut self, value: SystemTime) {
        let since = value.duration_since(UNIX_EPOCH).unwrap_or_default();
        self.put_u64(u64::try_from(since.as_millis()).unwrap_or(u64::MAX));
    }

    fn put_size(&mut self, size: PtySize) {
        for value in [size.rows, size.cols, size.px_w, size.px_h] {
            self.put_u16(value);
        }
    }

    fn put_texts(&mut self, texts: &BTreeMap<String, String>) {
        self.put_u32(u32::try_from(texts.len()).unwrap_or(u32::MAX));
        for (key, value) in texts {
            self.put_text(key);
            self.put_text(value);
        }
    }
}

impl Encode for Vec<u8> {
    fn put_u8(&mut self, value: u8) {
        self.push(value);
    }

    fn put_raw(&mut self, value: &[u8]) {
        self.extend_from_slice(value);
    }

    fn put_bytes(&mut self, value: &[u8]) {
        // Nothing that long exists here: the callers bound what they put.
        self.put_u32(u32::try_from(value.len()).unwrap_or(u32::MAX));
        self.put_raw(value);
    }
}

/// Takes values from bytes; `None` when they are not there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Decode<'a>(pub(crate) &'a [u8]);

impl<'a> Decode<'a> {
    pub(crate) fn raw(&mut self, count: usize) -> Option<&'a [u8]> {
        let (value, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(value)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.raw(N)?.try_into().ok()
    }

    pub(crate) fn u8(&mut self) -> Option<u8> {
        Some(u8::from_le_bytes(self.array()?))
    }

    pub(crate) fn u16(&mut self) -> Option<u16> {
        Some(u16::from_le_bytes(self.array()?))
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.array()?))
    }

    pub(crate) fn u64(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(self.array()?))
    }

    pub(crate) fn bool(&mut self) -> Option<bool> {
        match self.u8()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    pub(crate) fn bytes(&mut self) -> Option<&'a [u8]> {
        let count = usize::try_from(self.u32()?).ok()?;
        self.raw(count)
    }

    pub(crate) fn text(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.bytes()?).ok()
    }

    pub(crate) fn string(&mut self) -> Option<String> {
        self.text().map(str::to_owned)
    }

    pub(crate) fn os(&mut self) -> Option<OsString> {
        self.bytes().map(|bytes| OsString::from_vec(bytes.to_vec()))
    }

    pub(crate) fn path(&mut self) -> Option<PathBuf> {
        self.os().map(PathBuf::from)
    }

    /// The outer `None` is what is not there, the inner one what is absent.
    pub(crate) fn option<T>(
        &mut self,
        take: impl FnOnce(&mut Self) -> Option<T>,
    ) -> Option<Option<T>> {
        if self.bool()? {
            take(self).map(Some)
        } else {
            Some(None)
        }
    }

    pub(crate) fn time(&mut self) -> Option<SystemTime> {
        UNIX_EPOCH.checked_add(Duration::from_millis(self.u64()?))
    }

    pub(crate) fn size(&mut self) -> Option<PtySize> {
        Some(PtySize {
            rows: self.u16()?,
            cols: self.u16()?,
            px_w: self.u16()?,
            px_h: self.u16()?,
        })
    }

    pub(crate) fn texts(&mut self) -> Option<BTreeMap<String, String>> {
        let count = self.u32()?;
        // Each takes bytes, so a large number ends here early.
        (0..count)
            .map(|_| Some((self.string()?, self.string()?)))
            .collect()
    }

    /// `value` if nothing is left.
    pub(crate) fn end<T>(self, value: T) -> Option<T> {
        self.0.is_empty().then_some(value)
    }
}
