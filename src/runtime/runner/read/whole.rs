//! A window too large to page: counted whole by Logs Insights, and the lines that tell of memory read one by one.

use std::time::Duration;

use jiff::SignedDuration;

use crate::adapters::aws::insights::{Finished, InsightsQuery, Patience, counting, finding, run};
use crate::domain::diagnosis::evidence::WholeCount;
use crate::domain::fault::Fault;
use crate::domain::observation::log::{Completeness, LogGroup, LogLine, ingest};
use crate::domain::observation::oom_kill;
use crate::domain::observation::scope::Window;
use crate::runtime::runner::Means;
use crate::runtime::runner::patience::persist;

/// What a line that names an error says, in any case. Coarser than the levels that lines are read by.
const ERROR_WORDS: [&str; 5] = ["error", "fatal", "critical", "severe", "panic"];

/// What Insights says of a window.
#[derive(Debug)]
pub struct Whole {
    /// The counts.
    pub count: WholeCount,
    /// The lines that hold a word of memory running out; whether they tell of it is for `ingest` to say, as everywhere.
    pub signs: Vec<LogLine>,
    /// Whether these are all of them.
    pub completeness: Completeness,
}

/// Asks three queries, one after another: each scans the window once, and is charged for it.
pub async fn count(means: &Means, groups: &[LogGroup], window: Window) -> Result<Whole, Fault> {
    let words: Vec<&str> = oom_kill::wordings().collect();
    let lines = ask(means, groups, window, counting(&[])).await?.minutes().map_err(|error| error.fault())?;
    let errors = ask(means, groups, window, counting(&ERROR_WORDS)).await?.minutes().map_err(|error| error.fault())?;
    let found = ask(means, groups, window, finding(&words)).await?.lines(groups).map_err(|error| error.fault())?;
    let busiest = lines.by_minute.iter().max_by_key(|(at, count)| (**count, std::cmp::Reverse(**at)));
    let count = WholeCount {
        lines: lines.total(),
        error_lines: errors.total(),
        busiest: busiest.map(|(at, count)| (*at, *count)),
        scanned_bytes: lines.scanned + errors.scanned + found.scanned,
        query: counting(&[]),
    };
    let signs = found.events.into_iter().map(|(group, raw)| ingest(raw, &group)).collect();
    Ok(Whole { count, signs, completeness: found.completeness })
}

async fn ask(means: &Means, groups: &[LogGroup], window: Window, text: String) -> Result<Finished, Fault> {
    let query = InsightsQuery { groups: groups.to_vec(), window, text };
    let Some(shown) = groups.first() else { return Ok(Finished::default()) };
    // A query that is refused for the moment is shown as a wait of the log pane.
    persist(means, shown, || async {
        let clients = means.outside.aws().await?;
        match run(clients, &query, Patience::default(), |wait| pause(means, wait)).await {
            Ok(finished) => Ok(Ok(finished)),
            Err(error) if error.is_transient() => Err(error.fault()),
            // Another query would scan as much and take as long.
            Err(error) => Ok(Err(error.fault())),
        }
    })
    .await?
}

async fn pause(means: &Means, wait: Duration) {
    let wait = SignedDuration::try_from(wait).unwrap_or(SignedDuration::MAX);
    means.clock.rest_until(means.clock.now().saturating_add(wait).unwrap_or(jiff::Timestamp::MAX)).await;
}
