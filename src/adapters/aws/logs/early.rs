//! Which lines Live Tail and the account both have.
//!
//! The account is what `FilterLogEvents` reads: every event once, by id. Live Tail shows most of them a few seconds
//! earlier, without an id, and above 500 a second only some. So the account alone is counted, and an early line is only
//! shown. Both sides are matched by stream, millisecond and text: an event that comes by both ways is shown once,
//! whichever way is first. For each such key the two sides keep a balance; who moves it away from zero shows the line,
//! who moves it back does not. Of `t` early and `p` accounted events of one key `max(t, p)` are shown in every order,
//! and `p` are counted. Nothing is lost and nothing counted twice even where this memory forgets: a line may then be
//! seen twice on the screen.

use std::collections::{HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::domain::observation::log::RawLogEvent;

/// Open balances remembered: more than a minute at 2,500 events a second beyond what Live Tail hands out.
const REMEMBERED: usize = 200_000;

/// The memory of one group, shared by its tail and all that read the group. Clones share it.
#[derive(Clone, Debug)]
pub struct Early(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    /// Without a session there is nothing to match, and no line pays for it.
    opened: AtomicBool,
    balances: Mutex<Balances>,
}

/// What a line is matched by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Print(u64);

/// Whether a line has been on the screen before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sight {
    /// Show it.
    First,
    /// It was shown when it came the other way.
    Again,
}

impl Default for Early {
    fn default() -> Self {
        Self::at_most(REMEMBERED)
    }
}

impl Early {
    /// A memory of at most so many open balances.
    pub fn at_most(most: usize) -> Self {
        let balances = Mutex::new(Balances { most: most.max(1), ..Balances::default() });
        Self(Arc::new(Shared { opened: AtomicBool::new(false), balances }))
    }

    /// From now on lines are matched. To be called before a session is asked for: what the account reads while it opens
    /// may come out of it as well.
    pub fn open(&self) {
        self.0.opened.store(true, Ordering::SeqCst);
    }

    /// What the account matches an event by; nothing while no session was ever opened.
    pub fn print(&self, event: &RawLogEvent) -> Option<Print> {
        self.0.opened.load(Ordering::SeqCst).then(|| Print::of(event))
    }

    /// An event came by Live Tail.
    pub fn tailed(&self, event: &RawLogEvent) -> Sight {
        self.moved(Print::of(event), Side::Tail)
    }

    /// An event came by the account, for the first time by its id.
    pub fn accounted(&self, print: Option<Print>) -> Sight {
        print.map_or(Sight::First, |print| self.moved(print, Side::Account))
    }

    fn moved(&self, print: Print, side: Side) -> Sight {
        self.0.balances.lock().unwrap_or_else(PoisonError::into_inner).moved(print, side)
    }
}

impl Print {
    fn of(event: &RawLogEvent) -> Self {
        let mut hasher = DefaultHasher::new();
        (event.at.as_millisecond(), &event.stream, &event.message).hash(&mut hasher);
        Self(hasher.finish())
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Tail,
    Account,
}

#[derive(Debug, Default)]
struct Balances {
    /// By print: early less accounted events, and when the balance was opened. None is zero.
    open: HashMap<Print, (i64, u64)>,
    /// Openings in their order, also of balances that were settled since.
    order: VecDeque<(u64, Print)>,
    openings: u64,
    most: usize,
}

impl Balances {
    fn moved(&mut self, print: Print, side: Side) -> Sight {
        let step = match side {
            Side::Tail => 1,
            Side::Account => -1,
        };
        let Some((balance, _)) = self.open.get_mut(&print) else {
            self.begin(print, step);
            return Sight::First;
        };
        let away = (*balance > 0) == (step > 0);
        *balance += step;
        if *balance == 0 {
            self.open.remove(&print);
        }
        if away { Sight::First } else { Sight::Again }
    }

    fn begin(&mut self, print: Print, balance: i64) {
        self.openings += 1;
        self.open.insert(print, (balance, self.openings));
        self.order.push_back((self.openings, print));
        while self.open.len() > self.most || self.order.len() > 2 * self.most {
            let Some((opening, oldest)) = self.order.pop_front() else { break };
            if self.open.get(&oldest).is_some_and(|(_, of)| *of == opening) {
                self.open.remove(&oldest);
            }
        }
    }
}

#[cfg(test)]
mod tests;
