//! Bodies in `application/vnd.kubernetes.protobuf`, which Go's typed clients send for the objects they create themselves:
//! reviews, evictions, delete options, and what `kubectl create` makes of its arguments. Which fields they have stands in
//! `protobuf/fields.rs`; a kind that does not is answered 415, which no client takes for an accident.

mod fields;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use self::fields::{Field, Held, KINDS};

/// The media type.
pub(super) const MEDIA_TYPE: &str = "application/vnd.kubernetes.protobuf";

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
            (Held::Given, Wire::Number(number)) => drop(object.insert(name, json!(number.cast_signed()))),
            (Held::Truth, Wire::Number(number)) => drop(object.insert(name, json!(number != 0))),
            (Held::Time, Wire::Bytes(inner)) => object.extend(time(inner).map(|at| (name, at))),
            (Held::Inline(fields), Wire::Bytes(inner)) => {
                object.extend(message(inner, fields)?.as_object().cloned().unwrap_or_default());
            }
            (Held::Message(fields), Wire::Bytes(inner)) => drop(object.insert(name, message(inner, fields)?)),
            (Held::Messages(fields), Wire::Bytes(inner)) => {
                let list = object.entry(name).or_insert_with(|| json!([]));
                list.as_array_mut()?.push(message(inner, fields)?);
            }
            (Held::WholeOrText, Wire::Bytes(inner)) => drop(object.insert(name, whole_or_text(inner)?)),
            (Held::Quantities, Wire::Bytes(inner)) => {
                let entry = message(inner, fields::QUANTITY_ENTRY)?;
                let map = object.entry(name).or_insert_with(|| json!({}));
                let held = entry.pointer("/value/string").cloned().unwrap_or_else(|| json!("0"));
                map[entry["key"].as_str().unwrap_or_default()] = held;
            }
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

/// An `IntOrString`: which of the two, the number, the text.
fn whole_or_text(bytes: &[u8]) -> Option<Value> {
    let held = message(bytes, &[(1, "isText", Held::Truth), (2, "number", Held::Whole), (3, "text", Held::Text)])?;
    let (part, empty) = if held["isText"] == true { ("text", json!("")) } else { ("number", json!(0)) };
    Some(held.get(part).cloned().unwrap_or(empty))
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
    fn a_budget_and_a_quota_are_read() {
        let labels = [field(1, b"app"), field(2, b"orders")].concat();
        let number = [vec![8, 0, 16, 2], field(3, b"")].concat();
        let spec = [field(1, &number), field(2, &field(1, &labels))].concat();
        let budget = envelope("PodDisruptionBudget", &[field(1, &field(1, b"x")), field(2, &spec)].concat());
        let want = json!({"minAvailable": 2, "selector": {"matchLabels": {"app": "orders"}}});
        assert_eq!(read(&budget).unwrap()["spec"], want);
        let share = [vec![8, 1, 16, 0], field(3, b"50%")].concat();
        let budget = envelope("PodDisruptionBudget", &field(2, &field(3, &share)));
        assert_eq!(read(&budget).unwrap()["spec"], json!({"maxUnavailable": "50%"}));
        let hard = [field(1, b"pods"), field(2, &field(1, b"7"))].concat();
        let quota = envelope("ResourceQuota", &field(2, &field(1, &hard)));
        assert_eq!(read(&quota).unwrap()["spec"], json!({"hard": {"pods": "7"}}));
    }

    #[test]
    fn a_deployment_without_replicas_is_told_from_one_with_none_named() {
        let container = field(2, &field(2, &[field(1, b"web"), field(2, b"web:1")].concat()));
        let of = |replicas: &[u8]| {
            let spec = [replicas.to_vec(), field(3, &container), field(4, &field(1, b""))].concat();
            read(&envelope("Deployment", &field(2, &spec))).unwrap()["spec"].clone()
        };
        let template = json!({"spec": {"containers": [{"name": "web", "image": "web:1"}]}});
        assert_eq!(of(&[8, 0]), json!({"replicas": 0, "template": template, "strategy": {}}));
        assert_eq!(of(&[]), json!({"template": template, "strategy": {}}));
    }

    #[test]
    fn the_rules_of_an_ingress_stand_beside_their_host() {
        let backend = field(4, &[field(1, b"svc"), field(2, &[16, 80])].concat());
        let path = [field(1, b"/"), field(2, &backend), field(3, b"Prefix")].concat();
        let rule = [field(1, b"foo.com"), field(2, &field(1, &field(1, &path)))].concat();
        let ingress = envelope("Ingress", &[field(1, &field(1, b"x")), field(2, &field(3, &rule))].concat());
        let paths = json!([{"path": "/", "pathType": "Prefix",
            "backend": {"service": {"name": "svc", "port": {"number": 80}}}}]);
        let want = json!({"rules": [{"host": "foo.com", "http": {"paths": paths}}]});
        assert_eq!(read(&ingress).unwrap()["spec"], want);
    }

    #[test]
    fn what_is_cut_or_unknown_is_not_read() {
        let whole = envelope("SelfSubjectReview", &field(1, &field(1, b"x")));
        assert!(read(&whole).is_some());
        for end in 0..whole.len() {
            drop(read(&whole[..end]));
        }
        assert_eq!(read(&whole[..whole.len() - 1]), None);
        assert_eq!(read(&envelope("Gadget", b"")), None);
        assert_eq!(read(b"{}"), None);
    }
}
