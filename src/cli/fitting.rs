//! Which flags a command takes. What only names a place or a look (`--profile`, `--mono`) may stand before every command, as
//! in an alias of a shell; what asks for something that the command would not do is refused.

use super::args::{Cli, Command, ConfigCommand, FormWord, PolicyCommand, RehearseArgs};
use crate::config::{Config, Surface};
use crate::domain::fault::{Fault, FaultKind};

/// What a command is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Nature {
    /// It lets time pass on a screen or without one.
    Session(Modes),
    /// It answers at once.
    Answer,
}

/// Whether it may change anything: what only reads or judges has no mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Modes {
    Both,
    ReadsOnly,
}

/// Refuses flags that would have no effect.
pub(super) fn check(cli: &Cli) -> Result<(), Fault> {
    let command = cli.command.as_ref();
    let nature = nature(command);
    let asked = &cli.global;
    if asked.live && nature != Nature::Session(Modes::Both) {
        return Err(useless("--live", "this command changes nothing.")
            .hint("It is for the cockpit, `investigate`, `rehearse` and `resume`."));
    }
    form(command, asked.output)?;
    let lasts = !matches!(command, Some(Command::Replay { .. }));
    for (flag, is_given, is_fit) in [
        ("--headless", asked.headless, nature != Nature::Answer),
        ("--plain", asked.plain, nature != Nature::Answer && !matches!(command, Some(Command::Investigate(_)))),
        ("--record", asked.record.is_some(), nature != Nature::Answer && lasts),
        ("--for", asked.limit.is_some(), nature != Nature::Answer && lasts),
    ] {
        if is_given && !is_fit {
            let hint = match flag {
                "--for" => "It is for the cockpit, `investigate`, `rehearse` and `resume` without a screen.",
                "--record" => FILM,
                "--plain" => "It is for the cockpit, `rehearse`, `resume` and `replay`.",
                _ => "It is for the cockpit, `investigate`, `rehearse`, `resume` and `replay`.",
            };
            return Err(useless(flag, "this command has none of it.").hint(hint));
        }
    }
    Ok(())
}

/// Refuses what a session cannot do on the surface that it will have, before anything of it is begun.
pub(super) fn surface(config: &Config, surface: Surface) -> Result<(), Fault> {
    let is_screen = surface == Surface::Screen;
    let is_headless = matches!(surface, Surface::Headless(_));
    if let Some(path) = &config.record {
        if !is_screen {
            return Err(useless("--record", "there is no screen to be recorded.").hint(FILM));
        }
        if path.exists() {
            return Err(Fault::new(FaultKind::Usage, format!("{} cannot be recorded to.", path.display()))
                .cause("There is such a file already.")
                .hint("Name a new one."));
        }
    }
    if config.limit.is_some() && !is_headless {
        return Err(useless("--for", "a screen is open until it is left.").hint("Add --headless, or leave --for out."));
    }
    Ok(())
}

/// How else there comes to be a recording.
const FILM: &str = "It is for the screen of a session; `pagerdeck export ID --format cast` makes one of a journal.";

fn useless(flag: &str, why: &str) -> Fault {
    Fault::new(FaultKind::Usage, format!("{flag} means nothing here: {why}"))
}

fn nature(command: Option<&Command>) -> Nature {
    match command {
        Some(Command::Rehearse(args)) if answers(args) => Nature::Answer,
        None | Some(Command::Rehearse(_) | Command::Investigate(_) | Command::Resume { .. }) => {
            Nature::Session(Modes::Both)
        }
        Some(Command::Replay { .. }) => Nature::Session(Modes::ReadsOnly),
        Some(
            Command::Eval(_)
            | Command::Evidence(_)
            | Command::Sessions
            | Command::Export(_)
            | Command::Verify { .. }
            | Command::Doctor
            | Command::Config(_)
            | Command::Policy(_)
            | Command::Iam
            | Command::Rbac
            | Command::Completions { .. }
            | Command::Man { .. },
        ) => Nature::Answer,
    }
}

fn answers(args: &RehearseArgs) -> bool {
    args.list || args.check.is_some()
}

/// Refuses a form in which a command does not answer: a program that reads it would take it for another.
fn form(command: Option<&Command>, asked: Option<FormWord>) -> Result<(), Fault> {
    use FormWord::{Json, Jsonl, Md, Text};
    let Some(asked) = asked else { return Ok(()) };
    let (takes, hint): (&[FormWord], &str) = match command {
        None | Some(Command::Investigate(_) | Command::Resume { .. } | Command::Replay { .. } | Command::Sessions) => {
            (&[Text, Json, Jsonl], "")
        }
        Some(Command::Rehearse(args)) if args.check.is_some() => (&[Text], BY_ITS_CODE),
        Some(Command::Rehearse(_) | Command::Evidence(_)) => (&[Text, Json, Jsonl], ""),
        Some(Command::Eval(_)) => (&[Text, Json, Jsonl, Md], ""),
        Some(Command::Export(_)) => (&[], "`--format md`, `html`, `json` or `cast` names the form of an export."),
        Some(
            Command::Config(ConfigCommand::Check) | Command::Policy(PolicyCommand::Check) | Command::Verify { .. },
        ) => (&[Text], BY_ITS_CODE),
        Some(Command::Doctor | Command::Config(_) | Command::Policy(_)) => (&[Text, Json], "It takes text and json."),
        Some(Command::Iam) => (&[Text, Json], "It is JSON as it is."),
        Some(Command::Rbac | Command::Completions { .. } | Command::Man { .. }) => (&[Text], "It has one form."),
    };
    if takes.contains(&asked) {
        return Ok(());
    }
    let hint = if asked == Md && hint.is_empty() { "--output md is for `pagerdeck eval` alone." } else { hint };
    Err(Fault::new(FaultKind::Usage, format!("--output {} is no form of this command.", asked.word())).hint(hint))
}

/// What a program goes by where there is one sentence to tell.
const BY_ITS_CODE: &str = "Its exit code tells a program: 0 is in order.";

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    fn told(line: &str) -> Option<Fault> {
        check(&Cli::try_parse_from(line.split(' ')).unwrap()).err()
    }

    #[test]
    fn what_would_have_no_effect_is_refused() {
        for line in [
            "pagerdeck --live eval",
            "pagerdeck --live evidence --log a",
            "pagerdeck --live sessions",
            "pagerdeck --live replay 1",
            "pagerdeck --live rehearse --list",
            "pagerdeck --headless sessions",
            "pagerdeck --plain config check",
            "pagerdeck --plain investigate --alarm a",
            "pagerdeck --record a.cast iam",
            "pagerdeck --record a.cast rehearse --list",
            "pagerdeck --for 3 eval",
            "pagerdeck --for 3 replay 1",
            "pagerdeck --record a.cast replay 1",
            "pagerdeck export 1 --output json",
            "pagerdeck export 1 --output text",
            "pagerdeck verify 1 --output json",
            "pagerdeck config check --output json",
            "pagerdeck policy check --output jsonl",
            "pagerdeck doctor --output jsonl",
            "pagerdeck rehearse --check a --output json",
            "pagerdeck rehearse --output md",
            "pagerdeck --output md",
            "pagerdeck man --output json",
        ] {
            let fault = told(line).unwrap_or_else(|| panic!("{line}"));
            assert_eq!(fault.kind, FaultKind::Usage, "{line}");
            assert!(fault.hints.iter().all(|hint| !hint.is_empty()) && !fault.hints.is_empty(), "{line}: {fault}");
        }
    }

    #[test]
    fn what_has_an_effect_is_taken() {
        for line in [
            "pagerdeck --live --record a.cast",
            "pagerdeck a --headless --for 3 --output jsonl",
            "pagerdeck --live rehearse --for 3 --headless",
            "pagerdeck rehearse --plain",
            "pagerdeck --live investigate --alarm a --for 3",
            "pagerdeck --live resume 1 --plain",
            "pagerdeck replay 1 --plain --mono",
            "pagerdeck rehearse --list --output jsonl",
            "pagerdeck sessions --output jsonl",
            "pagerdeck eval --output md",
            "pagerdeck evidence --log a --output json",
            "pagerdeck doctor --output json",
            "pagerdeck config show --output json",
            "pagerdeck iam --output json",
            // As an alias has them before every command.
            "pagerdeck --mono --ascii --theme light --profile p --region us-east-1 --context c -n a sessions",
        ] {
            assert_eq!(told(line), None, "{line}");
        }
    }
}
