//! Which events were handed out already: a bounded memory of their ids, the oldest events forgotten first. Shared by
//! everybody who reads one group for the same eyes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use sha2::{Digest, Sha256};

/// The ids remembered of a group that is followed: more than a far look holds at the rate that polling can follow.
const REMEMBERED: usize = 800_000;
/// Ids of a second that are looked through one by one before they are sorted in.
const NEWEST: usize = 256;

/// A set of ids with a bound. Ids are kept as the first 64 bits of their SHA-256, within the second of their event: two
/// of the some thousand events of one second to collide is not to be expected (1 in 10^11 at 10,000), so a count made
/// with it is exact, and an id takes eight bytes whatever its length.
///
/// The oldest seconds are forgotten first, whole. An event that is not newer than a forgotten second counts as known: none
/// is handed out twice, and what comes as late as that is left to whoever reads the window anew.
#[derive(Clone, Debug)]
pub struct Seen(Arc<Mutex<Known>>);

#[derive(Debug)]
struct Known {
    by_second: BTreeMap<i64, Ids>,
    ids: usize,
    most: usize,
    forgotten_to: Option<i64>,
}

impl Default for Seen {
    /// Remembers 800,000 ids.
    fn default() -> Self {
        Self::at_most(REMEMBERED)
    }
}

impl Seen {
    /// A memory of at most so many ids, and the newest second whole.
    pub fn at_most(most: usize) -> Self {
        Self(Arc::new(Mutex::new(Known { by_second: BTreeMap::new(), ids: 0, most, forgotten_to: None })))
    }

    /// Whether an event was noted, or may have been.
    pub(super) fn knows(&self, id: &str, at: Timestamp) -> bool {
        self.with(|known| known.holds(fingerprint(id), at.as_second()))
    }

    /// Notes an event. `true` if it is the first time.
    pub fn note(&self, id: &str, at: Timestamp) -> bool {
        self.with(|known| known.note(fingerprint(id), at.as_second()))
    }

    fn with<T>(&self, work: impl FnOnce(&mut Known) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Known {
    fn holds(&self, print: u64, second: i64) -> bool {
        self.forgotten_to.is_some_and(|to| second <= to)
            || self.by_second.get(&second).is_some_and(|ids| ids.hold(print))
    }

    fn note(&mut self, print: u64, second: i64) -> bool {
        if self.holds(print, second) {
            return false;
        }
        self.by_second.entry(second).or_default().put(print);
        self.ids += 1;
        while self.ids > self.most && self.by_second.len() > 1 {
            let Some((oldest, ids)) = self.by_second.pop_first() else { break };
            self.ids -= ids.len();
            self.forgotten_to = Some(oldest);
        }
        true
    }
}

/// The ids of one second: sorted but for the newest, without the room that a hash table keeps free.
#[derive(Debug, Default)]
struct Ids {
    sorted: Vec<u64>,
    newest: Vec<u64>,
}

impl Ids {
    fn hold(&self, print: u64) -> bool {
        // What comes again is nearly always sorted in: the quick look first.
        self.sorted.binary_search(&print).is_ok() || self.newest.contains(&print)
    }

    fn len(&self) -> usize {
        self.sorted.len() + self.newest.len()
    }

    fn put(&mut self, print: u64) {
        self.newest.push(print);
        if self.newest.len() < NEWEST {
            return;
        }
        self.newest.sort_unstable();
        self.sorted.reserve_exact(NEWEST);
        self.sorted.append(&mut self.newest);
        #[expect(clippy::stable_sort_primitive, reason = "that sort finds the two runs and merges them in one walk")]
        self.sorted.sort();
    }
}

fn fingerprint(id: &str) -> u64 {
    let digest = Sha256::digest(id.as_bytes());
    digest.iter().take(8).fold(0, |print, byte| (print << 8) | u64::from(*byte))
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
        assert_eq!(seen.with(|known| (known.ids, known.by_second.len())), (2, 2));
    }

    #[test]
    fn each_of_many_ids_of_one_second_is_new_once_in_any_order() {
        let seen = Seen::default();
        let many = 5 * NEWEST as u64 + 7;
        let id = |n: u64| (n * 7_919 % many).to_string();
        assert_eq!((0..many).filter(|n| seen.note(&id(*n), at(1))).count() as u64, many);
        assert_eq!((0..many).filter(|n| seen.note(&id(many - 1 - n), at(1))).count(), 0);
        assert!((0..many).all(|n| seen.knows(&id(n), at(1))) && !seen.knows("other", at(1)));
        assert_eq!(seen.with(|known| known.ids as u64), many);
    }

    #[test]
    fn one_second_is_never_forgotten_in_part() {
        let seen = Seen::at_most(2);
        let all = |seen: &Seen| ["a", "b", "c"].map(|id| seen.note(id, at(1)));
        assert_eq!(all(&seen), [true; 3]);
        assert_eq!(all(&seen), [false; 3]);
        assert!(seen.note("d", at(2)));
        assert_eq!(seen.with(|known| known.ids), 1);
        assert_eq!(all(&seen), [false; 3]);
    }
}
