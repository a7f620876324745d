//! The one table of keys: the screen's `update`, the footer's hints, the palette and the help are all made from it.

pub mod chord;
pub mod table;

use self::chord::{Chord, parse};
pub use self::table::{Action, Context, Remap, Row, TABLE};
use super::model::Pane;

/// Hints in the footer, `? help` among them.
pub const MOST_HINTS: usize = 8;

/// Why a keymap from the configuration cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeymapFault {
    /// No such action.
    #[error("There is no action {id:?}.")]
    UnknownAction {
        /// As written.
        id: String,
    },
    /// The approval verbs and the ways out have fixed keys.
    #[error("The keys of {id:?} cannot be changed: approvals and ways out are the same on every machine.")]
    Fixed {
        /// Which.
        id: &'static str,
    },
    /// No such key.
    #[error("{key:?} of {id:?} is no key.")]
    UnknownKey {
        /// Of which action.
        id: &'static str,
        /// As written.
        key: String,
    },
    /// Two actions share a key in one place.
    #[error("The key {key} would mean both {one:?} and {other:?}.")]
    Conflict {
        /// The key.
        key: String,
        /// One action.
        one: &'static str,
        /// The other.
        other: &'static str,
    },
}

/// A row with the keys in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// The row.
    pub row: &'static Row,
    /// Each a sequence of chords, most of them of one.
    pub keys: Vec<Vec<Chord>>,
}

impl Binding {
    /// Its keys as they are printed: `g g`, `Home`.
    pub fn keys_text(&self) -> String {
        let keys: Vec<String> = self.keys.iter().map(|keys| chord::text(keys)).collect();
        keys.join(", ")
    }

    /// Its first key as it is printed in a hint.
    pub fn first_key(&self) -> String {
        self.keys.first().map(|keys| chord::text(keys)).unwrap_or_default()
    }
}

/// What chords typed so far mean in a pane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// This action.
    Is(Action),
    /// The beginning of a longer sequence.
    Begins,
    /// Nothing.
    Nothing,
}

/// The keys in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keymap {
    bindings: Vec<Binding>,
}

impl Default for Keymap {
    fn default() -> Self {
        // The table's own keys parse: a test reads them all.
        let keys = |row: &Row| row.keys.iter().filter_map(|text| parse(text)).collect();
        Self { bindings: TABLE.iter().map(|row| Binding { row, keys: keys(row) }).collect() }
    }
}

impl Keymap {
    /// The table with keys of the person's own, by action id. An action named here loses its own keys.
    pub fn with<'a>(changes: impl IntoIterator<Item = (&'a str, Vec<String>)>) -> Result<Self, KeymapFault> {
        let mut keymap = Self::default();
        for (id, keys) in changes {
            let binding = keymap.bindings.iter_mut().find(|binding| binding.row.id == id);
            let binding = binding.ok_or_else(|| KeymapFault::UnknownAction { id: id.to_owned() })?;
            if binding.row.remap == Remap::Fixed {
                return Err(KeymapFault::Fixed { id: binding.row.id });
            }
            let parsed = keys
                .iter()
                .map(|key| parse(key).ok_or_else(|| KeymapFault::UnknownKey { id: binding.row.id, key: key.clone() }));
            binding.keys = parsed.collect::<Result<_, _>>()?;
        }
        keymap.check()?;
        Ok(keymap)
    }

    /// Every binding, in the order of the help.
    pub fn bindings(&self) -> &[Binding] {
        &self.bindings
    }

    /// The binding of an action.
    pub fn binding(&self, action: Action) -> Option<&Binding> {
        self.bindings.iter().find(|binding| binding.row.action == action)
    }

    /// What chords mean while a pane has the keys.
    pub fn meaning(&self, chords: &[Chord], pane: Pane) -> Meaning {
        let here = || self.bindings.iter().filter(|binding| binding.row.context.holds_in(pane));
        let exact = here().find(|binding| binding.keys.iter().any(|keys| keys == chords));
        let begins = || here().any(|binding| binding.keys.iter().any(|keys| keys.starts_with(chords)));
        match exact {
            Some(binding) => Meaning::Is(binding.row.action),
            None if begins() => Meaning::Begins,
            None => Meaning::Nothing,
        }
    }

    /// The pane in which a key decides, where it has no meaning in this one; and how the key is written.
    pub fn deciding_elsewhere(&self, chord: Chord, pane: Pane) -> Option<(Pane, String)> {
        let decides = |binding: &&Binding| binding.row.action.is_verb() || binding.row.action == Action::StandOnRules;
        let pressed = |binding: &&Binding| binding.keys.iter().any(|keys| keys.as_slice() == [chord]);
        let found = self.bindings.iter().filter(decides).find(pressed)?;
        match found.row.context {
            Context::In(own) if own != pane => Some((own, found.first_key())),
            Context::In(_) | Context::Everywhere | Context::OutOf(_) => None,
        }
    }

    /// The footer's hints for a pane: its own first, then what is always useful, and `? help` last.
    pub fn hints(&self, pane: Pane) -> Vec<(String, &'static str)> {
        let hinted = |own: bool| {
            let rows = self.bindings.iter().filter(move |binding| (binding.row.context == Context::In(pane)) == own);
            rows.filter(|binding| binding.row.context.holds_in(pane) && !binding.row.hint.is_empty())
        };
        let before = hinted(true).chain(hinted(false)).filter(|binding| binding.row.action != Action::Help);
        let help = self.bindings.iter().filter(|binding| binding.row.action == Action::Help);
        let hint = |binding: &Binding| (binding.first_key(), binding.row.hint);
        before.take(MOST_HINTS - 1).chain(help).map(hint).collect()
    }

    fn check(&self) -> Result<(), KeymapFault> {
        for (at, one) in self.bindings.iter().enumerate() {
            for other in &self.bindings[at + 1..] {
                let shared = |keys: &&Vec<Chord>| other.keys.iter().any(|others| collide(keys, others));
                let meet = one.row.context.meets(other.row.context);
                if let Some(keys) = one.keys.iter().find(|keys| meet && shared(keys)) {
                    let key = chord::text(keys);
                    return Err(KeymapFault::Conflict { key, one: one.row.id, other: other.row.id });
                }
            }
        }
        Ok(())
    }
}

/// Two sequences collide when one begins with the other: the shorter would always win.
fn collide(one: &[Chord], other: &[Chord]) -> bool {
    one.starts_with(other) || other.starts_with(one)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_of_the_table_parses_and_no_two_actions_share_one() {
        for row in TABLE {
            for key in row.keys {
                assert!(parse(key).is_some(), "{}: {key}", row.id);
            }
            assert!(!row.words.is_empty() && row.hint.len() <= 14, "{}", row.id);
        }
        assert_eq!(Keymap::default().check(), Ok(()));
        let mut ids: Vec<&str> = TABLE.iter().map(|row| row.id).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), TABLE.len(), "ids are unique");
    }

    #[test]
    fn every_action_has_exactly_one_row() {
        for row in TABLE {
            assert_eq!(TABLE.iter().filter(|other| other.action == row.action).count(), 1, "{}", row.id);
        }
    }

    #[test]
    fn approval_verbs_live_in_pane_5_alone_and_their_keys_are_fixed() {
        for row in TABLE.iter().filter(|row| row.action.is_verb()) {
            assert_eq!((row.context, row.remap), (Context::In(Pane::Remediation), Remap::Fixed), "{}", row.id);
            assert_eq!(Keymap::with([(row.id, vec!["f5".to_owned()])]), Err(KeymapFault::Fixed { id: row.id }));
        }
        let a = parse("A").unwrap();
        for pane in Pane::ALL.into_iter().filter(|pane| *pane != Pane::Remediation) {
            assert_eq!(Keymap::default().meaning(&a, pane), Meaning::Nothing);
        }
    }

    #[test]
    fn no_key_that_answers_a_question_by_habit_approves() {
        let keymap = Keymap::default();
        for key in ["y", "Y", "enter", "space", "esc", "a", "0", "1", "5", "9", "ctrl-m", "ctrl-j"] {
            let meaning = keymap.meaning(&parse(key).unwrap(), Pane::Remediation);
            assert_ne!(meaning, Meaning::Is(Action::Approve), "{key}");
        }
    }

    #[test]
    fn keys_can_be_changed_by_id_and_clashes_are_told() {
        let keymap = Keymap::with([("zoom", vec!["f2".to_owned(), "ctrl-w".to_owned()])]).unwrap();
        assert_eq!(keymap.meaning(&parse("ctrl-w").unwrap(), Pane::Logs), Meaning::Is(Action::Zoom));
        assert_eq!(keymap.meaning(&parse("z").unwrap(), Pane::Logs), Meaning::Nothing);
        let clash = Keymap::with([("zoom", vec!["A".to_owned()])]).unwrap_err();
        assert!(matches!(clash, KeymapFault::Conflict { .. }), "{clash}");
        let prefix = Keymap::with([("zoom", vec!["g".to_owned()])]).unwrap_err();
        assert!(matches!(prefix, KeymapFault::Conflict { .. }), "g would hide g g: {prefix}");
        assert!(matches!(Keymap::with([("zooom", vec![])]), Err(KeymapFault::UnknownAction { .. })));
        assert!(matches!(Keymap::with([("zoom", vec!["hyper-x".to_owned()])]), Err(KeymapFault::UnknownKey { .. })));
    }

    #[test]
    fn a_sequence_is_awaited() {
        let keymap = Keymap::default();
        assert_eq!(keymap.meaning(&parse("g").unwrap(), Pane::Logs), Meaning::Begins);
        assert_eq!(keymap.meaning(&parse("g g").unwrap(), Pane::Logs), Meaning::Is(Action::Top));
        assert_eq!(keymap.meaning(&parse("g x").unwrap(), Pane::Logs), Meaning::Nothing);
    }

    #[test]
    fn the_footer_holds_eight_hints_and_ends_with_help() {
        for pane in Pane::ALL {
            let hints = Keymap::default().hints(pane);
            assert!(hints.len() <= MOST_HINTS, "{pane:?}");
            assert_eq!(hints.last(), Some(&("?".to_owned(), "help")), "{pane:?}");
        }
        let remediation = Keymap::default().hints(Pane::Remediation);
        assert_eq!(remediation.first(), Some(&("A".to_owned(), "approve")));
    }
}
