//! Answers: JSON with the right type, and `Status` failures.

use axum::body::Body;
use axum::response::Response;
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use serde_json::{Value, json};

use crate::rehearsal::cluster::failure::Failure;

/// A JSON answer.
pub(super) fn json(code: u16, body: &Value) -> Response {
    typed(code, body, "application/json")
}

/// A JSON answer that is written as it is read, so that a long list is never copied.
pub(super) fn written(body: &impl Serialize) -> Response {
    // What is written here has text for keys and finite numbers, which always serializes.
    sent(200, serde_json::to_vec(body).unwrap_or_default().into(), "application/json")
}

/// A JSON answer of a narrower media type.
pub(super) fn typed(code: u16, body: &Value, media_type: &'static str) -> Response {
    sent(code, body.to_string().into(), media_type)
}

fn sent(code: u16, body: Body, media_type: &'static str) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    response
}

/// A text answer.
pub(super) fn text(body: &'static str) -> Response {
    let mut response = Response::new(Body::from(body));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

/// A `Status` failure.
pub(super) fn failure(failure: &Failure) -> Response {
    let mut response = json(failure.code, &failure.to_status());
    if failure.code == 429 {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

/// 429 of priority and fairness.
pub(super) fn throttled() -> Failure {
    let message = "Too many requests, please try again later.".to_owned();
    Failure { code: 429, reason: "TooManyRequests", message, details: json!({"retryAfterSeconds": 1}) }
}

/// 401: who asks is not known, or no longer.
pub(super) fn unauthorized() -> Failure {
    Failure { code: 401, reason: "Unauthorized", message: "Unauthorized".to_owned(), details: Value::Null }
}

/// 503.
pub(super) fn unavailable() -> Failure {
    let message = "the server is currently unable to handle the request".to_owned();
    Failure { code: 503, reason: "ServiceUnavailable", message, details: json!({}) }
}

/// 422 for an option of the request that is not supported.
pub(super) fn bad_option(option: &'static str, value: &str, supported: &str) -> Failure {
    option_fault(
        option,
        "FieldValueNotSupported",
        &format!("Unsupported value: \"{value}\": supported values: \"{supported}\""),
    )
}

/// 422 for an option that may not be used here.
pub(super) fn forbidden_option(option: &'static str, why: &str) -> Failure {
    option_fault(option, "FieldValueForbidden", &format!("Forbidden: {why}"))
}

/// 422 for an option that is missing.
pub(super) fn missing_option(option: &'static str, why: &str) -> Failure {
    option_fault(option, "FieldValueRequired", &format!("Required value: {why}"))
}

fn option_fault(option: &'static str, reason: &str, what: &str) -> Failure {
    let kind = match option {
        "dryRun" | "fieldManager" | "fieldValidation" | "force" => "PatchOptions",
        _ => "ListOptions",
    };
    let details = json!({
        "group": "meta.k8s.io", "kind": kind, "causes": [{"reason": reason, "message": what, "field": option}],
    });
    let message = format!("{kind}.meta.k8s.io \"\" is invalid: {option}: {what}");
    Failure { code: 422, reason: "Invalid", message, details }
}
