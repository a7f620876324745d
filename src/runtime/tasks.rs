//! Work beside the loop: spawned here, cancelled together, joined on the way out. A panic becomes an event.

use std::future::Future;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::inbox::Inbox;

/// A task that does not hear is left behind after this: the person wants the terminal back.
const PATIENCE: Duration = Duration::from_secs(1);

/// The tasks of a session.
#[derive(Debug)]
pub struct Tasks {
    running: Mutex<Vec<JoinHandle<()>>>,
    token: CancellationToken,
    inbox: mpsc::Sender<Inbox>,
}

impl Tasks {
    /// No task yet.
    pub fn new(inbox: mpsc::Sender<Inbox>) -> Self {
        Self { running: Mutex::default(), token: CancellationToken::new(), inbox }
    }

    /// Starts work that ends by itself or when the session does. Returns a token that ends it alone.
    pub fn spawn(&self, name: &'static str, work: impl Future<Output = ()> + Send + 'static) -> CancellationToken {
        let own = self.token.child_token();
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

    /// Cancels all and waits until they are gone.
    pub async fn end(&self) {
        self.token.cancel();
        let running = std::mem::take(&mut *self.running.lock().unwrap_or_else(PoisonError::into_inner));
        let joined = futures::future::join_all(running);
        let _ = tokio::time::timeout(PATIENCE, joined).await;
    }
}
