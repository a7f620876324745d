//! The title of the log pane: whose lines these are, whether they move, and how many there are.

use ratatui::text::{Line, Span};

use super::super::kills::Age;
use super::super::look::Look;
use super::super::sheet::Held;
use super::super::{kills, push_search, title as pane_title};
use super::row::Sources;
use crate::domain::count::either;
use crate::domain::observation::log::LogGroup;
use crate::session::Session;
use crate::session::logs::LogGap;
use crate::ui::format::{self, grouped};
use crate::ui::model::log_look::{Column, Rows};
use crate::ui::model::rows::{self, LogRows};
use crate::ui::model::scroll::Freeze;
use crate::ui::model::{Pane, Ui};
use crate::ui::theme::Role;

/// Seconds the rate is counted over.
const RATE_S: i64 = 10;
/// Columns between two parts.
const BETWEEN: usize = 2;
/// Columns below which the end of a group's name tells nothing.
const LEAST_NAME: usize = 8;
/// Columns of the pane that the title does not have: the frame's and the stamp's blanks.
const AROUND: usize = 9;

/// Columns that a pane of so many leaves for the title, beside a stamp of so many.
pub(super) fn room(columns: u16, stamp: usize) -> usize {
    usize::from(columns).saturating_sub(AROUND + stamp)
}

/// The title in at most so many columns. What it is filtered by, the kills with the minute they were counted in, and lost
/// lines stay: the rate gives way first, then the groups' names, then that no line was lost.
pub(super) fn title(
    (ui, session): (&Ui, &Session),
    (shown, sources, gaps): (&LogRows<'_>, &Sources<'_>, &[&LogGap]),
    (columns, look, held): (usize, &Look, Held),
) -> Line<'static> {
    let mut title = pane_title(Pane::Logs, (look, held));
    let counted = kills::counted_at(session, ui.incident(session), look);
    let time = counted.as_ref().map_or(0, |(_, [_, short])| short.width());
    let tail = tail((ui, session), (shown, gaps), (columns.saturating_sub(title.width() + time), look));
    let spare = columns.saturating_sub(title.width() + tail.0.width() + tail.1.width());
    // The names of many groups never fill the title.
    let most = spare.saturating_sub(time + BETWEEN).min(columns * 2 / 5);
    let names = if most < LEAST_NAME { String::new() } else { names(&sources.0, most) };
    if !names.is_empty() {
        title.push_span(look.span(Role::Text, format!("{names}  ")));
    }
    let boards = sources.0.iter().filter_map(|group| session.logs.group(group));
    let rate =
        boards.map(|board| board.rate(session.clock.at_aws(look.now), RATE_S)).sum::<u64>() as f64 / RATE_S as f64;
    let room = columns.saturating_sub(title.width() + tail.0.width() + tail.1.width());
    title.spans.extend(tail.0.spans);
    title.spans.extend(time_and_rate(counted, rate, (room, look)));
    title.spans.extend(tail.1.spans);
    title
}

/// What the title never goes without: whether it follows, what it shows and the kills; and behind the rate what was lost.
fn tail(
    (ui, session): (&Ui, &Session),
    (shown, gaps): (&LogRows<'_>, &[&LogGap]),
    (room, look): (usize, &Look),
) -> (Line<'static>, Line<'static>) {
    let mut title = Line::default();
    let (role, mode) = match ui.logs.freeze {
        Freeze::At { .. } => (Role::Warning, format!("PAUSED +{}", grouped(shown.withheld))),
        Freeze::Running if ui.logs.follows() => (Role::Good, "FOLLOW".to_owned()),
        Freeze::Running => (Role::Accent, "HELD (f follows)".to_owned()),
    };
    title.push_span(look.span(role, mode));
    // Rows that are missing because they were not asked for are told before anything that is counted.
    push_search(&mut title, ui.logs.search.as_ref(), look);
    if rows::counted_alone(ui, session).is_some() && ui.logs.search.is_some() {
        title.push_span(look.span(Role::Warning, "  no line is kept"));
    } else if let Some(tally) = &ui.log.tally {
        let least = if tally.is_done() { "" } else { look.sign("≥", ">=") };
        let counted = format!(
            "  {least}{} of {} {}",
            grouped(tally.matched),
            grouped(tally.met),
            either(tally.met, "line", "lines")
        );
        title.push_span(look.span(Role::Faint, counted));
    }
    title.push_span(Span::raw(" ".repeat(BETWEEN)));
    what(&mut title, ui, look);
    let mut behind = Line::from(Span::raw(" ".repeat(BETWEEN)));
    behind.push_span(lost(gaps, look));
    let mut kills = kills::words(session, ui.incident(session), look);
    if title.width() + kills.width() + behind.width() > room {
        kills.content = kills.content.replacen("OOMKilled", "OOM", 1).into();
    }
    // What was exact then has its time beside it: where lines were lost, that is told before the word.
    let old = kills::counted_at(session, ui.incident(session), look).is_some_and(|(age, _)| age == Age::Old);
    if old && !gaps.is_empty() && title.width() + kills.width() + behind.width() > room {
        kills.content = kills.content.replacen(" exact", "", 1).into();
    }
    title.push_span(kills);
    let none_lost = gaps.is_empty() && title.width() + behind.width() > room;
    (title, if none_lost { Line::default() } else { behind })
}

/// When the kills were counted and how many lines come a second, in so many columns. A count never goes without its time.
fn time_and_rate(
    counted: Option<(Age, [Span<'static>; 2])>,
    rate: f64,
    (room, look): (usize, &Look),
) -> Vec<Span<'static>> {
    let rate = look.span(Role::Faint, format!("  {}/s", format::figure(rate)));
    let Some((_, [long, short])) = counted else {
        return if rate.width() <= room { vec![rate] } else { Vec::new() };
    };
    for time in [&long, &short] {
        if time.width() + rate.width() <= room {
            return vec![time.clone(), rate];
        }
    }
    vec![short]
}

/// What the rows are, where they are not simply the lines; and the instant pointed at.
fn what(title: &mut Line<'static>, ui: &Ui, look: &Look) {
    match ui.log.rows {
        Rows::Lines => {}
        Rows::Templates => title.push_span(look.span(Role::Accent, "BY TEMPLATE  ")),
        Rows::Of(number) => {
            let template = ui.log.fold.template(number).map_or("?", |found| found.template.as_str());
            let text = format::clip(template, 30, look.glyphs).into_owned();
            title.push_span(look.span(Role::Accent, format!("ONLY {text}  ")));
        }
    }
    if ui.log.rows != Rows::Templates
        && ui.log.columns.contains(&Column::Time)
        && let Some(zone) = format::zone_name(&look.zone, look.now)
    {
        title.push_span(look.span(Role::Text, format!("{zone}  ")));
    }
    if let Some(at) = ui.moment {
        title.push_span(look.span(Role::Accent, format!("@{}  ", look.instant(at))));
    }
    if ui.log.shift > 0 {
        title.push_span(look.span(Role::Accent, format!("shifted {}  ", ui.log.shift)));
    }
}

/// The groups' names in at most so many columns: all of them, else the first and how many more, else the end of that.
fn names(groups: &[&LogGroup], columns: usize) -> String {
    let all = groups.iter().map(|group| group.as_str()).collect::<Vec<_>>().join(", ");
    if format::width(&all) <= columns {
        return all;
    }
    let Some((first, more)) = groups.split_first() else { return all };
    let rest = if more.is_empty() { String::new() } else { format!(" +{}", more.len()) };
    let room = columns.saturating_sub(rest.len()).max(8);
    let name = first.as_str();
    let excess = name.chars().count().saturating_sub(room);
    // The end of a group's name tells it from others, its start does not.
    let end: String =
        if excess == 0 { name.to_owned() } else { ["..".to_owned(), name.chars().skip(excess + 2).collect()].concat() };
    end + &rest
}

/// `0 lost`, `120 lost`, `>=120 lost` where a gap's size is not known.
pub(super) fn lost(gaps: &[&LogGap], look: &Look) -> Span<'static> {
    let known: u64 = gaps.iter().filter_map(|gap| gap.missed).sum();
    let unknown = gaps.iter().any(|gap| gap.missed.is_none());
    match (known, unknown) {
        (0, false) => look.span(Role::Faint, "0 lost"),
        (n, false) => look.span(Role::Warning, format!("{} lost", grouped(n))),
        (n, true) => look.span(Role::Warning, format!("{}{} lost", look.sign("≥", ">="), grouped(n))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_give_way_from_the_left() {
        let groups: Vec<LogGroup> =
            ["/aws/containerinsights/eks-prod/application", "/ecs/my-api"].map(LogGroup::from).into();
        let both: Vec<&LogGroup> = groups.iter().collect();
        for (shown, columns, expected) in [
            (&both[..], 80, "/aws/containerinsights/eks-prod/application, /ecs/my-api"),
            (&both[..], 50, "/aws/containerinsights/eks-prod/application +1"),
            (&both[..], 26, "../eks-prod/application +1"),
            (&both[1..], 13, "/ecs/my-api"),
            (&both[1..], 5, "..my-api"),
            (&[], 13, ""),
        ] {
            assert_eq!(names(shown, columns), expected);
        }
    }
}
