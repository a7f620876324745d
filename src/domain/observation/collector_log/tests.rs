//! Lines of many collectors, in the words each writes them in.

use proptest::prelude::*;

use super::CollectionKind::{Cycle, Full, Partial, Phase};
use super::*;

const MIB: u64 = 1 << 20;

fn heap(text: &str) -> Option<(u64, u64, u64)> {
    let heap = of_line(text)?.heap?;
    Some((heap.before / 1024, heap.after / 1024, heap.capacity / 1024))
}

/// Line, kind, seconds since the start, seconds stopped, and the heap before, after and committed in KiB.
type Row = (&'static str, CollectionKind, Option<f64>, f64, Option<(u64, u64, u64)>);

const ROWS: &[Row] = &[
    (
        "[31.249s][info][gc] GC(0) Pause Young (G1 Evacuation Pause) 24M->11M(256M) 7.965ms",
        Partial,
        Some(31.249),
        0.007_965,
        Some((24_576, 11_264, 262_144)),
    ),
    (
        "[2026-11-22T10:00:01.500+0000][info ][gc             ] GC(113) Pause Full (Allocation Failure) 61M->6M(61M) 10.749ms",
        Full,
        Some(1_795_341_601.5),
        0.010_749,
        Some((62_464, 6_144, 62_464)),
    ),
    (
        "[9103ms][info][gc] GC(7) Pause Remark 15M->15M(61M) 1.200ms",
        Phase,
        Some(9.103),
        0.0012,
        Some((15_360, 15_360, 62_464)),
    ),
    (
        "[3.1s][info][gc] GC(5) Garbage Collection (Allocation Rate) 800M(80%)->500M(50%)",
        Cycle,
        Some(3.1),
        0.0,
        Some((819_200, 512_000, 1_024_000)),
    ),
    ("[3.1s][info][gc] GC(5) Pause Init Mark 0.120ms", Phase, Some(3.1), 0.000_12, None),
    (
        "0.619: [Full GC 16841K->1749K(83008K), 0.0354507 secs]",
        Full,
        Some(0.619),
        0.035_450_7,
        Some((16_841, 1_749, 83_008)),
    ),
    (
        "12.628: [GC 18773K->14419K(83008K), 0.0933424 secs]",
        Partial,
        Some(12.628),
        0.093_342_4,
        Some((18_773, 14_419, 83_008)),
    ),
    ("1.855: [GC 29798K(58752K), 0.0031310 secs]", Phase, Some(1.855), 0.003_131, None),
    (
        "2026-01-02T03:04:05.100+0100: 104401.3: [Full GC (System) [PSYoungGen: 10K->0K(20K)] [PSOldGen: 49K->48K(204K)] 59K->48K(224K) [PSPermGen: 1K->1K(2K)], 1.7 secs] [Times: user=1.73 sys=0.02, real=1.76 secs]",
        Full,
        Some(104_401.3),
        1.7,
        Some((59, 48, 224)),
    ),
    (
        "5.6: [GC 5.6: [ParNew: 900K->90K(1000K), 0.0101 secs] 3000K->2200K(9000K), 0.0111 secs] [Times: user=0.01 sys=0.00, real=0.01 secs]",
        Partial,
        Some(5.6),
        0.0111,
        Some((3_000, 2_200, 9_000)),
    ),
    (
        "9.1: [GC 9.1: [ParNew (promotion failed): 9K->9K(9K), 0.2 secs]9.3: [CMS (concurrent mode failure): 80K->40K(90K), 1.2 secs] 85K->40K(99K), [CMS Perm : 2K->2K(3K)], 1.4 secs]",
        Full,
        Some(9.1),
        1.4,
        Some((85, 40, 99)),
    ),
    ("7.0: [GC [1 CMS-initial-mark: 12K(13K)] 14K(20K), 0.001 secs]", Phase, Some(7.0), 0.001, None),
    ("7.262: [GC remark 7.262: [GC ref-proc, 0.0000520 secs], 0.0012030 secs]", Phase, Some(7.262), 0.001_203, None),
    (
        "[1:0x1] 1234 ms: Mark-sweep (reduce) 2046.0 (2083.0) -> 2045.0 (2084.0) MB, 913.2 / 0.0 ms",
        Full,
        Some(1.234),
        0.9132,
        Some((2_095_104, 2_094_080, 2_134_016)),
    ),
    (
        "[1:0x1]     1234 ms: Mark-Compact (reduce) 2046.0 (2083.0) -> 2045.0 (2084.0) MB, pooled: 0.0 MB, 913.20 / 0.00 ms  (average mu = 0.1) last resort",
        Full,
        Some(1.234),
        0.9132,
        Some((2_095_104, 2_094_080, 2_134_016)),
    ),
    (
        "[1:0x1] 1250 ms: Scavenge (interleaved) 12.0 (20.0) -> 10.0 (21.0) MB, pooled: 0 MB, 34.04 / 0.00 ms",
        Partial,
        Some(1.25),
        0.034_04,
        Some((12_288, 10_240, 21_504)),
    ),
    (
        "0,619: [Full GC 16841K->1749K(83008K), 0,0354507 secs]",
        Full,
        Some(0.619),
        0.035_450_7,
        Some((16_841, 1_749, 83_008)),
    ),
    ("[1.000s][info][gc,phases] GC(0) Y: Pause Mark Start 0.012ms", Phase, Some(1.0), 0.000_012, None),
    ("[2.300s][info][gc] Allocation Stall (http-1) 1450.123ms", Phase, Some(2.3), 1.450_123, None),
    (
        "[1.500s][info][gc] GC(0) Concurrent cleanup 480M->100M(512M) 0.050ms",
        Cycle,
        Some(1.5),
        0.0,
        Some((491_520, 102_400, 524_288)),
    ),
    (
        "[1:0x1] 1240 ms: Scavenge 12.0 (20.0) -> 10.0 (21.0) MB, 1.2 / 0.0 ms",
        Partial,
        Some(1.24),
        0.0012,
        Some((12_288, 10_240, 21_504)),
    ),
];

#[test]
fn one_line_of_each_format() {
    for (text, kind, at, pause, kib) in ROWS {
        let found = of_line(text).unwrap_or_else(|| panic!("{text}"));
        assert_eq!((found.kind, found.at_s), (*kind, *at), "{text}");
        assert!((found.pause_s - pause).abs() < 1e-9, "{text}: {found:?}");
        assert_eq!(heap(text), *kib, "{text}");
    }
}

#[test]
fn lines_that_tell_of_no_collection() {
    for text in [
        "[11.900s][info][gc,start     ] GC(0) Pause Young (Allocation Failure)",
        "[11.910s][debug][gc,age] GC(0) Desired survivor size 1114112 bytes, new threshold 1 (max threshold 15)",
        "[11.910s][info ][gc,heap      ] GC(0) Tenured: 0K->1387K(43712K)",
        "[11.910s][info ][gc,phases] GC(0)   Evacuate Collection Set: 3.1ms",
        "[3.1s][info][gc] GC(4) Concurrent Mark 12.100ms",
        "7.257: [GC concurrent-mark-start]",
        "7.262: [GC concurrent-mark-end, 0.0049460 secs]",
        "      [GC Worker Start (ms): Min: 7268.2, Avg: 7268.5, Max: 7269.8, Diff: 1.6]",
        "   [Parallel Time: 1.7 ms, GC Workers: 8]",
        "[CMS-concurrent-mark: 0.1/0.2 secs]",
        "To-space exhausted",
        "GET /v1/orders 200 41ms",
        "",
    ] {
        assert_eq!(of_line(text), None, "{text}");
    }
}

#[test]
fn collections_over_several_lines_are_one() {
    let mut reader = CollectorReader::default();
    for line in [
        "7.268: [GC pause (G1 Evacuation Pause) (young), 0.0019660 secs]",
        "   [Parallel Time: 1.7 ms, GC Workers: 8]",
        "   [Eden: 1024.0K(1024.0K)->0.0B(1024.0K) Survivors: 1024.0K->1024.0K Heap: 8.0M(13.0M)->7.0M(13.0M)]",
        " [Times: user=0.01 sys=0.00, real=0.00 secs]",
        "8.5: [GC 8.5: [ParNew",
        "Desired survivor size 1114112 bytes, new threshold 1 (max 15)",
        "- age   1:    1060912 bytes,    1060912 total",
        ": 900K->90K(1000K), 0.0101 secs] 3000K->2200K(9000K), 0.0111 secs]",
        "9.5: [Full GC 9000K->1000K(9000K), 0.5 secs]",
    ] {
        reader.read(line);
    }
    let read = reader.finish();
    let told: Vec<(CollectionKind, Option<u64>)> =
        read.iter().map(|one| (one.kind, one.heap.map(|heap| heap.after / 1024))).collect();
    assert_eq!(told, [(Partial, Some(7 * MIB / 1024)), (Partial, Some(2_200)), (Full, Some(1_000))]);
    assert!((read[1].pause_s - 0.0111).abs() < 1e-9, "{read:?}");
}

#[test]
fn a_file_has_one_clock() {
    let mut reader = CollectorReader::default();
    for line in [
        "1.5: [Full GC 9000K->1000K(9000K), 0.5 secs]",
        "2026-01-02T03:04:05.100+0100: [Full GC 9000K->1000K(9000K), 0.5 secs]",
        "2.5: [Full GC 9000K->1000K(9000K), 0.5 secs]",
    ] {
        reader.read(line);
    }
    let times: Vec<Option<f64>> = reader.finish().iter().map(|one| one.at_s).collect();
    assert_eq!(times, [Some(1.5), None, Some(2.5)]);
}

proptest! {
    #[test]
    fn any_text_is_survived(
        lines in prop::collection::vec(
            prop_oneof!["\\PC{0,80}", "[0-9.]{1,6}: \\[(Full )?GC [0-9KMG>()\\[\\], .-]{0,60}", "GC\\([0-9]{1,3}\\) Pause [A-Z0-9a-z>()% .-]{0,50}ms"],
            0..40,
        )
    ) {
        let mut reader = CollectorReader::default();
        for line in &lines {
            reader.read(line);
        }
        for one in reader.finish() {
            prop_assert!(one.pause_s.is_finite() && one.pause_s >= 0.0);
        }
    }
}

#[test]
fn a_process_tells_what_its_heap_may_be() {
    for (line, expected) in [
        ("[0.004s][info][gc,init] Heap Max Capacity: 8G", Some(8 << 30)),
        ("[0.004s][info][gc,init] Max Capacity: 8192M", Some(8 << 30)),
        ("[0.004s][info][gc,init] Soft Max Capacity: 4096M", None),
        ("CommandLine flags: -XX:InitialHeapSize=268435456 -XX:MaxHeapSize=4294967296 -XX:+PrintGC", Some(4 << 30)),
        ("java -Xms256m -Xmx768m -jar app.jar", Some(768 * MIB)),
        ("java -Xmx256m -Xmx768m -jar app.jar", Some(768 * MIB)),
        ("[31.249s][info][gc] GC(0) Pause Young (G1 Evacuation Pause) 24M->11M(256M) 7.965ms", None),
    ] {
        let mut reader = CollectorReader::default();
        reader.read(line);
        assert_eq!(reader.maximum(), expected, "{line}");
    }
}
