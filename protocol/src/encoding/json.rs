//! JSON: duplicate members, deep nesting and trailing bytes are refused.

use std::cell::Cell;
use std::fmt;

use base64::Engine as _;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::members::BASE64;
use super::value::has_duplicates;
use super::{DecodeError, Key, Limits, Value};

/// Decodes one value that fills the whole payload.
pub(super) fn decode(payload: &[u8], limits: &Limits) -> Result<Value, DecodeError> {
    let items_left = Cell::new(limits.items_max);
    let mut json = serde_json::Deserializer::from_slice(payload);
    let seed = Seed {
        depth_left: limits.depth_max,
        items_left: &items_left,
    };
    // The cause may quote the payload, so it goes no further.
    let malformed = |_| DecodeError::Syntax("not the JSON of a message");
    let value = seed.deserialize(&mut json).map_err(malformed)?;
    json.end().map_err(malformed)?;
    Ok(value)
}

/// Writes a value without spaces, members in their order.
pub(super) fn encode(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Null | Value::Other => out.extend_from_slice(b"null"),
        Value::Bool(flag) => out.extend_from_slice(flag.to_string().as_bytes()),
        Value::Int(int) => out.extend_from_slice(int.to_string().as_bytes()),
        Value::Float(float) => write(out, float),
        Value::Text(text) => write(out, text),
        Value::Bytes(bytes) => write(out, &BASE64.encode(bytes)),
        Value::Array(items) => {
            out.push(b'[');
            for (index, item) in items.iter().enumerate() {
                separate(index, out);
                encode(item, out);
            }
            out.push(b']');
        }
        Value::Map(entries) => {
            out.push(b'{');
            for (index, (key, value)) in entries.iter().enumerate() {
                separate(index, out);
                match key {
                    Key::Text(text) => write(out, text),
                    Key::Int(int) => write(out, &int.to_string()),
                }
                out.push(b':');
                encode(value, out);
            }
            out.push(b'}');
        }
    }
}

/// Decodes one value; carries what the message may still cost.
#[derive(Clone, Copy)]
struct Seed<'a> {
    depth_left: usize,
    items_left: &'a Cell<usize>,
}

impl Seed<'_> {
    fn deeper<E: Error>(self) -> Result<Self, E> {
        let depth_left = self
            .depth_left
            .checked_sub(1)
            .ok_or_else(|| E::custom("nested too deeply"))?;
        Ok(Self { depth_left, ..self })
    }

    fn count<E: Error>(self) -> Result<(), E> {
        let left = self.items_left.get().checked_sub(1);
        self.items_left
            .set(left.ok_or_else(|| E::custom("too many items"))?);
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.count()?;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, flag: bool) -> Result<Value, E> {
        Ok(Value::Bool(flag))
    }

    fn visit_i64<E: Error>(self, int: i64) -> Result<Value, E> {
        Ok(Value::Int(int.into()))
    }

    fn visit_u64<E: Error>(self, int: u64) -> Result<Value, E> {
        Ok(Value::Int(int.into()))
    }

    fn visit_f64<E: Error>(self, float: f64) -> Result<Value, E> {
        Ok(Value::Float(float))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(text.to_owned()))
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Value, E> {
        Ok(Value::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let seed = self.deeper()?;
        let mut items = Vec::new();
        while let Some(item) = access.next_element_seed(seed)? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let seed = self.deeper()?;
        let mut entries = Vec::new();
        while let Some(key) = access.next_key::<String>()? {
            seed.count()?;
            entries.push((Key::Text(key), access.next_value_seed(seed)?));
        }
        if has_duplicates(&entries) {
            return Err(A::Error::custom("a member occurs twice"));
        }
        Ok(Value::Map(entries))
    }
}

fn separate(index: usize, out: &mut Vec<u8>) {
    if index > 0 {
        out.push(b',');
    }
}

/// Writes text or a finite float.
fn write<T: serde::Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) {
    let written = serde_json::to_writer(out, value);
    debug_assert!(written.is_ok(), "text and floats always fit a Vec");
}
