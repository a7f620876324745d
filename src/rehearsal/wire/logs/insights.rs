//! Logs Insights: queries that are started, asked for until they are complete, and stopped. The language is in
//! `language`, what a query comes to in `run`.

mod cell;
mod expression;
mod language;
mod run;
mod scanner;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::events::texts;
use super::{group_of, invalid};
use crate::rehearsal::wire::aws::Refusal;
use crate::rehearsal::world::Sight;
use language::Plan;
use run::Outcome;

/// Queries at once. The quota of an account; the service's newer default is 100.
const MOST_AT_ONCE: usize = 30;
/// Rows of an answer (API reference).
const MOST_ROWS: usize = 10_000;
/// Groups of a query (API reference).
const MOST_GROUPS: usize = 50;
/// The id of a query that was never started.
pub(super) const NO_QUERY: &str = "00000000-0000-4000-8000-000000000000";
/// How long a query waits, and when it is complete, after it was started.
const SCHEDULED: SignedDuration = SignedDuration::from_millis(300);
const RUNNING: SignedDuration = SignedDuration::from_millis(1_200);

/// The queries of a rehearsal, by id.
#[derive(Debug, Default)]
pub(super) struct Queries(Mutex<BTreeMap<String, Query>>);

#[derive(Debug)]
struct Query {
    asked_at: Timestamp,
    groups: Vec<String>,
    from: Timestamp,
    /// Included.
    to: Timestamp,
    plan: Arc<Plan>,
    is_cancelled: bool,
    outcome: Option<Arc<Outcome>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Status {
    Scheduled,
    Running,
    Complete,
    Cancelled,
}

impl Status {
    fn word(self) -> &'static str {
        match self {
            Self::Scheduled => "Scheduled",
            Self::Running => "Running",
            Self::Complete => "Complete",
            Self::Cancelled => "Cancelled",
        }
    }
}

impl Query {
    fn status(&self, now: Timestamp) -> Status {
        let age = now.duration_since(self.asked_at);
        if self.is_cancelled {
            Status::Cancelled
        } else if age < SCHEDULED {
            Status::Scheduled
        } else if age < RUNNING {
            Status::Running
        } else {
            Status::Complete
        }
    }

    fn is_under_way(&self, now: Timestamp) -> bool {
        matches!(self.status(now), Status::Scheduled | Status::Running)
    }
}

/// `StartQuery`: the window is in seconds and includes its end.
pub(super) fn start(queries: &Queries, sight: &Sight<'_>, input: &Value) -> Result<Value, Refusal> {
    let text = input["queryString"].as_str().ok_or_else(|| invalid("queryString is required."))?;
    if input["queryLanguage"].as_str().is_some_and(|language| language != "CWLI") {
        return Err(invalid("A rehearsal answers queries in the language of Logs Insights only."));
    }
    let groups = groups(sight, input)?;
    let instant = |key: &str| {
        let second = input[key].as_i64().and_then(|second| Timestamp::from_second(second).ok());
        second.ok_or_else(|| invalid(format!("{key} must be in seconds since 1970.")))
    };
    let (from, to) = (instant("startTime")?, instant("endTime")?);
    if from >= to {
        return Err(invalid("Query's end time is before its start time."));
    }
    let limit = match &input["limit"] {
        Value::Null => MOST_ROWS,
        given => {
            let rows = given.as_u64().and_then(|rows| usize::try_from(rows).ok());
            let rows = rows.filter(|rows| (1..=MOST_ROWS).contains(rows));
            rows.ok_or_else(|| invalid(format!("limit must be between 1 and {MOST_ROWS}.")))?
        }
    };
    let plan = language::parse(text, limit).map_err(malformed)?;
    let now = sight.now();
    let mut known = queries.0.lock().unwrap_or_else(PoisonError::into_inner);
    if known.values().filter(|query| query.is_under_way(now)).count() >= MOST_AT_ONCE {
        let message = format!("Account maximum query concurrency limit of [{MOST_AT_ONCE}] reached.");
        return Err(Refusal::invalid("LimitExceededException", message));
    }
    let id = format!("{:08x}-0000-4000-8000-{:012x}", now.as_second() as u32, known.len() + 1);
    let plan = Arc::new(plan);
    known.insert(id.clone(), Query { asked_at: now, groups, from, to, plan, is_cancelled: false, outcome: None });
    Ok(json!({ "queryId": id }))
}

fn groups(sight: &Sight<'_>, input: &Value) -> Result<Vec<String>, Refusal> {
    let lists = [
        input["logGroupName"].as_str().map(|name| vec![name.to_owned()]),
        input["logGroupNames"].is_array().then(|| texts(&input["logGroupNames"])),
        input["logGroupIdentifiers"].is_array().then(|| texts(&input["logGroupIdentifiers"])),
    ];
    let mut given = lists.into_iter().flatten();
    let (Some(names), None) = (given.next(), given.next()) else {
        return Err(invalid("Exactly one of logGroupName, logGroupNames and logGroupIdentifiers is required."));
    };
    if names.is_empty() || names.len() > MOST_GROUPS {
        return Err(invalid(format!("Between 1 and {MOST_GROUPS} log groups are allowed.")));
    }
    names.iter().map(|name| group_of(sight, name).map(str::to_owned)).collect()
}

fn malformed(error: scanner::Malformed) -> Refusal {
    let location = json!({ "startCharOffset": error.from, "endCharOffset": error.to });
    let compile = json!({ "location": location, "message": error.message });
    Refusal {
        members: Some(json!({ "queryCompileError": compile })),
        ..Refusal::invalid("MalformedQueryException", error.message)
    }
}

fn missing() -> Refusal {
    Refusal::invalid("ResourceNotFoundException", "The specified query does not exist.")
}

/// `GetQueryResults`: rows and figures when the query is complete; none before.
pub(super) fn results(queries: &Queries, sight: &Sight<'_>, input: &Value) -> Result<Value, Refusal> {
    let id = input["queryId"].as_str().ok_or_else(|| invalid("queryId is required."))?;
    let mut known = queries.0.lock().unwrap_or_else(PoisonError::into_inner);
    let query = known.get_mut(id).ok_or_else(missing)?;
    let status = query.status(sight.now());
    if status == Status::Complete && query.outcome.is_none() {
        query.outcome = Some(Arc::new(run::run(&sight.before(query.asked_at), &query.plan, query)));
    }
    let (rows, figures) = query.outcome.as_ref().map_or((Value::Array(Vec::new()), json!({})), |outcome| {
        (Value::Array(outcome.rows.clone()), outcome.figures.clone())
    });
    let figures = if status == Status::Complete { figures } else { run::no_figures() };
    Ok(json!({ "queryLanguage": "CWLI", "results": rows, "statistics": figures, "status": status.word() }))
}

/// `StopQuery`: only what is under way can be stopped.
pub(super) fn stop(queries: &Queries, sight: &Sight<'_>, input: &Value) -> Result<Value, Refusal> {
    let id = input["queryId"].as_str().ok_or_else(|| invalid("queryId is required."))?;
    let mut known = queries.0.lock().unwrap_or_else(PoisonError::into_inner);
    let query = known.get_mut(id).ok_or_else(missing)?;
    if !query.is_under_way(sight.now()) {
        return Err(invalid("Query has already ended and cannot be stopped."));
    }
    query.is_cancelled = true;
    Ok(json!({ "success": true }))
}

#[cfg(test)]
mod tests;
