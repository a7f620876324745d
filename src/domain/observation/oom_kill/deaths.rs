//! How often containers died, whatever of: what their statuses leave open, and what no other source can outdo.

use jiff::Timestamp;

use crate::domain::observation::scope::Window;
use crate::domain::observation::workload::{ContainerState, Pod, Termination};

/// What a status tells of the deaths of one container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deaths {
    /// Its pod.
    pub pod: String,
    /// Its name.
    pub container: String,
    /// When the pod was made: another one of the same name may have been there before.
    pub since: Option<Timestamp>,
    /// Deaths that may lie inside the window: there were not more.
    pub most: u64,
    /// Those of them whose reason no status keeps any more.
    pub unread: u64,
}

/// The deaths of every container of the pods.
pub fn deaths(pods: &[Pod], window: Window) -> Vec<Deaths> {
    let of_pod = |pod: &Pod| {
        let of_container = |container: &ContainerState| {
            let (most, unread) = inside(container, window);
            let (pod_name, container) = (pod.name.clone(), container.name.clone());
            Deaths { pod: pod_name, container, since: pod.created_at, most, unread }
        };
        pod.containers.iter().map(of_container).collect::<Vec<_>>()
    };
    pods.iter().flat_map(of_pod).collect()
}

/// Deaths that may lie inside the window, and those of them that are unread.
///
/// 1. `restartCount` tells how often it was started again: one that does not run has died once more.
/// 2. A status keeps the last two ends at most. The others are older, so that none of them lies inside where one of the
///    two does not.
/// 3. One whose oldest end that is kept began its life before the window died in the window no other time.
/// 4. One that runs since before the window has not died in it.
fn inside(container: &ContainerState, window: Window) -> (u64, u64) {
    let running = container.state == "running";
    if running && container.running_since.is_some_and(|since| since < window.from) {
        return (0, 0);
    }
    let ends = || container.ends();
    let is_inside = |end: &&Termination| end.finished_at.is_none_or(|at| at >= window.from);
    let all = u64::from(container.restarts) + u64::from(!running && ends().next().is_some());
    let read = ends().filter(is_inside).count() as u64;
    let began_inside = |end: &Termination| end.started_at.is_none_or(|at| at >= window.from);
    let unread = if ends().all(|end| is_inside(&end) && began_inside(end)) { all.saturating_sub(read) } else { 0 };
    (read + unread, unread)
}
