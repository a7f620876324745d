//! A scripted HTTP server on loopback: it records each request and answers what the test says. Knows no protocol.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::response::Response;
use futures::StreamExt as _;
use futures::stream;
use serde_json::Value;

/// A request as it arrived.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    pub method: String,
    pub path: String,
    pub query: String,
    pub content_type: String,
    pub body: String,
}

/// An answer.
pub enum Reply {
    Json(u16, Value),
    Text(u16, &'static str),
    Header(u16, (&'static str, &'static str), &'static str),
    /// JSON lines, then the end.
    Lines(Vec<Value>),
    /// JSON lines, then silence on an open connection.
    LinesThenSilence(Vec<Value>),
    /// Nothing at all on an open connection.
    Silence,
}

/// The server; it ends with the test's runtime.
pub struct Server {
    pub url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Server {
    /// Starts on a free port.
    #[expect(clippy::disallowed_methods, reason = "the server is this test's own task and ends with its runtime")]
    pub async fn start(mut script: impl FnMut(&Seen) -> Reply + Send + 'static) -> Self {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&seen);
        let script = move |request: &Seen| script(request);
        let script = Arc::new(Mutex::new(script));
        let app = axum::Router::new().fallback(move |request: Request| {
            let (kept, script) = (Arc::clone(&kept), Arc::clone(&script));
            async move {
                let request = read(request).await;
                kept.lock().unwrap().push(request.clone());
                let reply = (*script.lock().unwrap())(&request);
                answer(reply).await
            }
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { url, seen }
    }

    /// What arrived so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// What arrived so far with this method.
    pub fn seen_by(&self, method: &str) -> Vec<Seen> {
        self.seen().into_iter().filter(|seen| seen.method == method).collect()
    }
}

async fn read(request: Request) -> Seen {
    let (parts, body) = request.into_parts();
    let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let content_type = parts.headers.get("content-type").map(|value| value.to_str().unwrap().to_owned());
    Seen {
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        content_type: content_type.unwrap_or_default(),
        body: String::from_utf8(bytes.to_vec()).unwrap(),
    }
}

async fn answer(reply: Reply) -> Response {
    let with = |status: u16, body: Body| Response::builder().status(status).body(body).unwrap();
    match reply {
        Reply::Json(status, value) => with(status, Body::from(value.to_string())),
        Reply::Text(status, text) => with(status, Body::from(text)),
        Reply::Header(status, (name, value), text) => {
            Response::builder().status(status).header(name, value).body(Body::from(text)).unwrap()
        }
        Reply::Lines(lines) => with(200, Body::from_stream(stream::iter(chunks(lines)))),
        Reply::LinesThenSilence(lines) => {
            with(200, Body::from_stream(stream::iter(chunks(lines)).chain(stream::pending())))
        }
        Reply::Silence => std::future::pending().await,
    }
}

fn chunks(lines: Vec<Value>) -> Vec<Result<Bytes, Infallible>> {
    lines.into_iter().map(|line| Ok(Bytes::from(format!("{line}\n")))).collect()
}
