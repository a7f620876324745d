//! The name of a log group. Every line carries one, so that it is shared and not copied.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A CloudWatch log group such as `/ecs/my-api`. Cheap to clone.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LogGroup(Arc<str>);

impl LogGroup {
    /// Wraps a text as it was received.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into().into())
    }

    /// The text itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The ARN, where it is named by one: a group of another account is. Without the `:*` that some places put behind it.
    pub fn arn(&self) -> Option<&str> {
        self.0.starts_with("arn:").then(|| self.0.trim_end_matches(":*"))
    }

    /// The name alone, without what an ARN says of region and account.
    pub fn name(&self) -> &str {
        self.arn().and_then(|arn| arn.split_once(":log-group:")).map_or(self.as_str(), |(_, name)| name)
    }

    /// Whether this is the group that an account calls so.
    pub fn is(&self, account: &str, name: &str) -> bool {
        let of_account = || self.0.split(':').nth(4) == Some(account);
        self.name() == name && (self.arn().is_none() || of_account())
    }
}

impl fmt::Display for LogGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl From<&str> for LogGroup {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl From<String> for LogGroup {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl Serialize for LogGroup {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for LogGroup {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from).map(Self::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_named_by_itself_or_by_its_arn() {
        let own = LogGroup::from("/ecs/my-api");
        assert_eq!((own.arn(), own.name()), (None, "/ecs/my-api"));
        let arn = "arn:aws:logs:eu-west-1:111122223333:log-group:/ecs/my-api";
        for text in [arn.to_owned(), format!("{arn}:*")] {
            let other = LogGroup::from(text);
            assert_eq!((other.arn(), other.name()), (Some(arn), "/ecs/my-api"));
            assert!(other.is("111122223333", "/ecs/my-api") && !other.is("444455556666", "/ecs/my-api"));
        }
        assert!(own.is("444455556666", "/ecs/my-api") && !own.is("444455556666", "/ecs/orders"));
    }
}
