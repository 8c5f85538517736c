//! CBOR: takes every valid form, writes the deterministic one.

use bytes::Bytes;
use ciborium_ll::{Decoder, Encoder, Header};

use super::value::has_duplicates;
use super::{DecodeError, Key, Limits, Value};

/// Decodes one item that fills the whole payload.
pub(super) fn decode(payload: &[u8], limits: &Limits) -> Result<Value, DecodeError> {
    let mut reader = Reader {
        rest: payload,
        items_left: limits.items_max,
    };
    let value = reader.value(limits.depth_max)?;
    if reader.rest.is_empty() {
        Ok(value)
    } else {
        Err(DecodeError::Syntax("bytes after the message"))
    }
}

/// Writes the deterministic form: definite lengths, shortest numbers, sorted keys.
pub(super) fn encode(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Null | Value::Other => header(out, Header::Simple(NULL)),
        Value::Bool(false) => header(out, Header::Simple(FALSE)),
        Value::Bool(true) => header(out, Header::Simple(TRUE)),
        Value::Int(int) => encode_int(*int, out),
        Value::Float(float) => header(out, Header::Float(*float)),
        Value::Text(text) => encode_text(text, out),
        Value::Bytes(bytes) => {
            header(out, Header::Bytes(Some(bytes.len())));
            out.extend_from_slice(bytes);
        }
        Value::Array(items) => {
            header(out, Header::Array(Some(items.len())));
            for item in items {
                encode(item, out);
            }
        }
        Value::Map(entries) => {
            header(out, Header::Map(Some(entries.len())));
            // RFC 8949 §4.2.1: in the bytewise order of the encoded keys.
            let mut sorted: Vec<(Vec<u8>, &Value)> = entries
                .iter()
                .map(|(key, value)| (encoded_key(key), value))
                .collect();
            sorted.sort_by(|left, right| left.0.cmp(&right.0));
            for (key, value) in sorted {
                out.extend_from_slice(&key);
                encode(value, out);
            }
        }
    }
}

/// What is left of the payload, and of what it may cost.
struct Reader<'a> {
    rest: &'a [u8],
    items_left: usize,
}

impl<'a> Reader<'a> {
    fn value(&mut self, depth_left: usize) -> Result<Value, DecodeError> {
        match self.item()? {
            Header::Positive(int) => Ok(Value::Int(int.into())),
            Header::Negative(int) => Ok(Value::Int(-1 - i128::from(int))),
            Header::Float(float) => Ok(Value::Float(float)),
            Header::Simple(FALSE) => Ok(Value::Bool(false)),
            Header::Simple(TRUE) => Ok(Value::Bool(true)),
            Header::Simple(NULL | UNDEFINED) => Ok(Value::Null),
            Header::Simple(_) => Ok(Value::Other),
            Header::Bytes(length) => self.bytes(length).map(Value::Bytes),
            Header::Text(length) => self.text(length).map(Value::Text),
            Header::Array(length) => self.array(length, deeper(depth_left)?),
            Header::Map(length) => self.map(length, deeper(depth_left)?),
            Header::Tag(_) => self.value(deeper(depth_left)?).map(|_| Value::Other),
            Header::Break => Err(DecodeError::Syntax("a break outside of an indefinite item")),
        }
    }

    fn array(&mut self, length: Option<usize>, depth_left: usize) -> Result<Value, DecodeError> {
        let mut items = Vec::new();
        while self.has_next(length, items.len())? {
            items.push(self.value(depth_left)?);
        }
        Ok(Value::Array(items))
    }

    fn map(&mut self, length: Option<usize>, depth_left: usize) -> Result<Value, DecodeError> {
        let mut entries = Vec::new();
        while self.has_next(length, entries.len())? {
            let key = match self.item()? {
                Header::Text(length) => Key::Text(self.text(length)?),
                Header::Positive(int) => Key::Int(int.into()),
                Header::Negative(int) => Key::Int(-1 - i128::from(int)),
                _ => {
                    return Err(DecodeError::Syntax(
                        "a key that is neither text nor integer",
                    ));
                }
            };
            entries.push((key, self.value(depth_left)?));
        }
        if has_duplicates(&entries) {
            return Err(DecodeError::Syntax("a member occurs twice"));
        }
        Ok(Value::Map(entries))
    }

    /// Whether a container goes on; takes the break that ends one of indefinite length.
    // A stated length allocates nothing: the items have to be there first.
    fn has_next(&mut self, length: Option<usize>, seen: usize) -> Result<bool, DecodeError> {
        match length {
            Some(length) => Ok(seen < length),
            None => match self.rest.split_first() {
                Some((&BREAK, rest)) => {
                    self.rest = rest;
                    Ok(false)
                }
                Some(_) => Ok(true),
                None => Err(TRUNCATED),
            },
        }
    }

    fn bytes(&mut self, length: Option<usize>) -> Result<Bytes, DecodeError> {
        let Some(length) = length else {
            let mut whole = Vec::new();
            while self.has_next(None, 0)? {
                match self.header()? {
                    Header::Bytes(Some(length)) => whole.extend_from_slice(self.take(length)?),
                    _ => return Err(DecodeError::Syntax("a chunk that is not a byte string")),
                }
            }
            return Ok(whole.into());
        };
        self.take(length).map(Bytes::copy_from_slice)
    }

    fn text(&mut self, length: Option<usize>) -> Result<String, DecodeError> {
        let Some(length) = length else {
            let mut whole = String::new();
            while self.has_next(None, 0)? {
                match self.header()? {
                    Header::Text(Some(length)) => whole.push_str(self.utf8(length)?),
                    _ => return Err(DecodeError::Syntax("a chunk that is not text")),
                }
            }
            return Ok(whole);
        };
        self.utf8(length).map(str::to_owned)
    }

    fn utf8(&mut self, length: usize) -> Result<&'a str, DecodeError> {
        std::str::from_utf8(self.take(length)?)
            .map_err(|_| DecodeError::Syntax("text that is not UTF-8"))
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], DecodeError> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(TRUNCATED)?;
        self.rest = rest;
        Ok(taken)
    }

    /// The header of the next item, which is counted.
    fn item(&mut self) -> Result<Header, DecodeError> {
        self.items_left = self
            .items_left
            .checked_sub(1)
            .ok_or(DecodeError::Syntax("too many items"))?;
        self.header()
    }

    fn header(&mut self) -> Result<Header, DecodeError> {
        // RFC 8949 §3.3: simple values below 32 have no two-byte form.
        if matches!(self.rest, [0xF8, 0x00..=0x1F, ..]) {
            return Err(DecodeError::Syntax(
                "a simple value that is not well-formed",
            ));
        }
        let mut decoder = Decoder::from(self.rest);
        let header = decoder.pull().map_err(|_| TRUNCATED)?;
        self.rest = self.rest.get(decoder.offset()..).ok_or(TRUNCATED)?;
        Ok(header)
    }
}

fn deeper(depth_left: usize) -> Result<usize, DecodeError> {
    depth_left
        .checked_sub(1)
        .ok_or(DecodeError::Syntax("nested too deeply"))
}

fn encode_int(int: i128, out: &mut Vec<u8>) {
    if int >= 0 {
        header(
            out,
            Header::Positive(u64::try_from(int).unwrap_or(u64::MAX)),
        );
    } else {
        header(
            out,
            Header::Negative(u64::try_from(-1 - int).unwrap_or(u64::MAX)),
        );
    }
}

fn encode_text(text: &str, out: &mut Vec<u8>) {
    header(out, Header::Text(Some(text.len())));
    out.extend_from_slice(text.as_bytes());
}

fn encoded_key(key: &Key) -> Vec<u8> {
    let mut out = Vec::new();
    match key {
        Key::Text(text) => encode_text(text, &mut out),
        Key::Int(int) => encode_int(*int, &mut out),
    }
    out
}

/// Writes a header in its shortest form.
fn header(out: &mut Vec<u8>, header: Header) {
    let mut buffer = [0; HEADER_LEN_MAX];
    let mut space = buffer.as_mut_slice();
    let written = Encoder::from(&mut space).push(header);
    debug_assert!(written.is_ok(), "no header is longer");
    let length = HEADER_LEN_MAX - space.len();
    out.extend(buffer.into_iter().take(length));
}

const HEADER_LEN_MAX: usize = 9;
const FALSE: u8 = 20;
const TRUE: u8 = 21;
const NULL: u8 = 22;
const UNDEFINED: u8 = 23;
const BREAK: u8 = 0xFF;
const TRUNCATED: DecodeError = DecodeError::Syntax("truncated or not well-formed");
