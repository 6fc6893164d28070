//! `--baseline FILE`: an earlier report, JSON or SARIF, and what of it is still there.
//!
//! It only marks what is new. Accepting what is there is the work of `waive`.

use super::message::Fault;
use crate::model::finding::Finding;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// The occurrences of an earlier report.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Earlier(BTreeSet<String>);

impl Earlier {
    /// Reads a report of either kind.
    pub(super) fn read(path: &Path) -> Result<Self, Fault> {
        let bytes = fs::read(path).map_err(|it| {
            Fault::at(path, &it).hint("nothing was scanned; name an earlier JSON or SARIF report")
        })?;
        let foreign = |what: &str| {
            Fault::new(format!("{}: {what}", path.display())).hint(
                "nothing was scanned; make one with --format json=FILE or --format sarif=FILE",
            )
        };
        let document = serde_json::from_slice(&bytes).map_err(|it| {
            foreign(&format!(
                "not a JSON document (line {}, column {})",
                it.line(),
                it.column()
            ))
        })?;
        Self::of(&document).ok_or_else(|| foreign("neither a JSON nor a SARIF report of keyatlas"))
    }

    fn of(document: &Value) -> Option<Self> {
        if let Some(findings) = document.get("findings").and_then(Value::as_array) {
            return occurrences(findings.iter(), "/occurrence");
        }
        let runs = document.get("runs")?.as_array()?;
        let results = runs
            .iter()
            .filter_map(|it| it.get("results")?.as_array())
            .flatten();
        // Verdicts about records are results too, and have no occurrence.
        let placed = results.filter(|it| it.get("partialFingerprints").is_some());
        occurrences(placed, "/partialFingerprints/keyatlas~1occurrence~1v1")
    }

    /// Tells which findings were there before.
    pub(super) fn mark(&self, findings: &mut [Finding]) {
        for finding in findings {
            finding.in_baseline = Some(self.0.contains(&finding.occurrence.to_string()));
        }
    }
}

/// All occurrences, or `None` if there are entries and none has one: a report of another tool.
fn occurrences<'a>(entries: impl Iterator<Item = &'a Value>, pointer: &str) -> Option<Earlier> {
    let mut is_empty = true;
    let found: BTreeSet<String> = entries
        .inspect(|_| is_empty = false)
        .filter_map(|it| it.pointer(pointer)?.as_str().map(str::to_owned))
        .collect();
    (is_empty || !found.is_empty()).then_some(Earlier(found))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn both_kinds_of_reports_are_read() {
        let print = |id: &str| json!({"partialFingerprints": {"keyatlas/occurrence/v1": id}});
        for (document, expected) in [
            (json!({"version": 1, "findings": []}), Some(vec![])),
            (
                json!({"findings": [{"occurrence": "ko1:b"}, {"occurrence": "ko1:a.2"}]}),
                Some(vec!["ko1:a.2", "ko1:b"]),
            ),
            (
                json!({"runs": [{"results": [print("ko1:a"), {"ruleId": "stale"}]}, {"results": [print("ko1:b")]}]}),
                Some(vec!["ko1:a", "ko1:b"]),
            ),
            (json!({"runs": []}), Some(vec![])),
            (
                json!({"runs": [{"results": [{"partialFingerprints": {"other/v1": "x"}}]}]}),
                None,
            ),
            (json!({"findings": [{"fingerprint": "x"}]}), None),
            (json!([]), None),
            (json!({"results": []}), None),
        ] {
            let expected = expected.map(|it| Earlier(it.into_iter().map(str::to_owned).collect()));
            assert_eq!(Earlier::of(&document), expected, "{document}");
        }
    }
}
