//! Pane 1 for who listens: an alarm a line, each thing after its name.

use super::{age, unit_of, value};
use crate::domain::count::{counted, either};
use crate::domain::observation::alarm::{Alarm, AlarmRule, AlarmState, Comparison};
use crate::domain::observation::metric::Unit;
use crate::session::Session;
use crate::session::feeds::FeedId;
use crate::ui::format;
use crate::ui::model::{Ui, rows};
use crate::ui::view::look::Look;
use crate::ui::view::stamp;

/// The lines: every alarm that fires, and so many of the others.
pub fn words((ui, session): (&Ui, &Session), (most, look): (usize, &Look)) -> Vec<String> {
    let stamp = stamp::stamp(session, FeedId::Alarms, look);
    let (firing, of) = (session.firing().len(), session.alarms.len());
    let mut lines = vec![format!("Alarms: {firing} of {of} fire. Feed: {stamp}.")];
    lines.extend(stamp::words(&session.feed(FeedId::Alarms), FeedId::Alarms, look));
    let shown = rows::alarms(ui, session);
    if shown.is_empty() && of > 0 {
        lines.push("No alarm has that in its row.".to_owned());
    }
    let fires = shown.iter().filter(|alarm| alarm.state == AlarmState::Alarm).count();
    lines.extend(shown.iter().take(fires + most).map(|alarm| one(alarm, session, look)));
    let more = shown.len().saturating_sub(fires + most);
    if more > 0 {
        lines.push(format!("{} that {} not fire.", counted(more, "more alarm"), either(more, "does", "do")));
    }
    lines
}

fn one(alarm: &Alarm, session: &Session, look: &Look) -> String {
    let unit = unit_of(session, alarm);
    let state = match alarm.state {
        AlarmState::Alarm => format!("{}, firing", alarm.severity.word()),
        AlarmState::Ok => "ok".to_owned(),
        AlarmState::InsufficientData => "no data".to_owned(),
    };
    let (since, held) = (look.instant(alarm.since), look.coarse_age(alarm.since));
    let value = match value(session, alarm, unit) {
        none if none.is_empty() => String::new(),
        value => format!(" Value {value}{}.", age(session, alarm, look)),
    };
    let reason = if alarm.state == AlarmState::Alarm { reason(alarm) } else { String::new() };
    format!("{}: {state} since {since}, {held}.{value} {}.{reason}", alarm.name, bound(alarm, unit))
}

fn reason(alarm: &Alarm) -> String {
    let text = alarm.reason.trim();
    if text.is_empty() { String::new() } else { format!(" Reason: {text}") }
}

fn bound(alarm: &Alarm, unit: Unit) -> String {
    let comparison = match &alarm.rule {
        AlarmRule::Metric { comparison, .. } | AlarmRule::Math { comparison, .. } => *comparison,
        AlarmRule::Composite { .. } => return "Fires by other alarms".to_owned(),
    };
    let side = match comparison {
        Comparison::Greater => "above",
        Comparison::GreaterOrEqual => "at or above",
        Comparison::Less => "below",
        Comparison::LessOrEqual => "at or below",
        Comparison::OutsideBand => return "Fires outside its band".to_owned(),
    };
    let bound = alarm.threshold().map_or_else(|| "its band".to_owned(), |bound| format::measure(bound, unit));
    format!("Fires {side} {bound}")
}
