//! Values that are well-formed and mean nothing: times that run backwards, counts out of all proportion, names of
//! operations that nobody asks for. Each is told before a world is built of it.

use std::collections::HashMap;

use jiff::SignedDuration;

use super::{AlarmSpec, Cadence, CompositeRule, ConditionSpec, FaultEffect, FaultSpec, FieldSpec, LogSpec, Scenario};
use crate::domain::diagnosis::verdict::Cause;
use crate::domain::drill::Api;
use crate::rehearsal::cluster::kind::KINDS;

/// Repetitions of a metric or alarm at most; also pods and alarms that `[scale]` fills up to.
pub(super) const MANY: u32 = 20_000;
/// Log lines a second at most.
pub(super) const LINES_PER_SECOND: u32 = 100_000;
/// Log events in the window at most.
pub(super) const LOG_EVENTS: u32 = 10_000_000;
/// `CloudWatch` looks at a week of points at most, and at a day where they are shorter than an hour.
const LONGEST_EVALUATION_S: u64 = 7 * 86_400;

/// Metrics and logs reach back so far at least, so that the rules' window has points.
const SHORTEST_HISTORY: SignedDuration = SignedDuration::from_mins(1);
const LONGEST_HISTORY: SignedDuration = SignedDuration::from_hours(14 * 24);
/// A wait of a fault or a model at most.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_hours(24);

/// The first value of a scenario that means nothing, in one sentence.
pub(super) fn contradiction(scenario: &Scenario) -> Option<String> {
    of_the_whole(scenario)
        .or_else(|| scenario.alarms.iter().find_map(of_alarm))
        .or_else(|| cycle(&scenario.alarms))
        .or_else(|| scenario.logs.iter().find_map(of_log))
        .or_else(|| scenario.faults.iter().find_map(of_fault))
}

fn of_the_whole(scenario: &Scenario) -> Option<String> {
    let name = &scenario.name;
    let is_name = !name.is_empty() && name.chars().all(|sign| sign.is_ascii_alphanumeric() || "._-".contains(sign));
    if !is_name || name.starts_with('.') {
        return Some(format!("The name {name:?} needs letters, digits, hyphens, and no path."));
    }
    if let Some(text) = [&scenario.title, &scenario.teaches].into_iter().find(|text| text.chars().any(char::is_control))
    {
        return Some(format!("The text {text:?} has a control character."));
    }
    if !(SHORTEST_HISTORY..=LONGEST_HISTORY).contains(&scenario.history) {
        return Some(format!("The history {:#} lies outside of a minute to 14 days.", scenario.history));
    }
    let cause = &scenario.expect.cause;
    if !Cause::ALL.iter().any(|known| known.id() == cause) {
        let known: Vec<&str> = Cause::ALL.iter().map(|cause| cause.id()).collect();
        return Some(format!("The cause {cause:?} that is expected is none of {}.", known.join(", ")));
    }
    let pace = scenario.model.tokens_per_second;
    if !pace.is_finite() || pace <= 0.0 {
        return Some(format!("The model speaks {pace} tokens a second; it needs more than none."));
    }
    wait("The first token of the model", scenario.model.first_token)
}

fn of_alarm(alarm: &AlarmSpec) -> Option<String> {
    let (length_s, looked_at, breaching, delay) = match &alarm.condition {
        ConditionSpec::Threshold { period_s, evaluation_periods, datapoints_to_alarm, delay, .. }
        | ConditionSpec::AnomalyBand { period_s, evaluation_periods, datapoints_to_alarm, delay, .. } => {
            (*period_s, *evaluation_periods, *datapoints_to_alarm, *delay)
        }
        ConditionSpec::Composite { .. } | ConditionSpec::Fixed { .. } => return None,
    };
    let name = &alarm.name;
    if length_s == 0 || length_s % 60 != 0 && ![10, 20, 30].contains(&length_s) {
        return Some(format!(
            "The alarm {name:?} has a period of {length_s} s; it needs 10, 20, 30 or a multiple of 60."
        ));
    }
    let day = if length_s < 3_600 { 86_400 } else { LONGEST_EVALUATION_S };
    if looked_at == 0 || u64::from(looked_at) * u64::from(length_s) > day {
        return Some(format!(
            "The alarm {name:?} looks at {looked_at} periods; it needs one at least, and a day of them at most (a week of hours)."
        ));
    }
    if breaching.is_some_and(|points| points == 0 || points > looked_at) {
        return Some(format!("The alarm {name:?} needs between 1 and {looked_at} points to alarm."));
    }
    wait(&format!("The delay of the alarm {name:?}"), delay)
}

/// Composite alarms that come back to themselves are evaluated by nobody.
fn cycle(alarms: &[AlarmSpec]) -> Option<String> {
    let rules: HashMap<&str, Vec<String>> = alarms
        .iter()
        .filter_map(|alarm| match &alarm.condition {
            ConditionSpec::Composite { rule } => {
                let names = CompositeRule::parse(rule).ok()?.names().into_iter().cloned().collect();
                Some((alarm.name.as_str(), names))
            }
            ConditionSpec::Threshold { .. } | ConditionSpec::AnomalyBand { .. } | ConditionSpec::Fixed { .. } => None,
        })
        .collect();
    // One whose children are all settled is settled; what is never settled goes round.
    let mut open: Vec<&str> =
        alarms.iter().map(|alarm| alarm.name.as_str()).filter(|name| rules.contains_key(name)).collect();
    loop {
        let still: Vec<&str> = open
            .iter()
            .copied()
            .filter(|name| rules[name].iter().any(|child| open.contains(&child.as_str())))
            .collect();
        if still.len() == open.len() {
            break;
        }
        open = still;
    }
    open.first().map(|name| format!("The rule of {name:?} leads back to itself over other alarms."))
}

fn of_log(log: &LogSpec) -> Option<String> {
    let group = &log.group;
    let pace = match &log.cadence {
        Cadence::Steady { per_minute } | Cadence::Metric { per_minute, .. } => Some(*per_minute),
        Cadence::EachKill { .. } | Cadence::EachStart { .. } | Cadence::Once { .. } | Cadence::File { .. } => None,
    };
    let most = f64::from(LINES_PER_SECOND) * 60.0;
    if let Some(pace) = pace.filter(|pace| !(0.0..=most).contains(pace)) {
        return Some(format!("A log of {group} has {pace} lines a minute; it needs between 0 and {most}."));
    }
    if log.templates.is_empty() && !matches!(log.cadence, Cadence::File { .. }) {
        return Some(format!("A log of {group} has no template to write its lines by."));
    }
    if log.from.zip(log.until).is_some_and(|(from, until)| from >= until) {
        return Some(format!("A log of {group} ends before it begins."));
    }
    if log.late.is_some_and(|late| !(0.0..=1.0).contains(&late.share) || late.by <= SignedDuration::ZERO) {
        return Some(format!("The late lines of {group} need a share of 0 to 1, and a time after their own."));
    }
    log.fields.iter().find_map(|(field, spec)| match spec {
        FieldSpec::Int { min, max } if min > max => {
            Some(format!("The field {field:?} of {group} goes from {min} to {max}: upside down."))
        }
        FieldSpec::Pick { of } if of.is_empty() => {
            Some(format!("The field {field:?} of {group} has nothing to pick from."))
        }
        FieldSpec::Int { .. } | FieldSpec::Pick { .. } | FieldSpec::Hex { .. } | FieldSpec::Metric { .. } => None,
    })
}

fn of_fault(fault: &FaultSpec) -> Option<String> {
    let (word, api) = (fault.effect.word(), fault.service);
    if let (Some(operation), Some(known)) = (&fault.operation, operations(api))
        && !known.contains(&operation.as_str())
    {
        return Some(format!("The fault {word:?} names {operation:?}; {} has {}.", api.word(), known.join(", ")));
    }
    if let Some(resource) = &fault.resource
        && !KINDS.iter().any(|kind| kind.plural == resource)
    {
        return Some(format!("The fault {word:?} names the resource {resource:?}, which the cluster does not serve."));
    }
    match &fault.effect {
        FaultEffect::Latency { delay } if *delay == SignedDuration::ZERO => {
            Some(format!("The fault {word:?} of {} delays nothing.", api.word()))
        }
        FaultEffect::Latency { delay } => wait(&format!("The fault {word:?} of {}", api.word()), *delay),
        FaultEffect::Pages { size: 0 } => Some(format!("The fault {word:?} of {} holds nothing a page.", api.word())),
        FaultEffect::Pages { .. }
        | FaultEffect::Throttled
        | FaultEffect::Denied
        | FaultEffect::Expired
        | FaultEffect::Unavailable
        | FaultEffect::Cut { .. }
        | FaultEffect::Silence
        | FaultEffect::Empty
        | FaultEffect::Gone
        | FaultEffect::Reset
        | FaultEffect::Malformed
        | FaultEffect::Skewed { .. }
        | FaultEffect::Stream { .. }
        | FaultEffect::Restart
        | FaultEffect::Unresolved
        | FaultEffect::Refused { .. } => None,
    }
}

/// What a fault may name as an operation; `None` where any word goes.
fn operations(api: Api) -> Option<&'static [&'static str]> {
    match api {
        Api::CloudWatch => Some(&[
            "DescribeAlarms",
            "DescribeAlarmHistory",
            "DescribeAlarmsForMetric",
            "GetMetricData",
            "ListMetrics",
            "ListTagsForResource",
        ]),
        Api::Logs => Some(&[
            "DescribeLogGroups",
            "DescribeLogStreams",
            "FilterLogEvents",
            "GetLogEvents",
            "GetQueryResults",
            "StartLiveTail",
            "StartQuery",
            "StopQuery",
        ]),
        Api::Bedrock => Some(&["Converse", "ConverseStream", "CountTokens", "InvokeModel"]),
        Api::Sts => Some(&["GetCallerIdentity"]),
        Api::Kubernetes => Some(&["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"]),
        Api::Charts => Some(&["index", "pull"]),
        Api::Slack => None,
    }
}

/// A wait that runs backwards or never ends.
fn wait(whose: &str, length: SignedDuration) -> Option<String> {
    (length.is_negative() || length > LONGEST_WAIT).then(|| format!("{whose} waits {length:#}; it needs 0 s to 24 h."))
}

#[cfg(test)]
mod tests {
    use super::super::load::parse;

    fn refused(lines: &str) -> String {
        let (top, tables) =
            lines.split_once('[').map_or((lines, String::new()), |(top, rest)| (top, format!("[{rest}")));
        let name = if top.contains("name =") { "" } else { "name = \"test\"\n" };
        let expect =
            if tables.contains("[expect]") { "" } else { "[expect]\ncause = \"memory-leak\"\nconclusive = true\n" };
        let text = format!("based_on = \"oom-leak\"\n{name}title = \"t\"\nteaches = \"t\"\n{top}\n{tables}\n{expect}");
        parse(&text, "x").err().map_or_else(|| "taken".to_owned(), |fault| fault.causes[0].clone())
    }

    #[test]
    fn what_means_nothing_is_told() {
        let alarm = |more: &str| {
            format!(
                "[[alarm]]\nname = \"a\"\ncondition = {{ kind = \"threshold\", metric = \"cpu\", statistic = \"average\", \
                 comparison = \"greater\", threshold = 1.0, {more} }}"
            )
        };
        let composite = |name: &str, rule: &str| {
            format!("[[alarm]]\nname = \"{name}\"\ncondition = {{ kind = \"composite\", rule = \"{rule}\" }}\n")
        };
        let fault = |more: &str| format!("[[fault]]\n{more}");
        let log = |cadence: &str, more: &str| {
            format!("[[log]]\ngroup = \"/g\"\nstream = \"s\"\ncadence = {{ {cadence} }}\n{more}")
        };
        let steady = "kind = \"steady\", per_minute = 1.0";
        let text = "templates = [\"t {n}\"]\n";
        for (lines, words) in [
            ("history = \"-3h\"".to_owned(), "history"),
            ("history = \"10000h\"".to_owned(), "history"),
            ("name = \"../../x\"".to_owned(), "no path"),
            ("name = \"\"".to_owned(), "no path"),
            (alarm("period_s = 0"), "multiple of 60"),
            (alarm("period_s = 30"), "taken"),
            (alarm("evaluation_periods = 0"), "looks at 0 periods"),
            (alarm("evaluation_periods = 4000000000"), "a day of them at most"),
            (alarm("datapoints_to_alarm = 5"), "between 1 and 1"),
            (alarm("delay = \"-5s\""), "0 s to 24 h"),
            ([composite("a", "ALARM(b)"), composite("b", "ALARM(a)")].concat(), "leads back to itself"),
            ([composite("a", "ALARM(b)"), composite("b", "TRUE")].concat(), "taken"),
            (
                fault("service = \"logs\"\noperation = \"FilterLogEvent\"\neffect = { kind = \"throttled\" }"),
                "FilterLogEvents",
            ),
            (fault("service = \"kubernetes\"\nresource = \"podz\"\neffect = { kind = \"denied\" }"), "does not serve"),
            (fault("service = \"logs\"\neffect = { kind = \"latency\", delay = \"-5s\" }"), "0 s to 24 h"),
            (fault("service = \"logs\"\neffect = { kind = \"latency\", delay = \"1000000h\" }"), "0 s to 24 h"),
            (fault("service = \"logs\"\neffect = { kind = \"pages\", size = 0 }"), "nothing a page"),
            (log("kind = \"steady\", per_minute = -5.0", text), "between 0 and"),
            (log("kind = \"steady\", per_minute = nan", text), "between 0 and"),
            (log("kind = \"steady\", per_minute = 1e300", text), "between 0 and"),
            (log(steady, ""), "no template"),
            (log(steady, &format!("{text}from = \"5m\"\nuntil = \"1m\"")), "ends before it begins"),
            (log(steady, &format!("{text}late = {{ share = 5.0, by = \"1m\" }}")), "a share of 0 to 1"),
            (log(steady, &format!("{text}fields.n = {{ kind = \"int\", min = 5, max = 1 }}")), "upside down"),
            (log(steady, &format!("{text}fields.n = {{ kind = \"pick\", of = [] }}")), "nothing to pick"),
            (log(steady, text), "taken"),
            ("[model]\ntokens_per_second = -5.0".to_owned(), "tokens a second"),
            ("[model]\nfirst_token = \"-5s\"".to_owned(), "first token"),
            ("[expect]\ncause = \"foo\"\nconclusive = true".to_owned(), "is none of"),
            ("[scale]\npods = 100000000".to_owned(), "pods"),
            (format!("{}\nrepeat = 4000000000", alarm("period_s = 60")), "repeat"),
        ] {
            let found = refused(&lines);
            assert!(found.contains(words), "{lines}\n{found}");
        }
    }
}
