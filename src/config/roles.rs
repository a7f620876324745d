//! Colours of the person's own for what a text is on screen, laid over the chosen theme: the shape of `[theme.roles]`.

use serde::{Deserialize, Serialize};

/// A colour by its name in the terminal's palette of sixteen. The two magentas are not among them: they are the
/// rehearsal's, so that nothing is ever taken for one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NamedColour {
    /// What the terminal writes in.
    Default,
    /// 0
    Black,
    /// 1
    Red,
    /// 2
    Green,
    /// 3
    Yellow,
    /// 4
    Blue,
    /// 6
    Cyan,
    /// 7
    Gray,
    /// 8
    DarkGray,
    /// 9
    LightRed,
    /// 10
    LightGreen,
    /// 11
    LightYellow,
    /// 12
    LightBlue,
    /// 14
    LightCyan,
    /// 15
    White,
}

/// A colour that is the rehearsal's alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RehearsalColour {
    /// 5
    Magenta,
    /// 13
    LightMagenta,
}

/// The roles with a colour of their own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct RoleColours {
    /// Ordinary text.
    pub text: Option<NamedColour>,
    /// Ages, ids, hints.
    pub faint: Option<NamedColour>,
    /// What should be found first.
    pub strong: Option<NamedColour>,
    /// A pane's title.
    pub title: Option<NamedColour>,
    /// The title of the pane that has the keys.
    pub focus: Option<NamedColour>,
    /// Lines between panes.
    pub rule: Option<NamedColour>,
    /// Within bounds, open, passed.
    pub good: Option<NamedColour>,
    /// Look here.
    pub warning: Option<NamedColour>,
    /// Firing, failed, killed.
    pub danger: Option<NamedColour>,
    /// Evidence ids, jump keys.
    pub accent: Option<NamedColour>,
    /// Text the model wrote.
    pub model: Option<NamedColour>,
    /// The environment word of production.
    pub production: Option<NamedColour>,
    /// The environment word of anything else.
    pub environment: Option<NamedColour>,
    /// The word `REHEARSAL`.
    pub rehearsal: Option<RehearsalColour>,
    /// The word `REPLAY`.
    pub replay: Option<NamedColour>,
    /// `*** LIVE ***`.
    pub live: Option<NamedColour>,
    /// `DRY-RUN`.
    pub dry_run: Option<NamedColour>,
    /// An armed step.
    pub armed: Option<NamedColour>,
    /// Data that is no longer fed.
    pub stale: Option<NamedColour>,
    /// The selected row.
    pub selected: Option<NamedColour>,
    /// What a search found.
    #[serde(rename = "match")]
    pub found: Option<NamedColour>,
    /// A curve.
    pub curve: Option<NamedColour>,
    /// A threshold.
    pub threshold: Option<NamedColour>,
    /// The mark of a deploy.
    pub deploy: Option<NamedColour>,
    /// The mark of an OOM kill.
    pub kill: Option<NamedColour>,
}
