//! Rehearsed steps against the simulated cluster: with the roles that `pagerdeck rbac` prints and no others, and under a
//! limit range, which no dry run of a workload asks.

use jiff::SignedDuration;
use pagerdeck::adapters::kubernetes::{Intent, rehearse};
use pagerdeck::domain::observation::workload::WorkloadRef;
use pagerdeck::domain::remediation::gate::Purpose;
use pagerdeck::domain::remediation::step::{Action, Check, CheckState, Rehearsal, RehearsalOutcome};
use pagerdeck::rehearsal::clock::Speed;
use pagerdeck::rehearsal::scenario::{Scenario, load};
use pagerdeck::rehearsal::server::{StartOptions, start};
use serde_json::{Value, json};

use super::wire_kubernetes::{connect_to, target};

const RBAC: &str = "rbac.authorization.k8s.io";

/// The roles of the shipped file, each with its rules. Its lists are written in brackets, so that they are JSON.
fn shipped() -> Vec<Value> {
    let text = include_str!("../../assets/rbac/least-privilege.yaml");
    let role = |document: &str| {
        let name = document.lines().find_map(|line| line.trim().strip_prefix("name: ")).unwrap();
        let mut rules: Vec<Value> = Vec::new();
        for line in document.lines().map(|line| line.trim().trim_start_matches("- ")) {
            let Some((key, list)) = line.split_once(": ").filter(|(_, list)| list.starts_with('[')) else { continue };
            if key == "apiGroups" {
                rules.push(json!({}));
            }
            rules.last_mut().unwrap()[key] = serde_json::from_str(list).unwrap();
        }
        assert!(
            rules.iter().all(|rule| rule.as_object().is_some_and(|fields| (3..=4).contains(&fields.len()))),
            "{name}"
        );
        json!({ "apiVersion": format!("{RBAC}/v1"), "kind": "ClusterRole", "metadata": { "name": name }, "rules": rules })
    };
    text.split("\n---\n").map(role).collect()
}

/// The shipped roles bound as the file says: the one on nodes in the cluster at large, the others in the namespace.
fn with_shipped_roles(scenario: &mut Scenario) {
    let subjects = json!([{ "kind": "User", "apiGroup": RBAC, "name": scenario.scope.identity }]);
    for role in shipped() {
        let name = role["metadata"]["name"].as_str().unwrap().to_owned();
        let (kind, metadata) = if name == "pagerdeck-nodes" {
            ("ClusterRoleBinding", json!({ "name": name }))
        } else {
            ("RoleBinding", json!({ "name": name, "namespace": "payments" }))
        };
        let role_ref = json!({ "apiGroup": RBAC, "kind": "ClusterRole", "name": name });
        let version = format!("{RBAC}/v1");
        let binding = json!({
            "apiVersion": version, "kind": kind, "metadata": metadata, "subjects": subjects, "roleRef": role_ref,
        });
        scenario.cluster.objects.extend([role, binding]);
    }
}

/// What is rehearsed without evidence.
pub fn intent<'a>(action: &'a Action, target: &'a WorkloadRef) -> Intent<'a> {
    Intent { action, target, purpose: Purpose::Remedy, planned_on: None }
}

async fn rehearsed(scenario: Scenario, action: &Action) -> Rehearsal {
    let at = scenario.start + SignedDuration::from_secs(30);
    let world = start(scenario, StartOptions { speed: Speed::Max, seed: None }).await.unwrap();
    let client = connect_to(&world.endpoints.kubernetes).await;
    let rehearsal = rehearse(&client, intent(action, &target()), at).await;
    world.stop().await;
    rehearsal
}

#[tokio::test]
async fn the_shipped_roles_are_enough_for_every_check() {
    let mut scenario = load("oom-leak").unwrap();
    with_shipped_roles(&mut scenario);
    let known = start(scenario.clone(), StartOptions { speed: Speed::Max, seed: None }).await.unwrap();
    let client = connect_to(&known.endpoints.kubernetes).await;
    let (user, uid) = (client.whoami().await.unwrap(), client.cluster_uid().await.unwrap());
    assert!(!user.is_empty() && !uid.is_empty(), "{user} {uid}");
    known.stop().await;
    let rehearsal = Box::pin(rehearsed(scenario, &Action::RolloutRestart)).await;
    assert_eq!(rehearsal.outcome, RehearsalOutcome::Rehearsed);
    let unknown: Vec<&Check> = rehearsal.checks.iter().filter(|check| check.state == CheckState::Unknown).collect();
    assert!(rehearsal.checks.len() >= 8 && unknown.is_empty(), "{unknown:#?}");
    assert!(!rehearsal.undo.contains("could not check"), "{}", rehearsal.undo);
}

#[tokio::test]
async fn a_limit_range_is_not_asked_by_the_dry_run_and_is_by_the_check() {
    let mut scenario = load("limit-too-low").unwrap();
    scenario.cluster.objects.push(json!({
        "apiVersion": "v1", "kind": "LimitRange", "metadata": { "name": "sizes", "namespace": "payments" },
        "spec": { "limits": [{ "type": "Container", "max": { "memory": "1Gi" } }] },
    }));
    let raise = |mebibytes: u64| Action::SetResources {
        container: "app".to_owned(),
        memory_limit: mebibytes << 20,
        was: Some(512 << 20),
    };
    for (mebibytes, state) in [(768, CheckState::Ok), (1_152, CheckState::Failed)] {
        let rehearsal = Box::pin(rehearsed(scenario.clone(), &raise(mebibytes))).await;
        assert_eq!(rehearsal.outcome, RehearsalOutcome::Rehearsed, "the server takes the workload itself");
        let check = rehearsal.checks.iter().find(|check| check.name == "limit range").unwrap();
        assert_eq!(check.state, state, "{check:?}");
        assert_eq!(rehearsal.failed_check().is_some(), state == CheckState::Failed);
    }
}

#[tokio::test]
async fn replicas_that_an_autoscaler_sets_are_not_scaled_by_a_step() {
    let scale = Action::Scale { replicas: 8, was: 6 };
    for (name, state) in [("organic-growth", CheckState::Ok), ("autoscaler-at-maximum", CheckState::Failed)] {
        let rehearsal = Box::pin(rehearsed(load(name).unwrap(), &scale)).await;
        let check = rehearsal.checks.iter().find(|check| check.name == "autoscaler").unwrap();
        assert_eq!(check.state, state, "{check:?}");
        assert_eq!(rehearsal.failed_check().is_some(), state == CheckState::Failed);
    }
}
