//! Keys and tokens that say by their beginning who issued them: a row a family.

/// A family of issued secrets.
pub(super) struct Family {
    /// What stands in place of one.
    pub(super) kind: &'static str,
    /// What calls for the expression, without case.
    pub(super) literals: &'static [&'static str],
    /// The secret, from where a word begins.
    pub(super) expression: &'static str,
}

const fn family(kind: &'static str, literals: &'static [&'static str], expression: &'static str) -> Family {
    Family { kind, literals, expression }
}

/// The families. A kind that several share is told once for all.
pub(super) const ISSUED: &[Family] = &[
    family("aws-key", &["AKIA", "ASIA"], "(?:AKIA|ASIA)[A-Z0-9]{16}"),
    family("slack-token", &["xox"], r"xox[a-z](?:\.xox[a-z])?-[A-Za-z0-9%-]{10,}"),
    family("slack-token", &["xapp-", "xwfp-"], "x(?:app|wfp)-[A-Za-z0-9-]{10,}"),
    family("github-token", &["ghp_", "gho_", "ghu_", "ghs_", "ghr_"], "gh[pousr]_[A-Za-z0-9]{30,}"),
    family("github-token", &["github_pat_"], "github_pat_[A-Za-z0-9_]{22,}"),
    family(
        "api-key",
        &["glpat-", "glptt-", "gldt-", "glrt-", "glcbt-", "glft-", "glsoat-", "glagent-"],
        "gl(?:pat|ptt|dt|rt|cbt|ft|soat|agent)-[A-Za-z0-9_-]{20,}",
    ),
    family("api-key", &["npm_"], "npm_[A-Za-z0-9]{36,}"),
    family("api-key", &["pypi-"], "pypi-[A-Za-z0-9_-]{40,}"),
    family("api-key", &["k_live_", "k_test_"], "[rs]k_(?:live|test)_[A-Za-z0-9]{16,}"),
    family("api-key", &["whsec_"], "whsec_[A-Za-z0-9+/=]{20,}"),
    family("api-key", &["sk-"], "sk-[A-Za-z0-9_-]{20,}"),
    family("api-key", &["AIza"], "AIza[A-Za-z0-9_-]{35}"),
    family("api-key", &["ya29."], r"ya29\.[A-Za-z0-9_-]{20,}"),
    family("api-key", &["hf_"], "hf_[A-Za-z0-9]{30,}"),
    family("api-key", &["dop_v1_", "doo_v1_"], "do[op]_v1_[a-f0-9]{40,}"),
    family("api-key", &["SG."], r"SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}"),
    family("api-key", &["hvs.", "hvb."], r"hv[bs]\.[A-Za-z0-9_-]{20,}"),
    family("api-key", &["shpat_", "shpss_", "shpca_"], "shp(?:at|ss|ca)_[a-fA-F0-9]{32}"),
    family("api-key", &["ABSK"], "ABSK[A-Za-z0-9+/=]{40,}"),
    family("api-key", &["bedrock-api-key-"], "bedrock-api-key-[A-Za-z0-9+/=_-]{20,}"),
    family("api-key", &["lin_api_", "dckr_pat_", "glsa_"], "(?:lin_api|dckr_pat|glsa)_[A-Za-z0-9_-]{20,}"),
    family("api-key", &["dapi"], "dapi[a-f0-9]{32}"),
];
