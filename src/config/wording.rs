//! What the TOML reader says of a wrong type, in the words of a person: it speaks of `u32`, `struct` and `sequence`.

use super::sense;

/// A sentence about a value, and what to do about it.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) what: String,
    pub(super) hint: String,
}

/// Puts a message of the reader about a key into words.
pub(super) fn of(message: &str, key: &[String]) -> Said {
    let mismatch = message.strip_prefix("invalid type: ").or_else(|| message.strip_prefix("invalid value: "));
    if let Some((given, expected)) = mismatch.and_then(|rest| rest.split_once(", expected ")) {
        let name = spelled(key);
        let (given, expected) = (Given::of(given), Expected::of(expected));
        let what = format!("{name} is {}, not {}", given.words(), expected.words(key));
        return Said { what, hint: expected.hint(&given, key) };
    }
    // A word of a few, as which anything but a text was written.
    if message == "wanted string or table" {
        let hint = key.last().map(|name| format!("Write `{name} = \"...\"`.")).unwrap_or_default();
        return Said { what: format!("{} is no text", spelled(key)), hint };
    }
    let missing = message.strip_prefix("missing field `").and_then(|rest| rest.split('`').next());
    let hint = match missing {
        Some(field) => format!("Add a line `{field} = ...`."),
        None => "The file is TOML: `name = value`, with texts in quotes.".to_owned(),
    };
    Said { what: message.to_owned(), hint }
}

/// `poll.alarms_s`, `groups[1]`.
fn spelled(key: &[String]) -> String {
    let mut name = String::new();
    for part in key {
        if part.bytes().all(|byte| byte.is_ascii_digit()) && !name.is_empty() {
            name = format!("{name}[{part}]");
        } else if name.is_empty() {
            name.clone_from(part);
        } else {
            name = format!("{name}.{part}");
        }
    }
    if name.is_empty() { "this".to_owned() } else { name }
}

/// What was written.
enum Given {
    Number(String),
    Text(String),
    Word(String),
    List,
    Table,
    Other(String),
}

impl Given {
    fn of(said: &str) -> Self {
        let (kind, rest) = said.split_once(' ').unwrap_or((said, ""));
        let value = rest.rsplit('`').nth(1).unwrap_or_default().to_owned();
        match kind {
            "integer" | "floating" => Self::Number(value),
            "boolean" => Self::Word(value),
            "string" => Self::Text(rest.trim_matches('"').to_owned()),
            "sequence" => Self::List,
            "map" => Self::Table,
            _ => Self::Other(said.to_owned()),
        }
    }

    fn words(&self) -> String {
        match self {
            Self::Number(number) => format!("the number {number}"),
            Self::Text(text) => format!("the text \"{text}\""),
            Self::Word(word) => word.clone(),
            Self::List => "a list".to_owned(),
            Self::Table => "a table".to_owned(),
            Self::Other(said) => said.clone(),
        }
    }
}

/// What is to be written.
enum Expected {
    Whole,
    Number,
    Text,
    YesOrNo,
    List,
    Workload,
    Table,
    Other(String),
}

impl Expected {
    fn of(said: &str) -> Self {
        match said {
            "u8" | "u16" | "u32" | "u64" | "usize" | "i64" => Self::Whole,
            "f32" | "f64" => Self::Number,
            "a string" | "string" | "path string" => Self::Text,
            "a boolean" => Self::YesOrNo,
            "a sequence" => Self::List,
            "a map" => Self::Table,
            "struct WorkloadRef" => Self::Workload,
            said if said.starts_with("struct ") => Self::Table,
            said => Self::Other(said.to_owned()),
        }
    }

    fn words(&self, key: &[String]) -> String {
        match self {
            Self::Whole => format!("a whole number{}", counted(key)),
            Self::Number => "a number".to_owned(),
            Self::Text => "a text".to_owned(),
            Self::YesOrNo => "true or false".to_owned(),
            Self::List => "a list".to_owned(),
            Self::Workload => "a table { kind, namespace, name }".to_owned(),
            Self::Table => "a table".to_owned(),
            Self::Other(said) => said.clone(),
        }
    }

    fn hint(&self, given: &Given, key: &[String]) -> String {
        let name = key.last().map(String::as_str).unwrap_or_default();
        // A value of a list has no name of its own.
        let begin = if name.bytes().all(|byte| byte.is_ascii_digit()) { String::new() } else { format!("{name} = ") };
        match (self, given) {
            (Self::Whole, Given::Text(text)) if text.parse::<u64>().is_ok() => {
                format!("Leave the quotes out: `{begin}{text}`.")
            }
            (Self::Number, Given::Text(text)) if text.parse::<f64>().is_ok() => {
                format!("Leave the quotes out: `{begin}{text}`.")
            }
            (Self::Whole | Self::Number, _) => format!("Write `{begin}NUMBER`."),
            (Self::Text, Given::Number(value) | Given::Word(value)) => {
                format!("Write it in quotes: `{begin}\"{value}\"`.")
            }
            (Self::Text, _) => format!("Write `{begin}\"...\"`."),
            (Self::YesOrNo, _) => format!("Write `{begin}true` or `{begin}false`."),
            (Self::List, Given::Text(text)) => format!("Write it in brackets: `{begin}[\"{text}\"]`."),
            (Self::List, Given::Table) => format!("Write `[[{name}]]`, in two pairs of brackets."),
            (Self::List, _) => format!("Write `{begin}[...]`."),
            (Self::Workload, _) => {
                format!("Write `{begin}{{ kind = \"deployment\", namespace = \"...\", name = \"...\" }}`.")
            }
            (Self::Table, _) => format!("Write `[{}]`, and its keys on lines below.", key.join(".")),
            (Self::Other(said), _) => format!("Write {said}."),
        }
    }
}

/// What a number counts.
fn counted(key: &[String]) -> &'static str {
    let (Some(name), table) = (key.last(), key.iter().rev().nth(1)) else { return "" };
    sense::unit(table.map(String::as_str).unwrap_or_default(), name)
}
