//! The way through a few changed cells that costs the fewest bytes: what is of one ink is drawn together, wherever it is.

use ratatui::buffer::Cell;
use ratatui::layout::Position;

use super::encode::Pen;

/// Stretches up to which each is tried as the first. The search costs the third power of them.
const FEW_STRETCHES: usize = 16;

/// A cell and where it goes.
pub(super) type Placed<'a> = (u16, u16, &'a Cell);

/// The same cells in the order that a pen draws in the fewest bytes, as far as always taking the nearest stretch finds it,
/// whichever is drawn first. Neighbours in a row stay together, so that what is wide is drawn from its left.
pub(super) fn cheapest(cells: Vec<Placed<'_>>, pen: (Pen, u16)) -> Vec<Placed<'_>> {
    let stretches = stretches(cells);
    let starts = if stretches.len() <= FEW_STRETCHES { stretches.len() } else { 1 };
    let ways = (0..starts).map(|first| way(&stretches, first, pen));
    let best = ways.min_by_key(|(bytes, _)| *bytes).map_or_else(Vec::new, |(_, order)| order);
    best.into_iter().flat_map(|at| stretches[at].iter().copied()).collect()
}

/// The way that begins with one stretch and always takes the one that costs least: its bytes, and its order.
fn way(stretches: &[Vec<Placed<'_>>], first: usize, (mut pen, columns): (Pen, u16)) -> (usize, Vec<usize>) {
    let (mut waiting, mut order, mut bytes) = ((0..stretches.len()).collect::<Vec<_>>(), Vec::new(), 0);
    let mut scratch = Vec::new();
    let mut next = Some(first);
    while let Some(at) = next {
        scratch.clear();
        pen = drawn(&stretches[at], (pen, columns), &mut scratch);
        bytes += scratch.len();
        order.push(at);
        waiting.retain(|other| *other != at);
        next = waiting.iter().copied().min_by_key(|other| {
            scratch.clear();
            drawn(&stretches[*other], (pen, columns), &mut scratch);
            scratch.len()
        });
    }
    (bytes, order)
}

/// What stands side by side in a row, in the order of the rows.
fn stretches(cells: Vec<Placed<'_>>) -> Vec<Vec<Placed<'_>>> {
    let mut stretches: Vec<Vec<Placed<'_>>> = Vec::new();
    for cell in cells {
        match stretches.last_mut().filter(|stretch| stretch.last().is_some_and(|last| is_beside(last, &cell))) {
            Some(stretch) => stretch.push(cell),
            None => stretches.push(vec![cell]),
        }
    }
    stretches
}

/// Whether a cell follows another in its row: at once, or behind the second half of a wide one.
fn is_beside(last: &Placed<'_>, next: &Placed<'_>) -> bool {
    last.1 == next.1 && next.0 > last.0 && next.0 - last.0 <= 2
}

fn drawn(stretch: &[Placed<'_>], (mut pen, columns): (Pen, u16), out: &mut Vec<u8>) -> Pen {
    for (x, y, cell) in stretch {
        pen.draw(out, cell, (Position { x: *x, y: *y }, columns));
    }
    pen
}

#[cfg(test)]
mod tests {
    use ratatui::style::Color;

    use super::*;

    fn cell(symbol: &str, fg: Color) -> Cell {
        let mut cell = Cell::default();
        cell.set_symbol(symbol).set_fg(fg);
        cell
    }

    fn bytes(cells: &[Placed<'_>]) -> String {
        let mut out = Vec::new();
        drawn(cells, (Pen::default(), 80), &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_is_of_one_colour_is_drawn_together() {
        let (red, plain) = (cell("1", Color::Red), cell("2", Color::Reset));
        let cells = vec![(9, 1, &red), (9, 2, &plain), (9, 3, &red), (9, 4, &plain)];
        let ordered = cheapest(cells.clone(), (Pen::default(), 80));
        assert_eq!(bytes(&ordered), "\x1b[3;10H2\x1b[5;10H2\x1b[2;10H\x1b[31m1\x1b[4;10H1");
        assert!(bytes(&ordered).len() < bytes(&cells).len());
    }

    #[test]
    fn neighbours_stay_in_their_order_and_none_is_lost() {
        let (wide, letter, red) = (cell("日", Color::Reset), cell("a", Color::Reset), cell("b", Color::Red));
        let cells = vec![(0, 0, &red), (1, 0, &wide), (3, 0, &letter), (9, 0, &letter), (0, 1, &wide)];
        let mut ordered = cheapest(cells.clone(), (Pen::default(), 80));
        let places: Vec<(u16, u16)> = ordered.iter().map(|(x, y, _)| (*x, *y)).collect();
        let first = places.iter().position(|place| *place == (0, 0)).unwrap();
        assert_eq!(places[first..first + 3], [(0, 0), (1, 0), (3, 0)]);
        ordered.sort_by_key(|(x, y, _)| (*y, *x));
        assert_eq!(ordered, cells);
    }
}
