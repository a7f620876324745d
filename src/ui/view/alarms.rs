//! Pane 1: alarms, firing ones first.
//!
//! ```text
//! ┌ [1] ALARMS  3 firing / 41 ─────────── live 4s ┐
//! │ ! P2 my-api-cpu-high      97.8% >85%        6m │
//! │ . ok orders-latency-p99   412ms <=500          │
//! ```

mod words;

use std::ops::Range;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::look::Look;
use super::sheet::{Held, Sheet, frame, rows_shown};
use super::stamp;
use crate::domain::observation::alarm::{Alarm, AlarmRule, AlarmState, Comparison};
use crate::domain::observation::metric::{Series, Unit};
use crate::session::Session;
use crate::session::feeds::FeedId;
use crate::ui::chart::Chart;
use crate::ui::format::{self, grouped};
use crate::ui::layout::ChartForm;
use crate::ui::model::moments::{self, Valued, alarm_series, alarm_value, recent, unit_of};
use crate::ui::model::{Pane, Showing, Ui, rows};
use crate::ui::theme::Role;

pub use self::words::words;

/// A value counts as the present one for as long, seconds: a period, and what CloudWatch takes to have its point.
const VALUE_HOLDS_S: i64 = 180;

/// Columns of most figures.
const FIGURE_COLS: usize = 5;

/// Draws the pane.
pub fn draw(buffer: &mut Buffer, area: Rect, (ui, session): (&Ui, &Session), (look, held): (&Look, Held)) {
    let firing = session.firing().len();
    let mut title = super::title(Pane::Alarms, (look, held));
    // What hides rows comes first: counts of rows that nobody sees would deceive, where there is no room for both.
    let before = title.spans.len();
    super::push_search(&mut title, ui.alarms.search.as_ref(), look);
    // The title ends with blanks of its own.
    title.spans.get_mut(before).into_iter().for_each(|blank| *blank = Span::default());
    let texts = session.alarms.values().map(rows::alarm_text);
    super::push_matches(&mut title, (ui.alarms.search.as_ref(), texts), look);
    if super::in_force(ui.alarms.search.as_ref()).is_some() {
        title.push_span(Span::raw("  "));
    }
    if stamp::has_answered(session, FeedId::Alarms) {
        let role = if firing > 0 { Role::Danger } else { Role::Good };
        title.push_span(look.span(role, format!("{firing} firing")));
        title.push_span(look.span(Role::Text, format!(" / {}", grouped(session.alarms.len() as u64))));
    } else {
        // Nothing read is not nothing firing.
        title.push_span(look.span(Role::Warning, "? firing"));
    }
    let stamp = stamp::stamp(session, FeedId::Alarms, look);
    let inner = frame(buffer, area, (&title, &stamp), (look, held));
    let shown = body(Sheet::new(buffer, inner, look), (ui, session), held);
    rows_shown(buffer, area, shown, look);
}

/// Draws the rows, and tells which of how many they are.
fn body(mut sheet: Sheet<'_>, (ui, session): (&Ui, &Session), held: Held) -> (Range<usize>, usize) {
    let look = sheet.look;
    let stale = stamp::is_stale(session, FeedId::Alarms, look);
    let alarms = rows::alarms(ui, session);
    if session.alarms.is_empty() {
        let checked = session.feed(FeedId::Alarms).answered_at;
        if let Some(at) = checked {
            sheet.text(Role::Good, &format!("0 firing / 0 (checked {} ago).", look.age(at)));
        }
        stamp::explain(&mut sheet, session, FeedId::Alarms);
        return (0..0, 0);
    }
    if alarms.is_empty() {
        sheet.text(Role::Faint, "No alarm matches the filter.  \\ shows all again");
        return (0..0, 0);
    }
    let names: Vec<_> = alarms.iter().map(|alarm| alarm.name.clone()).collect();
    let span = ui.alarms.scroll.span(&names, sheet.left());
    // The columns are those of the rows on screen: of thousands nobody sees, nothing is reckoned.
    let seen = &alarms[span.first..span.end];
    let widest = seen.iter().map(|alarm| format::width(alarm.name.as_str())).max().unwrap_or(0);
    let figures = |alarm: &Alarm| {
        let unit = unit_of(session, alarm);
        let parts = [value(session, alarm, unit), bound(alarm, unit), age(session, alarm, look)];
        // A value that is short for once moves no column: `98%` after `97.8%`.
        let short = FIGURE_COLS.saturating_sub(format::width(&parts[0]));
        short + parts.iter().map(|part| format::width(part)).sum::<usize>()
    };
    // The state before, the gap and the age after; what the figures need is theirs, the rest is the name's.
    let others = 15 + seen.iter().map(|alarm| figures(alarm)).max().unwrap_or(0);
    let name_columns = widest.min(sheet.width().saturating_sub(others).max(12));
    for (at, alarm) in alarms.iter().enumerate().take(span.end).skip(span.first) {
        // Where its own figures leave room, a name that is longer than the column goes on into it.
        let own = sheet.width().saturating_sub(12 + figures(alarm));
        let (left, right) = row(alarm, (ui, session), (name_columns, own.max(name_columns), sheet.width()), look);
        sheet.ends(&left, &right);
        if held == Held::Keys && span.cursor == Some(at) {
            sheet.select_last();
        }
    }
    if stale {
        sheet.grey();
    }
    if session.firing().is_empty() && sheet.left() > 0 {
        let checked = session.feed(FeedId::Alarms).answered_at.map_or_else(String::new, |at| look.age(at));
        let checked = match look.showing {
            Showing::Session => format!("checked {checked} ago"),
            Showing::Journal => "as journaled".to_owned(),
        };
        let of = session.alarms.len();
        sheet.text(Role::Good, &format!("0 firing / {of} ({checked})."));
    }
    (span.first..span.end, alarms.len())
}

fn row(
    alarm: &Alarm,
    (ui, session): (&Ui, &Session),
    (name_columns, most, columns): (usize, usize, usize),
    look: &Look,
) -> (Line<'static>, Line<'static>) {
    let (role, sign, word) = state(alarm);
    let name = format::clip(alarm.name.as_str(), most, look.glyphs).into_owned();
    let pad = " ".repeat(name_columns.saturating_sub(format::width(&name)) + 2);
    let series = alarm_series(session, alarm);
    let unit = unit_of(session, alarm);
    let name_role = if alarm.state == AlarmState::Alarm { Role::Strong } else { Role::Text };
    let mut left = look.line([
        (role, format!("{sign} {word} ").into()),
        (name_role, name.into()),
        (Role::Text, pad.into()),
        (if alarm.state == AlarmState::Alarm { Role::Danger } else { Role::Text }, value(session, alarm, unit).into()),
        (Role::Faint, bound(alarm, unit).into()),
        (Role::Faint, age(session, alarm, look).into()),
    ]);
    let spare = columns.saturating_sub(left.width() + 8);
    if ui.layout().charts == ChartForm::Sparkline && spare >= 14 {
        left.push_span(Span::raw("  "));
        left.push_span(spark((series, session), (spare - 4).min(30), look));
    } else if spare > 24 && alarm.state == AlarmState::Alarm {
        left.push_span(look.span(Role::Faint, format!("  {}", alarm.reason)));
    }
    let right = Line::from(look.span(Role::Faint, format!(" {:>3}", look.coarse_age(alarm.since))));
    (left, right)
}

fn spark((series, session): (Option<&Series>, &Session), columns: usize, look: &Look) -> Span<'static> {
    let Some(series) = series else { return Span::default() };
    let now = session.clock.at_aws(look.now);
    let (window, _) = recent(series, now);
    let window = moments::drawn(window, (now, look.pace));
    let present = look.present().map(|at| session.clock.at_aws(at));
    let chart = Chart { present, ..Chart::bare(series, window, (look.glyphs, look.markers)) };
    look.span(Role::Curve, chart.sparkline(columns))
}

fn state(alarm: &Alarm) -> (Role, &'static str, &'static str) {
    match alarm.state {
        AlarmState::Alarm => (Role::Danger, "!", alarm.severity.word()),
        AlarmState::Ok => (Role::Good, ".", "ok"),
        AlarmState::InsufficientData => (Role::Warning, "?", "no data"),
    }
}

fn value(session: &Session, alarm: &Alarm, unit: Unit) -> String {
    // A composite has none, and "no data" has said it already.
    let silent = alarm.metrics().is_empty() || alarm.state == AlarmState::InsufficientData;
    let unknown = || if silent { "" } else { "no value" }.to_owned();
    alarm_value(session, alarm).map_or_else(unknown, |valued| format::measure(valued.value, unit))
}

/// What instant the value is of, where that is not about now: ` @09:22Z`, ` 3d ago`.
fn age(session: &Session, alarm: &Alarm, look: &Look) -> String {
    let Some(Valued { at, .. }) = alarm_value(session, alarm) else { return String::new() };
    if format::seconds_since(look.now, at) <= VALUE_HOLDS_S {
        return String::new();
    }
    let zone = match &look.zone {
        format::Zone::Relative => &format::Zone::Utc,
        zone => zone,
    };
    if format::day(at, zone) == format::day(look.now, zone) {
        format!(" @{}", format::minute_clock(at, zone))
    } else {
        format!(" {} ago", format::coarse(format::seconds_since(look.now, at)))
    }
}

fn bound(alarm: &Alarm, unit: Unit) -> String {
    let comparison = match &alarm.rule {
        AlarmRule::Metric { comparison, .. } | AlarmRule::Math { comparison, .. } => *comparison,
        AlarmRule::Composite { .. } => return "composite".to_owned(),
    };
    let sign = match comparison {
        Comparison::Greater => ">",
        Comparison::GreaterOrEqual => ">=",
        Comparison::Less => "<",
        Comparison::LessOrEqual => "<=",
        Comparison::OutsideBand => return " outside its band".to_owned(),
    };
    match alarm.threshold() {
        Some(bound) => format!(" {sign}{}", format::measure(bound, unit)),
        // An anomaly band of which one side counts.
        None if alarm.has_band() => format!(" {sign}its band"),
        None => String::new(),
    }
}
