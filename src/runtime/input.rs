//! From the terminal's events to inputs, stamped when they are read; sizes that follow each other become one.

use std::io;

use crossterm::event::{Event, EventStream};
use futures::{FutureExt as _, Stream, StreamExt as _};
use tokio::sync::mpsc;

use crate::ui::input::{Focus, Input};

/// An input with the moment it was read. The time it waits in a queue must not look like a pause of the person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamped {
    /// The input.
    pub input: Input,
    /// Monotonic, milliseconds since the program began.
    pub mono_ms: u64,
}

/// Reads the terminal until it is gone or nobody listens any more. Keys are never dropped: a full inbox is waited for.
pub async fn read(stamp: impl Fn() -> u64, inbox: mpsc::Sender<Stamped>) -> io::Result<()> {
    forward(EventStream::new(), stamp, inbox).await
}

async fn forward(
    events: impl Stream<Item = io::Result<Event>>,
    stamp: impl Fn() -> u64,
    inbox: mpsc::Sender<Stamped>,
) -> io::Result<()> {
    let mut events = std::pin::pin!(events);
    let mut size: Option<Stamped> = None;
    loop {
        // A drag of the window's corner sends a size a cell: of those that are there already only the last counts.
        let at_once = size.is_some().then(|| events.next().now_or_never()).flatten();
        let event = match at_once {
            Some(event) => event,
            None if pass(&inbox, size.take()).await => events.next().await,
            None => return Ok(()),
        };
        let Some(event) = event else {
            pass(&inbox, size).await;
            return Ok(());
        };
        let Some(input) = input(event?) else { continue };
        let stamped = Stamped { input, mono_ms: stamp() };
        if matches!(stamped.input, Input::Resize { .. }) {
            size = Some(stamped);
        } else if !pass(&inbox, size.take()).await || !pass(&inbox, Some(stamped)).await {
            return Ok(());
        }
    }
}

/// `false` once nobody listens.
async fn pass(inbox: &mpsc::Sender<Stamped>, stamped: Option<Stamped>) -> bool {
    match stamped {
        Some(stamped) => inbox.send(stamped).await.is_ok(),
        None => true,
    }
}

fn input(event: Event) -> Option<Input> {
    match event {
        Event::Key(key) => Some(Input::Key(key)),
        Event::Paste(text) => Some(Input::Paste(text)),
        Event::Resize(cols, rows) => Some(Input::Resize { cols, rows }),
        Event::FocusGained => Some(Input::Focus(Focus::Gained)),
        Event::FocusLost => Some(Input::Focus(Focus::Lost)),
        // The mouse is never asked for.
        Event::Mouse(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
    use futures::stream;

    use super::*;

    fn key(letter: char) -> Event {
        Event::Key(KeyEvent::new(KeyCode::Char(letter), KeyModifiers::NONE))
    }

    async fn forwarded(events: Vec<Event>) -> Vec<Stamped> {
        let (sender, mut inbox) = mpsc::channel(64);
        let clock = Cell::new(0);
        let stamp = || clock.replace(clock.get() + 1);
        forward(stream::iter(events.into_iter().map(Ok)), stamp, sender).await.unwrap();
        let mut all = Vec::new();
        while let Some(stamped) = inbox.recv().await {
            all.push(stamped);
        }
        all
    }

    #[tokio::test]
    async fn sizes_become_one_and_stay_in_order_with_the_keys() {
        let events = vec![key('a'), Event::Resize(80, 24), Event::Resize(90, 30), Event::FocusLost, key('b')];
        let inputs: Vec<Input> = forwarded(events).await.into_iter().map(|stamped| stamped.input).collect();
        let key = |letter| Input::Key(KeyEvent::new(KeyCode::Char(letter), KeyModifiers::NONE));
        let expected = [key('a'), Input::Resize { cols: 90, rows: 30 }, Input::Focus(Focus::Lost), key('b')];
        assert_eq!(inputs, expected);
    }

    #[tokio::test]
    async fn a_last_size_is_not_lost_and_every_key_has_its_own_stamp() {
        let all = forwarded(vec![key('a'), key('b'), Event::Resize(80, 24)]).await;
        assert_eq!(all.iter().map(|stamped| stamped.mono_ms).collect::<Vec<_>>(), [0, 1, 2]);
        assert_eq!(all.last().map(|stamped| &stamped.input), Some(&Input::Resize { cols: 80, rows: 24 }));
    }
}
