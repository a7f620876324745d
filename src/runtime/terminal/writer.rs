//! The thread that writes to the terminal. One frame at a time: who draws asks first whether the last one is out.

use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a terminal without room is left alone before it is offered the rest.
const FULL: Duration = Duration::from_millis(5);

#[derive(Debug, Default)]
struct Slot {
    waiting: Vec<u8>,
    writing: bool,
    took: Duration,
    stopped: bool,
    failed: Option<io::ErrorKind>,
}

/// The writer's end that the loop holds.
#[derive(Debug, Default)]
pub(super) struct Writer {
    slot: Mutex<Slot>,
    changed: Condvar,
}

impl Writer {
    /// Starts a thread that writes to `out`.
    pub(super) fn start(out: impl Write + Send + 'static) -> io::Result<Arc<Self>> {
        let writer = Arc::new(Self::default());
        let own = Arc::clone(&writer);
        std::thread::Builder::new().name("terminal".to_owned()).spawn(move || own.write_all(out))?;
        Ok(writer)
    }

    /// Hands bytes over. They are written in order, together with what else waits.
    pub(super) fn send(&self, mut bytes: Vec<u8>) {
        self.lock().waiting.append(&mut bytes);
        self.changed.notify_all();
    }

    /// Waits at most this long until everything is written. Tells whether it is, or that the terminal is gone.
    pub(super) fn settles(&self, patience: Duration) -> io::Result<bool> {
        let under_way = |slot: &mut Slot| slot.failed.is_none() && (slot.writing || !slot.waiting.is_empty());
        let waited = self.changed.wait_timeout_while(self.lock(), patience, under_way);
        let (slot, _) = waited.unwrap_or_else(PoisonError::into_inner);
        match slot.failed {
            Some(kind) => Err(kind.into()),
            None => Ok(!slot.writing && slot.waiting.is_empty()),
        }
    }

    /// Bytes that wait behind the write under way.
    pub(super) fn behind(&self) -> usize {
        self.lock().waiting.len()
    }

    /// How long the last write took: a terminal that keeps up takes it at once.
    pub(super) fn took(&self) -> Duration {
        self.lock().took
    }

    /// Lets the thread end after what it has.
    pub(super) fn stop(&self) {
        self.lock().stopped = true;
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Slot> {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_all(&self, mut out: impl Write) {
        loop {
            let idle = |slot: &mut Slot| slot.waiting.is_empty() && !slot.stopped;
            let mut slot = self.changed.wait_while(self.lock(), idle).unwrap_or_else(PoisonError::into_inner);
            if slot.waiting.is_empty() {
                return;
            }
            let bytes = std::mem::take(&mut slot.waiting);
            slot.writing = true;
            drop(slot);
            let began = now();
            let written = put(&mut out, &bytes);
            let mut slot = self.lock();
            slot.writing = false;
            slot.took = began.elapsed();
            if let Err(error) = written {
                slot.failed = Some(error.kind());
                slot.waiting.clear();
                slot.stopped = true;
            }
            self.changed.notify_all();
        }
    }
}

/// Writes everything. Any program of the same terminal may have set it not to block: then it takes what it has room for, and
/// the rest waits.
fn put(out: &mut impl Write, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match out.write(bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(taken) => bytes = bytes.get(taken..).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => std::thread::sleep(FULL),
            Err(error) => return Err(error),
        }
    }
    out.flush()
}

fn now() -> Instant {
    #[expect(
        clippy::disallowed_methods,
        reason = "how long a write takes is known where it is made, and paces the screen"
    )]
    Instant::now()
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// A terminal that takes a write only when it is let.
    struct Slow(mpsc::Receiver<()>);

    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.recv().map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_slow_terminal_never_keeps_the_sender_waiting() {
        let (let_it, gate) = mpsc::channel();
        let writer = Writer::start(Slow(gate)).unwrap();
        writer.send(b"frame".to_vec());
        assert!(!writer.settles(Duration::ZERO).unwrap());
        let_it.send(()).unwrap();
        assert!(writer.settles(Duration::from_secs(30)).unwrap());
    }

    /// A terminal that does not block: it takes a few bytes, then has no room, and so on.
    struct Narrow {
        taken: Arc<Mutex<Vec<u8>>>,
        has_room: bool,
    }

    impl Write for Narrow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.has_room = !self.has_room;
            if !self.has_room {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            let few = &bytes[..bytes.len().min(3)];
            self.taken.lock().unwrap().extend_from_slice(few);
            Ok(few.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_terminal_that_was_set_not_to_block_gets_every_byte() {
        let taken = Arc::default();
        let writer = Writer::start(Narrow { taken: Arc::clone(&taken), has_room: false }).unwrap();
        for frame in ["a whole frame, ", "and the next"] {
            writer.send(frame.as_bytes().to_vec());
            assert!(writer.settles(Duration::from_secs(30)).unwrap());
        }
        assert_eq!(taken.lock().unwrap().as_slice(), b"a whole frame, and the next");
    }

    #[test]
    fn a_terminal_that_is_gone_is_told() {
        let (let_it, gate) = mpsc::channel();
        let writer = Writer::start(Slow(gate)).unwrap();
        drop(let_it);
        writer.send(b"frame".to_vec());
        let told = writer.settles(Duration::from_secs(30)).unwrap_err();
        assert_eq!(told.kind(), io::ErrorKind::BrokenPipe);
    }
}
