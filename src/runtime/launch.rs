//! The runs that the command line asks for: assembles clock, outside, journal and loop, and judges the end.

mod place;
mod unfound;
mod world;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::sync::{Notify, mpsc};

use self::unfound::{lost_alarms, no_such_alarm};
use self::world::{World, real_world, rehearsed_world};
use super::clock::wall_now;
use super::core::{Core, Watched};
use super::ending::Ending;
use super::expectation;
use super::headless::{self, Audience, Ended, Headless};
use super::inbox::{self, Inbox, Postbox};
use super::operator::{Moment, Operator};
use super::runner::{Means, Runner};
use super::scribe::Scribe;
use super::tasks::Tasks;
use super::virtual_screen::VirtualScreen;
use super::waits::Waits;
use crate::config::{Config, OutputForm, Surface};
use crate::domain::drill::ArrangedFault;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::remediation::request::Mode;
use crate::journal::{End, Preamble, Writer};
use crate::rehearsal::clock::Speed;
use crate::rehearsal::scenario::Scenario;
use crate::rehearsal::{Rehearsal, StartOptions};
use crate::report::incident::{Requests, Surroundings};
use crate::report::rehearsal_label;
use crate::session::event::{Event, FeedEvent, SessionEvent};
use crate::session::feeds::{FeedHealth, FeedId};
use crate::session::header::{Header, ModelChoice, Origin, SessionId, SlackUse};
use crate::session::incident::Incident;
use crate::session::{Session, update};
use crate::ui::model::UiOptions;
use crate::ui::tour::Lesson;

/// How to rehearse.
#[derive(Debug)]
pub struct RehearseOptions {
    /// What.
    pub scenario: Scenario,
    /// How fast.
    pub speed: Speed,
    /// The seed; the scenario's own where none is given.
    pub seed: Option<u64>,
    /// Presses the keys.
    pub operator: Option<Operator>,
    /// What goes wrong on its wires beside what the scenario says.
    pub faults: Vec<ArrangedFault>,
    /// Where a tour begins, if there is to be one.
    pub tour: Option<Lesson>,
    /// Where to lay what other programs need to reach its cloud.
    pub attach: Option<PathBuf>,
}

/// A run, assembled and not yet begun.
pub struct Run {
    /// Session, journal and outbox.
    pub core: Core,
    /// What the loop waits for.
    pub inbox: mpsc::Receiver<Inbox>,
}

/// The cockpit, or its story as text, on the real endpoints.
pub async fn cockpit(config: Config) -> Result<Ending, Fault> {
    let world = real_world(&config)?;
    match config.surface {
        Surface::Screen => super::cockpit::run(assemble(&config, world, Watched::ByNobody), &config, None).await,
        Surface::Plain => super::plain::run(assemble(&config, world, Watched::ByPrinter), &config).await,
        Surface::Headless(form) => {
            let told = tell(&config, world, form, None).await?;
            match told.ended.cut_short() {
                Some(ending) => ending,
                None => lost_alarms(&told.session).map_or(Ok(Ending::Done), Err),
            }
        }
    }
}

/// One incident on the real endpoints, without a screen.
pub async fn investigate(mut config: Config, alarm: &str) -> Result<Ending, Fault> {
    config.focus = Some(alarm.to_owned());
    let form = match config.surface {
        Surface::Screen | Surface::Plain => OutputForm::Text,
        Surface::Headless(form) => form,
    };
    let world = real_world(&config)?;
    let told = tell(&config, world, form, None).await?;
    match (told.ended.cut_short(), told.session.focused()) {
        (Some(ending), _) => ending,
        (None, Some(incident)) if incident.plan.is_some() => Ok(Ending::PlanWaiting),
        (None, Some(incident)) if told.ended == Ended::TimeUp && incident.verdict.is_none() => Err(unjudged(incident)),
        (None, Some(_)) => Ok(Ending::Done),
        (None, None) => Err(no_such_alarm(&told.session, alarm)),
    }
}

/// What is said where the time was up before anything was concluded: that nothing waits is no all-clear.
fn unjudged(incident: &Incident) -> Fault {
    let awaited: Vec<&str> = incident.awaited.iter().map(|(_, question)| question.word()).collect();
    Fault::new(FaultKind::Timeout, format!("The time was up before {} was judged.", incident.service.name))
        .cause(format!(
            "Still asked for: {}.",
            if awaited.is_empty() { "nothing".to_owned() } else { awaited.join(", ") }
        ))
        .hint("Give it more time: `--for` takes seconds.")
}

/// A rehearsal: the simulated cloud, and the very same cockpit against it.
pub async fn rehearse(config: Config, options: RehearseOptions) -> Result<Ending, Fault> {
    let start = StartOptions { speed: options.speed, seed: options.seed };
    let rehearsal = crate::rehearsal::start(options.scenario, start).await?;
    let attached = options.attach.as_deref().map(|folder| super::attach::lay(folder, &rehearsal)).transpose()?;
    let seed = options.seed.unwrap_or(rehearsal.scenario.seed);
    let world = rehearsed_world(&config, &rehearsal, (options.speed, seed), &options.faults)?;
    let ending = match config.surface {
        Surface::Screen if options.operator.is_none() => {
            super::cockpit::run(assemble(&config, world, Watched::ByNobody), &config, options.tour).await
        }
        Surface::Plain if options.operator.is_none() => {
            super::plain::run(assemble(&config, world, Watched::ByPrinter), &config).await
        }
        Surface::Screen | Surface::Plain => {
            rehearse_told(&config, &rehearsal, world, OutputForm::Text, options.operator).await
        }
        Surface::Headless(form) => rehearse_told(&config, &rehearsal, world, form, options.operator).await,
    };
    drop(attached);
    rehearsal.stop().await;
    ending
}

async fn rehearse_told(
    config: &Config,
    rehearsal: &Rehearsal,
    world: World,
    form: OutputForm,
    operator: Option<Operator>,
) -> Result<Ending, Fault> {
    let script = operator.map(|operator| (operator, VirtualScreen::new(UiOptions::default())));
    let told = tell_with(config, world, form, script, Some(rehearsal)).await?;
    let mut differences = Vec::new();
    if let Some(moment) = told.unfinished {
        differences.push(format!("The operator's script was not finished: {moment:?} did not come."));
    }
    // A time that was asked for may end before there is anything to compare.
    let comparable = match told.ended {
        Ended::Told => true,
        Ended::TimeUp => headless::has_come_to_its_point(&told.session),
        Ended::GaveUp | Ended::Unread | Ended::Signalled(_) => false,
    };
    if comparable {
        differences.extend(expectation::differences(&told.session, &rehearsal.scenario.expect));
    }
    match (told.ended.cut_short(), differences.is_empty()) {
        // Nobody listens any more, so nobody is told that the script was not finished.
        (Some(ending), _) if told.ended == Ended::Unread => ending,
        (_, false) => Ok(Ending::NotAsExpected { why: differences.join(" ") }),
        (Some(ending), true) => ending,
        (None, true) if told.ended == Ended::Told => Ok(Ending::AsExpected),
        (None, true) => Ok(Ending::Done),
    }
}

/// A story that has been told.
struct Told {
    session: Session,
    ended: Ended,
    unfinished: Option<Moment>,
}

async fn tell(config: &Config, world: World, form: OutputForm, rehearsal: Option<&Rehearsal>) -> Result<Told, Fault> {
    tell_with(config, world, form, None, rehearsal).await
}

async fn tell_with(
    config: &Config,
    world: World,
    form: OutputForm,
    operator: Option<(Operator, VirtualScreen)>,
    rehearsal: Option<&Rehearsal>,
) -> Result<Told, Fault> {
    let run = assemble(config, world, Watched::ByPrinter);
    Box::pin(tell_run(config, run, form, operator, rehearsal)).await
}

async fn tell_run(
    config: &Config,
    run: Run,
    form: OutputForm,
    operator: Option<(Operator, VirtualScreen)>,
    rehearsal: Option<&Rehearsal>,
) -> Result<Told, Fault> {
    let Run { mut core, mut inbox } = run;
    let signals = super::signals::listen(&core);
    let narrator = crate::report::narration::Narrator::new(headless::signs(config.screen.glyphs));
    let mut headless = Headless { form, narrator, lasting: config.limit, operator, waits: Waits::default() };
    let mut out = std::io::stdout();
    let run = headless::run(&mut core, &mut inbox, &mut headless, &mut out).await;
    let again = super::signals::Signals::listen();
    drop(signals);
    let reason = run.as_ref().map_or("the output could not be written", |(ended, _)| ended.reason());
    core.hang_up(&mut inbox);
    super::signals::end(&mut core, reason, again).await?;
    let (mut ended, timings) = run?;
    let journal = Some(core.journal_path()).filter(|path| path.is_file());
    if form == OutputForm::Json {
        let around = Surroundings {
            requests: requests(rehearsal),
            journal: journal.as_ref().map(|path| path.display().to_string()),
            anchor: core.anchor().map(|anchor| anchor.to_string()),
            timings_ms: timings.by_name(),
        };
        let chosen = crate::report::incident::chosen(&core.session).map(|incident| incident.id);
        let object = crate::report::incident::object(&core.session, chosen, &around);
        if headless::write_line(&mut out, &format!("{object:#}"))? == Audience::Gone {
            ended = Ended::Unread;
        }
    } else if form == OutputForm::Text {
        if let Some(label) = rehearsal_label(&core.session.header) {
            let _ = writeln!(out, "{label}: nothing above happened in a real account or cluster.");
        }
        let _ = writeln!(out, "{}", core.kept());
    } else if ended != Ended::Unread {
        super::signals::tell_kept(&core);
    }
    if let Some(fault) = core.session.read_only {
        return Err(
            fault.hint("The story was told and is not kept: make room, or name another folder by PAGERDECK_STATE.")
        );
    }
    let unfinished = headless.operator.and_then(|(operator, _)| operator.waits_for());
    Ok(Told { session: core.session, ended, unfinished })
}

/// What the simulated cloud received. Against a real one nobody counts.
fn requests(rehearsal: Option<&Rehearsal>) -> Option<Requests> {
    let summary = rehearsal?.ledger.summary();
    let (by_kind, by_fault) = (summary.by_kind, summary.by_fault);
    Some(Requests { mutating: summary.mutating, dry_run: summary.dry_run, by_kind, by_fault })
}

/// Takes up a session whose process ended: folds its journal, settles what was under way, and goes on in the cockpit.
pub async fn resume(path: &Path, mut config: Config) -> Result<Ending, Fault> {
    let mut session = Session::default();
    let (writer, resumed) = Writer::resume(path, |record| {
        update(&mut session, &record);
    })
    .map_err(|error| error.fault())?;
    if session.header == Header::default() {
        return Err(Fault::new(FaultKind::Usage, "The session ended before it began: there is nothing to go on with.")
            .hint("Start a new session; the file can be deleted."));
    }
    if let Origin::Rehearsal { scenario, .. } = &session.header.origin {
        let text = format!("This session was a rehearsal of {scenario}; its simulated cloud ended with it.");
        let hint = format!("Look at it with `pagerdeck replay {}`.", path.display());
        return Err(Fault::new(FaultKind::Usage, text).hint(hint));
    }
    if let Some(why) = may_not_go_on_live(&session, &config) {
        return Ok(Ending::Refused { why });
    }
    place::as_it_was(&mut config, &session.header.scope);
    let world = real_world(&config)?;
    if let Some(why) = place::another(&world.outside, &session.header.scope).await {
        return Ok(Ending::Refused { why });
    }
    let (sender, inbox) = mpsc::channel(inbox::CAPACITY);
    let scribe = Scribe::start(writer, path, sender.clone())?;
    let watched = if config.surface == Surface::Screen { Watched::ByNobody } else { Watched::ByPrinter };
    let mut run = begin(session, world, (sender, inbox), scribe, watched);
    let note = match resumed.end {
        End::Whole => "the process before ended".to_owned(),
        End::Torn { .. } => "the process before ended in the middle of a line, which was cut off".to_owned(),
    };
    take_up(&mut run.core, note);
    run.core.runner.start_feeds(&run.core.session);
    match config.surface {
        Surface::Screen => super::cockpit::run(run, &config, None).await,
        Surface::Plain => super::plain::run(run, &config).await,
        Surface::Headless(form) => {
            let told = Box::pin(tell_run(&config, run, form, None, None)).await?;
            told.ended.cut_short().unwrap_or(Ok(Ending::Done))
        }
    }
}

/// Goes on with a session as who this process is: what the journal knows of that is about the process before.
fn take_up(core: &mut Core, note: String) {
    core.commit(None, Event::Session(SessionEvent::Resumed { note }));
    let outside = &core.runner.means().outside;
    let scope = outside.scope();
    let environment = outside.environments.configured(&scope);
    core.commit(None, Event::Session(SessionEvent::ScopeLearned { scope, environment }));
    core.compare_clock();
}

/// A journal makes no session live by itself: the flag is asked for again, and the policy of today must be the one that
/// its digests were made under.
fn may_not_go_on_live(session: &Session, config: &Config) -> Option<String> {
    match (session.header.mode, config.mode) {
        (Mode::DryRun, Mode::DryRun) => None,
        (Mode::DryRun, Mode::Live) => {
            Some("This session is a dry-run and stays one. Leave --live out, or start a new session.".to_owned())
        }
        (Mode::Live, Mode::DryRun) => {
            Some("This session is live. Say --live to go on with it, or look at it with `pagerdeck replay`.".to_owned())
        }
        (Mode::Live, Mode::Live) => (session.header.policy != config.policy).then(|| {
            "The policy is no longer the one this live session was started under. Start a new session.".to_owned()
        }),
    }
}

fn assemble(config: &Config, world: World, watched: Watched) -> Run {
    let id = session_id();
    tracing::info!(session = %id, mode = config.mode.word(), "session begins");
    let path = config.paths.sessions.join(format!("{id}.jsonl"));
    let (sender, inbox) = mpsc::channel(inbox::CAPACITY);
    let (scribe, broken) = match open_journal(&path, &id, sender.clone()) {
        Ok(scribe) => (scribe, None),
        Err(fault) => (Scribe::none(&path), Some(fault)),
    };
    let header = header(config, &world, id);
    let arranged = world.arranged.clone();
    let mut run = begin(Session::default(), world, (sender, inbox), scribe, watched);
    run.core.commit(None, Event::Session(SessionEvent::Started { header: Box::new(header) }));
    for arranged in arranged {
        run.core.commit(None, Event::Session(arranged));
    }
    if let Some(fault) = broken {
        run.core.receive(Inbox::JournalFailed(fault));
    }
    for (feed, why) in [
        (FeedId::Metrics, "no service to read yet: they follow the first incident"),
        (FeedId::Logs, "no service to read yet: they follow the first incident"),
        (FeedId::Model, "asked when an incident has its evidence"),
    ] {
        let health = FeedHealth::Off { why: why.to_owned() };
        run.core.commit(None, Event::Feed(FeedEvent::Changed { feed, health }));
    }
    run.core.runner.start_feeds(&run.core.session);
    run
}

fn header(config: &Config, world: &World, id: SessionId) -> Header {
    Header {
        id,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        mode: config.mode,
        origin: world.origin.clone(),
        environment: config.environments.word(&world.scope),
        scope: world.scope.clone(),
        namespaces: world.outside.namespaces.borrow().clone(),
        policy: world.policy.clone(),
        model: config.model.as_ref().and_then(|model| model.id.clone()),
        model_choice: match &config.model {
            Some(model) if model.id.is_none() => ModelChoice::OfRegion,
            Some(_) | None => ModelChoice::Settled,
        },
        services: world.services.iter().map(|configured| configured.service.clone()).collect(),
        log_groups: world.outside.log_groups.clone(),
        focus: config.focus.clone(),
        wall_started_at: wall_now(),
        slack: if world.outside.slack.is_some() { SlackUse::Post } else { SlackUse::Off },
        window_minutes: u32::try_from(config.window.as_mins()).unwrap_or(30),
    }
}

/// Puts the loop together over a session as folded so far. Nothing runs yet.
fn begin(
    session: Session,
    world: World,
    (sender, inbox): (mpsc::Sender<Inbox>, mpsc::Receiver<Inbox>),
    scribe: Scribe,
    watched: Watched,
) -> Run {
    let means = Means {
        outside: Arc::new(world.outside),
        post: Postbox::new(sender.clone()),
        clock: world.clock.clone(),
        nudge: Arc::new(Notify::new()),
        failing: Arc::default(),
    };
    let runner = Runner::new(means, Tasks::new(sender), world.services);
    let mut core = Core::new(session, world.clock, runner, scribe, watched);
    core.game_day = world.game_day;
    Run { core, inbox }
}

fn open_journal(path: &Path, id: &SessionId, inbox: mpsc::Sender<Inbox>) -> Result<Scribe, Fault> {
    let writer = Writer::create(path, &Preamble::new(id.as_str())).map_err(|error| error.fault())?;
    Scribe::start(writer, path, inbox)
}

/// Sortable by start, and distinct for two sessions of one second: of two processes, or of one that began again.
fn session_id() -> SessionId {
    let stamp = wall_now().strftime("%Y%m%dT%H%M%SZ").to_string();
    let process = std::process::id();
    SessionId::new(match BEGUN.fetch_add(1, Ordering::SeqCst) {
        0 => format!("{stamp}-{process:05x}"),
        again => format!("{stamp}-{process:05x}-{}", again + 1),
    })
}

/// Sessions begun by this process.
static BEGUN: AtomicU32 = AtomicU32::new(0);

#[cfg(test)]
mod tests;
