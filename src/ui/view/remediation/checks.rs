//! The checks of a rehearsal, worst first: packed into rows, or a line each.

use ratatui::text::Line;

use super::super::look::Look;
use crate::domain::remediation::step::{Check, CheckState};
use crate::ui::format;
use crate::ui::theme::Role;

/// The checks, worst first, packed into rows. What did not go well is told whole, over as many rows as it needs.
pub(super) fn check_rows(checks: &[Check], (columns, look): (usize, &Look)) -> Vec<Line<'static>> {
    let mut rows = vec![Line::from(look.span(Role::Title, "CHECKS"))];
    for check in worst_first(checks) {
        let (role, mark) = match check.state {
            CheckState::Ok => (Role::Good, "[ok]"),
            CheckState::Warning => (Role::Warning, "[!!]"),
            CheckState::Failed => (Role::Danger, "[no]"),
            CheckState::Unknown => (Role::Warning, "[--]"),
        };
        // What went well needs its name; what did not needs its reason.
        let said = check.state != CheckState::Ok && !check.text.is_empty();
        let text = if said { format!("{}: {}", check.name, check.text) } else { check.name.clone() };
        let text = crate::domain::observation::sanitise::line(&text);
        let before = rows.last().map_or(0, Line::width);
        let fits = before + 6 + format::width(&text) <= columns;
        // Beside the title alone there is all the room that a row has.
        if !fits && rows.len() + usize::from(before > MARGIN) > 1 {
            rows.push(Line::from(" ".repeat(MARGIN)));
        }
        for (at, part) in parts(&text, (fits, columns)).into_iter().enumerate() {
            if at > 0 {
                rows.push(Line::from(" ".repeat(MARGIN + 5)));
            }
            let Some(row) = rows.last_mut() else { continue };
            if at == 0 {
                row.push_span(look.span(role, format!(" {mark}")));
            }
            row.push_span(look.span(Role::Text, format!(" {part}")));
        }
    }
    rows
}

/// The columns of the word before the checks, and of the blanks below it.
const MARGIN: usize = 6;

fn parts(text: &str, (fits, columns): (bool, usize)) -> Vec<&str> {
    if fits { vec![text] } else { format::wrap(text, columns.saturating_sub(MARGIN + 6).max(1)) }
}

fn worst_first(checks: &[Check]) -> Vec<&Check> {
    let mut sorted: Vec<&Check> = checks.iter().collect();
    sorted.sort_by_key(|check| match check.state {
        CheckState::Failed => 0,
        CheckState::Warning => 1,
        CheckState::Unknown => 2,
        CheckState::Ok => 3,
    });
    sorted
}

/// A line each, for who listens.
pub(super) fn words(checks: &[Check]) -> impl Iterator<Item = String> {
    worst_first(checks).into_iter().map(|check| {
        let state = match check.state {
            CheckState::Ok => "Check passed",
            CheckState::Warning => "Check WARNS",
            CheckState::Failed => "Check FAILED",
            CheckState::Unknown => "Check not known",
        };
        let text = if check.text.is_empty() { String::new() } else { format!(": {}", check.text) };
        format!("{state}: {}{text}", check.name)
    })
}
