//! A table of hand-made incidents over all causes, and hostile evidence.

pub(crate) mod fixture;
mod stand;

use proptest::prelude::*;

use super::*;
use crate::domain::diagnosis::evidence::Payload;
use crate::domain::diagnosis::statistics::tests::jitter;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::observation::log_sign::LogSign;
use crate::domain::observation::oom_kill::KillSource;
use fixture::{Incident, stuck};

fn verdict(incident: &Incident) -> Verdict {
    judge(&incident.evidence(), fixture::now())
}

/// A leak: memory 20 → 95 %, the collector six minutes before the processor, flat traffic, kills.
pub(crate) fn leak() -> Incident {
    Incident::healthy()
        .memory((0..30).map(|n| 20.0 + 2.6 * n as f64 + 0.4 * jitter(n)))
        .collector((0..30).map(|n| if n >= 9 { 55.0 } else { 3.0 } + 0.3 * jitter(n)))
        .cpu((0..30).map(|n| if n >= 15 { 97.0 } else { 41.0 } + 0.3 * jitter(n)))
        .kills(14)
}

#[test]
fn a_leak_is_named_with_the_processor_as_secondary() {
    let verdict = verdict(&leak());
    assert_eq!((verdict.cause(), verdict.conclusive), (Cause::MemoryLeak, true));
    assert!((0.85..=0.95).contains(&verdict.confidence().value()), "{verdict:#?}");
    let texts: Vec<&str> = verdict.ranked[0].findings.iter().map(|finding| finding.text.as_str()).collect();
    assert!(texts.contains(&"CPU is secondary: collector time rises 6 min before CPU [E3, E5]"), "{texts:#?}");
    assert!(
        texts.iter().any(|text| text.starts_with("memory rose 2.6 %/min, from 20.0% to 95.")
            || text.starts_with("memory rose 2.6 %/min, from 19.")),
        "{texts:#?}"
    );
    assert!(verdict.missing.iter().all(|missing| !missing.decisive), "{:#?}", verdict.missing);
}

#[test]
fn each_cause_is_told_from_its_twins() {
    let brim = |n: usize| if n % 9 == 4 { 62.0 } else { 98.5 + 0.5 * jitter(n) };
    let hot = || (0..30).map(|n| if n >= 8 { 97.0 } else { 43.0 } + 0.3 * jitter(n));
    let surge = || (0..30).map(|n| if n >= 5 { 9_900.0 } else { 1_240.0 } + 20.0 * jitter(n));
    for (name, incident, expected) in [
        ("healthy", Incident::healthy(), Cause::NothingWrong),
        ("leak", leak(), Cause::MemoryLeak),
        (
            "leak within lives",
            leak().memory((0..30).map(|n| 30.0 + 7.0 * (n % 10) as f64 + 0.5 * jitter(n))),
            Cause::MemoryLeak,
        ),
        ("ceiling", leak().memory((0..30).map(brim)), Cause::LimitTooLow),
        ("flood", Incident::healthy().cpu(hot()).traffic(surge()), Cause::TrafficSurge),
        ("flood and leak", leak().traffic(surge()), Cause::Inconclusive),
        ("thrash", leak().memory((0..30).map(|n| 70.0 + jitter(n))).kills(0), Cause::CollectorThrash),
        ("busy", Incident::healthy().cpu(hot()), Cause::CpuBound),
        ("deploy", Incident::healthy().cpu(hot()).rollout(6), Cause::BadDeploy),
        ("harmless deploy hours ago", leak().rollout(-200), Cause::MemoryLeak),
        ("crash loop", Incident::healthy().crash_loop("waiting: CrashLoopBackOff"), Cause::CrashLoop),
        (
            "crash loop by memory",
            Incident::healthy().crash_loop("waiting: CrashLoopBackOff").kills(9),
            Cause::Inconclusive,
        ),
        (
            "exit 137 by a probe",
            Incident::healthy().crash_loop("waiting: CrashLoopBackOff").last_end("Error", 137),
            Cause::CrashLoop,
        ),
    ] {
        comes_to(name, &incident, expected);
    }
}

fn comes_to(name: &str, incident: &Incident, expected: Cause) {
    let verdict = verdict(incident);
    assert_eq!(verdict.cause(), expected, "{name}: {verdict:#?}");
    assert_eq!(verdict.conclusive, expected != Cause::Inconclusive, "{name}");
}

#[test]
fn standstill_and_the_hour_of_the_day_are_told_from_their_twins() {
    let hot = || (0..30).map(|n| if n >= 8 { 97.0 } else { 43.0 } + 0.3 * jitter(n));
    let surge = || (0..30).map(|n| if n >= 5 { 9_900.0 } else { 1_240.0 } + 20.0 * jitter(n));
    for (name, incident, expected) in [
        ("stuck", stuck(), Cause::StuckProcess),
        ("nobody reaches them", fixture::cut(), Cause::Inconclusive),
        ("stuck, its logs denied", stuck().without(Question::LogPatterns), Cause::Inconclusive),
        (
            "nobody asks",
            fixture::cut().errors([2.0; 30]).traffic((0..30).map(|n| if n >= 18 { 0.0 } else { 1_240.0 })),
            Cause::Inconclusive,
        ),
        (
            "a peak that comes every day",
            Incident::healthy()
                .cpu((0..30).map(|n| if n >= 8 { 88.0 } else { 43.0 }))
                .traffic((0..30).map(|n| if n >= 6 { 3_700.0 } else { 1_240.0 }))
                .usually(Question::Cpu, 88.0)
                .usually(Question::Traffic, 3_700.0),
            Cause::NothingWrong,
        ),
        (
            "a flood unlike other days",
            Incident::healthy().cpu(hot()).traffic(surge()).usually(Question::Traffic, 1_240.0),
            Cause::TrafficSurge,
        ),
        (
            "memory that rises with the day and kills nobody",
            leak().kills(0).usually(Question::Memory, 85.0).cpu([43.0; 30]).collector([3.0; 30]),
            Cause::Inconclusive,
        ),
    ] {
        comes_to(name, &incident, expected);
    }
}

#[test]
fn what_would_settle_it_is_named_when_it_is_missing() {
    for (name, incident, decisive) in [
        ("no traffic", leak().without(Question::Traffic), vec![Question::Traffic]),
        ("no memory", leak().without(Question::Memory), vec![Question::Memory]),
        ("stale memory", leak().memory((0..10).map(|n| 20.0 + 2.0 * f64::from(n))), vec![Question::Memory]),
    ] {
        let verdict = verdict(&incident);
        assert_eq!(verdict.cause(), Cause::Inconclusive, "{name}: {verdict:#?}");
        assert_eq!(verdict.confidence(), Confidence::default());
        let named: Vec<Question> = verdict.missing.iter().filter(|m| m.decisive).map(|m| m.question).collect();
        assert_eq!(named, decisive, "{name}");
    }
}

/// One incident of each cause that metrics, logs and the cluster settle together.
fn settled_incidents() -> Vec<(&'static str, Incident)> {
    let brim = |n: usize| if n % 9 == 4 { 62.0 } else { 98.5 + 0.5 * jitter(n) };
    let hot = || (0..30).map(|n| if n >= 8 { 97.0 } else { 43.0 } + 0.3 * jitter(n));
    let surge = || (0..30).map(|n| if n >= 5 { 9_900.0 } else { 1_240.0 } + 20.0 * jitter(n));
    let depends = [(LogSign::Dependency, 240)];
    vec![
        ("healthy", Incident::healthy()),
        ("leak", leak()),
        ("ceiling", leak().memory((0..30).map(brim))),
        ("flood", Incident::healthy().cpu(hot()).traffic(surge())),
        ("busy", Incident::healthy().cpu(hot())),
        ("deploy", Incident::healthy().cpu(hot()).rollout(6)),
        ("crash loop", Incident::healthy().crash_loop("waiting: CrashLoopBackOff")),
        ("stuck", stuck()),
        ("dependency", Incident::healthy().errors_from(12, 90.0).signs(&depends, 250)),
        ("crowded", Incident::healthy().pending(2).event("Pod/my-api-1", "FailedScheduling", "3 Insufficient memory")),
    ]
}

#[test]
fn what_is_withheld_is_named_and_what_a_verdict_rests_on_is_what_changes_it() {
    let fault = |kind| Fault::new(kind, "It was so.");
    let kinds = [
        ("absent", Answer::Absent),
        ("denied", Answer::Denied { fault: fault(FaultKind::Denied) }),
        ("failed", Answer::Failed { fault: fault(FaultKind::Timeout) }),
        ("not asked", Answer::NotAsked { why: "nobody knows where".to_owned() }),
    ];
    for (name, incident) in settled_incidents() {
        let whole = verdict(&incident);
        assert!(whole.conclusive, "{name}: {whole:#?}");
        for question in Question::ALL.into_iter().filter(|question| incident.answer(*question).is_some()) {
            for (word, answer) in &kinds {
                let less = verdict(&incident.clone().withheld(question, answer.clone()));
                let of_it = less.missing.iter().find(|missing| missing.question == question);
                let named = of_it.unwrap_or_else(|| panic!("{name} without {question:?}: {less:#?}"));
                assert!(named.why.starts_with(word), "{name}: {}", named.why);
                let changed = (less.cause(), less.conclusive) != (whole.cause(), whole.conclusive);
                if *word != "not asked" {
                    assert_eq!(whole.rests_on.contains(&question), changed, "{name} without {question:?}: {less:#?}");
                }
                let told = named.decisive || *word == "not asked";
                assert!(!changed || less.conclusive || told, "{name} without {question:?}: {less:#?}");
            }
        }
    }
}

/// Incidents in which something speaks against the cause that is settled.
fn doubted_incidents() -> Vec<(&'static str, Incident)> {
    let hot = || (0..30).map(|n| if n >= 8 { 97.0 } else { 43.0 } + 0.3 * jitter(n));
    let failing = || Incident::healthy().errors_from(12, 90.0);
    vec![
        ("a leak that killed nobody yet", leak().kills(0)),
        ("a leak whose collector rests", leak().collector([3.0; 30])),
        ("a leak of both", leak().kills(0).collector([3.0; 30])),
        ("a leak after a rollout", leak().rollout(-8)),
        ("a deploy whose errors name a dependency", failing().rollout(6).signs(&[(LogSign::Dependency, 90)], 100)),
        ("a deploy of the same images", failing().restarted(6)),
        ("a processor, and a dependency", Incident::healthy().cpu(hot()).signs(&[(LogSign::Dependency, 90)], 100)),
        ("a leak that rises with the day", leak().kills(0).usually(Question::Memory, 85.0)),
    ]
}

/// What a role may not read makes nobody surer: where the same cause is settled without an answer, what a decision may rest on
/// is no more than with it.
#[test]
fn an_answer_that_is_taken_away_raises_no_confidence() {
    let fault = |kind| Fault::new(kind, "It was so.");
    let kinds =
        [Answer::Denied { fault: fault(FaultKind::Denied) }, Answer::Failed { fault: fault(FaultKind::Timeout) }];
    let mut held = 0;
    for (name, incident) in settled_incidents().into_iter().chain(doubted_incidents()) {
        let whole = verdict(&incident);
        for question in Question::ALL {
            let answers = kinds.iter().cloned().chain(in_part(incident.answer(question)));
            for answer in answers {
                let less = verdict(&incident.clone().withheld(question, answer));
                let Some(with) = whole.ranked.iter().find(|ranked| ranked.cause == less.cause()) else { continue };
                let with = with.terms.map_or(0.0, |terms| terms.at_worst().value());
                let without = less.assured().value();
                assert!(!less.conclusive || without <= with + 1e-9, "{name} without {question:?}: {without} > {with}");
                held += usize::from(less.conclusive);
            }
        }
    }
    assert!(held > 50, "{held} were held");
}

/// The same answer, read in part: of kills, without the events.
fn in_part(answer: Option<&Answer>) -> Option<Answer> {
    match answer?.payload()?.clone() {
        Payload::OomKills(mut count) => {
            count.by_source.retain(|(source, _)| *source != KillSource::Events);
            Some(Answer::Observed { payload: Payload::OomKills(count) })
        }
        Payload::Series { .. }
        | Payload::Collector { .. }
        | Payload::LogPatterns { .. }
        | Payload::Workload { .. }
        | Payload::Changes { .. } => None,
    }
}

/// A warming cache, read whole and without the events: neither is settled, and neither is any surer than the other.
#[test]
fn a_cache_that_warms_up_is_no_leak_however_little_was_read() {
    let hot = (0..30).map(|n| if n >= 15 { 97.8 } else { 41.0 } + 0.3 * jitter(n));
    let warm = Incident::healthy().memory((0..30).map(|n| 24.0 + 0.57 * n as f64 + 0.3 * jitter(n)));
    let warm = warm.without(Question::Collector).cpu(hot).latency_from(16, 0.9);
    comes_to("warming", &warm, Cause::Inconclusive);
    let blind = warm.clone().withheld(Question::OomKills, in_part(warm.answer(Question::OomKills)).unwrap());
    comes_to("warming, events denied", &blind, Cause::Inconclusive);
}

#[test]
fn a_storm_of_retries_is_no_surge() {
    let climbs = |from: u32| (0..30).map(move |n: u32| 1_240.0 + 110.0 * f64::from(n.saturating_sub(from).min(20)));
    let hot = |from: u32| (0..30).map(move |n: u32| 37.0 + 3.0 * f64::from(n.saturating_sub(from).min(18)));
    let storm = || Incident::healthy().traffic(climbs(11)).cpu(hot(11)).errors_from(5, 1_900.0).latency_from(5, 2.9);
    comes_to("a dead dependency", &storm().signs(&[(LogSign::Dependency, 3_480)], 3_480), Cause::DependencyFailing);
    let deploy = Incident::healthy().rollout(8).errors_from(12, 1_900.0).traffic(climbs(17)).cpu(hot(17));
    comes_to("a release that fails", &deploy.new_error(12), Cause::BadDeploy);
}

#[test]
fn what_was_read_in_part_is_named_with_its_numbers() {
    let Some(Answer::Observed { payload }) = leak().answer(Question::LogPatterns).cloned() else { panic!("no logs") };
    let part = Answer::Truncated { payload, seen: 10_000, of: Some(48_211) };
    let verdict = verdict(&leak().withheld(Question::LogPatterns, part));
    let told: Vec<&str> = verdict.missing.iter().map(|missing| missing.why.as_str()).collect();
    assert_eq!((told, verdict.conclusive), (vec!["truncated: 10000 of 48211 read"], true));
}

#[test]
fn a_missing_help_lowers_the_confidence_and_no_more() {
    let verdict = verdict(&leak().without(Question::Collector).without(Question::Changes));
    assert_eq!((verdict.cause(), verdict.conclusive), (Cause::MemoryLeak, true), "{verdict:#?}");
    assert!(verdict.confidence().value() < 0.9);
    assert!(verdict.missing.iter().all(|missing| !missing.decisive));
}

#[test]
fn the_processor_alone_settles_nothing() {
    let mut incident = leak();
    for question in [Question::Memory, Question::OomKills, Question::Traffic, Question::Workload, Question::Changes] {
        incident = incident.without(question);
    }
    assert_eq!(verdict(&incident).cause(), Cause::Inconclusive);
    let incident = incident.without(Question::Collector);
    let verdict = verdict(&incident);
    assert_eq!((verdict.cause(), verdict.conclusive), (Cause::Inconclusive, false));
    assert!(verdict.missing.iter().any(|m| m.question == Question::Memory && m.decisive));
    assert_eq!(judge(&[], fixture::now()).cause(), Cause::Inconclusive);
}

proptest! {
    #[test]
    fn hostile_evidence_is_survived_and_its_verdict_is_well_formed(
        memory in prop::collection::vec(prop_oneof![any::<f64>(), -5.0..120.0f64], 0..40),
        traffic in prop::collection::vec(prop_oneof![any::<f64>(), 0.0..1e9f64], 0..40),
        cpu in prop::collection::vec(prop_oneof![any::<f64>(), 0.0..100.0f64], 0..40),
        kills in 0u64..50,
        rollout in -300i64..60,
        drop in 0usize..11,
    ) {
        let incident = Incident::healthy().memory(memory).traffic(traffic).cpu(cpu).kills(kills).rollout(rollout);
        let verdict = verdict(&incident.without(Question::ALL[drop]));
        prop_assert!(!verdict.ranked.is_empty());
        prop_assert_eq!(verdict.conclusive, verdict.cause() != Cause::Inconclusive);
        for ranked in &verdict.ranked {
            prop_assert!((0.0..=0.95).contains(&ranked.confidence.value()));
        }
    }
}
