//! Whether a delivery tool puts back by itself what a step sets: Argo CD where its application heals itself, Flux where it
//! reconciles. A restart is in nobody's repository, and is left alone by both. What the tool is not known to set it may leave
//! alone as well, and the way back from a step of ours is never barred by it: both are warned of.

use serde_json::Value;

use super::{Subject, check, kind_of, owner};
use crate::adapters::kubernetes::call::{Client, Resource};
use crate::adapters::kubernetes::fault::{KubeError, Problem};
use crate::adapters::kubernetes::map::safe;
use crate::domain::observation::scope::Namespace;
use crate::domain::observation::workload::{Ownership, WorkloadRef};
use crate::domain::remediation::gate::Purpose;
use crate::domain::remediation::step::{Action, Check, CheckState};

const NAME: &str = "self-heal";
/// Where Argo CD keeps its applications, unless the mark on the object names another namespace before the application's.
const ARGO_CD: &str = "argocd";
/// The labels of Flux that name the object which applies, and its namespace, by what that is.
const FLUX: [(&str, Resource, &str); 2] = [
    ("kustomize.toolkit.fluxcd.io", Resource::KUSTOMIZATIONS, "kustomization"),
    ("helm.toolkit.fluxcd.io", Resource::HELM_RELEASES, "helmrelease"),
];

/// Asks the tool that delivers the object, where one does, whether it heals.
pub(super) async fn heals(client: &Client, subject: &Subject<'_>) -> Option<Check> {
    match subject.action {
        Action::RolloutRestart => return None,
        Action::SetResources { .. } | Action::RolloutUndo { .. } | Action::Scale { .. } => {}
    }
    match &subject.workload.ownership {
        Ownership::ArgoCd { application } => {
            let (place, name) = application.split_once('_').unwrap_or((ARGO_CD, application));
            let found = client.get::<Value>(Resource::APPLICATIONS, &Namespace::new(place), name).await;
            Some(by_argo_cd(name, subject, &found))
        }
        Ownership::Flux { .. } => {
            let (resource, word, place, name) = flux(subject)?;
            let found = client.get::<Value>(resource, &place, &name).await;
            Some(by_flux(&format!("{word} {name}"), subject, &found))
        }
        Ownership::Direct | Ownership::Helm { .. } | Ownership::Controller { .. } => None,
    }
}

fn flux(subject: &Subject<'_>) -> Option<(Resource, &'static str, Namespace, String)> {
    let labels = &subject.workload.labels;
    FLUX.into_iter().find_map(|(prefix, resource, word)| {
        let label = |key: &str| labels.get(&format!("{prefix}/{key}"));
        let place = label("namespace").map_or_else(|| subject.workload.target.namespace.clone(), Namespace::new);
        Some((resource, word, place, label("name")?.clone()))
    })
}

/// Whether what the tool heals is what the step sets: for sure only where the server remembers that the tool sets that very
/// field, and nothing excuses it.
fn put_back(subject: &Subject<'_>, tool: &str, is_excused: bool) -> (CheckState, &'static str) {
    let is_sure = match subject.purpose {
        Purpose::Remedy => !is_excused && owner::sets(tool, subject.action, subject.before),
        Purpose::Undo => false,
    };
    if is_sure { (CheckState::Failed, "puts this back") } else { (CheckState::Warning, "may put this back") }
}

/// Whether an application is told to leave differences of this object alone. Which, only Argo CD itself can say.
fn ignores(application: &Value, target: &WorkloadRef) -> bool {
    let entries = application.pointer("/spec/ignoreDifferences").and_then(Value::as_array);
    entries.into_iter().flatten().any(|entry| {
        let fits = |key: &str, own: &str| {
            entry.get(key).and_then(Value::as_str).is_none_or(|it| it.is_empty() || it == "*" || it == own)
        };
        fits("kind", kind_of(target.kind)) && fits("name", &target.name)
    })
}

fn by_argo_cd(name: &str, subject: &Subject<'_>, found: &Result<Value, KubeError>) -> Check {
    let name = safe(name);
    let object = match found {
        Ok(object) => object,
        Err(error) => return not_known(&format!("application {name}"), error),
    };
    let automated = object.pointer("/spec/syncPolicy/automated").filter(|it| it.is_object());
    let is = |key: &str| automated.and_then(|it| it.get(key)).and_then(Value::as_bool);
    match (automated.is_some() && is("enabled") != Some(false), is("selfHeal") == Some(true)) {
        (true, true) => {
            let (state, puts) = put_back(subject, "argocd", ignores(object, &subject.workload.target));
            let text = format!(
                "application {name} heals itself and {puts} within seconds: argocd app rollback {name}, or switch that off first"
            );
            check(NAME, state, text)
        }
        (true, false) => {
            check(NAME, CheckState::Warning, format!("application {name} puts this back with its next commit"))
        }
        (false, _) => check(NAME, CheckState::Ok, format!("application {name} syncs by hand alone")),
    }
}

fn by_flux(what: &str, subject: &Subject<'_>, found: &Result<Value, KubeError>) -> Check {
    let what = safe(what);
    let object = match found {
        Ok(object) => object,
        Err(error) => return not_known(&what, error),
    };
    if object.pointer("/spec/suspend").and_then(Value::as_bool) == Some(true) {
        return check(NAME, CheckState::Ok, format!("{what} is suspended"));
    }
    let drift = object.pointer("/spec/driftDetection/mode").and_then(Value::as_str);
    if what.starts_with("helmrelease") && drift != Some("enabled") {
        return check(NAME, CheckState::Warning, format!("{what} puts this back with its next upgrade"));
    }
    let every = object
        .pointer("/spec/interval")
        .and_then(Value::as_str)
        .map_or_else(String::new, |it| format!(" ({})", safe(it)));
    let (tool, is_excused) = if what.starts_with("helmrelease") {
        let ignored = object.pointer("/spec/driftDetection/ignore").and_then(Value::as_array);
        ("helm-controller", ignored.is_some_and(|all| !all.is_empty()))
    } else {
        ("kustomize-controller", is_left_alone(subject.before))
    };
    let (state, puts) = put_back(subject, tool, is_excused);
    check(NAME, state, format!("{what} {puts} at its next interval{every}: flux suspend {what} first"))
}

/// Whether an object is marked as one that Flux leaves as it is.
fn is_left_alone(object: &Value) -> bool {
    let marks = object.pointer("/metadata/annotations");
    marks.and_then(|marks| marks.get("kustomize.toolkit.fluxcd.io/reconcile")).and_then(Value::as_str)
        == Some("disabled")
}

/// Two rollouts in a row on a service that is not well are no small thing: it is said loudly.
fn not_known(what: &str, error: &KubeError) -> Check {
    let why = match &error.problem {
        Problem::Denied(_) => format!("this credential may not get {}", error.doing.resource),
        Problem::NotFound(_) => "it cannot be found".to_owned(),
        _ => error.fault().summary,
    };
    let text = format!(
        "whether {what} heals itself is NOT KNOWN ({why}): if it does, this is put back within seconds, by a second rollout"
    );
    check(NAME, CheckState::Warning, text)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::adapters::kubernetes::fault::Doing;
    use crate::adapters::kubernetes::map;

    fn denied() -> Result<Value, KubeError> {
        let doing = Doing { verb: "get", group: "", resource: "applications", namespace: None, name: None };
        Err(KubeError::new(&doing, Problem::Denied("no".to_owned())))
    }

    const SCALE: Action = Action::Scale { replicas: 9, was: 6 };

    /// An object whose replicas a program sets, and whose memory limit nobody does.
    fn set_by(manager: &str) -> Value {
        json!({ "metadata": { "name": "my-api", "namespace": "shop", "managedFields": [
            { "manager": manager, "fieldsV1": { "f:spec": { "f:replicas": {} } } },
        ] } })
    }

    fn told(
        (action, purpose): (&Action, Purpose),
        before: &Value,
        check: impl FnOnce(&Subject<'_>) -> Check,
    ) -> CheckState {
        let workload = map::deployment(&serde_json::from_value(before.clone()).unwrap());
        check(&Subject { action, purpose, workload: &workload, before, put_back: None }).state
    }

    #[test]
    fn an_application_that_heals_itself_lets_nothing_stand() {
        let object = set_by("argocd-controller");
        let of = |policy: Value| {
            let found = Ok(json!({ "spec": { "syncPolicy": policy } }));
            told((&SCALE, Purpose::Remedy), &object, |subject| by_argo_cd("shop", subject, &found))
        };
        assert_eq!(of(json!({ "automated": { "selfHeal": true, "prune": true } })), CheckState::Failed);
        assert_eq!(of(json!({ "automated": { "prune": true } })), CheckState::Warning);
        assert_eq!(of(json!({ "automated": {} })), CheckState::Warning);
        assert_eq!(of(json!({ "automated": { "selfHeal": true, "enabled": false } })), CheckState::Ok);
        assert_eq!(of(Value::Null), CheckState::Ok);
        told((&SCALE, Purpose::Remedy), &object, |subject| {
            let unread = by_argo_cd("shop", subject, &denied());
            assert_eq!(unread.state, CheckState::Warning);
            assert!(unread.text.contains("NOT KNOWN (this credential may not get applications)"), "{}", unread.text);
            unread
        });
    }

    /// What git does not set, or is told to leave alone, is not put back; and the way back is never barred.
    #[test]
    fn a_remedy_is_barred_only_where_the_tool_is_known_to_set_what_it_sets() {
        let raise = Action::SetResources { container: "app".to_owned(), memory_limit: 1 << 30, was: None };
        let heals = |ignored: Value| json!({ "spec": { "syncPolicy": { "automated": { "selfHeal": true } }, "ignoreDifferences": ignored } });
        let ours = |kind: &str| json!([{ "group": "apps", "kind": kind, "jsonPointers": ["/spec/replicas"] }]);
        let (remedy, undo) = (Purpose::Remedy, Purpose::Undo);
        for (action, purpose, manager, ignored, expected) in [
            (&SCALE, remedy, "argocd-controller", Value::Null, CheckState::Failed),
            (&SCALE, remedy, "argocd-controller", ours("StatefulSet"), CheckState::Failed),
            (&SCALE, remedy, "argocd-controller", ours("Deployment"), CheckState::Warning),
            (&SCALE, remedy, "kubectl-scale", Value::Null, CheckState::Warning),
            (&raise, remedy, "argocd-controller", Value::Null, CheckState::Warning),
            (&SCALE, undo, "argocd-controller", Value::Null, CheckState::Warning),
        ] {
            let found = Ok(heals(ignored));
            let state = told((action, purpose), &set_by(manager), |subject| by_argo_cd("shop", subject, &found));
            assert_eq!(state, expected, "{action:?} {purpose:?} {manager} {found:?}");
        }
    }

    #[test]
    fn flux_puts_back_at_its_interval_unless_it_is_suspended() {
        let of = |what: &str, spec: Value| {
            let tool = if what.starts_with("helm") { "helm-controller" } else { "kustomize-controller" };
            let found = Ok(json!({ "spec": spec }));
            told((&SCALE, Purpose::Remedy), &set_by(tool), |subject| by_flux(what, subject, &found))
        };
        assert_eq!(of("kustomization apps", json!({ "interval": "10m" })), CheckState::Failed);
        assert_eq!(of("kustomization apps", json!({ "interval": "10m", "suspend": true })), CheckState::Ok);
        assert_eq!(of("helmrelease shop", json!({ "interval": "10m" })), CheckState::Warning);
        assert_eq!(of("helmrelease shop", json!({ "driftDetection": { "mode": "enabled" } })), CheckState::Failed);
        let ignored = json!({ "driftDetection": { "mode": "enabled", "ignore": [{ "paths": ["/spec/replicas"] }] } });
        assert_eq!(of("helmrelease shop", ignored), CheckState::Warning);
        let mut marked = set_by("kustomize-controller");
        marked["metadata"]["annotations"] = json!({ "kustomize.toolkit.fluxcd.io/reconcile": "disabled" });
        for (object, found) in
            [(marked, Ok(json!({}))), (set_by("kubectl"), Ok(json!({}))), (set_by("kustomize-controller"), denied())]
        {
            let state =
                told((&SCALE, Purpose::Remedy), &object, |subject| by_flux("kustomization apps", subject, &found));
            assert_eq!(state, CheckState::Warning);
        }
    }
}
