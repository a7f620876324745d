//! Pane 3: the log lines of the incident on screen, and only those in view; what was not read as lines of its own.
//!
//! ```text
//! ┌ [3] LOGS /ecs/my-api  FOLLOW  312/s  0 lost  OOMKilled 14 exact ─ POLL 2s ┐
//! │ 09:30:52.001 OOM   my-api-7d9f-0412 OOMKilled exit=137               [E2] │
//! │ ~~~ 09:30:54-09:30:56 not read: throttled (120 events) ~~~                │
//! ```

mod row;
mod title;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use self::row::{Row, Sources, arrange};
use super::look::Look;
use super::sheet::{Held, Sheet, frame};
use super::stamp;
use crate::domain::diagnosis::evidence::{EvidenceId, Payload};
use crate::session::Session;
use crate::session::feeds::FeedId;
use crate::session::incident::Incident;
use crate::session::logs::{GroupBoard, LogGap};
use crate::ui::format::grouped;
use crate::ui::model::Ui;
use crate::ui::model::rows::{self, LogRows};
use crate::ui::theme::Role;

/// Draws the pane.
pub fn draw(buffer: &mut Buffer, area: Rect, (ui, session): (&Ui, &Session), (look, held): (&Look, Held)) {
    let height = usize::from(area.height.saturating_sub(2));
    let shown = rows::logs(ui, session, height);
    let sources = Sources(rows::log_groups(ui, session));
    let gaps: Vec<&LogGap> = session.logs.gaps.iter().filter(|gap| sources.0.contains(&&gap.group)).collect();
    let feed = session.log_feed(ui.incident(session));
    let title = title::title((ui, session), (&shown, &sources, &gaps), (area.width, look, held));
    let stamp = stamp::stamp_feed(&feed, FeedId::Logs, look);
    let inner = frame(buffer, area, (&title, &stamp), (look, held));
    let mut sheet = Sheet::new(buffer, inner, look);
    if shown.lines.is_empty() {
        empty(&mut sheet, (ui, session), &sources);
        return;
    }
    let cited = cited(ui.incident(session));
    let mut above = None;
    let older = older(session, &shown, &sources);
    for row in arrange(&shown, (&gaps, older), (height, ui.logs.follows())) {
        match row {
            Row::Older(count) => sheet.text(Role::Faint, &row::older_words(count)),
            Row::Gap(gap) => sheet.text(Role::Warning, &row::gap_words(gap, look)),
            Row::Line(at) => {
                let line = shown.lines[at].line.as_ref();
                let cite = cited.iter().find(|(_, id)| *id == line.id.as_str()).map(|(evidence, _)| *evidence);
                let source = sources.told_beside(line, above);
                let (left, right) = row::line(line, (source, cite), (ui.logs.search.as_ref(), sheet.width(), look));
                above = Some(line);
                sheet.ends(&left, &right);
                if held == Held::Keys && shown.cursor == Some(at) {
                    sheet.select_last();
                }
            }
        }
    }
    if stamp::is_stale_feed(&feed, FeedId::Logs, look) {
        sheet.grey();
    }
}

fn empty(sheet: &mut Sheet<'_>, (ui, session): (&Ui, &Session), sources: &Sources<'_>) {
    let boards = || sources.0.iter().filter_map(|group| session.logs.group(group));
    if ui.logs.search.is_some() && boards().any(|board| board.received() > board.evicted()) {
        sheet.text(Role::Faint, "No line matches the filter.  Esc clears it");
        return;
    }
    if ui.incident(session).is_some() && sources.0.is_empty() {
        let text = "No log group is known for this service: name one by --log-group or `log_groups` of [[service]].";
        sheet.wrapped(Role::Faint, text, 2);
        return;
    }
    stamp::explain_feed(sheet, &session.log_feed(ui.incident(session)), FeedId::Logs);
    if sheet.left() == usize::from(sheet.area.height) {
        let counted = boards().map(|board| board.total.lines).sum();
        let text = match (counted, ui.incident(session)) {
            (0, None) => "No log lines: reading begins with the first incident.".to_owned(),
            (0, Some(_)) => "No log lines in the window so far.".to_owned(),
            (n, _) => format!("{} lines were counted; a journal keeps their counts, not their text.", grouped(n)),
        };
        sheet.text(Role::Faint, &text);
    }
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

/// How many lines older than the first one shown were received and are not held, if it is the oldest that is.
fn older(session: &Session, shown: &LogRows<'_>, sources: &Sources<'_>) -> u64 {
    let oldest = session.logs.lines().iter().find(|stored| sources.0.contains(&&stored.line.group));
    match (oldest, shown.lines.first()) {
        (Some(oldest), Some(first)) if oldest.number == first.number => {
            sources.0.iter().filter_map(|group| session.logs.group(group)).map(GroupBoard::evicted).sum()
        }
        (Some(_) | None, _) => 0,
    }
}
