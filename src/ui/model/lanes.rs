//! Which look the name of each container has in the log pane: by the order in which the containers of a group first wrote,
//! so that as many are told apart as there are looks, and none changes its own while others come and go.

use std::collections::{BTreeMap, HashMap};

use super::walk::Walk;
use crate::domain::observation::log::{LogGroup, LogLine, LogStream};
use crate::session::logs::LogBoard;

/// Lines met between two frames at most, of those held when it began.
const MOST: usize = 10_000;
/// Containers of a group that are remembered. Later ones go by their name, which keeps their look as well.
const REMEMBERED: usize = 4_096;

/// Containers in the order in which they came, by group.
#[derive(Clone, Debug, Default)]
pub struct Lanes {
    walk: Walk,
    groups: BTreeMap<LogGroup, HashMap<String, usize>>,
    last: Option<(LogGroup, LogStream)>,
}

impl Lanes {
    /// Takes in what came since the last time.
    pub fn refresh(&mut self, board: &LogBoard) {
        let Self { walk, groups, last } = self;
        walk.on(board, MOST, |stored| {
            let line = stored.line.as_ref();
            if last.as_ref().is_some_and(|(group, stream)| (group, stream) == (&line.group, &line.stream)) {
                return;
            }
            *last = Some((line.group.clone(), line.stream.clone()));
            let known = groups.entry(line.group.clone()).or_default();
            let (name, next) = (container(line.stream.as_str()), known.len());
            if next < REMEMBERED && !known.contains_key(name) {
                known.insert(name.to_owned(), next);
            }
        });
    }

    /// The place of a line's container among those of its group.
    pub fn place(&self, line: &LogLine) -> usize {
        let name = container(line.stream.as_str());
        let known = self.groups.get(&line.group).and_then(|known| known.get(name));
        known.copied().unwrap_or_else(|| hash(name))
    }
}

/// The pod or task out of a stream's name: of its last two parts the longer one, which is the one with an id in it, up to
/// an underscore: `my-api-7d9f_payments_app-3e1c…` and `my-api-7d9f/app` are `my-api-7d9f`, `ecs/app/8a41` is `8a41`.
pub fn container(stream: &str) -> &str {
    let parts = stream.rsplit('/').filter(|part| !part.is_empty()).take(2);
    let longest = parts.reduce(|last, before| if before.len() > last.len() { before } else { last }).unwrap_or(stream);
    longest.split_once('_').map_or(longest, |(pod, _)| pod)
}

/// FNV-1a, 32 bits (Fowler, Noll, Vo 1991).
fn hash(name: &str) -> usize {
    name.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)) as usize
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::observation::log::{BatchSummary, LogLevel};

    fn line(group: &str, stream: &str) -> Arc<LogLine> {
        Arc::new(LogLine {
            id: "1".into(),
            at: jiff::Timestamp::UNIX_EPOCH,
            group: group.into(),
            stream: stream.into(),
            level: LogLevel::Info,
            text: "".into(),
            kill: None,
        })
    }

    #[test]
    fn a_container_is_named_by_its_pod() {
        assert_eq!(container("my-api-7d9f_payments_app-3e1c"), "my-api-7d9f");
        assert_eq!(container("ecs/app/8a41"), "8a41");
        assert_eq!(container("my-api-7d9f/app"), "my-api-7d9f");
        assert_eq!(container("/"), "/");
    }

    #[test]
    fn each_container_of_a_group_keeps_the_place_in_which_it_came() {
        let (mut lanes, mut board) = (Lanes::default(), LogBoard::with_cap(2_000));
        let mut write = |group: &str, streams: &[&str]| {
            let page: Vec<Arc<LogLine>> = streams.iter().map(|stream| line(group, stream)).collect();
            board.fold_batch(&group.into(), &BatchSummary::default(), &page);
            lanes.refresh(&board);
            lanes.clone()
        };
        let first = write("/a", &["my-pod-3/app", "my-pod-1/app", "my-pod-1/app", "my-pod-2/app", "my-pod-3/sidecar"]);
        let place = |lanes: &Lanes, group, stream| lanes.place(&line(group, stream));
        assert_eq!(
            ["my-pod-3/app", "my-pod-1/app", "my-pod-2/app"].map(|stream| place(&first, "/a", stream)),
            [0, 1, 2]
        );
        assert_eq!(place(&first, "/a", "my-pod-3/sidecar"), 0, "one pod, one look");
        // The lines of the first ones fall out of the ring.
        let others: Vec<String> = (0..40).map(|n| format!("new-{n}/app")).collect();
        let others: Vec<&str> = others.iter().map(String::as_str).collect();
        let later = write("/a", &others);
        assert_eq!(place(&later, "/a", "my-pod-2/app"), 2);
        assert!((3..43).contains(&place(&later, "/a", "new-39/app")), "new ones come after");
        let both = write("/b", &["my-pod-2/app"]);
        assert_eq!(place(&both, "/b", "my-pod-2/app"), 0, "each group counts its own");
        assert_eq!(place(&both, "/b", "unseen"), place(&first, "/c", "unseen"));
    }
}
