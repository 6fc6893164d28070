//! Findings and references against records: the map, the verdicts, the waivers.

mod age;
mod exposure;
mod join;
mod usage;
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

const DAY: i64 = 86_400;

/// Joins what was found with what is owned. Fills `managed` of the findings (by fingerprint) and
/// judges. Without an inventory pass `None`: every finding is then `unmanaged`.
/// Findings must have their waivers applied before.
pub fn assess(
    findings: &mut [Finding],
    references: &[Reference],
    inventory: Option<&Inventory>,
    options: &Options,
) -> Assessed {
    let empty = Inventory::default();
    let known = inventory.unwrap_or(&empty);
    join::by_value(findings, known);
    let (map, resolved) = join::map(findings, references, known);
    let mut verdicts = Vec::new();
    exposure::judge(findings, options.now, &mut verdicts);
    age::findings(findings, options, &mut verdicts);
    usage::broken(known, references, &resolved, &mut verdicts);
    if options.scope != Scope::Change {
        age::records(&known.records, options, &mut verdicts);
        usage::reused(known, &mut verdicts);
    }
    if options.scope == Scope::Estate {
        usage::unused(
            known,
            &map,
            options.now - i64::from(options.stale_days) * DAY,
            &mut verdicts,
        );
    }
    verdicts.sort_by(|a, b| b.severity.cmp(&a.severity).then_with(|| a.cmp(b)));
    Assessed {
        map,
        verdicts,
        resolved,
    }
}
