//! Policies on verdicts: how bad each is, and which are not told.
//!
//! Not here: ages and ends that policies set; the families ask for those themselves.

use crate::assess::case::Case;
use crate::model::policy::Question;
use crate::model::verdict::{Verdict, VerdictId};
use std::collections::BTreeMap;

/// Applies the policy of each verdict; tells how many were left out.
pub(super) fn apply(case: &Case, verdicts: &mut Vec<Verdict>) -> BTreeMap<VerdictId, usize> {
    let mut off: BTreeMap<VerdictId, usize> = BTreeMap::new();
    let policies = &case.options.policies;
    if policies.0.is_empty() {
        return off;
    }
    verdicts.retain_mut(|verdict| {
        let record = verdict.record.as_deref().and_then(|it| case.record(it));
        let Some(policy) = policies.answer(Question::Verdict(verdict.id), record) else {
            return true;
        };
        if policy.off.contains_key(&verdict.id) {
            *off.entry(verdict.id).or_default() += 1;
            return false;
        }
        if let Some(severity) = policy.severities.get(&verdict.id) {
            let is_weakened = verdict.severity < verdict.id.severity();
            verdict.severity = if is_weakened {
                verdict.severity.min(*severity)
            } else {
                *severity
            };
        }
        true
    });
    off
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assess::case::Scope;
    use crate::assess::tests::{DAY, NOW, finding, inventory, options, record, reference};
    use crate::assess::{Assessed, assess};
    use crate::model::level::{Confidence, Severity};
    use crate::model::policy::{Policies, Policy};
    use crate::model::record::Record;

    /// What is judged of a record and a finding of no record, under policies.
    fn judged(records: &[Record], policies: Vec<Policy>, confidence: Confidence) -> Assessed {
        let options = crate::assess::Options {
            policies: Policies(policies),
            ..options(Scope::Folder)
        };
        let mut findings = [finding("a.env", 9)];
        findings[0].confidence = confidence;
        let mut pinned = reference("shop", "es.yaml", "vault:kv/shop/db", "");
        pinned.mention.name.version = Some("1".to_owned());
        assess(
            &mut findings,
            &[pinned],
            Some(&inventory(records)),
            &options,
        )
    }

    fn severities(assessed: &Assessed) -> Vec<(&'static str, Severity)> {
        let verdicts = assessed.verdicts.iter();
        verdicts.map(|it| (it.id.code(), it.severity)).collect()
    }

    fn old(days: i64, rotation_days: Option<u32>) -> Record {
        let mut it = record("kv/shop/db", &[1, 2]);
        it.rotated = Some(NOW - days * DAY);
        it.rotation_days = rotation_days;
        it.expires = Some(NOW + 40 * DAY);
        it
    }

    #[test]
    fn ages_ends_and_grace_are_those_of_the_policy() {
        let policy = Policy {
            line: 3,
            records: vec!["kv/shop/*".to_owned()],
            max_age_days: Some(60),
            expiring_days: Some(45),
            grace_days: Some(10),
            ..Policy::default()
        };
        let has = |record: &Record, policies: &[Policy], code: &str| {
            let assessed = judged(
                std::slice::from_ref(record),
                policies.to_vec(),
                Confidence::High,
            );
            assessed.verdicts.iter().any(|it| it.id.code() == code)
        };
        for (record, code, without, with) in [
            (old(71, None), "stale", false, true),
            (old(70, None), "stale", false, false),
            (old(71, Some(90)), "stale", false, false),
            (old(101, Some(90)), "stale", true, true),
            (old(1, None), "expiring", false, true),
            (old(9, None), "old-value-in-use", true, false),
            (old(10, None), "old-value-in-use", true, true),
        ] {
            assert_eq!(has(&record, &[], code), without, "{code} {record:?}");
            let policies = std::slice::from_ref(&policy);
            assert_eq!(has(&record, policies, code), with, "{code} {record:?}");
        }
    }

    #[test]
    fn severities_change_and_weak_signs_stay_low() {
        let louder = Policy {
            severities: [
                (VerdictId::Unmanaged, Severity::Critical),
                (VerdictId::Stale, Severity::High),
            ]
            .into(),
            ..Policy::default()
        };
        for (confidence, unmanaged) in [
            (Confidence::High, Severity::Critical),
            (Confidence::Low, Severity::Low),
        ] {
            let found = judged(&[old(400, None)], vec![louder.clone()], confidence);
            let found = severities(&found);
            assert!(found.contains(&("unmanaged", unmanaged)), "{found:?}");
            assert!(found.contains(&("stale", Severity::High)), "{found:?}");
        }
    }

    #[test]
    fn what_is_off_is_counted_and_the_more_specific_policy_switches_it_on() {
        let off = |records: &[&str]| Policy {
            records: records.iter().map(|it| (*it).to_owned()).collect(),
            off: [(VerdictId::Stale, "archive".to_owned())].into(),
            ..Policy::default()
        };
        let on = Policy {
            records: vec!["kv/shop/db".to_owned()],
            severities: [(VerdictId::Stale, Severity::Low)].into(),
            ..Policy::default()
        };
        let stale = |policies: Vec<Policy>| {
            let assessed = judged(&[old(400, None)], policies, Confidence::High);
            let told = severities(&assessed);
            let told = told.into_iter().find(|it| it.0 == "stale").map(|it| it.1);
            (told, assessed.off.get(&VerdictId::Stale).copied())
        };
        assert_eq!(stale(vec![]), (Some(Severity::Medium), None));
        assert_eq!(stale(vec![off(&[])]), (None, Some(1)));
        assert_eq!(stale(vec![off(&["kv/*"]), on]), (Some(Severity::Low), None));
        assert_eq!(
            stale(vec![off(&["kv/other/*"])]),
            (Some(Severity::Medium), None)
        );
    }
}
