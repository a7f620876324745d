//! Whether a request that passed the gate leaves or is called back: decided here, once, for whoever comes first.

use std::sync::{Arc, Mutex, PoisonError};

/// Where an approved request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Its target is looked at once more.
    Here,
    /// It left, and is not answered.
    Left,
    /// It left, and was called back since: where the server does not take it, it does not leave again.
    Recalled,
    /// It never left, and never will.
    CalledBack,
    /// It is over, however it ended.
    Over,
}

/// The way out of one approved request: the loop holds one end, the task that sends it the other.
#[derive(Clone, Debug)]
pub struct Departure(Arc<Mutex<Stage>>);

impl Default for Departure {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Stage::Here)))
    }
}

impl Departure {
    /// The request leaves now. Where this is not so it was called back, and must not be sent.
    #[must_use]
    pub fn leaves(&self) -> bool {
        self.moves(&[Stage::Here], Stage::Left)
    }

    /// The server did not take it, because others wrote in between: until it leaves again it can be called back. Where this is
    /// not so it was called back on its way, and does not leave again.
    #[must_use]
    pub fn came_back(&self) -> bool {
        self.moves(&[Stage::Left], Stage::Here)
    }

    /// Keeps the request from leaving. Where this is not so it has left, or is over; one that has left does not leave again.
    #[must_use]
    pub fn call_back(&self) -> bool {
        let mut stage = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let was = *stage;
        *stage = match was {
            Stage::Here => Stage::CalledBack,
            Stage::Left => Stage::Recalled,
            Stage::Recalled | Stage::CalledBack | Stage::Over => was,
        };
        was == Stage::Here
    }

    /// Whether it was called back after it had left.
    pub fn is_recalled(&self) -> bool {
        self.stage() == Stage::Recalled
    }

    /// It is at its end. Whether that is still to be told: the end of what was called back is told by who did it, and no end
    /// is told twice.
    #[must_use]
    pub fn ends(&self) -> bool {
        self.moves(&[Stage::Here, Stage::Left, Stage::Recalled], Stage::Over)
    }

    /// Whether it can neither leave nor be called back any more.
    pub fn is_over(&self) -> bool {
        matches!(self.stage(), Stage::CalledBack | Stage::Over)
    }

    fn stage(&self) -> Stage {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn moves(&self, from: &[Stage], to: Stage) -> bool {
        let mut stage = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_there = from.contains(&stage);
        if is_there {
            *stage = to;
        }
        is_there
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_leaves_or_is_called_back_and_never_both() {
        let (left, called) = (Departure::default(), Departure::default());
        assert!(left.leaves() && !left.call_back() && !left.leaves());
        assert!(called.call_back() && !called.leaves() && !called.call_back());
        assert!(left.ends() && !called.ends(), "what was called back has been told");
        assert!(!left.ends(), "an end is told once");
        assert!(left.is_over() && called.is_over() && !left.call_back());
    }

    #[test]
    fn what_came_back_can_be_called_back_before_it_leaves_again() {
        let departure = Departure::default();
        assert!(departure.leaves() && !departure.is_over());
        assert!(departure.came_back() && departure.call_back());
        assert!(!departure.came_back() && !departure.leaves(), "once is for good");
    }

    /// Whoever calls back says so once: it outlives the answer of the server.
    #[test]
    fn what_is_called_back_on_its_way_does_not_leave_again() {
        let departure = Departure::default();
        assert!(departure.leaves() && !departure.call_back() && departure.is_recalled());
        assert!(!departure.is_over(), "its answer is still to come");
        assert!(!departure.came_back() && !departure.leaves());
        assert!(departure.ends() && !departure.ends(), "its end is told by who sent it, once");
        assert!(departure.is_over() && !departure.is_recalled());
    }

    /// Two threads at once: one of them has it.
    #[test]
    fn of_two_that_come_at_once_one_has_it() {
        for _ in 0..200 {
            let departure = Departure::default();
            let (other, gate) = (departure.clone(), Arc::new(std::sync::Barrier::new(2)));
            let here = Arc::clone(&gate);
            let (left, called) = std::thread::scope(|scope| {
                let leaving = scope.spawn(move || {
                    gate.wait();
                    other.leaves()
                });
                here.wait();
                let called = departure.call_back();
                (leaving.join().unwrap(), called)
            });
            assert!(left ^ called);
        }
    }
}
