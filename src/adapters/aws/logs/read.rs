//! Paging through `FilterLogEvents`: only the absence of a token is the end, and an empty page is not.

use aws_sdk_cloudwatchlogs::types::FilteredLogEvent;
use jiff::Timestamp;
use tokio::sync::mpsc;

use super::seen::Seen;
use super::{LogPage, LogQuery, LogsError, ReadOrder, ReadSummary};
use crate::adapters::aws::call::CallError;
use crate::adapters::aws::clients::Clients;
use crate::adapters::budget::Family;
use crate::domain::observation::log::{Completeness, LogEventId, RawLogEvent};
use crate::domain::observation::scope::Window;

/// Reads a window to its end and hands out page by page; waits while the receiver is full, so nothing is lost.
///
/// A failure tells how far it came. A receiver that is gone ends the reading as truncated. Takes one turn of
/// [`Family::LogEvents`] a page.
pub async fn read_window(
    clients: &Clients,
    query: &LogQuery,
    pages: &mpsc::Sender<LogPage>,
) -> Result<ReadSummary, LogsError> {
    let mut reading = WindowReading::new(clients, query, pages);
    loop {
        if let Progress::Done(summary) = reading.step().await? {
            return Ok(summary);
        }
    }
}

/// A window being read page by page. After a failure the same page is asked for again: what was read before it holds.
pub struct WindowReading<'a> {
    cursor: Cursor<'a>,
    place: Place,
}

/// How far a step came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// There is more.
    Going,
    /// The window was read to its end, or to a limit.
    Done(ReadSummary),
}

impl<'a> WindowReading<'a> {
    /// Nothing is read yet.
    pub fn new(clients: &'a Clients, query: &'a LogQuery, pages: &'a mpsc::Sender<LogPage>) -> Self {
        let seen = Seen::at_most(usize::try_from(query.limits.events).unwrap_or(usize::MAX));
        Self { cursor: Cursor { clients, query, from: query.window.from, seen, pages }, place: Place::first(None) }
    }

    /// Reads a page and hands it out. Takes one turn of [`Family::LogEvents`].
    pub async fn step(&mut self) -> Result<Progress, LogsError> {
        let run = self.cursor.step(&mut self.place).await?;
        Ok(run.map_or(Progress::Going, |run| Progress::Done(run.summary)))
    }
}

/// What a run of pages came to, and where to go on if a limit ended it.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) summary: ReadSummary,
    pub(super) rest: Unread,
}

/// What a run left unread.
#[derive(Clone, Debug)]
pub(super) enum Unread {
    /// Nothing.
    Nothing,
    /// From this page on; no token means the first page.
    From(Option<String>),
}

/// Where a reading stands: the page to ask for next, and what came before it.
pub(super) struct Place {
    token: Option<String>,
    summary: ReadSummary,
}

impl Place {
    /// Before the page of this token; none means the first page.
    pub(super) fn first(token: Option<String>) -> Self {
        Self { token, summary: empty_summary() }
    }
}

/// One reading in progress.
pub(super) struct Cursor<'a> {
    pub(super) clients: &'a Clients,
    pub(super) query: &'a LogQuery,
    /// Where the next first page starts: the window's start, until a full last page is looked behind.
    pub(super) from: Timestamp,
    pub(super) seen: Seen,
    pub(super) pages: &'a mpsc::Sender<LogPage>,
}

/// Pages from which on the rest can be estimated.
const FEW_PAGES: u32 = 3;

/// Whether the receiver wants more.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Demand {
    More,
    Gone,
}

impl Cursor<'_> {
    /// Reads until there is no token, or a limit is met.
    pub(super) async fn read(&mut self, token: Option<String>) -> Result<Run, LogsError> {
        let mut place = Place::first(token);
        loop {
            if let Some(run) = self.step(&mut place).await? {
                return Ok(run);
            }
        }
    }

    /// Reads the page of a place and moves on; what it came to, where that was the last one. A failure leaves the place
    /// as it was.
    async fn step(&mut self, place: &mut Place) -> Result<Option<Run>, LogsError> {
        let (events, next) = self.page(place.token.as_deref(), &place.summary).await?;
        let summary = &mut place.summary;
        let page = self.admit(events, summary);
        let cut = page.cut;
        let ending = if next.is_none() && cut == 0 { self.ending(&page) } else { Ending::Pages };
        summary.estimated = self.estimate(page.newest, summary);
        let demand = self.hand_out(page, summary).await;
        let stop = match ending {
            Ending::End => return Ok(Some(Run { summary: summary.clone(), rest: Unread::Nothing })),
            Ending::CutByService => {
                summary.completeness = Completeness::Truncated { seen: summary.events, of: None };
                return Ok(Some(Run { summary: summary.clone(), rest: Unread::Nothing }));
            }
            // Whether a limit of events cut anything off is known only after looking.
            Ending::LookBehind => summary.pages >= self.query.limits.pages.get(),
            Ending::Pages => self.is_at_limit(summary) || summary.estimated.is_some(),
        };
        if demand == Demand::Gone || stop {
            summary.completeness = Completeness::Truncated { seen: summary.events, of: None };
            // A page that was cut is read again: what was handed out of it is known by id.
            let rest = Unread::From(if cut > 0 { place.token.clone() } else { next });
            return Ok(Some(Run { summary: summary.clone(), rest }));
        }
        place.token = next;
        Ok(None)
    }

    /// A full page without a token may be the end, or a cap the service does not tell of. What follows its last
    /// instant is asked for, and events known by id fall away; where that cannot go on, the reading is not exact.
    fn ending(&mut self, page: &Admitted) -> Ending {
        if page.received < self.query.limits.page_size.get() as usize {
            return Ending::End;
        }
        let can_go_on = self.query.order == ReadOrder::OldestFirst && page.without_id == 0;
        match page.newest {
            Some(newest) if can_go_on && newest > self.from => {
                self.from = newest;
                Ending::LookBehind
            }
            _ => Ending::CutByService,
        }
    }

    /// How many pages the window seems to have, where that is more than it may: as far as the pages have come in it, they
    /// are a share of all. The first few say too little.
    fn estimate(&self, newest: Option<Timestamp>, summary: &ReadSummary) -> Option<u32> {
        let most = self.query.limits.estimated?.get();
        let Window { from, to } = self.query.window;
        if summary.pages < FEW_PAGES || self.query.order != ReadOrder::OldestFirst {
            return None;
        }
        let (come, whole) = (newest?.duration_since(from).as_secs_f64(), to.duration_since(from).as_secs_f64());
        let pages = f64::from(summary.pages) * whole / come.max(f64::EPSILON);
        (pages > f64::from(most)).then_some(pages.min(f64::from(u32::MAX)) as u32)
    }

    fn is_at_limit(&self, summary: &ReadSummary) -> bool {
        summary.events >= self.query.limits.events || summary.pages >= self.query.limits.pages.get()
    }

    async fn page(
        &self,
        token: Option<&str>,
        summary: &ReadSummary,
    ) -> Result<(Vec<FilteredLogEvent>, Option<String>), LogsError> {
        self.clients.turn(Family::LogEvents).await;
        let query = self.query;
        let from_head = match query.order {
            ReadOrder::OldestFirst => None,
            ReadOrder::NewestFirst => Some(false),
        };
        let request = self.clients.logs.filter_log_events();
        let request = match query.group.arn() {
            Some(arn) => request.log_group_identifier(arn),
            None => request.log_group_name(query.group.as_str()),
        };
        let request = request
            .start_time(first_millisecond(self.from))
            // The API's end is inclusive, ours is not.
            .end_time(first_millisecond(query.window.to) - 1)
            .set_filter_pattern(query.filter.clone())
            .set_start_from_head(from_head.filter(|_| token.is_none()))
            .limit(i32::try_from(query.limits.page_size.get().min(10_000)).unwrap_or(10_000))
            .set_next_token(token.map(str::to_owned));
        let failed = |source| LogsError::FilterEvents {
            group: query.group.clone(),
            page: summary.pages + 1,
            events: summary.events,
            source,
        };
        let answer = request.send().await.map_err(|error| failed(CallError::of(&error)))?;
        let next = answer.next_token.filter(|next| !next.is_empty());
        if next.is_some() && next.as_deref() == token {
            return Err(failed(CallError::Malformed("the same page was offered twice".to_owned())));
        }
        Ok((answer.events.unwrap_or_default(), next))
    }

    /// Sorts out duplicates, and what is above the limit of events.
    fn admit(&self, events: Vec<FilteredLogEvent>, summary: &mut ReadSummary) -> Admitted {
        summary.pages += 1;
        let mut page = Admitted { received: events.len(), ..Admitted::default() };
        for (index, event) in events.into_iter().enumerate() {
            let at = event.timestamp.and_then(|at| Timestamp::from_millisecond(at).ok());
            page.newest = page.newest.max(at);
            page.without_id += u64::from(event.event_id.is_none());
            let known_by = |id: &String| self.seen.knows(id, at.unwrap_or(Timestamp::MAX));
            if event.event_id.as_ref().is_some_and(known_by) {
                summary.duplicates += 1;
                page.duplicates += 1;
                continue;
            }
            if summary.events >= self.query.limits.events {
                page.cut += 1;
                continue;
            }
            // Another reader of the same memory may have handed it out since it was looked for.
            let is_new = |id: &String| self.seen.note(id, at.unwrap_or(Timestamp::MAX));
            if !event.event_id.as_ref().is_none_or(is_new) {
                summary.duplicates += 1;
                page.duplicates += 1;
                continue;
            }
            let Some(event) = raw(event, summary.pages, index) else {
                summary.unreadable += 1;
                continue;
            };
            summary.events += 1;
            summary.first_at = Some(summary.first_at.map_or(event.at, |at| at.min(event.at)));
            summary.last_at = Some(summary.last_at.map_or(event.at, |at| at.max(event.at)));
            page.events.push(event);
        }
        page
    }

    async fn hand_out(&self, page: Admitted, summary: &ReadSummary) -> Demand {
        let page = LogPage {
            group: self.query.group.clone(),
            page: summary.pages,
            events: page.events,
            duplicates: page.duplicates,
        };
        match self.pages.send(page).await {
            Ok(()) => Demand::More,
            Err(_) => Demand::Gone,
        }
    }
}

/// A page after sorting out.
#[derive(Default)]
struct Admitted {
    events: Vec<RawLogEvent>,
    duplicates: u64,
    cut: u64,
    received: usize,
    without_id: u64,
    newest: Option<Timestamp>,
}

/// What the absence of a token means.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// There is a token.
    Pages,
    /// What follows the last instant must still be asked for.
    LookBehind,
    /// Everything was read.
    End,
    /// The service may have left something out, and there is no way to ask for it.
    CutByService,
}

pub(super) fn empty_summary() -> ReadSummary {
    ReadSummary {
        completeness: Completeness::Exact,
        events: 0,
        duplicates: 0,
        unreadable: 0,
        pages: 0,
        estimated: None,
        first_at: None,
        last_at: None,
    }
}

/// The first whole millisecond that is not before an instant.
fn first_millisecond(at: Timestamp) -> i64 {
    let down = at.as_millisecond();
    let exact = Timestamp::from_millisecond(down).is_ok_and(|floor| floor >= at);
    if exact { down } else { down + 1 }
}

/// An event without an id cannot be recognised again; it gets one from its place.
fn raw(event: FilteredLogEvent, page: u32, index: usize) -> Option<RawLogEvent> {
    let at = Timestamp::from_millisecond(event.timestamp?).ok()?;
    let stream = event.log_stream_name.unwrap_or_default();
    let id = event.event_id.unwrap_or_else(|| format!("{stream}/{}/{page}/{index}", at.as_millisecond()));
    Some(RawLogEvent { id: LogEventId::new(id), at, stream, message: event.message.unwrap_or_default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_starts_at_its_first_whole_millisecond() {
        let at = |text: &str| first_millisecond(text.parse().unwrap());
        assert_eq!(at("1970-01-01T00:00:01.000Z"), 1_000);
        assert_eq!(at("1970-01-01T00:00:01.0001Z"), 1_001);
        assert_eq!(at("1969-12-31T23:59:59.0005Z"), -999);
    }

    #[test]
    fn an_event_without_a_time_is_not_handed_out() {
        assert!(raw(FilteredLogEvent::builder().message("x").build(), 1, 0).is_none());
        let placed = raw(FilteredLogEvent::builder().timestamp(5).log_stream_name("s").build(), 2, 7).unwrap();
        assert_eq!(placed.id.text(), "s/5/2/7");
    }
}
