//! How the tests of a step that ran stand, and what was measured last.

use super::super::look::Look;
use super::super::sheet::Sheet;
use crate::domain::remediation::step::{Step, StepState};
use crate::domain::remediation::verification::{TestState, VerificationTest};
use crate::session::incident::{Incident, Phase, Verification};
use crate::ui::format;
use crate::ui::theme::Role;

const UNMEASURED: &str = "first measurement outstanding";

/// Draws them.
pub(super) fn tests(sheet: &mut Sheet<'_>, step: &Step, (verification, incident): (&Verification, &Incident)) {
    let look = sheet.look;
    let count = |which| verification.tests.iter().filter(|state| **state == which).count();
    let (passed, of) = (count(TestState::Passed), step.tests.len().saturating_sub(count(TestState::Moot)));
    let age = match step.state {
        StepState::Verifying => format!(" ({})", look.age(verification.watch.since)),
        _ => String::new(),
    };
    let since = look.clock(verification.watch.since);
    sheet.text(Role::Title, &format!("VERIFICATION  {passed} of {of} passed  since {since}{age}"));
    for (at, test) in step.tests.iter().enumerate() {
        let (role, mark) = match verification.tests.get(at) {
            Some(TestState::Passed) => (Role::Good, "[ok]"),
            Some(TestState::Failed) => (Role::Danger, "[no]"),
            Some(TestState::Unmeasured) => (Role::Warning, "[??]"),
            Some(TestState::Moot) => (Role::Faint, "[--]"),
            Some(TestState::Waiting | TestState::Holding) | None => (Role::Faint, "[..]"),
        };
        let text = match verification.tests.get(at) {
            // What does not count says so before what would be cut.
            Some(TestState::Moot) => format!("no test, it was so before: {}", test.text()),
            _ => test.text() + &so_far(step, verification, (test, at)),
        };
        sheet.row(&look.line([(role, format!("{mark} ").into()), (Role::Text, text.into())]));
    }
    match measured(verification, look) {
        Some(text) => sheet.wrapped(Role::Text, &text, 2),
        None => sheet.text(Role::Faint, UNMEASURED),
    }
    if incident.phase == Phase::Verifying {
        sheet.text(Role::Faint, "Ctrl-C twice leaves, and nobody watches then; it does not stop the cluster.");
    }
}

/// How long a test has been watched, and that it had not settled when another ended the watch.
fn so_far(step: &Step, verification: &Verification, (test, at): (&VerificationTest, usize)) -> String {
    let had = verification.last.as_ref().map(|last| verification.watch.had(test, last.at));
    let watched = had.and_then(|had| test.watched(had)).map_or_else(String::new, |watched| format!(", {watched}"));
    let is_open = verification.tests.get(at) == Some(&TestState::Waiting) && step.state != StepState::Verifying;
    let is_moot = verification.tests.get(at) == Some(&TestState::Moot);
    let why = match (is_moot, is_open) {
        (true, _) => ", no test of it: it was so before the step",
        (false, true) => ", not settled when it ended",
        (false, false) => "",
    };
    watched + why
}

fn measured(verification: &Verification, look: &Look) -> Option<String> {
    let measured = verification.last.as_ref()?;
    let rollout = measured.rollout.map_or_else(|| "rollout ?".to_owned(), |rollout| rollout.text());
    let percent =
        |value: Option<f64>| value.map_or_else(|| "?".to_owned(), |value| format!("{}%", format::figure(value)));
    let kills = measured.new_kills.map_or_else(|| "?".to_owned(), format::grouped);
    let (memory, cpu, age) = (percent(measured.memory), percent(measured.cpu), look.age(measured.at));
    Some(format!("{rollout}  mem {memory}  cpu {cpu}  new kills {kills}  read {age} ago"))
}

/// A line each, for who listens.
pub(super) fn words(step: &Step, verification: &Verification, look: &Look) -> Vec<String> {
    let mut lines = vec![format!("Verification since {}.", look.clock(verification.watch.since))];
    for (at, test) in step.tests.iter().enumerate() {
        let state = verification.tests.get(at);
        let word = match state {
            Some(TestState::Passed) => "Test passed",
            Some(TestState::Failed) => "Test FAILED",
            Some(TestState::Unmeasured) => "Test not measured",
            Some(TestState::Moot) => "No test",
            Some(TestState::Waiting | TestState::Holding) | None => "Test waits",
        };
        lines.push(format!("{word}: {}{}", test.text(), so_far(step, verification, (test, at))));
    }
    let measured = measured(verification, look).map(|text| format::flowing(&text));
    lines.push(format!("Measured: {}", measured.unwrap_or_else(|| UNMEASURED.to_owned())));
    lines
}
