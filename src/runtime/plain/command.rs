//! What a typed line asks for. A decision is a word and the whole confirmation; nothing shorter decides.

use crate::domain::diagnosis::evidence::EvidenceId;
use crate::domain::drill::Drill;
use crate::domain::observation::metric::{MetricRole, Series};
use crate::domain::remediation::step::{StepId, StepState};
use crate::session::incident::Incident;
use crate::session::{IncidentId, Session};
use crate::ui::intent::Intent;
use crate::ui::model::log_view::LogView;
use crate::ui::model::overlay::Item;
use crate::ui::model::{Pane, Ui, rows};
use crate::ui::palette::{Choice, choices};
use crate::ui::search::Search;

/// The commands, as `help` tells them.
pub(super) const HELP: &str = "\
alarms, metrics, logs, why, step, timeline: tell what the pane of that name shows. With words after it: only what has them in it, such as: logs OutOfMemory. With a number: so many, such as: logs 100.
open NAME: tell everything of an alarm, a metric, a piece of evidence, a step, the workload or the verdict, such as: open E3, open cpu, open #1, open workload.
open line WORDS: tell everything of the newest log line that has these words in it, with what stands around it; open line alone: of the newest.
incident I2: go to another incident.
approve NAME DIGEST: approve the step that waits, by its whole confirmation as asked.
confirm NAME DIGEST: send the step that is armed, by the same confirmation typed once more.
deny REASON: refuse it. skip: leave it out. rehearse: rehearse it again, or look whether an UNCERTAIN one has run. undo: propose its undo.
again: read the evidence and ask the model again. rules: stand on the rules alone.
ask TEXT: ask the analyst. note TEXT: write on the timeline. refresh: ask every feed now.
export: write the transcript out.
fault SERVICE KIND TIME: in a rehearsal, let a fault loose, such as: fault slack 5xx 5m. fault clear: end them all.
quit: leave; stands down what is armed. Ctrl-C stands down, twice leaves.";

/// One command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Command {
    /// An empty line.
    Nothing,
    /// The commands.
    Help,
    /// Something is to be told.
    Show(Shown),
    /// Another incident.
    Incident(IncidentId),
    /// A decision for the step that waits, by this confirmation.
    Decide(Answer, String),
    /// Anything else that is done.
    Wish(Wish),
    /// Leave.
    Quit,
}

/// What is to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    /// A pane: so many of its newest lines, and only what has these words in it.
    Pane { pane: Pane, most: Option<usize>, only: Option<String> },
    /// One thing, as it was named.
    Thing(String),
}

/// Which of the two questions about a step a line answers. The same line twice must not answer both: a key that bounces and
/// a link that doubles a line are no second decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// Whether it may be done.
    Approve,
    /// Whether it is really to be sent.
    Confirm,
}

impl Answer {
    /// The word that gives it.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Confirm => "confirm",
        }
    }
}

/// What needs no confirmation: nothing of it lets a request leave that changes anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    Deny(String),
    Skip,
    Rehearse,
    Undo,
    Again,
    Rules,
    Ask(String),
    Note(String),
    Refresh,
    Export,
    Fault(String),
}

/// Reads a line; the error is told.
pub(super) fn parse(line: &str) -> Result<Command, String> {
    let (word, rest) = line.split_once(char::is_whitespace).map_or((line, ""), |(word, rest)| (word, rest.trim()));
    let text = |wish: fn(String) -> Wish| {
        if rest.is_empty() {
            return Err(format!("{word} needs words after it."));
        }
        Ok(Command::Wish(wish(rest.to_owned())))
    };
    let show = |pane| {
        let most: Option<usize> = rest.parse().ok();
        let only = (most.is_none() && !rest.is_empty()).then(|| rest.to_owned());
        Command::Show(Shown::Pane { pane, most, only })
    };
    Ok(match word.to_ascii_lowercase().as_str() {
        "" => Command::Nothing,
        "help" | "?" => Command::Help,
        "quit" | "exit" => Command::Quit,
        "alarms" => show(Pane::Alarms),
        "metrics" => show(Pane::Metrics),
        "logs" => show(Pane::Logs),
        "why" => show(Pane::Rca),
        "step" => show(Pane::Remediation),
        "timeline" => show(Pane::Timeline),
        "open" if rest.is_empty() => return Err("open needs a name after it.".to_owned()),
        "open" => Command::Show(Shown::Thing(rest.to_owned())),
        "incident" => match rest.trim_start_matches(['I', 'i']).parse() {
            Ok(number) => Command::Incident(IncidentId(number)),
            Err(_) => return Err("An incident is named as I1.".to_owned()),
        },
        "approve" => Command::Decide(Answer::Approve, rest.to_owned()),
        "confirm" => Command::Decide(Answer::Confirm, rest.to_owned()),
        "deny" => return text(Wish::Deny),
        "ask" => return text(Wish::Ask),
        "note" => return text(Wish::Note),
        "fault" => return text(Wish::Fault),
        "skip" => Command::Wish(Wish::Skip),
        "rehearse" => Command::Wish(Wish::Rehearse),
        "undo" => Command::Wish(Wish::Undo),
        "again" => Command::Wish(Wish::Again),
        "rules" => Command::Wish(Wish::Rules),
        "refresh" => Command::Wish(Wish::Refresh),
        "export" => Command::Wish(Wish::Export),
        other => return Err(format!("There is no command {other}. help lists them.")),
    })
}

/// The wish as the desk takes it.
pub(super) fn intent(wish: &Wish, (session, ui): (&Session, &Ui)) -> Result<Intent, String> {
    let here = || ui.incident(session).ok_or_else(|| "There is no incident.".to_owned());
    let step = |incident: &Incident| {
        ui.step(session).map(|step| step.id).ok_or_else(|| format!("{} has no step.", incident.id))
    };
    Ok(match wish {
        Wish::Note(text) => Intent::Note { text: text.clone() },
        Wish::Fault(words) => return fault(words, (session, ui)),
        Wish::Refresh => Intent::Refresh,
        Wish::Export => Intent::Export,
        Wish::Again => Intent::AskAgain { incident: here()?.id },
        Wish::Rules => match session.header.policy.rules_alone {
            crate::domain::remediation::policy::RulesAlone::Allowed => Intent::StandOnRules { incident: here()?.id },
            crate::domain::remediation::policy::RulesAlone::Forbidden => {
                return Err("The policy does not let the rules stand alone.".to_owned());
            }
        },
        Wish::Ask(text) => Intent::Inquire { incident: here()?.id, text: text.clone() },
        Wish::Deny(reason) => {
            let incident = here()?;
            Intent::Deny { incident: incident.id, step: step(incident)?, reason: reason.clone() }
        }
        Wish::Skip => {
            let incident = here()?;
            Intent::Skip { incident: incident.id, step: step(incident)? }
        }
        Wish::Rehearse => {
            let incident = here()?;
            let (incident, step) = (incident.id, step(incident)?);
            // What may have run is not rehearsed: it is looked for first.
            let is_uncertain = ui.step(session).is_some_and(|step| step.state == StepState::Uncertain);
            if is_uncertain { Intent::SettleUncertain { incident, step } } else { Intent::Rehearse { incident, step } }
        }
        Wish::Undo => {
            let incident = here()?;
            Intent::Undo { incident: incident.id, step: step(incident)? }
        }
    })
}

/// The thing of that name: of the incident that is talked of, or any alarm.
pub(super) fn thing(name: &str, (session, ui): (&Session, &Ui)) -> Option<Item> {
    let number = |letter: char| name.strip_prefix([letter, letter.to_ascii_lowercase()])?.parse::<u32>().ok();
    let incident = ui.incident(session);
    if let Some(id) = number('E') {
        return Some(Item::Evidence(EvidenceId(id)));
    }
    if let Some(id) = number('#') {
        return Some(Item::Step(StepId(id)));
    }
    match name.to_ascii_lowercase().as_str() {
        "verdict" => return Some(Item::Verdict),
        "step" => return ui.step(session).map(|step| Item::Step(step.id)),
        "workload" => return incident?.service.workload.clone().map(Item::Workload),
        _ => {}
    }
    if name == "line" || name.starts_with("line ") {
        return line(name.trim_start_matches("line").trim(), (session, ui));
    }
    let metrics = rows::metrics(ui, session);
    let named = |role: &MetricRole, series: &Series| {
        [role.word(), rows::metric_name(*role, series)].iter().any(|word| word.eq_ignore_ascii_case(name))
    };
    if let Some((role, _)) = metrics.iter().find(|(role, series)| named(role, series)) {
        return Some(Item::Metric(*role));
    }
    let alarms = || rows::alarms(ui, session).into_iter().map(|alarm| alarm.name.clone());
    let whole = alarms().find(|alarm| alarm.as_str() == name);
    whole.or_else(|| alarms().find(|alarm| alarm.as_str().contains(name))).map(Item::Alarm)
}

/// The newest log line of the incident that has these words in it.
fn line(words: &str, (session, ui): (&Session, &Ui)) -> Option<Item> {
    let (view, search) = (LogView::new(ui, session), Search::filter(words.to_owned()));
    let place = view.find_before(view.len(), |line| words.is_empty() || search.matches(&line.text))?;
    view.line(place).map(|stored| Item::Line(stored.number))
}

/// The fault that the palette would find first.
fn fault(words: &str, (session, ui): (&Session, &Ui)) -> Result<Intent, String> {
    if words == "clear" {
        return Ok(Intent::GameDay { drill: Drill::Calm });
    }
    let found = choices(&ui.options.keymap, (session, session.now), words);
    let faults = found.into_iter().filter_map(|choice| match choice {
        Choice::Inject(injection) => Some(Intent::Inject { injection }),
        Choice::Clear(fault) => Some(Intent::ClearFault { fault: fault.clone() }),
        Choice::Action(_) => None,
    });
    let nothing =
        "No fault is called that here. In a rehearsal, say a service and a kind, such as: fault slack 5xx 5m.";
    faults.into_iter().next().ok_or_else(|| nothing.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::observation::log::{BatchSummary, LogGroup, LogLevel, LogLine};
    use crate::session::header::{Header, Origin};

    #[test]
    fn nothing_but_the_word_and_its_confirmation_decides() {
        for line in ["y", "yes", "A", "a", "1", "ok", "my-api 7f3a", "Approved"] {
            assert!(parse(line).is_err(), "{line}");
        }
        assert_eq!(parse(""), Ok(Command::Nothing));
        assert_eq!(parse("approve  my-api 7f3a"), Ok(Command::Decide(Answer::Approve, "my-api 7f3a".to_owned())));
        assert_eq!(parse("deny"), Err("deny needs words after it.".to_owned()));
        assert_eq!(parse("incident I2"), Ok(Command::Incident(IncidentId(2))));
        assert_eq!(parse("open E3"), Ok(Command::Show(Shown::Thing("E3".to_owned()))));
        assert!(parse("open").is_err());
        let logs = |most, only: Option<&str>| {
            Ok(Command::Show(Shown::Pane { pane: Pane::Logs, most, only: only.map(str::to_owned) }))
        };
        assert_eq!(parse("logs"), logs(None, None));
        assert_eq!(parse("logs 100"), logs(Some(100), None));
        assert_eq!(parse("logs heap space"), logs(None, Some("heap space")));
    }

    #[test]
    fn a_fault_is_let_loose_by_its_words_in_a_rehearsal_alone() {
        let origin = Origin::Rehearsal { scenario: "oom-leak".to_owned(), seed: 1, speed: "1".to_owned() };
        let rehearsal = Session { header: Header { origin, ..Header::default() }, ..Session::default() };
        let asked = |session: &Session, words: &str| intent(&Wish::Fault(words.to_owned()), (session, &Ui::default()));
        let Ok(Intent::Inject { injection }) = asked(&rehearsal, "slack 5xx 5m") else {
            panic!("nothing is let loose")
        };
        assert_eq!(injection.text(), "Slack fails on its side for 5 min");
        assert_eq!(asked(&rehearsal, "clear"), Ok(Intent::GameDay { drill: Drill::Calm }));
        assert!(asked(&rehearsal, "slack skewed").is_err() && asked(&Session::default(), "slack 5xx 5m").is_err());
    }

    #[test]
    fn a_line_is_opened_by_words_of_it_the_newest_first() {
        let group: LogGroup = "/ecs/my-api".into();
        let line = |second: i64, text: &str| LogLine {
            id: second.to_string().into(),
            at: jiff::Timestamp::from_second(second).unwrap(),
            group: group.clone(),
            stream: "pod-1/app".into(),
            level: LogLevel::Error,
            text: text.into(),
            kill: None,
        };
        let mut session = Session::default();
        let lines = [line(1, "OutOfMemoryError: one"), line(2, "OutOfMemoryError: two"), line(3, "fine")];
        session.logs.fold_batch(&group, &BatchSummary::default(), &lines);
        let opened = |name: &str| thing(name, (&session, &Ui::default()));
        assert_eq!(opened("line outofmemory"), Some(Item::Line(1)));
        assert_eq!(opened("line"), Some(Item::Line(2)));
        assert_eq!(opened("line nothing of the kind"), None);
    }

    #[test]
    fn every_command_is_in_the_help() {
        for word in [
            "alarms", "why", "open", "approve", "deny", "skip", "undo", "again", "rules", "ask", "note", "fault",
            "export", "quit",
        ] {
            assert!(HELP.contains(word), "{word}");
        }
    }
}
