//! Which events were handed out already: a bounded memory of their ids, the oldest forgotten first.

use std::collections::{HashSet, VecDeque};

use sha2::{Digest, Sha256};

/// A set of ids with a bound. Ids are kept as the first 128 bits of their SHA-256: at that width no collision is
/// to be expected, so a count made with it is exact, and an id takes 32 bytes whatever its length.
#[derive(Debug)]
pub(super) struct Seen {
    ids: HashSet<u128>,
    order: VecDeque<u128>,
    most: usize,
}

impl Seen {
    pub(super) fn at_most(most: usize) -> Self {
        Self { ids: HashSet::new(), order: VecDeque::new(), most: most.max(1) }
    }

    /// Whether an id was noted and is not forgotten.
    pub(super) fn knows(&self, id: &str) -> bool {
        self.ids.contains(&fingerprint(id))
    }

    /// Notes an id.
    pub(super) fn note(&mut self, id: &str) {
        let print = fingerprint(id);
        if !self.ids.insert(print) {
            return;
        }
        self.order.push_back(print);
        if self.order.len() > self.most
            && let Some(oldest) = self.order.pop_front()
        {
            self.ids.remove(&oldest);
        }
    }
}

fn fingerprint(id: &str) -> u128 {
    let digest = Sha256::digest(id.as_bytes());
    digest.iter().take(16).fold(0, |print, byte| (print << 8) | u128::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_counts_once_until_it_is_forgotten() {
        let mut seen = Seen::at_most(2);
        let mut known = Vec::new();
        for id in ["a", "b", "a", "c", "b", "a"] {
            known.push(seen.knows(id));
            seen.note(id);
        }
        assert_eq!(known, [false, false, true, false, true, false]);
        assert_eq!(seen.ids.len(), 2);
    }
}
