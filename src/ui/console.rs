//! Addresses of the console's pages on what is on screen: to be copied, never opened by this program.

use jiff::{SignedDuration, Timestamp};

use crate::domain::observation::alarm::AlarmName;
use crate::domain::observation::log::LogGroup;
use crate::domain::observation::scope::{Region, Scope};
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
    let kept = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
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
    use crate::domain::observation::workload::WorkloadKind;

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
}
