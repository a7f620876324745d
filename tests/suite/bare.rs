//! What is asked for after an incident, and in the middle of one with broken files around: journals, transcripts, a rehearsal.

use std::path::{Path, PathBuf};

use super::cli::{Home, Said};

/// A journal of a rehearsal, as a path.
fn journal(home: &Home) -> PathBuf {
    let story = home.run(&["rehearse", "no-data", "--output", "json", "--speed", "max"]);
    let incident: serde_json::Value = serde_json::from_str(&story.out).unwrap();
    PathBuf::from(incident["journal"].as_str().unwrap())
}

/// Both streams and the code, as one text.
fn whole(said: &Said) -> String {
    format!("{:?}\n{}\n{}", said.code, said.out, said.err)
}

#[test]
fn a_broken_configuration_stops_nothing_that_needs_none() {
    let home = Home::new();
    let journal = journal(&home);
    let id = journal.file_stem().unwrap().to_str().unwrap();
    for text in ["[scren]\nglyphs = \"ascii\"\n", "[keys]\nzooom = \"f2\"\n", "[poll]\nalarms_s = 0\n"] {
        home.config("config.toml", text);
        for args in [
            &["sessions"][..],
            &["export", id],
            &["export", id, "--format", "cast"],
            &["verify", id],
            &["replay", id],
            &["rehearse", "no-data", "--headless", "--speed", "max"],
        ] {
            let said = home.run(args);
            assert_eq!(said.code, Some(0), "{args:?}: {}", whole(&said));
            let told: Vec<&str> = said.err.lines().filter(|line| line.contains("config.toml line ")).collect();
            assert_eq!(told.len(), 1, "{args:?}: {}", said.err);
            assert!(told[0].ends_with("It is left out: the defaults are in force."), "{}", told[0]);
        }
        // What asks a real world takes no defaults for what somebody wrote down, and a file that is named has to be read.
        let config = home.path().join("config/pagerdeck/config.toml");
        for args in [&["config", "check"][..], &["sessions", "--config", config.to_str().unwrap()]] {
            assert_eq!(home.run(args).code, Some(2), "{args:?}");
        }
    }
}

/// A cut line in the middle of a journal.
fn damage(journal: &Path) -> usize {
    let text = std::fs::read_to_string(journal).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let at = lines.len() / 2;
    let cut = &lines[at][..lines[at].len() / 2];
    let damaged: Vec<&str> = lines[..at].iter().copied().chain([cut]).chain(lines[at + 1..].iter().copied()).collect();
    std::fs::write(journal, damaged.join("\n") + "\n").unwrap();
    at + 1
}

#[test]
fn a_damaged_journal_is_shown_up_to_the_flaw() {
    let home = Home::new();
    let journal = journal(&home);
    let line = damage(&journal);
    let flaw = format!("is not as it was written from line {line} on.");
    let path = journal.to_str().unwrap();
    for (args, begins) in [
        (&["export", path][..], "> **NOT WHOLE.**"),
        (&["export", path, "--format", "html"], "<!DOCTYPE html>"),
        (&["export", path, "--format", "json"], "{"),
        (&["replay", path], "NOT WHOLE:"),
    ] {
        let said = home.run(args);
        assert_eq!(said.code, Some(1), "{args:?}: {}", whole(&said));
        assert!(said.out.contains(begins) && said.out.contains(&flaw), "{args:?}: {}", whole(&said));
        assert!(said.err.contains(&flaw) && said.err.contains("hint:"), "{args:?}: {}", said.err);
    }
    let records = home.run(&["replay", path, "--output", "jsonl"]);
    assert_eq!((records.code, records.out.lines().count()), (Some(1), line - 2), "the first line is no record");
    let film = home.run(&["export", path, "--format", "cast"]);
    assert_eq!(film.code, Some(1), "{}", whole(&film));
    assert!(film.out.lines().count() > 1);
    assert_eq!(home.run(&["verify", path]).code, Some(1));
    let none = home.run(&["verify", "/etc/passwd"]);
    assert_eq!(none.code, Some(2), "{}", whole(&none));
    assert!(none.err.contains("/etc/passwd is no journal of pagerdeck."), "{}", none.err);
}

#[test]
fn a_session_that_never_began_is_not_gone_on_with() {
    let home = Home::new();
    let journal = journal(&home);
    let first = std::fs::read_to_string(&journal).unwrap().lines().next().unwrap().to_owned();
    std::fs::write(&journal, first + "\n").unwrap();
    let path = journal.to_str().unwrap();
    for args in [&["resume", path, "--region", "us-east-1"][..], &["replay", path]] {
        let said = home.run(args);
        assert!(matches!(said.code, Some(1 | 2)) && said.err.contains("hint:"), "{args:?}: {}", whole(&said));
    }
}

#[test]
fn a_program_is_told_in_the_form_that_it_asks_for() {
    let home = Home::new();
    let first = journal(&home);
    journal(&home);
    let sessions = home.run(&["sessions", "--output", "jsonl"]).out;
    let rows: Vec<serde_json::Value> = sessions.lines().map(|row| serde_json::from_str(row).unwrap()).collect();
    assert_eq!(rows.len(), 2);
    let replayed: serde_json::Value =
        serde_json::from_str(&home.run(&["replay", first.to_str().unwrap(), "--output", "json"]).out).unwrap();
    assert_eq!(replayed["schema"], "pagerdeck/transcript/1");
    let doctor = home.run(&["doctor", "--output", "json", "--region", "us-east-1"]);
    let doctor: serde_json::Value = serde_json::from_str(&doctor.out).unwrap();
    assert_eq!(doctor["schema"], "pagerdeck/doctor/1");
    let refused = home.run(&["export", first.to_str().unwrap(), "--output", "json"]);
    assert!(refused.code == Some(2) && refused.err.contains("--format"), "{}", whole(&refused));
}

#[test]
fn words_of_what_is_not_built_begin_no_session() {
    let home = Home::new();
    for word in ["postmortems", "follow-ups", "followups"] {
        let said = home.run(&[word]);
        assert_eq!(said.code, Some(2), "{}", whole(&said));
        assert!(said.err.contains("There is no command") && said.err.contains("investigate --alarm"), "{}", said.err);
    }
    assert!(!home.path().join("state").exists(), "nothing was begun");
}

#[test]
fn a_recording_that_cannot_begin_leaves_no_journal() {
    let home = Home::new();
    std::fs::write(home.path().join("there.cast"), "").unwrap();
    let said = home.run(&["rehearse", "no-data", "--headless", "--record", "new.cast"]);
    assert!(said.code == Some(2) && said.err.contains("no screen to be recorded"), "{}", whole(&said));
    assert!(home.run(&["sessions"]).out.starts_with("No session"), "nothing was begun");
}

#[test]
fn a_word_that_is_nearly_one_is_told() {
    let home = Home::new();
    for (args, near) in [
        (&["rehearse", "oom-lek", "--headless"][..], "Did you mean `oom-leak`?"),
        (&["eval", "deploy-regresion"], "Did you mean `deploy-regression`?"),
        (&["rehearse", "--fault", "slcak:denied", "--headless"], "did you mean slack?"),
        (&["man", "rehers"], "Did you mean `rehearse`?"),
    ] {
        let said = home.run(args);
        assert!(said.code == Some(2) && said.err.contains(near), "{args:?}: {}", whole(&said));
    }
    assert!(home.run(&["man", "rehearse"]).out.contains("speed"), "a command has its own page");
}

/// Whatever becomes of the program: a journal is kept for years. This one was written by the first version, and has a record
/// of each kind that an incident with an approved step leaves.
#[test]
fn a_journal_of_the_first_version_loads() {
    let home = Home::new();
    let journal = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/journals/0.1.0.jsonl");
    let path = journal.to_str().unwrap();
    assert_eq!(home.run(&["verify", path]).code, Some(0));
    let transcript = home.run(&["export", path]);
    assert_eq!(transcript.code, Some(0), "{}", transcript.err);
    for piece in ["| Records | 68 |", "14 OOM kills of 6 containers", "memory leak", "rollout restart", "## Timeline"] {
        assert!(transcript.out.contains(piece), "{piece}: {}", transcript.out);
    }
    for form in ["html", "json", "cast"] {
        assert_eq!(home.run(&["export", path, "--format", form]).code, Some(0), "{form}");
    }
    assert_eq!(home.run(&["replay", path, "--output", "jsonl"]).out.lines().count(), 68);
}

/// What nobody read is said where the lines are shown: the count of what is missing is no constant.
#[test]
fn a_history_that_is_not_read_whole_leaves_a_gap() {
    let told = |fault: &[&str]| {
        let args = [&["rehearse", "oom-leak", "--speed", "max", "--output", "jsonl"], fault].concat();
        let records = Home::new().run(&args).out;
        records.lines().filter(|record| record.contains("\"is\":\"gap\"")).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(told(&[]), Vec::<String>::new());
    let gaps = told(&["--fault", "logs:pages"]);
    assert!(gaps.len() == 1 && gaps[0].contains("/ecs/my-api"), "{gaps:?}");
}
