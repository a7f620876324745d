//! The log pane folded: one row a template.

use jiff::Timestamp;
use ratatui::text::Line;

use super::super::sheet::{Held, Sheet};
use crate::domain::count::{counted, either};
use crate::domain::observation::log::LogLevel;
use crate::domain::observation::log_template::TemplateCount;
use crate::session::Session;
use crate::ui::format::{grouped, width};
use crate::ui::model::fold::Fold;
use crate::ui::model::{Ui, moments, rows};
use crate::ui::search::Search;
use crate::ui::theme::Role;

/// Draws the list under its heading.
pub(super) fn draw(sheet: &mut Sheet<'_>, (ui, session): (&Ui, &Session), held: Held) {
    let look = sheet.look;
    let shown = rows::templates(ui);
    let fold = &ui.log.fold;
    let going = if fold.is_done() {
        String::new()
    } else {
        format!(", folding: {} {} so far", grouped(fold.met()), either(fold.met(), "line", "lines"))
    };
    // The columns of times are as wide as the zone's name makes them.
    let wide = shown.first().map_or(0, |(_, found)| width(&look.clock(found.first_at)));
    let heading = format!(
        "   count  /min  {:<wide$} {:<wide$} level  {}{going}",
        "first",
        "last",
        counted(shown.len(), "template")
    );
    sheet.text(Role::Faint, &heading);
    if shown.is_empty() {
        let words =
            if ui.logs.search.is_some() { "No line matches.  Esc then \\ shows all" } else { "No line is held." };
        sheet.text(Role::Faint, words);
        return;
    }
    let deploy = moments::deploys(session, ui.incident(session)).last().copied();
    let ids: Vec<usize> = shown.iter().map(|(number, _)| *number).collect();
    let span = ui.log.templates.scroll.span(&ids, sheet.left());
    for (at, (number, found)) in shown.iter().enumerate().take(span.end).skip(span.first) {
        let new = deploy.is_some_and(|deploy| fold.is_new_since(*number, deploy));
        let mut left = look.line([
            (Role::Strong, format!("{:>8} ", grouped(found.count)).into()),
            (Role::Text, format!("{:>5}  ", per_minute(fold, *number, session.clock.at_aws(look.now))).into()),
            (
                Role::Faint,
                format!("{:<wide$} {:<wide$} ", look.clock(found.first_at), look.clock(found.last_at)).into(),
            ),
        ]);
        left.push_span(look.span(level_role(found), format!("{:<5}  ", found.level.word())));
        if new {
            left.push_span(look.span(Role::Deploy, "NEW since the rollout  "));
        }
        push_text(&mut left, found, (ui.logs.search.as_ref(), sheet));
        sheet.row(&left);
        if held == Held::Keys && span.cursor == Some(at) {
            sheet.select_last();
        }
    }
}

/// Lines a minute; not known while those of the last minute may not be folded yet.
fn per_minute(fold: &Fold, number: usize, now: Timestamp) -> String {
    if fold.is_done() { fold.per_minute(number, now).to_string() } else { "?".to_owned() }
}

fn level_role(found: &TemplateCount) -> Role {
    match found.level {
        LogLevel::Error => Role::Danger,
        LogLevel::Warn => Role::Warning,
        LogLevel::Info | LogLevel::Debug => Role::Faint,
    }
}

fn push_text<'t>(line: &mut Line<'t>, found: &'t TemplateCount, (search, sheet): (Option<&Search>, &Sheet<'_>)) {
    let (text, look) = (found.template.as_str(), sheet.look);
    let mut from = 0;
    for range in search.map(|search| search.ranges(text)).unwrap_or_default() {
        line.push_span(look.span(Role::Text, &text[from..range.start]));
        line.push_span(look.span(Role::Match, &text[range.start..range.end]));
        from = range.end;
    }
    line.push_span(look.span(Role::Text, &text[from..]));
}
