//! Tables for `kubectl get`: the columns a person expects, computed on the server as the API does it.

mod cells;
mod columns;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::Call;
use super::form::Form;
use crate::rehearsal::cluster::kind::Kind;
use cells::Cell;

/// How a table is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shown {
    /// The instant that ages are told from.
    pub(super) now: Timestamp,
    /// What of the object goes with its row.
    pub(super) include: Include,
}

/// What of the object goes with its row: `includeObject`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Include {
    /// `None`.
    Nothing,
    /// `Metadata`, the default.
    Metadata,
    /// `Object`.
    Whole,
}

impl Shown {
    /// As a request wants it.
    pub(super) fn of(call: &Call, now: Timestamp) -> Self {
        let include = match call.parameter("includeObject") {
            "None" => Include::Nothing,
            "Object" => Include::Whole,
            _ => Include::Metadata,
        };
        Self { now, include }
    }
}

/// A table of objects.
pub(super) fn of(kind: &Kind, metadata: &Value, objects: &[&Value], shown: Shown) -> Value {
    let columns = columns(kind);
    let headings: Vec<Value> = columns
        .iter()
        .map(|column| {
            let format = if column.name == "Name" { "name" } else { "" };
            let word = if column.name == "Age" { "string" } else { column.cell.type_word() };
            json!({
                "name": column.name, "type": word, "format": format, "description": "",
                "priority": i32::from(column.is_wide),
            })
        })
        .collect();
    let rows: Vec<Value> = objects
        .iter()
        .map(|object| {
            let cells: Vec<Value> = columns.iter().map(|column| column.cell.value(object, shown.now)).collect();
            let mut row = json!({"cells": cells});
            row["object"] = match shown.include {
                Include::Nothing => Value::Null,
                Include::Metadata => Form::metadata_of(object),
                Include::Whole => (*object).clone(),
            };
            row
        })
        .collect();
    let metadata = if metadata.is_null() { json!({}) } else { metadata.clone() };
    json!({
        "kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": metadata,
        "columnDefinitions": headings, "rows": rows,
    })
}

/// A column: its heading, what stands in it, and whether only `-o wide` shows it.
struct Column {
    name: &'static str,
    cell: Cell,
    is_wide: bool,
}

/// The columns of a resource, as the printers of the API server have them.
fn columns(kind: &Kind) -> Vec<Column> {
    let (plain, wide) = columns::of(kind.plural);
    let column = |is_wide| move |&(name, cell): &(&'static str, Cell)| Column { name, cell, is_wide };
    // An event has no name in front, and its wide columns stand between the others.
    if kind.plural == "events" {
        let order = [0, 1, 2, 3].map(|at| plain[at]).iter().map(column(false)).collect::<Vec<_>>();
        let source = wide[..2].iter().map(column(true));
        let message = plain[4..].iter().map(column(false));
        return order.into_iter().chain(source).chain(message).chain(wide[2..].iter().map(column(true))).collect();
    }
    let age = |name| Column { name, cell: Cell::Age("/metadata/creationTimestamp"), is_wide: false };
    let last = match kind.plural {
        "roles" | "clusterroles" | "limitranges" => {
            Column { cell: Cell::Text("/metadata/creationTimestamp"), ..age("Created At") }
        }
        _ => age("Age"),
    };
    let name = Column { name: "Name", cell: Cell::Text("/metadata/name"), is_wide: false };
    let middle = plain.iter().map(column(false));
    // The version of a node stands behind its age.
    let (before, behind): (Vec<_>, Vec<_>) = middle.partition(|column| column.name != "Version");
    let front = std::iter::once(name).chain(before).chain(std::iter::once(last));
    front.chain(behind).chain(wide.iter().map(column(true))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rehearsal::cluster::kind::{KINDS, row};

    fn shown() -> Shown {
        Shown { now: "2026-05-01T09:31:00Z".parse().unwrap(), include: Include::Metadata }
    }

    #[test]
    fn a_pod_is_told_in_the_words_of_kubectl() {
        let pod = json!({
            "metadata": {"name": "x", "creationTimestamp": "2026-05-01T09:00:00Z"},
            "spec": {"containers": [{"name": "app"}]},
            "status": {"phase": "Running", "containerStatuses": [
                {"ready": false, "restartCount": 3, "state": {"waiting": {"reason": "CrashLoopBackOff"}},
                 "lastState": {"terminated": {"finishedAt": "2026-05-01T09:30:00Z"}}}]},
        });
        let table = of(row("pods"), &json!({}), &[&pod], shown());
        let cells = &table["rows"][0]["cells"].as_array().unwrap()[..5];
        assert_eq!(cells, ["x", "0/1", "CrashLoopBackOff", "3 (60s ago)", "31m"].map(|text| json!(text)));
    }

    #[test]
    fn every_resource_has_a_name_and_every_row_as_many_cells_as_headings() {
        for kind in KINDS {
            let object = json!({"metadata": {"name": "x", "creationTimestamp": "2026-05-01T09:00:00Z"}});
            let table = of(kind, &Value::Null, &[&object], shown());
            let headings = table["columnDefinitions"].as_array().unwrap();
            assert_eq!(headings.len(), table["rows"][0]["cells"].as_array().unwrap().len(), "{}", kind.plural);
            assert!(headings.iter().any(|heading| heading["name"] == "Name"), "{}", kind.plural);
        }
    }
}
