//! Event-stream frames, of Bedrock and of Live Tail: headers that name the event, a JSON payload.

use aws_smithy_eventstream::frame::write_message_to;
use aws_smithy_types::event_stream::{Header, HeaderValue, Message};
use bytes::Bytes;
use serde_json::{Value, json};

/// What the service pads its payloads with, so that their lengths tell nothing of the text.
const PADDING: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/// An event frame, padded as Bedrock pads.
pub(super) fn padded(name: &str, payload: &Value) -> Bytes {
    let mut padded = payload.clone();
    padded["p"] = json!(PADDING[..4 + payload.to_string().len() * 7 % (PADDING.len() - 4)]);
    event(name, &padded)
}

/// An event frame.
pub(in crate::rehearsal::wire) fn event(name: &str, payload: &Value) -> Bytes {
    framed([(":event-type", name), (":content-type", "application/json"), (":message-type", "event")], payload)
}

/// An exception frame: it ends a stream.
pub(in crate::rehearsal::wire) fn exception(name: &str, message: &str) -> Bytes {
    let headers = [(":exception-type", name), (":content-type", "application/json"), (":message-type", "exception")];
    framed(headers, &json!({ "message": message }))
}

fn framed(headers: [(&str, &str); 3], payload: &Value) -> Bytes {
    let mut message = Message::new(Bytes::from(payload.to_string()));
    for (name, value) in headers {
        message = message.add_header(Header::new(name.to_owned(), HeaderValue::String(value.to_owned().into())));
    }
    let mut bytes = Vec::new();
    // Writing fails only for headers beyond their limits, which these constants are not.
    if write_message_to(&message, &mut bytes).is_err() {
        bytes.clear();
    }
    Bytes::from(bytes)
}
