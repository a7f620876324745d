//! The process's environment as values, read once. Everything else takes an [`Environment`], so that tests bring their own.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::IsTerminal as _;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use super::{Colours, Glyphs, Hyperlinks, Keyboard, Link, Multiplexer};

/// What standard output is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stream {
    /// A terminal.
    Terminal,
    /// A pipe, a file, or nothing.
    #[default]
    Other,
}

/// Variables and streams of a process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environment {
    vars: BTreeMap<String, String>,
    /// What standard output is.
    pub output: Stream,
    /// What standard input is.
    pub input: Stream,
}

/// Begins this program once more, in this very process, with these variables beside its own. Returns only if that fails.
pub fn begin_again<const N: usize>(vars: [(&str, &str); N]) -> std::io::Error {
    let own = match std::env::current_exe() {
        Ok(own) => own,
        Err(error) => return error,
    };
    let mut args = std::env::args_os();
    let mut again = Command::new(&own);
    again.arg0(args.next().unwrap_or_else(|| own.into_os_string())).args(args).envs(vars).exec()
}

fn readable(vars: impl Iterator<Item = (OsString, OsString)>) -> BTreeMap<String, String> {
    let text =
        |(key, value): (OsString, OsString)| Some((key.into_string().ok()?, value.to_string_lossy().into_owned()));
    vars.filter_map(text).collect()
}

impl Environment {
    /// The environment of this process. What of a value is not UTF-8 is replaced: a variable that restricts must not vanish, and
    /// a file that is named so is not there.
    pub fn of_process() -> Self {
        let stream = |is_terminal: bool| if is_terminal { Stream::Terminal } else { Stream::Other };
        Self {
            vars: readable(std::env::vars_os()),
            output: stream(std::io::stdout().is_terminal()),
            input: stream(std::io::stdin().is_terminal()),
        }
    }

    /// An environment of given variables, with pipes for streams.
    pub fn of<const N: usize>(vars: [(&str, &str); N]) -> Self {
        let vars = vars.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        Self { vars, ..Self::default() }
    }

    /// Sets a variable: for tests and for a rehearsal that runs the program again.
    pub fn set(&mut self, name: &str, value: &str) {
        self.vars.insert(name.to_owned(), value.to_owned());
    }

    /// A variable that is set and not empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.vars.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Whether any variable's name begins so and has a value.
    pub(super) fn any_with_prefix(&self, prefix: &str) -> bool {
        self.vars.iter().any(|(name, value)| name.starts_with(prefix) && !value.is_empty())
    }

    /// Mono when `NO_COLOR` is set to anything, or the terminal says it is dumb.
    pub(super) fn colours(&self) -> Colours {
        if self.get("NO_COLOR").is_some() || self.get("TERM") == Some("dumb") { Colours::Mono } else { Colours::Full }
    }

    /// ASCII unless the locale in force (`LC_ALL`, `LC_CTYPE`, `LANG`, in that order) names UTF-8.
    pub(super) fn glyphs(&self) -> Glyphs {
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(|name| self.get(name));
        let utf8 = locale.is_some_and(|locale| {
            let locale = locale.to_ascii_lowercase();
            locale.contains("utf-8") || locale.contains("utf8")
        });
        if utf8 { Glyphs::Unicode } else { Glyphs::Ascii }
    }

    /// `TZ` where it names a zone, else that of the system.
    pub(super) fn zone(&self) -> jiff::tz::TimeZone {
        let named = self.get("TZ").map(|name| name.trim_start_matches(':'));
        named.and_then(|name| jiff::tz::TimeZone::get(name).ok()).unwrap_or_else(jiff::tz::TimeZone::system)
    }

    pub(super) fn multiplexer(&self) -> Multiplexer {
        if self.get("TMUX").is_some() {
            Multiplexer::Tmux
        } else if self.get("STY").is_some() {
            Multiplexer::Screen
        } else {
            Multiplexer::None
        }
    }

    /// The kitty protocol is harmless where it is not known, but for a few old readers of escape sequences.
    pub(super) fn keyboard(&self) -> Keyboard {
        let term = self.get("TERM").unwrap_or_default();
        let old = ["linux", "dumb", "vt", "cons", "ansi", "screen"].into_iter().any(|start| term.starts_with(start));
        let multiplexed = self.multiplexer() == Multiplexer::Screen;
        let apple = self.get("TERM_PROGRAM") == Some("Apple_Terminal");
        // tmux calls itself screen in some set-ups, and knows what to ignore.
        let tmux = self.multiplexer() == Multiplexer::Tmux;
        if (old && !tmux) || multiplexed || apple { Keyboard::Legacy } else { Keyboard::Kitty }
    }

    /// Whether the terminal is one that is known to take hyperlinks, by what terminals say of themselves.
    pub(super) fn hyperlinks(&self) -> Hyperlinks {
        let (term, program) = (self.get("TERM").unwrap_or_default(), self.get("TERM_PROGRAM").unwrap_or_default());
        let since = |name: &str, least: u32| {
            self.get(name).and_then(|version| version.parse::<u32>().ok()).is_some_and(|version| version >= least)
        };
        let takes = match self.multiplexer() {
            Multiplexer::Screen => false,
            // It takes them since 3.4, and hands them on where its own terminal does. What that is it does not say.
            Multiplexer::Tmux => program == "tmux" && self.tmux_version() >= Some((3, 4)),
            Multiplexer::None => {
                ["iTerm.app", "WezTerm", "vscode", "ghostty", "rio", "mintty", "Hyper"].contains(&program)
                    || ["xterm-kitty", "xterm-ghostty", "alacritty", "foot", "wezterm", "contour"]
                        .iter()
                        .any(|start| term.starts_with(start))
                    // GNOME Terminal and its kin since 0.50, Konsole since 20.12, and Windows Terminal.
                    || since("VTE_VERSION", 5_000)
                    || since("KONSOLE_VERSION", 201_200)
                    || self.get("WT_SESSION").is_some()
            }
        };
        if takes { Hyperlinks::On } else { Hyperlinks::Off }
    }

    /// `3.4`, `3.3a`, `next-3.6`.
    fn tmux_version(&self) -> Option<(u32, u32)> {
        let version = self.get("TERM_PROGRAM_VERSION")?;
        let (major, minor) = version.rsplit('-').next()?.split_once('.')?;
        let digits = minor.find(|sign: char| !sign.is_ascii_digit()).unwrap_or(minor.len());
        Some((major.parse().ok()?, minor[..digits].parse().ok()?))
    }

    pub(super) fn link(&self) -> Link {
        let remote = ["SSH_CONNECTION", "SSH_TTY"].into_iter().any(|name| self.get(name).is_some());
        if remote { Link::Remote } else { Link::Local }
    }

    /// Whether `DRY_RUN` restricts the session. The environment can only restrict: `false`, `0`, `no` and `off` change
    /// nothing, and any other word restricts, because a word we cannot read must not leave a live session live.
    pub(super) fn restricts(&self) -> bool {
        self.get("DRY_RUN")
            .is_some_and(|word| !["false", "0", "no", "off"].contains(&word.trim().to_ascii_lowercase().as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_locale_decides_about_signs() {
        for (vars, expected) in [
            ([("LANG", "en_US.UTF-8"), ("LC_ALL", "")], Glyphs::Unicode),
            ([("LANG", "en_US.UTF-8"), ("LC_ALL", "C")], Glyphs::Ascii),
            ([("LANG", "de_DE"), ("LC_CTYPE", "C.utf8")], Glyphs::Unicode),
            ([("LANG", ""), ("LC_CTYPE", "")], Glyphs::Ascii),
        ] {
            assert_eq!(Environment::of(vars).glyphs(), expected, "{vars:?}");
        }
    }

    #[test]
    fn hyperlinks_are_for_terminals_that_are_known_to_take_them() {
        for (vars, expected) in [
            ([("TERM", "xterm-256color"), ("TERM_PROGRAM", ""), ("TERM_PROGRAM_VERSION", "")], Hyperlinks::Off),
            ([("TERM", "xterm-kitty"), ("TERM_PROGRAM", ""), ("TERM_PROGRAM_VERSION", "")], Hyperlinks::On),
            ([("TERM", "xterm-256color"), ("VTE_VERSION", "6003"), ("TERM_PROGRAM", "")], Hyperlinks::On),
            ([("TERM", "xterm-256color"), ("VTE_VERSION", "4205"), ("TERM_PROGRAM", "")], Hyperlinks::Off),
            ([("TERM", "xterm-256color"), ("TERM_PROGRAM", "WezTerm"), ("STY", "1.x")], Hyperlinks::Off),
            ([("TERM", "xterm-256color"), ("TERM_PROGRAM", "Apple_Terminal"), ("STY", "")], Hyperlinks::Off),
            ([("TMUX", "/x"), ("TERM_PROGRAM", "tmux"), ("TERM_PROGRAM_VERSION", "3.3a")], Hyperlinks::Off),
            ([("TMUX", "/x"), ("TERM_PROGRAM", "tmux"), ("TERM_PROGRAM_VERSION", "3.4")], Hyperlinks::On),
            ([("TMUX", "/x"), ("TERM_PROGRAM", "tmux"), ("TERM_PROGRAM_VERSION", "next-3.10")], Hyperlinks::On),
            ([("TMUX", "/x"), ("TERM", "xterm-kitty"), ("TERM_PROGRAM", "iTerm.app")], Hyperlinks::Off),
        ] {
            assert_eq!(Environment::of(vars).hyperlinks(), expected, "{vars:?}");
        }
    }

    #[test]
    fn dry_run_in_the_environment_only_restricts() {
        for (word, restricts) in
            [("true", true), ("1", true), ("yes", true), ("perhaps", true), ("false", false), ("0", false), ("", false)]
        {
            assert_eq!(Environment::of([("DRY_RUN", word)]).restricts(), restricts, "{word:?}");
        }
        assert!(!Environment::default().restricts());
    }

    #[test]
    fn a_value_that_is_not_utf8_is_there_all_the_same() {
        use std::os::unix::ffi::OsStringExt as _;

        let vars = [("DRY_RUN", vec![0xff]), ("PAGERDECK_POLICY", b"/etc/p\xff".to_vec())];
        let vars = vars.map(|(name, value)| (OsString::from(name), OsString::from_vec(value)));
        let env = Environment { vars: readable(vars.into_iter()), ..Environment::default() };
        assert_eq!((env.get("DRY_RUN"), env.get("PAGERDECK_POLICY")), (Some("\u{fffd}"), Some("/etc/p\u{fffd}")));
    }
}
