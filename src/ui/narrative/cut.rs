//! Runs of words in several roles, wrapped; citations in them become parts of their own.

use std::ops::Range;

use super::Part;
use crate::domain::diagnosis::evidence::EvidenceId;
use crate::domain::observation::sanitise;
use crate::ui::format;
use crate::ui::theme::Role;

/// Words in several roles.
#[derive(Clone, Debug, Default)]
pub(super) struct Run {
    text: String,
    roles: Vec<(usize, Role)>,
}

impl Run {
    /// Words in one role.
    pub(super) fn of(role: Role, text: &str) -> Self {
        let mut run = Self::default();
        run.push(role, text);
        run
    }

    /// Adds words.
    pub(super) fn push(&mut self, role: Role, text: &str) {
        self.text.push_str(&sanitise::text(text));
        self.roles.push((self.text.len(), role));
    }

    /// Whether there is nothing to read in it.
    pub(super) fn is_blank(&self) -> bool {
        self.text.trim().is_empty()
    }

    /// The text.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Its rows at a width: where each begins in the run, and its parts.
    pub(super) fn rows(&self, columns: usize) -> Vec<(usize, Vec<Part>)> {
        let skipped = self.text.len() - self.text.trim_start().len();
        let words = self.text.trim();
        let cites = citations(&self.text);
        let start = words.as_ptr() as usize;
        let rows = format::wrap(words, columns).into_iter();
        rows.map(|row| {
            let from = skipped + (row.as_ptr() as usize).saturating_sub(start);
            (from, self.parts(from..from + row.len(), &cites))
        })
        .collect()
    }

    /// The parts of a stretch: cut where the role changes and around citations.
    fn parts(&self, range: Range<usize>, cites: &[(Range<usize>, EvidenceId)]) -> Vec<Part> {
        let mut parts: Vec<Part> = Vec::new();
        let mut at = range.start;
        while at < range.end {
            let role = self.roles.iter().find(|(end, _)| *end > at).map_or(Role::Text, |(_, role)| *role);
            let role_end = self.roles.iter().find(|(end, _)| *end > at).map_or(range.end, |(end, _)| *end);
            let cite = cites.iter().find(|(cite, _)| cite.contains(&at));
            let next = cites.iter().map(|(cite, _)| cite.start).find(|start| *start > at).unwrap_or(range.end);
            let end = cite.map_or(next.min(role_end), |(cite, _)| cite.end).min(range.end);
            let text = self.text.get(at..end).unwrap_or_default().to_owned();
            // A citation broken over two rows is gone to where it begins.
            let begins = cite.filter(|(cite, _)| cite.start == at).map(|(_, id)| *id);
            let role = if cite.is_some() { Role::Accent } else { role };
            parts.push(Part { role, text, cite: begins });
            at = end.max(at + 1);
        }
        parts
    }
}

/// The evidence ids in square brackets: `[E1]`, `[E2, E3]`; each with its place.
fn citations(text: &str) -> Vec<(Range<usize>, EvidenceId)> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(open) = text[from..].find("[E").map(|at| from + at + 1) {
        let close = text[open..].find(']').map_or(text.len(), |at| open + at);
        let mut at = open;
        for part in text[open..close].split([',', ';', ' ']) {
            if let Ok(id) = EvidenceId::try_from(part.to_owned()) {
                found.push((at..at + part.len(), id));
            }
            at += part.len() + 1;
        }
        from = close;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn citations_are_parts_of_their_own_in_every_row() {
        let run = Run::of(Role::Model, "It grew [E1, E12] and grew [E3]");
        let rows = run.rows(18);
        let texts: Vec<String> =
            rows.iter().map(|(_, parts)| parts.iter().map(|part| part.text.as_str()).collect()).collect();
        assert_eq!(texts, ["It grew [E1, E12]", "and grew [E3]"]);
        let cites: Vec<u32> =
            rows.iter().flat_map(|(_, parts)| parts).filter_map(|part| part.cite).map(|id| id.0).collect();
        assert_eq!(cites, [1, 12, 3]);
        assert_eq!(rows[1].0, 18, "a row knows where it begins");
    }
}
