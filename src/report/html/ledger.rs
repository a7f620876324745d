//! What was sent outside to make something happen, from the records: rehearsals, steps, the model, the report. Reads are
//! told as the queries of the evidence.

use std::collections::BTreeMap;
use std::fmt;

use super::markup::Page;
use crate::domain::count::{counted, either};
use crate::domain::remediation::request::Request;
use crate::domain::remediation::step::StepId;
use crate::session::event::{Event, Execution, NarrativeEvent, RemediationEvent, ReportEvent};
use crate::session::{IncidentId, Record};

/// The outcome of what was sent and not answered.
const UNANSWERED: &str = "no answer in the journal";

/// What a request could do.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// `dryRun=All`: the server checks and changes nothing.
    DryRun,
    /// It asks the server to change something.
    Changes,
    /// It tells somebody something.
    Tells,
}

impl Reach {
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::DryRun => ("good", "dryRun=All, changes nothing"),
            Self::Changes => ("bad", "CHANGES the cluster"),
            Self::Tells => ("faint", "changes nothing"),
        }
    }
}

/// A line of the ledger.
struct Sent {
    seq: u64,
    at: jiff::Timestamp,
    incident: Option<IncidentId>,
    reach: Reach,
    what: String,
    body: Option<String>,
    outcome: String,
}

/// Writes the ledger.
pub(super) fn ledger(page: &mut Page<'_>, records: &[Record]) -> fmt::Result {
    page.leaf(("h2", ""), "Requests")?;
    let sent = sent(records);
    let count = |reach| sent.iter().filter(|line| line.reach == reach).count();
    let (class, changes) = match count(Reach::Changes) {
        0 => ("good", "No request was sent that could change anything".to_owned()),
        some => {
            let was = either(some, "was", "were");
            ("bad", format!("{} {was} sent that could change something", counted(some, "request")))
        }
    };
    page.block(("p", ""), |page| {
        page.leaf(("span", class), changes)?;
        page.text(format!("; {} with dryRun=All. Reads are the queries beside the evidence.", count(Reach::DryRun)))
    })?;
    if sent.is_empty() {
        return Ok(());
    }
    page.table(&["Time", "Record", "Incident", "Request", "Reach", "Outcome"], |page| {
        sent.iter().try_for_each(|line| row(page, line))
    })
}

fn row(page: &mut Page<'_>, line: &Sent) -> fmt::Result {
    page.block(("tr", ""), |page| {
        page.leaf(("td", "time"), format!("{:.3}", line.at))?;
        page.leaf(("td", ""), line.seq)?;
        page.leaf(("td", ""), line.incident.map_or_else(String::new, |id| id.to_string()))?;
        page.block(("td", ""), |page| {
            page.leaf(("code", ""), &line.what)?;
            line.body.as_ref().map_or(Ok(()), |body| page.lines(("pre", ""), body))
        })?;
        let (class, words) = line.reach.words();
        page.leaf(("td", class), words)?;
        page.leaf(("td", ""), &line.outcome)
    })
}

/// Collects the lines, and what a step sends: it was fixed when the step was rehearsed.
#[derive(Default)]
struct Ledger {
    lines: Vec<Sent>,
    fixed: BTreeMap<(Option<IncidentId>, StepId), Request>,
}

fn sent(records: &[Record]) -> Vec<Sent> {
    let mut ledger = Ledger::default();
    for record in records {
        match &record.event {
            Event::Remediation(event) => ledger.remediation(record, event),
            Event::Narrative(event) => ledger.narrative(record, event),
            Event::Report(ReportEvent::Posted) => ledger.posted(record, "taken"),
            Event::Report(ReportEvent::PostFailed { fault } | ReportEvent::PostLeft { fault }) => {
                ledger.posted(record, &fault.to_string());
            }
            _ => {}
        }
    }
    ledger.lines
}

impl Ledger {
    fn remediation(&mut self, record: &Record, event: &RemediationEvent) {
        match event {
            // A rehearsal has its request from the moment it was put to the server.
            RemediationEvent::StepRehearsed { step, rehearsal, .. } => {
                let Some(request) = &rehearsal.request else { return };
                self.fixed.insert((record.incident, *step), request.clone());
                let what = format!("PATCH {}?dryRun=All", request.path);
                self.add(record, Reach::DryRun, (what, Some(request.shown())), rehearsal.outcome.word());
            }
            RemediationEvent::StepStarted { step, digest } => {
                let request = self.fixed.get(&(record.incident, *step));
                let path = request.map_or_else(|| format!("step {step}"), |request| format!("PATCH {}", request.path));
                let body = request.map(Request::shown);
                self.add(record, Reach::Changes, (format!("{path} {digest}"), body), UNANSWERED);
            }
            RemediationEvent::StepFinished { execution, .. } => self.answer(record, Reach::Changes, ended(execution)),
            _ => {}
        }
    }

    fn narrative(&mut self, record: &Record, event: &NarrativeEvent) {
        match event {
            NarrativeEvent::Asked { model, attempt, .. } => {
                let what = format!("ConverseStream {model}, attempt {attempt}");
                self.add(record, Reach::Tells, (what, None), UNANSWERED);
            }
            NarrativeEvent::Ended { usage, .. } => {
                self.answer(
                    record,
                    Reach::Tells,
                    format!("{} in, {} out", counted(usage.input, "token"), usage.output),
                );
            }
            NarrativeEvent::Broke { fault, .. } => self.answer(record, Reach::Tells, fault.to_string()),
            _ => {}
        }
    }

    fn posted(&mut self, record: &Record, outcome: &str) {
        self.add(record, Reach::Tells, ("POST to the Slack webhook".to_owned(), None), outcome);
    }

    fn add(&mut self, record: &Record, reach: Reach, (what, body): (String, Option<String>), outcome: &str) {
        let (seq, at, incident) = (record.seq, record.at, record.incident);
        self.lines.push(Sent { seq, at, incident, reach, what, body, outcome: outcome.to_owned() });
    }

    /// Gives the last unanswered request of the record's incident its outcome.
    fn answer(&mut self, record: &Record, reach: Reach, outcome: String) {
        let open =
            |line: &&mut Sent| line.reach == reach && line.incident == record.incident && line.outcome == UNANSWERED;
        if let Some(line) = self.lines.iter_mut().rev().find(open) {
            line.outcome = outcome;
        }
    }
}

fn ended(execution: &Execution) -> String {
    match execution {
        Execution::Applied { generation } => format!("applied, generation {generation}"),
        Execution::NotApplied { fault } => format!("not applied: {fault}"),
        Execution::Unknown { fault } => format!("UNCERTAIN: {fault}"),
    }
}
