//! The names of log groups and streams. Groups and streams are few and lines are many, so that lines share them.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

macro_rules! shared_name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The text itself.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.into())
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text.into())
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                String::deserialize(from).map(Self::from)
            }
        }
    };
}

shared_name! {
    /// A CloudWatch log group such as `/ecs/my-api`. Cheap to clone.
    LogGroup
}
shared_name! {
    /// A stream of a log group: usually a task, pod or container. Cheap to clone.
    LogStream
}

impl LogGroup {
    /// Wraps a text as it was received.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into().into())
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
