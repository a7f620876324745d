//! A repository of Helm charts: `index.yaml` and the archive of each release's chart, as `helm repo add` and `helm pull`
//! read them. A chart repository is a plain web server, and so is this.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse as _, Response};

use super::aws::typed;
use super::broken;
use super::line::Line;
use crate::rehearsal::cluster::helm::{self, Chart};
use crate::rehearsal::faults::Struck;
use crate::rehearsal::ledger::{Api, Arrival, DryRun, Mutates};
use crate::rehearsal::scenario::FaultEffect;
use crate::rehearsal::server::Cloud;

#[derive(Debug)]
struct Repository {
    cloud: Arc<Cloud>,
    charts: Vec<Chart>,
}

/// The routes of the repository.
pub fn router(cloud: Arc<Cloud>) -> Router {
    let charts = helm::charts(&cloud.scenario);
    Router::new().fallback(receive).with_state(Arc::new(Repository { cloud, charts }))
}

async fn receive(State(repository): State<Arc<Repository>>, request: Request) -> Response {
    let cloud = &repository.cloud;
    let (method, path) = (request.method(), request.uri().path());
    let operation = if path == "/index.yaml" { "index" } else { "pull" };
    let now = cloud.clock.now();
    let seq = cloud.ledger.arrived(Arrival {
        at: now,
        api: Api::Charts,
        operation: operation.to_owned(),
        verb: method.to_string(),
        path: path.to_owned(),
        dry_run: DryRun::No,
        mutating: Mutates::Reads,
        body: Bytes::new(),
    });
    let struck = cloud.faults.strike(Struck { api: Api::Charts, operation, resource: None }, now);
    if let Some(effect) = &struck {
        cloud.ledger.met(seq, effect.word());
    }
    let whole = || repository.served(method, path);
    let refused = |status: StatusCode| status.into_response();
    let response = match struck {
        Some(FaultEffect::Silence) => std::future::pending().await,
        Some(FaultEffect::Reset | FaultEffect::Unresolved) => return Line::of(request.extensions()).reset(),
        Some(FaultEffect::Latency { delay }) => {
            cloud.clock.pause(delay).await;
            whole()
        }
        Some(FaultEffect::Cut { after_bytes }) => broken::cut(whole(), after_bytes),
        Some(FaultEffect::Malformed) => broken::page(),
        Some(FaultEffect::Empty) => typed(Body::empty(), "application/octet-stream"),
        Some(FaultEffect::Throttled) => refused(StatusCode::TOO_MANY_REQUESTS),
        Some(FaultEffect::Denied) => refused(StatusCode::FORBIDDEN),
        Some(FaultEffect::Unavailable) => refused(StatusCode::SERVICE_UNAVAILABLE),
        Some(_) | None => whole(),
    };
    cloud.ledger.answered(seq, response.status().as_u16());
    response
}

impl Repository {
    fn served(&self, method: &Method, path: &str) -> Response {
        if !matches!(*method, Method::GET | Method::HEAD) {
            return StatusCode::METHOD_NOT_ALLOWED.into_response();
        }
        if path == "/index.yaml" {
            return typed(Body::from(helm::index(&self.charts)), "text/yaml");
        }
        match self.charts.iter().find(|chart| path.strip_prefix('/') == Some(chart.file().as_str())) {
            Some(chart) => {
                let mut response = typed(Body::from(chart.archive.clone()), "application/gzip");
                response.headers_mut().insert("x-content-type-options", HeaderValue::from_static("nosniff"));
                response
            }
            None => StatusCode::NOT_FOUND.into_response(),
        }
    }
}
