//! The command line as typed: commands, flags and their help. Decides nothing.

mod global;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::domain::drill::ArrangedFault;

pub(super) use global::{FormWord, GlobalArgs};

/// The examples under `--help`.
const EXAMPLES: &str = "\
Examples:
  pagerdeck rehearse                      live through an incident against a simulated cloud
  pagerdeck                               the cockpit on your AWS credentials and kube context, dry-run
  pagerdeck my-api-cpu-high               straight to the incident of an alarm
  pagerdeck investigate --alarm NAME      one incident without a screen

Exit codes: 0 done (a rehearsal: as its scenario expects), 1 fault (a rehearsal: not as expected), 2 usage,
3 the incident is open and a plan waits for a person, 4 refused, 128 and its number: a signal ended it.";

/// A terminal incident cockpit for the on-call engineer: evidence first, remedies behind a real lock.
#[derive(Debug, Parser)]
#[command(name = "pagerdeck", version, after_help = EXAMPLES)]
pub(super) struct Cli {
    /// The alarm to go straight to, by name or ARN, as a page carries it.
    #[arg(value_name = "ALARM", value_parser = alarm)]
    pub(super) alarm: Option<String>,
    #[command(flatten)]
    pub(super) global: GlobalArgs,
    #[command(subcommand)]
    pub(super) command: Option<Command>,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Live through an incident against a simulated cloud on this machine.
    Rehearse(RehearseArgs),
    /// Investigate one alarm without a screen.
    Investigate(InvestigateArgs),
    /// Judge scenarios without a screen and print the scorecard.
    Eval(EvalArgs),
    /// Evidence and verdict from exported files.
    Evidence(EvidenceArgs),
    /// List the journals.
    Sessions,
    /// Write a session's transcript.
    Export(ExportArgs),
    /// Check that a journal is as it was written; against an anchor kept elsewhere, prove it.
    Verify {
        /// A session's id, or the path of its journal.
        session: String,
        /// What the session printed when it ended, and its transcript has in its head.
        #[arg(long, value_name = "LINES:HASH")]
        anchor: Option<String>,
    },
    /// Go on with a session whose process ended: after a crash, or a lost connection.
    Resume {
        /// A session's id, or the path of its journal.
        session: String,
    },
    /// Look at a session again in the same screen, step by step, forwards and backwards.
    Replay {
        /// A session's id, or the path of its journal.
        session: String,
    },
    /// Check credentials, permissions, model, cluster and terminal, and name what is missing.
    Doctor,
    /// Check or show the configuration, or say where its files lie.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Check or show the policy.
    #[command(subcommand)]
    Policy(PolicyCommand),
    /// Print the least AWS permissions that are needed.
    Iam,
    /// Print the least Kubernetes permissions that are needed.
    Rbac,
    /// Print a completion script.
    Completions {
        /// For which shell.
        shell: Shell,
    },
    /// Print the manual page of the program, or of one command.
    Man {
        /// The command.
        command: Option<String>,
    },
}

/// `pagerdeck rehearse`.
#[derive(Clone, Debug, Args)]
pub(super) struct RehearseArgs {
    /// A scenario's name, or the path of one.
    #[arg(value_name = "SCENARIO", default_value = "oom-leak")]
    pub(super) scenario: String,
    /// List the scenarios.
    #[arg(long)]
    pub(super) list: bool,
    /// How fast incident time passes: a number from 0.1 to 1000, or max.
    #[arg(long, value_name = "N|max", default_value = "1")]
    pub(super) speed: String,
    /// The seed of the scenario's noise.
    #[arg(long, value_name = "N")]
    pub(super) seed: Option<u64>,
    /// A script of key presses and decisions; exists against the simulator only.
    #[arg(long, value_name = "FILE")]
    pub(super) operator: Option<PathBuf>,
    /// Let a fault strike in a window counted from the start, such as slack:unavailable@30s..2m; may be given several
    /// times. Services: cloudwatch, logs, bedrock, sts, kubernetes, slack, charts; or aws for the first four.
    #[arg(long = "fault", value_name = "SERVICE:KIND[@FROM..TO]", value_parser = ArrangedFault::parse, conflicts_with_all = ["list", "check"])]
    pub(super) faults: Vec<ArrangedFault>,
    /// A short tour that teaches the keys by doing. It presses none.
    #[arg(long, conflicts_with_all = ["list", "operator", "check"])]
    pub(super) tour: bool,
    /// While it runs, keep in a folder what kubectl, helm and aws need to reach the simulated cloud: `. FOLDER/env`.
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["list", "check"])]
    pub(super) attach: Option<PathBuf>,
    /// Check a scenario's files and say what is wrong; run nothing.
    #[arg(long, value_name = "PATH", conflicts_with_all = ["list", "operator"])]
    pub(super) check: Option<PathBuf>,
}

/// `pagerdeck eval`.
#[derive(Clone, Debug, Args)]
pub(super) struct EvalArgs {
    /// Scenarios by name, file or folder; all that ship where none is given.
    #[arg(value_name = "SCENARIO")]
    pub(super) scenarios: Vec<String>,
    /// How many seeds of each.
    #[arg(long, value_name = "N", default_value = "1", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(super) seeds: u32,
}

/// `pagerdeck evidence`.
#[derive(Clone, Debug, Args)]
#[command(group(clap::ArgGroup::new("files").args(["metrics", "logs", "collector", "objects"]).multiple(true).required(true)))]
pub(super) struct EvidenceArgs {
    /// A metric: `cpu`, `memory`, `requests`, `errors`, `latency` or `collector-time`, or any other name for the alarm's own.
    /// A unit may stand behind the name, as in `latency[ms]`, or behind the head of the column, as in `value_ms`:
    /// `ms`, `s`, `percent`, `bytes`, `count`. Without one a latency has none.
    #[arg(long = "metric", value_name = "NAME[UNIT]=FILE.csv", value_parser = named_file)]
    pub(super) metrics: Vec<(String, PathBuf)>,
    /// The threshold of a metric's alarm.
    #[arg(long = "threshold", value_name = "NAME=NUMBER", value_parser = named_number)]
    pub(super) thresholds: Vec<(String, f64)>,
    /// A log file: lines, or JSON objects with a message.
    #[arg(long = "log", value_name = "FILE")]
    pub(super) logs: Vec<PathBuf>,
    /// The log of the garbage collector of one process.
    #[arg(long = "gc", value_name = "FILE")]
    pub(super) collector: Option<PathBuf>,
    /// Kubernetes objects and events, as `kubectl get -o json` or `-o yaml` prints them.
    #[arg(long = "objects", value_name = "FILE")]
    pub(super) objects: Vec<PathBuf>,
    /// The workload it is about, where the objects hold several.
    #[arg(long, value_name = "NAME")]
    pub(super) workload: Option<String>,
    /// Minutes to judge, up to the newest instant in the files.
    #[arg(long, value_name = "N", default_value = "30", value_parser = clap::value_parser!(u32).range(5..=100_000))]
    pub(super) minutes: u32,
    /// Write the files as a scenario that can be rehearsed.
    #[arg(long, value_name = "DIR")]
    pub(super) save_scenario: Option<PathBuf>,
    /// Print each point of the metrics with its score and flag, as CSV.
    #[arg(long, conflicts_with = "templates")]
    pub(super) anomalies: bool,
    /// Print each log line's template and the templates with their counts, as CSV.
    #[arg(long)]
    pub(super) templates: bool,
}

/// No alarm is called nothing: a page that was read by a script came to nothing.
fn alarm(text: &str) -> Result<String, String> {
    if text.trim().is_empty() { Err("An alarm has a name.".to_owned()) } else { Ok(text.to_owned()) }
}

fn named_file(text: &str) -> Result<(String, PathBuf), String> {
    let (name, file) = text.split_once('=').ok_or("It is written NAME=FILE.csv.")?;
    if name.is_empty() || file.is_empty() {
        return Err("It is written NAME=FILE.csv.".to_owned());
    }
    Ok((name.to_owned(), PathBuf::from(file)))
}

fn named_number(text: &str) -> Result<(String, f64), String> {
    let (name, number) = text.split_once('=').ok_or("It is written NAME=NUMBER.")?;
    let number = number.parse::<f64>().ok().filter(|number| number.is_finite()).ok_or("It is written NAME=NUMBER.")?;
    Ok((name.to_owned(), number))
}

/// `pagerdeck investigate`.
#[derive(Clone, Debug, Args)]
pub(super) struct InvestigateArgs {
    /// The alarm, by name or ARN.
    #[arg(long, value_name = "NAME", value_parser = alarm)]
    pub(super) alarm: String,
    /// A log group to read; may be given several times.
    #[arg(long = "log-group", value_name = "NAME")]
    pub(super) log_groups: Vec<String>,
    /// How far back to look, in minutes; else as the configuration says, else 30.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(5..=1_440))]
    pub(super) minutes: Option<u32>,
}

/// `pagerdeck export`.
#[derive(Clone, Debug, Args)]
pub(super) struct ExportArgs {
    /// A session's id, or the path of its journal.
    pub(super) session: String,
    /// The form.
    #[arg(long, value_name = "FORM", default_value = "md")]
    pub(super) format: ExportWord,
    /// Where to; standard output without it.
    #[arg(long, short = 'o', value_name = "FILE")]
    pub(super) out: Option<PathBuf>,
}

/// `--format`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ExportWord {
    /// Markdown.
    Md,
    /// One page for a browser, without scripts or anything loaded from outside.
    Html,
    /// JSON.
    Json,
    /// The screen played again, as an asciicast.
    Cast,
}

/// `pagerdeck config`.
#[derive(Clone, Copy, Debug, Subcommand)]
pub(super) enum ConfigCommand {
    /// Read the configuration and say what is wrong.
    Check,
    /// Print the configuration in force, in the shape of its file.
    Show,
    /// Print where files lie.
    Path,
}

/// `pagerdeck policy`.
#[derive(Clone, Copy, Debug, Subcommand)]
pub(super) enum PolicyCommand {
    /// Read the policy and say what is wrong.
    Check,
    /// Print the policy in force.
    Show,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::config::{AskedSurface, Flags, OutputForm};
    use crate::domain::remediation::request::Mode;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn global_flags_may_stand_anywhere() {
        for line in [
            "pagerdeck --live rehearse oom-leak",
            "pagerdeck rehearse oom-leak --live",
            "pagerdeck --live --profile p investigate --alarm a",
        ] {
            let cli = Cli::try_parse_from(line.split(' ')).unwrap();
            assert_eq!(cli.global.flags().mode, Mode::Live, "{line}");
            assert!(cli.command.is_some() && cli.alarm.is_none(), "{line}: {cli:?}");
        }
        let cli = Cli::try_parse_from(["pagerdeck", "my-alarm", "--output", "json"]).unwrap();
        assert_eq!(cli.alarm.as_deref(), Some("my-alarm"));
        assert_eq!(cli.global.flags().surface, AskedSurface::Headless(OutputForm::Json));
    }

    #[test]
    fn the_window_is_left_to_the_configuration_unless_it_is_given() {
        for (line, expected) in [("", None), (" --minutes 45", Some(45))] {
            let line = format!("pagerdeck investigate --alarm a{line}");
            let cli = Cli::try_parse_from(line.split(' ')).unwrap();
            let Some(Command::Investigate(args)) = cli.command else { panic!("{line}") };
            assert_eq!(args.minutes, expected, "{line}");
        }
    }

    #[test]
    fn a_second_collector_log_is_refused() {
        let line = "pagerdeck evidence --gc a.log --gc b.log";
        assert!(Cli::try_parse_from(line.split(' ')).is_err(), "only one could be judged");
    }

    #[test]
    fn an_alarm_has_a_name() {
        for line in [&["pagerdeck", ""][..], &["pagerdeck", "investigate", "--alarm", " "]] {
            assert!(Cli::try_parse_from(line).is_err(), "{line:?}");
        }
    }

    #[test]
    fn without_a_flag_the_mode_is_dry_run() {
        let cli = Cli::try_parse_from(["pagerdeck"]).unwrap();
        assert_eq!(cli.global.flags(), Flags::default());
    }
}
