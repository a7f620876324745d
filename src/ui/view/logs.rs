//! Pane 3: the log lines of the incident on screen, and only those in view; what was not read as lines of its own.
//!
//! ```text
//! ┌ [3] LOGS /ecs/my-api  FOLLOW  312/s  0 lost  OOMKilled 14 exact ─ POLL 2s ┐
//! │ 09:02 ▁▂▂▁▃▂▁▁▂▅▇▃▂▁▁▂▁▃▂▁▁▂▅▇▃▂▁▁▂▁▃▂▁▁▂▅▇▃▂▁ 09:32                          │
//! │   o e     e    D        oe        o                 412                   │
//! │ 09:30:52.001 OOM   my-api-7d9f-0412 OOMKilled exit=137               [E2] │
//! │ ~~~ 09:30:54-09:30:56 not read: throttled (120 events) ~~~                │
//! ```

mod folded;
mod row;
mod strip;
mod title;
mod words;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use self::row::{Manner, Row, Sources, Told, arrange};
use super::look::Look;
use super::sheet::{Held, Sheet, frame};
use super::stamp;
use crate::domain::count::either;
use crate::domain::diagnosis::evidence::Question;
use crate::session::Session;
use crate::session::feeds::FeedId;
use crate::session::logs::{GroupBoard, LogGap};
use crate::ui::format::grouped;
use crate::ui::model::log_look::Rows;
use crate::ui::model::log_view::LogView;
use crate::ui::model::rows::{self, LogRows};
use crate::ui::model::{Ui, moments};
use crate::ui::theme::Role;

pub use self::words::words;

/// Draws the pane.
pub fn draw(buffer: &mut Buffer, area: Rect, (ui, session): (&Ui, &Session), (look, held): (&Look, Held)) {
    let inside = usize::from(area.height.saturating_sub(2));
    // Without lines the strip would be empty, as if nothing had happened.
    let strip_rows = rows::counted_alone(ui, session).map_or_else(|| rows::strip_rows(inside), |_| 0);
    let height = inside - strip_rows;
    let shown = match ui.log.rows {
        Rows::Templates => LogRows { withheld: LogView::new(ui, session).withheld(session), ..LogRows::default() },
        Rows::Lines | Rows::Of(_) => rows::logs(ui, session, height),
    };
    let sources = Sources(rows::log_groups(ui, session));
    let gaps: Vec<&LogGap> = session.logs.gaps.iter().filter(|gap| sources.0.contains(&&gap.group)).collect();
    let feed = session.log_feed(ui.incident(session));
    let stamp = stamp::stamp_feed(&feed, FeedId::Logs, look);
    let room = title::room(area.width, stamp.width());
    let title = title::title((ui, session), (&shown, &sources, &gaps), (room, look, held));
    let mut inner = frame(buffer, area, (&title, &stamp), (look, held));
    if strip_rows > 0 && inner.height > 0 {
        strip::draw(buffer, inner, (ui, session), (&sources, look));
        inner = Rect { y: inner.y + strip_rows as u16, height: height as u16, ..inner };
    }
    let mut sheet = Sheet::new(buffer, inner, look);
    if let (Rows::Templates, Some(counted)) = (ui.log.rows, rows::counted_alone(ui, session)) {
        unkept(&mut sheet, (ui, session), counted);
    } else if ui.log.rows == Rows::Templates {
        folded::draw(&mut sheet, (ui, session), held);
    } else if shown.lines.is_empty() {
        empty(&mut sheet, (ui, session), &sources);
        return;
    } else {
        let manner = Manner { search: ui.logs.search.as_ref(), log: &ui.log, columns: sheet.width(), look };
        lines(&mut sheet, (ui, session), (&shown, &sources, &gaps), (manner, held));
    }
    if stamp::is_stale_feed(&feed, FeedId::Logs, look) {
        sheet.grey();
    }
}

/// Formats the lines in view and writes them. Nothing outside of the slice is touched, whatever the ring holds.
fn lines(
    sheet: &mut Sheet<'_>,
    (ui, session): (&Ui, &Session),
    (shown, sources, gaps): (&LogRows<'_>, &Sources<'_>, &[&LogGap]),
    (manner, held): (Manner<'_>, Held),
) {
    let cited: Vec<_> = ui.incident(session).into_iter().flat_map(moments::cited).collect();
    let mut above = None;
    let mut told = Vec::with_capacity(shown.lines.len());
    for stored in &shown.lines {
        let line = stored.line.as_ref();
        let cite = cited.iter().find(|(_, id)| **id == line.id).map(|(evidence, _)| *evidence);
        told.push(Told::of(stored, (sources.told_beside(line, above), cite), manner));
        above = Some(line);
    }
    let older = older(session, shown, sources);
    let room = (sheet.left(), ui.logs.follows());
    for row in arrange(shown, (gaps, older), room, |at| told[at].tall()) {
        match row {
            Row::Older(count) => sheet.text(Role::Faint, &row::older_words(count)),
            Row::Gap(gap) => sheet.text(Role::Warning, &row::gap_words(gap, manner.look)),
            Row::Line { at, part } => {
                let (left, right) = told[at].row(part, manner);
                sheet.ends(&left, &right);
                if held == Held::Keys && shown.cursor == Some(at) {
                    sheet.select_last();
                }
            }
        }
    }
}

fn empty(sheet: &mut Sheet<'_>, (ui, session): (&Ui, &Session), sources: &Sources<'_>) {
    let boards = || sources.0.iter().filter_map(|group| session.logs.group(group));
    if ui.logs.search.is_some() && boards().any(|board| board.received() > board.evicted()) {
        sheet.text(Role::Faint, "No line matches the filter.  \\ shows all lines again");
        return;
    }
    if ui.incident(session).is_some() && sources.0.is_empty() {
        let text = "No log group is known for this service: name one by --log-group or `log_groups` of [[service]].";
        sheet.wrapped(Role::Faint, text, 2);
        return;
    }
    stamp::explain_feed(sheet, &session.log_feed(ui.incident(session)), FeedId::Logs);
    if sheet.left() == usize::from(sheet.area.height) {
        match (rows::counted_alone(ui, session), ui.incident(session)) {
            (Some(counted), _) => unkept(sheet, (ui, session), counted),
            (None, None) => sheet.text(Role::Faint, "No log lines: reading begins with the first incident."),
            (None, Some(_)) => sheet.text(Role::Faint, "No log lines in the window so far."),
        }
    }
}

/// Says why a replay has no lines, and where what they came to is.
fn unkept(sheet: &mut Sheet<'_>, (ui, session): (&Ui, &Session), counted: u64) {
    let were = either(counted, "line was", "lines were");
    let text = format!("{} {were} counted. A journal keeps counts, not the text of lines.", grouped(counted));
    sheet.wrapped(Role::Faint, &text, 2);
    let patterns = ui.incident(session).and_then(|incident| incident.answer_to(Question::LogPatterns));
    if let Some(patterns) = patterns {
        let text = format!("{} has their templates and excerpts: press 4, select it with j and k, Enter.", patterns.id);
        sheet.wrapped(Role::Faint, &text, 2);
    }
}

/// How many lines older than the first one shown were received and are not held, if it is the oldest that is.
fn older(session: &Session, shown: &LogRows<'_>, sources: &Sources<'_>) -> u64 {
    let boards = || sources.0.iter().filter_map(|group| session.logs.group(group));
    let evicted = boards().map(GroupBoard::evicted).sum();
    // Where all lines are shown, the first is the oldest: those of a group that tells little lie far behind in the ring.
    if evicted == 0 || boards().map(GroupBoard::held).sum::<u64>() == shown.lines.len() as u64 {
        return evicted;
    }
    let oldest = session.logs.lines().iter().find(|stored| sources.0.contains(&&stored.line.group));
    match (oldest, shown.lines.first()) {
        (Some(oldest), Some(first)) if oldest.number == first.number => evicted,
        (Some(_) | None, _) => 0,
    }
}
