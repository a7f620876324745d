//! Keys of an action as a person writes them: one, or a list.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, SeqAccess, Visitor};

/// `"f2"`, or `["f2", "ctrl-w"]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct KeyList(pub(super) Vec<String>);

impl<'de> Deserialize<'de> for KeyList {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Keys)
    }
}

struct Keys;

impl<'de> Visitor<'de> for Keys {
    type Value = KeyList;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key such as \"f2\", or a list of keys")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<KeyList, E> {
        Ok(KeyList(vec![key.to_owned()]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<KeyList, A::Error> {
        let mut keys = Vec::new();
        while let Some(key) = list.next_element()? {
            keys.push(key);
        }
        Ok(KeyList(keys))
    }
}
