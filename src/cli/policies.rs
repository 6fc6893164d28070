//! Policies on their way from the settings to the judgement: refused where two answer with equal right, shown
//! with the plan, and told where they left something out.

use super::message::Fault;
use crate::inventory::Store;
use crate::model::policy::{Policies, Policy, Tie};
use crate::model::verdict::VerdictId;
use crate::settings;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::Path;

/// Looks before the run: what is asked of each record must be clear.
pub(super) fn refuse_ties(
    policies: &Policies,
    file: Option<&Path>,
    store: Option<&Store>,
) -> Result<(), Fault> {
    // A hook has no time to read an inventory for nothing.
    if !policies.may_tie() {
        return Ok(());
    }
    let records = store.map(Store::inventory).transpose()?;
    let records = records.map(|it| it.records).unwrap_or_default();
    let ties = policies.ties(&records);
    if ties.is_empty() {
        return Ok(());
    }
    let file = file.unwrap_or(Path::new(settings::FILE)).display();
    let told: Vec<String> = ties
        .iter()
        .map(|it| format!("{file}:{}", tied(it)))
        .collect();
    Err(Fault::new(told.join("\n")).hint(
        "nothing was scanned; make one of the two more specific: select by one more of kind, provider, environment, record",
    ))
}

fn tied(tie: &Tie) -> String {
    let (one, other) = tie.lines;
    let what = tie.question.name();
    let subject = match &tie.record {
        Some(name) => format!("`{name}`"),
        None => "secrets without a record".to_owned(),
    };
    format!(
        "{other}: this policy and that of line {one} both say `{what}` of {subject}, and neither is more specific"
    )
}

/// What policies left out of a report, in one line.
pub(super) fn left_out(off: &BTreeMap<VerdictId, usize>) -> Option<String> {
    let total: usize = off.values().sum();
    let parts: Vec<String> = off
        .iter()
        .map(|(id, count)| format!("{}: {count}", id.code()))
        .collect();
    let (noun, verb) = if total == 1 {
        ("verdict", "is")
    } else {
        ("verdicts", "are")
    };
    let told = format!(
        "{total} {noun} {verb} switched off by policies ({})",
        parts.join(", ")
    );
    (total > 0).then_some(told)
}

/// A policy as the settings file writes it.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct ShownPolicy<'a> {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    kind: Vec<&'static str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    provider: &'a [String],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    environment: &'a [String],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    record: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    max_age_days: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expiring_days: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    grace_days: Option<u32>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    severity: BTreeMap<&'static str, &'static str>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    off: BTreeMap<&'static str, &'a str>,
}

impl<'a> ShownPolicy<'a> {
    /// The wire shape of a policy.
    pub(super) fn of(policy: &'a Policy) -> Self {
        let severities = policy.severities.iter();
        let off = policy.off.iter();
        Self {
            kind: policy.kinds.iter().map(|it| it.name()).collect(),
            provider: &policy.providers,
            environment: &policy.environments,
            record: &policy.records,
            max_age_days: policy.max_age_days,
            expiring_days: policy.expiring_days,
            grace_days: policy.grace_days,
            severity: severities.map(|(id, it)| (id.code(), it.name())).collect(),
            off: off.map(|(id, why)| (id.code(), why.as_str())).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::level::Severity;
    use crate::model::rule::Kind;

    #[derive(Serialize)]
    struct File<'a> {
        policy: Vec<ShownPolicy<'a>>,
    }

    #[test]
    fn what_is_shown_is_read_again() {
        let policy = Policy {
            line: 1,
            kinds: vec![Kind::CloudKey],
            records: vec!["kv/*".to_owned()],
            max_age_days: Some(30),
            grace_days: Some(0),
            severities: [(VerdictId::Stale, Severity::Low)].into(),
            off: [(VerdictId::Unused, "for the \"auditors\"".to_owned())].into(),
            ..Policy::default()
        };
        let policies = Policies(vec![policy]);
        let shown = File {
            policy: policies.0.iter().map(ShownPolicy::of).collect(),
        };
        let text = toml::to_string(&shown).unwrap();
        assert_eq!(
            settings::parse("f", &text).map(|it| it.policies),
            Ok(policies)
        );
    }

    #[test]
    fn what_is_left_out_is_counted() {
        assert_eq!(left_out(&BTreeMap::new()), None);
        let off = [(VerdictId::Stale, 1), (VerdictId::Unused, 2)].into();
        let told = left_out(&off).unwrap();
        assert_eq!(
            told,
            "3 verdicts are switched off by policies (stale: 1, unused: 2)"
        );
    }
}
