//! The last look at a frame: one cell, one character with its marks, and none that drives or hides.
//!
//! Letters that join (an Indic conjunct, the two letters of a flag) are one cluster to the buffer and several to most
//! terminals: what is written over the first of them would leave the others behind. And what somebody writes or pastes into
//! a text area has passed nobody yet.

use std::borrow::Cow;

use ratatui::buffer::Buffer;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use crate::domain::observation::sanitise;

/// Cleans every cell, and gives each character of a cluster the cells that it takes.
pub fn settle(buffer: &mut Buffer) {
    let width = usize::from(buffer.area.width).max(1);
    for at in 0..buffer.content.len() {
        let symbol = buffer.content[at].symbol();
        if symbol.is_ascii() || is_line_drawing(symbol) {
            continue;
        }
        if let Some(clean) = cleaned(symbol) {
            buffer.content[at].set_symbol(&clean);
        }
        split(buffer, at, width - at % width);
        make_room(buffer, at, width - at % width);
    }
}

/// Our own lines, bars and marks: most of what is beyond ASCII in a frame.
fn is_line_drawing(symbol: &str) -> bool {
    let mut letters = symbol.chars();
    matches!((letters.next(), letters.next()), (Some('\u{2190}'..='\u{2bff}'), None))
}

/// What is left of a symbol; `None` if all of it may stay.
fn cleaned(symbol: &str) -> Option<String> {
    let Cow::Owned(clean) = sanitise::line(symbol) else { return None };
    // An escape takes more cells than the character had.
    let fits = clean.width() <= symbol.width();
    Some(match (clean.is_empty(), fits) {
        (true, _) => " ".to_owned(),
        (false, true) => clean,
        (false, false) => "?".to_owned(),
    })
}

/// Gives the characters of a cell's cluster the cells that it takes. Where they take more (the buffer knows of Khmer
/// consonants that are written below each other, terminals do not), the last ones go: cells after them must not move.
fn split(buffer: &mut Buffer, at: usize, left: usize) {
    let symbol = buffer.content[at].symbol();
    let (parts, columns) = (parts(symbol), symbol.width().min(left));
    if parts.len() < 2 {
        return;
    }
    let style = buffer.content[at].style();
    let mut taken = 0;
    for (text, wide) in parts {
        if taken + wide > columns {
            return;
        }
        buffer.content[at + taken].reset();
        buffer.content[at + taken].set_symbol(&text).set_style(style);
        taken += wide;
    }
}

/// A wide character over whose second half something else was drawn gives way to it, as on a terminal: the buffer would
/// keep both, and show neither when the one before it changes.
fn make_room(buffer: &mut Buffer, at: usize, left: usize) {
    let wide = buffer.content[at].symbol().width();
    let is_whole = wide <= left && (1..wide).all(|next| buffer.content[at + next].symbol() == " ");
    if wide > 1 && !is_whole {
        buffer.content[at].set_symbol(" ");
    }
}

/// Each character that takes cells, with the marks on it, and how many it takes.
fn parts(symbol: &str) -> Vec<(String, usize)> {
    let mut parts: Vec<(String, usize)> = Vec::new();
    for letter in symbol.chars() {
        match (letter.width().unwrap_or(0), parts.last_mut()) {
            (0, Some((text, _))) => text.push(letter),
            (columns, _) => parts.push((letter.to_string(), columns)),
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use ratatui::layout::Rect;
    use ratatui::style::{Color, Style};

    use super::*;

    #[test]
    fn a_wide_character_gives_way_to_what_was_drawn_over_its_second_half() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 5, 1));
        buffer.set_string(0, 0, "日本", Style::new());
        buffer.content[3].set_symbol("…");
        buffer.content[4].set_symbol("語");
        settle(&mut buffer);
        let cells: Vec<&str> = buffer.content.iter().map(ratatui::buffer::Cell::symbol).collect();
        assert_eq!(cells, ["日", " ", " ", "…", " "]);
    }

    #[test]
    fn a_cluster_becomes_its_characters_and_a_mark_stays_on_its_base() {
        for (text, cells) in [
            ("\u{1f1e9}\u{1f1ea}x", ["\u{1f1e9}", "\u{1f1ea}", "x", " "]),
            ("\u{915}\u{94d}\u{937}x", ["\u{915}\u{94d}", "\u{937}", "x", " "]),
            ("e\u{301}日", ["e\u{301}", "日", " ", " "]),
            ("plain", ["p", "l", "a", "i"]),
            ("\u{1f44d}\u{1f3fd}x", ["\u{1f44d}", " ", "x", " "]),
            ("\u{26a0}\u{fe0f}x", ["\u{26a0}", " ", "x", " "]),
            ("ß│ßx", ["ß", "│", "ß", "x"]),
            ("\u{1781}\u{17d2}\u{1798}\u{17c2}", ["\u{1781}\u{17d2}", "\u{1798}", " ", " "]),
        ] {
            let mut buffer = Buffer::empty(Rect::new(0, 0, 4, 1));
            buffer.set_string(0, 0, text, Style::new().fg(Color::Red));
            settle(&mut buffer);
            assert_eq!(buffer.content.iter().map(ratatui::buffer::Cell::symbol).collect::<Vec<_>>(), cells);
            assert_eq!(buffer.content[0].fg, Color::Red, "{text}");
        }
    }
}
