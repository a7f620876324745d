//! Keys of the person's own that cannot be used: what of them, in which line, and what was probably meant.

use std::collections::BTreeMap;
use std::path::Path;

use crate::config::OwnKeys;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::near::nearest;
use crate::ui::keymap::chord::{names, parse};
use crate::ui::keymap::{KeymapFault, Remap, TABLE};

/// Where every id is told.
const IDS: &str = "`?` in the cockpit lists every action with its id.";
/// How keys are written.
const KEYS: &str = "Write `x`, `X`, `ctrl-x`, `alt-x`, `space`, `enter`, `f5`, or `g g` for two in turn.";

/// The fault of keys in a configuration.
pub(super) fn unusable(file: &Path, own: &BTreeMap<String, OwnKeys>, fault: &KeymapFault) -> Fault {
    let line = |id: &str| own.get(id).map(|own| own.line);
    let (place, hint) = match fault {
        KeymapFault::UnknownAction { id } => {
            let ids: Vec<&str> = TABLE.iter().map(|row| row.id).collect();
            let near = nearest(id, &ids).map(|near| format!("Did you mean `{near}`?"));
            (in_line(line(id)), near.unwrap_or_else(|| IDS.to_owned()))
        }
        KeymapFault::Fixed { id } => (in_line(line(id)), "Take the line away.".to_owned()),
        KeymapFault::UnknownKey { id, key } => {
            let near = near_key(key).map(|near| format!("Did you mean `{near}`?"));
            (in_line(line(id)), near.unwrap_or_else(|| KEYS.to_owned()))
        }
        KeymapFault::Conflict { one, other, .. } => match (line(one), line(other)) {
            (Some(first), Some(second)) => {
                let (first, second) = (first.min(second), first.max(second));
                (format!(" lines {first} and {second}"), "Give one of them another key.".to_owned())
            }
            (Some(at), None) => (in_line(Some(at)), other_way(one, other)),
            (None, at) => (in_line(at), other_way(other, one)),
        },
    };
    Fault::new(FaultKind::Usage, format!("{}{place}: {fault}", file.display())).hint(hint)
}

fn in_line(line: Option<usize>) -> String {
    line.map(|line| format!(" line {line}")).unwrap_or_default()
}

/// What to do where a moved action meets one that is where it always was.
fn other_way(moved: &str, unmoved: &str) -> String {
    let fixed = TABLE.iter().any(|row| row.id == unmoved && row.remap == Remap::Fixed);
    if fixed {
        format!("Give `{moved}` another key: that of `{unmoved}` cannot be changed.")
    } else {
        format!("Give `{moved}` another key, or `{unmoved}` one of its own.")
    }
}

/// The keys that were probably meant.
fn near_key(written: &str) -> Option<String> {
    let parts: Option<Vec<String>> = written.split_whitespace().map(near_chord).collect();
    parts.filter(|parts| !parts.is_empty()).map(|parts| parts.join(" "))
}

fn near_chord(written: &str) -> Option<String> {
    if parse(written).is_some() {
        return Some(written.to_owned());
    }
    let lower = written.to_ascii_lowercase();
    let (modifiers, name) = lower.rsplit_once(['-', '+']).unwrap_or(("", &lower));
    let name = if parse(name).is_some() { name } else { nearest(name, &names())? };
    let modifiers: Vec<&str> = modifiers.split(['-', '+']).filter(|word| !word.is_empty()).collect();
    let chord = match (modifiers.as_slice(), name) {
        (["shift"], "tab") => "backtab".to_owned(),
        (["shift"], letter) if letter.len() == 1 => letter.to_ascii_uppercase(),
        (words, name) => {
            let words: Option<Vec<&str>> = words.iter().map(|word| modifier(word)).collect();
            words?.into_iter().chain([name]).collect::<Vec<_>>().join("-")
        }
    };
    parse(&chord).map(|_| chord)
}

fn modifier(word: &str) -> Option<&'static str> {
    match word {
        "c" | "ctl" | "control" | "^" => Some("ctrl"),
        "m" | "meta" | "opt" | "option" => Some("alt"),
        other => nearest(other, &["ctrl", "alt"]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::keymap::Keymap;

    /// What is said of these actions, each in a line of its own from 2 on.
    fn told(keys: &[(&str, &str)]) -> (String, String) {
        let own: BTreeMap<String, OwnKeys> = (2..)
            .zip(keys)
            .map(|(line, (id, key))| ((*id).to_owned(), OwnKeys { keys: vec![(*key).to_owned()], line }))
            .collect();
        let changes = own.iter().map(|(id, own)| (id.as_str(), own.keys.clone()));
        let fault = unusable(Path::new("c.toml"), &own, &Keymap::with(changes).unwrap_err());
        (fault.summary, fault.hints.join(" "))
    }

    #[test]
    fn a_fault_of_keys_names_its_line_and_what_was_meant() {
        for (keys, summary, hint) in [
            (&[("zooom", "f2")][..], "c.toml line 2: There is no action \"zooom\".", "Did you mean `zoom`?"),
            (&[("xyzzyxyzzy", "f2")], "c.toml line 2: There is no action \"xyzzyxyzzy\".", IDS),
            (&[("zoom", "f2"), ("follow", "entr")], "c.toml line 3: \"entr\" of \"follow\"", "Did you mean `enter`?"),
            (&[("zoom", "ctl-w")], "c.toml line 2: \"ctl-w\" of \"zoom\" is no key.", "Did you mean `ctrl-w`?"),
            (&[("zoom", "C-w")], "c.toml line 2: ", "Did you mean `ctrl-w`?"),
            (&[("zoom", "Shift+Tab")], "c.toml line 2: ", "Did you mean `backtab`?"),
            (&[("zoom", "g shift-x")], "c.toml line 2: ", "Did you mean `g X`?"),
            (&[("zoom", "hyper-x")], "c.toml line 2: ", KEYS),
            (&[("approve", "f2")], "c.toml line 2: The keys of \"approve\" cannot be changed", "Take the line away."),
            (
                &[("follow", "f2"), ("zoom", "f2")],
                "c.toml lines 2 and 3: The key F2 would mean both",
                "Give one of them",
            ),
            (&[("zoom", "A")], "c.toml line 2: The key A would mean both", "that of `approve` cannot be changed."),
            (&[("zoom", "f")], "c.toml line 2: The key f would mean both", "or `follow` one of its own."),
        ] {
            let (said, hinted) = told(keys);
            assert!(said.starts_with(summary), "{keys:?}: {said}");
            assert!(hinted.contains(hint), "{keys:?}: {hinted}");
        }
    }
}
