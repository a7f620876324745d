//! One thing as text: what is copied and saved in a pane, and its JSON when it is opened.

pub mod alarm;

use serde::Serialize;

use super::overlay::{Item, Telling};
use super::{Ui, log_view, rows, terms};
use crate::domain::diagnosis::evidence::{Answer, Evidence};
use crate::domain::remediation::step::Step;
use crate::session::Session;
use crate::session::logs::StoredLine;

/// The lines of a thing; `None` once it is gone.
pub fn lines(ui: &Ui, session: &Session, item: &Item, telling: Telling) -> Option<Vec<String>> {
    let incident = ui.incident(session);
    match item {
        Item::Alarm(name) => {
            session.alarms.get(name).map(|found| tell(telling, found, |found| alarm::lines(session, found)))
        }
        Item::Metric(role) => {
            let metrics = rows::metrics(ui, session);
            let (_, series) = metrics.into_iter().find(|(other, _)| other == role)?;
            Some(tell(Telling::Raw, series, |_| Vec::new()))
        }
        Item::Line(number) => {
            let stored = log_view::stored(ui, session, *number)?;
            Some(tell(telling, stored, line_lines))
        }
        Item::Evidence(id) => incident?.evidence(*id).map(|evidence| tell(telling, evidence, evidence_lines)),
        Item::Verdict => {
            let incident = incident?;
            let verdict = incident.verdict.as_ref()?;
            Some(tell(telling, verdict, |verdict| terms::lines(verdict, incident)))
        }
        Item::Step(id) => incident?.step(*id).map(|step| tell(telling, step, step_lines)),
        Item::Workload(target) => {
            let workload = session.cluster.workloads.get(&target.key())?;
            let pods: Vec<_> = session.cluster.pods.values().filter(|pod| pod.owner.as_ref() == Some(target)).collect();
            Some(tell(Telling::Raw, &(workload, pods), |_| Vec::new()))
        }
        Item::Entry(seq) => {
            let entry = session.timeline.entries().iter().find(|entry| entry.seq == *seq)?;
            Some(tell(telling, entry, |entry| vec![entry.at.to_string(), entry.text.clone()]))
        }
    }
}

/// A plain file name for a thing.
pub fn file_name(item: &Item, telling: Telling) -> String {
    let name = match item {
        Item::Alarm(name) => format!("alarm-{name}"),
        Item::Metric(role) => format!("metric-{}", role.word()),
        Item::Line(number) => format!("log-{number}"),
        Item::Evidence(id) => format!("evidence-{id}"),
        Item::Verdict => "verdict".to_owned(),
        Item::Step(id) => format!("step-{}", id.0),
        Item::Entry(seq) => format!("timeline-{seq}"),
        Item::Workload(target) => format!("{}-{}", target.kind.word(), target.name),
    };
    let plain = |letter: char| if letter.is_ascii_alphanumeric() || "-_.".contains(letter) { letter } else { '_' };
    let ending = match telling {
        Telling::Told => "txt",
        Telling::Raw => "json",
    };
    format!("{}.{ending}", name.chars().map(plain).take(80).collect::<String>())
}

fn tell<T: Serialize>(telling: Telling, thing: &T, told: impl Fn(&T) -> Vec<String>) -> Vec<String> {
    match telling {
        Telling::Told => told(thing),
        // Plain structs with string keys: serializing them cannot fail, and an empty text is honest if it ever did.
        Telling::Raw => serde_json::to_string_pretty(thing).unwrap_or_default().lines().map(str::to_owned).collect(),
    }
}

fn line_lines(stored: &StoredLine) -> Vec<String> {
    let line = &stored.line;
    vec![format!("{} {} {} {}", line.at, line.level.word(), line.group, line.stream), line.text.to_string()]
}

fn evidence_lines(evidence: &Evidence) -> Vec<String> {
    let head = format!("{} {} [{}]", evidence.id, evidence.question.text(), evidence.answer.completeness());
    let mut lines = vec![head, format!("query: {}", evidence.query), format!("answered: {}", evidence.answered_at)];
    match &evidence.answer {
        Answer::Denied { fault } | Answer::Failed { fault } => lines.push(fault.to_string()),
        Answer::NotAsked { why } => lines.push(why.clone()),
        Answer::Absent => lines.push("Asked, answered, and there is nothing.".to_owned()),
        Answer::Observed { payload } | Answer::Truncated { payload, .. } => {
            lines.extend(serde_json::to_string_pretty(payload).unwrap_or_default().lines().map(str::to_owned));
        }
    }
    lines
}

fn step_lines(step: &Step) -> Vec<String> {
    let digest = step.digest.as_ref().map(|digest| format!("digest {}", digest.as_str()));
    let body = step.rehearsal.as_ref().and_then(|rehearsal| rehearsal.request.as_ref());
    let request = body.map(|request| format!("PATCH {} {}", request.path, request.shown()));
    let head = format!("{} {} {}", step.id, step.text(), step.state.word());
    let equivalent = step.action.equivalent(&step.target);
    [Some(head), Some(equivalent), digest, request].into_iter().flatten().collect()
}
