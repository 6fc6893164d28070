//! Findings: a value seen at a place. A [`Candidate`] is what `detect` sees in bytes alone; a
//! [`Finding`] has its origins and identity.

use super::details::Details;
use super::fingerprint::{Content, Fingerprint, Occurrence};
use super::level::{Confidence, Level};
use super::origin::{Origin, shown};
use super::part::Part;
use super::purpose::Purpose;
use super::secret::Secret;
use super::span::{Place, Span};

/// An inline comment that asks for silence.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Inline {
    /// `keyatlas:allow RULE until=YYYY-MM-DD [reason]` or `keyatlas:allow ko1:...`: waives.
    Allow {
        /// The rule id or occurrence it names.
        what: String,
        /// End date as `YYYY-MM-DD`, needed with a rule id.
        until: Option<String>,
        /// Free text.
        reason: String,
    },
    /// Another tool's comment: lowers to note, is counted, never silences errors in CI.
    Foreign,
}

/// How a value is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Written {
    /// Found by its own shape.
    Shape,
    /// A string literal that a name is assigned to.
    Quoted,
    /// An unquoted value that a name is assigned to: a secret in configuration, an expression in code.
    Bare,
}

/// A match in a text, before anything is known of where the text lies.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// Index of the rule in the rule set.
    pub rule: usize,
    /// The secret's bytes in the text.
    pub span: Span,
    /// The value itself (decoded of quoting and escapes).
    pub secret: Secret,
    /// How it is written.
    pub written: Written,
    /// The name it is assigned to, if any.
    pub key: Option<String>,
    /// After all checks that bytes alone allow.
    pub confidence: Confidence,
    /// What raised (`+`) or lowered (`-`) it; empty where the shape says it all.
    pub facts: Vec<&'static str>,
    /// What the text around it is for, if it is there to be seen.
    pub purpose: Option<Purpose>,
    /// A comment on its line that asks for silence.
    pub inline: Option<Inline>,
    /// Expiry that the value itself tells (JWT `exp`, certificate), in seconds since the epoch.
    pub expires: Option<i64>,
    /// What else the value tells of itself.
    pub details: Details,
    /// What it is known by if it has many texts: a private key in the clear.
    pub content: Option<Content>,
}

/// The inventory's answer for a value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Managed {
    /// Name of the record.
    pub record: String,
    /// The version whose value this is.
    pub version: u32,
    /// Whether that version is the current one.
    pub current: bool,
}

/// The waiver that accepts an occurrence.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Waived {
    /// Why.
    pub reason: String,
    /// Who accepted it.
    pub owner: String,
    /// Until when, `YYYY-MM-DD`.
    pub until: String,
}

/// A value at a place, with its identity and origins.
#[derive(Clone, Debug)]
pub struct Finding {
    /// Id of the rule.
    pub rule: String,
    /// Path of the first origin.
    pub path: String,
    /// Where in the outer file.
    pub place: Place,
    /// The name it is assigned to.
    pub key: Option<String>,
    /// The value.
    pub secret: Secret,
    /// What a reader may see of it.
    pub masked: String,
    /// Under the estate key; `None` without one.
    pub fingerprint: Option<Fingerprint>,
    /// Stable identity.
    pub occurrence: Occurrence,
    /// Encodings that were undone, outermost first.
    pub via: Vec<&'static str>,
    /// The member of a container, as `outer!inner`.
    pub container: Option<String>,
    /// The place within that member, where `place` cannot be it.
    pub within: Option<Place>,
    /// How sure.
    pub confidence: Confidence,
    /// What raised (`+`) or lowered (`-`) it; empty where the shape says it all.
    pub facts: Vec<&'static str>,
    /// How loud.
    pub level: Level,
    /// Every origin, best first.
    pub origins: Vec<Origin>,
    /// The inventory's answer.
    pub managed: Option<Managed>,
    /// The waiver in force.
    pub waived: Option<Waived>,
    /// An inline comment that asks for silence.
    pub inline: Option<Inline>,
    /// Expiry told by the value itself, seconds since the epoch.
    pub expires: Option<i64>,
    /// What else the value tells of itself.
    pub details: Details,
    /// What belongs to it, in the order of its rule.
    pub parts: Vec<Part>,
    /// Whether an earlier report (`--baseline`) has this occurrence; `None` without a baseline.
    pub in_baseline: Option<bool>,
}

impl Finding {
    /// The path from the scanned root.
    pub fn shown_path(&self) -> String {
        shown(
            self.origins.first().and_then(|it| it.repository.as_deref()),
            &self.path,
        )
    }
}
