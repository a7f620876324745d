//! Addresses of the console's pages on what is on screen: to be copied, never opened by this program.

use jiff::{SignedDuration, Timestamp};

use crate::domain::observation::alarm::AlarmName;
use crate::domain::observation::log::LogGroup;
use crate::domain::observation::metric::MetricQuery;
use crate::domain::observation::scope::{Region, Scope, Window};
use crate::domain::observation::workload::WorkloadRef;

/// How much of a log stream is opened on either side of a line.
const AROUND: SignedDuration = SignedDuration::from_mins(5);

/// The alarm.
pub fn alarm(region: &Region, name: &AlarmName) -> String {
    format!("{}#alarmsV2:alarm/{}", home(region, "cloudwatch"), escaped(name.as_str()))
}

/// A stream of a log group around an instant; the whole group where the stream has no name.
pub fn logs(region: &Region, group: &LogGroup, (stream, at): (&str, Timestamp)) -> String {
    let (from, to) = ((at - AROUND).as_millisecond(), (at + AROUND).as_millisecond());
    let stream = if stream.is_empty() { String::new() } else { format!("/{}", doubly(stream)) };
    let place = format!("log-groups/log-group/{}/log-events{stream}", doubly(group.as_str()));
    format!("{}#logsV2:{place}$3Fstart$3D{from}$26end$3D{to}", home(region, "cloudwatch"))
}

/// A metric over a window, as it is read: its statistic, its period, and the account that has it.
pub fn metric(region: &Region, query: &MetricQuery, window: Window) -> String {
    let metric = &query.metric;
    let dimensions = metric.dimensions.iter().flat_map(|(name, value)| [name, value]);
    let names: String =
        [&metric.namespace, &metric.name].into_iter().chain(dimensions).map(|name| quoted(name)).collect();
    let account = metric.account.as_ref().map_or_else(String::new, |id| format!("~accountId{}", quoted(id.as_str())));
    let (statistic, period) = (quoted(&query.statistic.to_string()), query.period_s);
    let shown = format!("~view~'timeSeries~stacked~false~region{}", quoted(region.as_str()));
    let [from, to] = instants(window);
    format!(
        "{}#metricsV2:graph=~(metrics~(~({names}~(stat{statistic}~period~{period}{account}))){shown}~start{from}~end{to})",
        home(region, "cloudwatch")
    )
}

/// A query of Logs Insights on groups over a window.
pub fn insights<'g>(
    region: &Region,
    groups: impl IntoIterator<Item = &'g LogGroup>,
    (query, window): (&str, Window),
) -> String {
    let groups: String = groups.into_iter().map(|group| quoted(group.as_str())).collect();
    let [from, to] = instants(window);
    let detail = format!(
        "~(end{to}~start{from}~timeType~'ABSOLUTE~tz~'UTC~editorString{}~isLiveTail~false~source~({groups}))",
        quoted(query)
    );
    // As the console does: what `escape` of JavaScript leaves alone stands as it is.
    let once = escaped_but(&detail, b"@*_+-./");
    let twice = escaped_but(&once, b"@*_+-./").replace('%', "$");
    format!("{}#logsV2:logs-insights$3FqueryDetail$3D{twice}", home(region, "cloudwatch"))
}

/// A text as the console's own notation of values has it (JSURL): what is no letter, digit, `_`, `-` or `.` by its code.
fn quoted(text: &str) -> String {
    let one = |unit: u16| match u8::try_from(unit) {
        Ok(byte) if byte.is_ascii_alphanumeric() || b"_-.".contains(&byte) => char::from(byte).to_string(),
        Ok(b'$') => "!".to_owned(),
        Ok(byte) => format!("*{byte:02x}"),
        Err(_) => format!("**{unit:04x}"),
    };
    format!("~'{}", text.encode_utf16().map(one).collect::<String>())
}

/// The ends of a window in that notation.
fn instants(window: Window) -> [String; 2] {
    [window.from, window.to].map(|at| quoted(&at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()))
}

/// The workload in its cluster; `None` where the cluster is not known.
pub fn workload(scope: &Scope, target: &WorkloadRef) -> Option<String> {
    let cluster = escaped(scope.cluster.as_ref()?.as_str());
    let (kind, name) = (target.kind.plural(), escaped(&target.name));
    let namespace = escaped(target.namespace.as_str());
    Some(format!("{}#/clusters/{cluster}/{kind}/{name}?namespace={namespace}", home(&scope.region, "eks")))
}

/// Each partition has a console of its own.
fn home(region: &Region, product: &str) -> String {
    let region = region.as_str();
    let host = match region {
        _ if region.starts_with("cn-") => "console.amazonaws.cn",
        _ if region.starts_with("us-gov-") => "console.amazonaws-us-gov.com",
        _ => "console.aws.amazon.com",
    };
    format!("https://{region}.{host}/{product}/home?region={region}")
}

/// Percent-encoding of everything but the unreserved characters (RFC 3986, section 2.3).
fn escaped(text: &str) -> String {
    escaped_but(text, b"-_.~")
}

fn escaped_but(text: &str, kept: &[u8]) -> String {
    let kept = |byte: u8| byte.is_ascii_alphanumeric() || kept.contains(&byte);
    let one = |byte: u8| if kept(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    text.bytes().map(one).collect()
}

/// The log console encodes its names twice and writes `$` for the percent sign.
fn doubly(text: &str) -> String {
    escaped(&escaped(text)).replace('%', "$")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::observation::metric::{MetricId, MetricRole, Statistic};
    use crate::domain::observation::workload::WorkloadKind;

    fn window() -> Window {
        let [from, to] = ["2026-05-01T09:01:00Z", "2026-05-01T09:31:00Z"].map(|at| at.parse().unwrap());
        Window { from, to }
    }

    #[test]
    fn addresses_are_those_of_the_console() {
        let region = Region::from("us-east-1");
        assert_eq!(
            alarm(&region, &"my api/cpu".into()),
            "https://us-east-1.console.aws.amazon.com/cloudwatch/home?region=us-east-1#alarmsV2:alarm/my%20api%2Fcpu"
        );
        let at = Timestamp::from_second(1_000_000).unwrap();
        assert_eq!(
            logs(&region, &"/ecs/my-api".into(), ("task/1", at)),
            "https://us-east-1.console.aws.amazon.com/cloudwatch/home?region=us-east-1#logsV2:log-groups/log-group/\
             $252Fecs$252Fmy-api/log-events/task$252F1$3Fstart$3D999700000$26end$3D1000300000"
        );
        let scope = Scope { region: "us-gov-west-1".into(), cluster: Some("eks-1".into()), ..Scope::default() };
        let target =
            WorkloadRef { kind: WorkloadKind::Deployment, namespace: "payments".into(), name: "my-api".to_owned() };
        assert_eq!(
            workload(&scope, &target).unwrap(),
            "https://us-gov-west-1.console.amazonaws-us-gov.com/eks/home?region=us-gov-west-1#/clusters/eks-1/\
             deployments/my-api?namespace=payments"
        );
        assert_eq!(workload(&Scope::default(), &target), None, "no cluster, no page");
    }

    #[test]
    fn a_metric_is_graphed_as_it_is_read() {
        let dimensions = [("ClusterName", "prod"), ("ServiceName", "my api$")];
        let mut query = MetricQuery {
            role: MetricRole::Cpu,
            metric: MetricId {
                namespace: "AWS/ECS".to_owned(),
                name: "CPUUtilization".to_owned(),
                dimensions: dimensions.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
                account: None,
            },
            statistic: Statistic::Percentile(999),
            period_s: 300,
        };
        assert_eq!(
            metric(&"cn-north-1".into(), &query, window()),
            "https://cn-north-1.console.amazonaws.cn/cloudwatch/home?region=cn-north-1#metricsV2:graph=\
             ~(metrics~(~(~'AWS*2fECS~'CPUUtilization~'ClusterName~'prod~'ServiceName~'my*20api!\
             ~(stat~'p99.9~period~300)))~view~'timeSeries~stacked~false~region~'cn-north-1\
             ~start~'2026-05-01T09*3a01*3a00.000Z~end~'2026-05-01T09*3a31*3a00.000Z)"
        );
        query.metric.account = Some("210987654321".into());
        let told = metric(&"us-east-1".into(), &query, window());
        assert!(told.contains("~(stat~'p99.9~period~300~accountId~'210987654321)"), "{told}");
    }

    #[test]
    fn a_query_of_logs_is_the_one_that_was_asked_over_its_window() {
        let groups = [LogGroup::from("/ecs/my-api"), LogGroup::from("/ecs/größe")];
        assert_eq!(
            insights(&"us-gov-west-1".into(), &groups, ("fields @message | limit 20", window())),
            "https://us-gov-west-1.console.amazonaws-us-gov.com/cloudwatch/home?region=us-gov-west-1#logsV2:logs-insights\
             $3FqueryDetail$3D$257E$2528end$257E$25272026-05-01T09*3a31*3a00.000Z\
             $257Estart$257E$25272026-05-01T09*3a01*3a00.000Z$257EtimeType$257E$2527ABSOLUTE$257Etz$257E$2527UTC\
             $257EeditorString$257E$2527fields*20*40message*20*7c*20limit*2020$257EisLiveTail$257Efalse\
             $257Esource$257E$2528$257E$2527*2fecs*2fmy-api$257E$2527*2fecs*2fgr*f6*dfe$2529$2529"
        );
    }
}
