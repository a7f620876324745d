//! The model's text: how far the stream is, and each sentence with the mark of its check. Untrusted, and shown so.

use ratatui::text::{Line, Span};

use super::super::look::Look;
use super::super::sheet::Sheet;
use super::super::stamp;
use crate::domain::diagnosis::claim::{Claim, ClaimCheck};
use crate::domain::observation::sanitise;
use crate::domain::remediation::gate::{NarrativeStanding, StandsOn};
use crate::session::Session;
use crate::session::feeds::FeedId;
use crate::session::incident::{Incident, Narrative};
use crate::ui::format;
use crate::ui::model::Ui;
use crate::ui::model::scroll::Flow;
use crate::ui::theme::Role;

/// Seconds without text after which a stream is said to have stalled.
const STALLED_S: i64 = 8;

/// Whether anything was said.
pub fn has_text(incident: &Incident) -> bool {
    !incident.narrative.text.is_empty() || !incident.narrative.claims.is_empty()
}

/// How far the narrative is, for the title: `queued 1.9s`, `first token 2.3s`, `streaming`, `stalled 12s`, `INCOMPLETE`.
pub fn standing(session: &Session, incident: Option<&Incident>, look: &Look) -> Vec<Span<'static>> {
    let Some(incident) = incident else { return vec![look.span(Role::Faint, "no incident")] };
    let narrative = &incident.narrative;
    let mut spans = vec![look.span(Role::Model, format!("{}  ", super::model_name(session, incident)))];
    let (role, text) = match narrative.standing {
        NarrativeStanding::NotAsked if incident.verdict.is_none() => (Role::Faint, "reading evidence".to_owned()),
        NarrativeStanding::NotAsked => (Role::Faint, "not asked".to_owned()),
        NarrativeStanding::UnderWay => under_way(narrative, look),
        NarrativeStanding::Complete => {
            (Role::Good, format!("complete, {} tokens", format::grouped(narrative.usage.output)))
        }
        NarrativeStanding::Broken => (Role::Danger, "INCOMPLETE".to_owned()),
    };
    spans.push(look.span(role, text));
    if incident.stands_on == StandsOn::Rules {
        spans.push(look.span(Role::Warning, "  STANDS ON THE RULES"));
    }
    spans
}

fn under_way(narrative: &Narrative, look: &Look) -> (Role, String) {
    let tenths = |from, until| format::wait(from, until);
    let asked_at = narrative.asked_at.unwrap_or(look.now);
    let Some(first) = narrative.first_text_at else {
        let word = if narrative.opened_at.is_some() { "waiting for the first token" } else { "queued" };
        return (Role::Warning, format!("{word} {}", tenths(asked_at, look.now)));
    };
    let last = narrative.last_text_at.unwrap_or(first);
    let silent = format::seconds_since(look.now, last);
    if silent >= STALLED_S {
        return (Role::Warning, format!("stalled {}", format::span(silent)));
    }
    let first = tenths(asked_at, first);
    (Role::Good, format!("streaming {}  first token {first}", tenths(asked_at, look.now)))
}

/// Draws the text with its marks, from the row the person scrolled to.
pub fn text(mut sheet: Sheet<'_>, (ui, session, incident): (&Ui, &Session, &Incident)) {
    let look = sheet.look;
    if !has_text(incident) {
        if let Some(fault) = &incident.narrative.fault {
            sheet.wrapped(Role::Danger, &fault.to_string(), 2);
        }
        stamp::explain(&mut sheet, session, FeedId::Model);
        return;
    }
    let rows = rows(incident, sheet.width(), look);
    let flow = flow(incident);
    let first = ui.narrative.first(flow, (rows.len(), sheet.left()));
    for row in rows.iter().skip(first) {
        sheet.row(row);
    }
}

/// Whether the text still grows.
pub fn flow(incident: &Incident) -> Flow {
    if incident.narrative.standing == NarrativeStanding::UnderWay { Flow::Growing } else { Flow::Settled }
}

/// Rows of the whole text.
pub fn height(incident: &Incident, (columns, look): (usize, &Look)) -> usize {
    rows(incident, columns, look).len()
}

fn rows(incident: &Incident, columns: usize, look: &Look) -> Vec<Line<'static>> {
    let narrative = &incident.narrative;
    let mut rows = Vec::new();
    for claim in &narrative.claims {
        claim_rows(&mut rows, claim, (columns, look));
    }
    // The sentence under way: it changes, everything above is settled.
    let tail = narrative.text.get(narrative.claimed..).unwrap_or_default();
    let tail = sanitise::text(tail.trim_start()).into_owned();
    let cursor = if narrative.standing == NarrativeStanding::UnderWay { look.sign("▌", "_") } else { "" };
    if !tail.trim().is_empty() || !cursor.is_empty() {
        for part in format::wrap(&format!("{tail}{cursor}"), columns.saturating_sub(2)) {
            rows.push(Line::from(vec![Span::raw("  "), look.span(Role::Model, part.to_owned())]));
        }
    }
    rows.extend(ending(incident, (columns, look)));
    rows
}

fn claim_rows(rows: &mut Vec<Line<'static>>, claim: &Claim, (columns, look): (usize, &Look)) {
    let (role, mark, why) = match &claim.check {
        ClaimCheck::Supported => (Role::Good, look.sign("✓", "+"), None),
        ClaimCheck::Unsupported { why } => (Role::Warning, "?", Some(format!("UNSUPPORTED: {why}"))),
        ClaimCheck::Contradicted { why } => (Role::Danger, look.sign("✗", "X"), Some(format!("CONTRADICTED: {why}"))),
    };
    let text = sanitise::text(claim.text.trim()).into_owned();
    let uncited = claim.cites.iter().filter(|id| !text.contains(&id.to_string())).map(ToString::to_string);
    let cites = uncited.collect::<Vec<_>>().join(" ");
    let text = if cites.is_empty() { text } else { format!("{text} [{cites}]") };
    for (at, part) in format::wrap(&text, columns.saturating_sub(2)).into_iter().enumerate() {
        let lead = if at == 0 { mark } else { " " };
        rows.push(Line::from(vec![look.span(role, format!("{lead} ")), look.span(Role::Model, part.to_owned())]));
    }
    for part in why.iter().flat_map(|why| format::wrap(why, columns.saturating_sub(4))) {
        rows.push(Line::from(vec![Span::raw("    "), look.span(role, part.to_owned())]));
    }
}

/// How the text ended, where it did not end well.
fn ending(incident: &Incident, (columns, look): (usize, &Look)) -> Vec<Line<'static>> {
    let narrative = &incident.narrative;
    if narrative.standing != NarrativeStanding::Broken {
        return Vec::new();
    }
    let why = narrative.fault.as_ref().map_or_else(|| "it was stopped".to_owned(), |fault| fault.summary.clone());
    let text = format!("INCOMPLETE, kept as it is: {why}  r ask again  R stand on the rules");
    format::wrap(&text, columns).into_iter().map(|part| Line::from(look.span(Role::Danger, part.to_owned()))).collect()
}
