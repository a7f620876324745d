//! The model's text: how far the stream is, and each sentence with the mark of its check. Untrusted, and shown so.

use std::ops::Range;

use ratatui::text::{Line, Span};

use super::super::in_force;
use super::super::look::Look;
use super::super::sheet::Sheet;
use super::super::stamp;
use crate::domain::count::either;
use crate::domain::remediation::gate::{NarrativeStanding, StandsOn};
use crate::session::Session;
use crate::session::feeds::{FeedHealth, FeedId};
use crate::session::incident::{Incident, Narrative};
use crate::ui::format;
use crate::ui::model::Ui;
use crate::ui::model::scroll::Flow;
use crate::ui::narrative::{Measure, Rows, Standing, TextRow};
use crate::ui::theme::Role;

/// Seconds without text after which a stream is said to have stalled.
const STALLED_S: i64 = 8;

/// Whether anything was said.
pub fn has_text(incident: &Incident) -> bool {
    !incident.narrative.text.is_empty() || !incident.narrative.claims.is_empty()
}

/// Whose text it is, and how far it is where the stamp does not say that.
pub(super) fn title(session: &Session, incident: Option<&Incident>, look: &Look) -> Vec<Span<'static>> {
    let Some(asked) = incident.filter(|incident| is_told_by_stamp(session, incident)) else {
        return standing(session, incident, look);
    };
    let mut spans = vec![look.span(Role::Model, super::model_name(session, asked))];
    spans.extend(by_rules(asked, look));
    spans
}

/// What pane 4 is stamped with: how far a stream is that is under way, which nothing may hide; else how the model's feed is.
/// That feed is one for all incidents, and is off until it has answered once.
pub(super) fn stamp(session: &Session, incident: Option<&Incident>, look: &Look) -> Line<'static> {
    match incident.filter(|incident| is_told_by_stamp(session, incident)) {
        Some(asked) => {
            let (role, text) = under_way(&asked.narrative, look);
            Line::from(look.span(role, text))
        }
        None => stamp::stamp(session, FeedId::Model, look),
    }
}

fn is_told_by_stamp(session: &Session, incident: &Incident) -> bool {
    let waits = matches!(session.feed(FeedId::Model).health, FeedHealth::Retrying { .. });
    incident.narrative.standing == NarrativeStanding::UnderWay && !waits
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
            let tokens = narrative.usage.output;
            let noun = either(tokens, "token", "tokens");
            (Role::Good, format!("complete, {} {noun}", format::grouped(tokens)))
        }
        NarrativeStanding::Broken => (Role::Danger, "INCOMPLETE".to_owned()),
    };
    spans.push(look.span(role, text));
    spans.extend(by_rules(incident, look));
    spans
}

fn by_rules(incident: &Incident, look: &Look) -> Option<Span<'static>> {
    (incident.stands_on == StandsOn::Rules).then(|| look.span(Role::Warning, "  STANDS ON THE RULES"))
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
        explain(&mut sheet, (session, incident));
        return;
    }
    let rows = rows(ui, incident, (sheet.width(), look));
    let first =
        ui.narrative
            .first(flow(incident), (rows.len() + ending(incident, &sheet).len(), sheet.left()), |place| rows.at(place));
    let chosen = ui.cite;
    let mut cite = rows.iter().take(first).map(cites_in).sum::<usize>();
    let marks = marks(&rows, ui);
    let last = rows.len().saturating_sub(1);
    for (at, row) in rows.iter().enumerate().skip(first).take(sheet.left()) {
        let from = marks.partition_point(|mark| mark.row < at);
        let found = &marks[from..marks.partition_point(|mark| mark.row <= at)];
        let mut line = line(row, (found, chosen.and_then(|chosen| chosen.checked_sub(cite))), look);
        if at == last && incident.narrative.standing == NarrativeStanding::UnderWay {
            line.push_span(look.span(Role::Model, look.sign("▌", "_")));
        }
        sheet.row(&line);
        cite += cites_in(row);
    }
    for row in ending(incident, &sheet) {
        sheet.text(Role::Danger, &row);
    }
}

/// What is said where there is no text yet.
pub(super) fn explain(sheet: &mut Sheet<'_>, (session, incident): (&Session, &Incident)) {
    if is_told_by_stamp(session, incident) {
        let (role, text) = under_way(&incident.narrative, sheet.look);
        sheet.wrapped(role, &format!("The model was asked: {text}. No word of it yet."), 2);
    } else {
        stamp::explain(sheet, session, FeedId::Model);
    }
}

fn cites_in(row: &TextRow) -> usize {
    row.parts.iter().filter(|part| part.cite.is_some()).count()
}

/// What a search found in a row.
struct Mark {
    row: usize,
    /// Bytes of the row's text.
    range: Range<usize>,
    /// The role it is shown in.
    role: Role,
}

/// Everything that pane 4's search found, row by row; the find that was gone to stands out.
fn marks(rows: &Rows<'_>, ui: &Ui) -> Vec<Mark> {
    let hits = in_force(ui.evidence.search.as_ref()).map_or_else(Vec::new, |search| rows.hits(search));
    let marks = hits.into_iter().enumerate().flat_map(|(at, hit)| {
        let role = if ui.hit == Some(at) { Role::Selected } else { Role::Match };
        hit.spans.into_iter().map(move |(row, range)| Mark { row, range, role })
    });
    marks.collect()
}

/// A row with its mark; `chosen` is which of its citations was gone to, what is searched for is marked.
fn line<'l>(row: &'l TextRow, (found, chosen): (&[Mark], Option<usize>), look: &Look) -> Line<'l> {
    let (role, mark) = match row.mark {
        Some(Standing::Supported) => (Role::Good, look.sign("✓", "+")),
        Some(Standing::Unchecked) => (Role::Faint, look.sign("–", "-")),
        Some(Standing::Unsupported) => (Role::Warning, "?"),
        Some(Standing::Contradicted) => (Role::Danger, look.sign("✗", "X")),
        None => (Role::Faint, " "),
    };
    let mut spans = vec![look.span(role, format!("{mark} "))];
    let (mut cite, mut offset) = (0, 0);
    for part in &row.parts {
        let is_chosen = part.cite.is_some() && chosen == Some(cite);
        cite += usize::from(part.cite.is_some());
        let role = if is_chosen { Role::Selected } else { part.role };
        let mut from = 0;
        let end = offset + part.text.len();
        for mark in found.iter().filter(|mark| mark.range.start < end && mark.range.end > offset) {
            let marked = mark.range.start.max(offset) - offset..mark.range.end.min(end) - offset;
            spans.push(look.span(role, &part.text[from..marked.start]));
            spans.push(look.span(mark.role, &part.text[marked.clone()]));
            from = marked.end;
        }
        spans.push(look.span(role, &part.text[from..]));
        offset = end;
    }
    Line::from(spans)
}

/// Whether the text still grows.
pub fn flow(incident: &Incident) -> Flow {
    if incident.narrative.standing == NarrativeStanding::UnderWay { Flow::Growing } else { Flow::Settled }
}

/// Rows of the whole text.
pub fn height(ui: &Ui, incident: &Incident, (columns, look): (usize, &Look)) -> usize {
    rows(ui, incident, (columns, look)).len() + end_words(incident, columns).len()
}

/// The rows at a width, the marks' columns included.
pub fn rows<'a>(ui: &'a Ui, incident: &Incident, (columns, look): (usize, &Look)) -> Rows<'a> {
    ui.settled.rows(incident, measure(columns, look))
}

/// What rows are laid out for.
pub fn measure(columns: usize, look: &Look) -> Measure {
    Measure { columns: columns.saturating_sub(2), glyphs: look.glyphs }
}

fn ending(incident: &Incident, sheet: &Sheet<'_>) -> Vec<String> {
    end_words(incident, sheet.width())
}

/// How the text ended, where it did not end well.
pub(super) fn end_words(incident: &Incident, columns: usize) -> Vec<String> {
    let narrative = &incident.narrative;
    if narrative.standing != NarrativeStanding::Broken {
        return Vec::new();
    }
    let why = narrative.fault.as_ref().map_or_else(|| "it was stopped".to_owned(), |fault| fault.summary.clone());
    let text = format!("INCOMPLETE, kept as it is: {why}  r ask again  R stand on the rules");
    format::wrap(&text, columns).into_iter().map(str::to_owned).collect()
}
