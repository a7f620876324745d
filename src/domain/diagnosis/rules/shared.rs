//! Tests that several causes share, each worded once.

use jiff::{SignedDuration, Timestamp};

use super::case::Outcome;
use super::reading::{Cpu, Level, Logs, Reading, Rise};
use crate::domain::count::{counted, either};
use crate::domain::diagnosis::evidence::{EvidenceId, Question, number};
use crate::domain::diagnosis::statistics::{Onset, SameHours, Shape, lead};
use crate::domain::observation::change::{Change, ChangeKind};
use crate::domain::observation::cluster_sign::Trouble;
use crate::domain::observation::log_sign::LogSign;
use crate::domain::observation::workload::Revision;

/// Requests up to so many times the level before are normal.
pub(super) const NORMAL: f64 = 1.5;
/// From so many times on, requests have surged.
pub(super) const SURGE: f64 = 2.0;
/// Percent of its limit from which a processor counts as standing there.
pub(super) const PINNED: f64 = 95.0;
/// Fewer lines of a sign are a hiccup, unless there are hardly any lines.
const LINES: u64 = 5;
const FEW: u64 = 2;
/// A rollout so long before the first sign of trouble may have caused it.
const AFTERMATH: SignedDuration = SignedDuration::from_mins(30);
/// Of what began before this, a window and the one before it would not show the beginning.
const LATELY: SignedDuration = SignedDuration::from_hours(2);

pub(super) fn times(level: &Level) -> String {
    format!("{}, {} before and {} now", level.ratio.words(), number(level.ratio.before), number(level.ratio.now))
}

/// Supports when requests are as before.
pub(super) fn traffic_did_not_rise(reading: &Reading) -> Outcome {
    let Some(traffic) = &reading.traffic else { return Outcome::Open };
    let ids = vec![traffic.id];
    // What is told of requests must reach to when the processor was high already, and must not be about to change.
    let high_at = reading.cpu.as_ref().and_then(|cpu| cpu.onset).filter(|onset| onset.after > onset.before);
    let ends_before = high_at.is_some_and(|onset| traffic.until <= onset.at);
    if traffic.ratio.times < NORMAL && (traffic.turns_up || ends_before) {
        Outcome::Open
    } else if traffic.ratio.times < NORMAL {
        Outcome::For(format!("requests did not rise ({})", times(traffic)), ids)
    } else if traffic.ratio.times >= SURGE {
        Outcome::Against(format!("requests rose ({})", times(traffic)), ids)
    } else {
        Outcome::Open
    }
}

/// Supports when requests are as before, or rose as they do at these hours. What fills memory may be either: its causes
/// ask for [`traffic_did_not_rise`].
pub(super) fn traffic_is_normal(reading: &Reading) -> Outcome {
    match (&reading.traffic, reading.usual(Question::Traffic)) {
        (Some(traffic), Some(hours)) if traffic.ratio.times >= NORMAL => {
            Outcome::For(format!("requests rose as they do at these hours ({})", days_words(hours)), vec![traffic.id])
        }
        (_, _) => traffic_did_not_rise(reading),
    }
}

/// The same for what may be felt first: requests that rise after they began to fail or to take long are asked again, and are
/// no reason for it. Where nobody can tell which came first, nothing is said.
pub(super) fn traffic_is_no_reason(reading: &Reading) -> Outcome {
    match (traffic_is_normal(reading), retried(reading)) {
        (Outcome::Against(..) | Outcome::Open, Some((text, ids))) => Outcome::For(text, ids),
        (Outcome::Against(..), None) if perhaps_retried(reading) => Outcome::Open,
        (outcome, _) => outcome,
    }
}

/// Whether what requests feel and their rise began together, as far as it can be told.
pub(super) fn perhaps_retried(reading: &Reading) -> bool {
    let together =
        |level: &Level, traffic: &Level| matches!(order(level.onset, traffic.onset), Some(Order::Together(_)));
    let traffic = reading.traffic.as_ref();
    traffic.is_some_and(|traffic| felt(reading).into_iter().any(|(level, _)| together(level, traffic)))
}

/// What requests feel, where it began before more of them came.
pub(super) fn retried(reading: &Reading) -> Option<(String, Vec<EvidenceId>)> {
    let traffic = reading.traffic.as_ref().filter(|traffic| traffic.ratio.times >= NORMAL)?;
    felt(reading).into_iter().find_map(|(level, words)| match order(level.onset, traffic.onset)? {
        Order::First(minutes) => {
            let text = format!("requests {words} {minutes} min before more of them came: they are asked again");
            Some((text, vec![level.id, traffic.id]))
        }
        Order::Second(_) | Order::Together(_) => None,
    })
}

/// What requests feel, in words: failures, and response times.
pub(super) fn felt(reading: &Reading) -> Vec<(&Level, &'static str)> {
    let errors = reading.errors.as_ref().filter(|errors| errors.errors_rose(reading.traffic.as_ref()));
    let latency = reading.latency.as_ref().filter(|latency| latency.latency_rose());
    errors.map(|level| (level, "began to fail")).into_iter().chain(latency.map(|level| (level, "took long"))).collect()
}

/// `3,912 on 4 days before, 3,894 now`.
pub(super) fn days_words(hours: &SameHours) -> String {
    format!("{} on {} before, {} now", number(hours.usual), counted(hours.days, "day"), number(hours.now))
}

/// Supports when no container was killed, and that is sure: of what ends by errors again and again a status keeps the last
/// end only, and those before were no kills where memory was never near its limit.
pub(super) fn nothing_was_killed(reading: &Reading) -> Outcome {
    match &reading.kills {
        Some(kills) if kills.total > 0 => Outcome::Against(counted(kills.total, "OOM kill"), vec![kills.id]),
        Some(kills) if kills.sure => Outcome::For("no OOM kill in the window".to_owned(), vec![kills.id]),
        Some(kills) => match reading.room_throughout().filter(|_| kills.unseen) {
            Some(memory) => {
                let text =
                    format!("no OOM kill is seen, and memory peaked at {}% of its limit", number(memory.shape.peak));
                Outcome::For(text, vec![kills.id, memory.id])
            }
            None => Outcome::Open,
        },
        None => Outcome::Open,
    }
}

/// Why no rollout is out of the question, in words; `None` where it is not known: they were not read, or the trouble began
/// at a time that nobody knows. Then only those so old that what follows would be seen whole are out of the question.
fn none_is_near(reading: &Reading) -> Option<&'static str> {
    let revisions = &reading.changes.as_ref()?.revisions;
    let running = revisions.iter().max_by_key(|revision| revision.number)?;
    came_at(reading, running)?;
    let newest = revisions.iter().filter_map(|revision| came_at(reading, revision)).max()?;
    if reading.trouble().is_some() && !reading.began_unseen() && !reading.signs_are_withheld() {
        return Some("no rollout in the half hour before the onset");
    }
    (reading.until().duration_since(newest) > LATELY).then_some("no rollout in the last two hours")
}

/// Supports when no rollout came right before any sign of trouble.
pub(super) fn no_rollout_before(reading: &Reading) -> Outcome {
    let Some(changes) = &reading.changes else { return Outcome::Open };
    let suspect = reading.onsets().into_iter().find_map(|onset| suspect_before(reading, onset));
    match (suspect, none_is_near(reading)) {
        (Some((revision, minutes)), _) => Outcome::Against(came_before(revision, minutes), vec![changes.id]),
        (None, Some(words)) => Outcome::For(words.to_owned(), vec![changes.id]),
        (None, None) => Outcome::Open,
    }
}

/// Supports when a rollout that changed anything came right before what is felt.
pub(super) fn rollout_before(reading: &Reading) -> Outcome {
    let Some(changes) = &reading.changes else { return Outcome::Open };
    match (suspect_deploy(reading), none_is_near(reading)) {
        (Some((revision, _)), _) if is_restart(revision, &changes.revisions) => Outcome::Open,
        (Some((revision, minutes)), _) => Outcome::For(came_before(revision, minutes), vec![changes.id]),
        (None, Some(words)) => Outcome::Against(words.to_owned(), vec![changes.id]),
        (None, None) => Outcome::Open,
    }
}

fn came_before(revision: &Revision, minutes: i64) -> String {
    format!("revision {} came {}", revision.number, before_onset(minutes))
}

/// The rollout that came right before the first sign of trouble, with the minutes between.
pub(super) fn suspect_rollout(reading: &Reading) -> Option<(&Revision, i64)> {
    suspect_before(reading, reading.trouble()?)
}

/// The rollout that came right before what is felt began: a small rise of something before it hides nothing.
pub(super) fn suspect_deploy(reading: &Reading) -> Option<(&Revision, i64)> {
    suspect_before(reading, reading.symptom()?)
}

/// Minutes from a rollout to each sign of trouble that came right after it, the first sign's before the others'.
pub(super) fn minutes_from_rollouts(reading: &Reading) -> Vec<i64> {
    let onsets = reading.onsets();
    let mut minutes: Vec<i64> = onsets.iter().filter_map(|onset| Some(suspect_before(reading, *onset)?.1)).collect();
    minutes.dedup();
    minutes
}

fn suspect_before(reading: &Reading, onset: Timestamp) -> Option<(&Revision, i64)> {
    let revisions = &reading.changes.as_ref()?.revisions;
    revisions
        .iter()
        .rev()
        .find_map(|revision| Some((revision, minutes_before(reading, onset, came_at(reading, revision)?)?)))
}

/// Minutes from what was done to a sign of trouble that may have followed it: at most half an hour, and 0 where it was done
/// within the period that the sign is dated by. What came after that period is no cause.
fn minutes_before(reading: &Reading, sign: Timestamp, done: Timestamp) -> Option<i64> {
    let before = sign.duration_since(done);
    let follows = !before.is_negative() || (before + reading.period_of(sign)).is_positive();
    (follows && before <= AFTERMATH).then(|| before.as_mins().max(0))
}

/// `7 min before the onset`; where the points do not tell them apart, `with the onset, …`.
pub(super) fn before_onset(minutes: i64) -> String {
    match minutes {
        0 => "with the onset, as near as its points tell".to_owned(),
        minutes => format!("{minutes} min before the onset"),
    }
}

/// When a revision came. A rollback takes an old replica set again, whose creation says nothing of it: its first pod does.
pub(super) fn came_at(reading: &Reading, revision: &Revision) -> Option<Timestamp> {
    let (made, all) = (revision.created_at?, &reading.changes.as_ref()?.revisions);
    if !is_rollback(revision, all) {
        return Some(made);
    }
    let of_it = format!("{}-", revision.replica_set);
    let place = reading.workload.as_ref()?;
    let pods = place.pods.iter().filter(|pod| pod.name.starts_with(&of_it)).filter_map(|pod| pod.created_at);
    pods.min().map(|first| first.max(made))
}

/// Whether a revision is an older one that was taken again.
pub(super) fn is_rollback(revision: &Revision, all: &[Revision]) -> bool {
    let younger = |other: &Revision| other.number < revision.number && other.created_at > revision.created_at;
    !revision.earlier.is_empty() || all.iter().any(younger)
}

/// Whether a revision changed nothing that its pods run by: a restart is stamped on the template, and makes a revision.
pub(super) fn is_restart(revision: &Revision, all: &[Revision]) -> bool {
    let same = |before: &Revision| before.images == revision.images;
    revision.changed.is_empty() && ran_before(revision, all).is_some_and(same)
}

/// The revision that ran before another. A rollback gives an old one a new number, so the numbers it had count as well.
pub(super) fn ran_before<'a>(revision: &Revision, all: &'a [Revision]) -> Option<&'a Revision> {
    let others = all.iter().filter(|other| other.number != revision.number);
    let before = others.filter_map(|other| Some((other.numbers().filter(|n| *n < revision.number).max()?, other)));
    before.max_by_key(|(number, _)| *number).map(|(_, other)| other)
}

/// The revision that runs in place of one that was rolled back: numbered after it, and made before it.
pub(super) fn rolled_back_to<'a>(revision: &Revision, all: &'a [Revision]) -> Option<&'a Revision> {
    let is_older = |other: &Revision| other.created_at.is_some_and(|at| revision.created_at.is_some_and(|of| at < of));
    all.iter().filter(|other| other.number > revision.number && is_older(other)).max_by_key(|other| other.number)
}

/// The change beside rollouts that came last before the first sign of trouble, with the minutes between: what somebody
/// changed, or what happened to nodes.
pub(super) fn suspect_change(reading: &Reading, of: impl Fn(ChangeKind) -> bool) -> Option<(&Change, i64)> {
    let trouble = reading.trouble()?;
    let others = &reading.changes.as_ref()?.others;
    others
        .iter()
        .rev()
        .filter(|change| of(change.kind))
        .find_map(|change| Some((change, minutes_before(reading, trouble, change.at?)?)))
}

/// Which of two rises came first, as far as it may be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// The first, by so many whole minutes.
    First(i64),
    /// The second, by so many.
    Second(i64),
    /// Nobody knows: the first is ahead by so many minutes (behind where negative), which is less than they are known by.
    Together(i64),
}

impl Order {
    /// Minutes by which the first is ahead, negative where it is behind.
    pub(super) fn minutes(self) -> i64 {
        match self {
            Self::First(minutes) | Self::Together(minutes) => minutes,
            Self::Second(minutes) => -minutes,
        }
    }
}

/// The order of two rises, where both rose. It is told where it is sure, 19 times of 20 (`Lead::SURE`).
pub(super) fn order(first: Option<Onset>, second: Option<Onset>) -> Option<Order> {
    let rising = |onset: &Onset| onset.after > onset.before;
    let lead = lead(&first.filter(rising)?, &second.filter(rising)?);
    let minutes = lead.minutes.round() as i64;
    Some(match minutes {
        1.. if lead.is_sure() => Order::First(minutes),
        ..=-1 if lead.is_sure() => Order::Second(-minutes),
        i64::MIN..=i64::MAX => Order::Together(minutes),
    })
}

/// The rise of the collector against that of the processor: what makes the processor a secondary effect.
pub(super) fn collector_and_cpu(reading: &Reading) -> Option<(Order, Vec<EvidenceId>)> {
    let (collector, cpu) = (reading.collector.as_ref()?, reading.cpu.as_ref()?);
    let order = order(collector.time.as_ref()?.onset, cpu.onset)?;
    Some((order, vec![collector.id, cpu.id]))
}

/// Whether the collector's time is out of the ordinary: a fifth of all time, or three times as much as before and a tenth.
pub(super) fn collector_works_hard(time: &Level) -> bool {
    time.ratio.now >= 20.0 || (time.ratio.times >= 3.0 && time.ratio.now >= 10.0)
}

/// Supports when memory keeps its level; against it when memory grows or stands at the limit.
pub(super) fn memory_does_not_grow(reading: &Reading) -> Outcome {
    let Some(memory) = &reading.memory else { return Outcome::Open };
    let (peak, ids) = (number(memory.shape.peak), vec![memory.id]);
    match memory.shape.shape {
        Shape::Rising | Shape::RisingInEachLife => Outcome::Against("memory grows".to_owned(), ids),
        Shape::AtTheBrim => Outcome::Against(format!("memory stands at its limit (peak {peak}%)"), ids),
        Shape::Flat | Shape::Falling => Outcome::For(format!("memory does not grow (peak {peak}%)"), ids),
        Shape::Unclear => Outcome::Open,
    }
}

/// A peak of the processor that comes at these hours: below its limit, and nobody who asks suffers. It is known by the days
/// before, and by requests that are known to be well.
pub(super) fn daily_peak(reading: &Reading) -> Option<&SameHours> {
    let well = matches!(requests_are_well(reading), Outcome::For(..));
    let below = reading.cpu.as_ref().is_some_and(|cpu| cpu.lately < PINNED);
    reading.usual(Question::Cpu).filter(|_| well && below)
}

/// Whether the processor is high now. One that comes back below its threshold each time is not: its alarm flaps. One that
/// is as high at these hours of every day is not either.
pub(super) fn cpu_is_high(reading: &Reading) -> bool {
    if daily_peak(reading).is_some() {
        return false;
    }
    let flaps = reading
        .alarmed
        .as_ref()
        .is_some_and(|alarmed| alarmed.question == Question::Cpu && alarmed.flaps() && alarmed.stays_near());
    !flaps && reading.cpu.as_ref().is_some_and(Cpu::is_high)
}

/// What requests feel: supports when failures or response times rose, against it when both are known not to have.
/// `None` where neither was read.
pub(super) fn requests_suffer(reading: &Reading) -> Option<Outcome> {
    let (errors, latency) = (reading.errors.as_ref(), reading.latency.as_ref());
    if let Some(errors) = errors.filter(|errors| errors.errors_rose(reading.traffic.as_ref())) {
        return Some(Outcome::For(format!("failed requests rose ({})", times(errors)), vec![errors.id]));
    }
    if let Some(latency) = latency.filter(|latency| latency.latency_rose()) {
        return Some(Outcome::For(format!("answers take longer ({})", times(latency)), vec![latency.id]));
    }
    let ids: Vec<EvidenceId> = errors.iter().chain(latency.iter()).map(|level| level.id).collect();
    // Half of the answer is none: answers in time may be failures, and what was asked and is missing may be what suffers.
    let unread = |read: Option<&Level>, question| read.is_none() && reading.was_asked(question);
    if perhaps_they_suffer(reading) || errors.is_none() || unread(latency, Question::Latency) {
        return (!ids.is_empty()).then_some(Outcome::Open);
    }
    (!ids.is_empty()).then(|| Outcome::Against("requests do not suffer".to_owned(), ids))
}

/// Whether something that requests may feel rose by what is neither much nor little, or in a unit that nobody tells.
pub(super) fn perhaps_they_suffer(reading: &Reading) -> bool {
    reading.errors.as_ref().is_some_and(|errors| errors.failures() == Rise::Perhaps)
        || reading.latency.as_ref().is_some_and(|latency| latency.response() == Rise::Perhaps)
}

/// Which of the two that requests feel is asked and not answered; failures where both are, or none.
pub(super) fn unfelt(reading: &Reading) -> Question {
    let missing = |question| reading.was_asked(question) && !reading.has(question);
    if !missing(Question::Errors) && missing(Question::Latency) { Question::Latency } else { Question::Errors }
}

/// The same from the other side: supports when requests do not suffer.
pub(super) fn requests_are_well(reading: &Reading) -> Outcome {
    match requests_suffer(reading) {
        Some(Outcome::For(text, ids)) => Outcome::Against(text, ids),
        Some(Outcome::Against(text, ids)) => Outcome::For(text, ids),
        Some(outcome @ (Outcome::Open | Outcome::Moot)) => outcome,
        None => Outcome::Open,
    }
}

/// Supports when every pod that is wanted is ready.
pub(super) fn pods_are_ready(reading: &Reading) -> Outcome {
    let Some(place) = &reading.workload else { return Outcome::Open };
    let Some(text) = place.told_ready() else { return Outcome::Open };
    if place.is_whole() { Outcome::For(text, vec![place.id]) } else { Outcome::Against(text, vec![place.id]) }
}

/// Supports when every container that is wanted comes up and stays.
pub(super) fn containers_come_up(reading: &Reading) -> Outcome {
    let Some(place) = &reading.workload else { return Outcome::Open };
    match place.stuck().first() {
        Some(first) => Outcome::Against(format!("{} does not come up ({})", first.name, first.state), vec![place.id]),
        None => Outcome::For("every container came up".to_owned(), vec![place.id]),
    }
}

/// What tells that containers are killed before they could serve: too fast for a leak, whatever the traffic.
pub(super) fn killed_at_start(reading: &Reading) -> Option<(String, Vec<EvidenceId>)> {
    let place = reading.workload.as_ref()?;
    if let Some(sign) = place.sign(Trouble::LimitTooSmall) {
        return Some((format!("{} ({})", sign.trouble.words(), sign.text), vec![place.id]));
    }
    // A status keeps the last end for ever: what the count of the window does not hold is over.
    if reading.kills.as_ref().is_some_and(|kills| kills.sure && kills.total == 0) {
        return None;
    }
    if let Some(life) = place.killed_at_start() {
        return Some((
            format!("containers are killed within {} s of each start", life.as_secs().max(1)),
            vec![place.id],
        ));
    }
    let restarts = place.killed_and_backed_off().filter(|_| !reading.was_asked(Question::Memory))?;
    let times = counted(restarts, "time");
    let text = format!("containers were killed for their memory {times}, each time within minutes of the start");
    Some((text, vec![place.id]))
}

/// `1 log line tells`, `3 log lines tell`: so many, with the verb of one and that of many.
pub(super) fn lines(count: u64, [one, many]: [&'static str; 2]) -> String {
    format!("{} {}", counted(count, "log line"), either(count, one, many))
}

/// Lines of a sign that count: so many, or, of an export of a few lines, two and no small part of them.
pub(super) fn tell_of(logs: &Logs, sign: LogSign) -> Option<u64> {
    let lines = logs.sign(sign).map_or(0, |count| count.lines);
    let many = lines >= LINES && lines * 5 >= logs.errors;
    let of_few = lines >= FEW && lines * 2 >= logs.errors && lines * 5 >= logs.lines;
    (many || of_few).then_some(lines)
}

#[cfg(test)]
mod tests {
    use super::super::tests::fixture::{Incident, now};
    use super::*;
    use crate::domain::diagnosis::statistics::onset;
    use crate::domain::diagnosis::statistics::tests::{jitter, points};
    use crate::domain::observation::metric::Point;

    #[test]
    fn what_came_within_the_period_of_an_onset_may_have_caused_it_and_what_came_after_has_not() {
        let start = points([0.0])[0].at;
        let at = |minute: i64| start + SignedDuration::from_mins(minute);
        let hot = |minute: i64| Point { at: at(minute), value: if minute >= 0 { 97.0 } else { 43.0 } };
        let suspect = |period: i64, rollout: i64| {
            let mut reading = Reading::of(&Incident::healthy().rollout(rollout).evidence(), now());
            let cpu: Vec<Point> = (-20..12).map(|n| hot(n * period)).collect();
            reading.cpu.as_mut().unwrap().onset = onset(&cpu, &[]);
            suspect_rollout(&reading).map(|(_, minutes)| minutes)
        };
        for (period, rollout, expected) in [
            (1, -3, Some(3)),
            (1, 0, Some(0)),
            (1, 1, None),
            (1, 2, None),
            (5, 3, Some(0)),
            (5, 5, None),
            (5, -31, None),
        ] {
            assert_eq!(suspect(period, rollout), expected, "points by {period} min, rolled out in minute {rollout}");
        }
    }

    #[test]
    fn an_order_is_told_where_it_is_sure() {
        let step = |at: usize| onset(&points((0..40).map(|n| if n >= at { 60.0 } else { 3.0 } + 0.2 * jitter(n))), &[]);
        let ramp = |from: usize| {
            let risen = |n: usize| n.saturating_sub(from).min(14) as f64 * 5.0;
            onset(&points((0..40).map(move |n| 3.0 + risen(n) + 0.2 * jitter(n))), &[])
        };
        assert_eq!(order(step(15), step(21)), Some(Order::First(6)));
        assert_eq!(order(step(21), step(15)), Some(Order::Second(6)));
        assert_eq!(order(step(15), step(15)), Some(Order::Together(0)));
        assert_eq!(order(step(15), step(16)), Some(Order::Together(1)));
        assert_eq!(order(ramp(14), ramp(12)), Some(Order::Together(-2)));
        assert_eq!(order(step(15), None), None);
        assert_eq!(Order::Second(6).minutes(), -6);
    }
}
