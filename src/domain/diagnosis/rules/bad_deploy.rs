//! Bad deploy: the trouble began right after a rollout, at ordinary traffic, with containers that run. A rollout that
//! merely lies near the onset is told by what else moved: traffic, memory, a dependency, the pods of the revision before.

use jiff::Timestamp;

use super::case::{Case, Need, Outcome};
use super::reading::Reading;
use super::shared;
use crate::domain::diagnosis::evidence::Question;
use crate::domain::diagnosis::verdict::Cause;
use crate::domain::observation::change::ChangeKind;
use crate::domain::observation::log_sign::LogSign;

/// Lines of a template of errors from which it counts.
const LINES: u64 = 3;

pub(super) fn weigh(reading: &Reading) -> Case {
    Case::new(Cause::BadDeploy)
        .test(Question::Changes, 0.4, Need::Essential, shared::rollout_before(reading))
        .test(shared::unfelt(reading), 0.2, Need::Essential, suffering(reading))
        .test(Question::Traffic, 0.15, Need::Essential, shared::traffic_is_no_reason(reading))
        .test(Question::Memory, 0.1, Need::Essential, no_leak(reading))
        .test(Question::OomKills, 0.05, Need::Excluding, shared::nothing_was_killed(reading))
        .test(Question::Workload, 0.1, Need::Excluding, shared::containers_come_up(reading))
        .test(Question::Changes, 0.1, Need::Helpful, image(reading))
        .test(Question::Changes, 0.1, Need::Helpful, other_change(reading))
        .test(Question::LogPatterns, 0.15, Need::Helpful, new_errors(reading))
        .test(Question::LogPatterns, 0.4, Need::Helpful, no_dependency(reading))
}

/// Memory that grows is a leak, whoever brought it; the rollout then speaks for the rollback among its remedies.
fn no_leak(reading: &Reading) -> Outcome {
    match &reading.memory {
        Some(memory) if memory.grows() => {
            Outcome::Against("memory grows: a leak, whoever brought it".to_owned(), vec![memory.id])
        }
        Some(memory) => Outcome::For("memory does not grow".to_owned(), vec![memory.id]),
        None => Outcome::Open,
    }
}

fn image(reading: &Reading) -> Outcome {
    let Some(changes) = &reading.changes else { return Outcome::Open };
    let Some((suspect, _)) = shared::suspect_deploy(reading) else { return Outcome::Moot };
    match shared::ran_before(suspect, &changes.revisions) {
        Some(before) if before.images != suspect.images => {
            Outcome::For(format!("it changed the image of revision {}", before.number), vec![changes.id])
        }
        Some(before) => Outcome::Against(format!("it runs the images of revision {}", before.number), vec![changes.id]),
        None => Outcome::Against("there is no earlier revision".to_owned(), vec![changes.id]),
    }
}

/// What else was changed right before the onset, with what it changed.
fn other_change(reading: &Reading) -> Outcome {
    let by_somebody = |kind| kind != ChangeKind::Node;
    let (Some(changes), Some((change, minutes))) = (&reading.changes, shared::suspect_change(reading, by_somebody))
    else {
        return Outcome::Moot;
    };
    Outcome::For(format!("{} came {}", change.words(), shared::before_onset(minutes)), vec![changes.id])
}

/// Something must be worse than before: failures, response times, the processor, pods.
fn suffering(reading: &Reading) -> Outcome {
    let felt = shared::requests_suffer(reading);
    if let Some(Outcome::For(..)) = felt {
        return felt.unwrap_or(Outcome::Open);
    }
    if let Some(cpu) = reading.cpu.as_ref().filter(|_| shared::cpu_is_high(reading)) {
        return Outcome::For("CPU is high since".to_owned(), vec![cpu.id]);
    }
    match &reading.workload {
        Some(place) if !place.is_whole() => shared_lack(reading),
        Some(_) | None => felt.unwrap_or(Outcome::Open),
    }
}

fn shared_lack(reading: &Reading) -> Outcome {
    match shared::pods_are_ready(reading) {
        Outcome::Against(text, ids) => Outcome::For(text, ids),
        other @ (Outcome::For(..) | Outcome::Open | Outcome::Moot) => other,
    }
}

/// Errors that the logs did not know before the rollout.
fn new_errors(reading: &Reading) -> Outcome {
    let (Some(logs), Some(since)) = (&reading.logs, rolled_out_at(reading)) else { return Outcome::Open };
    let new = logs.loud.iter().filter(|template| template.count >= LINES && template.first_at >= since).count();
    let old = logs.loud.iter().filter(|template| template.count >= LINES && template.first_at < since).count();
    match (new, old) {
        (0, 0) => Outcome::Open,
        (0, old) => Outcome::Against(format!("its {old} kinds of errors were there before the rollout"), vec![logs.id]),
        (new, _) => Outcome::For(format!("{new} kinds of errors are new since the rollout"), vec![logs.id]),
    }
}

/// Errors that name another service began there, rollout or not.
fn no_dependency(reading: &Reading) -> Outcome {
    let Some(logs) = &reading.logs else { return Outcome::Open };
    match shared::tell_of(logs, LogSign::Dependency) {
        Some(lines) => {
            Outcome::Against(format!("{} a failing dependency", shared::lines(lines, ["names", "name"])), vec![logs.id])
        }
        None => Outcome::Moot,
    }
}

fn rolled_out_at(reading: &Reading) -> Option<Timestamp> {
    shared::came_at(reading, shared::suspect_deploy(reading)?.0)
}

#[cfg(test)]
mod tests {
    use super::super::tests::fixture::{Incident, Stand, now, table};
    use super::*;
    use crate::domain::diagnosis::evidence::{self, Answer, OtherChanges, Payload};
    use crate::domain::diagnosis::rules::judge;
    use crate::domain::observation::oom_kill::{KillSource, OomCount};

    fn regression() -> Incident {
        Incident::healthy().rollout(6).errors_from(8, 120.0)
    }

    #[test]
    fn a_deploy_is_to_blame_where_what_is_new_followed_it() {
        let hot = || (0..30).map(|n| if n >= 8 { 97.0 } else { 43.0 });
        let step = |n: u32, to: f64| {
            if n >= 8 {
                to
            } else if n >= 3 {
                49.0
            } else {
                43.0
            }
        };
        let bump = |to: f64| Incident::healthy().rollout(6).cpu((0..30).map(|n| step(n, to) + 0.01 * f64::from(n % 3)));
        let slow = Incident::healthy().rollout(6).latency_from(8, 1.9);
        let surge = regression().traffic((0..30).map(|n| if n >= 5 { 9_900.0 } else { 1_240.0 }));
        table(
            weigh,
            &[
                ("requests fail since", regression(), Stand::Holds),
                ("answers are slow since", slow, Stand::Holds),
                ("processor high since", Incident::healthy().rollout(6).cpu(hot()), Stand::Holds),
                ("errors are new since", regression().new_error(9), Stand::Holds),
                (
                    "a Helm release came with it",
                    regression().other_change(ChangeKind::HelmRelease, 5).new_error(9),
                    Stand::Holds,
                ),
                ("a node went away as well", regression().other_change(ChangeKind::Node, 5).new_error(9), Stand::Holds),
                (
                    "a config map alone is no rollout",
                    regression().rollout(-200).other_change(ChangeKind::ConfigMap, 5),
                    Stand::RuledOut,
                ),
                ("nothing suffers", Incident::healthy().rollout(6), Stand::RuledOut),
                ("rollout hours ago", regression().rollout(-200), Stand::RuledOut),
                ("rollout after the onset", regression().rollout(20), Stand::RuledOut),
                ("a small rise of the processor before it", bump(49.0).errors_from(8, 120.0), Stand::Holds),
                ("a small rise of the processor before the great one", bump(97.0), Stand::Holds),
                ("a restart alone", regression().restarted(6), Stand::Waits(Question::Changes)),
                ("requests rose", surge, Stand::RuledOut),
                ("memory grows", regression().memory((0..30).map(|n| 20.0 + 2.5 * f64::from(n))), Stand::RuledOut),
                ("killed for memory", regression().kills(4), Stand::RuledOut),
                (
                    "its containers do not come up",
                    regression().crash_loop("waiting: CrashLoopBackOff"),
                    Stand::RuledOut,
                ),
                (
                    "the errors name a dependency",
                    regression().signs(&[(LogSign::Dependency, 90)], 100).new_error(2),
                    Stand::Weak,
                ),
                (
                    "rollouts could not be read",
                    regression().without(Question::Changes),
                    Stand::Waits(Question::Changes),
                ),
            ],
        );
    }

    /// No kill was seen, and statuses keep the last of several ends by errors: they leave open what the others were.
    fn restarts(incident: Incident, most: &[(KillSource, u64)]) -> Incident {
        let Some(Answer::Observed { payload: Payload::OomKills(count) }) = incident.answer(Question::OomKills).cloned()
        else {
            panic!("no kills were counted");
        };
        let payload = Payload::OomKills(OomCount { by_source: most.to_vec(), ..count });
        incident.withheld(Question::OomKills, Answer::Truncated { payload, seen: 0, of: Some(6) })
    }

    #[test]
    fn a_release_that_ends_by_errors_again_and_again_is_rolled_back_where_memory_was_never_near_its_limit() {
        use KillSource::{Events, Logs, Status};
        let near = || regression().memory((0..30).map(|n| 91.0 + 0.1 * f64::from(n % 3)));
        for (name, incident, most, sure) in [
            ("nothing else tells of one", regression(), [(Logs, 0), (Events, 0), (Status, 6)].as_slice(), true),
            ("near its limit", near(), &[(Logs, 0), (Events, 0), (Status, 6)], false),
            ("events were not read", regression(), &[(Logs, 0), (Status, 6)], false),
            ("events tell of some", regression(), &[(Logs, 0), (Events, 2), (Status, 6)], false),
        ] {
            let verdict = judge(&restarts(incident.new_error(9), most).evidence(), now());
            let settled = verdict.conclusive && verdict.cause() == Cause::BadDeploy;
            assert_eq!(settled && verdict.assured().value() > 0.75, sure, "{name}: {:?}", verdict.ranked);
        }
    }

    #[test]
    fn requests_that_are_asked_again_are_no_reason() {
        let later = |from: u32| regression().traffic((0..30).map(move |n| if n >= from { 3_400.0 } else { 1_240.0 }));
        table(
            weigh,
            &[
                ("rose after they failed", later(15), Stand::Holds),
                ("rose as they failed", later(8), Stand::Waits(Question::Traffic)),
                ("rose before they failed", later(4), Stand::RuledOut),
            ],
        );
    }

    #[test]
    fn rollouts_that_were_not_read_are_not_denied() {
        let unread = OtherChanges { changes: Vec::new(), unread: vec!["revisions of a statefulset".to_owned()] };
        let answer = evidence::changes(Vec::new(), unread);
        assert!(answer.payload().is_some(), "that something was not read is no absence");
        let incident = regression().withheld(Question::Changes, answer);
        let told = shared::rollout_before(&Reading::of(&incident.evidence(), now()));
        assert!(matches!(told, Outcome::Open), "{told:?}");
        assert_eq!(evidence::changes(Vec::new(), OtherChanges::default()), evidence::Answer::Absent);
    }
}
