//! Where everything goes: a pure function of the terminal's size, the focused pane and the zoom.
//!
//! ```text
//! Wide (from 120x24 on)            Single (from 80 on)        Tabs (60-79)         Line (below 60x16)
//! header                           header                     header               one line
//! incidents                        incidents                  incidents
//! [1] alarms   | [2] metrics       tabs                       tabs
//! -------------|                   main pane (alarms over     main pane
//! [4] rca      | [3] logs          logs when at home)
//! [5] remediation  | [6] timeline  summary (2 lines)
//! footer                           footer                     footer
//! ```

use ratatui::layout::Rect;

use super::model::{Pane, Size, Zoom};

/// From this many columns on there are two columns of panes.
pub const WIDE_COLS: u16 = 120;
/// Three panes above each other need this many rows. Below, as in the half of a window, one at a time shows more.
pub const WIDE_ROWS: u16 = 24;
/// From this many columns on there is room for summary lines beside the one main pane.
pub const SINGLE_COLS: u16 = 80;
/// Below this many columns there is one line only.
pub const LEAST_COLS: u16 = 60;
/// Below this many rows there is one line only.
pub const LEAST_ROWS: u16 = 16;
/// Below this many rows charts become sparklines.
pub const CHART_ROWS: u16 = 30;
/// A remediation pane narrower than this, borders included, does not show a step whole.
pub const PROMPT_COLS: u16 = 60;
/// A remediation pane lower than this, borders included, does not show a step whole.
pub const PROMPT_ROWS: u16 = 15;

/// The arrangement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// One line that says alarms and whether something is armed.
    Line,
    /// Tabs and one pane.
    Tabs,
    /// Tabs, one main pane (alarms over logs when at home), two summary lines.
    Single,
    /// Two columns and a band below them.
    Wide,
}

/// What surrounds the pane of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edges {
    /// A box with the title in it.
    Boxed,
    /// The title alone: the rows of the box go to the step.
    Bare,
}

/// How charts are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChartForm {
    /// With axes, threshold and marks.
    Full,
    /// One row each.
    Sparkline,
}

/// The rectangles of one frame. A part that is not shown has no area.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// The arrangement.
    pub form: Form,
    /// How charts are drawn.
    pub charts: ChartForm,
    /// What surrounds the pane of a step.
    pub edges: Edges,
    /// Line 1; in [`Form::Line`] the only one.
    pub header: Rect,
    /// The strip that names the incidents.
    pub incidents: Rect,
    /// The tab strip.
    pub tabs: Rect,
    /// Everything between strips and footer: what an overlay is centred in.
    pub main: Rect,
    /// The summary lines for RCA and remediation.
    pub summary: Rect,
    /// Key hints, the message, or the filter being typed.
    pub footer: Rect,
    panes: [Rect; 6],
}

impl Layout {
    /// The rectangle of a pane, borders included; `None` if it is not on screen.
    pub fn pane(&self, pane: Pane) -> Option<Rect> {
        let rect = self.panes[pane.index()];
        (!rect.is_empty()).then_some(rect)
    }

    /// The rectangle inside a pane's border.
    pub fn inner(&self, pane: Pane) -> Option<Rect> {
        self.pane(pane).map(|rect| match self.edges {
            Edges::Bare if pane == Pane::Remediation => Rect { y: rect.y + 1, height: rect.height - 1, ..rect },
            Edges::Bare | Edges::Boxed => inside(rect),
        })
    }

    /// Rows a list has in a pane; 0 if it is not on screen.
    pub fn rows(&self, pane: Pane) -> usize {
        self.inner(pane).map_or(0, |rect| usize::from(rect.height))
    }

    /// Whether the remediation pane shows a step whole, so that it may be decided.
    pub fn shows_step_whole(&self) -> bool {
        let saved = match self.edges {
            Edges::Boxed => 0,
            Edges::Bare => 1,
        };
        self.pane(Pane::Remediation).is_some_and(|rect| rect.width >= PROMPT_COLS && rect.height + saved >= PROMPT_ROWS)
    }

    /// A rectangle for an overlay of at most this size, centred in the main area.
    pub fn overlay(&self, cols: u16, rows: u16) -> Rect {
        let (width, height) = (cols.min(self.main.width), rows.min(self.main.height));
        let x = self.main.x + (self.main.width - width) / 2;
        let y = self.main.y + (self.main.height - height) / 2;
        Rect { x, y, width, height }
    }
}

/// Sizes of panes on a wide screen, in percent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shares {
    /// The left column's part of the width.
    pub left: u16,
    /// The alarms' part of the left column.
    pub alarms: u16,
    /// The metrics' part of the right column.
    pub metrics: u16,
    /// The part of the rows that remediation and timeline have while others are read.
    pub band: u16,
}

impl Default for Shares {
    fn default() -> Self {
        Self { left: 36, alarms: 40, metrics: 45, band: 25 }
    }
}

/// A part of a length in percent.
fn part(whole: u16, percent: u16) -> u16 {
    (u32::from(whole) * u32::from(percent) / 100) as u16
}

/// Lays a frame out with the usual sizes.
pub fn layout(size: Size, focus: Pane, zoom: Zoom) -> Layout {
    layout_with(size, focus, zoom, Shares::default())
}

/// Lays a frame out.
pub fn layout_with(size: Size, focus: Pane, zoom: Zoom, shares: Shares) -> Layout {
    let form = form(size);
    let charts = if size.rows < CHART_ROWS { ChartForm::Sparkline } else { ChartForm::Full };
    let mut rest = Rect::new(0, 0, size.cols, size.rows);
    let header = take_top(&mut rest, 1);
    let nothing = Rect::default();
    let mut layout = Layout {
        form,
        charts,
        edges: Edges::Boxed,
        header,
        incidents: nothing,
        tabs: nothing,
        main: nothing,
        summary: nothing,
        footer: nothing,
        panes: [nothing; 6],
    };
    if form == Form::Line {
        return layout;
    }
    layout.footer = take_bottom(&mut rest, 1);
    let strips = if form == Form::Wide { 1 } else { 2 };
    // Where a step would not be whole beside them, the strips give way to it, and then the box around it.
    let cramped = focus == Pane::Remediation && rest.height < PROMPT_ROWS + strips;
    if !cramped {
        layout.incidents = take_top(&mut rest, 1);
        if form != Form::Wide {
            layout.tabs = take_top(&mut rest, 1);
        }
    } else if rest.height < PROMPT_ROWS {
        layout.edges = Edges::Bare;
    }
    if form == Form::Single && zoom == Zoom::Overview && focus != Pane::Remediation {
        layout.summary = take_bottom(&mut rest, 2);
    }
    layout.main = rest;
    layout.panes = match (form, zoom) {
        (_, Zoom::Zoomed) | (Form::Line | Form::Tabs, _) => only(focus, rest),
        (Form::Single, Zoom::Overview) => single(focus, rest),
        (Form::Wide, Zoom::Overview) => wide(focus, rest, shares),
    };
    layout
}

fn form(size: Size) -> Form {
    if size.cols < LEAST_COLS || size.rows < LEAST_ROWS {
        Form::Line
    } else if size.cols < SINGLE_COLS {
        Form::Tabs
    } else if size.cols < WIDE_COLS || size.rows < WIDE_ROWS {
        Form::Single
    } else {
        Form::Wide
    }
}

fn only(pane: Pane, rect: Rect) -> [Rect; 6] {
    let mut panes = [Rect::default(); 6];
    panes[pane.index()] = rect;
    panes
}

/// At home (alarms focused) the main pane shows alarms over logs; any other focus has it to itself.
fn single(focus: Pane, mut rest: Rect) -> [Rect; 6] {
    if focus != Pane::Alarms {
        return only(focus, rest);
    }
    let upper = rest.height * 9 / 20;
    let mut panes = only(Pane::Alarms, take_top(&mut rest, upper));
    panes[Pane::Logs.index()] = rest;
    panes
}

fn wide(focus: Pane, mut rest: Rect, shares: Shares) -> [Rect; 6] {
    let band = band_rows(focus, rest.height, shares);
    if band == rest.height {
        return only(focus, rest);
    }
    let mut panes = [Rect::default(); 6];
    let mut below = take_bottom(&mut rest, band);
    let two_thirds = below.width * 2 / 3;
    panes[Pane::Remediation.index()] = take_left(&mut below, two_thirds);
    panes[Pane::Timeline.index()] = below;
    // The analysis is two columns of text: it gets half the screen while it is read.
    let left = if focus == Pane::Rca { rest.width / 2 } else { part(rest.width, shares.left) };
    let mut left = take_left(&mut rest, left);
    let (alarms, metrics) = (part(left.height, shares.alarms), part(rest.height, shares.metrics));
    panes[Pane::Alarms.index()] = take_top(&mut left, alarms);
    panes[Pane::Rca.index()] = left;
    panes[Pane::Metrics.index()] = take_top(&mut rest, metrics);
    panes[Pane::Logs.index()] = rest;
    panes
}

/// A focused remediation pane grows until a step is whole; where that leaves the others nothing, it takes all.
fn band_rows(focus: Pane, rows: u16, shares: Shares) -> u16 {
    let others_need = 8;
    match focus {
        Pane::Remediation if rows < PROMPT_ROWS + others_need => rows,
        // A step with its diff and its checks needs more than the least, and gets it where the others keep their rows.
        Pane::Remediation => (PROMPT_ROWS + 7).min(rows - others_need).max(rows * 2 / 5),
        Pane::Alarms | Pane::Metrics | Pane::Logs | Pane::Rca | Pane::Timeline => {
            // The usual part stops growing on a tall screen; one that was asked for does not.
            let most = if shares.band == Shares::default().band { 12 } else { rows.saturating_sub(others_need) };
            part(rows, shares.band).clamp(4, most.max(4))
        }
    }
}

fn inside(rect: Rect) -> Rect {
    Rect {
        x: rect.x + rect.width.min(1),
        y: rect.y + rect.height.min(1),
        width: rect.width.saturating_sub(2),
        height: rect.height.saturating_sub(2),
    }
}

fn take_top(rest: &mut Rect, rows: u16) -> Rect {
    let rows = rows.min(rest.height);
    let taken = Rect { height: rows, ..*rest };
    rest.y += rows;
    rest.height -= rows;
    taken
}

fn take_bottom(rest: &mut Rect, rows: u16) -> Rect {
    let rows = rows.min(rest.height);
    rest.height -= rows;
    Rect { y: rest.y + rest.height, height: rows, ..*rest }
}

fn take_left(rest: &mut Rect, cols: u16) -> Rect {
    let cols = cols.min(rest.width);
    let taken = Rect { width: cols, ..*rest };
    rest.x += cols;
    rest.width -= cols;
    taken
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(layout: &Layout) -> Vec<Rect> {
        let panes = Pane::ALL.into_iter().filter_map(|pane| layout.pane(pane));
        let strips = [layout.header, layout.incidents, layout.tabs, layout.summary, layout.footer];
        strips.into_iter().filter(|rect| !rect.is_empty()).chain(panes).collect()
    }

    fn every_case(check: impl Fn(Size, Pane, Zoom, &Layout)) {
        for cols in 10..=300 {
            for rows in [5, 10, 15, 16, 17, 20, 23, 24, 25, 29, 30, 31, 40, 50, 60, 75, 90] {
                for focus in Pane::ALL {
                    for zoom in [Zoom::Overview, Zoom::Zoomed] {
                        let size = Size { cols, rows };
                        check(size, focus, zoom, &layout(size, focus, zoom));
                    }
                }
            }
        }
    }

    #[test]
    fn nothing_overlaps_and_nothing_is_outside() {
        every_case(|size, focus, zoom, layout| {
            let parts = parts(layout);
            let screen = Rect::new(0, 0, size.cols, size.rows);
            for (at, part) in parts.iter().enumerate() {
                assert_eq!(part.intersection(screen), *part, "{size:?} {focus:?} {zoom:?}");
                for other in &parts[at + 1..] {
                    assert!(!part.intersects(*other), "{size:?} {focus:?} {zoom:?}: {part:?} {other:?}");
                }
            }
            let covered: u32 = parts.iter().map(|rect| rect.area()).sum();
            if layout.form != Form::Line {
                assert_eq!(covered, screen.area(), "{size:?} {focus:?} {zoom:?} leaves a hole");
            }
        });
    }

    #[test]
    fn line_one_is_never_hidden_and_the_focused_pane_is_on_screen() {
        every_case(|size, focus, zoom, layout| {
            assert_eq!(layout.header, Rect::new(0, 0, size.cols, 1));
            if layout.form != Form::Line {
                assert!(layout.rows(focus) >= 1, "{size:?} {focus:?} {zoom:?}");
                assert!(layout.pane(focus).is_some_and(|rect| rect.width >= 20), "{size:?} {focus:?} {zoom:?}");
            }
        });
    }

    #[test]
    fn a_focused_step_is_whole_wherever_there_are_panes() {
        every_case(|size, focus, zoom, layout| {
            if focus == Pane::Remediation && size.cols >= LEAST_COLS && size.rows >= LEAST_ROWS {
                assert!(layout.shows_step_whole(), "{size:?} {zoom:?}");
                assert!(layout.inner(Pane::Remediation).is_some_and(|rect| rect.height >= PROMPT_ROWS - 2), "{size:?}");
            }
            if size.cols < LEAST_COLS || size.rows < LEAST_ROWS {
                assert!(!layout.shows_step_whole());
            }
        });
    }

    #[test]
    fn the_arrangement_follows_the_width() {
        let form = |cols, rows| layout(Size { cols, rows }, Pane::Alarms, Zoom::Overview).form;
        assert_eq!([form(59, 40), form(60, 15)], [Form::Line, Form::Line]);
        assert_eq!([form(60, 16), form(79, 90)], [Form::Tabs, Form::Tabs]);
        assert_eq!([form(80, 24), form(119, 24)], [Form::Single, Form::Single]);
        assert_eq!([form(120, 24), form(300, 90)], [Form::Wide, Form::Wide]);
        assert_eq!([form(120, 23), form(240, 16)], [Form::Single, Form::Single]);
        let charts = |rows| layout(Size { cols: 120, rows }, Pane::Alarms, Zoom::Overview).charts;
        assert_eq!([charts(29), charts(30)], [ChartForm::Sparkline, ChartForm::Full]);
    }

    #[test]
    fn an_overlay_is_centred_and_never_outside() {
        let layout = layout(Size { cols: 80, rows: 24 }, Pane::Logs, Zoom::Overview);
        assert_eq!(layout.overlay(200, 200), layout.main);
        assert_eq!(layout.overlay(40, 6).width, 40);
    }
}
