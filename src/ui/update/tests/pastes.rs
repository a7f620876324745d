//! Pastes, with brackets and without: what comes all at once is neither typed nor pressed.

use super::approvals::confirm;
use super::*;
use crate::ui::model::overlay::{Overlay, Writing};
use crate::ui::model::{Pane, Showing};

/// The keys of a paste that no brackets tell of, as they come from one read.
fn burst(person: &mut Person, text: &str) -> Vec<Intent> {
    person.sends(Input::Burst);
    let code = |letter| if letter == '\n' { KeyCode::Enter } else { KeyCode::Char(letter) };
    text.chars().flat_map(|letter| person.sends(Input::Key(KeyEvent::from(code(letter))))).collect()
}

fn typed(person: &Person) -> String {
    person.ui.confirm_field(&person.session).unwrap().text
}

#[test]
fn a_paste_never_reaches_the_confirm_field() {
    let mut person = Person::new(session(armed()));
    person.presses("5");
    assert_eq!(person.sends(Input::Paste("my-api 7f3a\n".to_owned())), []);
    assert!(person.said().contains("refused"), "{}", person.said());
    assert_eq!(typed(&person), "");
    assert_eq!(person.presses("enter"), []);
}

#[test]
fn a_token_that_came_all_at_once_is_not_taken() {
    for text in ["my-api 7f3a", "my-api 7f3a\n"] {
        let mut person = Person::new(session(armed()));
        person.presses("5");
        person.waits(2_000);
        assert_eq!(burst(&mut person, text), []);
        assert_eq!(person.presses("enter"), []);
        assert_eq!(typed(&person), "");
        let field = person.ui.confirm_field(&person.session).unwrap();
        assert_eq!(field.wrong, 0, "nobody mistyped anything");
        assert_eq!(person.types("my-api 7f3a"), []);
        assert_eq!(person.presses("enter"), [confirm()]);
    }
    let mut person = Person::new(session(armed()));
    person.presses("5");
    person.waits(2_000);
    burst(&mut person, "my-api 7f3a");
    person.presses("enter");
    assert!(person.said().contains("Pasted, not typed"), "{}", person.said());
}

/// A link that stalls hands over in pieces what was typed apart.
#[test]
fn a_token_that_came_in_pieces_is_taken() {
    let mut person = Person::new(session(armed()));
    person.presses("5");
    for piece in ["my-a", "pi 7f", "3a"] {
        person.waits(700);
        assert_eq!(burst(&mut person, piece), []);
    }
    assert_eq!(person.presses("enter"), [confirm()]);
}

#[test]
fn of_keys_that_came_at_once_none_decides_or_asks() {
    let states = [StepState::Rehearsed, StepState::Expired, StepState::Uncertain, StepState::Verified];
    for state in states {
        let mut person = Person::new(session(state.clone()));
        person.presses("5");
        person.waits(2_000);
        assert_eq!(burst(&mut person, "ASXdUimIxrR y"), [], "{state:?}");
        assert!(person.ui.overlay.is_none(), "{state:?}");
        assert!(person.said().contains("Not counted"), "{state:?}: {}", person.said());
        person.waits(2_000);
        assert_eq!(burst(&mut person, "3j5"), [], "a look does no harm");
        assert_eq!((person.ui.focus, person.ui.showing), (Pane::Remediation, Showing::Session));
    }
    let mut person = Person::new(session(StepState::Expired));
    person.presses("5");
    person.waits(2_000);
    let slow = [person.sends(key_input("S", KeyEventKind::Press)), {
        person.clock += 1;
        person.sends(key_input("d", KeyEventKind::Press))
    }];
    assert_eq!(slow, [vec![Intent::Skip { incident: I1, step: S1 }], vec![]], "a serial line is read key by key");
}

#[test]
fn the_lines_of_a_paste_become_one_text_and_no_commands() {
    let mut person = Person::new(session(StepState::Rehearsed));
    person.presses("m");
    person.waits(2_000);
    assert_eq!(burst(&mut person, "from the log:\nR is down\n"), []);
    assert!(matches!(person.ui.overlay, Some(Overlay::Write { writing: Writing::Note, .. })), "still being written");
    assert_eq!(person.presses("enter"), [Intent::Note { text: "from the log:\nR is down".to_owned() }]);
}

#[test]
fn a_paste_into_the_palette_does_nothing_that_lasts() {
    let mut person = Person::new(session(StepState::Rehearsed));
    person.presses(":");
    person.waits(2_000);
    assert_eq!(burst(&mut person, "export\n"), []);
    assert!(person.ui.overlay.is_some());
    assert_eq!(person.presses("enter").len(), 1, "Enter alone does it");
}
