//! CBOR values as Smithy RPC v2 uses them: definite maps and lists, text keys, tag 1 for times.

use aws_smithy_cbor::data::Type;
use aws_smithy_cbor::decode::DeserializeError;
use aws_smithy_cbor::{Decoder, Encoder};
use aws_smithy_types::DateTime;
use jiff::Timestamp;

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Null, or something that this protocol does not send.
    Null,
    /// Boolean.
    Bool(bool),
    /// Whole number.
    Int(i64),
    /// Floating point.
    Float(f64),
    /// Text.
    Text(String),
    /// Time.
    Time(Timestamp),
    /// List.
    List(Vec<Value>),
    /// Map, in the order of its members.
    Map(Vec<(String, Value)>),
}

impl Value {
    /// A map of members.
    pub fn map<const N: usize>(members: [(&str, Value); N]) -> Self {
        Self::Map(members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
    }

    /// A text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// Adds a member to a map.
    pub fn with(mut self, key: &str, value: Value) -> Self {
        if let Self::Map(members) = &mut self {
            members.push((key.to_owned(), value));
        }
        self
    }

    /// A member of a map.
    pub fn get(&self, key: &str) -> Option<&Value> {
        match self {
            Self::Map(members) => members.iter().find(|(name, _)| name == key).map(|(_, value)| value),
            _ => None,
        }
    }

    /// A text member.
    pub fn str(&self, key: &str) -> Option<&str> {
        match self.get(key) {
            Some(Self::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// A whole-number member.
    pub fn int(&self, key: &str) -> Option<i64> {
        match self.get(key) {
            Some(Self::Int(number)) => Some(*number),
            _ => None,
        }
    }

    /// A time member.
    pub fn time(&self, key: &str) -> Option<Timestamp> {
        match self.get(key) {
            Some(Self::Time(at)) => Some(*at),
            _ => None,
        }
    }

    /// The entries of a list member; empty where there is none.
    pub fn list(&self, key: &str) -> &[Value] {
        match self.get(key) {
            Some(Self::List(values)) => values,
            _ => &[],
        }
    }

    /// The texts of a list member.
    pub fn texts(&self, key: &str) -> Vec<&str> {
        let values = self.list(key).iter();
        values.filter_map(|value| if let Self::Text(text) = value { Some(text.as_str()) } else { None }).collect()
    }
}

/// Reads one value.
///
/// # Errors
/// When the bytes are not CBOR.
pub fn read(bytes: &[u8]) -> Result<Value, DeserializeError> {
    value(&mut Decoder::new(bytes), 0)
}

fn value(decoder: &mut Decoder<'_>, depth: usize) -> Result<Value, DeserializeError> {
    if depth > 64 {
        return Err(DeserializeError::custom("nested too deeply", decoder.position()));
    }
    Ok(match decoder.datatype()? {
        Type::Bool => Value::Bool(decoder.boolean()?),
        Type::U8 | Type::U16 | Type::U32 | Type::U64 | Type::I8 | Type::I16 | Type::I32 | Type::I64 => {
            Value::Int(decoder.long()?)
        }
        Type::F16 | Type::F32 => Value::Float(f64::from(decoder.float()?)),
        Type::F64 => Value::Float(decoder.double()?),
        Type::String | Type::StringIndef => Value::Text(decoder.string()?),
        Type::Tag => {
            let at = decoder.timestamp()?;
            let millis = at.to_millis().map_err(|_| DeserializeError::custom("time out of range", 0))?;
            Timestamp::from_millisecond(millis).map_or(Value::Null, Value::Time)
        }
        Type::Array | Type::ArrayIndef => {
            let count = decoder.list()?;
            let mut values = Vec::new();
            while more(decoder, count, values.len())? {
                values.push(value(decoder, depth + 1)?);
            }
            Value::List(values)
        }
        Type::Map | Type::MapIndef => {
            let count = decoder.map()?;
            let mut members = Vec::new();
            while more(decoder, count, members.len())? {
                let key = decoder.string()?;
                members.push((key, value(decoder, depth + 1)?));
            }
            Value::Map(members)
        }
        _ => {
            decoder.skip()?;
            Value::Null
        }
    })
}

/// Whether a list or map has another entry: by its count, or until the break of an indefinite one.
fn more(decoder: &mut Decoder<'_>, count: Option<u64>, seen: usize) -> Result<bool, DeserializeError> {
    match count {
        Some(count) => Ok((seen as u64) < count),
        None if decoder.datatype()? == Type::Break => {
            decoder.skip()?;
            Ok(false)
        }
        None => Ok(true),
    }
}

/// Writes a value.
pub fn write(value: &Value) -> Vec<u8> {
    let mut encoder = Encoder::new(Vec::new());
    put(&mut encoder, value);
    encoder.into_writer()
}

fn put(encoder: &mut Encoder, value: &Value) {
    match value {
        Value::Null => {
            encoder.null();
        }
        Value::Bool(on) => {
            encoder.boolean(*on);
        }
        Value::Int(number) => {
            encoder.long(*number);
        }
        Value::Float(number) => {
            encoder.double(*number);
        }
        Value::Text(text) => {
            encoder.str(text);
        }
        Value::Time(at) => {
            encoder.timestamp(&DateTime::from_millis(at.as_millisecond()));
        }
        Value::List(values) => {
            encoder.array(values.len());
            for value in values {
                put(encoder, value);
            }
        }
        Value::Map(members) => {
            encoder.map(members.len());
            for (key, value) in members {
                encoder.str(key);
                put(encoder, value);
            }
        }
    }
}
