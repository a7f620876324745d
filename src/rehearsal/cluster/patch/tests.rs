//! Tables for the patch languages: an object, a patch, and what must come of it.

use serde_json::{Value, json};

use super::{PatchError, PatchKind};
use crate::rehearsal::cluster::schema::Shape;

fn patched(kind: PatchKind, object: &Value, patch: &Value) -> Result<Value, PatchError> {
    super::patched(kind, &Shape::Any, object, patch)
}

fn check(kind: PatchKind, cases: &[(Value, Value, Value)]) {
    for (object, patch, want) in cases {
        assert_eq!(patched(kind, object, patch).as_ref(), Ok(want), "{object} with {patch}");
    }
}

/// The table of RFC 7386, appendix A, where the target is an object and the patch is one.
#[test]
fn merge_patches() {
    check(
        PatchKind::Merge,
        &[
            (json!({"a":"b"}), json!({"a":"c"}), json!({"a":"c"})),
            (json!({"a":"b"}), json!({"b":"c"}), json!({"a":"b","b":"c"})),
            (json!({"a":"b"}), json!({"a":null}), json!({})),
            (json!({"a":"b","b":"c"}), json!({"a":null}), json!({"b":"c"})),
            (json!({"a":["b"]}), json!({"a":"c"}), json!({"a":"c"})),
            (json!({"a":"c"}), json!({"a":["b"]}), json!({"a":["b"]})),
            (json!({"a":{"b":"c"}}), json!({"a":{"b":"d","c":null}}), json!({"a":{"b":"d"}})),
            (json!({"a":[{"b":"c"}]}), json!({"a":[1]}), json!({"a":[1]})),
            (json!({"e":null}), json!({"a":1}), json!({"e":null,"a":1})),
            (json!({}), json!({"a":{"bb":{"ccc":null}}}), json!({"a":{"bb":{}}})),
        ],
    );
    assert!(matches!(patched(PatchKind::Merge, &json!({}), &json!([1])), Err(PatchError::Malformed(_))));
}

/// Cases of RFC 6902, appendix A.
#[test]
fn json_patches() {
    check(
        PatchKind::Json,
        &[
            (json!({"foo":"bar"}), json!([{"op":"add","path":"/baz","value":"qux"}]), json!({"baz":"qux","foo":"bar"})),
            (
                json!({"foo":["bar","baz"]}),
                json!([{"op":"add","path":"/foo/1","value":"qux"}]),
                json!({"foo":["bar","qux","baz"]}),
            ),
            (json!({"baz":"qux","foo":"bar"}), json!([{"op":"remove","path":"/baz"}]), json!({"foo":"bar"})),
            (json!({"foo":["a","b","c"]}), json!([{"op":"remove","path":"/foo/1"}]), json!({"foo":["a","c"]})),
            (json!({"foo":"bar"}), json!([{"op":"replace","path":"/foo","value":1}]), json!({"foo":1})),
            (
                json!({"foo":["all","grass","cows","eat"]}),
                json!([{"op":"move","from":"/foo/1","path":"/foo/3"}]),
                json!({"foo":["all","cows","eat","grass"]}),
            ),
            (
                json!({"a/b":{"m~n":1}}),
                json!([{"op":"copy","from":"/a~1b/m~0n","path":"/c"},{"op":"test","path":"/c","value":1}]),
                json!({"a/b":{"m~n":1},"c":1}),
            ),
            (json!({"foo":["bar"]}), json!([{"op":"add","path":"/foo/-","value":["x"]}]), json!({"foo":["bar",["x"]]})),
        ],
    );
    for (patch, malformed) in [
        (json!([{"op":"test","path":"/a","value":2}]), false),
        (json!([{"op":"add","path":"/x/y","value":2}]), false),
        (json!([{"op":"remove","path":"/nothing"}]), false),
        (json!([{"op":"add","path":"/l/5","value":2}]), false),
        (json!([{"op":"frobnicate","path":"/a"}]), true),
        (json!([{"op":"add","path":"/a"}]), true),
        (json!({"op":"add"}), true),
    ] {
        let answer = patched(PatchKind::Json, &json!({"a":1,"l":[]}), &patch);
        assert!(answer.is_err(), "{patch}");
        assert_eq!(matches!(answer, Err(PatchError::Malformed(_))), malformed, "{patch}");
    }
}

#[test]
fn strategic_patches_of_named_items() {
    for (name, object, patch, want) in [
        (
            "core.v1.PodSpec",
            json!({"containers":[{"name":"app","image":"a:1","env":[{"name":"X","value":"1"}]},{"name":"side"}]}),
            json!({"containers":[{"name":"app","resources":{"limits":{"memory":"1Gi"}},"env":[{"name":"Y","value":"2"}]}]}),
            json!({"containers":[{"name":"app","image":"a:1","env":[{"name":"X","value":"1"},{"name":"Y","value":"2"}],
                    "resources":{"limits":{"memory":"1Gi"}}},{"name":"side"}]}),
        ),
        (
            "core.v1.PodSpec",
            json!({"containers":[{"name":"app"},{"name":"side"}]}),
            json!({"containers":[{"$patch":"delete","name":"side"}]}),
            json!({"containers":[{"name":"app"}]}),
        ),
        (
            "core.v1.PodSpec",
            json!({"containers":[{"name":"app"},{"name":"side"}]}),
            json!({"containers":[{"name":"only"},{"$patch":"replace"}]}),
            json!({"containers":[{"name":"only"}]}),
        ),
        (
            "core.v1.Container",
            json!({"ports":[{"containerPort":80,"name":"http"}]}),
            json!({"ports":[{"containerPort":80,"name":"web"},{"containerPort":81}]}),
            json!({"ports":[{"containerPort":80,"name":"web"},{"containerPort":81}]}),
        ),
    ] {
        strategic(name, &object, &patch, &want);
    }
    let pod = Shape::Object("core.v1.PodSpec".to_owned());
    let keyless = super::patched(PatchKind::Strategic, &pod, &json!({}), &json!({"containers":[{"image":"x"}]}));
    assert!(matches!(keyless, Err(PatchError::Unmergeable(_))));
}

#[test]
fn strategic_patches_of_values_and_by_directives() {
    for (name, object, patch, want) in [
        ("core.v1.Container", json!({"args":["a","b"]}), json!({"args":["c"]}), json!({"args":["c"]})),
        (
            "meta.v1.ObjectMeta",
            json!({"annotations":{"a":"1"}}),
            json!({"annotations":{"a":null,"b":"2"}}),
            json!({"annotations":{"b":"2"}}),
        ),
        (
            "*",
            json!({"template":{"a":1,"b":2}}),
            json!({"template":{"$patch":"replace","c":3}}),
            json!({"template":{"c":3}}),
        ),
        (
            "apps.v1.DeploymentSpec",
            json!({"strategy":{"type":"RollingUpdate","rollingUpdate":{"maxSurge":1}}}),
            json!({"strategy":{"$retainKeys":["type"],"type":"Recreate"}}),
            json!({"strategy":{"type":"Recreate"}}),
        ),
        (
            "meta.v1.ObjectMeta",
            json!({"finalizers":["a","b"]}),
            json!({"finalizers":["c","a"],"$deleteFromPrimitiveList/finalizers":["b"]}),
            json!({"finalizers":["a","c"]}),
        ),
        (
            "core.v1.PodSpec",
            json!({"containers":[{"name":"b"}]}),
            json!({"$setElementOrder/containers":[{"name":"a"},{"name":"b"}],"containers":[{"name":"a"}]}),
            json!({"containers":[{"name":"a"},{"name":"b"}]}),
        ),
    ] {
        strategic(name, &object, &patch, &want);
    }
}

fn strategic(name: &str, object: &Value, patch: &Value, want: &Value) {
    let shape = Shape::Object(name.to_owned());
    let merged = super::patched(PatchKind::Strategic, &shape, object, patch);
    assert_eq!(merged.as_ref(), Ok(want), "{object} with {patch}");
}

/// What `kubectl rollout restart` sends.
#[test]
fn a_restart_stamp_lands_in_the_template_and_nowhere_else() {
    let object = json!({"spec":{"replicas":6,"template":{"metadata":{"labels":{"app":"my-api"}}}}});
    let patch = json!({"spec":{"template":{"metadata":{"annotations":
        {"kubectl.kubernetes.io/restartedAt":"2026-05-01T09:36:00Z"}}}}});
    for kind in [PatchKind::Strategic, PatchKind::Merge] {
        let changed = patched(kind, &object, &patch).unwrap();
        assert_eq!(
            changed,
            json!({"spec":{"replicas":6,"template":{"metadata":{"labels":{"app":"my-api"},
                "annotations":{"kubectl.kubernetes.io/restartedAt":"2026-05-01T09:36:00Z"}}}}})
        );
    }
}
