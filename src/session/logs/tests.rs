//! The ring against its slow definition, and the counts that must not depend on it.

use jiff::SignedDuration;
use proptest::prelude::*;

use super::*;
use crate::domain::observation::log::{LogEventId, LogLevel};

fn at(ms: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_millis(ms)
}

fn line(group: &str, (ms, id): (i64, u64), text: &str) -> LogLine {
    LogLine {
        id: LogEventId::new(id.to_string()),
        at: at(ms),
        group: group.into(),
        stream: "pod".into(),
        level: LogLevel::Info,
        text: text.into(),
        kill: None,
    }
}

fn fold(board: &mut LogBoard, lines: &[LogLine]) {
    for group in ["/a", "/b"] {
        let own: Vec<LogLine> = lines.iter().filter(|line| line.group.as_str() == group).cloned().collect();
        let mut summary = BatchSummary::default();
        summary.extend(own.clone());
        board.fold_batch(&group.into(), &summary, &own);
    }
}

fn shown(board: &LogBoard) -> Vec<LogLine> {
    board.lines().iter().map(|stored| stored.line.as_ref().clone()).collect()
}

/// The newest lines by time and id whose bytes fit: what the ring must hold, told the slow way.
fn newest(lines: &[LogLine], cap: usize) -> Vec<LogLine> {
    let mut sorted = lines.to_vec();
    sorted.sort_by_key(|line| (line.at, line.id.clone(), line.group.clone()));
    let mut bytes = 0;
    let fits = sorted.iter().rev().take_while(|line| {
        bytes += StoredLine { number: 0, line: Arc::new((*line).clone()) }.bytes();
        bytes <= cap
    });
    let held = fits.count();
    sorted.split_off(sorted.len() - held)
}

/// Up to 60 lines of two groups, each id once, with many of one millisecond, in any order.
fn lines() -> impl Strategy<Value = Vec<LogLine>> {
    let one = (any::<bool>(), 0_i64..12, 0_usize..400);
    prop::collection::vec(one, 0..60).prop_map(|all| {
        let numbered = all.into_iter().zip(0_u64..);
        numbered
            .map(|((second, ms, long), id)| {
                line(if second { "/a" } else { "/b" }, (ms * 400, id * 7 % 113), &"x".repeat(long))
            })
            .collect()
    })
}

proptest! {
    #[test]
    fn order_and_pages_do_not_matter(
        given in lines(),
        order in prop::collection::vec(any::<u32>(), 60),
        pages in prop::collection::vec(1_usize..9, 60),
        cap in 0_usize..15_000,
    ) {
        let mut shuffled: Vec<(u32, LogLine)> = order.into_iter().zip(given.clone()).collect();
        shuffled.sort_by_key(|(place, _)| *place);
        let mut rest: Vec<LogLine> = shuffled.into_iter().map(|(_, line)| line).collect();
        let mut board = LogBoard::with_cap(cap);
        for page in pages {
            let more = rest.split_off(page.min(rest.len()));
            fold(&mut board, &rest);
            rest = more;
        }
        fold(&mut board, &rest);
        prop_assert_eq!(shown(&board), newest(&given, cap));
        prop_assert_eq!(board.received(), board.lines().len() as u64 + board.evicted());
        prop_assert_eq!(board.total.lines, given.len() as u64);
        for name in ["/a", "/b"] {
            let own = || given.iter().filter(|line| line.group.as_str() == name);
            let held = board.lines().iter().filter(|stored| stored.line.group.as_str() == name).count() as u64;
            let Some(group) = board.group(&name.into()) else { continue };
            prop_assert_eq!(group.received(), own().count() as u64);
            prop_assert_eq!((group.received(), group.held()), (held + group.evicted(), held));
            let recent = own().filter(|line| (at(2_000)..at(4_000)).contains(&line.at)).count() as u64;
            prop_assert_eq!(group.rate(at(4_800), 2), recent, "the rate knows nothing of the ring");
        }
    }
}

#[test]
fn a_late_line_of_the_same_millisecond_goes_by_its_id() {
    let mut board = LogBoard::default();
    fold(&mut board, &[line("/a", (5, 9), "ninth"), line("/a", (5, 11), "eleventh")]);
    fold(&mut board, &[line("/b", (5, 10), "tenth")]);
    let texts: Vec<String> = shown(&board).into_iter().map(|line| line.text.into()).collect();
    assert_eq!(texts, ["ninth", "tenth", "eleventh"]);
    let numbers: Vec<u64> = board.lines().iter().map(|stored| stored.number).collect();
    assert_eq!(numbers, [0, 2, 1], "a number tells when a line came");
}

#[test]
fn a_line_of_the_future_does_not_stop_the_rate() {
    let mut board = LogBoard::default();
    let hours = 7_200_000;
    let mut all = vec![line("/a", (hours, 1), "skewed")];
    all.extend((0..300_u64).map(|n| line("/a", (i64::try_from(n).unwrap() * 1_000, n), "x")));
    fold(&mut board, &all);
    let group = board.group(&"/a".into()).unwrap();
    assert_eq!(group.rate(at(299_500), 10), 10);
}

#[test]
fn each_group_knows_what_came_since() {
    let mut board = LogBoard::default();
    fold(&mut board, &[line("/a", (1, 1), ""), line("/b", (1, 2), ""), line("/a", (2, 3), "")]);
    let frozen = board.received();
    fold(&mut board, &[line("/a", (3, 4), "")]);
    fold(&mut board, &[line("/a", (4, 5), ""), line("/b", (4, 6), ""), line("/b", (4, 7), "")]);
    let since = |group: &str, number| board.group(&group.into()).unwrap().received_since(number);
    assert_eq!((since("/a", frozen), since("/b", frozen)), (2, 2));
    assert_eq!((since("/a", 0), since("/b", 0)), (4, 3));
    assert_eq!((since("/a", 1), since("/a", board.received())), (3, 0));
}
