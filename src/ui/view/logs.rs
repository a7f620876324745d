//! Pane 3: the log lines on screen, and only those; gaps as lines that say what was not read.
//!
//! ```text
//! ┌ [3] LOGS /ecs/my-api  FOLLOW  312/s  0 lost  OOMKilled 14 exact ─ POLL 2s ┐
//! │ 09:30:52.001 OOM   my-api-7d9f-0412 OOMKilled exit=137               [E2] │
//! │ ~~~ 09:30:54-09:30:56 not read: throttled (120 events) ~~~                │
//! ```

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::look::Look;
use super::sheet::{Held, Sheet, frame};
use super::{kills, stamp};
use crate::domain::diagnosis::evidence::{EvidenceId, Payload};
use crate::domain::observation::log::{LogLevel, LogLine};
use crate::domain::observation::oom_kill::KillSign;
use crate::session::Session;
use crate::session::feeds::FeedId;
use crate::session::incident::Incident;
use crate::session::logs::{LogGap, StoredLine};
use crate::ui::format::{self, grouped};
use crate::ui::model::rows::LogRows;
use crate::ui::model::scroll::Freeze;
use crate::ui::model::{Pane, Ui, rows};
use crate::ui::search::Search;
use crate::ui::theme::Role;

/// Seconds the rate is counted over.
const RATE_S: i64 = 10;

/// Draws the pane.
pub fn draw(buffer: &mut Buffer, area: Rect, (ui, session): (&Ui, &Session), (look, held): (&Look, Held)) {
    let height = usize::from(area.height.saturating_sub(2));
    let shown = rows::logs(ui, session, height);
    let title = title((ui, session), &shown, (look, held));
    let stamp = stamp::stamp(session, FeedId::Logs, look);
    let inner = frame(buffer, area, (&title, &stamp), (look, held));
    let mut sheet = Sheet::new(buffer, inner, look);
    if shown.lines.is_empty() {
        empty(&mut sheet, (ui, session));
        return;
    }
    let cited = cited(ui.incident(session));
    for row in arrange(&shown, &session.logs.gaps, (height, ui.logs.follows())) {
        match row {
            Row::Gap(gap) => sheet.text(Role::Warning, &gap_words(gap, look)),
            Row::Line(at) => {
                let stored = shown.lines[at];
                let cite = cited.iter().find(|(_, id)| *id == stored.line.id.as_str()).map(|(evidence, _)| *evidence);
                let (left, right) = line(&stored.line, cite, (ui.logs.search.as_ref(), sheet.width(), look));
                sheet.ends(&left, &right);
                if held == Held::Keys && shown.cursor == Some(at) {
                    sheet.select_last();
                }
            }
        }
    }
    if stamp::is_stale(session, FeedId::Logs, look) {
        sheet.grey();
    }
}

fn title((ui, session): (&Ui, &Session), shown: &LogRows<'_>, (look, held): (&Look, Held)) -> Line<'static> {
    let incident = ui.incident(session);
    let group = incident.and_then(|incident| incident.service.log_groups.first());
    let group = group.map_or_else(String::new, |group| format!("{group}  "));
    let mut title = super::title(Pane::Logs, (look, held));
    title.push_span(look.span(Role::Text, group));
    let (role, mode) = match ui.logs.freeze {
        Freeze::At { .. } => (Role::Warning, format!("PAUSED +{}", grouped(shown.withheld))),
        Freeze::Running if ui.logs.follows() => (Role::Good, "FOLLOW".to_owned()),
        Freeze::Running => (Role::Accent, "HELD (f follows)".to_owned()),
    };
    title.push_span(look.span(role, mode));
    title.push_span(Span::raw("  "));
    title.push_span(kills::words(session, incident, look));
    let rates = session.log_groups(incident).into_iter().filter_map(|group| session.logs.group(group));
    let rate = rates.map(|group| group.rate(look.now, RATE_S)).sum::<u64>() as f64 / RATE_S as f64;
    title.push_span(look.span(Role::Faint, format!("  {}/s  ", format::figure(rate))));
    title.push_span(lost(&session.logs.gaps, look));
    super::push_search(&mut title, ui.logs.search.as_ref(), look);
    title
}

/// `0 lost`, `120 lost`, `>=120 lost` where a gap's size is not known.
fn lost(gaps: &[LogGap], look: &Look) -> Span<'static> {
    let known: u64 = gaps.iter().filter_map(|gap| gap.missed).sum();
    let unknown = gaps.iter().any(|gap| gap.missed.is_none());
    match (known, unknown) {
        (0, false) => look.span(Role::Faint, "0 lost"),
        (n, false) => look.span(Role::Warning, format!("{} lost", grouped(n))),
        (n, true) => look.span(Role::Warning, format!("{}{} lost", look.sign("≥", ">="), grouped(n))),
    }
}

fn empty(sheet: &mut Sheet<'_>, (ui, session): (&Ui, &Session)) {
    if !session.logs.lines().is_empty() {
        sheet.text(Role::Faint, "No line matches the filter.  Esc clears it");
        return;
    }
    stamp::explain(sheet, session, FeedId::Logs);
    if sheet.left() == usize::from(sheet.area.height) {
        let counted = session.logs.total.lines;
        let text = match (counted, ui.incident(session)) {
            (0, None) => "No log lines: reading begins with the first incident.".to_owned(),
            (0, Some(_)) => "No log lines in the window so far.".to_owned(),
            (n, _) => format!("{} lines were counted; a journal keeps their counts, not their text.", grouped(n)),
        };
        sheet.text(Role::Faint, &text);
    }
}

enum Row<'a> {
    Line(usize),
    Gap(&'a LogGap),
}

/// Puts gaps between the lines they lie between, and drops rows at the far end from what must be seen.
fn arrange<'a>(shown: &LogRows<'_>, gaps: &'a [LogGap], (height, follows): (usize, bool)) -> Vec<Row<'a>> {
    let mut arranged: Vec<Row<'a>> = Vec::with_capacity(height);
    let mut before: Option<&StoredLine> = None;
    for (at, stored) in shown.lines.iter().enumerate() {
        if let Some(earlier) = before {
            let between = |gap: &&LogGap| earlier.line.at < gap.window.to && gap.window.to <= stored.line.at;
            arranged.extend(gaps.iter().filter(between).map(Row::Gap));
        }
        arranged.push(Row::Line(at));
        before = Some(stored);
    }
    let over = arranged.len().saturating_sub(height);
    let cursor_row = arranged.iter().position(|row| matches!(row, Row::Line(at) if Some(*at) == shown.cursor));
    if follows || cursor_row.is_some_and(|row| row >= height) {
        arranged.drain(..over);
    } else {
        arranged.truncate(height);
    }
    arranged
}

fn gap_words(gap: &LogGap, look: &Look) -> String {
    let count = gap.missed.map_or_else(|| "an unknown number of".to_owned(), grouped);
    let (from, to) = (look.clock(gap.window.from), look.clock(gap.window.to));
    format!("~~~ {from} to {to}: {count} events not read: {} ~~~", gap.why)
}

fn line<'a>(
    line: &'a LogLine,
    cite: Option<EvidenceId>,
    (search, columns, look): (Option<&Search>, usize, &Look),
) -> (Line<'a>, Line<'a>) {
    let (role, word) = match (line.kill, line.level) {
        (Some(KillSign::OomKill), _) => (Role::Kill, "OOM"),
        (_, LogLevel::Error) => (Role::Danger, line.level.word()),
        (_, LogLevel::Warn) => (Role::Warning, line.level.word()),
        (_, LogLevel::Info | LogLevel::Debug) => (Role::Faint, line.level.word()),
    };
    let mut spans = vec![look.span(Role::Faint, look.stamp(line.at)), look.span(role, format!(" {word:<5} "))];
    if columns >= 90 {
        let stream = tail(&line.stream, 20);
        spans.push(look.span(Role::Faint, format!("{stream:<20} ")));
    }
    let text_role = if role == Role::Faint { Role::Text } else { role };
    marked(&mut spans, without_level(&line.text, line.level.word()), (search, text_role, look));
    let right = cite.map_or_else(Line::default, |id| Line::from(look.span(Role::Accent, format!("[{id}]"))));
    (Line::from(spans), right)
}

/// The text without the level it begins with: the level has a column of its own.
fn without_level<'a>(text: &'a str, word: &str) -> &'a str {
    match text.strip_prefix(word) {
        Some(rest) if rest.starts_with(char::is_whitespace) => rest.trim_start(),
        Some(_) | None => text,
    }
}

/// The end of a stream's name tells pods apart, its start does not.
fn tail(stream: &str, columns: usize) -> &str {
    let excess = stream.chars().count().saturating_sub(columns);
    stream.char_indices().nth(excess).map_or(stream, |(at, _)| &stream[at..])
}

fn marked<'a>(spans: &mut Vec<Span<'a>>, text: &'a str, (search, role, look): (Option<&Search>, Role, &Look)) {
    let mut from = 0;
    for range in search.map(|search| search.ranges(text)).unwrap_or_default() {
        spans.push(look.span(role, &text[from..range.start]));
        spans.push(look.span(Role::Match, &text[range.start..range.end]));
        from = range.end;
    }
    spans.push(look.span(role, &text[from..]));
}

/// The ids of lines that evidence of the last round holds as excerpts.
fn cited(incident: Option<&Incident>) -> Vec<(EvidenceId, &str)> {
    let round = incident.map(Incident::round).unwrap_or_default();
    let mut found = Vec::new();
    for evidence in round {
        if let Some(Payload::Collector { excerpts, .. } | Payload::LogPatterns { excerpts, .. }) =
            evidence.answer.payload()
        {
            found.extend(excerpts.iter().map(|line| (evidence.id, line.id.as_str())));
        }
    }
    found
}
