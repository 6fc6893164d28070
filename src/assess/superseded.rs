//! The verdict on rotations that are not finished: `old-value-in-use`.
//!
//! Not here: an old value that only lies somewhere; that is `exposure`. Here something consumes it: a
//! reference pinned to an earlier version, a variable that code reads, or a copy that another record holds.

use crate::assess::case::{
    Case, about_record, is_certificate, is_live, is_setting, is_weak, owned_by, place_of,
};
use crate::model::finding::Finding;
use crate::model::fingerprint::Fingerprint;
use crate::model::record::Record;
use crate::model::reference::{Reference, Role};
use crate::model::verdict::{Verdict, VerdictId};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Places listed as evidence.
const PLACES: usize = 100;

/// Stages that name the version before the current one (docs.aws.amazon.com, Secrets Manager, "What's in a
/// Secrets Manager secret").
const PREVIOUS: &[&str] = &["AWSPREVIOUS"];

/// Judges references and findings, and copies in other records.
pub(super) fn judge(case: &Case, verdicts: &mut Vec<Verdict>) {
    pinned(case, verdicts);
    consumed(case, verdicts);
    if case.judges_records() {
        copied(case, verdicts);
    }
}

/// Whether a pin names a version that is not the current one. What cannot be compared (an alias, an id)
/// is not judged.
fn is_old(record: &Record, pin: &str) -> bool {
    if PREVIOUS.contains(&pin) {
        return true;
    }
    let pin: Option<u32> = pin.trim_start_matches(['v', 'V']).parse().ok();
    let current = record.versions.last().map(|it| it.number);
    pin.zip(current)
        .is_some_and(|(pin, current)| pin > 0 && pin < current)
}

fn pinned(case: &Case, verdicts: &mut Vec<Verdict>) {
    let mut groups: BTreeMap<(&str, &str), Vec<&Reference>> = BTreeMap::new();
    for (index, reference) in case.references.iter().enumerate() {
        let is_direct = case.joined.direct.get(index) == Some(&true);
        let pin = reference.mention.name.version.as_deref();
        let name = case.joined.resolved.get(index).and_then(Option::as_deref);
        let (Some(pin), Some(name)) = (pin, name.filter(|_| is_direct)) else {
            continue;
        };
        let mention = &reference.mention;
        let is_read = mention.role == Role::Use && !mention.example && !mention.dynamic;
        let is_judged = is_live(&reference.origin) && is_read;
        let is_over = |it: &&Record| is_judged && !it.gone && !case.is_rotating(it);
        let record = case.record(name).filter(is_over);
        if record.is_some_and(|it| is_old(it, pin)) {
            groups.entry((name, pin)).or_default().push(reference);
        }
    }
    for ((name, pin), mut places) in groups {
        places.sort_by_key(|it| (&it.path, it.mention.place));
        verdicts.extend(case.record(name).and_then(|it| pin_of(it, pin, &places)));
    }
}

fn pin_of(record: &Record, pin: &str, places: &[&Reference]) -> Option<Verdict> {
    let first = places.first()?;
    let place = |it: &&Reference| place_of(&it.origin, &it.path, it.mention.place.line);
    let current = record.versions.last().map_or(0, |it| it.number);
    let message = format!(
        "{} pins version {pin} of `{}`{}; the current one is {current}.",
        place(first),
        record.name,
        owned_by(record)
    );
    let next = format!(
        "Name the current version at {}, or none, and revoke version {pin} when nothing reads it any more.",
        place(first)
    );
    Some(Verdict {
        evidence: places.iter().take(PLACES).map(place).collect(),
        repository: first.origin.repository.clone(),
        path: Some(first.path.clone()),
        line: Some(first.mention.place.line),
        ..about_record(VerdictId::OldValueInUse, record, message, next)
    })
}

/// Variables that something reads, by repository and name.
type Readers<'a> = HashMap<(Option<&'a str>, &'a str), &'a Reference>;

/// An old value that is assigned to a variable, and the variable is read in the same repository.
fn consumed(case: &Case, verdicts: &mut Vec<Verdict>) {
    let old: Vec<&Finding> = case.findings.iter().filter(|it| is_assigned(it)).collect();
    if old.is_empty() {
        return;
    }
    let readers = readers(case);
    let mut told: BTreeSet<(&str, &str, &str)> = BTreeSet::new();
    for finding in old {
        let origin = finding.origins.iter().find(|it| is_live(it));
        let repository = origin.and_then(|it| it.repository.as_deref());
        let key = finding.key.as_deref().unwrap_or_default();
        let reader = readers.get(&(repository, key));
        let managed = finding.managed.as_ref();
        let record = managed.and_then(|it| case.record(&it.record));
        let record = record.filter(|it| !case.is_rotating(it));
        let (Some(reader), Some(record), Some(managed)) = (reader, record, managed) else {
            continue;
        };
        if told.insert((&record.name, &finding.path, key)) {
            verdicts.push(variable(record, managed.version, finding, reader));
        }
    }
}

fn is_assigned(finding: &Finding) -> bool {
    let is_old = finding.managed.as_ref().is_some_and(|it| !it.current);
    let is_live = finding.origins.iter().any(is_live);
    is_old && is_live && finding.key.is_some() && !is_weak(finding) && !is_certificate(finding)
}

fn readers<'a>(case: &Case<'a>) -> Readers<'a> {
    let mut readers = Readers::new();
    let reads = |it: &&Reference| {
        let mention = &it.mention;
        let is_read = mention.role == Role::Use && !mention.example && !mention.dynamic;
        mention.name.provider == "env" && is_read && is_live(&it.origin)
    };
    for it in case.references.iter().filter(reads) {
        let repository = it.origin.repository.as_deref();
        readers
            .entry((repository, &it.mention.name.path))
            .or_insert(it);
    }
    readers
}

fn variable(record: &Record, version: u32, finding: &Finding, reader: &Reference) -> Verdict {
    let key = finding.key.as_deref().unwrap_or_default();
    let here = format!("{}:{}", finding.shown_path(), finding.place.line);
    let there = place_of(&reader.origin, &reader.path, reader.mention.place.line);
    let message = format!(
        "{here} sets `{key}` to version {version} of `{}`{}, rotated since, and {there} reads it.",
        record.name,
        owned_by(record)
    );
    let next = format!(
        "Give `{key}` the current value from the secrets manager, and revoke version {version} when nothing reads it any more."
    );
    Verdict {
        evidence: vec![here, there],
        repository: finding.origins.first().and_then(|it| it.repository.clone()),
        path: Some(finding.path.clone()),
        line: Some(finding.place.line),
        waived: finding.waived.is_some(),
        ..about_record(VerdictId::OldValueInUse, record, message, next)
    }
}

/// Earlier values of rotated records: whose, and which version.
fn earlier<'a>(case: &Case<'a>) -> HashMap<Fingerprint, Vec<(&'a Record, u32)>> {
    let mut earlier: HashMap<Fingerprint, Vec<(&Record, u32)>> = HashMap::new();
    let is_over = |it: &&Record| !it.gone && !case.is_rotating(it);
    for record in case.records.iter().filter(is_over) {
        let Some((last, former)) = record.versions.split_last() else {
            continue;
        };
        // A rotation whose new value is not known may have brought the old one back.
        let Some(current) = last.fingerprint else {
            continue;
        };
        for version in former {
            let print = version.fingerprint.filter(|it| *it != current);
            if let Some(print) = print.filter(|it| !case.plain.contains(it)) {
                earlier
                    .entry(print)
                    .or_default()
                    .push((record, version.number));
            }
        }
    }
    earlier
}

/// Records whose current value another record has left behind.
fn copied(case: &Case, verdicts: &mut Vec<Verdict>) {
    let earlier = earlier(case);
    for holder in case.records.iter().filter(|it| !it.gone && !is_setting(it)) {
        let print = holder.versions.last().and_then(|it| it.fingerprint);
        let rotated = print.and_then(|it| earlier.get(&it)).into_iter().flatten();
        for (record, version) in rotated.filter(|(it, _)| it.name != holder.name) {
            verdicts.push(copy(record, *version, holder));
        }
    }
}

fn copy(record: &Record, version: u32, holder: &Record) -> Verdict {
    let message = format!(
        "Version {version} of `{}`{}, rotated since, is the current value of `{}`{}.",
        record.name,
        owned_by(record),
        holder.name,
        owned_by(holder)
    );
    let next = format!(
        "Bring the current value of `{}` to `{}`, then revoke version {version}.",
        record.name, holder.name
    );
    Verdict {
        evidence: vec![record.name.clone(), holder.name.clone()],
        path: (!holder.source.is_empty()).then(|| holder.source.clone()),
        line: holder.source_line,
        ..about_record(VerdictId::OldValueInUse, record, message, next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assess::case::Scope;
    use crate::assess::tests::{codes, finding, inventory, record, reference, verdicts};
    use crate::model::rule::Kind;

    /// A record of three versions without values.
    fn counted() -> Record {
        let mut it = record("kv/shop/db#password", &[1, 2, 3]);
        it.versions.iter_mut().for_each(|it| it.fingerprint = None);
        it
    }

    #[test]
    fn a_pin_on_an_earlier_version_is_told_and_others_are_not() {
        let mut gone = counted();
        gone.gone = true;
        for (pin, record, expected) in [
            (Some("2"), counted(), vec!["old-value-in-use"]),
            (Some("v1"), counted(), vec!["old-value-in-use"]),
            (Some("AWSPREVIOUS"), counted(), vec!["old-value-in-use"]),
            (Some("3"), counted(), vec![]),
            (Some("4"), counted(), vec![]),
            (Some("blue"), counted(), vec![]),
            (Some("0f3c9a"), counted(), vec![]),
            (None, counted(), vec![]),
            (Some("2"), gone, vec![]),
        ] {
            let mut named = reference("shop", "es.yaml", "vault:kv/shop/db#password", "");
            named.mention.name.version = pin.map(str::to_owned);
            let known = inventory(&[record]);
            let found = verdicts(&mut [], &[named], &known, Scope::Change);
            assert_eq!(codes(&found), expected, "{pin:?}");
            assert!(found.iter().all(|it| it.evidence == ["shop/es.yaml:7"]));
        }
    }

    #[test]
    fn a_pin_further_down_a_chain_counts_other_versions() {
        let first = reference(
            "s",
            "es.yaml",
            "vault:kv/shop/db#password",
            "kubernetes:ns/db#p",
        );
        let mut second = reference("s", "pod.yaml", "kubernetes:ns/db#p", "");
        second.mention.name.version = Some("1".to_owned());
        let known = inventory(&[counted()]);
        let found = verdicts(&mut [], &[first, second], &known, Scope::Folder);
        assert!(codes(&found).is_empty(), "{found:?}");
    }

    #[test]
    fn an_old_value_is_in_use_where_code_reads_the_variable_that_holds_it() {
        let known = inventory(&[record("kv/shop/db", &[1, 2])]);
        let reads = |name: &str| reference("shop", "app.py", &format!("env:{name}"), "");
        for (value, key, repository, reader, fires) in [
            (1, "DB_PASS", "shop", "DB_PASS", true),
            (2, "DB_PASS", "shop", "DB_PASS", false),
            (1, "DB_PASS", "shop", "OTHER", false),
            (1, "DB_PASS", "else", "DB_PASS", false),
        ] {
            let mut findings = [finding("compose.yaml", value)];
            findings[0].key = Some(key.to_owned());
            findings[0].origins[0].repository = Some(repository.to_owned());
            let found = verdicts(&mut findings, &[reads(reader)], &known, Scope::Change);
            let is_told = codes(&found).contains(&"old-value-in-use");
            assert_eq!(is_told, fires, "{value} {key} {repository} {reader}");
        }
    }

    #[test]
    fn a_copy_that_was_left_behind_is_in_use() {
        let rotated = || record("kv/shop/db#password", &[1, 2]);
        let copy = |value| record("shop/db#password", &[value]);
        let mut unknown = rotated();
        unknown.versions[1].fingerprint = None;
        let mut certificate = copy(1);
        certificate.kind = Some(Kind::Certificate);
        for (records, expected) in [
            ([rotated(), copy(1)], vec!["old-value-in-use"]),
            ([rotated(), copy(2)], vec!["reused"]),
            ([rotated(), copy(3)], vec![]),
            ([unknown, copy(1)], vec![]),
            ([rotated(), certificate], vec![]),
        ] {
            let found = verdicts(&mut [], &[], &inventory(&records), Scope::Folder);
            assert_eq!(codes(&found), expected);
            assert!(verdicts(&mut [], &[], &inventory(&records), Scope::Change).is_empty());
        }
    }
}
