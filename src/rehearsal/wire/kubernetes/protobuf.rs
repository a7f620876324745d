//! Bodies in `application/vnd.kubernetes.protobuf`, which Go's typed clients send for the few objects they create
//! themselves: reviews, evictions, secrets, delete options. Field numbers from the `generated.proto` files of Kubernetes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// The media type.
pub(super) const MEDIA_TYPE: &str = "application/vnd.kubernetes.protobuf";

/// What a field holds.
#[derive(Clone, Copy)]
enum Held {
    Text,
    Bytes,
    Whole,
    Truth,
    Time,
    Message(&'static [Field]),
    TextMap,
    BytesMap,
    Texts,
}

/// A field: its number, its name in JSON, what it holds.
type Field = (u64, &'static str, Held);

const META: &[Field] = &[
    (1, "name", Held::Text),
    (2, "generateName", Held::Text),
    (3, "namespace", Held::Text),
    (5, "uid", Held::Text),
    (6, "resourceVersion", Held::Text),
    (7, "generation", Held::Whole),
    (8, "creationTimestamp", Held::Time),
    (11, "labels", Held::TextMap),
    (12, "annotations", Held::TextMap),
    (14, "finalizers", Held::Texts),
];
const ATTRIBUTES: &[Field] = &[
    (1, "namespace", Held::Text),
    (2, "verb", Held::Text),
    (3, "group", Held::Text),
    (4, "version", Held::Text),
    (5, "resource", Held::Text),
    (6, "subresource", Held::Text),
    (7, "name", Held::Text),
];
const NO_ATTRIBUTES: &[Field] = &[(1, "path", Held::Text), (2, "verb", Held::Text)];
const ACCESS_SPEC: &[Field] =
    &[(1, "resourceAttributes", Held::Message(ATTRIBUTES)), (2, "nonResourceAttributes", Held::Message(NO_ATTRIBUTES))];
const PRECONDITIONS: &[Field] = &[(1, "uid", Held::Text), (2, "resourceVersion", Held::Text)];
const DELETE_OPTIONS: &[Field] = &[
    (1, "gracePeriodSeconds", Held::Whole),
    (2, "preconditions", Held::Message(PRECONDITIONS)),
    (3, "orphanDependents", Held::Truth),
    (4, "propagationPolicy", Held::Text),
    (5, "dryRun", Held::Texts),
];

/// The kinds that are read, by their name.
const KINDS: [(&str, &[Field]); 6] = [
    ("SelfSubjectAccessReview", &[(1, "metadata", Held::Message(META)), (2, "spec", Held::Message(ACCESS_SPEC))]),
    (
        "SelfSubjectRulesReview",
        &[(1, "metadata", Held::Message(META)), (2, "spec", Held::Message(&[(1, "namespace", Held::Text)]))],
    ),
    ("SelfSubjectReview", &[(1, "metadata", Held::Message(META))]),
    ("Eviction", &[(1, "metadata", Held::Message(META)), (2, "deleteOptions", Held::Message(DELETE_OPTIONS))]),
    (
        "Secret",
        &[
            (1, "metadata", Held::Message(META)),
            (2, "data", Held::BytesMap),
            (3, "type", Held::Text),
            (4, "stringData", Held::TextMap),
            (5, "immutable", Held::Truth),
        ],
    ),
    ("DeleteOptions", DELETE_OPTIONS),
];

/// The object in a body; nothing for a body of another make or of a kind that is not read.
pub(super) fn read(body: &[u8]) -> Option<Value> {
    let (mut api, mut kind, mut raw) = (String::new(), String::new(), &[][..]);
    for (number, wire) in wires(body.strip_prefix(b"k8s\0")?)? {
        match (number, wire) {
            (1, Wire::Bytes(meta)) => {
                for (number, wire) in wires(meta)? {
                    let Wire::Bytes(text) = wire else { continue };
                    let text = String::from_utf8(text.to_vec()).ok()?;
                    if number == 1 {
                        api = text;
                    } else if number == 2 {
                        kind = text;
                    }
                }
            }
            (2, Wire::Bytes(inner)) => raw = inner,
            _ => {}
        }
    }
    let fields = KINDS.iter().find(|row| row.0 == kind)?.1;
    let mut object = message(raw, fields)?;
    object["apiVersion"] = json!(api);
    object["kind"] = json!(kind);
    Some(object)
}

fn message(bytes: &[u8], fields: &[Field]) -> Option<Value> {
    let mut object = Map::new();
    for (number, wire) in wires(bytes)? {
        let Some((_, name, held)) = fields.iter().find(|field| field.0 == number) else { continue };
        let name = (*name).to_owned();
        match (held, wire) {
            // An empty text is one that was not set: the encoder writes it all the same.
            (Held::Text, Wire::Bytes(text)) => {
                let text = String::from_utf8(text.to_vec()).ok()?;
                object.extend((!text.is_empty()).then(|| (name, json!(text))));
            }
            (Held::Bytes, Wire::Bytes(bytes)) => drop(object.insert(name, json!(STANDARD.encode(bytes)))),
            (Held::Whole, Wire::Number(number)) => {
                object.extend((number != 0).then(|| (name, json!(number.cast_signed()))));
            }
            (Held::Truth, Wire::Number(number)) => drop(object.insert(name, json!(number != 0))),
            (Held::Time, Wire::Bytes(inner)) => object.extend(time(inner).map(|at| (name, at))),
            (Held::Message(fields), Wire::Bytes(inner)) => drop(object.insert(name, message(inner, fields)?)),
            (Held::TextMap | Held::BytesMap, Wire::Bytes(inner)) => {
                let value = if matches!(held, Held::TextMap) { Held::Text } else { Held::Bytes };
                let entry = message(inner, &[(1, "key", Held::Text), (2, "value", value)])?;
                let map = object.entry(name).or_insert_with(|| json!({}));
                let held = entry.get("value").cloned().unwrap_or_else(|| json!(""));
                map[entry["key"].as_str().unwrap_or_default()] = held;
            }
            (Held::Texts, Wire::Bytes(text)) => {
                let list = object.entry(name).or_insert_with(|| json!([]));
                list.as_array_mut()?.push(json!(String::from_utf8(text.to_vec()).ok()?));
            }
            _ => return None,
        }
    }
    Some(Value::Object(object))
}

/// A `Time`: seconds, and none at all for the zero time.
fn time(bytes: &[u8]) -> Option<Value> {
    let seconds = wires(bytes)?.into_iter().find_map(|(number, wire)| match wire {
        Wire::Number(seconds) if number == 1 => Some(seconds.cast_signed()),
        _ => None,
    })?;
    Some(json!(Timestamp::from_second(seconds).ok()?.to_string()))
}

enum Wire<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

/// The fields of a message; fixed-width ones are passed over, as none of the kinds read has one.
fn wires(mut bytes: &[u8]) -> Option<Vec<(u64, Wire<'_>)>> {
    let mut all = Vec::new();
    while !bytes.is_empty() {
        let tag = varint(&mut bytes)?;
        match tag & 7 {
            0 => all.push((tag >> 3, Wire::Number(varint(&mut bytes)?))),
            2 => {
                let length = usize::try_from(varint(&mut bytes)?).ok()?;
                let (inner, rest) = bytes.split_at_checked(length)?;
                all.push((tag >> 3, Wire::Bytes(inner)));
                bytes = rest;
            }
            1 => bytes = bytes.get(8..)?,
            5 => bytes = bytes.get(4..)?,
            _ => return None,
        }
    }
    Some(all)
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (first, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(number: u8, inner: &[u8]) -> Vec<u8> {
        [&[number << 3 | 2, u8::try_from(inner.len()).unwrap()], inner].concat()
    }

    fn envelope(kind: &str, raw: &[u8]) -> Vec<u8> {
        let meta = [field(1, b"v1"), field(2, kind.as_bytes())].concat();
        [b"k8s\0".to_vec(), field(1, &meta), field(2, raw)].concat()
    }

    #[test]
    fn a_review_and_a_secret_are_read() {
        let attributes = [field(1, b"payments"), field(2, b"patch"), field(3, b""), field(5, b"deployments")].concat();
        let review = envelope("SelfSubjectAccessReview", &field(2, &field(1, &attributes)));
        assert_eq!(
            read(&review).unwrap()["spec"]["resourceAttributes"],
            json!({"namespace": "payments", "verb": "patch", "resource": "deployments"})
        );
        let entry = [field(1, b"release"), field(2, b"\x01\x02")].concat();
        let secret = envelope("Secret", &[field(1, &field(1, b"x")), field(2, &entry), field(3, b"Opaque")].concat());
        let want = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x"}, "data": {"release": "AQI="},
            "type": "Opaque"});
        assert_eq!(read(&secret), Some(want));
    }

    #[test]
    fn what_is_cut_or_unknown_is_not_read() {
        let whole = envelope("SelfSubjectReview", &field(1, &field(1, b"x")));
        assert!(read(&whole).is_some());
        for end in 0..whole.len() {
            drop(read(&whole[..end]));
        }
        assert_eq!(read(&whole[..whole.len() - 1]), None);
        assert_eq!(read(&envelope("Deployment", b"")), None);
        assert_eq!(read(b"{}"), None);
    }
}
