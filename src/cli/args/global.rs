//! The flags of every command as typed, and the words that they take.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::config::{AskedSurface, Colours, Flags, Glyphs, Link, Markers, OutputForm, Theme};
use crate::domain::remediation::request::Mode;

/// Flags of every command.
#[derive(Clone, Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is one flag as typed; `flags` turns them into words at once")]
pub(in crate::cli) struct GlobalArgs {
    /// Let approved steps run. Without it nothing but dry-runs is sent.
    #[arg(long, global = true)]
    pub(in crate::cli) live: bool,
    /// The configuration file. The policy is then the one beside it, unless `PAGERDECK_POLICY` names one.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The AWS profile.
    #[arg(long, global = true, value_name = "NAME")]
    profile: Option<String>,
    /// The AWS region.
    #[arg(long, global = true, value_name = "NAME")]
    region: Option<String>,
    /// The kubeconfig context.
    #[arg(long, global = true, value_name = "NAME")]
    context: Option<String>,
    /// A namespace to watch; may be given several times.
    #[arg(long, short = 'n', global = true, value_name = "NAME")]
    namespace: Vec<String>,
    /// No screen: stream the story, rehearse every step, approve none.
    #[arg(long, global = true)]
    pub(in crate::cli) headless: bool,
    /// The form of the story without a screen; implies --headless.
    #[arg(long, global = true, value_name = "FORM")]
    pub(in crate::cli) output: Option<FormWord>,
    /// The cockpit as lines, for screen readers: one line an event, commands as words.
    #[arg(long, global = true, conflicts_with_all = ["headless", "output"])]
    pub(in crate::cli) plain: bool,
    /// No colours: bold, reverse and underline only.
    #[arg(long, global = true)]
    mono: bool,
    /// ASCII signs only.
    #[arg(long, global = true)]
    ascii: bool,
    /// The colours of the screen.
    #[arg(long, global = true, value_name = "NAME")]
    theme: Option<ThemeWord>,
    /// What curves are drawn with.
    #[arg(long, global = true, value_name = "NAME")]
    markers: Option<MarkersWord>,
    /// Few frames, and at most 8 KiB a second to the terminal.
    #[arg(long, global = true)]
    slow_link: bool,
    /// Record the screen to a new file, as an asciicast; what is typed to confirm is not in it.
    #[arg(long, global = true, value_name = "FILE")]
    pub(in crate::cli) record: Option<PathBuf>,
    /// End a run without a screen after so many seconds of incident time.
    #[arg(long = "for", global = true, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..=86_400))]
    pub(in crate::cli) limit: Option<u32>,
}

impl GlobalArgs {
    /// As the configuration takes them.
    pub(in crate::cli) fn flags(&self) -> Flags {
        let surface = match (self.output, self.headless, self.plain) {
            (Some(word), ..) => AskedSurface::Headless(word.form()),
            (None, true, _) => AskedSurface::Headless(OutputForm::Text),
            (None, false, true) => AskedSurface::Plain,
            (None, false, false) => AskedSurface::Natural,
        };
        Flags {
            mode: if self.live { Mode::Live } else { Mode::DryRun },
            config: self.config.clone(),
            profile: self.profile.clone(),
            region: self.region.clone(),
            context: self.context.clone(),
            namespaces: self.namespace.clone(),
            surface,
            colours: self.mono.then_some(Colours::Mono),
            glyphs: self.ascii.then_some(Glyphs::Ascii),
            theme: self.theme.map(ThemeWord::theme),
            markers: self.markers.map(MarkersWord::markers),
            link: self.slow_link.then_some(Link::Slow),
            record: self.record.clone(),
            limit: self.limit.map(|seconds| jiff::SignedDuration::from_secs(i64::from(seconds))),
            ..Flags::default()
        }
    }
}

/// `--theme`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum ThemeWord {
    /// For dark and unknown backgrounds.
    Default,
    /// Stronger contrasts.
    HighContrast,
    /// For light backgrounds.
    Light,
    /// No colours.
    Mono,
}

impl ThemeWord {
    fn theme(self) -> Theme {
        match self {
            Self::Default => Theme::Default,
            Self::HighContrast => Theme::HighContrast,
            Self::Light => Theme::Light,
            Self::Mono => Theme::Mono,
        }
    }
}

/// `--markers`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum MarkersWord {
    /// Eight dots a cell.
    Braille,
    /// Filled columns.
    Block,
    /// A dot a column.
    Dot,
    /// A star a column.
    Ascii,
}

impl MarkersWord {
    fn markers(self) -> Markers {
        match self {
            Self::Braille => Markers::Braille,
            Self::Block => Markers::Block,
            Self::Dot => Markers::Dot,
            Self::Ascii => Markers::Ascii,
        }
    }
}

/// `--output`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum FormWord {
    /// Lines for a person.
    Text,
    /// One JSON object at the end.
    Json,
    /// One record a line.
    Jsonl,
    /// Markdown; for `eval` alone.
    Md,
}

impl FormWord {
    /// As it is typed.
    pub(in crate::cli) fn word(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
            Self::Jsonl => "jsonl",
            Self::Md => "md",
        }
    }

    pub(in crate::cli) fn form(self) -> OutputForm {
        match self {
            Self::Json => OutputForm::Json,
            Self::Jsonl => OutputForm::Jsonl,
            Self::Text | Self::Md => OutputForm::Text,
        }
    }
}
