//! Answers of a real model, recorded once and served byte for byte: an event stream frame by frame, or JSON as it is.

use std::collections::BTreeMap;

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;

use super::reply::Pace;
use super::{Beat, Refusal, refusal};
use crate::domain::fault::{Fault, FaultKind};
use crate::rehearsal::scenario::{ModelException, Scenario};
use crate::rehearsal::wire::aws::typed;

/// The recorded answers that a scenario names.
#[derive(Clone, Debug, Default)]
pub struct Recordings(BTreeMap<String, Bytes>);

/// One of them, with the status it is served with.
pub(super) struct Recording {
    file: String,
    bytes: Bytes,
    status: u16,
}

impl Recordings {
    /// Reads them.
    ///
    /// # Errors
    /// `Storage` for a file that cannot be read, `Usage` for one that is neither an event stream nor JSON.
    pub fn read(scenario: &Scenario) -> Result<Self, Fault> {
        let mut all = BTreeMap::new();
        for file in scenario.model.turns.iter().filter_map(|turn| turn.recorded.as_ref()) {
            let place = scenario.folder.clone().unwrap_or_default().join(file);
            let bytes = std::fs::read(&place).map_err(|error| {
                Fault::new(FaultKind::Storage, format!("The recorded answer {file} of the scenario could not be read."))
                    .cause(error.to_string())
            })?;
            let bytes = Bytes::from(bytes);
            if frames(&bytes).is_none() && serde_json::from_slice::<serde_json::Value>(&bytes).is_err() {
                let summary = format!("The recorded answer {file} of the scenario is no answer of Bedrock.");
                return Err(Fault::new(FaultKind::Usage, summary)
                    .hint("Record the body alone: the event stream of ConverseStream, or the JSON of Converse."));
            }
            all.insert(file.clone(), bytes);
        }
        Ok(Self(all))
    }

    pub(super) fn of(&self, file: &str, status: Option<u16>) -> Result<Recording, Refusal> {
        let bytes = self.0.get(file).cloned().ok_or_else(|| refusal(ModelException::ModelError, None))?;
        Ok(Recording { file: file.to_owned(), bytes, status: status.unwrap_or(200) })
    }
}

impl Recording {
    /// What goes out for a request that wants a stream, or one piece.
    pub(super) fn beats(&self, is_stream: bool, pace: Pace) -> Result<Vec<Beat>, Refusal> {
        match (frames(&self.bytes), is_stream) {
            _ if self.status >= 400 => Ok(vec![Beat::Frame(self.bytes.clone())]),
            (Some(frames), true) => {
                let paced = frames.into_iter().flat_map(|frame| [Beat::Frame(frame), Beat::Pause(pace.token)]);
                Ok(std::iter::once(Beat::Pause(pace.first)).chain(paced).collect())
            }
            (None, false) => Ok(vec![Beat::Pause(pace.first), Beat::Frame(self.bytes.clone())]),
            (Some(_), false) | (None, true) => {
                let file = &self.file;
                let why = format!("The recorded answer {file} is of the other operation: Converse or ConverseStream.");
                Err(refusal(ModelException::ModelError, Some(&why)))
            }
        }
    }

    /// The answer around its body.
    pub(super) fn answered(&self, body: Body) -> Response {
        let is_stream = frames(&self.bytes).is_some();
        let kind = if is_stream { "application/vnd.amazon.eventstream" } else { "application/json" };
        let mut response = typed(body, kind);
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or(StatusCode::OK);
        let refusing = ModelException::ALL.into_iter().find(|exception| exception.status() == self.status);
        if let Some(exception) = refusing {
            response.headers_mut().insert("x-amzn-errortype", HeaderValue::from_static(exception.shape()));
        }
        response
    }
}

/// The frames of an event stream, each by the length it begins with; `None` for bytes that are none.
fn frames(bytes: &Bytes) -> Option<Vec<Bytes>> {
    let mut frames = Vec::new();
    let mut rest = bytes.clone();
    while !rest.is_empty() {
        let length = u32::from_be_bytes(rest.get(..4)?.try_into().ok()?) as usize;
        // The shortest frame has a prelude of 12 bytes and a checksum of 4.
        if length < 16 || length > rest.len() {
            return None;
        }
        frames.push(rest.split_to(length));
    }
    (!frames.is_empty()).then_some(frames)
}
