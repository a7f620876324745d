//! Signals as messages: end, hang up, continue.

use std::future::poll_fn;
use std::task::Poll;

use tokio::signal::unix::{Signal as Stream, SignalKind, signal};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::core::Core;
use super::inbox::{Inbox, Signal};

/// SIGCONT on Linux; tokio has no name for it.
const SIGCONT: i32 = 18;

/// The signals that are listened for. While this lives, none of them ends the process without a word.
#[derive(Debug)]
pub struct Signals(Vec<(Stream, Signal)>);

impl Signals {
    /// Begins to listen. Do it before the terminal is taken.
    pub fn listen() -> Self {
        let kinds = [
            (SignalKind::terminate(), Signal::Terminate),
            (SignalKind::hangup(), Signal::HangUp),
            (SignalKind::interrupt(), Signal::Interrupt),
            (SignalKind::quit(), Signal::Quit),
            (SignalKind::from_raw(SIGCONT), Signal::Continue),
        ];
        // Without a listener the system's default stays: the process ends, which is what the signal asks for.
        Self(kinds.into_iter().filter_map(|(kind, word)| Some((signal(kind).ok()?, word))).collect())
    }

    /// The next one.
    pub async fn next(&mut self) -> Signal {
        poll_fn(|context| {
            let ready = |(stream, word): &mut (Stream, Signal)| match stream.poll_recv(context) {
                Poll::Ready(Some(())) => Some(*word),
                Poll::Ready(None) | Poll::Pending => None,
            };
            self.0.iter_mut().find_map(ready).map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }
}

/// Tells the loop of them until the guard is dropped.
pub fn listen(core: &Core) -> DropGuard {
    let end = CancellationToken::new();
    let (mut signals, post, ended) = (Signals::listen(), core.runner.means().post.clone(), end.clone());
    core.runner.tasks().spawn("signals", async move {
        let forward = async {
            loop {
                post.send(Inbox::Signal(signals.next().await)).await;
            }
        };
        tokio::select! {
            () = forward => {}
            () = ended.cancelled() => {}
        }
    });
    end.drop_guard()
}
