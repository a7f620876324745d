//! From cells to bytes: the whole grammar that the screen speaks, and as few bytes as it allows. What a cell holds is
//! printed only where it cannot drive a terminal.
//!
//! The pen keeps its colours between frames, so that a frame of two digits costs two digits and a move.

use std::io::Write as _;

use ratatui::buffer::Cell;
use ratatui::layout::Position;
use ratatui::style::{Color, Modifier};
use unicode_width::UnicodeWidthStr as _;

/// Modifiers with the parameters that turn them on and off. Bold and dim share their end.
const MODIFIERS: [(Modifier, &str, &str); 9] = [
    (Modifier::BOLD, "1", "22"),
    (Modifier::DIM, "2", "22"),
    (Modifier::ITALIC, "3", "23"),
    (Modifier::UNDERLINED, "4", "24"),
    (Modifier::SLOW_BLINK, "5", "25"),
    (Modifier::RAPID_BLINK, "6", "25"),
    (Modifier::REVERSED, "7", "27"),
    (Modifier::HIDDEN, "8", "28"),
    (Modifier::CROSSED_OUT, "9", "29"),
];

/// What a cell is drawn in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Ink {
    fg: Color,
    bg: Color,
    modifier: Modifier,
}

impl Ink {
    /// Whether something is seen where nothing is written in it.
    fn shows_blanks(self) -> bool {
        let marks = Modifier::UNDERLINED | Modifier::REVERSED | Modifier::CROSSED_OUT;
        self.bg != Color::Reset || self.modifier.intersects(marks)
    }
}

const PLAIN: Ink = Ink { fg: Color::Reset, bg: Color::Reset, modifier: Modifier::empty() };

/// Where the terminal's cursor is and what it draws in, as far as it has been told.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pen {
    at: Option<Position>,
    ink: Ink,
}

impl Default for Pen {
    fn default() -> Self {
        Self { at: None, ink: PLAIN }
    }
}

impl Pen {
    /// The cursor was moved by something else.
    pub(super) fn lose_place(&mut self) {
        self.at = None;
    }

    /// Goes back to plain ink, whatever the terminal was told before.
    pub(super) fn wipe(&mut self, out: &mut Vec<u8>) {
        *self = Self::default();
        out.extend(b"\x1b[m");
    }

    /// Draws a cell of a screen with so many columns.
    pub(super) fn draw(&mut self, out: &mut Vec<u8>, cell: &Cell, (at, columns): (Position, u16)) {
        self.go(out, at);
        let symbol = printable(cell.symbol());
        let ink = Ink { fg: cell.fg, bg: cell.bg, modifier: cell.modifier };
        // Nobody sees what colour a blank is written in.
        if symbol != " " || ink.shows_blanks() || self.ink.shows_blanks() {
            self.dip(out, ink);
        }
        out.extend(symbol.as_bytes());
        let wide = symbol.width() as u16;
        // At the right edge terminals differ in where the cursor is, and in the width of what is no single letter.
        let sure = wide == 1 && symbol.chars().count() == 1 && at.x + 1 < columns;
        self.at = sure.then_some(Position { x: at.x + 1, y: at.y });
    }

    fn go(&mut self, out: &mut Vec<u8>, to: Position) {
        match self.at {
            Some(here) if here == to => {}
            Some(here) if here.y == to.y && here.x < to.x => match to.x - here.x {
                1 => put(out, format_args!("\x1b[C")),
                right => put(out, format_args!("\x1b[{right}C")),
            },
            _ => put(out, format_args!("\x1b[{};{}H", to.y + 1, to.x + 1)),
        }
        self.at = Some(to);
    }

    fn dip(&mut self, out: &mut Vec<u8>, ink: Ink) {
        if self.ink == ink {
            return;
        }
        let before = std::mem::replace(&mut self.ink, ink);
        if ink == PLAIN {
            out.extend(b"\x1b[m");
            return;
        }
        let (changed, anew) = (change(before, ink), change(PLAIN, ink));
        let text = if anew.len() + 2 < changed.len() { format!("0;{anew}") } else { changed };
        put(out, format_args!("\x1b[{text}m"));
    }
}

/// The parameters that lead from one ink to another.
fn change(from: Ink, to: Ink) -> String {
    let mut parameters: Vec<String> = Vec::new();
    let gone = from.modifier - to.modifier;
    let mut off: Vec<&str> =
        MODIFIERS.iter().filter(|(modifier, ..)| gone.contains(*modifier)).map(|(.., off)| *off).collect();
    off.dedup();
    parameters.extend(off.iter().map(|off| (*off).to_owned()));
    // What shared its end with a modifier that is gone ended with it.
    let ended = |(modifier, _, own): &(Modifier, &str, &str)| from.modifier.contains(*modifier) && off.contains(own);
    let on =
        MODIFIERS.iter().filter(|row| to.modifier.contains(row.0) && (!from.modifier.contains(row.0) || ended(row)));
    parameters.extend(on.map(|(_, on, _)| (*on).to_owned()));
    parameters.extend((from.fg != to.fg).then(|| colour(to.fg, Ground::Fore)));
    parameters.extend((from.bg != to.bg).then(|| colour(to.bg, Ground::Back)));
    parameters.join(";")
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Ground {
    Fore,
    Back,
}

/// The sixteen names by their own numbers, so that the oldest terminals know them.
fn colour(colour: Color, ground: Ground) -> String {
    let (normal, bright) = if ground == Ground::Fore { (30, 90) } else { (40, 100) };
    let number = match colour {
        Color::Reset => normal + 9,
        Color::Black => normal,
        Color::Red => normal + 1,
        Color::Green => normal + 2,
        Color::Yellow => normal + 3,
        Color::Blue => normal + 4,
        Color::Magenta => normal + 5,
        Color::Cyan => normal + 6,
        Color::Gray => normal + 7,
        Color::DarkGray => bright,
        Color::LightRed => bright + 1,
        Color::LightGreen => bright + 2,
        Color::LightYellow => bright + 3,
        Color::LightBlue => bright + 4,
        Color::LightMagenta => bright + 5,
        Color::LightCyan => bright + 6,
        Color::White => bright + 7,
        Color::Indexed(index) => return format!("{};5;{index}", normal + 8),
        Color::Rgb(red, green, blue) => return format!("{};2;{red};{green};{blue}", normal + 8),
    };
    number.to_string()
}

/// The last door: nothing that could drive a terminal passes, whoever drew it.
fn printable(symbol: &str) -> &str {
    if symbol.is_empty() {
        " "
    } else if symbol.chars().any(char::is_control) {
        "?"
    } else {
        symbol
    }
}

fn put(out: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    // Writing into memory cannot fail.
    let _ = out.write_fmt(text);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cell(symbol: &str, fg: Color, modifier: Modifier) -> Cell {
        let mut cell = Cell::default();
        cell.set_symbol(symbol);
        cell.fg = fg;
        cell.modifier = modifier;
        cell
    }

    fn text(out: Vec<u8>) -> String {
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn neighbours_cost_their_letters_alone_and_gaps_a_short_move() {
        let (mut pen, mut out) = (Pen::default(), Vec::new());
        let plain = |symbol| cell(symbol, Color::Reset, Modifier::empty());
        for (symbol, x) in [("a", 4), ("b", 5), ("c", 7), ("d", 11)] {
            pen.draw(&mut out, &plain(symbol), (Position { x, y: 2 }, 80));
        }
        pen.draw(&mut out, &plain("e"), (Position { x: 0, y: 3 }, 80));
        assert_eq!(text(out), "\x1b[3;5Hab\x1b[Cc\x1b[3Cd\x1b[4;1He");
    }

    #[test]
    fn ink_is_changed_by_what_differs_and_stays_for_the_next_frame() {
        let (mut pen, mut out) = (Pen::default(), Vec::new());
        let mut draw = |pen: &mut Pen, x, fg, modifier| {
            out.clear();
            pen.draw(&mut out, &cell("x", fg, modifier), (Position { x, y: 0 }, 80));
            text(out.clone())
        };
        assert_eq!(draw(&mut pen, 0, Color::Green, Modifier::BOLD), "\x1b[1;1H\x1b[1;32mx");
        assert_eq!(draw(&mut pen, 1, Color::Green, Modifier::BOLD), "x");
        assert_eq!(draw(&mut pen, 2, Color::LightRed, Modifier::BOLD | Modifier::REVERSED), "\x1b[7;91mx");
        assert_eq!(draw(&mut pen, 3, Color::LightRed, Modifier::DIM), "\x1b[0;2;91mx");
        assert_eq!(draw(&mut pen, 4, Color::Reset, Modifier::empty()), "\x1b[mx");
    }

    #[test]
    fn nothing_that_drives_a_terminal_is_printed() {
        let (mut pen, mut out) = (Pen::default(), Vec::new());
        for (x, symbol) in ["\x1b", "\u{9b}", "\x07", "a\x1b[2J", "\n"].into_iter().enumerate() {
            let at = Position { x: x as u16, y: 0 };
            pen.draw(&mut out, &cell(symbol, Color::Reset, Modifier::empty()), (at, 80));
        }
        assert_eq!(text(out), "\x1b[1;1H?????");
    }

    fn any_cell() -> impl Strategy<Value = (u16, u16, Cell)> {
        let colours = [Color::Reset, Color::Red, Color::LightBlue, Color::DarkGray, Color::Indexed(200)];
        let symbols = ["a", "─", "⣀", "日", "e\u{301}", " "];
        let shapes = prop::bits::u16::masked(Modifier::all().bits());
        (0..20_u16, 0..6_u16, 0..colours.len(), 0..colours.len(), 0..symbols.len(), shapes).prop_map(
            move |(x, y, fg, bg, symbol, modifier)| {
                let mut shape = Modifier::from_bits_truncate(modifier);
                if shape.contains(Modifier::BOLD) {
                    // The terminal of the tests knows one of the two at a time.
                    shape.remove(Modifier::DIM);
                }
                let mut cell = cell(symbols[symbol], colours[fg], shape);
                cell.bg = colours[bg];
                (x, y, cell)
            },
        )
    }

    /// What a person sees of a cell: of a blank that nothing marks, no colour.
    fn seen(screen: &vt100::Screen, (y, x): (u16, u16)) -> (String, Option<vt100::Color>, vt100::Color, [bool; 5]) {
        let cell = screen.cell(y, x).unwrap();
        let marks = [cell.bold(), cell.dim(), cell.italic(), cell.underline(), cell.inverse()];
        match cell.contents() {
            "" | " " if !cell.inverse() && !cell.underline() => (" ".to_owned(), None, cell.bgcolor(), [false; 5]),
            text => (text.to_owned(), Some(cell.fgcolor()), cell.bgcolor(), marks),
        }
    }

    proptest! {
        /// One pen that remembers draws the same screen as a fresh pen for each cell.
        #[test]
        fn what_is_remembered_never_shows(cells in prop::collection::vec(any_cell(), 1..80)) {
            let size = |n| std::num::NonZero::new(n).unwrap();
            let (mut kept, mut fresh) = (vt100::Parser::new(size(6), size(20), 0), vt100::Parser::new(size(6), size(20), 0));
            let mut pen = Pen::default();
            for (x, y, cell) in &cells {
                let at = Position { x: *x, y: *y };
                let mut out = Vec::new();
                pen.draw(&mut out, cell, (at, 20));
                kept.process(&out);
                let mut whole = b"\x1b[m".to_vec();
                Pen::default().draw(&mut whole, cell, (at, 20));
                fresh.process(&whole);
            }
            for (y, x) in (0..6).flat_map(|y| (0..20).map(move |x| (y, x))) {
                prop_assert_eq!(seen(kept.screen(), (y, x)), seen(fresh.screen(), (y, x)), "row {}, column {}", y, x);
            }
        }
    }
}
