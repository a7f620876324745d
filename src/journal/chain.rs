//! A line as bytes: how it is sealed, and how it is opened again. Pure; no file, no parsing of what is inside.

use std::fmt::{self, Write as _};

use sha2::{Digest as _, Sha256};

/// A SHA-256 hash.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Hash([u8; 32]);

impl Hash {
    /// What the first line follows.
    pub const GENESIS: Self = Self([0; 32]);

    fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// Reads 64 lower-case hex digits.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != DIGITS || !text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
            return None;
        }
        let mut bytes = [0; 32];
        for (position, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(text.get(position * 2..position * 2 + 2)?, 16).ok()?;
        }
        Some(Self(bytes))
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Why a line is not what was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// It does not have the shape of a line of ours.
    Malformed,
    /// Its content does not fit its own hash: it was edited.
    Edited,
    /// It does not follow the line before: lines were removed, added or moved here.
    Unlinked,
    /// Its number does not follow the one before.
    OutOfOrder {
        /// The number before.
        before: u64,
        /// Its own.
        seq: u64,
    },
    /// The chain holds, but the record is of no kind we know.
    Unreadable(String),
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed => f.write_str("not a line of a journal"),
            Self::Edited => f.write_str("edited: its content does not fit its hash"),
            Self::Unlinked => f.write_str("does not follow the line before: lines were removed, added or moved here"),
            Self::OutOfOrder { before, seq } => write!(f, "record {seq} comes after {before}"),
            Self::Unreadable(why) => write!(f, "the chain holds, but the record cannot be read: {why}"),
        }
    }
}

/// What a line holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// The first line.
    Preamble,
    /// Every other.
    Record,
}

impl Part {
    fn head(self) -> &'static str {
        match self {
            Self::Preamble => "{\"journal\":",
            Self::Record => "{\"record\":",
        }
    }
}

const PREV: &str = ",\"prev\":\"";
const HASH: &str = ",\"hash\":\"";
const TAIL: &str = "\"}";
const DIGITS: usize = 64;

/// Seals a payload (one JSON value without a line break) into a line with its line break, and gives its hash.
pub(super) fn seal(part: Part, payload: &str, prev: Hash) -> (String, Hash) {
    let mut line = String::with_capacity(payload.len() + 192);
    let _ = write!(line, "{}{payload}{PREV}{prev}\"", part.head());
    let hash = Hash::of(line.as_bytes());
    let _ = writeln!(line, "{HASH}{hash}{TAIL}");
    (line, hash)
}

/// An opened line: its own hash fits.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Opened<'a> {
    pub(super) payload: &'a str,
    pub(super) hash: Hash,
}

/// Opens a line (without its line break) that must follow `prev`. In this order:
/// 1. its shape, byte for byte; 2. its own hash; 3. its link to the line before.
pub(super) fn open(part: Part, line: &[u8], prev: Hash) -> Result<Opened<'_>, Flaw> {
    let text = std::str::from_utf8(line).map_err(|_| Flaw::Malformed)?;
    let (sealed, hash) = split_hash(text, HASH, TAIL).ok_or(Flaw::Malformed)?;
    let (body, follows) = split_hash(sealed, PREV, "\"").ok_or(Flaw::Malformed)?;
    let payload = body.strip_prefix(part.head()).ok_or(Flaw::Malformed)?;
    if Hash::of(sealed.as_bytes()) != hash {
        return Err(Flaw::Edited);
    }
    if follows != prev {
        return Err(Flaw::Unlinked);
    }
    Ok(Opened { payload, hash })
}

/// Splits `…,"hash":"HEX"}` off the end of a text.
fn split_hash<'a>(text: &'a str, name: &str, tail: &str) -> Option<(&'a str, Hash)> {
    let text = text.strip_suffix(tail)?;
    let digits_from = text.len().checked_sub(DIGITS)?;
    let hash = Hash::parse(text.get(digits_from..)?)?;
    Some((text.get(..digits_from)?.strip_suffix(name)?, hash))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_opens_as_it_was_sealed() {
        let (line, hash) = seal(Part::Record, r#"{"seq":1}"#, Hash::GENESIS);
        let opened = open(Part::Record, line.trim_end().as_bytes(), Hash::GENESIS).unwrap();
        assert_eq!((opened.payload, opened.hash), (r#"{"seq":1}"#, hash));
        assert!(serde_json::from_str::<serde_json::Value>(&line).is_ok(), "every line is plain JSON");
        assert_eq!(Hash::parse(&hash.to_string()), Some(hash));
    }

    #[test]
    fn the_hash_is_that_of_any_other_tool() {
        // printf '{"record":1,"prev":"%064d"' 0 | sha256sum
        let (line, _) = seal(Part::Record, "1", Hash::GENESIS);
        let expected = Sha256::digest(format!("{{\"record\":1,\"prev\":\"{}\"", "0".repeat(64)));
        assert!(line.contains(&Hash(expected.into()).to_string()));
    }

    #[test]
    fn each_flaw_is_told_apart() {
        let (line, hash) = seal(Part::Record, r#"{"seq":1}"#, Hash::GENESIS);
        let line = line.trim_end();
        let flaw = |text: &str, prev| open(Part::Record, text.as_bytes(), prev).unwrap_err();
        assert_eq!(flaw(&line.replace("\"seq\":1", "\"seq\":2"), Hash::GENESIS), Flaw::Edited);
        assert_eq!(flaw(line, hash), Flaw::Unlinked);
        assert_eq!(flaw(&line.replace("record", "recorD"), Hash::GENESIS), Flaw::Malformed);
        assert_eq!(flaw(&format!("{line} "), Hash::GENESIS), Flaw::Malformed);
        assert_eq!(flaw("", Hash::GENESIS), Flaw::Malformed);
        assert_eq!(open(Part::Preamble, line.as_bytes(), Hash::GENESIS).unwrap_err(), Flaw::Malformed);
        assert_eq!(open(Part::Record, b"\xff", Hash::GENESIS).unwrap_err(), Flaw::Malformed);
        let upper = line.replace(&hash.to_string(), &hash.to_string().to_uppercase());
        assert_eq!(flaw(&upper, Hash::GENESIS), Flaw::Malformed);
    }
}
