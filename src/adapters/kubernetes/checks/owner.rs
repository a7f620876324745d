//! Who else keeps the object as it is. What a controller declares it puts back within seconds.

use serde_json::Value;

use super::check;
use crate::domain::observation::workload::{Ownership, Workload};
use crate::domain::remediation::step::{Action, Check, CheckState};

/// The field managers that are people at a prompt, this program, the controllers of the kinds themselves, and Helm, which
/// labels what it installs.
const NO_KEEPERS: [&str; 5] = ["kubectl", "pagerdeck", "kube-controller-manager", "helm", "Helm"];

/// Whether what the step sets will stay.
pub(super) fn owner(action: &Action, workload: &Workload, object: &Value) -> Check {
    let name = "ownership";
    let warning = |text: String| check(name, CheckState::Warning, text);
    match &workload.ownership {
        Ownership::Direct => match set_by(action, object) {
            Some(manager) => warning(format!("{manager} set this field last and may put it back")),
            None => check(name, CheckState::Ok, "no manager is known"),
        },
        Ownership::Helm { release } => {
            warning(format!("Helm release {release}: its next upgrade puts its own values back"))
        }
        Ownership::ArgoCd { application } => {
            warning(format!("Argo CD application {application} will revert this; change it in its repository too"))
        }
        Ownership::Flux { name } => {
            warning(format!("Flux object {name} will revert this; change it in its repository too"))
        }
        Ownership::Controller { kind, name } => {
            warning(format!("{kind}/{name} owns it: its controller will put this back; change that object"))
        }
    }
}

/// Whether the server remembers that a program, by the beginning of its name, sets the very field that the step sets.
pub(super) fn sets(tool: &str, action: &Action, object: &Value) -> bool {
    let field = match action {
        Action::RolloutRestart => return false,
        Action::SetResources { container, .. } => format!("{}/f:limits/f:memory", resources_of(container)),
        Action::RolloutUndo { .. } => TEMPLATE.to_owned(),
        Action::Scale { .. } => REPLICAS.to_owned(),
    };
    let entries = object.pointer("/metadata/managedFields").and_then(Value::as_array);
    entries.into_iter().flatten().any(|entry| {
        let manager = entry.get("manager").and_then(Value::as_str);
        let has_field = entry.get("fieldsV1").is_some_and(|fields| fields.pointer(&field).is_some());
        has_field && manager.is_some_and(|manager| manager.starts_with(tool))
    })
}

/// Where `managedFields` has what a step sets.
const TEMPLATE: &str = "/f:spec/f:template";
const REPLICAS: &str = "/f:spec/f:replicas";

fn resources_of(container: &str) -> String {
    format!("{TEMPLATE}/f:spec/f:containers/k:{{\"name\":\"{container}\"}}/f:resources")
}

/// The last of the programs that the server remembers for the very field that the step sets. A restart's stamp is
/// nobody's.
fn set_by(action: &Action, object: &Value) -> Option<String> {
    let field = match action {
        Action::RolloutRestart => return None,
        Action::SetResources { container, .. } => resources_of(container),
        Action::RolloutUndo { .. } => TEMPLATE.to_owned(),
        Action::Scale { .. } => REPLICAS.to_owned(),
    };
    let text = |entry: &Value, key: &str| entry.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let entries = object.pointer("/metadata/managedFields").and_then(Value::as_array)?;
    let keepers = entries.iter().filter(|entry| {
        let manager = text(entry, "manager");
        let is_keeper = !NO_KEEPERS.iter().any(|known| manager.starts_with(known));
        is_keeper && entry.get("fieldsV1").is_some_and(|fields| fields.pointer(&field).is_some())
    });
    let last = keepers.max_by_key(|entry| text(entry, "time"))?;
    Some(super::super::map::safe(&text(last, "manager")))
}
