//! What the help lists: the rows of the one keymap, searched.

use super::keymap::{Binding, Context, Keymap};
use crate::session::Session;
use crate::session::header::Origin;

/// Where the screen stands: drills exist in a rehearsal alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ground {
    /// The simulated cloud.
    Rehearsal,
    /// The real one.
    Real,
}

impl Ground {
    /// That of a session.
    pub fn of(session: &Session) -> Self {
        match session.header.origin {
            Origin::Rehearsal { .. } => Self::Rehearsal,
            Origin::Real => Self::Real,
        }
    }

    /// Whether a row has a meaning there.
    pub fn has(self, binding: &Binding) -> bool {
        self == Self::Rehearsal || !binding.row.action.is_for_rehearsals()
    }
}

/// One line of the help.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HelpRow {
    /// Its keys: `gg, Home`.
    pub keys: String,
    /// What they do.
    pub words: &'static str,
    /// Its id in the configuration.
    pub id: &'static str,
    /// `pane 5`, or empty where it counts everywhere.
    pub place: String,
}

/// The lines of the help that hold a text, in the order of the table.
pub fn rows(keymap: &Keymap, query: &str, ground: Ground) -> Vec<HelpRow> {
    let query = query.to_lowercase();
    let found = |row: &HelpRow| {
        let text = format!("{} {} {} {}", row.keys, row.words, row.id, row.place).to_lowercase();
        query.split_whitespace().all(|word| text.contains(word))
    };
    keymap.bindings().iter().filter(|binding| ground.has(binding)).map(row).filter(found).collect()
}

fn row(binding: &Binding) -> HelpRow {
    let place = match binding.row.context {
        Context::Everywhere => String::new(),
        Context::In(pane) => format!("pane {}", pane.number()),
        Context::OutOf(pane) => format!("not in pane {}", pane.number()),
    };
    HelpRow { keys: binding.keys_text(), words: binding.row.words, id: binding.row.id, place }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_help_lists_every_action_and_can_be_searched() {
        let keymap = Keymap::default();
        assert_eq!(rows(&keymap, "", Ground::Rehearsal).len(), keymap.bindings().len());
        let found = rows(&keymap, "oom next", Ground::Real);
        assert_eq!(found.iter().map(|row| row.id).collect::<Vec<_>>(), ["next-oom"]);
        assert!(rows(&keymap, "pane 5", Ground::Real).iter().any(|row| row.id == "approve"));
    }

    #[test]
    fn drills_are_known_in_a_rehearsal_alone() {
        let keymap = Keymap::default();
        assert!(rows(&keymap, "game day", Ground::Real).is_empty());
        let drills = crate::domain::drill::Drill::ALL.len();
        assert_eq!(rows(&keymap, "game day", Ground::Rehearsal).len(), drills + 1, "and the one for any fault");
    }
}
