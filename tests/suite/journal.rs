//! The journal: what was written is read, a crash at any byte loads the prefix, any edit is found, a full disk is told.

use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use pagerdeck::domain::fault::FaultKind;
use pagerdeck::journal::{Anchor, End, Flaw, JournalError, Preamble, Reader, Store, Verification, Writer, verify};
use pagerdeck::session::Record;
use pagerdeck::session::event::{Event, FeedEvent, SessionEvent};
use pagerdeck::session::feeds::FeedId;
use proptest::prelude::*;

/// A store in memory that holds so many bytes and no more.
struct Memory {
    bytes: Vec<u8>,
    room: usize,
}

impl Memory {
    fn endless() -> Self {
        Self { bytes: Vec::new(), room: usize::MAX }
    }
}

impl Write for &mut Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let fits = bytes.len().min(self.room - self.bytes.len());
        if fits == 0 {
            return Err(io::Error::from(io::ErrorKind::StorageFull));
        }
        self.bytes.extend_from_slice(&bytes[..fits]);
        Ok(fits)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Store for &mut Memory {
    fn persist(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn cut(&mut self, length: u64) -> io::Result<()> {
        self.bytes.truncate(usize::try_from(length).unwrap());
        Ok(())
    }
}

fn note(seq: u64, text: &str) -> Record {
    let at = jiff::Timestamp::from_second(1_777_627_860 + i64::try_from(seq).unwrap()).unwrap();
    Record { seq, at, incident: None, event: Event::Session(SessionEvent::Noted { text: text.to_owned() }) }
}

fn ended(seq: u64) -> Record {
    Record { event: Event::Session(SessionEvent::Ended { reason: "quit".to_owned() }), ..note(seq, "") }
}

fn heartbeat(seq: u64) -> Record {
    Record { event: Event::Feed(FeedEvent::Answered { feed: FeedId::Alarms }), ..note(seq, "") }
}

fn written(records: &[Record]) -> Vec<u8> {
    let mut memory = Memory::endless();
    let mut writer = Writer::begin(&mut memory, &Preamble::new("s-1")).unwrap();
    for record in records {
        writer.append(record).unwrap();
    }
    memory.bytes
}

fn read(bytes: &[u8]) -> Result<(Vec<Record>, End), JournalError> {
    let mut reader = Reader::new(bytes)?;
    let records: Result<Vec<_>, _> = reader.by_ref().collect();
    Ok((records?, reader.end().unwrap()))
}

fn check(bytes: &[u8]) -> Verification {
    verify(bytes, None).unwrap()
}

fn three() -> Vec<Record> {
    vec![note(1, "alarm seen"), note(3, "line\nbreak \u{1b}[0m \"quoted\""), ended(7)]
}

#[test]
fn what_was_written_is_read_and_verified() {
    let bytes = written(&three());
    let (records, end) = read(&bytes).unwrap();
    assert_eq!((records, end), (three(), End::Whole));
    let found = check(&bytes);
    assert!(found.is_intact() && found.ended);
    assert_eq!(found.anchor.lines, 4);
    assert_eq!(bytes.split_inclusive(|byte| *byte == b'\n').count(), 4, "one line each, whatever the text holds");
    assert_eq!(Reader::new(bytes.as_slice()).unwrap().preamble().session, "s-1");
}

#[test]
fn an_ephemeral_record_has_no_line_and_a_number_never_goes_back() {
    let mut memory = Memory::endless();
    let mut writer = Writer::begin(&mut memory, &Preamble::new("s-1")).unwrap();
    writer.append(&note(1, "a")).unwrap();
    writer.append(&heartbeat(2)).unwrap();
    writer.append(&note(3, "b")).unwrap();
    let refused = writer.append(&note(3, "again")).unwrap_err();
    assert!(matches!(refused, JournalError::OutOfOrder { last: 3, seq: 3 }));
    writer.append(&note(4, "a refused record closes nothing")).unwrap();
    let seqs: Vec<u64> = read(&memory.bytes).unwrap().0.iter().map(|record| record.seq).collect();
    assert_eq!(seqs, [1, 3, 4]);
}

#[test]
fn a_line_without_an_end_is_not_read_to_the_end_of_the_file() {
    let endless = io::BufReader::new(io::repeat(b'x'));
    assert!(matches!(Reader::new(endless), Err(JournalError::Broken { line: 1, flaw: Flaw::Malformed })));
}

#[test]
fn a_sync_says_up_to_which_record_the_disk_has_it() {
    let mut memory = Memory::endless();
    let mut writer = Writer::begin(&mut memory, &Preamble::new("s-1")).unwrap();
    assert_eq!(writer.sync().unwrap(), 0);
    writer.append(&note(1, "a")).unwrap();
    writer.append(&note(3, "b")).unwrap();
    assert_eq!((writer.last_seq(), writer.sync().unwrap()), (3, 3));
    writer.append(&heartbeat(4)).unwrap();
    assert_eq!(writer.sync().unwrap(), 3, "what has no line is on no disk");
}

#[test]
fn the_last_check_hides_a_secret_that_came_so_far() {
    let secret = format!("AKIA{}", "IOSFODNN7EXAMPLQ");
    let mut memory = Memory::endless();
    let mut writer = Writer::begin(&mut memory, &Preamble::new("s-1")).unwrap();
    assert!(writer.append(&note(1, &format!("key {secret}"))).unwrap() > 0);
    assert!(!String::from_utf8(memory.bytes.clone()).unwrap().contains(&secret));
    assert_eq!(read(&memory.bytes).unwrap().0.len(), 1);
}

#[test]
fn a_crash_at_every_byte_loads_the_whole_lines_before_it() {
    let bytes = written(&three());
    let breaks: Vec<usize> = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at).collect();
    for length in 0..=bytes.len() {
        let lines = breaks.iter().filter(|at| **at < length).count();
        let torn = length - if lines == 0 { 0 } else { breaks[lines - 1] + 1 };
        let part = &bytes[..length];
        if lines == 0 {
            assert!(matches!(read(part), Err(JournalError::NoPreamble)), "{length}");
            continue;
        }
        let (records, end) = read(part).unwrap();
        assert_eq!(records, three()[..lines - 1], "{length}");
        let expected = if torn == 0 { End::Whole } else { End::Torn { bytes: torn as u64 } };
        assert_eq!(end, expected, "{length}");
        assert!(check(part).is_intact(), "{length}");
        assert_eq!(check(part).ended, length == bytes.len(), "{length}");
    }
}

#[test]
fn a_resumed_journal_goes_on_behind_the_last_whole_line() {
    let folder = tempfile::tempdir().unwrap();
    let whole = written(&three());
    for cut in [0, 1, 40] {
        let path = folder.path().join(format!("cut-{cut}.jsonl"));
        std::fs::write(&path, &whole[..whole.len() - cut]).unwrap();
        let mut seen = Vec::new();
        let (mut writer, resumed) = Writer::resume(&path, |record| seen.push(record)).unwrap();
        let kept = if cut == 0 { 3 } else { 2 };
        assert_eq!(seen, three()[..kept]);
        assert_eq!(resumed.end == End::Whole, cut == 0);
        writer.append(&note(9, "on we go")).unwrap();
        drop(writer);
        let bytes = std::fs::read(&path).unwrap();
        let (records, end) = read(&bytes).unwrap();
        assert_eq!((records.len(), end), (kept + 1, End::Whole));
        assert!(check(&bytes).is_intact());
    }
}

#[test]
fn a_new_journal_is_private_and_has_one_writer() {
    let folder = tempfile::tempdir().unwrap();
    let path: PathBuf = folder.path().join("state/sessions/s-1.jsonl");
    let writer = Writer::create(&path, &Preamble::new("s-1")).unwrap();
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o600);
    assert_eq!(mode(path.parent().unwrap()), 0o700);
    assert!(matches!(Writer::resume(&path, |_| ()), Err(JournalError::Locked(_))));
    assert!(Reader::open(&path).is_ok(), "a reader may read along");
    drop(writer);
    assert!(Writer::resume(&path, |_| ()).is_ok());
    let again = Writer::create(&path, &Preamble::new("s-1"));
    assert!(matches!(again, Err(JournalError::File { doing: "making", .. })), "never written over");
}

#[test]
fn a_full_disk_closes_the_journal_and_leaves_it_whole() {
    let full = written(&three()[..2]).len();
    for room in full - 30..full {
        let mut memory = Memory { bytes: Vec::new(), room };
        let mut writer = Writer::begin(&mut memory, &Preamble::new("s-1")).unwrap();
        writer.append(&three()[0]).unwrap();
        writer.sync().unwrap();
        let error = writer.append(&three()[1]).unwrap_err();
        assert_eq!(error.fault().kind, FaultKind::Storage);
        assert!(error.fault().hints.iter().any(|hint| hint.contains("disk is full")), "{}", error.fault());
        assert!(matches!(writer.append(&note(9, "x")), Err(JournalError::Closed)), "read-only from here on");
        assert!(matches!(writer.sync(), Err(JournalError::Closed)));
        assert_eq!(writer.last_seq(), 1);
        let (records, end) = read(&memory.bytes).unwrap();
        assert_eq!((records, end), (three()[..1].to_vec(), End::Whole), "the half line was cut off");
    }
}

#[test]
fn removed_added_and_moved_lines_are_told_with_their_place() {
    let bytes = written(&three());
    let lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
    let broken = |order: &[usize]| {
        let joined: Vec<u8> = order.iter().flat_map(|n| lines[*n].to_vec()).collect();
        check(&joined).broken.map(|broken| (broken.line, broken.flaw))
    };
    assert_eq!(broken(&[0, 1, 2, 3]), None);
    assert_eq!(broken(&[0, 2, 3]), Some((2, Flaw::Unlinked)));
    assert_eq!(broken(&[0, 1, 1, 2, 3]), Some((3, Flaw::Unlinked)));
    assert_eq!(broken(&[0, 1, 3, 2]), Some((3, Flaw::Unlinked)));
}

#[test]
fn lines_cut_off_at_the_end_are_only_found_against_an_anchor() {
    let bytes = written(&three());
    let kept: Anchor = check(&bytes).anchor;
    let last = bytes[..bytes.len() - 1].iter().rposition(|byte| *byte == b'\n').unwrap() + 1;
    let cut = &bytes[..last];
    assert!(check(cut).is_intact(), "the chain alone cannot show it");
    assert!(!check(cut).ended, "but the session does not end in order");
    let against = verify(cut, Some(kept)).unwrap();
    assert_eq!((against.anchor_met, against.is_intact()), (Some(false), false));
    assert_eq!(verify(bytes.as_slice(), Some(kept)).unwrap().anchor_met, Some(true));
}

#[test]
fn a_later_schema_is_refused_and_an_unknown_field_is_not() {
    let later = Preamble { schema: 2, ..Preamble::new("s-1") };
    let mut memory = Memory::endless();
    Writer::begin(&mut memory, &later).map(|_| ()).unwrap();
    let error = Reader::new(memory.bytes.as_slice()).err().unwrap();
    assert!(matches!(error, JournalError::LaterSchema { found: 2, ours: 1 }));
    assert_eq!(error.fault().kind, FaultKind::Usage);
    let mut value = serde_json::to_value(note(1, "a")).unwrap();
    value["added_later"] = serde_json::json!(true);
    assert_eq!(serde_json::from_value::<Record>(value).unwrap(), note(1, "a"));
}

proptest! {
    #[test]
    fn any_change_of_a_byte_is_found(at in 0_usize..10_000, to: u8) {
        let bytes = written(&three());
        let at = at % bytes.len();
        prop_assume!(bytes[at] != to);
        let mut edited = bytes.clone();
        edited[at] = to;
        // A line break in the very last place, changed, is a torn end: nothing of the line is believed.
        let found = verify(edited.as_slice(), None);
        let noticed = match found {
            Ok(found) => !found.is_intact() || found.end != End::Whole,
            Err(_) => true,
        };
        prop_assert!(noticed, "byte {at} -> {to:#04x}");
    }

    #[test]
    fn any_stretch_removed_or_added_in_the_middle_is_found(at in 0_usize..10_000, length in 1_usize..400, add: bool) {
        let bytes = written(&three());
        let at = at % (bytes.len() - 1);
        let mut edited = bytes[..at].to_vec();
        let end = (at + length).min(bytes.len() - 1);
        if add {
            edited.extend_from_slice(&bytes[at..end]);
            edited.extend_from_slice(&bytes[at..]);
        } else {
            edited.extend_from_slice(&bytes[end..]);
        }
        // What is left may be the journal's own beginning: whole lines missing at the end are what no chain can show.
        prop_assume!(!bytes.starts_with(&edited));
        let noticed = verify(edited.as_slice(), None).map_or(true, |found| !found.is_intact() || found.end != End::Whole);
        prop_assert!(noticed, "{at}+{length} add={add}");
    }

    #[test]
    fn any_text_survives(texts in proptest::collection::vec(".*", 1..6)) {
        let records: Vec<Record> = texts.iter().zip(1..).map(|(text, seq)| note(seq, text)).collect();
        let mut memory = Memory::endless();
        let mut writer = Writer::begin(&mut memory, &Preamble::new("s-1")).unwrap();
        let hidden: u32 = records.iter().map(|record| writer.append(record).unwrap()).sum();
        prop_assume!(hidden == 0);
        prop_assert_eq!(read(&memory.bytes).unwrap(), (records, End::Whole));
    }
}
