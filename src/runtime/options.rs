//! What configuration settles about the screen, in the screen's own words.

mod own_keys;

use std::sync::Arc;

use ratatui::style::Color;

use crate::config::{self, Config, EnvironmentColour, NamedColour, RehearsalColour, RoleColours};
use crate::domain::fault::Fault;
use crate::ui::keymap::Keymap;
use crate::ui::layout::Shares;
use crate::ui::model::{Colours, Glyphs, Markers, ThemeName, UiOptions};
use crate::ui::theme::{OwnColours, Role};

/// Whether the cockpit could open with this configuration.
pub fn check_screen(config: &Config) -> Result<(), Fault> {
    options(config).map(drop)
}

/// What configuration settles about the screen. A key that cannot be moved is a fault before the terminal is taken.
pub fn options(config: &Config) -> Result<UiOptions, Fault> {
    let changes = config.keys.iter().map(|(id, own)| (id.as_str(), own.keys.clone()));
    let keymap =
        Keymap::with(changes).map_err(|fault| own_keys::unusable(&config.paths.config, &config.keys, &fault))?;
    let colours = &config.environments.colours;
    let environments = colours.iter().map(|(word, colour)| (word.clone(), role(*colour))).collect();
    let panes = config.panes;
    Ok(UiOptions {
        theme: match config.screen.theme {
            config::Theme::Default | config::Theme::Mono => ThemeName::Dark,
            config::Theme::HighContrast => ThemeName::HighContrast,
            config::Theme::Light => ThemeName::Light,
        },
        colours: match config.screen.colours {
            config::Colours::Full => Colours::Full,
            config::Colours::Mono => Colours::Mono,
        },
        own: OwnColours::of(|role| own(role, &config.roles)),
        glyphs: match config.screen.glyphs {
            config::Glyphs::Unicode => Glyphs::Unicode,
            config::Glyphs::Ascii => Glyphs::Ascii,
        },
        markers: match config.screen.markers {
            config::Markers::Braille => Markers::Braille,
            config::Markers::Block => Markers::Block,
            config::Markers::Dot => Markers::Dot,
            config::Markers::Ascii => Markers::Ascii,
        },
        environments: Arc::new(environments),
        shares: Shares { left: panes.left, alarms: panes.alarms, metrics: panes.metrics, band: panes.band },
        zone: config.zone.clone(),
        keymap,
    })
}

fn role(colour: EnvironmentColour) -> Role {
    match colour {
        EnvironmentColour::Loud => Role::Production,
        EnvironmentColour::Red => Role::Danger,
        EnvironmentColour::Yellow => Role::Warning,
        EnvironmentColour::Green => Role::Good,
        EnvironmentColour::Blue => Role::Environment,
        EnvironmentColour::Cyan => Role::Accent,
    }
}

/// What the file says of a role.
fn own(role: Role, of: &RoleColours) -> Option<Color> {
    let named = match role {
        Role::Text => of.text,
        Role::Faint => of.faint,
        Role::Strong => of.strong,
        Role::Title => of.title,
        Role::Focus => of.focus,
        Role::Rule => of.rule,
        Role::Good => of.good,
        Role::Warning => of.warning,
        Role::Danger => of.danger,
        Role::Accent => of.accent,
        Role::Model => of.model,
        Role::Production => of.production,
        Role::Environment => of.environment,
        Role::Rehearsal => {
            return of.rehearsal.map(|colour| match colour {
                RehearsalColour::Magenta => Color::Magenta,
                RehearsalColour::LightMagenta => Color::LightMagenta,
            });
        }
        Role::Replay => of.replay,
        Role::Live => of.live,
        Role::DryRun => of.dry_run,
        Role::Armed => of.armed,
        Role::Stale => of.stale,
        Role::Selected => of.selected,
        Role::Match => of.found,
        Role::Curve => of.curve,
        Role::Threshold => of.threshold,
        Role::Deploy => of.deploy,
        Role::Kill => of.kill,
    };
    named.map(colour)
}

fn colour(name: NamedColour) -> Color {
    match name {
        NamedColour::Default => Color::Reset,
        NamedColour::Black => Color::Black,
        NamedColour::Red => Color::Red,
        NamedColour::Green => Color::Green,
        NamedColour::Yellow => Color::Yellow,
        NamedColour::Blue => Color::Blue,
        NamedColour::Cyan => Color::Cyan,
        NamedColour::Gray => Color::Gray,
        NamedColour::DarkGray => Color::DarkGray,
        NamedColour::LightRed => Color::LightRed,
        NamedColour::LightGreen => Color::LightGreen,
        NamedColour::LightYellow => Color::LightYellow,
        NamedColour::LightBlue => Color::LightBlue,
        NamedColour::LightCyan => Color::LightCyan,
        NamedColour::White => Color::White,
    }
}
