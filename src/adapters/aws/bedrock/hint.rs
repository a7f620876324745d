//! What to do when Bedrock refuses: the set-up that trips everybody over, told by the words of the refusal.

use crate::adapters::aws::call::CallError;
use crate::domain::diagnosis::inference_profile::{geography, usual_model};
use crate::domain::fault::Fault;
use crate::domain::observation::scope::Region;

/// What was asked, for hints that name it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked<'a> {
    pub(super) model: &'a str,
    pub(super) region: &'a str,
}

/// Replaces the general hint by the one that fits the words of the refusal.
pub(super) fn of_refusal(mut fault: Fault, source: &CallError, asked: Asked<'_>) -> Fault {
    let text = source.to_string().to_ascii_lowercase();
    let says = |words: &str| text.contains(words);
    let hint = match source {
        CallError::Rejected(_) if says("on-demand throughput") || says("inference profile") => Some(format!(
            "Set BEDROCK_MODEL_ID to an inference profile: `{}` (or one that begins with `global.`).",
            profile_of(asked)
        )),
        CallError::Rejected(_) if says("model identifier is invalid") => Some(format!(
            "No model of this name exists in {}: check BEDROCK_MODEL_ID and the region, for example `{}`.",
            asked.region,
            usual_model(&Region::new(asked.region))
        )),
        CallError::Rejected(_) if says("too long") || says("input length") => {
            Some("The evidence is larger than the model's context: choose a model with a larger one.".to_owned())
        }
        CallError::Denied(_) if says("aws-marketplace") => Some(
            "The first use of a model subscribes to it: somebody with `aws-marketplace:Subscribe` must use it once."
                .to_owned(),
        ),
        CallError::Denied(_) if says("access to the model") || says("model access") || says("use case") => {
            Some(format!(
                "Enable access to {} in the Bedrock console of {}, or choose another with BEDROCK_MODEL_ID.",
                asked.model, asked.region
            ))
        }
        CallError::NotFound(_) if says("legacy") || says("end of its life") || says("end of life") => {
            Some("This model was retired: choose a newer one with BEDROCK_MODEL_ID.".to_owned())
        }
        CallError::NotFound(_) => {
            Some(format!("Check BEDROCK_MODEL_ID and the region: {} is not in {}.", asked.model, asked.region))
        }
        CallError::Throttled(_) => Some(
            "The account's model quota is used up for now; the verdict of the rules stands without the model."
                .to_owned(),
        ),
        CallError::UnknownCredentials(_) => {
            Some("If AWS_BEARER_TOKEN_BEDROCK is set it is used instead of the profile: renew or unset it.".to_owned())
        }
        CallError::NoCredentials(_)
        | CallError::ExpiredCredentials(_)
        | CallError::ClockSkew(_)
        | CallError::Denied(_)
        | CallError::Rejected(_)
        | CallError::Unavailable(_)
        | CallError::TimedOut(_)
        | CallError::Unreachable(_)
        | CallError::Cut(_)
        | CallError::Malformed(_)
        | CallError::NotBuilt(_) => None,
    };
    if let Some(hint) = hint {
        fault.hints = vec![hint];
    }
    fault
}

fn profile_of(asked: Asked<'_>) -> String {
    let bare = asked.model.rsplit('/').next().unwrap_or(asked.model);
    format!("{}.{bare}", geography(&Region::new(asked.region)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fault::FaultKind;

    fn hint(source: &CallError) -> String {
        let asked = Asked { model: "anthropic.claude-sonnet-4-20250514-v1:0", region: "eu-central-1" };
        of_refusal(Fault::new(FaultKind::Rejected, "x").hint("general"), source, asked).hints.remove(0)
    }

    #[test]
    fn a_missing_profile_is_named_for_the_region() {
        let refusal = CallError::Rejected(
            "ValidationException: Invocation of model ID x with on-demand throughput isn\u{2019}t supported.".into(),
        );
        assert!(hint(&refusal).contains("`eu.anthropic.claude-sonnet-4-20250514-v1:0`"));
    }

    #[test]
    fn each_refusal_has_the_hint_that_fits() {
        let cases = [
            (CallError::Rejected("The provided model identifier is invalid.".into()), "eu-central-1"),
            (CallError::Denied("You don't have access to the model with the specified model ID.".into()), "console"),
            (CallError::Denied("aws-marketplace:ViewSubscriptions".into()), "aws-marketplace:Subscribe"),
            (CallError::NotFound("This model version has reached the end of its life.".into()), "retired"),
            (CallError::Throttled("Too many tokens, please wait before trying again.".into()), "quota"),
            (CallError::UnknownCredentials("invalid".into()), "AWS_BEARER_TOKEN_BEDROCK"),
            (CallError::Denied("not authorized to perform".into()), "general"),
        ];
        for (source, part) in cases {
            assert!(hint(&source).contains(part), "{source}");
        }
    }
}
