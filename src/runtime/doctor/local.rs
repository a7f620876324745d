//! What is checked without asking anybody: files, terminal, locale, Slack.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use super::Check;
use crate::config::{Colours, Config, Glyphs, Surface};
use crate::domain::count::counted;
use crate::domain::fault::{Fault, FaultKind};
use crate::journal::make_folder;
use crate::runtime::{check_screen, logbook};

pub(super) fn examine(config: &Config) -> Vec<Check> {
    vec![
        configuration(config),
        policy(config),
        state(&config.paths.sessions),
        log(config),
        terminal(config),
        slack(config),
    ]
}

fn configuration(config: &Config) -> Check {
    let path = config.paths.config.display();
    if let Err(fault) = check_screen(config) {
        return Check::missing("configuration", fault);
    }
    if config.paths.config.exists() {
        return Check::fine("configuration", format!("{path}, {}", counted(config.services.len(), "service")));
    }
    Check::fine("configuration", format!("there is no {path}; defaults are used and services are inferred"))
}

/// A file that others may write is no leave of its owner's.
fn policy(config: &Config) -> Check {
    let mode = |path: &Path| std::fs::metadata(path).map(|file| file.permissions().mode()).unwrap_or_default();
    let path = &config.paths.policy;
    if mode(path) & 0o022 != 0 {
        return Check::missing(
            "policy",
            Fault::new(FaultKind::Usage, format!("Others may write {}, and so give leave.", path.display()))
                .hint(format!("chmod go-w {}", path.display())),
        );
    }
    let text = match config.policy.live.len() {
        0 => "live is allowed nowhere".to_owned(),
        rules => format!("live is allowed by {}", counted(rules, "rule")),
    };
    Check::fine("policy", text)
}

/// Bytes that a journal takes soon: a full disk takes a file, and nothing that is in it.
const SOON: usize = 256 << 10;

/// Whether a journal could be written: the folder is made as a session would make it, and a file is tried in it.
fn state(sessions: &Path) -> Check {
    let tried = make_folder(sessions).and_then(|()| {
        let probe = sessions.join(".doctor");
        let written = write(&probe);
        // Whatever came of it, nothing stays.
        let removed = std::fs::remove_file(&probe);
        written.and(removed)
    });
    Check::of(
        "journals",
        tried.map(|()| sessions.display().to_string()).map_err(|error| {
            Fault::new(FaultKind::Storage, format!("No journal can be written in {}.", sessions.display()))
                .cause(format!("{error}."))
                .hint("Free space or fix the folder's mode, or set PAGERDECK_STATE; without a journal a session is read-only.")
        }),
    )
}

/// Whether what is told of the program itself would be kept.
fn log(config: &Config) -> Check {
    let path = &config.paths.log;
    Check::of("log", logbook::checked(path, &config.log_filter).map(|_| path.display().to_string()))
}

fn write(probe: &Path) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(probe)?;
    file.write_all(&vec![0; SOON])?;
    file.sync_all()
}

fn terminal(config: &Config) -> Check {
    let colours = match config.screen.colours {
        Colours::Full => "colours",
        Colours::Mono => "no colours",
    };
    let glyphs = match config.screen.glyphs {
        Glyphs::Unicode => "UTF-8",
        Glyphs::Ascii => "ASCII (the locale is not UTF-8; set LANG=C.UTF-8 for more)",
    };
    match config.surface {
        Surface::Screen | Surface::Plain => Check::fine("terminal", format!("{colours}, {glyphs}")),
        Surface::Headless(_) => Check::not_asked("terminal", "standard input or output is no terminal"),
    }
}

/// A post would be read by people, so the webhook is not tried.
fn slack(config: &Config) -> Check {
    match &config.slack {
        Some(_) => Check::fine("slack", "a webhook is configured (not tried)"),
        None => Check::not_asked("slack", "no webhook; set SLACK_WEBHOOK_URL to post reports"),
    }
}
