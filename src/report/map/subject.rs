//! What of a map is asked for: the records it is about, and findings that no record has.

use crate::model::finding::Finding;
use crate::model::map::{Subject, Use};
use crate::model::record::Record;
use crate::model::report::Report;
use crate::model::verdict::Verdict;
use std::collections::{BTreeMap, BTreeSet};

/// What there is to tell of a record.
#[derive(Default)]
pub(super) struct Entry<'a> {
    pub(super) record: Option<&'a Record>,
    pub(super) uses: Vec<&'a Use>,
    pub(super) verdicts: Vec<&'a Verdict>,
    /// The number of the version whose value was asked for, where one was.
    pub(super) asked: Option<u32>,
}

/// What is asked for.
#[derive(Default)]
pub(super) struct Selected<'a> {
    /// Records by name.
    pub(super) entries: BTreeMap<&'a str, Entry<'a>>,
    /// Findings of a value that no record has.
    pub(super) strays: Vec<&'a Finding>,
}

impl<'a> Selected<'a> {
    /// Of a report, what the subject names.
    pub(super) fn of(report: &'a Report, subject: &Subject) -> Self {
        let strays = strays(report, subject);
        let asked = asked(report, subject, &strays);
        let mut entries = entries(report);
        if let Some(asked) = asked {
            entries.retain(|name, _| asked.contains_key(name));
            for (name, entry) in &mut entries {
                entry.asked = asked.get(name).copied().flatten();
            }
        }
        Self {
            entries,
            strays: strays
                .into_iter()
                .filter(|it| it.managed.is_none())
                .collect(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.strays.is_empty()
    }
}

/// Findings of the value that is asked for.
fn strays<'a>(report: &'a Report, subject: &Subject) -> Vec<&'a Finding> {
    let findings = report.findings.iter();
    match subject {
        Subject::Everything | Subject::Name(_) => Vec::new(),
        Subject::Value(value) => findings
            .filter(|it| it.fingerprint == Some(*value))
            .collect(),
        Subject::Occurrence(start) => {
            let is_it = |it: &&Finding| it.occurrence.to_string().starts_with(start.as_str());
            let found: Vec<&Finding> = findings.filter(is_it).collect();
            // The same value elsewhere is the same secret.
            let values: BTreeSet<&[u8]> = found.iter().map(|it| it.secret.expose()).collect();
            let same = |it: &&Finding| values.contains(it.secret.expose());
            report.findings.iter().filter(same).collect()
        }
    }
}

/// The records that are asked for, each with the version meant; `None` for all.
fn asked<'a>(
    report: &'a Report,
    subject: &Subject,
    found: &[&'a Finding],
) -> Option<BTreeMap<&'a str, Option<u32>>> {
    let records = report.records.iter();
    let mut asked = BTreeMap::new();
    match subject {
        Subject::Everything => return None,
        Subject::Name(name) => asked.extend(names(report, name).map(|it| (it, None))),
        Subject::Value(value) => {
            for record in records {
                let mut versions = record.versions.iter().rev();
                if let Some(version) = versions.find(|it| it.fingerprint == Some(*value)) {
                    asked.insert(record.name.as_str(), Some(version.number));
                }
            }
        }
        Subject::Occurrence(_) => {}
    }
    for managed in found.iter().filter_map(|it| it.managed.as_ref()) {
        let known = asked.entry(managed.record.as_str()).or_default();
        known.get_or_insert(managed.version);
    }
    Some(asked)
}

/// Names that hold a text, or that one alone that is it.
fn names<'a>(report: &'a Report, text: &str) -> impl Iterator<Item = &'a str> {
    let uses = report.map.uses.iter().map(|it| it.record.as_str());
    let canonical: BTreeMap<&str, String> = report
        .records
        .iter()
        .map(|it| (it.name.as_str(), it.secret.to_string()))
        .collect();
    let all: BTreeSet<&str> = uses.chain(canonical.keys().copied()).collect();
    let is_exact = all.contains(text);
    let is_meant = |name: &&str| match is_exact {
        true => *name == text,
        false => name.contains(text) || canonical.get(name).is_some_and(|it| it.contains(text)),
    };
    all.into_iter()
        .filter(is_meant)
        .collect::<Vec<_>>()
        .into_iter()
}

fn entries(report: &Report) -> BTreeMap<&str, Entry<'_>> {
    let mut entries: BTreeMap<&str, Entry<'_>> = BTreeMap::new();
    for it in &report.records {
        entries.entry(&it.name).or_default().record = Some(it);
    }
    for it in &report.map.uses {
        entries.entry(&it.record).or_default().uses.push(it);
    }
    for it in &report.verdicts {
        if let Some(name) = &it.record {
            entries.entry(name).or_default().verdicts.push(it);
        }
    }
    entries
}
