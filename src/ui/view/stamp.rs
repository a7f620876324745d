//! The freshness of a pane: `live 4s`, `POLL 2s`, `STALE 3m12s`, `ERR AccessDenied`, `RETRY in 3.2s (2nd, Throttled)`, `off: why`.

use jiff::Timestamp;
use ratatui::text::{Line, Span};

use super::kills;
use super::look::Look;
use super::sheet::Sheet;
use crate::domain::fault::FaultKind;
use crate::session::Session;
use crate::session::feeds::{Feed, FeedHealth, FeedId, Following};
use crate::ui::format;
use crate::ui::model::{Pace, Showing};
use crate::ui::theme::Role;

/// Whether a feed has ever answered: before that a count of zero is no count.
pub fn has_answered(session: &Session, id: FeedId) -> bool {
    session.feeds.get(&id).is_some_and(|feed| feed.answered_at.is_some())
}

/// The age from which what a feed last said counts as old; `None` for feeds that speak only when something changes.
fn patience_s(feed: FeedId) -> Option<i64> {
    match feed {
        FeedId::Alarms | FeedId::Logs => Some(60),
        FeedId::Metrics => Some(180),
        FeedId::Workloads | FeedId::Model => None,
    }
}

/// Whether what a pane shows is no longer fed.
pub fn is_stale(session: &Session, id: FeedId, look: &Look) -> bool {
    is_stale_feed(&session.feed(id), id, look)
}

/// When a feed last answered, where what it said is old by now: what is counted of it elsewhere is told with its age.
pub fn stale_since(session: &Session, id: FeedId, look: &Look) -> Option<Timestamp> {
    let feed = session.feed(id);
    answered_at(&feed, look).filter(|_| is_stale_feed(&feed, id, look))
}

/// The same for one of the feeds of that kind.
pub fn is_stale_feed(feed: &Feed, id: FeedId, look: &Look) -> bool {
    match &feed.health {
        FeedHealth::Lost { .. } => true,
        FeedHealth::Live | FeedHealth::Retrying { .. } => is_old(feed, id, look),
        FeedHealth::Off { .. } | FeedHealth::Connecting => false,
    }
}

fn is_old(feed: &Feed, id: FeedId, look: &Look) -> bool {
    if look.showing == Showing::Journal {
        return false;
    }
    let age = feed.answered_at.map(|at| format::seconds_since(look.now, at));
    matches!((age, patience_s(id)), (Some(age), Some(patience)) if age > patience)
}

/// What a screen says of its feeds beyond their ages: how each is, and whether what it said is old. Two frames that differ
/// in it differ in what a person may rely on.
#[derive(Clone, Debug, PartialEq)]
pub struct Freshness {
    feeds: Vec<(FeedHealth, Following, Vec<String>, Old)>,
    counts: Vec<kills::Age>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Old {
    Yes,
    No,
}

impl Freshness {
    /// At an instant.
    pub(super) fn of(session: &Session, look: &Look) -> Self {
        let own = session.feeds.iter().map(|(id, feed)| (*id, feed.clone()));
        let services = session.service_feeds.values().map(|feed| (FeedId::Metrics, feed.clone()));
        let incidents = || std::iter::once(None).chain(session.incidents.values().map(Some));
        let logs = incidents().map(|incident| (FeedId::Logs, session.log_feed(incident)));
        let told = |(id, feed): (FeedId, Feed)| {
            let old = if is_old(&feed, id, look) { Old::Yes } else { Old::No };
            (feed.health, feed.following, feed.unreadable, old)
        };
        let counted = incidents().filter_map(|incident| kills::counted_at(session, incident, look));
        Self {
            feeds: own.chain(services).chain(logs).map(told).collect(),
            counts: counted.map(|(age, _)| age).collect(),
        }
    }
}

/// The stamp of a feed.
pub fn stamp(session: &Session, id: FeedId, look: &Look) -> Line<'static> {
    stamp_feed(&session.feed(id), id, look)
}

/// The stamp of one of the feeds of that kind, with what it lists and nobody could read.
pub fn stamp_feed(feed: &Feed, id: FeedId, look: &Look) -> Line<'static> {
    let mut stamp = health(feed, id, look);
    if !feed.unreadable.is_empty() {
        stamp.spans.insert(0, look.span(Role::Warning, format!("{} UNREADABLE ", feed.unreadable.len())));
    }
    stamp
}

/// When it answered last. Answers as before are in no journal: a replay knows of the first alone, and tells no age by it.
fn answered_at(feed: &Feed, look: &Look) -> Option<Timestamp> {
    match look.showing {
        Showing::Session => feed.answered_at,
        Showing::Journal => None,
    }
}

fn health(feed: &Feed, id: FeedId, look: &Look) -> Line<'static> {
    let age = answered_at(feed, look).map(|at| look.age(at));
    let old = is_old(feed, id, look);
    match &feed.health {
        FeedHealth::Off { why } => Line::from(look.span(Role::Stale, format!("off: {why}"))),
        FeedHealth::Connecting => Line::from(look.span(Role::Stale, "connecting")),
        FeedHealth::Live => live((feed, id), age, (old, look)),
        FeedHealth::Retrying { attempt, until, fault } => {
            let wait = look.wait(*until);
            let retry = format!("RETRY{wait} ({}, {})", format::ordinal(*attempt), fault.kind.word());
            Line::from(vec![stale(age.filter(|_| old), look), look.span(Role::Warning, retry)])
        }
        FeedHealth::Lost { fault } => {
            Line::from(vec![stale(age, look), look.span(Role::Danger, format!("ERR {}", fault.kind.word()))])
        }
    }
}

fn live((feed, id): (&Feed, FeedId), age: Option<String>, (old, look): (bool, &Look)) -> Line<'static> {
    if look.showing == Showing::Journal {
        return Line::from(look.span(Role::Faint, "as journaled"));
    }
    let age = match (look.pace, patience_s(id)) {
        // Until it is told as STALE it is younger than this: a bound that does not move while the feed answers.
        (Pace::Quiet, Some(patience)) if !old && age.is_some() => format!("<{}", format::coarse(patience)),
        _ => age.unwrap_or_default(),
    };
    if old {
        return Line::from(look.span(Role::Warning, format!("STALE {age}")));
    }
    if id != FeedId::Logs {
        return Line::from(look.span(Role::Good, format!("live {age}").trim_end().to_owned()));
    }
    // Logs are read by asking again or by a tail: the word says which.
    let (role, text) = match &feed.following {
        Following::Polled => (Role::Good, format!("POLL {age}")),
        Following::PolledInstead { why } => (Role::Warning, format!("POLL {age} ({why})")),
        Following::Tailed => (Role::Good, format!("TAIL {age}")),
        Following::Sampled { .. } => (Role::Warning, "TAIL SAMPLED, backfilling".to_owned()),
    };
    Line::from(look.span(role, text.trim_end().to_owned()))
}

fn stale(age: Option<String>, look: &Look) -> Span<'static> {
    age.map_or_else(Span::default, |age| look.span(Role::Warning, format!("STALE {age} ")))
}

/// What a pane without data says: what, since when, and the next key. Nothing if its feed is well.
pub fn explain(sheet: &mut Sheet<'_>, session: &Session, id: FeedId) {
    explain_feed(sheet, &session.feed(id), id);
}

/// The same for one of the feeds of that kind.
pub fn explain_feed(sheet: &mut Sheet<'_>, feed: &Feed, id: FeedId) {
    for (role, text) in told(feed, id, sheet.look) {
        sheet.wrapped(role, &text, 2);
    }
    if let FeedHealth::Lost { fault } = &feed.health {
        let keys = if fault.kind == FaultKind::Denied { "y copy the hint   r retry" } else { "r retry" };
        sheet.text(Role::Accent, keys);
    }
}

/// The same in words, without the keys of the screen.
pub fn words(feed: &Feed, id: FeedId, look: &Look) -> impl Iterator<Item = String> {
    told(feed, id, look).into_iter().map(|(_, text)| text)
}

fn told(feed: &Feed, id: FeedId, look: &Look) -> Vec<(Role, String)> {
    let mut lines: Vec<(Role, String)> =
        feed.unreadable.iter().take(3).map(|why| (Role::Warning, why.clone())).collect();
    match &feed.health {
        FeedHealth::Live => {}
        FeedHealth::Connecting => lines.push((Role::Stale, format!("{}: first answer outstanding.", id.word()))),
        FeedHealth::Off { why } => lines.push((Role::Stale, format!("{} off: {why}", id.word()))),
        FeedHealth::Retrying { attempt, until, fault } => {
            let wait = look.wait(*until);
            lines.push((Role::Warning, format!("{} Retry{wait} ({}).", fault.summary, format::ordinal(*attempt))));
        }
        FeedHealth::Lost { fault } => {
            let old = answered_at(feed, look);
            let text = old.map_or_else(
                || fault.summary.clone(),
                |at| format!("STALE {}: {} Showing the last data.", look.age(at), fault.summary),
            );
            lines.push((Role::Danger, text));
            lines.extend(fault.causes.iter().map(|cause| (Role::Faint, format!("cause: {cause}"))));
            lines.extend(fault.hints.iter().map(|hint| (Role::Text, format!("hint: {hint}"))));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fault::Fault;
    use crate::ui::model::Ui;

    #[test]
    fn a_replay_tells_no_age_that_nobody_wrote_down() {
        let now: Timestamp = "2026-05-01T09:40:00Z".parse().unwrap();
        let answered_at = Some(now - jiff::SignedDuration::from_mins(3));
        let lost = || FeedHealth::Lost { fault: Fault::new(FaultKind::Denied, "no") };
        let told = |showing, health| {
            let look = Look::of(&Ui { showing, ..Ui::default() }, now);
            stamp_feed(&Feed { health, answered_at, ..Feed::default() }, FeedId::Alarms, &look).to_string()
        };
        assert_eq!(told(Showing::Session, FeedHealth::Live), "STALE 3m00s");
        assert_eq!(told(Showing::Journal, FeedHealth::Live), "as journaled");
        assert_eq!(told(Showing::Session, lost()), "STALE 3m00s ERR AccessDenied");
        assert_eq!(told(Showing::Journal, lost()), "ERR AccessDenied", "what failed is in the journal");
    }
}
