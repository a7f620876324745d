//! All figures of the cockpit in one table: `cargo bench --bench cockpit`, or `-- --quick` for a short run.
//!
//! `-- --pictures FOLDER` writes the screens of a real rehearsal as SVG instead.
//!
//! The program is the one built beside, or `PAGERDECK_BIN`. Words after `--` choose figures by name (`G2 G9`).
//! Peers are measured where they are installed, in the same run. Nothing here fails for being slow.

#![expect(clippy::disallowed_methods, reason = "a benchmark reads clocks, its environment, and starts threads")]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "its output is the table")]
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark that cannot run must stop loudly")]

#[path = "cockpit/cloud.rs"]
mod cloud;
#[path = "cockpit/figures.rs"]
mod figures;
#[path = "../tests/suite/fixture.rs"]
#[expect(dead_code, reason = "the suite draws more moments than are measured")]
mod fixture;
#[path = "../tests/suite/fixture_parts.rs"]
mod fixture_parts;
#[path = "cockpit/inside.rs"]
mod inside;
#[path = "cockpit/peers.rs"]
mod peers;
#[path = "cockpit/pictures.rs"]
mod pictures;
#[path = "cockpit/seat.rs"]
mod seat;
#[path = "cockpit/simulator.rs"]
mod simulator;
#[path = "cockpit/table.rs"]
mod table;

use std::path::{Path, PathBuf};

use figures::{Bench, Effort};
use peers::Beside;
use table::Table;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    if let [first, count] = args.as_slice()
        && first == "--ring"
    {
        return inside::ring(count.parse().unwrap());
    }
    if let [first, folder] = args.as_slice()
        && first == "--simulator"
    {
        return simulator::serve(Path::new(folder));
    }
    let quick = args.iter().any(|arg| arg == "--quick");
    let chosen: Vec<&String> = args.iter().filter(|arg| !arg.starts_with("--")).collect();
    let wants =
        |figures: &[&str]| chosen.is_empty() || figures.iter().any(|it| chosen.iter().any(|word| *it == **word));
    let effort = if quick { Effort::QUICK } else { Effort::WHOLE };
    let program =
        std::env::var_os("PAGERDECK_BIN").map_or_else(|| env!("CARGO_BIN_EXE_pagerdeck").into(), PathBuf::from);
    let bench = Bench { program, effort };
    if let Some(at) = args.iter().position(|arg| arg == "--pictures") {
        let folder = args.get(at + 1).expect("a folder for the pictures");
        return pictures::draw(&bench, Path::new(folder));
    }
    let mut table = Table::default();
    let with_peers = wants(&["G1", "G2", "G6"]) && !args.iter().any(|arg| arg == "--alone");
    let beside = if with_peers { peers::measure(&effort) } else { Beside::default() };
    run(&bench, &mut table, &wants, beside);
    table.print();
}

fn run(bench: &Bench, table: &mut Table, wants: &impl Fn(&[&str]) -> bool, beside: Beside) {
    if wants(&["G1"]) {
        bench.first_frame(table, beside.first);
    }
    if wants(&["G2", "G10"]) {
        bench.flooded(table, beside.flooded);
    }
    if wants(&["G3"]) {
        bench.hostile_network(table);
    }
    if wants(&["G4", "G5"]) {
        inside::lines(table, &bench.effort);
    }
    if wants(&["G5"]) {
        bench.resident(table);
    }
    if wants(&["G6", "G8"]) {
        bench.idle(table, beside.idle);
        bench.quiet(table);
    }
    if wants(&["G6"]) {
        bench.slow_link(table);
        bench.writes(table);
    }
    if wants(&["G7"]) {
        inside::frames(table);
    }
    if wants(&["G9"]) {
        bench.words(table);
    }
    if wants(&["simulator"]) {
        bench.simulator(table);
    }
}
