//! When the person is called: an alarm fired, a diagnosis is ready, a step waits, a verification failed, or the credentials
//! run out, by the rule for each; unless one says otherwise, only while nobody is looking.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::config::{Call, Notices};
use crate::domain::remediation::step::{StepId, StepState};
use crate::session::incident::Incident;
use crate::session::state::Credentials;
use crate::session::{IncidentId, Session};
use crate::ui::input::Focus;

/// How long before the credentials expire the person is told: time enough to log in again before a step needs them.
const CREDENTIALS_LEFT: SignedDuration = SignedDuration::from_mins(10);

/// What was told of an incident so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Told {
    alarms: usize,
    diagnosed: Option<u32>,
    waits: Option<StepId>,
    failed: Option<StepId>,
}

impl Told {
    fn of(incident: &Incident) -> Self {
        let steps = incident.plan.as_ref().map_or(&[][..], |plan| &plan.steps);
        let failed = steps.iter().find(|step| matches!(step.state, StepState::Failed { .. }));
        Self {
            alarms: incident.alarms.len(),
            diagnosed: incident.diagnosis.as_ref().map(|_| incident.narrative.attempt),
            waits: incident.asked_step().map(|step| step.id),
            failed: failed.map(|step| step.id),
        }
    }
}

/// What there is to call for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct News {
    /// The rule for it.
    pub call: Call,
    /// In a few words.
    pub text: String,
}

/// Calls once for each piece of news.
#[derive(Clone, Debug, Default)]
pub struct Bell {
    rules: Notices,
    away: bool,
    told: BTreeMap<IncidentId, Told>,
    expiring: Option<Timestamp>,
    refused: bool,
}

impl Bell {
    /// A bell with these rules, while somebody looks.
    pub fn of(rules: Notices) -> Self {
        Self { rules, ..Self::default() }
    }

    /// Other rules hold from now on.
    pub fn rules(&mut self, rules: Notices) {
        self.rules = rules;
    }

    /// The window gained or lost the keyboard.
    pub fn focus(&mut self, focus: Focus) {
        self.away = focus == Focus::Lost;
    }

    /// What to call for: all news since the last time, the credentials' first. What happens while the person looks is no
    /// news later.
    pub fn news(&mut self, session: &Session, now: Timestamp) -> Vec<News> {
        let expiry = self.expiry(session, now);
        let mut news: Vec<News> = expiry.map(|text| News { call: self.rules.credentials, text }).into_iter().collect();
        for (id, incident) in &session.incidents {
            let present = Told::of(incident);
            let before = self.told.entry(*id).or_default();
            if *before != present {
                news.extend(words(incident, (before, &present), self.rules));
                *before = present;
            }
        }
        news.retain(|news| self.calls(news));
        news
    }

    fn calls(&self, news: &News) -> bool {
        match news.call {
            Call::Unfocused => self.away,
            Call::Always => true,
            Call::Never => false,
        }
    }

    /// Told once for each expiry, and once for each time they fail: credentials that were renewed may run out again.
    fn expiry(&mut self, session: &Session, now: Timestamp) -> Option<String> {
        let fault = session.credentials_fault();
        let was_refused = std::mem::replace(&mut self.refused, fault.is_some());
        if let Some(fault) = fault.filter(|_| !was_refused) {
            return Some(format!("credentials failed: {}", fault.summary));
        }
        let Credentials::ExpireAt(at) = session.credentials else { return None };
        if self.expiring == Some(at) || now + CREDENTIALS_LEFT < at {
            return None;
        }
        self.expiring = Some(at);
        let minutes = at.duration_since(now).as_mins();
        Some(if minutes < 0 {
            "credentials have expired".to_owned()
        } else {
            format!("credentials expire in {minutes} min")
        })
    }
}

/// The most pressing of what is new.
fn words(incident: &Incident, (before, present): (&Told, &Told), rules: Notices) -> Option<News> {
    let name = format!("{} {}", incident.id, incident.service.name);
    let new = |old: Option<StepId>, new: Option<StepId>| new.filter(|_| old != new);
    if let Some(step) = new(before.failed, present.failed) {
        return Some(News { call: rules.verification, text: format!("{name}: {step} failed") });
    }
    if let Some(step) = new(before.waits, present.waits) {
        return Some(News { call: rules.step, text: format!("{name}: {step} waits for a decision") });
    }
    if present.diagnosed.is_some() && before.diagnosed != present.diagnosed {
        return Some(News { call: rules.diagnosis, text: format!("{name}: diagnosis ready") });
    }
    let newest = incident.alarms.last().filter(|_| before.alarms < present.alarms)?;
    Some(News { call: rules.alarm, text: format!("{name}: {newest} is in ALARM") })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::observation::alarm::{AlarmName, Severity};
    use crate::domain::observation::service::Service;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn away() -> Bell {
        Bell { away: true, ..Bell::default() }
    }

    fn texts(bell: &mut Bell, session: &Session, now: Timestamp) -> Vec<String> {
        bell.news(session, now).into_iter().map(|news| news.text).collect()
    }

    #[test]
    fn a_new_alarm_rings_once_and_only_while_nobody_looks() {
        let mut session = Session::default();
        let opened = at("2026-05-01T09:31:00Z");
        let mut incident = Incident::new(IncidentId(1), Service::bare("my-api"), Severity::P2, opened);
        incident.alarms.push(AlarmName::from("my-api-cpu-high"));
        session.incidents.insert(incident.id, incident.clone());
        let now = opened;
        let mut bell = away();
        assert_eq!(texts(&mut bell, &session, now), ["I1 my-api: my-api-cpu-high is in ALARM"]);
        assert!(texts(&mut bell, &session, now).is_empty());
        bell.focus(Focus::Gained);
        incident.alarms.push(AlarmName::from("my-api-oomkilled"));
        session.incidents.insert(incident.id, incident);
        assert!(texts(&mut bell, &session, now).is_empty());
        bell.focus(Focus::Lost);
        assert!(texts(&mut bell, &session, now).is_empty(), "what was seen is no news");
    }

    #[test]
    fn credentials_ring_ten_minutes_before_each_expiry() {
        let expiry = at("2026-05-01T09:41:00Z");
        let mut session = Session { credentials: Credentials::ExpireAt(expiry), ..Session::default() };
        let mut bell = away();
        assert!(texts(&mut bell, &session, at("2026-05-01T09:30:59Z")).is_empty());
        assert_eq!(texts(&mut bell, &session, at("2026-05-01T09:31:00Z")), ["credentials expire in 10 min"]);
        assert!(texts(&mut bell, &session, at("2026-05-01T09:32:00Z")).is_empty());
        session.credentials = Credentials::ExpireAt(at("2026-05-01T10:41:00Z"));
        assert_eq!(texts(&mut bell, &session, at("2026-05-01T10:32:00Z")), ["credentials expire in 9 min"]);
    }

    #[test]
    fn all_that_is_new_in_one_turn_is_called() {
        let now = at("2026-05-01T09:31:00Z");
        let mut session =
            Session { credentials: Credentials::ExpireAt(at("2026-05-01T09:41:00Z")), ..Session::default() };
        for (number, name) in [(1, "my-api"), (2, "cart")] {
            let mut incident = Incident::new(IncidentId(number), Service::bare(name), Severity::P2, now);
            incident.alarms.push(AlarmName::from(format!("{name}-cpu-high").as_str()));
            session.incidents.insert(incident.id, incident);
        }
        let mut bell = away();
        let expected = [
            "credentials expire in 10 min",
            "I1 my-api: my-api-cpu-high is in ALARM",
            "I2 cart: cart-cpu-high is in ALARM",
        ];
        assert_eq!(texts(&mut bell, &session, now), expected);
        assert!(texts(&mut bell, &session, now).is_empty());
    }

    #[test]
    fn credentials_ring_once_each_time_they_fail() {
        use crate::domain::fault::{Fault, FaultKind};
        use crate::session::feeds::{Feed, FeedHealth, FeedId};
        let (mut session, mut bell) = (Session::default(), away());
        let lost = FeedHealth::Lost { fault: Fault::new(FaultKind::Credentials, "They have expired.") };
        for (health, rings) in [(lost.clone(), true), (lost.clone(), false), (FeedHealth::Live, false), (lost, true)] {
            session.feeds.insert(FeedId::Alarms, Feed { health, ..Feed::default() });
            let news = texts(&mut bell, &session, at("2026-05-01T09:31:00Z"));
            let expected: &[&str] = if rings { &["credentials failed: They have expired."] } else { &[] };
            assert_eq!(news, expected);
        }
    }

    #[test]
    fn each_kind_of_news_has_its_rule() {
        let mut session = Session::default();
        let opened = at("2026-05-01T09:31:00Z");
        let mut incident = Incident::new(IncidentId(1), Service::bare("my-api"), Severity::P2, opened);
        incident.alarms.push(AlarmName::from("my-api-cpu-high"));
        session.incidents.insert(incident.id, incident);
        for (call, focus, rings) in [
            (Call::Always, Focus::Gained, true),
            (Call::Unfocused, Focus::Gained, false),
            (Call::Unfocused, Focus::Lost, true),
            (Call::Never, Focus::Lost, false),
        ] {
            let mut bell = Bell::of(Notices { alarm: call, ..Notices::default() });
            bell.focus(focus);
            assert_eq!(!bell.news(&session, opened).is_empty(), rings, "{call:?} {focus:?}");
        }
    }
}
