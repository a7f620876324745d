//! Keys on the page of one opened thing.

use super::*;
use crate::domain::observation::alarm::{Alarm, AlarmRule, Calls, fixture};
use crate::domain::observation::workload::{
    ClusterView, ContainerState, Ownership, Pod, Termination, Workload, WorkloadRef,
};
use crate::ui::model::Pane;
use crate::ui::model::overlay::{Item, Opened, Overlay, Telling};
use crate::ui::view::opened_rows;

fn opened(person: &Person) -> &Opened {
    match &person.ui.overlay {
        Some(Overlay::Detail(opened)) => opened,
        other => panic!("nothing is opened: {other:?}"),
    }
}

fn rows(person: &Person) -> Vec<String> {
    let (rows, _) = opened_rows(&person.ui, &person.session, (opened(person), Timestamp::UNIX_EPOCH));
    rows.iter().map(super::super::super::page::Laid::text).collect()
}

/// A session with one firing alarm whose description names a runbook.
fn firing() -> Session {
    let mut session = session(StepState::Rehearsed);
    session.header.scope.region = "us-east-1".into();
    let rule = AlarmRule::Composite { rule: "ALARM(a) OR ALARM(b)".to_owned() };
    let description = "Too busy. Runbook: https://wiki.example/cpu".to_owned();
    let alarm = Alarm { description, reason: "over".to_owned(), ..fixture::alarm("cpu", rule) };
    session.alarms.insert(alarm.name.clone(), alarm);
    session
}

#[test]
fn an_address_is_chosen_and_copied_and_without_one_the_whole_page() {
    let mut person = Person::new(firing());
    assert_eq!(person.presses("1 enter"), [Intent::Inspect { alarm: "cpu".into() }], "its history is read now");
    let copied = person.presses("y");
    assert!(
        matches!(copied.as_slice(), [Intent::Copy { text }] if text.contains("ALARM(a) OR ALARM(b)")),
        "{copied:?}"
    );
    let runbook = Intent::Copy { text: "https://wiki.example/cpu".to_owned() };
    assert_eq!(person.presses("tab y"), std::slice::from_ref(&runbook));
    let console = person.presses("tab y");
    assert!(
        matches!(console.as_slice(), [Intent::Copy { text }] if text.ends_with("#alarmsV2:alarm/cpu")),
        "{console:?}"
    );
    assert_eq!(person.presses("tab y"), [runbook], "around the end");
    assert_eq!(opened(&person).link, Some(0));
    person.presses("v");
    assert_eq!((opened(&person).telling, opened(&person).link), (Telling::Raw, None));
    person.presses("tab");
    assert!(person.said().contains("no address"), "{}", person.said());
}

#[test]
fn an_alarm_that_calls_nobody_says_so_and_how_to_get_an_incident() {
    let mut person = Person::new(firing());
    person.session.alarms.get_mut(&"cpu".into()).unwrap().calls = Calls::SwitchedOff;
    person.presses("1 enter");
    let shown = rows(&person).join("\n");
    assert!(shown.contains("page        NONE WOULD COME: its actions are switched off"), "{shown}");
    assert!(shown.contains("I opens one"), "{shown}");
}

#[test]
fn a_page_is_searched_and_its_end_is_reached_and_not_passed() {
    let mut person = Person::new(firing());
    person.ui.size = Size { cols: 80, rows: 18 };
    person.presses("1 enter v");
    let total = rows(&person).len();
    person.presses("G");
    let end = opened(&person).top;
    assert!(end > 0 && end < total, "{end} of {total}");
    person.presses("j ctrl-d");
    assert_eq!(opened(&person).top, end);
    person.types("gg");
    assert_eq!(opened(&person).top, 0);
    person.presses("/");
    person.types("severity");
    assert!(opened(&person).typing.is_some());
    person.presses("enter");
    let (top, found) = (opened(&person).top, rows(&person));
    assert!(found[top..].iter().take(14).any(|row| row.contains("severity")), "{top} {found:?}");
    person.presses("n");
    assert!(person.said().contains("No further match"), "{}", person.said());
    person.presses("\\ n");
    assert!(person.said().contains("/ begins"), "{}", person.said());
    person.presses("q");
    assert!(person.ui.overlay.is_none());
}

#[test]
fn keys_of_the_pane_below_do_nothing_through_a_page() {
    let mut person = Person::new(session(StepState::Rehearsed));
    assert_eq!(person.presses("5 enter enter A S X d R 3 : ? m"), []);
    assert_eq!((&opened(&person).item, person.ui.focus), (&Item::Step(S1), Pane::Remediation));
    assert_eq!(person.presses("q A").len(), 1, "closed again, it is asked as before");
}

fn pod(target: &WorkloadRef, reason: &str) -> Pod {
    let end = Termination {
        reason: reason.to_owned(),
        exit_code: 137,
        started_at: Some(Timestamp::UNIX_EPOCH),
        finished_at: Timestamp::from_second(372).ok(),
    };
    Pod {
        name: format!("pod-{reason}"),
        namespace: target.namespace.clone(),
        owner: Some(target.clone()),
        phase: "Running".to_owned(),
        node: None,
        containers: vec![ContainerState {
            name: "app".to_owned(),
            ready: false,
            restarts: 7,
            state: "waiting: CrashLoopBackOff".to_owned(),
            running_since: None,
            last_end: Some(end),
            end_before: None,
            message: None,
        }],
        created_at: None,
    }
}

fn workload(target: &WorkloadRef) -> Workload {
    Workload {
        uid: "u".to_owned(),
        generation: 42,
        observed_generation: 41,
        replicas: 2,
        updated: 2,
        max_unavailable: "25%".to_owned(),
        max_surge: "25%".to_owned(),
        revision: Some(3),
        ownership: Ownership::ArgoCd { application: "shop".to_owned() },
        ..Workload::named(target.clone())
    }
}

#[test]
fn a_workload_tells_how_its_containers_ended() {
    let mut person = Person::new(session(StepState::Rehearsed));
    person.presses("K");
    assert!(person.said().contains("No workload"), "{}", person.said());
    let target = step(1, StepState::Rehearsed).target;
    person.session.cluster = ClusterView {
        workloads: BTreeMap::from([(target.key(), workload(&target))]),
        pods: ["OOMKilled", "Error"].map(|reason| (reason.to_owned(), pod(&target, reason))).into(),
        ..ClusterView::default()
    };
    person.presses("K");
    let text = rows(&person).join("\n");
    for fact in [
        "0 of 2 ready",
        "NOT seen it yet",
        "Argo CD shop: a direct change is reverted",
        "NOT READY  waiting: CrashLoopBackOff  restarts 7",
        "OOMKilled exit 137 after 6m12s",
        "Error exit 137 after 6m12s, 00:06:12Z  (137 is a kill by signal; nothing says it was for memory)",
    ] {
        assert!(text.contains(fact), "{fact}\n{text}");
    }
}
