//! Hyperlinks (OSC 8): which cells lead where, and the words that tell a terminal. Of the same address several stretches are
//! one link, so that pointing at one of them marks all.

use std::io::Write as _;

use ratatui::Frame;
use ratatui::buffer::CellDiffOption;
use ratatui::layout::{Position, Rect};

use crate::ui::view::Link;

/// The longest address: terminals take no longer one.
const LONGEST: usize = 2_083;

/// The links of a screen, as far as the terminal has been told.
#[derive(Debug, Default)]
pub(super) struct Links {
    now: Vec<Link>,
    /// Where a cell has to be written again although nothing of it is seen to change: it leads elsewhere now.
    moved: Vec<Rect>,
    open: Option<usize>,
}

impl Links {
    /// From the next frame on these cells lead there, and no others anywhere.
    pub(super) fn set(&mut self, mut links: Vec<Link>) {
        links.retain(|link| is_address(&link.url));
        if links == self.now {
            return;
        }
        let gone = self.now.iter().filter(|link| !links.contains(link));
        let new = links.iter().filter(|link| !self.now.contains(link));
        self.moved.extend(gone.chain(new).map(|link| link.area));
        self.now = links;
    }

    /// Takes what has to be written again.
    pub(super) fn moved(&mut self) -> Vec<Rect> {
        std::mem::take(&mut self.moved)
    }

    /// Before a cell is drawn: what is written now belongs to its link, or to none.
    pub(super) fn come_to(&mut self, out: &mut Vec<u8>, at: Position) {
        let here = self.now.iter().position(|link| link.area.contains(at));
        if here == self.open {
            return;
        }
        self.open = here;
        match here.and_then(|at| self.now.get(at)) {
            // Writing into memory cannot fail.
            Some(Link { url, number, .. }) => drop(write!(out, "\x1b]8;id={number};{url}\x1b\\")),
            None => out.extend(CLOSE),
        }
    }

    /// At the end of a frame: what is written next belongs to no link.
    pub(super) fn leave(&mut self, out: &mut Vec<u8>) {
        if self.open.take().is_some() {
            out.extend(CLOSE);
        }
    }
}

const CLOSE: &[u8] = b"\x1b]8;;\x1b\\";

/// Lets cells be written whether or not they seem to change.
pub(super) fn write_again(frame: &mut Frame<'_>, moved: &[Rect]) {
    let area = frame.area();
    let buffer = frame.buffer_mut();
    for position in moved.iter().flat_map(|rect| rect.intersection(area).positions()) {
        buffer[position].set_diff_option(CellDiffOption::AlwaysUpdate);
    }
}

/// Whether an address can be told to a terminal as it stands: the web's, and nothing in it that a terminal acts on.
fn is_address(url: &str) -> bool {
    let of_the_web = ["https://", "http://"].iter().any(|scheme| url.starts_with(scheme));
    of_the_web && url.len() <= LONGEST && url.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(x: u16, y: u16, width: u16, url: &str, number: usize) -> Link {
        Link { area: Rect { x, y, width, height: 1 }, url: url.to_owned(), number }
    }

    fn text(out: Vec<u8>) -> String {
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn cells_are_told_their_address_once_and_the_frame_ends_without_one() {
        let mut links = Links::default();
        links.set(vec![link(2, 0, 2, "https://a.example/x", 0), link(2, 1, 3, "https://b.example/", 1)]);
        let mut out = Vec::new();
        for (x, y) in [(1, 0), (2, 0), (3, 0), (4, 0), (2, 1), (3, 1)] {
            links.come_to(&mut out, Position { x, y });
        }
        links.leave(&mut out);
        links.leave(&mut out);
        let (a, b) = ("\x1b]8;id=0;https://a.example/x\x1b\\", "\x1b]8;id=1;https://b.example/\x1b\\");
        assert_eq!(text(out), format!("{a}\x1b]8;;\x1b\\{b}\x1b]8;;\x1b\\"));
    }

    #[test]
    fn what_leads_elsewhere_now_is_written_again_and_nothing_else() {
        let (one, other) = (link(2, 0, 2, "https://a.example/", 0), link(2, 1, 3, "https://b.example/", 1));
        let mut links = Links::default();
        links.set(vec![one.clone(), other.clone()]);
        assert_eq!(links.moved(), [one.area, other.area]);
        links.set(vec![one.clone(), other.clone()]);
        assert!(links.moved().is_empty());
        links.set(vec![one.clone(), link(2, 1, 3, "https://c.example/", 1)]);
        assert_eq!(links.moved(), [other.area, other.area]);
        links.set(Vec::new());
        assert_eq!(links.moved().len(), 2);
    }

    #[test]
    fn an_address_that_could_drive_a_terminal_is_none() {
        let mut links = Links::default();
        for url in
            ["https://a.example/\x1b[2J", "https://a.example/\u{9c}", "https://a b", "javascript:x", "file:///etc"]
        {
            links.set(vec![link(0, 0, 4, url, 0)]);
            let mut out = Vec::new();
            links.come_to(&mut out, Position { x: 0, y: 0 });
            assert_eq!(text(out), "", "{url:?}");
        }
        links.set(vec![link(0, 0, 4, &format!("https://{}", "a".repeat(LONGEST)), 0)]);
        assert!(links.moved().is_empty());
    }
}
