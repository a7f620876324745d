//! The one tool by which a model submits its diagnosis: its schema, and the reading of what was submitted.
//!
//! Reading is strict: a submission that is not exactly of this shape is rejected with every reason, never mended.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::claim::Proposal;
use super::conversation::ToolSpec;
use super::evidence::EvidenceId;
use super::verdict::{Cause, Confidence};
use crate::domain::observation::workload::{WorkloadKind, WorkloadRef};

/// The tool's name.
pub const TOOL: &str = "submit_diagnosis";

/// The longest summary taken, in characters.
pub const MAX_SUMMARY: usize = 2_000;

/// The most entries taken in any list.
pub const MAX_ENTRIES: usize = 64;

const WORKLOAD_KINDS: [WorkloadKind; 3] =
    [WorkloadKind::Deployment, WorkloadKind::StatefulSet, WorkloadKind::DaemonSet];

/// One reason why a submission cannot be read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "flaw", rename_all = "kebab-case")]
pub enum Flaw {
    /// The input is no JSON object.
    NotAnObject,
    /// A field is missing.
    Missing {
        /// Which.
        field: String,
    },
    /// A field is of the wrong type.
    WrongType {
        /// Which.
        field: String,
        /// What it should be.
        expected: String,
    },
    /// A field that the schema does not know.
    Unknown {
        /// Which.
        field: String,
    },
    /// A cause outside the catalogue.
    UnknownCause {
        /// As written.
        cause: String,
    },
    /// A confidence outside `[0, 1]`.
    ConfidenceOutOfRange {
        /// As written.
        value: f64,
    },
    /// Not an id such as `E7`.
    BadEvidenceId {
        /// As written.
        id: String,
    },
    /// A workload kind outside the catalogue.
    UnknownWorkloadKind {
        /// As written.
        kind: String,
    },
    /// Longer than we take.
    TooLong {
        /// Which.
        field: String,
        /// The bound.
        most: usize,
    },
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAnObject => f.write_str("the submission is no JSON object."),
            Self::Missing { field } => write!(f, "the field {field:?} is missing."),
            Self::WrongType { field, expected } => write!(f, "the field {field:?} is not {expected}."),
            Self::Unknown { field } => write!(f, "the field {field:?} is not part of a diagnosis."),
            Self::UnknownCause { cause } => write!(f, "{cause:?} is not a cause of the catalogue."),
            Self::ConfidenceOutOfRange { value } => write!(f, "the confidence {value} is not between 0 and 1."),
            Self::BadEvidenceId { id } => write!(f, "{id:?} is not an evidence id such as E7."),
            Self::UnknownWorkloadKind { kind } => write!(f, "{kind:?} is not a kind of workload."),
            Self::TooLong { field, most } => write!(f, "the field {field:?} is longer than {most}."),
        }
    }
}

/// A submission that cannot be read, with every reason.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rejection {
    /// Never empty.
    pub flaws: Vec<Flaw>,
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("The submitted diagnosis cannot be read:")?;
        self.flaws.iter().try_for_each(|flaw| write!(f, " {flaw}"))
    }
}

impl std::error::Error for Rejection {}

/// The tool as offered to the model. `remedies` are the action ids of the closed catalogue.
pub fn tool(remedies: &[&str]) -> ToolSpec {
    let causes: Vec<&str> = Cause::ALL.iter().map(|cause| cause.id()).collect();
    let kinds: Vec<&str> = WORKLOAD_KINDS.iter().map(|kind| kind.word()).collect();
    let texts = |description: &str| json!({"type": "array", "items": {"type": "string"}, "description": description});
    ToolSpec {
        name: TOOL.to_owned(),
        description: "Submit the diagnosis of this incident, exactly once, after the narrative.".to_owned(),
        schema: json!({
            "type": "object",
            "additionalProperties": false,
            "required": ["cause", "confidence", "summary", "evidence", "workload", "remedies", "unknowns"],
            "properties": {
                "cause": {"type": "string", "enum": causes},
                "confidence": {"type": "number", "minimum": 0, "maximum": 1},
                "summary": {"type": "string", "maxLength": MAX_SUMMARY, "description": "One or two sentences."},
                "evidence": texts("Ids of the evidence it rests on, such as E1. Only ids that were given."),
                "workload": {
                    "type": ["object", "null"],
                    "additionalProperties": false,
                    "required": ["kind", "namespace", "name"],
                    "properties": {
                        "kind": {"type": "string", "enum": kinds},
                        "namespace": {"type": "string"},
                        "name": {"type": "string"},
                    },
                },
                "remedies": {"type": "array", "items": {"type": "string", "enum": remedies}},
                "unknowns": texts("What the evidence leaves open."),
            },
        }),
    }
}

/// Reads a submitted diagnosis.
pub fn read(input: &Value) -> Result<Proposal, Rejection> {
    let Value::Object(fields) = input else {
        return Err(Rejection { flaws: vec![Flaw::NotAnObject] });
    };
    let mut reading = Reading { fields, flaws: Vec::new() };
    reading.refuse_unknown();
    let proposal = Proposal {
        cause: reading.cause(),
        confidence: reading.confidence(),
        summary: reading.summary(),
        evidence: reading.evidence(),
        workload: reading.workload(),
        remedies: reading.texts("remedies"),
        unknowns: reading.texts("unknowns"),
    };
    if reading.flaws.is_empty() { Ok(proposal) } else { Err(Rejection { flaws: reading.flaws }) }
}

/// The fields as submitted and the flaws found so far. A value read despite a flaw is never handed out.
struct Reading<'a> {
    fields: &'a Map<String, Value>,
    flaws: Vec<Flaw>,
}

impl<'a> Reading<'a> {
    const FIELDS: [&'static str; 7] =
        ["cause", "confidence", "summary", "evidence", "workload", "remedies", "unknowns"];

    fn refuse_unknown(&mut self) {
        let unknown = self.fields.keys().filter(|key| !Self::FIELDS.contains(&key.as_str()));
        self.flaws.extend(unknown.map(|field| Flaw::Unknown { field: field.clone() }));
    }

    fn field(&mut self, name: &str) -> Option<&'a Value> {
        let value = self.fields.get(name);
        if value.is_none() {
            self.flaws.push(Flaw::Missing { field: name.to_owned() });
        }
        value
    }

    fn wrong(&mut self, field: &str, expected: &str) {
        self.flaws.push(Flaw::WrongType { field: field.to_owned(), expected: expected.to_owned() });
    }

    fn text(&mut self, name: &str) -> &'a str {
        match self.field(name) {
            Some(Value::String(text)) => text,
            Some(_) => {
                self.wrong(name, "a text");
                ""
            }
            None => "",
        }
    }

    fn cause(&mut self) -> Cause {
        let already = self.flaws.len();
        let id = self.text("cause");
        let known = Cause::ALL.into_iter().find(|cause| cause.id() == id);
        if known.is_none() && self.flaws.len() == already {
            self.flaws.push(Flaw::UnknownCause { cause: id.to_owned() });
        }
        known.unwrap_or(Cause::Inconclusive)
    }

    fn confidence(&mut self) -> Confidence {
        let Some(value) = self.field("confidence") else { return Confidence::default() };
        match value.as_f64() {
            Some(number) if (0.0..=1.0).contains(&number) => Confidence::new(number),
            Some(number) => {
                self.flaws.push(Flaw::ConfidenceOutOfRange { value: number });
                Confidence::default()
            }
            None => {
                self.wrong("confidence", "a number");
                Confidence::default()
            }
        }
    }

    fn summary(&mut self) -> String {
        let text = self.text("summary");
        if text.chars().count() > MAX_SUMMARY {
            self.flaws.push(Flaw::TooLong { field: "summary".to_owned(), most: MAX_SUMMARY });
        }
        text.to_owned()
    }

    fn texts(&mut self, name: &str) -> Vec<String> {
        let Some(value) = self.field(name) else { return Vec::new() };
        let texts: Option<Vec<String>> = value
            .as_array()
            .and_then(|entries| entries.iter().map(|entry| entry.as_str().map(str::to_owned)).collect());
        let Some(texts) = texts else {
            self.wrong(name, "a list of texts");
            return Vec::new();
        };
        if texts.len() > MAX_ENTRIES {
            self.flaws.push(Flaw::TooLong { field: name.to_owned(), most: MAX_ENTRIES });
        }
        texts
    }

    fn evidence(&mut self) -> Vec<EvidenceId> {
        let texts = self.texts("evidence");
        let mut ids = Vec::with_capacity(texts.len());
        for text in texts {
            match EvidenceId::try_from(text.clone()) {
                Ok(id) => ids.push(id),
                Err(_) => self.flaws.push(Flaw::BadEvidenceId { id: text }),
            }
        }
        ids
    }

    fn workload(&mut self) -> Option<WorkloadRef> {
        let fields = match self.field("workload")? {
            Value::Null => return None,
            Value::Object(fields) => fields,
            Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                self.wrong("workload", "an object or null");
                return None;
            }
        };
        let mut inner = Reading { fields, flaws: Vec::new() };
        let (kind, namespace, name) = (inner.text("kind"), inner.text("namespace"), inner.text("name"));
        if !inner.flaws.is_empty() {
            self.wrong("workload", "an object of kind, namespace and name");
            return None;
        }
        // As kubectl has it, as the API has it, and as the evidence has it, all of which a model is shown.
        let plain = kind.replace('-', "");
        let Some(kind) = WORKLOAD_KINDS.into_iter().find(|known| known.word().eq_ignore_ascii_case(&plain)) else {
            self.flaws.push(Flaw::UnknownWorkloadKind { kind: kind.to_owned() });
            return None;
        };
        Some(WorkloadRef { kind, namespace: namespace.into(), name: name.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good() -> Value {
        json!({"cause": "memory-leak", "confidence": 0.86, "summary": "It leaks.", "evidence": ["E1", "E12"],
               "workload": {"kind": "deployment", "namespace": "payments", "name": "my-api"},
               "remedies": ["rollout-restart"], "unknowns": []})
    }

    fn with(field: &str, value: Value) -> Value {
        let mut input = good();
        input[field] = value;
        input
    }

    #[test]
    fn a_whole_submission_is_read() {
        let proposal = read(&good()).unwrap();
        assert_eq!(proposal.cause, Cause::MemoryLeak);
        assert_eq!(proposal.evidence, [EvidenceId(1), EvidenceId(12)]);
        assert_eq!(proposal.workload.unwrap().key(), "deployment/payments/my-api");
        assert!((proposal.confidence.value() - 0.86).abs() < 1e-9);
        assert_eq!(read(&with("workload", Value::Null)).unwrap().workload, None);
    }

    #[test]
    fn a_kind_of_workload_is_known_however_it_is_written() {
        for kind in ["statefulset", "StatefulSet", "stateful-set"] {
            let workload = json!({"kind": kind, "namespace": "payments", "name": "ledger"});
            assert_eq!(
                read(&with("workload", workload)).unwrap().workload.unwrap().key(),
                "statefulset/payments/ledger"
            );
        }
    }

    #[test]
    fn each_flaw_is_named() {
        let cases = [
            (json!("text"), Flaw::NotAnObject),
            (with("cause", json!("gremlins")), Flaw::UnknownCause { cause: "gremlins".into() }),
            (with("cause", json!(3)), Flaw::WrongType { field: "cause".into(), expected: "a text".into() }),
            (with("confidence", json!(1.2)), Flaw::ConfidenceOutOfRange { value: 1.2 }),
            (
                with("confidence", json!("0.9")),
                Flaw::WrongType { field: "confidence".into(), expected: "a number".into() },
            ),
            (with("evidence", json!(["E1", "the logs"])), Flaw::BadEvidenceId { id: "the logs".into() }),
            (
                with("workload", json!({"kind": "cronjob", "namespace": "a", "name": "b"})),
                Flaw::UnknownWorkloadKind { kind: "cronjob".into() },
            ),
            (with("command", json!("kubectl delete ns")), Flaw::Unknown { field: "command".into() }),
            (
                with("unknowns", json!([1])),
                Flaw::WrongType { field: "unknowns".into(), expected: "a list of texts".into() },
            ),
            (
                with("summary", json!("x".repeat(MAX_SUMMARY + 1))),
                Flaw::TooLong { field: "summary".into(), most: MAX_SUMMARY },
            ),
        ];
        for (input, flaw) in cases {
            assert_eq!(read(&input).unwrap_err().flaws, [flaw]);
        }
    }

    #[test]
    fn an_empty_object_lacks_every_field() {
        let flaws = read(&json!({})).unwrap_err().flaws;
        assert_eq!(flaws.len(), Reading::FIELDS.len());
        assert!(flaws.iter().all(|flaw| matches!(flaw, Flaw::Missing { .. })));
    }

    #[test]
    fn the_schema_requires_what_the_reading_reads() {
        let spec = tool(&["rollout-restart"]);
        let required: Vec<&str> =
            spec.schema["required"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        assert_eq!(required, Reading::FIELDS);
        let properties = spec.schema["properties"].as_object().unwrap();
        assert!(Reading::FIELDS.iter().all(|field| properties.contains_key(*field)));
        assert_eq!(properties["cause"]["enum"].as_array().unwrap().len(), Cause::ALL.len());
    }
}
