//! One watch of one collection: where it stands, and how it is opened again when the server ends it in the ordinary way.

use std::pin::Pin;

use futures::stream::{self, BoxStream, SelectAll, Stream, StreamExt as _};
use http::Method;
use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, ReplicaSet, StatefulSet};
use k8s_openapi::api::core::v1 as core;
use kube::core::WatchEvent;
use serde::de::DeserializeOwned;
use tokio::time::{Instant, timeout};

use super::super::call::{Client, Resource, build, with_query};
use super::super::fault::{Doing, KubeError, Problem, problem_of, problem_of_status};
use super::known::{Happening, Seen};
use super::listing::Place;

/// All feeds of an attempt, merged. Each ends with its error.
pub(super) type Feeds = SelectAll<BoxStream<'static, Result<Seen, KubeError>>>;

/// Opens a feed for each place.
pub(super) fn open(client: &Client, places: Vec<Place>) -> Feeds {
    let mut feeds = SelectAll::new();
    for place in places {
        let client = client.clone();
        feeds.push(match place.resource {
            Resource::DEPLOYMENTS => feed::<Deployment>(client, place, Seen::Deployment),
            Resource::STATEFUL_SETS => feed::<StatefulSet>(client, place, Seen::StatefulSet),
            Resource::DAEMON_SETS => feed::<DaemonSet>(client, place, Seen::DaemonSet),
            Resource::REPLICA_SETS => feed::<ReplicaSet>(client, place, Seen::ReplicaSet),
            Resource::PODS => feed::<core::Pod>(client, place, Seen::Pod),
            _ => feed::<core::Event>(client, place, Seen::Event),
        });
    }
    feeds
}

fn feed<K>(client: Client, place: Place, seen: fn(Happening<K>) -> Seen) -> BoxStream<'static, Result<Seen, KubeError>>
where
    K: Watched,
{
    let cursor = Cursor { client, place, open: None };
    let steps = stream::unfold(Some(cursor), move |cursor: Option<Cursor<K>>| async move {
        let mut cursor = cursor?;
        match cursor.next().await {
            Ok(Some(happening)) => Some((Ok(seen(happening)), Some(cursor))),
            Ok(None) => Some((Ok(Seen::Alive), Some(cursor))),
            Err(problem) => Some((Err(KubeError::new(&cursor.doing(), problem)), None)),
        }
    });
    steps.boxed()
}

/// What can be watched.
trait Watched: k8s_openapi::Metadata<Ty = Meta> + DeserializeOwned + Clone + Send + 'static {}

type Meta = k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

impl<K> Watched for K where K: k8s_openapi::Metadata<Ty = Meta> + DeserializeOwned + Clone + Send + 'static {}

type Events<K> = Pin<Box<dyn Stream<Item = kube::Result<WatchEvent<K>>> + Send>>;

struct Cursor<K> {
    client: Client,
    place: Place,
    open: Option<Open<K>>,
}

struct Open<K> {
    events: Events<K>,
    since: Instant,
    silent: bool,
}

impl<K: Watched> Cursor<K> {
    fn doing(&self) -> Doing {
        self.place.resource.doing("watch", Some(&self.place.namespace), None)
    }

    /// The next happening, or `None` for a bookmark.
    async fn next(&mut self) -> Result<Option<Happening<K>>, Problem> {
        let times = self.client.timeouts;
        loop {
            let open = if let Some(open) = &mut self.open {
                open
            } else {
                let opened = self.start().await?;
                self.open.insert(opened)
            };
            // The server ends a watch after `watch`; silence beyond that is a dead connection, not a quiet cluster.
            let limit = times.watch + times.watch_grace;
            let Some(event) = timeout(limit, open.events.next()).await.map_err(|_| Problem::TimedOut(limit))? else {
                if open.silent && open.since.elapsed() < times.watch / 2 {
                    return Err(Problem::Cut("the server ended the watch at once".to_owned()));
                }
                self.open = None;
                continue;
            };
            open.silent = false;
            return self.told(event.map_err(problem_of)?);
        }
    }

    fn told(&mut self, event: WatchEvent<K>) -> Result<Option<Happening<K>>, Problem> {
        match event {
            WatchEvent::Added(object) | WatchEvent::Modified(object) => {
                self.advance(object.metadata().resource_version.clone());
                Ok(Some(Happening::Present(object)))
            }
            WatchEvent::Deleted(object) => {
                self.advance(object.metadata().resource_version.clone());
                Ok(Some(Happening::Gone(object)))
            }
            WatchEvent::Bookmark(mark) => {
                self.advance(Some(mark.metadata.resource_version));
                Ok(None)
            }
            WatchEvent::Error(status) => Err(problem_of_status(&status)),
        }
    }

    fn advance(&mut self, version: Option<String>) {
        if let Some(version) = version {
            self.place.version = version;
        }
    }

    async fn start(&mut self) -> Result<Open<K>, Problem> {
        let times = self.client.timeouts;
        let life = times.watch.as_secs().max(1).to_string();
        let query = [
            ("watch", "true"),
            ("allowWatchBookmarks", "true"),
            ("timeoutSeconds", life.as_str()),
            ("resourceVersion", self.place.version.as_str()),
        ];
        let path = with_query(&self.place.resource.path(Some(&self.place.namespace)), &query);
        let request = build(Method::GET, &path, None, Vec::new(), &self.doing()).map_err(|error| error.problem)?;
        let opening = self.client.inner.request_events::<K>(request);
        let events =
            timeout(times.answer, opening).await.map_err(|_| Problem::TimedOut(times.answer))?.map_err(problem_of)?;
        Ok(Open { events: Box::pin(events), since: Instant::now(), silent: true })
    }
}
