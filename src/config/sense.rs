//! Values that have the right shape and that nobody can mean: refused when they are read, since they would fail in the middle
//! of an incident, or not at all and in silence.

use std::ops::RangeInclusive;

use super::file::ConfigFile;
use super::places::Problem;
use super::service::{self, ServiceTable};

/// The longest name of an object or a namespace, by RFC 1123.
const LONGEST_NAME: usize = 253;
/// Seconds that somebody may wait for an answer.
const PATIENCE: RangeInclusive<u32> = 1..=600;
/// Tokens that a diagnosis may take: fewer hold none, more no model writes at once.
const TOKENS: RangeInclusive<u32> = 256..=65_536;
/// Minutes that evidence may go back.
const WINDOW: RangeInclusive<u32> = 5..=1_440;
/// The longest pause between two polls, seconds.
const LONGEST_PAUSE: u32 = 3_600;
/// The smallest and the largest part of the screen that a pane may be given, in percent: none may push the others off it.
const PARTS: RangeInclusive<u32> = 10..=80;

/// What of a file cannot be meant.
pub(super) fn problems(file: &ConfigFile) -> Vec<Problem> {
    let mut problems = bounds(file);
    problems.extend(texts(file));
    problems.extend(file.kubernetes.namespaces.iter().zip(0..).filter_map(|(name, number)| {
        no_name(name).map(|what| Problem::new(["kubernetes", "namespaces", &number.to_string()], what))
    }));
    problems.extend(environment(file));
    problems.extend(file.log.groups.iter().zip(0..).filter(|(group, _)| group.trim().is_empty()).map(|(_, number)| {
        Problem::new(["log", "groups", &number.to_string()], "log.groups names an empty log group.")
    }));
    let of_services = file.service.iter().map(ServiceTable::problems).zip(0..);
    problems.extend(of_services.flat_map(|(of_one, number)| {
        of_one.into_iter().map(move |problem: Problem| problem.below(["service", &number.to_string()]))
    }));
    problems.extend(service::named_twice(&file.service));
    problems
}

/// Numbers with their bounds. The lower ones of polls keep a cockpit from throttling the account it is trying to save.
fn bounds(file: &ConfigFile) -> Vec<Problem> {
    let (aws, kubernetes, model) = (&file.aws, &file.kubernetes, &file.model);
    let (poll, panes) = (&file.poll, &file.panes);
    let pause = |least: u32| least..=LONGEST_PAUSE;
    let rows = [
        ("aws", "connect_timeout_s", aws.connect_timeout_s, PATIENCE),
        ("aws", "answer_timeout_s", aws.answer_timeout_s, PATIENCE),
        ("kubernetes", "connect_timeout_s", kubernetes.connect_timeout_s, PATIENCE),
        ("kubernetes", "answer_timeout_s", kubernetes.answer_timeout_s, PATIENCE),
        ("model", "connect_timeout_s", model.connect_timeout_s, PATIENCE),
        ("model", "first_byte_timeout_s", model.first_byte_timeout_s, PATIENCE),
        ("model", "idle_timeout_s", model.idle_timeout_s, PATIENCE),
        ("model", "max_tokens", model.max_tokens, TOKENS),
        ("evidence", "minutes", file.evidence.minutes, WINDOW),
        ("poll", "alarms_s", poll.alarms_s, pause(2)),
        ("poll", "metrics_s", poll.metrics_s, pause(10)),
        ("poll", "logs_s", poll.logs_s, pause(1)),
        ("panes", "left", panes.left, PARTS),
        ("panes", "alarms", panes.alarms, PARTS),
        ("panes", "metrics", panes.metrics, PARTS),
        ("panes", "band", panes.band, PARTS),
    ];
    let out = rows.into_iter().filter_map(|(table, key, given, bound)| Some((table, key, given?, bound)));
    out.filter(|(.., given, bound)| !bound.contains(given))
        .map(|(table, key, given, bound)| {
            let (least, most, of) = (bound.start(), bound.end(), unit(table, key));
            Problem::new(
                [table, key],
                format!("{table}.{key} is {given}, not a whole number{of} from {least} to {most}."),
            )
        })
        .collect()
}

/// What a number counts, by the name of its key.
pub(super) fn unit(table: &str, key: &str) -> &'static str {
    match (table, key) {
        (_, key) if key.ends_with("_s") => " of seconds",
        (_, "minutes") => " of minutes",
        ("panes", _) => " of percent",
        (_, "max_tokens") => " of tokens",
        _ => "",
    }
}

/// Texts that cannot be what they are to be.
fn texts(file: &ConfigFile) -> Vec<Problem> {
    let mut problems = Vec::new();
    let path = file.kubernetes.kubeconfig.as_ref().map(|path| path.to_string_lossy());
    for (table, key, given, hint) in [
        ("aws", "profile", file.aws.profile.as_deref(), "Leave it out for the usual credentials."),
        ("kubernetes", "context", file.kubernetes.context.as_deref(), "Leave it out for the current context."),
        ("kubernetes", "kubeconfig", path.as_deref(), "Leave it out for KUBECONFIG or the usual place."),
        ("model", "id", file.model.id.as_deref(), "`id = \"none\"` turns the model off."),
    ] {
        if given.is_some_and(|given| given.trim().is_empty()) {
            problems.push(Problem::new([table, key], format!("{table}.{key} is empty.")).hint(hint));
        }
    }
    for (table, given) in [("aws", file.aws.region.as_deref()), ("model", file.model.region.as_deref())] {
        if let Some(region) = given.filter(|region| !is_region(region)) {
            let what = format!("{table}.region {region:?} is no AWS region.");
            problems.push(Problem::new([table, "region"], what).hint(REGION_HINT));
        }
    }
    if let Some(url) = file.aws.endpoint_url.as_deref().filter(|url| !is_address(url)) {
        let what = format!("aws.endpoint_url {url:?} is no address.");
        problems.push(Problem::new(["aws", "endpoint_url"], what).hint("Write one such as \"http://127.0.0.1:4566\"."));
    }
    // The address itself is a secret and stays out of the message.
    let webhook = file.slack.webhook_url.as_deref().filter(|url| !url.is_empty());
    if webhook.is_some_and(|url| !is_webhook(url)) {
        let what = "slack.webhook_url is not an https address.";
        problems.push(Problem::new(["slack", "webhook_url"], what).hint(WEBHOOK_HINT));
    }
    problems
}

fn environment(file: &ConfigFile) -> Vec<Problem> {
    let (accounts, clusters) = (&file.environment.accounts, &file.environment.clusters);
    let unknown = accounts.keys().filter_map(|account| {
        let hint = "An account is its number of twelve digits, in quotes.";
        no_account(account).map(|what| Problem::new(["environment", "accounts", account], what).hint(hint))
    });
    let words = [("accounts", accounts), ("clusters", clusters)];
    let wordless = words.into_iter().flat_map(|(table, words)| {
        words.iter().filter(|(_, word)| !is_word(word)).map(move |(place, _)| {
            let what = format!("the word for {place:?} cannot be shown.");
            Problem::new(["environment", table, place], what).hint("Write a short word such as \"PROD\".")
        })
    });
    unknown.chain(wordless).collect()
}

/// What to say of a text that is no region.
pub(super) const REGION_HINT: &str = "A region is written as in \"us-east-1\".";
/// What to say of a text that is no webhook.
pub(super) const WEBHOOK_HINT: &str = "Copy the incoming webhook's address from the Slack app's page.";

/// Whether a text has the shape of a region: `us-east-1`, `us-gov-west-1`. One of a zone, `us-east-1a`, has not.
pub(super) fn is_region(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let is_part = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase());
    match parts.as_slice() {
        [area @ .., number] if area.len() >= 2 => {
            area.iter().all(is_part) && !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
        }
        _ => false,
    }
}

/// Whether a text can be shown in a line: there is something to see, and nothing that drives a terminal.
pub(super) fn is_word(text: &str) -> bool {
    !text.trim().is_empty() && !text.contains(char::is_control)
}

/// Why a text is no name of an object of a cluster: parts of small letters, digits and hyphens between dots (RFC 1123).
pub(super) fn no_name(text: &str) -> Option<String> {
    let is_inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let is_part =
        |part: &str| !part.is_empty() && part.bytes().all(is_inner) && !part.starts_with('-') && !part.ends_with('-');
    let is_name = text.len() <= LONGEST_NAME && text.split('.').all(is_part);
    (!is_name).then(|| format!("{text:?} is no name in a cluster: small letters, digits and hyphens."))
}

/// Why a text is no AWS account.
pub(super) fn no_account(text: &str) -> Option<String> {
    let is_account = text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    (!is_account).then(|| format!("account {text:?} is not twelve digits."))
}

/// Whether a text is an address with a host.
pub(super) fn is_address(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let host = rest.map(|rest| rest.split(['/', '?', '#']).next().unwrap_or_default());
    let is_odd = |letter: char| letter.is_whitespace() || letter.is_control();
    host.is_some_and(|host| !host.is_empty() && !host.starts_with(':')) && !text.contains(is_odd)
}

/// Whether a text is an address to which a report may go: in the open to this machine alone.
pub(super) fn is_webhook(url: &str) -> bool {
    let local = url.starts_with("http://127.0.0.1:") || url.starts_with("http://[::1]:");
    is_address(url) && (url.starts_with("https://") || local)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Vec<Problem> {
        problems(&toml::from_str(text).unwrap())
    }

    #[test]
    fn what_nobody_can_mean_is_refused_with_every_reason() {
        for text in [
            "[kubernetes]\nnamespaces = [\"Pay Ments!\"]",
            "[kubernetes]\nnamespaces = [\"\"]",
            "[kubernetes]\nkubeconfig = \"\"",
            "[aws]\nendpoint_url = \"not a url\"",
            "[aws]\nendpoint_url = \"https://\"",
            "[aws]\nconnect_timeout_s = 0",
            "[aws]\nregion = \"\"",
            "[aws]\nregion = \"us-east-1a\"",
            "[model]\nregion = \"not a region!\"",
            "[model]\nid = \"\"",
            "[model]\nidle_timeout_s = 100000",
            "[model]\nmax_tokens = 0",
            "[poll]\nlogs_s = 0",
            "[panes]\nleft = 81",
            "[evidence]\nminutes = 4",
            "[slack]\nwebhook_url = \"ftp://hooks.example.test\"",
            "[slack]\nwebhook_url = \"https://hooks.example.test/x\\u001b[31m\"",
            "[environment.accounts]\n\"12\" = \"prod\"",
            "[environment.accounts]\n\"123456789012\" = \"\"",
            "[environment.clusters]\n\"eks\" = \"a\\u001b[0m\"",
            "[log]\ngroups = [\"\"]",
            "[[service]]\nname = \"\"",
            "[[service]]\nname = \"a\\nb\"",
            "[[service]]\nname = \"a\"\n[[service]]\nname = \"a\"",
            "[[service]]\nname = \"a\"\nlinks = [\"javascript:alert(1)\"]",
            "[[service]]\nname = \"a\"\nlinks = [\"https://x.test/\\u001b]0;\"]",
            "[[service]]\nname = \"a\"\nalarms = [\"\"]",
            "[[service]]\nname = \"a\"\nlog_groups = [\" \"]",
            "[[service]]\nname = \"a\"\nworkload = { kind = \"deployment\", namespace = \"\", name = \"a\" }",
            "[[service]]\nname = \"a\"\n[service.metrics.cpu]\nnamespace = \"\"\nname = \"X\"",
            "[[service]]\nname = \"a\"\n[service.metrics.cpu]\nnamespace = \"N\"\nname = \"X\"\naccount = \"1\"",
        ] {
            assert_eq!(of(text).len(), 1, "{text}: {:?}", of(text));
        }
        assert_eq!(of("[aws]\nconnect_timeout_s = 0\nanswer_timeout_s = 601").len(), 2);
    }

    #[test]
    fn what_is_usual_is_in_order() {
        let text = "[aws]\nendpoint_url = \"http://127.0.0.1:4566\"\nconnect_timeout_s = 5\n[kubernetes]\n\
                    namespaces = [\"payments\", \"team-a\"]\n[environment.accounts]\n\"123456789012\" = \"PROD\"\n\
                    [model]\nregion = \"us-gov-west-1\"\n[poll]\nlogs_s = 1\n[slack]\nwebhook_url = \"\"\n\
                    [[service]]\nname = \"My API\"\nalarms = [\"*\"]\nlog_groups = [\"/ecs/my-api\"]\n\
                    links = [\"https://runbooks.example.test/a?b=c#d\"]\n\
                    workload = { kind = \"deployment\", namespace = \"payments\", name = \"my-api.v2\" }";
        assert_eq!(of(text), Vec::<Problem>::new());
    }
}
