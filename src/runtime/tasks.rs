//! Work beside the loop: spawned here, cancelled together, joined on the way out. A panic becomes an event.

use std::future::Future;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::inbox::Inbox;

/// A task that does not hear is left behind after this: the person wants the terminal back.
const PATIENCE: Duration = Duration::from_secs(1);

/// What was asked to be finished is waited for this long: the end of the journal comes after it.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// The tasks of a session.
#[derive(Debug)]
pub struct Tasks {
    running: Mutex<Vec<JoinHandle<()>>>,
    /// When what is given time to come to its end has.
    last: Mutex<Vec<oneshot::Receiver<()>>>,
    token: CancellationToken,
    /// Cuts short what was given time.
    time_up: CancellationToken,
    inbox: mpsc::Sender<Inbox>,
}

impl Tasks {
    /// No task yet.
    pub fn new(inbox: mpsc::Sender<Inbox>) -> Self {
        let (token, time_up) = (CancellationToken::new(), CancellationToken::new());
        Self { running: Mutex::default(), last: Mutex::default(), token, time_up, inbox }
    }

    /// Starts work that ends by itself or when the session does. Returns a token that ends it alone.
    pub fn spawn(&self, name: &'static str, work: impl Future<Output = ()> + Send + 'static) -> CancellationToken {
        self.spawn_under(name, self.token.child_token(), work)
    }

    fn spawn_under(
        &self,
        name: &'static str,
        own: CancellationToken,
        work: impl Future<Output = ()> + Send + 'static,
    ) -> CancellationToken {
        let token = own.clone();
        let inbox = self.inbox.clone();
        let guarded = async move {
            tokio::select! {
                () = token.cancelled() => {}
                () = work => {}
            }
        };
        #[expect(clippy::disallowed_methods, reason = "this module is the owner of spawning")]
        let inner = tokio::spawn(guarded);
        let watched = async move {
            if let Err(error) = inner.await
                && error.is_panic()
            {
                // The loop may be gone already; then nobody is left to be told.
                let _ = inbox.send(Inbox::TaskPanicked { name }).await;
            }
        };
        #[expect(clippy::disallowed_methods, reason = "this module is the owner of spawning")]
        let watching = tokio::spawn(watched);
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.retain(|task| !task.is_finished());
        running.push(watching);
        own
    }

    /// Starts work that the end of the session gives some time to come to its own.
    pub fn spawn_last(&self, name: &'static str, work: impl Future<Output = ()> + Send + 'static) {
        let (done, finished) = oneshot::channel();
        self.spawn_under(name, self.time_up.child_token(), async move {
            work.await;
            // Nobody waits for it but an end.
            let _ = done.send(());
        });
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        // A word is sent, or the sender gone, where it is over.
        last.retain_mut(|finished| finished.try_recv() == Err(oneshot::error::TryRecvError::Empty));
        last.push(finished);
    }

    /// Cancels all but what is given time, and waits for that.
    pub async fn last_words(&self) {
        self.token.cancel();
        let last = std::mem::take(&mut *self.last.lock().unwrap_or_else(PoisonError::into_inner));
        let _ = tokio::time::timeout(LAST_WORDS, futures::future::join_all(last)).await;
    }

    /// Cancels all and waits until they are gone.
    pub async fn end(&self) {
        self.last_words().await;
        self.time_up.cancel();
        let running = std::mem::take(&mut *self.running.lock().unwrap_or_else(PoisonError::into_inner));
        let joined = futures::future::join_all(running);
        let _ = tokio::time::timeout(PATIENCE, joined).await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[tokio::test]
    async fn what_has_said_its_last_words_is_forgotten() {
        let (inbox, _kept) = mpsc::channel(1);
        let tasks = Tasks::new(inbox);
        for _ in 0..3 {
            let (end, over) = oneshot::channel();
            tasks.spawn_last("post", async move {
                let _ = end.send(());
            });
            over.await.unwrap();
        }
        assert_eq!(tasks.last.lock().unwrap().len(), 1, "the newest, until another comes");
    }

    #[tokio::test]
    async fn the_end_waits_for_last_words_and_cuts_the_rest() {
        let (inbox, _kept) = mpsc::channel(1);
        let tasks = Tasks::new(inbox);
        let said = Arc::new(AtomicU32::new(0));
        let says = |after: Duration| {
            let said = said.clone();
            async move {
                tokio::time::sleep(after).await;
                said.fetch_add(1, Ordering::SeqCst);
            }
        };
        tasks.spawn("any", says(Duration::from_mins(10)));
        tasks.spawn_last("post", says(Duration::from_millis(20)));
        tasks.end().await;
        assert_eq!(said.load(Ordering::SeqCst), 1, "the post alone");
    }
}
