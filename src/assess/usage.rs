//! `reused`, `unused`, `broken-reference`: records against their uses.

use crate::model::map::Map;
use crate::model::origin::shown;
use crate::model::record::{Inventory, Record};
use crate::model::reference::Reference;
use crate::model::verdict::{Verdict, VerdictId};
use std::collections::{BTreeMap, BTreeSet};

fn about(
    record: &Record,
    id: VerdictId,
    message: String,
    next: String,
    evidence: Vec<String>,
) -> Verdict {
    Verdict {
        id,
        severity: id.severity(),
        record: Some(record.name.clone()),
        message,
        next,
        evidence,
        path: Some(record.source.clone()),
        line: record.source_line,
        waived: false,
    }
}

/// One value under several records.
pub(super) fn reused(inventory: &Inventory, out: &mut Vec<Verdict>) {
    let mut by_value: BTreeMap<_, Vec<&Record>> = BTreeMap::new();
    for record in inventory.records.iter().filter(|it| !it.gone) {
        if let Some(fingerprint) = record.versions.last().and_then(|it| it.fingerprint) {
            by_value.entry(fingerprint).or_default().push(record);
        }
    }
    for group in by_value.into_values().filter(|it| it.len() > 1) {
        let names: Vec<String> = group.iter().map(|it| it.name.clone()).collect();
        let message = format!("One value serves {}.", names.join(" and "));
        let next =
            "Give each its own value, so that one leak or rotation does not touch the others."
                .to_owned();
        out.push(about(group[0], VerdictId::Reused, message, next, names));
    }
}

/// Records that nothing on the declared estate names or holds, and that nobody has read within the window.
pub(super) fn unused(inventory: &Inventory, map: &Map, since: i64, out: &mut Vec<Verdict>) {
    let used: BTreeSet<&str> = map.uses.iter().map(|it| it.record.as_str()).collect();
    for record in inventory
        .records
        .iter()
        .filter(|it| !it.gone && !used.contains(it.name.as_str()))
    {
        if record.accessed.is_some_and(|it| it >= since) {
            continue;
        }
        let read = if record.accessed.is_some() {
            "and nobody has read it for long"
        } else {
            "and no access to it is known"
        };
        let message = format!(
            "Nothing on the scanned estate uses {}, {read}.",
            record.name
        );
        let next = format!(
            "Ask its owner ({}), disable it for a while, then remove it.",
            owners(record)
        );
        out.push(about(
            record,
            VerdictId::Unused,
            message,
            next,
            vec![record.name.clone()],
        ));
    }
}

fn owners(record: &Record) -> String {
    if record.owners.is_empty() {
        "none is recorded".to_owned()
    } else {
        record.owners.join(", ")
    }
}

/// Names within a scope the inventory declares complete that no record has.
pub(super) fn broken(
    inventory: &Inventory,
    references: &[Reference],
    resolved: &[Option<String>],
    out: &mut Vec<Verdict>,
) {
    let mut told = BTreeSet::new();
    for (reference, record) in references.iter().zip(resolved) {
        let name = &reference.mention.name;
        let is_complete = inventory
            .complete
            .iter()
            .any(|it| it.provider == name.provider && name.path.starts_with(&it.prefix));
        if record.is_some() || reference.mention.dynamic || name.path.is_empty() || !is_complete {
            continue;
        }
        let path = shown(reference.origin.repository.as_deref(), &reference.path);
        let at = format!("{path}:{}", reference.mention.place.line);
        if !told.insert((name.to_string(), at.clone())) {
            continue;
        }
        out.push(Verdict {
            id: VerdictId::BrokenReference,
            severity: VerdictId::BrokenReference.severity(),
            record: None,
            message: format!("{at} names {name}, which the inventory does not have."),
            next: "Create and record it, or correct the name before the next run fails.".to_owned(),
            evidence: vec![at],
            path: Some(reference.path.clone()),
            line: Some(reference.mention.place.line),
            waived: false,
        });
    }
}
