//! Objects written from a scenario's words: workloads with their owners' marks, budgets, quotas, autoscalers.

use serde_json::{Value, json};

use super::kind::{Kind, row};
use super::shape::{self, set};
use super::spec::{AutoscalerSpec, QuotaSpec, WebhookSays, WebhookSpec};
use crate::domain::observation::workload::Ownership;
use crate::rehearsal::scenario::{ContainerShape, Quantity, Regime, RevisionSpec, WorkloadSpec};

/// A workload as it was, or is, at a revision.
pub(super) fn workload(spec: &WorkloadSpec, revision: Option<&RevisionSpec>) -> Value {
    let kind = row(spec.kind.plural());
    let mut labels = json!({"app": spec.name});
    for (name, value) in &spec.labels {
        labels[name.as_str()] = json!(value);
    }
    let mut containers: Vec<Value> = spec.containers.iter().map(container).collect();
    if let (Some(first), Regime::Hangs { .. }) = (containers.first_mut(), &spec.memory) {
        first["livenessProbe"] = json!({"httpGet": {"path": "/healthz", "port": 8080}});
    }
    if let (Some(first), Some(revision)) = (containers.first_mut(), revision) {
        if let Some(image) = &revision.image {
            first["image"] = json!(image);
        }
        if let Some(limit) = revision.memory_limit {
            set(first, &["resources", "limits", "memory"], quantity(limit));
        }
    }
    let mut object = json!({
        "metadata": {"name": spec.name, "namespace": spec.namespace, "labels": labels, "annotations": spec.annotations},
        "spec": {
            "replicas": spec.replicas, "selector": {"matchLabels": {"app": spec.name}},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": containers}},
        },
    });
    match (kind.plural, object["spec"].as_object_mut()) {
        ("daemonsets", Some(fields)) => drop(fields.remove("replicas")),
        ("statefulsets", Some(fields)) => drop(fields.insert("serviceName".to_owned(), json!(spec.name))),
        _ => {}
    }
    if kind.plural == "deployments" {
        object["spec"]["strategy"] = json!({"type": "RollingUpdate", "rollingUpdate": {
            "maxSurge": int_or_percent(&spec.max_surge), "maxUnavailable": int_or_percent(&spec.max_unavailable),
        }});
    }
    if !spec.template_annotations.is_empty() {
        set(&mut object, &["spec", "template", "metadata", "annotations"], json!(spec.template_annotations));
    }
    own(&mut object, &spec.ownership);
    super::defaults::fill(kind, &mut object);
    object
}

/// Tells a past template from the present one where the scenario names no difference: it was restarted since.
pub(super) fn make_past(object: &mut Value, revision: &RevisionSpec) {
    let at = shape::stamp(revision.at);
    set(object, &["spec", "template", "metadata", "annotations", "kubectl.kubernetes.io/restartedAt"], at);
}

fn container(shape: &ContainerShape) -> Value {
    let mut object = json!({"name": shape.name, "image": shape.image, "resources": {}});
    let memory = [("limits", shape.memory_limit), ("requests", shape.memory_request)];
    for (side, amount) in memory.into_iter().filter_map(|(side, amount)| Some((side, amount?))) {
        set(&mut object, &["resources", side, "memory"], quantity(amount));
    }
    for (side, amount) in [("limits", &shape.cpu_limit), ("requests", &shape.cpu_request)] {
        if let Some(amount) = amount {
            set(&mut object, &["resources", side, "cpu"], json!(amount));
        }
    }
    object
}

fn quantity(amount: Quantity) -> Value {
    json!(super::quantity::show(amount.0))
}

fn int_or_percent(text: &str) -> Value {
    text.parse::<i64>().map_or_else(|_| json!(text), |number| json!(number))
}

/// The labels and annotations by which an owner marks what it manages, from the documentation of each.
fn own(object: &mut Value, ownership: &Ownership) {
    let (name, namespace) = (shape::name(object).to_owned(), shape::namespace(object).to_owned());
    let mut label = |key: &str, value: &str| set(object, &["metadata", "labels", key], json!(value));
    match ownership {
        Ownership::Direct => {}
        Ownership::Helm { release } => {
            label("app.kubernetes.io/managed-by", "Helm");
            label("app.kubernetes.io/instance", release);
            shape::annotate(object, "meta.helm.sh/release-name", release.as_str());
            shape::annotate(object, "meta.helm.sh/release-namespace", namespace);
        }
        Ownership::ArgoCd { application } => {
            label("app.kubernetes.io/instance", application);
            let tracked = format!("{application}:apps/Deployment:{namespace}/{name}");
            shape::annotate(object, "argocd.argoproj.io/tracking-id", tracked);
        }
        Ownership::Flux { name } => {
            label("kustomize.toolkit.fluxcd.io/name", name);
            label("kustomize.toolkit.fluxcd.io/namespace", "flux-system");
        }
        Ownership::Controller { kind, name } => {
            let api = "example.com/v1";
            let owner = json!({"apiVersion": api, "kind": kind, "name": name, "uid": name, "controller": true});
            set(object, &["metadata", "ownerReferences"], json!([owner]));
        }
    }
}

pub(super) fn budget(spec: &WorkloadSpec, least: u32) -> Value {
    json!({
        "metadata": {"name": spec.name, "namespace": spec.namespace},
        "spec": {"minAvailable": least, "selector": {"matchLabels": {"app": spec.name}}},
    })
}

pub(super) fn quota(spec: &QuotaSpec) -> Value {
    let mut hard = json!({});
    if let Some(limit) = spec.memory_limits {
        hard["limits.memory"] = quantity(limit);
    }
    if let Some(pods) = spec.pods {
        hard["pods"] = json!(pods.to_string());
    }
    json!({"metadata": {"name": spec.name, "namespace": spec.namespace}, "spec": {"hard": hard}})
}

/// An autoscaler of a workload of some kind.
pub(super) fn autoscaler(spec: &AutoscalerSpec, kind: &Kind) -> Value {
    let goals = [("cpu", spec.cpu_percent), ("memory", spec.memory_percent)];
    let metric = |(name, percent): (&str, Option<u32>)| {
        let target = json!({"type": "Utilization", "averageUtilization": percent?});
        Some(json!({"type": "Resource", "resource": {"name": name, "target": target}}))
    };
    let metrics: Vec<Value> = goals.into_iter().filter_map(metric).collect();
    json!({
        "metadata": {"name": spec.workload, "namespace": spec.namespace},
        "spec": {
            "scaleTargetRef": {"apiVersion": kind.api_version(), "kind": kind.kind, "name": spec.workload},
            "minReplicas": spec.min, "maxReplicas": spec.max, "metrics": metrics,
        },
    })
}

/// A webhook as it is registered, so that who is denied can look up by whom.
pub(super) fn webhook(spec: &WebhookSpec) -> Value {
    let operations: Vec<&str> = [("create", "CREATE"), ("update", "UPDATE"), ("delete", "DELETE")]
        .into_iter()
        .filter(|(verb, _)| {
            let named = |word: &str| spec.rule.verbs.iter().any(|own| own == word);
            named("*") || named(verb) || (*verb == "update" && named("patch"))
        })
        .map(|row| row.1)
        .collect();
    let groups = if spec.rule.groups.is_empty() { vec!["*".to_owned()] } else { spec.rule.groups.clone() };
    let effects = match spec.says {
        WebhookSays::Denies => "None",
        WebhookSays::AllowsWithSideEffects => "Some",
    };
    let namespaces = match spec.rule.namespaces.as_slice() {
        [] => json!({}),
        some => json!({"matchExpressions": [
            {"key": "kubernetes.io/metadata.name", "operator": "In", "values": some},
        ]}),
    };
    let service = spec.name.split('.').next().unwrap_or_default();
    json!({
        "metadata": {"name": spec.name},
        "webhooks": [{
            "name": spec.name, "admissionReviewVersions": ["v1"], "sideEffects": effects, "failurePolicy": "Fail",
            "matchPolicy": "Equivalent", "timeoutSeconds": 10, "namespaceSelector": namespaces, "objectSelector": {},
            "clientConfig": {"service": {"name": service, "namespace": "kube-system", "path": "/validate", "port": 443}},
            "rules": [{
                "apiGroups": groups, "apiVersions": ["*"], "operations": operations, "resources": spec.rule.resources,
                "scope": "*",
            }],
        }],
    })
}
