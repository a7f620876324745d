//! The heart of the loop: stamps, folds, journals, and lets effects out. Awaits nothing.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::clock::Clock;
use super::departure::Departure;
use super::inbox::Inbox;
use super::outbox::{Outbox, Released};
use super::runner::{EXECUTION, Runner};
use super::scribe::Scribe;
use crate::domain::count::{counted, either};
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::observation::skew::ClockSkew;
use crate::domain::remediation::gate::Permit;
use crate::domain::remediation::request::Mode;
use crate::domain::remediation::step::{StepId, StepState};
use crate::journal::Anchor;
use crate::rehearsal::faults::FaultPlan;
use crate::session::effect::Effect;
use crate::session::event::{
    Durability, Event, Execution, LogEvent, RemediationEvent, ReportEvent, SessionEvent, TimerEvent, TimerPurpose,
};
use crate::session::header::Origin;
use crate::session::incident::Post;
use crate::session::record::Record;
use crate::session::{IncidentId, Session, remediation, update};

/// Session, journal and outbox of one run.
#[derive(Debug)]
pub struct Core {
    /// The fold so far.
    pub session: Session,
    /// Its clock.
    pub clock: Clock,
    /// What does the effects.
    pub runner: Runner,
    /// What can be made to fail: the simulated cloud's, in a rehearsal alone.
    pub game_day: Option<Arc<FaultPlan>>,
    scribe: Scribe,
    /// Where the journal ended, once it has.
    anchor: Option<Anchor>,
    outbox: Outbox,
    seq: u64,
    /// Where the monotonic clock stood when the last record was stamped.
    stamped_ms: u64,
    fresh: Vec<Record>,
    watched: Watched,
    /// Of which incidents the end left a report unposted.
    unposted: BTreeSet<IncidentId>,
    /// The ways out that were handed over, for those who prove that nothing else leaves.
    #[cfg(test)]
    pub(super) handed: Vec<Departure>,
}

/// Whether a step stood down, or was called back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoodDown {
    /// At least one.
    Some,
    /// Nothing waited.
    None,
}

/// Whether somebody reads the committed records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Watched {
    /// A printer takes them.
    ByPrinter,
    /// The screen reads the session instead.
    ByNobody,
}

impl Core {
    /// A core over a session as folded so far (empty, or read back from a journal).
    pub fn new(session: Session, clock: Clock, mut runner: Runner, scribe: Scribe, watched: Watched) -> Self {
        let seq = session.seq;
        runner.kept_in(scribe.path());
        let (outbox, fresh, stamped_ms) = (Outbox::default(), Vec::new(), clock.mono_ms());
        Self {
            session,
            clock,
            runner,
            game_day: None,
            scribe,
            anchor: None,
            outbox,
            seq,
            stamped_ms,
            fresh,
            watched,
            unposted: BTreeSet::new(),
            #[cfg(test)]
            handed: Vec::new(),
        }
    }

    /// Incident time as it is stamped and as what runs out is held against: never before the last record, and on from there
    /// at least as fast as the monotonic clock.
    pub fn now(&self) -> Timestamp {
        self.clock.on_from((self.session.now, self.stamped_ms), self.clock.mono_ms())
    }

    /// Stamps an event, folds it, hands it to the journal and keeps its effects for when that has acknowledged it.
    /// Returns its sequence number.
    pub fn commit(&mut self, incident: Option<IncidentId>, mut event: Event) -> u64 {
        self.seq += 1;
        let seq = self.seq;
        remediation::bind(&self.session, incident, &mut event);
        let mono_ms = self.clock.mono_ms();
        let at = self.clock.on_from((self.session.now, self.stamped_ms), mono_ms);
        self.stamped_ms = mono_ms;
        if let Event::Session(SessionEvent::ClockCompared { lead, .. }) = &mut event {
            *lead = at.duration_since(self.clock.now()).max(SignedDuration::ZERO);
        }
        let mut record = Record { seq, at, incident, event };
        let effects = update(&mut self.session, &record);
        tracing::trace!(seq, effects = effects.len(), "folded");
        if let Event::Log(LogEvent::Batch { lines, .. } | LogEvent::Early { lines, .. }) = &mut record.event {
            // The ring has them; neither the journal nor a printer wants them.
            lines.clear();
        }
        let waits_for = match record.event.durability() {
            Durability::Ephemeral => 0,
            Durability::Buffered | Durability::Synced => seq,
        };
        match self.watched {
            Watched::ByPrinter => {
                self.fresh.push(record.clone());
                self.scribe.append(record);
            }
            Watched::ByNobody => self.scribe.append(record),
        }
        for effect in effects {
            match effect {
                Effect::Conclude { incident, event } => {
                    self.commit(incident, *event);
                }
                other => self.outbox.push(waits_for, other),
            }
        }
        seq
    }

    /// Notes how far the times of a session that goes on are ahead of this machine's. What AWS says of the clock comes later.
    pub fn compare_clock(&mut self) {
        let lead = self.now().duration_since(self.clock.now());
        if ClockSkew::NONE.led_by(lead) != ClockSkew::NONE {
            let compared = SessionEvent::ClockCompared { skew: ClockSkew::NONE, lead };
            self.commit(None, Event::Session(compared));
        }
    }

    /// Commits what the session concludes on a wish of the person. An effect that no record caused waits for none: the
    /// newest one may be of the kind that is never written.
    pub fn conclude(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Conclude { incident, event } => {
                    self.commit(incident, *event);
                }
                other => self.outbox.push(0, other),
            }
        }
    }

    /// Takes the records committed since the last call.
    pub fn take_fresh(&mut self) -> Vec<Record> {
        std::mem::take(&mut self.fresh)
    }

    /// Takes in one message of the outside. Input and signals are the face's and come back.
    pub fn receive(&mut self, message: Inbox) -> Option<Inbox> {
        match message {
            Inbox::Event { incident, event, .. } => {
                self.commit(incident, *event);
            }
            Inbox::Acknowledged { written, synced } => self.outbox.acknowledge(written, synced),
            Inbox::Hidden { secrets } => {
                let text = format!(
                    "{} {} kept out of the journal by its last check alone.",
                    counted(secrets, "secret"),
                    either(secrets, "was", "were")
                );
                let fault = Fault::new(FaultKind::Internal, text)
                    .hint("What was kept out may still be on this screen. Please report where it came from.");
                self.commit(None, Event::Session(SessionEvent::Faulted { fault }));
            }
            Inbox::JournalFailed(fault) => {
                tracing::error!(%fault, "the journal cannot be written");
                let unsent = self.outbox.close();
                self.commit(None, Event::Session(SessionEvent::BecameReadOnly { fault }));
                for item in unsent {
                    self.let_out(item);
                }
            }
            Inbox::TaskPanicked { name } => self.crashed(name),
            other @ (Inbox::Input { .. } | Inbox::Signal(_) | Inbox::Saved(_)) => return Some(other),
        }
        None
    }

    /// Tells that a task of ours is no more. Where it sends requests, what it was about to send does not leave, and of what
    /// left nobody is told any more; who else sends one may still be.
    fn crashed(&mut self, name: &'static str) {
        tracing::error!(task = name, "a task panicked");
        let fault = Fault::new(FaultKind::Internal, format!("A task of pagerdeck ({name}) crashed."))
            .hint("The rest goes on. Please report it with the log file.");
        self.commit(None, Event::Session(SessionEvent::Faulted { fault }));
        if name == EXECUTION {
            let fault = Fault::new(FaultKind::Internal, "What sends the request crashed before it told of an answer.")
                .hint("Look with d: the request may have been taken.");
            self.leave_behind("a task of pagerdeck crashed", &fault);
        }
    }

    /// Lets out what the journal has acknowledged.
    pub fn pump(&mut self) {
        self.runner.end_idle(&self.session);
        loop {
            let released = self.outbox.release(&self.session, self.now());
            if released.is_empty() {
                return;
            }
            for item in released {
                self.let_out(item);
            }
        }
    }

    fn let_out(&mut self, item: Released) {
        tracing::debug!(?item, "let out");
        match item {
            Released::Run(effect) => self.runner.run(effect, &self.session),
            Released::Start { incident, step, digest, permit } => {
                let event = RemediationEvent::StepStarted { step, digest };
                let seq = self.commit(Some(incident), Event::Remediation(event));
                self.outbox.hold(seq, (incident, step), permit);
            }
            Released::Refuse { incident, step, refusal } => {
                let event = RemediationEvent::PermitRefused { step, refusal };
                self.commit(Some(incident), Event::Remediation(event));
            }
            Released::Withhold { incident, step, fault } => self.not_applied(incident, step, fault),
            Released::Send { incident, step, permit, departure } => self.send((incident, step), permit, departure),
        }
    }

    fn send(&mut self, (incident, step): (IncidentId, StepId), permit: Permit, departure: Departure) {
        let left = permit.usable_until().duration_since(self.now());
        // From here on the permit ends by a clock that nobody can set back.
        let left = Duration::try_from(left).ok().filter(|left| !left.is_zero());
        let known = self.session.incidents.get(&incident);
        let found = known.and_then(|known| Some((known.step(step)?.clone(), known.purpose(step))));
        if let Some((left, (found, purpose))) = left.zip(found) {
            #[cfg(test)]
            self.handed.push(departure.clone());
            self.commit(Some(incident), Event::Remediation(RemediationEvent::LookBegan { step }));
            self.runner.execute((incident, found, purpose), (permit, Instant::now() + left), departure);
            return;
        }
        let fault = Fault::new(FaultKind::Rejected, "The approval expired before the request could leave.")
            .hint("Rehearse the step again with d and approve it again.");
        if departure.ends() {
            self.not_applied(incident, step, fault);
        }
    }

    /// Calls back what has passed the gate and has not left: it waits for its start to be on the disk, or its target is looked
    /// at once more. Whatever disk and cluster tell later, no request leaves for it, and the journal says that none did. Gives
    /// the steps; what was sent is not among them.
    pub fn call_back(&mut self, why: &str) -> Vec<StepId> {
        let text = format!("Called back before its request was taken: {why}. Nothing was changed.");
        let fault = Fault::new(FaultKind::Rejected, text).hint("d rehearses it again; then it takes a fresh decision.");
        let mut called = Vec::new();
        for item in self.outbox.call_back(&fault) {
            if let Released::Withhold { step, .. } = &item {
                called.push(*step);
            }
            self.let_out(item);
        }
        called
    }

    /// Stands down every step that waits for the person, and calls back what has not left.
    pub fn stand_down(&mut self, why: &str) -> StoodDown {
        let effects = remediation::stand_down_all(&self.session, why);
        let any = !effects.is_empty();
        self.conclude(effects);
        let called = self.call_back(why);
        if any || !called.is_empty() { StoodDown::Some } else { StoodDown::None }
    }

    fn not_applied(&mut self, incident: IncidentId, step: StepId, fault: Fault) {
        let event = RemediationEvent::StepFinished { step, execution: Execution::NotApplied { fault } };
        self.commit(Some(incident), Event::Remediation(event));
    }

    /// Whether nothing is in flight and nothing waits for the journal. Records that nothing waits for are no reason to
    /// stand: they are written behind, in order, whatever time it is meanwhile.
    pub fn is_idle(&self) -> bool {
        self.clock.busy().is_idle() && self.outbox.is_empty()
    }

    /// Ends the session in order: the last record, its sync, and the tasks.
    pub async fn end(&mut self, reason: &str) {
        // Nobody lets it out any more; who reads the journal must not take it for uncertain.
        self.call_back(reason);
        self.end_posts().await;
        let fault = Fault::new(FaultKind::Cut, "The session ended before the cluster answered.")
            .hint("Resume it and look with d: the request may have been taken.");
        self.leave_behind(reason, &fault);
        self.commit(None, Event::Session(SessionEvent::Ended { reason: reason.to_owned() }));
        self.runner.end().await;
        match self.scribe.close().await {
            Ok(anchor) => self.anchor = anchor,
            Err(fault) if self.session.read_only.is_none() => {
                tracing::error!(%fault, "the end of the journal could not be written");
                self.commit(None, Event::Session(SessionEvent::BecameReadOnly { fault }));
            }
            // It was told when it happened.
            Err(_) => {}
        }
    }

    /// Whoever reads the journal must not read for ever that a request is under way. What has not left by now does not; of the
    /// rest nobody knows, whether it was not answered or its answer was lost.
    fn leave_behind(&mut self, why: &str, fault: &Fault) {
        self.call_back(why);
        for (incident, step) in self.running() {
            let execution = Execution::Unknown { fault: fault.clone() };
            self.commit(Some(incident), Event::Remediation(RemediationEvent::StepFinished { step, execution }));
        }
    }

    fn running(&self) -> Vec<(IncidentId, StepId)> {
        let steps = self.session.incidents.values().flat_map(|incident| {
            let steps = incident.plan.iter().flat_map(|plan| &plan.steps);
            steps.filter(|step| step.state == StepState::Running).map(|step| (incident.id, step.id))
        });
        steps.collect()
    }

    /// Gives the posts under way a moment, and notes what became of them. What still waits in the outbox never began.
    async fn end_posts(&mut self) {
        for (incident, event) in self.runner.last_words().await {
            if !matches!(event, ReportEvent::Posted) {
                self.unposted.insert(incident);
            }
            self.commit(Some(incident), Event::Report(event));
        }
        let unsent = self.session.incidents.values().filter(|incident| incident.posts_under_way > 0);
        for incident in unsent.map(|incident| incident.id).collect::<Vec<_>>() {
            let fault = Fault::new(FaultKind::Cut, "The session ended before the report was sent to Slack.");
            self.unposted.insert(incident);
            self.commit(Some(incident), Event::Report(ReportEvent::PostLeft { fault }));
        }
    }

    /// Hears what was told until now, and nobody after that: who still has something to tell must not wait.
    pub fn hang_up(&mut self, inbox: &mut mpsc::Receiver<Inbox>) {
        inbox.close();
        while let Ok(message) = inbox.try_recv() {
            // Who presses a key or sends a signal now asks for what is happening.
            drop(self.receive(message));
        }
    }

    /// Where the journal ended; `None` before the end, and where it was not written to its end.
    pub fn anchor(&self) -> Option<Anchor> {
        self.anchor
    }

    /// What a person keeps of a session that is over: its journal, and the anchor that proves it later.
    pub fn kept(&self) -> String {
        let journal = Some(self.journal_path()).filter(|path| path.is_file());
        let journal = journal.map_or_else(|| "none".to_owned(), |path| path.display().to_string());
        let anchor = self.anchor.map_or_else(String::new, |anchor| format!("\nanchor   {anchor}"));
        format!("journal  {journal}{anchor}{}{}", self.told_unsettled(), self.told_unposted())
    }

    /// The steps whose result nobody has seen to its end.
    fn told_unsettled(&self) -> String {
        let again = self.resumed_by().map_or_else(String::new, |command| format!(" `{command}` goes on."));
        let told = self.session.incidents.values().flat_map(|incident| {
            let steps = incident.plan.iter().flat_map(|plan| &plan.steps).filter(|step| step.state.is_in_flight());
            steps.map(|step| {
                let (id, words, word) = (incident.id, incident.step_words(step), step.state.word());
                format!("\nstep     {id} {} {words} is {word}: its result is not known.{again}", step.id)
            })
        });
        told.collect()
    }

    /// The reports that the end left unposted, and how they are posted after all.
    fn told_unposted(&self) -> String {
        let unposted = self.unposted.iter().filter_map(|id| self.session.incidents.get(id));
        let told = unposted.filter_map(|incident| {
            let (fault, again) = match &incident.report.as_ref()?.post {
                Post::Left { fault } => (fault, self.resumed_by()),
                Post::Failed { fault } => (fault, None),
                Post::Off | Post::Sending | Post::Posted { .. } => return None,
            };
            let again = again.map_or_else(String::new, |command| format!(" `{command}` posts it."));
            let (id, severity, name) = (incident.id, incident.severity.word(), &incident.service.name);
            Some(format!("\nslack    {id} {severity} {name} NOT posted: {fault}{again}"))
        });
        told.collect()
    }

    /// The command that goes on with this session, where there is one: the cloud of a rehearsal ends with it.
    fn resumed_by(&self) -> Option<String> {
        let header = &self.session.header;
        let live = match header.mode {
            Mode::DryRun => "",
            Mode::Live => " --live",
        };
        let goes_on = header.origin == Origin::Real && self.journal_path().is_file();
        goes_on.then(|| format!("pagerdeck{live} resume {}", header.id))
    }

    /// Where the journal is, or would be.
    pub fn journal_path(&self) -> std::path::PathBuf {
        self.scribe.path()
    }
}

/// The event of a timer.
pub fn fired(purpose: TimerPurpose) -> Event {
    Event::Timer(TimerEvent::Fired { purpose })
}
