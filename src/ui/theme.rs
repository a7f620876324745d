//! Roles mapped to the sixteen ANSI names, so that the person's own palette rules. Colour never carries a meaning
//! alone: every role that means something goes with a word or a sign, and has its own shape without colour.

use ratatui::style::{Color, Modifier, Style};

use super::model::{Colours, Glyphs, ThemeName};

impl Glyphs {
    /// One of two spellings of a sign.
    pub fn pick<'a>(self, unicode: &'a str, ascii: &'a str) -> &'a str {
        match self {
            Self::Unicode => unicode,
            Self::Ascii => ascii,
        }
    }
}

/// What a text is on screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Role {
    /// Ordinary text.
    #[default]
    Text,
    /// Text that may be overlooked: ages, ids, hints.
    Faint,
    /// Text that should be found first.
    Strong,
    /// A pane's title.
    Title,
    /// The title of the pane that has the keys.
    Focus,
    /// Lines between panes.
    Rule,
    /// Within bounds, open, passed.
    Good,
    /// Look here.
    Warning,
    /// Firing, failed, killed.
    Danger,
    /// A pointer: evidence ids, jump keys.
    Accent,
    /// Text the model wrote.
    Model,
    /// The environment word of production.
    Production,
    /// The environment word of anything else.
    Environment,
    /// The word `REHEARSAL`: a colour nothing else has.
    Rehearsal,
    /// The word `REPLAY`: what has been, and nothing that is.
    Replay,
    /// `*** LIVE ***`.
    Live,
    /// `DRY-RUN`.
    DryRun,
    /// An armed step.
    Armed,
    /// Data that is no longer fed.
    Stale,
    /// The selected row.
    Selected,
    /// What a search found.
    Match,
    /// A curve.
    Curve,
    /// A threshold.
    Threshold,
    /// The mark of a deploy.
    Deploy,
    /// The mark of an OOM kill.
    Kill,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 25] = [
        Self::Text,
        Self::Faint,
        Self::Strong,
        Self::Title,
        Self::Focus,
        Self::Rule,
        Self::Good,
        Self::Warning,
        Self::Danger,
        Self::Accent,
        Self::Model,
        Self::Production,
        Self::Environment,
        Self::Rehearsal,
        Self::Replay,
        Self::Live,
        Self::DryRun,
        Self::Armed,
        Self::Stale,
        Self::Selected,
        Self::Match,
        Self::Curve,
        Self::Threshold,
        Self::Deploy,
        Self::Kill,
    ];
}

/// Colours of the person's own, over those of the theme.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OwnColours([Option<Color>; Role::ALL.len()]);

impl OwnColours {
    /// What `own` says of each role; [`Color::Reset`] is the terminal's own colour.
    pub fn of(own: impl Fn(Role) -> Option<Color>) -> Self {
        Self(Role::ALL.map(own))
    }

    fn get(&self, role: Role) -> Option<Color> {
        self.0[role as usize]
    }
}

/// A palette as chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Theme {
    /// Which one.
    pub name: ThemeName,
    /// Whether it may use colours.
    pub colours: Colours,
    /// What the person wants otherwise.
    pub own: OwnColours,
}

impl Theme {
    /// How a role is drawn.
    pub fn style(&self, role: Role) -> Style {
        let shape = shape(role, self.colours);
        match self.colours {
            Colours::Mono => shape,
            Colours::Full => match self.own.get(role).unwrap_or_else(|| colour(role, self.name)) {
                Color::Reset => shape,
                colour => shape.fg(colour),
            },
        }
    }

    /// How the name of the container at a place is drawn: each colour by itself first, then in further shapes, then again.
    /// The name stands there: no look of it means anything.
    pub fn lane(&self, place: usize) -> Style {
        let mut colours: Vec<Option<Color>> = Vec::with_capacity(LANES.len());
        for role in LANES {
            let colour = self.style(role).fg;
            if !colours.contains(&colour) {
                colours.push(colour);
            }
        }
        let shape = SHAPES[place / colours.len() % SHAPES.len()];
        let style = Style::new().add_modifier(shape);
        colours[place % colours.len()].map_or(style, |colour| style.fg(colour))
    }
}

/// Whose colours tell containers apart: none that warns, none of what may be overlooked.
const LANES: [Role; 4] = [Role::Text, Role::Accent, Role::Model, Role::Good];
/// Their shapes, the plain one first.
const SHAPES: [Modifier; 4] =
    [Modifier::empty(), Modifier::UNDERLINED, Modifier::BOLD, Modifier::BOLD.union(Modifier::UNDERLINED)];

/// Bold, reverse and underline: all there is without colour, and part of the look with it.
fn shape(role: Role, colours: Colours) -> Style {
    let style = Style::new();
    let mono = colours == Colours::Mono;
    match role {
        Role::Text
        | Role::Faint
        | Role::Rule
        | Role::Curve
        | Role::Environment
        | Role::Good
        | Role::Model
        | Role::Stale => style,
        Role::Strong | Role::Title | Role::DryRun | Role::Deploy | Role::Danger | Role::Kill => {
            style.add_modifier(Modifier::BOLD)
        }
        Role::Production | Role::Live | Role::Armed | Role::Focus => {
            style.add_modifier(Modifier::BOLD | Modifier::REVERSED)
        }
        Role::Rehearsal | Role::Replay => style.add_modifier(Modifier::BOLD | Modifier::REVERSED | underline_if(mono)),
        Role::Selected => style.add_modifier(Modifier::REVERSED),
        Role::Match => style.add_modifier(Modifier::UNDERLINED | Modifier::BOLD),
        Role::Warning | Role::Threshold | Role::Accent => style.add_modifier(underline_if(mono)),
    }
}

fn underline_if(mono: bool) -> Modifier {
    if mono { Modifier::UNDERLINED } else { Modifier::empty() }
}

fn colour(role: Role, theme: ThemeName) -> Color {
    match theme {
        ThemeName::Dark => on_dark(role),
        ThemeName::Light => on_light(role),
        ThemeName::HighContrast => bright(role),
    }
}

fn on_dark(role: Role) -> Color {
    match role {
        Role::Text | Role::Strong | Role::Title | Role::Selected => Color::Reset,
        Role::Faint | Role::Rule | Role::Stale => Color::DarkGray,
        Role::Focus | Role::Accent | Role::Curve => Color::Cyan,
        Role::Good | Role::DryRun => Color::Green,
        Role::Warning | Role::Match | Role::Live => Color::Yellow,
        Role::Danger | Role::Threshold | Role::Kill | Role::Armed => Color::LightRed,
        Role::Production => Color::Red,
        Role::Environment | Role::Model | Role::Deploy => Color::LightBlue,
        Role::Rehearsal => Color::Magenta,
        Role::Replay => Color::LightCyan,
    }
}

fn on_light(role: Role) -> Color {
    match role {
        Role::Text | Role::Strong | Role::Title | Role::Selected => Color::Reset,
        Role::Faint | Role::Rule | Role::Stale => Color::DarkGray,
        Role::Focus | Role::Accent | Role::Curve | Role::Environment | Role::Model | Role::Deploy => Color::Blue,
        Role::Good | Role::DryRun => Color::Green,
        Role::Warning
        | Role::Match
        | Role::Danger
        | Role::Threshold
        | Role::Kill
        | Role::Live
        | Role::Armed
        | Role::Production => Color::Red,
        Role::Rehearsal => Color::Magenta,
        Role::Replay => Color::Cyan,
    }
}

fn bright(role: Role) -> Color {
    match role {
        Role::Text | Role::Strong | Role::Title | Role::Selected | Role::Faint | Role::Rule | Role::Stale => {
            Color::Reset
        }
        Role::Focus | Role::Accent | Role::Curve => Color::LightCyan,
        Role::Good | Role::DryRun => Color::LightGreen,
        Role::Warning | Role::Match | Role::Live => Color::LightYellow,
        Role::Danger | Role::Threshold | Role::Kill | Role::Armed | Role::Production => Color::LightRed,
        Role::Environment | Role::Model | Role::Deploy => Color::LightBlue,
        Role::Rehearsal => Color::LightMagenta,
        Role::Replay => Color::White,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_other_role_has_the_colour_of_a_rehearsal_or_of_a_replay() {
        for name in [ThemeName::Dark, ThemeName::Light, ThemeName::HighContrast] {
            let theme = Theme { name, ..Theme::default() };
            for alone in [Role::Rehearsal, Role::Replay] {
                let own = theme.style(alone).fg;
                assert!(own.is_some());
                let others = Role::ALL.into_iter().filter(|role| *role != alone);
                for role in others {
                    assert_ne!(theme.style(role).fg, own, "{name:?} {role:?}");
                }
            }
        }
    }

    #[test]
    fn a_colour_of_ones_own_is_that_of_its_role_alone_and_of_none_in_mono() {
        let own = OwnColours::of(|role| (role == Role::Danger).then_some(Color::LightYellow));
        let full = Theme { own, ..Theme::default() };
        for (at, role) in Role::ALL.into_iter().enumerate() {
            assert_eq!(role as usize, at, "{role:?}");
            let expected =
                if role == Role::Danger { Some(Color::LightYellow) } else { Theme::default().style(role).fg };
            assert_eq!(full.style(role).fg, expected, "{role:?}");
        }
        let mono = Theme { colours: Colours::Mono, ..full };
        assert_eq!(mono.style(Role::Danger).fg, None);
        let reset = Theme { own: OwnColours::of(|_| Some(Color::Reset)), ..Theme::default() };
        assert_eq!(reset.style(Role::Danger).fg, None, "the terminal's own colour is none");
    }

    #[test]
    fn six_containers_are_told_apart_in_every_theme_and_none_looks_faint_or_like_a_warning() {
        for name in [ThemeName::Dark, ThemeName::Light, ThemeName::HighContrast] {
            for (colours, least) in [(Colours::Full, 6), (Colours::Mono, 4)] {
                let theme = Theme { name, colours, own: OwnColours::default() };
                let looks: Vec<Style> = (0..least).map(|place| theme.lane(place)).collect();
                for (at, look) in looks.iter().enumerate() {
                    assert!(!looks[..at].contains(look), "{name:?} {colours:?} {at}");
                }
                let unlike = [Role::Warning, Role::Danger, Role::Kill, Role::Faint, Role::Rehearsal, Role::Replay];
                for role in unlike.into_iter().filter_map(|role| theme.style(role).fg) {
                    assert!((0..40).all(|place| theme.lane(place).fg != Some(role)), "{name:?} {role:?}");
                }
            }
        }
    }

    #[test]
    fn mono_sets_no_colour_and_keeps_the_words_that_matter_apart() {
        let mono = Theme { name: ThemeName::Light, colours: Colours::Mono, own: OwnColours::default() };
        for role in Role::ALL {
            let style = mono.style(role);
            assert_eq!((style.fg, style.bg), (None, None), "{role:?}");
        }
        assert_ne!(mono.style(Role::Rehearsal), mono.style(Role::Production));
        assert_ne!(mono.style(Role::Live), mono.style(Role::DryRun));
        assert_ne!(mono.style(Role::Danger), mono.style(Role::Warning));
    }
}
