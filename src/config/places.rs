//! Where the keys and values of a file stand, so that what is said of one of them names its line.

use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::de::{DeTable, DeValue};

use crate::domain::fault::{Fault, FaultKind};

/// What of a file cannot be meant: of which key, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    key: Vec<String>,
    what: String,
    hint: Option<String>,
}

impl Problem {
    /// A sentence about a key, which is named by the way to it: tables, keys, and the numbers of a list from 0.
    pub(super) fn new<const N: usize>(key: [&str; N], what: impl Into<String>) -> Self {
        Self { key: key.map(str::to_owned).to_vec(), what: what.into(), hint: None }
    }

    /// What to do about it.
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same further down in a file.
    pub(super) fn below<const N: usize>(mut self, tables: [&str; N]) -> Self {
        self.key.splice(0..0, tables.map(str::to_owned));
        self
    }
}

/// A key, or a value of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Mark {
    key: Vec<String>,
    line: usize,
    /// The bytes of its value.
    value: Range<usize>,
}

/// The keys of a file with their lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Places {
    file: PathBuf,
    marks: Vec<Mark>,
}

impl Places {
    /// The places of a text. One that is no TOML has none.
    pub(super) fn of(file: &Path, text: &str) -> Self {
        let mut places = Self { file: file.to_owned(), marks: Vec::new() };
        if let Ok(table) = DeTable::parse(text) {
            places.table(text, &[], table.get_ref());
        }
        places
    }

    fn table(&mut self, text: &str, above: &[String], table: &DeTable<'_>) {
        for (name, value) in table {
            let key = [above, &[name.get_ref().to_string()]].concat();
            self.value(text, &key, name.span().start, value);
        }
    }

    fn value(&mut self, text: &str, key: &[String], begin: usize, value: &toml::Spanned<DeValue<'_>>) {
        self.marks.push(Mark { key: key.to_vec(), line: line_of(text, begin), value: value.span() });
        match value.get_ref() {
            DeValue::Table(table) => self.table(text, key, table),
            DeValue::Array(list) => {
                for (number, item) in list.iter().enumerate() {
                    let key = [key, &[number.to_string()]].concat();
                    self.value(text, &key, item.span().start, item);
                }
            }
            DeValue::String(_)
            | DeValue::Integer(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_) => {}
        }
    }

    /// The line of a key, or of the nearest table around it that is written down.
    pub(super) fn line(&self, key: &[String]) -> Option<usize> {
        let is_above = |mark: &&Mark| key.starts_with(&mark.key);
        self.marks.iter().filter(is_above).max_by_key(|mark| mark.key.len()).map(|mark| mark.line)
    }

    /// The key whose value holds a byte, innermost.
    pub(super) fn key_at(&self, byte: usize) -> Option<&[String]> {
        let holds = |mark: &&Mark| mark.value.contains(&byte);
        self.marks.iter().filter(holds).max_by_key(|mark| mark.key.len()).map(|mark| mark.key.as_slice())
    }

    /// One fault of all that cannot be meant, each with its line. `None` where there is nothing.
    pub(super) fn fault(&self, mut problems: Vec<Problem>, check: &str) -> Option<Fault> {
        problems.sort_by_key(|problem| self.line(&problem.key));
        let told = |problem: &Problem| {
            let line = self.line(&problem.key).map(|line| format!("line {line}: ")).unwrap_or_default();
            format!("{line}{}", problem.what)
        };
        let file = self.file.display();
        let fault = match problems.as_slice() {
            [] => return None,
            [one] => Fault::new(FaultKind::Usage, format!("{file} {}", told(one))),
            several => {
                let fault = Fault::new(FaultKind::Usage, format!("{file} cannot be meant so."));
                several.iter().map(told).fold(fault, Fault::cause)
            }
        };
        let mut hints: Vec<String> = problems.into_iter().filter_map(|problem| problem.hint).collect();
        hints.dedup();
        let fault = hints.into_iter().fold(fault, Fault::hint);
        Some(fault.hint(format!("Correct the file, then run `pagerdeck {check}`.")))
    }
}

/// The line of a byte, from 1.
pub(super) fn line_of(text: &str, byte: usize) -> usize {
    text.bytes().take(byte).filter(|byte| *byte == b'\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "[poll]\nalarms_s = 4\n\n[kubernetes]\nnamespaces = [\n  \"a\",\n  \"b\",\n]\n\
                        [[service]]\nname = \"x\"\n[service.metrics.cpu]\nname = \"y\"\n[[service]]\nname = \"z\"\n\
                        [environment]\naccounts = { \"a.b\" = \"P\" }\n";

    #[test]
    fn every_key_and_every_value_of_a_list_has_its_line() {
        let places = Places::of(Path::new("c.toml"), TEXT);
        for (key, line) in [
            (vec!["poll", "alarms_s"], 2),
            (vec!["poll", "logs_s"], 1),
            (vec!["kubernetes", "namespaces"], 5),
            (vec!["kubernetes", "namespaces", "1"], 7),
            (vec!["service", "0", "name"], 10),
            (vec!["service", "0", "metrics", "cpu", "name"], 12),
            (vec!["service", "0", "links"], 9),
            (vec!["service", "1"], 13),
            (vec!["service", "1", "name"], 14),
            (vec!["environment", "accounts", "a.b"], 16),
        ] {
            let key: Vec<String> = key.into_iter().map(str::to_owned).collect();
            assert_eq!(places.line(&key), Some(line), "{key:?}");
        }
        assert_eq!(places.line(&["nothing".to_owned()]), None);
        let inside = TEXT.find('4').unwrap();
        assert_eq!(places.key_at(inside).unwrap(), ["poll", "alarms_s"]);
    }

    #[test]
    fn problems_are_told_in_the_order_of_the_file() {
        let places = Places::of(Path::new("c.toml"), TEXT);
        let name = Problem::new(["name"], "it is short.").below(["service", "1"]);
        let poll = Problem::new(["poll", "alarms_s"], "it is 4.").hint("Write 5.");
        assert_eq!(places.fault(Vec::new(), "config check"), None);
        let one = places.fault(vec![poll.clone()], "config check").unwrap();
        assert_eq!(one.summary, "c.toml line 2: it is 4.");
        let both = places.fault(vec![name, poll], "config check").unwrap();
        assert_eq!(both.causes, ["line 2: it is 4.", "line 14: it is short."]);
        assert_eq!(both.hints, ["Write 5.", "Correct the file, then run `pagerdeck config check`."]);
    }
}
