//! Verdicts: judgements with a stable id, severity, explanation, next step and evidence.

use super::level::{Level, Severity};

macro_rules! verdicts {
    ($($(#[$meta:meta])* $variant:ident = $code:literal, $severity:ident, $cwe:expr, $nhi:expr, $help:literal;)+) => {
        /// The judgements this version can make.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum VerdictId { $($(#[$meta])* $variant),+ }
        impl VerdictId {
            /// Every verdict.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
            /// Stable code.
            pub fn code(self) -> &'static str { match self { $(Self::$variant => $code),+ } }
            /// Default severity; a verdict may carry another.
            pub fn severity(self) -> Severity { match self { $(Self::$variant => Severity::$severity),+ } }
            /// CWE number, if one fits.
            pub fn cwe(self) -> Option<u32> { match self { $(Self::$variant => $cwe),+ } }
            /// OWASP NHI Top 10 (2025) entry.
            pub fn nhi(self) -> Option<&'static str> { match self { $(Self::$variant => $nhi),+ } }
            /// One sentence that explains it.
            pub fn help(self) -> &'static str { match self { $(Self::$variant => $help),+ } }
        }
    };
}

verdicts! {
    /// An inventory value lies in the clear.
    Exposed = "exposed", Critical, Some(798), Some("NHI2"), "A value of the inventory lies in the clear at a place.";
    /// A secret that no inventory knows.
    Unmanaged = "unmanaged", High, Some(798), Some("NHI2"), "A secret was found that no inventory knows.";
    /// An earlier version's value is still in the clear.
    RotatedButExposed = "rotated-but-exposed", Medium, Some(798), Some("NHI7"), "An earlier value of a rotated secret still lies in the clear.";
    /// An earlier version's value is still consumed.
    OldValueInUse = "old-value-in-use", Medium, Some(324), Some("NHI7"), "Something still consumes an earlier value of a rotated secret.";
    /// Older than its rotation policy.
    Stale = "stale", Medium, Some(324), Some("NHI7"), "The secret is older than its rotation policy allows.";
    /// Past its end.
    Expired = "expired", High, Some(324), Some("NHI7"), "A certificate, token or record is past its end.";
    /// Near its end.
    Expiring = "expiring", Medium, Some(324), Some("NHI7"), "A certificate, token or record ends soon.";
    /// One value under several records or in unrelated places.
    Reused = "reused", Medium, Some(522), Some("NHI9"), "One value serves several records or unrelated places.";
    /// One value or record in production and elsewhere.
    CrossesEnvironments = "crosses-environments", Medium, Some(653), Some("NHI8"), "One value or one record serves production and another environment.";
    /// Static where its provider issues short-lived ones.
    LongLived = "long-lived", Low, Some(324), Some("NHI7"), "The secret is static where its provider offers dynamic or short-lived ones.";
    /// A person's login used by a machine.
    HumanCredential = "human-credential", Medium, None, Some("NHI10"), "A machine uses the credential of a person.";
    /// In the inventory, used nowhere.
    Unused = "unused", Low, None, Some("NHI1"), "The inventory has it, nothing references it, and nobody reads it.";
    /// Whoever answered for it has left.
    Orphaned = "orphaned", Medium, None, Some("NHI1"), "Its owners, or the only author of its uses, have left.";
    /// All hangs on one person.
    KeyPerson = "key-person", Low, None, None, "One person alone owns it or wrote all its uses.";
    /// Somebody who left has had the value.
    KnownToLeaver = "known-to-leaver", Medium, None, Some("NHI1"), "A person who left has had the value, and it has not changed since.";
    /// An encryption or recovery key that can be lost.
    SoleCopy = "sole-copy", Medium, None, None, "An encryption or recovery key has one copy or one holder; losing it loses the data.";
    /// Somebody reads it whom the map does not know.
    UnexplainedAccess = "unexplained-access", Medium, None, None, "Something reads the secret, and no use on the map explains it.";
    /// Code names a secret that no inventory has.
    BrokenReference = "broken-reference", Medium, None, Some("NHI1"), "A place names a secret that the inventory does not have.";
}

/// One judgement.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Verdict {
    /// Which.
    pub id: VerdictId,
    /// How bad.
    pub severity: Severity,
    /// The record judged, if any.
    pub record: Option<String>,
    /// What is so, in one sentence. Holds no value.
    pub message: String,
    /// What to do next.
    pub next: String,
    /// Occurrence ids, or `path:line` of references, or record names.
    pub evidence: Vec<String>,
    /// The repository of that path, where several were scanned side by side.
    pub repository: Option<String>,
    /// The path to point at, where the verdict has a place (else the record's source).
    pub path: Option<String>,
    /// The line there.
    pub line: Option<u32>,
    /// Every occurrence it rests on is waived.
    pub waived: bool,
}

impl Verdict {
    /// How loud.
    pub fn level(&self) -> Level {
        self.severity.level()
    }
}
