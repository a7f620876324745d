//! What flags, environment and file settle about the screen: looks, sizes of panes, and when the person is called.

use serde::{Deserialize, Serialize};

use super::file::{ColoursWord, GlyphsWord, NotifyTable, PanesTable, ScreenTable};
use super::{Colours, Environment, Flags, Glyphs, Link, Screen};

/// How the word of an environment is shown. Magenta is not among them: it is the rehearsal's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EnvironmentColour {
    /// As production: reversed and red.
    Loud,
    /// Red.
    Red,
    /// Yellow.
    Yellow,
    /// Green.
    Green,
    /// Blue.
    Blue,
    /// Cyan.
    Cyan,
}

/// When somebody who is not looking is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Notices {
    /// A new alarm.
    pub alarm: Call,
    /// A diagnosis is ready.
    pub diagnosis: Call,
    /// A step waits.
    pub step: Call,
    /// A step or its verification failed.
    pub verification: Call,
    /// Credentials end soon.
    pub credentials: Call,
    /// By what.
    pub by: CallBy,
}

impl Default for Notices {
    fn default() -> Self {
        let call = Call::Unfocused;
        Self { alarm: call, diagnosis: call, step: call, verification: call, credentials: call, by: CallBy::Both }
    }
}

/// Whether a kind of news calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Call {
    /// While the window has lost the keyboard.
    #[default]
    Unfocused,
    /// Whoever looks.
    Always,
    /// Not at all.
    Never,
}

/// What calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CallBy {
    /// Bell and notification.
    #[default]
    Both,
    /// The bell alone.
    Bell,
    /// The notification (OSC 9) alone.
    Notification,
}

/// Sizes of panes on a wide screen, in percent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Panes {
    /// The left column's part of the width.
    pub left: u16,
    /// The alarms' part of the left column.
    pub alarms: u16,
    /// The metrics' part of the right column.
    pub metrics: u16,
    /// The part of the rows that remediation and timeline have while others are read.
    pub band: u16,
}

impl Default for Panes {
    fn default() -> Self {
        Self { left: 36, alarms: 40, metrics: 45, band: 25 }
    }
}

/// Colours for a background.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Theme {
    /// For dark and unknown backgrounds.
    #[default]
    Default,
    /// Stronger contrasts.
    HighContrast,
    /// For light backgrounds.
    Light,
    /// No colours: bold, reverse and underline.
    Mono,
}

/// What curves are drawn with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Markers {
    /// Eight dots a cell.
    #[default]
    Braille,
    /// Filled columns.
    Block,
    /// A dot a column.
    Dot,
    /// A star a column.
    Ascii,
}

/// Whether the keyboard may be asked to tell more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Keyboard {
    /// By the kitty protocol, of which other terminals take no notice.
    #[default]
    Kitty,
    /// Not at all.
    Legacy,
}

/// Whether addresses are told to the terminal as links (OSC 8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Hyperlinks {
    /// As links that it can open.
    On,
    /// As text alone.
    Off,
}

/// How the screen looks.
pub(super) fn resolve(flags: &Flags, env: &Environment, file: ScreenTable) -> Screen {
    let file_glyphs = file.glyphs.map(|word| match word {
        GlyphsWord::Unicode => Glyphs::Unicode,
        GlyphsWord::Ascii => Glyphs::Ascii,
    });
    let file_colours = file.colours.map(|word| match word {
        ColoursWord::Full => Colours::Full,
        ColoursWord::Mono => Colours::Mono,
    });
    let mono = |theme: Option<Theme>| (theme == Some(Theme::Mono)).then_some(Colours::Mono);
    let flag_colours = flags.colours.or(mono(flags.theme));
    // NO_COLOR is a wish of the person at this terminal, so it wins over a file.
    let env_colours = (env.colours() == Colours::Mono).then_some(Colours::Mono);
    let glyphs = flags.glyphs.or(file_glyphs).unwrap_or_else(|| env.glyphs());
    let markers = flags.markers.or(file.markers).unwrap_or_default();
    let link = flags.link.or(file.link).unwrap_or_else(|| env.link());
    // Where every byte counts, or nothing but plain signs is wanted, an address is its text.
    let bare = glyphs == Glyphs::Ascii || link == Link::Slow;
    Screen {
        colours: flag_colours.or(env_colours).or(file_colours).or(mono(file.theme)).unwrap_or(Colours::Full),
        theme: flags.theme.or(file.theme).unwrap_or_default(),
        glyphs,
        // Where signs beyond ASCII cannot be shown, a curve of them cannot either.
        markers: if glyphs == Glyphs::Ascii { Markers::Ascii } else { markers },
        keyboard: file.keyboard.unwrap_or_else(|| env.keyboard()),
        multiplexer: env.multiplexer(),
        link,
        hyperlinks: if bare { Hyperlinks::Off } else { file.hyperlinks.unwrap_or_else(|| env.hyperlinks()) },
    }
}

/// When the person is called: `when` for every kind of news that has no rule of its own.
pub(super) fn notices(file: NotifyTable) -> Notices {
    let when = |own: Option<Call>| own.or(file.when).unwrap_or_default();
    Notices {
        alarm: when(file.alarm),
        diagnosis: when(file.diagnosis),
        step: when(file.step),
        verification: when(file.verification),
        credentials: when(file.credentials),
        by: file.by.unwrap_or_default(),
    }
}

/// Sizes of panes, within bounds that were looked at before.
pub(super) fn panes(file: &PanesTable) -> Panes {
    let usual = Panes::default();
    let part = |given: Option<u32>, usual: u16| given.and_then(|part| u16::try_from(part).ok()).unwrap_or(usual);
    Panes {
        left: part(file.left, usual.left),
        alarms: part(file.alarms, usual.alarms),
        metrics: part(file.metrics, usual.metrics),
        band: part(file.band, usual.band),
    }
}
