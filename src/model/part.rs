//! Parts of one credential: an access key id beside its secret key, a client id beside its secret, the
//! account that a token opens. A rule says which parts its secrets have; a finding carries those it has.
//!
//! Not here: finding them and telling which belongs to which; that is the work of `detect`.

use super::finding::{Candidate, Managed, Written};
use super::fingerprint::Fingerprint;
use super::secret::Secret;
use super::span::{Place, Span};
use std::sync::Arc;

/// A part lies at most this many lines from its secret, unless the rule says otherwise.
pub const LINES: usize = 6;
/// A part lies at most this many bytes from its secret, unless the rule says otherwise.
pub const BYTES: usize = 1000;
/// The farthest that a rule may ask for.
pub const FARTHEST: usize = 16 << 10;

/// What follows where a part is missing.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Missing {
    /// Nothing: the secret is one without it.
    Nothing,
    /// The confidence is low.
    Lowers,
    /// It is no finding.
    Drops,
}

/// A part that secrets of a rule have: found by other rules, by a pattern, by names, or by any of them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PartRule {
    /// Stable name in `snake_case`: `access_key_id`, `client_id`, `host`.
    pub name: String,
    /// Ids of rules whose findings are this part; they are then no findings of their own.
    pub rules: Vec<String>,
    /// Regular expression with the named group `part`.
    pub pattern: String,
    /// Literals of which one must stand near for the pattern to be tried; compared without case.
    pub keywords: Vec<String>,
    /// What the name must end in that the part is assigned to.
    pub names: Vec<String>,
    /// Shapes of which a value under such a name must have one: text and `{{class:length}}` parts. Any
    /// identifier where empty.
    pub values: Vec<String>,
    /// Most line ends between the part and the secret.
    pub lines: usize,
    /// Most bytes between them.
    pub bytes: usize,
    /// What follows where it is missing.
    pub missing: Missing,
    /// Whether its value must not be shown.
    pub is_secret: bool,
    /// Whether one may serve several secrets: an account with two keys, a host with two users.
    pub is_shared: bool,
    /// Texts in which every finding of the rule has this part.
    pub examples: Vec<String>,
    /// Texts in which a finding of the rule, if there is one, lacks it.
    pub counter_examples: Vec<String>,
}

/// A part in a text.
#[derive(Clone, Debug)]
pub struct PartFound {
    /// Its index among the parts of the rule.
    pub which: usize,
    /// Its bytes in the text.
    pub span: Span,
    /// Its value.
    pub secret: Secret,
    /// How it is written.
    pub written: Written,
}

/// A candidate with the parts that stand around it in one text.
#[derive(Clone, Debug)]
pub struct Whole {
    /// The secret.
    pub candidate: Arc<Candidate>,
    /// In the order of the rule.
    pub parts: Vec<PartFound>,
}

/// Whether a candidate is one of several that are one credential.
#[derive(Clone, Debug, Default)]
pub enum Bond {
    /// It stands alone.
    #[default]
    Alone,
    /// It has parts.
    Whole(Arc<Whole>),
    /// It is a part.
    Part(Arc<Whole>),
}

/// A part of a finding.
#[derive(Clone, Debug)]
pub struct Part {
    /// Its name.
    pub name: String,
    /// Its value.
    pub secret: Secret,
    /// Whether its value must not be shown.
    pub is_secret: bool,
    /// Under the estate key; `None` without one, and for names that many share by chance.
    pub fingerprint: Option<Fingerprint>,
    /// The inventory's answer.
    pub managed: Option<Managed>,
    /// Where in the outer file.
    pub place: Place,
    /// The place within the member of a container, where `place` cannot be it.
    pub within: Option<Place>,
}

impl Part {
    /// What a reader may see of it.
    pub fn shown(&self) -> String {
        if self.is_secret {
            self.secret.masked("")
        } else {
            String::from_utf8_lossy(self.secret.expose()).into_owned()
        }
    }
}
