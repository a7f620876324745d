//! Tests that need what is not there: a program of others, or data that lies elsewhere. They say so past the runner's capture, so
//! that a run which left something out cannot look whole; with `PAGERDECK_REQUIRE_PEERS=1` a program must be there.

use std::io::Write as _;
use std::path::PathBuf;

/// Says on the terminal that the test of this thread is skipped, and for want of what.
pub fn say(want: &str) {
    let thread = std::thread::current();
    let name = thread.name().unwrap_or("a test");
    // A handle of its own is not captured, as `eprintln!` would be.
    let mut terminal = std::io::stderr();
    writeln!(terminal, "skipped: {name}: {want}").unwrap();
}

/// Says that a test is skipped without a program, or fails where it must be there.
#[expect(clippy::disallowed_methods, reason = "the tests' own settings: whether the peers must be there")]
pub fn without(program: &str) {
    let required = std::env::var_os("PAGERDECK_REQUIRE_PEERS").is_some_and(|value| value == "1");
    assert!(!required, "{program} is required and not installed (tests/peers/install.sh)");
    say(&format!("{program} is not installed (tests/peers/install.sh)"));
}

/// A folder of real data that was made elsewhere, where `PAGERDECK_DATA` says it lies.
#[expect(clippy::disallowed_methods, reason = "the folder of real data is named by the environment alone")]
pub fn data(name: &str) -> Option<PathBuf> {
    let found =
        std::env::var_os("PAGERDECK_DATA").map(|root| PathBuf::from(root).join(name)).filter(|path| path.is_dir());
    if found.is_none() {
        say(&format!("PAGERDECK_DATA names no folder that holds {name}"));
    }
    found
}
