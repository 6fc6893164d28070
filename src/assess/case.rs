//! What the verdict families look at: findings, references and records, already joined.
//!
//! Not here: any judgement; a family reads a case and gives verdicts.

use crate::assess::join::Joined;
use crate::model::finding::Finding;
use crate::model::level::{Confidence, Level, Severity};
use crate::model::record::Record;
use crate::model::reference::Reference;
use crate::model::verdict::{Verdict, VerdictId};
use jiff::Timestamp;

/// Seconds of a day.
pub(super) const DAY: i64 = 86_400;

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

/// Everything there is to judge.
pub(super) struct Case<'a> {
    /// Findings, with `managed` and `waived` filled.
    pub(super) findings: &'a [Finding],
    /// References.
    pub(super) references: &'a [Reference],
    /// Records, sorted by name.
    pub(super) records: &'a [Record],
    /// What the join told.
    pub(super) joined: &'a Joined,
    /// Times and reach.
    pub(super) options: &'a Options,
}

impl Case<'_> {
    /// Whether verdicts about records are in reach at all.
    pub(super) fn judges_records(&self) -> bool {
        self.options.scope != Scope::Change
    }

    /// The record with this name.
    pub(super) fn record(&self, name: &str) -> Option<&Record> {
        let found = self
            .records
            .binary_search_by(|it| it.name.as_str().cmp(name));
        match found {
            Ok(index) => self.records.get(index),
            Err(_) => self.records.iter().find(|it| it.name == name),
        }
    }
}

/// A verdict about a record, pointing at where the record was imported from.
pub(super) fn about_record(
    id: VerdictId,
    record: &Record,
    message: String,
    next: String,
) -> Verdict {
    Verdict {
        id,
        severity: id.severity(),
        record: Some(record.name.clone()),
        message,
        next,
        evidence: vec![record.name.clone()],
        repository: None,
        path: (!record.source.is_empty()).then(|| record.source.clone()),
        line: record.source_line,
        waived: false,
    }
}

/// A verdict about findings of one value; `group` is not empty and sorted by place.
pub(super) fn about_findings(
    id: VerdictId,
    severity: Severity,
    group: &[&Finding],
    message: String,
    next: String,
) -> Verdict {
    let first = group
        .iter()
        .find(|it| it.waived.is_none())
        .or(group.first());
    Verdict {
        id,
        severity,
        record: first
            .and_then(|it| it.managed.as_ref())
            .map(|it| it.record.clone()),
        message,
        next,
        evidence: group.iter().map(|it| it.occurrence.to_string()).collect(),
        repository: first.and_then(|it| it.origins.first()?.repository.clone()),
        path: first.map(|it| it.path.clone()),
        line: first.map(|it| it.place.line),
        waived: group.iter().all(|it| it.waived.is_some()),
    }
}

/// Whether a finding is a weak sign only, so that nothing loud may rest on it.
pub(super) fn is_weak(finding: &Finding) -> bool {
    finding.level == Level::Note || finding.confidence == Confidence::Low
}

/// Certificates are public: they are reported for their expiry only.
pub(super) fn is_certificate(finding: &Finding) -> bool {
    finding.rule == "certificate" || finding.rule == "x509-certificate"
}

/// The day of a time, as `YYYY-MM-DD`.
pub(super) fn day(seconds: i64) -> String {
    Timestamp::from_second(seconds).map_or_else(
        |_| "an unknown day".to_owned(),
        |it| it.strftime("%Y-%m-%d").to_string(),
    )
}

/// `1 day`, `2 days`.
pub(super) fn days(count: i64) -> String {
    format!("{count} day{}", if count == 1 { "" } else { "s" })
}

/// ` of OWNERS`, or nothing.
pub(super) fn owned_by(record: &Record) -> String {
    if record.owners.is_empty() {
        String::new()
    } else {
        format!(" (owner {})", record.owners.join(", "))
    }
}
