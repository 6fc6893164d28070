//! Verdicts on names: `unused` records and `broken-reference`.
//!
//! Not here: how references reach records; that is `join`.

use crate::assess::case::{Case, DAY, Scope, about_record, day, owned_by};
use crate::model::origin::{OriginKind, shown};
use crate::model::record::Record;
use crate::model::reference::Reference;
use crate::model::verdict::{Verdict, VerdictId};
use std::collections::{BTreeMap, HashSet};

/// Places listed as evidence for one missing name.
const PLACES: usize = 100;

/// Judges records without use, and names without record.
pub(super) fn judge(case: &Case, verdicts: &mut Vec<Verdict>) {
    if case.options.scope == Scope::Estate {
        let used: HashSet<&str> = case
            .joined
            .map
            .uses
            .iter()
            .map(|it| it.record.as_str())
            .collect();
        let copied: HashSet<&str> = case
            .joined
            .copies
            .iter()
            .flat_map(|(one, other)| [one.as_str(), other.as_str()])
            .collect();
        let idle =
            |it: &&Record| !used.contains(it.name.as_str()) && !copied.contains(it.name.as_str());
        verdicts.extend(
            case.records
                .iter()
                .filter(idle)
                .filter_map(|it| unused(case, it)),
        );
    }
    broken(case, verdicts);
}

fn unused(case: &Case, record: &Record) -> Option<Verdict> {
    let window = i64::from(case.options.stale_days) * DAY;
    let recent =
        |time: Option<i64>| time.is_some_and(|it| case.options.now.saturating_sub(it) <= window);
    if record.gone || recent(record.accessed) {
        return None;
    }
    let accessed = match record.accessed {
        Some(time) => format!("nobody has read it since {}", day(time)),
        None => "the inventory tells no access".to_owned(),
    };
    let message = format!(
        "`{}`{} is referenced nowhere, and {accessed}.",
        record.name,
        owned_by(record)
    );
    let next = format!(
        "Ask its owner whether anything outside the scanned estate uses `{}`; if not, revoke its value and delete it.",
        record.name
    );
    Some(about_record(VerdictId::Unused, record, message, next))
}

fn broken(case: &Case, verdicts: &mut Vec<Verdict>) {
    let mut names: BTreeMap<String, Vec<&Reference>> = BTreeMap::new();
    let missing = case
        .joined
        .missing
        .iter()
        .filter_map(|index| case.references.get(*index));
    for reference in missing.filter(|it| is_live(it)) {
        names
            .entry(reference.mention.name.to_string())
            .or_default()
            .push(reference);
    }
    for (name, mut places) in names {
        places.sort_by_key(|it| (&it.path, it.mention.place));
        verdicts.extend(broken_name(&name, &places));
    }
}

/// A name that only history still has breaks nothing today.
fn is_live(reference: &Reference) -> bool {
    reference.origin.kind != OriginKind::History || reference.origin.in_head
}

fn broken_name(name: &str, places: &[&Reference]) -> Option<Verdict> {
    let first = places.first()?;
    let place = |it: &&Reference| {
        let path = shown(it.origin.repository.as_deref(), &it.path);
        format!("{path}:{}", it.mention.place.line)
    };
    Some(Verdict {
        id: VerdictId::BrokenReference,
        severity: VerdictId::BrokenReference.severity(),
        record: None,
        message: format!(
            "{} names `{name}`, which the inventory does not have.",
            place(first)
        ),
        next: format!(
            "Correct the name at {}, or create and import the secret it asks for.",
            place(first)
        ),
        evidence: places.iter().take(PLACES).map(place).collect(),
        repository: first.origin.repository.clone(),
        path: Some(first.path.clone()),
        line: Some(first.mention.place.line),
        waived: false,
    })
}
