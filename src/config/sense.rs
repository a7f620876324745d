//! Values that have the right shape and that nobody can mean: refused when they are read, since they would fail in the middle
//! of an incident, or not at all and in silence.

use super::file::ConfigFile;
use super::service::ServiceTable;

/// The longest name of an object or a namespace, by RFC 1123.
const LONGEST_NAME: usize = 253;
/// Seconds that somebody may wait for an answer.
const PATIENCE: std::ops::RangeInclusive<u32> = 1..=600;
/// Tokens that a diagnosis may take: fewer hold none, more no model writes at once.
const TOKENS: std::ops::RangeInclusive<u32> = 256..=65_536;

/// What of a file cannot be meant, one sentence each.
pub(super) fn problems(file: &ConfigFile) -> Vec<String> {
    let mut problems = Vec::new();
    for (name, given) in [
        ("aws.connect_timeout_s", file.aws.connect_timeout_s),
        ("aws.answer_timeout_s", file.aws.answer_timeout_s),
        ("kubernetes.connect_timeout_s", file.kubernetes.connect_timeout_s),
        ("kubernetes.answer_timeout_s", file.kubernetes.answer_timeout_s),
        ("model.connect_timeout_s", file.model.connect_timeout_s),
        ("model.first_byte_timeout_s", file.model.first_byte_timeout_s),
        ("model.idle_timeout_s", file.model.idle_timeout_s),
    ] {
        if let Some(seconds) = given.filter(|seconds| !PATIENCE.contains(seconds)) {
            problems.push(format!("{name} is {seconds}, not between {} and {}.", PATIENCE.start(), PATIENCE.end()));
        }
    }
    if let Some(tokens) = file.model.max_tokens.filter(|tokens| !TOKENS.contains(tokens)) {
        problems.push(format!("model.max_tokens is {tokens}, not between {} and {}.", TOKENS.start(), TOKENS.end()));
    }
    if let Some(url) = file.aws.endpoint_url.as_deref().filter(|url| !is_address(url)) {
        problems.push(format!("aws.endpoint_url {url:?} is no address such as \"http://127.0.0.1:4566\"."));
    }
    problems.extend(file.kubernetes.namespaces.iter().filter_map(|name| no_name(name)));
    problems.extend(file.environment.accounts.keys().filter_map(|account| no_account(account)));
    if file.log.groups.iter().any(|group| group.trim().is_empty()) {
        problems.push("log.groups names an empty log group.".to_owned());
    }
    problems.extend(file.service.iter().flat_map(ServiceTable::problems));
    problems
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
    host.is_some_and(|host| !host.is_empty() && !host.starts_with(':')) && !text.contains(char::is_whitespace)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Vec<String> {
        problems(&toml::from_str(text).unwrap())
    }

    #[test]
    fn what_nobody_can_mean_is_refused_with_every_reason() {
        for text in [
            "[kubernetes]\nnamespaces = [\"Pay Ments!\"]",
            "[kubernetes]\nnamespaces = [\"\"]",
            "[aws]\nendpoint_url = \"not a url\"",
            "[aws]\nendpoint_url = \"https://\"",
            "[aws]\nconnect_timeout_s = 0",
            "[model]\nidle_timeout_s = 100000",
            "[model]\nmax_tokens = 0",
            "[environment.accounts]\n\"12\" = \"prod\"",
            "[log]\ngroups = [\"\"]",
            "[[service]]\nname = \"\"",
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
                    [[service]]\nname = \"My API\"\nalarms = [\"*\"]\nlog_groups = [\"/ecs/my-api\"]\n\
                    workload = { kind = \"deployment\", namespace = \"payments\", name = \"my-api.v2\" }";
        assert_eq!(of(text), Vec::<String>::new());
    }
}
