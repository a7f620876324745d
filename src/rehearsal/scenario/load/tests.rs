//! What loads as a scenario, and how a broken one is told.

use super::*;

const BASE: &str = include_str!("../../../../assets/scenarios/oom-leak.toml");

#[test]
fn every_built_in_scenario_loads_under_its_own_name() {
    let names: Vec<String> = list().into_iter().map(|summary| summary.name).collect();
    assert_eq!(names[..5], ["oom-leak", "limit-too-low", "traffic-flood", "no-data", "model-hallucinates"]);
    assert_eq!(names.len(), BUILT_IN.len(), "one that does not parse is left out of the list");
    for name in names {
        let scenario = load(&name).unwrap();
        assert_eq!(scenario.name, name);
        assert!(!scenario.workloads.is_empty() && !scenario.alarms.is_empty(), "{name}");
    }
}

#[test]
fn an_unknown_field_is_named_with_its_line() {
    let line = BASE.lines().position(|line| line.starts_with("seed = ")).unwrap() + 1;
    let fault = parse(&BASE.replacen("seed = ", "seeed = ", 1), "mine.toml").unwrap_err();
    assert_eq!(fault.kind, FaultKind::Usage);
    assert!(fault.summary.contains(&format!("mine.toml is not valid at line {line}, column 1")), "{fault}");
    assert!(fault.causes[0].contains("seeed"), "{fault}");
}

#[test]
fn a_wrong_value_deep_inside_is_placed_too() {
    let text = BASE.replacen("memory_limit = \"512Mi\"", "memory_limit = \"512 Megs\"", 1);
    let line = text.lines().position(|line| line.contains("512 Megs")).unwrap() + 1;
    let fault = parse(&text, "x").unwrap_err();
    assert!(fault.summary.contains(&format!("line {line},")), "{fault}");
    assert!(fault.causes[0].contains("not a quantity"), "{fault}");
    let fault = parse("name = \"x\"\ntitle = oops\n", "x").unwrap_err();
    assert!(fault.summary.contains("line 2"), "{fault}");
}

#[test]
fn an_unknown_field_of_a_tagged_table_is_denied() {
    let fault = parse(&BASE.replacen("floor = 10.0", "flour = 10.0", 1), "x").unwrap_err();
    assert!(fault.causes[0].contains("flour"), "{fault}");
    assert!(fault.summary.contains(" at line "), "{fault}");
}

#[test]
fn names_that_lead_nowhere_are_contradictions() {
    let fault = parse(&BASE.replacen("metric = \"cpu\"", "metric = \"gpu\"", 1), "x").unwrap_err();
    assert!(fault.causes[0].contains("\"gpu\""), "{fault}");
    let fault = parse(
        "based_on = \"nowhere\"\nname=\"a\"\ntitle=\"b\"\nteaches=\"c\"\n[expect]\ncause=\"x\"\nconclusive=true\n",
        "x",
    );
    assert!(fault.unwrap_err().causes[0].contains("nowhere"));
}

#[test]
fn a_base_lends_what_is_not_said_and_lists_are_laid_over_by_key() {
    let base = load("oom-leak").unwrap();
    let twin = load("traffic-flood").unwrap();
    assert_eq!((twin.start, twin.scope.account.as_str()), (base.start, "123456789012"));
    assert_eq!(twin.metrics.len(), base.metrics.len());
    assert_eq!(twin.workloads.len(), base.workloads.len());
    assert!(matches!(twin.workload("my-api").unwrap().memory, crate::rehearsal::scenario::Regime::Flat { .. }));
}

#[test]
fn a_name_that_is_nothing_is_told_what_is_near_to_it_and_what_lists_all() {
    for (name, hint) in [("no-such-scenario", "`pagerdeck rehearse --list`"), ("oom-lek", "Did you mean `oom-leak`?")] {
        let fault = load(name).unwrap_err();
        assert!(fault.hints[0].starts_with(hint), "{fault}");
    }
}

#[test]
fn a_fault_that_an_api_does_not_know_is_a_contradiction() {
    let with = |fault: &str| {
        let text = format!(
            "based_on = \"oom-leak\"\nname = \"a\"\ntitle = \"b\"\nteaches = \"c\"\n[[fault]]\n{fault}\n\
             [expect]\ncause = \"memory-leak\"\nconclusive = true\n"
        );
        parse(&text, "x").unwrap_err().causes[0].clone()
    };
    assert!(with("service = \"logs\"\neffect = { kind = \"gone\" }").contains("does not exist for logs"));
    let late = "service = \"logs\"\nfrom = \"9s\"\nuntil = \"2s\"\neffect = { kind = \"denied\" }";
    assert!(with(late).contains("ends before it begins"));
    let placed = "service = \"logs\"\nresource = \"pods\"\neffect = { kind = \"denied\" }";
    assert!(with(placed).contains("only Kubernetes has"));
}
