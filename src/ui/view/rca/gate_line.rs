//! The gate line: what the lock looks at, with its bounds, and whether it is open; if not, why, and the key that helps.

use ratatui::text::Line;

use super::super::look::Look;
use crate::domain::remediation::gate::{GateReport, StandsOn};
use crate::session::incident::Incident;
use crate::ui::format;
use crate::ui::theme::Role;

/// `confidence 0.86 (gate 0.75)  evidence 5/5  claims 9/9  fresh 38s   GATE OPEN -> step 1`, or
/// `LOCKED: memory series truncated; ask again with r`, wrapped to `columns`.
pub fn gate_line(incident: &Incident, (columns, look): (usize, &Look)) -> Vec<Line<'static>> {
    let Some(gate) = &incident.gate else {
        return vec![Line::from(look.span(Role::Faint, "gate: LOCKED, not judged yet"))];
    };
    let figures = figures(gate, look);
    if gate.is_open() {
        let step = incident.asked_step().map_or_else(String::new, |step| format!(" -> step {}", step.id.0));
        let open = format!("GATE OPEN{step}");
        if format::width(&figures) + open.len() + 3 <= columns {
            return vec![look.line([(Role::Text, figures.into()), (Role::Good, format!("   {open}").into())])];
        }
        return vec![Line::from(look.span(Role::Text, figures)), Line::from(look.span(Role::Good, open))];
    }
    let mut lines = vec![Line::from(look.span(Role::Text, figures))];
    for refusal in gate.refusals.iter().take(3) {
        let text = format!("LOCKED: {} {}", refusal.text.trim_end_matches('.').to_owned() + ";", refusal.unlock);
        lines.extend(
            format::wrap(&text, columns).into_iter().map(|part| Line::from(look.span(Role::Warning, part.to_owned()))),
        );
    }
    if gate.refusals.len() > 3 {
        let more = format!("LOCKED: and {} more reasons (l)", gate.refusals.len() - 3);
        lines.push(Line::from(look.span(Role::Warning, more)));
    }
    lines
}

fn figures(gate: &GateReport, look: &Look) -> String {
    let claims = match gate.stands_on {
        StandsOn::Diagnosis => format!("claims {}/{}", gate.claims.n, gate.claims.of),
        StandsOn::Rules => "rules alone".to_owned(),
    };
    let fresh = gate.oldest.map_or_else(|| "no evidence".to_owned(), |at| format!("fresh {}", look.age(at)));
    format!(
        "confidence {} (gate {})  evidence {}/{}  {claims}  {fresh}",
        gate.confidence, gate.needed, gate.evidence.n, gate.evidence.of
    )
}
