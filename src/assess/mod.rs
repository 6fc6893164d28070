//! Findings and references against records: the map, the verdicts, the waivers.

pub mod waive;

use crate::model::finding::Finding;
use crate::model::map::Map;
use crate::model::record::Inventory;
use crate::model::reference::Reference;
use crate::model::verdict::Verdict;

/// How far the judgement reaches.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scope {
    /// A change (`--staged`, `--range`, hooks, `ci`): only verdicts whose evidence lies in the change.
    Change,
    /// A folder or repository.
    Folder,
    /// A declared estate (`audit`, `map`): `unused` may be judged.
    Estate,
}

/// What the judgement needs to know.
#[derive(Clone, Debug)]
pub struct Options {
    /// How far it reaches.
    pub scope: Scope,
    /// Now, seconds since the epoch.
    pub now: i64,
    /// Default maximum age in days (365).
    pub stale_days: u32,
    /// Maximum age of static cloud keys in days (90).
    pub stale_cloud_days: u32,
    /// Warn this many days before an end (30).
    pub expiring_days: u32,
}

/// The judgement.
#[derive(Debug, Default)]
pub struct Assessed {
    /// Where each record is used.
    pub map: Map,
    /// Sorted judgements.
    pub verdicts: Vec<Verdict>,
    /// The record each reference resolves to, by index of the reference.
    pub resolved: Vec<Option<String>>,
}

/// Joins what was found with what is owned. Fills `managed` of the findings (by fingerprint) and
/// judges. Without an inventory pass `None`: every finding is then `unmanaged`.
/// Findings must have their waivers applied before.
pub fn assess(
    _findings: &mut [Finding],
    _references: &[Reference],
    _inventory: Option<&Inventory>,
    _options: &Options,
) -> Assessed {
    Assessed::default()
}
