//! A fault as a person asks for it: of which kind, on which APIs, and for how long.

use jiff::{SignedDuration, Timestamp};

use super::standing::StandingFault;
use super::word::{Api, FaultWord};

/// The longest a fault may be asked for in one go, in seconds; what lasts longer lasts until it is cleared.
const LONGEST_S: u32 = 24 * 3_600;

/// How long a fault lasts, in incident time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lasts {
    /// So many seconds.
    Seconds(u32),
    /// Until somebody clears it.
    UntilCleared,
}

impl Lasts {
    /// What is taken where nothing is said.
    pub const USUAL: Self = Self::Seconds(60);
    /// What a key steps through, each with the word that asks for it.
    pub const OFFERED: [(Self, &'static str); 4] = [
        (Self::Seconds(30), "30s"),
        (Self::Seconds(60), "1m"),
        (Self::Seconds(300), "5m"),
        (Self::UntilCleared, "until"),
    ];

    /// Reads `90s`, `5m`, `2h` or `until`.
    pub fn parse(word: &str) -> Option<Self> {
        if word == "until" {
            return Some(Self::UntilCleared);
        }
        let (number, unit) = word.split_at_checked(word.len().checked_sub(1)?)?;
        let factor = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 3_600,
            _ => return None,
        };
        let seconds = number.parse::<u32>().ok()?.checked_mul(factor)?;
        (1..=LONGEST_S).contains(&seconds).then_some(Self::Seconds(seconds))
    }

    /// As a sentence ends: `for 5 min`.
    pub fn text(self) -> String {
        match self {
            Self::Seconds(seconds) if seconds % 3_600 == 0 => format!("for {} h", seconds / 3_600),
            Self::Seconds(seconds) if seconds % 60 == 0 => format!("for {} min", seconds / 60),
            Self::Seconds(seconds) => format!("for {seconds} s"),
            Self::UntilCleared => "until it is cleared".to_owned(),
        }
    }
}

/// A fault to let loose now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Injection {
    /// On which APIs.
    pub apis: &'static [Api],
    /// Of which kind.
    pub kind: FaultWord,
    /// For how long.
    pub lasts: Lasts,
}

impl Injection {
    /// Every fault that can be asked for: each kind on each API that it exists for, and on all of AWS where it exists for
    /// all of it.
    pub fn every(lasts: Lasts) -> Vec<Self> {
        let singles: Vec<&'static [Api]> = Api::ALL.chunks(1).collect();
        let reaches = std::iter::once(Api::AWS.as_slice()).chain(singles);
        // Constants borrowed for good.
        let pairs = reaches.flat_map(|apis| FaultWord::ALL.into_iter().map(move |kind| (apis, kind)));
        let offered = pairs.filter(|(apis, kind)| apis.iter().all(|api| kind.is_of(*api)));
        offered.map(|(apis, kind)| Self { apis, kind, lasts }).collect()
    }

    /// The same as of an instant.
    pub fn at(&self, now: Timestamp) -> StandingFault {
        let until = match self.lasts {
            Lasts::Seconds(seconds) => Some(now + SignedDuration::from_secs(i64::from(seconds))),
            Lasts::UntilCleared => None,
        };
        StandingFault { services: self.apis.to_vec(), kind: self.kind, from: now, until }
    }

    /// What it is, as a list tells it: `Slack fails on its side for 5 min`.
    pub fn text(&self) -> String {
        let who = match self.apis {
            [one] => one.name(),
            _ => "every AWS service",
        };
        let mut letters = who.chars();
        let first = letters.next().map(|letter| letter.to_ascii_uppercase()).into_iter();
        let who: String = first.chain(letters).collect();
        format!("{who} {} {}", self.kind.told(), self.lasts.text())
    }
}

/// The APIs by one word: `aws`, or the word of one of them.
pub fn reach_of(word: &str) -> Option<&'static [Api]> {
    if word == "aws" {
        return Some(&Api::AWS);
    }
    Api::ALL.chunks(1).find(|one| one.iter().all(|api| api.word() == word))
}

/// Several APIs as one word: `aws`, `slack`, `logs+kubernetes`.
pub fn reach_word(apis: &[Api]) -> String {
    if apis == Api::AWS {
        return "aws".to_owned();
    }
    apis.iter().map(|api| api.word()).collect::<Vec<_>>().join("+")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_offered_is_what_exists_and_all_of_it() {
        let offered = Injection::every(Lasts::USUAL);
        let pairs: usize = FaultWord::ALL.iter().map(|kind| kind.apis().len()).sum();
        let of_aws = FaultWord::ALL.iter().filter(|kind| Api::AWS.iter().all(|api| kind.is_of(*api))).count();
        assert_eq!((offered.len(), pairs, of_aws), (pairs + of_aws, 88, 11));
        let mut words: Vec<String> = offered.iter().map(|one| one.at(Timestamp::UNIX_EPOCH).word()).collect();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), offered.len(), "each has a word of its own");
    }

    #[test]
    fn a_time_is_read_as_it_is_typed() {
        for (word, expected) in [
            ("30s", Some("for 30 s")),
            ("90s", Some("for 90 s")),
            ("1m", Some("for 1 min")),
            ("60m", Some("for 1 h")),
            ("24h", Some("for 24 h")),
            ("until", Some("until it is cleared")),
            ("25h", None),
            ("0s", None),
            ("m", None),
            ("", None),
            ("5xx", None),
            ("99999999h", None),
            ("-5m", None),
            ("5é", None),
        ] {
            assert_eq!(Lasts::parse(word).map(Lasts::text).as_deref(), expected, "{word}");
        }
        assert!(Lasts::OFFERED.iter().all(|(lasts, word)| Lasts::parse(word) == Some(*lasts)));
    }

    #[test]
    fn reaches_have_one_word_each() {
        for injection in Injection::every(Lasts::USUAL) {
            assert_eq!(reach_of(&reach_word(injection.apis)), Some(injection.apis));
        }
        assert_eq!(reach_of("azure"), None);
    }
}
