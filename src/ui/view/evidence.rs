//! Evidence, read from the source: each question with its answer, completeness, age and query; and what is behind one.

use ratatui::text::{Line, Span};

use super::look::Look;
use super::sheet::{Sheet, place_words};
use crate::domain::diagnosis::evidence::{Answer, Evidence, Payload, answer_text};
use crate::domain::observation::log::LogLine;
use crate::domain::observation::metric::Series;
use crate::session::Session;
use crate::session::incident::Incident;
use crate::ui::format;
use crate::ui::model::{Ui, rows};
use crate::ui::theme::Role;

/// Where the points and lines behind the selected evidence are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behind {
    /// Below what it says, as far as there is room.
    Below,
    /// In a column of their own.
    Beside,
    /// Nowhere: there is room for the list alone, and what it says is opened.
    Nowhere,
}

/// Draws the list: two rows a piece where all fit, one otherwise; the selected one opens below it.
pub fn list(mut sheet: Sheet<'_>, (ui, session, incident): (&Ui, &Session, &Incident), behind: Behind) {
    let look = sheet.look;
    let heading = Line::from(look.span(Role::Title, "EVIDENCE (read from the source)"));
    let shown = rows::evidence(ui, session);
    if shown.is_empty() {
        sheet.row(&heading);
        let hidden = incident.round().len();
        match (ui.evidence.search.as_ref(), incident.awaited.is_empty()) {
            (Some(search), _) if hidden > 0 => {
                let text = format!("none matches /{} ({hidden} hidden)  \\ shows all again", look.typed(search.text()));
                sheet.wrapped(Role::Warning, &text, 2);
            }
            (_, true) => sheet.text(Role::Faint, "none asked"),
            (_, false) => sheet.text(Role::Faint, "waiting for answers"),
        }
        return;
    }
    let ids: Vec<_> = shown.iter().map(|evidence| evidence.id).collect();
    let rows_left = sheet.left().saturating_sub(1);
    let double = behind != Behind::Nowhere && rows_left >= shown.len() * 2 + 3;
    let capacity = match behind {
        Behind::Nowhere => rows_left,
        Behind::Below | Behind::Beside if double => rows_left / 2,
        Behind::Below | Behind::Beside => rows_left.saturating_sub(5).max(rows_left.min(3)),
    };
    let span = ui.evidence.scroll.span(&ids, capacity);
    let place = place_words(span.first..span.end, ids.len()).unwrap_or_default();
    sheet.ends(&heading, &Line::from(look.span(Role::Faint, place)));
    for (at, evidence) in shown.iter().enumerate().take(span.end).skip(span.first) {
        let pinned = if incident.pins.contains(&evidence.id) { look.sign("•", "*") } else { " " };
        let text = if double { evidence.question.text().to_owned() } else { answer_text(evidence) };
        let (left, right) = head(evidence, &text, (pinned, look));
        sheet.ends(&left, &right);
        if span.cursor == Some(at) {
            sheet.select_last();
        }
        if double {
            sheet.text(Role::Faint, &format!("     {}", answer_text(evidence)));
        }
    }
    for (id, question) in &incident.awaited {
        sheet.text(Role::Faint, &format!("  {id} {}: waiting", question.word()));
    }
    if let Some(evidence) = span.cursor.and_then(|at| shown.get(at))
        && behind != Behind::Nowhere
        && sheet.left() > 2
    {
        sheet.rule();
        about(&mut sheet, evidence);
        if let (Behind::Below, Some(payload), 3..) = (behind, evidence.answer.payload(), sheet.left()) {
            sheet.rule();
            payload_rows(&mut sheet, payload);
        }
    }
}

fn head(evidence: &Evidence, text: &str, (pinned, look): (&'static str, &Look)) -> (Line<'static>, Line<'static>) {
    let word = evidence.question.word();
    // Many an answer begins with the word of its question: once is enough on a narrow screen.
    let begins = text.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word));
    let text = if begins { text[word.len()..].trim_start() } else { text };
    let left = look.line([
        (Role::Accent, format!("{pinned}{:<4}", evidence.id.to_string()).into()),
        (Role::Strong, format!("{word} ").into()),
        (Role::Text, text.to_owned().into()),
    ]);
    let right = Line::from(vec![
        Span::raw(" "),
        completeness(&evidence.answer, look),
        look.span(Role::Faint, format!(" {:>3}", look.coarse_age(evidence.answered_at))),
    ]);
    (left, right)
}

/// The word of completeness: only what was read whole looks well.
fn completeness(answer: &Answer, look: &Look) -> Span<'static> {
    let role = match answer {
        Answer::Observed { .. } => Role::Good,
        Answer::Truncated { .. } | Answer::Absent | Answer::NotAsked { .. } => Role::Warning,
        Answer::Denied { .. } | Answer::Failed { .. } => Role::Danger,
    };
    look.span(role, answer.completeness())
}

/// Question, answer, window, query.
pub fn about(sheet: &mut Sheet<'_>, evidence: &Evidence) {
    let look = sheet.look;
    sheet.wrapped(Role::Strong, &format!("{} {}", evidence.id, evidence.question.text()), 2);
    sheet.wrapped(Role::Text, &answer_text(evidence), 2);
    let window = evidence.window;
    let (from, to) = (look.clock(window.from), look.clock(window.to));
    sheet.text(Role::Faint, &format!("window {from} to {to}, read {}", look.clock(evidence.answered_at)));
    sheet.wrapped(Role::Faint, &format!("query {}", evidence.query), 2);
}

/// Draws the points or lines behind the selected evidence.
pub fn raw(mut sheet: Sheet<'_>, (ui, session, incident): (&Ui, &Session, &Incident)) {
    let shown = rows::evidence(ui, session);
    let ids: Vec<_> = shown.iter().map(|evidence| evidence.id).collect();
    let cursor = ui.evidence.scroll.span(&ids, ids.len().max(1)).cursor;
    let Some(evidence) = cursor.and_then(|at| incident.evidence(*ids.get(at)?)) else { return };
    sheet.text(Role::Title, &format!("BEHIND {} ({})", evidence.id, evidence.answer.completeness()));
    let Some(payload) = evidence.answer.payload() else {
        sheet.wrapped(Role::Warning, &answer_text(evidence), 2);
        return;
    };
    payload_rows(&mut sheet, payload);
}

/// Writes what was found, newest last where there is more than fits.
pub fn payload_rows(sheet: &mut Sheet<'_>, payload: &Payload) {
    match payload {
        Payload::Series { series, .. } => points(sheet, series),
        Payload::OomKills(count) => {
            for by in &count.by_container {
                sheet.text(Role::Text, &format!("{:>4}  {}", by.kills, by.container));
            }
            let sources = count.by_source.iter().map(|(source, n)| format!("{} {n}", source.word()));
            sheet.wrapped(Role::Faint, &format!("told by {}", sources.collect::<Vec<_>>().join(", ")), 2);
            sheet.text(Role::Faint, &format!("heap errors inside processes: {}", count.heap_errors));
            let look = sheet.look;
            for at in count.at.iter().rev().take(sheet.left()) {
                sheet.text(Role::Faint, &format!("kill {}", look.clock(*at)));
            }
        }
        Payload::Collector { series, excerpts, .. } => {
            lines(sheet, excerpts);
            if let Some(series) = series {
                points(sheet, series);
            }
        }
        Payload::LogPatterns { templates, excerpts, .. } => {
            for template in templates {
                sheet.text(Role::Text, &format!("{:>6}  {}", format::grouped(template.count), template.template));
            }
            lines(sheet, excerpts);
        }
        Payload::Workload { workload, pods, events, unread } => {
            sheet.text(Role::Text, &format!("{} {}/{} ready", workload.target, workload.ready, workload.replicas));
            for pod in pods {
                let restarts: u32 = pod.containers.iter().map(|container| container.restarts).sum();
                sheet.text(Role::Text, &format!("{} {} restarts {restarts}", pod.name, pod.phase));
            }
            for event in events {
                sheet.text(Role::Warning, &format!("{} x{} {}", event.reason, event.count, event.message));
            }
            for what in unread {
                sheet.text(Role::Warning, &format!("not read: {what}"));
            }
        }
        Payload::Changes { revisions, others, unread } => {
            let look = sheet.look;
            for change in others.iter().rev() {
                let at = change.at.map_or_else(|| "?".to_owned(), |at| look.clock(at));
                sheet.wrapped(Role::Text, &format!("{at} {}", change.words()), 2);
            }
            for what in unread {
                sheet.text(Role::Warning, &format!("not read: {what}"));
            }
            for revision in revisions.iter().rev() {
                let at = revision.created_at.map_or_else(|| "?".to_owned(), |at| look.clock(at));
                let images: Vec<&str> = revision.images.values().map(String::as_str).collect();
                sheet.text(Role::Text, &format!("revision {} {at} {}", revision.number, images.join(" ")));
            }
        }
    }
}

fn points(sheet: &mut Sheet<'_>, series: &Series) {
    let look = sheet.look;
    sheet.text(Role::Faint, &format!("{} {}", series.query.metric, series.query.statistic));
    let room = sheet.left();
    let from = series.points.len().saturating_sub(room);
    for point in &series.points[from..] {
        let value = format::measure(point.value, series.unit);
        sheet.text(Role::Text, &format!("{}  {value:>10}", look.clock(point.at)));
    }
}

fn lines(sheet: &mut Sheet<'_>, lines: &[LogLine]) {
    let look = sheet.look;
    for line in lines {
        let text = format!("{} {} {}", look.clock(line.at), line.level.word(), line.text);
        sheet.wrapped(Role::Text, &text, 2);
    }
}
