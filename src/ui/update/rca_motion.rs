//! Moving in the analysis: over its evidence, its text, the citations in it, and what a search finds in both.

use super::super::intent::Intent;
use super::super::model::rows;
use super::super::model::scroll::TextView;
use super::super::model::{Instants, Pane, Tone, Ui};
use super::super::search::Search;
use super::super::view::{NarrativePlace, narrative_place};
use super::motion::{Motion, Way, pick, shift};
use super::notice::refuse;
use crate::domain::diagnosis::evidence::EvidenceId;
use crate::session::Session;

/// Single rows move over the evidence, pages over the narrative.
pub(super) fn step(ui: &mut Ui, session: &Session, (motion, at): (Motion, Instants)) {
    if matches!(motion, Motion::Down | Motion::Up) {
        let rows = ui.layout().rows(Pane::Rca).max(1);
        let ids = evidence_ids(ui, session);
        return shift(&mut ui.evidence, &ids, rows, motion);
    }
    let Some(place) = narrative_place(ui, session, at.now) else { return };
    let row = motion.from(place.first, place.total.saturating_sub(place.high) + 1, place.high);
    ui.narrative = TextView::At(place.rows.place(row));
}

/// Goes to a citation of the narrative: it is marked, brought on screen, and its evidence is selected.
pub(super) fn cite(ui: &mut Ui, way: Way, session: &Session, at: Instants) -> Vec<Intent> {
    let Some(place) = narrative_place(ui, session, at.now) else {
        return refuse(ui, "There is no incident, so nothing is cited.", at);
    };
    let cites = place.rows.cites();
    if cites.is_empty() {
        return refuse(ui, "The narrative cites no evidence so far.", at);
    }
    // Without one gone to before, the first on screen is the next.
    let on_screen = || cites.iter().position(|(row, _)| *row >= place.first).unwrap_or(0);
    let next = match (ui.cite.map(|cite| cite.min(cites.len() - 1)), way) {
        (None, _) => on_screen(),
        (Some(cite), Way::Onward) => (cite + 1) % cites.len(),
        (Some(cite), Way::Backward) => (cite + cites.len() - 1) % cites.len(),
    };
    let (row, evidence) = cites[next];
    let top = top_for(&place, row);
    ui.cite = Some(next);
    ui.narrative = top.unwrap_or(ui.narrative);
    let ids = evidence_ids(ui, session);
    let Some(index) = ids.iter().position(|id| *id == evidence) else {
        return refuse(ui, format!("{evidence} is not among the evidence on screen."), at);
    };
    let rows = ui.layout().rows(Pane::Rca).max(1);
    ui.evidence.scroll.select(&ids, rows, index);
    ui.tell(Tone::Told, format!("{evidence}: Enter opens it; citation {} of {}.", next + 1, cites.len()), at);
    Vec::new()
}

/// Goes to the next find: those in the text first, from its top, then the evidence that matches.
pub(super) fn next_match(ui: &mut Ui, search: &Search, (way, session, at): (Way, &Session, Instants)) -> Option<()> {
    // Where the text would have to stand for each find, from the top.
    let hits: Vec<Option<TextView>> = narrative_place(ui, session, at.now)
        .map_or_else(Vec::new, |place| place.rows.hits(search).iter().map(|hit| top_for(&place, hit.row())).collect());
    let here = ui.hit.map(|hit| hit.min(hits.len()));
    let next = match (way, here) {
        (Way::Onward, None) => 0,
        (Way::Onward, Some(hit)) => (hit + 1).min(hits.len()),
        (Way::Backward, Some(hit)) if hit == hits.len() => {
            if pick_evidence(ui, session, (search, way)).is_some() {
                return Some(());
            }
            hit.checked_sub(1)?
        }
        (Way::Backward, hit) => hit?.checked_sub(1)?,
    };
    let Some(top) = hits.get(next) else { return into_evidence(ui, session, (search, here == Some(next), next)) };
    ui.hit = Some(next);
    ui.narrative = top.unwrap_or(ui.narrative);
    let of = hits.len();
    ui.tell(Tone::Told, format!("Match in the text, {} of {of}.", next + 1), at);
    Some(())
}

/// Onward in the evidence; from the text to the first piece that matches.
fn into_evidence(ui: &mut Ui, session: &Session, (search, is_there, hit): (&Search, bool, usize)) -> Option<()> {
    if is_there {
        return pick_evidence(ui, session, (search, Way::Onward));
    }
    let evidence = rows::evidence(ui, session);
    let first = evidence.iter().position(|evidence| search.matches(&rows::evidence_text(evidence)))?;
    let ids: Vec<EvidenceId> = evidence.iter().map(|evidence| evidence.id).collect();
    let rows = ui.layout().rows(Pane::Rca).max(1);
    ui.evidence.scroll.select(&ids, rows, first);
    ui.hit = Some(hit);
    Some(())
}

fn pick_evidence(ui: &mut Ui, session: &Session, (search, way): (&Search, Way)) -> Option<()> {
    let evidence = rows::evidence(ui, session);
    let texts: Vec<String> = evidence.iter().map(|evidence| rows::evidence_text(evidence)).collect();
    let ids: Vec<EvidenceId> = evidence.iter().map(|evidence| evidence.id).collect();
    let rows = ui.layout().rows(Pane::Rca).max(1);
    pick(&mut ui.evidence, &ids, (&texts, search), (rows, way))
}

/// Where the text must stand for a row to be on screen, if it is not.
fn top_for(place: &NarrativePlace<'_>, row: usize) -> Option<TextView> {
    let visible = (place.first..place.first + place.high).contains(&row);
    (!visible).then(|| TextView::At(place.rows.place(row.saturating_sub(place.high / 2))))
}

fn evidence_ids(ui: &Ui, session: &Session) -> Vec<EvidenceId> {
    rows::evidence(ui, session).iter().map(|evidence| evidence.id).collect()
}
