//! Signals as messages: end, hang up, continue.

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::core::Core;
use super::inbox::{Inbox, Postbox, Signal};

/// Listens until the guard is dropped. When this returns, no signal can end the process any more without a word: call it
/// before the terminal is taken.
pub fn listen(core: &Core) -> DropGuard {
    let end = CancellationToken::new();
    let kinds = [
        (SignalKind::terminate(), Signal::Terminate),
        (SignalKind::hangup(), Signal::HangUp),
        (SignalKind::interrupt(), Signal::Interrupt),
        (SignalKind::quit(), Signal::Quit),
        (SignalKind::from_raw(SIGCONT), Signal::Continue),
    ];
    for (kind, word) in kinds {
        // Without a listener the system's default stays: the process ends, which is what the signal asks for.
        let Ok(stream) = signal(kind) else { continue };
        let post = core.runner.means().post.clone();
        let ended = end.clone();
        core.runner.tasks().spawn("signals", async move {
            tokio::select! {
                () = forward(stream, word, post) => {}
                () = ended.cancelled() => {}
            }
        });
    }
    end.drop_guard()
}

/// SIGCONT on Linux; tokio has no name for it.
const SIGCONT: i32 = 18;

async fn forward(mut stream: tokio::signal::unix::Signal, word: Signal, post: Postbox) {
    while stream.recv().await.is_some() {
        post.send(Inbox::Signal(word)).await;
    }
}
