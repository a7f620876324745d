//! What is in flight, counted: a clock that stands still only jumps when nothing is. A flight that waits for the clock
//! rests meanwhile, and one whose work goes on in several parts lands with the last of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

/// Counts what is in flight.
#[derive(Clone, Debug, Default)]
pub struct Busy(Arc<Flights>);

#[derive(Debug, Default)]
struct Flights {
    count: AtomicUsize,
    landed: Notify,
}

impl Flights {
    fn land(&self) {
        self.count.fetch_sub(1, Ordering::SeqCst);
        self.landed.notify_one();
    }
}

/// One thing in flight, until it is dropped.
#[derive(Debug)]
pub struct Flight(Arc<Flights>);

impl Busy {
    /// Takes off.
    pub fn flight(&self) -> Flight {
        self.0.count.fetch_add(1, Ordering::SeqCst);
        Flight(Arc::clone(&self.0))
    }

    /// Whether nothing is in flight.
    pub fn is_idle(&self) -> bool {
        self.0.count.load(Ordering::SeqCst) == 0
    }

    /// Waits for the next landing.
    pub async fn landed(&self) {
        self.0.landed.notified().await;
    }

    /// Lets a flight rest until this is dropped; `None` where nothing is in flight that could.
    pub fn rest(&self) -> Option<Rest> {
        let less = |count: usize| count.checked_sub(1);
        self.0.count.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less).ok()?;
        self.0.landed.notify_one();
        Some(Rest(Arc::clone(&self.0)))
    }

    /// Divides a flight into so many parts, which go on side by side: each lands or rests by itself, and the last one
    /// hands the flight back to whoever waits for them all.
    pub fn parts(&self, count: usize) -> Parts {
        self.0.count.fetch_add(count.saturating_sub(1), Ordering::SeqCst);
        Parts { flights: Arc::clone(&self.0), left: AtomicUsize::new(count) }
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.0.land();
    }
}

/// A flight that rests. It is in the air again when this is dropped.
#[derive(Debug)]
pub struct Rest(Arc<Flights>);

impl Drop for Rest {
    fn drop(&mut self) {
        self.0.count.fetch_add(1, Ordering::SeqCst);
    }
}

/// The parts of a flight.
#[derive(Debug)]
pub struct Parts {
    flights: Arc<Flights>,
    left: AtomicUsize,
}

impl Parts {
    /// Does the work of one part.
    pub async fn part<T>(&self, work: impl Future<Output = T>) -> T {
        let done = work.await;
        if self.left.fetch_sub(1, Ordering::SeqCst) > 1 {
            self.flights.land();
        }
        done
    }
}

impl Drop for Parts {
    /// Parts that were given up have landed too, but for the one that the flight goes on with.
    fn drop(&mut self) {
        for _ in 1..*self.left.get_mut() {
            self.flights.land();
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    fn count(busy: &Busy) -> usize {
        busy.0.count.load(Ordering::SeqCst)
    }

    #[tokio::test]
    async fn a_flight_goes_on_while_one_of_its_parts_does() {
        let busy = Busy::default();
        let flight = busy.flight();
        let parts = busy.parts(2);
        assert_eq!(count(&busy), 2);
        let (land, landing) = oneshot::channel();
        let slow = parts.part(landing);
        assert_eq!(parts.part(async { 7 }).await, 7);
        assert_eq!(count(&busy), 1, "one part is under way");
        land.send(()).unwrap();
        slow.await.unwrap();
        assert_eq!(count(&busy), 1, "the last one hands the flight back");
        drop((parts, flight));
        assert!(busy.is_idle());
    }

    #[test]
    fn parts_that_are_given_up_land() {
        let busy = Busy::default();
        let flight = busy.flight();
        let parts = busy.parts(3);
        let given_up = (parts.part(std::future::pending::<()>()), parts.part(std::future::pending::<()>()));
        drop(given_up);
        assert_eq!(count(&busy), 3);
        drop(parts);
        assert_eq!(count(&busy), 1);
        drop(flight);
        assert!(busy.is_idle());
    }

    #[test]
    fn who_rests_is_not_waited_for() {
        let busy = Busy::default();
        assert!(busy.rest().is_none(), "nothing is in flight");
        let flight = busy.flight();
        let rest = busy.rest().unwrap();
        assert!(busy.is_idle());
        drop(rest);
        assert_eq!(count(&busy), 1);
        drop(flight);
        assert!(busy.is_idle());
    }
}
