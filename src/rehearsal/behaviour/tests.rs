//! How memory and kills follow from a container's life, limit and seed.

use super::*;
use crate::rehearsal::scenario::{Scenario, load};

fn behaviour(scenario: &Scenario, seed: u64) -> Behaviour {
    Behaviour::new(scenario.workload("my-api").unwrap(), scenario.start, seed)
}

fn life(scenario: &Scenario, age: SignedDuration, limit: u64) -> Life {
    let born = scenario.start - age;
    Life {
        pod: "my-api-7d9f-0412".to_owned(),
        container: "app".to_owned(),
        image: "registry.example.com/my-api:1".to_owned(),
        pod_created_at: born,
        started_at: born,
        ended_at: None,
        end: None,
        limit: Some(limit),
    }
}

const MI: u64 = 1 << 20;

#[test]
fn past_kills_are_exactly_as_many_in_the_window_and_ascending_for_any_seed() {
    for name in ["oom-leak", "limit-too-low"] {
        let scenario = load(name).unwrap();
        for seed in 0..50 {
            let kills = behaviour(&scenario, seed).past_kills(6);
            assert_eq!(kills.len(), 14, "{name}");
            assert!(kills.windows(2).all(|pair| pair[0].at < pair[1].at), "{name} {seed}: {kills:?}");
            let window = scenario.start - SignedDuration::from_mins(30)..scenario.start;
            assert!(kills.iter().all(|kill| window.contains(&kill.at)), "{name} {seed}");
        }
    }
    assert_eq!(behaviour(&load("traffic-flood").unwrap(), 1).past_kills(6), []);
}

#[test]
fn a_leak_spares_a_fresh_pod_and_kills_an_old_one_after_the_quiet_time() {
    let scenario = load("oom-leak").unwrap();
    let behaviour = behaviour(&scenario, 7);
    let old = life(&scenario, SignedDuration::from_hours(5), 512 * MI);
    let next = behaviour.next_kill(&old).unwrap();
    assert!(next >= scenario.start + SignedDuration::from_mins(4), "{next}");
    assert!(next <= scenario.start + SignedDuration::from_mins(15), "{next}");
    let fresh = life(&scenario, SignedDuration::from_mins(-5), 512 * MI);
    assert!(behaviour.next_kill(&fresh).unwrap() > scenario.start + SignedDuration::from_mins(25));
    let at = scenario.start + SignedDuration::from_mins(6);
    assert!(behaviour.memory_percent(&old, at) > 95.0);
    assert!(behaviour.memory_percent(&fresh, at) < 25.0);
    let raised = life(&scenario, SignedDuration::from_mins(-5), 1_024 * MI);
    assert!(behaviour.next_kill(&raised) > behaviour.next_kill(&fresh), "a raised limit only buys time");
}

#[test]
fn a_leak_that_its_pod_retains_outlives_a_kill() {
    let scenario = load("oom-leak").unwrap();
    let behaviour = behaviour(&scenario, 7);
    let mut restarted = life(&scenario, SignedDuration::from_hours(5), 512 * MI);
    restarted.started_at = scenario.start;
    assert!(behaviour.memory_percent(&restarted, scenario.start + SignedDuration::from_secs(1)) < 60.0);
    assert!(behaviour.memory_percent(&restarted, scenario.start + SignedDuration::from_secs(15)) > 95.0);
}

#[test]
fn a_ceiling_fills_again_after_a_restart_and_fits_a_raised_limit() {
    let scenario = load("limit-too-low").unwrap();
    let behaviour = behaviour(&scenario, 3);
    let fresh = life(&scenario, SignedDuration::from_mins(-5), 512 * MI);
    let later = fresh.started_at + SignedDuration::from_mins(3);
    assert!(behaviour.memory_percent(&fresh, fresh.started_at + SignedDuration::from_secs(2)) < 75.0);
    assert!(behaviour.memory_percent(&fresh, later) > 93.0);
    assert!(behaviour.next_kill(&fresh).is_some());
    let raised = life(&scenario, SignedDuration::from_mins(-5), 768 * MI);
    assert_eq!(behaviour.next_kill(&raised), None);
    assert!(behaviour.memory_percent(&raised, later) < 75.0);
}

#[test]
fn units_depend_on_the_seed_and_the_names_and_spread() {
    let draws: Vec<f64> = (0..1_000).map(|n| unit(1, "a", &n.to_string())).collect();
    let mean = draws.iter().sum::<f64>() / 1_000.0;
    assert!((0.46..0.54).contains(&mean), "{mean}");
    assert_eq!(unit(1, "a", "5").to_bits(), draws[5].to_bits());
    assert_ne!(unit(2, "a", "5").to_bits(), draws[5].to_bits());
}

#[test]
fn a_stuck_process_is_pressed_until_it_is_replaced() {
    let scenario = load("stuck-process").unwrap();
    let behaviour = behaviour(&scenario, 1);
    let old = life(&scenario, SignedDuration::from_hours(20), 512 * MI);
    let new = Life { started_at: scenario.start, pod_created_at: scenario.start, ..old.clone() };
    let at = |minutes: i64| scenario.start + SignedDuration::from_mins(minutes);
    let is_pressed = |life: &Life, minutes: i64| behaviour.pressure(life, at(minutes)) > 0.5;
    assert_eq!([-13, -11, 5].map(|minutes| is_pressed(&old, minutes)), [false, true, true]);
    assert_eq!((is_pressed(&new, 5), behaviour.next_kill(&old)), (false, None));
    assert!((50.0..66.0).contains(&behaviour.memory_percent(&old, at(-1))));
}

#[test]
fn a_leak_of_one_image_is_not_felt_by_another() {
    let scenario = load("leak-by-deploy").unwrap();
    let leaks = behaviour(&scenario, 117);
    let image = scenario.workload("my-api").unwrap().containers[0].image.clone();
    let sick = Life { image, ..life(&scenario, SignedDuration::from_mins(20), 512 * MI) };
    let well = Life { image: "registry.example.com/payments/my-api:4.11.1".to_owned(), ..sick.clone() };
    assert!(leaks.next_kill(&sick).is_some() && leaks.memory_percent(&sick, scenario.start) > 50.0);
    assert_eq!(leaks.next_kill(&well), None);
    assert!(leaks.memory_percent(&well, scenario.start) < 15.0);
}
