//! A page laid out for a width: rows of the screen, and the same rows as plain text.

use super::{Page, Row};
use crate::domain::observation::sanitise;
use crate::ui::format;
use crate::ui::theme::Role;

/// Columns of the word before a field, the blank after it included.
const WORD: usize = 12;

/// One row of the screen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Laid {
    /// Its parts.
    pub parts: Vec<(Role, String)>,
    /// Which address it is, in their order.
    pub link: Option<usize>,
    /// Which row of the chart it is.
    pub plot: Option<u16>,
}

impl Laid {
    fn of(parts: impl IntoIterator<Item = (Role, String)>) -> Self {
        Self { parts: parts.into_iter().collect(), link: None, plot: None }
    }

    /// The row's text.
    pub fn text(&self) -> String {
        self.parts.iter().map(|(_, text)| text.as_str()).collect()
    }
}

impl Page {
    /// The rows at a width, with so many for the chart.
    pub fn laid(&self, (columns, plot_rows): (usize, u16)) -> Vec<Laid> {
        let mut rows: Vec<Laid> = Vec::new();
        let mut links = 0;
        for row in &self.rows {
            match row {
                Row::Head(text) => {
                    if !rows.is_empty() {
                        rows.push(Laid::default());
                    }
                    rows.push(Laid::of([(Role::Title, clean(text))]));
                }
                Row::Field(word, role, text) => field(&mut rows, (word, *role, text), columns),
                Row::Text(role, text) => rows.extend(wrapped(text, columns).map(|part| Laid::of([(*role, part)]))),
                Row::Parts(parts) | Row::Legend(parts) => {
                    rows.push(Laid::of(parts.iter().map(|(role, text)| (*role, clean(text)))));
                }
                Row::Link(word, url) => {
                    let from = rows.len();
                    field(&mut rows, (word, Role::Accent, url), columns);
                    rows[from..].iter_mut().for_each(|row| row.link = Some(links));
                    links += 1;
                }
                Row::Plot => rows.extend((0..plot_rows).map(|row| Laid { plot: Some(row), ..Laid::default() })),
            }
        }
        rows
    }

    /// Everything as text, for the clipboard or a file. Nothing is wrapped: who pastes it has a width of their own.
    pub fn plain(&self) -> String {
        let rows = self.laid((usize::MAX, 0));
        rows.iter().map(|row| row.text().trim_end().to_owned() + "\n").collect()
    }
}

impl Page {
    /// Everything in words, a thing a line and each after its name: without its chart and the signs in it.
    pub fn words(&self) -> Vec<String> {
        let mut word_before = "";
        let mut lines = Vec::new();
        for row in &self.rows {
            let line = match row {
                Row::Head(text) => {
                    word_before = "";
                    format!("{text}:")
                }
                // A name that is left out is that of the row before.
                Row::Field(word, _, text) | Row::Link(word, text) => {
                    word_before = if word.is_empty() { word_before } else { word };
                    let lead = if word_before.is_empty() { String::new() } else { format!("{word_before}: ") };
                    lead + &format::flowing(text)
                }
                Row::Text(_, text) => {
                    word_before = "";
                    text.trim().to_owned()
                }
                Row::Parts(parts) => {
                    let words = parts.iter().flat_map(|(_, text)| text.split_whitespace());
                    words.collect::<Vec<&str>>().join(" ")
                }
                Row::Legend(_) | Row::Plot => continue,
            };
            lines.push(clean(&line));
        }
        lines
    }
}

fn clean(text: &str) -> String {
    sanitise::line(text).into_owned()
}

fn wrapped(text: &str, columns: usize) -> impl Iterator<Item = String> {
    let safe = sanitise::text(text).into_owned();
    let parts: Vec<String> = format::wrap(&safe, columns).into_iter().map(str::to_owned).collect();
    parts.into_iter()
}

fn field(rows: &mut Vec<Laid>, (word, role, text): (&str, Role, &str), columns: usize) {
    let room = columns.saturating_sub(WORD).max(8);
    for (at, part) in wrapped(text, room).enumerate() {
        let word = if at == 0 { word } else { "" };
        rows.push(Laid::of([(Role::Faint, format!("{word:<WORD$}")), (role, part)]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page() -> Page {
        let mut page = Page::default();
        page.field("reason", "one two three four five");
        page.head("LINKS");
        page.link("alarm", "https://console.example/a/very/long/address/that/breaks");
        page.link("runbook", "https://b.example");
        page
    }

    #[test]
    fn a_field_hangs_under_its_word_and_a_long_address_is_one_choice() {
        let rows = page().laid((22, 0));
        let texts: Vec<String> = rows.iter().map(Laid::text).collect();
        assert_eq!(texts[..3], ["reason      one two", "            three four", "            five"]);
        assert_eq!(texts[3..5], ["", "LINKS"]);
        let links: Vec<Option<usize>> = rows[5..].iter().map(|row| row.link).collect();
        assert!(links.len() > 3 && links[..links.len() - 2].iter().all(|link| *link == Some(0)), "{links:?}");
        assert_eq!(links.last(), Some(&Some(1)));
    }

    #[test]
    fn plain_text_is_not_wrapped_and_carries_no_control() {
        let mut page = page();
        page.text(Role::Text, "a\u{1b}[2Jb");
        let plain = page.plain();
        assert!(plain.contains("https://console.example/a/very/long/address/that/breaks\n"), "{plain}");
        assert!(!plain.contains('\u{1b}'));
    }
}
