//! CloudWatch Logs Insights: counts over windows that are too large to page, and the few lines that tell of memory.
//!
//! Charged by the data a query scans, so it is asked only where paging does not reach. A query that nobody waits for any
//! more is stopped: it would go on scanning.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::time::Duration;

use aws_sdk_cloudwatchlogs::operation::get_query_results::GetQueryResultsOutput;
use aws_sdk_cloudwatchlogs::types::QueryStatus;
use jiff::Timestamp;
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::call::{CallError, Step};
use super::clients::Clients;
use crate::adapters::budget::Family;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::observation::log::{Completeness, LogEventId, LogGroup, RawLogEvent};
use crate::domain::observation::scope::Window;

mod farewell;
mod rows;

pub use farewell::Farewells;

/// The wait after a refused look doubles so often.
const LONGEST_WAIT: u32 = 4;
/// Rows a query answers at most, by the API.
const MOST_ROWS: i32 = 10_000;

/// Why a query gave no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InsightsError {
    /// It was not taken.
    #[error("the query was not started")]
    StartQuery(#[source] CallError),
    /// Its results could not be read.
    #[error("the results of the query could not be read (look {look})")]
    GetResults {
        /// From 1.
        look: u32,
        /// Why.
        source: CallError,
    },
    /// It ended without a result.
    #[error("the query ended as {0}")]
    Ended(QueryEnd),
    /// It was not done in our time, and was stopped.
    #[error("the query was not done after {looks} looks")]
    Overdue {
        /// How often it was looked at.
        looks: u32,
    },
    /// A row is not what was asked for.
    #[error("the rows of the query could not be read: {0}")]
    ReadRows(String),
}

/// How a query ended that has no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueryEnd {
    /// It failed on their side.
    Failed,
    /// Somebody cancelled it.
    Cancelled,
    /// It took longer than the service grants.
    TimedOut,
}

impl fmt::Display for QueryEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::TimedOut => "timed out",
        })
    }
}

impl InsightsError {
    /// The class.
    pub fn kind(&self) -> FaultKind {
        match self {
            Self::StartQuery(source) | Self::GetResults { source, .. } => source.kind(),
            Self::Ended(QueryEnd::Failed) => FaultKind::Unavailable,
            Self::Ended(QueryEnd::Cancelled) => FaultKind::Cut,
            Self::Ended(QueryEnd::TimedOut) | Self::Overdue { .. } => FaultKind::Timeout,
            Self::ReadRows(_) => FaultKind::Malformed,
        }
    }

    /// Whether asking again, later and unchanged, may succeed. What took too long would take as long, and is charged again.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Overdue { .. } | Self::Ended(QueryEnd::TimedOut) => false,
            Self::StartQuery(_) | Self::GetResults { .. } | Self::Ended(_) | Self::ReadRows(_) => {
                self.kind().is_transient()
            }
        }
    }

    /// As a person reads it.
    pub fn fault(&self) -> Fault {
        match self {
            Self::StartQuery(source) => source
                .fault(Step { summary: "The Logs Insights query was not started.", action: "logs:StartQuery" })
                .hint("`log.large_windows = \"truncated\"` leaves Logs Insights out."),
            Self::GetResults { source, .. } => source.fault(Step {
                summary: "The results of the Logs Insights query could not be read.",
                action: "logs:GetQueryResults",
            }),
            Self::Ended(end) => Fault::new(self.kind(), format!("The Logs Insights query ended as {end}.")),
            Self::Overdue { looks } => Fault::new(
                self.kind(),
                format!("The Logs Insights query was not done after {looks} looks; it was stopped."),
            )
            .hint("Read a shorter window: `--minutes` or `evidence.minutes`."),
            Self::ReadRows(why) => {
                Fault::new(self.kind(), "The rows of the Logs Insights query could not be read.").cause(why.clone())
            }
        }
    }
}

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InsightsQuery {
    /// In which groups.
    pub groups: Vec<LogGroup>,
    /// Over which window; the API knows whole seconds alone, so that it is widened to them.
    pub window: Window,
    /// The query, in the language of Insights.
    pub text: String,
}

/// How often a query is looked at before it counts as overdue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// Between two looks.
    pub pause: Duration,
    /// Looks at most.
    pub looks: u32,
}

impl Default for Patience {
    /// A minute of looks, one a second.
    fn default() -> Self {
        Self { pause: Duration::from_secs(1), looks: 60 }
    }
}

/// A finished query.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Finished {
    /// Its rows, by field.
    pub rows: Vec<BTreeMap<String, String>>,
    /// Events that it matched, of which the rows may be a part or a summary.
    pub matched: u64,
    /// Bytes it was charged for.
    pub scanned: u64,
}

/// Runs a query to its end and reads every row. `pause` waits between two looks, so that the caller's clock decides.
/// Dropping the future stops the query. A look that is refused for the moment counts as one, and the query goes on: it is
/// charged by then. Takes one turn of [`Family::Insights`] a call.
pub async fn run<P, F>(
    clients: &Clients,
    query: &InsightsQuery,
    patience: Patience,
    pause: P,
) -> Result<Finished, InsightsError>
where
    P: Fn(Duration) -> F,
    F: Future<Output = ()>,
{
    let mut running = start(clients, query).await?;
    let mut looks = Looks { patience, pause, made: 0 };
    while looks.made < patience.looks {
        (looks.pause)(patience.pause).await;
        let Some(answer) = looks.answer(clients, &running, None).await? else { break };
        match answer.status() {
            Some(QueryStatus::Complete) => {
                running.over();
                return rest(clients, &running, answer, &mut looks).await;
            }
            Some(QueryStatus::Failed) => return Err(running.ended(QueryEnd::Failed)),
            Some(QueryStatus::Cancelled) => return Err(running.ended(QueryEnd::Cancelled)),
            Some(QueryStatus::Timeout) => return Err(running.ended(QueryEnd::TimedOut)),
            // Scheduled, running, or not known yet.
            _ => {}
        }
    }
    running.over();
    stop(clients, &running.id).await;
    Err(InsightsError::Overdue { looks: patience.looks })
}

/// A query that goes on scanning until it is over or stopped.
struct Running {
    clients: Clients,
    id: String,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Scanning,
    Over,
}

impl Running {
    fn over(&mut self) {
        self.state = State::Over;
    }

    fn ended(&mut self, end: QueryEnd) -> InsightsError {
        self.over();
        InsightsError::Ended(end)
    }
}

impl Drop for Running {
    #[expect(
        clippy::disallowed_methods,
        reason = "nothing can be waited for here; whoever leaves waits for the farewell"
    )]
    fn drop(&mut self) {
        let Ok(runtime) = Handle::try_current() else { return };
        if self.state == State::Scanning {
            let (clients, id) = (self.clients.clone(), std::mem::take(&mut self.id));
            let farewell = clients.farewells.begin();
            // Whoever waited is gone: it is one call, ends by its time-out, and whoever leaves waits a moment for it.
            drop(runtime.spawn(async move {
                stop(&clients, &id).await;
                drop(farewell);
            }));
        }
    }
}

/// Starts a query beside the caller: where that one goes while the request is on its way, the answer still comes, and what it
/// names is stopped.
#[expect(
    clippy::disallowed_methods,
    reason = "it outlives its caller on purpose; whoever leaves waits for the farewell"
)]
async fn start(clients: &Clients, query: &InsightsQuery) -> Result<Running, InsightsError> {
    clients.turn(Family::Insights).await;
    let (asker, started) = oneshot::channel();
    let (clients, query) = (clients.clone(), query.clone());
    let farewell = clients.farewells.begin();
    drop(Handle::current().spawn(async move {
        // What nobody takes is dropped here, and so stopped.
        drop(asker.send(started_now(&clients, &query).await));
        drop(farewell);
    }));
    let lost = |_| InsightsError::StartQuery(CallError::Cut("the call was given up".to_owned()));
    started.await.map_err(lost)?
}

async fn started_now(clients: &Clients, query: &InsightsQuery) -> Result<Running, InsightsError> {
    let names = query.groups.iter().map(|group| group.arn().unwrap_or(group.as_str()).to_owned()).collect();
    let request = clients.logs.start_query();
    // Identifiers may be names as well, and only they may be ARNs.
    let request = if query.groups.iter().any(|group| group.arn().is_some()) {
        request.set_log_group_identifiers(Some(names))
    } else {
        request.set_log_group_names(Some(names))
    };
    let request = request
        .start_time(query.window.from.as_second())
        .end_time(whole_second_after(query.window.to))
        .query_string(&query.text)
        .limit(MOST_ROWS);
    let answer = request.send().await.map_err(|error| InsightsError::StartQuery(CallError::of(&error)))?;
    let unnamed = || InsightsError::StartQuery(CallError::Malformed("the answer names no query".to_owned()));
    let id = answer.query_id.filter(|id| !id.is_empty()).ok_or_else(unnamed)?;
    Ok(Running { clients: clients.clone(), id, state: State::Scanning })
}

/// The second that an instant ends in: a part of one would not be asked for.
fn whole_second_after(at: Timestamp) -> i64 {
    at.as_second() + i64::from(at.subsec_nanosecond() > 0)
}

/// The looks at one query.
struct Looks<P> {
    patience: Patience,
    pause: P,
    made: u32,
}

impl<P, F> Looks<P>
where
    P: Fn(Duration) -> F,
    F: Future<Output = ()>,
{
    /// Looks until there is an answer; none where all the looks were refused for the moment.
    async fn answer(
        &mut self,
        clients: &Clients,
        running: &Running,
        token: Option<&str>,
    ) -> Result<Option<GetQueryResultsOutput>, InsightsError> {
        let mut refused = 0;
        while self.made < self.patience.looks {
            self.made += 1;
            match results(clients, running, token, self.made).await {
                Err(error) if error.is_transient() => {
                    refused += 1;
                    (self.pause)(self.patience.pause * 2_u32.pow(refused.min(LONGEST_WAIT))).await;
                }
                answer => return answer.map(Some),
            }
        }
        Ok(None)
    }
}

async fn results(
    clients: &Clients,
    running: &Running,
    token: Option<&str>,
    look: u32,
) -> Result<GetQueryResultsOutput, InsightsError> {
    clients.turn(Family::Insights).await;
    let request = clients.logs.get_query_results().query_id(&running.id).set_next_token(token.map(str::to_owned));
    request.send().await.map_err(|error| InsightsError::GetResults { look, source: CallError::of(&error) })
}

/// The rows of a finished query, page by page.
async fn rest<P, F>(
    clients: &Clients,
    running: &Running,
    mut answer: GetQueryResultsOutput,
    looks: &mut Looks<P>,
) -> Result<Finished, InsightsError>
where
    P: Fn(Duration) -> F,
    F: Future<Output = ()>,
{
    let mut finished = Finished::default();
    loop {
        if let Some(statistics) = answer.statistics() {
            finished.matched = statistics.records_matched() as u64;
            finished.scanned = statistics.bytes_scanned() as u64;
        }
        finished.rows.extend(answer.results().iter().map(|row| rows::by_field(row)));
        let Some(token) = answer.next_token.filter(|token| !token.is_empty()) else { return Ok(finished) };
        // Pages are not looks that wait: each may have as many.
        looks.made = 0;
        let overdue = InsightsError::Overdue { looks: looks.patience.looks };
        let next = looks.answer(clients, running, Some(&token)).await?.ok_or(overdue)?;
        if next.next_token() == Some(token.as_str()) {
            let source = CallError::Malformed("the same page was offered twice".to_owned());
            return Err(InsightsError::GetResults { look: looks.made, source });
        }
        answer = next;
    }
}

/// A query that cannot be stopped ends by itself; nobody can do more about it. It waits for no turn of the budget: who leaves
/// has no time for one, and it ends more calls than it is.
async fn stop(clients: &Clients, id: &str) {
    if let Err(error) = clients.logs.stop_query().query_id(id).send().await {
        tracing::warn!(cause = %CallError::of(&error), "a Logs Insights query could not be stopped");
    }
}

/// Lines by the minute.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MinuteCounts {
    /// By the start of the minute.
    pub by_minute: BTreeMap<Timestamp, u64>,
    /// Bytes it was charged for.
    pub scanned: u64,
}

impl MinuteCounts {
    /// All of them.
    pub fn total(&self) -> u64 {
        self.by_minute.values().sum()
    }
}

/// Lines that were asked for one by one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundLines {
    /// The lines; their ids are pointers of Insights.
    pub events: Vec<(LogGroup, RawLogEvent)>,
    /// Whether these are all.
    pub completeness: Completeness,
    /// Bytes it was charged for.
    pub scanned: u64,
}

/// The query that counts lines by the minute; with `words` those that contain one of them, in any case.
pub fn counting(words: &[&str]) -> String {
    let count = "stats count(*) as lines by bin(1m)";
    if words.is_empty() { count.to_owned() } else { format!("filter @message like {} | {count}", any_of(words)) }
}

/// The query that finds the lines that contain one of the words, in any case.
pub fn finding(words: &[&str]) -> String {
    format!(
        "fields @timestamp, @logStream, @log, @message | filter @message like {} | sort @timestamp asc | limit {MOST_ROWS}",
        any_of(words)
    )
}

/// A regular expression that any of the words fulfils, in any case.
fn any_of(words: &[&str]) -> String {
    let escaped = words.iter().map(|word| {
        let letter = |letter: char| {
            let plain = letter.is_alphanumeric() || matches!(letter, ' ' | '_' | ':' | '=' | '-');
            if plain { letter.to_string() } else { format!("\\{letter}") }
        };
        word.chars().map(letter).collect::<String>()
    });
    format!("/(?i)({})/", escaped.collect::<Vec<_>>().join("|"))
}

impl Finished {
    /// As the answer to [`counting`].
    pub fn minutes(&self) -> Result<MinuteCounts, InsightsError> {
        let by_minute =
            self.rows.iter().map(rows::minute).collect::<Result<_, _>>().map_err(InsightsError::ReadRows)?;
        Ok(MinuteCounts { by_minute, scanned: self.scanned })
    }

    /// As the answer to [`finding`] over these groups.
    pub fn lines(&self, groups: &[LogGroup]) -> Result<FoundLines, InsightsError> {
        let read = |row: &BTreeMap<String, String>| rows::line(row, groups);
        let events: Vec<_> = self.rows.iter().map(read).collect::<Result<_, _>>().map_err(InsightsError::ReadRows)?;
        let seen = events.len() as u64;
        let completeness = if self.matched > seen || self.rows.len() >= MOST_ROWS as usize {
            Completeness::Truncated { seen, of: Some(self.matched.max(seen)) }
        } else {
            Completeness::Exact
        };
        Ok(FoundLines { events, completeness, scanned: self.scanned })
    }
}

/// An id for a line without a pointer.
fn id_of(pointer: Option<&String>, place: usize) -> LogEventId {
    pointer.map_or_else(|| LogEventId::new(format!("insights/{place}")), |pointer| LogEventId::new(pointer.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::observation::oom_kill;

    #[test]
    fn every_word_is_found_as_it_stands() {
        assert_eq!(counting(&[]), "stats count(*) as lines by bin(1m)");
        let query = counting(&["oom-kill:constraint=", "std::bad_alloc", "a.b"]);
        assert_eq!(
            query,
            r"filter @message like /(?i)(oom-kill:constraint=|std::bad_alloc|a\.b)/ | stats count(*) as lines by bin(1m)"
        );
        let words: Vec<&str> = oom_kill::wordings().collect();
        assert!(words.iter().all(|word| !word.contains('/')), "a slash would end the expression");
        assert!(finding(&words).len() < 10_000, "the API takes 10,000 characters");
    }

    #[test]
    fn rows_that_do_not_show_all_that_matched_are_told_as_cut() {
        let row = |n: u64| {
            [
                ("@timestamp", format!("2026-05-01 09:30:00.{n:03}")),
                ("@message", format!("OOMKilled {n}")),
                ("@ptr", format!("p{n}")),
            ]
            .map(|(field, value)| (field.to_owned(), value))
            .into()
        };
        let finished = Finished { rows: (0..3).map(row).collect(), matched: 3, scanned: 9 };
        let groups = [LogGroup::from("/ecs/my-api")];
        let found = finished.lines(&groups).unwrap();
        assert_eq!((found.completeness, found.events.len()), (Completeness::Exact, 3));
        let cut = Finished { matched: 7, ..finished }.lines(&groups).unwrap();
        assert_eq!(cut.completeness, Completeness::Truncated { seen: 3, of: Some(7) });
    }
}
