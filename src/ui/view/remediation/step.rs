//! One step, one screen: what would be sent, where, as whom, why, how it is undone, what its rehearsal found, and what
//! the next key does. Everything a decision needs is on it at 58 by 13 cells, worst checks first.

use ratatui::text::Line;

use super::super::look::Look;
use super::super::sheet::Sheet;
use super::checks::check_rows;
use super::facts::{Fact, facts, short_facts};
use super::verifying::tests;
use super::{confirm, state_role};
use crate::domain::count::{counted, either};
use crate::domain::remediation::request::Request;
use crate::domain::remediation::step::{FieldChange, Rehearsal, RehearsalOutcome, Step, StepState};
use crate::session::Session;
use crate::session::incident::Incident;
use crate::ui::format;
use crate::ui::model::Ui;
use crate::ui::theme::Role;

/// The facts by which of them is told whole first.
const BEFORE_THE_REST: [&str; 5] = ["WHY", "UNDO", "WHAT", "WHERE", "WHO"];

/// Rows from which nothing has to be told closer together.
const ROOMY: usize = 15;

/// Whether rows are saved: by the rule, and by saying in one row what to type and what was typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    /// All of them are needed.
    Tight,
    /// There are enough.
    Roomy,
}

/// Draws the step.
pub fn draw(mut sheet: Sheet<'_>, (ui, session): (&Ui, &Session), (incident, step): (&Incident, &Step)) {
    let rows = sheet.left();
    let room = if rows < ROOMY { Room::Tight } else { Room::Roomy };
    let foot = confirm::rows((ui, session), (incident, step), (sheet.width(), room, sheet.look));
    let rule = usize::from(room == Room::Roomy);
    let below = foot.len() + rule + rows_of_middle((incident, step), (sheet.width(), sheet.look));
    head(&mut sheet, session, (incident, step, below));
    if room == Room::Roomy {
        sheet.rule();
    }
    let mut area = sheet.rest();
    let foot_rows = foot.len().min(rows.saturating_sub(8)) as u16;
    area.height = area.height.saturating_sub(foot_rows);
    let look = sheet.look;
    middle(Sheet::new(sheet.buffer(), area, look), (incident, step));
    let below = ratatui::layout::Rect { y: area.y + area.height, height: foot_rows, ..area };
    let mut sheet = Sheet::new(sheet.buffer(), below, look);
    for line in &foot {
        sheet.row(line);
    }
}

fn head(sheet: &mut Sheet<'_>, session: &Session, (incident, step, below): (&Incident, &Step, usize)) {
    let look = sheet.look;
    // Steps are numbered through the whole incident; of a plan that was made anew this may be the first.
    let steps = incident.plan.as_ref().map_or(&[][..], |plan| plan.steps.as_slice());
    let place = steps.iter().position(|other| other.id == step.id).map_or(1, |at| at + 1);
    let number = if place as u32 == step.id.0 { String::new() } else { format!("  ({})", step.id) };
    // Remedies of a plan are alternatives, of which an undo is none.
    let is_undo = |step: &Step| incident.undos.contains_key(&step.id);
    let alternatives = steps.iter().filter(|step| !is_undo(step)).count();
    let word = if alternatives > 1 && !is_undo(step) { "OPTION" } else { "STEP" };
    let left = look.line([
        (Role::Strong, format!("{word} {place} of {}{number}   ", steps.len()).into()),
        (Role::Strong, incident.step_words(step).into()),
    ]);
    let mut right = Line::from(look.span(state_role(&step.state), format!(" {} ", step.state.word())));
    if let StepState::Armed { until } = &step.state {
        let left_s = session.header.on_the_wall(until.duration_since(look.now)).as_secs();
        right.push_span(look.span(Role::Warning, format!(" expires in {}", format::span(left_s))));
    }
    sheet.ends(&left, &right);
    let facts = facts(session, (incident, step));
    let short = short_facts(session, (incident, step), &facts);
    let spare = sheet.left().saturating_sub(facts.len() + below);
    let columns = sheet.width().saturating_sub(7);
    let mut chosen = short.each_ref();
    let mut left = spare;
    for word in BEFORE_THE_REST {
        let Some(at) = facts.iter().position(|fact| fact.0 == word) else { continue };
        // Where it would be cut, what says the same in fewer words is told instead.
        if let Some(rest) = left.checked_sub(format::wrap(&facts[at].1, columns).len() - 1) {
            (left, chosen[at]) = (rest, &facts[at]);
        }
    }
    told(sheet, &chosen, spare);
}

/// Facts a row each, and whole where there are rows to spare: what is touched and the way back before the rest.
fn told(sheet: &mut Sheet<'_>, facts: &[&Fact], mut spare: usize) {
    let (look, columns) = (sheet.look, sheet.width().saturating_sub(7));
    let mut lines: Vec<Vec<&str>> = facts.iter().map(|(_, text)| vec![text.as_str()]).collect();
    for wanted in BEFORE_THE_REST {
        let Some(at) = facts.iter().position(|(word, _)| *word == wanted) else { continue };
        let whole = format::wrap(&facts[at].1, columns);
        if whole.len() <= spare + 1 {
            spare -= whole.len() - 1;
            lines[at] = whole;
        }
    }
    for ((word, _), parts) in facts.iter().zip(lines) {
        for (at, part) in parts.into_iter().enumerate() {
            let word = if at == 0 { *word } else { "" };
            sheet.row(&look.line([(Role::Title, format!("{word:<6} ").into()), (Role::Text, part.to_owned().into())]));
        }
    }
}

/// Rows that what follows the facts needs.
fn rows_of_middle((incident, step): (&Incident, &Step), (columns, look): (usize, &Look)) -> usize {
    if incident.verification.as_ref().is_some_and(|running| running.step == step.id) {
        return step.tests.len() + 4;
    }
    let Some(rehearsal) = &step.rehearsal else { return 1 };
    let why = outcome_why(&rehearsal.outcome).map_or(0, |why| format::wrap(&why, columns).len());
    let changed = usize::from(rehearsal.outcome == RehearsalOutcome::Rehearsed).max(rehearsal.diff.len());
    1 + why + changed + check_rows(&rehearsal.checks, (columns, look)).len()
}

/// As many of a step's facts as there are rows: why and what it touches first, then the way back and the checks.
pub fn brief(sheet: &mut Sheet<'_>, session: &Session, (incident, step): (&Incident, &Step)) {
    let look = sheet.look;
    let verification = incident.verification.as_ref().filter(|running| running.step == step.id);
    if let Some(verification) = verification.filter(|_| sheet.left() > 2) {
        tests(sheet, step, (verification, incident));
        return;
    }
    let facts = facts(session, (incident, step));
    let wanted: Vec<&Fact> =
        ["WHY", "UNDO", "WHO"].into_iter().filter_map(|word| facts.iter().find(|fact| fact.0 == word)).collect();
    let checks = step.rehearsal.as_ref().map_or(&[][..], |rehearsal| &rehearsal.checks);
    let rows = if checks.is_empty() { Vec::new() } else { check_rows(checks, (sheet.width(), look)) };
    let spare = sheet.left().saturating_sub(wanted.len() + rows.len());
    told(sheet, &wanted, spare);
    for line in &rows {
        sheet.row(line);
    }
}

fn middle(mut sheet: Sheet<'_>, (incident, step): (&Incident, &Step)) {
    let verification = incident.verification.as_ref().filter(|running| running.step == step.id);
    if let Some(verification) = verification {
        tests(&mut sheet, step, (verification, incident));
        return;
    }
    let Some(rehearsal) = &step.rehearsal else {
        sheet.text(Role::Faint, "Not rehearsed yet.  d rehearses it");
        return;
    };
    let look = sheet.look;
    let generation =
        rehearsal.facts.as_ref().map_or_else(String::new, |facts| format!("  generation {}", facts.generation));
    let digest = step.digest.as_ref().map_or_else(String::new, |digest| format!("  {digest}"));
    let (role, words) = outcome(&rehearsal.outcome);
    let mut line = look.line([
        (role, words.into()),
        (Role::Text, format!(" {}{generation}{digest}", look.clock(rehearsal.at)).into()),
    ]);
    // What was refused is sent by nobody.
    let accepted = rehearsal.outcome == RehearsalOutcome::Rehearsed;
    let spellings = rehearsal.request.as_ref().filter(|_| accepted).map(sent);
    let fits = |text: &String| line.width() + text.len() <= sheet.width();
    if let Some(text) = spellings.and_then(|spellings| spellings.into_iter().find(fits)) {
        line.push_span(look.span(Role::Faint, text));
    }
    sheet.row(&line);
    if let Some(why) = outcome_why(&rehearsal.outcome) {
        sheet.wrapped(role, &why, 2);
    }
    let mut checks = check_rows(&rehearsal.checks, (sheet.width(), look));
    // What would change is on screen before all else: one row of it at the least.
    let for_checks = checks.len().min(sheet.left().saturating_sub(1));
    let for_diff = sheet.left().saturating_sub(for_checks);
    // A server that refused told of no field: that is not that none would change.
    if accepted || !rehearsal.diff.is_empty() {
        diff(&mut sheet, &rehearsal.diff, for_diff);
    }
    let hidden = checks.split_off(checks.len().min(sheet.left())).len();
    for (at, line) in checks.iter().enumerate() {
        // The worst come first; that there are more is never left unsaid.
        let more = if hidden > 0 && at + 1 == checks.len() {
            // While the token is typed no key but its own opens anything.
            let way = if matches!(step.state, StepState::Armed { .. }) { "" } else { " (l)" };
            format!(" +{}{way}", counted(hidden, "row"))
        } else {
            String::new()
        };
        sheet.ends(line, &Line::from(look.span(Role::Warning, more)));
    }
}

/// That nothing else is sent than what was rehearsed, and whether all of it can be read here; and shorter.
fn sent(request: &Request) -> [String; 2] {
    match request.hidden() {
        0 => ["  (these very bytes would be sent)".to_owned(), "  (sent as it is)".to_owned()],
        many => {
            let as_is = either(many, "is sent as it is", "are sent as they are");
            [format!("  ({} {as_is})", counted(many, "hidden value")), format!("  ({many} hidden)")]
        }
    }
}

fn outcome(outcome: &RehearsalOutcome) -> (Role, &'static str) {
    match outcome {
        RehearsalOutcome::Rehearsed => (Role::Good, "REHEARSED"),
        RehearsalOutcome::Forbidden { .. } => (Role::Danger, "FORBIDDEN"),
        RehearsalOutcome::Refused { .. } => (Role::Danger, "REFUSED"),
        RehearsalOutcome::LocalOnly { .. } => (Role::Warning, "LOCAL ONLY"),
        RehearsalOutcome::NotRehearsable { .. } => (Role::Danger, "NOT REHEARSABLE"),
    }
}

fn outcome_why(outcome: &RehearsalOutcome) -> Option<String> {
    match outcome {
        RehearsalOutcome::Rehearsed => None,
        RehearsalOutcome::LocalOnly { why } => Some(format!("A difference made here; the server was not asked: {why}")),
        RehearsalOutcome::Forbidden { fault }
        | RehearsalOutcome::Refused { fault }
        | RehearsalOutcome::NotRehearsable { fault } => Some(fault.to_string()),
    }
}

fn diff(sheet: &mut Sheet<'_>, changes: &[FieldChange], rows: usize) {
    let until = sheet.left().saturating_sub(rows);
    if changes.is_empty() {
        sheet.text(Role::Faint, "no field would change");
        return;
    }
    let columns = sheet.width();
    // What makes pods start anew is no change that anybody decides about, where there is another.
    let mut changes: Vec<&FieldChange> = changes.iter().collect();
    changes.sort_by_key(|change| change.path.contains("restartedAt"));
    for (at, change) in changes.iter().enumerate() {
        let remaining = sheet.left().saturating_sub(until);
        let more = changes.len() - at;
        if remaining == 0 {
            return;
        }
        if remaining == 1 && more > 1 {
            sheet.text(Role::Warning, &format!("{more} more fields change (l opens them)"));
            return;
        }
        let (before, after) = (value(change.before.as_deref()), value(change.after.as_deref()));
        let name = leaf(&change.path);
        let one = format!("{name}: - {before}  + {after}");
        if format::width(&one) <= columns {
            sheet.text(Role::Text, &one);
        } else if remaining < 2 {
            let field = name.trim_start_matches("../");
            let room = columns.saturating_sub(format::width(field) + 6) / 2;
            let [before, after] = ends_of([before, after].map(|value| value.trim_matches('"')), room, sheet.look);
            sheet.text(Role::Text, &format!("{field}: {before} -> {after}"));
        } else {
            // The values are what a decision is about: the path gives way to them.
            let widest = format::width(&change.path) + format::width(before).max(format::width(after)) + 4;
            let path = if widest <= columns { &change.path } else { &name };
            let room = columns.saturating_sub(format::width(path) + 4);
            let [before, after] = ends_of([before, after], room, sheet.look);
            sheet.text(Role::Danger, &format!("- {path}: {before}"));
            sheet.text(Role::Good, &format!("+ {path}: {after}"));
        }
    }
}

/// Two values in so many columns each: what they begin with alike gives way, up to the last part of a name that they share;
/// then whatever is before their ends.
fn ends_of(values: [&str; 2], room: usize, look: &Look) -> [String; 2] {
    if values.iter().all(|value| format::width(value) <= room) {
        return values.map(str::to_owned);
    }
    let [before, after] = values;
    let alike = before.char_indices().zip(after.chars()).take_while(|((_, a), b)| a == b);
    let alike = alike.last().map_or(0, |((at, letter), _)| at + letter.len_utf8());
    let from = before[..alike].rfind('/').map_or(0, |at| at + 1);
    let lead = if from > 0 { ".." } else { "" };
    values.map(|value| format::clip_start(&format!("{lead}{}", &value[from..]), room, look.glyphs).into_owned())
}

fn value(json: Option<&str>) -> &str {
    json.unwrap_or("(absent)")
}

/// The last part of a path, with a sign that something stands before it: `…/restartedAt`.
fn leaf(path: &str) -> String {
    let last = path.trim_end_matches(['"', ']']).rsplit(['/', '.', '"']).next().unwrap_or(path);
    format!("../{last}")
}

/// What a rehearsal came to, a line each, for who listens: the outcome, why, and each field.
pub(super) fn rehearsal_words(step: &Step, rehearsal: &Rehearsal, look: &Look) -> Vec<String> {
    let accepted = rehearsal.outcome == RehearsalOutcome::Rehearsed;
    let (_, word) = outcome(&rehearsal.outcome);
    let generation =
        rehearsal.facts.as_ref().map_or_else(String::new, |facts| format!(", generation {}", facts.generation));
    let digest = step.digest.as_ref().map_or_else(String::new, |digest| format!(", digest {digest}"));
    let [bytes, _] = rehearsal.request.as_ref().filter(|_| accepted).map(sent).unwrap_or_default();
    let text = format!("{word} {}{generation}{digest}{bytes}", look.clock(rehearsal.at));
    let mut lines = vec![format!("Rehearsal: {}", format::flowing(&text))];
    lines.extend(outcome_why(&rehearsal.outcome).map(|why| format!("Why: {why}")));
    let change = |change: &FieldChange| {
        let (before, after) = (value(change.before.as_deref()), value(change.after.as_deref()));
        format!("Changes {} from {before} to {after}", change.path)
    };
    lines.extend(rehearsal.diff.iter().map(change));
    if accepted && rehearsal.diff.is_empty() {
        lines.push("No field would change.".to_owned());
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_change_is_told_before_what_stays() {
        let look = Look::of(&Ui::default(), jiff::Timestamp::UNIX_EPOCH);
        let images = ["registry.example.com/payments/my-api:4.11.2", "registry.example.com/payments/my-api:4.11.1"];
        assert_eq!(ends_of(images, 60, &look), images);
        assert_eq!(ends_of(images, 30, &look), ["..my-api:4.11.2", "..my-api:4.11.1"]);
        assert_eq!(ends_of(images, 6, &look), ["….11.2", "….11.1"]);
        assert_eq!(ends_of(["2026-04-11T22:10:03Z", "2026-05-01T09:32:50Z"], 9, &look), ["…2:10:03Z", "…9:32:50Z"]);
    }
}
