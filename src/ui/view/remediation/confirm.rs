//! The foot of a step's screen: what will happen, in one sentence, and the keys or the confirm field.

use ratatui::text::{Line, Span};

use super::super::look::Look;
use super::step::Room;
use crate::domain::count::counted;
use crate::domain::remediation::gate::Purpose;
use crate::domain::remediation::policy::Confirm;
use crate::domain::remediation::request::Mode;
use crate::domain::remediation::runbook::undo_of;
use crate::domain::remediation::step::{Action, Rehearsal, RehearsalOutcome, Step, StepState};
use crate::session::Session;
use crate::session::feeds::{FeedHealth, FeedId};
use crate::session::incident::{Incident, Way};
use crate::session::remediation::{self, Press};
use crate::ui::format;
use crate::ui::model::Ui;
use crate::ui::theme::Role;

/// Said beside a token that came sooner than anybody types.
const PASTED: &str = "pasted: type it";

/// The rows of the foot.
pub fn rows(
    (ui, session): (&Ui, &Session),
    (incident, step): (&Incident, &Step),
    (columns, room, look): (usize, Room, &Look),
) -> Vec<Line<'static>> {
    let (role, mut sentence) = sentence(session, (incident, step), look);
    if let (StepState::Failed { .. } | StepState::Proposed, Some(reading)) =
        (&step.state, super::super::rca::reading_again(incident))
    {
        sentence = format!("{sentence} {reading}");
    }
    let mut rows: Vec<Line<'static>> = Vec::new();
    if matches!(step.state, StepState::Armed { .. }) {
        rows.extend(wrapped(role, &sentence, (columns, look)));
        rows.extend(field((ui, session), (columns, room, look)));
        return rows;
    }
    rows.extend(wrapped(role, &sentence, (columns, look)));
    let keys = keys(session, (incident, step));
    if !keys.is_empty() {
        rows.extend(wrapped(Role::Accent, keys, (columns, look)));
    }
    rows
}

fn wrapped(role: Role, text: &str, (columns, look): (usize, &Look)) -> Vec<Line<'static>> {
    let safe = crate::domain::observation::sanitise::line(text);
    format::wrap(&safe, columns).into_iter().map(|part| Line::from(look.span(role, part.to_owned()))).collect()
}

/// `confirm> my-api 7f_   Esc or Ctrl-C stands down`.
fn field((ui, session): (&Ui, &Session), (columns, room, look): (usize, Room, &Look)) -> Vec<Line<'static>> {
    let Some(field) = ui.confirm_field(session) else { return Vec::new() };
    let wanted = ui.wanted_token(session).unwrap_or_default();
    // Said of the whole alone: a piece of it may have been held back by the link.
    let is_pasted = field.text.trim() == wanted && field.is_pasted();
    if room == Room::Tight {
        let prefix = format::width(&wanted) + 24;
        let typed =
            format::clip(&look.typed(&field.text), columns.saturating_sub(prefix).max(8), look.glyphs).into_owned();
        let mut line = look.line([
            (Role::Armed, "confirm".into()),
            (Role::Text, " type ".into()),
            (Role::Strong, wanted.into()),
            (Role::Text, ", Enter> ".into()),
            (Role::Strong, format!("{typed}_").into()),
        ]);
        if is_pasted {
            line.push_span(look.span(Role::Danger, format!(" {PASTED}")));
        } else if field.wrong > 0 {
            line.push_span(look.span(Role::Danger, format!(" wrong, {} left", field.tries_left())));
        }
        return vec![line];
    }
    let mut type_this =
        look.line([(Role::Text, "Type  ".into()), (Role::Strong, wanted.into()), (Role::Text, "  then Enter.".into())]);
    let left = field.tries_left();
    let wrong = format!("  wrong, {left} {} left", if left == 1 { "try" } else { "tries" });
    if field.wrong > 0 {
        type_this.push_span(look.span(Role::Danger, wrong));
    }
    let typed = format::clip(&look.typed(&field.text), columns.saturating_sub(45).max(12), look.glyphs).into_owned();
    let prompt = Line::from(vec![
        look.span(Role::Armed, "confirm>"),
        Span::raw(" "),
        look.span(Role::Strong, typed),
        look.span(Role::Strong, "_"),
        if is_pasted {
            look.span(Role::Danger, format!("   {PASTED}"))
        } else {
            look.span(Role::Faint, "   Esc or Ctrl-C stands down")
        },
    ]);
    vec![type_this, prompt]
}

/// What the next key would do, or what has become of the step.
pub(super) fn sentence(session: &Session, (incident, step): (&Incident, &Step), look: &Look) -> (Role, String) {
    let mode = session.header.mode;
    match &step.state {
        StepState::Proposed => proposed(session, (incident, step), look),
        StepState::Rehearsing => (Role::Faint, "The server is being asked with dryRun=All.".to_owned()),
        StepState::Rehearsed => rehearsed(session, (incident, step), look),
        StepState::Armed { .. } => (Role::Danger, format!("This WILL {}.", deed(session, step, look))),
        StepState::Approved if mode == Mode::DryRun => {
            (Role::Good, "APPROVED, recorded as \"would run\". Nothing has been changed.".to_owned())
        }
        StepState::Approved => {
            let text = "APPROVED and on its way through the gate. Esc or Ctrl-C stands it down.";
            (Role::Warning, text.to_owned())
        }
        StepState::Running => (Role::Warning, running((incident, step), look)),
        StepState::Verifying => (Role::Warning, "The request was applied; its result is being watched.".to_owned()),
        StepState::Verified => (Role::Good, "VERIFIED: every test passed.".to_owned()),
        StepState::Failed { why, .. } => (Role::Danger, format!("{}: {why}.", step.state.word())),
        StepState::Undone { by } => (Role::Warning, format!("UNDONE: it ran, and {by} has put it back.")),
        StepState::Denied { reason } => (Role::Warning, format!("DENIED: {reason}. Nothing was sent.")),
        StepState::Skipped { why } => (Role::Faint, format!("SKIPPED: {}. Nothing was sent.", why.text())),
        StepState::Expired => (Role::Warning, "EXPIRED: not confirmed in time. Nothing was sent.".to_owned()),
        StepState::StoodDown { why } => {
            let text = format!("STOOD DOWN: {}.", why.trim_end_matches('.'));
            let fix = session.unusable_credentials().and_then(|(_, fault)| fault.hints.first());
            (Role::Warning, fix.map_or(text.clone(), |fix| format!("{text} {fix}")))
        }
        StepState::Uncertain => {
            let text = "UNCERTAIN: a request may or may not have left before the program ended. It is never sent again by itself.";
            (Role::Danger, text.to_owned())
        }
    }
}

/// A rehearsal that was not accepted leaves its step proposed: it was rehearsed, and may not run.
/// How far its request has come, and whether Ctrl-C still keeps it here.
fn running((incident, step): (&Incident, &Step), look: &Look) -> String {
    let target = &step.target;
    match incident.way_of(step.id) {
        Way::ToDisk => {
            "RUNNING: the request leaves once its start is on the disk. Till then Ctrl-C calls it back; what was sent goes on."
                .to_owned()
        }
        Way::Looking { since } => format!(
            "RUNNING: looks at {}/{} once more before it is sent ({}, no answer yet). Nothing was sent; Ctrl-C calls it back.",
            target.kind.word(),
            target.name,
            look.age(since)
        ),
        Way::LookingAgain { since } => format!(
            "RUNNING: others wrote in between, so the server did not take it: looks at {}/{} again before it is sent again ({}, no answer yet). Nothing was changed; Ctrl-C calls it back.",
            target.kind.word(),
            target.name,
            look.age(since)
        ),
        Way::Sent { at } => format!(
            "RUNNING: SENT {}, no answer yet. Ctrl-C does not stop the cluster: what was sent goes on.",
            look.instant(at)
        ),
    }
}

/// Why an undo waits: nothing but the age of what is known keeps it.
fn too_old(session: &Session, (incident, step): (&Incident, &Step), look: &Look) -> Option<String> {
    let gate = incident.gate.as_ref().filter(|gate| !gate.is_open_for(Purpose::Undo))?;
    match incident.purpose(step.id) {
        Purpose::Remedy => return None,
        Purpose::Undo => {}
    }
    let age = gate.oldest.map_or_else(String::new, |oldest| format!(" (it is {} old)", look.age(oldest)));
    let bound = session.header.policy.evidence_max_age_s;
    Some(format!("This undo needs evidence younger than {bound} s{age}: r in pane 4 reads it, then it is rehearsed."))
}

fn proposed(session: &Session, (incident, step): (&Incident, &Step), look: &Look) -> (Role, String) {
    let nothing = unchanged(session);
    let what = match step.rehearsal.as_ref().map(|found| &found.outcome) {
        None | Some(RehearsalOutcome::Rehearsed) => {
            let waits = too_old(session, (incident, step), look);
            let text = waits.unwrap_or_else(|| format!("Proposed, not rehearsed yet. {nothing}"));
            return (Role::Faint, text);
        }
        Some(RehearsalOutcome::Forbidden { .. }) => "This credential may not do it",
        Some(RehearsalOutcome::Refused { .. }) => "The server refused its rehearsal",
        Some(RehearsalOutcome::LocalOnly { .. }) => "The server was not asked",
        Some(RehearsalOutcome::NotRehearsable { .. }) => "It could not be rehearsed",
    };
    (Role::Warning, format!("{what}: it cannot run. {nothing}"))
}

/// What is true of the session where a step did not run: another may have.
fn unchanged(session: &Session) -> &'static str {
    if super::is_untouched(session) { "Nothing has been changed." } else { "Nothing was sent of it." }
}

fn rehearsed(session: &Session, (incident, step): (&Incident, &Step), look: &Look) -> (Role, String) {
    let accepted = step.rehearsal.as_ref().is_some_and(|found| found.outcome == RehearsalOutcome::Rehearsed);
    if !accepted {
        return (Role::Warning, "The server did not accept the rehearsal: this step cannot run.".to_owned());
    }
    if let Some(check) = step.rehearsal.as_ref().and_then(Rehearsal::failed_check) {
        return (Role::Warning, format!("The check \"{}\" says no: this step cannot run. {}", check.name, check.text));
    }
    if let Some((whose, fault)) = session.unusable_credentials() {
        let fix = fault.hints.first().map_or("", String::as_str);
        return (Role::Danger, format!("The {whose} credentials fail: nothing can be approved. {fix}"));
    }
    if !incident.gate_is_open_for(step.id) {
        let locked = || "The gate is LOCKED: this step cannot run until pane 4 says it is open.".to_owned();
        return (Role::Warning, too_old(session, (incident, step), look).unwrap_or_else(locked));
    }
    if !incident.still_offers(step) {
        let text =
            "The evidence of now does not suffice for this step: it cannot run. r reads again, X or S decides it.";
        return (Role::Warning, text.to_owned());
    }
    let header = &session.header;
    let scope = &header.scope;
    if let Err(refusal) = header.policy.live_rule(scope, &step.target.namespace, step.action.kind())
        && header.mode == Mode::Live
    {
        return (Role::Warning, format!("{} A would not run it.", refusal.0));
    }
    match header.mode {
        Mode::DryRun => (Role::Strong, "DRY-RUN: A records \"would run\". Nothing will be changed.".to_owned()),
        Mode::Live => match header.policy.confirm(header.mode, scope, &step.target.namespace, step.action.kind()) {
            Confirm::Typed => (
                Role::Warning,
                format!("LIVE: A arms it, then a typed token confirms. It would {}.", deed(session, step, look)),
            ),
            Confirm::Key => (Role::Danger, format!("LIVE: a single A WILL {}.", deed(session, step, look))),
        },
    }
}

/// `restart 6 pods of deployment/my-api in PROD`: a verb, a number where it is known, a place. A number that the watch
/// does not tell any more has its time: `6 pods (as of 09:10:00Z)`.
fn deed(session: &Session, step: &Step, look: &Look) -> String {
    let target = &step.target;
    let watch = session.feed(FeedId::Workloads);
    let told_at = watch.answered_at.filter(|_| watch.health != FeedHealth::Live);
    let old = told_at.map_or_else(String::new, |at| format!(" (as of {})", look.instant(at)));
    let pods = session
        .cluster
        .workloads
        .get(&target.key())
        .map_or_else(|| "the pods".to_owned(), |workload| format!("{}{old}", counted(workload.replicas, "pod")));
    let name = format!("{}/{}", target.kind.word(), target.name);
    let place = &session.header.environment;
    let place = if place.is_empty() { String::new() } else { format!(" in {place}") };
    let is_outage = step.rehearsal.as_ref().is_some_and(Rehearsal::is_outage);
    let pods = if is_outage { format!("{pods}, all down at once,") } else { pods };
    match &step.action {
        Action::RolloutRestart => format!("restart {pods} of {name}{place}"),
        Action::SetResources { memory_limit, .. } => {
            let limit = crate::domain::remediation::step::quantity(*memory_limit);
            format!("set the memory limit of {name} to {limit} and replace {pods}{place}")
        }
        Action::RolloutUndo { to_revision } => {
            format!("put {name} back to revision {to_revision} and replace {pods}{place}")
        }
        Action::Scale { replicas, was } => format!("scale {name} from {was} to {}{place}", counted(*replicas, "pod")),
    }
}

fn keys(session: &Session, (incident, step): (&Incident, &Step)) -> &'static str {
    let counts = |digest| {
        let at = (incident.id, step.id);
        remediation::admits(session, session.now, at, Press::Approve(digest)).is_ok()
    };
    match (&step.state, session.header.mode) {
        // A key that would be refused is not offered.
        (StepState::Rehearsed, _) if !step.digest.as_ref().is_some_and(counts) => "X deny  S skip  d rehearse again",
        (StepState::Rehearsed, Mode::DryRun) => "A approve (would run)  X deny  S skip  d rehearse again",
        (StepState::Rehearsed, Mode::Live) => "A arm  X deny  S skip  d rehearse again",
        (StepState::Proposed | StepState::Expired | StepState::StoodDown { .. }, _) => "d rehearse  X deny  S skip",
        (StepState::Failed { .. } | StepState::Verified, Mode::Live) if undo_of(&step.action).is_some() => {
            "U propose the undo"
        }
        _ => "",
    }
}
