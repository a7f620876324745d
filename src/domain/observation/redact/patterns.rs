//! The patterns behind [`super::redact`], and the literals that call for them.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind};

use super::issued::ISSUED;

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
    Connection,
    Pair,
    Element,
    Assignment,
    Encoded,
    Prose,
}

impl Pattern {
    /// In the order they run: the specific before the general, so that the kind named is the best one.
    pub(super) const ALL: [Self; 15] = [
        Self::PrivateKey,
        Self::SlackWebhook,
        Self::Issued,
        Self::Jwt,
        Self::Header,
        Self::Cookie,
        Self::UrlPassword,
        Self::Flag,
        Self::Login,
        Self::Connection,
        Self::Pair,
        Self::Element,
        Self::Assignment,
        Self::Encoded,
        Self::Prose,
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
pub(super) fn literals() -> impl Iterator<Item = (&'static str, Pattern)> {
    let issued = ISSUED.iter().flat_map(|family| family.literals).map(|literal| (*literal, Pattern::Issued));
    LITERALS.iter().copied().chain(issued)
}

const LITERALS: &[(&str, Pattern)] = &[
    ("PRIVATE KEY", Pattern::PrivateKey),
    ("hooks.slack", Pattern::SlackWebhook),
    ("eyJ", Pattern::Jwt),
    ("bearer", Pattern::Header),
    ("basic ", Pattern::Header),
    ("authorization", Pattern::Header),
    ("cookie", Pattern::Cookie),
    ("jsessionid", Pattern::Cookie),
    ("phpsessid", Pattern::Cookie),
    ("connect.sid", Pattern::Cookie),
    ("://", Pattern::UrlPassword),
    ("%3a%2f%2f", Pattern::UrlPassword),
    ("jdbc:oracle", Pattern::Login),
    ("password", Pattern::Assignment),
    ("passwd", Pattern::Assignment),
    ("passphrase", Pattern::Assignment),
    ("pwd", Pattern::Assignment),
    ("secret", Pattern::Assignment),
    ("token", Pattern::Assignment),
    ("passcode", Pattern::Assignment),
    ("api_key", Pattern::Assignment),
    ("api key", Pattern::Assignment),
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
    ("auth-key", Pattern::Assignment),
    ("auth_key", Pattern::Assignment),
    ("functions-key", Pattern::Assignment),
    ("subscription-key", Pattern::Assignment),
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
    ("mysql", Pattern::Login),
    ("redis-cli", Pattern::Login),
    ("sshpass", Pattern::Login),
    (" login ", Pattern::Login),
    ("requirepass", Pattern::Login),
    ("masterauth", Pattern::Login),
    ("identified by", Pattern::Login),
    ("with password", Pattern::Login),
    ("encrypted password", Pattern::Login),
];

#[expect(clippy::expect_used, reason = "constant literals, built in every test")]
static PREFILTER: LazyLock<AhoCorasick> = LazyLock::new(|| {
    AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .kind(Some(AhoCorasickKind::DFA))
        .build(CALLS.iter().map(|(literal, _)| literal))
        .expect("the literals are constant")
});
static CALLS: LazyLock<Vec<(&str, Pattern)>> = LazyLock::new(|| literals().collect());

/// Which patterns may find something in a text.
pub(super) fn candidates(text: &str) -> Candidates {
    let mut found = Candidates::default();
    for hit in PREFILTER.find_overlapping_iter(text) {
        let Some((_, pattern)) = CALLS.get(hit.pattern().as_usize()) else { continue };
        match pattern {
            Pattern::UrlPassword if !text.contains('@') && !text.contains("%40") => {}
            Pattern::Assignment if found.contains(Pattern::Assignment) => {}
            Pattern::Assignment => {
                found.add(Pattern::Assignment);
                found.add(Pattern::Flag);
                found.add(Pattern::Prose);
                if text.contains(';') {
                    found.add(Pattern::Connection);
                }
                if text.contains("alue") || text.contains("ALUE") {
                    found.add(Pattern::Pair);
                }
                if text.contains("</") {
                    found.add(Pattern::Element);
                }
            }
            Pattern::Header => {
                found.add(Pattern::Header);
                found.add(Pattern::Prose);
            }
            pattern => found.add(*pattern),
        }
    }
    if text.contains('%') && (found.contains(Pattern::Assignment) || found.contains(Pattern::Header)) {
        found.add(Pattern::Encoded);
    }
    found
}
