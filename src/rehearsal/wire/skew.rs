//! A cloud whose clock is not that of the machine that asks: it dates its answers by its own, keeps by its own what it keeps,
//! and takes no signature that is more than five minutes off (AWS, "Troubleshoot Signature Version 4").

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use bytes::Bytes;
use jiff::fmt::strtime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::aws::Call;
use super::cloudwatch::cbor;
use crate::rehearsal::clock::wall_now;
use crate::rehearsal::ledger::Api;

/// A signature may be so far off.
const GRACE: SignedDuration = SignedDuration::from_mins(5);
/// The time of a signature, and of a refusal of one.
const SIGNED: &str = "%Y%m%dT%H%M%SZ";
/// The time of an answer (RFC 9110, section 5.6.7).
const DATED: &str = "%a, %d %b %Y %H:%M:%S GMT";
/// The time in a row of Logs Insights.
const IN_ROWS: &str = "%Y-%m-%d %H:%M:%S%.3f";
/// Times that a request of CloudWatch Logs names, and those that an answer does.
const ASKED: [&str; 2] = ["startTime", "endTime"];
const TOLD: [&str; 6] =
    ["timestamp", "ingestionTime", "creationTime", "firstEventTimestamp", "lastEventTimestamp", "lastIngestionTime"];
/// From here on a number is a time in milliseconds, and below one in seconds.
const MILLISECONDS: i64 = 100_000_000_000;

/// When a request says that it was signed.
pub(super) fn signed_at(headers: &HeaderMap) -> Option<Timestamp> {
    let text = headers.get("x-amz-date")?.to_str().ok()?;
    strtime::parse(SIGNED, text).ok()?.to_datetime().ok()?.to_zoned(TimeZone::UTC).ok().map(|at| at.timestamp())
}

/// Why a signature is refused by a cloud that the machine which signed is so far ahead of; `None` where it is not.
pub(super) fn objection(signed: Option<Timestamp>, by: SignedDuration) -> Option<String> {
    let (now, said) = (wall_now() - by, |at: Timestamp| at.strftime(SIGNED).to_string());
    // What is not signed is taken for signed by the clock of the machine.
    let signed = signed.unwrap_or(now + by);
    let (earliest, latest) = (now - GRACE, now + GRACE);
    if signed < earliest {
        let (signed, earliest, now) = (said(signed), said(earliest), said(now));
        return Some(format!("Signature expired: {signed} is now earlier than {earliest} ({now} - 5 min.)"));
    }
    let (late, latest, now) = (signed > latest, said(latest), said(now));
    late.then(|| format!("Signature not yet current: {} is still later than {latest} ({now} + 5 min.)", said(signed)))
}

/// Dates an answer by the clock of the cloud.
pub(super) fn date(response: &mut Response, by: SignedDuration) {
    let date = (wall_now() - by).strftime(DATED).to_string();
    if let Ok(date) = HeaderValue::from_str(&date) {
        response.headers_mut().insert(header::DATE, date);
    }
}

/// A request as the world is asked it, which is by the clock of the machine.
pub(super) fn asked(call: &Call, by: SignedDuration) -> Call {
    let body = match call.api {
        Api::CloudWatch => moved_cbor(&call.body, in_minutes(by)),
        Api::Logs => moved_json(&call.body, &ASKED, by),
        Api::Bedrock | Api::Sts | Api::Kubernetes | Api::Slack | Api::Charts => None,
    };
    Call { body: body.unwrap_or_else(|| call.body.clone()), ..call.clone() }
}

/// The answer of the world as the cloud tells it, which is by its own clock. A session of Live Tail goes on, and moves what it
/// tells itself.
pub(super) async fn told(call: &Call, answer: Response, by: SignedDuration) -> Response {
    if !matches!(call.api, Api::CloudWatch | Api::Logs) || call.operation == "StartLiveTail" {
        return answer;
    }
    let (mut head, body) = answer.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
    let moved = match call.api {
        Api::CloudWatch => moved_cbor(&body, -in_minutes(by)),
        _ => moved_json(&body, &TOLD, -by),
    };
    head.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(head, Body::from(moved.unwrap_or(body)))
}

/// Points stand on whole minutes, by whatever clock.
fn in_minutes(by: SignedDuration) -> SignedDuration {
    SignedDuration::from_mins((by.as_secs_f64() / 60.0).round() as i64)
}

fn moved_cbor(body: &Bytes, by: SignedDuration) -> Option<Bytes> {
    let mut value = cbor::read(body).ok()?;
    move_times(&mut value, by);
    Some(cbor::write(&value).into())
}

fn move_times(value: &mut cbor::Value, by: SignedDuration) {
    match value {
        cbor::Value::Time(at) => *at += by,
        cbor::Value::List(values) => values.iter_mut().for_each(|value| move_times(value, by)),
        cbor::Value::Map(members) => members.iter_mut().for_each(|(_, value)| move_times(value, by)),
        cbor::Value::Null
        | cbor::Value::Bool(_)
        | cbor::Value::Int(_)
        | cbor::Value::Float(_)
        | cbor::Value::Text(_) => {}
    }
}

fn moved_json(body: &Bytes, keys: &[&str], by: SignedDuration) -> Option<Bytes> {
    let mut value: Value = serde_json::from_slice(body).ok()?;
    move_members(&mut value, keys, by);
    Some(value.to_string().into())
}

fn move_members(value: &mut Value, keys: &[&str], by: SignedDuration) {
    match value {
        Value::Array(values) => values.iter_mut().for_each(|value| move_members(value, keys, by)),
        Value::Object(members) => {
            let is_time = members
                .get("field")
                .and_then(Value::as_str)
                .is_some_and(|field| field == "@timestamp" || field.starts_with("bin("));
            for (key, value) in members.iter_mut() {
                match value {
                    Value::Number(number) if keys.contains(&key.as_str()) => {
                        if let Some(at) = number.as_i64() {
                            *value = Value::from(moved(at, by));
                        }
                    }
                    Value::String(text) if is_time && key == "value" => move_row(text, by),
                    _ => move_members(value, keys, by),
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn moved(at: i64, by: SignedDuration) -> i64 {
    let by = if at < MILLISECONDS { by.as_secs() } else { i64::try_from(by.as_millis()).unwrap_or_default() };
    at.saturating_add(by)
}

/// A minute that lines are counted by begins on one, by whatever clock.
fn move_row(text: &mut String, by: SignedDuration) {
    let Some(at) = strtime::parse(IN_ROWS, &*text).ok().and_then(|parsed| parsed.to_datetime().ok()) else { return };
    let by = if at.second() == 0 && at.subsec_nanosecond() == 0 { in_minutes(by) } else { by };
    *text = at.saturating_add(by).strftime(IN_ROWS).to_string();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: i64) -> SignedDuration {
        SignedDuration::from_secs(seconds)
    }

    #[test]
    fn a_signature_may_be_five_minutes_off_by_the_clock_of_the_cloud() {
        let refused = |by: i64, signed: i64| objection(Some(wall_now() + seconds(signed)), seconds(by));
        assert_eq!((refused(250, 0), refused(-250, 0)), (None, None));
        assert!(refused(600, 0).unwrap().starts_with("Signature not yet current"));
        assert!(refused(-600, 0).unwrap().starts_with("Signature expired"));
        assert_eq!((refused(600, -600), refused(-600, 600)), (None, None), "signed by its clock");
        let mut headers = HeaderMap::new();
        assert_eq!(signed_at(&headers), None);
        headers.insert("x-amz-date", HeaderValue::from_static("20260501T093100Z"));
        assert_eq!(signed_at(&headers).unwrap().to_string(), "2026-05-01T09:31:00Z");
    }

    #[test]
    fn what_is_asked_and_told_of_logs_is_moved_and_nothing_else() {
        let moved = |text: &'static str, keys: &[&str], by| {
            let moved = moved_json(&Bytes::from_static(text.as_bytes()), keys, seconds(by)).unwrap();
            String::from_utf8(moved.to_vec()).unwrap()
        };
        let asked = r#"{"endTime":1777627860000,"limit":9,"startTime":1777627800}"#;
        assert_eq!(moved(asked, &ASKED, 180), r#"{"endTime":1777628040000,"limit":9,"startTime":1777627980}"#);
        let event = r#"{"events":[{"message":"timestamp 1777627800000","timestamp":1777627800000}]}"#;
        assert!(moved(event, &TOLD, -180).contains("\"timestamp\":1777627620000"));
        assert!(moved(event, &TOLD, -180).contains("timestamp 1777627800000"));
        let rows = r#"[{"field":"bin(1m)","value":"2026-05-01 09:31:00.000"},{"field":"@timestamp","value":"2026-05-01 09:31:07.250"}]"#;
        let rows = moved(rows, &TOLD, -170);
        assert!(rows.contains("09:28:00.000") && rows.contains("09:28:17.250"), "{rows}");
    }
}
