//! Whatever comes first, late, twice or never by Live Tail: the account counts every event once, and the screen has it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use proptest::prelude::*;

use super::super::Seen;
use super::*;

/// Few streams, instants and texts, so that most events share them with others.
fn event(index: usize, (stream, at, text): (u8, i64, u8)) -> RawLogEvent {
    RawLogEvent {
        id: format!("e{index}").as_str().into(),
        at: Timestamp::from_millisecond(1_777_626_000_000 + at).unwrap(),
        stream: format!("task-{stream}"),
        message: format!("line {text}"),
    }
}

fn store() -> impl Strategy<Value = Vec<RawLogEvent>> {
    prop::collection::vec((0_u8..2, 0_i64..3, 0_u8..2), 0..24)
        .prop_map(|keys| keys.into_iter().enumerate().map(|(index, key)| event(index, key)).collect())
}

/// What happens, by numbers that are taken modulo the store: an event comes by Live Tail, or a poll reads some.
#[derive(Clone, Debug)]
enum Happens {
    Tailed(usize),
    Polled(Vec<usize>),
}

fn happenings() -> impl Strategy<Value = Vec<Happens>> {
    let one = prop_oneof![
        3 => any::<usize>().prop_map(Happens::Tailed),
        1 => prop::collection::vec(any::<usize>(), 0..16).prop_map(Happens::Polled),
    ];
    prop::collection::vec(one, 0..64)
}

#[derive(Debug, Default)]
struct Told {
    counted: usize,
    shown: BTreeMap<(String, i64, String), usize>,
    tailed: BTreeMap<(String, i64, String), usize>,
}

fn key(event: &RawLogEvent) -> (String, i64, String) {
    (event.stream.clone(), event.at.as_millisecond(), event.message.clone())
}

impl Told {
    fn show(&mut self, sight: Sight, event: &RawLogEvent) {
        *self.shown.entry(key(event)).or_default() += usize::from(sight == Sight::First);
    }

    fn poll<'a>(&mut self, (seen, early): (&Seen, &Early), events: impl IntoIterator<Item = &'a RawLogEvent>) {
        for event in events.into_iter().filter(|event| seen.note(&event.id.text(), event.at)) {
            self.counted += 1;
            self.show(early.accounted(early.print(event)), event);
        }
    }
}

/// Plays it out; at the end a poll reads everything, as the overlap of the real one comes to.
fn play(store: &[RawLogEvent], happenings: &[Happens], memory: (&Seen, &Early), repeats: Repeats) -> Told {
    let (mut told, mut delivered) = (Told::default(), vec![false; store.len()]);
    for happens in happenings.iter().filter(|_| !store.is_empty()) {
        match happens {
            Happens::Tailed(number) => {
                let index = number % store.len();
                if std::mem::replace(&mut delivered[index], true) && repeats == Repeats::Never {
                    continue;
                }
                let event = &store[index];
                *told.tailed.entry(key(event)).or_default() += 1;
                told.show(memory.1.tailed(event), event);
            }
            Happens::Polled(numbers) => told.poll(memory, numbers.iter().map(|number| &store[number % store.len()])),
        }
    }
    told.poll(memory, store);
    told
}

/// Whether Live Tail hands an event out more than once.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Repeats {
    Never,
    Sometimes,
}

fn in_store(store: &[RawLogEvent]) -> BTreeMap<(String, i64, String), usize> {
    store.iter().fold(BTreeMap::new(), |mut counts, event| {
        *counts.entry(key(event)).or_default() += 1;
        counts
    })
}

proptest! {
    /// Sampled, late, in any order: every event is counted once and shown once.
    #[test]
    fn what_is_counted_and_shown_is_what_the_store_holds(store in store(), happenings in happenings()) {
        let (seen, early) = (Seen::default(), Early::default());
        early.open();
        let told = play(&store, &happenings, (&seen, &early), Repeats::Never);
        prop_assert_eq!(told.counted, store.len());
        prop_assert_eq!(told.shown, in_store(&store));
        prop_assert!(early.0.balances.lock().unwrap().open.is_empty() || told.tailed.values().sum::<usize>() < store.len());
    }

    /// A service that hands an event out twice shows it twice; the count stays the store's.
    #[test]
    fn repeats_of_the_tail_are_never_counted(store in store(), happenings in happenings()) {
        let (seen, early) = (Seen::default(), Early::default());
        early.open();
        let told = play(&store, &happenings, (&seen, &early), Repeats::Sometimes);
        prop_assert_eq!(told.counted, store.len());
        for (key, held) in in_store(&store) {
            let tailed = told.tailed.get(&key).copied().unwrap_or_default();
            prop_assert_eq!(told.shown.get(&key).copied().unwrap_or_default(), held.max(tailed));
        }
    }

    /// A memory too small for what is open forgets, and then a line may be seen twice: none is missed, none miscounted.
    #[test]
    fn forgetting_costs_a_second_look_and_no_count(store in store(), happenings in happenings()) {
        let (seen, early) = (Seen::default(), Early::at_most(1));
        early.open();
        let told = play(&store, &happenings, (&seen, &early), Repeats::Never);
        prop_assert_eq!(told.counted, store.len());
        for (key, held) in in_store(&store) {
            prop_assert!(told.shown.get(&key).copied().unwrap_or_default() >= held);
        }
        let balances = early.0.balances.lock().unwrap();
        prop_assert!(balances.open.len() <= 1 && balances.order.len() <= 2);
    }
}

#[test]
fn without_a_session_nothing_is_remembered() {
    let early = Early::default();
    let event = event(1, (0, 0, 0));
    assert_eq!(early.print(&event), None);
    assert_eq!([early.accounted(None), early.accounted(None)], [Sight::First; 2]);
    assert!(early.0.balances.lock().unwrap().open.is_empty());
    early.open();
    assert_eq!(early.tailed(&event), Sight::First);
    assert_eq!(early.clone().accounted(early.print(&event)), Sight::Again, "clones share the memory");
}
