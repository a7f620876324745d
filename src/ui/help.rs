//! What help and palette list: the rows of the one keymap, searched.

use super::keymap::{Binding, Context, Keymap};
use super::search::fuzzy;
use crate::session::Session;
use crate::session::header::Origin;

/// The cost a letter may have before a sentence no longer counts as found.
const THIN: u32 = 3;

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

    fn has(self, binding: &Binding) -> bool {
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

/// The actions found by a few letters, best first: an id that begins with them, then whole words, then scattered letters.
/// Letters scattered thinly over a sentence find nothing.
pub fn palette<'a>(keymap: &'a Keymap, query: &str, ground: Ground) -> Vec<&'a Binding> {
    let rank = |binding: &Binding| {
        let id = fuzzy(query, binding.row.id);
        let near = |cost: &u32| *cost <= THIN * query.chars().count() as u32;
        let words = fuzzy(query, binding.row.words).filter(near).map(|cost| cost + 3);
        let starts = !binding.row.id.starts_with(query.trim());
        id.into_iter().chain(words).min().map(|cost| (starts, cost))
    };
    let known = keymap.bindings().iter().filter(|binding| ground.has(binding));
    let mut found: Vec<((bool, u32), &Binding)> =
        known.filter_map(|binding| rank(binding).map(|rank| (rank, binding))).collect();
    found.sort_by_key(|(rank, _)| *rank);
    found.into_iter().map(|(_, binding)| binding).collect()
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
    fn the_palette_finds_by_a_few_letters() {
        let keymap = Keymap::default();
        let first = |query: &str| palette(&keymap, query, Ground::Real).first().map(|binding| binding.row.id);
        assert_eq!(first("q"), Some("quit"));
        assert_eq!(first("nerr"), Some("next-error"));
        assert_eq!(first("export"), Some("export"));
        assert_eq!(first("no such thing"), None);
    }

    #[test]
    fn drills_are_known_in_a_rehearsal_alone() {
        let keymap = Keymap::default();
        let found = |ground| palette(&keymap, "game day throttle logs", ground).first().map(|found| found.row.id);
        assert_eq!(found(Ground::Rehearsal), Some("game-day-throttle-logs"));
        assert_eq!(found(Ground::Real), None);
        assert!(rows(&keymap, "game day", Ground::Real).is_empty());
        assert_eq!(rows(&keymap, "game day", Ground::Rehearsal).len(), crate::domain::drill::Drill::ALL.len());
    }
}
