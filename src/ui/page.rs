//! One thing opened, as rows to read. What is drawn, scrolled, searched, copied and saved are the same rows.

mod alarm;
mod evidence;
mod json;
mod laid;
mod line;
mod links;
mod metric;
mod step;
mod workload;

pub use self::laid::Laid;
pub use self::metric::Plot;

use super::model::Ui;
use super::model::overlay::{Item, Telling};
use super::model::telling;
use super::theme::Role;
use super::view::look::Look;
use crate::session::Session;
use crate::session::header::Origin;

/// What a page is made from.
#[derive(Clone, Copy, Debug)]
pub struct Desk<'a> {
    /// The screen's memory.
    pub ui: &'a Ui,
    /// The session.
    pub session: &'a Session,
    /// How things are told.
    pub look: &'a Look,
}

/// A row before it is laid out for a width.
#[derive(Clone, Debug, PartialEq)]
enum Row {
    /// A heading with a blank row before it.
    Head(String),
    /// A word and what it says.
    Field(&'static str, Role, String),
    /// A sentence.
    Text(Role, String),
    /// A row with parts of several roles, not wrapped: a line of a log, an entry of the timeline.
    Parts(Vec<(Role, String)>),
    /// What the signs of the chart mean.
    Legend(Vec<(Role, String)>),
    /// An address that can be chosen and copied.
    Link(&'static str, String),
    /// The page's chart.
    Plot,
}

/// A page.
#[derive(Clone, Debug, Default)]
pub struct Page {
    rows: Vec<Row>,
    /// The chart, where it has one.
    pub plot: Option<Plot>,
}

impl Page {
    fn head(&mut self, text: impl Into<String>) {
        self.rows.push(Row::Head(text.into()));
    }

    fn field(&mut self, word: &'static str, text: impl Into<String>) {
        self.toned(word, Role::Text, text);
    }

    fn toned(&mut self, word: &'static str, role: Role, text: impl Into<String>) {
        let text = text.into();
        if !text.is_empty() {
            self.rows.push(Row::Field(word, role, text));
        }
    }

    fn text(&mut self, role: Role, text: impl Into<String>) {
        self.rows.push(Row::Text(role, text.into()));
    }

    fn parts(&mut self, parts: impl IntoIterator<Item = (Role, String)>) {
        self.rows.push(Row::Parts(parts.into_iter().collect()));
    }

    fn legend(&mut self, parts: Vec<(Role, String)>) {
        self.rows.push(Row::Legend(parts));
    }

    fn link(&mut self, name: &'static str, url: impl Into<String>) {
        self.rows.push(Row::Link(name, url.into()));
    }

    fn plot(&mut self, plot: Plot) {
        self.plot = Some(plot);
        self.rows.push(Row::Plot);
    }

    /// The addresses, in order.
    pub fn links(&self) -> Vec<&str> {
        let urls = self.rows.iter().map(|row| match row {
            Row::Link(_, url) => Some(url.as_str()),
            Row::Head(_) | Row::Field(..) | Row::Text(..) | Row::Parts(_) | Row::Legend(_) | Row::Plot => None,
        });
        urls.flatten().collect()
    }
}

/// The page of a thing; `None` once it is gone.
pub fn of(item: &Item, telling: Telling, desk: Desk<'_>) -> Option<Page> {
    if telling == Telling::Raw {
        let lines = telling::lines(desk.ui, desk.session, item, Telling::Raw)?;
        let rows = lines.into_iter().map(|line| Row::Text(Role::Text, line)).collect();
        return Some(Page { rows, plot: None });
    }
    match item {
        Item::Alarm(name) => desk.session.alarms.get(name).map(|found| alarm::page(found, desk)),
        Item::Metric(role) => metric::page(*role, desk),
        Item::Line(number) => line::page(*number, desk),
        Item::Evidence(id) => desk.ui.incident(desk.session)?.evidence(*id).map(|found| evidence::page(found, desk)),
        Item::Verdict => {
            let lines = telling::lines(desk.ui, desk.session, item, Telling::Told)?;
            Some(Page { rows: lines.into_iter().map(|line| Row::Text(Role::Text, line)).collect(), plot: None })
        }
        Item::Step(id) => {
            let incident = desk.ui.incident(desk.session)?;
            incident.step(*id).map(|found| step::page(found, incident, desk))
        }
        Item::Entry(seq) => {
            let entry = desk.session.timeline.entries().iter().find(|entry| entry.seq == *seq)?;
            let mut page = Page::default();
            page.field("when", desk.look.moment(entry.at));
            page.field("record", entry.seq.to_string());
            page.field("incident", entry.incident.map_or_else(String::new, |id| id.to_string()));
            page.head("WHAT HAPPENED");
            page.text(Role::Text, entry.text.clone());
            Some(page)
        }
        Item::Workload(target) => workload::page(target, desk),
    }
}

/// Writes the addresses under their heading, if there are any.
fn link_rows(page: &mut Page, links: Vec<(&'static str, String)>, desk: Desk<'_>) {
    if links.is_empty() {
        return;
    }
    page.head("LINKS (Tab chooses, y copies)");
    for (name, url) in links {
        page.link(name, url);
    }
    console_note(page, desk);
}

/// Addresses lead nowhere where the account is a simulated one, and say so.
fn console_note(page: &mut Page, desk: Desk<'_>) {
    if let Origin::Rehearsal { .. } = desk.session.header.origin {
        page.text(Role::Warning, "A rehearsal: the console knows nothing of this account.");
    }
}

/// The addresses in a text: what begins with a scheme of the web, up to a blank or what closes a bracket.
fn addresses(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(at) = ["https://", "http://"].iter().filter_map(|scheme| rest.find(scheme)).min() {
        let from = &rest[at..];
        let ends = |c: char| c.is_whitespace() || matches!(c, ')' | ']' | '>' | '"' | '\'' | '|');
        let end = from.find(ends).unwrap_or(from.len());
        found.push(from[..end].trim_end_matches(['.', ',', ';']));
        rest = &from[end..];
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_found_in_what_a_team_writes() {
        let text = "Runbook: https://wiki.example/run?a=1. Board <http://b.example/x|board>, none: https";
        assert_eq!(addresses(text), ["https://wiki.example/run?a=1", "http://b.example/x"]);
        assert!(addresses("no address").is_empty());
    }
}
