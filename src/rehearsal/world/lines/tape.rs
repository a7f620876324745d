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
        let tape =
            Tape { sight: *self, sources, wanted, order: Order::Forward, edge: from, ready: Vec::new().into_iter() };
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
        self.order = order;
        let (from, to) = (self.wanted.from, self.wanted.to);
        self.edge = match order {
            Order::Forward => second_of(from),
            Order::Backward => second_of(to - SignedDuration::from_nanos(1)) + SECOND,
        };
        self.ready = Vec::new().into_iter();
        self
    }

    /// The next slice in its direction: what is left of a minute, or a second of one in which a generator floods.
    fn ahead(&self) -> (Timestamp, Timestamp) {
        let (minute, second) = match self.order {
            Order::Forward => {
                let minute = (self.edge, minute_of(self.edge) + MINUTE);
                (minute, (self.edge, self.edge + SECOND))
            }
            Order::Backward => {
                let minute = (minute_of(self.edge - SECOND), self.edge);
                (minute, (self.edge - SECOND, self.edge))
            }
        };
        let logs = &self.sight.scenario().logs;
        let mut own = self.sources.iter().filter_map(|index| logs.get(*index));
        let is_flooded = own.any(|log| is_dense(log) && self.sight.is_on_within(log, minute));
        if is_flooded { second } else { minute }
    }

    /// A slice, in order. One that is longer than a second has nothing of a flood.
    fn slice(&self, (begin, end): (Timestamp, Timestamp)) -> Vec<LogEvent> {
        let mut events = Vec::new();
        let logs = &self.sight.scenario().logs;
        for index in &self.sources {
            let Some(log) = logs.get(*index) else { continue };
            if is_dense(log) {
                self.sight.flood(*index, (begin, end), &self.wanted, &mut events);
                continue;
            }
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
            let slice = self.ahead();
            self.edge = match self.order {
                Order::Forward if self.edge < self.wanted.to => slice.1,
                Order::Backward if self.edge > self.wanted.from => slice.0,
                Order::Forward | Order::Backward => return None,
            };
            self.ready = self.slice(slice).into_iter();
        }
    }
}

fn second_of(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}
