//! A server on loopback that answers each request by a closure and remembers what it was asked.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_smithy_cbor::Encoder;
use aws_smithy_types::DateTime;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use pagerdeck::adapters::aws::clients::{CallTimeouts, Clients};
use pagerdeck::domain::observation::scope::Region;
use serde_json::Value;

/// A request as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// The operation: the last part of the path, or of the target header.
    pub(crate) operation: String,
    /// The body.
    pub(crate) body: Bytes,
}

impl Asked {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("a JSON request")
    }

    /// Whether a text stands in the body as it is; enough for CBOR, which keeps texts as they are.
    pub(crate) fn says(&self, text: &str) -> bool {
        self.body.windows(text.len()).any(|part| part == text.as_bytes())
    }
}

/// What a case answers to the request with this index.
type Answer = dyn Fn(usize, &Asked) -> Response + Send + Sync;

/// A running server; it ends with the value.
pub(crate) struct Server {
    pub(crate) url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    pub(crate) async fn start(answer: impl Fn(usize, &Asked) -> Response + Send + Sync + 'static) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let answer: Arc<Answer> = Arc::new(answer);
        let log = Arc::clone(&asked);
        let app = Router::new().fallback(move |uri: Uri, headers: HeaderMap, body: Bytes| {
            let (log, answer) = (Arc::clone(&log), Arc::clone(&answer));
            async move {
                let asked = Asked { operation: operation(&uri, &headers), body };
                let index = {
                    let mut log = log.lock().unwrap();
                    log.push(asked.clone());
                    log.len() - 1
                };
                answer(index, &asked)
            }
        });
        #[expect(clippy::disallowed_methods, reason = "the test owns its server")]
        let task = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { url, asked, task }
    }

    /// Everything asked so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// Clients for this server, with time-outs short enough for a test of silence.
    pub(crate) fn clients(&self) -> Clients {
        clients(&self.url)
    }
}

/// Clients for any loopback address.
pub(crate) fn clients(url: &str) -> Clients {
    pagerdeck::adapters::install_tls_provider();
    Clients::loopback(url, &Region::new("us-east-1"), CallTimeouts::default()).unwrap()
}

/// Clients that give up soon.
pub(crate) fn impatient_clients(url: &str) -> Clients {
    pagerdeck::adapters::install_tls_provider();
    let soon = Duration::from_millis(80);
    let times = CallTimeouts { connect: soon, first_byte: soon, attempt: soon * 2, stalled: soon };
    Clients::loopback(url, &Region::new("us-east-1"), times).unwrap()
}

fn operation(uri: &Uri, headers: &HeaderMap) -> String {
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok());
    let name = target.map_or_else(|| uri.path().rsplit('/').next(), |target| target.rsplit('.').next());
    name.unwrap_or_default().to_owned()
}

pub(crate) fn reply(status: u16, content_type: &str, body: impl Into<Body>) -> Response {
    Response::builder().status(status).header("content-type", content_type).body(body.into()).unwrap()
}

/// An answer of awsJson 1.1.
pub(crate) fn json(value: &Value) -> Response {
    reply(200, "application/x-amz-json-1.1", value.to_string())
}

/// An answer of Smithy RPC v2 CBOR. A time is written as `{"$at": seconds}`.
pub(crate) fn cbor(status: u16, value: &Value) -> Response {
    let mut encoder = Encoder::new(Vec::new());
    encode(&mut encoder, value);
    let mut response = reply(status, "application/cbor", encoder.into_writer());
    response.headers_mut().insert("smithy-protocol", "rpc-v2-cbor".parse().unwrap());
    response
}

fn encode(encoder: &mut Encoder, value: &Value) {
    match value {
        Value::Null => drop(encoder.null()),
        Value::Bool(flag) => drop(encoder.boolean(*flag)),
        Value::Number(number) if number.is_i64() => drop(encoder.long(number.as_i64().unwrap())),
        Value::Number(number) => drop(encoder.double(number.as_f64().unwrap())),
        Value::String(text) => drop(encoder.str(text)),
        Value::Array(entries) => {
            encoder.array(entries.len());
            for entry in entries {
                encode(encoder, entry);
            }
        }
        Value::Object(fields) => {
            if let Some(at) = fields.get("$at").and_then(Value::as_i64) {
                encoder.timestamp(&DateTime::from_secs(at));
                return;
            }
            encoder.map(fields.len());
            for (key, value) in fields {
                encoder.str(key);
                encode(encoder, value);
            }
        }
    }
}
