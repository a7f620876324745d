//! Log templates: the constant part of lines that differ only in ids and numbers, counted exactly.
//!
//! One configuration for any source. The head of a line (time, level, thread, process) is taken off and words with digits
//! are masked; what is left is a pattern. Patterns of as many words that mostly agree (as in Drain, He et al. 2017) are one
//! template once a place in them has held several words: two states of one place ("started", "stopped") stay two.

mod header;
mod mask;
mod store;

use std::collections::HashMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::log::{LogLevel, LogLine};
use super::scope::Window;

use store::Store;

pub use mask::BLANK;

/// One template and what was counted of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TemplateCount {
    /// The text with `<*>` where lines differ.
    pub template: String,
    /// The loudest level seen.
    pub level: LogLevel,
    /// Lines of this template.
    pub count: u64,
    /// First seen.
    pub first_at: Timestamp,
    /// Last seen.
    pub last_at: Timestamp,
    /// One line as an example, sanitised and redacted.
    pub example: String,
    /// Lines in each thirtieth of the window, where the window is known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub by_part: Vec<u32>,
}

/// Parts that a window is told in: minutes of the half hour.
pub const PARTS: u32 = 30;

/// Templates kept at most; lines that would need one more are counted under [`BLANK`].
const MOST: usize = 2_000;
/// Patterns remembered at most, to find their template without comparing.
const REMEMBERED: usize = 20_000;
/// The longest example kept, in bytes.
const EXAMPLE: usize = 512;

/// The number of a template, in the order they were met. Templates that turn out to be one keep the lower number:
/// [`Miner::settled`] tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TemplateNumber(pub usize);

/// Mines templates from a stream of lines. Every line is counted once, so the counts add up to the lines.
#[derive(Clone, Debug, Default)]
pub struct Miner {
    store: Store,
    known: HashMap<Box<str>, usize>,
    counts: Vec<TemplateCount>,
    rest: Option<usize>,
    pattern: String,
    window: Option<Window>,
}

impl Miner {
    /// A miner that tells when in the window the lines of each template were written.
    pub fn over(window: Window) -> Self {
        Self { window: Some(window), ..Self::default() }
    }

    /// Counts a line under its template and answers which, as far as is known now.
    pub fn add(&mut self, line: &LogLine) -> TemplateNumber {
        let mut pattern = std::mem::take(&mut self.pattern);
        mask::masked(header::message(&line.text), &mut pattern);
        let at = match self.known.get(pattern.as_str()) {
            Some(at) => self.store.settled(*at),
            None => self.place(&pattern, line),
        };
        self.pattern = pattern;
        let part = self.window.and_then(|window| part(window, line.at));
        if let Some(count) = self.counts.get_mut(at) {
            count.count += 1;
            count.level = count.level.max(line.level);
            count.first_at = count.first_at.min(line.at);
            count.last_at = count.last_at.max(line.at);
            if let Some(part) = part {
                count.by_part.resize(PARTS as usize, 0);
                if let Some(lines) = count.by_part.get_mut(part) {
                    *lines += 1;
                }
            }
        }
        TemplateNumber(at)
    }

    /// The number a template goes by in the end.
    pub fn settled(&self, number: TemplateNumber) -> TemplateNumber {
        TemplateNumber(self.store.settled(number.0))
    }

    /// How many templates there are.
    pub fn len(&self) -> usize {
        self.store.live().count()
    }

    /// Whether no line was added.
    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    /// The templates by number.
    pub fn numbered(&self) -> Vec<(TemplateNumber, TemplateCount)> {
        let told = |at: usize| {
            let count = self.counts.get(at)?;
            Some((TemplateNumber(at), TemplateCount { template: self.store.text(at), ..count.clone() }))
        };
        self.store.live().filter_map(told).collect()
    }

    /// The templates, louder first among equals, most lines first.
    pub fn counts(&self) -> Vec<TemplateCount> {
        let mut counts: Vec<TemplateCount> = self.numbered().into_iter().map(|(_, count)| count).collect();
        counts.sort_by(|a, b| {
            b.count.cmp(&a.count).then(b.level.cmp(&a.level)).then_with(|| a.template.cmp(&b.template))
        });
        counts
    }

    /// Finds or makes the template of a pattern not met before.
    fn place(&mut self, pattern: &str, line: &LogLine) -> usize {
        let at = match self.store.find(pattern) {
            Some(at) => at,
            None if self.counts.len() >= MOST => self.rest(line),
            None => self.push(pattern, line),
        };
        if self.known.len() < REMEMBERED {
            self.known.insert(pattern.into(), at);
        }
        at
    }

    fn rest(&mut self, line: &LogLine) -> usize {
        if let Some(at) = self.rest {
            return at;
        }
        let at = self.store.push_alone(BLANK);
        self.counts.push(counted(line));
        self.rest = Some(at);
        at
    }

    fn push(&mut self, pattern: &str, line: &LogLine) -> usize {
        self.counts.push(counted(line));
        let (at, joined) = self.store.push(pattern);
        for from in joined {
            let Some(part) = self.counts.get(from).cloned() else { continue };
            if let Some(whole) = self.counts.get_mut(at) {
                whole.count += part.count;
                whole.level = whole.level.max(part.level);
                whole.first_at = whole.first_at.min(part.first_at);
                whole.last_at = whole.last_at.max(part.last_at);
                whole.by_part.resize(whole.by_part.len().max(part.by_part.len()), 0);
                whole.by_part.iter_mut().zip(&part.by_part).for_each(|(whole, part)| *whole += part);
            }
        }
        at
    }
}

fn counted(line: &LogLine) -> TemplateCount {
    let end = (0..=EXAMPLE.min(line.text.len())).rev().find(|at| line.text.is_char_boundary(*at)).unwrap_or(0);
    TemplateCount {
        template: String::new(),
        level: line.level,
        count: 0,
        first_at: line.at,
        last_at: line.at,
        example: line.text[..end].to_owned(),
        by_part: Vec::new(),
    }
}

/// The part of a window that an instant is in.
fn part(window: Window, at: Timestamp) -> Option<usize> {
    let length = window.seconds();
    let into = at.as_second().checked_sub(window.from.as_second()).filter(|_| window.contains(at) && length > 0)?;
    let part = (into.saturating_mul(i64::from(PARTS)) / length).clamp(0, i64::from(PARTS) - 1);
    usize::try_from(part).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn line(text: &str) -> LogLine {
        LogLine {
            id: "e".into(),
            at: Timestamp::UNIX_EPOCH,
            group: "/g".into(),
            stream: "s".into(),
            level: LogLevel::Info,
            text: text.into(),
            kill: None,
        }
    }

    fn mined(texts: &[&str]) -> Vec<(String, u64)> {
        let mut miner = Miner::default();
        for text in texts {
            miner.add(&line(text));
        }
        miner.counts().into_iter().map(|count| (count.template, count.count)).collect()
    }

    #[test]
    fn ids_numbers_and_times_are_masked() {
        let found = mined(&[
            "2026-05-01T09:30:51.204Z INFO GET /v1/orders/88121 200 41ms trace=9f8e7d",
            "2026-05-01T09:31:02.001Z INFO GET /v1/orders/17 200 7ms trace=00aa11",
            "GC(4123) Pause Full (G1 Compaction Pause) 380M->369M(384M) 812.3ms",
            "GC(4124) Pause Full (G1 Compaction Pause) 381M->370M(384M) 900.1ms",
        ]);
        assert_eq!(
            found,
            [
                ("GC(<*>) Pause Full (<*> Compaction Pause) <*>-><*>(<*>) <*>".to_owned(), 2),
                ("GET /<*>/orders/<*> <*> trace=<*>".to_owned(), 2),
            ]
        );
    }

    #[test]
    fn a_place_that_held_several_words_is_blank_and_two_states_stay_two() {
        let found = mined(&[
            "user anna logged in from berlin",
            "worker started cleanly",
            "user ben logged in from paris",
            "worker stopped cleanly",
            "user cleo logged in from oslo",
            "cache warmed in the background now",
            "user dora logged in from rome",
            "user emil logged in from bern",
        ]);
        assert_eq!(found[0], ("user <*> logged in from <*>".to_owned(), 5));
        assert_eq!(found.len(), 4, "{found:?}");
    }

    #[test]
    fn numbers_given_early_are_settled_and_counts_add_up() {
        let mut miner = Miner::default();
        let users = ["anna", "ben", "cleo", "dora", "emil"];
        let given: Vec<TemplateNumber> =
            users.iter().map(|user| miner.add(&line(&format!("hello {user}, welcome back")))).collect();
        assert_ne!(given[0], given[1]);
        assert!(given.iter().all(|number| miner.settled(*number) == TemplateNumber(0)), "{given:?}");
        let told = miner.numbered();
        assert_eq!((told.len(), told[0].0, told[0].1.count), (1, TemplateNumber(0), 5));
    }

    #[test]
    fn lines_are_told_by_the_part_of_the_window() {
        let at = |s: i64| Timestamp::from_second(s).unwrap();
        let mut miner = Miner::over(Window { from: at(0), to: at(1_800) });
        for (second, user) in [(0, "anna"), (59, "ben"), (60, "cleo"), (1_799, "dora"), (1_799, "emil")] {
            miner.add(&LogLine { at: at(second), ..line(&format!("hello {user}, welcome back")) });
        }
        let told = miner.numbered();
        let parts = &told[0].1.by_part;
        assert_eq!((told.len(), parts[0], parts[1], parts[29], parts.iter().sum::<u32>()), (1, 2, 1, 2, 5));
    }

    #[test]
    fn every_line_is_counted_whatever_it_looks_like() {
        let mut miner = Miner::default();
        for n in 0..5_000_u32 {
            let letters: String = n.to_string().bytes().map(|digit| char::from(b'a' + digit - b'0')).collect();
            miner.add(&line(&letters));
        }
        miner.add(&line(""));
        assert_eq!(miner.counts().iter().map(|count| count.count).sum::<u64>(), 5_001);
        assert!(miner.len() <= MOST + 1);
        let settled: u64 = miner.numbered().iter().map(|(_, count)| count.count).sum();
        assert_eq!(settled, 5_001);
    }

    /// Texts of the signs that heads, masks and JSON are made of, and any others.
    fn texts() -> impl Strategy<Value = String> {
        prop_oneof![
            any::<String>(),
            "[\\[\\](){}<>\"'0-9a-zA-Z:|=,./_ +-]{0,60}",
            "(INFO|\\[warn \\]|2026-05-01|09:30:51|Jul|Mon|17|-|\\||host|x\\[3\\]:|\\[a b\\]| ){0,12}",
            "\\{\"(msg|message)\"[: \"a-z\\\\]{0,20}",
        ]
    }

    proptest! {
        #[test]
        fn any_lines_are_survived_and_each_is_counted(texts in prop::collection::vec(texts(), 0..40)) {
            let mut miner = Miner::default();
            let given: Vec<TemplateNumber> = texts.iter().map(|text| miner.add(&line(text))).collect();
            let told = miner.numbered();
            prop_assert_eq!(told.iter().map(|(_, count)| count.count).sum::<u64>(), texts.len() as u64);
            for number in given {
                let settled = miner.settled(number);
                prop_assert!(told.iter().any(|(held, _)| *held == settled));
            }
        }
    }

    #[test]
    fn a_line_of_256_kib_is_mined_like_any_other() {
        let mut miner = Miner::default();
        for long in [
            "a1 ".repeat(87_000),
            "word ".repeat(52_000),
            "[".repeat(262_144),
            "7".repeat(262_144),
            "a.".repeat(131_000),
            "a-".repeat(131_000),
        ] {
            miner.add(&line(&long));
        }
        let told: Vec<u64> = miner.numbered().iter().map(|(_, count)| count.count).collect();
        // Numbers alone are one template, however long.
        assert_eq!(told, [2, 1, 1, 1, 1]);
    }
}
