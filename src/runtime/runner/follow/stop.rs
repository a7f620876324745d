//! The end of a tail, as it is told to its task: in flight from the moment it is decided until the task has heard of it,
//! so that no standing clock jumps in between.

use std::sync::{Arc, Mutex, PoisonError};

use tokio_util::sync::CancellationToken;

use crate::runtime::clock::{Busy, Flight};

/// Ends one tail.
#[derive(Clone, Debug)]
pub struct Stop {
    token: CancellationToken,
    busy: Busy,
    on_its_way: Arc<Mutex<Option<Flight>>>,
}

impl Stop {
    /// Nothing is ended yet.
    pub fn new(busy: &Busy) -> Self {
        Self { token: CancellationToken::new(), busy: busy.clone(), on_its_way: Arc::default() }
    }

    /// For what ends beside it and tells nothing of that.
    pub fn token(&self) -> CancellationToken {
        self.token.clone()
    }

    /// Ends it.
    pub fn stop(&self) {
        *self.on_its_way.lock().unwrap_or_else(PoisonError::into_inner) = Some(self.busy.flight());
        self.token.cancel();
    }

    /// Waits for the end. What is still to be told of it is told in the flight that comes with it.
    pub async fn stopped(&self) -> Option<Flight> {
        self.token.cancelled().await;
        self.on_its_way.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
