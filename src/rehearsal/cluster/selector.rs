//! Label and field selectors as requests carry them.

mod label;

use serde_json::Value;

use super::failure::Failure;
use super::kind::Kind;

/// Which objects a list or watch asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selector {
    labels: Vec<Requirement>,
    fields: Vec<Requirement>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Requirement {
    key: String,
    test: Test,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Test {
    In(Vec<String>),
    NotIn(Vec<String>),
    Exists,
    Absent,
    Above(i64),
    Below(i64),
}

/// Fields every resource can be selected by, and those of single resources, as the API server declares them.
const FIELDS: [(&str, &[&str]); 8] = [
    ("", &["metadata.name", "metadata.namespace"]),
    (
        "pods",
        &[
            "spec.nodeName",
            "spec.restartPolicy",
            "spec.serviceAccountName",
            "spec.schedulerName",
            "status.phase",
            "status.podIP",
            "status.nominatedNodeName",
        ],
    ),
    (
        "events",
        &[
            "involvedObject.kind",
            "involvedObject.namespace",
            "involvedObject.name",
            "involvedObject.uid",
            "involvedObject.apiVersion",
            "involvedObject.resourceVersion",
            "involvedObject.fieldPath",
            "reason",
            "type",
            "source",
            "reportingComponent",
        ],
    ),
    ("secrets", &["type"]),
    ("namespaces", &["status.phase"]),
    ("nodes", &["spec.unschedulable"]),
    ("replicasets", &["status.replicas"]),
    ("jobs", &["status.successful"]),
];

impl Selector {
    /// Reads both selectors of a request; an unknown field or bad syntax is a 400, as from the API server.
    pub fn parse(kind: &Kind, labels: &str, fields: &str) -> Result<Self, Failure> {
        let labels = label::parse(labels).map_err(Failure::bad_request)?;
        let fields = split(fields).map(|part| field(kind, part)).collect::<Result<_, _>>()?;
        Ok(Self { labels, fields })
    }

    /// Whether it asks for everything.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty() && self.fields.is_empty()
    }

    /// Whether an object is meant.
    pub fn matches(&self, object: &Value) -> bool {
        let labels = object.pointer("/metadata/labels");
        self.labels
            .iter()
            .all(|wanted| wanted.accepts(labels.and_then(|labels| labels.get(&wanted.key)).and_then(Value::as_str)))
            && self.fields.iter().all(|wanted| {
                let found = wanted.key.split('.').try_fold(object, |place, step| place.get(step));
                wanted.accepts(Some(&field_text(&wanted.key, found)))
            })
    }
}

/// A field as a selector compares it; what is not there is as its type's zero value.
fn field_text(key: &str, found: Option<&Value>) -> String {
    match found {
        Some(Value::String(text)) => text.clone(),
        None | Some(Value::Null) => match key {
            "spec.unschedulable" => "false".to_owned(),
            "status.replicas" | "status.successful" => "0".to_owned(),
            _ => String::new(),
        },
        Some(other) => other.to_string(),
    }
}

impl Requirement {
    fn accepts(&self, found: Option<&str>) -> bool {
        match (&self.test, found) {
            (Test::In(values), Some(found)) => values.iter().any(|value| value == found),
            (Test::NotIn(values), Some(found)) => values.iter().all(|value| value != found),
            (Test::Exists, found) => found.is_some(),
            (Test::Absent, found) => found.is_none(),
            (Test::Above(bound), Some(found)) => found.parse::<i64>().is_ok_and(|found| found > *bound),
            (Test::Below(bound), Some(found)) => found.parse::<i64>().is_ok_and(|found| found < *bound),
            (Test::In(_) | Test::Above(_) | Test::Below(_), None) => false,
            (Test::NotIn(_), None) => true,
        }
    }
}

/// Whether `matchLabels` and `matchExpressions` of a `LabelSelector` hold for labels.
pub fn label_selector_matches(selector: &Value, labels: &Value) -> bool {
    let pairs = selector.get("matchLabels").and_then(Value::as_object);
    let pairs_hold = pairs.is_none_or(|pairs| pairs.iter().all(|(key, value)| labels.get(key) == Some(value)));
    let expressions = selector.get("matchExpressions").and_then(Value::as_array);
    pairs_hold && expressions.is_none_or(|all| all.iter().all(|one| expression_holds(one, labels)))
}

fn expression_holds(expression: &Value, labels: &Value) -> bool {
    let key = expression.get("key").and_then(Value::as_str).unwrap_or_default().to_owned();
    let listed = expression.get("values").and_then(Value::as_array).cloned().unwrap_or_default();
    let values = listed.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    let bound = || listed.first().and_then(Value::as_str).and_then(|text| text.parse().ok());
    let test = match expression.get("operator").and_then(Value::as_str) {
        Some("Gt") => bound().map_or(Test::In(Vec::new()), Test::Above),
        Some("Lt") => bound().map_or(Test::In(Vec::new()), Test::Below),
        Some("In") => Test::In(values),
        Some("NotIn") => Test::NotIn(values),
        Some("Exists") => Test::Exists,
        _ => Test::Absent,
    };
    let found = labels.get(&key).and_then(Value::as_str);
    Requirement { key: key.clone(), test }.accepts(found)
}

/// Splits at commas.
fn split(selector: &str) -> impl Iterator<Item = &str> {
    selector.split(',').map(str::trim).filter(|part| !part.is_empty())
}

fn field(kind: &Kind, part: &str) -> Result<Requirement, Failure> {
    let wanted = equality(part)
        .ok_or_else(|| Failure::bad_request(format!("invalid selector: '{part}'; can't understand '{part}'")))?;
    let known = FIELDS.iter().any(|row| (row.0.is_empty() || row.0 == kind.plural) && row.1.contains(&&*wanted.key));
    if known { Ok(wanted) } else { Err(Failure::bad_request(format!("field label not supported: {}", wanted.key))) }
}

fn equality(part: &str) -> Option<Requirement> {
    if let Some((key, value)) = part.split_once("!=") {
        return Some(Requirement { key: key.trim().to_owned(), test: Test::NotIn(vec![value.trim().to_owned()]) });
    }
    let (key, value) = part.split_once("==").or_else(|| part.split_once('='))?;
    Some(Requirement { key: key.trim().to_owned(), test: Test::In(vec![value.trim().to_owned()]) })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rehearsal::cluster::kind::row;

    #[test]
    fn labels_and_fields_select() {
        let pod = json!({"metadata": {"name": "x", "labels": {"app": "my-api", "tier": "web"}}, "status": {"phase": "Running"}});
        for (labels, fields, want) in [
            ("", "", true),
            ("app=my-api", "", true),
            ("app==my-api,tier!=db", "", true),
            ("app in (my-api, other),tier", "", true),
            ("app notin (my-api)", "", false),
            ("!app", "", false),
            ("!gone", "status.phase=Running,metadata.name=x", true),
            ("", "status.phase!=Running", false),
            ("gone", "", false),
        ] {
            let selector = Selector::parse(row("pods"), labels, fields).unwrap();
            assert_eq!(selector.matches(&pod), want, "{labels} {fields}");
        }
    }

    #[test]
    fn what_the_api_server_refuses_is_refused() {
        let refused = Selector::parse(row("pods"), "", "spec.containers=x").unwrap_err();
        assert_eq!((refused.code, refused.message.as_str()), (400, "field label not supported: spec.containers"));
        assert_eq!(Selector::parse(row("pods"), "a b", "").unwrap_err().code, 400);
    }

    #[test]
    fn expressions_select() {
        let labels = json!({"app": "my-api"});
        for (selector, want) in [
            (json!({"matchLabels": {"app": "my-api"}}), true),
            (json!({"matchLabels": {"app": "x"}}), false),
            (json!({"matchExpressions": [{"key": "app", "operator": "In", "values": ["my-api"]}]}), true),
            (json!({"matchExpressions": [{"key": "app", "operator": "DoesNotExist"}]}), false),
        ] {
            assert_eq!(label_selector_matches(&selector, &labels), want, "{selector}");
        }
    }
}
