//! Where in the text each claim stands.

use crate::domain::diagnosis::claim::Claim;

/// A claim with its place in the text, in bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Placed<'a> {
    pub(super) number: usize,
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) claim: &'a Claim,
}

/// Finds claims from a number on, from a place on: claims are sentences of the text in their order. One that is not
/// found as it stands has no length and stands where the one before it ended, so that none is lost.
pub(super) fn place<'a>(text: &str, claims: &'a [Claim], (from, number): (usize, usize)) -> Vec<Placed<'a>> {
    let mut at = from;
    let rest = claims.iter().enumerate().skip(number);
    rest.map(|(number, claim)| {
        let found = text.get(at..).and_then(|rest| rest.find(claim.text.as_str()));
        let from = found.map_or(at, |offset| at + offset);
        let to = if found.is_some() { from + claim.text.len() } else { from };
        at = to;
        Placed { number, from, to, claim }
    })
    .collect()
}
