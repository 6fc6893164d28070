//! Which verdicts speak of which finding, and which speak of a record alone.

use crate::model::finding::Finding;
use crate::model::report::Report;
use crate::model::verdict::Verdict;
use std::collections::HashMap;

/// What every occurrence id begins with.
const OCCURRENCE: &str = "ko1:";

/// Whether a verdict rests on no finding, so that it needs a line of its own.
pub(crate) fn stands_alone(verdict: &Verdict) -> bool {
    !verdict.evidence.iter().any(|it| it.starts_with(OCCURRENCE))
}

/// Verdicts by the occurrence they rest on.
pub(crate) struct ByOccurrence<'a>(HashMap<&'a str, Vec<&'a Verdict>>);

impl<'a> ByOccurrence<'a> {
    /// Indexes a report's verdicts.
    pub(crate) fn new(report: &'a Report) -> Self {
        let mut index: HashMap<&str, Vec<&Verdict>> = HashMap::new();
        for verdict in &report.verdicts {
            for id in verdict
                .evidence
                .iter()
                .filter(|it| it.starts_with(OCCURRENCE))
            {
                let row = index.entry(id).or_default();
                if !row.iter().any(|it| std::ptr::eq(*it, verdict)) {
                    row.push(verdict);
                }
            }
        }
        Self(index)
    }

    /// The verdicts on a finding, in the report's order.
    pub(crate) fn of(&self, finding: &Finding) -> Vec<&'a Verdict> {
        self.0
            .get(finding.occurrence.to_string().as_str())
            .cloned()
            .unwrap_or_default()
    }
}
