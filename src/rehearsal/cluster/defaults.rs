//! The defaults that the API server writes into what it is given, so that equal intents become equal objects.

use serde_json::{Value, json};

use super::kind::Kind;
use super::shape;

/// Fills in the defaults of a resource.
pub fn fill(kind: &Kind, object: &mut Value) {
    object["apiVersion"] = json!(kind.api_version());
    object["kind"] = json!(kind.kind);
    match kind.plural {
        "deployments" => {
            missing(&mut object["spec"], &deployment());
            if object.pointer("/spec/strategy/type") == Some(&json!("RollingUpdate")) {
                missing(&mut object["spec"]["strategy"], &json!({"rollingUpdate": {}}));
                missing(
                    &mut object["spec"]["strategy"]["rollingUpdate"],
                    &json!({"maxSurge": "25%", "maxUnavailable": "25%"}),
                );
            }
            pod_spec(&mut object["spec"]["template"]["spec"]);
        }
        "replicasets" | "statefulsets" => {
            missing(&mut object["spec"], &json!({"replicas": 1}));
            pod_spec(&mut object["spec"]["template"]["spec"]);
        }
        "daemonsets" => pod_spec(&mut object["spec"]["template"]["spec"]),
        "pods" => pod_spec(&mut object["spec"]),
        "secrets" => missing(object, &json!({"type": "Opaque"})),
        "services" => missing(&mut object["spec"], &json!({"type": "ClusterIP", "sessionAffinity": "None"})),
        "namespaces" => missing(object, &json!({"status": {"phase": "Active"}})),
        _ => {}
    }
}

fn deployment() -> Value {
    json!({
        "replicas": 1, "revisionHistoryLimit": 10, "progressDeadlineSeconds": 600,
        "strategy": {"type": "RollingUpdate"}, "template": {"metadata": {}, "spec": {}},
    })
}

fn pod_spec(spec: &mut Value) {
    missing(
        spec,
        &json!({
            "restartPolicy": "Always", "terminationGracePeriodSeconds": 30, "dnsPolicy": "ClusterFirst",
            "schedulerName": "default-scheduler", "securityContext": {},
        }),
    );
    let Some(containers) = spec.get_mut("containers").and_then(Value::as_array_mut) else { return };
    for container in containers.iter_mut().filter(|container| container.is_object()) {
        let is_latest = shape::text(container, "/image").is_some_and(|image| {
            image.ends_with(":latest") || !image.rsplit('/').next().unwrap_or_default().contains([':', '@'])
        });
        missing(
            container,
            &json!({
                "resources": {}, "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File",
                "imagePullPolicy": if is_latest { "Always" } else { "IfNotPresent" },
            }),
        );
        if let Some(Value::Array(ports)) = container.get_mut("ports") {
            for port in ports {
                missing(port, &json!({"protocol": "TCP"}));
            }
        }
    }
}

/// Sets the fields that are not there.
fn missing(object: &mut Value, defaults: &Value) {
    if object.is_null() {
        *object = json!({});
    }
    if let (Value::Object(fields), Value::Object(defaults)) = (object, defaults) {
        for (name, value) in defaults {
            fields.entry(name.clone()).or_insert_with(|| value.clone());
        }
    }
}
