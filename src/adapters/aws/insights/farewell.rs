//! Calls that nobody waits for and that must be made all the same: a query that is not stopped goes on scanning, and is
//! charged. Whoever leaves gives them a moment.

use std::sync::Arc;

use tokio::sync::watch;

/// How many such calls are under way. Cheap to clone; all clones count as one.
#[derive(Clone, Debug, Default)]
pub struct Farewells(Arc<watch::Sender<usize>>);

/// One of them, until it is dropped.
#[derive(Debug)]
pub(super) struct Farewell(Farewells);

impl Farewells {
    pub(super) fn begin(&self) -> Farewell {
        self.0.send_modify(|under_way| *under_way += 1);
        Farewell(self.clone())
    }

    /// Waits until none is under way.
    pub async fn over(&self) {
        // The sender lives in this very value, so that the wait ends by the count alone.
        let _ = self.0.subscribe().wait_for(|under_way| *under_way == 0).await;
    }
}

impl Drop for Farewell {
    fn drop(&mut self) {
        self.0.0.send_modify(|under_way| *under_way -= 1);
    }
}
