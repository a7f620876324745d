//! Rules of single fields as rows: where the field is, and what it must be, in the words of the API server.

use serde_json::{Value, json};

use super::super::failure::FieldFault;
use super::names;

/// What a field must be.
#[derive(Clone, Copy, Debug)]
pub(super) enum Must {
    /// A port: 1 to 65535.
    BePort,
    /// A number that is at least so much.
    BeAtLeast(i64),
    /// A number between two.
    BeBetween(i64, i64),
    /// One of these words.
    BeOneOf(&'static [&'static str]),
    /// A DNS label.
    BeLabel,
    /// The name of an environment variable.
    NameVariable,
    /// There and not empty.
    BeThere,
    /// A whole number that is not negative, or a percentage.
    BeCountOrPercent,
    /// As that, and at most 100 %.
    BeCountOrShare,
}

use Must::{BeAtLeast, BeBetween, BeCountOrPercent, BeCountOrShare, BeLabel, BeOneOf, BePort, BeThere, NameVariable};

/// Rules of a resource: its plural, a path in which `[]` stands for every item, and what must be there.
pub(super) const OBJECTS: &[(&str, &str, Must)] = &[
    ("deployments", "spec.replicas", BeAtLeast(0)),
    ("deployments", "spec.minReadySeconds", BeAtLeast(0)),
    ("deployments", "spec.revisionHistoryLimit", BeAtLeast(0)),
    ("deployments", "spec.progressDeadlineSeconds", BeAtLeast(0)),
    ("deployments", "spec.strategy.type", BeOneOf(&["Recreate", "RollingUpdate"])),
    ("deployments", "spec.strategy.rollingUpdate.maxSurge", BeCountOrPercent),
    ("deployments", "spec.strategy.rollingUpdate.maxUnavailable", BeCountOrShare),
    ("replicasets", "spec.replicas", BeAtLeast(0)),
    ("replicasets", "spec.minReadySeconds", BeAtLeast(0)),
    ("statefulsets", "spec.replicas", BeAtLeast(0)),
    ("statefulsets", "spec.minReadySeconds", BeAtLeast(0)),
    ("statefulsets", "spec.revisionHistoryLimit", BeAtLeast(0)),
    ("statefulsets", "spec.podManagementPolicy", BeOneOf(&["OrderedReady", "Parallel"])),
    ("statefulsets", "spec.updateStrategy.type", BeOneOf(&["OnDelete", "RollingUpdate"])),
    ("statefulsets", "spec.updateStrategy.rollingUpdate.partition", BeAtLeast(0)),
    ("daemonsets", "spec.minReadySeconds", BeAtLeast(0)),
    ("daemonsets", "spec.revisionHistoryLimit", BeAtLeast(0)),
    ("daemonsets", "spec.updateStrategy.type", BeOneOf(&["OnDelete", "RollingUpdate"])),
    ("daemonsets", "spec.updateStrategy.rollingUpdate.maxSurge", BeCountOrShare),
    ("daemonsets", "spec.updateStrategy.rollingUpdate.maxUnavailable", BeCountOrShare),
    ("jobs", "spec.backoffLimit", BeAtLeast(0)),
    ("jobs", "spec.parallelism", BeAtLeast(0)),
    ("jobs", "spec.completions", BeAtLeast(0)),
    ("jobs", "spec.activeDeadlineSeconds", BeAtLeast(0)),
    ("jobs", "spec.ttlSecondsAfterFinished", BeAtLeast(0)),
    ("jobs", "spec.template.spec.restartPolicy", BeOneOf(&["OnFailure", "Never"])),
    ("cronjobs", "spec.schedule", BeThere),
    ("cronjobs", "spec.concurrencyPolicy", BeOneOf(&["Allow", "Forbid", "Replace"])),
    ("poddisruptionbudgets", "spec.minAvailable", BeCountOrShare),
    ("poddisruptionbudgets", "spec.maxUnavailable", BeCountOrShare),
    ("services", "spec.type", BeOneOf(&["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"])),
    ("services", "spec.sessionAffinity", BeOneOf(&["ClientIP", "None"])),
    ("services", "spec.ports[].port", BePort),
    ("services", "spec.ports[].protocol", BeOneOf(&["SCTP", "TCP", "UDP"])),
    ("nodes", "spec.taints[].effect", BeOneOf(&["NoSchedule", "PreferNoSchedule", "NoExecute"])),
];

/// Rules of a pod's spec, wherever it stands.
pub(super) const POD: &[(&str, Must)] = &[
    ("volumes[].name", BeLabel),
    ("restartPolicy", BeOneOf(&["Always", "OnFailure", "Never"])),
    ("dnsPolicy", BeOneOf(&["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"])),
    ("activeDeadlineSeconds", BeBetween(1, 2_147_483_647)),
    ("tolerations[].operator", BeOneOf(&["Equal", "Exists"])),
    ("tolerations[].effect", BeOneOf(&["NoSchedule", "PreferNoSchedule", "NoExecute"])),
];

/// Rules of a container.
pub(super) const CONTAINER: &[(&str, Must)] = &[
    ("name", BeLabel),
    ("ports[].containerPort", BePort),
    ("ports[].hostPort", BeBetween(0, 65535)),
    ("ports[].protocol", BeOneOf(&["SCTP", "TCP", "UDP"])),
    ("env[].name", NameVariable),
    ("imagePullPolicy", BeOneOf(&["Always", "IfNotPresent", "Never"])),
    ("terminationMessagePolicy", BeOneOf(&["FallbackToLogsOnError", "File"])),
    ("volumeMounts[].mountPath", BeThere),
];

/// Rules of a probe.
pub(super) const PROBE: &[(&str, Must)] = &[
    ("httpGet.port", BePort),
    ("httpGet.scheme", BeOneOf(&["HTTP", "HTTPS"])),
    ("tcpSocket.port", BePort),
    ("initialDelaySeconds", BeAtLeast(0)),
    ("timeoutSeconds", BeAtLeast(0)),
    ("periodSeconds", BeAtLeast(0)),
    ("successThreshold", BeAtLeast(0)),
    ("failureThreshold", BeAtLeast(0)),
    ("terminationGracePeriodSeconds", BeAtLeast(1)),
];

/// Holds an object against a rule; `at` is the path to it.
pub(super) fn hold(object: &Value, at: &str, (path, must): (&str, Must), faults: &mut Vec<FieldFault>) {
    let mut places = vec![(at.to_owned(), object)];
    for step in path.split('.') {
        let (name, is_list) = step.strip_suffix("[]").map_or((step, false), |name| (name, true));
        let mut inner = Vec::new();
        for (place, value) in places {
            let place = if place.is_empty() { name.to_owned() } else { format!("{place}.{name}") };
            match value.get(name) {
                Some(Value::Array(items)) if is_list => {
                    inner.extend(items.iter().enumerate().map(|(index, item)| (format!("{place}[{index}]"), item)));
                }
                Some(found) if !is_list => inner.push((place, found)),
                None if !is_list && value.is_object() => inner.push((place, &Value::Null)),
                _ => {}
            }
        }
        places = inner;
    }
    for (place, value) in places {
        must.judge(&place, value, faults);
    }
}

impl Must {
    fn judge(self, at: &str, value: &Value, faults: &mut Vec<FieldFault>) {
        if is_empty(value) {
            if matches!(self, BeThere | NameVariable) {
                faults.push(FieldFault::required(at, ""));
            }
            return;
        }
        let wrong = |why: String| FieldFault::invalid(at, value, &why);
        let fault = match (self, value) {
            (BePort, Value::Number(_)) => range(value, 1, 65535).map(wrong),
            (BeBetween(least, most), _) => range(value, least, most).map(wrong),
            (BeAtLeast(least), _) => beneath(value, least).map(wrong),
            (BeOneOf(words), _) => {
                let known = value.as_str().is_some_and(|word| words.contains(&word));
                (!known).then(|| FieldFault::unsupported(at, value, words))
            }
            (BeLabel, Value::String(text)) => (!names::is_label(text)).then(|| wrong(names::LABEL_RULE.to_owned())),
            (NameVariable, Value::String(text)) => {
                (!names::is_variable(text)).then(|| wrong(names::VARIABLE_RULE.to_owned()))
            }
            (BeCountOrPercent | BeCountOrShare, Value::Number(_)) => beneath(value, 0).map(wrong),
            (BeCountOrPercent | BeCountOrShare, Value::String(text)) => match names::percent(text) {
                None => Some(wrong(names::PERCENT_RULE.to_owned())),
                Some(share) if share > 100 && matches!(self, BeCountOrShare) => {
                    Some(wrong("must not be greater than 100%".to_owned()))
                }
                Some(_) => None,
            },
            // A named port, or a type that the reader of bodies has let through.
            (BeThere | BePort | BeLabel | NameVariable | BeCountOrPercent | BeCountOrShare, _) => None,
        };
        faults.extend(fault);
    }
}

/// Whether a field is as one that was not given, which has its own default.
fn is_empty(value: &Value) -> bool {
    *value == Value::Null || *value == json!("")
}

fn range(value: &Value, least: i64, most: i64) -> Option<String> {
    let within = value.as_i64().is_none_or(|number| (least..=most).contains(&number));
    (!within).then(|| format!("must be between {least} and {most}, inclusive"))
}

fn beneath(value: &Value, least: i64) -> Option<String> {
    let words = if least == 0 { "must be greater than or equal to 0" } else { "must be greater than 0" };
    value.as_i64().filter(|number| *number < least).map(|_| words.to_owned())
}
