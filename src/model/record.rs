//! Records: what the owner's inventory says exists. Values are never held, only fingerprints.

use super::access::Access;
use super::fingerprint::Fingerprint;
use super::people::People;
use super::reference::SecretName;
use super::rule::Kind;
use super::tag::Sealed;
use std::collections::{BTreeMap, HashSet};

/// One value of a record over time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Version {
    /// Number; higher is newer.
    pub number: u32,
    /// When it came to be, seconds since the epoch.
    pub created: Option<i64>,
    /// Fingerprint of its value; `None` where the export held no value.
    pub fingerprint: Option<Fingerprint>,
    /// What else is known of the value, under the estate key; `None` where nobody has looked.
    pub veil: Option<Veil>,
}

/// What is kept of a value besides its fingerprint; the estate key reads it, and nobody else.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Veil {
    /// What the value is worth.
    pub worth: u8,
    /// What it is searched by; `None` where an earlier version of the program imported it.
    pub tag: Option<Sealed>,
}

/// An inventory entry: one secret object, or one key of it.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Record {
    /// Unique name people use: `kv/shop/db#password`.
    pub name: String,
    /// The canonical name, for matching references.
    pub secret: SecretName,
    /// `production`, `staging`, ...; as the owner says it.
    pub environment: Option<String>,
    /// People or teams.
    pub owners: Vec<String>,
    /// Who can read it, where the store tells: recipients of a file, the vault it lies in, groups.
    pub readers: Vec<String>,
    /// When the object was created, seconds since the epoch.
    pub created: Option<i64>,
    /// When its value last changed.
    pub rotated: Option<i64>,
    /// When it was last read, where the provider tells.
    pub accessed: Option<i64>,
    /// By whom.
    pub accessed_by: Option<String>,
    /// Who read it, as logs tell, the last first; a bounded list, which imports of records leave alone.
    pub accesses: Vec<Access>,
    /// When it ends.
    pub expires: Option<i64>,
    /// Rotation policy in days.
    pub rotation_days: Option<u32>,
    /// What kind of secret, where the owner tells.
    pub kind: Option<Kind>,
    /// Whether the provider issues it anew for each use.
    pub dynamic: bool,
    /// Where it was imported from: a file name or URL.
    pub source: String,
    /// Line in that source, where it has lines.
    pub source_line: Option<u32>,
    /// Versions, oldest first; the last is current.
    pub versions: Vec<Version>,
    /// Whether the last import of its source no longer had it.
    pub gone: bool,
    /// Free tags.
    pub tags: BTreeMap<String, String>,
}

/// A provider and path prefix that an import declared complete, so that names it lacks are broken.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct CompleteScope {
    /// The provider.
    pub provider: String,
    /// Path prefix (`kv/`), empty for all of the provider.
    pub prefix: String,
}

/// Everything `assess` needs to know of an inventory.
#[derive(Clone, Default, Debug)]
pub struct Inventory {
    /// Records, sorted by name.
    pub records: Vec<Record>,
    /// Scopes declared complete.
    pub complete: Vec<CompleteScope>,
    /// Values so plain that many have them by chance; empty without the estate key.
    pub plain: HashSet<Fingerprint>,
    /// Who is in which team, and who has left.
    pub people: People,
}
