//! The watch: list, then follow, telling each change once. One attempt is one call; the schedule of attempts is the
//! caller's. It ends only with an error or when nobody listens any more.

pub(super) mod known;
pub(super) mod listing;

mod cursor;

use std::fmt;

use futures::StreamExt as _;
use tokio::sync::mpsc;
use tokio::time::Instant;

use self::cursor::Feeds;
use self::known::Known;
pub use self::listing::{Refused, Unreadable};
use super::call::Client;
use super::fault::{KubeError, Problem};
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::observation::scope::Namespace;
use crate::domain::observation::workload::ClusterChange;

/// What the watch tells while it runs.
#[derive(Clone, Debug, PartialEq)]
pub enum WatchReport {
    /// The cluster changed; the first of each attempt is a whole listing.
    Change(ClusterChange),
    /// A kind of object cannot be read by this credential; the rest is watched.
    Unreadable(Unreadable),
}

/// Why an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WatchError {
    /// There was no namespace to watch.
    NoNamespace,
    /// Nothing at all may be read.
    NothingReadable(Box<Fault>),
    /// The server forgot our place again soon after a fresh listing (410).
    Expired(KubeError),
    /// A call failed or went silent.
    Api(KubeError),
}

impl WatchError {
    /// What a person reads.
    pub fn fault(&self) -> Fault {
        match self {
            Self::NoNamespace => Fault::new(FaultKind::Usage, "There is no namespace to watch.")
                .hint("Name one by `--namespace` or by a workload in `[[service]]`."),
            Self::NothingReadable(fault) => (**fault).clone(),
            Self::Expired(error) | Self::Api(error) => error.fault(),
        }
    }
}

impl fmt::Display for WatchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fault().fmt(f)
    }
}

impl std::error::Error for WatchError {}

impl From<WatchError> for Fault {
    fn from(error: WatchError) -> Self {
        error.fault()
    }
}

/// One attempt: lists the namespaces, then follows them. After a 410 it lists again by itself, unless nothing had been
/// heard since the last listing, or that had become necessary just before. Returns `Ok` only when the receiver is gone.
pub async fn watch_once(
    client: &Client,
    namespaces: &[Namespace],
    reports: &mpsc::Sender<WatchReport>,
) -> Result<(), WatchError> {
    if namespaces.is_empty() {
        return Err(WatchError::NoNamespace);
    }
    let mut forgotten: Option<Instant> = None;
    loop {
        let mut known = Known::default();
        let (places, unreadable) = listing::read_all(client, namespaces, &mut known).await.map_err(WatchError::Api)?;
        if places.is_empty() {
            let fault = unreadable.into_iter().next().map(|missing| missing.fault);
            let fault = fault.unwrap_or_else(|| WatchError::NoNamespace.fault());
            return Err(WatchError::NothingReadable(Box::new(fault)));
        }
        for missing in unreadable {
            if reports.send(WatchReport::Unreadable(missing)).await.is_err() {
                return Ok(());
            }
        }
        let (view, whole) = (Box::new(known.view.clone()), listing::whole(&places));
        if reports.send(WatchReport::Change(ClusterChange::Listed { view, whole })).await.is_err() {
            return Ok(());
        }
        let mut feeds = cursor::open(client, places);
        match follow(&mut feeds, &mut known, reports).await {
            Followed::NobodyListens => return Ok(()),
            Followed::Ended(error) if !matches!(error.problem, Problem::Gone(_)) => return Err(WatchError::Api(error)),
            Followed::Ended(error) if !known.heard => return Err(WatchError::Expired(error)),
            Followed::Ended(error) if forgotten.is_some_and(|at| at.elapsed() < FORGOTTEN_AGAIN) => {
                return Err(WatchError::Expired(error));
            }
            Followed::Ended(_) => forgotten = Some(Instant::now()),
            Followed::Stale => {}
        }
    }
}

/// How long something may stand as it was listed where it may not be watched; then all is listed anew.
const LISTED_AGAIN: std::time::Duration = std::time::Duration::from_mins(1);

/// A place that is forgotten twice within this is no matter of an old version: who asks waits before the next listing.
const FORGOTTEN_AGAIN: std::time::Duration = std::time::Duration::from_secs(30);

/// Whether a feed was refused, and would be again.
fn is_refused(error: &KubeError) -> bool {
    matches!(error.problem, Problem::Denied(_) | Problem::NotFound(_))
}

enum Followed {
    NobodyListens,
    /// Something of what was listed has not been followed for a while.
    Stale,
    Ended(KubeError),
}

async fn follow(feeds: &mut Feeds, known: &mut Known, reports: &mpsc::Sender<WatchReport>) -> Followed {
    let (mut open, mut stale_at) = (feeds.len(), None);
    loop {
        let stale = async {
            match stale_at {
                Some(at) => tokio::time::sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        let next = tokio::select! {
            next = feeds.next() => next,
            () = stale => return Followed::Stale,
            () = reports.closed() => return Followed::NobodyListens,
        };
        let seen = match next {
            Some(Ok(seen)) => seen,
            // What may be listed and not watched is as it was listed; the rest is followed, while there is any.
            Some(Err(error)) if is_refused(&error) && open > 1 => {
                open -= 1;
                stale_at.get_or_insert_with(|| Instant::now() + LISTED_AGAIN);
                let (doing, fault) = (&error.doing, error.fault());
                let namespace = doing.namespace.clone().unwrap_or_else(|| Namespace::new(""));
                let missing = Unreadable { resource: doing.resource, namespace, of: Refused::Watching, fault };
                if reports.send(WatchReport::Unreadable(missing)).await.is_err() {
                    return Followed::NobodyListens;
                }
                continue;
            }
            Some(Err(error)) => return Followed::Ended(error),
            // Every feed ends with an error, so there is always one before the last.
            None => return Followed::NobodyListens,
        };
        if let Some(change) = known.absorb(seen)
            && reports.send(WatchReport::Change(change)).await.is_err()
        {
            return Followed::NobodyListens;
        }
    }
}
