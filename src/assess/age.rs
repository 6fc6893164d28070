//! Verdicts on time: `stale`, `expired`, `expiring`.
//!
//! Not here: whether anybody uses the secret.

use crate::assess::case::{
    Case, DAY, about_findings, about_record, changed, day, days, is_certificate, is_setting,
    owned_by,
};
use crate::model::finding::Finding;
use crate::model::level::Severity;
use crate::model::policy::Question;
use crate::model::record::Record;
use crate::model::rule::Kind;
use crate::model::verdict::{Verdict, VerdictId};
use std::collections::BTreeMap;

/// Judges the ends that values tell, and the ages and ends of records.
pub(super) fn judge(case: &Case, verdicts: &mut Vec<Verdict>) {
    findings(case, verdicts);
    if case.judges_records() {
        for record in case.records.iter().filter(|it| !it.gone) {
            verdicts.extend(stale(case, record));
            verdicts.extend(ending(case, record));
        }
    }
}

/// Where an end lies, seen from now.
fn nearness(case: &Case, end: i64, record: Option<&Record>) -> Option<VerdictId> {
    let left = end.saturating_sub(case.options.now);
    if left <= 0 {
        Some(VerdictId::Expired)
    } else if left <= case.expiring_days(record) * DAY {
        Some(VerdictId::Expiring)
    } else {
        None
    }
}

/// `ended on 2026-01-01`, `ends on 2026-12-01, in 7 days`.
fn ends(case: &Case, end: i64) -> String {
    let left = end.saturating_sub(case.options.now);
    if left <= 0 {
        format!("ended on {}", day(end))
    } else {
        format!("ends on {}, in {}", day(end), days(left / DAY))
    }
}

fn findings(case: &Case, verdicts: &mut Vec<Verdict>) {
    let mut groups: BTreeMap<&str, Vec<&Finding>> = BTreeMap::new();
    for finding in case.findings.iter().filter(|it| it.expires.is_some()) {
        groups
            .entry(&finding.occurrence.base)
            .or_default()
            .push(finding);
    }
    for group in groups.values() {
        verdicts.extend(finding_ends(case, group));
    }
}

/// A dead token that nobody manages is a remnant, no outage: it is told as a note.
fn finding_ends(case: &Case, group: &[&Finding]) -> Option<Verdict> {
    let first = group.first()?;
    let end = first.expires?;
    let managed = first.managed.as_ref();
    let record = managed.and_then(|it| case.record(&it.record));
    let id = nearness(case, end, record)?;
    let certificate = is_certificate(first);
    let consumed = certificate || first.managed.as_ref().is_some_and(|it| it.current);
    let severity = if consumed {
        id.severity()
    } else {
        Severity::Low
    };
    let what = if certificate { "certificate" } else { "token" };
    let place = format!("{}:{}", first.shown_path(), first.place.line);
    let message = format!("The {what} at {place} {}.", ends(case, end));
    let next = if certificate {
        format!(
            "Issue a new certificate, put it in place of the one at {place}, and note its end in the inventory."
        )
    } else {
        format!(
            "If something still uses the token at {place}, issue a new one from a secrets manager; else remove it."
        )
    };
    Some(about_findings(id, severity, group, message, next))
}

/// The policy in days, and whose it is. A certificate's age is judged by its end, unless its owner says
/// otherwise.
fn policy(case: &Case, record: &Record) -> Option<(u32, String)> {
    if let Some(days) = record.rotation_days {
        return Some((days, "its rotation policy".to_owned()));
    }
    let policies = &case.options.policies;
    let answer = policies.answer(Question::MaxAge, Some(record));
    if let Some((days, line)) = answer.and_then(|it| Some((it.max_age_days?, it.line))) {
        return Some((days, format!("the policy of line {line} of the settings")));
    }
    match record.kind {
        Some(Kind::Certificate) => None,
        Some(Kind::CloudKey) => Some((
            case.options.stale_cloud_days,
            "the limit for static cloud keys".to_owned(),
        )),
        _ => Some((case.options.stale_days, "the default limit".to_owned())),
    }
}

fn stale(case: &Case, record: &Record) -> Option<Verdict> {
    let (changed, (policy, source)) = (changed(record)?, policy(case, record)?);
    let age = case.options.now.saturating_sub(changed) / DAY;
    let is_name = is_setting(record) && record.kind != Some(Kind::Certificate);
    if record.dynamic || is_name || age <= i64::from(policy) + case.grace_days(record) {
        return None;
    }
    let message = format!(
        "`{}`{} has not changed for {} (since {}); {source} is {}.",
        record.name,
        owned_by(record),
        days(age),
        day(changed),
        days(i64::from(policy))
    );
    let next = format!(
        "Rotate it: `keyatlas map {}` lists what uses it.",
        record.name
    );
    Some(about_record(VerdictId::Stale, record, message, next))
}

fn ending(case: &Case, record: &Record) -> Option<Verdict> {
    let end = record.expires?;
    let id = nearness(case, end, Some(record))?;
    let message = format!("`{}`{} {}.", record.name, owned_by(record), ends(case, end));
    let next = format!(
        "Renew it where it is issued and import the inventory again; `keyatlas map {}` shows who needs the new value.",
        record.name
    );
    Some(about_record(id, record, message, next))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assess::case::Scope;
    use crate::assess::tests::{NOW, codes, inventory, record, verdicts};

    #[test]
    fn what_is_no_secret_does_not_grow_stale() {
        for (name, expected) in [
            ("kv/shop/db#username", vec![]),
            ("kv/shop/db#password", vec!["stale"]),
        ] {
            let mut old = record(name, &[1]);
            old.rotated = Some(NOW - 900 * DAY);
            let found = verdicts(&mut [], &[], &inventory(&[old]), Scope::Folder);
            assert_eq!(codes(&found), expected, "{name}");
        }
    }
}
