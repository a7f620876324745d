//! Whether a delivery tool puts back by itself what a step sets: Argo CD where its application heals itself, Flux where it
//! reconciles. A restart is in nobody's repository, and is left alone by both.

use serde_json::Value;

use super::{Subject, check};
use crate::adapters::kubernetes::call::{Client, Resource};
use crate::adapters::kubernetes::fault::{KubeError, Problem};
use crate::adapters::kubernetes::map::safe;
use crate::domain::observation::scope::Namespace;
use crate::domain::observation::workload::Ownership;
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
            Some(by_argo_cd(name, &found))
        }
        Ownership::Flux { .. } => {
            let (resource, word, place, name) = flux(subject)?;
            let found = client.get::<Value>(resource, &place, &name).await;
            Some(by_flux(&format!("{word} {name}"), &found))
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

fn by_argo_cd(name: &str, found: &Result<Value, KubeError>) -> Check {
    let name = safe(name);
    let object = match found {
        Ok(object) => object,
        Err(error) => return not_known(&format!("application {name}"), error),
    };
    let automated = object.pointer("/spec/syncPolicy/automated").filter(|it| it.is_object());
    let is = |key: &str| automated.and_then(|it| it.get(key)).and_then(Value::as_bool);
    match (automated.is_some() && is("enabled") != Some(false), is("selfHeal") == Some(true)) {
        (true, true) => check(
            NAME,
            CheckState::Failed,
            format!(
                "application {name} heals itself and puts this back within seconds: argocd app rollback {name}, or switch that off first"
            ),
        ),
        (true, false) => {
            check(NAME, CheckState::Warning, format!("application {name} puts this back with its next commit"))
        }
        (false, _) => check(NAME, CheckState::Ok, format!("application {name} syncs by hand alone")),
    }
}

fn by_flux(what: &str, found: &Result<Value, KubeError>) -> Check {
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
    let text = format!("{what} puts this back at its next interval{every}: flux suspend {what} first");
    check(NAME, CheckState::Failed, text)
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

    fn denied() -> Result<Value, KubeError> {
        let doing = Doing { verb: "get", group: "", resource: "applications", namespace: None, name: None };
        Err(KubeError::new(&doing, Problem::Denied("no".to_owned())))
    }

    #[test]
    fn an_application_that_heals_itself_lets_nothing_stand() {
        let of = |policy: Value| by_argo_cd("shop", &Ok(json!({ "spec": { "syncPolicy": policy } }))).state;
        assert_eq!(of(json!({ "automated": { "selfHeal": true, "prune": true } })), CheckState::Failed);
        assert_eq!(of(json!({ "automated": { "prune": true } })), CheckState::Warning);
        assert_eq!(of(json!({ "automated": {} })), CheckState::Warning);
        assert_eq!(of(json!({ "automated": { "selfHeal": true, "enabled": false } })), CheckState::Ok);
        assert_eq!(of(Value::Null), CheckState::Ok);
        let unread = by_argo_cd("shop", &denied());
        assert_eq!(unread.state, CheckState::Warning);
        assert!(unread.text.contains("NOT KNOWN (this credential may not get applications)"), "{}", unread.text);
    }

    #[test]
    fn flux_puts_back_at_its_interval_unless_it_is_suspended() {
        let of = |what: &str, spec: Value| by_flux(what, &Ok(json!({ "spec": spec }))).state;
        assert_eq!(of("kustomization apps", json!({ "interval": "10m" })), CheckState::Failed);
        assert_eq!(of("kustomization apps", json!({ "interval": "10m", "suspend": true })), CheckState::Ok);
        assert_eq!(of("helmrelease shop", json!({ "interval": "10m" })), CheckState::Warning);
        assert_eq!(of("helmrelease shop", json!({ "driftDetection": { "mode": "enabled" } })), CheckState::Failed);
        assert_eq!(by_flux("kustomization apps", &denied()).state, CheckState::Warning);
    }
}
