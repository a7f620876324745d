//! The patterns behind [`super::redact`], and the literals that call for them.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind};

/// Characters in a full line of a block of a key: 64 in PEM, 70 as OpenSSH writes it, 76 in MIME.
pub(super) const KEY_MATERIAL_LENGTHS: std::ops::RangeInclusive<usize> = 64..=76;

/// A family of secrets with one expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pattern {
    PrivateKey,
    SlackWebhook,
    Issued,
    Jwt,
    Header,
    Cookie,
    UrlPassword,
    Flag,
    Login,
    Pair,
    Element,
    Assignment,
}

impl Pattern {
    /// In the order they run: the specific before the general, so that the kind named is the best one.
    pub(super) const ALL: [Self; 12] = [
        Self::PrivateKey,
        Self::SlackWebhook,
        Self::Issued,
        Self::Jwt,
        Self::Header,
        Self::Cookie,
        Self::UrlPassword,
        Self::Flag,
        Self::Login,
        Self::Pair,
        Self::Element,
        Self::Assignment,
    ];
}

/// A set of patterns worth running.
#[derive(Clone, Copy, Default)]
pub(super) struct Candidates(u16);

impl Candidates {
    pub(super) fn contains(self, pattern: Pattern) -> bool {
        self.0 & (1 << pattern as u16) != 0
    }

    fn add(&mut self, pattern: Pattern) {
        self.0 |= 1 << pattern as u16;
    }
}

/// Literals, without case, each with the pattern it calls for.
pub(super) const LITERALS: &[(&str, Pattern)] = &[
    ("PRIVATE KEY", Pattern::PrivateKey),
    ("hooks.slack", Pattern::SlackWebhook),
    ("AKIA", Pattern::Issued),
    ("ASIA", Pattern::Issued),
    ("xox", Pattern::Issued),
    ("xapp-", Pattern::Issued),
    ("ghp_", Pattern::Issued),
    ("gho_", Pattern::Issued),
    ("ghu_", Pattern::Issued),
    ("ghs_", Pattern::Issued),
    ("ghr_", Pattern::Issued),
    ("github_pat_", Pattern::Issued),
    ("glpat-", Pattern::Issued),
    ("npm_", Pattern::Issued),
    ("pypi-", Pattern::Issued),
    ("k_live_", Pattern::Issued),
    ("sk-", Pattern::Issued),
    ("AIza", Pattern::Issued),
    ("eyJ", Pattern::Jwt),
    ("bearer", Pattern::Header),
    ("authorization", Pattern::Header),
    ("cookie", Pattern::Cookie),
    ("://", Pattern::UrlPassword),
    ("password", Pattern::Assignment),
    ("passwd", Pattern::Assignment),
    ("passphrase", Pattern::Assignment),
    ("pwd", Pattern::Assignment),
    ("secret", Pattern::Assignment),
    ("token", Pattern::Assignment),
    ("api_key", Pattern::Assignment),
    ("api-key", Pattern::Assignment),
    ("apikey", Pattern::Assignment),
    ("access_key", Pattern::Assignment),
    ("access-key", Pattern::Assignment),
    ("accesskey", Pattern::Assignment),
    ("account_key", Pattern::Assignment),
    ("account-key", Pattern::Assignment),
    ("accountkey", Pattern::Assignment),
    ("private_key", Pattern::Assignment),
    ("private-key", Pattern::Assignment),
    ("privatekey", Pattern::Assignment),
    ("encryption_key", Pattern::Assignment),
    ("encryption-key", Pattern::Assignment),
    ("encryption.key", Pattern::Assignment),
    ("encryptionkey", Pattern::Assignment),
    ("signing_key", Pattern::Assignment),
    ("signing-key", Pattern::Assignment),
    ("signing.key", Pattern::Assignment),
    ("signingkey", Pattern::Assignment),
    ("master_key", Pattern::Assignment),
    ("master-key", Pattern::Assignment),
    ("masterkey", Pattern::Assignment),
    ("_pass", Pattern::Assignment),
    ("-pass", Pattern::Assignment),
    (".pass", Pattern::Assignment),
    ("\"pass", Pattern::Assignment),
    ("'pass", Pattern::Assignment),
    ("?pass", Pattern::Assignment),
    ("&pass", Pattern::Assignment),
    ("dbpass", Pattern::Assignment),
    ("?sig=", Pattern::Assignment),
    ("&sig=", Pattern::Assignment),
    ("credential", Pattern::Assignment),
    ("signature", Pattern::Assignment),
    ("curl ", Pattern::Login),
];

#[expect(clippy::expect_used, reason = "constant literals, built in every test")]
static PREFILTER: LazyLock<AhoCorasick> = LazyLock::new(|| {
    AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .kind(Some(AhoCorasickKind::DFA))
        .build(LITERALS.iter().map(|(literal, _)| literal))
        .expect("the literals are constant")
});

/// Which patterns may find something in a text.
pub(super) fn candidates(text: &str) -> Candidates {
    let mut found = Candidates::default();
    for hit in PREFILTER.find_overlapping_iter(text) {
        let Some((_, pattern)) = LITERALS.get(hit.pattern().as_usize()) else { continue };
        match pattern {
            Pattern::UrlPassword if !text.contains('@') => {}
            Pattern::Assignment if found.contains(Pattern::Assignment) => {}
            Pattern::Assignment => {
                found.add(Pattern::Assignment);
                found.add(Pattern::Flag);
                if text.contains("alue") || text.contains("ALUE") {
                    found.add(Pattern::Pair);
                }
                if text.contains("</") {
                    found.add(Pattern::Element);
                }
            }
            pattern => found.add(*pattern),
        }
    }
    found
}
