//! What names, labels, keys and quantities may look like, and the words in which the API server says so.

use serde_json::{Value, json};

use super::super::failure::FieldFault;

pub(super) const SUBDOMAIN_RULE: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', \
     and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is \
     '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
pub(super) const LABEL_RULE: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start \
     and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is \
     '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
pub(super) const VARIABLE_RULE: &str =
    "a valid environment variable name must consist only of printable ASCII characters other than '='";
pub(super) const PERCENT_RULE: &str = "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', \
     regex used for validation is '[0-9]+%')";
const VALUE_RULE: &str = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start \
     and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation \
     is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
const NAME_PART_RULE: &str = "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an \
     alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is \
     '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const KEY_RULE: &str = "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or \
     'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";
const TOO_LONG: &str = "must be no more than 63 bytes";

/// A lowercase RFC 1123 label.
pub(super) fn is_label(text: &str) -> bool {
    let bytes = text.as_bytes();
    let is_edge = |letter: u8| letter.is_ascii_lowercase() || letter.is_ascii_digit();
    text.len() <= 63
        && bytes.first().copied().is_some_and(is_edge)
        && bytes.last().copied().is_some_and(is_edge)
        && bytes.iter().all(|letter| is_edge(*letter) || *letter == b'-')
}

/// A lowercase RFC 1123 subdomain.
pub(super) fn is_subdomain(text: &str) -> bool {
    // The parts of a subdomain have no limit of their own.
    text.len() <= 253 && text.split('.').all(|part| part.len() > 63 || is_label(part))
}

/// A name that an environment variable may have.
pub(super) fn is_variable(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|letter| (b' '..=b'~').contains(&letter) && letter != b'=')
}

/// The number of a percentage.
pub(super) fn percent(text: &str) -> Option<u64> {
    let digits = text.strip_suffix('%')?;
    (!digits.is_empty() && digits.bytes().all(|letter| letter.is_ascii_digit()))
        .then(|| digits.parse().unwrap_or(u64::MAX))
}

fn is_name_part(text: &str) -> bool {
    let bytes = text.as_bytes();
    let is_end = |letter: Option<&u8>| letter.is_some_and(u8::is_ascii_alphanumeric);
    let is_inner = |letter: &u8| letter.is_ascii_alphanumeric() || b"-_.".contains(letter);
    is_end(bytes.first()) && is_end(bytes.last()) && bytes.iter().all(is_inner)
}

/// What is wrong with a label's value.
pub(crate) fn wrong_value(value: &str) -> Option<&'static str> {
    match value {
        "" => None,
        long if long.len() > 63 => Some(TOO_LONG),
        other => (!is_name_part(other)).then_some(VALUE_RULE),
    }
}

/// What is wrong with a key of labels or annotations.
pub(crate) fn wrong_key(key: &str) -> Option<String> {
    let (prefix, name) = match key.split_once('/') {
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, key),
    };
    if name.contains('/') {
        return Some(format!(
            "a qualified name {} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')",
            &NAME_PART_RULE[10..]
        ));
    }
    match prefix {
        Some("") => return Some("prefix part must be non-empty".to_owned()),
        Some(prefix) if !is_subdomain(prefix) => return Some(format!("prefix part {SUBDOMAIN_RULE}")),
        _ => {}
    }
    match name {
        "" => Some("name part must be non-empty".to_owned()),
        long if long.len() > 63 => Some(format!("name part {TOO_LONG}")),
        other => (!is_name_part(other)).then(|| NAME_PART_RULE.to_owned()),
    }
}

/// Holds the labels and annotations of some metadata against their rules.
pub(super) fn metadata(metadata: &Value, at: &str, faults: &mut Vec<FieldFault>) {
    const MOST: usize = 256 << 10;
    for (key, value) in metadata["labels"].as_object().into_iter().flatten() {
        let wrong = |value: &str, why: &str| FieldFault::invalid(format!("{at}labels"), &json!(value), why);
        faults.extend(wrong_key(key).map(|why| wrong(key, &why)));
        let value = value.as_str().unwrap_or_default();
        faults.extend(wrong_value(value).map(|why| wrong(value, why)));
    }
    let notes = metadata["annotations"].as_object();
    for (key, _) in notes.into_iter().flatten() {
        let why = wrong_key(&key.to_lowercase());
        faults.extend(why.map(|why| FieldFault::invalid(format!("{at}annotations"), &json!(key), &why)));
    }
    let size: usize =
        notes.into_iter().flatten().map(|(key, value)| key.len() + value.as_str().map_or(0, str::len)).sum();
    if size > MOST {
        let message = format!("Too long: may not be more than {MOST} bytes");
        faults.push(FieldFault { field: format!("{at}annotations"), reason: "FieldValueTooLong", message });
    }
}

/// Holds the keys of a config map or secret against their rule.
pub(super) fn data_keys(object: &Value, faults: &mut Vec<FieldFault>) {
    for field in ["data", "binaryData"] {
        for (key, _) in object[field].as_object().into_iter().flatten() {
            let is_plain =
                !key.is_empty() && key.bytes().all(|one| one.is_ascii_alphanumeric() || b"-._".contains(&one));
            if !is_plain || key == "." || key == ".." {
                faults.push(FieldFault::invalid(format!("{field}[{key}]"), &json!(key), KEY_RULE));
            }
        }
    }
}
