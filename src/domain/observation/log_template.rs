//! Log templates: the constant part of lines that differ only in ids and numbers, counted exactly.
//!
//! One configuration for any source. Words with digits are masked before lines are compared; lines of as many words
//! whose words mostly agree share a template (after Drain, He et al. 2017, with a flat group in place of its tree).

mod mask;

use std::collections::HashMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::log::{LogLevel, LogLine};

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
}

/// Words compared at most; a longer line is told apart by its beginning.
const WORDS: usize = 48;
/// Templates kept at most; lines that would need one more are counted under [`BLANK`].
const MOST: usize = 2_000;
/// Masked lines remembered at most, to find their template without comparing.
const REMEMBERED: usize = 20_000;
/// The share of words two lines of one template have in common at least.
const ALIKE: f64 = 0.6;
/// The longest example kept, in bytes.
const EXAMPLE: usize = 512;

/// Mines templates from a stream of lines. Every line is counted once, so the counts add up to the lines.
#[derive(Clone, Debug, Default)]
pub struct Miner {
    templates: Vec<Mined>,
    /// Templates by number of words and first word.
    groups: HashMap<(usize, String), Vec<usize>>,
    known: HashMap<String, usize>,
    rest: Option<usize>,
}

#[derive(Clone, Debug)]
struct Mined {
    words: Vec<String>,
    count: TemplateCount,
}

impl Mined {
    fn told(&self) -> TemplateCount {
        TemplateCount { template: self.words.join(" "), ..self.count.clone() }
    }
}

impl Miner {
    /// Counts a line under its template and answers which: templates are numbered from 0 as they are met, for good.
    pub fn add(&mut self, line: &LogLine) -> usize {
        let masked = mask::masked(&line.text);
        let at = match self.known.get(&masked) {
            Some(at) => *at,
            None => self.place(masked, line),
        };
        if let Some(mined) = self.templates.get_mut(at) {
            mined.count.count += 1;
            mined.count.level = mined.count.level.max(line.level);
            mined.count.first_at = mined.count.first_at.min(line.at);
            mined.count.last_at = mined.count.last_at.max(line.at);
        }
        at
    }

    /// How many templates there are.
    pub fn len(&self) -> usize {
        self.templates.len()
    }

    /// Whether no line was added.
    pub fn is_empty(&self) -> bool {
        self.templates.is_empty()
    }

    /// The templates as they are numbered.
    pub fn numbered(&self) -> Vec<TemplateCount> {
        self.templates.iter().map(Mined::told).collect()
    }

    /// The templates, louder first among equals, most lines first.
    pub fn counts(&self) -> Vec<TemplateCount> {
        let mut counts = self.numbered();
        counts.sort_by(|a, b| {
            b.count.cmp(&a.count).then(b.level.cmp(&a.level)).then_with(|| a.template.cmp(&b.template))
        });
        counts
    }

    /// Finds or makes the template of a masked line not met before.
    fn place(&mut self, masked: String, line: &LogLine) -> usize {
        let words: Vec<&str> = masked.split(' ').filter(|word| !word.is_empty()).take(WORDS).collect();
        let head = words.iter().find(|word| !word.contains(BLANK)).copied().unwrap_or_default();
        let key = (words.len(), head.to_owned());
        let best = self
            .groups
            .get(&key)
            .into_iter()
            .flatten()
            .filter_map(|at| Some((*at, alike(&self.templates.get(*at)?.words, &words))))
            .max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)));
        let at = match best {
            Some((at, share)) if share >= ALIKE => {
                self.widen(at, &words);
                at
            }
            _ if self.templates.len() >= MOST => self.rest(line),
            _ => {
                let at = self.push(words.iter().map(|word| (*word).to_owned()).collect(), line);
                self.groups.entry(key).or_default().push(at);
                at
            }
        };
        if self.known.len() < REMEMBERED {
            self.known.insert(masked, at);
        }
        at
    }

    fn widen(&mut self, at: usize, words: &[&str]) {
        let Some(mined) = self.templates.get_mut(at) else { return };
        for (held, word) in mined.words.iter_mut().zip(words) {
            if held != word {
                BLANK.clone_into(held);
            }
        }
    }

    fn rest(&mut self, line: &LogLine) -> usize {
        if let Some(at) = self.rest {
            return at;
        }
        let at = self.push(vec![BLANK.to_owned()], line);
        self.rest = Some(at);
        at
    }

    fn push(&mut self, words: Vec<String>, line: &LogLine) -> usize {
        let end = (0..=EXAMPLE.min(line.text.len())).rev().find(|at| line.text.is_char_boundary(*at)).unwrap_or(0);
        self.templates.push(Mined {
            words,
            count: TemplateCount {
                template: String::new(),
                level: line.level,
                count: 0,
                first_at: line.at,
                last_at: line.at,
                example: line.text[..end].to_owned(),
            },
        });
        self.templates.len() - 1
    }
}

/// The share of places where two lines have the same word.
fn alike(held: &[String], words: &[&str]) -> f64 {
    let same = held.iter().zip(words).filter(|(held, word)| held == *word).count();
    same as f64 / words.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> LogLine {
        LogLine {
            id: "e".into(),
            at: Timestamp::UNIX_EPOCH,
            group: "/g".into(),
            stream: "s".into(),
            level: LogLevel::Info,
            text: text.to_owned(),
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
                ("<*> INFO GET /<*>/orders/<*> <*> <*> trace=<*>".to_owned(), 2),
                ("GC(<*>) Pause Full (<*> Compaction Pause) <*>-><*>(<*>) <*>".to_owned(), 2),
            ]
        );
    }

    #[test]
    fn a_word_that_differs_becomes_blank_and_strangers_stay_apart() {
        let found = mined(&[
            "user anna logged in from berlin",
            "user ben logged in from paris",
            "cache warmed in the background now",
        ]);
        assert_eq!(found[0], ("user <*> logged in from <*>".to_owned(), 2));
        assert_eq!(found.len(), 2);
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
    }
}
