//! What the checks before a step say of objects as a server would send them.

use k8s_openapi::serde::de::DeserializeOwned;
use serde_json::json;

use super::super::map;
use super::*;

fn object<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

fn before() -> Value {
    json!({
        "metadata": { "name": "my-api", "namespace": "payments", "generation": 41, "uid": "u" },
        "spec": {
            "replicas": 6, "selector": { "matchLabels": { "app": "my-api" } },
            "template": {
                "metadata": { "labels": { "app": "my-api", "tier": "web" } },
                "spec": { "containers": [{ "name": "app", "image": "i", "resources": {
                    "limits": { "memory": "512Mi" }, "requests": { "cpu": "250m" },
                } }] },
            },
        },
        "status": { "observedGeneration": 41, "replicas": 6, "updatedReplicas": 6, "availableReplicas": 6 },
    })
}

fn with_subject<T>(action: &Action, before: &Value, then: impl FnOnce(&Subject<'_>) -> T) -> T {
    let workload = map::deployment(&object(before.clone()));
    then(&Subject { action, purpose: Purpose::Remedy, workload: &workload, before, put_back: None })
}

fn raise(mebibytes: u64) -> Action {
    Action::SetResources { container: "app".into(), memory_limit: mebibytes << 20, was: Some(512 << 20) }
}

#[test]
fn percentages_round_as_the_controller_rounds() {
    for (replicas, unavailable, surge, expected) in [
        (6, "25%", "25%", (1, 2)),
        (1, "25%", "25%", (0, 1)),
        (3, "25%", "0", (1, 0)),
        (10, "2", "3", (2, 3)),
        (2, "100%", "0", (2, 0)),
        (0, "25%", "0", (0, 0)),
        (6, "25%", "18446744073709551615%", (1, u32::MAX)),
    ] {
        let mut workload = map::deployment(&object(before()));
        workload.replicas = replicas;
        unavailable.clone_into(&mut workload.max_unavailable);
        surge.clone_into(&mut workload.max_surge);
        assert_eq!(workload.in_motion(), expected, "{replicas} {unavailable} {surge}");
    }
}

#[test]
fn the_target_tells_what_stands_in_the_way() {
    let states = |action: &Action, object: &Value| {
        with_subject(action, object, |subject| {
            of_target((action, None), subject.workload, object)
                .into_iter()
                .map(|c| (c.name, c.state))
                .collect::<Vec<_>>()
        })
    };
    let ok = |name: &str| (name.to_owned(), CheckState::Ok);
    assert_eq!(states(&Action::RolloutRestart, &before()), [ok("target exists"), ok("ownership"), ok("rollout")]);
    let mut paused = before();
    paused["spec"]["paused"] = json!(true);
    assert_eq!(states(&Action::RolloutRestart, &paused)[2].1, CheckState::Failed);
    assert_eq!(states(&Action::Scale { replicas: 8, was: 6 }, &paused)[2].1, CheckState::Ok);
    let mut rolling = before();
    rolling["status"]["updatedReplicas"] = json!(2);
    assert_eq!(states(&Action::RolloutRestart, &rolling)[2].1, CheckState::Warning);
    let mut argo = before();
    argo["metadata"]["labels"] = json!({ "argocd.argoproj.io/instance": "cart" });
    assert_eq!(states(&Action::RolloutRestart, &argo)[1].1, CheckState::Warning);
    let other = Action::SetResources { container: "sidecar".into(), memory_limit: 1, was: None };
    assert_eq!(states(&other, &before())[0].1, CheckState::Failed);
    let mut asks = before();
    asks["spec"]["template"]["spec"]["containers"][0]["resources"]["requests"]["memory"] = json!("512Mi");
    let low = Action::SetResources { container: "app".into(), memory_limit: 256 << 20, was: None };
    assert_eq!(states(&low, &asks)[3], ("request fits limit".to_owned(), CheckState::Failed));
}

#[test]
fn a_budget_counts_only_where_it_covers_the_pods() {
    let of = |selector: Value, allowed: i32| {
        let budgets = [object(json!({
            "metadata": { "name": "pdb" }, "spec": { "selector": selector },
            "status": { "disruptionsAllowed": allowed, "currentHealthy": 1, "desiredHealthy": 1, "expectedPods": 1 },
        }))];
        with_subject(&Action::RolloutRestart, &before(), |subject| budget(subject, &budgets))
    };
    assert_eq!(of(json!({ "matchLabels": { "app": "other" } }), 0).text, "none covers these pods");
    assert_eq!(of(json!({ "matchLabels": { "app": "my-api" } }), 1).text, "pdb allows 1");
    assert_eq!(of(json!({ "matchLabels": { "app": "my-api" } }), 0).state, CheckState::Warning);
    let expression = |operator: &str, values: Value| {
        of(json!({ "matchExpressions": [{ "key": "tier", "operator": operator, "values": values }] }), 2).text
    };
    assert_eq!(expression("In", json!(["web", "api"])), "pdb allows 2");
    assert_eq!(expression("NotIn", json!(["web"])), "none covers these pods");
    assert_eq!(expression("Exists", json!([])), "pdb allows 2");
    assert_eq!(expression("DoesNotExist", json!([])), "none covers these pods");
    assert_eq!(of(json!({}), 3).text, "pdb allows 3");
}

#[test]
fn a_budget_is_held_against_what_the_rollout_takes() {
    let mut half = before();
    half["spec"]["strategy"] = json!({ "rollingUpdate": { "maxUnavailable": "50%" } });
    let of = |action: &Action, allowed: i32| {
        let budgets = [object(json!({
            "metadata": { "name": "pdb" }, "spec": { "selector": {} },
            "status": { "disruptionsAllowed": allowed, "currentHealthy": 1, "desiredHealthy": 1, "expectedPods": 1 },
        }))];
        let check = with_subject(action, &half, |subject| budget(subject, &budgets));
        (check.state, check.text)
    };
    let text = "pdb allows 1, the rollout takes 3 and does not ask it".to_owned();
    assert_eq!(of(&Action::RolloutRestart, 1), (CheckState::Warning, text));
    assert_eq!(of(&Action::RolloutRestart, 3), (CheckState::Ok, "pdb allows 3".to_owned()));
    assert_eq!(of(&Action::Scale { replicas: 9, was: 6 }, 1), (CheckState::Ok, "pdb allows 1".to_owned()));
}

#[test]
fn an_autoscaler_matters_to_a_change_of_scale() {
    let scalers = [object(json!({
        "metadata": { "name": "hpa" },
        "spec": { "maxReplicas": 10, "minReplicas": 4, "scaleTargetRef": { "kind": "Deployment", "name": "my-api" } },
    }))];
    let of = |action: &Action| with_subject(action, &before(), |subject| autoscaler(subject, &scalers).state);
    assert_eq!(of(&Action::RolloutRestart), CheckState::Ok);
    assert_eq!(of(&Action::Scale { replicas: 8, was: 6 }), CheckState::Failed, "it would be undone within seconds");
}

#[test]
fn a_step_that_was_planned_on_something_else_may_not_run() {
    let told = |action: &Action, object: &Value| {
        let checks = with_subject(action, object, |subject| of_target((action, None), subject.workload, object));
        checks.into_iter().filter(|check| check.state == CheckState::Failed).map(|check| check.text).collect::<Vec<_>>()
    };
    let mut scaled = before();
    scaled["spec"]["replicas"] = json!(12);
    let up = Action::Scale { replicas: 9, was: 6 };
    assert_eq!(told(&up, &before()), [""; 0]);
    let again = "read the evidence again with r";
    assert_eq!(told(&up, &scaled), [format!("6 replicas when planned, 12 replicas now: {again}")]);
    let mut raised = before();
    raised["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]["memory"] = json!("2Gi");
    assert_eq!(told(&raise(768), &before()), [""; 0]);
    assert_eq!(told(&raise(768), &raised), [format!("512Mi limit when planned, 2Gi limit now: {again}")]);
    assert_eq!(told(&Action::RolloutRestart, &raised), [""; 0]);
}

fn texts(action: &Action, object: &Value, name: &str) -> Vec<(CheckState, String)> {
    let checks = with_subject(action, object, |subject| of_target((action, None), subject.workload, object));
    checks.into_iter().filter(|check| check.name == name).map(|check| (check.state, check.text)).collect()
}

#[test]
fn a_rollout_that_leaves_no_pod_says_so_and_one_of_no_pods_may_not_run() {
    let of = |change: fn(&mut Value)| {
        let mut object = before();
        change(&mut object);
        texts(&Action::RolloutRestart, &object, AVAILABILITY)
    };
    let away = |how: &str| {
        let text = format!("every pod is down at once ({how}): the service is away until new ones are ready");
        vec![(CheckState::Warning, text)]
    };
    assert_eq!(of(|_| ()), []);
    assert_eq!(of(|o| o["spec"]["strategy"] = json!({ "type": "Recreate" })), away("Recreate"));
    let all = of(|o| o["spec"]["strategy"] = json!({ "rollingUpdate": { "maxUnavailable": "100%", "maxSurge": 1 } }));
    assert_eq!(all, away("6 pods, maxUnavailable 100%, maxSurge 1"));
    assert_eq!(of(|o| o["spec"]["replicas"] = json!(1)), [], "one more comes first");
    let one = of(|o| {
        o["spec"]["replicas"] = json!(1);
        o["spec"]["strategy"] = json!({ "rollingUpdate": { "maxSurge": 0 } });
    });
    assert_eq!(one, away("1 pod, maxUnavailable 25%, maxSurge 0"));
    let none = of(|o| o["spec"]["replicas"] = json!(0));
    assert_eq!(none, [(CheckState::Failed, "it is scaled to 0 replicas: there is no pod to replace".to_owned())]);
    let mut asleep = before();
    asleep["spec"]["replicas"] = json!(0);
    assert_eq!(texts(&Action::Scale { replicas: 3, was: 0 }, &asleep, AVAILABILITY), []);
}

#[test]
fn who_else_keeps_the_object_is_told_by_its_owner_and_by_who_set_the_field_last() {
    let ok = || vec![(CheckState::Ok, "no manager is known".to_owned())];
    let warns = |text: &str| vec![(CheckState::Warning, text.to_owned())];
    let up = Action::Scale { replicas: 9, was: 6 };
    let undo = Action::RolloutUndo { to_revision: 40 };
    let mut owned = before();
    owned["metadata"]["ownerReferences"] = json!([{ "apiVersion": "example.com/v1", "kind": "PaymentsApp", "name": "pay", "uid": "p", "controller": true }]);
    let text = "PaymentsApp/pay owns it: its controller will put this back; change that object";
    assert_eq!(texts(&Action::RolloutRestart, &owned, "ownership"), warns(text));
    let resources = json!({ "f:template": { "f:spec": { "f:containers": {
        "k:{\"name\":\"app\"}": { "f:resources": { "f:limits": { "f:memory": {} } } },
    } } } });
    let mut set = before();
    set["metadata"]["managedFields"] = json!([
        { "manager": "kustomize-controller", "time": "2026-05-01T08:00:00Z", "fieldsV1": { "f:spec": resources } },
        { "manager": "kubectl-set", "time": "2026-05-01T09:00:00Z", "fieldsV1": { "f:spec": resources } },
        { "manager": "kube-controller-manager", "time": "2026-05-01T09:00:00Z", "fieldsV1": { "f:spec": { "f:replicas": {} } } },
    ]);
    let text = "kustomize-controller set this field last and may put it back";
    assert_eq!(texts(&raise(768), &set, "ownership"), warns(text));
    assert_eq!(texts(&undo, &set, "ownership"), warns(text));
    for action in [up, Action::RolloutRestart] {
        assert_eq!(texts(&action, &set, "ownership"), ok(), "{action:?}");
    }
}

/// The object is rehearsed as it is now, and a colleague may have changed it since the evidence was read.
#[test]
fn a_step_that_was_planned_on_another_revision_may_not_run() {
    let mut evidence = before();
    evidence["metadata"]["annotations"] = json!({ map::REVISION: "42" });
    let mut fixed = before();
    fixed["metadata"]["annotations"] = json!({ map::REVISION: "43" });
    let planned_on = |action: &Action| PlannedOn::of(action, &map::deployment(&object(evidence.clone())));
    let told = |action: &Action, object: &Value| {
        let on = planned_on(action);
        let checks = with_subject(action, object, |subject| of_target((action, Some(&on)), subject.workload, object));
        checks.into_iter().find(|check| check.name == AS_PLANNED).map(|check| (check.state, check.text))
    };
    let text = "revision 42 in the evidence, 43 now: read the evidence again with r".to_owned();
    for action in [Action::RolloutRestart, Action::RolloutUndo { to_revision: 41 }, raise(768)] {
        assert_eq!(told(&action, &evidence), None, "{action:?}");
        assert_eq!(told(&action, &fixed), Some((CheckState::Failed, text.clone())), "{action:?}");
    }
    assert_eq!(told(&Action::Scale { replicas: 9, was: 6 }, &fixed), None, "it is about the replicas");
}

#[test]
fn a_quota_is_compared_with_all_that_is_added() {
    let of = |action: &Action, used: &str| {
        let quotas = [object(json!({
            "metadata": { "name": "team" },
            "status": { "hard": { "limits.memory": "8Gi" }, "used": { "limits.memory": used } },
        }))];
        with_subject(action, &before(), |subject| headroom::in_quota(&Need::of(subject, &[]), &quotas))
    };
    // 512Mi to 768Mi: 6 x 256Mi more, and 2 extra pods of 768Mi while it rolls.
    assert_eq!(of(&raise(768), "3Gi").text, "team leaves 5120Mi of limits.memory, up to 3072Mi needed");
    assert_eq!(of(&raise(768), "3Gi").state, CheckState::Ok);
    assert_eq!(of(&raise(768), "6Gi").state, CheckState::Warning);
    assert_eq!(of(&raise(768), "7Gi").state, CheckState::Failed);
    assert_eq!(of(&Action::RolloutRestart, "7Gi").text, "team leaves 1024Mi of limits.memory, up to 1024Mi needed");
    let none = with_subject(&raise(768), &before(), |subject| headroom::in_quota(&Need::of(subject, &[]), &[]));
    assert_eq!(none.state, CheckState::Ok);
}

#[test]
fn a_quota_counts_what_is_asked_for_of_every_resource_it_bounds() {
    let of = |action: &Action, hard: Value, used: Value| {
        let quota = json!({ "metadata": { "name": "team" }, "status": { "hard": hard, "used": used } });
        let check = with_subject(action, &before(), |s| headroom::in_quota(&Need::of(s, &[]), &[object(quota)]));
        (check.state, check.text)
    };
    let needed = |left: &str, needed: &str| format!("team leaves {left}, up to {needed} needed");
    // The memory request is not written, so it grows with the limit.
    let memory = of(&raise(768), json!({ "requests.memory": "4Gi" }), json!({ "requests.memory": "3Gi" }));
    assert_eq!(memory, (CheckState::Failed, needed("1024Mi of requests.memory", "3072Mi")));
    let more = Action::Scale { replicas: 9, was: 6 };
    let cpu = of(&more, json!({ "requests.cpu": "2", "limits.memory": "9Gi" }), json!({ "requests.cpu": "1500m" }));
    assert_eq!(cpu, (CheckState::Failed, needed("500m of requests.cpu", "750m")));
    let pods = of(&more, json!({ "pods": "8" }), json!({ "pods": "6" }));
    assert_eq!(pods, (CheckState::Failed, needed("2 of pods", "3")));
    let surge = of(&Action::RolloutRestart, json!({ "pods": "7" }), json!({ "pods": "6" }));
    assert_eq!(surge, (CheckState::Warning, needed("1 of pods", "2")));
    let services = of(&more, json!({ "services": "1" }), json!({ "services": "1" }));
    assert_eq!(services.0, CheckState::Ok);
}

#[test]
fn a_quota_with_scopes_is_held_against_the_pods_that_it_counts() {
    let of = |action: &Action, template: Value, spec: Value, used: &str| {
        let mut object_before = before();
        object_before["spec"]["template"]["spec"] = template;
        let quota = json!({
            "metadata": { "name": "team" }, "spec": spec, "status": { "hard": { "pods": "8" }, "used": { "pods": used } },
        });
        let check = with_subject(action, &object_before, |s| headroom::in_quota(&Need::of(s, &[]), &[object(quota)]));
        (check.state, check.text)
    };
    let up = Action::Scale { replicas: 9, was: 6 };
    let sized = |class: &str| {
        let resources = json!({ "limits": { "memory": "512Mi" } });
        json!({ "priorityClassName": class, "containers": [{ "name": "app", "resources": resources }] })
    };
    let bare = || json!({ "containers": [{ "name": "app" }] });
    let scope = |name: &str| json!({ "scopes": [name] });
    let failed = |scope: &str| (CheckState::Failed, format!("team (of {scope}) leaves 2 of pods, up to 3 needed"));
    let apart = || (CheckState::Ok, "none counts the memory, CPU or number of these pods".to_owned());
    for (name, template, counted) in [
        ("BestEffort", bare(), true),
        ("BestEffort", sized("high"), false),
        ("NotBestEffort", sized("high"), true),
        ("NotBestEffort", bare(), false),
        ("Terminating", bare(), false),
        ("NotTerminating", bare(), true),
        ("PriorityClass", sized("high"), true),
        ("CrossNamespacePodAffinity", bare(), false),
    ] {
        let expected = if counted { failed(name) } else { apart() };
        assert_eq!(of(&up, template, scope(name), "6"), expected, "{name}");
    }
    let class = |operator: &str, values: Value| {
        let one = json!({ "scopeName": "PriorityClass", "operator": operator, "values": values });
        of(&up, sized("high"), json!({ "scopeSelector": { "matchExpressions": [one] } }), "6")
    };
    assert_eq!(class("In", json!(["high", "top"])), failed("PriorityClass In high|top"));
    assert_eq!(class("In", json!(["low"])), apart());
    assert_eq!(class("NotIn", json!(["low"])), failed("PriorityClass NotIn low"));
    assert_eq!(class("DoesNotExist", json!([])), apart());
    // Both have to take the pod.
    assert_eq!(of(&up, bare(), json!({ "scopes": ["NotTerminating", "NotBestEffort"] }), "6"), apart());
    // Which class a pod gets that names none, and what a scope of later days means, was not asked.
    assert_eq!(of(&up, bare(), scope("PriorityClass"), "6").0, CheckState::Warning);
    assert_eq!(of(&up, bare(), scope("Unheard"), "6").0, CheckState::Warning);
    // A limit makes the pods of a template without any ones that are not best effort: all of them come under that quota.
    let limited = Action::SetResources { container: "app".into(), memory_limit: 512 << 20, was: None };
    let entered = of(&limited, bare(), scope("NotBestEffort"), "3");
    assert_eq!(entered, (CheckState::Failed, "team (of NotBestEffort) leaves 5 of pods, up to 6 needed".to_owned()));
    assert_eq!(of(&limited, bare(), scope("BestEffort"), "8"), apart(), "they leave it");
}

#[test]
fn what_a_limit_range_gives_a_pod_counts_for_the_quota() {
    let range = object::<LimitRange>(json!({ "metadata": { "name": "sizes" }, "spec": { "limits": [
        { "type": "Container", "default": { "memory": "1Gi" }, "defaultRequest": { "memory": "512Mi", "cpu": "100m" } },
    ] } }));
    let mut bare = before();
    bare["spec"]["template"]["spec"] = json!({ "containers": [{ "name": "app" }] });
    let up = Action::Scale { replicas: 9, was: 6 };
    let of = |hard: Value, scopes: Value| {
        let quota = json!({ "metadata": { "name": "team" }, "spec": { "scopes": scopes }, "status": { "hard": hard } });
        let need = |s: &Subject<'_>| Need::of(s, std::slice::from_ref(&range));
        let check = with_subject(&up, &bare, |s| headroom::in_quota(&need(s), &[object(quota)]));
        (check.state, check.text)
    };
    let limits = of(json!({ "limits.memory": "2Gi" }), json!([]));
    assert_eq!(limits, (CheckState::Failed, "team leaves 2048Mi of limits.memory, up to 3072Mi needed".to_owned()));
    assert_eq!(of(json!({ "requests.memory": "2Gi" }), json!([])).0, CheckState::Ok);
    assert_eq!(of(json!({ "requests.cpu": "200m" }), json!([])).0, CheckState::Failed);
    assert_eq!(of(json!({ "pods": "0" }), json!(["BestEffort"])).0, CheckState::Ok, "they are none any more");
}

#[test]
fn a_limit_range_that_would_refuse_the_pods_is_told_before_they_are_made() {
    let ranges = |item: Value| -> [LimitRange; 1] {
        [object(json!({ "metadata": { "name": "sizes" }, "spec": { "limits": [item] } }))]
    };
    let of = |action: &Action, item: Value| {
        let check = with_subject(action, &before(), |subject| range::in_ranges(subject, &ranges(item)));
        (check.state, check.text)
    };
    let failed = |why: &str| (CheckState::Failed, format!("sizes would refuse every new pod: {why}"));
    let most = || json!({ "type": "Container", "max": { "memory": "1Gi" } });
    assert_eq!(of(&raise(768), most()), (CheckState::Ok, "sizes takes pods of this size".to_owned()));
    assert_eq!(of(&raise(1152), most()), failed("app has a memory limit of 1152Mi, the most is 1024Mi"));
    let least = json!({ "type": "Container", "min": { "cpu": "500m" } });
    assert_eq!(of(&Action::RolloutRestart, least), failed("app has a cpu request of 250m, the least is 500m"));
    let pod = json!({ "type": "Pod", "max": { "memory": "700Mi" } });
    assert_eq!(of(&raise(768), pod), failed("its pods are limited to 768Mi of memory, the most is 700Mi"));
    let mut asks = before();
    asks["spec"]["template"]["spec"]["containers"][0]["resources"]["requests"]["memory"] = json!("256Mi");
    let apart = json!({ "type": "Container", "maxLimitRequestRatio": { "memory": "2" } });
    let check = with_subject(&raise(768), &asks, |subject| range::in_ranges(subject, &ranges(apart)));
    let why = "app asks for 256Mi of memory and is limited to 768Mi: too far apart";
    assert_eq!((check.state, check.text), failed(why));
    let claims = json!({ "type": "PersistentVolumeClaim", "max": { "storage": "1Gi" } });
    assert_eq!(of(&raise(1152), claims).1, "none on pods in this namespace");
    // A rollback is measured by the template that it puts back.
    let template =
        json!({ "spec": { "containers": [{ "name": "app", "resources": { "limits": { "memory": "2Gi" } } }] } });
    let (action, object_before) = (Action::RolloutUndo { to_revision: 40 }, before());
    let back = with_subject(&action, &object_before, |subject| {
        range::in_ranges(&Subject { put_back: Some(&template), ..*subject }, &ranges(most()))
    });
    assert_eq!((back.state, back.text), failed("app has a memory limit of 2048Mi, the most is 1024Mi"));
}

#[test]
fn nodes_are_counted_by_requests_and_only_if_they_take_pods() {
    let node = |name: &str, memory: &str, cordoned: bool, ready: &str| {
        object::<Node>(json!({
            "metadata": { "name": name }, "spec": { "unschedulable": cordoned },
            "status": { "allocatable": { "memory": memory, "cpu": "4" }, "conditions": [{ "type": "Ready", "status": ready }] },
        }))
    };
    let pod = |node: &str, phase: &str| {
        object::<Pod>(json!({
            "metadata": {}, "status": { "phase": phase },
            "spec": { "nodeName": node, "containers": [{ "name": "c", "resources": { "requests": { "memory": "1Gi" } } }] },
        }))
    };
    let of = |action: &Action, nodes: &[Node], pods: &[Pod]| {
        with_subject(action, &before(), |subject| headroom::on_nodes(&Need::of(subject, &[]), nodes, pods))
    };
    let nodes = [node("a", "2Gi", false, "True"), node("b", "8Gi", true, "True"), node("c", "8Gi", false, "Unknown")];
    // 2Gi less 1Gi leaves room for two pods of 512Mi; the ended pod takes none.
    let pods = [pod("a", "Running"), pod("a", "Succeeded")];
    let room = of(&Action::RolloutRestart, &nodes, &pods);
    assert_eq!(room.text, "room for 2 more on 1 node (512Mi and 250m CPU a pod; affinity and volumes not counted)");
    assert_eq!(room.state, CheckState::Ok);
    assert_eq!(of(&raise(1024), &nodes, &pods).state, CheckState::Warning, "one of two extra pods fits");
    assert_eq!(of(&Action::Scale { replicas: 20, was: 6 }, &nodes, &pods).state, CheckState::Warning);
    // The extra pod finds room; the growth of the pods that stay, four more of its size, does not.
    let mut ten = before();
    ten["spec"]["replicas"] = json!(10);
    ten["spec"]["strategy"] = json!({ "rollingUpdate": { "maxSurge": 1, "maxUnavailable": 0 } });
    ten["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]["memory"] = json!("2Gi");
    let grown =
        |nodes: &[Node]| with_subject(&raise(3072), &ten, |s| headroom::on_nodes(&Need::of(s, &[]), nodes, &[]));
    let short = grown(&[node("a", "4Gi", false, "True")]);
    assert_eq!(
        (short.state, short.text.split(" on ").next()),
        (CheckState::Warning, Some("room for 1 of 5 more pods of its size"))
    );
    assert_eq!(grown(&[node("a", "16Gi", false, "True")]).state, CheckState::Ok);
}

#[test]
fn a_sidecar_is_counted_beside_the_containers_it_runs_with() {
    let one = |name: &str, memory: &str| json!({ "name": name, "resources": { "limits": { "memory": memory } } });
    let sidecar = |name: &str, memory: &str| {
        let mut sidecar = one(name, memory);
        sidecar["restartPolicy"] = json!("Always");
        sidecar
    };
    let app = || vec![one("app", "500Mi")];
    for (init, overhead, expected) in [
        (vec![], json!(null), 500),
        (vec![one("migrate", "256Mi")], json!(null), 500),
        (vec![one("migrate", "900Mi")], json!(null), 900),
        (vec![sidecar("proxy", "256Mi")], json!(null), 756),
        (vec![sidecar("proxy", "256Mi"), one("migrate", "600Mi")], json!(null), 856),
        (vec![one("migrate", "700Mi"), sidecar("proxy", "256Mi")], json!(null), 756),
        (vec![sidecar("proxy", "256Mi")], json!({ "memory": "100Mi" }), 856),
    ] {
        let pod = object(json!({ "containers": app(), "initContainers": init, "overhead": overhead }));
        assert_eq!(headroom::taken(&pod, "memory", headroom::limit), expected << 20, "{init:?} {overhead}");
    }
    let whole = object(json!({ "containers": app(), "resources": { "limits": { "memory": "2Gi" } } }));
    assert_eq!(headroom::taken(&whole, "memory", headroom::limit), 2 << 30);
    let huge = object(json!({ "containers": [one("a", "15Ei"), one("b", "15Ei")] }));
    assert_eq!(headroom::taken(&huge, "memory", headroom::limit), u64::MAX);
}

#[test]
fn a_node_that_is_full_of_pods_tainted_or_labelled_otherwise_has_no_room() {
    let node = |places: &str, taints: Value| {
        object::<Node>(json!({
            "metadata": { "name": "a", "labels": { "disk": "ssd" } }, "spec": { "taints": taints },
            "status": { "allocatable": { "memory": "64Gi", "cpu": "16", "pods": places },
                        "conditions": [{ "type": "Ready", "status": "True" }] },
        }))
    };
    let pod = || {
        object::<Pod>(
            json!({ "metadata": {}, "status": { "phase": "Running" }, "spec": { "nodeName": "a", "containers": [] } }),
        )
    };
    let gpu = || json!([{ "key": "dedicated", "value": "gpu", "effect": "NoSchedule" }]);
    let tolerant = |toleration: Value| {
        let mut tolerant = before();
        tolerant["spec"]["template"]["spec"]["tolerations"] = json!([toleration]);
        tolerant
    };
    let equal = tolerant(json!({ "key": "dedicated", "operator": "Equal", "value": "gpu", "effect": "NoSchedule" }));
    let other = tolerant(json!({ "key": "dedicated", "operator": "Equal", "value": "batch" }));
    let all = tolerant(json!({ "operator": "Exists" }));
    let on = |disk: &str| {
        let mut choosy = before();
        choosy["spec"]["template"]["spec"]["nodeSelector"] = json!({ "disk": disk });
        choosy
    };
    for (object, node, room) in [
        (before(), node("110", json!([])), true),
        (before(), node("1", json!([])), false),
        (before(), node("110", gpu()), false),
        (before(), node("110", json!([{ "key": "x", "effect": "PreferNoSchedule" }])), true),
        (equal, node("110", gpu()), true),
        (other, node("110", gpu()), false),
        (all, node("110", gpu()), true),
        (on("ssd"), node("110", json!([])), true),
        (on("hdd"), node("110", json!([])), false),
    ] {
        let pods = [pod()];
        let check = with_subject(&Action::RolloutRestart, &object, |subject| {
            headroom::on_nodes(&Need::of(subject, &[]), std::slice::from_ref(&node), &pods)
        });
        assert_eq!(check.state == CheckState::Ok, room, "{}", check.text);
    }
}
