//! `pagerdeck/incident/1`: the whole incident as one JSON object, for `--output json` and exports. Keys are only ever
//! added within a version.
//!
//! | key | holds |
//! |---|---|
//! | `schema` | `pagerdeck/incident/1` |
//! | `scenario` | the rehearsed scenario's name; `null` against a real world |
//! | `mode` | `dry-run` or `live` |
//! | `scope` | `account`, `region`, `cluster`, `context`, `identity` |
//! | `alarms[]` | `name`, `state`, `severity`, `value`, `threshold`, `since`, `reason`; `null` where they could never be listed |
//! | `feeds[]` | `name`, `health` (`off`, `connecting`, `live`, `retrying`, `lost`), `fault {summary, causes[], hints[]}` where it fails, `why` where it is off |
//! | `oom_kills` | `total`, `completeness` (`exact`, `truncated`, `sampled`, `absent`, `denied`, `failed`, `not-asked`), `source`, `by_container[]`; `total` is `null` when nothing could be counted |
//! | `evidence[]` | `id`, `question`, `answer {completeness, text}`, `source`, `window {from, to}` |
//! | `verdict` | `ranked[] {cause, confidence, findings[] {text, side, weight, evidence[]}}` (never empty), `missing[] {question, why, decisive}`, `conclusive`, `rests_on[]`; `ranked[].terms {supports, against, open, cap}` is what a confidence comes from |
//! | `storm` | `members[]`, `first_mover`, `certainty` (`likely`, `guess`), `reasons[]`; `null` where nothing began together |
//! | `diagnosis` | the model's structured answer with `accepted` and `reasons[]`; `null` without one |
//! | `narrative` | `text`, `claims[] {text, cites[], check, why}` |
//! | `gate` | `open`, `refusals[] {reason, text, unlock}` |
//! | `plan[]` | `action`, `target`, `text`, `digest`, `rehearsal`, `decision`, `outcome` |
//! | `requests` | `mutating`, `dry_run`, `by_kind`: requests by what they do to the cluster; dry-runs and access reviews do not mutate; `by_fault`: those that met a fault of a rehearsal; `null` against a real world, where nobody counts |
//! | `report` | `headline`, `follow_ups[] {text, due_at, standing}` (`pending`, `held`, `failed`, `unmeasured`, `not-watched`), `post`; `null` before it is drafted |
//! | `journal` | the journal's path; `null` without one |
//! | `anchor` | `LINES:HASH`, where the journal ended: `pagerdeck verify --anchor` proves it later; `null` without one |
//! | `timings_ms` | milliseconds of wall time from the start, by milestone |

mod parts;

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::{clean, mode_word};
use crate::domain::diagnosis::storm::Storm;
use crate::session::header::Origin;
use crate::session::incident::Incident;
use crate::session::{IncidentId, Session};

/// The name and version of the object.
pub const SCHEMA: &str = "pagerdeck/incident/1";

/// Requests that were sent, by what they do to the cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Requests {
    /// Writes without `dryRun=All`. Access reviews are none.
    pub mutating: u64,
    /// Writes with `dryRun=All`.
    pub dry_run: u64,
    /// All requests by operation.
    pub by_kind: BTreeMap<String, u64>,
    /// Requests that met a fault of the simulated cloud, by service and kind.
    pub by_fault: BTreeMap<String, u64>,
}

/// What the object needs beside the session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// The simulator's ledger; `None` against a real world, where nobody counts.
    pub requests: Option<Requests>,
    /// The journal's path.
    pub journal: Option<String>,
    /// Where it ended, as `LINES:HASH`.
    pub anchor: Option<String>,
    /// Milliseconds by milestone.
    pub timings_ms: BTreeMap<String, u64>,
}

#[derive(Serialize)]
struct Object<'a> {
    schema: &'static str,
    scenario: Option<&'a str>,
    mode: &'static str,
    scope: &'a crate::domain::observation::scope::Scope,
    alarms: Option<Vec<parts::AlarmPart<'a>>>,
    feeds: Vec<parts::FeedPart<'a>>,
    oom_kills: parts::OomPart<'a>,
    evidence: Vec<parts::EvidencePart>,
    verdict: Value,
    storm: Option<&'a Storm>,
    diagnosis: Option<parts::DiagnosisPart<'a>>,
    narrative: parts::NarrativePart<'a>,
    gate: parts::GatePart<'a>,
    plan: Vec<parts::StepPart>,
    requests: Option<&'a Requests>,
    report: Option<parts::ReportPart<'a>>,
    journal: Option<&'a str>,
    anchor: Option<&'a str>,
    timings_ms: &'a BTreeMap<String, u64>,
}

/// The incident a run was about: the one of the focused alarm, else the worst.
pub fn chosen(session: &Session) -> Option<&Incident> {
    session.focused().or_else(|| session.incidents.values().min_by_key(|incident| (incident.severity, incident.id)))
}

/// The object of one incident; without an incident every part is there and empty.
pub fn object(session: &Session, incident: Option<IncidentId>, around: &Surroundings) -> Value {
    let incident = incident.and_then(|id| session.incidents.get(&id));
    let object = Object {
        schema: SCHEMA,
        scenario: match &session.header.origin {
            Origin::Real => None,
            Origin::Rehearsal { scenario, .. } => Some(scenario),
        },
        mode: mode_word(session.header.mode),
        scope: &session.header.scope,
        alarms: parts::alarms(session, incident),
        feeds: parts::feeds(session),
        oom_kills: parts::oom_kills(incident),
        evidence: parts::evidence(incident),
        verdict: parts::verdict(incident),
        storm: incident.and_then(|incident| incident.storm.as_ref()),
        diagnosis: parts::diagnosis(incident),
        narrative: parts::narrative(incident),
        gate: parts::gate(incident),
        plan: parts::plan(incident, session.header.mode),
        requests: around.requests.as_ref(),
        report: parts::report(incident),
        journal: around.journal.as_deref(),
        anchor: around.anchor.as_deref(),
        timings_ms: &around.timings_ms,
    };
    // These structs serialize without fail: their keys are strings and their numbers finite.
    let mut value = serde_json::to_value(&object).unwrap_or_default();
    clean::json(&mut value);
    value
}
