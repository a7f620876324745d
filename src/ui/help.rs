//! What help and palette list: the rows of the one keymap, searched.

use super::keymap::{Binding, Context, Keymap};
use super::search::fuzzy;

/// The cost a letter may have before a sentence no longer counts as found.
const THIN: u32 = 3;

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
pub fn rows(keymap: &Keymap, query: &str) -> Vec<HelpRow> {
    let query = query.to_lowercase();
    let found = |row: &HelpRow| {
        let text = format!("{} {} {} {}", row.keys, row.words, row.id, row.place).to_lowercase();
        query.split_whitespace().all(|word| text.contains(word))
    };
    keymap.bindings().iter().map(row).filter(found).collect()
}

fn row(binding: &Binding) -> HelpRow {
    let place = match binding.row.context {
        Context::Everywhere => String::new(),
        Context::In(pane) => format!("pane {}", pane.number()),
    };
    HelpRow { keys: binding.keys_text(), words: binding.row.words, id: binding.row.id, place }
}

/// The actions found by a few letters, best first: an id that begins with them, then whole words, then scattered letters.
/// Letters scattered thinly over a sentence find nothing.
pub fn palette<'a>(keymap: &'a Keymap, query: &str) -> Vec<&'a Binding> {
    let rank = |binding: &Binding| {
        let id = fuzzy(query, binding.row.id);
        let near = |cost: &u32| *cost <= THIN * query.chars().count() as u32;
        let words = fuzzy(query, binding.row.words).filter(near).map(|cost| cost + 3);
        let starts = !binding.row.id.starts_with(query.trim());
        id.into_iter().chain(words).min().map(|cost| (starts, cost))
    };
    let mut found: Vec<((bool, u32), &Binding)> =
        keymap.bindings().iter().filter_map(|binding| rank(binding).map(|rank| (rank, binding))).collect();
    found.sort_by_key(|(rank, _)| *rank);
    found.into_iter().map(|(_, binding)| binding).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_help_lists_every_action_and_can_be_searched() {
        let keymap = Keymap::default();
        assert_eq!(rows(&keymap, "").len(), keymap.bindings().len());
        let found = rows(&keymap, "oom next");
        assert_eq!(found.iter().map(|row| row.id).collect::<Vec<_>>(), ["next-oom"]);
        assert!(rows(&keymap, "pane 5").iter().any(|row| row.id == "approve"));
    }

    #[test]
    fn the_palette_finds_by_a_few_letters() {
        let keymap = Keymap::default();
        let first = |query: &str| palette(&keymap, query).first().map(|binding| binding.row.id);
        assert_eq!(first("q"), Some("quit"));
        assert_eq!(first("nerr"), Some("next-error"));
        assert_eq!(first("export"), Some("export"));
        assert_eq!(first("no such thing"), None);
    }
}
