//! The inference profiles by which a region reaches a model: on-demand calls of a plain model id are refused.

use crate::domain::observation::scope::Region;

/// The model that is asked where none is configured: Claude Sonnet 4 through the region's own inference profile.
pub fn usual_model(region: &Region) -> String {
    format!("{}.anthropic.claude-sonnet-4-20250514-v1:0", geography(region))
}

/// The prefix of the inference profiles that a region can use.
///
/// Source: "Supported Regions and models for inference profiles" in the Amazon Bedrock user guide.
pub fn geography(region: &Region) -> &'static str {
    let name = region.as_str();
    match name.split('-').next().unwrap_or_default() {
        "us" if name.starts_with("us-gov-") => "us-gov",
        "us" => "us",
        "eu" => "eu",
        "ap" => "apac",
        _ => "global",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_region_has_a_usual_model() {
        let usual = |region: &str| usual_model(&Region::new(region));
        assert_eq!(usual("us-east-1"), "us.anthropic.claude-sonnet-4-20250514-v1:0");
        assert!(usual("eu-central-1").starts_with("eu."));
        assert!(usual("ap-southeast-2").starts_with("apac."));
        assert!(usual("sa-east-1").starts_with("global."));
        assert!(usual("us-gov-west-1").starts_with("us-gov."));
    }
}
