//! Reports to Slack: those of an incident one after another, each again where it certainly did not arrive.

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;

use super::Means;
use crate::journal::{Anchor, Reader};
use crate::report::slack;
use crate::session::IncidentId;
use crate::session::event::{Event, ReportEvent};

/// Posts of one report at the most: over a minute, where Slack does not say when.
const POSTS: u32 = 6;
/// The longest wait between two of them; a wait that Slack wants longer ends the attempts.
const LONGEST_WAIT: Duration = Duration::from_mins(1);

/// Reports that wait for the one of their incident that is being posted: whoever reads a channel takes the last for the newest.
#[derive(Clone, Debug, Default)]
pub struct Posts(Arc<Mutex<BTreeMap<IncidentId, VecDeque<Value>>>>);

impl Posts {
    /// Queues a report. What posts all of its incident, where nothing does so yet.
    pub fn add(&self, incident: IncidentId, message: Value) -> Option<PostAll> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(queue) = waiting.get_mut(&incident) {
            queue.push_back(message);
            return None;
        }
        waiting.insert(incident, [message].into());
        Some(PostAll { posts: self.clone(), incident, state: State::Posting })
    }

    /// The next report of an incident; where there is none, the next one that is queued needs a poster of its own.
    fn next(&self, incident: IncidentId) -> Option<Value> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let next = waiting.get_mut(&incident).and_then(VecDeque::pop_front);
        if next.is_none() {
            waiting.remove(&incident);
        }
        next
    }
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
            notify(&means, self.incident, (message, journal.clone())).await;
        }
        self.state = State::Over;
    }
}

impl Drop for PostAll {
    fn drop(&mut self) {
        // One that is cut short leaves the way to the next.
        if self.state == State::Posting {
            self.posts.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.incident);
        }
    }
}

/// Posts a report to Slack, and again where it certainly did not arrive.
async fn notify(means: &Means, incident: IncidentId, (mut message, journal): (Value, PathBuf)) {
    let Some(webhook) = &means.outside.slack else { return };
    // The disk is never waited for on a thread that others need. Without a journal there is nothing to prove.
    if let Ok(Some(anchor)) = tokio::task::spawn_blocking(move || anchor(&journal)).await {
        slack::anchor(&mut message, &anchor.to_string());
    }
    let mut posts = 1;
    let event = loop {
        let Err(error) = webhook.post(&message).await else { break ReportEvent::Posted };
        match error.again_after(posts).filter(|wait| *wait <= LONGEST_WAIT && posts < POSTS) {
            Some(wait) => means.clock.rest_until(means.clock.now() + wait).await,
            None => break ReportEvent::PostFailed { fault: error.fault() },
        }
        posts += 1;
    };
    means.post.tell(Some(incident), Event::Report(event)).await;
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

    use super::super::follow::tests::outside;
    use super::*;
    use crate::adapters::slack::Webhook;

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

    /// Slack asks the first one to wait, and the second comes meanwhile.
    #[tokio::test]
    async fn a_report_that_has_to_wait_is_not_overtaken_by_a_newer_one() {
        crate::adapters::install_tls_provider();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}/services/x", listener.local_addr().unwrap());
        let heard: Arc<Mutex<Vec<Value>>> = Arc::default();
        let log = Arc::clone(&heard);
        let app = axum::Router::new().fallback(move |body: axum::Json<Value>| {
            let first = {
                let mut log = log.lock().unwrap();
                log.push(body.0["text"].clone());
                log.len() == 1
            };
            let status = if first { 429 } else { 200 };
            let answer = axum::response::Response::builder().status(status).header("retry-after", "0");
            std::future::ready(answer.body(axum::body::Body::from("ok")).unwrap())
        });
        let (mut means, tasks, _inbox) = outside();
        Arc::get_mut(&mut means.outside).unwrap().slack = Some(Webhook::new(&address).unwrap());
        tasks.spawn("server", async move { drop(axum::serve(listener, app).await) });
        let posts = Posts::default();
        for text in ["old", "new"] {
            if let Some(all) = posts.add(ONE, json!({ "text": text })) {
                tasks.spawn("slack", all.run(means.clone(), PathBuf::new()));
            }
        }
        while heard.lock().unwrap().len() < 3 {
            tokio::task::yield_now().await;
        }
        assert_eq!(*heard.lock().unwrap(), [json!("old"), json!("old"), json!("new")]);
    }
}
