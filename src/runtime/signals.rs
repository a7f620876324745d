//! Signals as messages: end, hang up, continue. And the end itself, which a signal may cut short.

use std::future::poll_fn;
use std::io::Write as _;
use std::task::Poll;
use std::time::Duration;

use tokio::signal::unix::{Signal as Stream, SignalKind, signal};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::core::Core;
use super::inbox::{Inbox, Signal};
use crate::domain::fault::{Fault, FaultKind};

/// SIGCONT on Linux; tokio has no name for it.
const SIGCONT: i32 = 18;

/// SIGXFSZ on Linux: a file has reached the limit that the shell set.
const SIGXFSZ: i32 = 25;

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
        // Once it was listened for it ends the process no more: the write fails, and the session says that its journal does.
        drop(signal(SignalKind::from_raw(SIGXFSZ)));
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

/// For so long a session ends undisturbed: a key too many must not cost it the end of its journal.
const UNDISTURBED: Duration = Duration::from_secs(3);

/// Ends a session whose loop is over. `signals` were listened for without a gap: whoever asks to leave once more does not
/// wait any longer for a disk that hangs.
pub async fn end(core: &mut Core, reason: &str, mut signals: Signals) -> Result<(), Fault> {
    let asked_again = async {
        tokio::time::sleep(UNDISTURBED).await;
        // The terminal is given back; where it is gone, nobody reads it.
        let told = "pagerdeck: the end of the session is being written. Ctrl-C leaves without it.";
        let _ = writeln!(std::io::stderr(), "{told}");
        loop {
            match signals.next().await {
                Signal::Interrupt | Signal::Terminate | Signal::Quit => return,
                // Neither asks to go sooner: a terminal that is gone tells so more than once.
                Signal::HangUp | Signal::Continue => {}
            }
        }
    };
    tokio::select! {
        () = core.end(reason) => Ok(()),
        () = asked_again => {
            let fault = Fault::new(FaultKind::Storage, "The end of this session is not in its journal.");
            Err(fault.hint("What the disk had acknowledged before is. Look at the disk that the state folder is on."))
        }
    }
}

/// Says where the session is kept and how it is proved later, beside what a run writes: where the output is a screen that
/// was given back, or records alone. Who does not read any more has left.
pub fn tell_kept(core: &Core) {
    let _ = writeln!(std::io::stderr(), "{}", core.kept());
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_limit_of_a_file_ends_nothing() {
        let _signals = Signals::listen();
        let own = std::process::id().to_string();
        let sent = std::process::Command::new("kill").args(["-s", "XFSZ", &own]).status().unwrap();
        assert!(sent.success(), "and this process is still here");
    }
}
