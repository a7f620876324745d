//! Reads lines one after another: a collection of the older formats may take several.

use super::old::{self, Opened};
use super::{Collection, CollectionKind, unified};

/// Lines that a collection may take from its opening to its seconds; a log cut in the middle must not swallow the rest.
const LONGEST: usize = 60;

/// Reads a collector log line by line.
#[derive(Clone, Debug, Default)]
pub struct CollectorReader {
    collections: Vec<Collection>,
    opened: Option<(Opened, usize)>,
}

impl CollectorReader {
    /// Reads a line.
    pub fn read(&mut self, text: &str) {
        if let Some(collection) = unified::read(text).or_else(|| unified::read_v8(text)) {
            self.collections.push(collection);
            return;
        }
        if let Some(at) = old::opening(text) {
            let opened = old::open(text, at);
            self.go_on(opened, 0, &text[at..]);
            return;
        }
        if let Some((opened, lines)) = self.opened.take() {
            if lines < LONGEST {
                self.go_on(opened, lines + 1, text);
            }
        } else if let Some(heap) = Opened::heap_line(text)
            && let Some(last) = self.collections.last_mut()
        {
            last.heap = last.heap.or(Some(heap));
        }
    }

    fn go_on(&mut self, mut opened: Opened, lines: usize, text: &str) {
        match opened.read(text) {
            Some(pause) => self.collections.push(opened.close(pause)),
            None => self.opened = Some((opened, lines)),
        }
    }

    /// What was read so far.
    pub fn collections(&self) -> &[Collection] {
        &self.collections
    }

    /// What was read.
    pub fn finish(self) -> Vec<Collection> {
        self.collections
    }

    /// Full collections so far.
    pub fn full(&self) -> u64 {
        self.collections.iter().filter(|collection| collection.kind == CollectionKind::Full).count() as u64
    }
}
