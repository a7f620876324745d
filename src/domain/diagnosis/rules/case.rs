//! A cause being weighed: tests with weights, and the confidence they come to.

use crate::domain::diagnosis::evidence::{EvidenceId, Question};
use crate::domain::diagnosis::verdict::{Cause, Confidence, ConfidenceTerms, Finding, RankedCause, Side};

/// How much a cause needs a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Need {
    /// Without support by this test the cause is not settled; against it the cause is ruled out.
    Essential,
    /// Against it the cause is ruled out; unanswered it only lowers the confidence.
    Excluding,
    /// It adds or takes away.
    Helpful,
}

/// What a test came to.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Outcome {
    /// For the cause, with a sentence.
    For(String, Vec<EvidenceId>),
    /// Against it.
    Against(String, Vec<EvidenceId>),
    /// The evidence is missing or says neither.
    Open,
    /// The test does not apply here and weighs nothing.
    Moot,
}

/// The most that a cause comes to which something rules out.
const RULED_OUT: f64 = 0.15;

/// A cause with its tests.
#[derive(Clone, Debug)]
pub(super) struct Case {
    pub(super) cause: Cause,
    findings: Vec<Finding>,
    open: Vec<(Question, f64, Need)>,
    broken: bool,
    called: Option<String>,
}

impl Case {
    /// A cause without tests.
    pub(super) fn new(cause: Cause) -> Self {
        Self { cause, findings: Vec::new(), open: Vec::new(), broken: false, called: None }
    }

    /// Adds a test on a question, with its weight in `[0, 1]`.
    pub(super) fn test(mut self, question: Question, weight: f64, need: Need, outcome: Outcome) -> Self {
        match outcome {
            Outcome::For(text, evidence) => self.find(text, Side::Supports, weight, evidence),
            Outcome::Against(text, evidence) => {
                self.broken |= matches!(need, Need::Essential | Need::Excluding);
                self.find(text, Side::Against, weight, evidence);
            }
            Outcome::Open => self.open.push((question, weight, need)),
            Outcome::Moot => {}
        }
        self
    }

    /// Calls it by closer words than its cause's, where there are any.
    pub(super) fn called(self, called: Option<String>) -> Self {
        Self { called, ..self }
    }

    /// Its words.
    pub(super) fn words(&self) -> &str {
        self.called.as_deref().unwrap_or(self.cause.words())
    }

    fn find(&mut self, text: String, side: Side, weight: f64, evidence: Vec<EvidenceId>) {
        let ids: Vec<String> = evidence.iter().map(ToString::to_string).collect();
        let text = if ids.is_empty() { text } else { format!("{text} [{}]", ids.join(", ")) };
        self.findings.push(Finding { text, side, weight, evidence });
    }

    fn sum(&self, side: Side) -> f64 {
        weights(self.findings.iter().filter(|finding| finding.side == side).map(|finding| finding.weight))
    }

    /// What the confidence comes from: see [`ConfidenceTerms`].
    fn terms(&self, is_unread: impl Fn(Question) -> bool) -> ConfidenceTerms {
        let cap = if self.broken {
            RULED_OUT
        } else if self.open.iter().any(|(_, _, need)| *need == Need::Essential) {
            0.5
        } else {
            1.0
        };
        let open = weights(self.open.iter().map(|(_, weight, _)| *weight));
        let unread = || self.open.iter().filter(|(question, _, _)| is_unread(*question));
        let rules_out = unread().any(|(_, _, need)| matches!(need, Need::Essential | Need::Excluding));
        ConfidenceTerms {
            supports: self.sum(Side::Supports),
            against: self.sum(Side::Against),
            open,
            cap,
            unread: weights(unread().map(|(_, weight, _)| *weight)),
            cap_at_worst: if rules_out { RULED_OUT } else { 1.0 },
        }
    }

    /// How sure the rule is.
    pub(super) fn confidence(&self) -> Confidence {
        self.terms(|_| false).confidence()
    }

    /// The confidence if all that is open and was asked spoke for it. A question that nobody could ask stays open for
    /// ever: it keeps its cause down, not the others.
    pub(super) fn at_best(&self, was_asked: impl Fn(Question) -> bool) -> f64 {
        let sum = |asked: bool| {
            let of_it = self.open.iter().filter(|(question, _, _)| was_asked(*question) == asked);
            weights(of_it.map(|(_, weight, _)| *weight))
        };
        let never_essential =
            self.open.iter().any(|(question, _, need)| *need == Need::Essential && !was_asked(*question));
        let (asked, never) = (sum(true), sum(false));
        if self.broken || never_essential || asked <= 0.0 {
            return self.confidence().value();
        }
        let terms = ConfidenceTerms {
            supports: self.sum(Side::Supports) + asked,
            against: self.sum(Side::Against),
            open: never,
            cap: 1.0,
            ..self.terms(|_| false)
        };
        terms.confidence().value()
    }

    /// The weight of what supports it.
    pub(super) fn supported(&self) -> f64 {
        self.sum(Side::Supports)
    }

    /// Whether an essential or excluding test speaks against it.
    pub(super) fn is_ruled_out(&self) -> bool {
        self.broken
    }

    /// Whether every essential test was answered and supports it.
    pub(super) fn essentials_hold(&self) -> bool {
        !self.broken && self.open.iter().all(|(_, _, need)| *need != Need::Essential)
    }

    /// Whether an essential test waits for a question.
    pub(super) fn waits_for(&self, question: Question) -> bool {
        self.open.iter().any(|(asked, _, need)| *asked == question && *need == Need::Essential)
    }

    /// As ranked in the verdict, heaviest finding first.
    pub(super) fn ranked(&self, is_unread: impl Fn(Question) -> bool) -> RankedCause {
        let mut findings = self.findings.clone();
        findings.sort_by(|a, b| b.weight.total_cmp(&a.weight));
        let (confidence, called) = (self.confidence(), self.called.clone());
        RankedCause { cause: self.cause, confidence, findings, terms: Some(self.terms(is_unread)), called }
    }
}

/// The sum of none is -0.0, which nobody wants to read.
fn weights(all: impl Iterator<Item = f64>) -> f64 {
    all.sum::<f64>() + 0.0
}
