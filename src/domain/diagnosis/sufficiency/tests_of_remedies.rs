//! The sufficiency tests themselves: what must be settled before a remedy may be offered, and what forbids it.

use jiff::Timestamp;

use super::lately::{Raise, minutes_since, raise, scaled};
use super::{RemedyKind, RemedyOffer, Sufficiency, killed, to_raise};
use crate::domain::diagnosis::evidence::{Evidence, Payload};
use crate::domain::diagnosis::rules::{
    RolloutKind, Room, Scaler, SuspectRollout, autoscaler, grew_without_signs_of_a_flood, lives_so_far, room,
    suspect_rollout,
};
use crate::domain::diagnosis::verdict::{Cause, Verdict};
use crate::domain::observation::oom_kill::ContainerKills;
use crate::domain::observation::workload::{Ownership, Workload, WorkloadKind};

/// The stamp that a rolling restart leaves on the pod template.
const RESTARTED_AT: &str = "kubectl.kubernetes.io/restartedAt";
/// A new process that lasts no longer than this gains nobody any time.
const WORTH_A_RESTART: i64 = 10;
/// So many new lives in a window are evidence of what a restart does.
const LIVES: usize = 3;

/// What every remedy is refused for where nothing asks for one.
const HEALTHY: &str = "All that was read is healthy.";

/// Every remedy of the catalogue with its test, in the catalogue's order.
pub fn offers(verdict: &Verdict, evidence: &[Evidence], now: Timestamp) -> Vec<RemedyOffer> {
    let ground = Ground {
        verdict,
        workload: workload(evidence),
        killed: killed(evidence),
        rollout: suspect_rollout(evidence, verdict.cause()),
        lives: lives_so_far(evidence),
        room: room(evidence),
        autoscaler: autoscaler(evidence),
        organic: grew_without_signs_of_a_flood(evidence),
        raise: workload(evidence).and_then(|workload| raise(evidence, workload, now)),
        now,
    };
    RemedyKind::ALL.into_iter().map(|remedy| RemedyOffer { remedy, sufficiency: ground.test(remedy) }).collect()
}

fn workload(evidence: &[Evidence]) -> Option<&Workload> {
    evidence.iter().find_map(|piece| match piece.answer.payload()? {
        Payload::Workload { workload, .. } => Some(workload.as_ref()),
        Payload::Series { .. }
        | Payload::OomKills(_)
        | Payload::Collector { .. }
        | Payload::LogPatterns { .. }
        | Payload::Changes { .. } => None,
    })
}

struct Ground<'a> {
    verdict: &'a Verdict,
    workload: Option<&'a Workload>,
    killed: &'a [ContainerKills],
    rollout: Option<SuspectRollout>,
    lives: Option<(usize, i64)>,
    room: Room,
    autoscaler: Scaler,
    organic: Option<bool>,
    raise: Option<Raise>,
    now: Timestamp,
}

impl Ground<'_> {
    /// What every remedy needs first: a settled cause and a workload that could be read.
    fn test(&self, remedy: RemedyKind) -> Sufficiency {
        let mut reasons = Vec::new();
        if !self.verdict.conclusive {
            reasons.push("The evidence does not settle a cause.".to_owned());
            let missing = self.verdict.missing.iter().filter(|missing| missing.decisive);
            reasons.extend(missing.map(|missing| format!("Missing: {} ({}).", missing.question.word(), missing.why)));
        }
        let Some(workload) = self.workload else {
            reasons.push("The workload could not be read.".to_owned());
            return Sufficiency::Refused { reasons };
        };
        if !reasons.is_empty() {
            return Sufficiency::Refused { reasons };
        }
        let tested = match remedy {
            RemedyKind::RolloutRestart => self.restart(workload),
            RemedyKind::SetResources => self.set_resources(workload),
            RemedyKind::RolloutUndo => self.rollout_undo(workload),
            RemedyKind::HelmRollback => self.helm_rollback(workload),
            RemedyKind::Scale => self.scale(workload),
        };
        match tested {
            Ok(why) => Sufficiency::Sufficient { why },
            Err(reason) => Sufficiency::Refused { reasons: vec![reason] },
        }
    }

    fn restart(&self, workload: &Workload) -> Result<String, String> {
        match self.verdict.cause() {
            Cause::MemoryLeak => match self.minutes_since_restart(workload) {
                Some(minutes) => Err(format!("It was restarted {minutes} min ago, and memory grows again.")),
                None => match self.lives {
                    Some((lives, minutes)) if lives >= LIVES && minutes < WORTH_A_RESTART => Err(format!(
                        "Containers started anew {lives} times and are full again within {minutes} min: restarts have \
                         not helped."
                    )),
                    Some(_) | None => Ok("A new process gives the leaked memory back.".to_owned()),
                },
            },
            Cause::StuckProcess => match self.minutes_since_restart(workload) {
                Some(minutes) => Err(format!("It was restarted {minutes} min ago, and is stuck again.")),
                None => Ok("A new process answers again; what the stuck one waits for is lost with it.".to_owned()),
            },
            Cause::LimitTooLow => {
                Err("Memory is full again right after each start: a restart frees nothing.".to_owned())
            }
            Cause::TrafficSurge => Err("A restart in a flood takes capacity away and frees nothing.".to_owned()),
            Cause::CrashLoop => Err("Its containers restart already; the next start ends like the last.".to_owned()),
            Cause::BadDeploy => Err("A restart starts the same revision again.".to_owned()),
            Cause::NothingWrong => Err(HEALTHY.to_owned()),
            other @ (Cause::CollectorThrash
            | Cause::CpuBound
            | Cause::DependencyFailing
            | Cause::NodePressure
            | Cause::FlappingAlarm
            | Cause::Inconclusive) => Err(format!("A restart is no remedy here: {}.", other.words())),
        }
    }

    fn minutes_since_restart(&self, workload: &Workload) -> Option<i64> {
        minutes_since(workload.template_annotations.get(RESTARTED_AT)?.parse().ok()?, self.now)
    }

    fn set_resources(&self, workload: &Workload) -> Result<String, String> {
        if let (Cause::LimitTooLow, Some(raise)) = (self.verdict.cause(), &self.raise) {
            let Raise { revision, minutes, words, .. } = raise;
            return Err(format!(
                "Its memory limit was raised {minutes} min ago (revision {revision}: {words}), and it is full again: how \
                 much it needs is not known."
            ));
        }
        match self.verdict.cause() {
            Cause::LimitTooLow => match (to_raise(&workload.containers, self.killed), &self.room) {
                (Err(why), _) => Err(why),
                (Ok(_), Room::Wanting(full)) => Err(format!("There is no room for a higher limit: {full}.")),
                (Ok(_), Room::Unread(what)) => {
                    Err(format!("Whether there is room for a higher limit is not known: not read: {what}."))
                }
                (Ok(_), Room::Left) => Ok("A steady working set does not fit the limit at normal load.".to_owned()),
            },
            Cause::MemoryLeak => Err("Memory grows: a higher limit only delays the kill.".to_owned()),
            Cause::TrafficSurge => Err("Memory has room; the flood takes the processor.".to_owned()),
            Cause::NothingWrong => Err(HEALTHY.to_owned()),
            other @ (Cause::CollectorThrash
            | Cause::CpuBound
            | Cause::BadDeploy
            | Cause::CrashLoop
            | Cause::StuckProcess
            | Cause::DependencyFailing
            | Cause::NodePressure
            | Cause::FlappingAlarm
            | Cause::Inconclusive) => Err(format!("No evidence asks for other resources: {}.", other.words())),
        }
    }

    /// Back only where the onset follows a rollout, and there is something to go back to.
    fn undo(&self) -> Result<String, String> {
        if self.verdict.cause() == Cause::NothingWrong {
            return Err(HEALTHY.to_owned());
        }
        let Some(rollout) = &self.rollout else { return Err("The onset follows no rollout.".to_owned()) };
        if !matches!(self.verdict.cause(), Cause::BadDeploy | Cause::MemoryLeak | Cause::CrashLoop | Cause::LimitTooLow)
        {
            return Err(format!("A rollback is no remedy here: {}.", self.verdict.words()));
        }
        if self.verdict.cause() == Cause::MemoryLeak && !rollout.new_images {
            return Err(format!("Revision {} runs the images of the one before: the leak is older.", rollout.revision));
        }
        if let (Cause::LimitTooLow, Some(raise)) = (self.verdict.cause(), &self.raise)
            && raise.alone
            && raise.revision == rollout.revision
        {
            return Err(format!(
                "Revision {} did nothing but raise the limit that is too low: going back would lower it again.",
                raise.revision
            ));
        }
        if let Some(back) = rollout.rolled_back_to {
            let suspect = rollout.revision;
            return Err(format!("Revision {suspect} does not run any more: it was rolled back, as revision {back}."));
        }
        let suspect = rollout.revision;
        if let Some(newer) = rollout.newer {
            return Err(format!("Revision {newer} runs by now, and not {suspect}."));
        }
        match (rollout.previous, rollout.kind) {
            (Some(previous), RolloutKind::Restart) => Err(format!(
                "Revision {suspect} started the pods of {previous} anew and changed nothing: there is nothing to undo."
            )),
            (_, RolloutKind::Rollback) => Err(format!(
                "Revision {suspect} is a rollback itself: whether to go forward again is a person's decision."
            )),
            (Some(previous), RolloutKind::Change) => Ok(format!(
                "The onset follows revision {} by {} min; revision {previous} ran before.",
                rollout.revision, rollout.minutes
            )),
            (None, RolloutKind::Change | RolloutKind::Restart) => {
                Err(format!("There is no revision before {suspect}."))
            }
        }
    }

    /// A step puts the template of a replica set back. What the other kinds keep is another thing, and a stateful set whose
    /// pods are not ready replaces none of them by itself.
    fn rollout_undo(&self, workload: &Workload) -> Result<String, String> {
        let why = self.undo()?;
        match workload.target.kind {
            WorkloadKind::Deployment => Ok(why),
            WorkloadKind::StatefulSet | WorkloadKind::DaemonSet => Err(format!(
                "{why} No step is made of it for a {}: go back with `kubectl rollout undo`.",
                workload.target.kind.word()
            )),
        }
    }

    fn helm_rollback(&self, workload: &Workload) -> Result<String, String> {
        match &workload.ownership {
            // What no step is made of is not offered: the plan would not hold it.
            Ownership::Helm { release } => self.undo().and_then(|why| {
                Err(format!("{why} No step is made of it here: roll the release {release} back with Helm itself."))
            }),
            Ownership::Direct | Ownership::ArgoCd { .. } | Ownership::Flux { .. } | Ownership::Controller { .. } => {
                Err("The workload belongs to no Helm release.".to_owned())
            }
        }
    }

    fn scale(&self, workload: &Workload) -> Result<String, String> {
        let asks = matches!(self.verdict.cause(), Cause::CpuBound | Cause::TrafficSurge);
        if asks && workload.target.kind == WorkloadKind::DaemonSet {
            return Err("A daemon set runs one pod a node: it has no number of replicas to set.".to_owned());
        }
        if asks && workload.target.kind == WorkloadKind::StatefulSet {
            return Err(
                "The pods of a stateful set are often members that hold data: a new one joins and copies it, and one \
                        taken away takes its part with it. Scale it with its own tool."
                    .to_owned(),
            );
        }
        if asks {
            self.more_replicas_stay()?;
            if let Some((minutes, by)) = scaled(workload, self.now) {
                return Err(format!(
                    "Its number of replicas was set {minutes} min ago by {by}: what comes of that is not known yet."
                ));
            }
        }
        match self.verdict.cause() {
            Cause::CpuBound => Ok("The processor is the bottleneck at normal load; more replicas share it.".to_owned()),
            Cause::NothingWrong => Err(HEALTHY.to_owned()),
            Cause::TrafficSurge if self.organic == Some(true) => {
                Ok("Requests grew without a sign of a flood; more replicas share them.".to_owned())
            }
            Cause::TrafficSurge => {
                Err("Whether the traffic is wanted is not known; more replicas for a flood are a person's decision."
                    .to_owned())
            }
            other @ (Cause::MemoryLeak
            | Cause::LimitTooLow
            | Cause::CollectorThrash
            | Cause::BadDeploy
            | Cause::CrashLoop
            | Cause::StuckProcess
            | Cause::DependencyFailing
            | Cause::NodePressure
            | Cause::FlappingAlarm
            | Cause::Inconclusive) => Err(format!("More replicas are no remedy here: {}.", other.words())),
        }
    }
}

impl Ground<'_> {
    /// Whether more replicas would be left alone and find a place.
    fn more_replicas_stay(&self) -> Result<(), String> {
        match (&self.autoscaler, &self.room) {
            (Scaler::Autoscaler(name), _) => Err(format!(
                "The autoscaler {name} would set its own number again within seconds: raise its maximum instead."
            )),
            (Scaler::Unread(what), _) => {
                Err(format!("Whether an autoscaler sets the number of replicas is not known: not read: {what}."))
            }
            (Scaler::Nobody, Room::Wanting(full)) => Err(format!("There is no room for more replicas: {full}.")),
            (Scaler::Nobody, Room::Unread(what)) => {
                Err(format!("Whether there is room for more replicas is not known: not read: {what}."))
            }
            (Scaler::Nobody, Room::Left) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::diagnosis::evidence::{Answer, Question};
    use crate::domain::diagnosis::rules::judge;
    use crate::domain::diagnosis::rules::tests::fixture::{Incident, now, stuck};
    use crate::domain::diagnosis::rules::tests::leak;
    use crate::domain::diagnosis::statistics::tests::jitter;
    use crate::domain::observation::change::ChangeKind;
    use crate::domain::observation::log_sign::LogSign;

    fn offered(incident: &Incident) -> Vec<&'static str> {
        let evidence = incident.evidence();
        offers(&judge(&evidence, now()), &evidence, now())
            .into_iter()
            .filter(|offer| matches!(offer.sufficiency, Sufficiency::Sufficient { .. }))
            .map(|offer| offer.remedy.id())
            .collect()
    }

    #[test]
    fn only_the_remedy_that_helps_is_offered() {
        let brim = |n: usize| if n % 9 == 4 { 62.0 } else { 98.5 + 0.5 * jitter(n) };
        let hot = || (0..30).map(|n| if n >= 8 { 97.0 } else { 43.0 } + 0.3 * jitter(n));
        let surge = || (0..30).map(|n| if n >= 5 { 9_900.0 } else { 1_240.0 } + 20.0 * jitter(n));
        let none: Vec<&str> = Vec::new();
        assert_eq!(offered(&leak()), ["rollout-restart"]);
        assert_eq!(offered(&stuck()), ["rollout-restart"]);
        assert_eq!(offered(&stuck().without(Question::LogPatterns)), none);
        assert_eq!(offered(&leak().memory((0..30).map(brim))), ["set-resources"]);
        assert_eq!(offered(&Incident::healthy().cpu(hot()).traffic(surge())), none);
        assert_eq!(offered(&Incident::healthy().cpu(hot()).rollout(6)), ["rollout-undo"]);
        assert_eq!(offered(&Incident::healthy().cpu(hot())), ["scale"]);
        assert_eq!(offered(&Incident::healthy().cpu(hot()).traffic(surge()).killed_after(42)), none);
        assert_eq!(offered(&leak().killed_days_ago()), ["rollout-restart"]);
        assert_eq!(offered(&Incident::healthy()), none);
        assert_eq!(offered(&leak().without(Question::Memory)), none);
        assert_eq!(offered(&leak().without(Question::Workload)), none);
    }

    #[test]
    fn a_rollout_of_another_kind_is_told_and_no_step_is_made_of_it() {
        let hot = (0..30).map(|n| if n >= 8 { 97.0 } else { 43.0 });
        let mut evidence = Incident::healthy().cpu(hot).rollout(6).evidence();
        for piece in &mut evidence {
            if let Answer::Observed { payload: Payload::Workload { workload, .. } } = &mut piece.answer {
                workload.target.kind = WorkloadKind::StatefulSet;
            }
        }
        let offers = offers(&judge(&evidence, now()), &evidence, now());
        let undo = offers.iter().find(|offer| offer.remedy == RemedyKind::RolloutUndo).unwrap();
        let Sufficiency::Refused { reasons } = &undo.sufficiency else { panic!("{undo:?}") };
        assert!(reasons[0].contains("revision 41") && reasons[0].contains("kubectl rollout undo"), "{reasons:?}");
    }

    #[test]
    fn what_has_not_helped_is_not_offered_again() {
        let none: Vec<&str> = Vec::new();
        let quick = leak().memory((0..30).map(|n| 30.0 + 9.5 * f64::from(n % 7)));
        assert_eq!(offered(&quick), none);
        let slow = leak().memory((0..30).map(|n| 30.0 + 4.0 * f64::from(n % 15)));
        assert_eq!(offered(&slow), ["rollout-restart"]);
    }

    /// Each raise takes half as much again from the nodes, and each tells no more of what it needs than the one before.
    #[test]
    fn what_was_just_given_is_not_given_again_whoever_gave_it() {
        let none: Vec<&str> = Vec::new();
        let brim = |n: usize| if n % 9 == 4 { 62.0 } else { 98.5 + 0.5 * jitter(n) };
        let full = || leak().memory((0..30).map(brim));
        assert_eq!(offered(&full().limit_raised(-120)), ["set-resources"], "two hours before the window");
        assert_eq!(offered(&full().limit_raised(12)), none);
        assert_eq!(offered(&full().limit_raised(12).limited(512)), ["set-resources"], "it was taken back since");
        let reason = |incident: &Incident, remedy| {
            let evidence = incident.evidence();
            let mut verdict = judge(&evidence, now());
            verdict.ranked[0].cause = Cause::LimitTooLow;
            let offers = offers(&verdict, &evidence, now());
            offers.into_iter().find(|offer| offer.remedy == remedy).unwrap().sufficiency
        };
        let refused = |text: &str| Sufficiency::Refused { reasons: vec![text.to_owned()] };
        let told = "Its memory limit was raised 18 min ago (revision 41: 512Mi -> 768Mi), and it is full again: how much it needs is not known.";
        assert_eq!(reason(&full().limit_raised(12), RemedyKind::SetResources), refused(told));
        let hot = || Incident::healthy().cpu((0..30).map(|n| if n >= 8 { 97.0 } else { 43.0 } + 0.3 * jitter(n)));
        let told = "Revision 41 did nothing but raise the limit that is too low: going back would lower it again.";
        assert_eq!(reason(&hot().limit_raised(6), RemedyKind::RolloutUndo), refused(told));
        assert_eq!(offered(&hot().scaled(-31)), ["scale"]);
        assert_eq!(offered(&hot().scaled(21)), none);
    }

    #[test]
    fn no_remedy_is_offered_where_none_helps() {
        let none: Vec<&str> = Vec::new();
        let scheduling = "0/3 nodes are available: 3 Insufficient memory.";
        let brim = |n: usize| if n % 9 == 4 { 62.0 } else { 98.5 + 0.5 * jitter(n) };
        let ceiling = || leak().memory((0..30).map(brim));
        let crowded = ceiling().pending(1).event("Pod/my-api-1", "FailedScheduling", scheduling);
        assert_eq!(offered(&crowded), none);
        assert_eq!(
            offered(&Incident::healthy().pending(2).event("Pod/my-api-1", "FailedScheduling", scheduling)),
            none
        );
        assert_eq!(offered(&Incident::healthy().errors_from(12, 90.0).signs(&[(LogSign::Dependency, 240)], 250)), none);
        assert_eq!(offered(&Incident::healthy().last_end("Error", 137)), none);
        assert_eq!(offered(&Incident::healthy().cpu((0..30).map(|n| if n % 5 < 2 { 87.5 } else { 82.0 }))), none);
    }

    #[test]
    fn growth_may_be_given_replicas_and_a_flood_may_not() {
        let none: Vec<&str> = Vec::new();
        let ramp = |from: f64, to: f64| (0..30).map(move |n| from + (to - from) * f64::from(n.min(26)) / 26.0);
        let growth = || Incident::healthy().cpu(ramp(43.0, 92.0)).traffic(ramp(1_240.0, 3_400.0));
        assert_eq!(offered(&growth()), ["scale"]);
        assert_eq!(offered(&growth().signs(&[(LogSign::Flood, 300)], 300)), none);
        let jump = (0..30).map(|n| if n >= 8 { 3_700.0 } else { 1_240.0 });
        let hot = (0..30).map(|n| if n >= 8 { 97.0 } else { 43.0 });
        assert_eq!(offered(&Incident::healthy().cpu(hot).traffic(jump)), none, "within a minute, wanted or not");
        assert_eq!(offered(&growth().other_change(ChangeKind::Autoscaler, -300)), none, "it would be undone");
        let of_kind = |kind: WorkloadKind| {
            let mut answer = growth().answer(Question::Workload).unwrap().clone();
            if let Answer::Observed { payload: Payload::Workload { workload, .. } } = &mut answer {
                workload.target.kind = kind;
            }
            offered(&growth().withheld(Question::Workload, answer))
        };
        assert_eq!(of_kind(WorkloadKind::Deployment), ["scale"]);
        assert_eq!(of_kind(WorkloadKind::StatefulSet), none, "its pods may be members that hold data");
        assert_eq!(of_kind(WorkloadKind::DaemonSet), none, "there is no number to set");
    }

    #[test]
    fn a_rollback_is_offered_of_what_runs_and_changed_something() {
        let none: Vec<&str> = Vec::new();
        let hot = || Incident::healthy().cpu((0..30).map(|n| if n >= 8 { 97.0 } else { 43.0 }));
        assert_eq!(offered(&hot().rollout(6)), ["rollout-undo"]);
        assert_eq!(offered(&hot().rollout(6).rolled_out_again(20)), none, "another runs by now");
        assert_eq!(offered(&hot().restarted(6)), none);
        assert_eq!(offered(&hot().rolled_back(4)), none);
    }

    #[test]
    fn what_was_not_read_permits_nothing() {
        let none: Vec<&str> = Vec::new();
        let brim = |n: usize| if n % 9 == 4 { 62.0 } else { 98.5 + 0.5 * jitter(n) };
        let hot = || Incident::healthy().cpu((0..30).map(|n| if n >= 8 { 97.0 } else { 43.0 }));
        assert_eq!(offered(&leak().memory((0..30).map(brim)).events_unread()), none, "there may be no room");
        assert_eq!(offered(&hot().events_unread()), none);
        assert_eq!(offered(&hot().changes_unread("autoscalers (denied)")), none);
        assert_eq!(offered(&hot().changes_unread("config maps (denied)")), ["scale"]);
    }

    #[test]
    fn a_loop_is_rolled_back_where_it_can_have_begun_with_the_rollout() {
        let none: Vec<&str> = Vec::new();
        assert_eq!(offered(&Incident::healthy().rollout(13).looping(16, 6, 2)), ["rollout-undo"]);
        assert_eq!(offered(&Incident::healthy().rollout(-270).looping(299, 60, 2)), ["rollout-undo"], "ever since");
        assert_eq!(offered(&Incident::healthy().rollout(-270).looping(299, 4, 12)), none, "well for five hours");
    }

    #[test]
    fn a_leak_brought_by_a_rollout_may_be_rolled_back_too() {
        assert_eq!(offered(&leak().rollout(-8)), ["rollout-restart", "rollout-undo"]);
    }
}
