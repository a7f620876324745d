//! One thing opened: told for reading, or as JSON.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::super::look::Look;
use super::super::metrics::chart_styles;
use super::super::sheet::Sheet;
use crate::domain::count::either;
use crate::session::Session;
use crate::ui::chart::Chart;
use crate::ui::model::Ui;
use crate::ui::model::overlay::{Item, Opened, Telling};
use crate::ui::page::{self, Desk, Laid, Page, Plot};
use crate::ui::search::Search;
use crate::ui::theme::Role;

/// Rows a chart has at least, and the share of the page it takes beyond.
const LEAST_PLOT: u16 = 6;

/// Draws it.
pub fn draw(buffer: &mut Buffer, area: Rect, (ui, session): (&Ui, &Session), opened: &Opened, look: &Look) {
    let desk = Desk { ui, session, look };
    let page = page::of(&opened.item, opened.telling, desk);
    let inside = inside(area);
    let rows = laid(page.as_ref(), opened, inside);
    let high = usize::from(inside.height);
    let top = opened.top.min(rows.len().saturating_sub(high));
    let title = title(opened, (&rows, look));
    let place = if rows.len() > high {
        format!("{}-{} of {}  ", top + 1, top + high.min(rows.len()), rows.len())
    } else {
        String::new()
    };
    let inner = super::window(buffer, area, (&title, place.trim_end()), look);
    let mut sheet = Sheet::new(buffer, inner, look);
    for row in rows.iter().skip(top).take(high) {
        sheet.row(&line(row, (opened.search.as_ref(), look)));
        if row.link.is_some() && row.link == opened.link {
            sheet.select_last();
        }
    }
    if let Some(plot) = page.as_ref().and_then(|page| page.plot.as_ref()) {
        chart(buffer, inner, (&rows, top), (plot, ui, look));
    }
}

/// The rows on a screen, and how many fit.
pub fn rows(desk: Desk<'_>, opened: &Opened, area: Rect) -> (Vec<Laid>, usize) {
    let page = page::of(&opened.item, opened.telling, desk);
    let inside = inside(area);
    (laid(page.as_ref(), opened, inside), usize::from(inside.height))
}

fn inside(area: Rect) -> Rect {
    Rect { width: area.width.saturating_sub(2), height: area.height.saturating_sub(2), ..area }
}

fn laid(page: Option<&Page>, opened: &Opened, inside: Rect) -> Vec<Laid> {
    let Some(page) = page else {
        let parts = vec![(Role::Faint, GONE.to_owned())];
        return vec![Laid { parts, ..Laid::default() }];
    };
    // A chart that was opened for itself gets what the figures leave; one beside other things a third.
    let plot = match opened.item {
        Item::Metric(_) => inside.height.saturating_sub(10),
        _ => inside.height / 3,
    };
    page.laid((usize::from(inside.width), plot.max(LEAST_PLOT)))
}

fn line<'l>(row: &'l Laid, (search, look): (Option<&Search>, &Look)) -> Line<'l> {
    let mut spans: Vec<Span<'l>> = Vec::new();
    for (role, text) in &row.parts {
        let mut from = 0;
        for range in search.map(|search| search.ranges(text)).unwrap_or_default() {
            spans.push(look.span(*role, &text[from..range.start]));
            spans.push(look.span(Role::Match, &text[range.start..range.end]));
            from = range.end;
        }
        spans.push(look.span(*role, &text[from..]));
    }
    Line::from(spans)
}

/// Draws the rows of the chart that are on screen: it scrolls with the page.
fn chart(buffer: &mut Buffer, inner: Rect, (rows, top): (&[Laid], usize), (plot, ui, look): (&Plot, &Ui, &Look)) {
    let height = rows.iter().filter(|row| row.plot.is_some()).count() as u16;
    let whole = Rect { x: 0, y: 0, width: inner.width, height };
    let mut own = Buffer::empty(whole);
    let chart = Chart {
        threshold: plot.threshold,
        deploys: &plot.deploys,
        kills: &plot.kills,
        baseline: &plot.baseline,
        days: &plot.days,
        cursor: ui.moment,
        ..Chart::bare(&plot.series, plot.window, (look.glyphs, look.markers))
    };
    chart.draw(&mut own, whole, &chart_styles(look));
    for (at, row) in rows.iter().enumerate().skip(top).take(usize::from(inner.height)) {
        let Some(source) = row.plot else { continue };
        for x in 0..inner.width {
            buffer[(inner.x + x, inner.y + (at - top) as u16)] = own[(x, source)].clone();
        }
    }
}

fn title(opened: &Opened, (rows, look): (&[Laid], &Look)) -> Line<'static> {
    let mut title = look.line([(Role::Focus, format!(" {} ", name(&opened.item)).into())]);
    if opened.telling == Telling::Raw {
        title.push_span(look.span(Role::Text, " as JSON"));
    }
    if let Some(text) = &opened.typing {
        title.push_span(look.span(Role::Accent, format!("  /{}_", look.typed(text))));
    }
    if let Some(search) = &opened.search {
        let found = rows.iter().filter(|row| search.matches(&row.text())).count();
        let typed = if opened.typing.is_some() { String::new() } else { format!("  /{}", look.typed(search.text())) };
        title.push_span(look.span(Role::Match, typed));
        title.push_span(
            look.span(Role::Faint, format!("  {found} {}, n N go to them", either(found, "row matches", "rows match"))),
        );
    }
    title
}

/// The keys that count on a page, for the footer.
pub fn hints(opened: &Opened, has_links: bool) -> Vec<(&'static str, &'static str)> {
    if opened.typing.is_some() {
        return vec![("Enter", "goes to it"), ("Esc", "forgets it")];
    }
    let raw = match opened.telling {
        Telling::Told => "as JSON",
        Telling::Raw => "for reading",
    };
    let mut hints = vec![("q", "close"), ("j k ^D ^U", "scroll"), ("v", raw), ("/", "search"), ("y", "copy")];
    if has_links && opened.telling == Telling::Told {
        hints.insert(1, ("Tab", "address"));
    }
    hints.push(("Y", "save"));
    hints
}

/// Whether a page has addresses to choose from.
pub fn has_links(desk: Desk<'_>, opened: &Opened) -> bool {
    page::of(&opened.item, opened.telling, desk).is_some_and(|page| !page.links().is_empty())
}

fn name(item: &Item) -> String {
    match item {
        Item::Alarm(name) => format!("ALARM {name}"),
        Item::Metric(role) => format!("METRIC {}", role.word()),
        Item::Line(number) => format!("LOG LINE {number}"),
        Item::Evidence(id) => format!("EVIDENCE {id}"),
        Item::Verdict => "VERDICT".to_owned(),
        Item::Step(id) => format!("STEP {id}"),
        Item::Entry(seq) => format!("RECORD {seq}"),
        Item::Workload(target) => format!("WORKLOAD {target}"),
    }
}

const GONE: &str = "It is no longer here: the journal keeps what was recorded of it.";
