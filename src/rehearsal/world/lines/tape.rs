//! Reading a group in order, forwards or backwards, a slice of time after another: linear however much there is.

use jiff::{SignedDuration, Timestamp};

use super::dense::{SECOND, is_dense};
use super::{LogEvent, Place, latest_arrival};
use crate::rehearsal::world::{MINUTE, Sight, minute_of};

/// Which end comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The oldest.
    Forward,
    /// The latest.
    Backward,
}

/// Which lines a reader wants.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted {
    from: Timestamp,
    /// Excluded.
    to: Timestamp,
    /// Excluded.
    ingested_after: Timestamp,
    ingested_until: Timestamp,
    begin: Option<(Order, Place)>,
}

impl Wanted {
    pub(super) fn takes(&self, place: &Place) -> bool {
        self.from <= place.at
            && place.at < self.to
            && self.ingested_after < place.ingested
            && place.ingested <= self.ingested_until
            && self.begin.is_none_or(|(order, begin)| match order {
                Order::Forward => begin <= *place,
                Order::Backward => *place <= begin,
            })
    }
}

/// The events of a group, one after another.
#[derive(Clone, Debug)]
pub struct Tape<'a> {
    sight: Sight<'a>,
    sources: Vec<usize>,
    wanted: Wanted,
    order: Order,
    step: SignedDuration,
    /// The edge up to which all slices have been read.
    edge: Timestamp,
    ready: std::vec::IntoIter<LogEvent>,
}

impl<'a> Sight<'a> {
    /// The events of a group with `from <= at < to` that the service has by now, in order.
    pub fn log_tape(&self, group: &str, from: Timestamp, to: Timestamp) -> Tape<'a> {
        let from = from.max(self.scenario().dawn());
        // A line of this very millisecond has been written.
        let to = to.min(self.now + SignedDuration::from_millis(1)).max(from);
        let logs = self.scenario().logs.iter().enumerate();
        let sources: Vec<usize> = logs.filter(|(_, log)| log.group == group).map(|(index, _)| index).collect();
        let wanted = Wanted { from, to, ingested_after: Timestamp::MIN, ingested_until: self.now, begin: None };
        let tape = Tape {
            sight: *self,
            sources,
            wanted,
            order: Order::Forward,
            step: MINUTE,
            edge: from,
            ready: Vec::new().into_iter(),
        };
        tape.rewound(Order::Forward)
    }

    /// The events of a group that came in after an instant, up to another and by now: late ones are among them.
    pub fn log_arrivals(&self, group: &str, after: Timestamp, until: Timestamp) -> Tape<'a> {
        let own = self.scenario().logs.iter().filter(|log| log.group == group);
        let latest = own.map(latest_arrival).max().unwrap_or_default();
        let mut tape = self.log_tape(group, after - latest, until);
        (tape.wanted.ingested_after, tape.wanted.ingested_until) = (after, until.min(self.now));
        tape
    }
}

impl Tape<'_> {
    /// From the other end.
    pub fn backward(self) -> Self {
        self.rewound(Order::Backward)
    }

    /// Which end comes first.
    pub fn order(&self) -> Order {
        self.order
    }

    /// From a place on, which is the first to be read.
    pub fn from_place(mut self, place: Place) -> Self {
        self.wanted.begin = Some((self.order, place));
        match self.order {
            Order::Forward => self.wanted.from = self.wanted.from.max(place.at),
            Order::Backward => self.wanted.to = self.wanted.to.min(place.at + SignedDuration::from_millis(1)),
        }
        let order = self.order;
        self.rewound(order)
    }

    /// As their writers wrote them, whether the service has them or not.
    pub(super) fn written(mut self) -> Self {
        self.wanted.ingested_until = Timestamp::MAX;
        self
    }

    /// Without the generators that flood.
    pub(super) fn lean(mut self) -> Self {
        let logs = &self.sight.scenario().logs;
        self.sources.retain(|index| logs.get(*index).is_some_and(|log| !is_dense(log)));
        let order = self.order;
        self.rewound(order)
    }

    fn rewound(mut self, order: Order) -> Self {
        let logs = &self.sight.scenario().logs;
        let is_dense = self.sources.iter().any(|index| logs.get(*index).is_some_and(is_dense));
        self.step = if is_dense { SECOND } else { MINUTE };
        self.order = order;
        let (from, to) = (self.wanted.from, self.wanted.to);
        self.edge = match order {
            Order::Forward => self.grid(from),
            Order::Backward => self.grid(to - SignedDuration::from_nanos(1)) + self.step,
        };
        self.ready = Vec::new().into_iter();
        self
    }

    /// The beginning of the slice that an instant lies in.
    fn grid(&self, at: Timestamp) -> Timestamp {
        if self.step == MINUTE { minute_of(at) } else { Timestamp::from_second(at.as_second()).unwrap_or(at) }
    }

    /// The slice that begins at an instant, in order.
    fn slice(&self, begin: Timestamp) -> Vec<LogEvent> {
        let mut events = Vec::new();
        let logs = &self.sight.scenario().logs;
        for index in &self.sources {
            let Some(log) = logs.get(*index) else { continue };
            if is_dense(log) {
                self.sight.flood(*index, begin, &self.wanted, &mut events);
                continue;
            }
            let end = begin + self.step;
            let all = self.sight.minute_of_lines((*index, minute_of(begin)), log, end);
            let first = all.partition_point(|event| event.place.at < begin);
            let own = all[first..].iter().take_while(|event| event.place.at < end);
            events.extend(own.filter(|event| self.wanted.takes(&event.place)).cloned());
        }
        events.sort_by_key(|event| event.place);
        if self.order == Order::Backward {
            events.reverse();
        }
        events
    }
}

impl Iterator for Tape<'_> {
    type Item = LogEvent;

    fn next(&mut self) -> Option<LogEvent> {
        loop {
            if let Some(event) = self.ready.next() {
                return Some(event);
            }
            let begin = match self.order {
                Order::Forward if self.edge < self.wanted.to => {
                    self.edge += self.step;
                    self.edge - self.step
                }
                Order::Backward if self.edge > self.wanted.from => {
                    self.edge -= self.step;
                    self.edge
                }
                Order::Forward | Order::Backward => return None,
            };
            self.ready = self.slice(begin).into_iter();
        }
    }
}
