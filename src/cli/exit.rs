//! Exit codes, decided here and nowhere else.

use std::process::ExitCode;

use super::print;
use crate::domain::fault::{Fault, FaultKind};
use crate::runtime::Ending;

/// It did what was asked.
const DONE: u8 = 0;
/// A fault, or a rehearsal that did not come to what its scenario expects.
const FAULT: u8 = 1;
/// The command line, a file or a scenario is wrong.
const USAGE: u8 = 2;
/// `investigate` ended with the incident open and a plan waiting.
const PLAN_WAITING: u8 = 3;
/// Refused by the policy.
const REFUSED: u8 = 4;
/// A signal: this and its number, as shells count it.
const SIGNALLED: u8 = 128;

/// Tells the person what there is to tell, and gives the code.
pub(super) fn conclude(result: &Result<Ending, Fault>) -> ExitCode {
    match result {
        Ok(Ending::NotAsExpected { why }) => print::err(&format!("not as expected: {why}")),
        Ok(Ending::Refused { why }) => print::err(&format!("refused: {why}")),
        Ok(Ending::Signalled { why, .. }) if !why.is_empty() => print::err(why),
        Ok(
            Ending::Done | Ending::AsExpected | Ending::PlanWaiting | Ending::ForRehearsal | Ending::Signalled { .. },
        ) => {}
        Err(fault) => print::fault(fault),
    }
    ExitCode::from(code(result))
}

fn code(result: &Result<Ending, Fault>) -> u8 {
    match result {
        Ok(Ending::Done | Ending::AsExpected | Ending::ForRehearsal) => DONE,
        Ok(Ending::PlanWaiting) => PLAN_WAITING,
        Ok(Ending::Refused { .. }) => REFUSED,
        Ok(Ending::Signalled { number, .. }) => SIGNALLED + number,
        Err(fault) if fault.kind == FaultKind::Usage => USAGE,
        Ok(Ending::NotAsExpected { .. }) | Err(_) => FAULT,
    }
}

/// What clap has to say: help and version are no errors.
pub(super) fn usage(error: &clap::Error) -> ExitCode {
    // A closed pipe behind `--help` is nobody's fault.
    drop(error.print());
    ExitCode::from(if error.use_stderr() { USAGE } else { DONE })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_ending_has_its_code() {
        let why = String::new;
        for (result, expected) in [
            (Ok(Ending::Done), 0),
            (Ok(Ending::AsExpected), 0),
            (Ok(Ending::NotAsExpected { why: why() }), 1),
            (Ok(Ending::PlanWaiting), 3),
            (Ok(Ending::Refused { why: why() }), 4),
            (Ok(Ending::Signalled { number: 15, why: why() }), 143),
            (Err(Fault::new(FaultKind::Usage, "")), 2),
            (Err(Fault::new(FaultKind::Credentials, "")), 1),
        ] {
            assert_eq!(code(&result), expected, "{result:?}");
        }
    }
}
