//! Reads lines one after another: a collection of the older formats may take several.

use std::borrow::Cow;

use super::old::{self, Opened};
use super::{Collection, size, unified};

/// Lines that a collection may take from its opening to its seconds; a log cut in the middle must not swallow the rest.
const LONGEST: usize = 60;
/// Seconds that no process has been up: what is more is a date.
const DATED: f64 = 5e8;

/// Reads a collector log line by line.
#[derive(Clone, Debug, Default)]
pub struct CollectorReader {
    collections: Vec<Collection>,
    opened: Option<(Opened, usize)>,
    maximum: Option<u64>,
}

impl CollectorReader {
    /// Reads a line.
    pub fn read(&mut self, text: &str) {
        let text = &*with_points(text);
        self.maximum = maximum(text).or(self.maximum);
        let told = unified::read(text).or_else(|| unified::read_v8(text)).or_else(|| unified::read_stall(text));
        if let Some(collection) = told {
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

    /// What was read, by one clock: where some lines tell the time since the start and some a date, those of the clock that
    /// fewer have lose their time.
    pub fn finish(mut self) -> Vec<Collection> {
        let is_date = |at: f64| at >= DATED;
        let times = || self.collections.iter().filter_map(|one| one.at_s);
        let by_date = times().filter(|at| is_date(*at)).count() * 2 > times().count();
        for one in &mut self.collections {
            one.at_s = one.at_s.filter(|at| is_date(*at) == by_date);
        }
        self.collections
    }

    /// The most that the heap may be, in bytes, where the log told it last: a process writes it as it starts.
    pub fn maximum(&self) -> Option<u64> {
        self.maximum
    }
}

/// What the heap may be at the most: `Heap Max Capacity: 8G` among what the unified log tells of a start, else the flags of the
/// command line (`-XX:MaxHeapSize=8589934592`, `-Xmx8g`), of which the last counts.
fn maximum(text: &str) -> Option<u64> {
    let capacity =
        || text.split_once("Max Capacity: ").filter(|(head, _)| head.contains("init") && !head.ends_with("Soft "));
    let flag = || text.rsplit_once("MaxHeapSize=").or_else(|| text.rsplit_once("-Xmx"));
    let (_, value) = capacity().or_else(flag)?;
    let end = value.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(value.len());
    size(&value[..end]).filter(|most| *most > 0)
}

/// A line with its decimal commas, as some languages write numbers, turned to points. A comma between a size and another
/// thing has no digit on one of its sides.
fn with_points(text: &str) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    let is_digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let is_decimal = |at: usize| bytes[at] == b',' && at > 0 && is_digit(at - 1) && is_digit(at + 1);
    if !text.contains(',') || !(0..bytes.len()).any(is_decimal) {
        return Cow::Borrowed(text);
    }
    text.char_indices().map(|(at, c)| if is_decimal(at) { '.' } else { c }).collect()
}
