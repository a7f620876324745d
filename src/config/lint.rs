//! Turns what the TOML reader says into a fault that names file, line and the nearest key we know.

use std::path::Path;

use serde::de::DeserializeOwned;

use crate::domain::fault::{Fault, FaultKind};
use crate::domain::observation::sanitise;

/// Reads a file into a shape. A file that is not there is `None`.
pub(super) fn read<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, Fault> {
    match std::fs::read_to_string(path) {
        Ok(text) => parse(path, &text).map(Some),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Fault::new(FaultKind::Usage, format!("{} cannot be read.", path.display()))
            .cause(format!("{error}."))
            .hint("Check the file's owner and mode.")),
    }
}

/// Reads a text into a shape.
pub(super) fn parse<T: DeserializeOwned>(path: &Path, text: &str) -> Result<T, Fault> {
    toml::from_str(text).map_err(|error| {
        let line = error.span().map_or(1, |span| line_of(text, span.start));
        let message = sanitise::line(error.message()).into_owned();
        let fault = at(path, line, &message);
        match unknown_key(&message) {
            Some((given, known)) => match nearest(given, &known) {
                Some(near) => fault.hint(format!("Did you mean `{near}`?")),
                None => fault.hint(format!("Known here: {}.", known.join(", "))),
            },
            None => fault,
        }
    })
}

/// A fault about one line of a file.
pub(super) fn at(path: &Path, line: usize, what: &str) -> Fault {
    let what = what.trim().trim_end_matches('.');
    Fault::new(FaultKind::Usage, format!("{} line {line}: {what}.", path.display()))
}

/// The line of a byte, from 1.
fn line_of(text: &str, byte: usize) -> usize {
    text.bytes().take(byte).filter(|byte| *byte == b'\n').count() + 1
}

/// The given and the known words of an `unknown field` or `unknown variant` message.
fn unknown_key(message: &str) -> Option<(&str, Vec<&str>)> {
    if !message.starts_with("unknown ") {
        return None;
    }
    let mut words = message.split('`').skip(1).step_by(2);
    let given = words.next()?;
    Some((given, words.collect()))
}

/// The known word with the smallest edit distance, if a third of its letters or fewer differ.
pub(crate) fn nearest<'a>(given: &str, known: &[&'a str]) -> Option<&'a str> {
    let far = |word: &&str| distance(given, word);
    let best = known.iter().copied().min_by_key(far)?;
    (distance(given, best) * 3 <= best.chars().count().max(3)).then_some(best)
}

/// Levenshtein distance, one row at a time.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_distance_of_words_is_how_many_letters_differ() {
        for (a, b, expected) in
            [("", "abc", 3), ("region", "region", 0), ("regoin", "region", 2), ("kitten", "sitting", 3)]
        {
            assert_eq!(distance(a, b), expected, "{a} {b}");
        }
        assert_eq!(nearest("regoin", &["profile", "region"]), Some("region"));
        assert_eq!(nearest("colour", &["profile", "region"]), None);
    }

    #[test]
    fn a_fault_names_file_line_and_the_nearest_key() {
        #[derive(Debug, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Shape {
            #[expect(dead_code, reason = "only its name matters")]
            region: Option<String>,
            #[expect(dead_code, reason = "only its name matters")]
            profile: Option<String>,
        }
        let fault = parse::<Shape>(Path::new("c.toml"), "# one\nprofile = \"p\"\nregon = \"x\"\n").unwrap_err();
        assert!(fault.summary.starts_with("c.toml line 3: unknown field `regon`"), "{fault}");
        assert_eq!(fault.hints, ["Did you mean `region`?"]);
        let fault = parse::<Shape>(Path::new("c.toml"), "profile = \n").unwrap_err();
        assert!(fault.summary.starts_with("c.toml line 1: "), "{fault}");
    }
}
