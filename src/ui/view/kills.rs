//! OOM kills as the screen tells them: the count with its completeness, never colour alone.

use ratatui::text::Span;

use super::look::Look;
use crate::domain::diagnosis::evidence::{Answer, Question};
use crate::domain::observation::log::Completeness;
use crate::domain::observation::oom_kill::OomCount;
use crate::session::Session;
use crate::session::incident::Incident;
use crate::ui::format::grouped;
use crate::ui::model::moments::kill_count;
use crate::ui::theme::Role;

/// The total, if it is exact.
pub fn exact(incident: &Incident) -> Option<u64> {
    kill_count(incident).filter(|count| count.completeness == Completeness::Exact).map(|count| count.total)
}

/// The count in words: `OOMKilled 14 exact`, `OOMKilled >=14 sampled`, `OOMKilled denied`.
pub fn words(session: &Session, incident: Option<&Incident>, look: &Look) -> Span<'static> {
    let Some(evidence) = incident.and_then(|incident| incident.answer_to(Question::OomKills)) else {
        let lines = session.logs.total.kills;
        return look.span(Role::Faint, format!("OOM lines {} (kills not counted yet)", grouped(lines)));
    };
    let least = look.sign("≥", ">=");
    let (role, text) = match (&evidence.answer, incident.and_then(kill_count)) {
        (Answer::Truncated { seen, of, .. }, Some(count)) => (Role::Warning, truncated(least, count, (*seen, *of))),
        (_, Some(count)) => told(least, count),
        (Answer::Absent, None) => (Role::Faint, "absent".to_owned()),
        (answer, None) => (Role::Warning, answer.completeness().to_owned()),
    };
    look.span(role, format!("OOMKilled {text}"))
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

fn truncated(least: &str, count: &OomCount, (seen, of): (u64, Option<u64>)) -> String {
    let of = of.map_or_else(String::new, |of| format!(" of {}", grouped(of)));
    format!("{least}{} in the first {}{of}", grouped(count.total), grouped(seen))
}
