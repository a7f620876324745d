//! What a verdict of a random session suffices for.

use crate::domain::diagnosis::sufficiency::{RemedyKind, RemedyOffer, Sufficiency};
use crate::domain::diagnosis::verdict::Verdict;

/// Whether a verdict suffices for the step's remedy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Offered {
    Yes,
    No,
}

pub(super) fn offers(offered: Offered) -> Vec<RemedyOffer> {
    let suffices = Sufficiency::Sufficient { why: "It helps.".to_owned() };
    let refused = Sufficiency::Refused { reasons: vec!["It does not help.".to_owned()] };
    let (restart, scale) = match offered {
        Offered::Yes => (suffices, refused),
        Offered::No => (refused, suffices),
    };
    let offer = |remedy, sufficiency| RemedyOffer { remedy, sufficiency };
    vec![offer(RemedyKind::RolloutRestart, restart), offer(RemedyKind::Scale, scale)]
}

pub(super) fn settled() -> Verdict {
    Verdict { ranked: Vec::new(), missing: Vec::new(), conclusive: true, rests_on: Vec::new() }
}
