//! A rule: what a kind of secret looks like, how sure and how bad it is, and what to do about it.
//!
//! Patterns are text here; compiling them is the work of `detect`, reading rule files that of `ruleset`.

use super::level::{Confidence, Severity};
use super::part::PartRule;

/// What a secret is, for grouping and for default rotation ages.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Kind {
    /// A static cloud access key (default rotation: 90 days).
    CloudKey,
    /// An API key or token of a service.
    ApiToken,
    /// A private key: PEM, OpenSSH, PGP, PuTTY.
    PrivateKey,
    /// A certificate: public, reported for its expiry only.
    Certificate,
    /// A service password in an assignment, a connection string or a URL.
    Password,
    /// A connection string with credentials.
    ConnectionString,
    /// A webhook URL that anyone who has it may post to.
    Webhook,
    /// A signed token that names its own expiry.
    Jwt,
    /// A symmetric or signing key.
    SymmetricKey,
    /// A secret that only its name gives away.
    Generic,
}

impl Kind {
    /// Every kind with its name in rule files and JSON.
    pub const NAMES: &'static [(&'static str, Self)] = &[
        ("cloud-key", Self::CloudKey),
        ("api-token", Self::ApiToken),
        ("private-key", Self::PrivateKey),
        ("certificate", Self::Certificate),
        ("password", Self::Password),
        ("connection-string", Self::ConnectionString),
        ("webhook", Self::Webhook),
        ("jwt", Self::Jwt),
        ("symmetric-key", Self::SymmetricKey),
        ("generic", Self::Generic),
    ];

    /// The name in rule files and JSON.
    pub fn name(self) -> &'static str {
        Self::NAMES
            .iter()
            .find(|(_, kind)| *kind == self)
            .map_or("generic", |(name, _)| name)
    }
}

/// How a rule finds its secrets.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Matcher {
    /// The pattern, in a window around a keyword.
    Pattern,
    /// The assignment parser, started at a keyword that is part of a name; the pattern, if any, must
    /// match the value.
    Assignment,
    /// The assignment parser again; the provider's word in the name or before it, the name's last word,
    /// and the value's shape must all fit.
    Named,
    /// The inventory: what is found is one of its values, and nothing else.
    Known,
}

/// What the place of a value promises of it, where that must be judged.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Promise {
    /// A password: any text may be one.
    Password,
    /// A token, key or secret: random text.
    Random,
    /// Something that may be secret, where the value is random beyond doubt.
    Perhaps,
}

impl Promise {
    /// Every promise with its name in rule files.
    pub const NAMES: &'static [(&'static str, Self)] = &[
        ("password", Self::Password),
        ("random", Self::Random),
        ("perhaps", Self::Perhaps),
    ];
}

/// A checksum that real tokens of a format carry.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Checksum {
    /// Last six characters: base62 of the CRC-32 of the body between prefix and checksum
    /// (GitHub, npm: github.blog "Behind GitHub's new authentication token formats").
    Crc32Base62,
    /// Luhn-like, structural: the value is a JWT whose header and payload decode to JSON objects.
    Jwt,
    /// The value decodes as base64 to at least 16 bytes.
    Base64,
    /// Base64 of a user's name, a colon and a password (RFC 7617).
    BasicAuth,
    /// A PEM or OpenSSH body that decodes.
    Pem,
    /// A bcrypt-like or otherwise structured value that the scan itself verifies.
    Structure,
}

impl Checksum {
    /// Every checksum with its name in rule files.
    pub const NAMES: &'static [(&'static str, Self)] = &[
        ("crc32-base62", Self::Crc32Base62),
        ("jwt", Self::Jwt),
        ("base64", Self::Base64),
        ("basic-auth", Self::BasicAuth),
        ("pem", Self::Pem),
        ("structure", Self::Structure),
    ];
}

/// Matches of a rule that are allowed to stand. Patterns are regular expressions.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Allow {
    /// Patterns for the secret.
    pub secrets: Vec<String>,
    /// Patterns for the whole match.
    pub matches: Vec<String>,
    /// Patterns for the line.
    pub lines: Vec<String>,
    /// Words, in lower case, that the secret may hold.
    pub words: Vec<String>,
    /// Whether each kind that is given must hold, instead of one.
    pub all: bool,
}

/// A rule, as read from a rule file and checked.
#[derive(Clone, PartialEq, Debug)]
pub struct Rule {
    /// Stable kebab-case id.
    pub id: String,
    /// One line for people.
    pub title: String,
    /// The service that issues it (`github`), or `generic`.
    pub provider: String,
    /// What kind of secret it is.
    pub kind: Kind,
    /// How it is found.
    pub matcher: Matcher,
    /// Regular expression with the named group `secret`; used by [`Matcher::Pattern`] only.
    pub pattern: String,
    /// Words of which one must be part of the name (or, from `near`, stand just before it), for
    /// [`Matcher::Named`].
    pub owners: Vec<String>,
    /// What the name must end in, for [`Matcher::Named`].
    pub names: Vec<String>,
    /// Shapes of which the whole value must have one, for [`Matcher::Named`]: text and
    /// `{{class:length}}` parts.
    pub values: Vec<String>,
    /// Literals of which one must stand within the match's window; compared without case. Empty only for
    /// [`Matcher::Named`] and [`Matcher::Known`].
    pub keywords: Vec<String>,
    /// Words of which one must stand near (same line or the lines next to it); compared without case.
    pub near: Vec<String>,
    /// Shannon entropy floor of the secret, in bits per character.
    pub entropy: Option<f32>,
    /// What the place promises, for patterns that know the place and not the value: the value is then
    /// judged as that of an assignment is.
    pub promise: Option<Promise>,
    /// The checksum its values carry.
    pub checksum: Option<Checksum>,
    /// Globs, or regular expressions after `regex:`; where not empty, only paths that match one are
    /// reported.
    pub paths: Vec<String>,
    /// The same; paths that match one are not reported.
    pub skip_paths: Vec<String>,
    /// What of its matches is allowed to stand.
    pub allow: Vec<Allow>,
    /// What belongs to its secrets, and is looked for around them.
    pub parts: Vec<PartRule>,
    /// Confidence of a match that passes all checks.
    pub confidence: Confidence,
    /// Damage if misused.
    pub severity: Severity,
    /// Ids of the catalogue rows this rule covers.
    pub formats: Vec<String>,
    /// Public samples (vendor documentation) that must stay silent.
    pub samples: Vec<String>,
    /// Texts on which it must fire; `{{class:length}}` parts are filled by a seeded generator.
    pub examples: Vec<String>,
    /// Texts on which it must stay silent.
    pub counter_examples: Vec<String>,
    /// The public prefix that a masked value may show.
    pub prefix: String,
    /// What to do: how this kind is rotated or revoked.
    pub rotation: String,
    /// Documentation link.
    pub why: String,
}

/// Rules that are in force, and the digest that names exactly this set.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct RuleSet {
    /// The rules, sorted by id.
    pub rules: Vec<Rule>,
    /// Hexadecimal SHA-256 over the canonical text of all rules.
    pub digest: String,
}

impl RuleSet {
    /// The rule with this id.
    pub fn get(&self, id: &str) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.id == id)
    }
}
