//! The founding story at its moments, and the states in which something is missing: sessions to draw.

use super::fixture_parts as parts;

use jiff::{SignedDuration, Timestamp};
use pagerdeck::domain::diagnosis::claim::{self, Claim, ClaimCheck, Diagnosis, DiagnosisCheck, Proposal};
use pagerdeck::domain::diagnosis::evidence::{self, Answer, EvidenceId, Payload, Question};
use pagerdeck::domain::diagnosis::statistics::DAYS_ASKED;
use pagerdeck::domain::diagnosis::verdict::{Cause, Confidence};
use pagerdeck::domain::drill::{Api, FaultWord, Injection, Lasts};
use pagerdeck::domain::fault::{Fault, FaultKind};
use pagerdeck::domain::observation::log::LogGroup;
use pagerdeck::domain::observation::metric::Point;
use pagerdeck::domain::observation::scope::Window;
use pagerdeck::domain::remediation::gate::{GateReport, NarrativeStanding, Refusal, RefusalReason, Share, StandsOn};
use pagerdeck::domain::remediation::request::Mode;
use pagerdeck::domain::remediation::step::StepState;
use pagerdeck::session::feeds::{Feed, FeedHealth, FeedId};
use pagerdeck::session::header::{Header, Origin};
use pagerdeck::session::incident::{Incident, Phase, Post, ReportState};
use pagerdeck::session::logs::LogGap;
use pagerdeck::session::state::Credentials;
use pagerdeck::session::{IncidentId, Session};

/// The moment every screen is drawn at.
pub fn now() -> Timestamp {
    parts::at("09:31:07")
}

fn ago(seconds: i64) -> Timestamp {
    now() - SignedDuration::from_secs(seconds)
}

fn feed(session: &mut Session, id: FeedId, age_s: i64) {
    session.feeds.insert(id, Feed { health: FeedHealth::Live, answered_at: Some(ago(age_s)), ..Feed::default() });
}

/// Started against production, nothing answered yet.
pub fn empty() -> Session {
    let header = Header {
        mode: Mode::DryRun,
        environment: "PROD".to_owned(),
        scope: parts::scope(),
        namespaces: vec!["payments".into()],
        model: Some("us.anthropic.claude-sonnet-4".to_owned()),
        ..Header::default()
    };
    Session { header, now: now(), ..Session::default() }
}

/// Three alarms fire; evidence is being read.
pub fn triage() -> Session {
    let mut session = empty();
    session.credentials = Credentials::ExpireAt(now() + SignedDuration::from_mins(42));
    session.alarms = parts::alarms();
    for (id, age_s) in [(FeedId::Alarms, 4), (FeedId::Metrics, 31), (FeedId::Logs, 2), (FeedId::Workloads, 9)] {
        feed(&mut session, id, age_s);
    }
    let service = parts::service();
    session.metrics.insert(service.name.clone(), parts::metrics(now()));
    parts::fill_logs(&mut session, now());
    parts::tell_timeline(&mut session);
    let worst = session.firing()[0].severity;
    let mut incident = Incident::new(IncidentId(1), service, worst, ago(540));
    incident.alarms = vec!["my-api-cpu-high".into(), "my-api-oomkilled".into()];
    incident.phase = Phase::Triage;
    let evidence = parts::evidence(now());
    incident.evidence = evidence[..2].to_vec();
    incident.awaited = evidence[2..].iter().map(|evidence| (evidence.id, evidence.question)).collect();
    session.incidents.insert(incident.id, incident);
    session
}

/// The incident of a session.
pub fn incident(session: &mut Session) -> &mut Incident {
    session.incidents.get_mut(&IncidentId(1)).expect("the fixture has one incident")
}

/// The rules have judged; the model is in its third sentence.
pub fn streaming() -> Session {
    let mut session = triage();
    feed(&mut session, FeedId::Model, 1);
    let model = session.header.model.clone().unwrap_or_default();
    let incident = incident(&mut session);
    incident.phase = Phase::Diagnosing;
    incident.evidence = parts::evidence(now());
    incident.awaited.clear();
    incident.verdict = Some(parts::verdict());
    incident.offers = parts::offers();
    let narrative = &mut incident.narrative;
    narrative.model = model;
    narrative.attempt = 1;
    narrative.standing = NarrativeStanding::UnderWay;
    narrative.asked_at = Some(ago(6));
    narrative.opened_at = Some(ago(5));
    narrative.first_text_at = Some(ago(4));
    narrative.last_text_at = Some(ago(1));
    narrative.claims = parts::claims();
    narrative.text = narrative.claims.iter().map(|claim| claim.text.clone() + " ").collect();
    narrative.claimed = narrative.text.len();
    narrative.text.push_str("Restarting the deployment frees the he");
    incident.gate = Some(GateReport {
        refusals: vec![Refusal {
            reason: RefusalReason::NarrativeUnderWay,
            text: "The narrative is under way.".to_owned(),
            unlock: "wait, or stand on the rules with R".to_owned(),
        }],
        confidence: Confidence::new(0.0),
        ..gate()
    });
    session
}

fn gate() -> GateReport {
    GateReport {
        stands_on: StandsOn::Diagnosis,
        confidence: Confidence::new(0.86),
        needed: Confidence::new(0.75),
        evidence: Share { n: 8, of: 8 },
        claims: Share { n: 4, of: 4 },
        oldest: Some(ago(38)),
        at: ago(1),
        refusals: Vec::new(),
    }
}

/// The gate is open, the first step is rehearsed.
pub fn gate_open() -> Session {
    let mut session = streaming();
    let incident = incident(&mut session);
    incident.phase = Phase::Asking;
    let narrative = &mut incident.narrative;
    narrative.standing = NarrativeStanding::Complete;
    narrative.usage.output = 412;
    let tail = "Restarting the deployment frees the heap.";
    narrative.claims.push(Claim { text: tail.to_owned(), cites: vec![EvidenceId(1)], check: ClaimCheck::Supported });
    narrative.text.truncate(narrative.claimed);
    narrative.text.push_str(tail);
    narrative.claimed = narrative.text.len();
    incident.diagnosis = Some(Diagnosis {
        proposal: Proposal {
            cause: Cause::MemoryLeak,
            confidence: Confidence::new(0.86),
            summary: "The heap grows until the container is killed.".to_owned(),
            evidence: vec![EvidenceId(1), EvidenceId(2)],
            workload: incident.service.workload.clone(),
            remedies: vec!["rollout-restart".to_owned()],
            unknowns: Vec::new(),
        },
        check: DiagnosisCheck::Accepted,
        confidence: Confidence::new(0.86),
    });
    incident.gate = Some(gate());
    incident.plan = Some(parts::plan(Mode::DryRun, ago(18)));
    session.cluster = parts::cluster();
    session
}

/// The same in a live rehearsal, armed.
pub fn armed() -> Session {
    let mut session = gate_open();
    session.header.mode = Mode::Live;
    session.header.origin = Origin::Rehearsal { scenario: "oom-leak".to_owned(), seed: 7, speed: "1".to_owned() };
    session.header.policy = parts::live_policy();
    incident(&mut session).plan = Some(parts::plan(Mode::Live, ago(18)));
    let until = now() + SignedDuration::from_secs(47);
    set_step(&mut session, StepState::Armed { until });
    session
}

/// A rehearsal in which two faults strike, one of them until it is cleared.
pub fn game_day() -> Session {
    let mut session = gate_open();
    session.header.origin = Origin::Rehearsal { scenario: "oom-leak".to_owned(), seed: 7, speed: "1".to_owned() };
    let of = |apis, kind, lasts| Injection { apis, kind, lasts }.at(ago(18));
    session.drills = vec![
        of(&[Api::Slack], FaultWord::Unavailable, Lasts::USUAL),
        of(&Api::AWS, FaultWord::Latency, Lasts::UntilCleared),
        of(&[Api::Logs], FaultWord::Denied, Lasts::Seconds(10)),
    ];
    session
}

/// Puts the first step into a state.
pub fn set_step(session: &mut Session, state: StepState) {
    let plan = incident(session).plan.as_mut().expect("a plan");
    plan.steps[0].state = state;
}

/// A stream that broke, and a narrative that names what is not so.
pub fn locked() -> Session {
    let mut session = streaming();
    let incident = incident(&mut session);
    incident.phase = Phase::Planned;
    let narrative = &mut incident.narrative;
    narrative.standing = NarrativeStanding::Broken;
    narrative.fault = Some(Fault::new(FaultKind::Cut, "The stream broke after 412 tokens."));
    narrative.claims[2].check =
        ClaimCheck::Contradicted { why: "E4 says requests were flat at 412 a minute.".to_owned() };
    narrative.claims[3].check = ClaimCheck::Unsupported { why: "orders-db is in no evidence.".to_owned() };
    let refusal = |reason, text: &str| Refusal {
        reason,
        text: text.to_owned(),
        unlock: "ask again with r, or stand on the rules with R".to_owned(),
    };
    incident.gate = Some(GateReport {
        refusals: vec![refusal(RefusalReason::NarrativeBroken, "There is no complete narrative.")],
        confidence: Confidence::new(0.0),
        claims: Share { n: 2, of: 4 },
        ..gate()
    });
    session
}

/// Credentials expired two minutes ago; alarms retry, metrics are lost, logs have a gap.
pub fn stale() -> Session {
    let mut session = gate_open();
    session.credentials = Credentials::ExpireAt(ago(125));
    let expired = Fault::new(FaultKind::Credentials, "The credentials expired 09:29:02Z.")
        .hint("Log in beside this window: aws sso login --profile oncall.");
    let feeds = [
        (FeedId::Metrics, FeedHealth::Lost { fault: expired.clone() }, 192),
        (
            FeedId::Alarms,
            FeedHealth::Retrying {
                attempt: 2,
                until: now() + SignedDuration::from_millis(3_200),
                fault: Fault::new(FaultKind::Throttled, "DescribeAlarms throttled."),
            },
            130,
        ),
        (FeedId::Logs, FeedHealth::Lost { fault: expired }, 127),
    ];
    for (id, health, age_s) in feeds {
        session.feeds.insert(id, Feed { health, answered_at: Some(ago(age_s)), ..Feed::default() });
    }
    session.logs.gaps.push(LogGap {
        group: LogGroup::from("/ecs/my-api"),
        window: Window { from: ago(13), to: ago(11) },
        missed: Some(120),
        why: "throttled".to_owned(),
    });
    session
}

/// May not list alarms.
pub fn denied() -> Session {
    let mut session = empty();
    let fault =
        Fault::new(FaultKind::Denied, "DescribeAlarms denied for oncall-ro.").hint("Needs cloudwatch:DescribeAlarms.");
    session
        .feeds
        .insert(FeedId::Alarms, Feed { health: FeedHealth::Lost { fault }, answered_at: None, ..Feed::default() });
    session
}

/// The alarm fires and nothing else answers with data.
pub fn no_data() -> Session {
    let mut session = triage();
    session.metrics.clear();
    session.logs = pagerdeck::session::logs::LogBoard::default();
    let incident = incident(&mut session);
    incident.awaited.clear();
    incident.phase = Phase::Planned;
    let mut evidence = parts::evidence(now());
    for (at, found) in evidence.iter_mut().enumerate() {
        let denied = || Fault::new(FaultKind::Denied, "GetMetricData denied for oncall-ro.");
        found.answer = match at {
            0 => Answer::Absent,
            1 => Answer::Denied { fault: denied() },
            _ => Answer::NotAsked { why: "the service has no log group".to_owned() },
        };
    }
    incident.evidence = evidence;
    incident.verdict = Some(parts::inconclusive(&[Question::Memory, Question::OomKills]));
    incident.offers = Vec::new();
    incident.gate = Some(GateReport {
        refusals: vec![Refusal {
            reason: RefusalReason::Inconclusive,
            text: "The evidence does not settle a cause.".to_owned(),
            unlock: "evidence on memory, oom-kills: ask again with r".to_owned(),
        }],
        evidence: Share { n: 0, of: 8 },
        claims: Share::default(),
        confidence: Confidence::default(),
        oldest: None,
        ..gate()
    });
    session
}

/// Every step was decided and reported: nothing is asked any more, whatever the gate said before.
pub fn closed() -> Session {
    let mut session = locked();
    let incident = incident(&mut session);
    incident.phase = Phase::Closed;
    incident.closed_at = Some(ago(60));
    incident.plan = Some(parts::plan(Mode::DryRun, ago(18)));
    incident.report = Some(ReportState {
        headline: "P2 my-api: memory leak; restart denied".to_owned(),
        drafted_at: ago(60),
        follow_ups: Vec::new(),
        post: Post::Off,
    });
    set_step(&mut session, StepState::Denied { reason: "freeze tonight".to_owned() });
    session
}

/// A narrative with a heading, a list, a table and code, its last sentence under way.
pub fn markdown() -> Session {
    let mut session = streaming();
    let narrative = &mut incident(&mut session).narrative;
    let text = "# Root cause\n\nMemory grew **steadily** for thirty minutes [E1]. Traffic was flat [E4].\n\n\
                - 14 OOM kills hit two containers [E2]\n- CPU is secondary [E3, E5]\n\n\
                | minute | memory |\n|---|---|\n| 09:02 | 38 % [E1] |\n| 09:31 | 98 % [E1] |\n\n\
                ```sh\nkubectl top pods -n payments\n```\n\n";
    narrative.claims = claim::sentences(text)
        .into_iter()
        .map(|text| Claim {
            cites: claim::cites(&text),
            check: if text.contains('[') || text.starts_with('#') {
                ClaimCheck::Supported
            } else {
                ClaimCheck::Unsupported { why: "it cites no evidence".to_owned() }
            },
            text,
        })
        .collect();
    text.clone_into(&mut narrative.text);
    narrative.claimed = text.len();
    narrative.text.push_str("Restarting the deployment frees the he");
    session
}

/// The gate is open, and every series was compared with the days before: half as high as now, each day a little lower.
pub fn by_the_hour() -> Session {
    let mut session = gate_open();
    for piece in &mut incident(&mut session).evidence {
        let Some(Payload::Series { series, .. }) = piece.answer.payload() else { continue };
        let day = |(n, days): (usize, i64)| {
            let earlier = series.points.iter().map(move |point| Point {
                at: point.at - SignedDuration::from_hours(24 * days),
                value: point.value / 2.0 - 4.0 * n as f64,
            });
            earlier.collect::<Vec<_>>()
        };
        let earlier: Vec<Point> = DAYS_ASKED.into_iter().enumerate().flat_map(day).collect();
        piece.answer = evidence::with_same_hours(piece.answer.clone(), Ok(&earlier));
    }
    session
}
