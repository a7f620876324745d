//! The APIs of the simulated cloud and the kinds of faults on its wires, each with the one table that says what people call
//! it; and which kind exists for which API.

use serde::{Deserialize, Serialize};

use Api::{Bedrock, Charts, CloudWatch, Kubernetes, Logs, Slack, Sts};

/// An API of the simulated cloud.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Api {
    /// CloudWatch alarms and metrics.
    CloudWatch,
    /// CloudWatch Logs.
    Logs,
    /// Bedrock runtime.
    Bedrock,
    /// STS.
    Sts,
    /// Kubernetes.
    Kubernetes,
    /// Slack incoming webhooks.
    Slack,
    /// The repository of Helm charts.
    Charts,
}

impl Api {
    /// Every one.
    pub const ALL: [Self; 7] = [CloudWatch, Logs, Bedrock, Sts, Kubernetes, Slack, Charts];
    /// Those that one set of AWS credentials opens.
    pub const AWS: [Self; 4] = [CloudWatch, Logs, Bedrock, Sts];

    /// Its word, in scenarios, in journals, and in `requests.by_kind`.
    pub fn word(self) -> &'static str {
        self.row().0
    }

    /// Its name in a sentence.
    pub fn name(self) -> &'static str {
        self.row().1
    }

    /// What else it is called, apart by spaces.
    pub fn aliases(self) -> &'static str {
        self.row().2
    }

    fn row(self) -> (&'static str, &'static str, &'static str) {
        match self {
            CloudWatch => ("cloudwatch", "CloudWatch", "alarms metrics"),
            Logs => ("logs", "CloudWatch Logs", "log tail"),
            Bedrock => ("bedrock", "Bedrock", "model llm"),
            Sts => ("sts", "STS", "identity"),
            Kubernetes => ("kubernetes", "Kubernetes", "k8s cluster eks"),
            Slack => ("slack", "Slack", "webhook"),
            Charts => ("charts", "the chart repository", "helm repository"),
        }
    }
}

/// A kind of fault on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultWord {
    /// Answers are late.
    Latency,
    /// The throttling error of the service.
    Throttled,
    /// Access denied.
    Denied,
    /// The credentials have expired.
    Expired,
    /// The clocks are apart.
    Skewed,
    /// The service fails on its side.
    Unavailable,
    /// Answers break off in their middle.
    Cut,
    /// Connections are reset before a byte of the answer.
    Reset,
    /// Accepted and never answered.
    Silence,
    /// Answers that are not the service's.
    Malformed,
    /// Well-formed answers with nothing in them.
    Empty,
    /// Small pages.
    Pages,
    /// Streams that break off in mid-frame.
    Stream,
    /// Streams that end with an exception.
    Exception,
    /// Watches that are told 410.
    Gone,
    /// A refusal in one of Slack's own words.
    Refused,
    /// The API server is away and forgets old versions.
    Restart,
    /// The name of the endpoint does not resolve.
    Unresolved,
}

/// What a kind is called, what a sentence says of a service that it strikes, and for which APIs it exists.
struct Row {
    word: &'static str,
    told: &'static str,
    aliases: &'static str,
    apis: &'static [Api],
}

const fn row(word: &'static str, told: &'static str, aliases: &'static str, apis: &'static [Api]) -> Row {
    Row { word, told, aliases, apis }
}

const EVERY: &[Api] = &Api::ALL;

impl FaultWord {
    /// Every kind.
    pub const ALL: [Self; 18] = [
        Self::Latency,
        Self::Throttled,
        Self::Denied,
        Self::Expired,
        Self::Skewed,
        Self::Unavailable,
        Self::Cut,
        Self::Reset,
        Self::Silence,
        Self::Malformed,
        Self::Empty,
        Self::Pages,
        Self::Stream,
        Self::Exception,
        Self::Gone,
        Self::Refused,
        Self::Restart,
        Self::Unresolved,
    ];

    /// Its word, in scenarios, in journals and in the ledger.
    pub fn word(self) -> &'static str {
        self.row().word
    }

    /// What a service does under it.
    pub fn told(self) -> &'static str {
        self.row().told
    }

    /// What else it is called, apart by spaces.
    pub fn aliases(self) -> &'static str {
        self.row().aliases
    }

    /// The APIs that it exists for: elsewhere no client could ever meet it.
    pub fn apis(self) -> &'static [Api] {
        self.row().apis
    }

    /// Whether it exists for an API.
    pub fn is_of(self, api: Api) -> bool {
        self.apis().contains(&api)
    }

    fn row(self) -> Row {
        match self {
            Self::Latency => row("latency", "answers 3 s late", "slow late delay", EVERY),
            Self::Throttled => row("throttled", "throttles", "throttle 429 rate", EVERY),
            Self::Denied => row("denied", "denies", "deny 403 forbidden access", EVERY),
            // A chart repository asks for no credentials.
            Self::Expired => row(
                "expired",
                "says that the credentials have expired",
                "expire credentials token 401",
                &[CloudWatch, Logs, Bedrock, Sts, Kubernetes, Slack],
            ),
            // Only AWS signs requests with their time.
            Self::Skewed => row("skewed", "says that the clocks are apart", "skew clock", &Api::AWS),
            Self::Unavailable => row("unavailable", "fails on its side", "5xx 500 503 fail error down", EVERY),
            Self::Cut => row("cut", "breaks off in mid-answer", "break mid", EVERY),
            Self::Reset => row("reset", "resets every connection", "connection", EVERY),
            Self::Silence => row("silence", "takes requests and never answers", "silent hang accept timeout", EVERY),
            Self::Malformed => row("malformed", "answers what is not its own", "garble nonsense body", EVERY),
            // One answer of STS and of Slack says one thing; there is nothing to take out of it.
            Self::Empty => {
                row("empty", "answers with nothing in it", "nothing", &[CloudWatch, Logs, Bedrock, Kubernetes, Charts])
            }
            Self::Pages => {
                row("pages", "answers in small pages", "partial small paging", &[CloudWatch, Logs, Kubernetes])
            }
            Self::Stream => {
                row("stream", "breaks its streams off in mid-frame", "cut break frame live", &[Logs, Bedrock])
            }
            Self::Exception => {
                row("exception", "ends its streams with an exception", "stream frame live", &[Logs, Bedrock])
            }
            Self::Gone => row("gone", "tells every watch 410 Gone", "410 watch storm version", &[Kubernetes]),
            Self::Refused => row("refused", "says that the channel is archived", "refuse archived channel", &[Slack]),
            Self::Restart => row("restart", "restarts its API server", "server away", &[Kubernetes]),
            Self::Unresolved => {
                row("unresolved", "has a name that does not resolve", "dns name resolve unreachable hide", EVERY)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_in_a_scenario_is_the_word_in_a_journal() {
        for api in Api::ALL {
            assert_eq!(serde_json::to_value(api).unwrap(), api.word());
        }
        for kind in FaultWord::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.word());
            assert!(!kind.apis().is_empty(), "{kind:?}");
        }
    }
}
