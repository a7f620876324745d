//! What series, alarms and log lines come to over given lives.

use super::*;
use crate::domain::observation::alarm::AlarmState;
use crate::domain::observation::metric::Point;
use crate::rehearsal::behaviour::LifeEnd;
use crate::rehearsal::scenario::load;

/// Lives of six old pods with the scenario's kills, as the cluster keeps them when nothing happens after start.
fn lives_at_start(scenario: &Scenario, seed: u64) -> Lives {
    let workload = scenario.workload("my-api").unwrap();
    let born: Timestamp = "2026-04-11T22:10:05Z".parse().unwrap();
    let behaviour = Behaviour::new(workload, scenario.start, seed);
    let life = |pod: usize, started_at| Life {
        pod: format!("my-api-7d9f-{pod:04}"),
        container: "app".to_owned(),
        image: IMAGE.to_owned(),
        pod_created_at: born,
        started_at,
        ended_at: None,
        end: None,
        limit: workload.declared_limit(),
    };
    let mut lives: Vec<Life> = (0..6).map(|pod| life(pod, born)).collect();
    for kill in behaviour.past_kills(6) {
        let name = format!("my-api-7d9f-{:04}", kill.pod);
        let last = lives.iter_mut().rfind(|life| life.pod == name).unwrap();
        (last.ended_at, last.end) = (Some(kill.at), Some(LifeEnd::OomKilled));
        lives.push(life(kill.pod, kill.at + SignedDuration::from_secs(2)));
    }
    Lives::from([("my-api".to_owned(), lives)])
}

/// What the pods run at start.
const IMAGE: &str = "registry.example.com/payments/my-api:4.11.2";

/// All pods replaced one after another from `at`, with a limit of `limit` bytes.
fn replaced(lives: &Lives, at: Timestamp, limit: u64) -> Lives {
    replaced_by(IMAGE, lives, at, limit)
}

/// The same by pods of another release.
fn replaced_by(image: &str, lives: &Lives, at: Timestamp, limit: u64) -> Lives {
    let mut lives = lives.clone();
    let all = lives.get_mut("my-api").unwrap();
    for (life, nth) in all.iter_mut().filter(|life| life.ended_at.is_none()).zip(0_i64..) {
        life.ended_at = Some(at + SignedDuration::from_secs(15 * (nth + 1)));
        life.end = Some(LifeEnd::Replaced);
    }
    for nth in 0..6 {
        let born = at + SignedDuration::from_secs(15 * nth);
        let pod = format!("my-api-new-{nth:04}");
        let (container, image) = ("app".to_owned(), image.to_owned());
        let limit = Some(limit);
        all.push(Life {
            pod,
            container,
            image,
            pod_created_at: born,
            started_at: born,
            ended_at: None,
            end: None,
            limit,
        });
    }
    lives
}

struct Stage {
    world: World,
    lives: Lives,
    start: Timestamp,
}

fn stage(name: &str, seed: u64) -> Stage {
    let scenario = Arc::new(load(name).unwrap());
    let lives = lives_at_start(&scenario, seed);
    let start = scenario.start;
    Stage { world: World::new(scenario, seed).unwrap(), lives, start }
}

impl Stage {
    fn window(&self, id: &str, now: Timestamp) -> Vec<Point> {
        let sight = self.world.at(now, &self.lives);
        let metric = sight.metric(id).unwrap().1;
        sight.points(metric, minute_of(now) - MINUTE * 30, now)
    }

    fn state(&self, alarm: &str, now: Timestamp) -> AlarmState {
        let alarms = self.world.at(now, &self.lives).alarms();
        alarms.iter().find(|candidate| candidate.spec.name == alarm).unwrap().state()
    }
}

fn mean(points: &[Point]) -> f64 {
    points.iter().map(|point| point.value).sum::<f64>() / points.len() as f64
}

fn seconds(count: i64) -> SignedDuration {
    SignedDuration::from_secs(count)
}

#[test]
fn the_founding_cpu_figures_are_exact_for_any_seed_and_the_same_in_every_twin() {
    for name in ["oom-leak", "limit-too-low", "traffic-flood", "no-data", "model-hallucinates"] {
        for seed in [1, 41, 99, 12_345] {
            let stage = stage(name, seed);
            let points = stage.window("cpu", stage.start + seconds(3));
            assert_eq!(points.len(), 30, "{name}");
            let peak = points.iter().map(|point| point.value).fold(0.0, f64::max);
            assert_eq!((peak, points[29].value), (97.8, 97.8), "{name} {seed}");
            assert_eq!(format!("{:.1}", mean(&points)), "91.3", "{name} {seed}: {}", mean(&points));
        }
    }
}

#[test]
fn the_cpu_alarm_turns_three_seconds_after_start_for_any_seed() {
    for seed in [1, 41, 99, 12_345] {
        let stage = stage("oom-leak", seed);
        assert_eq!(stage.state("my-api-cpu-high", stage.start + seconds(2)), AlarmState::Ok, "{seed}");
        assert_eq!(stage.state("my-api-cpu-high", stage.start + seconds(3)), AlarmState::Alarm, "{seed}");
        assert_eq!(stage.state("my-api-oomkilled", stage.start), AlarmState::Alarm, "{seed}");
        assert_eq!(stage.state("orders-5xx", stage.start), AlarmState::Alarm, "{seed}");
        assert_eq!(stage.state("payments-db-cpu", stage.start), AlarmState::Ok, "{seed}");
        assert_eq!(stage.state("payments-unavailable", stage.start), AlarmState::Ok, "{seed}");
    }
}

#[test]
fn memory_climbs_by_three_a_minute_to_the_brim_while_requests_are_flat() {
    let stage = stage("oom-leak", 41);
    let memory = stage.window("memory", stage.start);
    let latest = memory[29].value;
    assert!((96.5..99.5).contains(&latest), "{latest}");
    let slope = (memory[25].value - memory[5].value) / 20.0;
    assert!((2.8..3.3).contains(&slope), "{slope}");
    let requests = stage.window("requests", stage.start);
    assert!(requests.iter().all(|point| (1_200.0..1_280.0).contains(&point.value)), "{requests:?}");
    assert_eq!(stage.window("oom-terminations", stage.start)[29].value as u64, 14);
    assert_eq!(stage.window("restarts", stage.start)[29].value as u64, 14);
}

#[test]
fn the_collector_rises_before_the_processor_in_the_leak_and_after_it_in_the_flood() {
    let half = |points: &[Point]| {
        let (low, high) = (points[0].value, points.last().unwrap().value);
        points.iter().position(|point| point.value >= f64::midpoint(low, high)).unwrap()
    };
    let leak = stage("oom-leak", 41);
    assert!(half(&leak.window("collector", leak.start)) < half(&leak.window("cpu", leak.start)));
    let flood = stage("traffic-flood", 43);
    let requests = flood.window("requests", flood.start);
    assert!(half(&requests) < half(&flood.window("cpu", flood.start)));
    let before = flood.world.at(flood.start, &flood.lives);
    let baseline =
        before.points(before.metric("requests").unwrap().1, flood.start - MINUTE * 90, flood.start - MINUTE * 40);
    assert!((7.5..8.5).contains(&(requests[29].value / mean(&baseline))));
    assert!(flood.window("memory", flood.start).iter().all(|point| point.value < 60.0));
}

#[test]
fn a_restart_frees_the_heap_calms_the_processor_and_clears_the_alarm_within_two_minutes() {
    let mut stage = stage("oom-leak", 41);
    let at = stage.start + seconds(120);
    let done = at + seconds(90);
    stage.lives = replaced(&stage.lives, at, 512 << 20);
    assert_eq!(stage.state("my-api-cpu-high", at), AlarmState::Alarm);
    assert_eq!(stage.state("my-api-cpu-high", done + seconds(120)), AlarmState::Ok);
    assert_eq!(stage.state("my-api-oomkilled", done + seconds(120)), AlarmState::Ok);
    let later = done + seconds(120);
    assert!(stage.window("memory", later).last().unwrap().value < 30.0);
    assert!(stage.window("cpu", later).last().unwrap().value < 50.0);
    let much_later = at + seconds(30 * 60);
    assert!(stage.window("memory", much_later).last().unwrap().value > 90.0, "a restart buys time, no more");
}

#[test]
fn under_a_low_limit_a_restart_helps_nothing_and_a_raised_limit_does() {
    let mut low = stage("limit-too-low", 42);
    let memory = low.window("memory", low.start);
    assert!(memory.iter().all(|point| point.value > 90.0), "{memory:?}");
    let old = low.lives.clone();
    let at = low.start + seconds(120);
    let later = at + seconds(6 * 60);
    low.lives = replaced(&old, at, 512 << 20);
    assert_eq!(low.state("my-api-cpu-high", later), AlarmState::Alarm, "full again after every start");
    assert!(low.window("memory", later).last().unwrap().value > 93.0);
    let mut raised = stage("limit-too-low", 42);
    raised.lives = replaced(&old, at, 768 << 20);
    assert_eq!(raised.state("my-api-cpu-high", later), AlarmState::Ok);
    assert!(raised.window("memory", later).last().unwrap().value < 75.0);
}

#[test]
fn a_rollback_ends_what_its_release_did_and_a_restart_does_not() {
    let stage = stage("deploy-regression", 101);
    let (at, later) = (stage.start + seconds(30), stage.start + seconds(600));
    let errors = |lives: Lives| {
        let stage = Stage { lives, world: World::new(Arc::clone(&stage.world.scenario), 101).unwrap(), ..stage };
        (stage.window("errors", later)[29].value, stage.state("my-api-5xx", later))
    };
    let (value, alarm) = errors(replaced(&stage.lives, at, 512 << 20));
    assert!(value > 160.0 && alarm == AlarmState::Alarm, "{value} {alarm:?}");
    let (value, alarm) =
        errors(replaced_by("registry.example.com/payments/my-api:4.11.1", &stage.lives, at, 512 << 20));
    assert!(value < 10.0 && alarm == AlarmState::Ok, "{value} {alarm:?}");
}

#[test]
fn a_flood_does_not_care_for_a_restart() {
    let mut stage = stage("traffic-flood", 43);
    let at = stage.start + seconds(120);
    stage.lives = replaced(&stage.lives, at, 512 << 20);
    let later = at + seconds(8 * 60);
    assert_eq!(stage.state("my-api-cpu-high", later), AlarmState::Alarm);
    assert_eq!(stage.state("my-api-oomkilled", later), AlarmState::Ok);
}

#[test]
fn exactly_fourteen_lines_tell_of_a_kill_and_lines_asked_for_twice_are_the_same() {
    for seed in [1, 41, 77] {
        let stage = stage("oom-leak", seed);
        let sight = stage.world.at(stage.start, &stage.lives);
        let lines = sight.log_events("/ecs/my-api", stage.start - MINUTE * 30, stage.start);
        let kills: Vec<&LogEvent> = lines.iter().filter(|line| line.message.contains("OOMKilled")).collect();
        assert_eq!(kills.len(), 14, "{seed}");
        assert!(kills.iter().all(|line| line.message.contains("137")), "{seed}");
        assert!(lines.iter().any(|line| line.message.contains("java.lang.OutOfMemoryError")));
        assert!(lines.windows(2).all(|pair| pair[0].place < pair[1].place));
        assert!(lines.iter().all(|line| !line.message.contains('{')), "every field is filled in");
        assert_eq!(sight.log_events("/ecs/my-api", stage.start - MINUTE * 30, stage.start), lines);
        let again = World::new(Arc::new(load("oom-leak").unwrap()), seed).unwrap();
        let halves = [-30, -15].map(|from| {
            let from = stage.start + MINUTE * from;
            again.at(stage.start, &stage.lives).log_events("/ecs/my-api", from, from + MINUTE * 15)
        });
        assert_eq!(halves.concat(), lines, "the same by another world in other pieces");
    }
}

/// A tail reads the minute under way again and again, from many places, while it passes.
#[test]
fn a_minute_read_while_it_passes_is_the_minute_read_when_it_is_over() {
    let (stage, afterwards) = (stage("oom-leak", 41), stage("oom-leak", 41));
    let end = stage.start + seconds(150);
    let read = |stage: &Stage, from, now| {
        let sight = stage.world.at(now, &stage.lives);
        sight.log_events("/ecs/my-api", from, now)
    };
    let whole = read(&afterwards, stage.start, end);
    assert!(whole.len() > 150, "{}", whole.len());
    for passed in (0..150_000).step_by(700) {
        let now = stage.start + SignedDuration::from_millis(passed);
        let from = (now - seconds(20)).max(stage.start);
        let there: Vec<LogEvent> =
            whole.iter().filter(|line| from <= line.place.at && line.place.at < now).cloned().collect();
        assert_eq!(read(&stage, from, now), there, "after {passed} ms");
        assert_eq!(read(&stage, from, now), there, "and the same again");
    }
    assert_eq!(read(&stage, stage.start, end), whole);
}

/// A scenario whose only log floods, by a thousand lines a second, from one offset to another.
fn flooding(from: &str, until: &str) -> Arc<Scenario> {
    let text = format!(
        "based_on = \"oom-leak\"\nname = \"f\"\ntitle = \"t\"\nteaches = \"t\"\n\
        [[log]]\ngroup = \"/g\"\nstream = \"s\"\ncadence = {{ kind = \"steady\", per_minute = 60000 }}\n\
        from = \"{from}\"\nuntil = \"{until}\"\ntemplates = [\"{{time}} {{x}}\"]\n\
        [log.fields]\nx = {{ kind = \"hex\", digits = 8 }}\n\
        [expect]\ncause = \"inconclusive\"\nconclusive = false\n"
    );
    Arc::new(crate::rehearsal::scenario::parse(&text, "f").unwrap())
}

#[test]
fn a_flood_writes_from_its_first_instant_to_its_last() {
    let scenario = flooding("10s500ms", "12s250ms");
    let start = scenario.start;
    let (world, nobody) = (World::new(scenario, 1).unwrap(), Lives::new());
    let lines = world.at(start + MINUTE, &nobody).log_events("/g", start, start + MINUTE);
    let ends = [lines.first(), lines.last()].map(|line| line.unwrap().place.at.duration_since(start).as_millis());
    assert_eq!((ends, lines.len()), ([500 + 10_000, 12_249], 1_750));
}

/// Minutes without a flood are read whole, and those with one second by second: from both ends, and from any place on, the
/// lines are the same, each once and in order.
#[test]
fn a_short_flood_among_quiet_minutes_reads_the_same_from_both_ends_and_from_any_place() {
    let text = "based_on = \"oom-leak\"\nname = \"f\"\ntitle = \"t\"\nteaches = \"t\"\n\
        [[log]]\ngroup = \"/g\"\nstream = \"s\"\ncadence = { kind = \"steady\", per_minute = 90 }\ntemplates = [\"quiet {time}\"]\n\
        [[log]]\ngroup = \"/g\"\nstream = \"s\"\ncadence = { kind = \"steady\", per_minute = 6000 }\n\
        from = \"-90s\"\nuntil = \"-70s\"\ntemplates = [\"loud {time}\"]\n\
        [expect]\ncause = \"inconclusive\"\nconclusive = false\n";
    let scenario = Arc::new(crate::rehearsal::scenario::parse(text, "f").unwrap());
    let (start, nobody) = (scenario.start, Lives::new());
    let world = World::new(scenario, 1).unwrap();
    let sight = world.at(start + seconds(1), &nobody);
    let tape = sight.log_tape("/g", start - seconds(203), start - seconds(8));
    let forward: Vec<_> = tape.clone().collect();
    let loud = forward.iter().filter(|line| line.message.starts_with("loud")).count();
    assert!(
        (1_990..=2_010).contains(&loud) && (250..=330).contains(&(forward.len() - loud)),
        "{loud} of {}",
        forward.len()
    );
    assert!(forward.is_sorted_by_key(|line| line.place));
    let mut backward: Vec<_> = tape.clone().backward().collect();
    backward.reverse();
    assert_eq!(backward, forward);
    for index in (0..forward.len()).step_by(211) {
        let place = forward[index].place;
        assert_eq!(tape.clone().from_place(place).collect::<Vec<_>>(), forward[index..], "from {index}");
        let mut behind: Vec<_> = tape.clone().backward().from_place(place).collect();
        behind.reverse();
        assert_eq!(behind, forward[..=index], "back from {index}");
    }
}

/// Whether a second is still kept, was forgotten for later ones, or was first read before it was over: its lines are those
/// that a world writes that was never asked before.
#[test]
fn a_second_of_a_flood_is_the_same_however_often_and_whenever_it_is_read() {
    let scenario = flooding("0s", "90s");
    let (start, nobody) = (scenario.start, Lives::new());
    let world = World::new(Arc::clone(&scenario), 1).unwrap();
    let read = |world: &World, now: i64, from: i64, to: i64| {
        world.at(start + SignedDuration::from_millis(now), &nobody).log_events(
            "/g",
            start + seconds(from),
            start + seconds(to),
        )
    };
    for (now, from, to) in [(4_500, 0, 5), (6_000, 3, 6), (6_000, 3, 6), (95_000, 0, 90), (95_000, 0, 6)] {
        let fresh = World::new(Arc::clone(&scenario), 1).unwrap();
        let lines = read(&world, now, from, to);
        assert_eq!(lines, read(&fresh, now, from, to), "at {now} ms");
        let last = (to * 1_000).min(now + 1) - from * 1_000;
        let count = i64::try_from(lines.len()).unwrap();
        assert!((count - last).abs() <= 1, "{count} of {last}");
    }
}

#[test]
fn a_flood_has_no_kill_line_but_a_137_to_stumble_over() {
    let stage = stage("traffic-flood", 43);
    let sight = stage.world.at(stage.start, &stage.lives);
    let lines = sight.log_events("/ecs/my-api", stage.start - MINUTE * 30, stage.start);
    assert_eq!(lines.iter().filter(|line| line.message.contains("OOM")).count(), 0);
    assert_eq!(lines.iter().filter(|line| line.message.contains("code 137")).count(), 2);
}

#[test]
fn files_of_a_folder_are_re_stamped_to_the_clock() {
    let folder = tempfile::tempdir().unwrap();
    let text = "based_on = \"oom-leak\"\nname = \"mine\"\ntitle = \"t\"\nteaches = \"t\"\n\
        [[metric]]\nid = \"cpu\"\nnamespace = \"AWS/ECS\"\nname = \"CPUUtilization\"\n\
        history = { shape = \"csv\", file = \"cpu.csv\" }\n\
        [[log]]\ngroup = \"/g\"\ncadence = { kind = \"file\", file = \"app.log\" }\n\
        [expect]\ncause = \"inconclusive\"\nconclusive = false\n";
    std::fs::write(folder.path().join("scenario.toml"), text).unwrap();
    std::fs::write(
        folder.path().join("cpu.csv"),
        "timestamp,value\n2014-02-14 14:27:00,51.8\n2014-02-14 14:32:00,44.0\n",
    )
    .unwrap();
    std::fs::write(folder.path().join("app.log"), "2020-01-01T00:00:00Z first\n  more\n2020-01-01T00:00:30Z last\n")
        .unwrap();
    let scenario = Arc::new(load(folder.path().to_str().unwrap()).unwrap());
    let start = scenario.start;
    let world = World::new(scenario, 1).unwrap();
    let nobody = Lives::new();
    let sight = world.at(start, &nobody);
    let values: Vec<(i64, f64)> = sight
        .points(sight.metric("cpu").unwrap().1, start - MINUTE * 30, start)
        .iter()
        .map(|point| (start.duration_since(point.at).as_mins(), point.value))
        .collect();
    assert_eq!(values, [(6, 51.8), (1, 44.0)]);
    let lines = sight.log_events("/g", start - MINUTE, start);
    assert_eq!(lines.iter().map(|line| &*line.message).collect::<Vec<_>>(), ["first\n  more", "last"]);
    assert_eq!(lines[1].place.at, start - seconds(1));
    std::fs::write(folder.path().join("cpu.csv"), "timestamp,value\n2014-02-14 14:27:00,many\n").unwrap();
    let fault = World::new(Arc::new(load(folder.path().to_str().unwrap()).unwrap()), 1).unwrap_err();
    assert!(fault.summary.contains("line 2"), "{fault}");
}
