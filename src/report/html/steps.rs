//! The steps of an incident in the page: what each would do, its rehearsal to the byte, its digest, and every decision.

use std::fmt;

use super::markup::Page;
use crate::domain::remediation::step::{CheckState, Rehearsal, RehearsalOutcome, Step};
use crate::report::narration::check_sign;
use crate::report::outcome_word;
use crate::report::transcript::decides;
use crate::session::incident::Incident;
use crate::session::{IncidentId, Record, Session, timeline};

/// Writes the plan.
pub(super) fn plan(page: &mut Page<'_>, session: &Session, incident: &Incident) -> fmt::Result {
    page.leaf(("h3", ""), "Steps")?;
    let Some(plan) = &incident.plan else { return page.leaf(("p", ""), "There is no plan.") };
    page.leaf(("p", "faint"), format!("Runbook {}.", plan.runbook))?;
    plan.steps.iter().try_for_each(|step| page.block(("div", "step"), |page| one(page, session, step)))
}

fn one(page: &mut Page<'_>, session: &Session, step: &Step) -> fmt::Result {
    page.leaf(("h4", ""), format!("{} {}", step.id, step.text()))?;
    page.block(("table", ""), |page| {
        page.block(("tbody", ""), |page| {
            page.pair("Decision", step.state.decision_word().unwrap_or("none"))?;
            page.pair("Outcome", outcome_word(step, session.header.mode))?;
            let digest = step.digest.as_ref().map_or("none: it was not rehearsed", |digest| digest.as_str());
            page.pair("Digest", digest)?;
            page.pair("Known as", step.action.equivalent(&step.target))?;
            let why: Vec<String> = step.why.iter().map(ToString::to_string).collect();
            page.pair("Rests on", why.join(", "))?;
            page.pair("Risk", step.action.risk())?;
            step.tests.iter().try_for_each(|test| page.pair("Verified when", test.text()))?;
            step.rehearsal.as_ref().map_or(Ok(()), |it| rehearsal(page, it))
        })
    })
}

fn rehearsal(page: &mut Page<'_>, rehearsal: &Rehearsal) -> fmt::Result {
    page.pair("Rehearsal", format!("{} at {:.0}", rehearsal.outcome.word(), rehearsal.at))?;
    if let Some(why) = why(&rehearsal.outcome) {
        page.pair("Because", why)?;
    }
    if let Some(request) = &rehearsal.request {
        page.block(("tr", ""), |page| {
            page.leaf(("th", ""), "Request")?;
            page.block(("td", ""), |page| {
                page.leaf(("code", ""), format!("PATCH {}", request.path))?;
                page.lines(("pre", ""), &request.shown())
            })
        })?;
    }
    for change in &rehearsal.diff {
        let absent = || "(absent)".to_owned();
        let (before, after) =
            (change.before.clone().unwrap_or_else(absent), change.after.clone().unwrap_or_else(absent));
        page.pair("Would change", format!("{}: {before} -> {after}", change.path))?;
    }
    for check in &rehearsal.checks {
        page.block(("tr", ""), |page| {
            page.leaf(("th", ""), "Check")?;
            page.block(("td", ""), |page| {
                page.leaf(("span", class(check.state)), check_sign(check.state))?;
                page.text(format!(" {}: {}", check.name, check.text))
            })
        })?;
    }
    page.pair("Blast", &rehearsal.blast)?;
    page.pair("Undo", &rehearsal.undo)
}

fn why(outcome: &RehearsalOutcome) -> Option<String> {
    match outcome {
        RehearsalOutcome::Rehearsed => None,
        RehearsalOutcome::LocalOnly { why } => Some(why.clone()),
        RehearsalOutcome::Forbidden { fault }
        | RehearsalOutcome::Refused { fault }
        | RehearsalOutcome::NotRehearsable { fault } => Some(fault.to_string()),
    }
}

fn class(state: CheckState) -> &'static str {
    match state {
        CheckState::Ok => "good",
        CheckState::Warning | CheckState::Unknown => "warn",
        CheckState::Failed => "bad",
    }
}

/// Every decision, refusal, execution and verification, from the records: the fold keeps only the last.
pub(super) fn decisions(page: &mut Page<'_>, id: IncidentId, records: &[Record]) -> fmt::Result {
    page.leaf(("h3", ""), "Decisions and executions")?;
    let told: Vec<(&Record, String)> = records
        .iter()
        .filter(|record| record.incident == Some(id) && decides(&record.event))
        .filter_map(|record| Some((record, timeline::tell(&record.event)?.1)))
        .collect();
    if told.is_empty() {
        return page.leaf(("p", ""), "Nothing was decided.");
    }
    page.table(&["Time", "Record", "What"], |page| {
        told.iter().try_for_each(|(record, text)| {
            page.block(("tr", ""), |page| {
                page.leaf(("td", "time"), format!("{:.3}", record.at))?;
                page.leaf(("td", ""), record.seq)?;
                page.leaf(("td", ""), text)
            })
        })
    })
}
