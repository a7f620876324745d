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

/// Whether an id was known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sighting {
    First,
    Again,
}

impl Seen {
    pub(super) fn at_most(most: usize) -> Self {
        Self { ids: HashSet::new(), order: VecDeque::new(), most: most.max(1) }
    }

    /// Notes an id.
    pub(super) fn note(&mut self, id: &str) -> Sighting {
        let print = fingerprint(id);
        if !self.ids.insert(print) {
            return Sighting::Again;
        }
        self.order.push_back(print);
        if self.order.len() > self.most
            && let Some(oldest) = self.order.pop_front()
        {
            self.ids.remove(&oldest);
        }
        Sighting::First
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
        let noted: Vec<Sighting> = ["a", "b", "a", "c", "b", "a"].iter().map(|id| seen.note(id)).collect();
        use Sighting::{Again, First};
        assert_eq!(noted, [First, First, Again, First, Again, First]);
        assert_eq!(seen.ids.len(), 2);
    }
}
