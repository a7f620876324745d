//! Asks the model and tells its stream: text cleaned and gathered, the structured answer read, the end or the break.

mod seam;

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

use self::seam::Seam;
use super::Means;
use super::patience::{tell_health, wait_or_give_up};
use crate::adapters::aws::bedrock::{ANALYST_PROMPT, StreamEnd, converse_stream};
use crate::domain::diagnosis::conversation::{Chunk, Message, ModelRequest, Usage};
use crate::domain::diagnosis::submission;
use crate::domain::diagnosis::sufficiency::RemedyKind;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::observation::sanitise;
use crate::session::event::{Event, NarrativeEvent};
use crate::session::feeds::{FeedHealth, FeedId};
use crate::session::{IncidentId, Session};

/// Text that comes within this time after a piece was told is told as one more. A quarter of a frame: a word after a pause
/// is told at once, and one in a stream waits for hardly more than the frame.
const GATHER: Duration = Duration::from_millis(8);

/// A question to the model.
#[derive(Debug)]
pub struct Question {
    incident: IncidentId,
    attempt: u32,
    request: ModelRequest,
}

impl Question {
    /// Takes what is needed from the session.
    pub fn of(session: &Session, incident: IncidentId, attempt: u32, max_tokens: u32) -> Option<Self> {
        let narrative = &session.incidents.get(&incident)?.narrative;
        let remedies: Vec<&str> = RemedyKind::ALL.iter().map(|kind| kind.id()).collect();
        (narrative.attempt == attempt).then(|| Self {
            incident,
            attempt,
            request: ModelRequest {
                model: narrative.model.as_str().into(),
                system: ANALYST_PROMPT.to_owned(),
                messages: vec![Message::user(narrative.prompt.clone())],
                tools: vec![submission::tool(&remedies)],
                max_tokens,
            },
        })
    }
}

/// Asks. A refusal that may pass is waited for and tried again as long as nothing has been said.
pub async fn ask(means: Means, question: Question) {
    let mut failures = 1;
    loop {
        let mut teller = Teller::new(&means, &question);
        let fault = match stream(&means, &question, &mut teller).await {
            Ok(()) => {
                tell_health(&means, FeedId::Model, FeedHealth::Live).await;
                return;
            }
            Err(fault) => fault,
        };
        let again = match teller.spoke {
            Spoke::NotYet => wait_or_give_up(&means, FeedId::Model, failures, fault).await,
            Spoke::Already => Err(fault),
        };
        if let Err(fault) = again {
            tell_health(&means, FeedId::Model, FeedHealth::Lost { fault: fault.clone() }).await;
            teller.tell(NarrativeEvent::Broke { attempt: question.attempt, fault }).await;
            return;
        }
        failures += 1;
    }
}

async fn stream(means: &Means, question: &Question, teller: &mut Teller<'_>) -> Result<(), Fault> {
    let clients = means.outside.aws().await?;
    let (sender, mut chunks) = mpsc::channel(256);
    let reading = async {
        let end = converse_stream(clients, &question.request, means.outside.model_times, &sender).await;
        drop(sender);
        end.map_err(|error| error.fault())
    };
    let (end, ()) = tokio::join!(reading, teller.tell_all(&mut chunks));
    match end? {
        StreamEnd::Complete { reason, .. } => {
            let event = NarrativeEvent::Ended { attempt: question.attempt, stop: reason, usage: teller.usage };
            teller.tell(event).await;
            Ok(())
        }
        StreamEnd::Abandoned => Err(Fault::new(FaultKind::Cut, "The narrative was abandoned.")),
    }
}

/// Whether anything of the reply has been told.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Spoke {
    NotYet,
    Already,
}

struct Teller<'a> {
    means: &'a Means,
    question: &'a Question,
    usage: Usage,
    spoke: Spoke,
    /// When text was last told.
    told_at: Option<Instant>,
}

impl<'a> Teller<'a> {
    fn new(means: &'a Means, question: &'a Question) -> Self {
        Self { means, question, usage: Usage::default(), spoke: Spoke::NotYet, told_at: None }
    }

    async fn tell(&self, event: NarrativeEvent) {
        self.means.post.tell(Some(self.question.incident), Event::Narrative(event)).await;
    }

    /// When text is told at the latest. While time stands still nobody watches it come, and it is told in whole blocks, so
    /// that the machine's load leaves no trace in the journal.
    fn gathered_by(&self) -> Option<Instant> {
        (!self.means.clock.stands_still()).then(|| next_piece(self.told_at, Instant::now()))
    }

    async fn tell_all(&mut self, chunks: &mut mpsc::Receiver<Chunk>) {
        let mut seam = Seam::default();
        let mut due = None;
        loop {
            let next = match due {
                None => chunks.recv().await,
                Some(at) => {
                    let Ok(chunk) = timeout_at(at, chunks.recv()).await else {
                        self.tell_text(seam.words()).await;
                        due = None;
                        continue;
                    };
                    chunk
                }
            };
            match next {
                Some(Chunk::Text { delta }) => {
                    seam.push(&delta);
                    due = due.or_else(|| self.gathered_by());
                }
                Some(other) => {
                    self.tell_text(seam.rest()).await;
                    due = None;
                    self.tell_chunk(other).await;
                }
                None => {
                    self.tell_text(seam.rest()).await;
                    return;
                }
            }
        }
    }

    async fn tell_text(&mut self, text: Option<String>) {
        let Some(text) = text else { return };
        (self.spoke, self.told_at) = (Spoke::Already, Some(Instant::now()));
        self.tell(NarrativeEvent::TextArrived { attempt: self.question.attempt, text }).await;
    }

    async fn tell_chunk(&mut self, chunk: Chunk) {
        let attempt = self.question.attempt;
        match chunk {
            Chunk::Opened => self.tell(NarrativeEvent::Opened { attempt }).await,
            Chunk::ToolUse { name, input, .. } if name == submission::TOOL => {
                self.spoke = Spoke::Already;
                let event = match submission::read(&input) {
                    Ok(proposal) => NarrativeEvent::Proposed { attempt, proposal: Box::new(proposal) },
                    Err(rejection) => NarrativeEvent::ProposalUnreadable { attempt, why: rejection.to_string() },
                };
                self.tell(event).await;
            }
            Chunk::ToolUse { name, .. } => {
                let why = format!("The model called a tool that does not exist: {}.", sanitise::line(&name));
                self.tell(NarrativeEvent::ProposalUnreadable { attempt, why }).await;
            }
            Chunk::ToolGarbled { why, .. } => {
                self.tell(NarrativeEvent::ProposalUnreadable { attempt, why }).await;
            }
            Chunk::Stopped { usage, .. } => self.usage = usage.unwrap_or_default(),
            // Partial input is a sign of life only, and thinking stays opaque.
            Chunk::Text { .. } | Chunk::ToolInput { .. } | Chunk::Thinking { .. } => {}
        }
    }
}

/// When text that comes now is told.
fn next_piece(told_at: Option<Instant>, now: Instant) -> Instant {
    told_at.map_or(now, |told_at| told_at + GATHER).max(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_after_a_pause_is_told_at_once_and_those_that_follow_are_gathered() {
        let now = Instant::now();
        let long_ago = now.checked_sub(2 * GATHER);
        assert_eq!(next_piece(None, now), now);
        assert_eq!(next_piece(long_ago, now), now);
        assert_eq!(next_piece(Some(now), now), now + GATHER);
    }
}
