//! Reports to Slack: those of an incident one after another, each again where it certainly did not arrive.

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::Means;
use crate::domain::fault::{Fault, FaultKind};
use crate::journal::{Anchor, Reader};
use crate::report::slack;
use crate::session::IncidentId;
use crate::session::event::{Event, ReportEvent};
use crate::session::reporting::cut;

/// Posts of one report at the most: over a minute, where Slack does not say when.
const POSTS: u32 = 6;
/// The longest wait between two of them; a wait that Slack wants longer ends the attempts.
const LONGEST_WAIT: Duration = Duration::from_mins(1);

/// Reports that wait for the one of their incident that is being posted: whoever reads a channel takes the last for the newest.
#[derive(Clone, Debug, Default)]
pub struct Posts {
    board: Arc<Mutex<Board>>,
    /// The session ends: nobody waits any more to post again.
    leaving: CancellationToken,
}

#[derive(Debug, Default)]
struct Board {
    waiting: BTreeMap<IncidentId, Line>,
    /// What nobody heard any more.
    unheard: Vec<(IncidentId, ReportEvent)>,
}

/// The reports of an incident: the one its poster has, and those behind it.
#[derive(Debug)]
struct Line {
    queue: VecDeque<Value>,
    first: First,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum First {
    /// The poster has it, and has not told its end.
    Taken,
    /// The poster is about to take the next, if there is one.
    Free,
}

impl Posts {
    /// Queues a report. What posts all of its incident, where nothing does so yet.
    pub fn add(&self, incident: IncidentId, message: Value) -> Option<PostAll> {
        let mut board = self.board();
        if let Some(line) = board.waiting.get_mut(&incident) {
            line.queue.push_back(message);
            return None;
        }
        board.waiting.insert(incident, Line { queue: [message].into(), first: First::Free });
        Some(PostAll { posts: self.clone(), incident, state: State::Posting })
    }

    /// Ends the waits between two posts of one report.
    pub fn leave(&self) {
        self.leaving.cancel();
    }

    /// What became of the reports that nobody heard of since the session ends. Whether one arrived that is being posted is
    /// not known; one behind it, or between two posts, certainly did not.
    pub fn take_ended(&self) -> Vec<(IncidentId, ReportEvent)> {
        let mut board = self.board();
        let mut ended = std::mem::take(&mut board.unheard);
        for (incident, line) in &board.waiting {
            let event = match (line.first, line.queue.is_empty()) {
                (First::Free, true) => continue,
                (First::Taken, true) => ReportEvent::PostFailed { fault: cut() },
                (First::Taken | First::Free, false) => ReportEvent::PostLeft { fault: left(FaultKind::Cut) },
            };
            ended.push((*incident, event));
        }
        ended
    }

    fn board(&self) -> MutexGuard<'_, Board> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next report of an incident; where there is none, the next one that is queued needs a poster of its own.
    fn next(&self, incident: IncidentId) -> Option<Value> {
        let mut board = self.board();
        let line = board.waiting.get_mut(&incident)?;
        let next = line.queue.pop_front();
        if next.is_some() {
            line.first = First::Taken;
        } else {
            board.waiting.remove(&incident);
        }
        next
    }

    /// Tells what became of the report that a poster had, or keeps it for the end. Whether the poster goes on: what is left
    /// takes those behind it along.
    async fn tell(&self, means: &Means, incident: IncidentId, event: ReportEvent) -> GoesOn {
        let goes_on = if matches!(event, ReportEvent::PostLeft { .. }) { GoesOn::No } else { GoesOn::Yes };
        let unheard = means.post.deliver(Some(incident), Event::Report(event)).await.err();
        let mut board = self.board();
        if let Some(Event::Report(event)) = unheard {
            board.unheard.push((incident, event));
        }
        match (goes_on, board.waiting.get_mut(&incident)) {
            (GoesOn::No, _) => drop(board.waiting.remove(&incident)),
            (GoesOn::Yes, Some(line)) => line.first = First::Free,
            (GoesOn::Yes, None) => {}
        }
        goes_on
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum GoesOn {
    Yes,
    No,
}

/// What posts the reports of an incident.
#[derive(Debug)]
pub struct PostAll {
    posts: Posts,
    incident: IncidentId,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Posting,
    /// Nothing waited any more; what is queued from then on has a poster of its own.
    Over,
}

impl PostAll {
    /// Posts one after another until none waits.
    pub async fn run(mut self, means: Means, journal: PathBuf) {
        while let Some(message) = self.posts.next(self.incident) {
            let event = post(&means, &self.posts.leaving, (message, journal.clone())).await;
            if self.posts.tell(&means, self.incident, event).await == GoesOn::No {
                break;
            }
        }
        self.state = State::Over;
    }
}

impl Drop for PostAll {
    fn drop(&mut self) {
        // One that is cut short leaves the way to the next.
        if self.state == State::Posting {
            self.posts.board().waiting.remove(&self.incident);
        }
    }
}

/// Posts a report to Slack, and again where it certainly did not arrive. What became of it.
async fn post(means: &Means, leaving: &CancellationToken, (mut message, journal): (Value, PathBuf)) -> ReportEvent {
    let Some(webhook) = &means.outside.slack else {
        let fault = Fault::new(FaultKind::NotConfigured, "No Slack webhook is set any more.");
        return ReportEvent::PostFailed { fault: fault.hint("Set SLACK_WEBHOOK_URL, as when the session began.") };
    };
    // The disk is never waited for on a thread that others need. Without a journal there is nothing to prove.
    if let Ok(Some(anchor)) = tokio::task::spawn_blocking(move || anchor(&journal)).await {
        slack::anchor(&mut message, &anchor.to_string());
    }
    let mut posts = 1;
    loop {
        let Err(error) = webhook.post(&message).await else { return ReportEvent::Posted };
        let Some(wait) = error.again_after(posts).filter(|wait| *wait <= LONGEST_WAIT && posts < POSTS) else {
            return ReportEvent::PostFailed { fault: error.fault() };
        };
        tokio::select! {
            biased;
            () = leaving.cancelled() => {
                return ReportEvent::PostLeft { fault: left(error.kind()).cause(error.fault().summary) };
            }
            () = means.clock.rest_until(means.clock.now() + wait) => {}
        }
        posts += 1;
    }
}

fn left(kind: FaultKind) -> Fault {
    Fault::new(kind, "The session ended before Slack took the report.")
}

/// How far a journal has come on the disk.
fn anchor(journal: &Path) -> Option<Anchor> {
    let mut reader = Reader::open(journal).ok()?;
    while reader.next_record().ok()?.is_some() {}
    Some(reader.anchor())
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tokio::sync::mpsc::Receiver;

    use super::super::follow::tests::outside;
    use super::*;
    use crate::adapters::slack::Webhook;
    use crate::runtime::inbox::Inbox;
    use crate::runtime::tasks::Tasks;

    const ONE: IncidentId = IncidentId(1);

    #[test]
    fn each_incident_has_one_poster_at_a_time() {
        let posts = Posts::default();
        let poster = posts.add(ONE, json!(1)).expect("the first");
        assert!(posts.add(ONE, json!(2)).is_none());
        assert!(posts.add(IncidentId(2), json!(3)).is_some(), "of another incident");
        assert_eq!([posts.next(ONE), posts.next(ONE), posts.next(ONE)], [Some(json!(1)), Some(json!(2)), None]);
        drop(poster);
        assert!(posts.add(ONE, json!(4)).is_some());
    }

    /// A Slack that answers so many posts by a status and every later one by 200, and what it heard.
    async fn slack(refuses: usize, status: u16, after: &'static str) -> (Means, Tasks, Receiver<Inbox>, Heard) {
        crate::adapters::install_tls_provider();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}/services/x", listener.local_addr().unwrap());
        let heard = Heard::default();
        let log = Arc::clone(&heard);
        let app = axum::Router::new().fallback(move |body: axum::Json<Value>| {
            let mut log = log.lock().unwrap();
            log.push(body.0["text"].clone());
            let status = if log.len() <= refuses { status } else { 200 };
            let answer = axum::response::Response::builder().status(status).header("retry-after", after);
            std::future::ready(answer.body(axum::body::Body::from("ok")).unwrap())
        });
        let (mut means, tasks, inbox) = outside();
        Arc::get_mut(&mut means.outside).unwrap().slack = Some(Webhook::new(&address).unwrap());
        tasks.spawn_last("server", async move { drop(axum::serve(listener, app).await) });
        (means, tasks, inbox, heard)
    }

    type Heard = Arc<Mutex<Vec<Value>>>;

    fn post_all(texts: &[&str], (means, tasks): (&Means, &Tasks)) -> Posts {
        let posts = Posts::default();
        for text in texts {
            if let Some(all) = posts.add(ONE, json!({ "text": text })) {
                tasks.spawn("slack", all.run(means.clone(), PathBuf::new()));
            }
        }
        posts
    }

    async fn until(has_come: impl Fn() -> bool) {
        while !has_come() {
            tokio::task::yield_now().await;
        }
    }

    /// Slack asks the first one to wait, and the second comes meanwhile.
    #[tokio::test]
    async fn a_report_that_has_to_wait_is_not_overtaken_by_a_newer_one() {
        let (means, tasks, _inbox, heard) = slack(1, 429, "0").await;
        post_all(&["old", "new"], (&means, &tasks));
        until(|| heard.lock().unwrap().len() == 3).await;
        assert_eq!(*heard.lock().unwrap(), [json!("old"), json!("old"), json!("new")]);
    }

    /// The person leaves while Slack wants another half minute: nobody hears it any more, and it is not lost.
    #[tokio::test]
    async fn a_report_that_waits_when_the_session_ends_is_told_as_left() {
        let (means, tasks, mut inbox, heard) = slack(1, 429, "30").await;
        let posts = post_all(&["old", "new"], (&means, &tasks));
        until(|| !heard.lock().unwrap().is_empty()).await;
        inbox.close();
        posts.leave();
        until(|| posts.board().waiting.is_empty()).await;
        let fault = left(FaultKind::Throttled).cause("Slack asks us to slow down.");
        assert_eq!(posts.take_ended(), [(ONE, ReportEvent::PostLeft { fault })]);
        assert_eq!(heard.lock().unwrap().len(), 1, "nothing is posted behind the end");
    }

    /// What is on its way may arrive; what is behind it certainly does not.
    #[test]
    fn a_report_that_is_cut_off_is_told_by_how_far_it_was() {
        let ended = |texts: &[&str]| {
            let posts = Posts::default();
            let posters: Vec<_> = texts.iter().filter_map(|text| posts.add(ONE, json!({ "text": text }))).collect();
            posts.next(ONE);
            let ended = posts.take_ended();
            drop(posters);
            ended
        };
        assert_eq!(ended(&["old"]), [(ONE, ReportEvent::PostFailed { fault: cut() })]);
        assert_eq!(ended(&["old", "new"]), [(ONE, ReportEvent::PostLeft { fault: left(FaultKind::Cut) })]);
    }

    /// A session that is resumed where no webhook is set.
    #[tokio::test]
    async fn a_report_without_a_webhook_is_told_as_not_posted() {
        let (means, tasks, mut inbox) = outside();
        post_all(&["old"], (&means, &tasks));
        let Some(Inbox::Event { event, .. }) = inbox.recv().await else { panic!("nothing was told") };
        let Event::Report(ReportEvent::PostFailed { fault }) = *event else { panic!("{event:?}") };
        assert_eq!(fault.kind, FaultKind::NotConfigured);
    }
}
