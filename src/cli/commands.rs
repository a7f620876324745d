//! The commands that answer at once: lists, checks, exports, and what the shell wants to know.

use std::fmt::Write as _;
use std::path::Path;

use clap::CommandFactory as _;
use clap_complete::Shell;
use serde_json::{Value, json};

use super::args::{Cli, ConfigCommand, ExportArgs, ExportWord, FormWord, PolicyCommand, RehearseArgs};
use super::print;
use crate::config::{
    AskedSurface, Config, Environment, Flags, Named, OutputForm, Paths, World, read_policy, resolve, shown,
};
use crate::domain::count::counted;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::near::nearest;
use crate::domain::remediation::policy::Policy;
use crate::runtime::archive::{self, Kept};
use crate::runtime::doctor::Examination;
use crate::runtime::{self, Ending, catalogue};

impl From<&RehearseArgs> for catalogue::Asked {
    fn from(args: &RehearseArgs) -> Self {
        Self {
            scenario: args.scenario.clone(),
            speed: args.speed.clone(),
            seed: args.seed,
            operator: args.operator.clone(),
            faults: args.faults.clone(),
            tour: args.tour,
            attach: args.attach.clone(),
        }
    }
}

impl Default for RehearseArgs {
    /// As if nothing had been said.
    fn default() -> Self {
        Self {
            scenario: "oom-leak".to_owned(),
            list: false,
            speed: "1".to_owned(),
            seed: None,
            operator: None,
            faults: Vec::new(),
            tour: false,
            attach: None,
            check: None,
        }
    }
}

/// Whether the answer is for a program.
fn wants_json(flags: &Flags) -> bool {
    matches!(flags.surface, AskedSurface::Headless(OutputForm::Json | OutputForm::Jsonl))
}

/// Rows for a program: one array, or an object a line. `None` where they are for a person.
fn rows(form: Option<FormWord>, rows: &[Value]) -> Option<String> {
    match form {
        None | Some(FormWord::Text | FormWord::Md) => None,
        Some(FormWord::Json) => Some(json!(rows).to_string()),
        Some(FormWord::Jsonl) => Some(rows.iter().fold(String::new(), |mut lines, row| {
            let _ = writeln!(lines, "{row}");
            lines
        })),
    }
}

/// `rehearse --list`.
pub(super) fn scenarios(form: Option<FormWord>) -> Result<Ending, Fault> {
    let scenarios = catalogue::scenarios();
    let objects: Vec<Value> = scenarios
        .iter()
        .map(|entry| json!({ "name": entry.name, "title": entry.title, "teaches": entry.teaches }))
        .collect();
    if let Some(text) = rows(form, &objects) {
        return print::out(&text);
    }
    let mut text = String::new();
    let width = scenarios.iter().map(|entry| entry.name.len()).max().unwrap_or(0);
    for entry in &scenarios {
        let _ = writeln!(text, "{:width$}  {}\n{:width$}  {}", entry.name, entry.title, "", entry.teaches);
    }
    print::out(&text)
}

/// `rehearse --check`.
pub(super) fn check_scenario(path: &Path) -> Result<Ending, Fault> {
    let catalogue::Checked { name, missing } = catalogue::check(path)?;
    let mut text = format!("{}: {name} can be rehearsed.", path.display());
    for sentence in missing {
        let _ = write!(text, "\n  - {sentence}");
    }
    print::out(&text)
}

/// `sessions`.
pub(super) fn sessions(config: &Config, form: Option<FormWord>) -> Result<Ending, Fault> {
    let entries = archive::list(&config.paths.sessions)?;
    let objects: Vec<Value> = entries.iter().map(archive::Entry::object).collect();
    if let Some(text) = rows(form, &objects) {
        return print::out(&text);
    }
    if entries.is_empty() {
        return print::out(&format!("No session in {} yet.", config.paths.sessions.display()));
    }
    let mut text = String::new();
    for entry in &entries {
        let _ = writeln!(text, "{entry}");
    }
    print::out(&text)
}

/// `export`.
pub(super) fn export(config: &Config, args: &ExportArgs) -> Result<Ending, Fault> {
    let path = archive::locate(&config.paths.sessions, &args.session)?;
    let kept = Kept::read(&path)?;
    let text = match args.format {
        ExportWord::Md => kept.markdown(),
        ExportWord::Html => kept.html(),
        ExportWord::Json => kept.json(),
        ExportWord::Cast => runtime::film(&kept.records, config)?,
    };
    let written = match &args.out {
        None => print::out(&text)?,
        Some(out) => {
            archive::write_private(out, &text)?;
            print::out(&format!("Written to {}.", out.display()))?
        }
    };
    // What was written is not all there was.
    kept.flaw.map_or(Ok(written), Err)
}

/// `verify`: a broken chain is a fault, and so is one that does not go through the anchor, so that a script sees it.
pub(super) fn verify(config: &Config, session: &str, anchor: Option<&str>) -> Result<Ending, Fault> {
    let path = archive::locate(&config.paths.sessions, session)?;
    let kept = anchor.map(archive::anchor).transpose()?;
    let told = archive::verify(&path, kept)?;
    print::out(&told)
}

/// `config check`, `config show`, `config path`. Where a file lies is asked for above all when it cannot be read.
pub(super) fn config(command: ConfigCommand, flags: &Flags, env: &Environment) -> Result<Ending, Fault> {
    match command {
        ConfigCommand::Check => {
            let config = resolve(flags, env, World::Real)?;
            runtime::check_screen(&config)?;
            let place = config.paths.config.display();
            let services = counted(config.services.len(), "service");
            let keys = counted(config.keys.len(), "key");
            // A pipe is gone once it was read: that it is named says that it was there.
            let was_read = config.paths.config_named == Named::ByPerson || config.paths.config.is_file();
            print::out(&if was_read {
                format!("{place} is in order: {services}, {keys} of your own.")
            } else {
                format!("There is no {place}: the defaults are in force.")
            })
        }
        ConfigCommand::Show => {
            let config = resolve(flags, env, World::Real)?;
            let value = shown(&config);
            let text = if wants_json(flags) {
                serde_json::to_string_pretty(&value).ok()
            } else {
                let webhook = config.slack.map_or("", |_| "\n# A Slack webhook is set, and not shown.\n");
                toml::to_string(&value).ok().map(|text| format!("{text}{webhook}"))
            };
            print::out(&text.ok_or_else(|| Fault::new(FaultKind::Internal, "The configuration cannot be shown."))?)
        }
        ConfigCommand::Path => print::out(&places(flags, &Paths::resolve(flags.config.as_deref(), env)?)),
    }
}

fn places(flags: &Flags, paths: &Paths) -> String {
    let rows =
        [("config", &paths.config), ("policy", &paths.policy), ("sessions", &paths.sessions), ("log", &paths.log)];
    if wants_json(flags) {
        let object: serde_json::Map<_, _> = rows.iter().map(|(name, path)| ((*name).to_owned(), json!(path))).collect();
        return json!(object).to_string();
    }
    let lines: Vec<String> = rows.iter().map(|(name, path)| format!("{name:<9} {}", path.display())).collect();
    lines.join("\n")
}

/// `policy check`, `policy show`.
pub(super) fn policy(command: PolicyCommand, flags: &Flags, env: &Environment) -> Result<Ending, Fault> {
    let paths = Paths::resolve(flags.config.as_deref(), env)?;
    let read = read_policy(&paths)?;
    let place = paths.policy.display();
    match (command, read) {
        (PolicyCommand::Check, None) => {
            print::out(&format!("There is no {place}: the default policy is in force, which allows live nowhere."))
        }
        (PolicyCommand::Check, Some(policy)) => {
            print::out(&format!("{place} is in order: live is allowed by {}.", counted(policy.live.len(), "rule")))
        }
        (PolicyCommand::Show, read) => show_policy(&read.unwrap_or_default(), flags),
    }
}

fn show_policy(policy: &Policy, flags: &Flags) -> Result<Ending, Fault> {
    let shown =
        if wants_json(flags) { serde_json::to_string_pretty(policy).ok() } else { toml::to_string(policy).ok() };
    print::out(&shown.ok_or_else(|| Fault::new(FaultKind::Internal, "The policy cannot be shown."))?)
}

/// `doctor`: what is missing is told line by line, and is a fault in the end.
pub(super) fn told(examination: &Examination, form: Option<FormWord>) -> Result<Ending, Fault> {
    let text = match form {
        Some(FormWord::Json | FormWord::Jsonl) => examination.object().to_string(),
        None | Some(FormWord::Text | FormWord::Md) => examination.text(),
    };
    print::out(&text)?;
    match examination.missing() {
        0 => Ok(Ending::Done),
        missing => {
            Err(Fault::new(FaultKind::NotConfigured, format!("{missing} of the checks above found something missing."))
                .hint("Each says how to mend it; `pagerdeck rehearse` needs none of them."))
        }
    }
}

/// `completions`.
pub(super) fn completions(shell: Shell) -> Result<Ending, Fault> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "pagerdeck", &mut script);
    print::out(&String::from_utf8_lossy(&script))
}

/// `man`: the program's page, or that of one command.
pub(super) fn manual(command: Option<&str>) -> Result<Ending, Fault> {
    let mut whole = Cli::command();
    // With the flags that every command has.
    whole.build();
    let man = match command {
        None => clap_mangen::Man::new(whole),
        Some(name) => {
            let names: Vec<&str> = whole.get_subcommands().map(clap::Command::get_name).collect();
            let found = whole.find_subcommand(name).ok_or_else(|| {
                let hint = match nearest(name, &names) {
                    Some(near) => format!("Did you mean `{near}`?"),
                    None => format!("There are {}.", names.join(", ")),
                };
                Fault::new(FaultKind::Usage, format!("There is no command `{name}`.")).hint(hint)
            })?;
            clap_mangen::Man::new(found.clone()).title(format!("pagerdeck-{name}"))
        }
    };
    let mut page = Vec::new();
    man.render(&mut page).map_err(|error| {
        Fault::new(FaultKind::Internal, "The manual page cannot be written.").cause(format!("{error}."))
    })?;
    print::out(&String::from_utf8_lossy(&page))
}
