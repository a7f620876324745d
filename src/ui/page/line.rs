//! A log line opened: the line whole, its fields where it is JSON, the lines around it, and the console at its time.

use super::{Desk, Page, addresses, console_note, json};
use crate::domain::observation::oom_kill::KillSign;
use crate::session::logs::StoredLine;
use crate::ui::console;
use crate::ui::model::log_view::{self, LogView};
use crate::ui::model::moments;
use crate::ui::model::rows::LineAnchor;
use crate::ui::theme::Role;

/// Lines of the same stream and of the pane shown on either side.
const AROUND: usize = 12;

/// The page.
pub(super) fn page(number: u64, desk: Desk<'_>) -> Option<Page> {
    let stored = log_view::stored(desk.ui, desk.session, number)?;
    let line = stored.line.as_ref();
    let mut page = Page::default();
    page.field("when", desk.look.moment(line.at));
    page.field("level", line.level.word());
    match line.kill {
        Some(KillSign::OomKill) => page.toned("kill", Role::Kill, "OOM: the kernel or the platform killed a container"),
        Some(KillSign::HeapError) => page.toned("heap", Role::Danger, "error inside of the process, no kill"),
        None => {}
    }
    page.field("group", line.group.to_string());
    page.field("stream", line.stream.to_string());
    let cited = desk.ui.incident(desk.session).and_then(|incident| moments::cited_by(incident, &line.id));
    page.field("cited by", cited.map_or_else(String::new, |id| id.to_string()));
    page.field("event id", line.id.to_string());
    page.head("THE LINE");
    page.text(Role::Strong, line.text.to_string());
    json::rows(&mut page, &line.text);
    around(&mut page, stored, desk);
    page.head("LINKS (Tab chooses, y copies)");
    for address in addresses(&line.text) {
        page.link("in the line", address);
    }
    let region = &desk.session.header.scope.region;
    page.link("this stream", console::logs(region, &line.group, (line.stream.as_str(), line.at)));
    page.link("this group", console::logs(region, &line.group, ("", line.at)));
    console_note(&mut page, desk);
    Some(page)
}

/// The lines before and after, of every stream of the pane, filter or not.
fn around(page: &mut Page, stored: &StoredLine, desk: Desk<'_>) {
    let view = LogView::unfiltered(desk.ui, desk.session);
    let here = view.place(LineAnchor::of(stored));
    let mut before: Vec<usize> = Vec::new();
    let mut next = view.before(here);
    while let Some(at) = next.filter(|_| before.len() < AROUND) {
        before.push(at);
        next = view.before(at);
    }
    before.reverse();
    let mut shown = before;
    let mut next = view.at_or_after(here);
    while let Some(at) = next.filter(|_| shown.len() < 2 * AROUND + 1) {
        shown.push(at);
        next = view.at_or_after(at + 1);
    }
    page.head(format!("AROUND IT{}", desk.look.stamps_in()));
    for at in shown {
        let Some(other) = view.line(at) else { continue };
        let same = other.line.stream == stored.line.stream;
        let (mark, role) = match (other.number == stored.number, same) {
            (true, _) => (">", Role::Strong),
            (false, true) => (" ", Role::Text),
            (false, false) => (" ", Role::Faint),
        };
        let (text, level) = (&*other.line.text, other.line.level.word());
        // Many a line begins with its level: once is enough.
        let without = text.strip_prefix(level).filter(|rest| rest.starts_with(char::is_whitespace));
        let text = without.map_or(text, str::trim_start);
        let stream = if same { String::new() } else { format!("({}) ", other.line.stream) };
        page.parts([
            (Role::Accent, format!("{mark} ")),
            (Role::Faint, format!("{} ", desk.look.stamp(other.line.at))),
            (role, format!("{level:<5} {stream}{text}")),
        ]);
    }
}
