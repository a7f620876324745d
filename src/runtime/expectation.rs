//! Compares what a rehearsal came to with what its scenario expects.

use crate::domain::diagnosis::evidence::{Payload, Question};
use crate::domain::remediation::gate::RefusalReason;
use crate::rehearsal::scenario::{Expect, GateWord};
use crate::report::incident::chosen;
use crate::session::Session;
use crate::session::incident::Incident;

/// One sentence a difference; empty when all is as expected.
pub fn differences(session: &Session, expect: &Expect) -> Vec<String> {
    let Some(incident) = chosen(session) else {
        return vec!["No incident was opened.".to_owned()];
    };
    let Some(verdict) = &incident.verdict else {
        return vec!["The rules did not judge.".to_owned()];
    };
    let mut differences = Vec::new();
    let mut compare = |what: &str, expected: String, found: String| {
        if expected != found {
            differences.push(format!("Expected {what} {expected}, found {found}."));
        }
    };
    compare("cause", expect.cause.clone(), verdict.cause().id().to_owned());
    compare("conclusive", expect.conclusive.to_string(), verdict.conclusive.to_string());
    if let Some(kills) = expect.oom_kills {
        let found = oom_kills(incident).map_or_else(|| "no count".to_owned(), |count| count.to_string());
        compare("OOM kills", kills.to_string(), found);
    }
    if let Some(gate) = expect.gate {
        let word = |open: bool| if open { "open" } else { "locked" }.to_owned();
        compare("gate", word(gate == GateWord::Open), word(has_let_out(incident) || unlocks(incident)));
    }
    for (ids, wanted) in [(&expect.offered, "offered"), (&expect.refused, "refused")] {
        for id in ids {
            compare(id, wanted.to_owned(), standing(incident, id).to_owned());
        }
    }
    differences
}

/// Whether the gate let a step out: then it was open when it mattered, whatever that step came to since.
fn has_let_out(incident: &Incident) -> bool {
    incident.plan.iter().flat_map(|plan| &plan.steps).any(|step| step.state.may_have_run())
}

/// Whether the gate opens on what was read. That evidence grows old in a long run says nothing against it.
fn unlocks(incident: &Incident) -> bool {
    let gate = incident.gate.as_ref();
    gate.is_some_and(|gate| gate.refusals.iter().all(|refusal| refusal.reason == RefusalReason::Stale))
}

fn oom_kills(incident: &Incident) -> Option<u64> {
    // The first count is the one of the page: kills go on while the rehearsal runs.
    let first = incident.evidence.iter().find(|evidence| evidence.question == Question::OomKills)?;
    match first.answer.payload()? {
        Payload::OomKills(count) => Some(count.total),
        Payload::Series { .. }
        | Payload::Collector { .. }
        | Payload::LogPatterns { .. }
        | Payload::Workload { .. }
        | Payload::Changes { .. } => None,
    }
}

/// Offered is what stands in the plan: a remedy that the evidence suffices for is still refused while the gate is locked.
fn standing(incident: &Incident, id: &str) -> &'static str {
    let mut steps = incident.plan.iter().flat_map(|plan| &plan.steps);
    if steps.any(|step| step.action.kind().id() == id) { "offered" } else { "refused" }
}
