//! Managers that meet on one object: who holds what, who is refused, what a forgotten field does.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Force, Writer, applied, note_first_apply, note_update};
use crate::rehearsal::cluster::kind::row;

fn writer(manager: &str) -> Writer<'_> {
    Writer { kind: row("deployments"), manager, subresource: None, at: Timestamp::UNIX_EPOCH }
}

fn intent(replicas: Option<i64>, image: &str) -> Value {
    let mut object = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "x", "labels": {"team": "a"}},
        "spec": {"selector": {"matchLabels": {"app": "x"}}, "template": {"spec": {"containers": [
            {"name": "app", "image": image, "ports": [{"containerPort": 80}]}]}}},
    });
    if let Some(replicas) = replicas {
        object["spec"]["replicas"] = json!(replicas);
    }
    object
}

fn made() -> Value {
    let mut object = intent(Some(3), "app:1");
    note_first_apply(&writer("gitops"), &intent(Some(3), "app:1"), &mut object);
    object
}

fn managers(object: &Value) -> Vec<&str> {
    let entries = object["metadata"]["managedFields"].as_array().unwrap();
    entries.iter().map(|entry| entry["manager"].as_str().unwrap()).collect()
}

#[test]
fn one_manager_changes_its_own_fields_freely_and_forgets_them_to_remove_them() {
    let changed = applied(&writer("gitops"), &made(), &intent(Some(5), "app:2"), Force::No).unwrap();
    assert_eq!(changed["spec"]["replicas"], 5);
    assert_eq!(changed["spec"]["template"]["spec"]["containers"][0]["image"], "app:2");
    let mut less = intent(None, "app:2");
    less["metadata"].as_object_mut().unwrap().remove("labels");
    let smaller = applied(&writer("gitops"), &changed, &less, Force::No).unwrap();
    assert!(smaller["spec"].get("replicas").is_none() && smaller["metadata"].get("labels").is_none());
    assert_eq!(managers(&smaller), ["gitops"]);
}

#[test]
fn a_field_of_another_is_a_conflict_until_it_is_forced() {
    let refused = applied(&writer("oncall"), &made(), &json!({"spec": {"replicas": 9}}), Force::No).unwrap_err();
    assert_eq!((refused.code, refused.reason), (409, "Conflict"));
    assert_eq!(refused.message, "Apply failed with 1 conflict: conflict with \"gitops\": .spec.replicas");
    assert_eq!(refused.details["causes"][0]["reason"], "FieldManagerConflict");
    let same = applied(&writer("oncall"), &made(), &json!({"spec": {"replicas": 3}}), Force::No).unwrap();
    assert_eq!(managers(&same), ["oncall", "gitops"], "the same value is shared");
    let taken = applied(&writer("oncall"), &made(), &json!({"spec": {"replicas": 9}}), Force::Yes).unwrap();
    assert_eq!(taken["spec"]["replicas"], 9);
    let back = applied(&writer("gitops"), &taken, &intent(Some(3), "app:1"), Force::No).unwrap_err();
    assert!(back.message.ends_with("conflict with \"oncall\": .spec.replicas"), "{}", back.message);
    let freed = applied(&writer("oncall"), &same, &json!({"spec": {}}), Force::No).unwrap();
    assert_eq!(freed["spec"]["replicas"], 3, "a field that another still holds stays");
}

#[test]
fn items_of_a_list_have_managers_of_their_own() {
    let side = json!({"spec": {"template": {"spec": {"containers": [{"name": "side", "image": "side:1"}]}}}});
    let both = applied(&writer("mesh"), &made(), &side, Force::No).unwrap();
    let names = |object: &Value| {
        let all = object["spec"]["template"]["spec"]["containers"].as_array().unwrap().clone();
        all.iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(&both), ["app", "side"]);
    let alone = applied(&writer("mesh"), &both, &json!({"metadata": {"labels": {"mesh": "on"}}}), Force::No).unwrap();
    assert_eq!(names(&alone), ["app"]);
    assert_eq!(alone["metadata"]["labels"], json!({"team": "a", "mesh": "on"}));
}

#[test]
fn an_update_takes_what_it_changes_and_is_named_in_the_next_conflict() {
    let before = made();
    let mut after = before.clone();
    after["spec"]["replicas"] = json!(7);
    note_update(&writer("kubectl-edit"), Some(&before), &mut after);
    assert_eq!(managers(&after), ["gitops", "kubectl-edit"]);
    let refused = applied(&writer("gitops"), &after, &intent(Some(3), "app:1"), Force::No).unwrap_err();
    assert_eq!(
        refused.message,
        "Apply failed with 1 conflict: conflict with \"kubectl-edit\" using apps/v1: .spec.replicas"
    );
}

#[test]
fn what_was_never_tracked_belongs_to_before_first_apply() {
    let mut live = intent(Some(3), "app:1");
    note_update(&writer("someone"), Some(&live.clone()), &mut live);
    assert!(live["metadata"].get("managedFields").is_none());
    let refused = applied(&writer("gitops"), &live, &intent(Some(4), "app:2"), Force::No).unwrap_err();
    assert_eq!(
        refused.message,
        "Apply failed with 2 conflicts: conflicts with \"before-first-apply\" using apps/v1:\n\
         - .spec.replicas\n- .spec.template.spec.containers[name=\"app\"].image"
    );
    let agreed = applied(&writer("gitops"), &live, &intent(Some(3), "app:1"), Force::No).unwrap();
    assert_eq!(managers(&agreed), ["gitops", "before-first-apply"]);
}
