//! What a query comes to: events stream through its first commands and are counted or kept as few as its limit allows;
//! the rows that are left go through the others.

use std::cell::OnceCell;
use std::collections::{BTreeMap, HashSet};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::Query;
use super::cell::Cell;
use super::expression::{Expression, Fields};
use super::language::{Aggregate, Command, Direction, Named, Plan};
use crate::rehearsal::world::{LogEvent, Sight};

/// The answer to a query.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) rows: Vec<Value>,
    pub(super) figures: Value,
}

/// An event or a group of them.
#[derive(Clone, Debug, Default)]
struct Row {
    event: Option<Source>,
    /// What commands added, or the columns of a group.
    made: Vec<Named<Cell>>,
}

#[derive(Clone, Debug)]
struct Source {
    event: LogEvent,
    log: std::rc::Rc<str>,
    document: OnceCell<Option<Value>>,
}

impl Fields for Row {
    fn field(&self, name: &str) -> Cell {
        if let Some((cell, _)) = self.made.iter().rev().find(|(_, known)| known == name) {
            return cell.clone();
        }
        let Some(source) = &self.event else { return Cell::Missing };
        let event = &source.event;
        match name {
            "@timestamp" => Cell::Time(event.place.at),
            "@ingestionTime" => Cell::Time(event.place.ingested),
            "@message" => Cell::Text(event.message.as_ref().to_owned()),
            "@logStream" => Cell::Text(event.stream.to_string()),
            "@log" => Cell::Text(source.log.to_string()),
            "@ptr" => Cell::Text(URL_SAFE_NO_PAD.encode(format!("{}/{}", source.log, event.place.token()))),
            _ => source.discovered(name),
        }
    }
}

impl Source {
    /// A field of a message that is a JSON object.
    fn discovered(&self, name: &str) -> Cell {
        let read = || {
            let message = self.event.message.trim_start();
            message.starts_with('{').then(|| serde_json::from_str(message).ok()).flatten()
        };
        let Some(document) = self.document.get_or_init(read) else { return Cell::Missing };
        let value = document.get(name).or_else(|| name.split('.').try_fold(document, |value, part| value.get(part)));
        match value {
            Some(Value::String(text)) => Cell::Text(text.clone()),
            Some(Value::Number(number)) => number.as_f64().map_or(Cell::Missing, Cell::Number),
            Some(Value::Bool(flag)) => Cell::Flag(*flag),
            Some(Value::Null | Value::Array(_) | Value::Object(_)) | None => Cell::Missing,
        }
    }
}

/// The figures of a query that has none yet.
pub(super) fn no_figures() -> Value {
    json!({ "recordsMatched": 0.0, "recordsScanned": 0.0, "bytesScanned": 0.0, "logGroupsScanned": 0.0 })
}

/// Runs a query over what the service had when it was started.
pub(super) fn run(sight: &Sight<'_>, plan: &Plan, query: &Query) -> Outcome {
    let streaming = plan.commands.iter().take_while(|command| is_streaming(command)).count();
    let (first, rest) = plan.commands.split_at(streaming);
    let account = &sight.scenario().scope.account;
    let (mut matched, mut scanned, mut bytes) = (0_u64, 0_u64, 0_u64);
    let mut collected = match rest.first() {
        Some(Command::Stats { of, by }) => Collected::Groups(Groups::new(of, by)),
        _ => Collected::Rows(Kept::new(rest, plan.limit)),
    };
    for group in &query.groups {
        let log: std::rc::Rc<str> = format!("{account}:{group}").into();
        for event in sight.log_tape(group, query.from, query.to + SignedDuration::from_millis(1)) {
            (scanned, bytes) = (scanned + 1, bytes + event.message.len() as u64);
            let source = Source { event, log: std::rc::Rc::clone(&log), document: OnceCell::new() };
            let mut row = Row { event: Some(source), made: Vec::new() };
            if first.iter().all(|command| streamed(command, &mut row)) {
                matched += 1;
                match &mut collected {
                    Collected::Groups(groups) => groups.add(&row),
                    Collected::Rows(kept) => kept.add(row),
                }
            }
        }
    }
    let (mut rows, rest) = match collected {
        Collected::Groups(groups) => (groups.rows(), &rest[1..]),
        Collected::Rows(kept) => (kept.rows(), rest),
    };
    for command in rest {
        rows = blocked(command, rows);
    }
    rows.truncate(plan.limit);
    let columns = columns(&plan.commands);
    let rows: Vec<Value> = rows.iter().map(|row| shown(row, &columns)).collect();
    let figures = json!({
        "recordsMatched": matched as f64,
        "recordsScanned": scanned as f64,
        "bytesScanned": bytes as f64,
        "logGroupsScanned": query.groups.len() as f64,
        "estimatedRecordsSkipped": 0.0,
        "estimatedBytesSkipped": 0.0,
        "resultCount": rows.len() as f64,
    });
    Outcome { rows, figures }
}

/// Whether a command looks at one row at a time.
fn is_streaming(command: &Command) -> bool {
    match command {
        Command::Fields(_) | Command::Display(_) | Command::Filter(_) | Command::Parse { .. } => true,
        Command::Stats { .. } | Command::Sort(_) | Command::Limit(_) | Command::Dedup(_) => false,
    }
}

/// Lets a row through a command that looks at one at a time; whether it stays.
fn streamed(command: &Command, row: &mut Row) -> bool {
    match command {
        Command::Filter(condition) => return condition.of(row).is_true(),
        Command::Fields(fields) | Command::Display(fields) => {
            for (expression, name) in fields {
                if !matches!(expression, Expression::Field(field) if field == name) {
                    let cell = expression.of(row);
                    row.made.push((cell, name.clone()));
                }
            }
        }
        Command::Parse { from, regex, names } => {
            let text = from.of(row).shown().unwrap_or_default();
            let found = regex.captures(&text);
            for (nth, name) in names.iter().enumerate() {
                let part = found.as_ref().and_then(|found| found.name(name).or_else(|| found.get(nth + 1)));
                let cell = part.map_or(Cell::Missing, |part| Cell::Text(part.as_str().to_owned()));
                row.made.push((cell, name.clone()));
            }
        }
        Command::Stats { .. } | Command::Sort(_) | Command::Limit(_) | Command::Dedup(_) => {}
    }
    true
}

/// Lets all rows through a command.
fn blocked(command: &Command, mut rows: Vec<Row>) -> Vec<Row> {
    match command {
        Command::Fields(_) | Command::Display(_) | Command::Filter(_) | Command::Parse { .. } => {
            rows.retain_mut(|row| streamed(command, row));
        }
        Command::Sort(keys) => rows.sort_by(|one, other| order(keys, one, other)),
        Command::Limit(count) => rows.truncate(*count),
        Command::Dedup(names) => {
            let mut seen = HashSet::new();
            rows.retain(|row| seen.insert(names.iter().map(|name| row.field(name).shown()).collect::<Vec<_>>()));
        }
        Command::Stats { of, by } => {
            let mut groups = Groups::new(of, by);
            for row in &rows {
                groups.add(row);
            }
            return groups.rows();
        }
    }
    rows
}

fn order(keys: &[(Expression, Direction)], one: &Row, other: &Row) -> std::cmp::Ordering {
    let by = |(key, direction): &(Expression, Direction)| {
        let order = key.of(one).order(&key.of(other));
        if *direction == Direction::Descending { order.reverse() } else { order }
    };
    keys.iter().map(by).find(|order| order.is_ne()).unwrap_or(std::cmp::Ordering::Equal)
}

enum Collected<'a> {
    Rows(Kept),
    Groups(Groups<'a>),
}

/// The rows that may be in the answer: the latest where nothing is said of their order.
struct Kept {
    rows: Vec<Row>,
    keys: Vec<(Expression, Direction)>,
    most: usize,
}

impl Kept {
    fn new(rest: &[Command], limit: usize) -> Self {
        let latest_first = || vec![(Expression::Field("@timestamp".to_owned()), Direction::Descending)];
        let (keys, rest) = match rest {
            [Command::Sort(keys), rest @ ..] => (keys.clone(), rest),
            rest => (latest_first(), rest),
        };
        let mut drops = rest.iter().filter(|command| !matches!(command, Command::Fields(_) | Command::Display(_)));
        let most = match drops.next() {
            None => limit,
            Some(Command::Limit(most)) => *most,
            // What follows may drop rows or order them anew, so that none can be let go before.
            Some(_) => usize::MAX / 2,
        };
        Self { rows: Vec::new(), keys, most }
    }

    fn add(&mut self, row: Row) {
        self.rows.push(row);
        if self.rows.len() >= self.most.saturating_mul(2).max(1_000) {
            self.settle();
        }
    }

    fn settle(&mut self) {
        self.rows.sort_by(|one, other| order(&self.keys, one, other));
        self.rows.truncate(self.most);
    }

    fn rows(mut self) -> Vec<Row> {
        self.settle();
        self.rows
    }
}

/// Groups of rows and the figures over each.
struct Groups<'a> {
    of: &'a [Named<Aggregate>],
    by: &'a [Named<Expression>],
    found: BTreeMap<Vec<Option<String>>, Group>,
}

/// What a group is grouped by, and its figures.
type Group = (Vec<Cell>, Vec<Tally>);

/// A figure in the making.
#[derive(Clone, Debug, Default)]
struct Tally {
    count: u64,
    sum: f64,
    least: Option<Cell>,
    most: Option<Cell>,
    distinct: HashSet<String>,
    values: Vec<f64>,
}

impl<'a> Groups<'a> {
    fn new(of: &'a [Named<Aggregate>], by: &'a [Named<Expression>]) -> Self {
        Self { of, by, found: BTreeMap::new() }
    }

    fn add(&mut self, row: &Row) {
        let cells: Vec<Cell> = self.by.iter().map(|(key, _)| key.of(row)).collect();
        let key = cells.iter().map(Cell::shown).collect();
        let (_, tallies) = self.found.entry(key).or_insert_with(|| (cells, vec![Tally::default(); self.of.len()]));
        for ((aggregate, _), tally) in self.of.iter().zip(tallies) {
            tally.add(aggregate, row);
        }
    }

    /// The latest bins first; without bins in no order worth relying on.
    fn rows(self) -> Vec<Row> {
        let named = |(cells, tallies): Group| {
            let by = cells.into_iter().zip(self.by).map(|(cell, (_, name))| (cell, name.clone()));
            let of = tallies.iter().zip(self.of);
            let of = of.map(|(tally, (aggregate, name))| (tally.figure(aggregate), name.clone()));
            Row { event: None, made: by.chain(of).collect() }
        };
        self.found.into_values().rev().map(named).collect()
    }
}

impl Tally {
    fn add(&mut self, aggregate: &Aggregate, row: &Row) {
        match aggregate {
            Aggregate::Count(None) => self.count += 1,
            Aggregate::Count(Some(value)) => self.count += u64::from(value.of(row) != Cell::Missing),
            Aggregate::CountDistinct(value) => self.distinct.extend(value.of(row).shown()),
            Aggregate::Sum(value) | Aggregate::Average(value) => {
                if let Some(number) = value.of(row).number() {
                    (self.count, self.sum) = (self.count + 1, self.sum + number);
                }
            }
            Aggregate::Minimum(value) => {
                let cell = value.of(row);
                let is_new = self.least.as_ref().is_none_or(|least| cell.order(least).is_lt());
                self.least = if is_new && cell != Cell::Missing { Some(cell) } else { self.least.take() };
            }
            Aggregate::Maximum(value) => {
                let cell = value.of(row);
                let is_new = self.most.as_ref().is_none_or(|most| cell.order(most).is_gt());
                self.most = if is_new && cell != Cell::Missing { Some(cell) } else { self.most.take() };
            }
            Aggregate::Percentile(value, _) => self.values.extend(value.of(row).number()),
        }
    }

    fn figure(&self, aggregate: &Aggregate) -> Cell {
        match aggregate {
            Aggregate::Count(_) => Cell::Number(self.count as f64),
            Aggregate::CountDistinct(_) => Cell::Number(self.distinct.len() as f64),
            Aggregate::Sum(_) => Cell::Number(self.sum),
            Aggregate::Average(_) if self.count == 0 => Cell::Missing,
            Aggregate::Average(_) => Cell::Number(self.sum / self.count as f64),
            Aggregate::Minimum(_) => self.least.clone().unwrap_or(Cell::Missing),
            Aggregate::Maximum(_) => self.most.clone().unwrap_or(Cell::Missing),
            Aggregate::Percentile(_, percent) => {
                let mut values = self.values.clone();
                values.sort_by(f64::total_cmp);
                let rank = (percent / 100.0 * values.len() as f64).ceil() as usize;
                values.get(rank.max(1) - 1).map_or(Cell::Missing, |value| Cell::Number(*value))
            }
        }
    }
}

/// The columns of the answer: those of `display`, else of `stats` and what followed it, else of all `fields`.
fn columns(commands: &[Command]) -> Vec<String> {
    let mut columns = Vec::new();
    let mut is_displayed = false;
    for command in commands {
        match command {
            Command::Fields(fields) if !is_displayed => columns.extend(fields.iter().map(|(_, name)| name.clone())),
            Command::Display(fields) => {
                is_displayed = true;
                columns = fields.iter().map(|(_, name)| name.clone()).collect();
            }
            Command::Stats { of, by } => {
                let by = by.iter().map(|(_, name)| name.clone());
                columns = by.chain(of.iter().map(|(_, name)| name.clone())).collect();
            }
            Command::Fields(_)
            | Command::Filter(_)
            | Command::Sort(_)
            | Command::Limit(_)
            | Command::Dedup(_)
            | Command::Parse { .. } => {}
        }
    }
    if columns.is_empty() { vec!["@timestamp".to_owned(), "@message".to_owned()] } else { columns }
}

/// A row as the answer holds it; a row of an event says where the event is.
fn shown(row: &Row, columns: &[String]) -> Value {
    let pointer = row.event.as_ref().map(|_| "@ptr");
    let names = columns.iter().map(String::as_str).filter(|name| *name != "@ptr").chain(pointer);
    let cells = names.filter_map(|name| Some(json!({ "field": name, "value": row.field(name).shown()? })));
    Value::Array(cells.collect())
}
