//! Approvals under the fingers.

use super::*;
use crate::domain::remediation::approval::{GRACE_MS, QUIET_MS};
use crate::ui::input::Focus;

fn approve() -> Intent {
    Intent::Approve { incident: I1, step: S1, digest: digest("7f3a0000") }
}

pub(super) fn confirm() -> Intent {
    Intent::Confirm { incident: I1, step: S1, digest: digest("7f3a0000") }
}

fn stand_down(why: &str) -> Intent {
    Intent::StandDown { incident: I1, step: S1, why: why.to_owned() }
}

#[test]
fn one_fresh_press_approves_the_step_that_was_read() {
    let mut person = Person::new(session(StepState::Rehearsed));
    assert_eq!(person.presses("5 A"), [approve()]);
}

/// Why an earlier press did not count is not said any more of the one that did.
#[test]
fn what_was_refused_is_no_answer_to_the_press_that_counts() {
    let mut person = Person::new(session(StepState::Rehearsed));
    person.presses("5");
    assert_eq!(person.sends(key_input("A", KeyEventKind::Press)), []);
    assert!(person.said().contains("Not counted"), "{}", person.said());
    assert_eq!(person.presses("A"), [approve()]);
    assert_eq!(person.said(), "");
}

#[test]
fn nothing_pressed_by_habit_approves() {
    let mut person = Person::new(session(StepState::Rehearsed));
    person.presses("5");
    let habits = person.presses("y enter space 0 1 5 7 a Y 5 ctrl-j ctrl-m esc 5 g G 5");
    assert!(habits.iter().all(|intent| matches!(intent, Intent::Copy { .. } | Intent::Save { .. })), "{habits:?}");
    assert_eq!(person.presses("1 A 2 A 3 A 4 A 6 A"), [], "A counts in pane 5 alone");
}

#[test]
fn a_press_too_early_or_in_a_run_of_keys_does_not_count() {
    let mut person = Person::new(session(StepState::Rehearsed));
    person.presses("5");
    assert_eq!(person.sends(key_input("A", KeyEventKind::Press)), [], "not drawn yet");
    person.waits(GRACE_MS - 1);
    assert_eq!(person.sends(key_input("A", KeyEventKind::Press)), []);
    assert!(person.said().contains("less than a second"), "{}", person.said());
    person.waits(5_000);
    person.sends(key_input("j", KeyEventKind::Press));
    person.waits(QUIET_MS - 1);
    assert_eq!(person.sends(key_input("A", KeyEventKind::Press)), []);
    assert!(person.said().contains("Pause"), "{}", person.said());
    for _ in 0..100 {
        person.waits(30);
        assert_eq!(person.sends(key_input("A", KeyEventKind::Press)), [], "a held key without repeat events");
    }
    person.waits(5_000);
    assert_eq!(person.sends(key_input("A", KeyEventKind::Repeat)), []);
    person.waits(5_000);
    assert_eq!(person.sends(key_input("A", KeyEventKind::Release)), []);
}

/// The first repeat of a held key comes after a pause of its own, as long as a person's, and as one more press.
#[test]
fn a_key_held_since_before_the_grace_was_over_does_not_count_by_its_first_repeat() {
    for delay in [260, 500, 660, 1_000] {
        let mut person = Person::new(session(StepState::Rehearsed));
        person.presses("5");
        person.waits(GRACE_MS - 100);
        assert_eq!(person.sends(key_input("A", KeyEventKind::Press)), [], "too early");
        person.waits(delay);
        assert_eq!(person.sends(key_input("A", KeyEventKind::Press)), [], "a repeat after {delay} ms");
        for _ in 0..50 {
            person.waits(33);
            assert_eq!(person.sends(key_input("A", KeyEventKind::Press)), []);
        }
        person.waits(1_200);
        assert_eq!(person.sends(key_input("A", KeyEventKind::Press)), [approve()], "let go, and pressed again");
    }
}

#[test]
fn another_digest_another_size_and_an_overlay_start_the_grace_again() {
    let mut person = Person::new(session(StepState::Rehearsed));
    person.presses("5 j");
    person.session.incidents.get_mut(&I1).unwrap().step_mut(S1).unwrap().digest = Some(digest("beef0000"));
    person.clock += 5_000;
    assert_eq!(person.sends(key_input("A", KeyEventKind::Press)), [], "this digest has not been on screen");
    person.waits(2_000);
    person.sends(Input::Resize { cols: 90, rows: 40 });
    assert_eq!(person.sends(key_input("A", KeyEventKind::Press)), []);
    person.presses("?");
    assert_eq!(person.presses("A"), [], "it is typed into the help");
    person.presses("esc");
    assert_eq!(person.presses("A").len(), 1);
}

#[test]
fn a_step_that_is_not_whole_on_screen_cannot_be_approved() {
    let mut person = Person::new(session(StepState::Rehearsed));
    person.ui.size = Size { cols: 40, rows: 10 };
    assert_eq!(person.presses("5 A"), []);
    assert!(person.said().contains("not whole on screen"), "{}", person.said());
}

#[test]
fn a_live_step_is_confirmed_by_name_and_digest() {
    let mut person = Person::new(session(StepState::Rehearsed));
    assert_eq!(person.presses("5 A"), [approve()]);
    set(&mut person.session, armed());
    assert_eq!(person.presses("enter"), []);
    assert!(person.said().contains("Enter alone"), "{}", person.said());
    assert_eq!(person.types("my-api 7f3a"), []);
    assert_eq!(person.sends(key_input("enter", KeyEventKind::Press)), [], "in the run of typing");
    assert_eq!(person.presses("enter"), [confirm()]);
}

#[test]
fn three_wrong_tokens_stand_down() {
    let mut person = Person::new(session(armed()));
    person.presses("5");
    for _ in 0..2 {
        person.types("my-api 0000");
        assert_eq!(person.presses("enter"), []);
    }
    assert!(person.said().contains("Tries left: 1"), "{}", person.said());
    person.types("my-api");
    assert_eq!(person.presses("enter"), [stand_down("three wrong tokens")]);
}

fn ways_out() -> [(Input, Vec<Intent>); 5] {
    [
        (key_input("esc", KeyEventKind::Press), vec![stand_down("Esc")]),
        (key_input("ctrl-c", KeyEventKind::Press), vec![stand_down("Ctrl-C")]),
        (Input::Focus(Focus::Lost), vec![stand_down("the window lost the keyboard")]),
        (key_input("ctrl-z", KeyEventKind::Press), vec![stand_down("the program was suspended"), Intent::Suspend]),
        (Input::Resumed, vec![stand_down("the program was stopped and runs again")]),
    ]
}

#[test]
fn whatever_takes_the_person_away_stands_down() {
    for (input, expected) in ways_out() {
        let mut person = Person::new(session(armed()));
        person.presses("5");
        person.types("my-api 7f3a");
        assert_eq!(person.sends(input.clone()), expected, "{input:?}");
        assert!(person.ui.confirm.is_none());
    }
}

#[test]
fn an_approval_that_waits_for_the_disk_is_called_back_as_an_armed_step_is() {
    for (input, expected) in ways_out() {
        let mut person = Person::new(session(armed()));
        person.presses("5");
        person.types("my-api 7f3a");
        assert_eq!(person.presses("enter"), [confirm()]);
        decided(&mut person.session);
        assert_eq!(person.sends(input.clone()), expected, "{input:?}");
    }
    let mut recorded = Person::new(session(StepState::Approved));
    recorded.presses("5");
    assert_eq!(recorded.sends(key_input("ctrl-c", KeyEventKind::Press)), [], "a dry-run's decision waits for nothing");
}

/// Whether its request has left only the outbox knows: it is asked by every way out, in either case.
#[test]
fn a_step_that_runs_is_called_back_where_it_has_not_left() {
    for (input, expected) in ways_out() {
        let mut person = Person::new(session(StepState::Running));
        person.presses("5");
        let asked: Vec<Intent> = expected
            .into_iter()
            .map(|intent| match intent {
                Intent::StandDown { why, .. } => Intent::CallBack { why },
                other => other,
            })
            .collect();
        assert_eq!(person.sends(input.clone()), asked, "{input:?}");
    }
    let mut verifying = Person::new(session(StepState::Verifying));
    verifying.presses("5");
    assert_eq!(verifying.sends(key_input("ctrl-c", KeyEventKind::Press)), [], "it has left");
}

/// What the fold makes of a confirmation while the disk has not acknowledged it.
fn decided(session: &mut Session) {
    use crate::domain::remediation::approval::Approval;
    use crate::domain::remediation::policy::Confirm;
    let (digest, expires_at) = (digest("7f3a0000"), Timestamp::MAX);
    let approval = Approval { step: S1, digest, confirm: Confirm::Typed, expires_at, seq: 9 };
    session.incidents.get_mut(&I1).unwrap().approval = Some(approval);
    set(session, StepState::Approved);
}

/// What may come between the frame that showed a step and the press that would decide about it.
enum Between {
    Nothing,
    Input(Input),
    Keys(&'static str),
    /// The monotonic clock jumps on, or back.
    Jump(i64),
    /// No frame was drawn: type-ahead.
    NoFrame,
    Closed,
}

#[test]
fn what_comes_between_the_frame_and_the_press_decides_whether_it_counts() {
    let key = |key| Input::Key(key_event(key));
    let cases: [(&str, Between, usize); 12] = [
        ("a fresh press", Between::Nothing, 1),
        ("a paste just before", Between::Input(Input::Paste("A".to_owned())), 0),
        ("another key just before", Between::Input(key("j")), 0),
        ("the window lost the keyboard", Between::Input(Input::Focus(Focus::Lost)), 0),
        ("the window got it back", Between::Input(Input::Focus(Focus::Gained)), 0),
        ("another size", Between::Input(Input::Resize { cols: 90, rows: 30 }), 0),
        ("stopped and continued", Between::Input(Input::Resumed), 0),
        ("time passed", Between::Input(Input::Tick), 1),
        ("a page was opened over it", Between::Keys("z enter"), 0),
        ("the machine slept for an hour", Between::Jump(3_600_000), 0),
        ("the clock went back", Between::Jump(-1_900), 0),
        ("the incident was closed", Between::Closed, 0),
    ];
    for (name, between, expected) in cases.into_iter().chain([("typed before it was drawn", Between::NoFrame, 0)]) {
        let mut person = Person::new(session(StepState::Rehearsed));
        person.presses("5");
        if !matches!(between, Between::NoFrame) {
            person.waits(2_000);
        }
        match between {
            Between::Nothing | Between::NoFrame => {}
            Between::Input(input) => drop(person.sends(input)),
            Between::Keys(keys) => drop(person.presses(keys)),
            Between::Jump(ms) => person.clock = person.clock.saturating_add_signed(ms),
            Between::Closed => {
                person.session.incidents.get_mut(&I1).unwrap().phase = crate::session::incident::Phase::Closed;
            }
        }
        let decided = person.sends(key_input("A", KeyEventKind::Press));
        assert_eq!(decided.len(), expected, "{name}: {decided:?}");
    }
}

fn key_event(key: &str) -> KeyEvent {
    match key_input(key, KeyEventKind::Press) {
        Input::Key(event) => event,
        other => panic!("{other:?} is no key"),
    }
}

#[test]
fn an_armed_step_does_not_outlive_a_sleep() {
    let mut person = Person::new(session(armed()));
    person.presses("5");
    person.types("my-api 7f3a");
    person.waits(3_600_000);
    assert_eq!(person.sends(Input::Tick), [stand_down("the program or the machine slept")]);
    let mut drawn_first = Person::new(session(armed()));
    drawn_first.presses("5");
    drawn_first.waits(3_600_000);
    drawn_first.waits(10);
    assert_eq!(drawn_first.sends(Input::Tick).len(), 1, "a frame that comes first hides no sleep");
    let mut awake = Person::new(session(armed()));
    awake.presses("5");
    for _ in 0..200 {
        awake.waits(1_000);
        assert_eq!(awake.sends(Input::Tick), [], "awake it is its own expiry that ends it");
    }
}

#[test]
fn ctrl_c_twice_leaves_and_stands_down_from_any_pane() {
    let mut person = Person::new(session(armed()));
    person.presses("3");
    assert_eq!(person.sends(key_input("ctrl-c", KeyEventKind::Press)), [stand_down("Ctrl-C")]);
    set(&mut person.session, StepState::StoodDown { why: "Ctrl-C".to_owned() });
    person.waits(300);
    assert_eq!(person.sends(key_input("ctrl-c", KeyEventKind::Press)), [Intent::Quit]);
    person.waits(60_000);
    assert_eq!(person.sends(key_input("ctrl-c", KeyEventKind::Press)), [], "once is not twice");
}

#[test]
fn a_size_keeps_what_is_typed_but_the_prompt_must_be_drawn_again() {
    let mut person = Person::new(session(armed()));
    person.presses("5");
    person.types("my-api 7f3a");
    person.waits(2_000);
    person.sends(Input::Resize { cols: 132, rows: 43 });
    assert_eq!(person.sends(key_input("enter", KeyEventKind::Press)), []);
    assert_eq!(person.presses("enter"), [confirm()]);
}

#[test]
fn a_token_typed_after_its_confirmation_expired_becomes_no_commands() {
    let mut person = Person::new(session(armed()));
    person.presses("5");
    person.waits(60_000);
    person.session = session(StepState::Expired);
    assert_eq!(person.types("my-api 7f3a"), []);
    assert!(person.ui.overlay.is_none(), "m opened no note");
    assert!(person.said().contains("expired"), "{}", person.said());
    assert_eq!(person.presses("d"), [Intent::Rehearse { incident: I1, step: S1 }]);
}

#[test]
fn a_token_typed_on_after_its_field_closed_by_itself_becomes_no_commands() {
    let moved = StepState::StoodDown { why: "the object was changed: generation 42, rehearsed on 41".to_owned() };
    for (closed, said) in [(moved, "generation 42"), (StepState::Rehearsing, "closed while you typed")] {
        let mut person = Person::new(session(armed()));
        person.presses("5");
        person.types("my-");
        set(&mut person.session, closed);
        assert_eq!(person.types("api 7f3a"), []);
        assert_eq!(person.sends(key_input("enter", KeyEventKind::Press)), []);
        assert!(person.ui.overlay.is_none(), "i asked nobody");
        assert!(person.said().contains(said), "{}", person.said());
    }
}

#[test]
fn where_the_person_closed_the_field_the_next_key_counts() {
    for key in ["esc", "ctrl-c"] {
        let mut person = Person::new(session(armed()));
        person.presses("5");
        person.types("my-");
        person.presses(key);
        set(&mut person.session, StepState::StoodDown { why: key.to_owned() });
        assert_eq!(person.presses("d"), [Intent::Rehearse { incident: I1, step: S1 }], "{key}");
    }
    let mut person = Person::new(session(armed()));
    person.presses("5");
    person.types("my-api 7f3a");
    assert_eq!(person.presses("enter"), [confirm()]);
    set(&mut person.session, StepState::Verified);
    assert_eq!(person.presses("U"), [Intent::Undo { incident: I1, step: S1 }]);
}

#[test]
fn a_denial_needs_a_reason() {
    let mut person = Person::new(session(StepState::Rehearsed));
    assert_eq!(person.presses("5 X enter"), []);
    assert!(person.said().contains("reason"), "{}", person.said());
    person.types("freeze tonight");
    let reason = "freeze tonight".to_owned();
    assert_eq!(person.presses("enter"), [Intent::Deny { incident: I1, step: S1, reason }]);
}

#[test]
fn verbs_fit_the_state_of_the_step() {
    let pressed = |state: StepState, key: &str| Person::new(session(state)).presses(&format!("5 {key}"));
    assert_eq!(pressed(StepState::Rehearsed, "S"), [Intent::Skip { incident: I1, step: S1 }]);
    assert_eq!(pressed(StepState::Expired, "d"), [Intent::Rehearse { incident: I1, step: S1 }]);
    assert_eq!(pressed(StepState::Uncertain, "d"), [Intent::SettleUncertain { incident: I1, step: S1 }]);
    assert_eq!(pressed(StepState::Verified, "U"), [Intent::Undo { incident: I1, step: S1 }]);
    for state in [StepState::Proposed, StepState::Approved, StepState::Running, StepState::Verified, StepState::Expired]
    {
        assert_eq!(pressed(state.clone(), "A"), [], "{}", state.word());
    }
    for key in ["S", "X", "d", "U"] {
        assert_eq!(pressed(StepState::Running, key), [], "{key}");
    }
}

#[test]
fn steps_are_asked_in_order_and_never_from_the_palette() {
    let mut person = Person::new(session(StepState::Rehearsed));
    let plan = person.session.incidents.get_mut(&I1).unwrap().plan.as_mut().unwrap();
    plan.steps.push(step(2, StepState::Rehearsed));
    assert_eq!(person.presses("5 j A"), []);
    assert!(person.said().contains("#1 is asked first"), "{}", person.said());
    person.presses(":");
    person.types("approve");
    assert_eq!(person.presses("enter"), []);
    assert!(person.said().contains("never taken from a list"), "{}", person.said());
}

#[test]
fn a_read_only_session_decides_nothing() {
    use crate::domain::fault::{Fault, FaultKind};
    let mut person = Person::new(session(StepState::Rehearsed));
    person.session.read_only = Some(Fault::new(FaultKind::Storage, "The journal cannot be written."));
    assert_eq!(person.presses("5 A S d"), []);
    assert!(person.said().contains("read-only"), "{}", person.said());
}
