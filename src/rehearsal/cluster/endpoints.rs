//! The endpoints of services: which pods a service reaches, as slices and in the older form.

use std::sync::Arc;

use serde_json::{Value, json};

use super::Cluster;
use super::kind::row;
use super::replica_set::is_ready;
use super::selector::label_selector_matches;
use super::shape;
use super::store::Key;

const MANAGED_BY: &str = "endpointslice.kubernetes.io/managed-by";

impl Cluster {
    /// Keeps the endpoints of every service that chooses pods.
    pub(super) fn run_services(&mut self) {
        for key in self.keys("services") {
            let Some(service) = self.store.get(&key).cloned() else { continue };
            let selector = &service["spec"]["selector"];
            if shape::is_leaving(&service) || selector.as_object().is_none_or(serde_json::Map::is_empty) {
                continue;
            }
            let chosen = json!({"matchLabels": selector});
            let pods = self.store.list(row("pods"), Some(&key.namespace)).map(|entry| entry.1);
            let pods: Vec<Arc<Value>> = pods
                .filter(|pod| pod.pointer("/status/podIP").is_some() && is_running(pod))
                .filter(|pod| label_selector_matches(&chosen, &pod["metadata"]["labels"]))
                .cloned()
                .collect();
            self.keep("endpointslices", slice(&service, &pods));
            self.keep("endpoints", older(&service, &pods));
        }
    }

    /// Stores what a service has, made anew or changed.
    fn keep(&mut self, plural: &'static str, mut object: Value) {
        let key = Key::of(row(plural), &object);
        match self.store.get(&key) {
            Some(known) => {
                object["metadata"]["uid"] = known["metadata"]["uid"].clone();
                object["metadata"]["creationTimestamp"] = known["metadata"]["creationTimestamp"].clone();
                object["apiVersion"] = known["apiVersion"].clone();
                object["kind"] = known["kind"].clone();
                self.store.put(key, object);
            }
            None => drop(self.place(row(plural), object)),
        }
    }
}

fn is_running(pod: &Value) -> bool {
    !matches!(shape::text(pod, "/status/phase"), Some("Succeeded" | "Failed"))
}

fn target(pod: &Value) -> Value {
    json!({"kind": "Pod", "name": shape::name(pod), "namespace": shape::namespace(pod), "uid": shape::uid(pod)})
}

/// The ports of a service as its pods have them. A named one is looked up in the first pod.
fn ports(service: &Value, pods: &[Arc<Value>]) -> Vec<Value> {
    let ports = service.pointer("/spec/ports").and_then(Value::as_array);
    let named = |name: &str| {
        let containers = pods.first().map_or(&[][..], |pod| shape::containers(&pod["spec"]));
        let mut ports = containers.iter().filter_map(|one| one["ports"].as_array()).flatten();
        ports.find(|port| port["name"] == name).map(|port| port["containerPort"].clone())
    };
    let each = ports.into_iter().flatten().filter_map(|port| {
        let number = match &port["targetPort"] {
            Value::String(name) => named(name)?,
            Value::Null => port["port"].clone(),
            number => number.clone(),
        };
        let mut shown = json!({"port": number, "protocol": port["protocol"]});
        if let Some(name) = port.get("name") {
            shown["name"] = name.clone();
        }
        Some(shown)
    });
    each.collect()
}

fn slice(service: &Value, pods: &[Arc<Value>]) -> Value {
    let endpoints: Vec<Value> = pods
        .iter()
        .map(|pod| {
            let (leaving, ready) = (shape::is_leaving(pod), is_ready(pod));
            let conditions = json!({"ready": ready && !leaving, "serving": ready, "terminating": leaving});
            json!({
                "addresses": [pod["status"]["podIP"]], "conditions": conditions, "nodeName": pod["spec"]["nodeName"],
                "targetRef": target(pod),
            })
        })
        .collect();
    let suffix = super::dice::Dice::new(6).suffix(5, &[shape::uid(service)]);
    json!({
        "metadata": {
            "name": format!("{}-{suffix}", shape::name(service)), "namespace": shape::namespace(service),
            "generateName": format!("{}-", shape::name(service)), "ownerReferences": shape::owned_by(service),
            "labels": {
                "kubernetes.io/service-name": shape::name(service), MANAGED_BY: "endpointslice-controller.k8s.io",
            },
        },
        "addressType": "IPv4", "endpoints": endpoints, "ports": ports(service, pods),
    })
}

/// The `Endpoints` of a service: bears its name, and goes with it though nobody says that it is owned.
fn older(service: &Value, pods: &[Arc<Value>]) -> Value {
    let address = |pod: &&Arc<Value>| json!({"ip": pod["status"]["podIP"], "nodeName": pod["spec"]["nodeName"], "targetRef": target(pod)});
    let (ready, waiting): (Vec<_>, Vec<_>) =
        pods.iter().filter(|pod| !shape::is_leaving(pod)).partition(|pod| is_ready(pod));
    let mut subset = json!({});
    let shown = ports(service, pods);
    if !shown.is_empty() {
        subset["ports"] = json!(shown);
    }
    for (name, pods) in [("addresses", &ready), ("notReadyAddresses", &waiting)] {
        if !pods.is_empty() {
            subset[name] = pods.iter().map(address).collect();
        }
    }
    let mut object = json!({
        "metadata": {
            "name": shape::name(service), "namespace": shape::namespace(service),
            "labels": {"endpoints.kubernetes.io/managed-by": "endpoint-controller"},
        },
    });
    if !(ready.is_empty() && waiting.is_empty()) {
        object["subsets"] = json!([subset]);
    }
    object
}
