//! The transcript: the whole session in Markdown for people, and in JSON for programs. A function of a journal's records
//! and their fold; a rehearsal is labelled as one in its first line.

mod sections;

use std::fmt::{self, Write};

use serde_json::{Value, json};

pub(super) use sections::decides;

use super::{Journaled, clean, incident, left_out, rehearsal_label};
use crate::session::header::Origin;
use crate::session::incident::Incident;
use crate::session::{Record, Session};

/// The name and version of the JSON form.
pub const SCHEMA: &str = "pagerdeck/transcript/1";

/// Writes the transcript as Markdown.
pub fn markdown(out: &mut dyn Write, journal: &Journaled<'_>) -> fmt::Result {
    let Journaled { session, records, .. } = *journal;
    header(out, journal)?;
    alarms(out, session)?;
    for incident in session.incidents.values() {
        one_incident(out, session, incident, records)?;
    }
    timeline(out, session)
}

/// The transcript as JSON: the header, one `pagerdeck/incident/1` object an incident, and every record.
pub fn json(journal: &Journaled<'_>) -> Value {
    let Journaled { session, records, anchor, flaw } = *journal;
    let around = incident::Surroundings::default();
    let incidents: Vec<Value> = session
        .incidents
        .keys()
        .map(|id| {
            let mut object = incident::object(session, Some(*id), &around);
            if let Value::Object(fields) = &mut object {
                // A journal does not hold the ledger nor wall-clock milestones: absent is not zero.
                for key in ["requests", "timings_ms", "journal", "anchor"] {
                    fields.remove(key);
                }
            }
            object
        })
        .collect();
    let mut value = json!({
        "schema": SCHEMA,
        "simulated": matches!(session.header.origin, Origin::Rehearsal { .. }),
        "header": session.header,
        "anchor": anchor,
        "flaw": flaw,
        "incidents": incidents,
        "records": records,
    });
    clean::json(&mut value);
    value
}

fn header(out: &mut dyn Write, journal: &Journaled<'_>) -> fmt::Result {
    let Journaled { session, records, anchor, flaw } = *journal;
    let header = &session.header;
    if let Some(label) = rehearsal_label(header) {
        writeln!(out, "> **{}.** Nothing below happened in a real account or cluster.\n", clean::markdown(&label))?;
    }
    if let Some(flaw) = flaw {
        writeln!(out, "> **NOT WHOLE.** {} What follows is what comes before.\n", clean::markdown(flaw))?;
    }
    writeln!(out, "# Incident transcript {}\n", clean::markdown(header.id.as_str()))?;
    writeln!(out, "| | |\n|---|---|")?;
    let identity = header.scope.identity.as_deref().unwrap_or("not known");
    let ended = session.ended.as_deref().unwrap_or("not in order, or still running");
    let rows = [
        ("Mode", header.mode.word().trim_matches(['*', ' ']).to_owned()),
        ("Environment", header.environment.clone()),
        ("Scope", header.scope.to_string()),
        ("Identity", identity.to_owned()),
        ("Model", header.model.clone().unwrap_or_else(|| "none".to_owned())),
        ("Version", header.version.clone()),
        ("Started", format!("{:.0}", header.wall_started_at)),
        ("Ended", ended.to_owned()),
        ("Records", records.len().to_string()),
        ("Anchor", anchor.to_owned()),
    ];
    for (name, value) in rows {
        writeln!(out, "| {name} | {} |", clean::markdown(&value))?;
    }
    writeln!(out)
}

fn alarms(out: &mut dyn Write, session: &Session) -> fmt::Result {
    let firing = session.firing();
    writeln!(out, "## Alarms\n\n{} firing of {}.\n", firing.len(), session.alarms.len())?;
    for alarm in firing {
        let value = alarm.value.map_or_else(|| "value not told".to_owned(), |value| value.to_string());
        let threshold = alarm.threshold().map_or_else(String::new, |bound| format!(", threshold {bound}"));
        let name = clean::markdown(alarm.name.as_str());
        writeln!(out, "- **{} {name}** since {:.0}: {value}{threshold}", alarm.severity.word(), alarm.since)?;
    }
    writeln!(out)
}

fn one_incident(out: &mut dyn Write, session: &Session, incident: &Incident, records: &[Record]) -> fmt::Result {
    let (id, service) = (incident.id, clean::markdown(incident.service.name.as_str()));
    writeln!(out, "## Incident {id}: {} {service}\n", incident.severity.word())?;
    let since = incident.closed_at.map_or_else(String::new, |at| format!(" since {at:.0}"));
    writeln!(out, "Opened {:.0}; it stands at *{}*{since}.\n", incident.opened_at, incident.phase.word())?;
    sections::evidence(out, incident)?;
    sections::verdict(out, incident)?;
    sections::narrative(out, session, incident)?;
    sections::gate(out, incident)?;
    sections::plan(out, session, incident)?;
    sections::decisions(out, incident.id, records)?;
    sections::report(out, incident)
}

fn timeline(out: &mut dyn Write, session: &Session) -> fmt::Result {
    writeln!(out, "## Timeline\n")?;
    if let Some(text) = left_out(session) {
        writeln!(out, "{text}\n")?;
    }
    for entry in session.timeline.entries() {
        let incident = entry.incident.map_or_else(String::new, |id| format!("{id} "));
        writeln!(out, "- `{:.3}` {incident}{}", entry.at, clean::markdown(&entry.text))?;
    }
    Ok(())
}
