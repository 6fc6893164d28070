//! `exposed`, `rotated-but-exposed`, `unmanaged`: values that lie in the clear.

use crate::model::finding::Finding;
use crate::model::level::{Level, Severity};
use crate::model::verdict::{Verdict, VerdictId};
use std::collections::BTreeMap;

/// Certificates are public: only their end is judged.
pub(super) const CERTIFICATE: &str = "certificate";

/// One verdict per occurrence base.
pub(super) fn judge(findings: &[Finding], now: i64, out: &mut Vec<Verdict>) {
    let mut groups: BTreeMap<(&str, VerdictId), Vec<&Finding>> = BTreeMap::new();
    for finding in findings.iter().filter(|it| it.rule != CERTIFICATE) {
        let id = match &finding.managed {
            Some(managed) if managed.current => VerdictId::Exposed,
            Some(_) => VerdictId::RotatedButExposed,
            None => VerdictId::Unmanaged,
        };
        groups
            .entry((finding.occurrence.base.as_str(), id))
            .or_default()
            .push(finding);
    }
    out.extend(
        groups
            .into_iter()
            .map(|((_, id), group)| verdict(id, &group, now)),
    );
}

fn severity(id: VerdictId, finding: &Finding, now: i64) -> Severity {
    if finding.expires.is_some_and(|it| it < now) {
        return Severity::Low;
    }
    match (id, finding.level) {
        (_, Level::Note) => Severity::Low,
        (VerdictId::Unmanaged, Level::Warning) => Severity::Medium,
        _ => id.severity(),
    }
}

fn verdict(id: VerdictId, group: &[&Finding], now: i64) -> Verdict {
    let open: Vec<&&Finding> = group.iter().filter(|it| it.waived.is_none()).collect();
    let shown = open.first().map_or(group[0], |it| **it);
    let places = match group.len() {
        1 => format!("{}:{}", shown.shown_path(), shown.place.line),
        many => format!(
            "{}:{} and {} more",
            shown.shown_path(),
            shown.place.line,
            many - 1
        ),
    };
    let record = shown.managed.as_ref().map(|it| it.record.clone());
    let name = record.clone().unwrap_or_default();
    let ended = if shown.expires.is_some_and(|it| it < now) {
        " It has already expired."
    } else {
        ""
    };
    let (message, next) = match id {
        VerdictId::Exposed => (
            format!("The current value of {name} lies in the clear at {places}."),
            format!("Rotate {name} (`keyatlas map {name}` lists its consumers), then replace the value by a reference."),
        ),
        VerdictId::RotatedButExposed => (
            format!("An earlier value of {name} still lies in the clear at {places}."),
            format!("Check that nothing uses the old value of {name}, revoke it, then remove it."),
        ),
        _ => (
            format!("A secret that no inventory knows lies in the clear at {places}.{ended}"),
            "Rotate it, store it in the secrets manager with an owner, and reference it from there.".to_owned(),
        ),
    };
    Verdict {
        id,
        severity: open
            .iter()
            .map(|it| severity(id, it, now))
            .max()
            .unwrap_or_else(|| severity(id, shown, now)),
        record,
        message,
        next,
        evidence: group.iter().map(|it| it.occurrence.to_string()).collect(),
        path: Some(shown.path.clone()),
        line: Some(shown.place.line),
        waived: open.is_empty(),
    }
}
