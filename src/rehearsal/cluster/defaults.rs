//! The defaults that the API server writes into what it is given, so that equal intents become equal objects.

use serde_json::{Value, json};

use super::dice::Dice;
use super::kind::Kind;
use super::shape;

/// Fills in the defaults of a resource.
pub fn fill(kind: &Kind, object: &mut Value) {
    object["apiVersion"] = json!(kind.api_version());
    object["kind"] = json!(kind.kind);
    match kind.plural {
        "deployments" => {
            missing(&mut object["spec"], &deployment());
            missing(&mut object["spec"]["strategy"], &json!({"type": "RollingUpdate"}));
            if object.pointer("/spec/strategy/type") == Some(&json!("RollingUpdate")) {
                missing(&mut object["spec"]["strategy"], &json!({"rollingUpdate": {}}));
                missing(
                    &mut object["spec"]["strategy"]["rollingUpdate"],
                    &json!({"maxSurge": "25%", "maxUnavailable": "25%"}),
                );
            }
            pod_spec(&mut object["spec"]["template"]["spec"]);
        }
        "replicasets" => {
            missing(&mut object["spec"], &json!({"replicas": 1}));
            pod_spec(&mut object["spec"]["template"]["spec"]);
        }
        "statefulsets" => {
            missing(
                &mut object["spec"],
                &json!({
                    "replicas": 1, "revisionHistoryLimit": 10, "podManagementPolicy": "OrderedReady",
                    "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}},
                }),
            );
            pod_spec(&mut object["spec"]["template"]["spec"]);
        }
        "daemonsets" => {
            let rolling = json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}});
            missing(&mut object["spec"], &json!({"revisionHistoryLimit": 10, "updateStrategy": rolling}));
            pod_spec(&mut object["spec"]["template"]["spec"]);
        }
        "pods" => pod_spec(&mut object["spec"]),
        "horizontalpodautoscalers" => autoscaler(&mut object["spec"]),
        "jobs" => job(object),
        "secrets" => missing(object, &json!({"type": "Opaque"})),
        "services" => service(object),
        "namespaces" => missing(object, &json!({"status": {"phase": "Active"}})),
        _ => {}
    }
}

/// A service gets an address of its own, the same each time for the same name, unless it is headless or an alias.
fn service(object: &mut Value) {
    let place = [shape::namespace(object), shape::name(object)];
    let number = Dice::new(5).draw(&place);
    let address = format!("172.20.{}.{}", number % 256, 1 + (number >> 8) % 254);
    let spec = &mut object["spec"];
    missing(spec, &json!({"type": "ClusterIP", "sessionAffinity": "None"}));
    if spec["type"] == "ExternalName" {
        return;
    }
    let known = spec.get("clusterIP").and_then(Value::as_str).filter(|known| !known.is_empty());
    let address = known.map_or(address, str::to_owned);
    spec["clusterIP"] = json!(address);
    missing(
        spec,
        &json!({
            "clusterIPs": [address], "ipFamilies": ["IPv4"], "ipFamilyPolicy": "SingleStack",
            "internalTrafficPolicy": "Cluster",
        }),
    );
    for port in spec.get_mut("ports").and_then(Value::as_array_mut).into_iter().flatten() {
        let target = port["port"].clone();
        missing(port, &json!({"protocol": "TCP", "targetPort": target}));
    }
}

/// An autoscaler without metrics goes by the processor, and one that names one rule of its behaviour has all the others.
fn autoscaler(spec: &mut Value) {
    missing(spec, &json!({"minReplicas": 1}));
    if spec["metrics"].as_array().is_none_or(Vec::is_empty) {
        let target = json!({"type": "Utilization", "averageUtilization": 80});
        spec["metrics"] = json!([{"type": "Resource", "resource": {"name": "cpu", "target": target}}]);
    }
    if spec["behavior"].is_null() {
        if let Some(fields) = spec.as_object_mut() {
            fields.remove("behavior");
        }
        return;
    }
    let percent = json!({"type": "Percent", "value": 100, "periodSeconds": 15});
    let pods = json!({"type": "Pods", "value": 4, "periodSeconds": 15});
    let up = json!({"stabilizationWindowSeconds": 0, "selectPolicy": "Max", "policies": [pods, percent]});
    missing(&mut spec["behavior"]["scaleUp"], &up);
    missing(&mut spec["behavior"]["scaleDown"], &json!({"selectPolicy": "Max", "policies": [percent]}));
}

/// A job chooses its pods by its own uid, unless it says by what.
fn job(object: &mut Value) {
    let (uid, name) = (shape::uid(object).to_owned(), shape::name(object).to_owned());
    let spec = &mut object["spec"];
    let is_manual = spec["manualSelector"] == true;
    if spec.get("completions").is_none() && spec.get("parallelism").is_none() {
        missing(spec, &json!({"completions": 1}));
    }
    missing(
        spec,
        &json!({
            "parallelism": 1, "backoffLimit": 6, "completionMode": "NonIndexed", "suspend": false, "manualSelector": false,
            "podReplacementPolicy": "TerminatingOrFailed",
        }),
    );
    if !is_manual && !uid.is_empty() {
        missing(spec, &json!({"selector": {"matchLabels": {"batch.kubernetes.io/controller-uid": uid}}}));
        let labels = json!({
            "batch.kubernetes.io/controller-uid": uid, "batch.kubernetes.io/job-name": name, "controller-uid": uid,
            "job-name": name,
        });
        missing(&mut spec["template"], &json!({"metadata": {}}));
        missing(&mut spec["template"]["metadata"], &json!({"labels": {}}));
        missing(&mut spec["template"]["metadata"]["labels"], &labels);
    }
    pod_spec(&mut spec["template"]["spec"]);
}

fn deployment() -> Value {
    json!({
        "replicas": 1, "revisionHistoryLimit": 10, "progressDeadlineSeconds": 600,
        "strategy": {}, "template": {"metadata": {}, "spec": {}},
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
        for name in ["livenessProbe", "readinessProbe", "startupProbe"] {
            let Some(probe) = container.get_mut(name) else { continue };
            let patience =
                json!({"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3});
            missing(probe, &patience);
            if let Some(get) = probe.get_mut("httpGet") {
                missing(get, &json!({"path": "/", "scheme": "HTTP"}));
            }
        }
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
