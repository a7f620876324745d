//! The gate line: what the lock looks at, with its bounds, and whether it is open; if not, why, and the key that helps.

use ratatui::text::Line;

use super::super::look::Look;
use crate::domain::diagnosis::claim::{Diagnosis, DiagnosisCheck};
use crate::domain::remediation::gate::{GateReport, StandsOn};
use crate::session::event::Occasion;
use crate::session::incident::{Incident, Phase};
use crate::ui::format;
use crate::ui::theme::Role;

/// `confidence 0.86 (gate 0.75)  evidence 5/5  claims 9/9  fresh 38s   GATE OPEN -> step 1`, or
/// `LOCKED: memory series truncated; ask again with r`, wrapped to `columns`.
pub fn gate_line(incident: &Incident, (columns, look): (usize, &Look)) -> Vec<Line<'static>> {
    if incident.phase == Phase::Closed {
        // What the gate said before is no news of a closed incident.
        let since = incident.closed_at.map_or_else(String::new, |at| format!(" {}", look.clock(at)));
        let text = format!("incident closed{since}: nothing is asked here any more.  r reads and asks again");
        return wrapped(Role::Faint, &text, (columns, look));
    }
    if incident.is_settled() {
        let text = "every step is decided, and an alarm fires: the incident stays open.  r reads and asks again";
        return wrapped(Role::Faint, text, (columns, look));
    }
    let Some(gate) = &incident.gate else {
        let text = match reading_again(incident) {
            Some(reading) => format!("gate: LOCKED. {reading}"),
            None => "gate: LOCKED, not judged yet".to_owned(),
        };
        return wrapped(Role::Faint, &text, (columns, look));
    };
    let mut lines = judged(incident, gate, (columns, look));
    lines.extend(said(incident, (columns, look)));
    lines
}

/// What the accepted diagnosis says in short, and what it says it does not know, in two rows each: no other sentence may be
/// there that says so.
fn said(incident: &Incident, (columns, look): (usize, &Look)) -> Vec<Line<'static>> {
    let accepted = incident.diagnosis.as_ref().filter(|diagnosis| diagnosis.check == DiagnosisCheck::Accepted);
    let Some(Diagnosis { proposal, .. }) = accepted else { return Vec::new() };
    let row = |word: &str, role: Role, text: &str| {
        let text = format!("{word}: {}", text.split_whitespace().collect::<Vec<_>>().join(" "));
        let (first, rest) = text.split_at(format::wrap(&text, columns).first().map_or(0, |first| first.len()));
        let rest = format::clip(rest.trim_start(), columns, look.glyphs);
        let rows = [first, &*rest].into_iter().filter(|row| !row.is_empty());
        rows.map(|row| Line::from(look.span(role, row.to_owned()))).collect::<Vec<_>>()
    };
    let summary = Some(proposal.summary.trim()).filter(|text| !text.is_empty());
    let unknowns = Some(proposal.unknowns.join("; ")).filter(|text| !text.is_empty());
    let summary = summary.map(|text| row("model", Role::Model, text));
    let unknowns = unknowns.map(|text| row("not known to it", Role::Warning, &text));
    summary.into_iter().chain(unknowns).flatten().collect()
}

fn judged(incident: &Incident, gate: &GateReport, (columns, look): (usize, &Look)) -> Vec<Line<'static>> {
    let figures = figures(incident, gate, look);
    if gate.is_open() {
        let step = incident.asked_step().map_or_else(String::new, |step| format!(" -> step {}", step.id.0));
        let open = format!("GATE OPEN{step}");
        if format::width(&figures) + open.len() + 3 <= columns {
            return vec![look.line([(Role::Text, figures.into()), (Role::Good, format!("   {open}").into())])];
        }
        let mut lines = vec![Line::from(look.span(Role::Good, open))];
        lines.extend(packed(&figures, (columns, look)));
        return lines;
    }
    // Where there is not room for all of it the figures give way: why it is locked is what is asked.
    let mut lines: Vec<Line<'static>> = Vec::new();
    for refusal in gate.refusals.iter().take(3) {
        let text = format!("{}; {}", refusal.told().trim_end_matches('.'), refusal.unlock);
        lines.extend(wrapped(Role::Warning, &text, (columns, look)));
    }
    if gate.refusals.len() > 3 {
        let more = format!("LOCKED: and {} more reasons (l)", gate.refusals.len() - 3);
        lines.push(Line::from(look.span(Role::Warning, more)));
    }
    lines.extend(packed(&figures, (columns, look)));
    lines
}

/// Why the evidence is being read again without a key pressed, and how far that is.
pub fn reading_again(incident: &Incident) -> Option<String> {
    let because = match incident.occasion {
        Occasion::Incident => return None,
        Occasion::Failed { step } => format!("{step} failed"),
        Occasion::Undo { step } => format!("{step} is decided on what is so now"),
    };
    let (open, of) = (incident.awaited.len(), incident.awaited.len() + incident.round().len());
    match (incident.gate.is_some(), open) {
        (true, _) => None,
        (false, 0) => Some(format!("{because}: the evidence has been read again and is being judged.")),
        (false, _) => Some(format!("{because}: reading the evidence again, {} of {of} answered.", of - open)),
    }
}

fn wrapped(role: Role, text: &str, (columns, look): (usize, &Look)) -> Vec<Line<'static>> {
    format::wrap(text, columns).into_iter().map(|part| Line::from(look.span(role, part.to_owned()))).collect()
}

/// Figures in as few rows as hold them: a word and its figure stay together.
fn packed(figures: &str, (columns, look): (usize, &Look)) -> Vec<Line<'static>> {
    let mut rows: Vec<String> = Vec::new();
    for part in figures.split("  ") {
        match rows.last_mut().filter(|row| format::width(row) + 2 + format::width(part) <= columns) {
            Some(row) => {
                row.push_str("  ");
                row.push_str(part);
            }
            None => rows.push(part.to_owned()),
        }
    }
    rows.iter().flat_map(|row| wrapped(Role::Text, row, (columns, look))).collect()
}

/// Whose confidence keeps it locked is said wherever the rules have one of their own.
fn confidence(incident: &Incident, gate: &GateReport) -> String {
    match (gate.stands_on, incident.verdict.as_ref()) {
        (StandsOn::Diagnosis, Some(verdict)) if !gate.is_open() && verdict.confidence() != gate.confidence => {
            format!("confidence model {} / rules {} (gate {})", gate.confidence, verdict.confidence(), gate.needed)
        }
        (StandsOn::Diagnosis | StandsOn::Rules, _) => {
            format!("confidence {} (gate {})", gate.confidence, gate.needed)
        }
    }
}

fn figures(incident: &Incident, gate: &GateReport, look: &Look) -> String {
    let claims = match gate.stands_on {
        StandsOn::Diagnosis => format!("claims {}/{}", gate.claims.n, gate.claims.of),
        StandsOn::Rules => "rules alone".to_owned(),
    };
    let fresh = gate.oldest.map_or_else(|| "no evidence".to_owned(), |at| format!("fresh {}", look.age(at)));
    format!("{}  evidence {}/{}  {claims}  {fresh}", confidence(incident, gate), gate.evidence.n, gate.evidence.of)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::domain::diagnosis::claim::Proposal;
    use crate::domain::diagnosis::verdict::{Cause, Confidence};
    use crate::domain::observation::alarm::Severity;
    use crate::domain::observation::service::Service;
    use crate::session::IncidentId;
    use crate::ui::model::Ui;

    /// A model that writes no sentence may warn in its answer alone.
    #[test]
    fn what_the_accepted_diagnosis_says_is_there_to_read() {
        let mut incident = Incident::new(IncidentId(1), Service::bare("my-api"), Severity::P2, Timestamp::UNIX_EPOCH);
        let proposal = Proposal {
            cause: Cause::MemoryLeak,
            confidence: Confidence::new(0.9),
            summary: "Do not restart my-api:\na migration is running, and a restart would leave it half done."
                .to_owned(),
            evidence: Vec::new(),
            workload: None,
            remedies: Vec::new(),
            unknowns: vec!["Whether a restart is safe.".to_owned(), "Who migrates.".to_owned()],
        };
        let look = Look::of(&Ui::default(), Timestamp::UNIX_EPOCH);
        let told = |incident: &Incident, columns| {
            said(incident, (columns, &look)).iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        let rejected = DiagnosisCheck::Rejected { reasons: vec!["It names nothing.".to_owned()] };
        let (check, confidence) = (rejected, Confidence::default());
        incident.diagnosis = Some(Diagnosis { proposal: proposal.clone(), check, confidence });
        assert!(told(&incident, 100).is_empty());
        incident.diagnosis = Some(Diagnosis { proposal, check: DiagnosisCheck::Accepted, confidence });
        let whole = "model: Do not restart my-api: a migration is running, and a restart would leave it half done.";
        assert_eq!(told(&incident, 100), [whole, "not known to it: Whether a restart is safe.; Who migrates."]);
        let rows = told(&incident, 30);
        assert_eq!(rows.len(), 4, "{rows:?}");
        assert!(rows[1].ends_with('…') && rows.iter().all(|row| format::width(row) <= 30), "{rows:?}");
    }
}
