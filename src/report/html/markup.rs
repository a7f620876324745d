//! Markup by construction: an element is closed where it was opened, and a text passes the last wash and is escaped.

use std::fmt::{self, Display, Write};

use super::super::clean;

/// A page under way. Names of elements and classes are words of the program; what others wrote is text alone.
pub(super) struct Page<'o> {
    out: &'o mut dyn Write,
}

impl<'o> Page<'o> {
    /// Writes to `out`.
    pub(super) fn new(out: &'o mut dyn Write) -> Self {
        Self { out }
    }

    /// What is markup already, word for word: the style sheet and elements without content.
    pub(super) fn raw(&mut self, markup: &'static str) -> fmt::Result {
        self.out.write_str(markup)
    }

    /// An element around what `inside` writes; an empty class is none.
    pub(super) fn block(
        &mut self,
        (tag, class): (&'static str, &'static str),
        inside: impl FnOnce(&mut Self) -> fmt::Result,
    ) -> fmt::Result {
        self.begin(tag, class)?;
        inside(self)?;
        writeln!(self.out, "</{tag}>")
    }

    /// An element with one line of text.
    pub(super) fn leaf(&mut self, (tag, class): (&'static str, &'static str), text: impl Display) -> fmt::Result {
        self.begin(tag, class)?;
        self.text(text)?;
        write!(self.out, "</{tag}>")
    }

    /// An element with a text whose line ends stay.
    pub(super) fn lines(&mut self, (tag, class): (&'static str, &'static str), text: &str) -> fmt::Result {
        self.begin(tag, class)?;
        self.out.write_str(&clean::html_text(text))?;
        writeln!(self.out, "</{tag}>")
    }

    /// Text alone.
    pub(super) fn text(&mut self, text: impl Display) -> fmt::Result {
        self.out.write_str(&clean::html(&text.to_string()))
    }

    /// A heading that the page can be sent to by `id`.
    pub(super) fn anchor(&mut self, tag: &'static str, id: impl Display, text: impl Display) -> fmt::Result {
        write!(self.out, "<{tag} id=\"{}\">{}</{tag}>", clean::html(&id.to_string()), clean::html(&text.to_string()))
    }

    /// A way to such a place on the same page.
    pub(super) fn link(&mut self, id: impl Display, text: impl Display) -> fmt::Result {
        write!(self.out, "<a href=\"#{}\">{}</a> ", clean::html(&id.to_string()), clean::html(&text.to_string()))
    }

    /// A table under its headings.
    pub(super) fn table(
        &mut self,
        headings: &[&'static str],
        rows: impl FnOnce(&mut Self) -> fmt::Result,
    ) -> fmt::Result {
        self.block(("table", ""), |page| {
            page.block(("thead", ""), |page| {
                page.block(("tr", ""), |page| headings.iter().try_for_each(|heading| page.leaf(("th", ""), heading)))
            })?;
            page.block(("tbody", ""), rows)
        })
    }

    /// A row of a table with a name and what it is.
    pub(super) fn pair(&mut self, name: &'static str, text: impl Display) -> fmt::Result {
        self.block(("tr", ""), |page| {
            page.leaf(("th", ""), name)?;
            page.leaf(("td", ""), text)
        })
    }

    /// An element of a drawing with numbers for attributes.
    pub(super) fn shape(&mut self, tag: &'static str, numbers: &[(&'static str, f64)]) -> fmt::Result {
        write!(self.out, "<{tag}")?;
        for (name, number) in numbers {
            write!(self.out, " {name}=\"{number:.1}\"")?;
        }
        self.out.write_str("/>")
    }

    /// A line through points.
    pub(super) fn polyline(&mut self, points: &[(f64, f64)]) -> fmt::Result {
        let points: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        write!(self.out, "<polyline points=\"{}\"/>", points.join(" "))
    }

    fn begin(&mut self, tag: &'static str, class: &'static str) -> fmt::Result {
        if class.is_empty() {
            return write!(self.out, "<{tag}>");
        }
        write!(self.out, "<{tag} class=\"{class}\">")
    }
}
