//! The property that nothing stray ever decides: random presses, pastes, sizes and frames against an oracle of its own.

use proptest::prelude::*;

use super::*;
use crate::domain::remediation::approval::{GRACE_MS, QUIET_MS};
use crate::ui::input::Focus;
use crate::ui::model::{Pane, Showing};
use crate::ui::update::IN_A_REPLAY;

#[derive(Clone, Debug)]
enum Event {
    Key(&'static str, KeyEventKind),
    Token,
    /// The token all at once.
    Burst,
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
        1 => Just(Event::Burst),
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
    /// When each letter that went into the field came.
    came: Vec<u64>,
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

    fn notes(&mut self, before: &str, person: &Person) {
        if field_text(person).len() > before.len() {
            self.came.push(person.clock);
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
                let letters = &self.came[self.came.len() - typed.len()..];
                let took = letters[letters.len() - 1] - letters[0];
                prop_assert!(took >= 20 * (letters.len() as u64 - 1), "nobody types as fast: {letters:?}");
            }
        }
        Ok(())
    }
}

fn field_text(person: &Person) -> String {
    person.ui.confirm_field(&person.session).map(|field| field.text).unwrap_or_default()
}

fn input_of(event: &Event) -> Option<Input> {
    match event {
        Event::Key(key, kind) => Some(key_input(key, *kind)),
        Event::Paste => Some(Input::Paste("my-api 7f3a\n".to_owned())),
        Event::Tick => Some(Input::Tick),
        Event::Gained => Some(Input::Focus(Focus::Gained)),
        Event::Lost => Some(Input::Focus(Focus::Lost)),
        Event::Resize(cols, rows) => Some(Input::Resize { cols: *cols, rows: *rows }),
        Event::Token | Event::Burst | Event::Draw | Event::Rehearsed(_) | Event::Armed => None,
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
        let typed = field_text(&person);
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
            Event::Token | Event::Burst => {
                let pause = if matches!(event, Event::Token) { 60 } else { 0 };
                let wanted = person.ui.wanted_token(&person.session).unwrap_or_default();
                for letter in wanted.chars() {
                    person.clock += pause;
                    let before = field_text(&person);
                    let key = KeyEvent::new(KeyCode::Char(letter), KeyModifiers::NONE);
                    let intents = person.sends(Input::Key(key));
                    oracle.check(&intents, event, &person, &typed)?;
                    oracle.last_input = Some(person.clock);
                    oracle.notes(&before, &person);
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
        oracle.notes(&typed, &person);
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

#[test]
fn in_a_replay_no_key_decides_and_each_is_answered() {
    for state in [StepState::Rehearsed, armed(), StepState::Verified] {
        for key in ["A", "X", "S", "d", "U"] {
            let mut person = Person::new(session(state.clone()));
            person.ui.showing = Showing::Journal;
            assert_eq!(person.presses(&format!("5 {key}")), [], "{state:?} {key}");
            assert_eq!(person.said(), IN_A_REPLAY, "{state:?} {key}");
        }
    }
}
