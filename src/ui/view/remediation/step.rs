//! One step, one screen: what would be sent, where, as whom, why, how it is undone, what its rehearsal found, and what
//! the next key does. Everything a decision needs is on it at 58 by 13 cells, worst checks first.

use ratatui::text::Line;

use super::super::look::Look;
use super::super::sheet::Sheet;
use super::confirm;
use super::state_role;
use crate::domain::count::{counted, either};
use crate::domain::remediation::request::Request;
use crate::domain::remediation::step::{Check, CheckState, FieldChange, RehearsalOutcome, Step, StepState};
use crate::domain::remediation::verification::TestState;
use crate::session::Session;
use crate::session::header::Origin;
use crate::session::incident::Incident;
use crate::ui::format;
use crate::ui::model::Ui;
use crate::ui::theme::Role;

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
    let left = look.line([
        (Role::Strong, format!("STEP {place} of {}{number}   ", steps.len()).into()),
        (Role::Strong, incident.step_words(step).into()),
    ]);
    let mut right = Line::from(look.span(state_role(&step.state), format!(" {} ", step.state.word())));
    if let StepState::Armed { until } = &step.state {
        let left_s = session.header.on_the_wall(until.duration_since(look.now)).as_secs();
        right.push_span(look.span(Role::Warning, format!(" expires in {}", format::span(left_s))));
    }
    sheet.ends(&left, &right);
    let facts = facts(session, (incident, step));
    let spare = sheet.left().saturating_sub(facts.len() + below);
    told(sheet, &facts.each_ref(), spare);
}

/// Facts a row each, and whole where there are rows to spare: what is touched and the way back before the rest.
fn told(sheet: &mut Sheet<'_>, facts: &[&Fact], mut spare: usize) {
    let (look, columns) = (sheet.look, sheet.width().saturating_sub(7));
    let mut lines: Vec<Vec<&str>> = facts.iter().map(|(_, text)| vec![text.as_str()]).collect();
    for wanted in ["WHY", "UNDO", "WHAT", "WHERE", "WHO"] {
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

/// A word, and what it tells of the step.
type Fact = (&'static str, String);

fn facts(session: &Session, (incident, step): (&Incident, &Step)) -> [Fact; 5] {
    let scope = &session.header.scope;
    let rehearsal = step.rehearsal.as_ref();
    let request = rehearsal.and_then(|rehearsal| rehearsal.request.as_ref());
    let resource = format!("{}/{}", step.target.kind.plural(), step.target.name);
    let sent = request.map_or_else(|| "no request fixed yet".to_owned(), |_| format!("PATCH {resource}"));
    let cluster = scope.cluster.as_ref().map_or("cluster ?", |name| name.as_str());
    let account = scope.account.as_ref().map_or("?", |account| account.as_str());
    let home = scope.cluster_elsewhere();
    let home = home.map_or_else(String::new, |home| format!(" OF ACCOUNT {} {}", home.account, home.region));
    // Account and region are those of the AWS credentials. Only an EKS name says that the cluster is there, too.
    let known = match (&scope.cluster_home, &session.header.origin) {
        (None, Origin::Real) => " (unverified)",
        (Some(_), _) | (None, Origin::Rehearsal { .. }) => "",
    };
    let why: Vec<String> = step.why.iter().map(ToString::to_string).collect();
    // What speaks for a step does not speak for putting it back.
    let undoes = incident.undos.get(&step.id).map(|of| format!("puts back what {of} changed"));
    let verdict = incident.verdict.as_ref().map_or_else(
        || "no verdict".to_owned(),
        |verdict| {
            let counts = super::super::rca::confidence(incident).unwrap_or_default();
            format!("{}, {counts}", verdict.words())
        },
    );
    let blast = rehearsal.map_or("not known", |rehearsal| rehearsal.blast.as_str());
    let undo = rehearsal.map_or_else(|| step.action.undo(None), |rehearsal| rehearsal.undo.clone());
    [
        ("WHAT", format!("{sent}  (as {})", step.action.equivalent(&step.target))),
        ("WHERE", format!("{cluster}{home}  ns {}  account {account}  {}{known}", step.target.namespace, scope.region)),
        ("WHO", scope.identity.clone().unwrap_or_else(|| "identity not known".to_owned())),
        ("WHY", format!("{}  blast: {blast}", undoes.unwrap_or_else(|| format!("{} ({verdict})", why.join(" "))))),
        ("UNDO", undo),
    ]
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
            format!(" +{} (l)", counted(hidden, "row"))
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
            let bare = |value: &str| value.trim_matches('"').to_owned();
            let field = name.trim_start_matches("../");
            sheet.text(Role::Text, &format!("{field}: {} -> {}", bare(before), bare(after)));
        } else {
            // The values are what a decision is about: the path gives way to them.
            let widest = format::width(&change.path) + format::width(before).max(format::width(after)) + 4;
            let path = if widest <= columns { &change.path } else { &name };
            sheet.text(Role::Danger, &format!("- {path}: {before}"));
            sheet.text(Role::Good, &format!("+ {path}: {after}"));
        }
    }
}

fn value(json: Option<&str>) -> &str {
    json.unwrap_or("(absent)")
}

/// The last part of a path, with a sign that something stands before it: `…/restartedAt`.
fn leaf(path: &str) -> String {
    let last = path.trim_end_matches(['"', ']']).rsplit(['/', '.', '"']).next().unwrap_or(path);
    format!("../{last}")
}

/// The checks, worst first, packed into rows. What did not go well is told whole, over as many rows as it needs.
fn check_rows(checks: &[Check], (columns, look): (usize, &Look)) -> Vec<Line<'static>> {
    let mut sorted: Vec<&Check> = checks.iter().collect();
    sorted.sort_by_key(|check| match check.state {
        CheckState::Failed => 0,
        CheckState::Warning => 1,
        CheckState::Unknown => 2,
        CheckState::Ok => 3,
    });
    let mut rows = vec![Line::from(look.span(Role::Title, "CHECKS"))];
    for check in sorted {
        let (role, mark) = match check.state {
            CheckState::Ok => (Role::Good, "[ok]"),
            CheckState::Warning => (Role::Warning, "[!!]"),
            CheckState::Failed => (Role::Danger, "[no]"),
            CheckState::Unknown => (Role::Warning, "[--]"),
        };
        // What went well needs its name; what did not needs its reason.
        let said = check.state != CheckState::Ok && !check.text.is_empty();
        let text = if said { format!("{}: {}", check.name, check.text) } else { check.name.clone() };
        let text = crate::domain::observation::sanitise::line(&text);
        let before = rows.last().map_or(0, Line::width);
        let fits = before + 6 + format::width(&text) <= columns;
        // Beside the title alone there is all the room that a row has.
        if !fits && rows.len() + usize::from(before > MARGIN) > 1 {
            rows.push(Line::from(" ".repeat(MARGIN)));
        }
        for (at, part) in parts(&text, (fits, columns)).into_iter().enumerate() {
            if at > 0 {
                rows.push(Line::from(" ".repeat(MARGIN + 5)));
            }
            let Some(row) = rows.last_mut() else { continue };
            if at == 0 {
                row.push_span(look.span(role, format!(" {mark}")));
            }
            row.push_span(look.span(Role::Text, format!(" {part}")));
        }
    }
    rows
}

/// The columns of the word before the checks, and of the blanks below it.
const MARGIN: usize = 6;

fn parts(text: &str, (fits, columns): (bool, usize)) -> Vec<&str> {
    if fits { vec![text] } else { format::wrap(text, columns.saturating_sub(MARGIN + 6).max(1)) }
}

fn tests(
    sheet: &mut Sheet<'_>,
    step: &Step,
    (verification, incident): (&crate::session::incident::Verification, &Incident),
) {
    let look = sheet.look;
    let passed = verification.tests.iter().filter(|state| **state == TestState::Passed).count();
    let age = match step.state {
        StepState::Verifying => format!(" ({})", look.age(verification.watch.since)),
        _ => String::new(),
    };
    let since = look.clock(verification.watch.since);
    sheet.text(Role::Title, &format!("VERIFICATION  {passed} of {} passed  since {since}{age}", step.tests.len()));
    for (at, test) in step.tests.iter().enumerate() {
        let (role, mark) = match verification.tests.get(at) {
            Some(TestState::Passed) => (Role::Good, "[ok]"),
            Some(TestState::Failed) => (Role::Danger, "[no]"),
            Some(TestState::Unmeasured) => (Role::Warning, "[??]"),
            Some(TestState::Waiting | TestState::Holding) | None => (Role::Faint, "[..]"),
        };
        let had = verification.last.as_ref().map(|last| verification.watch.had(test, last.at));
        let watched = had.and_then(|had| test.watched(had)).map_or_else(String::new, |watched| format!(", {watched}"));
        let ended = match verification.tests.get(at) {
            Some(TestState::Waiting) if step.state != StepState::Verifying => ", not settled when it ended",
            _ => "",
        };
        let told = test.text() + &watched + ended;
        sheet.row(&look.line([(role, format!("{mark} ").into()), (Role::Text, told.into())]));
    }
    if let Some(measured) = &verification.last {
        let rollout = measured.rollout.map_or_else(|| "rollout ?".to_owned(), |rollout| rollout.text());
        let percent =
            |value: Option<f64>| value.map_or_else(|| "?".to_owned(), |value| format!("{}%", format::figure(value)));
        let kills = measured.new_kills.map_or_else(|| "?".to_owned(), format::grouped);
        let text = format!(
            "{rollout}  mem {}  cpu {}  new kills {kills}  read {} ago",
            percent(measured.memory),
            percent(measured.cpu),
            look.age(measured.at)
        );
        sheet.wrapped(Role::Text, &text, 2);
    } else {
        sheet.text(Role::Faint, "first measurement outstanding");
    }
    if incident.phase == crate::session::incident::Phase::Verifying {
        sheet.text(Role::Faint, "Ctrl-C twice leaves, and nobody watches then; it does not stop the cluster.");
    }
}
