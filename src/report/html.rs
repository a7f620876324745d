//! The transcript as a page of its own: one file without scripts, pictures or anything fetched from outside, for a
//! browser, a mail or a wiki. A function of a journal's records and their fold; a rehearsal is labelled at the top.

mod chart;
mod incident;
mod ledger;
mod markup;
mod steps;

use std::fmt::{self, Write};

use self::markup::Page;
use super::{Journaled, left_out, rehearsal_label};
use crate::session::Session;

/// Nothing may run and nothing be loaded, whatever was written into the page.
const HEAD: &str = "<meta charset=\"utf-8\"/>\n\
    <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\"/>\n\
    <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n\
    <meta name=\"referrer\" content=\"no-referrer\"/>\n";

/// Writes the page.
pub fn page(out: &mut dyn Write, journal: &Journaled<'_>) -> fmt::Result {
    let session = journal.session;
    let mut page = Page::new(out);
    page.raw("<!DOCTYPE html>\n<html lang=\"en\">\n")?;
    page.block(("head", ""), |page| {
        page.raw(HEAD)?;
        let simulated = rehearsal_label(&session.header).map_or("", |_| "SIMULATED: ");
        page.leaf(("title", ""), format!("{simulated}incident transcript {}", session.header.id))?;
        page.raw(concat!("<style>\n", include_str!("../../assets/report/page.css"), "</style>\n"))
    })?;
    page.block(("body", ""), |page| body(page, journal))?;
    page.raw("</html>\n")
}

fn body(page: &mut Page<'_>, journal: &Journaled<'_>) -> fmt::Result {
    let Journaled { session, records, flaw, .. } = *journal;
    if let Some(label) = rehearsal_label(&session.header) {
        let text = format!("SIMULATED. {label}. Nothing below happened in a real account or cluster.");
        page.leaf(("p", "simulated"), text)?;
    }
    if let Some(flaw) = flaw {
        page.leaf(("p", "warn"), format!("NOT WHOLE. {flaw} What follows is what comes before."))?;
    }
    page.leaf(("h1", ""), format!("Incident transcript {}", session.header.id))?;
    header(page, journal)?;
    alarms(page, session)?;
    for incident in session.incidents.values() {
        incident::section(page, session, (incident, records))?;
    }
    ledger::ledger(page, records)?;
    timeline(page, session)
}

fn header(page: &mut Page<'_>, journal: &Journaled<'_>) -> fmt::Result {
    let Journaled { session, records, anchor, .. } = *journal;
    let header = &session.header;
    page.block(("table", ""), |page| {
        page.block(("tbody", ""), |page| {
            page.pair("Mode", header.mode.word().trim_matches(['*', ' ']))?;
            page.pair("Environment", &header.environment)?;
            page.pair("Scope", &header.scope)?;
            page.pair("Identity", header.scope.identity.as_deref().unwrap_or("not known"))?;
            page.pair("Model", header.model.as_deref().unwrap_or("none"))?;
            page.pair("Version", &header.version)?;
            page.pair("Started", format!("{:.0}", header.wall_started_at))?;
            page.pair("Ended", session.ended.as_deref().unwrap_or("not in order, or still running"))?;
            page.pair("Records", records.len())?;
            page.pair("Anchor", anchor)
        })
    })
}

fn alarms(page: &mut Page<'_>, session: &Session) -> fmt::Result {
    let firing = session.firing();
    page.leaf(("h2", ""), "Alarms")?;
    page.leaf(("p", ""), format!("{} firing of {} at the end of the journal.", firing.len(), session.alarms.len()))?;
    if firing.is_empty() {
        return Ok(());
    }
    page.table(&["Severity", "Alarm", "Value", "Threshold", "Since"], |page| {
        firing.iter().try_for_each(|alarm| {
            page.block(("tr", ""), |page| {
                page.leaf(("td", "bad"), alarm.severity.word())?;
                page.leaf(("td", ""), &alarm.name)?;
                page.leaf(("td", ""), alarm.value.map_or_else(|| "not told".to_owned(), |value| value.to_string()))?;
                page.leaf(("td", ""), alarm.threshold().map_or_else(String::new, |bound| bound.to_string()))?;
                page.leaf(("td", "time"), format!("{:.0}", alarm.since))
            })
        })
    })
}

fn timeline(page: &mut Page<'_>, session: &Session) -> fmt::Result {
    page.leaf(("h2", ""), "Timeline")?;
    if let Some(text) = left_out(session) {
        page.leaf(("p", "warn"), text)?;
    }
    page.table(&["Time", "Record", "Incident", "What"], |page| {
        session.timeline.entries().iter().try_for_each(|entry| {
            page.block(("tr", ""), |page| {
                page.leaf(("td", "time"), format!("{:.3}", entry.at))?;
                page.leaf(("td", ""), entry.seq)?;
                page.leaf(("td", ""), entry.incident.map_or_else(String::new, |id| id.to_string()))?;
                page.leaf(("td", ""), &entry.text)
            })
        })
    })
}
