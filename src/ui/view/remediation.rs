//! Pane 5: the plan with the state of each step, what keeps it locked, and whether anything has been changed. While it
//! has the keys and room enough, one step fills it: see `step`.
//!
//! ```text
//! ┌ [5] REMEDIATION  2 steps  #1 REHEARSED  #2 PROPOSED ───────────── nothing has been changed ┐
//! │ 1 REHEARSED  rollout restart deployment/my-api -n payments  dryRun=All ok 09:30:49Z  #7f3a  │
//! ```

mod checks;
mod confirm;
mod facts;
mod step;
mod verifying;
mod words;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::look::Look;
use super::sheet::{Held, Sheet, bare, frame, mark};
use crate::domain::count::counted;
use crate::domain::diagnosis::sufficiency::Sufficiency;
use crate::domain::remediation::gate::RefusalReason;
use crate::domain::remediation::request::Mode;
use crate::domain::remediation::step::{RehearsalOutcome, Step, StepState};
use crate::session::Session;
use crate::session::feeds::{FeedHealth, FeedId};
use crate::session::incident::{ChangeOutcome, Incident, Phase, Way};
use crate::ui::layout::Edges;
use crate::ui::model::{Pane, Ui, rows};
use crate::ui::theme::Role;

pub use self::words::words;

/// Draws the pane.
pub fn draw(buffer: &mut Buffer, area: Rect, (ui, session): (&Ui, &Session), (look, held): (&Look, Held)) {
    let incident = ui.incident(session);
    let mut title = super::title(Pane::Remediation, (look, held));
    title.spans.extend(heading(incident, look));
    let search = ui.step_search.as_ref();
    super::push_search(&mut title, search, look);
    super::push_matches(&mut title, (search, rows::steps(ui, session).iter().map(rows::step_text)), look);
    let mut changed = Line::from(changed(session, incident, look));
    if incident.is_some_and(|incident| incident.plan.is_some())
        && let Some(watch) = watch(session, look)
    {
        changed.spans.insert(0, watch);
    }
    let inner = match ui.layout().edges {
        Edges::Boxed => frame(buffer, area, (&title, &changed), (look, held)),
        Edges::Bare => bare(buffer, area, (&title, &changed), look),
    };
    let mut sheet = Sheet::new(buffer, inner, look);
    let Some(incident) = incident else {
        sheet.text(Role::Faint, "No incident, no plan. Nothing has been changed.");
        return;
    };
    match ui.step(session) {
        Some(step) if ui.focus == Pane::Remediation && ui.layout().shows_step_whole() => {
            step::draw(sheet, (ui, session), (incident, step));
        }
        Some(_) => plan(&mut sheet, (ui, session, incident), held),
        None => locked(&mut sheet, (session, incident)),
    }
    if let Some(search) = super::in_force(search) {
        mark(buffer, inner, search, look);
    }
}

fn heading(incident: Option<&Incident>, look: &Look) -> Vec<Span<'static>> {
    let steps = incident.and_then(|incident| incident.plan.as_ref()).map(|plan| plan.steps.as_slice());
    let Some(steps) = steps else { return vec![look.span(Role::Faint, "no plan")] };
    let mut spans = vec![look.span(Role::Text, counted(steps.len(), "step"))];
    for step in steps {
        // A state in reverse video begins with its number, not with the blanks before it.
        spans.push(Span::raw("  "));
        spans.push(look.span(state_role(&step.state), format!("{} {}", step.id, step.state.word())));
    }
    spans
}

/// The role of a state's word.
fn state_role(state: &StepState) -> Role {
    match state {
        StepState::Verified | StepState::Approved => Role::Good,
        StepState::Rehearsed | StepState::Running | StepState::Verifying => Role::Strong,
        StepState::Armed { .. } => Role::Armed,
        StepState::Failed { .. } | StepState::Uncertain => Role::Danger,
        StepState::Denied { .. } | StepState::Expired | StepState::StoodDown { .. } | StepState::Undone { .. } => {
            Role::Warning
        }
        StepState::Proposed | StepState::Rehearsing | StepState::Skipped { .. } => Role::Faint,
    }
}

/// That nobody watches the objects of the plan: a move of one does not stand a step down, and is met by its request alone.
fn watch(session: &Session, look: &Look) -> Option<Span<'static>> {
    match session.feed(FeedId::Workloads).health {
        FeedHealth::Retrying { .. } => Some(look.span(Role::Warning, "WATCH RETRY  ")),
        FeedHealth::Lost { .. } => Some(look.span(Role::Danger, "WATCH LOST  ")),
        FeedHealth::Off { .. } | FeedHealth::Connecting | FeedHealth::Live => None,
    }
}

/// Whether no step of any incident has moved the world, as far as is known.
fn is_untouched(session: &Session) -> bool {
    session.incidents.values().all(|incident| moved(session.header.mode, incident).is_none())
}

/// What of the plan has moved the world, or of that of another incident: said always, so that nobody has to guess.
fn changed(session: &Session, incident: Option<&Incident>, look: &Look) -> Span<'static> {
    let mode = session.header.mode;
    if let Some((_, role, text)) = incident.and_then(|incident| moved(mode, incident)) {
        return look.span(role, text);
    }
    let others = session.incidents.values().filter_map(|other| Some((other, moved(mode, other)?)));
    match others.max_by_key(|(_, (gravity, ..))| *gravity) {
        Some((other, (_, role, text))) => {
            let watched = if other.phase == Phase::Verifying { ", verifying" } else { "" };
            look.span(role, format!("{} {text}{watched}", other.id))
        }
        None => look.span(Role::Good, "nothing has been changed"),
    }
}

/// What the steps of an incident have moved, the gravest of it, with how grave that is.
fn moved(mode: Mode, incident: &Incident) -> Option<(u8, Role, String)> {
    let steps = incident.plan.as_ref().map_or(&[][..], |plan| &plan.steps);
    if let Some(step) = steps.iter().find(|step| step.state == StepState::Uncertain) {
        return Some((3, Role::Danger, format!("UNCERTAIN whether {} changed anything", step.id)));
    }
    if mode == Mode::DryRun {
        return None;
    }
    if let Some(step) = steps.iter().find(|step| step.state == StepState::Running) {
        let text = match incident.way_of(step.id) {
            Way::ToDisk | Way::Looking { .. } | Way::LookingAgain { .. } => format!("{} is about to be sent", step.id),
            Way::Sent { .. } => format!("{} is sent, no answer yet", step.id),
        };
        return Some((2, Role::Warning, text));
    }
    if let Some(one) = incident.changes.iter().find(|one| one.outcome == ChangeOutcome::Unknown) {
        return Some((3, Role::Danger, format!("NOT KNOWN whether {} changed anything", one.step)));
    }
    let changed: Vec<String> =
        incident.changes.iter().map(|one| format!("{} {}", one.step, one.remedy.words())).collect();
    (!changed.is_empty()).then(|| (1, Role::Warning, format!("CHANGED by {}", changed.join(", "))))
}

fn plan(sheet: &mut Sheet<'_>, (ui, session, incident): (&Ui, &Session, &Incident), held: Held) {
    let steps = incident.plan.as_ref().map_or(&[][..], |plan| &plan.steps);
    let chosen = ui.step(session).map(|step| step.id);
    // The step that matters stays on screen where there are more than rows.
    let at = steps.iter().position(|step| Some(step.id) == chosen).unwrap_or(0);
    let first = (at + 1).saturating_sub(sheet.left());
    let look = sheet.look;
    for step in steps.iter().skip(first) {
        let (left, right) = row(step, look);
        sheet.ends(&left, &right);
        if held == Held::Keys && Some(step.id) == chosen {
            sheet.select_last();
        }
    }
    let after = steps.iter().find(|step| Some(step.id) == chosen);
    if let Some(step) = after.filter(|_| sheet.left() > 0) {
        let way = if held == Held::Keys { "Needs 60x16." } else { "5 opens it." };
        let text = format!("{} {way}", next_words(session, step));
        sheet.text(Role::Faint, text.trim_start());
        step::brief(sheet, session, (incident, step));
    }
}

fn row(step: &Step, look: &Look) -> (Line<'static>, Line<'static>) {
    let digest = step.digest.as_ref().map_or_else(String::new, |digest| format!(" {digest}"));
    let mut left = look.line([
        (Role::Accent, format!("{} ", step.id.0).into()),
        (state_role(&step.state), format!("{:<10} ", step.state.word()).into()),
        (Role::Text, step.text().into()),
    ]);
    if let Some(why) = why(&step.state) {
        left.push_span(look.span(Role::Faint, format!("  ({why})")));
    } else if let Some(rehearsal) = &step.rehearsal {
        left.push_span(look.span(Role::Faint, format!("  blast: {}", rehearsal.blast)));
    }
    let mut right = Line::from(vec![rehearsed(step, look)]);
    right.push_span(look.span(Role::Faint, digest));
    (left, right)
}

/// Why a step stands where it stands, where the state says so.
fn why(state: &StepState) -> Option<&str> {
    match state {
        StepState::Failed { why, .. } | StepState::StoodDown { why } => Some(why),
        StepState::Denied { reason } => Some(reason),
        _ => None,
    }
}

/// What the rehearsal really was.
fn rehearsed(step: &Step, look: &Look) -> Span<'static> {
    let Some(rehearsal) = &step.rehearsal else { return look.span(Role::Faint, "not rehearsed") };
    let at = look.clock(rehearsal.at);
    match &rehearsal.outcome {
        RehearsalOutcome::Rehearsed => look.span(Role::Good, format!("dryRun=All ok {at}")),
        RehearsalOutcome::Forbidden { .. } => look.span(Role::Danger, format!("FORBIDDEN {at}")),
        RehearsalOutcome::Refused { .. } => look.span(Role::Danger, format!("REFUSED {at}")),
        RehearsalOutcome::LocalOnly { .. } => look.span(Role::Warning, format!("LOCAL ONLY {at}")),
        RehearsalOutcome::NotRehearsable { .. } => look.span(Role::Danger, format!("NOT REHEARSABLE {at}")),
    }
}

/// What comes next for a step, in one sentence.
fn next_words(session: &Session, step: &Step) -> &'static str {
    match (&step.state, session.header.mode) {
        (StepState::Rehearsed, Mode::DryRun) => "Waits for a decision, which records \"would run\".",
        (StepState::Rehearsed, Mode::Live) => "Waits for a decision, which arms it.",
        (StepState::Armed { .. }, _) => "ARMED: waits for the typed confirmation.",
        (StepState::Uncertain, _) => "It may or may not have run: look, then settle it.",
        _ => "",
    }
}

fn locked(sheet: &mut Sheet<'_>, (session, incident): (&Session, &Incident)) {
    for (role, text) in locked_words(session, incident) {
        let indent = if text.starts_with(' ') { 4 } else { 2 };
        sheet.wrapped(role, &text, indent);
    }
}

/// Why there is no plan, and what would unlock one.
fn locked_words(session: &Session, incident: &Incident) -> Vec<(Role, String)> {
    let Some(gate) = &incident.gate else {
        let changed = if is_untouched(session) { " Nothing has been changed." } else { "" };
        return vec![(Role::Faint, format!("LOCKED until the analyst has signed off.{changed}"))];
    };
    let refusals = gate.refusals.iter().flat_map(|refusal| {
        let unlock = (Role::Faint, format!("  unlock: {}", refusal.unlock));
        match refusal.reason {
            RefusalReason::NothingToDo => vec![(Role::Good, refusal.told())],
            _ => vec![(Role::Warning, refusal.told()), unlock],
        }
    });
    let mut told: Vec<(Role, String)> = refusals.collect();
    let mut refused: Vec<(Vec<&str>, String)> = Vec::new();
    for offer in &incident.offers {
        match &offer.sufficiency {
            Sufficiency::Sufficient { why } => {
                told.push((Role::Text, format!("{} could be offered: {why}", offer.remedy.words())));
            }
            Sufficiency::Refused { reasons } => {
                let reasons = reasons.join(" ");
                // What refuses several remedies alike is told once.
                match refused.iter_mut().find(|(_, told)| *told == reasons) {
                    Some((remedies, _)) => remedies.push(offer.remedy.words()),
                    None => refused.push((vec![offer.remedy.words()], reasons)),
                }
            }
        }
    }
    let refused = refused.iter().map(|(all, why)| (Role::Faint, format!("{} refused: {why}", all.join(", "))));
    told.extend(refused);
    told
}

/// One line for narrow screens.
pub fn summary(session: &Session, incident: Option<&Incident>, look: &Look) -> Line<'static> {
    let mut line = Line::from(look.span(Role::Title, "5 FIX "));
    line.spans.extend(heading(incident, look));
    let open = incident.filter(|incident| !incident.is_settled());
    if let Some(refusal) = open.and_then(|incident| incident.gate.as_ref()).and_then(|gate| gate.refusals.first()) {
        line.push_span(look.span(Role::Warning, format!("  {}", refusal.told())));
    }
    line.push_span(Span::raw("  "));
    line.push_span(changed(session, incident, look));
    line
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::domain::diagnosis::sufficiency::RemedyKind;
    use crate::domain::observation::alarm::Severity;
    use crate::domain::observation::service::Service;
    use crate::domain::remediation::step::StepId;
    use crate::session::IncidentId;
    use crate::session::incident::{Change, ChangeOutcome};

    #[test]
    fn what_another_incident_has_changed_is_not_denied() {
        let mut session = Session::default();
        session.header.mode = Mode::Live;
        for id in [1, 2].map(IncidentId) {
            let incident = Incident::new(id, Service::bare("my-api"), Severity::P2, Timestamp::UNIX_EPOCH);
            session.incidents.insert(id, incident);
        }
        let look = super::super::header::tests::look();
        let told = |session: &Session, id| changed(session, session.incidents.get(&IncidentId(id)), &look).to_string();
        assert!(is_untouched(&session));
        assert_eq!([1, 2].map(|id| told(&session, id)), ["nothing has been changed"; 2]);
        let first = session.incidents.get_mut(&IncidentId(1)).unwrap();
        let remedy = RemedyKind::RolloutRestart;
        first.changes.push(Change { step: StepId(1), remedy, outcome: ChangeOutcome::Watched });
        first.phase = Phase::Verifying;
        assert!(!is_untouched(&session));
        assert_eq!(told(&session, 1), "CHANGED by #1 rollout restart");
        assert_eq!(told(&session, 2), "I1 CHANGED by #1 rollout restart, verifying");
        let words: String = locked_words(&session, &session.incidents[&IncidentId(2)]).remove(0).1;
        assert_eq!(words, "LOCKED until the analyst has signed off.");
        session.header.mode = Mode::DryRun;
        assert_eq!(told(&session, 2), "nothing has been changed");
    }
}
