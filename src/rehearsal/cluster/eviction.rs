//! Eviction: a deletion that the disruption budgets over a pod may refuse.

use serde_json::{Value, json};

use super::Cluster;
use super::failure::Failure;
use super::kind::row;
use super::replica_set::is_ready;
use super::selector::label_selector_matches;
use super::shape;
use super::write::Target;
use crate::rehearsal::ledger::DryRun;

impl Cluster {
    /// Evicts a pod; the answer is the Status of success.
    ///
    /// # Errors
    /// 404 for no such pod; 429 where a budget has no disruption left; 500 where several budgets cover the pod.
    pub fn evict(&mut self, target: Target<'_>, eviction: &Value, dry_run: DryRun) -> Result<Value, Failure> {
        let pod = self.require(target.kind, target.namespace, target.name)?;
        let budgets = self.store.list(row("poddisruptionbudgets"), Some(target.namespace)).map(|entry| entry.1);
        let own: Vec<_> = budgets
            .filter(|budget| label_selector_matches(&budget["spec"]["selector"], &pod["metadata"]["labels"]))
            .collect();
        match own.as_slice() {
            [] => {}
            [budget] => permit(budget, &pod)?,
            [..] => {
                let message =
                    "This pod has more than one PodDisruptionBudget, which the eviction subresource does not \
                               support."
                        .to_owned();
                return Err(Failure { code: 500, reason: "InternalError", message, details: json!({}) });
            }
        }
        let options = eviction.get("deleteOptions").cloned().unwrap_or_default();
        let pod = Target { subresource: None, ..target };
        self.delete(pod, &options, dry_run)?;
        Ok(json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}))
    }
}

/// Asks a budget. A pod that is not ready may go while enough others are healthy (`IfHealthyBudget`).
fn permit(budget: &Value, pod: &Value) -> Result<(), Failure> {
    let count = |name: &str| shape::number(budget, &format!("/status/{name}")).unwrap_or(0);
    let (healthy, wanted) = (count("currentHealthy"), count("desiredHealthy"));
    let is_no_loss = !is_ready(pod) && healthy >= wanted && wanted > 0;
    if count("disruptionsAllowed") > 0 || is_no_loss {
        return Ok(());
    }
    let name = shape::name(budget);
    let why = format!("The disruption budget {name} needs {wanted} healthy pods and has {healthy} currently");
    let message = "Cannot evict pod as it would violate the pod's disruption budget.".to_owned();
    let details = json!({"causes": [{"reason": "DisruptionBudget", "message": why}]});
    Err(Failure { code: 429, reason: "TooManyRequests", message, details })
}
