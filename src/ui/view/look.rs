//! How things are told on this screen: theme, signs and times. Every text that others wrote passes `span` on its way.

use std::borrow::Cow;

use jiff::Timestamp;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::domain::observation::sanitise;
use crate::ui::format::{self, Zone};
use crate::ui::model::{ClockStyle, Glyphs, Ui};
use crate::ui::theme::{Role, Theme};

/// Theme, signs, zone and the present.
#[derive(Clone, Debug)]
pub struct Look {
    /// Roles to styles.
    pub theme: Theme,
    /// Which characters may be used.
    pub glyphs: Glyphs,
    /// How instants are told.
    pub zone: Zone,
    /// Incident time.
    pub now: Timestamp,
}

impl Look {
    /// The look that a person chose.
    pub fn of(ui: &Ui, now: Timestamp) -> Self {
        let zone = match ui.clock {
            ClockStyle::Utc => Zone::Utc,
            ClockStyle::Local => Zone::Local(ui.options.zone.clone()),
            ClockStyle::Relative => Zone::Relative,
        };
        let theme = Theme { name: ui.options.theme, colours: ui.options.colours };
        Self { theme, glyphs: ui.options.glyphs, zone, now }
    }

    /// A role's style.
    pub fn style(&self, role: Role) -> Style {
        self.theme.style(role)
    }

    /// A text in a role, with every character that could drive a terminal made visible.
    pub fn span<'t>(&self, role: Role, text: impl Into<Cow<'t, str>>) -> Span<'t> {
        Span::styled(safe(text.into()), self.style(role))
    }

    /// A line of texts with their roles.
    pub fn line<'t, const N: usize>(&self, parts: [(Role, Cow<'t, str>); N]) -> Line<'t> {
        parts.into_iter().map(|(role, text)| self.span(role, text)).collect()
    }

    /// One of two spellings of a sign.
    pub fn sign(&self, unicode: &'static str, ascii: &'static str) -> &'static str {
        self.glyphs.pick(unicode, ascii)
    }

    /// The time of day.
    pub fn clock(&self, at: Timestamp) -> String {
        format::clock(at, &self.zone, self.now)
    }

    /// The time of day with milliseconds.
    pub fn stamp(&self, at: Timestamp) -> String {
        format::stamp(at, &self.zone, self.now)
    }

    /// How long ago, to the second.
    pub fn age(&self, at: Timestamp) -> String {
        format::span(format::seconds_since(self.now, at))
    }

    /// How long ago, in the largest unit.
    pub fn coarse_age(&self, at: Timestamp) -> String {
        format::coarse(format::seconds_since(self.now, at))
    }
}

/// A text without characters that could drive a terminal. Domain has cleaned it once; the screen trusts nobody.
pub fn safe(text: Cow<'_, str>) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => sanitise::line(text),
        Cow::Owned(text) => match sanitise::line(&text) {
            Cow::Borrowed(clean) if clean.len() == text.len() => Cow::Owned(text),
            clean => Cow::Owned(clean.into_owned()),
        },
    }
}
