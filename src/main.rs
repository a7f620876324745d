//! The program: parse, run, exit code.

fn main() -> std::process::ExitCode {
    // Reports a panic with its place and its causes. That a hook is there already is no reason not to run.
    drop(color_eyre::config::HookBuilder::default().display_env_section(false).install());
    pagerdeck::cli::run()
}
