//! A fault as a command line asks for it before a rehearsal begins: `SERVICE:KIND[@FROM..TO]`.

use jiff::{SignedDuration, Timestamp};

use super::injection::{reach_of, reach_word};
use super::standing::StandingFault;
use super::word::{Api, FaultWord};
use crate::domain::near::nearest;

/// A fault with its window, counted from the start of the rehearsal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArrangedFault {
    apis: &'static [Api],
    kind: FaultWord,
    from: SignedDuration,
    until: Option<SignedDuration>,
}

impl ArrangedFault {
    /// Reads it.
    ///
    /// # Errors
    /// What is wrong with it and what would be right, in sentences.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (what, window) = text.split_once('@').map_or((text, None), |(what, window)| (what, Some(window)));
        let Some((service, kind)) = what.split_once(':') else {
            return Err(format!("{text:?} is not SERVICE:KIND[@FROM..TO], such as `slack:unavailable@30s..2m`."));
        };
        let apis = reach_of(service).ok_or_else(|| {
            let known = Api::ALL.map(Api::word).join(", ");
            let words: Vec<&str> = Api::ALL.into_iter().map(Api::word).chain(["aws"]).collect();
            let near = meant(service, &words);
            format!("There is no service {service:?}{near}: it is one of {known}, or aws for the first four.")
        })?;
        // By its word, or by one that the palette takes for it.
        let also = |known: &FaultWord| {
            known.aliases().split(' ').any(|alias| alias == kind) && apis.iter().all(|api| known.is_of(*api))
        };
        let kind = FaultWord::ALL
            .into_iter()
            .find(|known| known.word() == kind)
            .or_else(|| FaultWord::ALL.into_iter().find(also))
            .ok_or_else(|| {
                let words: Vec<&str> = FaultWord::ALL.into_iter().flat_map(words_of).collect();
                let near = meant(kind, &words);
                format!("There is no kind of fault {kind:?}{near}: {service} knows {}.", known_kinds(apis))
            })?;
        if !apis.iter().all(|api| kind.is_of(*api)) {
            return Err(format!("{service} knows no fault {:?}: it knows {}.", kind.word(), known_kinds(apis)));
        }
        let (from, until) = window.map_or(Ok((SignedDuration::ZERO, None)), window_of)?;
        Ok(Self { apis, kind, from, until })
    }

    /// The same as of the start of a rehearsal.
    pub fn at(&self, start: Timestamp) -> StandingFault {
        let from = start.checked_add(self.from).unwrap_or(Timestamp::MAX);
        let until = self.until.map(|until| start.checked_add(until).unwrap_or(Timestamp::MAX));
        StandingFault { services: self.apis.to_vec(), kind: self.kind, from, until }
    }

    /// What it is, as the timeline tells it.
    pub fn text(&self) -> String {
        let until = self.until.map_or("its end".to_owned(), |until| format!("{until:#}"));
        format!(
            "{} {} from {:#} to {until}, asked for before the start",
            reach_word(self.apis),
            self.kind.word(),
            self.from
        )
    }
}

fn words_of(kind: FaultWord) -> impl Iterator<Item = &'static str> {
    std::iter::once(kind.word()).chain(kind.aliases().split(' ')).filter(|word| !word.is_empty())
}

fn meant(word: &str, known: &[&str]) -> String {
    nearest(word, known).map(|near| format!(" (did you mean {near}?)")).unwrap_or_default()
}

fn known_kinds(apis: &[Api]) -> String {
    let known = FaultWord::ALL.into_iter().filter(|kind| apis.iter().all(|api| kind.is_of(*api)));
    known.map(FaultWord::word).collect::<Vec<_>>().join(", ")
}

fn window_of(text: &str) -> Result<(SignedDuration, Option<SignedDuration>), String> {
    let wrong =
        || format!("{text:?} is no window: write FROM..TO from the start, such as `30s..2m`, `..90s` or `1m..`.");
    let (from, until) = text.split_once("..").ok_or_else(wrong)?;
    let span = |part: &str| match part {
        "" => Ok(None),
        part => part.parse::<SignedDuration>().map(Some).map_err(|_| wrong()),
    };
    let (from, until) = (span(from)?.unwrap_or_default(), span(until)?);
    if from.is_negative() {
        return Err(wrong());
    }
    if until.is_some_and(|until| until <= from) {
        return Err(format!("The window {text:?} ends before it begins."));
    }
    Ok((from, until))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_read_with_and_without_its_window() {
        let start = Timestamp::UNIX_EPOCH;
        for (text, word, from, until) in [
            ("slack:unavailable", "slack unavailable", 0, None),
            ("slack:5xx", "slack unavailable", 0, None),
            ("kubernetes:410", "kubernetes gone", 0, None),
            ("aws:expired@30s..2m", "aws expired", 30, Some(120)),
            ("kubernetes:gone@..1m30s", "kubernetes gone", 0, Some(90)),
            ("charts:unresolved@1m..", "charts unresolved", 60, None),
        ] {
            let fault = ArrangedFault::parse(text).unwrap().at(start);
            let seconds = |at: Timestamp| at.as_second();
            assert_eq!((fault.word().as_str(), seconds(fault.from), fault.until.map(seconds)), (word, from, until));
        }
        let told = ArrangedFault::parse("aws:expired@30s..2m").unwrap().text();
        assert_eq!(told, "aws expired from 30s to 2m, asked for before the start");
    }

    #[test]
    fn what_is_wrong_is_told_with_what_would_be_right() {
        for (text, words) in [
            ("slack", "SERVICE:KIND"),
            ("azure:denied", "cloudwatch, logs, bedrock, sts, kubernetes, slack, charts, or aws"),
            ("slack:broken", "slack knows latency, throttled"),
            ("slcak:denied", "(did you mean slack?)"),
            ("slack:5x", "(did you mean 5xx?)"),
            ("slack:throtled", "(did you mean throttled?)"),
            ("slack:skewed", "slack knows no fault \"skewed\": it knows latency"),
            ("aws:pages", "aws knows no fault \"pages\""),
            ("slack:denied@5m", "FROM..TO"),
            ("slack:denied@soon..", "FROM..TO"),
            ("slack:denied@-5s..10s", "FROM..TO"),
            ("slack:denied@2m..1m", "ends before it begins"),
        ] {
            let why = ArrangedFault::parse(text).unwrap_err();
            assert!(why.contains(words), "{text}: {why}");
        }
    }
}
