//! The verdict on one value in several roles: `reused`.
//!
//! Not here: copies that references make on purpose (an ExternalSecret that fills a Kubernetes secret).

use crate::assess::case::{Case, about_findings, is_certificate, is_setting, is_weak};
use crate::model::finding::Finding;
use crate::model::fingerprint::Fingerprint;
use crate::model::level::Severity;
use crate::model::record::Record;
use crate::model::secret::Worth;
use crate::model::verdict::{Verdict, VerdictId};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Folders in which one unmanaged value must lie, under different keys, to be called reused.
const UNRELATED: usize = 3;

/// Judges values of records, then values that no inventory knows.
pub(super) fn judge(case: &Case, verdicts: &mut Vec<Verdict>) {
    if case.judges_records() {
        records(case, verdicts);
        values(case, verdicts);
    }
}

fn records(case: &Case, verdicts: &mut Vec<Verdict>) {
    let mut holders: BTreeMap<Fingerprint, Vec<&Record>> = BTreeMap::new();
    for record in case.records.iter().filter(|it| !it.gone) {
        let current = record.versions.last().and_then(|it| it.fingerprint);
        let telling = current.filter(|it| !case.plain.contains(it) && !is_setting(record));
        if let Some(current) = telling {
            holders.entry(current).or_default().push(record);
        }
    }
    for records in holders.into_values() {
        let roles = roles(case, &records);
        if roles.len() > 1 {
            verdicts.push(shared(&roles));
        }
    }
}

/// One record for each set that references copy into one another.
fn roles<'a>(case: &Case, records: &[&'a Record]) -> Vec<&'a Record> {
    let mut role: Vec<usize> = (0..records.len()).collect();
    let index: HashMap<&str, usize> = records
        .iter()
        .enumerate()
        .map(|(index, it)| (it.name.as_str(), index))
        .collect();
    for (one, other) in &case.joined.copies {
        if let (Some(one), Some(other)) = (index.get(one.as_str()), index.get(other.as_str())) {
            let (keep, drop) = (role[*one].min(role[*other]), role[*one].max(role[*other]));
            for it in &mut role {
                if *it == drop {
                    *it = keep;
                }
            }
        }
    }
    let kept: BTreeSet<usize> = role.into_iter().collect();
    kept.into_iter()
        .filter_map(|it| records.get(it).copied())
        .collect()
}

fn shared(records: &[&Record]) -> Verdict {
    let names: Vec<&str> = records.iter().map(|it| it.name.as_str()).collect();
    let first = records.first();
    Verdict {
        id: VerdictId::Reused,
        severity: VerdictId::Reused.severity(),
        record: first.map(|it| it.name.clone()),
        message: format!("One value serves {} records: `{}`.", names.len(), names.join("`, `")),
        next: "Give each record a value of its own, starting with the one that opens most; one leak then opens one door."
            .to_owned(),
        evidence: names.iter().map(|it| (*it).to_owned()).collect(),
        repository: None,
        path: first.filter(|it| !it.source.is_empty()).map(|it| it.source.clone()),
        line: first.and_then(|it| it.source_line),
        waived: false,
    }
}

fn values(case: &Case, verdicts: &mut Vec<Verdict>) {
    let mut places: HashMap<&[u8], Vec<&Finding>> = HashMap::new();
    for finding in case.findings {
        if is_candidate(finding) {
            places
                .entry(finding.secret.expose())
                .or_default()
                .push(finding);
        }
    }
    let mut groups: Vec<Vec<&Finding>> = places.into_values().filter(|it| is_spread(it)).collect();
    for group in &mut groups {
        group.sort_by_key(|it| (&it.path, it.place, &it.occurrence));
    }
    for group in groups {
        let folders = folders(&group).len();
        let message = format!(
            "One value that no inventory knows serves different keys in {folders} folders."
        );
        let next =
            "Issue a value of its own for each use, and keep each in a secrets manager.".to_owned();
        verdicts.push(about_findings(
            VerdictId::Reused,
            Severity::Medium,
            &group,
            message,
            next,
        ));
    }
}

fn is_candidate(finding: &Finding) -> bool {
    let is_telling = Worth::of(finding.secret.expose()) == Worth::Telling;
    finding.managed.is_none() && is_telling && !is_weak(finding) && !is_certificate(finding)
}

fn folders<'a>(group: &[&'a Finding]) -> BTreeSet<(Option<&'a str>, &'a str)> {
    group
        .iter()
        .map(|it| {
            let repository = it.origins.first().and_then(|it| it.repository.as_deref());
            (
                repository,
                it.path.rsplit_once('/').map_or("", |(folder, _)| folder),
            )
        })
        .collect()
}

fn is_spread(group: &[&Finding]) -> bool {
    let keys: BTreeSet<String> = group
        .iter()
        .filter_map(|it| it.key.as_deref())
        .map(str::to_lowercase)
        .collect();
    keys.len() > 1 && folders(group).len() >= UNRELATED
}

#[cfg(test)]
mod tests {
    use crate::assess::case::Scope;
    use crate::assess::tests::{codes, finding, inventory, print, record, verdicts};
    use crate::model::record::Inventory;
    use crate::model::rule::Kind;
    use crate::model::secret::Secret;

    #[test]
    fn settings_that_stand_beside_secrets_are_not_reused() {
        let shared = |one: &str, other: &str| [record(one, &[1]), record(other, &[1])];
        let fires = |known: &Inventory| {
            let found = verdicts(&mut [], &[], known, Scope::Folder);
            codes(&found).contains(&"reused")
        };
        for (field, expected) in [
            ("password", true),
            ("api_key", true),
            ("host", false),
            ("DB_PORT", false),
            ("db-username", false),
            ("tls.crt", false),
        ] {
            let known = inventory(&shared(&format!("kv/a#{field}"), &format!("kv/b#{field}")));
            assert_eq!(fires(&known), expected, "{field}");
        }
        let mut known = inventory(&shared("kv/a#password", "kv/b#password"));
        known.plain.extend(print(1));
        assert!(!fires(&known));
        let mut certificates = shared("kv/a", "kv/b");
        certificates[0].kind = Some(Kind::Certificate);
        assert!(!fires(&inventory(&certificates)));
    }

    #[test]
    fn a_plain_value_is_not_reused_wherever_it_lies() {
        for (value, expected) in [
            ("q8Zk27xPw0", true),
            ("eu-west-1", false),
            ("postgres", false),
        ] {
            let mut findings = ["x/1", "y/1", "z/1"].map(|path| finding(path, 1));
            for (finding, key) in findings.iter_mut().zip(["a", "b", "c"]) {
                finding.key = Some(key.to_owned());
                finding.secret = Secret::new(value.as_bytes());
            }
            let found = verdicts(&mut findings, &[], &Inventory::default(), Scope::Folder);
            assert_eq!(codes(&found).contains(&"reused"), expected, "{value}");
        }
    }
}
