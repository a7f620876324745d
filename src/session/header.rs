//! What a session is: its mode, scope, policy and origin, fixed in its first record.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::domain::diagnosis::inference_profile::usual_model;
use crate::domain::observation::log::LogGroup;
use crate::domain::observation::scope::{Namespace, Scope};
use crate::domain::observation::service::Service;
use crate::domain::remediation::policy::Policy;
use crate::domain::remediation::request::Mode;

crate::text_id!(
    /// A session's id: sortable by start, and the name of its journal.
    SessionId
);

/// Whether the world behind a session is real.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum Origin {
    /// Real endpoints.
    #[default]
    Real,
    /// A simulated cloud on loopback.
    Rehearsal {
        /// Which scenario.
        scenario: String,
        /// Its seed.
        seed: u64,
        /// `1`, `10` or `max`.
        speed: String,
    },
}

/// The first record's content.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// The session's id.
    pub id: SessionId,
    /// The program's version.
    pub version: String,
    /// Dry-run or live.
    pub mode: Mode,
    /// Real or rehearsal.
    pub origin: Origin,
    /// A word for the environment in line 1: `PROD`, `STAGING`; the account where none is configured.
    pub environment: String,
    /// Account, region, cluster; completed by `ScopeLearned`.
    pub scope: Scope,
    /// Namespaces that are watched.
    pub namespaces: Vec<Namespace>,
    /// The policy in force.
    pub policy: Policy,
    /// The model asked for the narrative; `None` when there is none.
    pub model: Option<String>,
    /// Whether that is settled, or follows the region once it is known.
    #[serde(default)]
    pub model_choice: ModelChoice,
    /// Services from the configuration.
    pub services: Vec<Service>,
    /// Log groups named on the command line: read for every incident, before those of its service.
    #[serde(default)]
    pub log_groups: Vec<LogGroup>,
    /// The alarm the session was started for.
    pub focus: Option<String>,
    /// Wall time of the start; in a rehearsal it differs from incident time.
    pub wall_started_at: Timestamp,
    /// Whether a Slack webhook is configured. Its address is a secret and stays out.
    pub slack: SlackUse,
    /// Minutes of history that evidence is read over.
    #[serde(default = "half_an_hour")]
    pub window_minutes: u32,
}

/// How the model is chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ModelChoice {
    /// By name, or there is none.
    #[default]
    Settled,
    /// It is the usual one of the region.
    OfRegion,
}

impl Header {
    /// Notes where the session takes place, and which model follows from that.
    pub fn learn_scope(&mut self, scope: &Scope) {
        self.scope = self.scope.completed_by(scope);
        match self.model_choice {
            ModelChoice::OfRegion if !scope.region.as_str().is_empty() => self.model = Some(usual_model(&scope.region)),
            ModelChoice::OfRegion | ModelChoice::Settled => {}
        }
    }

    /// How long a span of incident time is on the wall, before which the person sits: a rehearsal may run faster.
    pub fn on_the_wall(&self, span: SignedDuration) -> SignedDuration {
        let speed = match &self.origin {
            Origin::Real => None,
            // `max` is no number: there is no person before a clock that stands still.
            Origin::Rehearsal { speed, .. } => speed.parse::<f64>().ok().filter(|factor| *factor > 0.0),
        };
        speed.map_or(span, |factor| SignedDuration::from_millis((span.as_millis() as f64 / factor) as i64))
    }
}

fn half_an_hour() -> u32 {
    30
}

/// Whether reports go to Slack.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SlackUse {
    /// No webhook is configured.
    #[default]
    Off,
    /// A report is posted when an incident is decided.
    Post,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_told_in_the_persons_seconds() {
        for (speed, expected) in [("1", 600), ("10", 60), ("0.5", 1_200), ("max", 600)] {
            let origin = Origin::Rehearsal { scenario: "oom-leak".to_owned(), seed: 1, speed: speed.to_owned() };
            let header = Header { origin, ..Header::default() };
            assert_eq!(header.on_the_wall(SignedDuration::from_secs(600)).as_secs(), expected, "{speed}");
        }
        assert_eq!(Header::default().on_the_wall(SignedDuration::from_secs(47)).as_secs(), 47);
    }

    #[test]
    fn a_model_that_nobody_named_follows_the_region_once_it_is_known() {
        let mut header = Header { model_choice: ModelChoice::OfRegion, ..Header::default() };
        let scope = |region: &str| Scope { region: region.into(), ..Scope::default() };
        header.learn_scope(&scope(""));
        assert_eq!(header.model, None);
        header.learn_scope(&scope("eu-central-1"));
        assert_eq!(header.model.as_deref(), Some("eu.anthropic.claude-sonnet-4-20250514-v1:0"));
        for named in [None, Some("some.model".to_owned())] {
            let mut settled = Header { model: named.clone(), ..Header::default() };
            settled.learn_scope(&scope("eu-central-1"));
            assert_eq!((settled.model, settled.scope.region.as_str()), (named, "eu-central-1"));
        }
    }
}
