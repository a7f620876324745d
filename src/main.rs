//! The program: parse, run, exit code.

use std::io::Write as _;

fn main() -> std::process::ExitCode {
    // Reports a panic with its place and its causes. That a hook is there already is no reason not to run.
    let (panics, errors) = color_eyre::config::HookBuilder::default().display_env_section(false).into_hooks();
    let _ = errors.install();
    // Its own hook panics where nobody reads standard error any more, which ends the process on the spot.
    std::panic::set_hook(Box::new(move |panic| {
        let _ = writeln!(std::io::stderr(), "{}", panics.panic_report(panic));
    }));
    pagerdeck::cli::run()
}
