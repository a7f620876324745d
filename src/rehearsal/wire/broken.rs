//! Answers that break: cut after some bytes, cut when the server goes away, or no answer of the service at all.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use futures::StreamExt as _;

use crate::rehearsal::server::Cloud;

/// What a proxy with a log-in page answers in place of the service.
const PAGE: &str =
    "<!DOCTYPE html><html><head><title>Sign in</title></head><body>Your session has ended.</body></html>\n";

/// Sends so many bytes of a body, then breaks the connection.
pub(crate) fn cut(response: Response, after_bytes: usize) -> Response {
    let (parts, body) = response.into_parts();
    let mut left = after_bytes;
    let pieces = body
        .into_data_stream()
        .map(move |piece| match piece {
            Ok(bytes) if bytes.len() <= left => {
                left -= bytes.len();
                Ok(bytes)
            }
            Ok(bytes) if left > 0 => Ok(bytes.slice(..std::mem::take(&mut left))),
            _ => Err(gone()),
        })
        .chain(futures::stream::once(async move { Err(gone()) }))
        .then(|piece| async {
            // What was sent before the break must be on its way, and hyper flushes when a body has to wait.
            if piece.is_err() {
                tokio::task::yield_now().await;
            }
            piece
        });
    let mut response = Response::from_parts(parts, Body::from_stream(pieces));
    response.headers_mut().remove(header::CONTENT_LENGTH);
    response
}

/// The same answer, which breaks when the API server goes away.
pub(crate) fn until_restart(cloud: &Arc<Cloud>, response: Response) -> Response {
    let (parts, body) = response.into_parts();
    let waiting = Arc::clone(cloud);
    // From now on, and not from the first look at the body, which comes whenever the server gets to it.
    let next = cloud.faults.next_restart(cloud.clock.now());
    let restart = Box::pin(async move { next.comes(&waiting.clock).await });
    let pieces = futures::stream::unfold(Some((body.into_data_stream(), restart)), |state| async {
        let (mut body, mut restart) = state?;
        tokio::select! {
            biased;
            () = &mut restart => Some((Err(gone()), None)),
            piece = body.next() => match piece? {
                Ok(bytes) => Some((Ok(bytes), Some((body, restart)))),
                Err(_) => Some((Err(gone()), None)),
            },
        }
    });
    Response::from_parts(parts, Body::from_stream(pieces))
}

/// A 200 that is not the service's.
pub(crate) fn page() -> Response {
    let mut response = Response::new(Body::from(PAGE));
    *response.status_mut() = StatusCode::OK;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    response
}

/// A 200 of the service's type whose body no parser takes.
pub(crate) fn garbage(content_type: &'static str) -> Response {
    let mut response = Response::new(Body::from("{\"kind\":\"List\",\"items\":[{\"metadata\":{\"name\":"));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

fn gone() -> std::io::Error {
    std::io::Error::new(std::io::ErrorKind::ConnectionReset, "cut by the scenario")
}
