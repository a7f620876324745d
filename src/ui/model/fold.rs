//! The log pane folded: its lines by template, counted as they come.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::anchors::Anchors;
use super::rows::LineAnchor;
use super::walk::Walk;
use crate::domain::observation::log::LogGroup;
use crate::domain::observation::log_template::{Miner, TemplateCount, TemplateNumber};
use crate::session::logs::{LogBoard, StoredLine};
use crate::ui::search::{Search, Shown, shows};

/// Lines folded between two frames at most, of those that were held when folding began.
const MOST: usize = 10_000;
/// The counts on screen are as old as this at most.
const RETOLD_MS: u64 = 250;

/// Lines by template. Templates are numbered as they are met; those that turn out to be one keep the lower number, and
/// the other number stands for it.
#[derive(Clone, Debug, Default)]
pub struct Fold {
    groups: Vec<LogGroup>,
    /// What lines are folded: all, or those that match this.
    search: Option<Search>,
    walk: Walk,
    miner: Miner,
    lines: Vec<Anchors>,
    templates: BTreeMap<usize, TemplateCount>,
    order: Vec<usize>,
    oldest: Option<Timestamp>,
    met: u64,
    told: Option<(u64, u64)>,
}

impl Fold {
    /// Takes in what came since the last time. Other groups begin anew, and so does another search.
    pub fn refresh(&mut self, board: &LogBoard, (groups, search): (&[&LogGroup], Option<&Search>), mono_ms: u64) {
        let filter = search.filter(|search| search.shown == Shown::Matches && !search.text().is_empty());
        let is_same = self.search.as_ref().map(Search::text) == filter.map(Search::text);
        if !is_same || !self.groups.iter().eq(groups.iter().copied()) {
            let groups = groups.iter().map(|group| (*group).clone()).collect();
            *self = Self { groups, search: filter.cloned(), ..Self::default() };
        }
        let Self { groups, search, walk, miner, lines, oldest, met, .. } = self;
        walk.on(board, MOST, |stored| {
            if !groups.contains(&stored.line.group) || !shows(search.as_ref(), &stored.line.text) {
                return;
            }
            let TemplateNumber(template) = miner.add(&stored.line);
            lines.resize_with(lines.len().max(template + 1), Anchors::default);
            lines[template].put(LineAnchor::of(stored));
            *oldest = Some(oldest.map_or(stored.line.at, |oldest| oldest.min(stored.line.at)));
            *met += 1;
        });
        let due = self.told.is_none_or(|(told_ms, told)| {
            told != self.met && (mono_ms.saturating_sub(told_ms) >= RETOLD_MS || !self.walk.is_done())
        });
        if due {
            self.retell(board);
            self.told = Some((mono_ms, self.met));
        }
    }

    fn retell(&mut self, board: &LogBoard) {
        self.join();
        self.templates = self.miner.numbered().into_iter().map(|(number, found)| (number.0, found)).collect();
        if let Some(first) = board.lines().front() {
            self.lines.iter_mut().for_each(|lines| lines.forget_before(first.line.at));
        }
        // Once everything held is folded the order stays: a row that is read must not move under the eyes.
        let known = self.order.len();
        self.order.retain(|at| self.templates.contains_key(at));
        let new: Vec<usize> = self.templates.keys().filter(|at| !self.order.contains(at)).copied().collect();
        self.order.extend(new);
        if !self.walk.is_done() || known == 0 {
            self.sort();
        }
    }

    /// Gives the lines of templates that were joined to the one they belong to.
    fn join(&mut self) {
        for at in 0..self.lines.len() {
            let into = self.settled(at);
            if into != at {
                let moved = self.lines.get_mut(at).map(std::mem::take).unwrap_or_default();
                let Some(lines) = self.lines.get_mut(into) else { continue };
                lines.join(moved);
            }
        }
    }

    /// The number that a template goes by.
    fn settled(&self, number: usize) -> usize {
        self.miner.settled(TemplateNumber(number)).0
    }

    /// Most lines first, louder first among equals.
    pub fn sort(&mut self) {
        let templates = &self.templates;
        self.order.sort_by_key(|at| {
            let rank = templates.get(at).map(|found| (found.count, found.level));
            (std::cmp::Reverse(rank), *at)
        });
    }

    /// The templates in the order of the screen, with their numbers.
    pub fn rows(&self) -> impl Iterator<Item = (usize, &TemplateCount)> {
        self.order.iter().filter_map(|at| self.templates.get(at).map(|found| (*at, found)))
    }

    /// A template.
    pub fn template(&self, number: usize) -> Option<&TemplateCount> {
        self.templates.get(&self.settled(number))
    }

    /// Whether a line is of a template.
    pub fn holds(&self, number: usize, stored: &StoredLine) -> bool {
        self.lines_of(number).is_some_and(|lines| lines.holds(LineAnchor::of(stored)))
    }

    /// The lines of a template.
    pub fn lines_of(&self, number: usize) -> Option<&Anchors> {
        self.lines.get(self.settled(number))
    }

    /// Lines of a template in the minute before an instant.
    pub fn per_minute(&self, number: usize, now: Timestamp) -> usize {
        self.lines_of(number).map_or(0, |lines| lines.between(now - SignedDuration::from_mins(1), now))
    }

    /// Whether a template was first seen after an instant, of which lines before are known: else nobody can say.
    pub fn is_new_since(&self, number: usize, at: Timestamp) -> bool {
        let known_before = self.oldest.is_some_and(|oldest| oldest < at);
        known_before && self.template(number).is_some_and(|found| found.first_at > at)
    }

    /// What its lines match, if they are not all.
    pub fn search(&self) -> Option<&Search> {
        self.search.as_ref()
    }

    /// Lines folded so far.
    pub fn met(&self) -> u64 {
        self.met
    }

    /// Whether every line that was held is folded.
    pub fn is_done(&self) -> bool {
        self.walk.is_done()
    }
}
