//! Turns what the TOML reader says into a fault that names file, line and the nearest key we know.

use std::io::ErrorKind;
use std::path::Path;

use serde::de::DeserializeOwned;

use super::places::{Places, line_of};
use super::wording;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::near::nearest;
use crate::domain::observation::sanitise;

/// A file in its shape, and where its values stand.
#[derive(Debug)]
pub(super) struct Read<T> {
    pub(super) shape: T,
    pub(super) places: Places,
}

/// Reads a file into a shape. A file that is not there is `None`.
pub(super) fn read<T: DeserializeOwned>(path: &Path) -> Result<Option<Read<T>>, Fault> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            let hint = match error.kind() {
                ErrorKind::InvalidData => "Save it as UTF-8.",
                ErrorKind::IsADirectory => "Name the file itself, not a folder.",
                _ => "Check the file's owner and mode.",
            };
            return Err(Fault::new(FaultKind::Usage, format!("{} cannot be read.", path.display()))
                .cause(format!("{error}."))
                .hint(hint));
        }
    };
    let places = Places::of(path, &text);
    Ok(Some(Read { shape: parse(path, &text, &places)?, places }))
}

/// Reads a text into a shape.
fn parse<T: DeserializeOwned>(path: &Path, text: &str, places: &Places) -> Result<T, Fault> {
    toml::from_str(text).map_err(|error| {
        let begin = error.span().map_or(0, |span| span.start);
        let message = sanitise::line(error.message()).into_owned();
        if let Some((given, known)) = unknown_key(&message) {
            let hint = match nearest(given, &known) {
                Some(near) => format!("Did you mean `{near}`?"),
                None => format!("Known here: {}.", known.join(", ")),
            };
            let told = message.split(", expected").next().unwrap_or(&message);
            return at(path, line_of(text, begin), told).hint(hint);
        }
        let said = wording::of(&message, places.key_at(begin).unwrap_or_default());
        at(path, line_of(text, begin), &said.what).hint(said.hint)
    })
}

/// A fault about one line of a file.
fn at(path: &Path, line: usize, what: &str) -> Fault {
    let what = what.trim().trim_end_matches('.');
    Fault::new(FaultKind::Usage, format!("{} line {line}: {what}.", path.display()))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, serde::Deserialize)]
    #[serde(deny_unknown_fields, default)]
    struct Shape {
        region: Option<String>,
        poll: Poll,
        groups: Vec<String>,
        links: std::collections::BTreeMap<String, Inner>,
        theme: Option<crate::config::Theme>,
    }

    #[derive(Debug, Default, serde::Deserialize)]
    #[serde(deny_unknown_fields, default)]
    struct Poll {
        alarms_s: Option<u32>,
        min_confidence: Option<f64>,
    }

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        #[expect(dead_code, reason = "only its name matters")]
        name: String,
    }

    /// What is said of a text: the summary and the first hint.
    fn told(text: &str) -> (String, String) {
        let path = Path::new("c.toml");
        let fault = match parse::<Shape>(path, text, &Places::of(path, text)) {
            Err(fault) => fault,
            Ok(Shape { region, poll: Poll { alarms_s, min_confidence }, groups, links, theme }) => {
                panic!("{text}: {region:?} {alarms_s:?} {min_confidence:?} {groups:?} {links:?} {theme:?}")
            }
        };
        assert_eq!(fault.kind, FaultKind::Usage);
        (fault.summary, fault.hints[0].clone())
    }

    #[test]
    fn a_fault_names_file_line_and_the_nearest_key() {
        for (text, summary, hint) in [
            ("# one\nregion = \"p\"\nregon = \"x\"\n", "line 3: unknown field `regon`.", "Did you mean `region`?"),
            ("zzz = 1\n", "line 1: unknown field `zzz`.", "Known here: region, poll, groups, links, theme."),
            ("[poll]\nalarm_s = 1\n", "line 2: unknown field `alarm_s`.", "Did you mean `alarms_s`?"),
            ("theme = \"lihgt\"\n", "line 1: unknown variant `lihgt`.", "Did you mean `light`?"),
        ] {
            assert_eq!(told(text), (format!("c.toml {summary}"), hint.to_owned()), "{text}");
        }
    }

    /// The reader's own words are those of a programmer: `expected u32`.
    #[test]
    fn a_wrong_type_is_told_in_the_words_of_a_person() {
        for (text, summary, hint) in [
            (
                "[poll]\nalarms_s = \"4\"\n",
                "line 2: poll.alarms_s is the text \"4\", not a whole number of seconds.",
                "Leave the quotes out: `alarms_s = 4`.",
            ),
            (
                "[poll]\nalarms_s = 1.5\n",
                "line 2: poll.alarms_s is the number 1.5, not a whole number of seconds.",
                "Write `alarms_s = NUMBER`.",
            ),
            (
                "[poll]\nalarms_s = -4\n",
                "line 2: poll.alarms_s is the number -4, not a whole number of seconds.",
                "Write `alarms_s = NUMBER`.",
            ),
            (
                "[poll]\nmin_confidence = true\n",
                "line 2: poll.min_confidence is true, not a number.",
                "Write `min_confidence = NUMBER`.",
            ),
            (
                "region = 123456789012\n",
                "line 1: region is the number 123456789012, not a text.",
                "Write it in quotes: `region = \"123456789012\"`.",
            ),
            (
                "groups = \"/ecs\"\n",
                "line 1: groups is the text \"/ecs\", not a list.",
                "Write it in brackets: `groups = [\"/ecs\"]`.",
            ),
            ("groups = [\"a\", 5]\n", "line 1: groups[1] is the number 5, not a text.", "Write it in quotes: `\"5\"`."),
            ("[groups]\n", "line 1: groups is a table, not a list.", "Write `[[groups]]`, in two pairs of brackets."),
            (
                "poll = 5\n",
                "line 1: poll is the number 5, not a table.",
                "Write `[poll]`, and its keys on lines below.",
            ),
            ("[links.a]\n", "line 1: missing field `name`.", "Add a line `name = ...`."),
            ("region = \n", "line 1: ", "The file is TOML: `name = value`, with texts in quotes."),
            ("region = \"a\"\nregion = \"b\"\n", "line 2: duplicate key", "The file is TOML"),
        ] {
            let (said, hinted) = told(text);
            assert!(said.starts_with(&format!("c.toml {summary}")), "{text}: {said}");
            assert!(hinted.starts_with(hint), "{text}: {hinted}");
        }
        let (said, hinted) = told("theme = 5\n");
        assert_eq!((said.as_str(), hinted.as_str()), ("c.toml line 1: theme is no text.", "Write `theme = \"...\"`."));
    }
}
