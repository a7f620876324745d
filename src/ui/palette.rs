//! What the palette finds: the rows of the one keymap, and in a rehearsal every fault that can be let loose or cleared, each
//! composed of a service and a kind.

use std::borrow::Cow;

use jiff::Timestamp;

use super::help::Ground;
use super::keymap::{Binding, Keymap};
use super::search::fuzzy;
use crate::domain::drill::{Api, FaultWord, Injection, Lasts, StandingFault, reach_word};
use crate::session::Session;

/// The cost a letter may have before a sentence no longer counts as found.
const THIN: u32 = 3;
/// What asks for a fault to be cleared.
const CLEARING: [&str; 2] = ["clear", "end"];

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice<'a> {
    /// An action.
    Action(&'a Binding),
    /// A fault to let loose.
    Inject(Injection),
    /// A fault to clear.
    Clear(&'a StandingFault),
}

impl Choice<'_> {
    /// What it does.
    pub fn words(&self) -> Cow<'static, str> {
        match self {
            Self::Action(binding) => binding.row.words.into(),
            Self::Inject(injection) => injection.text().into(),
            Self::Clear(fault) => format!("Clear the fault: {}", fault.word()).into(),
        }
    }

    /// What it is called.
    pub fn id(&self) -> Cow<'static, str> {
        match self {
            Self::Action(binding) => binding.row.id.into(),
            Self::Inject(injection) => format!("{} {}", reach_word(injection.apis), injection.kind.word()).into(),
            Self::Clear(_) => "clear".into(),
        }
    }

    /// Which keys it has, or changes it by.
    pub fn keys_text(&self) -> String {
        match self {
            Self::Action(binding) => binding.keys_text(),
            Self::Inject(_) => "Tab: how long".to_owned(),
            Self::Clear(_) => String::new(),
        }
    }
}

/// What is found by a few letters, best first. Where every word names a part of a fault, faults stand before actions.
pub fn choices<'a>(keymap: &'a Keymap, (session, now): (&'a Session, Timestamp), query: &str) -> Vec<Choice<'a>> {
    let ground = Ground::of(session);
    let actions: Vec<Choice<'a>> = actions(keymap, query, ground).into_iter().map(Choice::Action).collect();
    let asked = match ground {
        Ground::Rehearsal => Asked::of(query),
        Ground::Real => return actions,
    };
    let clearing = session.drills_at(now).filter(|fault| asked.clears(fault)).map(Choice::Clear);
    let mut injecting: Vec<(u32, Injection)> = Injection::every(asked.lasts.unwrap_or(Lasts::USUAL))
        .into_iter()
        .filter_map(|injection| Some((asked.cost(&injection)?, injection)))
        .collect();
    injecting.sort_by_key(|(cost, _)| *cost);
    let faults = clearing.chain(injecting.into_iter().map(|(_, injection)| Choice::Inject(injection)));
    if asked.is_plain() { faults.chain(actions).collect() } else { actions.into_iter().chain(faults).collect() }
}

/// The actions: an id that begins with the letters, then whole words, then scattered letters. Letters scattered thinly over
/// a sentence find nothing.
fn actions<'a>(keymap: &'a Keymap, query: &str, ground: Ground) -> Vec<&'a Binding> {
    let rank = |binding: &Binding| {
        let letters = query.chars().count() as u32;
        // Of an id nothing but its own words is near: what the first Enter does must not be found by letters anywhere.
        let id = fuzzy(query, binding.row.id).filter(|cost| 2 * cost <= THIN * letters);
        let words = fuzzy(query, binding.row.words).filter(|cost| *cost <= THIN * letters).map(|cost| cost + 3);
        let starts = !binding.row.id.starts_with(query.trim());
        id.into_iter().chain(words).min().map(|cost| (starts, cost))
    };
    let known = keymap.bindings().iter().filter(|binding| ground.has(binding));
    // Before anything is typed all are alike: what is decided in pane 5, by its own keys, is not offered first.
    let is_late = |binding: &Binding| query.trim().is_empty() && binding.row.action.is_verb();
    let mut found: Vec<((bool, bool, u32), &Binding)> = known
        .filter_map(|binding| rank(binding).map(|(starts, cost)| ((is_late(binding), starts, cost), binding)))
        .collect();
    found.sort_by_key(|(rank, _)| *rank);
    found.into_iter().map(|(_, binding)| binding).collect()
}

/// A fault as it is typed: `slack 5xx 5m`.
#[derive(Debug)]
struct Asked {
    words: Vec<String>,
    lasts: Option<Lasts>,
}

impl Asked {
    fn of(query: &str) -> Self {
        let (mut words, mut lasts) = (Vec::new(), None);
        for word in query.to_lowercase().split_whitespace() {
            match Lasts::parse(word) {
                Some(typed) => lasts = Some(typed),
                None => words.push(word.to_owned()),
            }
        }
        Self { words, lasts }
    }

    /// Whether it can hardly be meant for an action: two words, or a word and a time.
    fn is_plain(&self) -> bool {
        self.words.len() + usize::from(self.lasts.is_some()) > 1
    }

    /// How far the words are from those of a fault; `None` where one is no beginning of any.
    fn cost(&self, injection: &Injection) -> Option<u32> {
        let aws = if injection.apis == Api::AWS { "aws" } else { "" };
        let single = if let [api] = injection.apis { Some(*api) } else { None };
        let known = names(single).chain([aws]).chain(kinds(injection.kind)).chain(["faults"]);
        self.cost_of(&known.collect::<Vec<_>>())
    }

    /// Whether it is to be cleared: never without a word for that, so that typing a fault again lets it loose again.
    fn clears(&self, fault: &StandingFault) -> bool {
        let says_so = |word: &String| CLEARING.iter().any(|known| known.starts_with(word.as_str()));
        let apis = fault.services.iter().flat_map(|api| names(Some(*api)));
        let known = apis.chain(kinds(fault.kind)).chain(CLEARING).chain(["aws", "faults"]);
        self.words.iter().any(says_so) && self.cost_of(&known.collect::<Vec<_>>()).is_some()
    }

    fn cost_of(&self, known: &[&str]) -> Option<u32> {
        if self.words.is_empty() {
            return None;
        }
        self.words.iter().try_fold(0, |sum, word| {
            let near = known.iter().filter(|name| name.starts_with(word.as_str()));
            near.map(|name| u32::from(*name != word)).min().map(|cost| sum + cost)
        })
    }
}

fn names(api: Option<Api>) -> impl Iterator<Item = &'static str> {
    api.into_iter().flat_map(|api| std::iter::once(api.word()).chain(api.aliases().split(' ')))
}

fn kinds(kind: FaultWord) -> impl Iterator<Item = &'static str> {
    std::iter::once(kind.word()).chain(kind.aliases().split(' '))
}

/// The query with the next of the times that are offered in it, in place of the one that is.
pub fn with_next_time(query: &str) -> String {
    let (times, kept): (Vec<&str>, Vec<&str>) = query.split_whitespace().partition(|word| Lasts::parse(word).is_some());
    let now = times.last().and_then(|word| Lasts::parse(word)).unwrap_or(Lasts::USUAL);
    let at = Lasts::OFFERED.iter().position(|(lasts, _)| *lasts == now).map_or(0, |at| at + 1);
    let (_, next) = Lasts::OFFERED[at % Lasts::OFFERED.len()];
    kept.into_iter().chain([next]).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::header::{Header, Origin};

    fn rehearsal() -> Session {
        let origin = Origin::Rehearsal { scenario: "oom-leak".to_owned(), seed: 1, speed: "1".to_owned() };
        Session { header: Header { origin, ..Header::default() }, ..Session::default() }
    }

    fn found(session: &Session, query: &str) -> Vec<String> {
        let keymap = Keymap::default();
        let found = choices(&keymap, (session, Timestamp::UNIX_EPOCH), query);
        found.iter().map(|choice| choice.id().into_owned()).collect()
    }

    fn first(session: &Session, query: &str) -> String {
        found(session, query).into_iter().next().unwrap_or_default()
    }

    #[test]
    fn an_action_is_found_by_a_few_letters() {
        for session in [rehearsal(), Session::default()] {
            for (query, id) in [("q", "quit"), ("nerr", "next-error"), ("export", "export"), ("no such thing", "")] {
                assert_eq!(first(&session, query), id, "{query}");
            }
        }
    }

    #[test]
    fn letters_here_and_there_in_an_id_do_not_name_it() {
        for session in [rehearsal(), Session::default()] {
            assert_eq!(first(&session, "theme"), "theme");
            assert!(
                !found(&session, "theme").iter().any(|id| id == "game-day-throttle-metrics"),
                "{:?}",
                found(&session, "theme")
            );
        }
    }

    #[test]
    fn what_is_decided_is_not_what_is_offered_first() {
        let all = found(&Session::default(), "");
        let place = |id: &str| all.iter().position(|other| other == id).unwrap();
        assert!(place("approve") > place("quit") && place("approve") > place("open"), "{all:?}");
        assert_eq!(first(&Session::default(), "approve"), "approve", "who types it finds it");
    }

    #[test]
    fn drills_and_faults_are_known_in_a_rehearsal_alone() {
        let drill = "game day throttle logs";
        assert_eq!(first(&rehearsal(), drill), "game-day-throttle-logs");
        assert_eq!(found(&Session::default(), drill), [""; 0]);
        assert_eq!(found(&Session::default(), "slack 5xx 5m"), [""; 0]);
    }

    #[test]
    fn a_fault_is_found_by_its_service_and_its_kind_in_any_words_and_order() {
        for (query, id) in [
            ("slack 5xx", "slack unavailable"),
            ("sts expired 5m", "sts expired"),
            ("helm unreachable", "charts unresolved"),
            ("410 k8s", "kubernetes gone"),
            ("aws clock until", "aws skewed"),
            ("logs thr", "logs throttled"),
            ("fault model cut", "bedrock cut"),
            ("alarms sil 90s", "cloudwatch silence"),
            ("logs exception", "logs exception"),
        ] {
            assert_eq!(first(&rehearsal(), query), id, "{query}");
        }
        let all = found(&rehearsal(), "fault").iter().filter(|id| id.contains(' ')).count();
        assert_eq!(all, Injection::every(Lasts::USUAL).len());
        assert!(!found(&rehearsal(), "slack skewed").contains(&"slack skewed".to_owned()), "it does not exist");
    }

    #[test]
    fn the_time_is_what_is_typed_last_and_a_key_steps_through_what_is_offered() {
        let (keymap, session) = (Keymap::default(), rehearsal());
        let words = |query: &str| {
            let found = choices(&keymap, (&session, Timestamp::UNIX_EPOCH), query);
            found.first().map(|choice| choice.words().into_owned()).unwrap()
        };
        assert_eq!(words("slack 5xx"), "Slack fails on its side for 1 min");
        assert_eq!(words("slack 5xx 30s 2h"), "Slack fails on its side for 2 h");
        let mut query = "slack 5xx".to_owned();
        for expected in ["slack 5xx 5m", "slack 5xx until", "slack 5xx 30s", "slack 5xx 1m"] {
            query = with_next_time(&query);
            assert_eq!(query, expected);
        }
        assert_eq!(with_next_time("slack 90s 5xx"), "slack 5xx 30s", "one of the person's own gives way");
    }

    #[test]
    fn what_stands_can_be_cleared_by_its_name() {
        let mut session = rehearsal();
        let of = |apis, kind| Injection { apis, kind, lasts: Lasts::USUAL }.at(Timestamp::UNIX_EPOCH);
        session.drills = vec![of(&[Api::Slack], FaultWord::Denied), of(&Api::AWS, FaultWord::Latency)];
        let keymap = Keymap::default();
        let cleared = |query: &str, seconds| {
            let now = Timestamp::from_second(seconds).unwrap();
            let found = choices(&keymap, (&session, now), query);
            let standing = found.into_iter().filter(|choice| matches!(choice, Choice::Clear(_)));
            standing.map(|choice| choice.words().into_owned()).collect::<Vec<_>>()
        };
        assert_eq!(cleared("clear", 59), ["Clear the fault: slack denied", "Clear the fault: aws latency"]);
        assert_eq!(cleared("slack denied", 59), [""; 0], "it is let loose again");
        assert_eq!(cleared("clear slack", 59), ["Clear the fault: slack denied"]);
        assert_eq!(cleared("clear", 60), [""; 0], "they have ended");
    }
}
