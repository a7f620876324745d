//! A folder of exports that is no scenario yet: says what each file looks like and what is missing.

use std::path::Path;

use serde_json::Value;

use crate::domain::fault::{Fault, FaultKind};

/// How much of a file is looked at.
const LOOKED_AT: usize = 64 << 10;
/// So many files are told of.
const MOST_TOLD: usize = 20;

/// Why a folder cannot be rehearsed yet, and how each of its files would be named in the scenario.
pub(super) fn unfinished(folder: &Path) -> Fault {
    let place = folder.display();
    let mut fault = Fault::new(FaultKind::Usage, format!("The folder {place} has no scenario.toml."));
    let mut names = names(folder);
    let more = names.len().saturating_sub(MOST_TOLD);
    names.truncate(MOST_TOLD);
    for name in names {
        let told = match std::fs::read(folder.join(&name)) {
            Ok(bytes) => looks_like(&name, &String::from_utf8_lossy(&bytes[..bytes.len().min(LOOKED_AT)])),
            Err(error) => format!("cannot be read: {error}"),
        };
        fault = fault.cause(format!("{name}: {told}."));
    }
    if more > 0 {
        fault = fault.cause(format!("And {more} files more: is this the folder that was meant?"));
    }
    fault
        .hint("Write scenario.toml beside them: name, title, teaches, start, [scope], and a table for each file as above.")
        .hint("Take [[service]], [[workload]] and [[alarm]] from assets/scenarios/oom-leak.toml; README.md there has the steps.")
        .hint(format!("`pagerdeck rehearse --check {place}` then says what is still missing."))
}

/// The files of a folder by name; what is hidden is none of ours.
pub(super) fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let files = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()));
    let mut names: Vec<String> = files.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.retain(|name| !name.starts_with('.'));
    names.sort();
    names
}

fn looks_like(name: &str, text: &str) -> String {
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension).to_ascii_lowercase();
    if extension == "csv" {
        let columns: Vec<&str> = first.split(',').map(str::trim).collect();
        let (time, value) = (columns.first().copied().unwrap_or_default(), columns.get(1).copied().unwrap_or_default());
        return format!(
            "a series with the columns {}; a [[metric]] with history = {{ shape = \"csv\", file = \"{name}\", columns = \
             {{ time = \"{time}\", value = \"{value}\" }} }}",
            columns.join(", ")
        );
    }
    let logs = format!("a [[log]] with cadence = {{ kind = \"file\", file = \"{name}\" }}");
    match serde_json::from_str::<Value>(text).or_else(|_| serde_json::from_str(first)) {
        Ok(document) if document["events"].is_array() => format!("log events as the AWS CLI exports them; {logs}"),
        Ok(document) if document["kind"].is_string() => {
            format!("Kubernetes objects; objects = [\"{name}\"]")
        }
        Ok(Value::Object(_)) => format!("log lines as JSON; {logs}"),
        // A long object list is cut before its end, and so is no JSON.
        _ if text.contains("\"apiVersion\"") && first.trim_start().starts_with('{') => {
            format!("Kubernetes objects; objects = [\"{name}\"]")
        }
        _ if matches!(extension.as_str(), "log" | "txt") => format!("log lines; {logs}"),
        _ => "not known: CSV series, log lines and Kubernetes objects as JSON are".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_folder_that_cannot_have_been_meant_not_every_file_is_told() {
        let folder = tempfile::tempdir().unwrap();
        for number in 0..50 {
            std::fs::write(folder.path().join(format!("{number:02}.csv")), "time,value\n").unwrap();
        }
        let fault = unfinished(folder.path());
        assert_eq!(fault.causes.len(), MOST_TOLD + 1);
        assert!(fault.causes.last().unwrap().starts_with("And 30 files more"), "{fault}");
    }
}
