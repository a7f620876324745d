//! Who we are to AWS, how long the credentials last, and what time it is there: asked again and again, told where it changes.

use std::sync::atomic::Ordering;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Mutex;

use super::Means;
use super::patience::roll;
use crate::adapters::aws::clients::Clients;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::observation::scope::Scope;
use crate::runtime::clock::Flight;
use crate::session::event::{Event, SessionEvent};
use crate::session::timers::backoff;

/// Seconds between two looks at who we are and how long the credentials last.
const IDENTITY_EVERY_S: i64 = 60;
/// Failures in a row after which it is told that AWS does not say who we are, while it answers otherwise.
const FAILS_ALONE: u32 = 3;
/// How long before their end the credentials' provider is asked for the next ones.
const NEAR_THE_END: SignedDuration = SignedDuration::from_mins(5);
/// For how long credentials without an end are taken for lasting: the SDK loads them anew after as long.
const LASTING_HOLDS: SignedDuration = SignedDuration::from_mins(15);

/// Asks who we are, and how long the credentials last.
pub async fn identity(means: Means, mut flight: Flight) {
    let mut last = means.outside.scope();
    let (mut lifetime, mut unknown) = (Lifetime::default(), Unknown::default());
    let mut failures = 0;
    loop {
        let wait = match look(&means, &mut last).await {
            Ok(clients) => {
                (failures, unknown) = (0, Unknown::default());
                read_lifetime(&means, clients, &mut lifetime).await;
                SignedDuration::from_secs(IDENTITY_EVERY_S)
            }
            Err(fault) => {
                failures += 1;
                // While the alarms fail as well they tell of the same failure: here it would only be told twice. Expired
                // credentials fail them in a moment, too.
                let alone = failures >= FAILS_ALONE && means.outside.alarms_answer.load(Ordering::Relaxed);
                if alone
                    && fault.kind != FaultKind::Credentials
                    && let Some(fault) = unknown.news(fault)
                {
                    means.post.tell(None, Event::Session(SessionEvent::Faulted { fault })).await;
                }
                backoff(failures, roll(&means))
            }
        };
        tell_scope(&means, &mut last).await;
        tell_clock(&means).await;
        let next = means.clock.now() + wait;
        let pause = means.pause_until(next);
        drop(flight);
        flight = pause.await;
    }
}

/// Tells how far the clock of this machine is off, where that became another. What an alarm is then asked about is asked by
/// the clock of AWS, so that it is told before the alarm.
pub async fn tell_clock(means: &Means) {
    let Ok(clients) = means.outside.aws().await else { return };
    if let Some(skew) = clients.clock().skew()
        && means.outside.learn_clock(skew)
    {
        means.post.tell(None, Event::Session(SessionEvent::ClockCompared { skew, lead: SignedDuration::ZERO })).await;
    }
}

async fn look<'a>(means: &'a Means, last: &mut Scope) -> Result<&'a Clients, Fault> {
    let clients = means.outside.aws().await?;
    // Told before anything that may take long: what model is asked may depend on the region.
    means.outside.learn_region(clients.region().clone());
    tell_scope(means, last).await;
    let last = Mutex::new(last);
    let learned = || async {
        // While time stands still, which of the two answers first is the machine's choice, and runs are compared.
        if !means.clock.stands_still() {
            tell_scope(means, *last.lock().await).await;
        }
    };
    // The cluster's name belongs to the scope as well; without a cluster the rest is still worth knowing, and its credential
    // program may hang where AWS answers.
    let cluster = async {
        if means.outside.has_cluster() {
            drop(means.outside.cluster().await);
            learned().await;
            // Until it answers this, it is known by its names alone.
            drop(means.outside.learn_cluster().await);
            learned().await;
        }
    };
    let who = async {
        let identity = clients.identity().await.map_err(|error| error.fault())?;
        means.outside.learn_identity(identity.account, identity.arn);
        learned().await;
        Ok(clients)
    };
    tokio::join!(who, cluster).0
}

async fn tell_scope(means: &Means, last: &mut Scope) {
    let scope = means.outside.scope();
    if scope != *last {
        *last = scope.clone();
        let environment = means.outside.environments.configured(&scope);
        means.post.tell(None, Event::Session(SessionEvent::ScopeLearned { scope, environment })).await;
    }
}

async fn read_lifetime(means: &Means, clients: &Clients, lifetime: &mut Lifetime) {
    let now = means.clock.now();
    if !lifetime.is_due(now) {
        return;
    }
    // Where the provider fails now, the end that it told holds: until then the credentials in use go on.
    let Ok(expires_at) = clients.credentials_expiry().await else {
        lifetime.failed_at = Some(now);
        return;
    };
    if lifetime.learn(now, expires_at) {
        means.post.tell(None, Event::Session(SessionEvent::CredentialsRead { expires_at })).await;
    }
}

/// When the credentials end, as last told. Asking makes new ones, whose end is not that of those in use, so it is asked
/// only where the SDK is about to do the same.
#[derive(Debug, Default)]
struct Lifetime {
    told: Option<(Timestamp, Option<Timestamp>)>,
    /// When the provider failed last: a program that waits for a person is not started again each minute.
    failed_at: Option<Timestamp>,
}

impl Lifetime {
    fn is_due(&self, now: Timestamp) -> bool {
        if self.failed_at.is_some_and(|at| now.duration_since(at) < LASTING_HOLDS) {
            return false;
        }
        match self.told {
            None => true,
            Some((_, Some(end))) => end.duration_since(now) < NEAR_THE_END,
            Some((asked, None)) => now.duration_since(asked) >= LASTING_HOLDS,
        }
    }

    /// Takes an answer; whether it is another than the one before.
    fn learn(&mut self, now: Timestamp, end: Option<Timestamp>) -> bool {
        self.failed_at = None;
        let before = self.told.replace((now, end));
        before.map(|(_, end)| end) != Some(end)
    }
}

/// What was told of an identity that cannot be asked: each failure once, until it answers again.
#[derive(Debug, Default)]
struct Unknown {
    told: Option<Fault>,
}

impl Unknown {
    fn news(&mut self, fault: Fault) -> Option<Fault> {
        let same = |told: &Fault| told.kind == fault.kind && told.summary == fault.summary;
        if self.told.as_ref().is_some_and(same) {
            return None;
        }
        self.told = Some(fault.clone());
        Some(fault)
    }
}

#[cfg(test)]
mod tests {
    use super::super::follow::tests::outside_at;
    use super::*;
    use crate::adapters::kubernetes::connect::{Around, Source};
    use crate::runtime::inbox::Inbox;
    use crate::runtime::outside::ClusterAccess;

    const WHO: &str = "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
        <GetCallerIdentityResult><Arn>arn:aws:sts::123456789012:assumed-role/oncall/ana</Arn><UserId>u</UserId>\
        <Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>";

    /// The credential program of the kubeconfig waits for a person, and AWS has answered.
    #[tokio::test]
    async fn who_we_are_is_known_while_the_cluster_hangs() {
        crate::adapters::install_tls_provider();
        let home = tempfile::tempdir().unwrap();
        let (path, touched) = (home.path().join("config"), home.path().join("touched"));
        // It ends with the test, however that ends.
        let (folder, sign) = (home.path().display(), touched.display());
        let waits = format!("while [ -d {folder} ] && [ ! -e {sign} ]; do sleep 0.05; done");
        let config = serde_json::json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "c",
            "contexts": [{ "name": "c", "context": { "cluster": "c", "user": "u" } }],
            "clusters": [{ "name": "c", "cluster": { "server": "http://127.0.0.1:9" } }],
            "users": [{ "name": "u", "user": { "exec": {
                "apiVersion": "client.authentication.k8s.io/v1", "command": "sh", "args": ["-c", waits],
            } } }],
        });
        std::fs::write(&path, config.to_string()).unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let app = axum::Router::new().fallback(|| std::future::ready(WHO));
        let cluster =
            ClusterAccess::By(Source::Kubeconfig { path: Some(path), context: None, around: Around::default() });
        let (means, tasks, mut inbox) = outside_at(&endpoint, cluster);
        tasks.spawn("server", async move { drop(axum::serve(listener, app).await) });
        let mut last = means.outside.scope();
        let known = async {
            while let Some(Inbox::Event { event, .. }) = inbox.recv().await {
                let Event::Session(SessionEvent::ScopeLearned { scope, .. }) = *event else { continue };
                if scope.account.is_some() {
                    return;
                }
            }
        };
        tokio::select! {
            biased;
            () = known => {}
            _ = look(&means, &mut last) => panic!("nobody has touched the key"),
        }
        std::fs::write(touched, "").unwrap();
    }

    #[test]
    fn a_provider_is_asked_once_and_again_near_the_end() {
        let at = |minutes: i64| Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minutes);
        let mut lifetime = Lifetime::default();
        assert!(lifetime.is_due(at(0)));
        assert!(lifetime.learn(at(0), Some(at(60))), "the first answer is news");
        for (minute, due) in [(1, false), (54, false), (55, false), (56, true), (61, true)] {
            assert_eq!(lifetime.is_due(at(minute)), due, "minute {minute}");
        }
        assert!(!lifetime.learn(at(56), Some(at(60))), "the provider has no others yet");
        assert!(lifetime.learn(at(57), Some(at(117))));
        assert!(!lifetime.is_due(at(58)));
        assert!(lifetime.learn(at(113), None));
        assert_eq!([at(114), at(128)].map(|now| lifetime.is_due(now)), [false, true], "keys may be exchanged");
        assert!(!lifetime.learn(at(128), None));
        lifetime.failed_at = Some(at(143));
        assert_eq!([at(144), at(158)].map(|now| lifetime.is_due(now)), [false, true], "no prompt a minute");
    }

    #[test]
    fn a_failure_is_told_once_until_it_is_another() {
        let mut unknown = Unknown::default();
        let silent = || Fault::new(FaultKind::Timeout, "AWS did not say who we are.").cause("request 1");
        assert!(unknown.news(silent()).is_some());
        assert_eq!(unknown.news(Fault { causes: vec!["request 2".to_owned()], ..silent() }), None);
        assert!(unknown.news(Fault { kind: FaultKind::Denied, ..silent() }).is_some());
    }
}
