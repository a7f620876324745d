//! In which form objects are asked for, and what the API server does about a form that it does not speak.

use serde_json::{Value, json};

use super::Call;
use crate::rehearsal::cluster::failure::Failure;

/// How objects go out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Whole, as JSON.
    Whole,
    /// Their metadata alone.
    Metadata,
    /// As rows of a table.
    Table,
}

impl Form {
    /// The first form of a request's `Accept` that is spoken here.
    ///
    /// # Errors
    /// 406 where none is.
    pub(super) fn of(call: &Call) -> Result<Self, Failure> {
        let accept = call.header(http::header::ACCEPT);
        if accept.trim().is_empty() {
            return Ok(Self::Whole);
        }
        accept.split(',').find_map(clause).ok_or_else(|| {
            let accepted = "application/json";
            let message = format!("only the following media types are accepted: {accepted}");
            Failure { code: 406, reason: "NotAcceptable", message, details: Value::Null }
        })
    }

    /// An object's metadata, as a `PartialObjectMetadata`.
    pub(super) fn metadata_of(object: &Value) -> Value {
        json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": object["metadata"]})
    }
}

/// The form that one clause means, if it is spoken.
fn clause(clause: &str) -> Option<Form> {
    let mut parts = clause.split(';').map(str::trim);
    let media_type = parts.next()?;
    if !matches!(media_type, "application/json" | "application/*" | "*/*") {
        return None;
    }
    let parameters: Vec<(&str, &str)> = parts.filter_map(|part| part.split_once('=')).collect();
    let value = |name: &str| parameters.iter().find(|one| one.0 == name).map(|one| one.1);
    match (value("as"), value("g"), value("v")) {
        (None, ..) => Some(Form::Whole),
        (Some("Table"), Some("meta.k8s.io"), Some("v1")) => Some(Form::Table),
        (Some("PartialObjectMetadata" | "PartialObjectMetadataList"), Some("meta.k8s.io"), Some("v1")) => {
            Some(Form::Metadata)
        }
        (Some(_), ..) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_clause_that_is_spoken_counts() {
        for (accept, want) in [
            ("application/json;as=Table;v=v1;g=meta.k8s.io,application/json", Some(Form::Table)),
            ("application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json", Some(Form::Whole)),
            ("application/vnd.kubernetes.protobuf, application/json", Some(Form::Whole)),
            ("application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1", Some(Form::Metadata)),
            ("application/vnd.kubernetes.protobuf;as=PartialObjectMetadata;g=meta.k8s.io;v=v1, */*", Some(Form::Whole)),
            ("text/plain", None),
            ("application/vnd.kubernetes.protobuf", None),
        ] {
            assert_eq!(accept.split(',').find_map(clause), want, "{accept}");
        }
    }
}
