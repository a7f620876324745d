//! The command line: what was typed becomes one call of the runtime, and its ending becomes an exit code.
//! The only module that prints outside of a session.

mod args;
mod commands;
mod exit;
mod exported;
mod fitting;
pub mod memory;
mod print;

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser as _};

use crate::config::{Config, Environment, Flags, OutputForm, Surface, World, resolve, resolve_without_file};
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::near::nearest;
use crate::domain::remediation::request::Mode;
use crate::runtime::logbook::{self, Logbook};
use crate::runtime::{self, Ending, archive, catalogue};
use args::{Cli, Command, FormWord, InvestigateArgs, RehearseArgs};

/// Runs the program.
pub fn run() -> ExitCode {
    let env = Environment::of_process();
    memory::bound(&env);
    match Cli::try_parse() {
        Ok(cli) => exit::conclude(&dispatch(&cli, &env)),
        Err(error) => exit::usage(&error),
    }
}

fn dispatch(cli: &Cli, env: &Environment) -> Result<Ending, Fault> {
    let flags = cli.global.flags();
    let Some(command) = &cli.command else {
        if let Some(fault) = cli.alarm.as_deref().and_then(misspelt) {
            return Err(fault);
        }
        fitting::check(cli)?;
        return cockpit(&Flags { focus: cli.alarm.clone(), ..flags }, env);
    };
    if let Some(alarm) = &cli.alarm {
        let text = format!("`{alarm}` stands before a command, where nothing is expected.");
        return Err(Fault::new(FaultKind::Usage, text).hint("`pagerdeck investigate --alarm NAME` names an alarm."));
    }
    fitting::check(cli)?;
    match command {
        Command::Rehearse(args) if args.list => commands::scenarios(cli.global.output),
        Command::Rehearse(args) => rehearse(args, &flags, env),
        Command::Eval(args) => exported::eval(args, cli.global.output),
        Command::Evidence(args) => exported::evidence(args, cli.global.output),
        Command::Investigate(args) => investigate(args, flags, env),
        Command::Sessions => commands::sessions(&bare(&flags, env)?, cli.global.output),
        Command::Export(args) => commands::export(&bare(&flags, env)?, args),
        Command::Verify { session, anchor } => commands::verify(&bare(&flags, env)?, session, anchor.as_deref()),
        Command::Resume { session } => resume(session, &flags, env),
        Command::Replay { session } => {
            let config = bare(&flags, env)?;
            let path = archive::locate(&config.paths.sessions, session)?;
            wait(runtime::replay(&path, config))
        }
        Command::Doctor => doctor(&flags, env, cli.global.output),
        Command::Config(command) => commands::config(*command, &flags, env),
        Command::Policy(command) => commands::policy(*command, &flags, env),
        Command::Iam => print::out(include_str!("../assets/iam/least-privilege.json")),
        Command::Rbac => print::out(include_str!("../assets/rbac/least-privilege.yaml")),
        Command::Completions { shell } => commands::completions(*shell),
        Command::Man { command } => commands::manual(command.as_deref()),
    }
}

/// A lone word that is nearly a command was meant as one: no alarm is called `reherse`.
fn misspelt(word: &str) -> Option<Fault> {
    let cli = Cli::command();
    let commands: Vec<&str> = cli.get_subcommands().map(clap::Command::get_name).collect();
    let other_way = format!("For an alarm of that name: `pagerdeck investigate --alarm {word}`.");
    let none = Fault::new(FaultKind::Usage, format!("There is no command `{word}`."));
    if RESERVED.iter().any(|reserved| nearest(word, &[reserved]).is_some()) {
        return Some(none.hint(PAST_INCIDENTS).hint(other_way));
    }
    let near = nearest(word, &commands)?;
    Some(none.hint(format!("Did you mean `{near}`? {other_way}")))
}

/// Words of what is not built: whoever types one wants no session.
const RESERVED: [&str; 2] = ["postmortems", "follow-ups"];
/// What tells of them all the same.
const PAST_INCIDENTS: &str = "`pagerdeck sessions` lists past sessions and their follow-ups, `pagerdeck export ID` writes what was found, done and promised.";

/// The configuration for what needs none to do its work: a file that is broken is told in a line, and left.
fn bare(flags: &Flags, env: &Environment) -> Result<Config, Fault> {
    let usable = resolve(flags, env, World::Rehearsal).and_then(|config| {
        runtime::check_screen(&config)?;
        Ok(config)
    });
    match usable {
        // One that was named with the command has to be in order.
        Err(fault) if flags.config.is_none() => {
            let config = resolve_without_file(flags, env, World::Rehearsal)?;
            let told = [&[fault.summary], fault.causes.as_slice()].concat().join(" ");
            print::err(&format!("{told} It is left out: the defaults are in force."));
            Ok(config)
        }
        usable => usable,
    }
}

fn real(flags: &Flags, env: &Environment) -> Result<Config, Fault> {
    resolve(flags, env, World::Real)
}

/// Opens our own log for a session. Without it the session goes on, the journal is what counts; but whoever set the log up
/// waits for it.
fn log_to_file(config: &Config) -> Option<Logbook> {
    let opened = logbook::open(&config.paths.log, &config.log_filter);
    opened.map_err(|fault| print::fault(&fault)).ok()
}

fn cockpit(flags: &Flags, env: &Environment) -> Result<Ending, Fault> {
    let config = real(flags, env)?;
    fitting::surface(&config, config.surface)?;
    if let Some(refusal) = refused_live(&config) {
        return Ok(refusal);
    }
    let _log = log_to_file(&config);
    match wait(runtime::cockpit(config))? {
        // Nothing of the session before goes with the person: another world, another journal, and never live.
        Ending::ForRehearsal => {
            let flags = Flags { mode: Mode::DryRun, focus: None, record: None, ..flags.clone() };
            rehearse(&RehearseArgs::default(), &flags, env)
        }
        ending => Ok(ending),
    }
}

fn resume(session: &str, flags: &Flags, env: &Environment) -> Result<Ending, Fault> {
    let config = real(flags, env)?;
    fitting::surface(&config, config.surface)?;
    let path = archive::locate(&config.paths.sessions, session)?;
    if let Some(refusal) = refused_live(&config) {
        return Ok(refusal);
    }
    let _log = log_to_file(&config);
    wait(runtime::resume(&path, config))
}

fn investigate(args: &InvestigateArgs, flags: Flags, env: &Environment) -> Result<Ending, Fault> {
    let flags =
        Flags { focus: Some(args.alarm.clone()), log_groups: args.log_groups.clone(), minutes: args.minutes, ..flags };
    let config = real(&flags, env)?;
    // Whatever is at its ends, it has no screen.
    fitting::surface(&config, Surface::Headless(OutputForm::Text))?;
    if let Some(refusal) = refused_live(&config) {
        return Ok(refusal);
    }
    let _log = log_to_file(&config);
    wait(runtime::investigate(config, &args.alarm))
}

/// A policy that allows live nowhere refuses before anything is connected: finding out at the first step, in the middle
/// of an incident, would be too late.
fn refused_live(config: &Config) -> Option<Ending> {
    (config.mode == Mode::Live && config.policy.live.is_empty()).then(|| {
        let policy = config.paths.policy.display();
        let why = format!("the policy allows it nowhere. Add a [[live]] rule to {policy}, or leave --live out.");
        Ending::Refused { why }
    })
}

fn rehearse(args: &RehearseArgs, flags: &Flags, env: &Environment) -> Result<Ending, Fault> {
    if let Some(path) = &args.check {
        return commands::check_scenario(path);
    }
    let config = bare(flags, env)?;
    let operated = args.operator.as_ref().map(|_| Surface::Headless(OutputForm::Text));
    fitting::surface(&config, operated.unwrap_or(config.surface))?;
    let options = catalogue::options(&args.into())?;
    if args.tour && config.surface != Surface::Screen {
        return Err(
            Fault::new(FaultKind::Usage, "The tour needs a terminal.").hint("Leave --headless and --output out.")
        );
    }
    if matches!(config.surface, Surface::Screen | Surface::Plain)
        && args.operator.is_none()
        && !catalogue::leaves_time_to_read(options.speed)
    {
        return Err(Fault::new(FaultKind::Usage, format!("--speed {} is too fast for a person.", args.speed))
            .hint("Approvals need 10 or less; add --headless to go faster."));
    }
    let _log = log_to_file(&config);
    wait(runtime::rehearse(config, options))
}

fn doctor(flags: &Flags, env: &Environment, form: Option<FormWord>) -> Result<Ending, Fault> {
    let config = real(flags, env)?;
    let report = block_on(runtime::doctor::examine(&config))?;
    commands::told(&report, form)
}

fn wait(run: impl Future<Output = Result<Ending, Fault>>) -> Result<Ending, Fault> {
    block_on(run)?
}

/// A runtime of its own for one future.
fn block_on<T>(run: impl Future<Output = T>) -> Result<T, Fault> {
    let built = tokio::runtime::Builder::new_multi_thread().enable_all().worker_threads(2).build();
    let rt = built.map_err(|error| {
        Fault::new(FaultKind::Internal, "The program's threads could not be started.").cause(format!("{error}."))
    })?;
    let answer = rt.block_on(run);
    // A call that hangs in a resolver must not hold up the way out.
    rt.shutdown_timeout(std::time::Duration::from_millis(500));
    Ok(answer)
}
