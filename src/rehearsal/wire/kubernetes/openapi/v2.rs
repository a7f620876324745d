//! The `OpenAPI` v2 document, which older paths of kubectl still ask for: its definitions, as JSON and in the protobuf of
//! gnostic (`openapiv2.Document`), which is the form that Go's clients take.

use axum::body::Body;
use axum::response::Response;
use http::{HeaderValue, header};
use serde_json::{Map, Value, json};

use super::{published, types};
use crate::rehearsal::cluster::schema::{Shape, Type};
use crate::rehearsal::wire::kubernetes::answer;

/// The media type of the document in protobuf. Clients ask for it with an `@`, which no media type may hold.
const PROTOBUF: &str = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";

/// The document, in the form that is asked for.
pub(in super::super) fn document(accept: &str) -> Response {
    let info = json!({"title": "Kubernetes", "version": "v1.34.1"});
    let definitions = definitions();
    if !accept.contains("proto-openapi.spec.v2") {
        return answer::json(200, &json!({"swagger": "2.0", "info": info, "paths": {}, "definitions": definitions}));
    }
    let mut document = Message::default();
    document.text(1, "2.0");
    let mut head = Message::default();
    head.text(1, "Kubernetes");
    head.text(2, "v1.34.1");
    document.message(2, &head);
    document.message(8, &Message::default());
    document.message(9, &named(&definitions));
    let mut response = Response::new(Body::from(document.0));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(PROTOBUF));
    response
}

fn definitions() -> Map<String, Value> {
    let written = |(name, found, gvk): (String, &Type, Option<Value>)| {
        let mut object = object(found);
        if let Some(gvk) = gvk {
            object["x-kubernetes-group-version-kind"] = json!([gvk]);
        }
        (published(&name), object)
    };
    types().into_iter().map(written).collect()
}

fn object(found: &Type) -> Value {
    let properties: Map<String, Value> =
        found.fields.iter().map(|(name, field)| ((*name).to_owned(), property(&field.shape))).collect();
    let mut written = super::object(found);
    written["properties"] = Value::Object(properties);
    written
}

/// As in v3, but that a reference stands by itself and a choice has one type.
fn property(shape: &Shape) -> Value {
    match shape {
        Shape::Object(name) => json!({"$ref": format!("#/definitions/{}", published(name))}),
        Shape::Quantity => json!({"type": "string"}),
        Shape::WholeOrText => json!({"type": "string", "format": "int-or-string"}),
        Shape::Map { of, .. } => {
            let mut map = super::property(shape);
            map["additionalProperties"] = property(of);
            map
        }
        Shape::List { of, .. } => {
            let mut list = super::property(shape);
            list["items"] = property(of);
            list
        }
        _ => super::property(shape),
    }
}

/// A message of protobuf, field by field.
#[derive(Clone, Debug, Default)]
struct Message(Vec<u8>);

impl Message {
    fn varint(&mut self, mut number: usize) {
        while number >= 0x80 {
            self.0.push((number & 0x7f) as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
    }

    /// A field of bytes (wire type 2).
    fn bytes(&mut self, field: usize, bytes: &[u8]) {
        self.varint(field << 3 | 2);
        self.varint(bytes.len());
        self.0.extend(bytes);
    }

    fn text(&mut self, field: usize, text: &str) {
        self.bytes(field, text.as_bytes());
    }

    fn message(&mut self, field: usize, message: &Self) {
        self.bytes(field, &message.0);
    }
}

/// Schemas by name: `Definitions` and `Properties` have one form.
fn named(schemas: &Map<String, Value>) -> Message {
    let mut all = Message::default();
    for (name, value) in schemas {
        let mut entry = Message::default();
        entry.text(1, name);
        entry.message(2, &schema(value));
        all.message(1, &entry);
    }
    all
}

/// A `Schema`, with the numbers of its fields.
fn schema(value: &Value) -> Message {
    let mut message = Message::default();
    let within = |inner: &Value| {
        let mut item = Message::default();
        item.message(1, &schema(inner));
        item
    };
    for (key, member) in value.as_object().into_iter().flatten() {
        match (key.as_str(), member) {
            ("$ref", Value::String(text)) => message.text(1, text),
            ("format", Value::String(text)) => message.text(2, text),
            ("required", Value::Array(names)) => {
                names.iter().filter_map(Value::as_str).for_each(|name| message.text(19, name));
            }
            ("additionalProperties", inner) => message.message(21, &within(inner)),
            ("type", Value::String(text)) => {
                let mut kind = Message::default();
                kind.text(1, text);
                message.message(22, &kind);
            }
            ("items", inner) => message.message(23, &within(inner)),
            ("properties", Value::Object(inner)) => message.message(25, &named(inner)),
            (extension, inner) if extension.starts_with("x-") => {
                let mut any = Message::default();
                // JSON is YAML too.
                any.text(2, &inner.to_string());
                let mut entry = Message::default();
                entry.text(1, extension);
                entry.message(2, &any);
                message.message(31, &entry);
            }
            _ => {}
        }
    }
    message
}
