//! One page of a group's account: every line of it is counted, and those that Live Tail has not shown are shown.

use std::sync::Arc;

use crate::adapters::aws::logs::{Print, Sight, Told};
use crate::domain::observation::log::{BatchSummary, LogGroup, LogLine};
use crate::runtime::runner::Means;
use crate::session::event::{Event, LogEvent};

/// A log group, and what of it was handed out so far: each line is counted in every evidence, and shown once.
#[derive(Clone, Debug)]
pub struct ShownGroup {
    /// Which.
    pub group: LogGroup,
    /// Shared with its tail and with the reads of other incidents.
    pub told: Told,
}

/// A page being made up.
pub struct Page<'a> {
    shown: &'a ShownGroup,
    summary: BatchSummary,
    lines: Vec<Arc<LogLine>>,
}

impl<'a> Page<'a> {
    /// An empty page, with how many events of it had been handed out before.
    pub fn new(shown: &'a ShownGroup, duplicates: u64) -> Self {
        Self { shown, summary: BatchSummary { duplicates, ..BatchSummary::default() }, lines: Vec::new() }
    }

    /// Adds a line that is new by its id, with what it is matched by.
    pub fn add(&mut self, print: Option<Print>, line: LogLine) {
        self.summary.add(&line);
        match self.shown.told.early.accounted(print) {
            Sight::First => self.lines.push(Arc::new(line)),
            Sight::Again => {}
        }
    }

    /// Tells of it, if there is anything to tell.
    pub async fn tell(self, means: &Means) {
        let Self { shown, summary, lines } = self;
        if summary.lines > 0 {
            means.post.tell(None, Event::Log(LogEvent::Batch { group: shown.group.clone(), summary, lines })).await;
        }
    }
}
