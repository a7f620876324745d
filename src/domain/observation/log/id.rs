//! The id of a log event. Every line held has one, so that it is kept small: CloudWatch's are 56 decimal digits, which are
//! packed two a byte. Any other text is kept as it is.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Digits that are packed at most.
const DIGITS: usize = 60;

/// The id CloudWatch gives a log event; unique in its group, the key for removing duplicates. Of two the shorter is the
/// smaller, so that decimal numbers of any width are in their order.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct LogEventId(Kept);

/// One text is kept in one way only: equal ids are kept alike.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Kept {
    Digits { length: u8, pairs: [u8; DIGITS / 2] },
    Text(Box<str>),
}

impl LogEventId {
    /// Wraps a text as it was received.
    pub fn new(text: impl Into<String>) -> Self {
        let text = text.into();
        Self(packed(&text).unwrap_or_else(|| Kept::Text(text.into())))
    }

    /// The text itself.
    pub fn text(&self) -> Cow<'_, str> {
        match &self.0 {
            Kept::Digits { length, pairs } => {
                let digits = pairs.iter().flat_map(|pair| [pair >> 4, pair & 0xf]).take(usize::from(*length));
                digits.map(|digit| char::from(b'0' + digit)).collect()
            }
            Kept::Text(text) => Cow::Borrowed(text),
        }
    }

    /// Bytes it takes beside itself.
    pub fn bytes_beside(&self) -> usize {
        match &self.0 {
            Kept::Digits { .. } => 0,
            Kept::Text(text) => text.len(),
        }
    }

    fn len(&self) -> usize {
        match &self.0 {
            Kept::Digits { length, .. } => usize::from(*length),
            Kept::Text(text) => text.len(),
        }
    }
}

fn packed(text: &str) -> Option<Kept> {
    let length = u8::try_from(text.len()).ok().filter(|length| usize::from(*length) <= DIGITS)?;
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let mut pairs = [0; DIGITS / 2];
    let (whole, odd) = text.as_bytes().as_chunks::<2>();
    for (pair, [high, low]) in pairs.iter_mut().zip(whole) {
        *pair = (high << 4) | (low & 0xf);
    }
    if let ([last], Some(pair)) = (odd, pairs.get_mut(whole.len())) {
        *pair = last << 4;
    }
    Some(Kept::Digits { length, pairs })
}

impl Ord for LogEventId {
    fn cmp(&self, other: &Self) -> Ordering {
        self.len().cmp(&other.len()).then_with(|| match (&self.0, &other.0) {
            (Kept::Digits { pairs, .. }, Kept::Digits { pairs: others, .. }) => pairs.cmp(others),
            (Kept::Text(_), Kept::Text(_) | Kept::Digits { .. }) | (Kept::Digits { .. }, Kept::Text(_)) => {
                self.text().cmp(&other.text())
            }
        })
    }
}

impl PartialOrd for LogEventId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for LogEventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text())
    }
}

impl fmt::Debug for LogEventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LogEventId").field(&self.text()).finish()
    }
}

impl From<&str> for LogEventId {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl From<String> for LogEventId {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl Serialize for LogEventId {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.text())
    }
}

impl<'de> Deserialize<'de> for LogEventId {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from).map(Self::new)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Ids of every width around what is packed, with zeros at both ends, and such as are no numbers.
    fn texts() -> impl Strategy<Value = String> {
        prop_oneof!["[0-9]{0,70}", "0{0,3}[0-9]{0,2}0{0,3}", "[0-9]{55,61}", "[0-9a:]{0,12}", "\\PC{0,6}"]
    }

    proptest! {
        #[test]
        fn an_id_is_its_text_and_is_ordered_by_it(a in texts(), b in texts()) {
            let [one, two] = [&a, &b].map(|text| LogEventId::new(text.as_str()));
            prop_assert_eq!(one.text(), a.as_str());
            prop_assert_eq!(one == two, a == b);
            prop_assert_eq!(one.cmp(&two), a.len().cmp(&b.len()).then_with(|| a.cmp(&b)));
            let told = serde_json::to_string(&one).unwrap();
            prop_assert_eq!(&told, &serde_json::to_string(&a).unwrap());
            prop_assert_eq!(serde_json::from_str::<LogEventId>(&told).unwrap(), one);
        }
    }

    #[test]
    fn an_id_of_cloudwatch_takes_nothing_beside_itself() {
        let id = LogEventId::new("36291532457849210837418926517846571263846571236412345678");
        assert_eq!((id.bytes_beside(), size_of::<LogEventId>()), (0, 32));
        assert_eq!(LogEventId::new("stream/1").bytes_beside(), 8);
    }
}
