//! Which events were handed out already: a bounded memory of their ids, the oldest events forgotten first. Shared by
//! everybody who reads one group for the same eyes.

use std::collections::{BTreeSet, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use sha2::{Digest, Sha256};

/// The ids remembered of a group that is followed: more than an overlap holds at the rate that polling can follow.
const REMEMBERED: usize = 400_000;

/// A set of ids with a bound. Ids are kept as the first 128 bits of their SHA-256: at that width no collision is
/// to be expected, so a count made with it is exact, and an id takes the same room whatever its length.
///
/// Once ids were forgotten, an event that is not newer than the newest of those counts as known: none is handed out
/// twice, and what comes as late as that is left to whoever reads the window anew.
#[derive(Clone, Debug)]
pub struct Seen(Arc<Mutex<Known>>);

#[derive(Debug)]
struct Known {
    ids: HashSet<u128>,
    order: BTreeSet<(Timestamp, u128)>,
    most: usize,
    forgotten_to: Option<Timestamp>,
}

impl Default for Seen {
    /// Remembers 400,000 ids.
    fn default() -> Self {
        Self::at_most(REMEMBERED)
    }
}

impl Seen {
    /// A memory of at most so many ids.
    pub fn at_most(most: usize) -> Self {
        let known = Known { ids: HashSet::new(), order: BTreeSet::new(), most: most.max(1), forgotten_to: None };
        Self(Arc::new(Mutex::new(known)))
    }

    /// Whether an event was noted, or may have been.
    pub(super) fn knows(&self, id: &str, at: Timestamp) -> bool {
        self.with(|known| known.holds(fingerprint(id), at))
    }

    /// Notes an event. `true` if it is the first time.
    pub fn note(&self, id: &str, at: Timestamp) -> bool {
        self.with(|known| known.note(fingerprint(id), at))
    }

    fn with<T>(&self, work: impl FnOnce(&mut Known) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Known {
    fn holds(&self, print: u128, at: Timestamp) -> bool {
        self.ids.contains(&print) || self.forgotten_to.is_some_and(|to| at <= to)
    }

    fn note(&mut self, print: u128, at: Timestamp) -> bool {
        if self.holds(print, at) {
            return false;
        }
        self.ids.insert(print);
        self.order.insert((at, print));
        if self.order.len() > self.most
            && let Some((oldest, print)) = self.order.pop_first()
        {
            self.ids.remove(&print);
            self.forgotten_to = Some(self.forgotten_to.map_or(oldest, |to| to.max(oldest)));
        }
        true
    }
}

fn fingerprint(id: &str) -> u128 {
    let digest = Sha256::digest(id.as_bytes());
    digest.iter().take(16).fold(0, |print, byte| (print << 8) | u128::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn an_event_is_new_once_also_after_it_was_forgotten() {
        let seen = Seen::at_most(2);
        let beside = seen.clone();
        let new: Vec<bool> = [("a", 1), ("b", 2), ("a", 1), ("c", 3), ("b", 2), ("a", 1), ("d", 4), ("late", 2)]
            .into_iter()
            .map(|(id, second)| seen.note(id, at(second)))
            .collect();
        assert_eq!(new, [true, true, false, true, false, false, true, false]);
        assert!(beside.knows("d", at(4)), "what one has handed out, the other knows");
        assert!(!beside.knows("e", at(4)));
        assert_eq!(seen.with(|known| (known.ids.len(), known.order.len())), (2, 2));
    }
}
