//! Approvals under the fingers.

use proptest::prelude::*;

use super::*;
use crate::domain::remediation::approval::{GRACE_MS, QUIET_MS};
use crate::ui::input::Focus;
use crate::ui::model::Pane;

fn approve() -> Intent {
    Intent::Approve { incident: I1, step: S1, digest: digest("7f3a0000") }
}

fn confirm() -> Intent {
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
fn a_paste_never_reaches_the_confirm_field() {
    let mut person = Person::new(session(armed()));
    person.presses("5");
    assert_eq!(person.sends(Input::Paste("my-api 7f3a\n".to_owned())), []);
    assert!(person.said().contains("refused"), "{}", person.said());
    assert_eq!(person.ui.confirm_field(&person.session).unwrap().text, "");
    assert_eq!(person.presses("enter"), []);
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

#[test]
fn whatever_takes_the_person_away_stands_down() {
    let ways = [
        (key_input("esc", KeyEventKind::Press), vec![stand_down("Esc")]),
        (key_input("ctrl-c", KeyEventKind::Press), vec![stand_down("Ctrl-C")]),
        (Input::Focus(Focus::Lost), vec![stand_down("the window lost the keyboard")]),
        (key_input("ctrl-z", KeyEventKind::Press), vec![stand_down("the program was suspended"), Intent::Suspend]),
        (Input::Resumed, vec![stand_down("the program was stopped and runs again")]),
    ];
    for (input, expected) in ways {
        let mut person = Person::new(session(armed()));
        person.presses("5");
        person.types("my-api 7f3a");
        assert_eq!(person.sends(input.clone()), expected, "{input:?}");
        assert!(person.ui.confirm.is_none());
    }
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

#[derive(Clone, Debug)]
enum Event {
    Key(&'static str, KeyEventKind),
    Token,
    Paste,
    Tick,
    Gained,
    Lost,
    Resize(u16, u16),
    Draw,
    Rehearsed(&'static str),
    Armed,
}

fn event() -> impl Strategy<Value = Event> {
    let keys = prop::sample::select(vec![
        "A", "A", "A", "enter", "enter", "y", "space", "5", "5", "5", "1", "3", "z", "esc", "X", "S", "?", ":", "j",
        "ctrl-c", "m", "7", "a",
    ]);
    let kinds = prop::sample::select(vec![
        KeyEventKind::Press,
        KeyEventKind::Press,
        KeyEventKind::Press,
        KeyEventKind::Repeat,
        KeyEventKind::Release,
    ]);
    let sizes = prop::sample::select(vec![(80, 24), (200, 60), (132, 43), (60, 16), (40, 10)]);
    prop_oneof![
        6 => (keys, kinds).prop_map(|(key, kind)| Event::Key(key, kind)),
        2 => Just(Event::Token),
        1 => Just(Event::Paste),
        1 => Just(Event::Tick),
        1 => Just(Event::Gained),
        1 => Just(Event::Lost),
        1 => sizes.prop_map(|(cols, rows)| Event::Resize(cols, rows)),
        6 => Just(Event::Draw),
        1 => prop::sample::select(vec!["7f3a0000", "beef0000"]).prop_map(Event::Rehearsed),
        2 => Just(Event::Armed),
    ]
}

/// What must be true of a decision, kept apart from the code that makes it.
#[derive(Default)]
struct Oracle {
    /// The digest and state that every frame since then has shown in pane 5 with nothing over it.
    shown: Option<(Digest, bool, u64)>,
    last_input: Option<u64>,
}

impl Oracle {
    fn frame(&mut self, person: &Person) {
        let step = person.ui.step(&person.session).unwrap();
        let visible = person.ui.focus == Pane::Remediation && person.ui.overlay.is_none();
        // The rows and columns that the facts of a decision need, box or no box around them.
        let inside = person.ui.layout().inner(Pane::Remediation);
        let whole = inside.is_some_and(|inside| inside.width >= 58 && inside.height >= 13);
        let now = (step.digest.clone().unwrap(), matches!(step.state, StepState::Armed { .. }));
        match &self.shown {
            _ if !visible || !whole => self.shown = None,
            Some((digest, is_armed, _)) if (digest, *is_armed) == (&now.0, now.1) => {}
            _ => self.shown = Some((now.0, now.1, person.clock)),
        }
    }

    fn check(&self, intents: &[Intent], event: &Event, person: &Person, typed: &str) -> Result<(), TestCaseError> {
        for intent in intents {
            let (key, digest, is_armed) = match intent {
                Intent::Approve { digest, .. } => ("A", digest, false),
                Intent::Confirm { digest, .. } => ("enter", digest, true),
                _ => continue,
            };
            prop_assert!(matches!(event, Event::Key(pressed, KeyEventKind::Press) if *pressed == key), "{event:?}");
            let (shown, armed_then, since) = self.shown.clone().expect("it was on screen");
            prop_assert_eq!((&shown, armed_then), (digest, is_armed));
            prop_assert!(person.clock - since >= GRACE_MS);
            prop_assert!(self.last_input.is_none_or(|before| person.clock - before >= QUIET_MS));
            let step = person.ui.step(&person.session).unwrap();
            prop_assert_eq!(step.digest.as_ref(), Some(digest));
            if is_armed {
                prop_assert_eq!(typed.trim(), format!("my-api {}", digest.short()));
            }
        }
        Ok(())
    }
}

fn input_of(event: &Event) -> Option<Input> {
    match event {
        Event::Key(key, kind) => Some(key_input(key, *kind)),
        Event::Paste => Some(Input::Paste("my-api 7f3a\n".to_owned())),
        Event::Tick => Some(Input::Tick),
        Event::Gained => Some(Input::Focus(Focus::Gained)),
        Event::Lost => Some(Input::Focus(Focus::Lost)),
        Event::Resize(cols, rows) => Some(Input::Resize { cols: *cols, rows: *rows }),
        Event::Token | Event::Draw | Event::Rehearsed(_) | Event::Armed => None,
    }
}

fn play(events: &[(Event, u64)]) -> Result<usize, TestCaseError> {
    let mut person = Person::new(session(StepState::Rehearsed));
    let mut oracle = Oracle::default();
    let mut decisions = 0;
    for (event, pause) in events {
        person.clock += pause;
        if matches!(event, Event::Gained | Event::Lost | Event::Resize(..)) {
            oracle.shown = None;
        }
        let typed = person.ui.confirm_field(&person.session).map(|field| field.text).unwrap_or_default();
        match event {
            Event::Draw => {
                drawn(&mut person.ui, &person.session, at(person.clock));
                oracle.frame(&person);
            }
            Event::Rehearsed(text) => {
                let step = person.session.incidents.get_mut(&I1).unwrap().step_mut(S1).unwrap();
                (step.digest, step.state) = (Some(digest(text)), StepState::Rehearsed);
            }
            Event::Armed => set(&mut person.session, armed()),
            Event::Token => {
                let wanted = person.ui.wanted_token(&person.session).unwrap_or_default();
                for letter in wanted.chars() {
                    let key = KeyEvent::new(KeyCode::Char(letter), KeyModifiers::NONE);
                    let intents = person.sends(Input::Key(key));
                    oracle.check(&intents, event, &person, &typed)?;
                    oracle.last_input = Some(person.clock);
                }
            }
            _ => {}
        }
        let Some(input) = input_of(event) else { continue };
        let is_typing = matches!(input, Input::Key(_) | Input::Paste(_));
        let intents = person.sends(input);
        oracle.check(&intents, event, &person, &typed)?;
        decisions += intents.iter().filter(|i| matches!(i, Intent::Approve { .. } | Intent::Confirm { .. })).count();
        if is_typing {
            oracle.last_input = Some(person.clock);
        }
    }
    Ok(decisions)
}

#[test]
fn the_full_path_is_open_to_the_property_below() {
    use Event::{Armed, Draw, Key, Token};
    let press = |key| Key(key, KeyEventKind::Press);
    let path = [
        (press("5"), 0),
        (Draw, 10),
        (press("A"), 1_500),
        (Armed, 5),
        (Draw, 10),
        (Token, 900),
        (Draw, 20),
        (press("enter"), 600),
    ];
    assert_eq!(play(&path).unwrap(), 2);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_stray_input_ever_decides(
        events in prop::collection::vec(
            (event(), prop::sample::select(vec![0_u64, 1, 20, 120, 249, 250, 300, 999, 1_000, 1_500, 4_000])),
            1..80,
        )
    ) {
        play(&events)?;
    }
}
