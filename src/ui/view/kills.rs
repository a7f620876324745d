//! OOM kills as the screen tells them: the count with its completeness, never colour alone.

use jiff::Timestamp;
use ratatui::text::Span;

use super::look::Look;
use crate::domain::diagnosis::evidence::{Answer, Question};
use crate::domain::observation::log::Completeness;
use crate::domain::observation::oom_kill::OomCount;
use crate::session::Session;
use crate::session::incident::Incident;
use crate::ui::format::{self, grouped};
use crate::ui::model::moments::kill_count;
use crate::ui::theme::Role;

/// The total, if it is exact.
pub fn exact(incident: &Incident) -> Option<u64> {
    kill_count(incident).filter(|count| count.completeness == Completeness::Exact).map(|count| count.total)
}

/// The count in words: `OOMKilled 14 exact`, `OOMKilled >=14 sampled`, `OOMKilled denied`.
pub fn words(session: &Session, incident: Option<&Incident>, look: &Look) -> Span<'static> {
    let Some(evidence) = incident.and_then(|incident| incident.answer_to(Question::OomKills)) else {
        // Of its own groups: another incident's kills are none of this one.
        let own =
            |incident| session.log_groups(Some(incident)).into_iter().filter_map(|group| session.logs.group(group));
        let lines = incident.map_or(session.logs.total.kills, |i| own(i).map(|board| board.total.kills).sum());
        return look.span(Role::Faint, format!("OOM lines {} (kills not counted yet)", grouped(lines)));
    };
    let old = age((session, incident), evidence.answered_at, look) == Age::Old;
    let least = look.sign("≥", ">=");
    let (role, text) = match (&evidence.answer, incident.and_then(kill_count)) {
        (Answer::Truncated { seen, of, .. }, Some(count)) => (Role::Warning, truncated(least, count, (*seen, *of))),
        (_, Some(count)) => told(least, count),
        (Answer::Absent, None) => (Role::Faint, "absent".to_owned()),
        (answer, None) => (Role::Warning, answer.completeness().to_owned()),
    };
    // None by then is no good news of now.
    let role = if old && role == Role::Good { Role::Warning } else { role };
    look.span(role, format!("OOMKilled {text}"))
}

/// Whether a count is fit for a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Age {
    /// It is.
    Fresh,
    /// The policy would not decide by evidence of that age, or lines have told of kills since: it is no longer the number.
    Old,
}

fn age((session, incident): (&Session, Option<&Incident>), at: Timestamp, look: &Look) -> Age {
    let bound = i64::from(session.header.policy.evidence_max_age_s);
    if format::seconds_since(look.now, at) > bound || told_since(session, incident, at) { Age::Old } else { Age::Fresh }
}

/// Whether the incident's own lines tell of kills after an instant.
fn told_since(session: &Session, incident: Option<&Incident>, at: Timestamp) -> bool {
    let own = incident.map_or(&[][..], |incident| incident.service.log_groups.as_slice());
    own.iter().filter_map(|group| session.logs.group(group)).any(|board| board.histogram().kills_after(at) > 0)
}

/// When the kills were counted: ` 09:30:58Z`, and shorter ` 09:30Z`. Nothing counts them again by itself: ` ~08:50Z`.
pub fn counted_at(session: &Session, incident: Option<&Incident>, look: &Look) -> Option<(Age, [Span<'static>; 2])> {
    // Where nothing was counted, there is no time of it either.
    let at = incident.filter(|incident| kill_count(incident).is_some())?.answer_to(Question::OomKills)?.answered_at;
    let age = age((session, incident), at, look);
    let (role, sign) = match age {
        Age::Fresh => (Role::Faint, ""),
        Age::Old => (Role::Warning, "~"),
    };
    let told = |clock: String| look.span(role, format!(" {sign}{clock}"));
    Some((age, [told(look.clock(at)), told(format::minute_clock(at, &look.zone))]))
}

fn told(least: &str, count: &OomCount) -> (Role, String) {
    let total = grouped(count.total);
    match count.completeness {
        Completeness::Exact if count.total == 0 => (Role::Good, "0 exact".to_owned()),
        Completeness::Exact => (Role::Danger, format!("{total} exact")),
        Completeness::Truncated { seen, of } => (Role::Warning, truncated(least, count, (seen, of))),
        Completeness::Sampled { .. } => (Role::Warning, format!("{least}{total} sampled")),
    }
}

/// What was read in part; or between how many and how many they are, where of some that ended nobody says by what.
fn truncated(least: &str, count: &OomCount, (seen, of): (u64, Option<u64>)) -> String {
    if let (true, Some(most)) = (seen == count.total, of) {
        return format!("{} to {}", grouped(seen), grouped(most));
    }
    let of = of.map_or_else(String::new, |of| format!(" of {}", grouped(of)));
    format!("{least}{} in the first {}{of}", grouped(count.total), grouped(seen))
}
