//! The one AWS port: tells the services apart, keeps the ledger, lets faults strike, and words refusals as each
//! service does. What an operation answers is in the service's own file.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use jiff::Timestamp;

use super::line::Line;
use super::{bedrock, broken, cloudwatch, logs, skew, sts};
use crate::rehearsal::faults::Struck;
use crate::rehearsal::ledger::{Api, Arrival, DryRun, Mutates};
use crate::rehearsal::scenario::FaultEffect;
use crate::rehearsal::server::Cloud;

/// The largest request that is read.
pub(super) const LARGEST_REQUEST: usize = 16 << 20;

/// Whether an answer has its content, or was emptied by a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fullness {
    /// As the world is.
    Whole,
    /// Well-formed, with nothing in it.
    Nothing,
    /// As the world is, in pages of so many entries at most.
    Pages(usize),
}

/// How a stream ends before its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Break {
    /// Frames sent whole.
    pub after_frames: usize,
    /// The exception that ends it; without one the connection breaks in the next frame.
    pub exception: Option<String>,
}

/// A refusal, before it is worded for a protocol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// HTTP status.
    pub status: u16,
    /// The error's shape name.
    pub code: String,
    /// The code of the older query protocol, where the service keeps it.
    pub query_code: String,
    /// Its message.
    pub message: String,
    /// Further members of the error, where its shape has any.
    pub members: Option<serde_json::Value>,
}

impl Refusal {
    /// A refusal of the caller's input.
    pub fn invalid(code: &str, message: impl Into<String>) -> Self {
        Self { status: 400, code: code.to_owned(), query_code: code.to_owned(), message: message.into(), members: None }
    }
}

/// A request as the services read it.
#[derive(Clone, Debug)]
pub struct Call {
    /// Which API.
    pub api: Api,
    /// The operation.
    pub operation: String,
    /// Its path.
    pub path: String,
    /// Its body.
    pub body: Bytes,
    /// When it was signed, as it says.
    pub signed_at: Option<Timestamp>,
    /// The connection it came over.
    pub(crate) line: Line,
}

/// The routes of the AWS port.
pub fn router(cloud: Arc<Cloud>) -> Router {
    Router::new().fallback(receive).with_state(cloud)
}

async fn receive(State(cloud): State<Arc<Cloud>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let line = Line::of(&parts.extensions);
    let Ok(body) = axum::body::to_bytes(body, LARGEST_REQUEST).await else {
        return plain(StatusCode::PAYLOAD_TOO_LARGE, "the request is too large");
    };
    let path = parts.uri.path_and_query().map_or_else(String::new, ToString::to_string);
    let Some((api, operation)) = named(&parts.headers, parts.uri.path(), &body) else {
        return not_here(&parts.headers, &body);
    };
    let seq = cloud.ledger.arrived(Arrival {
        at: cloud.clock.now(),
        api,
        operation: operation.clone(),
        verb: parts.method.to_string(),
        path: path.clone(),
        dry_run: DryRun::No,
        mutating: Mutates::Reads,
        body: body.clone(),
    });
    let struck = cloud.faults.strike(Struck { api, operation: &operation, resource: None }, cloud.clock.now());
    if let Some(effect) = &struck {
        cloud.ledger.met(seq, effect.word());
    }
    if matches!(struck, Some(FaultEffect::Reset | FaultEffect::Unresolved)) {
        return line.reset();
    }
    let call = Call { api, operation, path, body, signed_at: skew::signed_at(&parts.headers), line };
    let mut response = under(&cloud, &call, struck).await;
    let id = format!("{:08x}-0000-4000-8000-{seq:012x}", cloud.seed as u32);
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert("x-amzn-requestid", id);
    }
    cloud.ledger.answered(seq, response.status().as_u16());
    response
}

/// The answer under a fault, if any.
async fn under(cloud: &Arc<Cloud>, call: &Call, struck: Option<FaultEffect>) -> Response {
    match struck {
        None => answer(cloud, call, Fullness::Whole),
        Some(FaultEffect::Latency { delay }) => {
            cloud.clock.pause(delay).await;
            answer(cloud, call, Fullness::Whole)
        }
        Some(FaultEffect::Empty) => answer(cloud, call, Fullness::Nothing),
        Some(FaultEffect::Pages { size }) => answer(cloud, call, Fullness::Pages(size.max(1))),
        Some(FaultEffect::Silence) => std::future::pending().await,
        Some(FaultEffect::Cut { after_bytes }) => broken::cut(answer(cloud, call, Fullness::Whole), after_bytes),
        Some(FaultEffect::Malformed) => malformed(call.api),
        Some(FaultEffect::Skewed { by }) => {
            let mut response = if let Some(why) = skew::objection(call.signed_at, by) {
                refused(call.api, &unsigned(call.api, why))
            } else {
                let asked = skew::asked(call, by);
                skew::told(call, answer(cloud, &asked, Fullness::Whole), by).await
            };
            skew::date(&mut response, by);
            response
        }
        Some(FaultEffect::Stream { after_frames, exception }) => {
            let at = Break { after_frames, exception };
            let broken = match call.api {
                Api::Logs => logs::broken(cloud, call, at),
                _ => bedrock::broken(cloud, call, &at),
            };
            broken.unwrap_or_else(|refusal| refused(call.api, &refusal))
        }
        Some(effect) => refused(call.api, &refusal(cloud, call, &effect)),
    }
}

fn answer(cloud: &Arc<Cloud>, call: &Call, fullness: Fullness) -> Response {
    let answered = match call.api {
        Api::CloudWatch => cloudwatch::answer(cloud, call, fullness),
        Api::Logs => logs::answer(cloud, call, fullness),
        Api::Bedrock => bedrock::answer(cloud, call, fullness),
        Api::Sts => sts::answer(cloud, call),
        Api::Kubernetes | Api::Slack | Api::Charts => {
            Err(Refusal::invalid("UnknownOperationException", "not an AWS service"))
        }
    };
    answered.unwrap_or_else(|refusal| refused(call.api, &refusal))
}

/// What no client of the service can read. Bedrock's stream keeps its type, so that its frames are what fails.
fn malformed(api: Api) -> Response {
    match api {
        Api::Bedrock => broken::garbage("application/vnd.amazon.eventstream"),
        Api::CloudWatch => broken::garbage("application/cbor"),
        Api::Logs | Api::Sts | Api::Kubernetes | Api::Slack | Api::Charts => broken::page(),
    }
}

/// Which service and operation a request is for, by the marks of its protocol.
fn named(headers: &HeaderMap, path: &str, body: &[u8]) -> Option<(Api, String)> {
    if let Some((service, operation)) = path.strip_prefix("/service/").and_then(|rest| rest.split_once("/operation/")) {
        return (service == "GraniteServiceVersion20100801").then(|| (Api::CloudWatch, operation.to_owned()));
    }
    if let Some(target) = headers.get("x-amz-target").and_then(|target| target.to_str().ok()) {
        let (service, operation) = target.split_once('.')?;
        return (service == "Logs_20140328").then(|| (Api::Logs, operation.to_owned()));
    }
    if let Some(rest) = path.strip_prefix("/model/") {
        let operation = match rest.rsplit_once('/')?.1 {
            "converse-stream" => "ConverseStream",
            "converse" => "Converse",
            "invoke" => "InvokeModel",
            "invoke-with-response-stream" => "InvokeModelWithResponseStream",
            "count-tokens" => "CountTokens",
            _ => return None,
        };
        return Some((Api::Bedrock, operation.to_owned()));
    }
    let form = std::str::from_utf8(body).ok()?;
    let action = form.split('&').find_map(|pair| pair.strip_prefix("Action="))?;
    let is_sts = form.split('&').any(|pair| pair == "Version=2011-06-15");
    (path == "/" && is_sts).then(|| (Api::Sts, action.to_owned()))
}

/// What is said to a service or a protocol that is not simulated, such as the query and JSON protocols that older clients
/// speak to CloudWatch: a 404 in the shape of the protocol.
fn not_here(headers: &HeaderMap, body: &[u8]) -> Response {
    let message = "this rehearsal does not simulate the service or the protocol of this call";
    let code = "UnknownOperationException";
    let mut response = if headers.contains_key("x-amz-target") {
        let body = serde_json::json!({ "__type": code, "message": message });
        typed(Body::from(body.to_string()), "application/x-amz-json-1.0")
    } else if body.split(|byte| *byte == b'&').any(|pair| pair.starts_with(b"Action=")) {
        sts::refused(&Refusal::invalid(code, message))
    } else {
        typed(Body::from(message), "text/plain")
    };
    *response.status_mut() = StatusCode::NOT_FOUND;
    response
}

/// The refusal of a fault, in the words and with the status of the service.
fn refusal(cloud: &Cloud, call: &Call, effect: &FaultEffect) -> Refusal {
    let caller = &cloud.scenario.scope.identity;
    let json = call.api == Api::Logs;
    let of = |status, code: &str, query_code: &str, message: String| Refusal {
        status,
        code: code.to_owned(),
        query_code: query_code.to_owned(),
        message,
        members: None,
    };
    match effect {
        FaultEffect::Throttled if call.api == Api::Bedrock => {
            let message = "Too many tokens, please wait before trying again.".to_owned();
            of(429, "ThrottlingException", "Throttling", message)
        }
        FaultEffect::Throttled => of(400, "ThrottlingException", "Throttling", "Rate exceeded".to_owned()),
        FaultEffect::Expired => {
            let message = "The security token included in the request is expired".to_owned();
            of(if json { 400 } else { 403 }, "ExpiredTokenException", "ExpiredToken", message)
        }
        FaultEffect::Unavailable => {
            let message = "Service is unable to handle request.".to_owned();
            of(503, "ServiceUnavailableException", "ServiceUnavailable", message)
        }
        _ => {
            let message = format!(
                "User: {caller} is not authorized to perform: {} because no identity-based policy allows the action",
                iam_action(call)
            );
            of(if json { 400 } else { 403 }, "AccessDeniedException", "AccessDenied", message)
        }
    }
}

/// The refusal of a signature by its time.
fn unsigned(api: Api, message: String) -> Refusal {
    let query_code = if api == Api::Sts { "SignatureDoesNotMatch" } else { "InvalidSignatureException" };
    Refusal {
        status: if api == Api::Logs { 400 } else { 403 },
        query_code: query_code.to_owned(),
        ..Refusal::invalid("InvalidSignatureException", message)
    }
}

/// The IAM action of an operation.
fn iam_action(call: &Call) -> String {
    match call.api {
        Api::CloudWatch => format!("cloudwatch:{}", call.operation),
        Api::Logs => format!("logs:{}", call.operation),
        Api::Bedrock if call.operation == "ConverseStream" => "bedrock:InvokeModelWithResponseStream".to_owned(),
        Api::Bedrock if call.operation == "CountTokens" => "bedrock:CountTokens".to_owned(),
        Api::Bedrock => "bedrock:InvokeModel".to_owned(),
        Api::Sts | Api::Kubernetes | Api::Slack | Api::Charts => format!("sts:{}", call.operation),
    }
}

/// Words a refusal for the protocol of a service.
fn refused(api: Api, refusal: &Refusal) -> Response {
    let status = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::BAD_REQUEST);
    let mut response = match api {
        Api::CloudWatch => cloudwatch::refused(refusal),
        Api::Logs => {
            let mut body = serde_json::json!({ "__type": refusal.code, "message": refusal.message });
            if let (Some(body), Some(serde_json::Value::Object(members))) = (body.as_object_mut(), &refusal.members) {
                body.extend(members.clone());
            }
            typed(Body::from(body.to_string()), "application/x-amz-json-1.1")
        }
        Api::Bedrock => {
            let body = serde_json::json!({ "message": refusal.message });
            let mut response = typed(Body::from(body.to_string()), "application/json");
            if let Ok(code) = HeaderValue::from_str(&refusal.code) {
                response.headers_mut().insert("x-amzn-errortype", code);
            }
            response
        }
        Api::Sts | Api::Kubernetes | Api::Slack | Api::Charts => sts::refused(refusal),
    };
    *response.status_mut() = status;
    response
}

/// A 200 with a content type.
pub(super) fn typed(body: Body, content_type: &'static str) -> Response {
    let mut response = Response::new(body);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

fn plain(status: StatusCode, text: &'static str) -> Response {
    let mut response = typed(Body::from(text), "text/plain");
    *response.status_mut() = status;
    response
}
