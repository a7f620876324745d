//! How things are told on this screen: theme, signs and times. Every text that others wrote passes `span` on its way.

use std::borrow::Cow;

use jiff::{SignedDuration, Timestamp};
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};

use crate::domain::observation::sanitise;
use crate::domain::observation::scope::{Window, whole_minute};
use crate::ui::format::{self, Zone};
use crate::ui::model::moments;
use crate::ui::model::{ClockStyle, EnvironmentRoles, Glyphs, Markers, Pace, Showing, Typed, Ui};
use crate::ui::theme::{Role, Theme};

/// Theme, signs, zone and the present.
#[derive(Clone, Debug)]
pub struct Look {
    /// Roles to styles.
    pub theme: Theme,
    /// Which characters may be used.
    pub glyphs: Glyphs,
    /// What curves are drawn with.
    pub markers: Markers,
    /// How the words of environments are shown.
    pub environments: EnvironmentRoles,
    /// How instants are told.
    pub zone: Zone,
    /// Incident time.
    pub now: Timestamp,
    /// Whether what is shown goes on.
    pub showing: Showing,
    /// Whether ages and the clock are told by the second.
    pub pace: Pace,
    /// Whether what a person types is shown.
    pub typed: Typed,
}

impl Look {
    /// The look that a person chose.
    pub fn of(ui: &Ui, now: Timestamp) -> Self {
        let zone = match ui.clock {
            ClockStyle::Utc => Zone::Utc,
            ClockStyle::Local => Zone::Local(ui.options.zone.clone()),
            ClockStyle::Relative => Zone::Relative,
        };
        let options = &ui.options;
        let theme = Theme { name: options.theme, colours: options.colours, own: options.own };
        let environments = EnvironmentRoles::clone(&options.environments);
        let glyphs = options.glyphs;
        // Where signs beyond ASCII cannot be shown, a curve of them cannot either.
        let markers = if glyphs == Glyphs::Ascii { Markers::Ascii } else { options.markers };
        let (showing, pace, typed) = (ui.showing, ui.pace, ui.typed);
        Self { theme, glyphs, markers, environments, zone, now, showing, pace, typed }
    }

    /// A role's style.
    pub fn style(&self, role: Role) -> Style {
        self.theme.style(role)
    }

    /// A text in a role, with every character that could drive a terminal made visible.
    pub fn span<'t>(&self, role: Role, text: impl Into<Cow<'t, str>>) -> Span<'t> {
        Span::styled(safe(text.into()), self.style(role))
    }

    /// The name of the container at a place among those of its group.
    pub fn lane<'t>(&self, place: usize, name: impl Into<Cow<'t, str>>) -> Span<'t> {
        let (name, style) = (safe(name.into()), self.theme.lane(place));
        // Where a wide letter was, a line below it is not always taken away again. Names of pods have none.
        let is_narrow = name.chars().all(|letter| letter.is_ascii() || letter == '…');
        Span::styled(name, if is_narrow { style } else { style.remove_modifier(Modifier::UNDERLINED) })
    }

    /// A line of texts with their roles.
    pub fn line<'t, const N: usize>(&self, parts: [(Role, Cow<'t, str>); N]) -> Line<'t> {
        parts.into_iter().map(|(role, text)| self.span(role, text)).collect()
    }

    /// What a person typed, as far as this frame may show it: its length alone, where it is recorded.
    pub fn typed<'t>(&self, text: &'t str) -> Cow<'t, str> {
        match self.typed {
            Typed::Shown => Cow::Borrowed(text),
            Typed::Hidden => Cow::Owned("*".repeat(text.chars().count())),
        }
    }

    /// One of two spellings of a sign.
    pub fn sign(&self, unicode: &'static str, ascii: &'static str) -> &'static str {
        self.glyphs.pick(unicode, ascii)
    }

    /// The time of day.
    pub fn clock(&self, at: Timestamp) -> String {
        format::clock(at, &self.zone, self.told_now())
    }

    /// The time of day, with the date where it is another day's.
    pub fn instant(&self, at: Timestamp) -> String {
        match &self.zone {
            Zone::Relative => self.clock(at),
            zone if format::day(at, zone) == format::day(self.now, zone) => self.clock(at),
            zone => format!("{} {}", format::day(at, zone), self.clock(at)),
        }
    }

    /// The time of day with milliseconds.
    pub fn stamp(&self, at: Timestamp) -> String {
        format::stamp(at, &self.zone, self.told_now())
    }

    /// What stands once above stamps, which have no zone of their own: `, times CEST`.
    pub fn stamps_in(&self) -> String {
        format::zone_name(&self.zone, self.now).map_or_else(String::new, |name| format!(", times {name}"))
    }

    /// Date, time of day and age, for what is read at leisure.
    pub fn moment(&self, at: Timestamp) -> String {
        match &self.zone {
            Zone::Relative => format!("{} ago", self.age(at)),
            zone => format!("{} {}, {} ago", format::day(at, zone), self.clock(at), self.age(at)),
        }
    }

    /// How long ago: to the second, or on a quiet screen what it stays below for a while.
    pub fn age(&self, at: Timestamp) -> String {
        match self.pace {
            Pace::Lively => format::span(format::seconds_since(self.now, at)),
            Pace::Quiet => format::below(format::seconds_since(self.minute_end(), at)),
        }
    }

    /// How long ago, in the largest unit; on a quiet screen as any age.
    pub fn coarse_age(&self, at: Timestamp) -> String {
        match self.pace {
            Pace::Lively => format::coarse(format::seconds_since(self.now, at)),
            Pace::Quiet => self.age(at),
        }
    }

    /// How long until then, never more than there is.
    pub fn seconds_left(&self, until: Timestamp) -> i64 {
        let now = match self.pace {
            Pace::Lively => self.now,
            Pace::Quiet => self.minute_end(),
        };
        until.duration_since(now).as_secs()
    }

    /// So many seconds in the largest unit; on a quiet screen what they stay above for a while.
    pub fn left(&self, seconds: i64) -> String {
        match self.pace {
            Pace::Lively => format::coarse(seconds),
            Pace::Quiet => format::above(seconds),
        }
    }

    /// The wait until then; not told on a quiet screen, where it would be all that moves.
    pub fn wait(&self, until: Timestamp) -> String {
        match self.pace {
            Pace::Lively => format!(" in {}", format::wait(self.now, until)),
            Pace::Quiet => String::new(),
        }
    }

    /// The half hour that is drawn, to an instant by the clock of what is drawn: on a quiet screen with what comes next.
    pub fn half_hour(&self, now: Timestamp) -> Window {
        moments::drawn(moments::half_hour(now), (now, self.pace))
    }

    /// The present, where charts go on beyond it.
    pub fn present(&self) -> Option<Timestamp> {
        match self.pace {
            Pace::Lively => None,
            Pace::Quiet => Some(self.told_now()),
        }
    }

    /// Now as the clock in line 1 shows it.
    fn told_now(&self) -> Timestamp {
        match self.pace {
            Pace::Lively => self.now,
            Pace::Quiet => whole_minute(self.now),
        }
    }

    fn minute_end(&self) -> Timestamp {
        whole_minute(self.now) + SignedDuration::from_mins(1)
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
