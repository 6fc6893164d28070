//! Findings and references against records: the map, the verdicts, the waivers.
//!
//! `join` builds the map; each family of verdicts is a file that reads a `case` and yields verdicts.

mod age;
mod case;
mod copied;
mod environments;
mod exposure;
mod holders;
mod join;
mod keeping;
mod lifetime;
mod login;
mod names;
mod patterns;
mod pickup;
mod policy;
mod readers;
mod reuse;
pub mod rotation;
mod superseded;
mod usage;
pub mod waive;

#[cfg(test)]
mod tests;

pub use case::{Options, Scope};

use crate::model::finding::Finding;
use crate::model::level::Level;
use crate::model::map::Map;
use crate::model::record::Inventory;
use crate::model::reference::Reference;
use crate::model::verdict::{Verdict, VerdictId};
use case::Case;
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// A family of verdicts.
type Judge = fn(&Case, &mut Vec<Verdict>);

/// Every family.
const FAMILIES: &[Judge] = &[
    exposure::judge,
    superseded::judge,
    age::judge,
    reuse::judge,
    environments::judge,
    lifetime::judge,
    login::judge,
    usage::judge,
    holders::judge,
    keeping::judge,
    readers::judge,
];

/// The judgement.
#[derive(Debug, Default)]
pub struct Assessed {
    /// Where each record is used.
    pub map: Map,
    /// Sorted judgements, the worst first.
    pub verdicts: Vec<Verdict>,
    /// How many judgements policies switched off.
    pub off: BTreeMap<VerdictId, usize>,
    /// The record each reference resolves to, by index of the reference.
    pub resolved: Vec<Option<String>>,
}

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
    let inventory = inventory.unwrap_or(&empty);
    let joined = join::join(findings, references, inventory);
    for finding in findings.iter_mut().filter(|it| case::is_certificate(it)) {
        finding.level = Level::Note;
    }
    let case = Case {
        findings,
        references,
        records: &inventory.records,
        plain: &inventory.plain,
        people: &inventory.people,
        joined: &joined,
        uses: case::by_record(&joined),
        options,
    };
    let mut verdicts = Vec::new();
    for judge in FAMILIES {
        judge(&case, &mut verdicts);
    }
    let off = policy::apply(&case, &mut verdicts);
    verdicts.sort_by(|one, other| order(one).cmp(&order(other)).then_with(|| one.cmp(other)));
    Assessed {
        map: joined.map,
        verdicts,
        off,
        resolved: joined.resolved,
    }
}

fn order(verdict: &Verdict) -> (bool, Reverse<crate::model::level::Severity>) {
    (verdict.waived, Reverse(verdict.severity))
}
