//! A line as it is said: the keys of the screen by the commands that stand for them, and in rows of a width.

use crate::domain::observation::sanitise;
use crate::ui::format;

/// What the session says of keys, and the commands that do the same here.
const COMMANDS: [(&str, &str); 9] = [
    ("ask the model again with r", "to ask the model again, type: again"),
    ("ask again with r", "to ask again, type: again"),
    ("stand on the rules with R", "to stand on the rules, type: rules"),
    ("r reads again, X or S decides it", "again reads again, deny or skip decides it"),
    ("r reads and asks again", "again reads and asks again"),
    ("r reads it again", "again reads it again"),
    ("r asks the model again", "again asks the model again"),
    ("  r ask again  R stand on the rules", "; again asks again, rules stands on the rules"),
    ("d rehearses again", "rehearse rehearses again"),
];

/// The rows of a line, broken between words.
pub(super) fn rows(line: &str, columns: usize) -> Vec<String> {
    let mut line = sanitise::line(line).into_owned();
    for (key, command) in COMMANDS {
        if line.contains(key) {
            line = line.replace(key, command);
        }
    }
    format::wrap(&line, columns).into_iter().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_word_is_broken_and_no_key_of_the_screen_is_named() {
        let said = rows("unlock: ask again with r, or stand on the rules with R", 24);
        assert_eq!(said, ["unlock: to ask again,", "type: again, or to stand", "on the rules, type:", "rules"]);
        assert_eq!(rows("", 80), [""], "an empty line stays one");
        assert_eq!(rows("a\u{1b}[2Jb", 80).concat().find('\u{1b}'), None);
    }
}
