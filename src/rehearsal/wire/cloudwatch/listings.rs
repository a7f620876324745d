//! Listings of alarms as they were written last: they are asked for all the time and change when an alarm does.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::body::Bytes;

/// Questions that are remembered, pages and filters among them; more begin anew.
const MOST: usize = 64;

/// Answers by the question as it was sent.
#[derive(Debug, Default)]
pub struct Listings(Mutex<HashMap<Bytes, (u64, Bytes)>>);

impl Listings {
    /// The answer to a question, if no alarm has changed since it was written.
    pub(super) fn known(&self, question: &Bytes, turn: u64) -> Option<Bytes> {
        let kept = self.kept();
        kept.get(question).filter(|(then, _)| *then == turn).map(|(_, answer)| answer.clone())
    }

    /// Keeps an answer.
    pub(super) fn keep(&self, question: &Bytes, turn: u64, answer: &Bytes) {
        let mut kept = self.kept();
        if kept.len() >= MOST && !kept.contains_key(question) {
            kept.clear();
        }
        kept.insert(question.clone(), (turn, answer.clone()));
    }

    fn kept(&self) -> MutexGuard<'_, HashMap<Bytes, (u64, Bytes)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_kept_for_its_question_until_an_alarm_turns() {
        let listings = Listings::default();
        let (all, some) = (Bytes::from_static(b"all"), Bytes::from_static(b"some"));
        let answer = Bytes::from_static(b"two alarms");
        listings.keep(&all, 7, &answer);
        assert_eq!(listings.known(&all, 7), Some(answer));
        assert_eq!((listings.known(&all, 8), listings.known(&some, 7)), (None, None));
        for number in 0..MOST {
            listings.keep(&Bytes::from(number.to_string()), 7, &Bytes::new());
        }
        assert_eq!(listings.known(&all, 7), None, "they do not grow without end");
    }
}
