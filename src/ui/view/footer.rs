//! The last line: the filter being typed, else a fresh message, else the key hints of the focused pane.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::contact;
use super::look::Look;
use super::overlay::detail;
use super::sheet::{ends, put};
use crate::domain::count::counted;
use crate::domain::remediation::gate::GateReport;
use crate::domain::remediation::policy::Confirm;
use crate::domain::remediation::request::Mode;
use crate::domain::remediation::runbook::undo_of;
use crate::domain::remediation::step::{Step, StepState};
use crate::session::Session;
use crate::session::incident::Phase;
use crate::ui::format;
use crate::ui::keymap::{Action, MOST_HINTS};
use crate::ui::model::overlay::Overlay;
use crate::ui::model::{Message, Pane, Tone, Ui};
use crate::ui::page::Desk;
use crate::ui::prompt::{self, Prompt, Stage};
use crate::ui::search::Search;
use crate::ui::theme::Role;

/// Draws the footer.
pub fn draw(buffer: &mut Buffer, area: Rect, (ui, session): (&Ui, &Session), look: &Look) {
    if let Some(Overlay::Filter { text, .. }) = &ui.overlay {
        let typed = look.typed(text);
        let left = look.line([(Role::Accent, "/".into()), (Role::Strong, typed), (Role::Strong, "_".into())]);
        let words = if text.is_empty() { "!text lacks it  ~expression  " } else { "" };
        let right = Line::from(look.span(Role::Faint, format!("{words}Enter keeps it  Esc takes it back")));
        ends(buffer, area, (&left, &right), look);
        return;
    }
    if let Some(message) = &ui.message {
        // Not over a step that waits for a decision: it has to be read.
        let most = if prompt::shown(ui, session).is_some() { 1 } else { MOST_ROWS };
        say(buffer, area, (message, most), look);
        return;
    }
    if let Some(own) = of_overlay((ui, session), look) {
        put(buffer, area, &told(whole(own, area.width), look), look);
        return;
    }
    if let Some(Prompt { stage: Stage::Confirm, .. }) = prompt::shown(ui, session) {
        // The field has the keys: no other hint would be true.
        let hints = vec![("Enter", "confirm what was typed"), ("Esc", "stand down"), ("Ctrl-C", "stand down")];
        put(buffer, area, &told(whole(hints, area.width), look), look);
        return;
    }
    if let Some(own) = contact::hints(ui, session) {
        put(buffer, area, &told(own.iter().map(|(key, word)| (key.as_str(), *word)), look), look);
        return;
    }
    put(buffer, area, &hints((ui, session), (usize::from(area.width), look)), look);
}

/// As many hints as fit: one that is cut is none.
fn whole(mut hints: Vec<(&'static str, &'static str)>, columns: u16) -> Vec<(&'static str, &'static str)> {
    let wide = |hints: &[(&str, &str)]| hints.iter().map(|(key, word)| key.len() + word.len() + 3).sum::<usize>();
    while wide(&hints) > usize::from(columns) && hints.len() > 1 {
        hints.pop();
    }
    hints
}

/// The keys of what is open: those of the pane below count for nothing then.
fn of_overlay((ui, session): (&Ui, &Session), look: &Look) -> Option<Vec<(&'static str, &'static str)>> {
    Some(match ui.overlay.as_ref()? {
        Overlay::Filter { .. } => return None,
        Overlay::Help { .. } => vec![("letters", "search"), ("Up Down", "scroll"), ("Esc", "close")],
        Overlay::Palette { .. } => {
            vec![("letters", "find"), ("Up Down", "choose"), ("Enter", "do it"), ("Esc", "close")]
        }
        Overlay::Columns { .. } => vec![("Space", "change"), ("j k", "move"), ("q", "close")],
        Overlay::Write { .. } => vec![("Enter", "send"), ("Alt-Enter", "new line"), ("Esc", "close")],
        Overlay::Detail(opened) => {
            let has_links = detail::has_links(Desk { ui, session, look }, opened);
            detail::hints(opened, has_links)
        }
    })
}

/// Rows that a message may take.
const MOST_ROWS: usize = 4;

/// Says a message whole, over the rows above where it needs them, in so many rows at most.
fn say(buffer: &mut Buffer, area: Rect, (message, most): (&Message, usize), look: &Look) {
    let (role, word) = match message.tone {
        Tone::Told => (Role::Good, ""),
        Tone::Warned => (Role::Warning, "! "),
        Tone::Refused => (Role::Danger, "no: "),
    };
    let text = format!("{word}{}", message.text);
    let rows = format::wrap(&text, usize::from(area.width).saturating_sub(2));
    let high = rows.len().min(most).min(usize::from(area.y) + 1);
    if high == 1 {
        return put(buffer, area, &Line::from(look.span(role, format!(" {text}"))), look);
    }
    let mut above = Rect { y: area.y + 1 - high as u16, height: 1, ..area };
    for row in rows.into_iter().take(high) {
        let blank = usize::from(area.width).saturating_sub(format::width(row) + 1);
        put(buffer, above, &Line::from(look.span(role, format!(" {row}{:blank$}", ""))), look);
        above.y += 1;
    }
}

/// `A approve  X deny … ? help`, before them `5 decide` where a step waits in pane 5; hints that have no room go from the
/// middle, `? help` never does.
fn hints((ui, session): (&Ui, &Session), (columns, look): (usize, &Look)) -> Line<'static> {
    let mut hints = ui.options.keymap.hints(ui.focus);
    let called = called_for((ui, session));
    if let Some(call) = called.clone() {
        hints.insert(0, call);
    }
    // Nobody has to stand on the rules alone where the gate is open.
    if ui.incident(session).and_then(|incident| incident.gate.as_ref()).is_some_and(GateReport::is_open) {
        hints.retain(|(_, word)| *word != "rules");
    }
    if ui.focus == Pane::Remediation {
        let step = ui.step(session);
        let whole = ui.layout().shows_step_whole();
        hints.retain(|(_, word)| fits(word, step) && (whole || *word != "approve"));
        // Said as on the card: where a token is asked for after it, the key decides nothing by itself.
        let arms = step.is_some_and(|step| arms(session, step));
        hints.iter_mut().filter(|(_, word)| arms && *word == "approve").for_each(|(_, word)| *word = "arm");
    }
    let wide = |hints: &[(String, &str)]| hints.iter().map(|(key, word)| key.len() + word.len() + 3).sum::<usize>();
    while (wide(&hints) > columns || hints.len() > MOST_HINTS) && hints.len() > 1 {
        hints.remove(hints.len() - 2);
    }
    let mut line = told(hints.iter().map(|(key, word)| (key.as_str(), *word)), look);
    if let (Some(_), Some(word)) = (called, line.spans.get_mut(1)) {
        word.style = look.style(Role::Strong);
    }
    line
}

/// The key to what is wanted of the person: in pane 5 what waits there, nothing while that pane has the keys; the transcript
/// once the incident is closed.
fn called_for((ui, session): (&Ui, &Session)) -> Option<(String, &'static str)> {
    let incident = ui.incident(session)?;
    let decision = Action::Focus(Pane::Remediation);
    let (action, wanted) = match (incident.phase, incident.asked_step()) {
        (Phase::Closed | Phase::Watching, _) if incident.is_settled() => (Action::Export, "transcript"),
        _ if ui.focus == Pane::Remediation => return None,
        (Phase::Uncertain(_), _) => (decision, "settle"),
        (_, Some(Step { state: StepState::Armed { .. }, .. })) => (decision, "confirm"),
        (_, Some(step)) if incident.gate_is_open_for(step.id) => (decision, "decide"),
        (_, Some(_) | None) => return None,
    };
    Some((ui.options.keymap.binding(action)?.first_key(), wanted))
}

/// Whether the first key only asks for the token.
fn arms(session: &Session, step: &Step) -> bool {
    let header = &session.header;
    let asked = header.policy.confirm(header.mode, &header.scope, &step.target.namespace, step.action.kind());
    header.mode == Mode::Live && asked == Confirm::Typed
}

/// Whether a verb would be taken for the step on screen: what would be refused is no hint.
fn fits(verb: &str, step: Option<&Step>) -> bool {
    let state = step.map(|step| &step.state);
    let is = |test: fn(&StepState) -> bool| state.is_some_and(test);
    match verb {
        "approve" => is(|state| *state == StepState::Rehearsed),
        "deny" | "skip" => is(StepState::is_open_to_refusal),
        "rehearse" => is(|state| state.is_open_to_rehearsal() || *state == StepState::Uncertain),
        "undo" => is(StepState::can_be_undone) && step.is_some_and(|step| undo_of(&step.action).is_some()),
        _ => true,
    }
}

fn told<'h>(hints: impl IntoIterator<Item = (&'h str, &'h str)>, look: &Look) -> Line<'static> {
    let mut spans: Vec<Span<'static>> = Vec::new();
    for (key, word) in hints {
        spans.push(look.span(Role::Accent, format!(" {key}")));
        spans.push(look.span(Role::Faint, format!(" {word} ")));
    }
    Line::from(spans)
}

/// Adds to a title how many of a pane's rows match what it is searched for.
pub fn push_matches<'r>(
    title: &mut Line<'_>,
    (search, rows): (Option<&Search>, impl Iterator<Item = String> + 'r),
    look: &Look,
) {
    if let Some(search) = in_force(search) {
        let found = rows.filter(|row| search.matches(row)).count();
        title.push_span(look.span(Role::Faint, format!("  {}", counted(found, "match"))));
    }
}

/// A search that looks for something.
pub fn in_force(search: Option<&Search>) -> Option<&Search> {
    search.filter(|search| !search.text().is_empty() && search.fault().is_none())
}

/// Adds what a pane is filtered or searched by to its title.
pub fn push_search(title: &mut Line<'_>, search: Option<&Search>, look: &Look) {
    if let Some(search) = search.filter(|search| !search.text().is_empty()) {
        // The mark of a match begins with what is searched for, not with the blanks before it.
        title.push_span(Span::raw("  "));
        title.push_span(look.span(Role::Match, format!("/{}", look.typed(search.text()))));
        if let Some(fault) = search.fault() {
            title.push_span(look.span(Role::Warning, format!("  no expression: {fault}")));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::model::Instants;

    /// The monotonic clock ends it (`notice::age`): in a rehearsal ten times as fast incident time says nothing of a reader.
    #[test]
    fn a_message_stays_however_fast_incident_time_goes() {
        let mut ui = Ui::default();
        let now = jiff::Timestamp::UNIX_EPOCH;
        ui.tell(Tone::Refused, "Not counted.", Instants { now, mono_ms: 0 });
        let look = Look::of(&ui, now + jiff::SignedDuration::from_mins(1));
        let area = Rect::new(0, 0, 60, 1);
        let mut buffer = Buffer::empty(area);
        draw(&mut buffer, area, (&ui, &Session::default()), &look);
        let text: String = buffer.content().iter().map(ratatui::buffer::Cell::symbol).collect();
        assert_eq!(text.trim_end(), " no: Not counted.");
    }

    #[test]
    fn a_message_is_said_whole_but_not_over_what_is_to_be_decided() {
        let (look, area) = (Look::of(&Ui::default(), jiff::Timestamp::UNIX_EPOCH), Rect::new(0, 4, 20, 1));
        let text = "No undo is offered: what it replaced was broken.".to_owned();
        let message = Message { tone: Tone::Warned, text, mono_ms: 0 };
        let rows = |most| {
            let mut buffer = Buffer::with_lines(vec!["x".repeat(20); 5]);
            say(&mut buffer, area, (&message, most), &look);
            let row = |y| (0..20).map(|x| buffer[(x, y)].symbol()).collect::<String>();
            (0..5).map(row).collect::<Vec<_>>()
        };
        assert_eq!(
            rows(MOST_ROWS)[1..],
            [" ! No undo is", " offered: what it", " replaced was", " broken."].map(|row| format!("{row:<20}"))
        );
        assert_eq!(rows(1)[..4], ["x".repeat(20), "x".repeat(20), "x".repeat(20), "x".repeat(20)]);
    }
}
