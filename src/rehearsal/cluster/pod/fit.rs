//! Whether a pod fits on a node, asked as the scheduler asks it: is the node open, are its taints tolerated, is it the kind
//! of node that is wanted, has it room.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Value, json};

use super::super::kind::row;
use super::super::selector::label_selector_matches;
use super::super::store::Store;
use super::super::taint::{self, CORDON};
use super::super::{quantity, shape};

/// Whether it may help to take other pods away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Preemption {
    /// There is none that is worth less than the new pod.
    NoVictims,
    /// The node would not do even if it were empty.
    NotHelpful,
}

/// What a pod asks of a node, beside what the pods on every node have asked for of the same.
pub(in super::super) struct Usage<'a> {
    pod: &'a Value,
    /// Resources with their amounts in thousandths; memory is always the first.
    wanted: Vec<(String, f64)>,
    /// How many pods a node has, and what they ask for, in the order of `wanted`.
    used: BTreeMap<String, (f64, Vec<f64>)>,
}

impl<'a> Usage<'a> {
    /// Adds up the pods of a cluster for a new one.
    pub(in super::super) fn of(store: &Store, pod: &'a Value) -> Self {
        let mut names: BTreeSet<&str> = BTreeSet::new();
        for container in shape::containers(&pod["spec"]) {
            for side in ["requests", "limits"] {
                let amounts = container.pointer(&format!("/resources/{side}")).and_then(Value::as_object);
                names.extend(amounts.into_iter().flat_map(|all| all.keys().map(String::as_str)));
            }
        }
        names.remove("memory");
        let names: Vec<&str> = std::iter::once("memory").chain(names).collect();
        let mut used = BTreeMap::<String, (f64, Vec<f64>)>::new();
        for (_, other) in store.list(row("pods"), None) {
            let Some(node) = shape::text(other, "/spec/nodeName").filter(|_| !is_over(other)) else { continue };
            if !used.contains_key(node) {
                used.insert(node.to_owned(), (0.0, vec![0.0; names.len()]));
            }
            if let Some((count, amounts)) = used.get_mut(node) {
                *count += 1.0;
                amounts.iter_mut().zip(&names).for_each(|(amount, name)| *amount += requested(other, name));
            }
        }
        let wanted = names.into_iter().map(|name| (name.to_owned(), requested(pod, name))).collect();
        Self { pod, wanted, used }
    }

    /// The node that takes it with the most memory left, or why none does.
    pub(in super::super) fn roomiest(&self, store: &Store) -> Result<String, String> {
        let nodes: Vec<&Arc<Value>> = store.list(row("nodes"), None).map(|entry| entry.1).collect();
        if nodes.is_empty() {
            return Err("no nodes available to schedule pods".to_owned());
        }
        let mut reasons = BTreeMap::<String, usize>::new();
        let (mut victims, mut helpless, mut fitting) = (0, 0, Vec::new());
        for node in &nodes {
            let refused = self.refusals(node);
            match refused.iter().map(|one| one.1).max_by_key(|one| *one == Preemption::NotHelpful) {
                None => fitting.push(node),
                Some(Preemption::NoVictims) => victims += 1,
                Some(Preemption::NotHelpful) => helpless += 1,
            }
            for (why, _) in refused {
                *reasons.entry(why).or_default() += 1;
            }
        }
        let left = |node: &Value| self.left(node, 0) as i64;
        match fitting.into_iter().max_by_key(|node| left(node)) {
            Some(node) => Ok(shape::name(node).to_owned()),
            None => Err(refusal(nodes.len(), reasons, (victims, helpless))),
        }
    }

    /// Why a node does not take it: the first of the scheduler's questions that it fails, or all it lacks.
    fn refusals(&self, node: &Value) -> Vec<(String, Preemption)> {
        let unhelped = |why: &str| vec![(why.to_owned(), Preemption::NotHelpful)];
        let is_cordoned = node.pointer("/spec/unschedulable") == Some(&Value::Bool(true));
        if is_cordoned && !taint::tolerates(self.pod, &json!({"key": CORDON, "effect": "NoSchedule"})) {
            return unhelped("node(s) were unschedulable");
        }
        if taint::of(node).iter().any(|taint| taint::shuts_out(taint) && !taint::tolerates(self.pod, taint)) {
            return unhelped("node(s) had untolerated taint(s)");
        }
        if !is_wanted(self.pod, node) {
            return unhelped("node(s) didn't match Pod's node affinity/selector");
        }
        let mut lacks = Vec::new();
        let most = allocatable(node, "pods") / 1e3;
        if self.used.get(shape::name(node)).map_or(0.0, |used| used.0) + 1.0 > most {
            lacks.push(("Too many pods".to_owned(), Preemption::NoVictims));
        }
        for (index, (name, amount)) in self.wanted.iter().enumerate() {
            if *amount > 0.0 && *amount > self.left(node, index) {
                let is_hopeless = *amount > allocatable(node, name);
                let helps = if is_hopeless { Preemption::NotHelpful } else { Preemption::NoVictims };
                lacks.push((format!("Insufficient {name}"), helps));
            }
        }
        lacks
    }

    /// What a node has left of a resource, in thousandths.
    fn left(&self, node: &Value, index: usize) -> f64 {
        let used = self.used.get(shape::name(node)).map_or(0.0, |used| used.1[index]);
        allocatable(node, &self.wanted[index].0) - used
    }
}

fn allocatable(node: &Value, resource: &str) -> f64 {
    node["status"]["allocatable"][resource].as_str().and_then(quantity::milli).unwrap_or(0.0)
}

/// What a pod asks for of a resource; a limit stands for the request it does not name.
fn requested(pod: &Value, resource: &str) -> f64 {
    let amount = |container: &Value| {
        let of = |side: &str| container["resources"][side][resource].as_str().and_then(quantity::milli);
        of("requests").or_else(|| of("limits")).unwrap_or(0.0)
    };
    shape::containers(&pod["spec"]).iter().map(amount).sum()
}

fn is_over(pod: &Value) -> bool {
    matches!(shape::text(pod, "/status/phase"), Some("Succeeded" | "Failed"))
}

/// Whether the node selector and the required node affinity of a pod take a node.
fn is_wanted(pod: &Value, node: &Value) -> bool {
    let labels = &node["metadata"]["labels"];
    let terms =
        pod.pointer("/spec/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution/nodeSelectorTerms");
    label_selector_matches(&json!({"matchLabels": pod["spec"]["nodeSelector"]}), labels)
        && terms.and_then(Value::as_array).is_none_or(|any| any.iter().any(|one| label_selector_matches(one, labels)))
}

/// The scheduler's words: how many nodes refuse for each reason, sorted as text, and that preemption is no way out.
fn refusal(nodes: usize, reasons: BTreeMap<String, usize>, (victims, helpless): (usize, usize)) -> String {
    let listed = |mut told: Vec<String>| {
        told.sort();
        format!("0/{nodes} nodes are available: {}.", told.join(", "))
    };
    let preemption = [
        (victims, "No preemption victims found for incoming pod"),
        (helpless, "Preemption is not helpful for scheduling"),
    ];
    let preemption = preemption.iter().filter(|row| row.0 > 0).map(|(count, words)| format!("{count} {words}"));
    format!(
        "{} preemption: {}",
        listed(reasons.into_iter().map(|(why, count)| format!("{count} {why}")).collect()),
        listed(preemption.collect())
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rehearsal::cluster::store::Key;

    /// Two nodes of 4 CPU, 8 GiB and three pods each, with one pod that asks for 6 GiB on the first.
    fn store(change: &[(&str, Value)]) -> Store {
        let mut store = Store::new(0);
        for name in ["a", "b"] {
            let mut node = json!({"metadata": {"name": name, "labels": {"zone": name}},
                "status": {"allocatable": {"cpu": "4", "memory": "8Gi", "pods": "3"}}});
            for (field, value) in change {
                shape::set(&mut node, &["spec", field], value.clone());
            }
            store.put(Key::new(row("nodes"), "", name), node);
        }
        let there = asking(&json!({"memory": "6Gi"}));
        let mut there = json!({"metadata": {"name": "x"}, "spec": there["spec"]});
        there["spec"]["nodeName"] = json!("a");
        store.put(Key::new(row("pods"), "p", "x"), there);
        store
    }

    fn asking(requests: &Value) -> Value {
        json!({"spec": {"containers": [{"name": "app", "resources": {"requests": requests}}]}})
    }

    fn told(store: &Store, pod: &Value) -> String {
        Usage::of(store, pod).roomiest(store).unwrap_or_else(|why| why)
    }

    #[test]
    fn each_want_is_met_or_told_in_the_words_of_the_scheduler() {
        let open = store(&[]);
        let hopeless = "2 Preemption is not helpful for scheduling.";
        for (requests, spec, want) in [
            (json!({"memory": "1Gi"}), json!({}), "b".to_owned()),
            (json!({"memory": "1Gi"}), json!({"nodeSelector": {"zone": "a"}}), "a".to_owned()),
            (
                json!({"memory": "3Gi"}),
                json!({"nodeSelector": {"zone": "a"}}),
                "0/2 nodes are available: 1 Insufficient memory, 1 node(s) didn't match Pod's node affinity/selector. \
                 preemption: 0/2 nodes are available: 1 No preemption victims found for incoming pod, 1 Preemption is \
                 not helpful for scheduling."
                    .to_owned(),
            ),
            (
                json!({"cpu": "100"}),
                json!({}),
                format!("0/2 nodes are available: 2 Insufficient cpu. preemption: 0/2 nodes are available: {hopeless}"),
            ),
            (
                json!({"nvidia.com/gpu": "1"}),
                json!({}),
                format!(
                    "0/2 nodes are available: 2 Insufficient nvidia.com/gpu. preemption: 0/2 nodes are available: \
                     {hopeless}"
                ),
            ),
        ] {
            let mut pod = asking(&requests);
            if let Some(fields) = spec.as_object() {
                fields.iter().for_each(|(name, value)| pod["spec"][name] = value.clone());
            }
            assert_eq!(told(&open, &pod), want, "{requests} {spec}");
        }
    }

    #[test]
    fn a_node_that_is_shut_takes_only_what_tolerates_it() {
        let pod = asking(&json!({}));
        let cordoned = store(&[("unschedulable", json!(true))]);
        assert!(told(&cordoned, &pod).starts_with("0/2 nodes are available: 2 node(s) were unschedulable."));
        let tainted = store(&[("taints", json!([{"key": "for", "value": "batch", "effect": "NoSchedule"}]))]);
        assert!(told(&tainted, &pod).starts_with("0/2 nodes are available: 2 node(s) had untolerated taint(s)."));
        let mut tolerant = pod.clone();
        tolerant["spec"]["tolerations"] = json!([{"key": "for", "operator": "Equal", "value": "batch"}]);
        assert_eq!(told(&tainted, &tolerant), "b");
        assert_eq!(told(&Store::new(0), &pod), "no nodes available to schedule pods");
    }

    #[test]
    fn a_node_takes_no_more_pods_than_it_may() {
        let mut full = store(&[]);
        for index in 0..5 {
            let mut pod = asking(&json!({}));
            pod["spec"]["nodeName"] = json!(if index < 2 { "a" } else { "b" });
            full.put(Key::new(row("pods"), "p", &format!("y{index}")), pod);
        }
        assert!(told(&full, &asking(&json!({}))).starts_with("0/2 nodes are available: 2 Too many pods."));
    }
}
