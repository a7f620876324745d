//! From the terminal's events to inputs, stamped when they are read. Sizes that follow each other become one, and keys that
//! were there at once are told as such before the first of them.

use std::fs::File;
use std::future::{pending, ready};
use std::io::{self, IsTerminal as _, Stdin};
use std::os::fd::{AsFd as _, OwnedFd};
use std::time::Duration;

use crossterm::event::{Event, EventStream, KeyCode, KeyEvent, KeyEventKind, KeyEventState, KeyModifiers};
use futures::{Stream, StreamExt as _};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::sync::mpsc;

use crate::domain::remediation::approval::TYPED_MS;
use crate::ui::input::{Focus, Input};

/// How often it is looked whether the terminal is there.
const LOOK: Duration = Duration::from_secs(2);

/// How long a key that may decide something waits for what came together with it: nobody presses two keys sooner. crossterm
/// hands over key by key what it had in one read, each by way of a thread of its own, and says of none whether another follows.
const TOGETHER: Duration = Duration::from_millis(TYPED_MS);

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
    tokio::select! {
        end = forward(EventStream::new(), stamp, inbox) => end,
        () = gone() => Ok(()),
    }
}

/// Waits until nobody holds the other end of the terminal. crossterm does not tell: it takes an end for keys that have yet to
/// be pressed, and asks again at once. A signal comes only to those whom that terminal controls.
async fn gone() {
    let Some(terminal) = terminal(&io::stdin()) else { return pending().await };
    while !is_gone(&terminal) {
        tokio::time::sleep(LOOK).await;
    }
}

/// Where keys are read from: crossterm's own choice.
fn terminal(stdin: &Stdin) -> Option<OwnedFd> {
    if stdin.is_terminal() {
        return stdin.as_fd().try_clone_to_owned().ok();
    }
    File::open("/dev/tty").ok().map(OwnedFd::from)
}

fn is_gone(terminal: &OwnedFd) -> bool {
    let mut asked = [PollFd::new(terminal, PollFlags::empty())];
    let answer = poll(&mut asked, Some(&Timespec::default()));
    answer.is_ok() && asked[0].revents().intersects(PollFlags::HUP | PollFlags::ERR)
}

async fn forward(
    events: impl Stream<Item = io::Result<Event>>,
    stamp: impl Fn() -> u64,
    inbox: mpsc::Sender<Stamped>,
) -> io::Result<()> {
    let inputs = events.filter_map(|event| ready(event.map(input).transpose()));
    let mut inputs = std::pin::pin!(inputs);
    let mut held: Option<Stamped> = None;
    let mut is_burst = false;
    loop {
        // The last input is held until it is known whether another is there already.
        let next = match at_once(&mut inputs, held.as_ref()).await {
            Some(next) => next,
            None if pass(&inbox, held.take()).await => {
                is_burst = false;
                inputs.next().await
            }
            None => return Ok(()),
        };
        let Some(Ok(input)) = next else {
            pass(&inbox, held).await;
            return next.map_or(Ok(()), |end| end.map(drop));
        };
        let next = Stamped { input, mono_ms: stamp() };
        // A drag of the window's corner sends a size a cell: of those that are there already only the last counts.
        if let Some(before) = held.take().filter(|before| !(is_size(before) && is_size(&next))) {
            if is_key(&before) && is_key(&next) && !is_burst {
                is_burst = true;
                pass(&inbox, Some(Stamped { input: Input::Burst, mono_ms: before.mono_ms })).await;
            }
            if !pass(&inbox, Some(before)).await {
                return Ok(());
            }
        }
        held = Some(next);
    }
}

fn is_size(stamped: &Stamped) -> bool {
    matches!(stamped.input, Input::Resize { .. })
}

fn is_key(stamped: &Stamped) -> bool {
    matches!(stamped.input, Input::Key(_))
}

/// What came together with an input that is held back. The stream is polled in this task's own name: crossterm keeps the
/// first waker it meets, and one that wakes nobody would leave every later key unread.
async fn at_once<S: Stream + Unpin>(inputs: &mut S, held: Option<&Stamped>) -> Option<Option<S::Item>> {
    if may_decide(held?) {
        return tokio::time::timeout(TOGETHER, inputs.next()).await.ok();
    }
    tokio::select! {
        biased;
        input = inputs.next() => Some(input),
        () = ready(()) => None,
    }
}

/// Whether an input is a key by which steps are decided and things pinned, wherever it is pressed: a capital, Space or Enter.
fn may_decide(stamped: &Stamped) -> bool {
    let Input::Key(key) = &stamped.input else { return false };
    match key.code {
        KeyCode::Char(letter) => letter.is_uppercase() || letter == ' ',
        code => code == KeyCode::Enter,
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
        Event::Key(key) => self::key(key).map(Input::Key),
        Event::Paste(text) => Some(Input::Paste(text)),
        Event::Resize(cols, rows) => Some(Input::Resize { cols, rows }),
        Event::FocusGained => Some(Input::Focus(Focus::Gained)),
        Event::FocusLost => Some(Input::Focus(Focus::Lost)),
        // The mouse is never asked for.
        Event::Mouse(_) => None,
    }
}

/// A terminal that tells everything tells of releases and of Shift by itself as well. Neither is an input of its own: the
/// Shift before an `A` must not look like typing under way. What Shift made of a letter is in the letter.
fn key(mut key: KeyEvent) -> Option<KeyEvent> {
    match key.code {
        _ if key.kind == KeyEventKind::Release => return None,
        KeyCode::Modifier(_) | KeyCode::CapsLock | KeyCode::NumLock | KeyCode::ScrollLock => return None,
        KeyCode::Char(letter)
            if key.modifiers.contains(KeyModifiers::SHIFT) || key.state.contains(KeyEventState::CAPS_LOCK) =>
        {
            key.code = KeyCode::Char(letter.to_uppercase().next().unwrap_or(letter));
        }
        _ => {}
    }
    Some(key)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::collections::VecDeque;
    use std::pin::Pin;
    use std::sync::{Arc, Mutex};
    use std::task::{Context, Poll, Waker};
    use std::time::Duration;

    use crossterm::event::ModifierKeyCode;
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

    #[test]
    fn of_what_a_telling_keyboard_sends_presses_and_repeats_alone_are_inputs() {
        let sent = |code, modifiers, kind| super::key(KeyEvent::new_with_kind(code, modifiers, kind));
        let shift = KeyCode::Modifier(ModifierKeyCode::LeftShift);
        assert_eq!(sent(shift, KeyModifiers::SHIFT, KeyEventKind::Press), None);
        assert_eq!(sent(KeyCode::Char('A'), KeyModifiers::NONE, KeyEventKind::Release), None);
        let held = sent(KeyCode::Char('a'), KeyModifiers::SHIFT, KeyEventKind::Repeat).unwrap();
        assert_eq!((held.code, held.kind), (KeyCode::Char('A'), KeyEventKind::Repeat));
    }

    #[tokio::test]
    async fn a_last_size_is_not_lost_and_every_key_has_its_own_stamp() {
        let all = forwarded(vec![key('a'), Event::FocusGained, key('b'), Event::Resize(80, 24)]).await;
        assert_eq!(all.iter().map(|stamped| stamped.mono_ms).collect::<Vec<_>>(), [0, 1, 2, 3]);
        assert_eq!(all.last().map(|stamped| &stamped.input), Some(&Input::Resize { cols: 80, rows: 24 }));
    }

    #[tokio::test]
    async fn keys_that_are_there_at_once_are_told_as_such_before_the_first_of_them() {
        let release = KeyEvent::new_with_kind(KeyCode::Char('a'), KeyModifiers::NONE, KeyEventKind::Release);
        let inputs = |events| async { forwarded(events).await.into_iter().map(|it| it.input).collect::<Vec<_>>() };
        let key_of = |letter| Input::Key(KeyEvent::new(KeyCode::Char(letter), KeyModifiers::NONE));
        let pasted = inputs(vec![key('a'), key('b'), key('c')]).await;
        assert_eq!(pasted, [Input::Burst, key_of('a'), key_of('b'), key_of('c')]);
        let alone = inputs(vec![key('a'), Event::Key(release)]).await;
        assert_eq!(alone, [key_of('a')], "its release is no other key");
    }

    /// As crossterm gives what it has in one read: each by a wake of its own.
    #[tokio::test]
    async fn keys_of_one_read_are_a_burst_though_they_are_handed_over_one_by_one() {
        let terminal = Terminal::default();
        let (sender, mut inbox) = mpsc::channel::<Stamped>(64);
        let paste = async {
            for letter in ['A', ' ', 'r'] {
                tokio::time::sleep(Duration::from_millis(1)).await;
                terminal.sends(key(letter));
            }
            let first = tokio::time::timeout(Duration::from_secs(20), inbox.recv()).await;
            assert_eq!(first.expect("something is read").unwrap().input, Input::Burst);
        };
        tokio::select! {
            ended = forward(terminal.clone(), || 0, sender) => panic!("reading ended: {ended:?}"),
            () = paste => {}
        }
    }

    #[tokio::test]
    async fn keys_that_come_one_after_another_are_no_burst() {
        let terminal = Terminal::default();
        let (sender, mut inbox) = mpsc::channel::<Stamped>(64);
        let person = async {
            for letter in ['a', 'b', 'c'] {
                terminal.sends(key(letter));
                let expected = Input::Key(KeyEvent::new(KeyCode::Char(letter), KeyModifiers::NONE));
                assert_eq!(inbox.recv().await.unwrap().input, expected);
            }
        };
        tokio::select! {
            ended = forward(terminal.clone(), || 0, sender) => panic!("reading ended: {ended:?}"),
            () = person => {}
        }
    }

    /// Events as crossterm's stream gives them: the first waker that finds nothing is kept until it was woken, and a
    /// later one is not looked at.
    #[derive(Clone, Default)]
    struct Terminal(Arc<Mutex<(VecDeque<Event>, Option<Waker>)>>);

    impl Terminal {
        fn sends(&self, event: Event) {
            let mut state = self.0.lock().unwrap();
            state.0.push_back(event);
            if let Some(waker) = state.1.take() {
                waker.wake();
            }
        }
    }

    impl Stream for Terminal {
        type Item = io::Result<Event>;

        fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
            let mut state = self.0.lock().unwrap();
            if let Some(event) = state.0.pop_front() {
                return Poll::Ready(Some(Ok(event)));
            }
            state.1.get_or_insert_with(|| context.waker().clone());
            Poll::Pending
        }
    }

    #[tokio::test]
    async fn keys_are_read_after_a_size() {
        let terminal = Terminal::default();
        let (sender, mut inbox) = mpsc::channel::<Stamped>(64);
        let person = async {
            for letter in ['a', 'b'] {
                terminal.sends(Event::Resize(80, 24));
                let size = inbox.recv().await.unwrap().input;
                assert_eq!(size, Input::Resize { cols: 80, rows: 24 });
                tokio::task::yield_now().await;
                terminal.sends(key(letter));
                let read = tokio::time::timeout(Duration::from_secs(20), inbox.recv()).await;
                let expected = Input::Key(KeyEvent::new(KeyCode::Char(letter), KeyModifiers::NONE));
                assert_eq!(read.expect("the key is read").unwrap().input, expected);
            }
        };
        tokio::select! {
            ended = forward(terminal.clone(), || 0, sender) => panic!("reading ended: {ended:?}"),
            () = person => {}
        }
    }
}
