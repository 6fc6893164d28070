//! `stale`, `expired`, `expiring`: secrets and certificates past or near their time.

use super::Options;
use crate::model::finding::Finding;
use crate::model::level::Severity;
use crate::model::record::Record;
use crate::model::rule::Kind;
use crate::model::verdict::{Verdict, VerdictId};

const DAY: i64 = 86_400;

/// Records older than their policy, or past or near their end.
pub(super) fn records(records: &[Record], options: &Options, out: &mut Vec<Verdict>) {
    for record in records.iter().filter(|it| !it.gone) {
        out.extend(stale(record, options));
        out.extend(record.expires.and_then(|end| ending(end, &record.name, options)).map(|(id, message)| Verdict {
            id,
            severity: id.severity(),
            record: Some(record.name.clone()),
            message,
            next: format!("Renew {} before its consumers notice, then set its new end in the inventory.", record.name),
            evidence: vec![record.name.clone()],
            path: Some(record.source.clone()),
            line: record.source_line,
            waived: false,
        }));
    }
}

fn stale(record: &Record, options: &Options) -> Option<Verdict> {
    let since = record.rotated.or(record.created)?;
    let default = if record.kind == Some(Kind::CloudKey) {
        options.stale_cloud_days
    } else {
        options.stale_days
    };
    let allowed = record.rotation_days.unwrap_or(default);
    let age = (options.now - since) / DAY;
    // Certificates have an end of their own.
    if record.dynamic || age <= i64::from(allowed) || record.kind == Some(Kind::Certificate) {
        return None;
    }
    let policy = if record.rotation_days.is_some() {
        "its rotation policy"
    } else {
        "the default"
    };
    Some(Verdict {
        id: VerdictId::Stale,
        severity: VerdictId::Stale.severity(),
        record: Some(record.name.clone()),
        message: format!(
            "{} was last rotated {age} days ago; {policy} allows {allowed}.",
            record.name
        ),
        next: format!(
            "Rotate {0}; `keyatlas map {0}` lists what uses it.",
            record.name
        ),
        evidence: vec![record.name.clone()],
        path: Some(record.source.clone()),
        line: record.source_line,
        waived: false,
    })
}

fn ending(end: i64, name: &str, options: &Options) -> Option<(VerdictId, String)> {
    let days = (end - options.now).div_euclid(DAY);
    if end < options.now {
        Some((
            VerdictId::Expired,
            format!("{name} expired {} days ago.", -days),
        ))
    } else if days <= i64::from(options.expiring_days) {
        Some((
            VerdictId::Expiring,
            format!("{name} expires in {days} days."),
        ))
    } else {
        None
    }
}

/// Certificates and tokens whose own bytes tell their end.
pub(super) fn findings(findings: &[Finding], options: &Options, out: &mut Vec<Verdict>) {
    for finding in findings {
        let subject = format!(
            "The {} at {}:{}",
            finding.rule,
            finding.shown_path(),
            finding.place.line
        );
        let Some((id, message)) = finding
            .expires
            .and_then(|end| ending(end, &subject, options))
        else {
            continue;
        };
        let is_certificate = finding.rule == super::exposure::CERTIFICATE;
        // An expired token is good news; an expired certificate is an outage.
        if !is_certificate {
            continue;
        }
        out.push(Verdict {
            id,
            severity: if id == VerdictId::Expired {
                Severity::Medium
            } else {
                id.severity()
            },
            record: finding.managed.as_ref().map(|it| it.record.clone()),
            message,
            next: "Renew it where it is issued, and remove it if nothing serves it.".to_owned(),
            evidence: vec![finding.occurrence.to_string()],
            path: Some(finding.path.clone()),
            line: Some(finding.place.line),
            waived: finding.waived.is_some(),
        });
    }
}
