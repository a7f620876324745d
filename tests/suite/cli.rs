//! The program as a shell sees it: exit codes, what it says, and where. Each run has a home of its own.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// A home with nothing in it, and no way to any real world.
pub struct Home(TempDir);

impl Home {
    /// An empty one.
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Puts a file below the configuration folder.
    pub fn config(&self, name: &str, text: &str) {
        let folder = self.path().join("config/pagerdeck");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(name), text).unwrap();
    }

    /// The program with these arguments, cut off from this machine's own settings.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pagerdeck"));
        command
            .args(args)
            .env_clear()
            .env("HOME", self.path())
            .env("XDG_CONFIG_HOME", self.path().join("config"))
            .env("XDG_STATE_HOME", self.path().join("state"))
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .current_dir(self.path())
            .stdin(Stdio::null());
        command
    }

    /// Runs it to its end.
    pub fn run(&self, args: &[&str]) -> Said {
        Said::of(&self.command(args).output().unwrap())
    }
}

/// How a run ended and what it said.
pub struct Said {
    /// The exit code.
    pub code: Option<i32>,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Said {
    /// Of a process that ended.
    pub fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        Self { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
    }

    /// The code, and a piece of what was said on standard error.
    fn expect(&self, code: i32, piece: &str) {
        assert_eq!(self.code, Some(code), "{}\n{}", self.out, self.err);
        assert!(self.err.contains(piece), "{piece:?} is not in {:?}", self.err);
    }
}

#[test]
fn a_wrong_flag_is_a_usage_error_that_says_what_was_meant() {
    let home = Home::new();
    home.run(&["--profil", "x"]).expect(2, "--profile");
    home.run(&["reherse"]).expect(2, "rehearse");
    home.run(&["--output", "xml"]).expect(2, "jsonl");
    home.run(&["my-alarm", "sessions"]).expect(2, "stands before a command");
    home.run(&["investigate"]).expect(2, "--alarm");
    home.run(&["investigate", "--alarm", "a", "--minutes", "1"]).expect(2, "1");
}

/// The C library reads it only as a process begins: the program begins once more, and stays the process that was started.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[test]
fn bounds_of_memory_are_set_in_the_very_process_that_was_started() {
    let home = Home::new();
    // Whether tunables were seen in the process, and its own mark. What they are set to cannot be told from outside: glibc
    // cuts the text into its parts while it reads it.
    let seen = |others: [(&str, &str); 1]| {
        let mut command = home.command(&["rehearse", "oom-leak", "--headless", "--speed", "max"]);
        let mut running = command.envs(others).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let place = format!("/proc/{}/environ", running.id());
        let (mut tunables, mut mark) = (false, None);
        while running.try_wait().unwrap().is_none() {
            let vars = String::from_utf8(std::fs::read(&place).unwrap_or_default()).unwrap();
            tunables |= vars.split('\0').any(|var| var.starts_with("GLIBC_TUNABLES="));
            mark = vars.split('\0').find_map(|var| var.strip_prefix("PAGERDECK_BOUNDED=")).map(str::to_owned).or(mark);
        }
        (tunables, mark)
    };
    assert_eq!(seen([("A", "b")]), (true, Some("1".to_owned())));
    assert_eq!(seen([("GLIBC_TUNABLES", "glibc.malloc.arena_max=2")]), (true, None), "another's choice stays");
    assert_eq!(seen([("MALLOC_MMAP_THRESHOLD_", "65536")]), (false, None), "nor is it added to");
    assert_eq!(seen([("PAGERDECK_BOUNDED", "once")]), (false, Some("once".to_owned())), "whatever came of it");
}

/// Each is met at night: said at once with its cause and the next step, on a terminal that was never taken.
#[test]
fn what_stands_in_the_way_is_said_with_its_hint() {
    let home = Home::new();
    let region = |command: &mut Command| {
        command.env("AWS_REGION", "us-east-1");
    };
    let keys = |command: &mut Command| {
        command.env("AWS_ACCESS_KEY_ID", "x").env("AWS_SECRET_ACCESS_KEY", "x");
    };
    let investigate = |args: &[&str], set: &dyn Fn(&mut Command)| {
        let mut command = home.command(&[args, &["investigate", "--alarm", "x"]].concat());
        set(&mut command);
        Said::of(&command.output().unwrap())
    };
    for (said, summary, hint) in [
        (investigate(&[], &region), "no credentials", "aws sso login"),
        (investigate(&[], &keys), "No AWS region", "--region"),
        (investigate(&["--region", "us-east-1", "--profile", "nobody"], &|_| {}), "no credentials", "--profile"),
        (
            investigate(&[], &|command| {
                region(command);
                keys(command);
                command.env("AWS_ENDPOINT_URL", "http://127.0.0.1:1");
            }),
            "no connection",
            "Check the network",
        ),
    ] {
        said.expect(1, summary);
        said.expect(1, "hint:");
        said.expect(1, hint);
        assert!(!said.out.contains('\u{1b}') && !said.err.contains('\u{1b}'), "{}{}", said.out, said.err);
    }
}

/// The story is told to its end, and that it was not kept is no success.
#[test]
fn a_journal_that_cannot_be_written_is_said_and_is_a_fault() {
    let home = Home::new();
    std::fs::write(home.path().join("in-the-way"), "").unwrap();
    let mut command = home.command(&["rehearse", "no-data", "--output", "json", "--speed", "max"]);
    command.env("PAGERDECK_STATE", home.path().join("in-the-way"));
    let said = Said::of(&command.output().unwrap());
    said.expect(1, "The journal could not be opened");
    said.expect(1, "PAGERDECK_STATE");
    let incident: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!((&incident["journal"], &incident["verdict"]["conclusive"]), (&serde_json::Value::Null, &false.into()));
}

#[test]
fn what_is_not_built_is_not_offered() {
    let help = Home::new().run(&["--help"]);
    assert_eq!(help.code, Some(0));
    for command in [
        "rehearse",
        "investigate",
        "sessions",
        "export",
        "verify",
        "doctor",
        "policy",
        "resume",
        "replay",
        "eval",
        "evidence",
        "config",
    ] {
        assert!(help.out.contains(command), "{command}");
    }
}

#[test]
fn a_broken_configuration_is_told_by_file_line_and_nearest_key() {
    let home = Home::new();
    home.config("config.toml", "[aws]\nregoin = \"us-east-1\"\n");
    let said = home.run(&["investigate", "--alarm", "x"]);
    said.expect(2, "config.toml line 2");
    said.expect(2, "Did you mean `region`?");
    home.run(&["--config", "nowhere.toml", "sessions"]).expect(2, "nowhere.toml");
}

#[test]
fn live_without_a_policy_is_refused_before_anything_is_asked() {
    let home = Home::new();
    home.run(&["investigate", "--alarm", "x", "--live"]).expect(4, "the policy allows it nowhere");
    // The environment can only restrict: with it, the same line is an ordinary dry-run and no longer refused.
    let mut restricted = home.command(&["investigate", "--alarm", "x", "--live", "--for", "1"]);
    restricted.env("DRY_RUN", "true").env("AWS_ENDPOINT_URL", "http://127.0.0.1:1").env("AWS_REGION", "us-east-1");
    restricted.env("AWS_ACCESS_KEY_ID", "x").env("AWS_SECRET_ACCESS_KEY", "x");
    Said::of(&restricted.output().unwrap()).expect(1, "hint:");
}

#[test]
fn the_configuration_is_checked_shown_and_found() {
    let home = Home::new();
    assert!(home.run(&["config", "check"]).out.contains("the defaults are in force"));
    home.config("config.toml", "[keys]\nzoom = [\"f2\"]\n[evidence]\nminutes = 45\n");
    assert!(home.run(&["config", "check"]).out.contains("is in order: 0 services, 1 key of your own."));
    let shown: serde_json::Value =
        serde_json::from_str(&home.run(&["config", "show", "--output", "json"]).out).unwrap();
    assert_eq!((&shown["evidence"]["minutes"], &shown["keys"]["zoom"][0]), (&45.into(), &"f2".into()));
    assert!(home.run(&["config", "show"]).out.contains("minutes = 45"));
    assert!(home.run(&["config", "path"]).out.contains("config.toml"));
    home.config("config.toml", "[keys]\napprove = [\"y\"]\n");
    home.run(&["config", "check"]).expect(2, "approve");
    for (text, told) in [
        ("[scren]\nglyphs = \"ascii\"\n", "Did you mean `screen`?"),
        ("[screen]\ntheme = \"ligt\"\n", "Did you mean `light`?"),
        ("[environment.colours]\nPROD = \"magenta\"\n", "line 2"),
        ("[panes]\nleft = 95\n", "line 2: panes.left is 95"),
        ("[notify]\nstep = \"sometimes\"\n", "line 2"),
        ("[keys]\nzooom = \"f2\"\n", "line 2: There is no action"),
        ("[keys]\nfollow = \"f2\"\nzoom = \"f2\"\n", "lines 2 and 3"),
        ("[keys]\nzoom = 3\n", "a key such as \"f2\", or a list of keys"),
        ("[theme.roles]\ndangr = \"red\"\n", "Did you mean `danger`?"),
    ] {
        home.config("config.toml", text);
        home.run(&["config", "check"]).expect(2, told);
        assert!(home.run(&["config", "path"]).out.contains("config.toml"), "{text}");
    }
    home.config("config.toml", "[notify]\nwhen = \"always\"\nstep = \"never\"\n[screen]\nmarkers = \"block\"\n");
    let shown: serde_json::Value =
        serde_json::from_str(&home.run(&["config", "show", "--output", "json", "--slow-link"]).out).unwrap();
    assert_eq!((&shown["notify"]["alarm"], &shown["notify"]["step"]), (&"always".into(), &"never".into()));
    assert_eq!(shown["screen"]["link"], "slow");
}

#[test]
fn the_policy_is_checked_and_shown() {
    let home = Home::new();
    let said = home.run(&["policy", "check"]);
    assert_eq!(said.code, Some(0));
    assert!(said.out.contains("allows live nowhere"), "{}", said.out);
    home.config(
        "policy.toml",
        "[[live]]\naccount = \"*\"\ncluster = \"c\"\nnamespaces = [\"*\"]\nactions = [\"scale\"]\n",
    );
    home.run(&["policy", "check"]).expect(2, "not twelve digits");
    home.config("policy.toml", "approval_ttl_s = 30\n");
    let shown = home.run(&["policy", "show", "--output", "json"]);
    let policy: serde_json::Value = serde_json::from_str(&shown.out).unwrap();
    assert_eq!(policy["approval_ttl_s"], 30);
    assert_eq!(policy["min_confidence"], 0.75);
}

#[test]
fn least_privileges_are_printed_and_can_be_read() {
    let home = Home::new();
    let iam: serde_json::Value = serde_json::from_str(&home.run(&["iam"]).out).unwrap();
    assert!(iam["Statement"].as_array().is_some_and(|statements| !statements.is_empty()));
    let rbac = home.run(&["rbac"]).out;
    assert!(rbac.contains("patch") && !rbac.contains("delete") && !rbac.contains("\"*\""), "{rbac}");
}

#[test]
fn the_shell_gets_its_completions_and_its_manual() {
    let home = Home::new();
    assert!(home.run(&["completions", "bash"]).out.contains("_pagerdeck"));
    assert!(home.run(&["man"]).out.contains(".TH pagerdeck 1"));
    let page = home.run(&["man", "investigate"]).out;
    assert!(page.contains(".TH pagerdeck-investigate 1") && page.contains("minutes"), "{page}");
}

/// `pagerdeck … | head`: who has read enough is no fault, whatever is still told.
#[test]
fn a_reader_that_closes_the_pipe_ends_the_story_without_a_fault() {
    use std::io::{BufRead as _, BufReader};
    let home = Home::new();
    for form in ["text", "jsonl"] {
        let mut command = home.command(&["rehearse", "oom-leak", "--speed", "max", "--output", form]);
        let mut run = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut first = String::new();
        BufReader::with_capacity(64, run.stdout.take().unwrap()).read_line(&mut first).unwrap();
        let said = Said::of(&run.wait_with_output().unwrap());
        assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{form}");
    }
}

#[test]
fn a_journal_becomes_a_film() {
    let home = Home::new();
    home.run(&["rehearse", "no-data", "--headless", "--speed", "max"]);
    let id = home.run(&["sessions"]).out.split_whitespace().next().unwrap().to_owned();
    let film = home.run(&["export", &id, "--format", "cast"]).out;
    let mut lines = film.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    assert_eq!(lines.next().unwrap()["version"], 2);
    let frames: Vec<String> = lines.map(|line| line[2].as_str().unwrap().to_owned()).collect();
    assert!(frames.len() > 1 && frames[0].contains("REHEARSAL"), "{} frames", frames.len());
}

#[test]
fn no_session_is_said_plainly() {
    let home = Home::new();
    let said = home.run(&["sessions"]);
    assert_eq!(said.code, Some(0));
    assert!(said.out.starts_with("No session in "), "{}", said.out);
    for command in ["verify", "export"] {
        home.run(&[command, "20261122-nowhere"]).expect(2, "There is no session");
    }
}

#[test]
fn a_rehearsal_that_cannot_be_is_a_usage_error() {
    let home = Home::new();
    home.run(&["rehearse", "no-such-scenario", "--headless"]).expect(2, "no-such-scenario");
    home.run(&["rehearse", "--speed", "fast", "--headless"]).expect(2, "--speed");
    home.run(&["rehearse", "--operator", "nowhere.toml", "--headless"]).expect(2, "nowhere.toml");
    std::fs::write(home.path().join("broken.toml"), "based_on = \"oom-leak\"\nnmae = \"x\"\n").unwrap();
    for args in [["rehearse", "--check", "broken.toml"], ["rehearse", "broken.toml", "--headless"]] {
        home.run(&args).expect(2, "broken.toml is not valid at line 2");
        home.run(&args).expect(2, "unknown field `nmae`");
    }
}

#[test]
fn the_scenarios_are_listed() {
    let listed = Home::new().run(&["rehearse", "--list", "--output", "json"]);
    let scenarios: serde_json::Value = serde_json::from_str(&listed.out).unwrap();
    let names: Vec<&str> = scenarios.as_array().unwrap().iter().map(|entry| entry["name"].as_str().unwrap()).collect();
    for name in ["oom-leak", "limit-too-low", "traffic-flood", "no-data", "model-hallucinates"] {
        assert!(names.contains(&name), "{name} is not among {names:?}");
    }
}

#[test]
fn a_rehearsal_leaves_a_journal_that_verifies_exports_and_shows_tampering() {
    let home = Home::new();
    let story = home.run(&["rehearse", "no-data", "--output", "json", "--speed", "max"]);
    assert_eq!(story.code, Some(0), "{}\n{}", story.out, story.err);
    let incident: serde_json::Value = serde_json::from_str(&story.out).unwrap();
    assert_eq!(incident["schema"], "pagerdeck/incident/1");
    assert_eq!(incident["requests"]["mutating"], 0);
    assert_eq!(incident["verdict"]["conclusive"], false);
    let journal = incident["journal"].as_str().unwrap();
    let id = Path::new(journal).file_stem().unwrap().to_str().unwrap();
    assert!(home.run(&["sessions"]).out.contains(id));
    let listed: serde_json::Value = serde_json::from_str(&home.run(&["sessions", "--output", "json"]).out).unwrap();
    assert_eq!((&listed[0]["id"], &listed[0]["state"]), (&serde_json::json!(id), &serde_json::json!("ended")));
    assert_eq!(listed[0]["verdict"]["cause"], "inconclusive");
    let verified = home.run(&["verify", id]);
    assert_eq!(verified.code, Some(0), "{}", verified.err);
    assert!(verified.out.contains("the chain holds"), "{}", verified.out);
    assert!(home.run(&["export", id]).out.starts_with("> **REHEARSAL of no-data"));
    let page = home.run(&["export", id, "--format", "html"]).out;
    assert!(page.starts_with("<!DOCTYPE html>") && page.trim_end().ends_with("</html>"), "{page}");
    assert!(page.contains("SIMULATED. REHEARSAL of no-data") && page.contains("NOT settled"), "{page}");
    let written = home.run(&["export", id, "--format", "json", "-o", "out.json"]);
    assert_eq!(written.code, Some(0), "{}", written.err);
    let text = std::fs::read_to_string(home.path().join("out.json")).unwrap();
    let transcript: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(transcript["schema"], "pagerdeck/transcript/1");
    let altered = std::fs::read_to_string(journal).unwrap().replacen("no-data", "no-date", 1);
    std::fs::write(journal, altered).unwrap();
    home.run(&["verify", id]).expect(1, "not as it was written");
}

#[cfg(unix)]
#[test]
fn journals_and_exports_belong_to_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let home = Home::new();
    let story = home.run(&["rehearse", "no-data", "--output", "json", "--speed", "max"]);
    let incident: serde_json::Value = serde_json::from_str(&story.out).unwrap();
    let journal = incident["journal"].as_str().unwrap();
    assert_eq!(home.run(&["export", journal, "-o", "out.md"]).code, Some(0));
    for path in [Path::new(journal).to_owned(), home.path().join("out.md")] {
        let mode = std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{}", path.display());
    }
}

#[test]
fn the_doctor_names_what_is_missing_and_its_fix() {
    let home = Home::new();
    let mut doctor = home.command(&["doctor"]);
    // Nothing listens on port 1, and every answer of the network is refused at once.
    doctor.env("AWS_ENDPOINT_URL", "http://127.0.0.1:1").env("AWS_REGION", "us-east-1");
    doctor.env("AWS_ACCESS_KEY_ID", "x").env("AWS_SECRET_ACCESS_KEY", "x");
    let said = Said::of(&doctor.output().unwrap());
    assert_eq!(said.code, Some(1), "{}\n{}", said.out, said.err);
    assert!(said.out.contains("[no] aws identity"), "{}", said.out);
    assert!(said.out.contains("[--] cluster"), "{}", said.out);
    assert!(said.out.contains("[ok] journals") && said.out.contains("[ok] log"), "{}", said.out);
}

#[test]
fn the_doctor_makes_folders_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let home = Home::new();
    let state = home.path().join("state/nested");
    let mut doctor = home.command(&["doctor"]);
    doctor.env("AWS_ENDPOINT_URL", "http://127.0.0.1:1").env("PAGERDECK_STATE", &state);
    let said = Said::of(&doctor.output().unwrap());
    assert!(said.out.contains("[ok] journals"), "{}", said.out);
    for path in [state.parent().unwrap(), &state, &state.join("sessions")] {
        let mode = std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o700, "{}", path.display());
    }
}

#[test]
fn a_log_that_is_not_kept_is_told() {
    let home = Home::new();
    let with_filter = |args: &[&str]| {
        let mut command = home.command(args);
        command.env("PAGERDECK_LOG", "a=b=c").env("AWS_ENDPOINT_URL", "http://127.0.0.1:1");
        Said::of(&command.output().unwrap())
    };
    let said = with_filter(&["rehearse", "quiet", "--speed", "max", "--for", "1"]);
    assert!(said.err.contains("PAGERDECK_LOG=a=b=c is no filter"), "{}", said.err);
    let said = with_filter(&["doctor"]);
    assert!(said.out.contains("[no] log") && said.out.contains("PAGERDECK_LOG to `info`"), "{}", said.out);
}

#[test]
fn a_profile_that_is_chosen_wins_over_keys_in_the_environment_and_has_to_be_there() {
    let home = Home::new();
    let told = |profile: &str| {
        let mut doctor = home.command(&["doctor", "--profile", profile]);
        doctor.env("AWS_ENDPOINT_URL", "http://127.0.0.1:1").env("AWS_REGION", "us-east-1");
        doctor.env("AWS_ACCESS_KEY_ID", "x").env("AWS_SECRET_ACCESS_KEY", "x");
        Said::of(&doctor.output().unwrap()).out
    };
    std::fs::create_dir(home.path().join(".aws")).unwrap();
    std::fs::write(home.path().join(".aws/credentials"), "[prod]\naws_access_key_id = y\naws_secret_access_key = y\n")
        .unwrap();
    let out = told("nope");
    assert!(out.contains("there is no profile `nope`"), "{out}");
    let out = told("prod");
    assert!(
        !out.contains("no profile") && out.contains("no connection"),
        "its own keys are used, and nobody answers: {out}"
    );
}
