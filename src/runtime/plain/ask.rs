//! The question about a step, and whether a typed line answers it: after the grace, after a pause, typed and not pasted,
//! with the whole confirmation, for the very digest that was told.

use super::command::Answer;
use super::lines::{Origin, Typed};
use crate::domain::remediation::approval::{MAX_WRONG_TOKENS, Press, guard, token};
use crate::domain::remediation::request::{Digest, Mode};
use crate::domain::remediation::step::{StepId, StepState};
use crate::session::{IncidentId, Session};
use crate::ui::intent::Intent;
use crate::ui::model::Ui;

/// What is asked of whom.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Question {
    incident: IncidentId,
    step: StepId,
    digest: Digest,
    token: String,
    armed: bool,
}

impl Question {
    fn wanted(&self) -> Answer {
        if self.armed { Answer::Confirm } else { Answer::Approve }
    }
}

/// What becomes of an answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is taken.
    Take(Box<Intent>),
    /// It does not count.
    Refuse(String),
    /// It was wrong too often.
    StandDown(String),
}

/// The question that was told, since when, and how often it was answered wrongly.
#[derive(Clone, Debug, Default)]
pub(super) struct Asking {
    asked: Option<Question>,
    told_at: Option<u64>,
    last_input: Option<u64>,
    wrong: u8,
}

impl Asking {
    /// What has to be told, if there is a question that was not told yet.
    pub(super) fn question(&mut self, session: &Session, ui: &Ui) -> Option<[String; 2]> {
        let question = question(session, ui);
        if self.asked == question {
            return None;
        }
        (self.asked, self.told_at, self.wrong) = (question, None, 0);
        let asked = self.asked.as_ref()?;
        let what = if asked.armed {
            "It is ARMED, and WILL be sent once it is confirmed."
        } else if session.header.mode == Mode::DryRun {
            "This is a dry-run: an approval is recorded as \"would run\" and sends nothing."
        } else {
            "This is LIVE: an approval arms the step."
        };
        let word = asked.wanted().word();
        Some([
            format!("{} {what}", asked.step),
            format!("To {word}, type: {word} {}   To refuse: deny REASON, or skip.", asked.token),
        ])
    }

    /// The question has been told in full.
    pub(super) fn was_asked(&mut self, mono_ms: u64) {
        self.told_at = Some(mono_ms);
    }

    /// A line came.
    pub(super) fn note_input(&mut self, mono_ms: u64) {
        self.last_input = Some(mono_ms);
    }

    /// The question has to be told again before an answer counts.
    pub(super) fn forget(&mut self) {
        *self = Self { last_input: self.last_input, ..Self::default() };
    }

    /// Judges an answer.
    pub(super) fn judge(
        &mut self,
        (session, ui): (&Session, &Ui),
        (answer, typed): (Answer, &str),
        line: &Typed,
    ) -> Verdict {
        let input_before = self.last_input.replace(line.mono_ms);
        let asked = self.asked.clone().filter(|asked| question(session, ui).as_ref() == Some(asked));
        let Some(asked) = asked else { return Verdict::Refuse("No step waits for that.".to_owned()) };
        if line.origin == Origin::Pasted {
            return Verdict::Refuse("Paste is refused here: type the name and the digest.".to_owned());
        }
        if answer != asked.wanted() {
            return Verdict::Refuse(match asked.wanted() {
                Answer::Confirm => format!("It is armed already. To send it, type: confirm {}", asked.token),
                Answer::Approve => format!("Nothing is armed. First type: approve {}", asked.token),
            });
        }
        if let Err(too_soon) = guard(Press { drawn_at: self.told_at, input_before, at: line.mono_ms }) {
            return Verdict::Refuse(too_soon.text().to_owned());
        }
        if typed != asked.token {
            self.wrong += 1;
            if self.wrong >= MAX_WRONG_TOKENS {
                return Verdict::StandDown("three wrong tokens".to_owned());
            }
            let left = MAX_WRONG_TOKENS - self.wrong;
            return Verdict::Refuse(format!("That is not the name and digest asked for. Tries left: {left}."));
        }
        let (incident, step, digest) = (asked.incident, asked.step, asked.digest);
        Verdict::Take(Box::new(if asked.armed {
            Intent::Confirm { incident, step, digest }
        } else {
            Intent::Approve { incident, step, digest }
        }))
    }
}

fn question(session: &Session, ui: &Ui) -> Option<Question> {
    let (incident, step) = (ui.incident(session)?, ui.step(session)?);
    let armed = match step.state {
        StepState::Rehearsed => false,
        StepState::Armed { .. } => true,
        _ => return None,
    };
    if session.read_only.is_some() || incident.asked_step().is_none_or(|first| first.id != step.id) {
        return None;
    }
    let digest = step.digest.clone()?;
    let token = token(&step.target.name, &digest);
    Some(Question { incident: incident.id, step: step.id, digest, token, armed })
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::ui::model::{Size, UiOptions};
    use crate::ui::update::tests::session;

    const TOKEN: &str = "my-api 7f3a";

    /// A question that was told at 0, and the screen's memory.
    fn asked(state: StepState) -> (Asking, Session, Ui) {
        let (mut asking, session) = (Asking::default(), session(state));
        let ui = Ui::new(UiOptions::default(), Size::default());
        assert!(asking.question(&session, &ui).is_some());
        assert!(asking.question(&session, &ui).is_none(), "it is told once");
        asking.was_asked(0);
        (asking, session, ui)
    }

    fn answer((asking, session, ui): &mut (Asking, Session, Ui), raw: &str, mono_ms: u64) -> Verdict {
        let line = super::super::lines::Paste::default().line(raw, mono_ms);
        let text = line.text.clone();
        let word = asking.asked.as_ref().map_or(Answer::Approve, Question::wanted);
        asking.judge((session, ui), (word, &text), &line)
    }

    #[test]
    fn the_line_that_armed_a_step_does_not_send_it() {
        for (state, word, said) in [
            (StepState::Armed { until: Timestamp::MAX }, Answer::Approve, "It is armed already"),
            (StepState::Rehearsed, Answer::Confirm, "Nothing is armed"),
        ] {
            let (mut asking, session, ui) = asked(state);
            let line = super::super::lines::Paste::default().line(TOKEN, 3_000);
            let Verdict::Refuse(why) = asking.judge((&session, &ui), (word, TOKEN), &line) else {
                panic!("it is refused")
            };
            assert!(why.starts_with(said) && why.ends_with(TOKEN), "{why}");
            assert_eq!(asking.wrong, 0, "a word is no wrong token");
        }
    }

    #[test]
    fn the_whole_confirmation_typed_after_the_grace_is_taken() {
        let mut desk = asked(StepState::Rehearsed);
        assert!(matches!(answer(&mut desk, TOKEN, 999), Verdict::Refuse(_)), "typed ahead");
        assert!(matches!(answer(&mut desk, TOKEN, 1_100), Verdict::Refuse(_)), "no pause before it");
        let Verdict::Take(intent) = answer(&mut desk, TOKEN, 3_000) else { panic!("it is taken") };
        assert!(matches!(*intent, Intent::Approve { .. }));
        let mut desk = asked(StepState::Armed { until: Timestamp::MAX });
        let Verdict::Take(intent) = answer(&mut desk, TOKEN, 3_000) else { panic!("it is taken") };
        assert!(matches!(*intent, Intent::Confirm { .. }));
    }

    #[test]
    fn a_paste_another_digest_and_a_step_that_moved_are_refused() {
        let mut desk = asked(StepState::Rehearsed);
        let pasted = format!("\u{1b}[200~{TOKEN}\u{1b}[201~");
        assert_eq!(
            answer(&mut desk, &pasted, 3_000),
            Verdict::Refuse("Paste is refused here: type the name and the digest.".to_owned())
        );
        assert!(matches!(answer(&mut desk, "", 6_000), Verdict::Refuse(_)));
        assert!(matches!(answer(&mut desk, "my-api beef", 9_000), Verdict::Refuse(_)));
        assert_eq!(answer(&mut desk, "my-api", 12_000), Verdict::StandDown("three wrong tokens".to_owned()));
        let mut moved = asked(StepState::Rehearsed);
        moved.1 = session(StepState::Armed { until: Timestamp::MAX });
        assert!(matches!(answer(&mut moved, TOKEN, 3_000), Verdict::Refuse(_)), "it was told as something else");
    }

    #[test]
    fn nothing_is_asked_where_nothing_can_be_decided() {
        let ui = Ui::new(UiOptions::default(), Size::default());
        for state in [StepState::Proposed, StepState::Rehearsing, StepState::Approved, StepState::Running] {
            assert!(Asking::default().question(&session(state), &ui).is_none());
        }
    }
}
