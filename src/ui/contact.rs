//! First contact: nothing was ever read because something is missing. What was found, what is missing, and the command for
//! each.

use crate::domain::fault::{Fault, FaultKind};
use crate::session::Session;
use crate::session::feeds::{FeedHealth, FeedId};
use crate::session::header::{ModelChoice, Origin};

/// Failures in a row after which waiting alone is no answer.
const PATIENCE: u32 = 3;

/// How a part stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is there.
    Found(String),
    /// It is asked for and has not answered.
    Awaited,
    /// It is missing, with what to do.
    Missing(Fault),
    /// A session is whole without it; with what would bring it.
    Without(Fault),
}

/// Whether the screen says what is missing rather than show panes with nothing in them.
pub fn is_first(session: &Session) -> bool {
    let alarms = session.feed(FeedId::Alarms);
    let real = matches!(session.header.origin, Origin::Real);
    let lost = match &alarms.health {
        // Who is known and not allowed has got through: the panel says which permission is missing.
        FeedHealth::Lost { fault } => fault.kind != FaultKind::Denied,
        FeedHealth::Off { .. } => true,
        FeedHealth::Retrying { attempt, .. } => *attempt >= PATIENCE,
        FeedHealth::Connecting | FeedHealth::Live => false,
    };
    real && lost && alarms.answered_at.is_none() && session.incidents.is_empty()
}

/// AWS, the cluster and the model, as far as anything is known of them.
pub fn parts(session: &Session) -> [(&'static str, Standing); 3] {
    let header = &session.header;
    let of = |id: FeedId| match session.feed(id).health {
        FeedHealth::Live => Standing::Found(String::new()),
        FeedHealth::Connecting => Standing::Awaited,
        FeedHealth::Retrying { fault, .. } | FeedHealth::Lost { fault } => Standing::Missing(fault),
        FeedHealth::Off { why } => Standing::Without(Fault::new(FaultKind::NotConfigured, why)),
    };
    let aws = match of(FeedId::Alarms) {
        Standing::Without(fault) => Standing::Missing(fault),
        standing => standing,
    };
    let cluster = match of(FeedId::Workloads) {
        Standing::Found(_) => {
            Standing::Found(header.scope.context.as_ref().map_or_else(String::new, ToString::to_string))
        }
        standing => standing,
    };
    let model = match (&header.model, header.model_choice) {
        (Some(model), _) => Standing::Found(format!("{model} is asked once an incident has its evidence")),
        // Which there are is asked of AWS.
        (None, ModelChoice::OfRegion) if matches!(aws, Standing::Missing(_)) => {
            Standing::Without(Fault::new(FaultKind::NotConfigured, "looked for once AWS answers"))
        }
        (None, ModelChoice::OfRegion) => Standing::Awaited,
        (None, ModelChoice::Settled) => {
            Standing::Without(Fault::new(FaultKind::NotConfigured, "no model: the rules speak alone"))
        }
    };
    [
        ("AWS", with_commands(aws, cloud_commands)),
        ("cluster", with_commands(cluster, cluster_commands)),
        ("model", model),
    ]
}

fn with_commands(standing: Standing, commands: impl Fn(&Fault) -> Vec<&'static str>) -> Standing {
    match standing {
        Standing::Missing(fault) => Standing::Missing(extended(fault, commands)),
        Standing::Without(fault) => Standing::Without(extended(fault, commands)),
        standing => standing,
    }
}

/// With the commands that its hints do not name already.
fn extended(mut fault: Fault, commands: impl Fn(&Fault) -> Vec<&'static str>) -> Fault {
    for command in commands(&fault) {
        let program = command.split("  ").next().unwrap_or(command);
        if !fault.hints.iter().any(|hint| hint.contains(program)) {
            fault.hints.push(command.to_owned());
        }
    }
    fault
}

fn cloud_commands(fault: &Fault) -> Vec<&'static str> {
    match fault.kind {
        FaultKind::Credentials => vec!["aws sso login   (or: aws configure)   then r"],
        FaultKind::NotConfigured => vec!["export AWS_REGION=us-east-1   (or --region)   and start again"],
        _ => vec!["aws sts get-caller-identity   tells whether AWS answers at all"],
    }
}

fn cluster_commands(fault: &Fault) -> Vec<&'static str> {
    match fault.kind {
        FaultKind::NotConfigured => vec!["aws eks update-kubeconfig --name CLUSTER   makes one"],
        _ => vec!["kubectl get pods   tells whether the cluster answers at all"],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::feeds::Feed;

    fn session(health: FeedHealth) -> Session {
        let mut session = Session::default();
        session.feeds.insert(FeedId::Alarms, Feed { health, ..Feed::default() });
        session
    }

    #[test]
    fn it_is_the_first_only_while_nothing_was_ever_read() {
        let fault = || Fault::new(FaultKind::Credentials, "There are no credentials.");
        let lost = session(FeedHealth::Lost { fault: fault() });
        assert!(is_first(&lost));
        assert!(!is_first(&session(FeedHealth::Connecting)));
        let mut read = lost.clone();
        read.feeds.entry(FeedId::Alarms).or_default().answered_at = Some(jiff::Timestamp::UNIX_EPOCH);
        assert!(!is_first(&read), "old data is shown, not hidden");
        let mut of_region = lost.clone();
        of_region.header.model_choice = ModelChoice::OfRegion;
        assert!(matches!(parts(&of_region)[2].1, Standing::Without(_)), "nobody asks for it while AWS is missing");
        let Standing::Missing(told) = &parts(&lost)[0].1 else { panic!("AWS is missing") };
        assert!(told.hints.iter().any(|hint| hint.starts_with("aws sso login")), "{told:?}");
    }
}
