//! Lines of garbage collectors: pauses and full collections, by the wordings of the JVM (old and unified) and V8.

/// What a line tells of a collection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Collection {
    /// A pause that collects a part of the heap.
    Pause,
    /// A pause that collects all of it.
    Full,
}

/// Reads a collector line. Lines that only announce a start, or describe a part of a pause, tell of none.
pub(super) fn collection(text: &str) -> Option<Collection> {
    if let Some(at) = text.find("GC(") {
        let pause = &text[at..];
        let timed = pause.ends_with("ms") || pause.contains("ms ");
        return match (pause.contains("Pause Full"), pause.contains(" Pause "), timed) {
            (_, _, false) | (false, false, true) => None,
            (true, _, true) => Some(Collection::Full),
            (false, true, true) => Some(Collection::Pause),
        };
    }
    if text.contains("[Full GC") {
        return Some(Collection::Full);
    }
    if text.contains("[GC ") || text.contains("[GC(") || text.contains("[GC-") || text.contains("[ParNew") {
        return (!text.contains("[GC concurrent")).then_some(Collection::Pause);
    }
    if text.contains(" ms: Mark-sweep") || text.contains(" ms: Mark-Compact") {
        return Some(Collection::Full);
    }
    text.contains(" ms: Scavenge").then_some(Collection::Pause)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn collector_lines_of_several_formats() {
        use Collection::{Full, Pause};
        for (text, expected) in [
            ("[31.249s][info][gc] GC(0) Pause Young (G1 Evacuation Pause) 24M->11M(256M) 7.965ms", Some(Pause)),
            ("[info ][gc] GC(4123) Pause Full (G1 Compaction Pause) 380M->369M(384M) 812.30ms", Some(Full)),
            ("[11.900s][info][gc,start     ] GC(0) Pause Young (Allocation Failure)", None),
            ("[11.910s][debug][gc,age] GC(0) Desired survivor size 1114112", None),
            ("0.619: [Full GC 16841K->1749K(83008K), 0.0354507 secs]", Some(Full)),
            ("12.628: [GC 18773K->14419K(83008K), 0.0933424 secs]", Some(Pause)),
            ("[1:0x1] 1234 ms: Mark-sweep (reduce) 2046.1 (2083.3) -> 2045.9 MB, 913 / 0 ms", Some(Full)),
            ("[1:0x1] 1234 ms: Scavenge 12.1 (20.3) -> 10.9 MB, 1.2 ms", Some(Pause)),
            ("To-space exhausted", None),
            ("GET /v1/orders 200 41ms", None),
        ] {
            assert_eq!(collection(text), expected, "{text}");
        }
    }
}
