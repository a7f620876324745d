//! A remedy through the Kubernetes port, seen through the AWS port.

use aws_sdk_cloudwatch::types::StateValue;
use pagerdeck::rehearsal::server::Rehearsal;

use super::{after, client, raw, rehearse};

const PATCH: [(&str, &str); 1] = [("content-type", "application/strategic-merge-patch+json")];
const RESTART: &str = r#"{"spec":{"template":{"metadata":{"annotations":{"kubectl.kubernetes.io/restartedAt":"2026-05-01T09:32:00Z"}}}}}"#;
const RAISE: &str =
    r#"{"spec":{"template":{"spec":{"containers":[{"name":"app","resources":{"limits":{"memory":"768Mi"}}}]}}}}"#;

async fn patch(rehearsal: &Rehearsal, query: &str, body: &str) -> u16 {
    let url = format!("{}/apis/apps/v1/namespaces/payments/deployments/my-api{query}", rehearsal.endpoints.kubernetes);
    raw::exchange(&url, "PATCH", &PATCH, body.as_bytes()).await.status
}

async fn cpu_alarm(rehearsal: &Rehearsal) -> StateValue {
    let client = client!(aws_sdk_cloudwatch, rehearsal);
    let answer = client.describe_alarms().alarm_names("my-api-cpu-high").send().await.unwrap();
    answer.metric_alarms()[0].state_value().unwrap().clone()
}

async fn after_patch(name: &str, query: &str, body: &str) -> (StateValue, u64) {
    let rehearsal = rehearse(name).await;
    rehearsal.clock.jump_to(after(&rehearsal, 60));
    assert_eq!(cpu_alarm(&rehearsal).await, StateValue::Alarm, "{name}");
    assert_eq!(patch(&rehearsal, query, body).await, 200, "{name}");
    rehearsal.clock.jump_to(after(&rehearsal, 60 + 7 * 60));
    let end = (cpu_alarm(&rehearsal).await, rehearsal.ledger.summary().mutating);
    rehearsal.stop().await;
    end
}

#[tokio::test]
async fn what_a_remedy_does_depends_on_the_cause() {
    for (name, body, end) in [
        ("oom-leak", RESTART, StateValue::Ok),
        ("limit-too-low", RESTART, StateValue::Alarm),
        ("limit-too-low", RAISE, StateValue::Ok),
        ("traffic-flood", RESTART, StateValue::Alarm),
    ] {
        assert_eq!(after_patch(name, "", body).await, (end, 1), "{name} {body}");
    }
    assert_eq!(after_patch("oom-leak", "?dryRun=All", RESTART).await, (StateValue::Alarm, 0));
}
