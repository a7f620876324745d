//! Where the session is. What was read, judged and sent belongs to that place: at another none of it holds.

use super::effect::Effect;
use super::event::{Event, SessionEvent};
use super::state::Session;
use super::{remediation, verification};
use crate::domain::observation::scope::Scope;
use crate::domain::remediation::step::StepState;

/// Takes what became known of the place. At another one every gate is locked and nothing goes on, until it is the right one
/// again.
pub fn learned(session: &mut Session, (scope, environment): (&Scope, Option<&str>)) -> Vec<Effect> {
    let mut effects = remediation::stand_down_all(session, "the scope became another");
    if session.header.scope.is_apart_from(scope) {
        if session.elsewhere.replace(Box::new(scope.clone())).as_deref() == Some(scope) {
            return effects;
        }
        session.incidents.values_mut().for_each(|incident| incident.gate = None);
        let fault = session.elsewhere();
        effects.extend(fault.map(|fault| Effect::Conclude {
            incident: None,
            event: Box::new(Event::Session(SessionEvent::Faulted { fault })),
        }));
        return effects;
    }
    let is_back = session.elsewhere.take().is_some();
    session.header.learn_scope(scope);
    if let Some(word) = environment {
        word.clone_into(&mut session.header.environment);
    }
    if is_back {
        effects.extend(watched_on(session));
    }
    effects
}

/// Measures on what nobody could measure elsewhere.
fn watched_on(session: &Session) -> Vec<Effect> {
    let steps = session.incidents.values().flat_map(|incident| {
        let steps = incident.plan.iter().flat_map(|plan| &plan.steps);
        steps.filter(|step| step.state == StepState::Verifying).map(|step| verification::measure(incident.id, step.id))
    });
    steps.collect()
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::domain::observation::alarm::Severity;
    use crate::domain::observation::scope::AccountId;
    use crate::domain::observation::service::Service;
    use crate::session::incident::Incident;
    use crate::session::{IncidentId, Record, triage, update};

    fn told(session: &mut Session, event: SessionEvent) -> Vec<Effect> {
        let record = Record { seq: session.seq + 1, at: session.now, incident: None, event: Event::Session(event) };
        update(session, &record)
    }

    fn learned(session: &mut Session, account: &str) -> Vec<Effect> {
        let scope = Scope { account: Some(account.into()), region: "us-east-1".into(), ..Scope::default() };
        told(session, SessionEvent::ScopeLearned { scope, environment: Some(account.to_owned()) })
    }

    /// `kubectx` in another terminal, and a kubeconfig in which two clusters have one name.
    #[test]
    fn a_cluster_of_the_same_name_is_another_place_and_told_by_what_it_is() {
        let mut session = Session::default();
        let mut learned = |server: &str, uid: &str| {
            let scope = Scope {
                cluster: Some("prod".into()),
                server: Some(server.to_owned()),
                cluster_uid: Some(uid.to_owned()),
                ..Scope::default()
            };
            told(&mut session, SessionEvent::ScopeLearned { scope, environment: None });
            session.elsewhere().map(|fault| fault.summary)
        };
        assert_eq!(learned("https://a", "u-1"), None);
        assert_eq!(learned("https://bastion", "u-1"), None, "the same by another way");
        let there = learned("https://a", "u-2").expect("another cluster");
        assert!(there.contains("uid u-1") && there.contains("uid u-2"), "{there}");
    }

    /// A process that goes on knows its region first, and the rest when it is answered.
    #[test]
    fn what_is_not_known_yet_takes_nothing_from_what_a_place_is_known_by() {
        let mut session = Session::default();
        assert_eq!(learned(&mut session, "111"), []);
        let scope = Scope { region: "us-east-1".into(), ..Scope::default() };
        told(&mut session, SessionEvent::ScopeLearned { scope, environment: None });
        assert_eq!(session.header.scope.account, Some("111".into()));
        learned(&mut session, "222");
        assert!(session.elsewhere.is_some());
    }

    /// A colleague takes the session up, and nobody has told yet who that is.
    #[test]
    fn who_we_are_is_never_who_was_there_before() {
        let mut session = Session::default();
        let by = |identity: Option<&str>| Scope {
            account: Some("111".into()),
            identity: identity.map(str::to_owned),
            cluster_user: identity.map(str::to_owned),
            ..Scope::default()
        };
        for who in [Some("ana"), None, Some("bob")] {
            told(&mut session, SessionEvent::ScopeLearned { scope: by(who), environment: None });
            let scope = &session.header.scope;
            assert_eq!((scope.identity.as_deref(), scope.cluster_user.as_deref()), (who, who));
            assert_eq!(scope.account, Some("111".into()));
        }
    }

    /// Its credentials became those of another account, or it was resumed with them.
    #[test]
    fn a_session_at_another_place_asks_and_decides_nothing_and_stays_what_it_was() {
        let id = IncidentId(1);
        let mut session = Session::default();
        assert_eq!(learned(&mut session, "111"), [], "what was not known is no other place");
        session.incidents.insert(id, Incident::new(id, Service::bare("my-api"), Severity::P2, Timestamp::UNIX_EPOCH));
        assert!(!triage::ask_again(&session, id, session.now).is_empty());
        let effects = learned(&mut session, "222");
        assert!(matches!(&effects[..], [Effect::Conclude { event, .. }]
            if matches!(event.as_ref(), Event::Session(SessionEvent::Faulted { fault }) if fault.summary.contains("222"))));
        let scope = &session.header.scope;
        assert_eq!(
            (scope.account.as_ref().map(AccountId::as_str), session.header.environment.as_str()),
            (Some("111"), "111")
        );
        assert!(triage::ask_again(&session, id, session.now).is_empty());
        assert!(remediation::judge(&session, id, session.now).is_empty());
        assert_eq!(learned(&mut session, "222"), [], "it is told once");
        assert_eq!(learned(&mut session, "111"), []);
        assert_eq!(session.elsewhere, None);
        learned(&mut session, "222");
        told(&mut session, SessionEvent::Resumed { note: String::new() });
        assert_eq!(session.elsewhere, None, "the next process has a place of its own");
    }
}
