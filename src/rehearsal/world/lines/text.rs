//! The words of a line: a template and what its fields are drawn from.

use crate::rehearsal::behaviour::{mixed, unit};
use crate::rehearsal::scenario::{FieldSpec, LogSpec};
use crate::rehearsal::world::{MINUTE, Sight, minute_of};

use super::Moment;

/// Where the accidents of a line come from.
#[derive(Debug)]
pub(super) enum Draw<'d> {
    /// From names: for lines that are few and may be drawn in any order.
    Keyed { seed: u64, generator: &'d str, key: &'d str },
    /// One after another: for lines that are many.
    Dice(Dice),
}

impl Draw<'_> {
    /// A number in `[0, 1)`.
    pub(super) fn unit(&mut self, what: &str) -> f64 {
        match self {
            Self::Keyed { seed, generator, key } => unit(*seed, generator, &format!("{what} {key}")),
            Self::Dice(dice) => dice.unit(),
        }
    }

    fn bits(&mut self, what: &str) -> u64 {
        match self {
            Self::Keyed { seed, generator, key } => mixed(*seed, generator, &format!("{what} {key}")),
            Self::Dice(dice) => dice.next(),
        }
    }
}

/// A sequence of numbers (splitmix64).
#[derive(Clone, Copy, Debug)]
pub(super) struct Dice(u64);

impl Dice {
    /// The sequence of a generator in a second.
    pub(super) fn of(seed: u64, index: usize, second: i64) -> Self {
        let mut dice = Self(seed ^ (index as u64).wrapping_mul(0xd6e8_feb8_6659_fd93));
        Self(dice.next() ^ (second as u64).wrapping_mul(0xa076_1d64_78bd_642f))
    }

    /// The sequence of one line of it.
    pub(super) fn line(self, nth: usize) -> Self {
        Self(self.0.wrapping_add((nth as u64).wrapping_mul(0xe703_7ed1_a0b4_28db)))
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    pub(super) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

impl Sight<'_> {
    /// One of the templates, filled in. Braces around anything but a name stand for themselves.
    pub(super) fn said(&self, log: &LogSpec, moment: &Moment<'_>, draw: &mut Draw<'_>) -> Option<String> {
        let template = log.templates.get((draw.unit("template") * log.templates.len() as f64) as usize)?;
        let mut text = String::with_capacity(template.len() + 16);
        let mut rest = template.as_str();
        while let Some((before, after)) = rest.split_once('{') {
            text.push_str(before);
            let end = after.find(|sign: char| !sign.is_alphanumeric() && !"_-".contains(sign)).unwrap_or(after.len());
            let (name, tail) = after.split_at(end);
            let Some(tail) = tail.strip_prefix('}').filter(|_| !name.is_empty()) else {
                text.push('{');
                rest = after;
                continue;
            };
            match (name, moment.life) {
                ("pod", Some(life)) => text.push_str(&life.pod),
                ("container", Some(life)) => text.push_str(&life.container),
                ("time", _) => text.push_str(&moment.at.to_string()),
                ("restarts", _) => text.push_str(&moment.restarts.to_string()),
                _ => text.push_str(&self.field(log, name, moment, draw)),
            }
            rest = tail;
        }
        text.push_str(rest);
        Some(text)
    }

    fn field(&self, log: &LogSpec, name: &str, moment: &Moment<'_>, draw: &mut Draw<'_>) -> String {
        match log.fields.get(name) {
            Some(FieldSpec::Int { min, max }) => (min + (draw.unit(name) * (max - min + 1) as f64) as i64).to_string(),
            Some(FieldSpec::Pick { of }) => {
                of.get((draw.unit(name) * of.len() as f64) as usize).cloned().unwrap_or_default()
            }
            Some(FieldSpec::Hex { digits }) => {
                let bits = format!("{:016x}", draw.bits(name));
                bits[..usize::from(*digits).min(16)].to_owned()
            }
            Some(FieldSpec::Metric { metric }) => {
                let value = self.value(metric, minute_of(moment.at) - MINUTE);
                value.map_or_else(|| "-".to_owned(), |value| value.to_string())
            }
            None => format!("{{{name}}}"),
        }
    }
}
