//! The narrative as it streams: marks, tables and code, a stable prefix, and what laying it out costs.

use proptest::prelude::*;

use super::*;
use crate::domain::diagnosis::claim::{Claim, ClaimCheck, Sentences, cites};
use crate::domain::observation::alarm::Severity;
use crate::domain::observation::service::Service;
use crate::ui::search::Search;

const MEASURE: Measure = Measure { columns: 46, glyphs: Glyphs::Ascii };

fn incident() -> Incident {
    let mut incident = Incident::new(IncidentId(1), Service::bare("my-api"), Severity::P2, jiff::Timestamp::UNIX_EPOCH);
    incident.narrative.attempt = 1;
    incident
}

fn claimed(text: &str) -> Claim {
    let check = match text {
        _ if text.contains("grew") => ClaimCheck::Supported,
        _ if text.contains("flat") => ClaimCheck::Contradicted { why: "it rose".to_owned() },
        _ => ClaimCheck::Unsupported { why: "it cites no evidence".to_owned() },
    };
    Claim { text: text.to_owned(), cites: cites(text), check }
}

/// Adds text as a stream does: claims follow sentence by sentence.
fn arrive(incident: &mut Incident, splitter: &mut Sentences, text: &str) {
    incident.narrative.text.push_str(text);
    incident.narrative.claims.extend(splitter.push(text).iter().map(|sentence| claimed(sentence)));
    incident.narrative.claimed = incident.narrative.text.len() - splitter.pending().len();
}

fn whole(text: &str) -> Incident {
    let mut incident = incident();
    let mut splitter = Sentences::default();
    arrive(&mut incident, &mut splitter, text);
    incident.narrative.claims.extend(splitter.finish().iter().map(|sentence| claimed(sentence)));
    incident.narrative.claimed = incident.narrative.text.len();
    incident
}

fn told(rows: &Rows<'_>) -> Vec<String> {
    let mark = |row: &TextRow| match row.mark {
        Some(Standing::Supported) => "+",
        Some(Standing::Unchecked) => "-",
        Some(Standing::Unsupported) => "?",
        Some(Standing::Contradicted) => "X",
        None => " ",
    };
    rows.iter().map(|row| format!("{} {}", mark(row), row.text()).trim_end().to_owned()).collect()
}

const TEXT: &str = "# Root cause\n\nMemory **grew** for thirty minutes [E1]. Traffic stayed flat [E4].\n\n\
    - the heap grew [E1]\n- collector\n  1. first grew [E2]\n\n\
    | what | how much |\n|---|---|\n| heap grew [E1] | 98 % |\n| a cell with a good many words that cannot all fit | 1 |\n\n\
    ```sh\nkubectl get pods\n  -n payments\n```\n\n> quoted grew [E1]\n\nAnd so it en";

#[test]
fn markdown_is_laid_out_with_the_marks_of_its_claims() {
    let mut incident = incident();
    arrive(&mut incident, &mut Sentences::default(), TEXT);
    let settled = Settled::default();
    let rows = settled.rows(&incident, MEASURE);
    assert_eq!(
        told(&rows),
        [
            "? Root cause",
            "    UNSUPPORTED: it cites no evidence",
            "+ Memory grew for thirty minutes [E1].",
            "X Traffic stayed flat [E4].",
            "    CONTRADICTED: it rose",
            "+ - the heap grew [E1]",
            "? - collector",
            "    UNSUPPORTED: it cites no evidence",
            "+   1. first grew [E2]",
            "  what                                | how much",
            "  ----------------------------------------------",
            "+ heap grew [E1]                      | 98 %",
            "? a cell with a good many words that  | 1",
            "  cannot all fit                      |",
            "  + sh",
            "? | kubectl get pods",
            "  |   -n payments",
            "+ | quoted grew [E1]",
            "  And so it en",
        ]
    );
    let cites: Vec<u32> = rows.cites().iter().map(|(_, id)| id.0).collect();
    assert_eq!(cites, [1, 4, 1, 2, 1, 1]);
}

#[test]
fn what_a_table_has_no_column_for_stays_with_the_last_one() {
    let incident = whole("| a | b |\n|---|---|\nMemory grew. | x | beyond | more |\n| only |\n");
    let settled = Settled::default();
    let rows: Vec<String> = settled.rows(&incident, MEASURE).iter().map(TextRow::text).collect();
    assert!(rows.iter().any(|row| row.contains("x | beyond | more")), "{rows:?}");
    assert!(rows.iter().any(|row| row.trim_end().starts_with("only")), "{rows:?}");
}

#[test]
fn rows_are_within_the_width_and_a_place_is_found_again_at_another() {
    let incident = whole(TEXT);
    let settled = Settled::default();
    for columns in [12, 20, 46, 120] {
        let rows = settled.rows(&incident, Measure { columns, ..MEASURE });
        for row in rows.iter().filter(|_| columns >= 20) {
            assert!(crate::ui::format::width(&row.text()) <= columns, "{columns}: {}", row.text());
        }
        let places: Vec<usize> = rows.iter().map(|row| row.at).collect();
        assert!(places.is_sorted(), "{columns}: {places:?}");
    }
    let narrow = settled.rows(&incident, Measure { columns: 20, ..MEASURE });
    let wide = settled.rows(&incident, MEASURE);
    let heap = narrow.iter().position(|row| row.text().contains("the heap")).unwrap();
    let found = wide.at(narrow.place(heap));
    assert!(wide.iter().nth(found).unwrap().text().contains("the heap"));
}

/// Streams a text in pieces, laying it out after each as the cockpit does.
fn streamed(text: &str, piece: usize) -> (Incident, Settled) {
    let (mut incident, mut splitter, mut settled) = (incident(), Sentences::default(), Settled::default());
    let letters: Vec<char> = text.chars().collect();
    for piece in letters.chunks(piece) {
        arrive(&mut incident, &mut splitter, &piece.iter().collect::<String>());
        settled.advance(&incident, MEASURE);
    }
    (incident, settled)
}

#[test]
fn what_a_token_costs_does_not_grow_with_the_text() {
    let paragraph = "Memory grew for thirty minutes until the container was killed [E1]. Then it grew again [E2]. ";
    for text in [paragraph.repeat(20) + "\n\n", "- the heap grew [E1]\n\n".repeat(3) + &paragraph.repeat(15) + "\n\n"] {
        let cost = |copies: usize| {
            let (incident, settled) = streamed(&text.repeat(copies), 6);
            settled.parsed as f64 / incident.narrative.text.len() as f64
        };
        let (short, long) = (cost(1), cost(20));
        assert!(long < short * 1.5, "bytes parsed for each that came: {short:.0}, then {long:.0}");
        assert!(long < 200.0, "{long:.0}");
    }
}

#[test]
fn another_attempt_or_width_begins_anew() {
    let (mut incident, mut settled) = streamed(TEXT, 9);
    assert!(!settled.rows.is_empty());
    let at_width = settled.rows(&incident, Measure { columns: 30, ..MEASURE });
    assert!(at_width.settled.is_empty(), "rows of another width are not shown");
    incident.narrative.attempt = 2;
    incident.narrative.text = "New.".to_owned();
    (incident.narrative.claims, incident.narrative.claimed) = (Vec::new(), 0);
    assert_eq!(told(&settled.rows(&incident, MEASURE)), ["  New."]);
    settled.advance(&incident, MEASURE);
    assert!(settled.rows.is_empty());
}

#[test]
fn a_claim_that_is_not_in_the_text_is_shown_all_the_same() {
    let mut incident = whole("Memory grew [E1].");
    incident.narrative.claims.push(claimed("Something else grew."));
    assert_eq!(told(&Settled::default().rows(&incident, MEASURE)), ["+ Memory grew [E1].", "+ Something else grew."]);
}

fn pieces() -> impl Strategy<Value = String> {
    let words = vec![
        "Memory grew [E1]. ",
        "Traffic stayed flat [E4, E5]. ",
        "\n\n",
        "\n",
        "- item grew\n",
        "1. one\n",
        "**bold** ",
        "**",
        "`code` ",
        "```\n",
        "| a | b |\n",
        "|---|---|\n",
        "# Head\n",
        "> quote ",
        "---\n",
        "e.g. a cache ",
        "é日本 ",
        "[E",
        "    ",
        "==\n",
    ];
    prop::collection::vec(prop::sample::select(words), 0..30).prop_map(|words| words.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_word_is_lost_and_what_is_settled_stays(text in pieces(), piece in 1usize..9) {
        let (mut incident, mut splitter, mut settled) = (incident(), Sentences::default(), Settled::default());
        let letters: Vec<char> = text.chars().collect();
        let mut before: Vec<TextRow> = Vec::new();
        for piece in letters.chunks(piece) {
            arrive(&mut incident, &mut splitter, &piece.iter().collect::<String>());
            settled.advance(&incident, MEASURE);
            prop_assert!(settled.rows.starts_with(&before), "a settled row changed");
            before.clone_from(&settled.rows);
        }
        let rows = settled.rows(&incident, MEASURE);
        let words = |text: &str| text.chars().filter(|c| c.is_alphanumeric() && !c.is_ascii_digit()).count();
        let shown: usize = rows.iter().map(|row| words(&row.text())).sum();
        prop_assert!(shown >= words(&text), "{:?} of {text:?}", told(&rows));
    }
}

#[test]
fn a_search_finds_words_across_emphasis_and_over_the_end_of_a_row() {
    let incident =
        whole("Memory **grew** for thirty minutes until the containers were killed, one after another [E1].");
    let settled = Settled::default();
    let rows = settled.rows(&incident, MEASURE);
    let texts: Vec<String> = rows.iter().map(TextRow::text).collect();
    let found = |what: &str| {
        let hits = rows.hits(&Search::filter(what));
        let spans = |hit: &Hit| hit.spans.iter().map(|(row, range)| texts[*row][range.clone()].to_owned()).collect();
        hits.iter().map(spans).collect::<Vec<Vec<String>>>()
    };
    assert_eq!(found("memory grew for"), [["Memory grew for"]]);
    let longer_than_a_row = "for thirty minutes until the containers were killed";
    let wrapped = found(longer_than_a_row);
    assert!(wrapped.len() == 1 && wrapped[0].len() == 2, "it goes on in the next row: {wrapped:?}");
    assert_eq!(wrapped[0].join(" "), longer_than_a_row);
    assert_eq!(found("e").len(), texts.join("").to_lowercase().matches('e').count());
    assert!(found("nowhere").is_empty() && found("!nowhere").is_empty());
}
