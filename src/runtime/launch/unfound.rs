//! What is said of an alarm that was asked for and not found.

use crate::domain::fault::{Fault, FaultKind};
use crate::domain::near::nearest;
use crate::domain::observation::alarm::AlarmName;
use crate::domain::observation::scope::Scope;
use crate::session::Session;
use crate::session::feeds::{FeedHealth, FeedId};

/// What is said where the alarm was not found. Only a listing can tell that it does not exist.
pub(super) fn no_such_alarm(session: &Session, alarm: &str) -> Fault {
    lost_alarms(session).unwrap_or_else(|| match session.feed(FeedId::Alarms).health {
        FeedHealth::Live => {
            let fault = not_among(session, alarm);
            match elsewhere(alarm, &session.header.scope) {
                Some(told) => fault.cause(told.cause).hint(told.hint),
                None => fault.hint(nearest_alarm(session, alarm)),
            }
        }
        FeedHealth::Off { why } => Fault::new(FaultKind::NotConfigured, why)
            .hint("`--region` or AWS_REGION names one; `pagerdeck doctor` says what else is missing."),
        FeedHealth::Connecting | FeedHealth::Retrying { .. } | FeedHealth::Lost { .. } => {
            Fault::new(FaultKind::Timeout, format!("The run ended before the alarm `{alarm}` was looked up."))
                .hint("Give it more time: `--for` takes seconds.")
        }
    })
}

fn not_among(session: &Session, alarm: &str) -> Fault {
    let (count, region) = (session.alarms.len(), &session.header.scope.region);
    Fault::new(FaultKind::NotFound, format!("There is no alarm `{alarm}` among the {count} of {region}."))
}

fn nearest_alarm(session: &Session, alarm: &str) -> String {
    let names: Vec<&str> = session.alarms.keys().map(AlarmName::as_str).collect();
    match nearest(alarm.rsplit(":alarm:").next().unwrap_or(alarm), &names) {
        Some(near) => format!("Did you mean `{near}`?"),
        None => "Name another region by `--region` or another account by `--profile`; `pagerdeck` lists them all."
            .to_owned(),
    }
}

/// Where an alarm is, and how to get there.
struct Elsewhere {
    cause: String,
    hint: String,
}

/// What the ARN of an alarm says of its place, where that is not the one that was asked: `arn:aws:cloudwatch:REGION:ACCOUNT:alarm:NAME`.
fn elsewhere(arn: &str, here: &Scope) -> Option<Elsewhere> {
    let parts: Vec<&str> = arn.splitn(7, ':').collect();
    let ["arn", _, "cloudwatch", region, account, "alarm", _] = parts.as_slice() else { return None };
    let other_account = here.account.as_ref().is_some_and(|here| here.as_str() != *account);
    let other_region = here.region.as_str() != *region;
    let hint = match (other_region, other_account) {
        (false, false) => return None,
        (true, false) => format!("Ask there: `--region {region}`."),
        (false, true) => format!("Take credentials of account {account}, by `--profile`."),
        (true, true) => {
            format!("Ask there: `--region {region}`, with credentials of account {account} by `--profile`.")
        }
    };
    let of = here.account.as_ref().map_or_else(String::new, |account| format!(", account {account}"));
    let cause = format!("The ARN is of {region}, account {account}; this is {}{of}.", here.region);
    Some(Elsewhere { cause, hint })
}

/// Why the alarms cannot be listed, when they cannot.
pub(super) fn lost_alarms(session: &Session) -> Option<Fault> {
    match session.feed(FeedId::Alarms).health {
        FeedHealth::Lost { fault } | FeedHealth::Retrying { fault, .. } if session.incidents.is_empty() => Some(fault),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_tells_where_its_alarm_is() {
        let here = Scope { region: "us-east-1".into(), account: Some("123456789012".into()), ..Scope::default() };
        let told = |arn: &str| elsewhere(arn, &here).map(|told| format!("{} {}", told.cause, told.hint));
        assert_eq!(told("my-api-cpu"), None);
        assert_eq!(told("arn:aws:cloudwatch:us-east-1:123456789012:alarm:a"), None, "it is of here");
        let other = told("arn:aws-us-gov:cloudwatch:us-gov-west-1:123456789012:alarm:a: b").unwrap();
        assert!(other.contains("of us-gov-west-1, account 123456789012; this is us-east-1, account"), "{other}");
        assert!(other.ends_with("`--region us-gov-west-1`."), "{other}");
        let other = told("arn:aws:cloudwatch:us-east-1:999999999999:alarm:a").unwrap();
        assert!(other.ends_with("of account 999999999999, by `--profile`."), "{other}");
        let unknown = Scope { account: None, ..here.clone() };
        let arn = "arn:aws:cloudwatch:eu-west-1:999999999999:alarm:a";
        assert!(elsewhere(arn, &unknown).unwrap().hint.ends_with("`--region eu-west-1`."));
    }
}
