//! Who asks: the one whom the scenario lets call, or whom that one may act as (`Impersonate-User`, `Impersonate-Group`).

use super::Call;
use crate::rehearsal::cluster::Cluster;
use crate::rehearsal::cluster::access::{Access, Attempt, Caller};
use crate::rehearsal::cluster::failure::Failure;
use crate::rehearsal::cluster::kind::row;

/// The rules in force for a request.
///
/// # Errors
/// 403 where the caller may not act as who is named.
pub(super) fn access(cluster: &Cluster, call: &Call) -> Result<Access, Failure> {
    let own = cluster.access();
    let values = |name: &str| {
        let all = call.headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
        all.map(str::to_owned).collect::<Vec<_>>()
    };
    let Some(user) = values("impersonate-user").into_iter().next() else { return Ok(own) };
    let groups = values("impersonate-group");
    let asked = std::iter::once(("users", &user)).chain(groups.iter().map(|group| ("groups", group)));
    for (resource, name) in asked {
        let (subresource, namespace) = ("", "");
        let attempt = Attempt { verb: "impersonate", group: "", resource, subresource, namespace, name };
        if !own.allows(attempt) {
            let mut refused = Failure::forbidden(row("pods"), "", "");
            refused.message = format!("{resource} \"{name}\" is forbidden: {}", own.refusal(attempt));
            refused.details = serde_json::json!({"name": name, "kind": resource});
            return Err(refused);
        }
    }
    Ok(cluster.access_of(Caller { user, groups }))
}
