//! Pane 4: the verdict of the rules, the model's text with its claims checked, the evidence, and the gate line.
//!
//! ```text
//! ┌ [4] RCA  claude-sonnet-4  streaming 1.9s ────────────────┐
//! │ verdict: memory leak 0.86  (rules 0.91)                   │
//! │ ✓ CPU is secondary: GC rises first [E3]                   │
//! │ confidence 0.86 (gate 0.75)  evidence 5/5 … GATE OPEN     │
//! ```

mod gate_line;
mod narrative;
mod words;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::evidence::{self, Behind};
use super::look::Look;
use super::sheet::{Held, Sheet, frame};
use crate::domain::diagnosis::claim::DiagnosisCheck;
use crate::domain::diagnosis::verdict::Side;
use crate::domain::remediation::gate::NarrativeStanding;
use crate::session::Session;
use crate::session::header::Origin;
use crate::session::incident::Incident;
use crate::ui::format;
use crate::ui::model::{Pane, Ui, rows};
use crate::ui::theme::Role;

pub use gate_line::{gate_line, reading_again};
pub use narrative::{flow, height, measure, rows};
pub use words::words;

/// Columns inside the pane from which text and evidence stand side by side.
const BESIDE_COLS: u16 = 76;
/// Columns inside the pane from which the selected evidence shows its points and lines, too.
const RAW_COLS: u16 = 150;

/// Draws the pane.
pub fn draw(buffer: &mut Buffer, area: Rect, (ui, session): (&Ui, &Session), (look, held): (&Look, Held)) {
    let incident = ui.incident(session);
    let mut title = super::title(Pane::Rca, (look, held));
    // What hides rows is told before whose text it is, which gives way where there is not room for both.
    let before = title.spans.len();
    super::push_search(&mut title, ui.evidence.search.as_ref(), look);
    title.spans.get_mut(before).into_iter().for_each(|blank| *blank = Span::default());
    title.spans.extend(found((ui, session, incident), look));
    if title.spans.len() > before {
        title.push_span(Span::raw("  "));
    }
    title.spans.extend(narrative::title(session, incident, look));
    let stamp = narrative::stamp(session, incident, look);
    let inner = frame(buffer, area, (&title, &stamp), (look, held));
    let Some(incident) = incident else {
        let mut sheet = Sheet::new(buffer, inner, look);
        sheet.text(Role::Faint, "No incident: an analysis begins when an alarm fires.");
        return;
    };
    let foot = gate_line(incident, (usize::from(inner.width), look));
    let foot_rows = (foot.len() as u16).min(inner.height / 2);
    let body = Rect { height: inner.height - foot_rows, ..inner };
    match (held, body.width) {
        (Held::Keys, BESIDE_COLS..) => beside(buffer, body, (ui, session, incident), look),
        (Held::Keys, _) => stacked(buffer, body, (ui, session, incident), look),
        (Held::Nothing, _) => short(Sheet::new(buffer, body, look), (ui, session, incident)),
    }
    let mut sheet = Sheet::new(buffer, Rect { y: inner.y + body.height, height: foot_rows, ..inner }, look);
    for line in &foot {
        sheet.row(line);
    }
}

/// How often what is searched for is in the text, and of how many pieces of evidence.
fn found((ui, session, incident): (&Ui, &Session, Option<&Incident>), look: &Look) -> Option<Span<'static>> {
    let search = super::in_force(ui.evidence.search.as_ref())?;
    let columns = narrative_columns(ui)?;
    let in_text = incident.map_or(0, |incident| rows(ui, incident, (columns, look)).hits(search).len());
    let texts = rows::evidence(ui, session).into_iter().map(rows::evidence_text);
    let pieces = texts.filter(|text| search.matches(text)).count();
    Some(look.span(Role::Faint, format!("  {in_text} in the text, {pieces} of the evidence")))
}

/// Text on the left, evidence on the right, raw points and lines beyond it where there is room.
fn beside(buffer: &mut Buffer, area: Rect, (ui, session, incident): (&Ui, &Session, &Incident), look: &Look) {
    let raw = area.width >= RAW_COLS;
    let left = left_columns(area.width);
    let middle = if raw { area.width * 7 / 20 } else { area.width - left };
    let rect = |x: u16, width: u16| Rect { x: area.x + x, width: width.saturating_sub(1), ..area };
    left_column(Sheet::new(buffer, rect(0, left), look), (ui, session, incident));
    divider(buffer, (area, left - 1), look);
    let behind = if raw { Behind::Beside } else { Behind::Below };
    evidence::list(Sheet::new(buffer, rect(left + 1, middle), look), (ui, session, incident), behind);
    if raw {
        divider(buffer, (area, left + middle), look);
        let third = rect(left + middle + 2, area.width - left - middle - 1);
        evidence::raw(Sheet::new(buffer, third, look), (ui, session, incident));
    }
}

/// Text above, evidence below it: where they do not stand side by side, what is moved over is on screen all the same.
fn stacked(buffer: &mut Buffer, area: Rect, (ui, session, incident): (&Ui, &Session, &Incident), look: &Look) {
    let verdict = verdict_rows(incident, (usize::from(area.width), look)).len() as u16;
    let rest = Rect { y: area.y + verdict, height: area.height.saturating_sub(verdict), ..area };
    let (text, below) = text_and_list((ui, session, incident), rest, look);
    let upper = Rect { height: area.height.min(verdict + text.height), ..area };
    short(Sheet::new(buffer, upper, look), (ui, session, incident));
    evidence::list(Sheet::new(buffer, below, look), (ui, session, incident), Behind::Nowhere);
}

/// What is below the verdict: the text gets what it needs, but leaves half to the evidence, a row each and its heading.
fn text_and_list((ui, session, incident): (&Ui, &Session, &Incident), rest: Rect, look: &Look) -> (Rect, Rect) {
    // That there is none takes a row as well.
    let wanted = rows::evidence(ui, session).len().max(1) + incident.awaited.len() + 1;
    let high = usize::from(rest.height);
    // Where nothing is said yet the findings of the rules stand there.
    let needs = if narrative::has_text(incident) {
        narrative::height(ui, incident, (usize::from(rest.width), look))
    } else {
        high
    };
    let reserved = wanted.min((high / 2).max(high.saturating_sub(needs))) as u16;
    let text = Rect { height: rest.height - reserved, ..rest };
    (text, Rect { y: rest.y + text.height, height: reserved, ..rest })
}

fn divider(buffer: &mut Buffer, (area, x): (Rect, u16), look: &Look) {
    for y in area.top()..area.bottom() {
        buffer.set_string(area.x + x, y, look.sign("│", "|"), look.style(Role::Rule));
    }
}

fn left_column(mut sheet: Sheet<'_>, (ui, session, incident): (&Ui, &Session, &Incident)) {
    for line in &head_rows((session, incident), (sheet.width(), sheet.look)) {
        sheet.row(line);
    }
    sheet.text(Role::Title, "MODEL TEXT (untrusted)");
    let look = sheet.look;
    let (area, below) = text_and_tail((ui, incident), sheet.rest(), look);
    narrative::text(Sheet::new(sheet.buffer(), area, look), (ui, session, incident));
    let mut sheet = Sheet::new(sheet.buffer(), below, look);
    let tail = alternatives(incident);
    // Whole sentences where there is room for them, else the beginning of each.
    let whole: usize = tail.iter().map(|(_, text)| format::wrap(text, sheet.width().saturating_sub(2)).len()).sum();
    let roomy = whole <= sheet.left();
    for (role, text) in tail {
        if roomy { sheet.wrapped(role, &text, 2) } else { sheet.text(role, &text) }
    }
}

/// The model's text gets what it needs, but leaves a third to what else was considered.
fn text_and_tail((ui, incident): (&Ui, &Incident), rest: Rect, look: &Look) -> (Rect, Rect) {
    let columns = usize::from(rest.width);
    let tail = alternatives(incident);
    let wanted: usize = tail.iter().map(|(_, text)| format::wrap(text, columns.saturating_sub(2)).len()).sum();
    let needs = narrative::height(ui, incident, (columns, look)).max(1);
    let high = usize::from(rest.height);
    let reserved = wanted.min((high / 3).max(high.saturating_sub(needs))).min(high) as u16;
    let text = Rect { height: rest.height - reserved, ..rest };
    (text, Rect { y: rest.y + text.height, height: reserved, ..rest })
}

/// The area that the narrative has on screen: what paging is counted in, and the width it is laid out for.
pub fn narrative_area(ui: &Ui, session: &Session, look: &Look) -> Option<Rect> {
    let (incident, inner) = ui.incident(session).zip(ui.layout().inner(Pane::Rca))?;
    let foot = gate_line(incident, (usize::from(inner.width), look)).len() as u16;
    let body = Rect { height: inner.height - foot.min(inner.height / 2), ..inner };
    // The verdict stands above the text, and in two columns its heading, too.
    let below = |width: u16, heading: u16| {
        let rows = head_rows((session, incident), (usize::from(width), look)).len() as u16 + heading;
        Rect { width, height: body.height.saturating_sub(rows), ..body }
    };
    Some(match (ui.focus, body.width) {
        (Pane::Rca, BESIDE_COLS..) => {
            text_and_tail((ui, incident), below(left_columns(body.width).saturating_sub(1), 1), look).0
        }
        (Pane::Rca, _) => text_and_list((ui, session, incident), below(body.width, 0), look).0,
        _ => below(body.width, 0),
    })
}

/// The columns that the narrative is laid out for, if it is on screen.
pub fn narrative_columns(ui: &Ui) -> Option<usize> {
    let width = ui.layout().inner(Pane::Rca)?.width;
    let beside = width >= BESIDE_COLS && ui.focus == Pane::Rca;
    Some(usize::from(if beside { left_columns(width).saturating_sub(1) } else { width }))
}

/// Columns of the left half, its divider included.
fn left_columns(width: u16) -> u16 {
    if width >= RAW_COLS { width * 2 / 5 } else { width / 2 }
}

/// What else was considered and why it was rejected, and what is missing.
fn alternatives(incident: &Incident) -> Vec<(Role, String)> {
    let Some(verdict) = &incident.verdict else { return Vec::new() };
    let mut rows = vec![(Role::Title, "CONSIDERED (by the rules)".to_owned())];
    for ranked in verdict.ranked.iter().skip(1) {
        let against = ranked.findings.iter().filter(|finding| finding.side == Side::Against);
        let why =
            against.max_by(|a, b| a.weight.total_cmp(&b.weight)).map_or("nothing against it", |f| f.text.as_str());
        rows.push((Role::Faint, format!("{} {}: {why}", ranked.words(), ranked.confidence)));
    }
    for missing in &verdict.missing {
        let role = if missing.decisive { Role::Warning } else { Role::Faint };
        let word = if missing.decisive { "MISSING, decisive" } else { "missing" };
        rows.push((role, format!("{word}: {} ({})", missing.question.word(), missing.why)));
    }
    rows.extend(incident.storm.iter().map(|storm| (Role::Warning, format!("STORM: {storm}"))));
    if rows.len() == 1 { Vec::new() } else { rows }
}

/// What stands above the text: the verdict, and the question that the text is to answer.
fn head_rows((session, incident): (&Session, &Incident), (columns, look): (usize, &Look)) -> Vec<Line<'static>> {
    let mut rows = verdict_rows(incident, (columns, look));
    if let Some(inquiry) = &incident.narrative.inquiry {
        rows.push(Line::from(look.span(Role::Accent, format!("you asked: {inquiry}"))));
        if matches!(session.header.origin, Origin::Rehearsal { .. }) {
            rows.push(Line::from(
                look.span(Role::Faint, "A simulated model answers no question: it tells the evidence."),
            ));
        }
    }
    rows
}

/// The verdict in one row; without its first word where that makes it fit, else over two.
fn verdict_rows(incident: &Incident, (columns, look): (usize, &Look)) -> Vec<Line<'static>> {
    let mut line = verdict_line(incident, look);
    if line.width() <= columns || line.spans.len() < 3 {
        return vec![line];
    }
    if incident.verdict.as_ref().is_some_and(|verdict| verdict.conclusive) {
        line.spans.remove(0);
    }
    if line.width() <= columns {
        return vec![line];
    }
    let shares = line.spans.iter().position(|span| span.content.starts_with(" (")).unwrap_or(line.spans.len());
    let mut below = line.spans.split_off(shares);
    if let Some(first) = below.first_mut() {
        first.content = first.content.trim_start().to_owned().into();
    }
    vec![line, Line::from(below)]
}

/// `verdict: memory leak 0.86 (rules 0.91, model 0.86)`.
fn verdict_line(incident: &Incident, look: &Look) -> Line<'static> {
    let Some(verdict) = &incident.verdict else { return Line::from(look.span(Role::Faint, progress(incident))) };
    let counts = incident.confidence().unwrap_or_default();
    let (role, cause) = if verdict.conclusive { (Role::Strong, "verdict: ") } else { (Role::Warning, "verdict: ? ") };
    let mut line = look.line([(Role::Faint, cause.into()), (role, format!("{} {counts}", verdict.words()).into())]);
    let rules = look.span(Role::Faint, format!("rules {}", verdict.confidence()));
    let Some(diagnosis) = &incident.diagnosis else {
        line.spans.extend([look.span(Role::Faint, " ("), rules, look.span(Role::Faint, ")")]);
        return line;
    };
    let model = &diagnosis.proposal;
    let model = match &diagnosis.check {
        DiagnosisCheck::Accepted => look.span(Role::Model, format!("model {}", model.confidence)),
        DiagnosisCheck::Rejected { .. } => {
            look.span(Role::Danger, format!("model REJECTED: {} {}", model.cause.words(), model.confidence))
        }
    };
    let (open, between) = (look.span(Role::Faint, " ("), look.span(Role::Faint, ", "));
    line.spans.extend([open, rules, between, model, look.span(Role::Faint, ")")]);
    line
}

fn progress(incident: &Incident) -> String {
    let waiting: Vec<&str> = incident.awaited.iter().map(|(_, question)| question.word()).collect();
    let answered = incident.round().len();
    if waiting.is_empty() && answered == 0 {
        return "No question asked yet.".to_owned();
    }
    format!("evidence {answered}/{}, waiting for {}", answered + waiting.len(), waiting.join(", "))
}

/// The narrow form: verdict, then what was said, then what the rules found.
fn short(mut sheet: Sheet<'_>, (ui, session, incident): (&Ui, &Session, &Incident)) {
    let look = sheet.look;
    for line in &head_rows((session, incident), (sheet.width(), look)) {
        sheet.row(line);
    }
    if narrative::has_text(incident) {
        let area = sheet.rest();
        narrative::text(Sheet::new(sheet.buffer(), area, look), (ui, session, incident));
        return;
    }
    let findings = incident.verdict.as_ref().and_then(|verdict| verdict.leading()).map(|leading| &leading.findings);
    for finding in findings.into_iter().flatten() {
        let sign = match finding.side {
            Side::Supports => "+",
            Side::Against => "-",
        };
        sheet.wrapped(Role::Text, &format!("{sign} {}", finding.text), 2);
    }
    for (role, text) in alternatives(incident) {
        sheet.text(role, &text);
    }
    narrative::explain(&mut sheet, (session, incident));
}

/// One line for narrow screens.
pub fn summary(session: &Session, incident: Option<&Incident>, look: &Look) -> Line<'static> {
    let mut line = Line::from(look.span(Role::Title, "4 RCA "));
    let Some(incident) = incident else {
        line.push_span(look.span(Role::Faint, "no incident"));
        return line;
    };
    line.spans.extend(verdict_line(incident, look).spans);
    line.push_span(look.span(Role::Faint, "  "));
    let leading = incident.verdict.as_ref().and_then(|verdict| verdict.leading());
    let reason = leading.and_then(|ranked| ranked.findings.iter().find(|finding| finding.side == Side::Supports));
    match reason.filter(|_| incident.narrative.standing == NarrativeStanding::Complete) {
        Some(finding) => line.push_span(look.span(Role::Text, finding.text.clone())),
        None => line.spans.extend(narrative::standing(session, Some(incident), look)),
    }
    line
}

/// The model's name, said to be simulated where it is.
fn model_name(session: &Session, incident: &Incident) -> String {
    let model = incident.narrative.model.as_str();
    let asked = if model.is_empty() { session.header.model.as_deref().unwrap_or("no model") } else { model };
    match session.header.origin {
        Origin::Real => asked.to_owned(),
        Origin::Rehearsal { .. } => format!("SIMULATED {asked}"),
    }
}
