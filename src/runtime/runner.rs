//! Does the effects: takes what it needs from the session, spawns the work, and lets the answers come back as events.

mod ask;
mod days;
mod feeds;
mod follow;
mod identify;
mod identity;
mod inspect;
mod measure;
mod observe;
mod patience;
mod posts;
mod read;
mod steps;
mod workloads;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use self::patience::Failing;
use super::clock::{Clock, Flight};
use super::core::fired;
use super::departure::Departure;
use super::inbox::Postbox;
use super::outside::Outside;
use super::tasks::Tasks;
use crate::config::ConfiguredService;
use crate::domain::observation::alarm::Alarm;
use crate::domain::remediation::gate::{Permit, Purpose};
use crate::domain::remediation::step::Step;
use crate::session::effect::Effect;
use crate::session::event::{ReportEvent, TimerPurpose, Wait};
use crate::session::{IncidentId, Session};

/// The name of the task that sends an approved request.
pub const EXECUTION: &str = "execution";

/// What every task of the runner carries along.
#[derive(Clone, Debug)]
pub struct Means {
    /// The outside.
    pub outside: Arc<Outside>,
    /// The way back into the loop.
    pub post: Postbox,
    /// The clocks.
    pub clock: Clock,
    /// Wakes every feed before its turn.
    pub nudge: Arc<Notify>,
    /// Whose last told health is not that they answer.
    pub failing: Arc<Failing>,
}

impl Means {
    /// What the clock of AWS shows now: what it keeps is asked for by that.
    pub fn now_at_aws(&self) -> Timestamp {
        self.outside.clock().at_aws(self.clock.now())
    }

    /// Waits until the incident time has come, or somebody asks for everything now. Make it before you land: from then on
    /// a standing clock does not jump past it.
    pub fn pause_until(&self, at: jiff::Timestamp) -> impl Future<Output = Flight> + Send + '_ {
        let (sleep, nudged) = (self.clock.sleep_until(at), self.nudge.notified());
        async move {
            tokio::select! {
                flight = sleep => flight,
                () = nudged => self.clock.busy().flight(),
            }
        }
    }
}

/// The runner of one session.
#[derive(Debug)]
pub struct Runner {
    means: Means,
    tasks: Tasks,
    alarms: mpsc::UnboundedSender<(Alarm, Flight)>,
    asks: BTreeMap<IncidentId, CancellationToken>,
    following: follow::Following,
    posts: posts::Posts,
    journal: PathBuf,
}

impl Runner {
    /// A runner with nothing under way.
    pub fn new(means: Means, tasks: Tasks, services: Vec<ConfiguredService>) -> Self {
        let (alarms, queue) = mpsc::unbounded_channel();
        tasks.spawn("identify", identify::identify_all(means.clone(), services, queue));
        let (asks, following, journal) = (BTreeMap::new(), follow::Following::default(), PathBuf::new());
        Self { means, tasks, alarms, asks, following, posts: posts::Posts::default(), journal }
    }

    /// The session is kept there.
    pub fn kept_in(&mut self, journal: PathBuf) {
        self.journal = journal;
    }

    /// The tasks it spawns into.
    pub fn tasks(&self) -> &Tasks {
        &self.tasks
    }

    /// What its tasks carry along.
    pub fn means(&self) -> &Means {
        &self.means
    }

    /// Starts the feeds that every session has: identity, alarms, the cluster watch. What a resumed session knows of alarms
    /// is from its journal: those that are there no more are told as soon as they are listed.
    pub fn start_feeds(&self, session: &Session) {
        // In flight before they are spawned: a standing clock must not jump while they wait for their first turn.
        let flight = || self.means.clock.busy().flight();
        let before = session.alarms.keys().cloned().collect();
        let namespaces = self.means.outside.namespaces.borrow().clone();
        self.tasks.spawn("identity", identity::identity(self.means.clone(), flight()));
        self.tasks.spawn("alarms", feeds::alarms(self.means.clone(), before, flight()));
        self.tasks.spawn("workloads", workloads::workloads(self.means.clone(), flight(), namespaces));
    }

    /// Does one effect.
    pub fn run(&mut self, effect: Effect, session: &Session) {
        match effect {
            // Conclusions are committed by the core; the outbox turns an execution into a permit or a refusal.
            Effect::Conclude { .. } | Effect::Execute { .. } => {}
            Effect::Identify { alarm } => {
                if let Some(alarm) = session.alarms.get(&alarm).cloned() {
                    // The receiver lives as long as the session.
                    let _ = self.alarms.send((alarm, self.means.clock.busy().flight()));
                }
            }
            Effect::Inspect { alarm } => {
                if let Some(alarm) = session.alarms.get(&alarm).cloned() {
                    self.fly("inspection", |means| inspect::inspect(means, alarm));
                }
            }
            Effect::Follow { incident } => self.follow(incident, session),
            Effect::Observe { incident, asks, window } => {
                // A round may be about other groups than the one before: a further alarm tells of more.
                self.follow(incident, session);
                if let Some(order) = observe::Order::of((session, &mut self.following), incident, asks, window) {
                    self.fly("observe", |means| observe::observe(means, order));
                }
            }
            Effect::Ask { incident, attempt } => {
                let most = self.means.outside.max_tokens;
                if let Some(question) = ask::Question::of(session, incident, attempt, most) {
                    let token = self.fly("model", |means| ask::ask(means, question));
                    if let Some(before) = self.asks.insert(incident, token) {
                        before.cancel();
                    }
                }
            }
            Effect::Preview { incident, step } => {
                let known = session.incidents.get(&incident);
                if let Some((found, purpose)) = known.and_then(|i| Some((i.step(step)?.clone(), i.purpose(step)))) {
                    self.fly("rehearsal", move |means| steps::rehearse(means, (incident, found, purpose)));
                }
            }
            Effect::Measure { incident, step } => {
                if let Some(order) = measure::Order::of(session, incident, step) {
                    self.fly("measure", |means| measure::measure(means, order));
                }
            }
            Effect::Notify { incident } => {
                if let Some(found) = session.incidents.get(&incident) {
                    let message = crate::report::slack::message(session, found);
                    let Some(post_all) = self.posts.add(incident, message) else { return };
                    let (flight, means) = (self.means.clock.busy().flight(), self.means.clone());
                    let journal = self.journal.clone();
                    self.tasks.spawn_last("slack", async move {
                        post_all.run(means, journal).await;
                        drop(flight);
                    });
                }
            }
            Effect::Schedule { incident, purpose, after } => self.schedule(incident, purpose, after),
        }
    }

    /// Sends an approved request, unless it is called back before it leaves. The permit is used up.
    pub fn execute(&self, step: (IncidentId, Step, Purpose), permit: (Permit, Instant), departure: Departure) {
        self.fly(EXECUTION, move |means| steps::execute(means, step, permit, departure));
    }

    /// Looks whether an uncertain step has run, whose request left then.
    pub fn look(&self, incident: IncidentId, step: (Step, Option<Timestamp>)) {
        self.fly("look", move |means| steps::look(means, incident, step));
    }

    /// Asks every feed now. While time stands still each is asked when its time comes: whoever is woken between two jumps
    /// takes off sooner or later, as the machine likes, and runs are compared.
    pub fn refresh(&self) {
        if !self.means.clock.stands_still() {
            self.means.nudge.notify_waiters();
        }
    }

    /// Stops listening to the model.
    pub fn stop_asking(&mut self, incident: IncidentId) {
        if let Some(token) = self.asks.remove(&incident) {
            token.cancel();
        }
    }

    /// Ends all tasks but those that have something to bring to its end, and tells what became of it in the time they have.
    pub async fn last_words(&self) -> Vec<(IncidentId, ReportEvent)> {
        self.posts.leave();
        self.tasks.last_words().await;
        self.posts.take_ended()
    }

    /// Ends all tasks, and what they leave running at AWS.
    pub async fn end(&self) {
        self.tasks.end().await;
        self.means.outside.say_farewell().await;
    }

    /// Spawns work that is in flight from this moment on, so that a standing clock waits for it.
    fn fly<F>(&self, name: &'static str, work: impl FnOnce(Means) -> F) -> CancellationToken
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let flight = self.means.clock.busy().flight();
        let work = work(self.means.clone());
        self.tasks.spawn(name, async move {
            work.await;
            drop(flight);
        })
    }

    fn schedule(&self, incident: IncidentId, purpose: TimerPurpose, after: Wait) {
        let means = self.means.clone();
        let sleep = means.clock.sleep_until(means.clock.now() + after);
        self.tasks.spawn("timer", async move {
            let flight = sleep.await;
            means.post.tell(Some(incident), fired(purpose)).await;
            drop(flight);
        });
    }

    /// Ends what no open incident needs any more.
    pub fn end_idle(&mut self, session: &Session) {
        self.following.end_idle(session);
    }

    fn follow(&mut self, incident: IncidentId, session: &Session) {
        if let Some(found) = session.incidents.get(&incident) {
            self.following.begin((session, found), (&self.means, &self.tasks));
        }
    }
}
