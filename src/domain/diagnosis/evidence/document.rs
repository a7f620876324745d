//! The evidence as one JSON document: what the model is sent, and all that it may speak from.

use jiff::Timestamp;
use serde::Serialize;

use super::{Evidence, EvidenceId, Fact, Question, SentTemplate, answer_text, facts, sent};
use crate::domain::diagnosis::verdict::Verdict;
use crate::domain::observation::alarm::{Alarm, AlarmName, AlarmState};
use crate::domain::observation::redact::redact;
use crate::domain::observation::service::Service;
use crate::domain::observation::workload::WorkloadRef;

/// The version of the document, its first field.
pub const SCHEMA: &str = "pagerdeck/evidence/1";

/// An alarm in the document.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DocumentAlarm {
    /// Its name.
    pub name: AlarmName,
    /// Where it stands.
    pub state: AlarmState,
    /// The value that decided.
    pub value: Option<f64>,
    /// The constant it is compared with.
    pub threshold: Option<f64>,
    /// CloudWatch's words.
    pub reason: String,
    /// Since when.
    pub since: Timestamp,
}

/// A piece of evidence in the document.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DocumentEvidence {
    /// Its id, to be cited.
    pub id: EvidenceId,
    /// The question.
    pub question: Question,
    /// `exact`, `truncated`, `absent`, `denied`, `failed` or `not-asked`.
    pub completeness: &'static str,
    /// One line with its numbers.
    pub answer: String,
    /// The numbers themselves.
    pub facts: Vec<Fact>,
    /// The templates of log lines, for evidence of logs: what the lines say, without the lines.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub templates: Vec<SentTemplate>,
}

/// The document.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EvidenceDocument {
    /// `pagerdeck/evidence/1`.
    pub schema: &'static str,
    /// The incident's id, such as `I1`.
    pub incident: String,
    /// The service.
    pub service: String,
    /// Its workload.
    pub workload: Option<WorkloadRef>,
    /// The alarms of the incident.
    pub alarms: Vec<DocumentAlarm>,
    /// What is known.
    pub evidence: Vec<DocumentEvidence>,
    /// What the rules made of it.
    pub verdict: Verdict,
}

/// Writes the document of an incident. Its texts are redacted again: it leaves the machine.
pub fn document(
    incident: &str,
    service: &Service,
    alarms: &[Alarm],
    (evidence, verdict): (&[Evidence], &Verdict),
) -> EvidenceDocument {
    EvidenceDocument {
        schema: SCHEMA,
        incident: incident.to_owned(),
        service: service.name.to_string(),
        workload: service.workload.clone(),
        alarms: alarms.iter().map(of_alarm).collect(),
        evidence: evidence.iter().map(of_evidence).collect(),
        verdict: told(verdict),
    }
}

/// The verdict as it leaves: findings and reasons quote the cluster.
fn told(verdict: &Verdict) -> Verdict {
    let mut told = verdict.clone();
    for finding in told.ranked.iter_mut().flat_map(|ranked| &mut ranked.findings) {
        finding.text = redact(&finding.text).text;
    }
    for missing in &mut told.missing {
        missing.why = redact(&missing.why).text;
    }
    told
}

fn of_alarm(alarm: &Alarm) -> DocumentAlarm {
    DocumentAlarm {
        name: alarm.name.clone(),
        state: alarm.state,
        value: alarm.value,
        threshold: alarm.threshold(),
        reason: redact(&alarm.reason).text,
        since: alarm.since,
    }
}

fn of_evidence(evidence: &Evidence) -> DocumentEvidence {
    DocumentEvidence {
        id: evidence.id,
        question: evidence.question,
        completeness: evidence.answer.completeness(),
        answer: redact(&answer_text(evidence)).text,
        facts: facts(evidence),
        templates: sent(evidence),
    }
}
