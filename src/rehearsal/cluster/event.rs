//! Kubernetes events: one object for each thing that happens to an object, counted when it happens again.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::dice::Dice;
use super::kind::row;
use super::shape::{self, stamp};
use super::store::{Key, Store};

/// How loud an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// `Normal`.
    Normal,
    /// `Warning`.
    Warning,
}

/// Something that happened to an object.
#[derive(Clone, Debug)]
pub struct Occurrence<'a> {
    /// The object.
    pub about: &'a Value,
    /// Normal or warning.
    pub tone: Tone,
    /// `ScalingReplicaSet`, `Killing`, …
    pub reason: &'a str,
    /// One sentence.
    pub message: String,
    /// Who says it: `kubelet`, `deployment-controller`, …
    pub source: &'a str,
}

/// Records an occurrence: a new event, or one more on the event that says the same of the same object.
pub fn record(store: &mut Store, at: Timestamp, occurrence: &Occurrence<'_>) {
    let about = occurrence.about;
    let (name, namespace) = (shape::name(about), shape::namespace(about));
    let home = if namespace.is_empty() { "default" } else { namespace };
    let words = [shape::uid(about), occurrence.reason, &occurrence.message];
    let key = Key::new(row("events"), home, &format!("{name}.{:016x}", Dice::new(0).draw(&words)));
    if let Some(known) = store.get(&key) {
        let mut again = (**known).clone();
        again["count"] = json!(shape::number(&again, "/count").unwrap_or(1) + 1);
        again["lastTimestamp"] = stamp(at);
        store.put(key, again);
        return;
    }
    let tone = match occurrence.tone {
        Tone::Normal => "Normal",
        Tone::Warning => "Warning",
    };
    let host = host(occurrence).unwrap_or_default();
    let mut fresh = json!({
        "apiVersion": "v1", "kind": "Event",
        "metadata": {
            "name": key.name, "namespace": home, "creationTimestamp": stamp(at),
            "uid": Dice::new(1).uid(&words),
        },
        "involvedObject": {
            "apiVersion": about["apiVersion"], "kind": about["kind"], "name": name, "namespace": namespace,
            "uid": shape::uid(about), "resourceVersion": about["metadata"]["resourceVersion"],
        },
        "reason": occurrence.reason, "message": occurrence.message, "type": tone, "count": 1,
        "firstTimestamp": stamp(at), "lastTimestamp": stamp(at), "eventTime": null,
        "source": {"component": occurrence.source}, "reportingComponent": occurrence.source, "reportingInstance": host,
    });
    if !host.is_empty() {
        fresh["source"]["host"] = json!(host);
    }
    store.put(key, fresh);
}

/// The node of a kubelet that says something: the one that the pod is on, or the node itself.
fn host<'a>(occurrence: &Occurrence<'a>) -> Option<&'a str> {
    let about = occurrence.about;
    let here = if about["kind"] == "Node" { Some(shape::name(about)) } else { shape::text(about, "/spec/nodeName") };
    here.filter(|_| occurrence.source == "kubelet")
}
