//! What is refused, and by which words, field by field.

use serde_json::{Value, json};

use super::accepts;
use crate::rehearsal::cluster::kind::row;

fn sound() -> Value {
    json!({"metadata": {"name": "x"}, "spec": {"replicas": 1, "selector": {"matchLabels": {"app": "x"}},
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}},
        "template": {"metadata": {"labels": {"app": "x"}}, "spec": {"containers": [{"name": "app", "image": "i:1",
            "resources": {"limits": {"memory": "512Mi"}, "requests": {"memory": "256Mi"}}}]}}}})
}

fn template(spec: &Value) -> Value {
    json!({"spec": {"template": {"spec": spec}}})
}

fn container(mut fields: Value) -> Value {
    fields["name"] = json!("app");
    fields["image"] = json!("i:1");
    template(&json!({"containers": [fields]}))
}

/// A JSON merge patch on a deployment, and the fault that it makes.
type Case = (Value, &'static str);

fn cases_of_the_whole() -> Vec<Case> {
    vec![
        (json!({"spec": {"replicas": -1}}), "spec.replicas: Invalid value: -1: must be greater than or equal to 0"),
        (
            json!({"spec": {"selector": {"matchLabels": {"app": "y"}}}}),
            "spec.selector: Invalid value: {\"matchLabels\":{\"app\":\"y\"}}: field is immutable",
        ),
        (template(&json!({"containers": []})), "spec.template.spec.containers: Required value"),
        (
            template(&json!({"restartPolicy": "Never"})),
            "spec.template.spec.restartPolicy: Unsupported value: \"Never\": supported values: \"Always\"",
        ),
        (
            json!({"spec": {"strategy": {"rollingUpdate": {"maxSurge": "abc"}}}}),
            "spec.strategy.rollingUpdate.maxSurge: Invalid value: \"abc\": a valid percent string must be a numeric string \
             followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')",
        ),
        (
            json!({"spec": {"strategy": {"rollingUpdate": {"maxUnavailable": "150%"}}}}),
            "spec.strategy.rollingUpdate.maxUnavailable: Invalid value: \"150%\": must not be greater than 100%",
        ),
        (
            json!({"spec": {"strategy": {"type": "Recreate"}}}),
            "spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'",
        ),
        (
            json!({"spec": {"progressDeadlineSeconds": 1, "minReadySeconds": 5}}),
            "spec.progressDeadlineSeconds: Invalid value: 1: must be greater than minReadySeconds",
        ),
        (
            json!({"spec": {"revisionHistoryLimit": -1}}),
            "spec.revisionHistoryLimit: Invalid value: -1: must be greater than or equal to 0",
        ),
        (
            json!({"metadata": {"labels": {"a": "b c"}}}),
            "metadata.labels: Invalid value: \"b c\": a valid label must be an empty string or consist of",
        ),
        (
            json!({"metadata": {"labels": {"a/b/c": ""}}}),
            "metadata.labels: Invalid value: \"a/b/c\": a qualified name must consist of alphanumeric characters",
        ),
        (
            json!({"metadata": {"annotations": {"a b": "x"}}}),
            "metadata.annotations: Invalid value: \"a b\": name part must consist of alphanumeric characters, '-', '_'",
        ),
    ]
}

fn cases_of_containers() -> Vec<Case> {
    vec![
        (
            container(json!({"ports": [{"containerPort": 99999}]})),
            "spec.template.spec.containers[0].ports[0].containerPort: Invalid value: 99999: must be between 1 and 65535, \
             inclusive",
        ),
        (
            container(json!({"volumeMounts": [{"name": "nope", "mountPath": "/x"}]})),
            "spec.template.spec.containers[0].volumeMounts[0].name: Not found: \"nope\"",
        ),
        (container(json!({"env": [{"name": ""}]})), "spec.template.spec.containers[0].env[0].name: Required value"),
        (
            container(json!({"imagePullPolicy": "Sometimes"})),
            "spec.template.spec.containers[0].imagePullPolicy: Unsupported value: \"Sometimes\": supported values: \
             \"Always\", \"IfNotPresent\", \"Never\"",
        ),
        (
            container(json!({"resources": {"limits": {"bogus": "1"}}})),
            "spec.template.spec.containers[0].resources.limits[bogus]: Invalid value: \"bogus\": must be a standard resource \
             for containers",
        ),
        (
            container(json!({"resources": {"limits": {"memory": "-5Mi"}, "requests": {"memory": "1Mi"}}})),
            "spec.template.spec.containers[0].resources.limits[memory]: Invalid value: \"-5Mi\": must be greater than or \
             equal to 0",
        ),
        (
            container(json!({"resources": {"limits": {"memory": "128Mi"}, "requests": {"memory": "256Mi"}}})),
            "spec.template.spec.containers[0].resources.requests: Invalid value: \"256Mi\": must be less than or equal to \
             memory limit of 128Mi",
        ),
        (
            container(json!({"livenessProbe": {"periodSeconds": 5}})),
            "spec.template.spec.containers[0].livenessProbe: Required value: must specify a handler type",
        ),
    ]
}

fn merge(into: &mut Value, patch: &Value) {
    match (into, patch) {
        (Value::Object(fields), Value::Object(changes)) => {
            changes.iter().for_each(|(name, change)| merge(fields.entry(name).or_insert(Value::Null), change));
        }
        (place, value) => *place = value.clone(),
    }
}

#[test]
fn each_wrong_field_of_a_deployment_is_told_by_its_path_and_alone() {
    let kind = row("deployments");
    assert_eq!(accepts(kind, &sound(), Some(&sound())), Ok(()));
    for (patch, want) in cases_of_the_whole().into_iter().chain(cases_of_containers()) {
        let mut wrong = sound();
        merge(&mut wrong, &patch);
        let refused = accepts(kind, &wrong, Some(&sound())).expect_err(want);
        assert_eq!(refused.code, 422);
        assert!(refused.message.contains(want), "{}", refused.message);
    }
}

#[test]
fn objects_of_other_kinds_are_held_against_their_own_rules() {
    let named = |name: &str, fields: Value| {
        let mut object = json!({"metadata": {"name": name}});
        merge(&mut object, &fields);
        object
    };
    for (plural, object, want) in [
        ("deployments", named("Not_A_Name", json!({})), "metadata.name: Invalid value: \"Not_A_Name\": a lowercase"),
        (
            "configmaps",
            named("x", json!({"data": {"a b": ""}})),
            "data[a b]: Invalid value: \"a b\": a valid config key",
        ),
        ("namespaces", named("a.b", json!({})), "metadata.name: Invalid value: \"a.b\": a lowercase RFC 1123 label"),
        (
            "services",
            named("x", json!({"spec": {"type": "Odd", "ports": [{"port": 0}]}})),
            "spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive",
        ),
        (
            "poddisruptionbudgets",
            named("x", json!({"spec": {"minAvailable": 1, "maxUnavailable": 1}})),
            "minAvailable and maxUnavailable cannot be both set",
        ),
    ] {
        let refused = accepts(row(plural), &object, None).expect_err(want);
        assert!(refused.message.contains(want), "{}", refused.message);
    }
    let bounded = |least: i64, most: i64| {
        let scaler = named("x", json!({"spec": {"minReplicas": least, "maxReplicas": most}}));
        accepts(row("horizontalpodautoscalers"), &scaler, Some(&scaler)).map_err(|refused| refused.message)
    };
    assert_eq!(bounded(2, 2), Ok(()));
    let refused = bounded(3, 2).unwrap_err();
    let want = "spec.maxReplicas: Invalid value: 2: must be greater than or equal to `minReplicas`";
    assert!(refused.contains(want), "{refused}");
    let roles = named("system:node", json!({}));
    assert_eq!(accepts(row("clusterroles"), &roles, None), Ok(()), "a role's name may have a colon");
}

#[test]
fn a_stateful_set_changes_only_where_it_may() {
    let before = sound();
    let mut after = sound();
    after["spec"]["serviceName"] = json!("other");
    let refused = accepts(row("statefulsets"), &after, Some(&before)).unwrap_err();
    let want = "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', \
                'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' \
                are forbidden";
    assert!(refused.message.contains(want), "{}", refused.message);
}
